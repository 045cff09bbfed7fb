from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    social_crm_use_search = fields.Boolean(related='company_id.social_crm_use_search', readonly=False)
    social_crm_use_messages = fields.Boolean(related='company_id.social_crm_use_messages', readonly=False)
    social_crm_use_reply = fields.Boolean(related='company_id.social_crm_use_reply', readonly=False)
    social_crm_use_publish = fields.Boolean(related='company_id.social_crm_use_publish', readonly=False)
    social_crm_use_lead_forms = fields.Boolean(related='company_id.social_crm_use_lead_forms', readonly=False)
