from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..tools import each_committed

BATCH = 500


class SocialCrmRetention(models.Model):
    """How long a company keeps a kind of data; a row per company and kind, made by the module."""

    _name = 'social.crm.retention'
    _description = 'Retention of Social Data'
    _order = 'company_id, id'
    _rec_name = 'kind'

    kind = fields.Selection(
        [
            ('mention', 'Mentions without a lead or ticket'),
            ('message', 'Direct messages and forms without an open lead or ticket'),
            ('profile', 'People without mentions, answers and contact'),
            ('parked', 'Parked items'),
            ('metric', 'Earlier figures of posts'),
        ],
        'What',
        required=True,
        readonly=True,
    )
    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='cascade')
    days = fields.Integer('Keep for Days', help='0: for good.')
    kept_count = fields.Integer('Kept Now', compute='_compute_counts')
    due_count = fields.Integer('Would Go Now', compute='_compute_counts')
    applied_at = fields.Datetime('Last Applied', readonly=True)
    deleted_count = fields.Integer('Deleted So Far', readonly=True)

    _unique_kind = models.UniqueIndex('(company_id, kind)', 'There is a row for this already.')
    _days = models.Constraint('CHECK (days >= 0)', 'Days are counted from 0.')

    # === COMPUTE METHODS === #

    @api.depends('days', 'kind', 'company_id')
    def _compute_counts(self):
        for row in self:
            row.kept_count = row._records().search_count(row._scope())
            row.due_count = row._records().search_count(row._due()) if row.days else 0

    # === CRUD METHODS === #

    def write(self, vals):
        if not self.env.su and vals.keys() - {'days'}:
            raise AccessError(self.env._('Only the days are set here.'))
        return super().write(vals)

    # === ACTION METHODS === #

    @api.model
    def action_open(self):
        """Open the list, with the rows of the current companies."""
        self._ensure_rows(self.env.companies)
        return self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_retention_action_list'
        )

    def action_preview(self):
        """Show what would go now."""
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._('Would Go Now'),
            'res_model': self._records()._name,
            'view_mode': 'list',
            'views': [(False, 'list')],
            'domain': list(self._due()) if self.days else [(0, '=', 1)],
        }

    def action_apply(self):
        """Delete now what would go tonight."""
        self.check_access('write')
        # sudo: wake the loop only
        self.env.ref('social_crm.ir_cron_retain').sudo()._trigger()
        return self.env['social.crm.account']._notify(
            'info', self.env._('What was kept long enough is being deleted…')
        )

    # === BUSINESS METHODS === #

    @api.model
    def _ensure_rows(self, companies):
        """Give each company its rows; nothing is deleted before somebody sets the days."""
        # sudo: the rows are the module's own, people only set the days
        known = self.sudo().search([('company_id', 'in', companies.ids)])
        have = {(row.company_id, row.kind) for row in known}
        self.sudo().create(
            [
                {'company_id': company.id, 'kind': kind}
                for company in companies
                for kind, _label in self._fields['kind'].selection
                if (company, kind) not in have
            ]
        )

    @api.model
    def _cron_apply(self):
        """Delete in batches, each committed: a run that is cut short goes on the next time."""
        self.env['social.crm.erasure.request']._process_open()
        each_committed(self.search([('days', '>', 0)]), type(self)._apply)

    def _apply(self):
        """Delete all that is due."""
        while self._apply_batch():
            if not self.env['ir.cron']._commit_progress(BATCH, remaining=1):
                return  # the time of this run is over; Odoo starts the next one
        self.applied_at = fields.Datetime.now()

    @api.model
    def _whole_hours(self, hours):
        """Leave out hours of which mentions were deleted: their sums stay as they are.

        :param hours: pairs of company id and naive UTC time
        """
        rows = self.sudo().search(  # sudo: the sums are of whole companies
            [('kind', 'in', ('mention', 'message')), ('applied_at', '!=', False), ('days', '>', 0)]
        )
        until = {}
        for row in rows:
            gone = row.applied_at - timedelta(days=row.days)
            until[row.company_id.id] = max(gone, until.get(row.company_id.id, gone))
        return [
            (company_id, hour)
            for company_id, hour in hours
            if company_id not in until or hour >= until[company_id]
        ]

    def _apply_batch(self):
        """Delete some of what is due; return how many."""
        records = self._records().search(self._due(), limit=BATCH, order='id')
        count = len(records)
        records.unlink()
        self.deleted_count += count
        return count

    def _records(self):
        """Return an empty recordset of what this row is about."""
        model = {
            'mention': 'social.crm.mention',
            'message': 'social.crm.mention',
            'profile': 'social.crm.profile',
            'parked': 'social.crm.parked.item',
            'metric': 'social.crm.metric',
        }[self.kind]
        # sudo: a rule for the company's data, whoever of its people may see them
        return self.env[model].sudo().with_context(active_test=False)

    def _scope(self):
        """Return the domain of what this row is about, whatever its age."""
        own = Domain('company_id', '=', self.company_id.id)
        private = Domain('kind', 'in', ('message', 'lead_form'))
        return (
            own
            & {
                'mention': ~private
                & Domain('lead_id', '=', False)
                & Domain('ticket_id', '=', False),
                'message': private
                & (Domain('lead_id', '=', False) | Domain('lead_id.won_status', '!=', 'pending'))
                & (Domain('ticket_id', '=', False) | Domain('ticket_id.closed', '=', True)),
                'profile': Domain('mention_ids', '=', False)
                & Domain('partner_id', '=', False)
                & Domain('blocked', '=', False)
                & ~self._written_to(),
                'parked': Domain.TRUE,
                'metric': Domain.TRUE,
            }[self.kind]
        )

    def _due(self):
        """Return the domain of what was kept long enough."""
        date = {
            'mention': 'posted_at',
            'message': 'posted_at',
            'profile': 'create_date',
            'parked': 'create_date',
            'metric': 'measured_at',
        }[self.kind]
        until = fields.Datetime.now() - timedelta(days=self.days)
        return self._scope() & Domain(date, '<', until)

    def _written_to(self):
        """Return the domain of the profiles that answers, leads and tickets still name."""
        named = Domain.FALSE
        for model, field in (
            ('social.crm.engagement', 'profile_id'),
            ('crm.lead', 'social_profile_id'),
            ('helpdesk.ticket', 'social_profile_id'),
        ):
            records = self.env[model].sudo().with_context(active_test=False)  # sudo: see _records
            named |= Domain('id', 'in', records._search([(field, '!=', False)]).subselect(field))
        return named
