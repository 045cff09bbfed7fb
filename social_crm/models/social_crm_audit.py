from odoo import api, fields, models
from odoo.exceptions import UserError


class SocialCrmAudit(models.Model):
    """What happened to the connections: who, when, what. Rows are added and never changed."""

    _name = 'social.crm.audit'
    _description = 'Social CRM Audit'
    _order = 'id desc'
    _rec_name = 'event'

    event = fields.Selection(
        [
            ('connect', 'Connected'),
            ('reconnect', 'Reconnected'),
            ('scopes', 'Permissions changed'),
            ('refresh_failed', 'Login lost'),
            ('deauthorize', 'Permission withdrawn at the network'),
            ('disconnect', 'Disconnected'),
            ('revoke', 'Revoked at the network'),
            ('revoke_failed', 'Not revoked at the network'),
            ('erase', 'Person erased'),
        ],
        required=True,
        readonly=True,
    )
    account_id = fields.Many2one(
        'social.crm.account', readonly=True, ondelete='set null', index='btree_not_null'
    )
    network = fields.Selection(selection='_selection_network', readonly=True)
    handle = fields.Char(readonly=True)
    user_id = fields.Many2one('res.users', 'By', readonly=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', readonly=True, index=True)
    detail = fields.Char(readonly=True)

    @api.model
    def _selection_network(self):
        return self.env['social.crm.app']._selection_network()

    @api.model
    def _log(self, event, account, detail=''):
        """Add a row for ``account``, in the name of the current user."""
        # sudo: nobody has the right to write here, the module alone adds rows
        return self.sudo().create(
            [
                {
                    'event': event,
                    'account_id': record.id,
                    'network': record.network,
                    'handle': record.handle,
                    'user_id': self.env.uid,
                    'company_id': record.company_id.id,
                    'detail': detail,
                }
                for record in account
            ]
        )

    @api.model
    def _log_erasure(self, proof):
        """Add a row for a person erased; who it was is not told."""
        # sudo: see _log
        return self.sudo().create(
            {
                'event': 'erase',
                'network': proof.network,
                'user_id': self.env.uid,
                'company_id': proof.company_id.id,
                'detail': ' – '.join(filter(None, [proof.reference, proof.reason])),
            }
        )

    def write(self, vals):  # pylint: disable=method-required-super  # it always refuses
        raise UserError(self.env._('The audit log cannot be changed.'))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._('The audit log cannot be deleted.'))
