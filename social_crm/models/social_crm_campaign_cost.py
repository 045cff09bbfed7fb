from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SocialCrmCampaignCost(models.Model):
    """Money spent on a campaign, entered by hand: ads, an agency, an influencer."""

    _name = 'social.crm.campaign.cost'
    _description = 'Cost of a Social Campaign'
    _order = 'date desc, id desc'
    _check_company_auto = True

    campaign_id = fields.Many2one('utm.campaign', required=True, index=True, ondelete='cascade')
    name = fields.Char('What For', required=True)
    date = fields.Date(required=True, default=fields.Date.context_today)
    amount = fields.Monetary(required=True)
    currency_id = fields.Many2one(
        'res.currency',
        required=True,
        default=lambda self: self.env.company.currency_id,
    )
    company_id = fields.Many2one(
        'res.company',
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    network = fields.Selection(
        selection=lambda self: self.env['social.crm.app']._selection_network(),
        help='Empty where it was spent on all of them.',
    )
    rule_id = fields.Many2one(
        'social.crm.rule',
        'Listening Rule',
        index='btree_not_null',
        ondelete='set null',
        check_company=True,
        help='Spent for this rule alone. Empty: it is spread over what the campaign brings.',
    )

    def write(self, vals):
        result = super().write(vals)
        if 'company_id' in vals:
            self.check_access('write')  # there, too
        return result

    @api.constrains('amount')
    def _check_amount(self):
        if any(cost.amount < 0 for cost in self):
            raise ValidationError(self.env._('A cost is entered as a positive amount.'))
