from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import escape_psql

MANAGER = 'social_crm.social_crm_group_manager'


class SocialCrmErase(models.TransientModel):
    """Erase a person by handle, or by the contact: what would go is shown before."""

    _name = 'social.crm.erase'
    _description = 'Erase a Person'

    handle = fields.Char(
        'Handle or Address', help='As it is on the network: @ada@mastodon.social, or the link.'
    )
    partner_id = fields.Many2one('res.partner', 'Contact')
    profile_ids = fields.Many2many(
        'social.crm.profile',
        compute='_compute_profile_ids',
        store=True,
        readonly=False,
        precompute=True,
        string='Profiles',
    )
    reason = fields.Char(help='What it is done for, such as the number of the request.')
    anonymise = fields.Boolean('Leads and Tickets Too', default=True)
    mention_count = fields.Integer('Mentions and Messages', compute='_compute_trace')
    answer_count = fields.Integer('Our Answers', compute='_compute_trace')
    lead_count = fields.Integer('Leads', compute='_compute_trace')
    ticket_count = fields.Integer('Tickets', compute='_compute_trace')

    @api.depends('handle', 'partner_id')
    def _compute_profile_ids(self):
        Profile = self.env['social.crm.profile']
        for wizard in self:
            found = wizard.partner_id.social_profile_ids
            if wizard.handle:
                handle = escape_psql(Profile._clean_handle(wizard.handle))
                found |= Profile.search(
                    ['|', ('handle', '=ilike', handle), ('url', '=', wizard.handle.strip())]
                )
            wizard.profile_ids = found or wizard.profile_ids

    @api.depends('profile_ids')
    def _compute_trace(self):
        for wizard in self:
            traces = [profile._trace() for profile in wizard.profile_ids._origin]
            for name, kind in (
                ('mention_count', 'mentions'),
                ('answer_count', 'engagements'),
                ('lead_count', 'leads'),
                ('ticket_count', 'tickets'),
            ):
                wizard[name] = sum(len(trace[kind]) for trace in traces)

    def action_confirm(self):
        """Erase, and show the proof."""
        self.ensure_one()
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._('People are erased by a Social CRM administrator.'))
        self.profile_ids.check_access('read')
        if not self.profile_ids:
            raise UserError(
                self.env._('Nothing is kept of this person here: check how the handle is written.')
            )
        proofs = self.env['social.crm.erasure']._erase(
            self.profile_ids, self.reason, self.anonymise
        )
        self.sudo().unlink()  # sudo: the dialog holds the handle, which is to be forgotten
        action = self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_erasure_action'
        )
        return {**action, 'domain': [('id', 'in', proofs.ids)]}
