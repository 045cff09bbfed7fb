from odoo import api, models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = 'base.partner.merge.automatic.wizard'

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        """Carry profiles and decisions along; two contacts may have matches with one profile."""
        # sudo: whoever may merge contacts may have what hangs on them moved
        self.env['social.crm.match'].sudo()._join(src_partners, dst_partner)
        self.env['social.crm.match.key']._replace(
            'partner_id', dict.fromkeys(src_partners.ids, ()), {}
        )
        self.env.flush_all()
        result = super()._update_foreign_keys(src_partners, dst_partner)
        dst_partner.sudo().social_match_due = True  # sudo: a mark for the loop
        return result
