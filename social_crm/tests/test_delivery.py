import time
from datetime import datetime, timedelta, timezone

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.social_crm.delivery import Courier, Flight, Outcome, utcnow
from odoo.addons.social_crm.providers.errors import (
    AuthorizationLost,
    Duplicate,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    Rejected,
    Transient,
)
from odoo.addons.social_crm.providers.types import Sent

from .delivering import DeliveryCase, FakeNetwork


@tagged('post_install', '-at_install')
class TestDelivery(DeliveryCase):
    """What each outcome of a call leads to."""

    def submitted(self, text='Hello world', accounts=None, **values):
        post = self.post(text, accounts, **values)
        post.action_submit()
        return post.publication_ids.sudo()

    def test_it_goes_out_once_and_is_kept(self):
        row = self.submitted()
        self.deliver()
        self.assertEqual(self.network.texts, ['Hello world'])
        self.assertRecordValues(
            row,
            [
                {
                    'delivery_state': 'sent',
                    'external_id': 'https://net/1',
                    'local_id': '1',
                    'url': 'https://net/@acme/1',
                    'attempts': 1,
                    'failure_code': False,
                    'lease': False,
                }
            ],
        )
        self.assertTrue(row.sent_at)
        self.assertEqual(row.post_id.state, 'published')
        self.assertIn('https://net/@acme/1', ' '.join(row.post_id.message_ids.mapped('body')))
        self.deliver()
        self.assertEqual(len(self.network.posts), 1)

    def test_many_are_due_in_the_same_second(self):
        rows = self.env['social.crm.publication']
        for place in range(30):
            rows |= self.submitted(f'Post {place}')
        self.deliver()
        self.assertEqual(sorted(self.network.texts), sorted(f'Post {place}' for place in range(30)))
        self.assertEqual(set(rows.mapped('delivery_state')), {'sent'})

    def test_a_refusal_fails_with_the_networks_own_words(self):
        self.network.plan = [Rejected('Text contains a banned word', '422')]
        row = self.submitted()
        self.deliver()
        self.assertEqual((row.delivery_state, row.failure_code), ('failed', '422'))
        self.assertIn('Text contains a banned word', row.failure_reason)
        self.assertEqual(row.post_id.state, 'failed')
        self.assertIn('banned word', row.post_id.failure_summary)
        self.assertEqual(row.post_id.activity_ids.user_id, self.author)
        row.with_user(self.author).action_retry()
        self.deliver()
        self.assertEqual((row.delivery_state, row.post_id.state), ('sent', 'published'))
        self.assertFalse(row.post_id.activity_ids)

    def test_a_lost_answer_is_looked_up_and_not_repeated(self):
        for error in (OutcomeUnknown('timeout', 'timeout'), OutcomeUnknown('Bad gateway', '502')):
            with self.subTest(error.code):
                self.network.plan = [('lost', error)]
                row = self.submitted(f'Lost {error.code}')
                self.deliver()
                self.assertEqual(
                    (row.delivery_state, row.failure_code), ('unconfirmed', error.code)
                )
                self.assertEqual(row.post_id.state, 'publishing')
                self.pass_time(row, seconds=4)
                self.deliver()
                self.assertEqual(row.delivery_state, 'sent')
        self.assertEqual(self.network.calls, 2)
        self.assertEqual(row.external_id, 'https://net/2')

    def test_what_surely_is_not_there_is_sent_again_with_the_same_key(self):
        self.network.plan = [OutcomeUnknown('', 'timeout')]
        row = self.submitted()
        key = row.idempotency_key
        self.deliver()
        self.pass_time(row, seconds=5)
        self.deliver()
        self.assertEqual(row.delivery_state, 'unconfirmed', 'one look after seconds is not enough')
        self.assertEqual(self.network.calls, 1)
        self.pass_time(row, seconds=60)
        self.deliver()
        self.assertEqual((row.delivery_state, row.attempts), ('sent', 2))
        self.assertEqual([one[1] for one in self.network.posts], [key])

    def test_a_network_that_cannot_be_asked_needs_a_person(self):
        self.network.features = frozenset()
        self.network.plan = [('lost', OutcomeUnknown('', 'timeout'))] * 2
        there, missing = self.submitted('There'), self.submitted('Missing')
        self.deliver()
        self.pass_time(there | missing, seconds=60)
        self.deliver()
        self.pass_time(there | missing, hours=3)
        self.deliver()
        self.assertEqual(set((there | missing).mapped('delivery_state')), {'unconfirmed'})
        self.assertEqual(self.network.calls, 2)
        self.assertTrue(there.post_id.activity_ids)
        with self.assertRaises(UserError):
            there.post_id.with_user(self.author).text = 'Other'
        there.with_user(self.author).action_mark_sent()
        missing.with_user(self.author).action_retry()
        self.deliver()
        self.assertEqual(set((there | missing).mapped('delivery_state')), {'sent'})
        self.assertEqual(self.network.calls, 3)

    def test_a_crash_before_the_call_and_after_it(self):
        lost, unsent = self.submitted('Was accepted'), self.submitted('Never left')
        self.env.flush_all()
        with self.loop('social.crm.publication') as Publication:
            for row in Publication._claim('send', 'dead-worker', 10):
                if row.full_text == 'Was accepted':
                    self.network.send(row._outgoing(), row.idempotency_key)
        self.assertEqual(set((lost | unsent).mapped('delivery_state')), {'sending'})
        self.deliver()
        self.assertEqual(set((lost | unsent).mapped('delivery_state')), {'sending'}, 'leased')
        for _round in range(4):
            self.pass_time(lost | unsent, seconds=100)
            self.deliver()
        self.assertEqual(set((lost | unsent).mapped('delivery_state')), {'sent'})
        self.assertEqual(sorted(self.network.texts), ['Never left', 'Was accepted'])

    def test_an_outcome_counts_even_when_another_worker_took_over(self):
        row = self.submitted()
        self.env.flush_all()
        with self.loop('social.crm.publication') as Publication:
            mine = Publication._claim('send', 'slow-worker', 10)
            outcome = self.take(mine)
            mine.write({'lease': 'other', 'delivery_state': 'unconfirmed', 'next_try': False})
            mine._store_outcome('send', 'slow-worker', outcome)
        self.assertEqual(row.delivery_state, 'sent')

    def take(self, row):
        return Outcome(self.network.send(row._outgoing(), row.idempotency_key), at=utcnow())

    def test_nothing_sent_means_again_later_and_not_for_ever(self):
        self.network.plan = [Transient('No connection', 'connection')] * 20
        row = self.submitted()
        self.deliver()
        self.assertEqual((row.delivery_state, row.attempts), ('queued', 1))
        self.assertGreater(row.next_try, fields.Datetime.now())
        self.assertIn('No connection', row.failure_reason)
        for _try in range(10):
            self.pass_time(row, minutes=20)
            self.deliver()
        self.assertEqual((row.delivery_state, self.network.calls), ('failed', 8))

    def test_a_rate_limit_holds_the_whole_account_until_its_end(self):
        until = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(minutes=7)
        self.network.plan = [RateLimited('Too many requests', '429', until)]
        self.network.calls = 0
        first = self.submitted('First')
        waiting = self.submitted('Second')
        other = self.submitted('On another account', self.second)
        waiting.due_at = fields.Datetime.now() + timedelta(minutes=1)
        self.deliver()
        expected = until.replace(tzinfo=None)
        self.assertEqual(
            (first.delivery_state, first.next_try, first.attempts), ('queued', expected, 0)
        )
        self.assertEqual(waiting.next_try, expected)
        self.assertEqual(other.delivery_state, 'sent')
        self.pass_time(first | waiting, minutes=8)
        self.deliver()
        self.assertEqual(set((first | waiting).mapped('delivery_state')), {'sent'})

    def test_an_expired_login_fails_there_alone(self):
        self.network.plan = [AuthorizationLost('The access token expired', '401')]
        rows = self.submitted('To both', self.account | self.second)
        self.deliver()
        bad = rows.filtered(lambda row: row.account_id == self.account)
        good = rows - bad
        self.assertEqual((bad.delivery_state, good.delivery_state), ('failed', 'sent'))
        self.assertIn('The access token expired', bad.failure_reason)
        self.assertEqual(bad.post_id.state, 'partial')
        self.assertEqual(self.account.state, 'reconnect')
        self.assertEqual(self.account.activity_ids.user_id, self.manager)
        self.network.plan = []
        self.connect(self.app, self.manager)
        bad.with_user(self.author).action_retry()
        self.deliver()
        self.assertEqual((bad.delivery_state, bad.post_id.state), ('sent', 'published'))

    def test_an_account_that_is_not_connected_fails_without_a_call(self):
        row = self.submitted()
        self.account.state = 'reconnect'
        self.deliver()
        self.assertEqual((row.delivery_state, row.failure_code), ('failed', 'not_connected'))
        self.assertEqual(self.network.calls, 0)

    def test_an_account_disconnected_while_it_sends_keeps_the_outcome(self):
        row = self.submitted()
        self.env.flush_all()
        with self.loop('social.crm.publication') as Publication:
            mine = Publication._claim('send', 'worker', 10)
            outcome = self.take(mine)
            mine.account_id.write({'state': 'disconnected'})
            mine._store_outcome('send', 'worker', outcome)
        self.assertEqual(row.delivery_state, 'sent')

    def test_missing_permission_fails(self):
        self.network.plan = [PermissionMissing('write:statuses is missing', '403')]
        row = self.submitted()
        self.deliver()
        self.assertEqual(row.delivery_state, 'failed')
        self.assertEqual(self.account.state, 'connected')

    def test_a_duplicate_is_looked_up(self):
        self.network.plan = [
            ('lost', Duplicate('Status is a duplicate', '187')),
            Duplicate('Dup', '187'),
        ]
        mine, others = self.submitted('Mine'), self.submitted('Of somebody else')
        self.deliver()
        self.pass_time(mine | others, seconds=90)
        self.deliver()
        self.assertEqual((mine.delivery_state, others.delivery_state), ('sent', 'failed'))
        self.assertEqual(self.network.calls, 2)

    def test_what_was_missed_is_asked_about_and_not_blasted(self):
        missed, late = self.submitted('Yesterday'), self.submitted('A little late')
        self.pass_time(missed, hours=30)
        self.pass_time(late, minutes=20)
        self.deliver()
        self.assertEqual((missed.delivery_state, missed.failure_code), ('failed', 'missed'))
        self.assertEqual(late.delivery_state, 'sent')
        self.assertTrue(missed.post_id.activity_ids)
        missed.with_user(self.author).action_retry()
        self.deliver()
        self.assertEqual(missed.delivery_state, 'sent')

    def test_the_same_text_twice_is_not_taken_for_the_other(self):
        first = self.submitted('Good morning')
        self.deliver()
        self.network.plan = [OutcomeUnknown('', 'timeout')]
        second = self.submitted('Good morning')
        self.deliver()
        self.pass_time(second, seconds=90)
        self.deliver()
        self.assertEqual((first.delivery_state, second.delivery_state), ('sent', 'unconfirmed'))
        self.assertTrue(second.failure_reason)

    def share_an_id(self, kept):
        """Two posts go out at the same moment and get one id; the network keeps one of them."""
        rows = self.submitted('First') | self.submitted('Second')
        self.env.flush_all()
        with self.loop('social.crm.publication') as Publication:
            leased = Publication._claim('send', 'lease', 2).with_context(social_crm_no_wake=True)
            sent = self.network.send(leased[kept]._outgoing(), 'key')
            for row in leased:
                row._store_outcome('send', 'lease', Outcome(sent, at=utcnow()))
        return rows

    def test_a_network_that_gives_two_posts_one_id_loses_neither(self):
        for kept in (0, 1):
            with self.subTest(kept=kept):
                self.network.posts.clear()
                rows = self.share_an_id(kept)
                self.assertEqual(
                    rows.mapped(lambda row: (row.delivery_state, row.failure_code)),
                    [('sent', False), ('unconfirmed', 'shared_id')],
                )
                for _round in range(4):
                    self.pass_time(rows, seconds=60)
                    self.deliver()
                self.assertEqual(set(rows.mapped('delivery_state')), {'sent'})
                self.assertEqual(sorted(self.network.texts), ['First', 'Second'])
                there = {sent.external_id: one.text for one, _key, sent in self.network.posts}
                self.assertEqual([there[row.external_id] for row in rows], ['First', 'Second'])
                rows.unlink()

    def test_workers_that_store_one_id_at_the_same_moment(self):
        rows = self.submitted('First') | self.submitted('Second')
        sent = Sent('https://net/1', 'https://net/@acme/1', '1')
        find, blind = type(rows)._find_known, [True]

        def find_known(record, sent, task):  # what another worker stores cannot be seen yet
            return None if record == rows[1] and blind and blind.pop() else find(record, sent, task)

        self.patch(type(rows), '_find_known', find_known)
        self.env.flush_all()
        with self.loop('social.crm.publication') as Publication, mute_logger('odoo.sql_db'):
            leased = Publication._claim('send', 'lease', 2)
            courier = Courier([Publication])
            for row in leased:
                courier._store(Flight(row, 'send', 'lease'), Outcome(sent, at=utcnow()))
        self.assertFalse(blind)
        self.assertEqual(rows.mapped('delivery_state'), ['sent', 'unconfirmed'])
        self.assertEqual(rows[1].failure_code, 'shared_id')

    def test_a_fault_of_an_adapter_stops_nobody_else(self):
        self.network.plan = [ZeroDivisionError('oops')]
        bad, good = self.submitted('Bad'), self.submitted('Good', self.second)
        with self.assertLogs('odoo.addons.social_crm.delivery', 'ERROR'):
            self.deliver()
        self.assertEqual((bad.delivery_state, good.delivery_state), ('unconfirmed', 'sent'))

    def test_a_failing_follow_up_does_not_lose_the_outcome(self):
        self.patch(type(self.env['social.crm.publication']), '_delivered', _boom)
        row = self.submitted()
        with self.assertLogs('odoo.addons.social_crm.delivery', 'ERROR'):
            self.deliver()
        self.assertEqual((row.delivery_state, row.external_id), ('sent', 'https://net/1'))

    def test_a_failing_look_up_waits(self):
        self.network.plan = [('lost', OutcomeUnknown('', 'timeout'))]
        row = self.submitted()
        self.deliver()
        self.network.finds = [Transient('down', '503')]
        self.pass_time(row, seconds=60)
        self.deliver()
        self.assertEqual(row.delivery_state, 'unconfirmed')
        self.pass_time(row, minutes=30)
        self.deliver()
        self.assertEqual((row.delivery_state, self.network.calls), ('sent', 1))

    def test_cancel_in_time_and_too_late(self):
        row = self.submitted(**self.later(hours=1))
        row.with_user(self.author).action_cancel()
        self.assertEqual((row.delivery_state, row.post_id.state), ('cancelled', 'cancelled'))
        self.pass_time(row, hours=2)
        self.deliver()
        self.assertFalse(self.network.posts)
        sent = self.submitted('Out')
        self.deliver()
        with self.assertRaises(UserError):
            sent.with_user(self.author).action_cancel()
        with self.assertRaises(UserError):
            sent.with_user(self.author).unlink()

    def test_nobody_writes_the_outcome_by_hand(self):
        row = self.submitted()
        for name, value in (('delivery_state', 'sent'), ('due_at', False), ('external_id', 'x')):
            with self.subTest(name), self.assertRaises(AccessError):
                row.with_user(self.author).write({name: value})
        for user in (self.user, self.approver):
            with self.assertRaises(AccessError):
                row.with_user(user).action_retry()

    def test_the_first_comment_follows_once(self):
        row = self.submitted(first_comment='And a link: https://example.com')
        self.deliver()
        rows = row.post_id.publication_ids.sudo()
        comment = rows - row
        self.assertEqual(set(rows.mapped('delivery_state')), {'sent'})
        self.assertEqual(len(self.network.posts), 2)
        outgoing = self.network.posts[1][0]
        self.assertEqual(
            (outgoing.kind, outgoing.target, outgoing.target_local_id),
            ('comment', 'https://net/1', '1'),
        )
        self.assertEqual(comment.parent_id, row)
        self.assertEqual(row.post_id.state, 'published')

    def test_a_failed_comment_shows_and_does_not_repeat_the_post(self):
        self.network.plan = [None, Rejected('no', '422')]
        row = self.submitted(first_comment='Me too')
        self.deliver()
        self.assertEqual(row.post_id.state, 'partial')
        row.post_id.with_user(self.author).action_retry()
        self.deliver()
        self.assertEqual(row.post_id.state, 'published')
        self.assertEqual(self.network.texts, ['Hello world', 'Me too'])

    def test_the_cron_serves_all_kinds(self):
        names = {model._name for model in self.env['social.crm.delivery.mixin']._delivery_models()}
        self.assertLessEqual({'social.crm.publication'}, names)
        self.submitted()
        with self.enter_registry_test_mode():
            self.patch(type(self.env['social.crm.delivery.mixin']), '_next_due', lambda self: None)
            self.env.ref('social_crm.ir_cron_deliver').method_direct_trigger()
        self.assertEqual(self.network.calls, 1)

    def test_the_loop_is_awake_at_the_due_second(self):
        row = self.submitted(**self.later(hours=1))
        due = fields.Datetime.now() + timedelta(seconds=2)
        row.due_at = due
        self.env.flush_all()
        with self.loop('social.crm.publication') as Publication:
            self.assertEqual(Courier([Publication]).run(6), 1)
        self.assertEqual(row.delivery_state, 'sent')
        self.assertLess((row.sent_at - due).total_seconds(), 1.5)
        self.assertGreaterEqual(row.sent_at, due)

    def test_the_loop_waits_for_what_is_due_soon_and_not_for_the_rest(self):
        row = self.submitted(**self.later(hours=1))
        self.env.flush_all()
        for seconds, least, most in ((3600, 0, 0.5), (5, 1, 2)):
            with self.subTest(seconds), self.loop('social.crm.publication') as Publication:
                due = fields.Datetime.now() + timedelta(seconds=seconds)
                Publication.browse(row.id).due_at = due
                begin = time.monotonic()
                self.assertEqual(Courier([Publication], ahead=10).run(1), 0)
                took = time.monotonic() - begin
                self.assertTrue(least <= took <= most, took)

    def test_what_is_queued_wakes_the_loop(self):
        cron = self.env.ref('social_crm.ir_cron_deliver')
        Trigger = self.env['ir.cron.trigger'].sudo()
        before = Trigger.search_count([('cron_id', '=', cron.id)])
        self.submitted(**self.later(hours=5))
        self.assertEqual(Trigger.search_count([('cron_id', '=', cron.id)]), before)
        self.submitted()
        self.assertGreater(Trigger.search_count([('cron_id', '=', cron.id)]), before)

    def test_limits_per_account_leave_room_for_others(self):
        self.networks[self.second.id] = FakeNetwork()
        for place in range(16):
            self.submitted(f'Many {place}')
        self.submitted('The other', self.second)
        self.env.flush_all()
        with self.loop('social.crm.publication') as Publication:
            claimed = Publication._claim('send', 'one', 24)
            accounts = claimed.mapped('account_id')
            self.assertEqual(len(claimed), 13)
            self.assertEqual(len(accounts), 2)

    def test_no_more_is_claimed_than_asked_whatever_the_plan(self):
        for place in range(6):
            self.submitted(f'Many {place}')
        self.env.flush_all()
        with self.loop('social.crm.publication') as Publication:
            # Plans that are not better for so few rows, and may be for many.
            for way in ('hashjoin', 'mergejoin', 'hashagg', 'sort', 'material'):
                Publication.env.cr.execute(SQL('SET LOCAL enable_%s = off', SQL(way)))
            self.assertEqual(len(Publication._claim('send', 'one', 2)), 2)
            self.assertEqual(len(Publication._claim('send', 'two', 24)), 4)


def _boom(self, sent):
    raise ValueError('chatter is broken')
