from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .answering import AnsweringCase


@tagged('post_install', '-at_install')
class TestEngagementNative(AnsweringCase):
    """Answers given in the network's own app, and the conversation around a mention."""

    def setUp(self):
        super().setUp()
        self.own = []
        self.contexts = {}
        self.stub.fail['/api/v1/accounts/77/statuses'] = lambda request: self.stub.answer(
            200, self.own
        )

    def write_natively(self, text, mention=None, **values):
        """We write something in the network's own app."""
        if mention:
            values.setdefault('in_reply_to_id', mention.local_id)
        status = self.stub.status(
            text, self.stub.me, minutes_ago=0, in_reply_to_account_id='9', **values
        )
        self.own.insert(0, status)
        return status

    def set_context(self, mention_id, ancestors=(), descendants=()):
        self.stub.fail[f'/api/v1/statuses/{mention_id}/context'] = lambda request: self.stub.answer(
            200,
            {'ancestors': list(ancestors), 'descendants': list(descendants)},
        )

    def engagements(self):
        return self.env['social.crm.engagement'].search([('origin', '=', 'native')])

    def test_an_answer_in_the_native_app_counts(self):
        mention = self.mentioned()
        status = self.write_natively('Answered on the phone', mention)
        self.receive()
        native = self.engagements()
        self.assertEqual(
            (native.external_id, native.delivery_state, native.mention_id),
            (status['uri'], 'sent', mention),
        )
        self.assertFalse(native.user_id)
        self.assertEqual((mention.state, mention.answered_by.id), ('done', False))
        self.assertEqual(mention.answered_at, native.sent_at)
        self.assertIn('Answered on the phone', ''.join(mention.message_ids.mapped('body')))
        self.assertIn('own app', mention.conversation)
        self.receive()
        self.assertEqual(len(self.engagements()), 1)

    def test_what_we_sent_ourselves_is_not_taken_for_native(self):
        mention = self.mentioned()
        self.answer(mention, 'From Odoo')
        self.deliver()
        self.write_natively('From Odoo', mention, id=self.posted[0]['id'])
        self.receive()
        self.assertFalse(self.engagements())

    def test_what_is_just_being_sent_is_not_taken_for_native(self):
        mention = self.mentioned()
        for state in ('sending', 'unconfirmed'):
            self.answer(mention, f'{state}').delivery_state = state
        self.write_natively('sending', mention)
        self.receive()
        self.assertFalse(self.engagements())

    def test_an_answer_seen_before_its_mention(self):
        notification = self.stub.mention('later')
        self.stub.notifications.clear()
        self.own.insert(
            0,
            self.stub.status(
                'Quick answer',
                self.stub.me,
                minutes_ago=0,
                in_reply_to_id=notification['status']['id'],
                in_reply_to_account_id='9',
            ),
        )
        self.receive()
        self.assertFalse(self.engagements().mention_id)
        self.stub.notifications.insert(0, notification)
        self.receive()
        mention = self.mentions(external_id=notification['status']['uri'])
        self.assertEqual(self.engagements().mention_id, mention)
        self.assertEqual(mention.state, 'done')

    def test_own_posts_that_answer_nothing_known_are_forgotten(self):
        self.write_natively('to a stranger', in_reply_to_id='123456')
        self.receive()
        native = self.engagements()
        self.assertFalse(native.mention_id)
        self.env.cr.execute(
            'UPDATE social_crm_engagement SET create_date = %s',
            [fields.Datetime.now() - timedelta(days=15)],
        )
        self.env.invalidate_all()
        native._gc_unlinked()
        self.assertFalse(native.exists())

    def test_a_native_direct_message(self):
        mention = self.mentioned('psst', visibility='direct')
        status = self.stub.status(
            '@rita hello',
            self.stub.me,
            minutes_ago=0,
            visibility='direct',
            mentions=[
                {
                    'id': '9',
                    'username': 'rita',
                    'acct': 'rita',
                    'url': 'https://social.example.com/@rita',
                }
            ],
        )
        self.own.insert(0, status)
        self.receive()
        self.assertEqual(
            (self.engagements().mention_id, self.engagements().kind), (mention, 'message')
        )

    # --- conversation ----------------------------------------------------------------------------

    def test_the_posts_around_a_mention_are_fetched(self):
        tom = self.stub.account('tom')
        above = self.stub.status('How did it <script>start</script>?', tom, minutes_ago=9)
        mine = self.stub.status(
            'We said so', self.stub.me, minutes_ago=8, in_reply_to_id=above['id']
        )
        notification = self.stub.mention(
            'And now?', in_reply_to_id=mine['id'], in_reply_to_account_id='77'
        )
        self.set_context(notification['status']['id'], [above, mine])
        self.receive()
        mention = self.mentions(external_id=notification['status']['uri'])
        self.assertEqual(mention.kind, 'reply')
        self.assertTrue(mention.has_context)
        self.assertEqual(mention.parent_external_id, mine['uri'])
        self.assertEqual([post['text'] for post in mention.context][1:], ['We said so'])
        entries = self.env['social.crm.conversation']._of_mention(mention)
        self.assertEqual(
            [(entry.depth, entry.own) for entry in entries], [(0, False), (1, True), (2, False)]
        )
        self.assertEqual([entry.current for entry in entries], [False, False, True])
        self.assertNotIn('<script>', mention.conversation)
        self.assertEqual(self.engagements().external_id, mine['uri'])

    def test_no_call_for_a_mention_that_answers_nothing(self):
        self.mentioned()
        self.assertFalse(
            [path for _method, path, _query in self.stub.calls if path.endswith('/context')]
        )

    def test_an_answer_stands_below_its_mention(self):
        mention = self.mentioned('first')
        self.answer(mention, 'Here you are')
        waiting = self.env['social.crm.conversation'].with_user(self.agent)._of_mention(mention)
        self.assertEqual(
            [(entry.text, entry.depth) for entry in waiting], [('first', 0), ('Here you are', 1)]
        )
        self.assertTrue(waiting[1].badges)
        self.deliver()
        self.stub.mention(
            'thanks', in_reply_to_id=self.posted[0]['id'], in_reply_to_account_id='77'
        )
        self.set_context(
            str(self.stub.last_id - 1),
            [
                self.stub.status('first', id=mention.local_id),
                self.stub.status(
                    'Here you are',
                    self.stub.me,
                    id=self.posted[0]['id'],
                    in_reply_to_id=mention.local_id,
                ),
            ],
        )
        self.receive()
        entries = self.env['social.crm.conversation'].with_user(self.agent)._of_mention(mention)
        self.assertEqual(
            [(entry.text, entry.depth) for entry in entries],
            [('first', 0), ('Here you are', 1), ('thanks', 2)],
        )
        self.assertFalse(entries[1].badges)

    def test_a_server_that_fails_is_asked_again_and_then_left(self):
        self.stub.mention('x', in_reply_to_id='55', in_reply_to_account_id='77')
        path = f'/api/v1/statuses/{self.stub.last_id - 1}/context'
        self.stub.fail[path] = lambda request: self.stub.answer(503, {'error': 'busy'})
        self.receive()
        mention = self.mentions()
        for _try in range(5):
            if mention.context_due:
                mention.context_due = fields.Datetime.now() - timedelta(seconds=1)
            self.env.flush_all()
            with self.loop('social.crm.mention') as Mention:
                Mention._fetch_contexts()
        self.assertEqual((mention.context_tries, mention.context_due), (3, False))

    def test_a_colleagues_personal_answers_do_not_show(self):
        own = self.connect(self.app, self.user, kind='personal', username='me', number='79')
        mention = self.mentioned()
        self.answer(mention, 'Between us', user=self.user, account_id=own)
        self.assertIn('Between us', mention.with_user(self.user).conversation)
        mention.invalidate_recordset()
        self.assertNotIn('Between us', mention.with_user(self.marketing).conversation)
