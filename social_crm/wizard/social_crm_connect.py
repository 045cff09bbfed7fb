from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..providers import adapter_class
from ..providers.errors import ProviderError

# What the adapters say of an address that no public server can have.
BAD_ADDRESS = {
    'empty',
    'url',
    'scheme',
    'userinfo',
    'port',
    'host',
    'private_address',
    'not_fediverse',
    'not_atproto',
    'handle',
}


class SocialCrmConnect(models.TransientModel):
    """The dialog that starts a connection: which network, which server, for whom."""

    _name = 'social.crm.connect'
    _description = 'Connect a Social Account'

    account_id = fields.Many2one('social.crm.account', readonly=True)
    network = fields.Selection(
        selection='_selection_network',
        required=True,
        compute='_compute_from_account',
        store=True,
        readonly=False,
        precompute=True,
    )
    server = fields.Char(
        compute='_compute_from_account',
        store=True,
        readonly=False,
        precompute=True,
        help='Your whole handle, or the address of your server.',
    )
    asks_server = fields.Boolean(compute='_compute_asks_server')
    server_example = fields.Char(compute='_compute_asks_server')
    takes_app_password = fields.Boolean(compute='_compute_asks_server')
    kind = fields.Selection(
        [('brand', 'Brand: used by the team'), ('personal', 'Personal: used by me alone')],
        required=True,
        compute='_compute_from_account',
        store=True,
        readonly=False,
        precompute=True,
    )
    may_connect_brand = fields.Boolean(compute='_compute_may_connect_brand')
    only_brand = fields.Boolean(compute='_compute_only_brand')
    capabilities = fields.Html(compute='_compute_capabilities', sanitize=False)

    # === COMPUTE METHODS === #

    @api.depends('account_id')
    def _compute_from_account(self):
        manager = self.env.user.has_group('social_crm.social_crm_group_manager')
        for wizard in self:
            account = wizard.account_id
            wizard.network = account.network or self._selection_network()[0][0]
            wizard.server = account.server
            wizard.kind = account.kind if account else 'brand' if manager else 'personal'

    @api.depends('network')
    def _compute_asks_server(self):
        for wizard in self:
            adapter = adapter_class(wizard.network)
            wizard.asks_server = 'servers' in adapter.features
            wizard.server_example = adapter.server_example
            wizard.takes_app_password = 'app_password' in adapter.features

    @api.depends('network')
    def _compute_only_brand(self):
        """On some networks a person has no account that may be used here, only their pages."""
        for wizard in self:
            features = adapter_class(wizard.network).features
            wizard.only_brand = 'brands' in features and 'own_account' not in features

    @api.onchange('network')
    def _onchange_network(self):
        if self.only_brand:
            self.kind = 'brand'

    def _compute_may_connect_brand(self):
        self.may_connect_brand = self.env.user.has_group('social_crm.social_crm_group_manager')

    @api.depends('network')
    def _compute_capabilities(self):
        for wizard in self:
            wizard.capabilities = self.env['social.crm.app']._capability_badges(wizard.network)

    @api.model
    def _selection_network(self):
        return self.env['social.crm.app']._selection_network()

    # === ACTION METHODS === #

    def action_connect(self):
        """Send the browser to the network, where the person signs in and agrees."""
        self.ensure_one()
        self._check_may_start()
        try:
            app = self._app()
            # sudo: nobody has rights on connections under way; user and company are kept in it
            url = (
                self.env['social.crm.oauth.state']
                .with_user(self.env.user)
                .sudo()
                ._start(
                    app,
                    self.kind,
                    self._wanted(),
                    self.account_id,
                    hint=self.server or '',
                )
            )
        except ProviderError as error:
            raise UserError(self._explain(error)) from error
        return {'type': 'ir.actions.act_url', 'url': url, 'target': 'self'}

    # === BUSINESS METHODS === #

    def _check_may_start(self):
        """Raise unless this user may connect what the dialog says."""
        self.env[
            'social.crm.credential'
        ].sudo()._keys()  # sudo: only whether there is a key; no key, no connection
        if self.account_id:
            self.account_id._check_may_connect()
        elif self.kind == 'personal' and self.only_brand:
            raise UserError(
                self.env._(
                    '%s lets pages of companies be connected, and no personal accounts.',
                    adapter_class(self.network).label,
                )
            )
        elif self.kind == 'brand' and not self.may_connect_brand:
            raise AccessError(
                self.env._('Brand accounts are connected by a Social CRM administrator.')
            )

    def _wanted(self):
        """Return the capabilities to ask for: switched on here, offered by the network."""
        offered = adapter_class(self.network).capabilities
        return [name for name in self.env.company._social_crm_capabilities() if name in offered]

    def _app(self, client=True):
        """Return the OAuth client to connect with; without a need for one, only its server."""
        adapter = adapter_class(self.network)
        # sudo: users connect personal accounts, and the client is the company's
        App = self.env['social.crm.app'].sudo()
        if 'register' in adapter.features:
            server = adapter.normalise_server(self.server or '')
            return App._for_server(
                self.network, server, self.env.company, adapter.scopes_for(self._wanted()), client
            )
        app = App.search(
            [('network', '=', self.network), ('company_id', '=', self.env.company.id)], limit=1
        )
        if not app._is_complete():
            raise UserError(
                self.env._(
                    "%s is not set up yet. An administrator enters the app's client ID and "
                    'secret in '
                    'Social CRM > Configuration > Apps.',
                    adapter.label,
                )
            )
        return app

    def _explain(self, error):
        if error.code in BAD_ADDRESS:
            return self.env._(
                '"%(typed)s" is no handle or public server of %(network)s. Type it like '
                '%(example)s.',
                typed=self.server or '',
                network=adapter_class(self.network).label,
                example=self.server_example,
            )
        if error.code == 'needs_https':
            return self.env._(
                '%s lets people sign in on its page only where Odoo has a public https address. '
                'Connect with an app password instead.',
                adapter_class(self.network).label,
            )
        return self.env._(
            '%(server)s cannot be connected right now. %(reason)s\nCheck the address, and try '
            'again in a minute.',
            server=self.server or adapter_class(self.network).label,
            reason=self.env['social.crm.account']._explain(error),
        )
