from datetime import datetime, timedelta, timezone

from cryptography.fernet import Fernet

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import config, mute_logger

from odoo.addons.social_crm.providers import adapter_class
from odoo.addons.social_crm.providers.errors import Transient
from odoo.addons.social_crm.providers.types import Token

from .common import SocialCrmCase


@tagged('post_install', '-at_install')
class TestLogin(SocialCrmCase):
    def setUp(self):
        super().setUp()
        self.grants = []
        self.stub.fail['/oauth/token'] = self.token_endpoint
        self.answer = (
            200,
            {
                'access_token': 'token-2',
                'refresh_token': 'refresh-2',
                'token_type': 'Bearer',
                'scope': 'read write',
                'created_at': 1,
                'expires_in': 7200,
            },
        )

    def token_endpoint(self, request):
        self.grants.append(self.stub.form(request))
        return self.stub.answer(*self.answer)

    def expire(self, refresh_token='refresh-1', **ahead):
        expires_at = datetime.now(timezone.utc) + timedelta(**ahead)
        token = Token('token-of-acme', refresh_token=refresh_token, expires_at=expires_at)
        return self.env['social.crm.credential']._store(self.account, token)

    def refresh(self):
        with self.loop('social.crm.account') as Account:
            Account._cron_refresh()

    def test_a_login_that_cannot_be_read_stops_no_other(self):
        broken = self.account
        broken.setup_due = fields.Datetime.now() - timedelta(minutes=1)
        self.expire(minutes=10).secret = 'of another key'
        self.account = self.connect(self.app, self.manager, username='other', number='78')
        credential = self.expire(minutes=10)
        with mute_logger('odoo.addons.social_crm.tools'):
            self.refresh()
        self.assertEqual(credential._token().access_token, 'token-2')
        adapter = adapter_class('mastodon')
        self.patch(adapter, 'features', adapter.features | {'webhook'})
        with self.loop('social.crm.account') as Account:
            Account._cron_setup()
        self.assertIn('key', broken.setup_error)
        self.assertTrue(self.account.setup_at)

    def test_a_login_is_renewed_ahead_of_its_end(self):
        credential = self.expire(minutes=10)
        self.refresh()
        token = credential._token()
        self.assertEqual((token.access_token, token.refresh_token), ('token-2', 'refresh-2'))
        self.assertGreater(credential.expires_at, fields.Datetime.now() + timedelta(hours=1))
        self.assertEqual(self.grants[0]['refresh_token'], 'refresh-1')

    def test_a_login_that_lives_for_weeks_is_renewed_days_ahead(self):
        self.expire(days=6)
        self.refresh()
        self.assertFalse(self.grants)
        self.patch(adapter_class('mastodon'), 'refresh_ahead', timedelta(days=7))
        self.refresh()
        self.assertEqual(len(self.grants), 1)

    def test_it_is_renewed_once(self):
        self.expire(minutes=10)
        self.refresh()
        self.refresh()
        self.assertEqual(len(self.grants), 1)

    def test_a_worker_that_comes_late_does_not_burn_the_new_token(self):
        self.expire(minutes=10)
        with self.loop('social.crm.account') as Account:
            account = Account.browse(self.account.id)
            account._refresh_login()
            account._refresh_login()
        self.assertEqual(len(self.grants), 1)

    def test_a_login_whose_time_is_over_is_renewed_when_it_is_used(self):
        self.expire(minutes=-10)
        with self.loop('social.crm.account') as Account:
            account = Account.browse(self.account.id)
            for _stream in range(3):  # more than one wants it, and sees what was before
                self.assertEqual(account._provider().token.access_token, 'token-2')
        self.assertEqual(len(self.grants), 1)

    def test_a_login_that_cannot_be_renewed_now_is_not_dead(self):
        self.expire(minutes=-10)
        self.answer = (503, {'error': 'down'})
        with self.loop('social.crm.account') as Account:
            code = ''
            try:  # no assertRaises: its savepoint and the login's own cursor do not mix
                Account.browse(self.account.id)._provider()
            except Transient as error:
                code = error.code
        self.assertEqual(code, 'renewing')
        self.assertEqual(self.account.state, 'connected')

    def test_a_dead_grant_asks_for_a_reconnect(self):
        self.expire(minutes=10)
        self.answer = (400, {'error': 'invalid_grant', 'error_description': 'revoked'})
        self.refresh()
        self.assertEqual(self.account.state, 'reconnect')
        self.assertEqual(self.account.activity_ids.user_id, self.manager)
        self.assertEqual(self.env['social.crm.audit'].search([], limit=1).event, 'refresh_failed')

    def test_a_server_that_is_down_is_asked_again(self):
        credential = self.expire(minutes=10)
        self.answer = (503, {'error': 'down'})
        self.refresh()
        self.assertEqual(self.account.state, 'connected')
        self.assertEqual(credential._token().refresh_token, 'refresh-1')

    def test_the_end_of_a_login_that_cannot_be_renewed_is_told_in_time(self):
        self.expire(refresh_token='', days=20)
        self.refresh()
        self.assertFalse(self.account.activity_ids)
        self.expire(refresh_token='', days=6)
        self.refresh()
        self.refresh()
        self.assertEqual(len(self.account.activity_ids), 1)
        self.assertIn('days', self.account.activity_ids.summary)

    def test_a_new_key_encrypts_and_the_old_one_still_decrypts(self):
        credential = self.expire(minutes=60)
        old = config['social_crm_key']
        before = credential.secret
        self.patch_key(f'{Fernet.generate_key().decode()},{old}')
        self.assertEqual(credential._token().access_token, 'token-of-acme')
        credential.with_context(active_test=False)._rotate_keys()
        self.assertNotEqual(credential.secret, before)
        self.patch_key(config['social_crm_key'].split(',')[0])
        self.assertEqual(credential._token().access_token, 'token-of-acme')
        self.assertEqual(self.app._as_app().client_secret, 'secret-1')

    def test_a_key_that_is_gone_is_told(self):
        credential = self.expire(minutes=60)
        self.patch_key(Fernet.generate_key().decode())
        with self.assertRaisesRegex(UserError, 'does not have any more'):
            credential._token()
        self.patch_key('not a key')
        with self.assertRaisesRegex(UserError, 'social_crm_key = '):
            credential._token()

    def patch_key(self, keys):
        before = config['social_crm_key']
        self.addCleanup(config.__setitem__, 'social_crm_key', before)
        config['social_crm_key'] = keys

    def test_the_end_of_an_api_version_is_told_ahead(self):
        self.assertFalse(self.account.api_warning)
        for days, words in ((90, ''), (30, 'serves version v9'), (-1, 'served version v9')):
            ends = fields.Date.today() + timedelta(days=days)
            self.patch(adapter_class('mastodon'), 'api_version', 'v9')
            self.patch(adapter_class('mastodon'), 'api_ends', ends)
            self.account.invalidate_recordset()
            self.assertIn(words, self.account.api_warning or '')
            self.assertEqual(bool(words), bool(self.account.api_warning))
