from datetime import datetime, timedelta

from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from odoo.addons.social_crm.tools import claim

from .common import SocialCrmCase


@tagged('post_install', '-at_install')
class TestHourly(SocialCrmCase):
    def sum_up(self):
        Hourly = self.env['social.crm.mention.hourly']
        while Hourly._sum_up():
            pass
        self.assert_days_are_their_hours()

    def assert_days_are_their_hours(self):
        names = ('mention_count:sum', 'answered_count:sum', 'lead_count:sum', 'ticket_count:sum')
        averages = ('sentiment:avg', 'response_hours:avg')
        hours, days = (
            self.env[f'social.crm.mention.{model}']._read_group(
                [],
                ['company_id', 'account_id', 'kind', 'sentiment_label', 'campaign_id', 'owner_id'],
                [*names, *averages],
            )
            for model in ('hourly', 'daily')
        )
        self.assertEqual(len(hours), len(days))
        for hour, day in zip(hours, days, strict=True):
            self.assertEqual(hour[:-2], day[:-2])
            for one, other in zip(hour[-2:], day[-2:], strict=True):
                self.assertAlmostEqual(one or 0, other or 0, 3)

    def total(self, model='mention', domain=(), *aggregates):
        [values] = self.env[f'social.crm.{model}.hourly']._read_group(
            [*domain], [], aggregates or ('mention_count:sum',)
        )
        return values if aggregates else values[0] or 0

    def test_sums_follow_what_comes_in(self):
        rule = self.make_rule(name='Tea', keywords='tea')
        for text in ('I love this tea, great!', 'Terrible tea, I hate it', 'Nothing of note'):
            self.stub.mention(text)
        self.receive()
        self.sum_up()
        self.assertEqual(self.total(), 3)
        self.assertEqual(self.total('rule', [('rule_id', '=', rule.id)]), 2)
        by_label = dict(
            self.env['social.crm.mention.hourly']._read_group(
                [], ['sentiment_label'], ['mention_count:sum']
            )
        )
        self.assertEqual(by_label, dict.fromkeys(self.mentions().mapped('sentiment_label'), 1))
        self.assertFalse(self.env['social.crm.hour.mark'].sudo().search([]))

    def test_no_more_marks_are_taken_than_asked(self):
        """Nor claimed, by the plan for a table that was nearly empty when it was last analysed."""
        Mark, start = self.env['social.crm.hour.mark'], datetime(2026, 1, 1)
        hours = [(self.company.id, start + timedelta(hours=number)) for number in range(50)]
        Mark._mark(hours[:1])
        Mark._store()
        self.env.cr.execute('ANALYZE social_crm_hour_mark')
        Mark._mark(hours[1:])
        Mark._store()
        query = 'SELECT id FROM social_crm_hour_mark ORDER BY id LIMIT 8 FOR UPDATE SKIP LOCKED'
        first = claim(Mark, SQL(query), SQL('hour = hour'))
        self.assertEqual(first.mapped('hour'), [hour for _company, hour in hours[:8]])
        self.assertEqual(Mark._take(8), hours[:8])

    def test_late_changes(self):
        """A corrected sentiment, a campaign by hand, an answer, a deletion, a rule that is new."""
        for number in range(3):
            self.stub.mention(f'I love this tea, great! {number}')
        self.receive()
        self.sum_up()
        first, second, _third = mentions = self.mentions()
        campaign = self.env['utm.campaign'].create({'title': 'Spring'})
        first.write({'sentiment_label': 'negative', 'campaign_id': campaign.id})
        second.sudo().answered_at = second.posted_at + timedelta(hours=3)
        rule = self.make_rule(name='Tea', keywords='tea')
        mentions[2].rule_ids = rule
        self.sum_up()
        self.assertEqual(self.total(domain=[('sentiment_label', '=', 'negative')]), 1)
        self.assertEqual(self.total(domain=[('campaign_id', '=', campaign.id)]), 1)
        self.assertEqual(
            self.total('mention', [], 'answered_count:sum', 'response_hours:avg'), (1, 3)
        )
        self.assertEqual(self.total('rule'), 1)
        mentions[2].sudo().deleted_at = datetime(2026, 1, 1)
        self.sum_up()
        self.assertEqual((self.total(), self.total('rule')), (2, 0))

    def test_summing_up_twice_changes_nothing(self):
        self.stub.mention('tea')
        self.receive()
        self.sum_up()
        before = self.env['social.crm.mention.hourly'].search_read([], ['hour', 'mention_count'])
        self.mentions()._mark_hours()
        self.mentions()._mark_hours()
        self.sum_up()
        after = self.env['social.crm.mention.hourly'].search_read([], ['hour', 'mention_count'])
        self.assertEqual(
            [(row['hour'], row['mention_count']) for row in before],
            [(row['hour'], row['mention_count']) for row in after],
        )

    def test_numbers_outlive_the_mentions(self):
        self.stub.mention('tea')
        self.receive()
        self.sum_up()
        self.mentions().sudo().unlink()
        self.sum_up()
        self.assertEqual(self.total(), 1)

    def test_averages_are_weighted(self):
        Hourly = self.env['social.crm.mention.hourly']
        shared = {
            'company_id': self.company.id,
            'account_id': self.account.id,
            'network': 'mastodon',
            'kind': 'mention',
            'sentiment_label': 'positive',
        }
        Hourly.create(
            [
                {
                    **shared,
                    'hour': '2026-01-01 10:00:00',
                    'mention_count': 9,
                    'scored_count': 9,
                    'sentiment': 1.0,
                    'answered_count': 1,
                    'response_hours': 10.0,
                },
                {
                    **shared,
                    'hour': '2026-01-01 11:00:00',
                    'mention_count': 1,
                    'scored_count': 1,
                    'sentiment': 0.0,
                    'answered_count': 3,
                    'response_hours': 2.0,
                },
            ]
        )
        values = self.total('mention', [], 'sentiment:avg', 'response_hours:avg')
        self.assertAlmostEqual(values[0], 0.9)
        self.assertAlmostEqual(values[1], 4.0)

    def test_weekday_and_hour_are_the_readers(self):
        """Wednesday 23:30 in UTC is Thursday 00:30 in Vienna."""
        self.env['social.crm.mention.hourly'].create(
            {'company_id': self.company.id, 'hour': '2026-01-07 23:00:00', 'mention_count': 1}
        )
        Hourly = self.env['social.crm.mention.hourly'].with_context(tz='Europe/Vienna')
        self.assertEqual(
            Hourly._read_group([], ['weekday', 'clock'], ['__count']), [('4', '00', 1)]
        )
        [group] = Hourly.formatted_read_group([], ['weekday', 'clock'], ['__count'])
        shown = Hourly.search(group['__extra_domain'])
        self.assertEqual((shown.weekday, shown.clock), ('4', '00'))
        self.assertFalse(Hourly.search([('weekday', '=', '3')]))
        for name in ('weekday', 'clock'):
            self.assertTrue(Hourly.fields_get([name])[name]['groupable'])

    def test_who_sees_what(self):
        self.connect(self.app, self.user, kind='personal', username='own', number='5')
        own = self.env['social.crm.account'].search([('kind', '=', 'personal')])
        self.env['social.crm.mention.hourly'].create(
            [
                {
                    'company_id': self.company.id,
                    'account_id': account.id,
                    'hour': '2026-01-07 23:00:00',
                    'owner_id': owner,
                    'mention_count': 1,
                }
                for account, owner in ((self.account, False), (own, self.user.id))
            ]
        )
        stranger = new_test_user(self.env, 'sc_stranger', 'base.group_user')
        Hourly = self.env['social.crm.mention.hourly']
        self.assertEqual(Hourly.with_user(self.user).search_count([]), 2)
        self.assertEqual(Hourly.with_user(self.marketing).search_count([]), 1)
        self.assertFalse(Hourly.with_user(stranger).has_access('read'))


