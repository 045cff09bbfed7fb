import base64
from datetime import date, datetime, timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from odoo.addons.mail.tests.common import freeze_all_time

from .delivering import DeliveryCase

NOW = datetime(2027, 3, 1, 12, 0)  # a Monday; clocks go forward on the 28th in Berlin


@tagged('post_install', '-at_install')
class TestPostSeries(DeliveryCase):
    """Posts that repeat."""

    def setUp(self):
        super().setUp()
        clock = freeze_all_time(NOW)
        clock.__enter__()
        self.addCleanup(clock.__exit__, None, None, None)

    def first(self, text='Tea time', day=date(2027, 3, 2), hours=9.0, submit=True, **values):
        post = self.post(
            text,
            schedule='later',
            tz='Europe/Berlin',
            scheduled_date=day,
            scheduled_time=hours,
            **values,
        )
        if submit:
            post.action_submit()
        return post

    def repeat(self, post, **rule):
        return (
            self.env['social.crm.post.series']
            .with_user(post.env.user)
            .create({'origin_id': post.id, **rule})
        )

    def days(self, series):
        return [f'{post.scheduled_date:%m-%d}' for post in self.posts(series)]

    def posts(self, series):
        return series.sudo().post_ids.sorted('series_date')

    def run_cron(self, now):
        self.env.flush_all()
        with freeze_all_time(now), self.loop('social.crm.post.series') as Series:
            Series._cron_make_ahead()

    # --- days and times

    def test_days_of_the_rules(self):
        cases = [
            ({'unit': 'day', 'every': 10}, ['03-02', '03-12', '03-22', '04-01']),
            ({'unit': 'week'}, ['03-02', '03-09', '03-16', '03-23', '03-30']),
            (
                {'unit': 'week', 'every': 2, 'mon': True, 'thu': True},
                ['03-02', '03-04', '03-15', '03-18', '03-29', '04-01'],
            ),
            ({'unit': 'day', 'end': 'until', 'until': '2027-03-04'}, ['03-02', '03-03', '03-04']),
            ({'unit': 'day', 'end': 'count', 'count': 3}, ['03-02', '03-03', '03-04']),
        ]
        for rule, days in cases:
            with self.subTest(rule):
                series = self.repeat(self.first(), **rule)
                self.assertEqual(self.days(series), days)
                ended = 'end' in rule
                self.assertEqual(series.state, 'ended' if ended else 'running')
                self.assertEqual(set(self.posts(series).mapped('state')), {'scheduled'})

    def test_the_last_day_of_the_month(self):
        series = self.repeat(self.first(day=date(2027, 3, 31)), unit='month')
        self.assertEqual(self.days(series), ['03-31'])
        for now in (datetime(2027, 4, 1), datetime(2027, 5, 1), datetime(2028, 2, 1)):
            self.run_cron(now)
        self.assertEqual(
            self.days(series),
            ['03-31', '04-30', '05-31', '02-29'],
            'what the server slept through is not made up for',
        )

    def test_wall_time_through_the_change_of_the_clock(self):
        series = self.repeat(self.first(hours=2.5, day=date(2027, 3, 26)), unit='day')
        posts = self.posts(series)[:4]
        self.assertEqual(
            posts.mapped('due_at'),
            [
                datetime(2027, 3, 26, 1, 30),
                datetime(2027, 3, 27, 1, 30),
                datetime(2027, 3, 28, 1, 0),  # there is no 02:30: it is 03:00 then
                datetime(2027, 3, 29, 0, 30),
            ],
        )
        self.assertIn('03:00', ' '.join(posts[2].message_ids.mapped('body')))
        self.assertEqual(posts[3].scheduled_wall, '2027-03-29 02:30')
        with freeze_all_time(datetime(2027, 10, 25)):
            twice = self.repeat(self.first('Twice', hours=2.5, day=date(2027, 10, 30)), unit='day')
        self.assertEqual(self.posts(twice)[1].due_at, datetime(2027, 10, 31, 2, 0))

    # --- what a repetition is

    def test_repetitions_say_all_that_the_post_said(self):
        file = (
            self.env['ir.attachment']
            .with_user(self.author)
            .create(
                {
                    'name': 'cat.png',
                    'raw': base64.b64decode(b'iVBORw0KGgo='),
                    'mimetype': 'image/png',
                }
            )
        )
        campaign = self.env['utm.campaign'].create({'name': 'Spring'})
        post = self.first(
            accounts=self.account | self.second,
            submit=False,
            campaign_id=campaign.id,
            attachment_ids=[Command.set(file.ids)],
            media_description='A cat',
            first_comment='More',
            link='https://example.com',
            track_links=False,
        )
        post.publication_ids.filtered(lambda row: row.account_id == self.second).text = 'Own'
        series = self.repeat(post)
        self.assertEqual((series.state, self.days(series)), ('draft', ['03-02']))
        post.action_submit()
        again = self.posts(series)[1]
        self.assertRecordValues(
            again,
            [
                {
                    'text': 'Tea time',
                    'first_comment': 'More',
                    'link': 'https://example.com',
                    'campaign_id': campaign.id,
                    'user_id': self.author.id,
                    'create_uid': self.author.id,
                    'media_description': 'A cat',
                    'track_links': False,
                    'state': 'scheduled',
                }
            ],
        )
        texts = {row.account_id: row.full_text for row in again.publication_ids}
        self.assertEqual(texts, {self.account: 'Tea time', self.second: 'Own'})
        copy = again.attachment_ids
        self.assertEqual((copy.name, copy.raw, copy.res_id), ('cat.png', file.raw, again.id))
        self.assertNotEqual(copy, file)
        self.assertFalse(again.publication_ids[0].warnings, 'repeated on purpose')
        same = self.first(link='https://example.com')
        self.assertIn('same text', same.publication_ids.warnings)

    def test_each_goes_out_once(self):
        series = self.repeat(self.first(), unit='day', end='count', count=3)
        for post in self.posts(series):
            with freeze_all_time(post.due_at + timedelta(seconds=30)):
                self.deliver()
                self.deliver()
        self.assertEqual(self.network.texts, ['Tea time'] * 3)
        self.assertEqual(set(self.posts(series).mapped('state')), {'published'})

    def test_a_crash_leaves_none_out_and_makes_none_twice(self):
        series = self.repeat(self.first(), unit='day')
        before, make = len(self.posts(series)), type(series)._make_post
        calls = []

        def dies(self, *args):
            calls.append(args)
            if len(calls) == 3:
                raise MemoryError
            return make(self, *args)

        later = NOW + timedelta(days=5)
        log = 'odoo.addons.social_crm.tools'
        with patch.object(type(series), '_make_post', dies), self.assertLogs(log, 'ERROR'):
            self.run_cron(later)
        self.assertEqual(len(self.posts(series)), before)
        for _run in range(2):
            self.run_cron(later)
        posts = self.posts(series)
        self.assertEqual(len(posts), before + 5)
        self.assertEqual(len(set(posts.mapped('series_date'))), before + 5)
        self.assertEqual(series.next_date, posts[-1].series_date + timedelta(days=1))

    # --- approval

    def test_each_repetition_waits_for_approval(self):
        self.company.social_crm_post_approval = True
        series = self.repeat(self.first())
        posts = self.posts(series)
        self.assertEqual(set(posts.mapped('state')), {'waiting'})
        self.assertEqual(
            len(
                posts[1:].activity_ids.filtered(lambda activity: activity.user_id == self.approver)
            ),
            1,
            'they are asked once',
        )
        posts.with_user(self.approver).action_approve()
        self.run_cron(NOW + timedelta(days=7))
        self.assertEqual(
            self.posts(series).mapped('state'), ['scheduled'] * len(posts) + ['waiting']
        )

    def test_who_changes_what_an_approver_repeats_needs_approval(self):
        self.company.social_crm_post_approval = True
        series = self.repeat(self.first(user=self.manager))
        posts = self.posts(series)
        self.assertEqual(set(posts.mapped('state')), {'scheduled'})
        posts[0].with_user(self.author).text = 'Only this one'
        self.assertEqual(posts.mapped('state'), ['waiting'] + ['scheduled'] * 4)
        series.with_user(self.author).every = 2
        self.assertEqual(set(self.posts(series)[1:].mapped('state')), {'waiting'})
        self.assertEqual(series.user_id, self.author)

    # --- edit and stop

    def test_an_edit_of_one_is_of_that_one_until_all_following_are_wanted_so(self):
        series = self.repeat(self.first())
        second = self.posts(series)[1].with_user(self.author)
        second.text = 'Coffee time'
        self.assertEqual(
            self.posts(series).mapped('text'), ['Tea time', 'Coffee time'] + ['Tea time'] * 3
        )
        self.posts(series)[3].with_user(self.author).action_cancel()
        second.action_repeat_this()
        self.assertEqual(self.days(series), ['03-02', '03-09', '03-16', '03-23', '03-30'])
        self.assertEqual(
            self.posts(series).mapped('text'),
            ['Tea time', 'Coffee time', 'Coffee time', 'Tea time', 'Coffee time'],
        )
        self.assertEqual(self.posts(series)[3].state, 'cancelled', 'and stays so')

    def test_another_rule_replaces_what_is_not_out(self):
        series = self.repeat(self.first())
        with freeze_all_time(datetime(2027, 3, 9, 8, 0, 30)):
            self.deliver()
            series.write({'time': 17.5, 'tue': False, 'fri': True})
        self.assertEqual(
            self.days(series), ['03-02', '03-09', '03-12', '03-19', '03-26', '04-02', '04-09']
        )
        self.assertEqual(self.posts(series)[2].due_at, datetime(2027, 3, 12, 16, 30))
        planned = self.repeat(self.first('Thrice'), unit='day', end='count', count=3)
        planned.every = 2
        self.assertEqual(self.days(planned), ['03-02', '03-04', '03-06'])
        planned.count = 2
        self.assertEqual(self.days(planned), ['03-02', '03-04'])

    def test_a_deleted_repetition_stays_away_and_counts(self):
        series = self.repeat(self.first(), unit='day', end='count', count=4)
        self.posts(series)[1].with_user(self.author).unlink()
        series.time = 10
        self.assertEqual(self.days(series), ['03-02', '03-04', '03-05'])
        self.assertEqual(self.posts(series)[1].scheduled_wall, '2027-03-04 10:00')

    def test_a_series_follows_its_first_post_to_another_company(self):
        company = self.env['res.company'].create({'name': 'Second'})
        self.author.company_ids |= company
        account = self.connect(self.app.copy({'company_id': company.id}), self.manager)
        account.wanted_capabilities = 'publish'
        post = self.first(submit=False)
        series = self.repeat(post)
        post.write({'company_id': company.id, 'account_ids': account.ids})
        post.action_submit()
        self.assertEqual(series.company_id, company)
        self.assertEqual(self.posts(series).company_id, company)

    def test_stop_and_go_on(self):
        series = self.repeat(self.first())
        series.action_stop()
        self.assertEqual((series.state, self.days(series)), ('stopped', ['03-02']))
        self.run_cron(NOW + timedelta(days=7))
        self.assertEqual(self.days(series), ['03-02'])
        series.action_go_on()
        self.assertEqual((series.state, len(self.posts(series))), ('running', 5))

    def test_what_cannot_go_out_halts_the_series_with_the_reason(self):
        series = self.repeat(self.first())
        self.account._disconnect()  # the network did, no person was asked about the series
        for days in (7, 14):
            self.run_cron(NOW + timedelta(days=days))
        self.assertEqual(series.state, 'halted')
        self.assertIn('not connected', series.halt_reason)
        told = self.posts(series).activity_ids.filtered(lambda one: one.user_id == self.author)
        self.assertEqual(len(told), 1)

    def test_nobody_repeats_in_the_name_of_who_left(self):
        series = self.repeat(self.first())
        self.author.active = False
        self.run_cron(NOW + timedelta(days=7))
        self.assertEqual((series.state, len(self.posts(series))), ('halted', 5))
        told = self.posts(series).activity_ids.user_id
        self.assertEqual(told, self.manager, 'whose account it is')
        series.with_user(self.manager).action_go_on()
        self.assertEqual((series.state, series.user_id), ('running', self.manager))

    # --- form and rights

    def test_the_form(self):
        post = self.first(submit=False)
        action = post.action_repeat()
        Series = self.env['social.crm.post.series'].with_user(self.author)
        with Form(Series.with_context(**action['context'])) as form:
            self.assertEqual((form.time, form.tz), (9.0, 'Europe/Berlin'))
        series = form.record
        series.fri = True
        self.assertEqual(series.display_name, 'Tea time')
        self.assertIn('Tue, Fri', series.summary)
        self.assertIn('09:00 Europe/Berlin', series.summary)
        self.assertEqual(post.action_repeat()['res_id'], series.id)
        post.write({'scheduled_time': 10, 'text': 'Later'})
        post.action_submit()
        self.assertEqual(self.posts(series)[1].scheduled_wall, '2027-03-05 10:00')
        self.assertEqual(self.posts(series)[1].text, 'Later')

    def test_rules_make_sense(self):
        for rule in (
            {'every': 0},
            {'unit': 'week', 'tue': False},
            {'time': 24},
            {'end': 'until'},
            {'end': 'until', 'until': '2027-03-02'},
            {'end': 'count', 'count': 1},
        ):
            with self.subTest(rule), self.assertRaises(ValidationError):
                self.repeat(self.first(), **rule)
        with self.assertRaisesRegex(UserError, 'at which time'):
            self.repeat(self.post())
        post = self.first(submit=False)
        draft = self.repeat(post)
        with self.assertRaisesRegex(UserError, 'repeats already'):
            self.repeat(post)
        post.unlink()
        self.assertFalse(draft.exists())

    def test_rights(self):
        series = self.repeat(self.first())
        for values in ({'user_id': self.manager.id}, {'next_date': '2027-03-02'}, {'content': {}}):
            with self.subTest(values), self.assertRaises(AccessError):
                series.write(values)
        draft = self.first('Draft', submit=False)
        crafted = (
            self.env['social.crm.post.series']
            .with_user(self.author)
            .with_context(
                default_origin_id=draft.id,
                default_state='running',
                default_next_date='2027-03-03',
                default_every=3,
            )
            .create({})
        )
        self.assertRecordValues(crafted, [{'state': 'draft', 'next_date': False, 'every': 1}])
        crafted.unlink()
        with self.assertRaises(AccessError):
            self.first().series_id = series
        for user in (self.user, self.approver):
            with self.assertRaises(AccessError):
                series.with_user(user).every = 2
            with self.assertRaises(AccessError):
                series.with_user(user).action_stop()
            with self.assertRaises(AccessError):
                self.posts(series)[1].with_user(user).action_repeat_this()
        own = self.connect(self.app, self.author, kind='personal', username='me', number='79')
        mine = self.repeat(self.first(accounts=own))
        mixed = self.repeat(self.first(accounts=own | self.account))
        self.company.social_crm_post_approval = True
        (seen,) = mixed.origin_id.with_user(self.approver).web_read(
            {'series_id': {'fields': {'display_name': {}}}, 'series_summary': {}}
        )
        self.assertIn('Every week', seen['series_summary'], 'who approves is told that it repeats')
        stranger = self.stranger()
        Series = self.env['social.crm.post.series']
        self.assertEqual(Series.with_user(self.manager).search([]), series)
        self.assertEqual(Series.with_user(self.author).search([]), mixed | mine | series)
        self.assertFalse(Series.with_user(stranger).search([]))
