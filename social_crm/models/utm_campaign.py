from odoo import fields, models


class UtmCampaign(models.Model):
    _inherit = 'utm.campaign'

    social_mention_count = fields.Integer(
        compute='_compute_social_mention_count',
        groups='social_crm.social_crm_group_user',
    )

    def _compute_social_mention_count(self):
        counts = dict(
            self.env['social.crm.mention']._read_group(
                [('campaign_id', 'in', self.ids)],
                ['campaign_id'],
                ['__count'],
            )
        )
        for campaign in self:
            campaign.social_mention_count = counts.get(campaign, 0)

    def action_view_social_mentions(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_mention_action'
        )
        action.update(domain=[('campaign_id', '=', self.id)], context={})
        return action
