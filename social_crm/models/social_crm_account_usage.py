from contextlib import contextmanager
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_amount

from ..calls import BudgetUsedUp
from ..tools import aware

ACTIVITY = 'social_crm.mail_activity_type_budget'
ASK_AGAIN = timedelta(hours=1)  # whether the budget is still used up; no call is made for that
MANAGER = 'social_crm.social_crm_group_manager'


class SocialCrmAccount(models.Model):
    """What an account's calls come to in this month, and what a used up budget means for it."""

    _inherit = 'social.crm.account'

    reading_stopped_until = fields.Datetime(related='app_id.budget_stop_until')
    reading_stopped = fields.Boolean(compute='_compute_reading_stopped')
    month_calls = fields.Integer(
        'Calls This Month',
        compute='_compute_month_calls',
        groups=MANAGER,
    )
    month_units = fields.Float(
        'Quota Units This Month',
        compute='_compute_month_calls',
        digits=(16, 0),
        groups=MANAGER,
    )
    month_cost = fields.Monetary(
        'Cost This Month',
        compute='_compute_month_calls',
        currency_field='cost_currency_id',
        groups=MANAGER,
        help='An estimate, by the list of prices.',
    )
    month_forecast = fields.Monetary(
        'Forecast for the Month',
        compute='_compute_month_calls',
        currency_field='cost_currency_id',
        groups=MANAGER,
        help='If the days to come cost as much as the last seven.',
    )
    cost_currency_id = fields.Many2one(related='app_id.cost_currency_id')

    @api.depends('reading_stopped_until')
    def _compute_reading_stopped(self):
        now = fields.Datetime.now()
        for account in self:
            until = account.reading_stopped_until
            account.reading_stopped = bool(until and until > now)

    def _compute_month_calls(self):
        found = self.env['social.crm.usage']._this_month('account_id', self)
        for account in self:
            figures = found.get(account._origin.id, {})
            account.month_calls = figures.get('calls', 0)
            account.month_units = figures.get('units', 0)
            account.month_cost = figures.get('cost', 0)
            account.month_forecast = figures.get('forecast', 0)

    def _reader(self):
        """Return the adapter to read with, as :meth:`_provider` does.

        :raise BudgetUsedUp: while the app may not cost more
        """
        if self.reading_stopped:
            until = min(self.reading_stopped_until, fields.Datetime.now() + ASK_AGAIN)
            raise BudgetUsedUp('', 'budget', aware(until))
        return self._provider()

    @contextmanager
    def _counted(self, purpose):
        """Give the adapter, and count what is done with it; in the transaction of the caller."""
        provider = self._provider()
        try:
            yield provider
        finally:
            self.env['social.crm.usage']._add(purpose, [(self, provider, None)])

    def _tell_of_budget(self):
        """Tell whoever answers for these accounts that reading has stopped."""
        for account in self.filtered(lambda one: one.state == 'connected'):
            account = account.with_context(lang=account.user_id.lang or self.env.lang)
            app = account.app_id
            account.activity_schedule(
                ACTIVITY,
                user_id=account.user_id.id,
                summary=account.env._('The monthly budget of @%s is used up', account.handle),
                note=account.env._(
                    'The calls of %(app)s have used up the %(amount)s of this month. Nothing is '
                    'read until the next one begins, or an administrator raises the budget of the '
                    'app. Posts and answers go out all the same.',
                    app=app.display_name,
                    amount=format_amount(account.env, app.monthly_budget, app.cost_currency_id),
                ),
            )

    def _read_on(self):
        """Read again at once: the budget was raised, or a new month has begun."""
        self.activity_unlink([ACTIVITY])
        self.lookups_paused_until = False
        self.stream_ids.write({'next_due': fields.Datetime.now(), 'error_count': 0})
        self.env.ref('social_crm.ir_cron_receive').sudo()._trigger()  # sudo: wake the loop only

    def action_view_app(self):
        """Open the app, where its budget is set."""
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window',
            'res_model': 'social.crm.app',
            'res_id': self.app_id.id,
            'view_mode': 'form',
        }

    def action_view_usage(self):
        """Show how often the network was called for this account."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('social_crm.social_crm_usage_action')
        return {
            **action,
            'domain': [('account_id', '=', self.id)],
            'context': {'search_default_this_month': 1, 'graph_groupbys': ['day:day', 'purpose']},
        }
