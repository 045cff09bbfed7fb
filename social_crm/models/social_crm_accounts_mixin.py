from odoo import api, fields, models


class SocialCrmAccountsMixin(models.AbstractModel):
    """What is done by several accounts: with a personal one among them it is its owner's."""

    _name = 'social.crm.accounts.mixin'
    _description = 'Done by Several Social Accounts'

    account_ids = fields.Many2many('social.crm.account', string='Accounts', check_company=True)
    owner_id = fields.Many2one(
        'res.users',
        compute='_compute_owner_id',
        store=True,
        compute_sudo=True,
        help='Set where a personal account is among the accounts: it is for its owner alone.',
    )

    @api.depends('account_ids.kind', 'account_ids.user_id')
    def _compute_owner_id(self):
        for record in self:
            personal = record.account_ids.filtered(lambda account: account.kind == 'personal')
            record.owner_id = personal.user_id[:1]
