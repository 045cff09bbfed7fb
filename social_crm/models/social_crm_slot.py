import heapq
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_duration

from .. import walltime

HORIZON = timedelta(weeks=26)


class SocialCrmSlot(models.Model):
    """A time of the week at which queued posts go out by some accounts, one post at a time.

    It is wall time in a zone: 09:00 stays 09:00 when the clock is changed. A slot that falls into
    an hour that is skipped or repeated is left out that day.
    """

    _name = 'social.crm.slot'
    _description = 'Queue Slot'
    _inherit = ['social.crm.accounts.mixin', 'social.crm.weekdays.mixin']
    _order = 'time, id'
    _check_company_auto = True

    account_ids = fields.Many2many(required=True)
    time = fields.Float(required=True, aggregator=None)
    tz = fields.Selection(
        selection=lambda self: self.env['social.crm.post']._selection_tz(),
        string='Time Zone',
        required=True,
        default=lambda self: self.env['social.crm.post']._default_tz(),
    )
    company_id = fields.Many2one(
        'res.company',
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )

    # === COMPUTE METHODS === #

    @api.depends('time', 'tz')
    def _compute_display_name(self):
        for slot in self:
            days = ', '.join(slot._weekday_labels())
            slot.display_name = f'{days} {format_duration(slot.time)}'

    # === CONSTRAINT METHODS === #

    @api.constrains('time', 'account_ids', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')
    def _check_slot(self):
        for slot in self:
            if not 0 <= slot.time < 24:
                raise ValidationError(self.env._('A time of day lies between 00:00 and 23:59.'))
            if not slot._weekdays():
                raise ValidationError(self.env._('Tick the days of the week of this slot.'))
            if not slot.account_ids:
                raise ValidationError(self.env._('Choose the accounts that use this slot.'))

    # === BUSINESS METHODS === #

    @api.model
    def _moments(self, accounts, after):
        """Yield the moments at which all these accounts have a slot, in order.

        :param datetime after: naive UTC; the moments lie behind it and within half a year
        :return: generator of (naive UTC, slot)
        """
        # sudo: whoever may post on these accounts gets their slots; those of a colleague's other
        # accounts stay unseen
        slots = self.sudo().search([('account_ids', 'in', accounts.ids)])
        at, found = None, slots.browse()
        for moment, slot in heapq.merge(
            *(slot._own_moments(after) for slot in slots), key=lambda one: one[0]
        ):
            found = found | slot if moment == at else slot
            at = moment
            if accounts <= found.account_ids:
                yield moment, slot

    def _own_moments(self, after):
        self.ensure_one()
        first, weekdays = walltime.to_wall(after, self.tz).date(), set(self._weekdays())
        for number in range(HORIZON.days):
            day = first + timedelta(days=number)
            if day.weekday() not in weekdays:
                continue
            try:
                moment = walltime.to_utc(walltime.combine(day, self.time), self.tz)
            except walltime.ClockChange:
                continue
            if moment > after:
                yield moment, self


class SocialCrmAccount(models.Model):
    _inherit = 'social.crm.account'

    slot_count = fields.Integer('Queue Slots', compute='_compute_slot_count')

    def _compute_slot_count(self):
        counts = self.env['social.crm.slot']._read_group(
            [('account_ids', 'in', self.ids)], ['account_ids'], ['__count']
        )
        numbers = {account.id: number for account, number in counts}
        for account in self:
            account.slot_count = numbers.get(account.id, 0)

    def action_view_slots(self):
        """Show at which times queued posts go out by this account."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('social_crm.social_crm_slot_action')
        action.update(
            domain=[('account_ids', 'in', self.ids)], context={'default_account_ids': self.ids}
        )
        return action
