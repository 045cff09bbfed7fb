import base64
import hashlib
import hmac
import json
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .network_story import NetworkStory
from .providers.fake_x import ME, FakeX
from .providers.x_spec import Spec

PIXEL = base64.b64decode(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='
)


@tagged('post_install', '-at_install')
class TestNetworkX(NetworkStory):
    network = 'x'

    def make_fake(self, mock):
        return FakeX(mock, 'tweet', Spec.load('tweet'))

    def test_from_the_dialog_to_the_last_trace_of_the_login(self):
        account = self.connect()
        self.assertRecordValues(
            account,
            [{'handle': 'acme', 'external_id': ME, 'kind': 'brand', 'state': 'connected'}],
        )
        self.assertFalse(account.missing_capabilities)

        asked = self.fake.mention('do you ship to Graz?')
        written = self.fake.write_message('rita', 'Are you there?')
        self.receive()
        mention, message = self.mention(asked['id']), self.mention(f'dm:{written["id"]}')
        self.assertEqual((mention.text, mention.kind), ('@acme do you ship to Graz?', 'mention'))
        self.assertEqual((message.kind, message.author_id), ('message', mention.author_id))
        self.assertEqual(mention.author_id.followers, 812)

        self.assertEqual(self.answer(mention, 'Yes, tomorrow!').delivery_state, 'sent')
        self.assertEqual(self.answer(message, 'We are').delivery_state, 'sent')
        self.assertEqual(self.fake.sent, ['Yes, tomorrow!', 'We are'])
        self.receive()
        self.assertEqual(mention.state, 'done')

        publication = self.publish('Our new drill', name='drill.png', raw=PIXEL)
        self.assertEqual(publication.delivery_state, 'sent', publication.failure_reason)
        self.assertEqual(self.fake.sent[1], 'Our new drill')
        self.assertTrue(all(upload['ready'] for upload in self.fake.uploads.values()))
        self.measure(publication)
        metric = publication.metric_ids[-1]
        self.assertEqual((metric.likes, metric.shares, metric.clicks), (5, 3, 7))

        credential = self.age_login(account)
        self.assertEqual(credential._token().refresh_token, self.fake.refresh)

        self.disconnect(account)
        self.assertEqual(account.revocation, 'done')
        self.assertEqual(self.fake.token, 'another-token')
        self.assertFalse(self.env['social.crm.credential'].search([]))
        self.assertTrue(mention.exists())

    def test_a_rule_is_searched_for_as_a_whole(self):
        account = self.connect()
        rule = self.env['social.crm.rule'].create(
            {
                'name': 'Buyers',
                'expression': 'desk ("looking for" OR buy) -hiring OR #desks OR stool*',
                'kind_search': True,
            }
        )
        searches = account.stream_ids.filtered('query')
        self.assertEqual(
            sorted(searches.mapped('query')),
            ['("desk" ("looking for" OR "buy") OR #desks)', 'stool*'],
        )
        self.fake.put('search', 'looking for a desk')
        self.fake.put('search', 'a desk')
        self.receive()
        found = self.env['social.crm.mention'].search([('rule_ids', 'in', rule.ids)])
        self.assertEqual(found.mapped('text'), ['looking for a desk ship'])
        self.assertFalse(self.env['social.crm.mention'].search([('text', '=like', 'a desk%')]))
        unsearched = searches.filtered(lambda stream: stream.query == 'stool*')
        self.assertIn('whole words only', unsearched.last_error)

    def test_an_answer_that_x_does_not_allow_keeps_its_draft_and_says_why(self):
        self.connect()
        asked = self.fake.mention('do you ship to Graz?')
        self.receive()
        self.fake.uninvited = True
        engagement = self.answer(self.mention(asked['id']), 'Yes, tomorrow!')
        self.assertEqual(engagement.delivery_state, 'failed')
        self.assertIn('not been mentioned', engagement.failure_reason)
        self.assertEqual(engagement.text, 'Yes, tomorrow!')

    def test_a_push_has_the_messages_looked_at_at_once(self):
        account = self.connect()
        self.receive()
        self.app.webhook_secret = 'api-secret-5'
        self.assertEqual(self.app._as_app().client_secret, 'client-secret-9')
        self.assertFalse(self.app.webhook_secret, 'it is never shown again')
        data = {'event_type': 'dm.received', 'filter': {'user_id': ME}}
        body = json.dumps({'data': data}).encode()
        digest = hmac.new(b'api-secret-5', body, hashlib.sha256).digest()
        signature = f'sha256={base64.b64encode(digest).decode()}'
        stream = account.stream_ids.filtered(lambda stream: stream.kind == 'messages')
        later = stream.next_due = fields.Datetime.now() + timedelta(hours=1)
        for value, status in ((signature[:-4] + 'AAA=', 403), (signature, 200)):
            self.assertEqual(stream.next_due, later)
            headers = {
                'x-twitter-webhooks-signature': value,
                'Content-Type': 'application/json',
            }
            response = self.url_open(self.app.webhook_url, data=body, headers=headers)
            self.assertEqual(response.status_code, status)
            self.env.invalidate_all()
        self.assertLess(stream.next_due, later)

    def test_a_secret_can_be_replaced_after_its_key_is_gone(self):
        self.app.sudo().secret = self.app.secret[:-9] + 'gone-key='
        self.app.client_secret = 'client-secret-9'
        self.assertEqual(self.app._as_app().client_secret, 'client-secret-9')

    def test_messages_that_nobody_switched_on_are_not_asked_for(self):
        self.env.company.social_crm_use_messages = False
        account = self.connect()
        self.assertNotIn('dm.read', self.asked['scope'])
        self.assertNotIn('messages', account.stream_ids.mapped('kind'))
