from datetime import datetime, timedelta, timezone

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.social_crm.providers.errors import AuthorizationLost, RateLimited, Transient

from .delivering import DeliveryCase, FakeNetwork


@tagged('post_install', '-at_install')
class TestMetric(DeliveryCase):
    """Reading the figures of what went out."""

    def setUp(self):
        super().setUp()
        self.rows = self.published('One')

    def published(self, text, accounts=None):
        post = self.post(text, accounts)
        post.action_submit()
        self.deliver()
        return post.publication_ids.sudo()

    def measure(self):
        self.env.flush_all()
        with self.loop('social.crm.publication') as Publication:
            return Publication._measure_due()

    def age(self, rows=None, **delta):
        """Make publications older, and their next look due."""
        for row in rows or self.rows:
            row.write(
                {
                    'sent_at': fields.Datetime.now() - timedelta(**delta),
                    'next_metric_at': fields.Datetime.now(),
                }
            )

    def pause(self):
        return self.rows.next_metric_at - fields.Datetime.now()

    def test_hourly_then_six_hourly_then_daily_then_never(self):
        first = self.rows.next_metric_at - self.rows.sent_at
        self.assertAlmostEqual(first.total_seconds(), 3600, delta=2)
        self.network.figures = {'1': {'likes': 1}}
        for age, hours in (({'hours': 5}, 1), ({'days': 2}, 6), ({'days': 8}, 24)):
            with self.subTest(age):
                self.age(**age)
                self.assertEqual(self.measure(), 1)
                self.assertAlmostEqual(self.pause().total_seconds(), hours * 3600, delta=5)
        self.age(days=91)
        self.measure()
        self.assertFalse(self.rows.next_metric_at)
        self.assertEqual(self.measure(), 0)

    def test_a_login_that_cannot_be_read_stops_no_other(self):
        other = self.connect(self.app, self.manager, username='other', number='78')
        rows = self.rows | self.published('Two', other)
        self.network.figures = {row.local_id or row.external_id: {'likes': 3} for row in rows}
        self.age(rows, hours=2)

        def provider(account):
            if account == other:
                return self.network
            raise UserError(self.env._('encrypted with another key'))

        self.patch(type(self.account), '_provider', provider)
        self.measure()
        self.assertEqual(rows.mapped('likes'), [0, 3])

    def test_totals_and_gains(self):
        for likes, comments in ((3, 1), (5, 1), (4, None)):
            self.network.figures = {'1': {'likes': likes, 'comments': comments, 'shares': 0}}
            self.age(hours=2)
            self.measure()
        history = self.rows.metric_ids.sorted('id')
        self.assertEqual(history.mapped('likes'), [3, 5, 4])
        self.assertEqual(history.mapped('likes_gain'), [3, 2, -1])
        self.assertEqual(history.mapped('comments_gain'), [1, 0, 0])
        self.assertEqual((self.rows.likes, self.rows.comments), (4, 1))
        self.assertEqual(self.rows.post_id.likes, 4)
        sums = self.env['social.crm.metric']._read_group(
            [('post_id', '=', self.rows.post_id.id)], ['post_id'], ['likes_gain:sum']
        )
        self.assertEqual(sums[0][1], 4)

    def test_one_call_per_account(self):
        self.networks[self.second.id] = other = FakeNetwork()
        rows = self.rows | self.published('Two', self.account | self.second)
        calls = []
        for network in (self.network, other):
            network.figures = {'1': {'likes': 1}, '2': {'likes': 2}}
            original = network.metrics
            network.metrics = lambda ids, original=original: (
                calls.append(sorted(ids)) or original(ids)
            )
        self.age(rows, hours=2)
        self.assertEqual(self.measure(), 3)
        self.assertEqual(sorted(calls), [['1'], ['1', '2']])
        self.assertEqual(sum(rows.mapped('likes')), 4)

    def test_a_failing_account_waits_and_the_others_go_on(self):
        self.networks[self.second.id] = FakeNetwork()
        other = self.published('Two', self.second)
        self.networks[self.second.id].figures = {'1': {'likes': 7}}
        until = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(minutes=40)
        for error, minutes in ((Transient('down', '503'), 15), (RateLimited('', '429', until), 40)):
            with self.subTest(type(error).__name__):
                self.network.metrics = _raise(error)
                self.age(self.rows | other, hours=2)
                self.measure()
                self.assertAlmostEqual(self.pause().total_seconds(), minutes * 60, delta=5)
                self.assertEqual(other.likes, 7)
        self.network.metrics = _raise(AuthorizationLost('gone', '401'))
        self.age(hours=2)
        self.measure()
        self.assertEqual(self.account.state, 'reconnect')
        self.age(hours=2)
        self.assertEqual(self.measure(), 0, 'nothing is asked without a login')

    def test_what_is_gone_there_keeps_its_figures(self):
        self.network.figures = {'1': {'likes': 3}}
        self.age(hours=2)
        self.measure()
        self.network.figures = {}
        self.age(hours=3)
        self.measure()
        self.assertEqual((self.rows.likes, len(self.rows.metric_ids)), (3, 1))
        self.assertTrue(self.rows.next_metric_at)

    def test_the_button_asks_at_once(self):
        self.network.figures = {'1': {'likes': 1}}
        self.assertEqual(self.measure(), 0)
        self.rows.post_id.with_user(self.user).action_measure()
        self.assertEqual(self.measure(), 1)

    def test_a_claimed_row_is_nobody_elses(self):
        self.age(hours=2)
        self.env.flush_all()
        with self.loop('social.crm.publication') as Publication:
            self.assertEqual(len(Publication._claim_to_measure()), 1)
            self.assertEqual(len(Publication._claim_to_measure()), 0)


def _raise(error):
    def call(ids):
        raise error

    return call
