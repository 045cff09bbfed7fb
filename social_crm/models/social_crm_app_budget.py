from datetime import datetime, time

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..providers import adapter_class
from .social_crm_usage import next_month


class SocialCrmApp(models.Model):
    """What the calls of an app cost in a month, and how much they may.

    A network that charges for calls sends its bill for the app, whichever account they were made
    for. At the budget, reading stops for all its accounts until the month is over or the budget is
    raised; what people write and schedule goes out all the same.
    """

    _inherit = 'social.crm.app'

    cost_currency_id = fields.Many2one('res.currency', compute='_compute_cost_currency_id')
    monthly_budget = fields.Monetary(
        currency_field='cost_currency_id',
        help='Reading stops when the calls of a month (UTC) have cost this much. Posts and answers '
        'go out all the same. Empty: no limit.',
    )
    budget_stop_until = fields.Datetime('Reading Stopped Until', readonly=True, copy=False)
    month_cost = fields.Monetary(
        'Cost This Month', compute='_compute_month_cost', currency_field='cost_currency_id'
    )
    month_forecast = fields.Monetary(
        'Forecast for the Month',
        compute='_compute_month_cost',
        currency_field='cost_currency_id',
        help='If the days to come cost as much as the last seven.',
    )

    # === COMPUTE METHODS === #

    @api.depends('network')
    def _compute_cost_currency_id(self):
        Usage = self.env['social.crm.usage']
        for app in self:
            unit = adapter_class(app.network).cost_unit if app.network else ''
            app.cost_currency_id = Usage._currency_of(unit)

    def _compute_month_cost(self):
        # sudo: the sum alone, as the network's bill has it: personal accounts are in it too
        found = self.env['social.crm.usage'].sudo()._this_month('app_id', self)
        for app in self:
            figures = found.get(app._origin.id, {})
            app.month_cost = figures.get('cost', 0)
            app.month_forecast = figures.get('forecast', 0)

    # === CONSTRAINT METHODS === #

    @api.constrains('monthly_budget')
    def _check_monthly_budget(self):
        if any(app.monthly_budget < 0 for app in self):
            raise ValidationError(self.env._('A budget is a positive amount, or empty.'))

    # === CRUD METHODS === #

    def write(self, vals):
        result = super().write(vals)
        if 'monthly_budget' in vals:
            self._note_budgets()
        return result

    # === BUSINESS METHODS === #

    @api.model
    def _watch_budgets(self):
        """Look at all budgets: some months are over."""
        self.search(
            ['|', ('monthly_budget', '>', 0), ('budget_stop_until', '!=', False)]
        )._note_budgets()

    def _note_budgets(self):
        """Stop reading by the apps whose budget is used up, and go on by the others."""
        now = fields.Datetime.now()
        month_ends = datetime.combine(next_month(fields.Date.today()), time())
        # sudo: as above
        spent = self.env['social.crm.usage'].sudo()._this_month('app_id', self)
        for app in self:
            cost = spent.get(app.id, {}).get('cost', 0)
            over = app.monthly_budget and cost >= app.monthly_budget
            stopped = app.budget_stop_until
            if over and (not stopped or stopped <= now):
                app.budget_stop_until = month_ends
                app._budget_accounts()._tell_of_budget()
            elif stopped and not over:
                app.budget_stop_until = False
                app._budget_accounts()._read_on()

    def _budget_accounts(self):
        # sudo: the accounts of an app, whoever owns them
        return self.env['social.crm.account'].sudo().search([('app_id', 'in', self.ids)])
