"""Bluesky from the consent page to the end of the login, on the software that Bluesky runs, with
Chromium, a running Odoo and its cron threads."""

import json
import os
import time
from datetime import datetime, timedelta, timezone
from unittest import SkipTest
from unittest.mock import patch

from cryptography.fernet import Fernet

from odoo.tests import tagged
from odoo.tests.common import _super_send

from odoo.addons.social_crm.providers.bluesky import Bluesky
from odoo.addons.social_crm.providers.errors import AuthorizationLost
from odoo.addons.social_crm.providers.http import Http
from odoo.addons.social_crm.providers.types import Token

from .end_to_end import EndToEndCase, browser

try:
    from tools import bluesky, configuration, database
    from tools.steps import Failure
except ImportError:  # run by Odoo itself, outside of the repository
    bluesky = None

ALL_CONNECTED = [['network', '=', 'bluesky'], ['state', '=', 'connected']]


@tagged('post_install', '-at_install')
class TestBlueskyEndToEnd(EndToEndCase):
    @classmethod
    def start_network(cls, stack):
        try:
            network = stack.enter_context(bluesky.start(('brand', 'customer', 'stranger')))
        except Failure as failure:
            raise SkipTest(f'the servers of the AT Protocol cannot be started: {failure}') from None
        stack.enter_context(patch.dict(os.environ, network.environment))
        return network

    @classmethod
    def _request_handler(cls, s, r, /, **kw):
        # Our client reaches this machine; Odoo's own check takes no pair of time-outs.
        return _super_send(s, r, **kw)

    def test_from_the_consent_page_to_the_end_of_the_login(self):
        page = self.page
        account = self.connect('brand')
        self.assertEqual((account['state'], account['missing_capabilities']), ('connected', ''))
        self.odoo.call('social.crm.account', 'write', [account['id']], {'poll_interval': 5})
        token = self.token()
        self.make(
            'social.crm.rule',
            name='Somebody wants a desk',
            keywords='desk',
            action_ids=[[0, 0, {'kind': 'lead'}]],
        )
        post_id = self.schedule('Unser neuer Tisch ist da 🪑 #möbel')

        # A stranger asks; the inbox shows it by itself, a lead is made, an agent answers.
        self.open('social_crm.social_crm_mention_action')
        asked = self.network.post('stranger', '@brand.test Grüße! Do you sell a desk like that?')
        lead = self.wait_for(
            'crm.lead',
            [['social_profile_id.handle', '=', 'stranger.test']],
            'description',
            'source_id',
            'social_url',
        )
        self.assertIn('Grüße! Do you sell a desk like that?', lead['description'])
        self.assertEqual(lead['source_id'][1], 'Bluesky')
        self.assertIn('/profile/stranger.test/post/', lead['social_url'])
        self.answer('sell a desk', 'Yes: https://example.com/desk')
        [reply] = self.eventually(lambda: self.network.replies_to(asked))
        self.assertEqual(reply['author']['handle'], 'brand.test')
        self.assertIn('Yes: http', reply['record']['text'])
        self.assertEqual(reply['record']['reply']['parent']['uri'], asked['uri'])
        [facet] = reply['record']['facets']
        link = facet['features'][0]['uri']
        self.assertTrue(link.startswith(f'{self.odoo.url}/r/'), 'links are counted')
        self.assertTrue(reply['record']['text'].endswith(link))

        # The scheduled post goes out at its time, with its picture, once.
        published = [['id', '=', post_id], ['state', '=', 'published']]
        self.wait_for('social.crm.post', published, seconds=120)
        [row] = self.ask(
            'social.crm.publication',
            [['post_id', '=', post_id]],
            'sent_at',
            'due_at',
            'external_id',
        )
        late = datetime.fromisoformat(row['sent_at']) - datetime.fromisoformat(row['due_at'])
        self.assertLess(late, timedelta(seconds=30))
        [post] = self.eventually(lambda: self.network.find('brand', row['external_id']))
        self.assertEqual(post['record']['text'], 'Unser neuer Tisch ist da 🪑 #möbel')
        [image] = post['embed']['images']
        self.assertEqual(image['aspectRatio'], {'width': 640, 'height': 480})
        mine = [p for p in self.network.posts_of('brand') if 'reply' not in p['record']]
        self.assertEqual(len(mine), 1)

        # People like it and pass it on; the figures show it.
        self.network.like('customer', post)
        self.network.repost('customer', post)
        time.sleep(2)
        self.odoo.call('social.crm.post', 'action_measure', [post_id])
        figures = [['id', '=', post_id], ['likes', '=', 1], ['shares', '=', 1]]
        self.wait_for('social.crm.post', figures, seconds=30)

        # The login is taken back at the network, which knows it no more.
        self.assertEqual(self.provider(token).whoami().handle, 'brand.test')
        page.goto(
            f'{self.odoo.url}/odoo/action-social_crm.social_crm_account_action/{account["id"]}'
        )
        browser.settle(page)
        self.press('Disconnect')
        page.locator('.modal').get_by_role('button', name='Disconnect', exact=True).click()
        done = [['id', '=', account['id']], ['revocation', '=', 'done']]
        self.wait_for('social.crm.account', [*done, ['state', '=', 'disconnected']])
        for call in (self.provider(token).whoami, self.provider(token).refresh):
            with self.assertRaises(AuthorizationLost):
                call()

        self.check_app_password()

    # --- steps -----------------------------------------------------------------------------------

    def connect(self, login):
        """Connect an account through Odoo's dialog and the network's consent page."""
        page = self.page
        self.open_dialog(login)
        page.get_by_role('button', name='Continue to Sign In').click()
        page.wait_for_url(f'{self.network.url}/**')
        page.locator('input[name=password]').fill(self.network.accounts[login].password)
        page.get_by_role('button', name='Sign in', exact=True).click()
        page.get_by_role('button', name='Authorize', exact=True).click()
        page.wait_for_url(f'{self.odoo.url}/odoo/**')
        browser.settle(page)
        return self.wait_for(
            'social.crm.account', ALL_CONNECTED, 'state', 'missing_capabilities', seconds=10
        )

    def open_dialog(self, login):
        self.open('social_crm.social_crm_account_action')
        self.press('Connect an Account')
        self.page.locator('.modal').get_by_label('Bluesky', exact=True).check()
        browser.settle(self.page)
        self.fill('server', f'@{login}.test')

    def check_app_password(self):
        """Connect somebody by an app password: in the dialog, without the network's pages."""
        page = self.page
        self.open_dialog('customer')
        page.locator('.modal .o_field_widget[name=by_app_password] input').check()
        browser.settle(page)
        self.fill('app_password', self.network.accounts['customer'].password)
        connect = page.locator('.modal').get_by_role('button', name='Connect', exact=True)
        connect.click()
        page.get_by_text('This is no app password').wait_for()
        page.keyboard.press('Escape')
        self.fill('app_password', self.network.app_password('customer'))
        connect.click()
        page.locator('.o_statusbar_status', has_text='Connected').wait_for()
        account = self.wait_for(
            'social.crm.account', ALL_CONNECTED, 'handle', 'missing_capabilities'
        )
        self.assertEqual(account['handle'], 'customer.test')
        self.assertEqual(account['missing_capabilities'], 'Direct messages')
        query = 'SELECT count(*) FROM social_crm_connect WHERE secret IS NOT NULL'
        self.assertEqual(database.psql(query, self.odoo.database), '0')

    def answer(self, question, text):
        """Answer a mention from its card in the inbox."""
        page = self.page
        card = page.locator('.o_kanban_record', has_text=question)
        card.wait_for(timeout=60_000)
        card.locator('.o_social_crm_answer').click()
        page.locator('.o_social_crm_compose textarea').wait_for()
        browser.settle(page)
        page.keyboard.type(text)
        page.get_by_role('button', name='Send', exact=True).click()

    def schedule(self, text):
        """Write a post with a picture for the next full minute but one; return its id."""
        when = datetime.now(timezone.utc) + timedelta(seconds=75)
        post_id = self.write_post(text, when, ('brand',))
        [found] = self.ask('social.crm.post', [['id', '=', post_id]], 'state')
        self.assertEqual(found['state'], 'scheduled')
        return post_id

    def token(self):
        """Return the login as Odoo keeps it, opened with this machine's key."""
        secret = database.psql('SELECT secret FROM social_crm_credential', self.odoo.database)
        values = json.loads(Fernet(configuration.encryption_key()).decrypt(secret))
        return Token(values['access_token'], values['refresh_token'], extra=values['extra'])

    def provider(self, token):
        http = Http(user_agent='social_crm-test', allow_private=True)
        app = Bluesky(http).discover(self.network.url)
        return Bluesky(http, app, token)

    def eventually(self, check, seconds=60):
        """Return what a check gives as soon as that is something."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = check()
            if found:
                return found
            time.sleep(0.5)
        raise AssertionError(f'it did not happen within {seconds} s; log: {self.odoo.log}')
