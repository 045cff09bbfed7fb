from odoo import api, fields, models
from odoo.exceptions import UserError


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    social_crm_use_search = fields.Boolean(
        related='company_id.social_crm_use_search', readonly=False
    )
    social_crm_use_messages = fields.Boolean(
        related='company_id.social_crm_use_messages', readonly=False
    )
    social_crm_use_reply = fields.Boolean(related='company_id.social_crm_use_reply', readonly=False)
    social_crm_use_publish = fields.Boolean(
        related='company_id.social_crm_use_publish', readonly=False
    )
    social_crm_use_lead_forms = fields.Boolean(
        related='company_id.social_crm_use_lead_forms', readonly=False
    )
    social_crm_blocked_words = fields.Text(
        related='company_id.social_crm_blocked_words', readonly=False
    )
    social_crm_post_approval = fields.Boolean(
        related='company_id.social_crm_post_approval', readonly=False
    )
    social_crm_track_links = fields.Boolean(
        related='company_id.social_crm_track_links', readonly=False
    )
    social_crm_domain_is_staff = fields.Boolean(
        related='company_id.social_crm_domain_is_staff', readonly=False
    )
    social_crm_key_problem = fields.Text(compute='_compute_social_crm_key_problem')

    @api.depends('company_id')
    def _compute_social_crm_key_problem(self):
        """Tell what is to be done before logins can be stored; empty when all is well."""
        try:
            self.env['social.crm.credential'].sudo()._keys()  # sudo: only whether there is a key
        except UserError as error:
            self.social_crm_key_problem = str(error)
        else:
            self.social_crm_key_problem = False
