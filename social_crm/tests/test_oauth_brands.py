from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, new_test_user, tagged

from . import sample_network
from .sampling import SampleNetwork

CALLBACK = '/social_crm/oauth/callback'


@tagged('post_install', '-at_install')
class TestOauthBrands(SampleNetwork, HttpCase):
    """One login that may act for several pages."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = new_test_user(cls.env, 'sample_user', 'social_crm.social_crm_group_user')

    def setUp(self):
        super().setUp()
        self.world.pages = [
            sample_network.page('1001', 'Demo Bakery'),
            sample_network.page('1002', 'Demo Shop'),
            sample_network.page('1003', 'Demo Cafe'),
        ]
        self.authenticate('sample_manager', 'sample_manager')

    def sign_in(self, **values):
        """Start in the dialog and come back from the network; return the callback's answer."""
        wizard = (
            self.env['social.crm.connect']
            .with_user(self.manager)
            .create({'network': 'sample', 'kind': 'brand', **values})
        )
        url = wizard.action_connect()['url']
        state = parse_qs(urlsplit(url).query)['state'][0]
        query = urlencode({'state': state, 'code': 'abc'})
        return self.url_open(f'{CALLBACK}?{query}', allow_redirects=False)

    def pick(self, response):
        address, _slash, number = response.headers['Location'].rpartition('/')
        self.assertTrue(address.endswith('social_crm_pick_action'), address)
        return self.env['social.crm.pick'].with_user(self.manager).browse(int(number))

    def tick(self, pick, *names):
        pick.line_ids.filtered(lambda line: line.name in names).chosen = True

    def account_of(self, number):
        return self.env['social.crm.account'].search([('external_id', '=', number)])

    def token_of(self, account):
        credential = self.env['social.crm.credential'].search([('account_id', '=', account.id)])
        return credential._token().access_token

    # --- the choice ------------------------------------------------------------------------------

    def test_each_chosen_page_becomes_an_account_with_its_own_token(self):
        pick = self.pick(self.sign_in())
        self.assertRecordValues(
            pick.line_ids,
            [
                {'name': 'Demo Bakery', 'handle': 'demobakery', 'connected': True},
                {'name': 'Demo Shop', 'handle': 'demoshop', 'connected': False},
                {'name': 'Demo Cafe', 'handle': 'democafe', 'connected': False},
            ],
        )
        self.tick(pick, 'Demo Shop', 'Demo Cafe')
        action = pick.action_connect()
        accounts = self.account_of('1002') | self.account_of('1003')
        self.assertEqual(action['domain'], [('id', 'in', accounts.ids)])
        for account in accounts:
            self.assertEqual((account.state, account.kind), ('connected', 'brand'))
            self.assertEqual(account.user_id, self.manager)
            self.assertEqual(account.login_id, 'person-1')
            self.assertEqual(self.token_of(account), f'page-token-{account.external_id}')
            self.assertIn('lead_forms', account.stream_ids.mapped('kind'))
        audit = self.env['social.crm.audit'].search([('account_id', 'in', accounts.ids)])
        self.assertEqual(audit.user_id, self.manager)

    def test_the_dialog_can_be_filled_in(self):
        pick = self.pick(self.sign_in())
        with Form(pick) as form, form.line_ids.edit(1) as line:
            line.chosen = True
        self.assertEqual(pick.line_ids.filtered('chosen').name, 'Demo Shop')

    def test_a_single_page_needs_no_choice(self):
        self.world.pages = self.world.pages[1:2]
        response = self.sign_in()
        account = self.account_of('1002')
        self.assertTrue(response.headers['Location'].endswith(f'/{account.id}'))
        self.assertEqual(account.login_id, 'person-1')

    def test_no_page_explains_what_is_needed(self):
        self.world.pages = []
        response = self.sign_in()
        self.assertEqual(response.status_code, 409)
        self.assertIn('data-problem="no_brands"', response.text)
        self.assertIn('needs a role', response.text)

    def test_what_is_needed_on_a_network(self):
        view = self.env.ref('social_crm.needs_facebook')
        self.env['ir.model.data'].create(
            {
                'module': 'social_crm',
                'name': 'needs_sample',
                'model': view._name,
                'res_id': view.id,
            }
        )
        self.world.pages = []
        self.assertIn('A Facebook Page: a personal profile', self.sign_in().text)

    # --- reconnecting ----------------------------------------------------------------------------

    def test_reconnecting_finds_the_page_by_itself(self):
        self.account._lose_login(Exception())
        response = self.sign_in(account_id=self.account.id)
        self.assertTrue(response.headers['Location'].endswith(f'/{self.account.id}'))
        self.assertEqual(self.account.state, 'connected')
        self.assertEqual(self.token_of(self.account), 'page-token-1001')

    def test_reconnecting_by_a_login_that_lost_the_page(self):
        self.account._lose_login(Exception())
        self.world.pages = self.world.pages[1:]
        response = self.sign_in(account_id=self.account.id)
        self.assertEqual(response.status_code, 409)
        self.assertIn('data-problem="brand_gone"', response.text)
        self.assertEqual(self.account.state, 'reconnect')
        self.assertFalse(self.account_of('1002'))

    # --- safety ----------------------------------------------------------------------------------

    def test_no_token_reaches_the_browser_or_the_database_in_clear(self):
        response = self.sign_in()
        pick = self.pick(response)
        shown = str(pick.read()) + str(pick.line_ids.read()) + response.text
        self.env.flush_all()
        for table in ('social_crm_oauth_state', 'social_crm_pick', 'social_crm_pick_line'):
            self.env.cr.execute(f'SELECT string_agg(t::text, chr(10)) FROM {table} t')
            shown += self.env.cr.fetchone()[0]
        self.assertNotIn('page-token', shown)
        self.assertNotIn('login-token', shown)

    def test_after_ten_minutes_the_choice_is_over(self):
        pick = self.pick(self.sign_in())
        self.tick(pick, 'Demo Shop')
        past = fields.Datetime.now() - timedelta(seconds=1)
        pick.sudo().state_id.expires_at = past
        with self.assertRaisesRegex(UserError, 'ten minutes'):
            pick.action_connect()
        self.assertFalse(self.account_of('1002'))

    def test_the_choice_is_made_once(self):
        pick = self.pick(self.sign_in())
        with self.assertRaisesRegex(UserError, 'at least one'):
            pick.action_connect()
        self.tick(pick, 'Demo Shop')
        state = pick.sudo().state_id
        pick.action_connect()
        self.assertFalse(state.exists(), 'the tokens of the others are gone')
        with self.assertRaisesRegex(UserError, 'made already'):
            pick.action_connect()

    def test_cancelling_forgets_the_tokens(self):
        pick = self.pick(self.sign_in())
        state = pick.sudo().state_id
        pick.action_cancel()
        self.assertFalse(state.exists())

    def test_only_who_signed_in_chooses(self):
        pick = self.pick(self.sign_in())
        self.tick(pick, 'Demo Shop')
        other = new_test_user(self.env, 'sample_other', 'social_crm.social_crm_group_manager')
        for user in (other, self.user):
            with self.assertRaises(AccessError):
                pick.with_user(user).action_connect()
        own = self.env['social.crm.pick'].with_user(other).sudo().create({'network': 'x'})
        with self.assertRaises(AccessError):
            own.with_user(other).state_id = pick.sudo().state_id
        own.write(
            {
                'state_id': pick.sudo().state_id.id,
                'line_ids': [Command.create({'external_id': '1002', 'chosen': True})],
            }
        )
        with self.assertRaisesRegex(AccessError, 'Somebody else'):
            own.with_user(other).action_connect()

    def test_a_page_that_was_not_on_offer_is_not_connected(self):
        pick = self.pick(self.sign_in())
        line = pick.line_ids[1]
        line.sudo().write({'external_id': '9999', 'chosen': True})
        with self.assertRaises(UserError):
            pick.action_connect()
        self.assertFalse(self.account_of('9999'))

    def test_pages_are_connected_for_the_team(self):
        with self.assertRaisesRegex(UserError, 'no personal accounts'):
            self.sign_in(kind='personal')
        wizard = Form(self.env['social.crm.connect'].with_user(self.manager))
        wizard.kind = 'personal'
        wizard.network = 'sample'
        self.assertTrue(wizard.only_brand)
        self.assertEqual(wizard.kind, 'brand')

    def test_a_login_that_is_an_account_itself(self):
        features = sample_network.Sample.features | {'own_account'}
        self.patch(sample_network.Sample, 'features', features)
        self.sign_in(kind='personal')
        account = self.account_of('person-1')
        self.assertEqual((account.kind, account.state), ('personal', 'connected'))
        self.assertEqual(self.token_of(account), 'login-token-abc')
