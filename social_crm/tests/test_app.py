from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, TransactionCase, new_test_user, tagged

from odoo.addons.social_crm.providers import adapter_class, adapter_codes
from odoo.addons.social_crm.providers.errors import Transient

from . import sample_network
from .sampling import SampleNetwork


@tagged('post_install', '-at_install')
class TestApp(SampleNetwork, TransactionCase):
    def test_an_administrator_finds_what_to_enter_at_the_network(self):
        app = self.app.with_user(self.manager)
        form = Form(app)
        self.assertTrue(form.redirect_uri.endswith('/social_crm/oauth/callback'))
        self.assertTrue(form.webhook_url.endswith(f'/social_crm/webhook/sample/{app.id}'))
        self.assertTrue(form.verify_token)
        self.assertIn('Lead forms: leads', form.needed_scopes)
        self.assertIn('Answers: write', form.needed_scopes)
        self.assertIn('<ol>', str(form.howto))

    def test_permissions_of_what_is_switched_off_are_not_asked_for(self):
        self.company.social_crm_use_lead_forms = False
        self.assertNotIn('leads', self.app.needed_scopes)

    def test_each_network_that_needs_an_app_says_how_to_get_one(self):
        for code in adapter_codes():
            if code == sample_network.CODE or 'register' in adapter_class(code).features:
                continue
            app = self.env['social.crm.app'].create(
                {'network': code, 'company_id': self.company.id}
            )
            with self.subTest(code):
                self.assertTrue(self.env.ref(f'social_crm.howto_{code}', raise_if_not_found=False))
                self.assertGreaterEqual(str(app.howto).count('<li>'), 4)
                self.assertTrue(app.needed_scopes)

    def test_the_test_asks_the_network(self):
        app = self.app.with_user(self.manager)
        self.assertEqual(app.action_test()['params']['type'], 'success')
        app.client_secret = 'mistyped'
        answer = app.action_test()['params']
        self.assertEqual(answer['type'], 'danger')
        self.assertIn('Invalid client secret', answer['message'])
        self.patch(sample_network.Sample, 'check_app', _down)
        self.assertEqual(app.action_test()['params']['type'], 'warning')

    def test_the_test_says_what_it_could_not_check(self):
        self.patch(sample_network.Sample, 'features', frozenset(('webhook', 'brands')))
        self.app.redirect_uri = 'https://odoo.example/social_crm/oauth/callback'
        answer = self.app.action_test()['params']
        self.assertEqual(answer['type'], 'info')
        self.assertIn('only when somebody connects', answer['message'])
        self.app.redirect_uri = 'http://odoo.example/social_crm/oauth/callback'
        self.assertIn('does not start with', self.app.action_test()['params']['message'])

    def test_a_client_without_a_secret(self):
        app = self.env['social.crm.app'].create(
            {
                'network': 'sample',
                'company_id': self.env['res.company'].create({'name': 'Second'}).id,
                'client_id': 'public-1',
            }
        )
        self.assertFalse(app._is_complete())
        self.assertEqual(app.action_test()['params']['type'], 'warning')
        features = sample_network.Sample.features | {'public_client'}
        self.patch(sample_network.Sample, 'features', features)
        self.assertTrue(app._is_complete())

    def test_the_end_of_an_api_version_is_told(self):
        self.assertFalse(self.app.version_warning)
        self.patch(sample_network.Sample, 'api_version', 'v25')
        self.patch(sample_network.Sample, 'api_ends', fields.Date.today() + timedelta(days=20))
        self.app.invalidate_recordset()
        self.assertIn('v25', self.app.version_warning)

    def test_settings_of_one_network(self):
        self.app.settings = 'config_id = 12345\n\nlogin=facebook'
        metadata = self.app._as_app().metadata
        self.assertEqual((metadata['config_id'], metadata['login']), ('12345', 'facebook'))
        with self.assertRaisesRegex(ValidationError, 'name = value'):
            self.app.settings = 'config_id'

    def test_only_administrators_see_apps(self):
        user = new_test_user(self.env, 'sample_user', 'social_crm.social_crm_group_marketing')
        with self.assertRaises(AccessError):
            self.app.with_user(user).action_test()


def _down(_provider):
    raise Transient('503')
