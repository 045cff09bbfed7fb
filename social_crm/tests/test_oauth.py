import logging
from datetime import timedelta
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import requests

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.social_crm.controllers.oauth import HideQuery

from .common import StubbedNetwork, disconnect
from .mastodon_stub import HOST

CALLBACK = '/social_crm/oauth/callback'


@tagged('post_install', '-at_install')
class TestOauth(StubbedNetwork, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(cls.env, 'sc_manager', 'social_crm.social_crm_group_manager')
        cls.user = new_test_user(cls.env, 'sc_user', 'social_crm.social_crm_group_user')

    def setUp(self):
        super().setUp()
        self.stub = self.start_stub()
        self.authenticate('sc_manager', 'sc_manager')

    def leave(self, user=None, **values):
        """Press the dialog's button; return the parameters that the network's page gets."""
        wizard = (
            self.env['social.crm.connect']
            .with_user(user or self.manager)
            .create(
                {
                    'network': 'mastodon',
                    'server': f'@somebody@{HOST}',
                    'kind': 'brand',
                    **values,
                }
            )
        )
        action = wizard.action_connect()
        self.assertEqual(action['type'], 'ir.actions.act_url')
        url = urlsplit(action['url'])
        self.assertEqual((url.netloc, url.path), (HOST, '/oauth/authorize'))
        return {key: texts[0] for key, texts in parse_qs(url.query).items()}

    def come_back(self, **params):
        """Follow the network's redirect to our callback."""
        return self.url_open(
            CALLBACK + '?' + requests.compat.urlencode(params), allow_redirects=False
        )

    def accounts(self):
        return self.env['social.crm.account'].search([('server', '=', f'https://{HOST}')])

    def assert_problem(self, response, code, status):
        self.assertEqual(response.status_code, status)
        self.assertIn(f'data-problem="{code}"', response.text)
        self.assertIn('/odoo/', response.text, 'a way back is offered')
        for secret in ('token-of-acme', 'secret-1', 'Traceback'):
            self.assertNotIn(secret, response.text)

    # --- the straight way ------------------------------------------------------------------------

    def test_connects_and_starts_to_listen(self):
        params = self.leave()
        self.assertEqual(params['code_challenge_method'], 'S256')
        self.assertTrue(params['redirect_uri'].endswith(CALLBACK))
        response = self.come_back(state=params['state'], code='the-code')
        self.assertEqual(response.status_code, 303)
        account = self.accounts()
        self.assertIn(str(account.id), response.headers['Location'])
        self.assertRecordValues(
            account,
            [
                {
                    'state': 'connected',
                    'handle': f'acme@{HOST}',
                    'kind': 'brand',
                    'user_id': self.manager.id,
                    'company_id': self.env.company.id,
                    'granted_scopes': 'read write',
                }
            ],
        )
        self.assertIn('notifications', account.stream_ids.mapped('kind'))
        since = account.stream_ids[0].since
        self.assertAlmostEqual(
            since, fields.Datetime.now() - timedelta(days=7), delta=timedelta(minutes=1)
        )
        self.assertEqual(self.env['social.crm.audit'].search([], limit=1).event, 'connect')
        self.assertTrue(self.env['social.crm.profile'].search([('handle', '=', f'acme@{HOST}')]))

    def test_registers_at_a_server_once(self):
        self.leave()
        self.leave()
        self.assertEqual(
            len([call for call in self.stub.calls if call[:2] == ('POST', '/api/v1/apps')]), 1
        )

    def test_asks_for_what_the_administrators_switched_on_alone(self):
        everything = self.leave()['scope'].split()
        company = self.env.company
        company.write({'social_crm_use_publish': False, 'social_crm_use_reply': False})
        less = self.leave()['scope'].split()
        self.assertLess(set(less), set(everything))

    def test_tells_what_is_missing(self):
        self.stub.fail['/oauth/token'] = lambda request: self.stub.answer(
            200,
            {
                'access_token': 'token-of-acme',
                'token_type': 'Bearer',
                'scope': 'read',
                'created_at': 1,
            },
        )
        self.come_back(state=self.leave()['state'], code='x')
        self.assertIn('Answers', self.accounts().missing_capabilities)
        self.assertNotIn('Mentions', self.accounts().missing_capabilities)

    def test_reconnects_in_place(self):
        self.come_back(state=self.leave()['state'], code='x')
        account = self.accounts()
        account._lose_login(Exception())
        self.assertEqual(account.state, 'reconnect')
        self.assertEqual(len(account.activity_ids), 1)
        account.with_context(active_test=False).stream_ids.cursor = '{"kept": 1}'
        self.come_back(state=self.leave(account_id=account.id)['state'], code='x')
        self.assertEqual(account.state, 'connected')
        self.assertFalse(account.activity_ids)
        self.assertEqual(account.stream_ids[0].cursor, '{"kept": 1}')
        self.assertEqual(len(self.accounts()), 1)

    def test_connecting_an_account_again_that_was_disconnected_picks_its_history_up(self):
        self.come_back(state=self.leave()['state'], code='x')
        account = self.accounts()
        disconnect(account, self.manager)
        self.assertEqual(account.state, 'disconnected')
        self.come_back(state=self.leave()['state'], code='x')
        self.assertEqual(self.accounts(), account)
        self.assertEqual(account.state, 'connected')

    def test_neither_code_nor_state_is_in_the_access_log(self):
        line = f'GET {CALLBACK}?code=very-secret&state=secret-too HTTP/1.1'
        record = logging.makeLogRecord({'msg': '"%s" %s -', 'args': (line, 303)})
        logger = logging.getLogger('werkzeug')
        self.assertTrue(any(isinstance(one, HideQuery) for one in logger.filters))
        self.assertTrue(HideQuery().filter(record))
        self.assertEqual(record.getMessage(), f'"GET {CALLBACK}?[hidden] HTTP/1.1" 303 -')
        # Without a session the log-in page is to lead back there.
        self.logout()
        location = self.come_back(code='very-secret', state='too').headers['Location']
        self.assertIn('very-secret', location)
        record = logging.makeLogRecord({'msg': f'"GET {location} HTTP/1.1" 200 -'})
        HideQuery().filter(record)
        self.assertNotIn('secret', record.getMessage())

    # --- all that goes wrong ---------------------------------------------------------------------

    def test_consent_denied(self):
        state = self.leave()['state']
        self.assert_problem(
            self.come_back(state=state, error='access_denied', error_description='no <b>way</b>'),
            'denied',
            403,
        )
        self.assertFalse(self.accounts())

    def test_state_missing(self):
        self.assert_problem(self.come_back(code='x'), 'state_missing', 400)
        self.assert_problem(self.come_back(code='x', state='guessed'), 'state_missing', 400)

    def test_state_replayed(self):
        state = self.leave()['state']
        self.come_back(state=state, code='x')
        self.assert_problem(self.come_back(state=state, code='x'), 'state_replayed', 400)

    def test_state_expired(self):
        state = self.leave()['state']
        self.env['social.crm.oauth.state'].search([]).expires_at = (
            fields.Datetime.now() - timedelta(seconds=1)
        )
        self.assert_problem(self.come_back(state=state, code='x'), 'state_expired', 400)
        self.assertFalse(self.accounts())

    def test_state_of_another_user(self):
        state = self.leave(user=self.user, kind='personal')['state']
        self.assert_problem(self.come_back(state=state, code='x'), 'state_other_user', 403)
        self.assertFalse(
            self.env['social.crm.oauth.state'].search([]).used_at, 'its owner can still complete it'
        )

    def test_exchange_refused(self):
        state = self.leave()['state']
        self.stub.fail['/oauth/token'] = lambda request: self.stub.answer(
            400, {'error': 'invalid_grant', 'error_description': 'The code is used up'}
        )
        response = self.come_back(state=state, code='x')
        self.assert_problem(response, 'exchange_refused', 400)
        self.assertIn('The code is used up', response.text)

    def test_server_down(self):
        state = self.leave()['state']
        self.stub.fail['/oauth/token'] = lambda request: self.stub.answer(503, b'<html>down</html>')
        self.assert_problem(self.come_back(state=state, code='x'), 'server_down', 502)
        state = self.leave()['state']
        self.stub.fail['/oauth/token'] = _refuse
        self.assert_problem(self.come_back(state=state, code='x'), 'server_down', 502)
        self.assertFalse(self.accounts())

    def test_another_account_on_reconnect(self):
        self.come_back(state=self.leave()['state'], code='x')
        account = self.accounts()
        self.stub.me = self.stub.account('stranger', id='99')
        state = self.leave(account_id=account.id)['state']
        response = self.come_back(state=state, code='x')
        self.assert_problem(response, 'wrong_account', 409)
        self.assertIn('@stranger', response.text)
        self.assertEqual(account.handle, f'acme@{HOST}')

    def test_a_personal_account_of_somebody_else(self):
        self.authenticate('sc_user', 'sc_user')
        self.come_back(state=self.leave(user=self.user, kind='personal')['state'], code='x')
        self.authenticate('sc_manager', 'sc_manager')
        self.assert_problem(self.come_back(state=self.leave()['state'], code='x'), 'taken', 409)
        self.assertEqual(self.accounts().user_id, self.user)

    def test_words_of_the_network_are_escaped(self):
        response = self.come_back(
            state=self.leave()['state'],
            error='server_error',
            error_description='<script>alert(1)</script>',
        )
        self.assertNotIn('<script>alert', response.text)

    def test_a_visitor_is_asked_to_sign_in(self):
        self.authenticate(None, None)
        response = self.come_back(state='x', code='x')
        self.assertEqual(response.status_code, 303)
        self.assertIn('/web/login', response.headers['Location'])

    def test_a_server_that_is_none(self):
        for text in ('', 'localhost', '127.0.0.1', 'https://user@host.example', 'not a server'):
            with (
                self.subTest(text),
                patch.object(
                    type(self.env['social.crm.app']), '_allow_private', lambda self: False
                ),
                self.assertRaises(UserError),
            ):
                self.leave(server=text)

    def test_a_server_that_is_down_is_told_in_the_dialog(self):
        for path in ('/api/v1/apps', '/.well-known/oauth-authorization-server', '/api/v2/instance'):
            self.stub.fail[path] = _refuse
        with self.assertRaisesRegex(UserError, 'cannot be connected right now'):
            self.leave()

    def test_an_app_that_is_not_set_up(self):
        with (
            patch.dict(
                'odoo.addons.social_crm.providers.base._ADAPTERS',
                {'mastodon': f'{__name__}:Unregistered'},
            ),
            self.assertRaisesRegex(UserError, 'not set up yet'),
        ):
            self.leave()

    def test_only_administrators_connect_brand_accounts(self):
        with self.assertRaisesRegex(UserError, 'administrator'):
            self.leave(user=self.user, kind='brand')

    def test_the_database_holds_no_secret_in_clear(self):
        params = self.leave()
        self.come_back(state=params['state'], code='the-code')
        self.env.flush_all()
        for table in (
            'social_crm_oauth_state',
            'social_crm_credential',
            'social_crm_app',
            'social_crm_account',
        ):
            self.env.cr.execute(f'SELECT string_agg(t::text, chr(10)) FROM {table} t')
            content = self.env.cr.fetchone()[0]
            for secret in ('token-of-acme', 'secret-1', 'the-code', params['state']):
                self.assertNotIn(secret, content, table)


class Unregistered:
    """An adapter of a network that wants an app made by hand."""

    label = 'Example'
    features = frozenset()
    capabilities = {'mentions': ()}

    def __init__(self, *_args):
        pass


def _refuse(request):
    raise requests.ConnectionError('refused')
