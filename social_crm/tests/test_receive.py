import threading
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.social_crm.models import social_crm_stream, social_crm_stream_outcome
from odoo.addons.social_crm.providers.types import Page

from .common import SocialCrmCase

LEAD = {'kind': 'lead'}


@tagged('post_install', '-at_install')
class TestReceive(SocialCrmCase):
    def test_stores_a_mention_with_all_that_is_known(self):
        rita = self.stub.account('rita', display_name='Rita K.', followers_count=312)
        self.stub.mention('I love the new teapot &amp; the lid!', rita)
        self.receive()
        mention = self.mentions(account_id=self.account.id)
        self.assertEqual(len(mention), 1)
        self.assertEqual(mention.text, 'I love the new teapot & the lid!')
        self.assertEqual(
            (mention.kind, mention.language, mention.sentiment_label), ('mention', 'en', 'positive')
        )
        self.assertEqual(mention.author_id.name, 'Rita K.')
        self.assertEqual(mention.author_id.followers, 312)
        self.assertEqual(mention.author_id.handle, 'rita@social.example.com')
        self.assertEqual(mention.state, 'new')
        self.assertTrue(self.account.last_success)

    def test_nothing_comes_twice(self):
        for number in range(5):
            self.stub.mention(f'number {number}')
        self.receive()
        self.receive()
        self.stub.mention('one more')
        self.receive()
        self.assertEqual(len(self.mentions(account_id=self.account.id)), 6)

    def test_two_overlapping_polls_store_each_item_once(self):
        for number in range(5):
            self.stub.mention(f'number {number}')
        self.make_due()
        stream = self.stream()
        with self.loop('social.crm.stream') as Stream:
            same = Stream.browse(stream.id)
            first, second = same._request()(), same._request()()
            same._store_page(*first)
            same._store_page(*second)
        self.assertEqual(len(self.mentions(account_id=self.account.id)), 5)

    def test_a_stream_is_leased_to_one_worker(self):
        self.make_due()
        with self.loop('social.crm.stream') as Stream:
            _lease, first = Stream._claim_due()
            _lease, second = Stream._claim_due()
        self.assertTrue(first)
        self.assertFalse(second)

    def test_a_slow_stream_and_a_broken_one_delay_no_other(self):
        slow, broken = self.streams[:2]
        self.connect(self.app, self.manager, username='other', number='78')
        others_were_served = threading.Event()
        self.make_due()
        fetched = []

        def request(stream):
            if stream == broken:
                raise KeyError('a fault of ours')

            def fetch():
                if stream == slow:
                    self.assertTrue(others_were_served.wait(5))
                else:
                    fetched.append(stream)
                more = len(fetched) < 3
                if not more:
                    others_were_served.set()
                return Page((), more=more and stream != slow), None

            return fetch

        with (
            self.loop('social.crm.stream') as Stream,
            patch.object(type(Stream), '_request', request),
            patch.object(social_crm_stream, 'RUN_SECONDS', 1),
            mute_logger(social_crm_stream_outcome.__name__),
        ):
            Stream._cron_receive()
        self.assertFalse(slow.error_count)
        self.assertEqual(broken.error_count, 1)

    def test_a_clock_that_was_put_back_makes_nobody_wait(self):
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        self.streams.write({'last_success': tomorrow, 'next_due': tomorrow, 'lease': 'of a worker'})
        self.streams.lease_until = tomorrow
        with self.loop('social.crm.stream') as Stream:
            _lease, due = Stream._claim_due()
        self.assertEqual(due.ids, self.streams.ids)

    def test_the_lease_of_a_worker_that_died_runs_out(self):
        self.make_due()
        with self.loop('social.crm.stream') as Stream:
            _lease, first = Stream._claim_due()
            first.write({'lease_until': fields.Datetime.now() - timedelta(seconds=1)})
            first.flush_recordset()
            _lease, second = Stream._claim_due()
        self.assertEqual(first, second)

    def test_a_result_that_comes_after_the_lease_is_dropped(self):
        self.stub.mention('late')
        self.make_due()
        with self.loop('social.crm.stream') as Stream:
            lease, streams = Stream._claim_due()
            stream = streams.filtered(lambda stream: stream.kind == 'notifications')
            stream.write({'lease': 'of another worker'})
            stream.flush_recordset()
            stream._store_outcome(lease, _Done(stream._request()))
        self.assertFalse(self.mentions(account_id=self.account.id))

    def test_what_is_archived_is_not_asked_for_and_goes_on_where_it_was(self):
        company = self.env['res.company'].create({'name': 'Resting'})
        account = self.connect(self.make_app(company), self.manager)
        self.account.action_archive()
        rule = self.make_rule(
            keywords='teapot', account_ids=account.ids, company_id=company.id, actions=[LEAD]
        )
        bad = self.stub.mention('teapot')
        created = bad['status'].pop('created_at')
        self.stub.mention('teapot', self.stub.account('eve'))
        self.receive()
        [mention] = self.mentions()
        for record in (account, company):
            record.action_archive()
            mention.context_due = mention.media_due = fields.Datetime.now()
            self.stub.mention('teapot')
            calls = len(self.stub.calls)
            self.receive()
            with self.loop('social.crm.mention') as Mention:
                Mention._cron_fetch_contexts()
            self.assertEqual(len(self.stub.calls), calls)
            self.assertEqual(rule._criteria().accounts, frozenset(account.ids))
            record.action_unarchive()
        self.assertTrue(account.active and account.stream_ids)
        [parked] = self.env['social.crm.parked.item'].search([])
        parked.payload = {**bad, 'status': {**bad['status'], 'created_at': created}}
        parked.action_replay()
        self.receive()
        self.assertEqual(len(self.mentions()), 4)
        leads = self.mentions().lead_id
        self.assertEqual(len(leads), 2)
        self.assertFalse(leads.user_id, 'nobody leads sales in this company')

    def test_what_came_in_three_days_of_standstill_arrives_whole_and_once(self):
        self.stub.mention('before')
        self.receive()
        past = fields.Datetime.now() - timedelta(days=3)
        # The server went down in the middle of a look.
        self.streams.write({'next_due': past, 'lease': 'dead', 'lease_until': past})
        for number in range(205):
            self.stub.mention(f'number {number}')
        before, rounds = len(self.stub.calls), 0
        with self.loop('social.crm.stream') as Stream:
            while Stream._receive_due():
                rounds += 1
        mentions = self.mentions(account_id=self.account.id)
        self.assertEqual(len(mentions), 206)
        self.assertEqual(self.streams.mapped('error_count'), [0] * len(self.streams))
        asked = [path for _method, path, _query in self.stub.calls[before:]]
        self.assertLessEqual(asked.count('/api/v1/notifications'), rounds, 'a page a round')
        self.assertLess(rounds, 10)

    def test_a_page_that_fails_halfway_leaves_the_cursor(self):
        for number in range(3):
            self.stub.mention(f'number {number}')
        self.receive()
        cursor = self.stream().cursor
        self.stub.mention('lost?')
        self.patch(type(self.env['social.crm.account']), '_announce', _boom)
        with self.assertLogs('odoo.addons.social_crm.models.social_crm_stream_outcome', 'ERROR'):
            self.receive()
        self.assertEqual(self.stream().cursor, cursor)
        self.assertEqual(self.stream().error_count, 1)
        self.assertEqual(len(self.mentions(account_id=self.account.id)), 3)
        self.patch(type(self.env['social.crm.account']), '_announce', lambda self, new: None)
        self.receive()
        self.assertEqual(len(self.mentions(account_id=self.account.id)), 4)

    def test_a_poison_item_is_parked_and_the_others_arrive(self):
        self.stub.mention('good')
        bad = self.stub.mention('bad')
        del bad['status']['created_at']
        self.stub.mention('good too')
        self.receive()
        self.assertEqual(
            sorted(self.mentions(account_id=self.account.id).mapped('text')), ['good', 'good too']
        )
        parked = self.env['social.crm.parked.item'].search([('account_id', '=', self.account.id)])
        self.assertEqual(len(parked), 1)
        self.assertIn('created_at', parked.reason)
        self.assertEqual(parked.payload['id'], bad['id'])

    def test_a_parked_item_is_replayed_once_it_can_be_read(self):
        bad = self.stub.mention('bad')
        created = bad['status'].pop('created_at')
        self.receive()
        parked = self.env['social.crm.parked.item'].search([('account_id', '=', self.account.id)])
        parked.action_replay()
        self.assertEqual(parked.state, 'parked')
        bad['status']['created_at'] = created
        parked.payload = bad
        with patch.object(type(self.stream()), '_insert_rows', side_effect=ValueError('poison')):
            parked.action_replay()
        self.assertFalse(self.mentions())
        parked = parked.search([('state', '=', 'parked')])
        self.assertIn('poison', parked.reason)
        parked.with_user(self.marketing).action_replay()
        self.assertEqual(parked.state, 'replayed')
        self.assertEqual(self.mentions(account_id=self.account.id).text, 'bad')

    def test_an_item_that_the_database_refuses_is_parked(self):
        self.stub.mention('good')
        self.stub.mention('from the far future', created_at='9999-12-31T23:59:59.999Z')
        self.stub.mention('with a zero \x00 byte')
        self.receive()
        self.assertIn('with a zero  byte', self.mentions(account_id=self.account.id).mapped('text'))

    def test_too_many_requests_waits_until_the_reset_and_keeps_the_cursor(self):
        self.stub.mention('first')
        self.receive()
        cursor = self.stream().cursor
        reset = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(minutes=7)
        self.stub.fail['/api/v1/notifications'] = lambda request: self.stub.answer(
            429,
            {'error': 'Too many requests'},
            {
                'X-RateLimit-Reset': reset.isoformat().replace('+00:00', 'Z'),
                'X-RateLimit-Limit': '300',
                'X-RateLimit-Remaining': '0',
            },
        )
        self.stub.mention('second')
        self.receive()
        stream = self.stream()
        self.assertEqual(stream.cursor, cursor)
        self.assertEqual(stream.next_due, reset.replace(tzinfo=None))
        self.assertEqual(self.account.state, 'connected')
        self.stub.fail.clear()
        self.receive()
        self.assertEqual(len(self.mentions(account_id=self.account.id)), 2)

    def test_a_server_error_backs_off_longer_each_time(self):
        self.stub.fail['/api/v1/notifications'] = lambda request: self.stub.answer(
            502, b'<html>bad gateway</html>'
        )
        pauses = []
        for _attempt in range(4):
            self.receive()
            pauses.append((self.stream().next_due - fields.Datetime.now()).total_seconds())
        self.assertEqual(pauses, sorted(pauses))
        self.assertGreater(pauses[-1], 60 * 4)
        self.assertIn('cannot be reached', self.account.last_error)
        self.assertEqual(self.account.last_error_at, self.stream().last_error_at)
        failing = [('last_error', '!=', False), ('id', '=', self.account.id)]
        self.assertTrue(self.account.search(failing))

        self.stub.fail.clear()
        self.receive()
        self.assertFalse(self.account.last_error)
        self.assertFalse(self.account.search(failing))

    def test_reading_again_adds_what_was_missed_and_repeats_nothing(self):
        self.make_rule(keywords='wallpaper', actions=[{'kind': 'lead'}])
        self.stub.mention('wallpaper once')
        self.receive()
        missed = self.stub.mention('wallpaper that was missed', self.stub.account('eve'))
        self.stub.notifications.remove(missed)
        self.receive()
        self.stub.notifications.append(missed)  # older than the cursor: it would never be seen
        self.receive()
        self.assertEqual(len(self.mentions()), 1)
        self.account.with_user(self.user).action_read_again()
        self.receive()
        self.assertEqual(len(self.mentions()), 2)
        self.assertEqual(len(self.mentions().lead_id), 2)

    def test_a_revoked_login_asks_the_owner_to_reconnect(self):
        self.stub.token = 'another'
        self.receive()
        self.assertEqual(self.account.state, 'reconnect')
        activity = self.account.activity_ids
        self.assertEqual(len(activity), 1)
        self.assertEqual(activity.user_id, self.manager)
        calls = len(self.stub.calls)
        self.receive()
        self.assertEqual(len(self.stub.calls), calls, 'an account without a login is left alone')

    def test_one_failing_account_does_not_stop_the_others(self):
        other = self.connect(self.app, self.manager, username='other', number='78')
        self.env['social.crm.credential'].search([('account_id', '=', other.id)]).secret = 'garbage'
        self.stub.mention('for acme')
        self.receive()
        self.assertEqual(len(self.mentions(account_id=self.account.id)), 1)
        self.assertIn('social_crm_key', other.last_error)
        both = [('id', 'in', (self.account | other).ids)]
        self.assertEqual(other.search(both, order='last_error', limit=1), other)
        self.assertEqual(other.search(both, order='last_success', limit=1), self.account)
        self.assertTrue(other.fields_get(['last_error'])['last_error']['sortable'])

    def test_an_edit_updates_and_an_older_one_does_not(self):
        notification = self.stub.mention('teapot')
        self.receive()
        edited = (
            datetime.now(timezone.utc).isoformat(timespec='milliseconds').replace('+00:00', 'Z')
        )
        notification['status'].update(content='<p>kettle</p>', edited_at=edited)
        self.stream().cursor = False
        self.receive()
        self.assertEqual(self.mentions(account_id=self.account.id).text, 'kettle')
        self.assertTrue(self.mentions(account_id=self.account.id).edited_at)

    def test_own_posts_are_not_mentions(self):
        self.stub.mention('said by ourselves', self.stub.me)
        self.receive()
        self.assertFalse(self.mentions(account_id=self.account.id))

    def test_direct_messages_and_replies_are_told_apart(self):
        self.stub.mention('psst', visibility='direct')
        self.stub.mention('yes', in_reply_to_id='1', in_reply_to_account_id='77')
        self.receive()
        self.assertEqual(
            sorted(self.mentions(account_id=self.account.id).mapped('kind')), ['message', 'reply']
        )

    def test_a_blocked_author_makes_no_work(self):
        self.make_rule([{'kind': 'lead'}], keywords='teapot')
        rita = self.stub.account('rita')
        self.stub.mention('a teapot', rita)
        self.receive()
        self.mentions(account_id=self.account.id).author_id.action_block()
        self.stub.mention('another teapot', rita)
        self.receive()
        self.assertEqual(
            set(self.mentions(account_id=self.account.id).mapped('state')), {'ignored'}
        )

    def test_hashtags_of_rules_become_streams_and_go_with_them(self):
        rule = self.make_rule(hashtags='#teapot')
        stream = self.stream('hashtag')
        self.assertEqual((stream.query, stream.active), ('teapot', True))
        self.stub.hashtags['teapot'] = [
            self.stub.status('look at this #teapot', tags=[{'name': 'teapot', 'url': 'x'}])
        ]
        self.receive()
        self.assertEqual(self.mentions(account_id=self.account.id).kind, 'search')
        self.assertEqual(self.mentions(account_id=self.account.id).rule_ids, rule)
        rule.unlink()
        self.assertFalse(stream.active)

    def test_a_network_is_asked_for_no_more_words_than_needed(self):
        self.make_rule(expression='#teapot OR ("looking for" OR buy) AND kettle AND @acme')
        searches = self.account.stream_ids.filtered('query').mapped('query')
        self.assertEqual(sorted(searches), ['kettle', 'teapot'])

    def test_many_accounts_cost_a_change_of_a_rule_no_more_queries(self):
        rule = self.make_rule(hashtags='#teapot')

        def queries(tag):
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            rule.hashtags = tag
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        queries('#cup')
        few = queries('#pot')
        for number in range(5):
            self.connect(self.app, self.manager, username=f'more{number}', number=str(900 + number))
        self.assertLessEqual(queries('#kettle'), few + 1)
        streams = self.env['social.crm.stream'].search([('query', '=', 'kettle')])
        self.assertEqual(len(streams), 6)

    def test_a_search_hit_that_was_written_to_us_becomes_a_mention(self):
        rule = self.make_rule([{'kind': 'lead'}], hashtags='teapot', kind_search=True)
        only_mentions = self.make_rule(
            [{'kind': 'lead'}], keywords='#teapot', kind_mention=True, kind_search=False
        )
        notification = self.stub.mention('do you sell a #teapot?')
        self.stub.hashtags['teapot'] = [notification['status']]
        self.stream().active = False
        self.receive()
        mention = self.mentions(account_id=self.account.id)
        self.assertEqual((mention.kind, mention.rule_ids), ('search', rule))
        self.stream_of_notifications().active = True
        self.receive()
        self.assertEqual(mention.kind, 'mention')
        self.assertEqual(mention.rule_ids, rule | only_mentions)
        self.assertEqual(len(mention.lead_id), 1)

    def stream_of_notifications(self):
        streams = self.account.with_context(active_test=False).stream_ids
        return streams.filtered(lambda stream: stream.kind == 'notifications')

    def test_the_same_account_in_two_companies_stays_apart(self):
        company = self.env['res.company'].create({'name': 'Second'})
        other = self.connect(self.make_app(company), self.manager)
        self.stub.mention('for both')
        self.receive()
        self.assertEqual(len(self.mentions(account_id=self.account.id)), 1)
        self.assertEqual(len(self.mentions(account_id=other.id)), 1)
        self.assertEqual(self.mentions(account_id=other.id).author_id.company_id, company)

    def test_screens_are_told_no_content(self):
        sent = []
        self.patch(
            type(self.env['bus.bus']),
            '_sendone',
            lambda self, target, kind, message: sent.append((target, kind, message)),
        )
        self.stub.mention('secret words')
        self.receive()
        [(target, _kind, message)] = [row for row in sent if row[1] == 'social_crm.mention']
        self.assertEqual(target, self.env.ref('social_crm.social_crm_group_user'))
        self.assertEqual(set(message), {'ids', 'company_id'})

    def test_statements_per_page_do_not_grow_with_the_mentions_in_it(self):
        counts = []
        for size in (5, 50):
            for number in range(size):
                self.stub.mention(f'{size} {number}', self.stub.account(f'author{number}'))
            with self.loop('social.crm.stream') as Stream:
                stream = Stream.browse(self.stream().id)
                page = stream._request()()
                self.env.flush_all()
                before = Stream.env.cr.sql_log_count
                stream._store_page(*page)
                Stream.env.flush_all()
                counts.append(Stream.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 1)


class _Done:
    """A future that is done already."""

    def __init__(self, request):
        self.request = request

    def result(self):
        return self.request()


def _boom(*_args):
    raise RuntimeError('boom')
