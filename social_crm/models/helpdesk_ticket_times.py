from odoo import api, fields, models
from odoo.tools import SQL

from .social_crm_source_mixin import STAFF

# Hours, and the moment without which they mean nothing: such tickets are no zeros of an average.
MEASURED = {
    'social_response_hours': 'social_first_response_at',
    'social_response_work_hours': 'social_first_response_at',
    'social_resolution_hours': 'social_resolved_at',
    'social_resolution_work_hours': 'social_resolved_at',
}


class HelpdeskTicket(models.Model):
    """How long people on a network wait for an answer, and for a solution."""

    _inherit = 'helpdesk.ticket'

    social_network = fields.Selection(store=True)
    social_engagement_ids = fields.One2many(
        'social.crm.engagement', 'ticket_id', 'Answers From the Ticket', readonly=True, groups=STAFF
    )
    social_first_response_at = fields.Datetime(
        'First Response On', compute='_compute_social_response', store=True, groups=STAFF
    )
    social_response_hours = fields.Float(
        'Hours to First Response',
        compute='_compute_social_response',
        store=True,
        groups=STAFF,
        aggregator='avg',
        help='From what the person wrote to the first answer on the network.',
    )
    social_response_work_hours = fields.Float(
        'Working Hours to First Response',
        compute='_compute_social_response',
        store=True,
        groups=STAFF,
        aggregator='avg',
        help="By the team's working hours, where it has some; else round the clock.",
    )
    social_resolved_at = fields.Datetime(
        'Resolved On', compute='_compute_social_resolution', store=True, groups=STAFF
    )
    social_resolution_hours = fields.Float(
        'Hours to Resolution',
        compute='_compute_social_resolution',
        store=True,
        groups=STAFF,
        aggregator='avg',
        help='From what the person wrote until the ticket was closed.',
    )
    social_resolution_work_hours = fields.Float(
        'Working Hours to Resolution',
        compute='_compute_social_resolution',
        store=True,
        groups=STAFF,
        aggregator='avg',
        help="By the team's working hours, where it has some; else round the clock.",
    )

    # === COMPUTE METHODS === #

    @api.depends(
        'social_mention_id',
        'social_mention_ids.answered_at',
        'social_engagement_ids.sent_at',
        'social_engagement_ids.delivery_state',
    )
    def _compute_social_response(self):
        for ticket in self:
            # sudo: how quick the team was does not depend on who looks
            answers = ticket.sudo().social_engagement_ids.filtered(
                lambda answer: answer.delivery_state == 'sent'
            )
            moments = [
                *ticket.sudo().social_mention_ids.mapped('answered_at'),
                *answers.mapped('sent_at'),
            ]
            first = min(filter(None, moments), default=False) if ticket.social_mention_id else False
            ticket.social_first_response_at = first
            (
                ticket.social_response_hours,
                ticket.social_response_work_hours,
            ) = ticket._hours_since_written(first)

    @api.depends('social_mention_id', 'closed_date', 'stage_id.closed')
    def _compute_social_resolution(self):
        for ticket in self:
            resolved = ticket.social_mention_id and ticket.stage_id.closed and ticket.closed_date
            ticket.social_resolved_at = resolved
            (
                ticket.social_resolution_hours,
                ticket.social_resolution_work_hours,
            ) = ticket._hours_since_written(resolved)

    def _hours_since_written(self, moment):
        """Return the hours from what the person wrote to ``moment``: (round the clock, working)."""
        self.ensure_one()
        begin = self.social_mention_id.sudo().posted_at  # sudo: as above
        if not moment or not begin or moment < begin:
            return 0.0, 0.0
        hours = (moment - begin).total_seconds() / 3600
        team = self.team_id
        calendar = 'resource_calendar_id' in team._fields and team.sudo().resource_calendar_id
        if not calendar:
            return hours, hours
        return hours, calendar.get_work_hours_count(begin, moment, compute_leaves=True)

    # === REPORTS === #

    def _read_group_select(self, aggregate_spec, query):
        """Leave out of averages what has not been answered or resolved yet."""
        name, _colon, function = aggregate_spec.partition(':')
        if name in MEASURED and function == 'avg':
            return SQL(
                'AVG(%s) FILTER (WHERE %s IS NOT NULL)',
                self._field_to_sql(self._table, name, query),
                self._field_to_sql(self._table, MEASURED[name], query),
            )
        return super()._read_group_select(aggregate_spec, query)
