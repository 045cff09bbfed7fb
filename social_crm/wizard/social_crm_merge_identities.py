from odoo import api, fields, models
from odoo.exceptions import UserError


class SocialCrmMergeIdentities(models.TransientModel):
    """Asks which of some contacts the social profiles of all are to stand on."""

    _name = 'social.crm.merge.identities'
    _description = 'Merge Social Identities'

    partner_ids = fields.Many2many('res.partner', readonly=True)
    partner_id = fields.Many2one(
        'res.partner',
        'Keep Profiles On',
        required=True,
        domain="[('id', 'in', partner_ids)]",
    )
    profile_ids = fields.Many2many('social.crm.profile', compute='_compute_profile_ids')

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        partners = self.env['res.partner'].browse(self.env.context.get('active_ids', ()))
        if len(partners) < 2:
            raise UserError(self.env._('Choose the contacts that are one person: two at least.'))
        kept = max(partners, key=lambda partner: (len(partner.social_profile_ids), -partner.id))
        chosen = [fields.Command.set(partners.ids)]
        return {**values, 'partner_ids': chosen, 'partner_id': kept.id}

    @api.depends('partner_ids', 'partner_id')
    def _compute_profile_ids(self):
        for wizard in self:
            wizard.profile_ids = (wizard.partner_ids - wizard.partner_id).social_profile_ids

    def action_merge(self):
        """Move the profiles of the others; each move can be undone on the contact."""
        self.ensure_one()
        others = (self.partner_ids - self.partner_id).filtered('social_profile_ids')
        if not others:
            raise UserError(self.env._('The other contacts have no social profiles to move.'))
        for partner in others:
            self.env['social.crm.identity.merge']._merge(partner, self.partner_id)
        return self.partner_id.get_formview_action()
