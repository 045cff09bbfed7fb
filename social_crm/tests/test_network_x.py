import base64

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

    def test_an_answer_that_x_does_not_allow_keeps_its_draft_and_says_why(self):
        self.connect()
        asked = self.fake.mention('do you ship to Graz?')
        self.receive()
        self.fake.uninvited = True
        engagement = self.answer(self.mention(asked['id']), 'Yes, tomorrow!')
        self.assertEqual(engagement.delivery_state, 'failed')
        self.assertIn('not been mentioned', engagement.failure_reason)
        self.assertEqual(engagement.text, 'Yes, tomorrow!')

    def test_messages_that_nobody_switched_on_are_not_asked_for(self):
        self.env.company.social_crm_use_messages = False
        account = self.connect()
        self.assertNotIn('dm.read', self.asked['scope'])
        self.assertNotIn('messages', account.stream_ids.mapped('kind'))
