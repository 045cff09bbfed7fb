from odoo import api, fields, models
from odoo.tools import SQL


class SocialCrmRuleHourly(models.Model):
    """How many mentions each rule matched, by the hour: a mention counts for each of its rules."""

    _name = 'social.crm.rule.hourly'
    _inherit = 'social.crm.hourly.mixin'
    _description = 'Matches of Listening Rules by the Hour'

    rule_id = fields.Many2one(
        'social.crm.rule', required=True, readonly=True, index=True, ondelete='cascade'
    )

    _bucket = models.Index('(company_id, hour)')

    @api.model
    def _extra_columns(self):
        return {'rule_id': SQL('r.rule_id')}

    @api.model
    def _extra_join(self):
        return SQL('JOIN social_crm_mention_rule_rel r ON r.mention_id = m.id')
