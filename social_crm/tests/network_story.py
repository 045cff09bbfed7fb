"""The way of an account through Odoo, from the dialog to the last trace of the login.

The networks are those of the adapters' tests: in memory, and every call is checked against the
network's own description where that is at hand.
"""

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import responses

from odoo import fields
from odoo.tests import Form, HttpCase, new_test_user

from .common import Loops, StubbedNetwork, disconnect

CALLBACK = '/social_crm/oauth/callback'
GROUPS = 'social_crm.social_crm_group_manager,social_crm.social_crm_group_marketing'


class NetworkStory(StubbedNetwork, Loops, HttpCase):
    """Mix-in of the steps; ``network`` is the code, ``fake`` the network in memory."""

    network = ''

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(cls.env, 'story_manager', GROUPS)
        cls.app = cls.env['social.crm.app'].create(
            {
                'network': cls.network,
                'client_id': 'client-1',
                'client_secret': 'client-secret-9',
            }
        )

    def setUp(self):
        super().setUp()
        self.mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        self.mock.start()
        self.addCleanup(self.mock.stop, allow_assert=False)
        self.mock.add_passthru('http://127.0.0.1')
        self.fake = self.make_fake(self.mock)

    def make_fake(self, mock):
        raise NotImplementedError

    # --- steps -----------------------------------------------------------------------------------

    def connect(self, kind='brand'):
        """Connect by the dialog, the network's page and the callback; return the account."""
        self.authenticate('story_manager', 'story_manager')
        wizard = self.env['social.crm.connect'].with_user(self.manager)
        url = wizard.create({'network': self.network, 'kind': kind}).action_connect()['url']
        asked = {name: texts[0] for name, texts in parse_qs(urlsplit(url).query).items()}
        self.asked = asked
        self.assertEqual(asked['redirect_uri'], self.app.redirect_uri)
        query = urlencode({'state': asked['state'], 'code': self.fake.code})
        response = self.url_open(f'{CALLBACK}?{query}', allow_redirects=False)
        self.assertEqual(response.status_code, 303, response.text)
        return self.env['social.crm.account'].search([('app_id', '=', self.app.id)])

    def mention(self, number):
        return self.env['social.crm.mention'].search(
            [('network', '=', self.network), ('external_id', '=', number)]
        )

    def answer(self, mention, text):
        """Answer by the dialog, and let the loop send it."""
        mention = mention.with_user(self.manager)
        action = mention.action_answer()
        Compose = self.env['social.crm.compose'].with_user(self.manager)
        with Form(Compose.with_context(**action['context'])) as form:
            form.text = text
        form.record.action_send()
        self.deliver('social.crm.engagement')
        return form.record.sent_id

    def publish(self, text, **attachment):
        """Write a post with a file, and let the loop send it."""
        values = {'res_model': 'social.crm.post', **attachment}
        file = self.env['ir.attachment'].with_user(self.manager).create(values)
        Post = self.env['social.crm.post'].with_user(self.manager)
        account = self.env['social.crm.account'].search([('app_id', '=', self.app.id)])
        post = Post.create(
            {'text': text, 'account_ids': account.ids, 'attachment_ids': file.ids, 'tz': 'UTC'}
        )
        post.action_submit()
        if post.state == 'approval':
            post.sudo().action_approve()
        self.deliver('social.crm.publication')
        return post.publication_ids

    def deliver(self, model):
        self.env.flush_all()
        with self.loop(model) as Model:
            Model._deliver_due()

    def measure(self, publication):
        publication.sudo().next_metric_at = fields.Datetime.now()
        self.env.flush_all()
        with self.loop('social.crm.publication') as Publication:
            Publication._measure_due()

    def disconnect(self, account):
        disconnect(account, self.manager)
        with self.loop('social.crm.revocation') as Revocation:
            Revocation._cron_revoke()

    def age_login(self, account):
        """Let the login come near its end, and renew it."""
        credential = self.env['social.crm.credential'].search([('account_id', '=', account.id)])
        credential.expires_at = fields.Datetime.now() + timedelta(minutes=5)
        self.env.flush_all()
        with self.loop('social.crm.account') as Account:
            Account._cron_refresh()
        return credential
