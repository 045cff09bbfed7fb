"""A post with a picture, scheduled in the web client, on a real server: once on each account."""

import io
import time
from datetime import datetime, timedelta, timezone

from PIL import Image

from odoo.tests import tagged

from .end_to_end import EndToEndCase, browser

AHEAD = timedelta(minutes=2)


@tagged('post_install', '-at_install')
class TestPostEndToEnd(EndToEndCase):
    def test_a_scheduled_post_appears_once_on_each_account(self):
        self.network.follow('customer', 'brand')
        for login in ('brand', 'stranger'):
            self.assertEqual(self.connect(login)['state'], 'connected')
        post_id = self.write_post('Our new desk is here. #desk', datetime.now(timezone.utc) + AHEAD)
        post = self.wait_for('social.crm.post', [['id', '=', post_id]], 'state', 'due_at')
        self.assertEqual(post['state'], 'scheduled')
        self.assertEqual(self.statuses('brand'), [], 'nothing goes out before its time')

        self.wait_for(
            'social.crm.post', [['id', '=', post_id], ['state', '=', 'published']], seconds=200
        )
        rows = self.ask(
            'social.crm.publication', [['post_id', '=', post_id]], 'sent_at', 'due_at', 'local_id'
        )
        self.assertEqual(len(rows), 2)
        for row in rows:
            late = datetime.fromisoformat(row['sent_at']) - datetime.fromisoformat(row['due_at'])
            self.assertLess(late, timedelta(seconds=30))
        for login in ('brand', 'stranger'):
            [status] = self.statuses(login)
            self.assertIn('Our new desk is here.', status['content'])
            self.assertEqual(len(status['media_attachments']), 1)

        # Somebody likes and shares it; the figures show it.
        token = self.network.token('customer')
        status = self.seen_by('customer', 'Our new desk')
        for what in ('favourite', 'reblog'):
            self.network.call('POST', f'/api/v1/statuses/{status["id"]}/{what}', {}, token)
        time.sleep(2)
        self.odoo.call('social.crm.post', 'action_measure', [post_id])
        self.wait_for(
            'social.crm.post', [['id', '=', post_id], ['likes', '=', 1], ['shares', '=', 1]]
        )
        self.page.reload()
        browser.settle(self.page)
        self.assertIn('Published', self.page.locator('.o_statusbar_status').inner_text())

    def write_post(self, text, when):
        """Write and schedule a post as a person does; return its id."""
        page = self.page
        page.goto(f'{self.odoo.url}/odoo/action-social_crm.social_crm_post_action/new')
        browser.settle(page)
        accounts = page.locator('.o_field_widget[name=account_ids] input')
        for login in ('brand', 'stranger'):
            accounts.fill(login)
            page.locator('.o-autocomplete--dropdown-item', has_text=login).first.click()
        self.fill('text', text)
        picture = io.BytesIO()
        Image.new('RGB', (640, 480), 'teal').save(picture, 'PNG')
        page.locator('.o_field_widget[name=attachment_ids] input[type=file]').set_input_files(
            {'name': 'desk.png', 'mimeType': 'image/png', 'buffer': picture.getvalue()}
        )
        page.locator('.o_field_widget[name=attachment_ids]', has_text='desk.png').wait_for()
        page.locator('.o_field_widget[name=schedule] input').nth(1).check()
        browser.settle(page)
        tz = page.locator('.o_field_widget[name=tz] select, .o_field_widget[name=tz] input').first
        if tz.evaluate('element => element.tagName') == 'SELECT':
            tz.select_option(label='UTC')
        else:
            tz.fill('UTC')
            tz.press('Tab')
        day = page.locator('.o_field_widget[name=scheduled_date]')
        day.locator('input, button').first.click()
        day.locator('input').first.fill(f'{when:%m/%d/%Y}')
        page.keyboard.press('Escape')
        self.fill('scheduled_time', f'{when:%H:%M}')
        page.keyboard.press('Tab')
        browser.settle(page)
        self.press('Schedule')
        return self.wait_for('social.crm.post', [['text', '=', text]], seconds=10)['id']

    def statuses(self, login):
        """Return the public posts that stand on the server."""
        token = self.network.token(login)
        me = self.network.call('GET', '/api/v1/accounts/verify_credentials', token=token)
        found = self.network.call(
            'GET', f'/api/v1/accounts/{me["id"]}/statuses?limit=40', token=token
        )
        return [status for status in found if not status['reblog']]
