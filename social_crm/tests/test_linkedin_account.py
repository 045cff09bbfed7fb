"""An organisation on LinkedIn as an account: received, answered, pushed, with its leads."""

import hashlib
import hmac
import json
from datetime import timedelta

import responses

from odoo import fields
from odoo.tests import Form, HttpCase, new_test_user, tagged

from odoo.addons.social_crm.providers.types import Profile, Token

from .common import Loops, StubbedNetwork
from .providers.fake_linkedin import ORG, SCOPES, FakeLinkedIn

URL = '/social_crm/webhook/linkedin'


@tagged('post_install', '-at_install')
class TestLinkedInAccount(StubbedNetwork, Loops, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(cls.env, 'li_manager', 'social_crm.social_crm_group_manager')
        cls.app = cls.env['social.crm.app'].create(
            {
                'network': 'linkedin',
                'company_id': cls.env.company.id,
                'client_id': 'client-1',
                'client_secret': 'client-secret-9',
            }
        )
        state = cls.env['social.crm.oauth.state'].create(
            {
                'state_hash': 'linkedin-state',
                'secret': 'x',
                'network': 'linkedin',
                'app_id': cls.app.id,
                'user_id': cls.manager.id,
                'company_id': cls.env.company.id,
                'kind': 'brand',
                'capabilities': 'mentions reply lead_forms',
                'expires_at': fields.Datetime.now() + timedelta(minutes=10),
            }
        )
        cls.account = cls.env['social.crm.account']._connect_identity(
            state,
            cls.app,
            Token('good-token-7f3a', 'refresh-1', scopes=SCOPES, extra={'organization': ORG}),
            Profile(ORG, 'acme', 'Acme Tools', 'https://www.linkedin.com/company/acme'),
        )

    def setUp(self):
        super().setUp()
        mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        mock.start()
        self.addCleanup(mock.stop, allow_assert=False)
        mock.add_passthru('http://127.0.0.1')
        self.network = FakeLinkedIn(mock)

    def mentions(self):
        return self.env['social.crm.mention'].search([('network', '=', 'linkedin')])

    def push(self, body, secret='client-secret-9'):
        raw = json.dumps(body).encode()
        signed = hmac.new(secret.encode(), b'hmacsha256=' + raw, hashlib.sha256).hexdigest()
        headers = {'X-LI-Signature': signed, 'Content-Type': 'application/json'}
        self.env.flush_all()
        answer = self.url_open(URL, data=raw, headers=headers, method='POST')
        self.env.invalidate_all()
        return answer.status_code

    def fetch_forms(self):
        """Do what the loop does once an account is connected."""
        with self.loop('social.crm.account') as Account:
            Account._cron_setup()

    def test_it_looks_as_often_as_linkedin_bears(self):
        self.assertEqual(self.account.poll_interval, 900)
        self.assertFalse(self.account._missing_capabilities())
        self.assertEqual(
            set(self.account.stream_ids.mapped('kind')), {'notifications', 'lead_forms'}
        )

    def test_the_app_asks_for_the_scopes_that_it_owns(self):
        self.assertTrue(self.app.asks_scopes)
        self.app.scopes = 'openid profile w_member_social'
        wanted = type(self.app._provider()).scopes_for(['publish', 'mentions'])
        going = self.app._provider().authorize_url(state='s', challenge='c', scopes=wanted)
        self.assertEqual(sorted(going.private['scopes']), ['openid', 'profile', 'w_member_social'])

    def test_comments_and_leads_come_in(self):
        self.network.notify('Do you ship to Spain?')
        self.receive()
        self.network.submit('A drill')
        self.fetch_forms()
        self.receive()
        comment = self.mentions().filtered(lambda mention: mention.kind == 'comment')
        lead = self.mentions().filtered(lambda mention: mention.kind == 'lead_form')
        self.assertEqual(
            (comment.text, comment.author_id.handle), ('Do you ship to Spain?', 'rita-reed')
        )
        self.assertEqual(comment.account_id, self.account)
        self.assertIn('Email address: eva@acme.example', lead.text)
        self.receive()
        self.assertEqual(len(self.mentions()), 2)

    def test_a_lead_of_a_form_becomes_a_lead(self):
        self.account.setup_due = fields.Datetime.now()
        self.env.flush_all()
        with self.loop('social.crm.account') as Account:
            Account._cron_setup()
        self.assertFalse(self.account.setup_error)
        self.network.submit('A drill')
        self.receive()
        lead = self.env['crm.lead'].search([('social_form_id.external_id', '=', '3162')])
        self.assertEqual((lead.email_from, lead.contact_name), ('eva@acme.example', 'Eva'))
        self.assertIn('What do you need?: A drill', lead.description)
        self.assertIn('Team size: 11+', lead.description)
        self.assertIn('Write to me', lead.social_consents)
        self.assertIn('campaign_id: 77', lead.social_attribution_text)

    def test_an_answer_goes_out_below_its_comment(self):
        note = self.network.notify('Do you ship to Spain?')
        self.receive()
        context = self.mentions().with_user(self.manager).action_answer()['context']
        Compose = self.env['social.crm.compose'].with_user(self.manager)
        with Form(Compose.with_context(**context)) as form:
            form.text = 'Yes, we do.'
        form.record.action_send()
        engagement = self.env['social.crm.engagement'].browse(form.record.sent_id.id)
        self.env.flush_all()
        with self.loop('social.crm.engagement') as Engagement:
            Engagement._deliver_due()
        self.assertEqual(engagement.delivery_state, 'sent')
        self.assertEqual(self.network.sent, ['Yes, we do.'])
        self.assertEqual(self.network.comments[-1]['parentComment'], note['generatedActivity'])

    def test_the_address_of_the_webhook_is_proved(self):
        answer = self.url_open(f'{URL}?challengeCode=890e4665-4dfe')
        expected = hmac.new(b'client-secret-9', b'890e4665-4dfe', hashlib.sha256).hexdigest()
        self.assertEqual(answer.json()['challengeResponse'], expected)
        self.assertTrue(answer.headers['Content-Type'].startswith('application/json'))

    def test_a_pushed_comment_is_stored_once(self):
        note = self.network.notify('Do you ship?')
        body = {'type': 'ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS', 'notifications': [note]}
        self.assertEqual(self.push(body, secret='guess'), 403)
        self.assertFalse(self.mentions())
        for _time in range(2):
            self.assertEqual(self.push(body), 200)
        with self.loop('social.crm.parked.item') as Item:
            Item._cron_complete()
        self.assertEqual(self.mentions().author_id.name, 'Rita Reed')
        self.receive()
        self.assertEqual(self.mentions().mapped('text'), ['Do you ship?'])

    def test_a_pushed_lead_of_an_ad_account_wakes_the_stream_of_leads(self):
        stream = self.account.stream_ids.filtered(lambda one: one.kind == 'lead_forms')
        other = self.account.stream_ids - stream
        later = fields.Datetime.now() + timedelta(hours=1)
        (stream | other).write({'next_due': later})
        body = {
            'type': 'LEAD_ACTION',
            'leadGenFormResponse': 'urn:li:leadGenFormResponse:7a-5',
            'owner': {'sponsoredAccount': 'urn:li:sponsoredAccount:55'},
            'leadAction': 'CREATED',
            'occurredAt': 1763500000000,
        }
        self.assertEqual(self.push(body), 200)
        self.assertLess(stream.next_due, later)
        self.assertEqual(other.next_due, later)

    def test_a_lead_that_was_withdrawn_is_marked(self):
        number = self.network.submit('A drill')
        self.fetch_forms()
        self.receive()
        self.assertFalse(self.mentions().deleted_at)
        body = {
            'type': 'LEAD_ACTION',
            'leadGenFormResponse': f'urn:li:leadGenFormResponse:{number}',
            'owner': {'sponsoredAccount': 'urn:li:sponsoredAccount:55'},
            'leadAction': 'DELETED',
            'occurredAt': 1763500000000,
        }
        self.assertEqual(self.push(body), 200)
        self.assertTrue(self.mentions().deleted_at)
