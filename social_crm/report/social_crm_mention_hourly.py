from odoo import api, fields, models
from odoo.tools import SQL


class SocialCrmMentionHourly(models.Model):
    """How many mentions came in, by the hour: each mention counts once."""

    _name = 'social.crm.mention.hourly'
    _inherit = 'social.crm.hourly.mixin'
    _description = 'Mentions by the Hour'

    campaign_id = fields.Many2one(
        'utm.campaign', readonly=True, index='btree_not_null', ondelete='set null'
    )

    _bucket = models.Index('(company_id, hour)')

    def init(self):
        """Have all mentions summed up where that was not done before: this model is new there."""
        result = super().init()
        self.env.cr.execute(
            """INSERT INTO social_crm_hour_mark (company_id, hour)
               SELECT DISTINCT company_id, date_trunc('hour', posted_at) FROM social_crm_mention
                WHERE NOT EXISTS (SELECT FROM social_crm_mention_hourly)
                  AND NOT EXISTS (SELECT FROM social_crm_hour_mark)"""
        )
        return result

    @api.model
    def _extra_columns(self):
        return {'campaign_id': SQL('m.campaign_id')}
