from odoo import api, fields, models

from ..tools import clean

LINE_LENGTH = 250


class SocialCrmLeadForm(models.Model):
    """A native lead form of a network, and what its answers become on a lead.

    The forms come from the network; people set what happens with what is filled in.
    """

    _name = 'social.crm.lead.form'
    _description = 'Lead Form of a Social Account'
    _inherit = ['mail.thread']
    _order = 'open desc, name, id'
    _check_company_auto = True

    name = fields.Char(required=True, readonly=True)
    external_id = fields.Char('Number at the Network', required=True, readonly=True)
    account_id = fields.Many2one(
        'social.crm.account', required=True, readonly=True, index=True, ondelete='cascade'
    )
    network = fields.Selection(related='account_id.network', store=True)
    company_id = fields.Many2one(related='account_id.company_id', store=True, index=True)
    language = fields.Char(readonly=True)
    open = fields.Boolean(
        'Open at the Network', default=True, readonly=True, help='People can fill it in now.'
    )
    paused = fields.Boolean(
        tracking=True, readonly=True, help='What is filled in is kept and makes no leads for now.'
    )
    field_ids = fields.One2many('social.crm.lead.form.field', 'form_id', 'Questions')
    team_id = fields.Many2one('crm.team', 'Sales Team', check_company=True, tracking=True)
    user_id = fields.Many2one(
        'res.users', 'Salesperson', domain=[('share', '=', False)], tracking=True
    )
    campaign_id = fields.Many2one(
        'utm.campaign',
        ondelete='set null',
        tracking=True,
        help="Without one, the network's own campaign is taken where it names one.",
    )
    medium_id = fields.Many2one('utm.medium', ondelete='set null', help='Without one: Social.')
    tag_ids = fields.Many2many('crm.tag', string='Tags')
    test_leads = fields.Boolean(
        'Leads of Tests',
        help='Submissions made to try the form out make leads too, marked as such.',
    )
    mention_ids = fields.One2many('social.crm.mention', 'lead_form_id', readonly=True)
    submission_count = fields.Integer('Submissions', compute='_compute_counts')
    lead_count = fields.Integer('Leads', compute='_compute_counts')
    parked_count = fields.Integer('Parked', compute='_compute_parked_count', compute_sudo=True)

    _unique_form = models.UniqueIndex('(account_id, external_id)', 'This form is known already.')

    # === COMPUTE METHODS === #

    def _compute_counts(self):
        rows = self.env['social.crm.mention']._read_group(
            [('lead_form_id', 'in', self.ids)], ['lead_form_id'], ['__count', 'lead_id:count']
        )
        counts = {form: (submissions, leads) for form, submissions, leads in rows}
        for form in self:
            form.submission_count, form.lead_count = counts.get(form, (0, 0))

    def _compute_parked_count(self):
        rows = self.env['social.crm.parked.item']._read_group(
            [('account_id', 'in', self.account_id.ids), ('state', '=', 'parked')],
            ['account_id', 'form_key'],
            ['__count'],
        )
        counts = {(account, key): count for account, key, count in rows}
        for form in self:
            form.parked_count = counts.get((form.account_id, form.external_id), 0)

    # === ACTION METHODS === #

    def action_pause(self):
        self.check_access('write')
        self.sudo().paused = True  # sudo: a field that is set by its button alone

    def action_resume(self):
        """Make leads again, also of what was filled in meanwhile."""
        self.check_access('write')
        self.sudo().paused = False  # sudo: as above
        # sudo: the state of the actions is the module's
        waiting = self.sudo().mention_ids.filtered(
            lambda mention: not mention.lead_id and mention.act_state == 'done'
        )
        waiting.write({'act_state': 'pending', 'no_lead_reason': False})
        self.env.ref('social_crm.ir_cron_act').sudo()._trigger()  # sudo: wake the loop only

    def action_sync(self):
        """Have the forms of the accounts fetched now."""
        self.account_id._want_setup(now=True)
        return self.env['social.crm.account']._notify(
            'info', self.env._('The forms are being fetched…')
        )

    def action_replay(self):
        """Try again to make leads of what was parked."""
        self.check_access('read')
        self._parked().action_replay()

    def action_view_submissions(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_mention_action'
        )
        return {**action, 'domain': [('lead_form_id', '=', self.id)], 'context': {}}

    def action_view_leads(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('crm.crm_lead_all_leads')
        return {**action, 'domain': [('social_form_id', '=', self.id)], 'context': {}}

    def action_view_parked(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_parked_item_action'
        )
        return {**action, 'domain': [('id', 'in', self._parked().ids)]}

    # === SYNCHRONISATION === #

    @api.model
    def _sync(self, account, lead_forms):
        """Bring the forms of an account up to date.

        What people set stays; new questions are mapped as far as they are standard ones. What was
        parked for a form that was not known yet is tried again.

        :param lead_forms: values of the adapter
        """
        known = {form.external_id: form for form in self.search([('account_id', '=', account.id)])}
        for number, form in known.items():
            if number not in {one.external_id for one in lead_forms}:
                form.open = False
        fresh = self.browse()
        for one in lead_forms:
            form = known.get(one.external_id)
            values = {
                'name': clean(one.name, LINE_LENGTH) or one.external_id,
                'language': clean(one.language, 10),
                'open': one.active,
            }
            if form:
                form.write(values)
            else:
                form = self.create(
                    {'account_id': account.id, 'external_id': one.external_id, **values}
                )
                fresh |= form
            form.field_ids._sync(form, one.questions)
        fresh._parked()._replay_all()

    def _parked(self):
        """Return the submissions that are parked for these forms."""
        keys = set(self.mapped('external_id'))
        return self.env['social.crm.parked.item'].search(
            [
                ('account_id', 'in', self.account_id.ids),
                ('form_key', 'in', list(keys)),
                ('state', '=', 'parked'),
            ]
        )
