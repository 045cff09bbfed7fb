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

    campaign_id = fields.Many2one(
        'utm.campaign', readonly=True, index='btree_not_null', ondelete='set null'
    )
    share = fields.Float(
        readonly=True,
        digits=(16, 4),
        help='As the matches, but a mention that several rules matched counts for each in part.',
    )

    _bucket = models.Index('(company_id, hour)')

    def init(self):
        """Have hours summed up anew that were before shares were told."""
        result = super().init()
        self.env.cr.execute(
            """INSERT INTO social_crm_hour_mark (company_id, hour)
               SELECT DISTINCT company_id, hour FROM social_crm_rule_hourly WHERE share IS NULL"""
        )
        return result

    @api.model
    def _extra_columns(self):
        return {'rule_id': SQL('r.rule_id'), 'campaign_id': SQL('m.campaign_id')}

    @api.model
    def _extra_sums(self):
        return {'share': SQL('SUM(1.0 / r.n)')}

    @api.model
    def _extra_join(self):
        return SQL(
            """CROSS JOIN LATERAL (
                   SELECT rule_id, COUNT(*) OVER () AS n FROM social_crm_mention_rule_rel
                    WHERE mention_id = m.id) r"""
        )
