from datetime import datetime

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import SocialCrmCase


@tagged('post_install', '-at_install')
class TestDashboard(SocialCrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        shared = {
            'company_id': cls.company.id,
            'account_id': cls.account.id,
            'network': 'mastodon',
            'kind': 'mention',
        }
        # 23:30 UTC on the 9th is the 10th in Vienna; the 3rd lies in the seven days before.
        for hour, tone, count, scored, sentiment, answered, hours, leads in (
            ('2026-06-09 22:00', 'positive', 4, 4, 0.5, 2, 3.0, 1),
            ('2026-06-10 09:00', 'negative', 6, 6, -0.5, 1, 6.0, 0),
            ('2026-06-03 09:00', 'unknown', 5, 0, 0.0, 5, 1.0, 5),
            ('2026-05-01 09:00', 'positive', 99, 99, 1.0, 0, 0.0, 0),
        ):
            cls.env['social.crm.mention.hourly'].create(
                {
                    **shared,
                    'hour': f'{hour}:00',
                    'sentiment_label': tone,
                    'mention_count': count,
                    'scored_count': scored,
                    'sentiment': sentiment,
                    'answered_count': answered,
                    'response_hours': hours,
                    'lead_count': leads,
                }
            )
        rule = cls.make_rule(name='Tea', keywords='tea')
        cls.env['social.crm.rule.hourly'].create(
            {
                **shared,
                'hour': '2026-06-10 09:00:00',
                'rule_id': rule.id,
                'mention_count': 3,
                'sentiment_label': 'positive',
            }
        )

    def data(self, user=None, **values):
        dashboard = self.env['social.crm.dashboard'].with_user(user or self.marketing)
        with freeze_time('2026-06-10 12:00:00'):
            return dashboard.with_context(tz='Europe/Vienna').get_data(**values)

    def test_a_week(self):
        data = self.data(days=7)
        self.assertEqual(data['tiles']['mention_count'], [10, 5])
        self.assertEqual(data['tiles']['answered_count'], [3, 5])
        self.assertEqual(data['tiles']['response_hours'], [4.0, 1.0])  # (2 * 3 + 1 * 6) / 3
        self.assertAlmostEqual(data['tiles']['sentiment'][0], -0.1)
        self.assertEqual(data['tiles']['lead_count'], [1, 5])
        self.assertEqual(
            (data['trend']['labels'][0], len(data['trend']['labels'])), ('2026-06-04', 7)
        )
        counts = {row['tone']: row['counts'] for row in data['trend']['series']}
        self.assertEqual(counts['positive'], [0, 0, 0, 0, 0, 0, 4])
        self.assertEqual(counts['negative'], [0, 0, 0, 0, 0, 0, 6])
        self.assertEqual(
            [(row['name'], row['count']) for row in data['networks']], [('Mastodon', 10)]
        )
        self.assertEqual([(row['name'], row['count']) for row in data['voice']], [('Tea', 3)])

    def test_best_times(self):
        for day, likes in ((2, 10), (9, 20), (3, 1), (10, 1), (4, 500)):
            post = self.env['social.crm.post'].create(
                {'text': f'Post {day}', 'account_ids': self.account.ids}
            )
            post.publication_ids.write(
                {
                    'delivery_state': 'sent',
                    'likes': likes,
                    'sent_at': datetime(2026, 6, day, 8, 30),
                }
            )
        slots = self.data()['slots']
        # Tuesdays and Wednesdays at ten in Vienna; one post on a Thursday tells nothing.
        self.assertEqual(
            [(slot['weekday'], slot['hour'], slot['average']) for slot in slots],
            [(2, 10, 15.0), (3, 10, 1.0)],
        )

    def test_money_is_for_marketing(self):
        self.assertEqual(self.data()['campaigns']['rows'], [])
        self.assertIsNone(self.data(self.user)['campaigns'])
        with self.assertRaises(AccessError):
            self.data(new_test_user(self.env, 'sc_nobody', 'base.group_user'))

    def test_odd_periods(self):
        self.assertEqual(self.data(days=0)['days'], 1)
        self.assertEqual(self.data(days=10**9)['days'], 730)
