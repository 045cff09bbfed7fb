from datetime import date, datetime, timedelta

from odoo.exceptions import AccessError, RedirectWarning, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.mail.tests.common import freeze_all_time

from .delivering import DeliveryCase

WORKDAYS = dict.fromkeys(('mon', 'tue', 'wed', 'thu', 'fri'), True)
NOW = datetime(2027, 3, 26, 12, 0)  # a Friday; clocks go forward on the Sunday


@tagged('post_install', '-at_install')
class TestPostQueue(DeliveryCase):
    """Queue slots: the next free time of the week."""

    def slot(self, time=9.0, accounts=None, user=None, **values):
        accounts = self.account if accounts is None else accounts
        return (
            self.env['social.crm.slot']
            .with_user(user or self.author)
            .create(
                {
                    'time': time,
                    'tz': 'Europe/Berlin',
                    'account_ids': accounts.ids,
                    **(values or WORKDAYS),
                }
            )
        )

    def queue(self, text='Hello', accounts=None, **values):
        post = self.post(text, accounts, **values)
        post.action_queue()
        return post

    def test_posts_take_one_slot_after_the_other_in_wall_time(self):
        self.slot()
        self.slot(17.5, fri=True, tz='America/New_York')
        with freeze_all_time(NOW):
            posts = [self.queue(f'Post {number}') for number in range(3)]
            self.assertEqual(
                [post.due_at for post in posts],
                [
                    datetime(2027, 3, 26, 21, 30),  # 17:30 in New York
                    datetime(2027, 3, 29, 7, 0),  # 09:00 in Berlin, in summer time by now
                    datetime(2027, 3, 30, 7, 0),
                ],
            )
            self.assertRecordValues(
                posts[1],
                [
                    {
                        'state': 'scheduled',
                        'tz': 'Europe/Berlin',
                        'scheduled_wall': '2027-03-29 09:00',
                    }
                ],
            )
            self.assertEqual(posts[1].publication_ids.due_at, posts[1].due_at)
            found = (
                self.env['social.crm.post']
                .with_user(self.user)
                .calendar_posts(
                    [('due_at', '>', '2027-03-28'), ('due_at', '<', '2027-04-01')],
                    ['name'],
                    'UTC',
                    9,
                )
            )
            self.assertEqual([one['name'] for one in found['records']], ['Post 1', 'Post 2'])

    def test_what_is_moved_or_cancelled_gives_its_slot_back(self):
        self.slot()
        with freeze_all_time(NOW):
            monday, tuesday, wednesday = (self.queue(f'Post {number}') for number in range(3))
            first, second = monday.due_at, tuesday.due_at
            monday.action_cancel()
            tuesday.due_at = wednesday.due_at + timedelta(hours=1)
            self.assertEqual(self.queue('First again').due_at, first)
            self.post('By hand', scheduled_date=second.date(), scheduled_time=7, schedule='later')
            self.assertEqual(self.queue('Next').due_at, wednesday.due_at + timedelta(days=1))

    def test_a_slot_is_free_on_all_accounts_of_a_post(self):
        both = self.account | self.second
        self.slot(9.0, both)
        self.slot(8.0)
        with freeze_all_time(NOW):
            self.assertEqual(self.queue(accounts=self.second).due_at, datetime(2027, 3, 29, 7))
            self.assertEqual(self.queue('One', self.account).due_at, datetime(2027, 3, 29, 6))
            self.assertEqual(self.queue('Both', both).due_at, datetime(2027, 3, 30, 7))

    def test_no_common_slot(self):
        post = self.post(accounts=self.account | self.second)
        self.slot(9.0)
        self.slot(10.0, self.second)
        with self.assertRaisesRegex(RedirectWarning, 'in common'):
            post.action_queue()
        self.assertEqual((post.state, post.due_at), ('draft', False))

    def test_the_hour_that_a_clock_change_takes_is_left_out(self):
        self.slot(2.5, sun=True)
        with freeze_all_time(NOW):
            self.assertEqual(self.queue().scheduled_date, date(2027, 4, 4))

    def test_another_worker_was_quicker(self):
        """The slot is taken in the database, though nothing stands in the calendar yet."""
        self.slot()
        with freeze_all_time(NOW):
            first, other = self.queue(), self.post('Other')
            self.patch(type(other), '_taken_moments', lambda self, after: set())
            other.action_queue()
            self.assertEqual(other.due_at, first.due_at + timedelta(days=1))

    def test_a_queued_post_waits_for_approval_in_its_slot(self):
        self.company.social_crm_post_approval = True
        self.slot()
        with freeze_all_time(NOW):
            post = self.queue()
            self.assertEqual((post.state, post.due_at), ('waiting', datetime(2027, 3, 29, 7)))
            self.assertNotEqual(self.queue('Next').due_at, post.due_at)
            post.with_user(self.approver).action_approve()
            self.assertEqual(post.publication_ids.due_at, post.due_at)
            with self.assertRaises(UserError):
                post.action_queue()

    def test_slots_make_sense(self):
        for values in (
            {'time': 24.0},
            {'time': -1},
            {'mon': False},
            {'accounts': self.app.browse()},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.slot(**{'mon': True, **values})
        with Form(self.env['social.crm.slot'].with_user(self.author)) as form:
            form.time, form.mon, form.sun = 7.25, True, True
            form.account_ids = self.account
        self.assertEqual(form.record.display_name, 'Mon, Sun 07:15')
        self.assertEqual(self.account.slot_count, 1)

    def test_rights(self):
        own = self.connect(self.app, self.author, kind='personal', username='me', number='79')
        mine, brand = self.slot(8.0, own), self.slot()
        colleague = new_test_user(self.env, 'sc_mark2', 'social_crm.social_crm_group_marketing')
        stranger = self.stranger()
        Slot = self.env['social.crm.slot']
        self.assertEqual(Slot.with_user(colleague).search([]), brand)
        self.assertEqual(Slot.with_user(self.author).search([]), mine | brand)
        self.assertFalse(Slot.with_user(stranger).search([]))
        for user in (self.user, self.approver):
            with self.assertRaises(AccessError):
                brand.with_user(user).time = 10
            with self.assertRaises(AccessError):
                self.post().with_user(user).action_queue()
        with self.assertRaises(AccessError):
            self.slot(10.0, own, colleague)
        with self.assertRaises(UserError):
            self.slot(10.0, user=stranger, company_id=stranger.company_id.id, mon=True)
