from datetime import date, datetime, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.mail.tests.common import freeze_all_time
from odoo.addons.social_crm import best_time

from .delivering import DeliveryCase

NOW = datetime(2027, 3, 26, 12, 0)  # a Friday; clocks go forward on the Sunday
TEA = 2 * 24 + 18  # Wednesday at 18


@tagged('post_install', '-at_install')
class TestPostBestTime(DeliveryCase):
    """The best hour of the week, from own figures."""

    def setUp(self):
        super().setUp()
        clock = freeze_all_time(NOW)
        clock.__enter__()
        self.addCleanup(clock.__exit__, None, None, None)

    def history(self, hours, account=None, **values):
        """Have posts gone out before: (days ago, UTC hour, likes)."""
        account = account or self.account
        posts = self.env['social.crm.post'].create(
            [
                {'text': f'Old {number}', 'account_ids': account.ids, 'tz': 'UTC'}
                for number in range(len(hours))
            ]
        )
        for row, (days, hour, likes) in zip(posts.publication_ids, hours, strict=True):
            moment = datetime(2027, 3, 24, hour) - timedelta(days=days)
            row.write(
                {
                    'delivery_state': 'sent',
                    'sent_at': moment,
                    'due_at': moment,
                    'likes': likes,
                    'measured_at': moment + timedelta(days=2),
                    **values,
                }
            )

    def wednesdays(self, likes=40):
        """Four liked posts on Wednesdays at 17 UTC, and twenty others."""
        others = [(day, 8 + day % 3, 8 + day % 5) for day in range(1, 27) if day % 7][:20]
        return [(week * 7, 17, likes) for week in range(1, 5)] + others

    def draft(self, accounts=None, **values):
        return self.post(accounts=accounts, **{'tz': 'Europe/Berlin', **values})

    def test_the_next_free_best_hour_in_the_zone_of_the_post(self):
        self.history(self.wednesdays())
        post, other = self.draft(), self.draft()
        told = post.action_best_time()['params']
        self.assertEqual(told['type'], 'success')
        self.assertIn('Wed, 18:00 (Europe/Berlin): 4 posts', told['message'])
        self.assertRecordValues(
            post,
            [
                {
                    'state': 'draft',
                    'schedule': 'later',
                    'scheduled_wall': '2027-03-31 18:00',
                    'due_at': datetime(2027, 3, 31, 16, 0),
                }
            ],
        )
        other.action_best_time()
        self.assertEqual(other.scheduled_date, date(2027, 4, 7), 'that one is taken')

    def test_too_little_is_said_so(self):
        self.history(self.wednesdays()[:15])
        post = self.draft()
        told = post.action_best_time()['params']
        self.assertEqual(told['type'], 'warning')
        self.assertIn('too early', told['message'])
        self.assertIn('15 posts with figures so far, and 20 are needed', told['message'])
        self.assertFalse(post.due_at)
        self.history(self.wednesdays(), self.second)
        told = self.draft(self.account | self.second).action_best_time()['params']
        self.assertEqual(told['type'], 'success')
        self.assertIn('15 posts', told['message'], 'what does not count is told')

    def test_nothing_stands_out(self):
        self.history(self.wednesdays(likes=10))
        self.assertIn('stands out', self.draft().action_best_time()['params']['message'])

    def test_what_counts(self):
        self.history(self.wednesdays(), measured_at=False)
        self.history([(-1, 10, 500), (400, 17, 500)])
        self.assertEqual(self.draft()._figures_by_hour(), {self.account.id: []})
        self.history([(0, 9, 3)], comments=2, shares=1, clicks=4, views=900)
        self.assertEqual(self.draft()._figures_by_hour(), {self.account.id: [(58, 10)]})

    def test_rank(self):
        usual = [(hour, 10) for hour in range(24)]
        one_viral = {1: [*usual, (TEA, 1), (TEA, 2), (TEA, 100_000)]}
        self.assertFalse(best_time.rank(one_viral))
        self.assertFalse(best_time.rank({1: [*usual, (TEA, 100_000), (TEA, 90_000)]}), 'two posts')
        steady = {1: [*usual, (TEA, 30), (TEA, 40), (TEA, 35)]}
        self.assertEqual([hour.number for hour in best_time.rank(steady)], [TEA])
        self.assertEqual([hour.factor > 1 for hour in best_time.rank(steady)], [True])
        self.assertFalse(best_time.rank({1: [(hour % 5, 0) for hour in range(50)]}), 'no figures')
        self.assertFalse(best_time.rank({}))
        large = [(hour, 10_000) for hour in range(24)] + [(3, 9_000)] * 4
        small = [(hour, 2) for hour in range(24)] + [(TEA, 12)] * 4
        self.assertEqual([one.number for one in best_time.rank({1: large, 2: small})], [TEA])

    def test_rights(self):
        post = self.draft()
        for user in (self.user, self.approver):
            with self.assertRaises(AccessError):
                post.with_user(user).action_best_time()
        with self.assertRaises(UserError):
            self.draft(self.account.browse()).action_best_time()
