from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..providers.errors import AuthorizationLost, ProviderError


class SocialCrmAccount(models.Model):
    """A connected account: *personal* (owned by one user) or *brand* (used by a company's team)."""

    _name = 'social.crm.account'
    _description = 'Social Account'
    _inherit = ['mail.thread', 'mail.activity.mixin']
    _order = 'network, handle, id'
    _check_company_auto = True

    network = fields.Selection(selection='_selection_network', required=True, readonly=True)
    server = fields.Char(related='app_id.server')
    app_id = fields.Many2one(
        'social.crm.app', readonly=True, ondelete='restrict', check_company=True
    )
    handle = fields.Char(readonly=True, tracking=True)
    name = fields.Char(readonly=True)
    external_id = fields.Char(readonly=True, copy=False)
    local_id = fields.Char(readonly=True, copy=False)
    login_id = fields.Char(
        readonly=True,
        copy=False,
        index='btree_not_null',
        help='Who signed in on the network, where that is another than the account (a page).',
    )
    url = fields.Char('Public Page', readonly=True)
    kind = fields.Selection(
        [('personal', 'Personal'), ('brand', 'Brand')],
        default='brand',
        required=True,
        readonly=True,
    )
    user_id = fields.Many2one(
        'res.users',
        'Owner',
        required=True,
        tracking=True,
        default=lambda self: self.env.user,
        domain=[('share', '=', False)],
        help='Owns a personal account; answers for the connection of a brand account.',
    )
    message_user_ids = fields.Many2many(
        'res.users',
        'social_crm_account_message_user_rel',
        'account_id',
        'user_id',
        'Told of Direct Messages',
        domain=[('share', '=', False)],
        help=(
            'A direct message pops up on their screens unless somebody is responsible for its '
            'author already. Empty: the owner.'
        ),
    )
    company_id = fields.Many2one(
        'res.company',
        required=True,
        readonly=True,
        index=True,
        default=lambda self: self.env.company,
    )
    active = fields.Boolean(default=True)
    state = fields.Selection(
        [
            ('draft', 'Not Connected'),
            ('connected', 'Connected'),
            ('reconnect', 'Needs Reconnect'),
            ('disconnected', 'Disconnected'),
        ],
        default='draft',
        required=True,
        readonly=True,
        tracking=True,
        copy=False,
    )
    wanted_capabilities = fields.Char(readonly=True)
    granted_scopes = fields.Char(readonly=True, tracking=True)
    capability_badges = fields.Html('Can Do', compute='_compute_capability_badges', sanitize=False)
    missing_capabilities = fields.Char(
        'Missing Permissions', compute='_compute_missing_capabilities'
    )
    connected_at = fields.Datetime(readonly=True)
    revocation = fields.Selection(
        [
            ('waiting', 'Waiting for the network'),
            ('done', 'Revoked'),
            ('failed', 'Not revoked'),
            ('shared', 'Kept: other accounts use it'),
            ('impossible', 'Not offered by the network'),
        ],
        'Login at the Network',
        readonly=True,
        copy=False,
        help='What became of the permission at the network after the account was disconnected.',
    )
    expires_at = fields.Datetime('Login Expires', compute='_compute_expires_at', compute_sudo=True)

    mention_count = fields.Integer(compute='_compute_mention_count')

    _unique_account = models.UniqueIndex(
        '(company_id, network, external_id) WHERE external_id IS NOT NULL',
        'This account is connected in this company already.',
    )

    # === COMPUTE METHODS === #

    @api.depends('handle', 'network')
    def _compute_display_name(self):
        labels = dict(self._selection_network())
        for account in self:
            label = labels.get(account.network, '')
            account.display_name = f'@{account.handle} ({label})' if account.handle else label

    def _compute_expires_at(self):
        credentials = self.env['social.crm.credential'].search([('account_id', 'in', self.ids)])
        expiry = {credential.account_id.id: credential.expires_at for credential in credentials}
        for account in self:
            account.expires_at = expiry.get(account.id)

    @api.depends('wanted_capabilities', 'granted_scopes', 'network', 'state')
    def _compute_missing_capabilities(self):
        labels = self.env['res.company']._social_crm_capability_labels()
        for account in self:
            missing = account._missing_capabilities()
            account.missing_capabilities = ', '.join(
                str(labels.get(name, name)) for name in missing
            )

    @api.depends('wanted_capabilities', 'granted_scopes', 'network', 'state')
    @api.depends_context('lang')
    def _compute_capability_badges(self):
        App = self.env['social.crm.app']
        for account in self:
            live = account.state in ('connected', 'reconnect')
            account.capability_badges = live and App._capability_badges(account.network, account)

    def _compute_mention_count(self):
        counts = dict(
            self.env['social.crm.mention']._read_group(
                [('account_id', 'in', self.ids)],
                ['account_id'],
                ['__count'],
            )
        )
        for account in self:
            account.mention_count = counts.get(account, 0)

    @api.model
    def _selection_network(self):
        return self.env['social.crm.app']._selection_network()

    # === CONSTRAINT METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if self.filtered('external_id'):
            raise UserError(
                self.env._(
                    'Disconnect and archive an account instead of deleting it: its mentions, '
                    'answers and '
                    'figures hang on it.',
                )
            )

    # === ACTION METHODS === #

    def action_connect(self):
        """Open the dialog that connects this account again, in place."""
        self.ensure_one()
        self._check_may_connect()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._('Connect an Account'),
            'res_model': 'social.crm.connect',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_account_id': self.id},
        }

    def action_test(self):
        """Ask the network who we are, and tell the outcome."""
        self.ensure_one()
        self._check_may_connect()
        try:
            with self._counted('setup') as provider:
                profile = provider.whoami()
        except AuthorizationLost as error:
            self._lose_login(error)
            return self._notify(
                'danger', self.env._('The login is not valid any more: connect again.')
            )
        except ProviderError as error:
            return self._notify('warning', self._explain(error))
        return self._notify('success', self.env._('Connected as @%s.', profile.handle))

    def action_disconnect(self):
        """Show what hangs on the account, and ask what is to become of it."""
        self.ensure_one()
        self._check_may_connect()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._('Disconnect %s', self.display_name),
            'res_model': 'social.crm.disconnect',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_account_id': self.id},
        }

    def action_view_mentions(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_mention_action'
        )
        action.update(domain=[('account_id', '=', self.id)], context={})
        return action

    # === HELPERS === #

    @api.model
    def _usable_domain(self):
        """Return the domain of the accounts that the current user may send from."""
        return Domain('state', '=', 'connected') & (
            Domain('kind', '=', 'brand') | Domain('user_id', '=', self.env.uid)
        )

    def _announce(self, mention_ids, records=()):
        """Have the screens that show this account's mentions read again; only ids travel.

        :param records: leads, tickets, ... whose chatter has changed
        """
        self.ensure_one()
        target = self.user_id.partner_id
        if self.kind == 'brand':
            target = self.env.ref('social_crm.social_crm_group_user')
        payload = {'ids': list(mention_ids), 'company_id': self.company_id.id}
        threads = [[record._name, record.id] for record in records]
        target._bus_send(
            'social_crm.mention', {**payload, 'threads': threads} if threads else payload
        )

    def _notify(self, kind, message):
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'type': kind,
                'message': message,
                'next': {'type': 'ir.actions.client', 'tag': 'soft_reload'},
            },
        }
