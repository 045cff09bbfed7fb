"""What Odoo serves for Bluesky: the client's document, and the way home from the login page."""

import json

from odoo.tests import HttpCase, tagged

from odoo.addons.social_crm.providers import dpop


@tagged('post_install', '-at_install')
class TestBlueskyPages(HttpCase):
    def test_the_clients_document(self):
        key = dpop.new_key()
        self.env['ir.config_parameter'].set_param('web.base.url', 'https://odoo.example')
        app = self.env['social.crm.app'].create(
            {
                'network': 'bluesky',
                'server': 'https://login.example',
                'company_id': self.env.company.id,
                'client_id': 'https://odoo.example/social_crm/bluesky/client-metadata.json',
                'client_secret': key,
            }
        )
        response = self.url_open('/social_crm/bluesky/client-metadata.json')
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.headers['Content-Type'].split(';')[0], 'application/json')
        told = response.json()
        self.assertEqual(told['client_id'], app.client_id)
        self.assertEqual(told['redirect_uris'], ['https://odoo.example/social_crm/oauth/callback'])
        self.assertIn('atproto', told['scope'].split())
        [jwk] = told['jwks']['keys']
        self.assertEqual(jwk['kid'], dpop.thumbprint(key))
        self.assertNotIn('d', jwk)
        self.assertNotIn(json.loads(key)['d'], response.text)

    def test_the_way_home(self):
        address = '/social_crm/bluesky/callback?state=a%26b&code=c'
        response = self.url_open(address, allow_redirects=False)
        self.assertEqual(response.status_code, 303)
        port = self.base_url().rpartition(':')[2]
        home = f'http://localhost:{port}/social_crm/oauth/callback?state=a%26b&code=c'
        self.assertEqual(response.headers['Location'], home)
