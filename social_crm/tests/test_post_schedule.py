from datetime import date, datetime, timedelta

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.social_crm import walltime

from .delivering import DeliveryCase


@tagged('post_install', '-at_install')
class TestPostSchedule(DeliveryCase):
    """When posts go out, and how the calendar shows it."""

    def test_wall_times_in_their_zones(self):
        cases = [
            ('Asia/Kolkata', date(2027, 1, 5), 9.5, datetime(2027, 1, 5, 4, 0)),
            ('Asia/Kathmandu', date(2027, 1, 5), 0.0, datetime(2027, 1, 4, 18, 15)),
            ('Australia/Lord_Howe', date(2027, 7, 1), 12.0, datetime(2027, 7, 1, 1, 30)),
            ('America/St_Johns', date(2027, 1, 5), 23.75, datetime(2027, 1, 6, 3, 15)),
            ('Europe/Berlin', date(2027, 1, 5), 9.0, datetime(2027, 1, 5, 8, 0)),
            ('Europe/Berlin', date(2027, 7, 5), 9.0, datetime(2027, 7, 5, 7, 0)),
            ('UTC', date(2027, 1, 5), 9 + 5 / 60, datetime(2027, 1, 5, 9, 5)),
        ]
        for zone, day, hours, expected in cases:
            with self.subTest(f'{zone} {day} {hours}'):
                post = self.post(
                    tz=zone, schedule='later', scheduled_date=day, scheduled_time=hours
                )
                self.assertEqual(post.due_at, expected)
                post.action_submit()
                self.assertEqual(post.publication_ids.due_at, expected)
                self.assertIn('UTC', post.schedule_note)

    def test_missing_and_double_hours_are_refused(self):
        cases = [
            ('Europe/Berlin', date(2027, 3, 28), 2.5, 'no 02:30', '01:59', '03:00'),
            ('Europe/Berlin', date(2027, 10, 31), 2.5, 'twice', '01:59', '03:00'),
            ('Australia/Lord_Howe', date(2027, 10, 3), 2.25, 'no 02:15', '01:59', '02:30'),
            ('Australia/Lord_Howe', date(2027, 4, 4), 1.75, 'twice', '01:29', '02:00'),
            ('Pacific/Apia', date(2011, 12, 30), 12.0, 'no 12:00', '23:59', '00:00'),
        ]
        for zone, day, hours, *words in cases:
            with self.subTest(f'{zone} {day} {hours}'):
                with self.assertRaises(ValidationError) as caught:
                    self.post(tz=zone, schedule='later', scheduled_date=day, scheduled_time=hours)
                for word in words:
                    self.assertIn(word, str(caught.exception))
        post = self.post(
            tz='Europe/Berlin',
            schedule='later',
            scheduled_date=date(2027, 3, 28),
            scheduled_time=3.0,
        )
        self.assertEqual(post.due_at, datetime(2027, 3, 28, 1, 0))

    def test_every_quarter_hour_comes_back(self):
        for zone in ('Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'):
            moment = datetime(2027, 1, 1)
            while moment < datetime(2028, 1, 1):
                wall = walltime.to_wall(moment, zone)
                try:
                    self.assertEqual(walltime.to_utc(wall, zone), moment, zone)
                except walltime.ClockChange as change:
                    self.assertFalse(change.missing)
                moment += timedelta(minutes=45)

    def test_dragging_in_the_calendar_keeps_the_zone(self):
        post = self.post(
            tz='Asia/Kolkata', schedule='later', scheduled_date=date(2027, 1, 5), scheduled_time=9.5
        )
        post.action_submit()
        post.due_at = '2027-01-07 04:00:00'
        self.assertRecordValues(
            post,
            [
                {
                    'scheduled_date': date(2027, 1, 7),
                    'scheduled_time': 9.5,
                    'tz': 'Asia/Kolkata',
                    'due_at': datetime(2027, 1, 7, 4, 0),
                    'scheduled_wall': '2027-01-07 09:30',
                    'state': 'scheduled',
                }
            ],
        )
        self.assertEqual(post.publication_ids.due_at, datetime(2027, 1, 7, 4, 0))

    def test_the_calendar_loads_some_of_a_day_and_counts_the_others(self):
        day = date(2031, 3, 10)
        posts = self.env['social.crm.post']
        for place in range(6):
            posts |= self.post(
                f'Post {place}',
                tz='UTC',
                schedule='later',
                scheduled_date=day,
                scheduled_time=20 + place / 2,
            )
        last = posts[3].sudo()
        last.write({'step': 'approved'})
        last.publication_ids.delivery_state = 'failed'
        posts |= self.post(
            'Alone', schedule='later', scheduled_date=date(2031, 3, 20), scheduled_time=8
        )
        Post = self.env['social.crm.post'].with_user(self.author)
        domain = [('due_at', '>=', '2031-03-01'), ('due_at', '<', '2031-04-01')]
        found = Post.calendar_posts(domain, ['name'], 'UTC', 3)
        names = ['Post 0', 'Post 1', 'Post 3', 'Alone']
        self.assertEqual([one['name'] for one in found['records']], names)
        self.assertEqual(found['more'], {'2031-03-10': 3})
        found = Post.calendar_posts(domain, ['name'], 'Asia/Kolkata', 3)
        self.assertEqual(len(found['records']), 4, 'there they are all of the 11th')
        self.assertEqual(found['more'], {'2031-03-11': 3})
        found = Post.calendar_posts(domain, ['name'], 'Europe/Paris', 500)
        self.assertEqual((len(found['records']), found['more']), (7, {}))
        stranger = new_test_user(self.env, 'sc_no', 'base.group_user')
        with self.assertRaises(AccessError):
            Post.with_user(stranger).calendar_posts([], ['name'], 'UTC', 3)

    def test_a_click_in_the_calendar_fills_the_time_in(self):
        self.author.tz = 'Asia/Kolkata'
        Post = (
            self.env['social.crm.post']
            .with_user(self.author)
            .with_context(
                default_due_at='2027-01-07 04:00:00',
                tz='Asia/Kolkata',
            )
        )
        with Form(Post) as form:
            self.assertEqual(
                (form.schedule, form.scheduled_date, form.tz),
                ('later', date(2027, 1, 7), 'Asia/Kolkata'),
            )
            self.assertEqual(form.scheduled_time, 9.5)
            form.text = 'Clicked'
            form.account_ids = self.account
        self.assertEqual(form.record.due_at, datetime(2027, 1, 7, 4, 0))

    def test_a_time_that_has_passed_is_refused(self):
        post = self.post(**self.later(hours=-2))
        with self.assertRaisesRegex(ValidationError, 'has passed'):
            post.action_submit()
        post.write(self.later(hours=2))
        post.action_submit()
        with self.assertRaisesRegex(ValidationError, 'has passed'):
            post.due_at = fields.Datetime.now() - timedelta(days=1)

    def test_a_post_after_the_end_of_a_login_is_marked(self):
        credential = self.env['social.crm.credential'].search(
            [('account_id', '=', self.account.id)]
        )
        credential.expires_at = fields.Datetime.now() + timedelta(days=3)
        soon, late = self.post(**self.later(days=2)), self.post('Late', **self.later(days=5))
        self.assertEqual((soon.after_expiry, late.after_expiry), (False, True))
        self.assertTrue(late.is_hatched)
        self.assertIn('ends before the post is due', str(late.check_summary))
