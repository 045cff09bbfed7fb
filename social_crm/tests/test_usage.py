"""Every call is counted and priced; at the budget reading stops, and sending does not."""

from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from unittest.mock import PropertyMock, patch

from freezegun import freeze_time

from odoo import fields
from odoo.tests import new_test_user, tagged

from odoo.addons.social_crm.providers.mastodon import Mastodon

from .answering import AnsweringCase


@tagged('post_install', '-at_install')
class TestUsage(AnsweringCase):
    @contextmanager
    def priced(self, price):
        """Let each adapter that is used cost so many dollars."""
        spent = PropertyMock(return_value=Decimal(price))
        with (
            patch.object(Mastodon, 'cost_unit', 'USD'),
            patch.object(Mastodon, 'spent', new_callable=lambda: spent),
        ):
            self.env.invalidate_all()
            yield

    def used(self, **domain):
        rows = self.env['social.crm.usage'].search(
            [(name, '=', value) for name, value in domain.items()]
        )
        return sum(rows.mapped('call_count'))

    def spend(self, *days, account=None):
        """Store what was spent: pairs of a day and an amount, with ten calls each."""
        self.env.cr.execute_values(
            """INSERT INTO social_crm_usage (day, company_id, account_id, app_id, network, purpose,
                   call_count, unit_count, cost, currency_id) VALUES %s""",
            [
                (
                    day,
                    self.company.id,
                    (account or self.account).id,
                    self.app.id,
                    'mastodon',
                    'listen',
                    10,
                    0,
                    amount,
                    self.env.ref('base.USD').id,
                )
                for day, amount in days
            ],
        )
        self.env.invalidate_all()

    def test_each_call_is_counted_by_what_it_was_for(self):
        mention = self.mentioned()
        listened = len([path for _method, path, _query in self.stub.calls if 'context' not in path])
        self.assertEqual(self.used(purpose='listen'), listened)
        self.assertEqual(
            self.used(stream_id=self.stream().id, account_id=self.account.id),
            len([path for _method, path, _query in self.stub.calls if 'notifications' in path]),
        )
        self.answer(mention, 'Yes')
        before = len(self.stub.calls)
        self.deliver()
        self.assertEqual(len(self.posted), 1)
        self.assertEqual(self.used(purpose='send'), len(self.stub.calls) - before)
        self.account.with_user(self.manager).action_test()
        self.assertEqual(self.used(purpose='setup'), 1)
        self.assertEqual(self.account.month_calls, self.used())
        self.assertEqual(self.account.month_cost, 0)

    def test_rows_of_a_day_are_put_together(self):
        self.receive()
        self.receive()
        Usage = self.env['social.crm.usage']
        calls, rows = self.used(), Usage.search([])
        Usage._put_together()
        self.assertEqual(len(Usage.search([])), len(rows) // 2)
        self.assertEqual(self.used(), calls)

    @freeze_time('2026-03-11 15:00:00')
    def test_the_month_and_its_forecast(self):
        week = [(f'2026-03-{day:02}', 1.005) for day in range(4, 11)]
        self.spend(('2026-02-28', 99), ('2026-03-01', 10), *week, ('2026-03-11', 0.503))
        with self.priced(0):
            account = self.account.with_user(self.manager)
            self.assertEqual(account.month_calls, 90)
            self.assertEqual(account.month_cost, 17.54)  # 10 + 7 * 1.005 + 0.503
            # A dollar and half a cent a day, for the twenty days that follow.
            self.assertEqual(account.month_forecast, 37.64)  # 17.538 + 20.10

    @freeze_time('2026-03-11 15:00:00')
    def test_a_forecast_of_the_first_days(self):
        self.spend(('2026-03-09', 2), ('2026-03-10', 4))
        with self.priced(0):
            self.assertAlmostEqual(self.app.month_forecast, 6 + 20 * 3, 2)

    def test_at_the_budget_reading_stops_and_sending_goes_on(self):
        mention = self.mentioned()
        self.app.monthly_budget = 1
        with self.priced('0.60'):
            self.receive()  # by two streams
            account = self.account.with_user(self.user)
            self.assertTrue(account.reading_stopped)
            self.assertEqual(account.reading_stopped_until.day, 1)
            activity = self.account.activity_ids
            self.assertEqual(
                activity.activity_type_id, self.env.ref('social_crm.mail_activity_type_budget')
            )
            self.assertEqual(activity.user_id, self.account.user_id)

            calls = len(self.stub.calls)
            self.stub.mention('is anybody there?')
            self.receive()
            self.assertEqual(len(self.stub.calls), calls, 'it was read on')
            self.assertEqual(self.account.state, 'connected')
            self.assertIn('budget', self.account.last_error)
            self.answer(mention, 'Yes, to Graz too')
            self.deliver()
            self.assertEqual([post['status'][-16:] for post in self.posted], ['Yes, to Graz too'])

            self.app.with_user(self.manager).monthly_budget = 100
            self.assertFalse(account.reading_stopped)
            self.assertFalse(self.account.activity_ids)
            self.receive()
            self.assertTrue(self.mentions(text='is anybody there?'))

    def test_a_new_month_reads_on(self):
        self.app.write(
            {
                'monthly_budget': 1,
                'budget_stop_until': fields.Datetime.now() - timedelta(hours=1),
            }
        )
        self.app.budget_stop_until = fields.Datetime.now() + timedelta(days=9)
        self.assertTrue(self.account.reading_stopped)
        self.env['social.crm.app']._watch_budgets()  # nothing was spent in this month
        self.assertFalse(self.account.reading_stopped)

    def test_who_sees_what_it_costs(self):
        self.spend((fields.Date.today(), 3))
        Usage = self.env['social.crm.usage']
        self.assertFalse(Usage.with_user(self.marketing).has_access('read'))
        self.assertNotIn('month_cost', self.account.with_user(self.user).fields_get())
        self.assertTrue(Usage.with_user(self.manager).search([]))
        other = self.env['res.company'].create({'name': 'Other'})
        stranger = new_test_user(
            self.env,
            'sc_stranger',
            'social_crm.social_crm_group_manager',
            company_id=other.id,
            company_ids=[fields.Command.set(other.ids)],
        )
        self.assertFalse(Usage.with_user(stranger).search([]))

    def test_calls_of_a_personal_account_are_its_owners_and_in_the_bill(self):
        own = self.connect(self.app, self.user, kind='personal', username='me', number='79')
        self.spend((fields.Date.today(), 3))
        self.spend((fields.Date.today(), 4), account=own)
        usage = self.env['social.crm.usage'].with_user(self.manager).search([])
        self.assertEqual(usage.account_id, self.account)
        self.assertEqual(self.app.with_user(self.manager).month_cost, 7)
        self.user.group_ids |= self.manager.group_ids
        self.assertEqual(own.with_user(self.user).month_cost, 4)
