from odoo import models

#: What is taken over from the first of the leads that has it.
MERGED = (
    'social_profile_id',
    'social_mention_id',
    'social_form_id',
    'social_consents',
    'social_attribution',
)


class CrmLead(models.Model):
    """What came from networks stays when Odoo merges leads: it hangs on the one that is kept."""

    _inherit = 'crm.lead'

    def _merge_get_fields(self):
        return [*super()._merge_get_fields(), *MERGED]

    def _merge_dependences(self, opportunities):
        result = super()._merge_dependences(opportunities)
        for model in (
            'social.crm.mention',
            'social.crm.engagement',
            'social.crm.profile',  # their authors' next mention joins the lead that is kept
            'social.crm.false.hit',
        ):
            # sudo: whoever may merge leads may have what hangs on them moved
            records = self.env[model].sudo().with_context(tracking_disable=True)
            records.search([('lead_id', 'in', opportunities.ids)]).write({'lead_id': self.id})
        return result
