"""A post with a picture, scheduled in the web client, on a real server: once on each account."""

import time
from datetime import datetime, timedelta, timezone

from odoo.tests import tagged

from .end_to_end import EndToEndCase, browser

AHEAD = timedelta(minutes=2)


@tagged('post_install', '-at_install')
class TestPostEndToEnd(EndToEndCase):
    def test_a_scheduled_post_appears_once_on_each_account(self):
        self.network.follow('customer', 'brand')
        for login in ('brand', 'stranger'):
            self.assertEqual(self.connect(login)['state'], 'connected')
        post_id = self.write_post(
            'Our new desk is here. #desk',
            datetime.now(timezone.utc) + AHEAD,
            ('brand', 'stranger'),
        )
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

    def statuses(self, login):
        """Return the public posts that stand on the server."""
        token = self.network.token(login)
        me = self.network.call('GET', '/api/v1/accounts/verify_credentials', token=token)
        found = self.network.call(
            'GET', f'/api/v1/accounts/{me["id"]}/statuses?limit=40', token=token
        )
        return [status for status in found if not status['reblog']]