@tagged('post_install', '-at_install')
class TestCampaignOfMention(SocialCrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.campaign, cls.other = cls.env['utm.campaign'].create(
            [{'title': 'Spring'}, {'title': 'Other'}]
        )

    def sent(self, **values):
        post = self.env['social.crm.post'].create(
            {'text': 'Tea!', 'account_ids': self.account.ids, 'campaign_id': self.campaign.id}
        )
        row = post.publication_ids
        row.write({'delivery_state': 'sent', 'sent_at': datetime(2026, 1, 1), **values})
        return row

    def test_a_reply_to_our_post_has_its_campaign(self):
        self.sent(external_id='https://x/1', local_id='4711')
        self.stub.mention('which tea?', in_reply_to_id='4711')
        self.stub.mention('other matters', in_reply_to_id='4712')
        self.receive()
        self.assertEqual(self.mentions(text='which tea?').campaign_id, self.campaign)
        self.assertFalse(self.mentions(text='other matters').campaign_id)

    def test_a_rule_gives_its_campaign(self):
        rule = self.make_rule(name='Tea', keywords='tea', campaign_id=self.other.id)
        self.sent(external_id='https://x/1', local_id='4711')
        self.stub.mention('some tea')
        self.stub.mention('which tea?', in_reply_to_id='4711')
        self.receive()
        self.assertEqual(self.mentions(text='some tea').campaign_id, self.other)
        self.assertEqual(self.mentions(text='which tea?').campaign_id, self.campaign)
        rule.campaign_id = False
        self.stub.mention('more tea')
        rule.paused = True
        self.receive()
        self.assertFalse(self.mentions(text='more tea').campaign_id)

    def test_by_hand(self):
        self.stub.mention('tea')
        self.receive()
        mention = self.mentions().with_user(self.user)
        mention.campaign_id = self.campaign
        self.assertEqual(mention.campaign_id, self.campaign)
