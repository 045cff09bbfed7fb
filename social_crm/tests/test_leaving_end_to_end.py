"""From an automation rule to the last trace of the login: real server, real Odoo, Chromium."""

import json
import os
import subprocess
import time
from urllib.parse import parse_qs, urlsplit

from cryptography.fernet import Fernet

from odoo.tests import tagged

from .end_to_end import EndToEndCase, browser
from .fault_proxy import FaultProxy

try:
    from tools import configuration, database
except ImportError:  # run by Odoo itself, outside of the repository
    database = None


@tagged('post_install', '-at_install')
class TestLeavingEndToEnd(EndToEndCase):
    """One story: connect, automate, capture a lead, disconnect; then look for secrets."""

    def test_automation_then_disconnect_without_a_trace(self):
        self.secrets = set()
        self.page.on('request', self.note_secrets)
        account = self.connect('brand')['id']
        proxy = FaultProxy(self.network.url).__enter__()
        self.addCleanup(proxy.__exit__)
        self.listen_through(proxy, account)

        self.automate_in_the_web_client()
        self.make(
            'social.crm.rule',
            name='Desk',
            keywords='desk',
            account_ids=[[4, account]],
            action_ids=[[0, 0, {'kind': 'lead'}]],
        )
        self.network.note('stranger', '@brand where can I buy that desk?')
        lead = self.wait_for('crm.lead', [['social_mention_id', '!=', False]], 'name')
        self.wait_for(
            'mail.activity',
            [['res_model', '=', 'crm.lead'], ['res_id', '=', lead['id']]],
            'summary',
            seconds=10,
        )

        self.schedule_a_post(account)
        token = self.token_of_brand()
        self.secrets.add(token)
        self.secrets |= self.stored_secrets()
        self.disconnect_in_the_web_client()
        self.wait_for('social.crm.account', [['id', '=', account], ['revocation', '=', 'done']])
        self.assert_refused(token)
        self.assert_silent(proxy)
        self.assert_history_stays(account)
        self.assert_no_secret_anywhere()

    # --- steps -----------------------------------------------------------------------------------

    def listen_through(self, proxy, account):
        """Have the account's calls go through a proxy that counts them."""
        self.odoo.call('social.crm.account', 'write', [account], {'poll_interval': 5})
        app = self.ask('social.crm.account', [['id', '=', account]], 'app_id')[0]['app_id'][0]
        # Past the ORM: nobody may send the logins of a connected app elsewhere.
        database.psql(
            f"UPDATE social_crm_app SET server = '{proxy.url}' WHERE id = {int(app)}",
            self.odoo.database,
        )
        deadline = time.monotonic() + 40
        while not proxy.calls and time.monotonic() < deadline:
            time.sleep(0.5)
        self.assertTrue(proxy.calls, 'the account is looked at through the proxy')

    def automate_in_the_web_client(self):
        """Make an automation rule by hand: whoever is captured gets a call."""
        page = self.page
        page.goto(f'{self.odoo.url}/odoo/action-base_automation.base_automation_act?debug=1')
        browser.settle(page)
        self.press('New')
        self.fill('name', 'Call whoever asks')
        page.locator('.o_field_widget[name=model_id] input').fill('Lead')
        item = page.locator('.o-autocomplete--dropdown-item')
        item.get_by_text('Lead', exact=True).first.click()
        browser.settle(page)
        page.locator('.o_field_widget[name=trigger] input').click()
        page.get_by_text('On create', exact=True).first.click()
        browser.settle(page)
        page.get_by_text('Add an action').first.click()
        browser.settle(page)
        page.locator('.modal').get_by_text('Create Activity').click()
        browser.settle(page)
        page.locator('.modal .o_field_widget[name=activity_type_id] input').fill('Call')
        item.get_by_text('Call', exact=True).first.click()
        page.locator('.modal .o_field_widget[name=activity_user_id] input').fill('Admin')
        item.first.click()
        page.locator('.modal').get_by_role('button', name='Save & Close').click()
        browser.settle(page)
        page.locator('.o_form_button_save').first.click()
        browser.settle(page)

    def schedule_a_post(self, account):
        self.post = self.make(
            'social.crm.post',
            text='Tomorrow we open',
            account_ids=[[4, account]],
            schedule='later',
            scheduled_date=time.strftime('%Y-%m-%d', time.gmtime(time.time() + 2 * 86400)),
            scheduled_time=12.0,
            tz='UTC',
        )
        self.odoo.call('social.crm.post', 'action_submit', [self.post])

    def disconnect_in_the_web_client(self):
        page = self.page
        self.open('social_crm.social_crm_account_action')
        page.locator('.o_data_row, .o_kanban_record:not(.o_kanban_ghost)').first.click()
        browser.settle(page)
        self.press('Disconnect')
        dialog = page.locator('.modal')
        self.assertIn('Desk', dialog.inner_text())
        self.assertIn('Tomorrow we open', dialog.inner_text())
        posts = dialog.locator('.o_field_widget[name=scheduled_choice]')
        posts.get_by_text('Cancel', exact=True).click()
        dialog.get_by_role('button', name='Disconnect').click()
        browser.settle(page)

    # --- what is left ----------------------------------------------------------------------------

    def assert_refused(self, token):
        with self.assertRaises(OSError):
            self.network.call('GET', '/api/v1/accounts/verify_credentials', token=token)

    def assert_silent(self, proxy):
        """Nothing is asked of the server any more, though somebody writes."""
        self.network.note('stranger', '@brand are you still there? I want a desk')
        before = len(proxy.calls)
        time.sleep(15)  # three times the account's interval
        self.assertEqual(proxy.calls[before:], [])

    def assert_history_stays(self, account):
        self.assertEqual(len(self.ask('social.crm.mention', [['account_id', '=', account]])), 1)
        post = self.ask('social.crm.post', [['id', '=', self.post]], 'state')[0]
        self.assertEqual(post['state'], 'cancelled')
        rule = self.ask('social.crm.rule', [['name', '=', 'Desk']], 'paused')[0]
        self.assertTrue(rule['paused'])
        audit = self.ask('social.crm.audit', [['account_id', '=', account]], 'event')
        self.assertEqual([row['event'] for row in audit], ['revoke', 'disconnect', 'connect'])

    def assert_no_secret_anywhere(self):
        """Neither the dump of the database nor the log tells a token, code, verifier or secret."""
        self.assertGreaterEqual(len(self.secrets), 4, 'code, state, token, client secret')
        command = ['pg_dump', '--data-only', '--inserts', self.odoo.database]
        environment = {**os.environ, **configuration.environment_variables()}
        dump = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
        self.assertIn(b'where can I buy that desk?', dump)  # it is the right database
        log = self.odoo.log.read_bytes()
        for secret in self.secrets:
            for name, content in (('dump', dump), ('log', log)):
                # Not assertNotIn: it would print all of it.
                self.assertFalse(secret.encode() in content, f'a secret is in the {name}')

    def note_secrets(self, request):
        """Note the code and the state that pass through the browser."""
        url = urlsplit(request.url)
        if url.path == '/social_crm/oauth/callback':
            values = parse_qs(url.query)
            self.secrets |= {values[name][0] for name in ('code', 'state')}

    def stored_secrets(self):
        """Return the secrets that are kept encrypted, opened with the server's key."""
        cipher = Fernet(configuration.encryption_key())
        found = set()
        for table in ('social_crm_credential', 'social_crm_app', 'social_crm_oauth_state'):
            rows = database.psql(
                f'SELECT secret FROM {table} WHERE secret IS NOT NULL', self.odoo.database
            )
            for row in rows.split():
                found |= set(_texts(json.loads(cipher.decrypt(row.encode()))))
        return found

    def token_of_brand(self):
        """Return the token as the server keeps it: snac has them in files."""
        for file in (self.network.folder / 'token').glob('*.json'):
            token = json.loads(file.read_text())
            if token.get('uid') == 'brand':
                return token['token']
        raise AssertionError('the server holds no token of the brand')


def _texts(value):
    """Yield the texts in JSON that are long enough to be secret."""
    if isinstance(value, str):
        if len(value) >= 16 and '://' not in value:
            yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            if name != 'client_id':  # public
                yield from _texts(part)
