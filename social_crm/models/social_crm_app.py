import json
import secrets

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import config, str2bool

from ..providers import Provider, adapter_class, adapter_codes
from ..providers.http import Http
from ..providers.types import App

CALLBACK_PATH = '/social_crm/oauth/callback'
#: Where the logins of an app's accounts are sent to, and whose they are.
FIXED = frozenset(('network', 'server', 'company_id', 'metadata'))


class SocialCrmApp(models.Model):
    """The OAuth client that a company has at a network, or at one server of it.

    Servers that let a client register itself get one each, made on the first connection; the
    other networks get theirs from the settings.
    """

    _name = 'social.crm.app'
    _description = 'Social Network App'
    _order = 'network, server, id'

    network = fields.Selection(selection='_selection_network', required=True)
    server = fields.Char(help='Address of the server, for networks that have many.')
    company_id = fields.Many2one(
        'res.company',
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    client_id = fields.Char('Client ID')
    client_secret = fields.Char(
        compute='_compute_client_secret',
        inverse='_inverse_client_secret',
        help='Stored encrypted and never shown again.',
    )
    has_secret = fields.Boolean(compute='_compute_has_secret')
    webhook_secret = fields.Char(
        'API Secret',
        compute='_compute_client_secret',
        inverse='_inverse_webhook_secret',
        help='The secret that belongs to the API key of the app (on X: consumer secret): the '
        'network signs with it what it pushes. Stored encrypted and never shown again.',
    )
    asks_webhook_secret = fields.Boolean(compute='_compute_asks_webhook_secret')
    secret = fields.Text(groups=fields.NO_ACCESS, copy=False)
    redirect_uri = fields.Char('Redirect URI', default=lambda self: self._default_redirect_uri())
    scopes = fields.Char(
        help='Scopes that the client may ask for, separated by spaces. On LinkedIn they depend on '
        'the products of the app, and its page "Auth" lists them: one too many, and nobody can '
        'sign in. Without any, those of the product Community Management are asked for.',
    )
    asks_scopes = fields.Boolean(compute='_compute_asks_webhook_secret')
    verify_token = fields.Char(
        default=lambda self: secrets.token_urlsafe(24),
        copy=False,
        help='The network repeats it when it asks whether the webhook address is ours.',
    )
    metadata = fields.Json(help='What the server says about itself: endpoints, software, limits.')

    _unique_client = models.UniqueIndex(
        "(company_id, network, COALESCE(server, ''), COALESCE(redirect_uri, ''))",
        'This company has an app for this network and server already.',
    )

    @api.model
    def _default_redirect_uri(self):
        return self.get_base_url() + CALLBACK_PATH

    # === COMPUTE METHODS === #

    @api.depends('network', 'server')
    def _compute_display_name(self):
        labels = dict(self._selection_network())
        for app in self:
            label = labels.get(app.network, app.network or '')
            app.display_name = f'{label} ({app.server})' if app.server else label

    def _compute_client_secret(self):
        self.client_secret = self.webhook_secret = False

    @api.depends('network')
    def _compute_asks_webhook_secret(self):
        for app in self:
            features = adapter_class(app.network).features if app.network else ()
            app.asks_webhook_secret = 'webhook_secret' in features
            app.asks_scopes = 'own_scopes' in features

    @api.depends('secret')
    def _compute_has_secret(self):
        for app in self:
            app.has_secret = bool(app.sudo().secret)  # sudo: only whether there is one is told

    def _inverse_client_secret(self):
        self._keep_secret('client_secret')

    def _inverse_webhook_secret(self):
        self._keep_secret('webhook_secret')

    def _keep_secret(self, name):
        """Encrypt what was typed into a field, beside the app's other secrets."""
        Credential = self.env['social.crm.credential']
        for app in self.filtered(name):
            secret = app.sudo().secret  # sudo: nobody may read the column, it stays on the server
            try:
                kept = Credential._decrypt(secret) if secret else {}
            except UserError:  # its key is gone, and with it the others
                kept = {}
            # sudo: those who may write the app may replace its secrets
            app.sudo().secret = Credential._encrypt({**kept, name: app[name]})
        self.invalidate_recordset([name], flush=False)  # not even shown to who typed it

    @api.model
    def _selection_network(self):
        return [(code, adapter_class(code).label) for code in adapter_codes()]

    # === CRUD METHODS === #

    def write(self, vals):
        if not self.env.su and FIXED & vals.keys():
            # sudo: personal accounts of others count as well
            Account = self.env['social.crm.account'].sudo()
            if Account.search_count([('app_id', 'in', self.ids)], limit=1):
                raise AccessError(
                    self.env._(
                        'Accounts are connected by this app, and their logins would be sent '
                        'elsewhere: add another app instead.'
                    )
                )
        result = super().write(vals)
        if 'company_id' in vals:
            self.check_access('write')  # there, too
        return result

    # === BUSINESS METHODS === #

    @api.model
    def _adapter_class(self, network) -> type[Provider]:
        return adapter_class(network)

    @api.model
    def _allow_private(self):
        """Return whether private hosts and plain http may be used: for tests and own networks."""
        return str2bool(str(config.get('social_crm_allow_private_hosts') or ''), default=False)

    @api.model
    def _http(self) -> Http:
        """Return a guarded HTTP client."""
        return Http(
            allow_private=self._allow_private(),
            user_agent=f'social_crm (+{self.get_base_url()})',
        )

    def _as_app(self) -> App:
        """Return this record as the adapters' value, its secret decrypted.

        No record is an app without settings: accounts of demo data have none, and are read.
        """
        app = (
            self.sudo()
        )  # sudo: the secret is readable by nobody, and used here on the server only
        secret = self.env['social.crm.credential']._decrypt(app.secret) if app.secret else {}
        return App(
            client_id=app.client_id or '',
            client_secret=secret.get('client_secret', ''),
            server=app.server or '',
            redirect_uri=app.redirect_uri or '',
            scopes=tuple((app.scopes or '').split()),
            # What a server says of itself is not overruled: logins are sent there.
            metadata={**app._more_settings(), **(app.metadata or {})},
            verify_token=app.verify_token or '',
            webhook_url=app.webhook_url or '',
            webhook_secret=secret.get('webhook_secret', ''),
        )

    def _is_complete(self):
        """Return whether accounts can be connected by this client."""
        public = bool(self) and 'public_client' in adapter_class(self.network).features
        return bool(self.client_id and (self.has_secret or public))

    def _provider(self) -> Provider:
        """Return the adapter with this client and no login."""
        self.ensure_one()
        return adapter_class(self.network)(self._http(), self._as_app())

    @api.model
    def _for_server(self, network, server, company, scopes, client=True):
        """Return the app for a server; register one there where there is none yet.

        :param client: whether a client is needed: people may also sign in without
        :raise ProviderError: when the server does not answer or refuses
        """
        redirect_uri = self._default_redirect_uri()
        adapter = adapter_class(network)
        found = adapter(self._http()).discover(server)  # its real address may be another
        app = self.search(
            [
                ('network', '=', network),
                ('server', '=', found.server),
                ('company_id', '=', company.id),
                ('redirect_uri', '=', redirect_uri),
            ],
            limit=1,
        )
        values = {'metadata': json.loads(json.dumps(dict(found.metadata)))}
        known = (app.scopes or '').split()
        if client and (
            not app
            or found.metadata.get('app_per_account')
            or not adapter.covers(known, scopes)
            or not app.client_id
        ):
            wanted = App(
                server=found.server,
                redirect_uri=redirect_uri,
                scopes=tuple(scopes),
                metadata=found.metadata,
                # A key that logins hang on is kept where the network has the client bring its own.
                client_secret=app._as_app().client_secret if app else '',
            )
            done = adapter(self._http(), wanted).register(
                wanted,
                name=company.name or 'Odoo',
                website=self.get_base_url(),
            )
            values.update(
                client_id=done.client_id,
                client_secret=done.client_secret,
                scopes=' '.join(done.scopes or scopes),
            )
        if app:
            app.write(values)
            return app
        return self.create(
            {
                'network': network,
                'server': found.server,
                'company_id': company.id,
                'redirect_uri': redirect_uri,
                **values,
            }
        )
