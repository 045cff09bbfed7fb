import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ..providers import adapter_class
from ..providers.errors import AuthorizationLost, ProviderError
from ..providers.types import Profile, Token
from ..tools import clean, naive

_logger = logging.getLogger(__name__)

BACKFILL = timedelta(days=7)
REFRESH_AHEAD = timedelta(minutes=30)
WARN_DAYS = (14, 7, 2)
MAX_SEARCHES = 30  # streams of hashtags and searches per account, each a call per look


class SocialCrmAccount(models.Model):
    """A connected account: *personal* (owned by one user) or *brand* (used by a company's team)."""

    _name = 'social.crm.account'
    _description = 'Social Account'
    _inherit = ['mail.thread', 'mail.activity.mixin']
    _order = 'network, handle, id'
    _check_company_auto = True

    network = fields.Selection(selection='_selection_network', required=True, readonly=True)
    server = fields.Char(related='app_id.server')
    app_id = fields.Many2one('social.crm.app', readonly=True, ondelete='restrict', check_company=True)
    handle = fields.Char(readonly=True, tracking=True)
    name = fields.Char(readonly=True)
    external_id = fields.Char(readonly=True, copy=False)
    local_id = fields.Char(readonly=True, copy=False)
    url = fields.Char('Public Page', readonly=True)
    kind = fields.Selection(
        [('personal', 'Personal'), ('brand', 'Brand')], default='brand', required=True, readonly=True,
    )
    user_id = fields.Many2one(
        'res.users', 'Owner', required=True, tracking=True, default=lambda self: self.env.user,
        domain=[('share', '=', False)],
        help='Owns a personal account; answers for the connection of a brand account.',
    )
    company_id = fields.Many2one(
        'res.company', required=True, readonly=True, index=True,
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
        default='draft', required=True, readonly=True, tracking=True, copy=False,
    )
    wanted_capabilities = fields.Char(readonly=True)
    granted_scopes = fields.Char(readonly=True, tracking=True)
    permitted_capabilities = fields.Char('Permitted', compute='_compute_missing_capabilities')
    missing_capabilities = fields.Char('Missing Permissions', compute='_compute_missing_capabilities')
    connected_at = fields.Datetime(readonly=True)
    expires_at = fields.Datetime('Login Expires', compute='_compute_expires_at', compute_sudo=True)

    poll_interval = fields.Integer(
        'Look Every (seconds)', default=60, required=True,
        help='How often to look for new items. The network\'s rate limit may make it less often.',
    )
    stream_ids = fields.One2many('social.crm.stream', 'account_id', readonly=True)
    searches_left_out = fields.Integer(
        readonly=True, help='Words and hashtags of rules that this account does not ask the network for: they are too many.',
    )
    last_success = fields.Datetime('Last Look', readonly=True)
    last_error = fields.Char(readonly=True)
    last_error_at = fields.Datetime(readonly=True)
    rate_limit_remaining = fields.Integer(readonly=True)
    rate_limit_reset = fields.Datetime(readonly=True)
    mention_count = fields.Integer(compute='_compute_mention_count')
    parked_count = fields.Integer(compute='_compute_parked_count', groups='social_crm.social_crm_group_marketing')

    _unique_account = models.UniqueIndex(
        '(company_id, network, external_id) WHERE external_id IS NOT NULL',
        'This account is connected in this company already.',
    )
    _poll_interval = models.Constraint(
        'CHECK (poll_interval BETWEEN 5 AND 86400)',
        'Look every 5 seconds at most, and once a day at least.',
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
            wanted = (account.wanted_capabilities or '').split()
            account.missing_capabilities = ', '.join(str(labels.get(name, name)) for name in missing)
            account.permitted_capabilities = ', '.join(
                str(labels.get(name, name)) for name in wanted
                if name not in missing and account.state in ('connected', 'reconnect')
            )

    def _compute_mention_count(self):
        counts = dict(self.env['social.crm.mention']._read_group(
            [('account_id', 'in', self.ids)], ['account_id'], ['__count'],
        ))
        for account in self:
            account.mention_count = counts.get(account, 0)

    def _compute_parked_count(self):
        counts = dict(self.env['social.crm.parked.item']._read_group(
            [('account_id', 'in', self.ids), ('state', '=', 'parked')], ['account_id'], ['__count'],
        ))
        for account in self:
            account.parked_count = counts.get(account, 0)

    @api.model
    def _selection_network(self):
        return self.env['social.crm.app']._selection_network()

    # === CONSTRAINT METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if self.filtered('external_id'):
            raise UserError(self.env._(
                'Disconnect and archive an account instead of deleting it: its mentions, answers and '
                'figures hang on it.',
            ))

    # === CRUD METHODS === #

    def write(self, vals):
        result = super().write(vals)
        if {'active', 'state'} & vals.keys():
            self._sync_streams()
        if 'poll_interval' in vals:
            self.sudo().stream_ids.next_due = fields.Datetime.now()  # sudo: streams are the module's
        return result

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
            profile = self._provider().whoami()
        except AuthorizationLost as error:
            self._lose_login(error)
            return self._notify('danger', self.env._('The login is not valid any more: connect again.'))
        except ProviderError as error:
            return self._notify('warning', self._explain(error))
        return self._notify('success', self.env._('Connected as @%s.', profile.handle))

    def action_poll(self):
        """Look for new items now."""
        self.check_access('read')
        self.sudo().stream_ids.next_due = fields.Datetime.now()  # sudo: streams are the module's
        self.env.ref('social_crm.ir_cron_receive').sudo()._trigger()  # sudo: wake the loop only
        return self._notify('info', self.env._('Looking for new items…'))

    def action_disconnect(self):
        """Erase the login here at once, then take it back at the network."""
        for account in self:
            account._check_may_connect()
            account._disconnect()

    def action_view_mentions(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('social_crm.social_crm_mention_action')
        action.update(domain=[('account_id', '=', self.id)], context={})
        return action

    def action_view_parked(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('social_crm.social_crm_parked_item_action')
        action.update(domain=[('account_id', '=', self.id)])
        return action

    # === CONNECT === #

    @api.model
    def _connect_identity(self, state, app, token: Token, profile: Profile):
        """Create or renew the account that ``profile`` stands for, with its login and streams.

        Called by the OAuth callback as superuser, after all checks; one transaction.

        :param state: the ``social.crm.oauth.state`` that the person came back with
        :raise UserError: when the account is another user's personal one
        """
        account = state.account_id or self.with_context(active_test=False).search([
            ('company_id', '=', state.company_id.id), ('network', '=', app.network),
            ('external_id', '=', profile.external_id),
        ])
        if account.kind == 'personal' and account.user_id != state.user_id:
            raise UserError(self.env._(
                '@%(handle)s is connected already, as a personal account of %(owner)s.',
                handle=profile.handle, owner=account.user_id.name,
            ))
        values = {
            'app_id': app.id, 'handle': profile.handle, 'name': clean(profile.name, 200),
            'external_id': profile.external_id, 'local_id': profile.local_id, 'url': profile.url,
            'wanted_capabilities': state.capabilities, 'connected_at': fields.Datetime.now(),
            'granted_scopes': ' '.join(token.scopes if token.scopes is not None else app.scopes.split()),
            'state': 'connected', 'active': True, 'last_error': False,
        }
        event = 'reconnect' if account else 'connect'
        if account:
            account.write(values)
        else:
            account = self.create({
                'network': app.network, 'kind': state.kind, 'user_id': state.user_id.id,
                'company_id': state.company_id.id, **values,
            })
        self.env['social.crm.credential']._store(account, token)
        self.env['social.crm.profile']._upsert(account.company_id, account.network, [profile])
        account._sync_streams()
        account.activity_unlink(['social_crm.mail_activity_type_reconnect'])
        self.env['social.crm.audit'].with_user(state.user_id)._log(event, account)
        self.env.ref('social_crm.ir_cron_receive')._trigger()
        return account

    def _check_may_connect(self):
        """Owners manage their personal accounts, administrators the brand accounts."""
        self.check_access('read')
        for account in self:
            own = account.kind == 'personal' and account.user_id == self.env.user
            if not (own or account.kind == 'brand' and self.env.user.has_group('social_crm.social_crm_group_manager')):
                raise AccessError(self.env._(
                    'A personal account is managed by its owner, a brand account by a Social CRM administrator.',
                ))

    def _disconnect(self):
        """Forget the login, then try to revoke it; work under way stops as it finds no login."""
        self.ensure_one()
        account = self.sudo()  # sudo: rights were checked, the login itself is readable by nobody
        credential = self.env['social.crm.credential'].sudo().search([('account_id', '=', self.id)])
        provider = account._provider() if credential else None
        credential.unlink()
        account.write({'state': 'disconnected', 'last_error': False})
        account.activity_unlink(['social_crm.mail_activity_type_reconnect'])
        self.env['social.crm.audit']._log('disconnect', self)
        if provider and 'revoke' in provider.features:
            try:
                provider.revoke()
            except ProviderError as error:
                self.env['social.crm.audit']._log('revoke_failed', self, self._explain(error))
            else:
                self.env['social.crm.audit']._log('revoke', self)

    def _missing_capabilities(self):
        """Return the wanted capabilities that the granted scopes do not allow."""
        self.ensure_one()
        if not self.network or self.state in ('draft', 'disconnected'):
            return []
        adapter = adapter_class(self.network)
        granted = (self.granted_scopes or '').split()
        return [
            name for name in (self.wanted_capabilities or '').split()
            if name in adapter.capabilities and not adapter.covers(granted, adapter.capabilities[name])
        ]

    # === LOGIN === #

    def _provider(self):
        """Return the adapter with this account's login; it may be used in a thread.

        :raise AuthorizationLost: when there is no login
        """
        self.ensure_one()
        credential = self.env['social.crm.credential'].sudo().search([('account_id', '=', self.id)])
        if not credential:
            raise AuthorizationLost('not connected')
        return self._adapter(credential._token())

    def _offline_provider(self):
        """Return the adapter without a login, to read payloads that are here already."""
        self.ensure_one()
        return self._adapter()

    def _adapter(self, token=None):
        app = self.sudo().app_id  # sudo: the client is used on the server only
        me = Profile(
            external_id=self.external_id or '', handle=self.handle or '', name=self.name or '',
            url=self.url or '', local_id=self.local_id or '',
        )
        return adapter_class(self.network)(app._http(), app._as_app(), token, me)

    def _lose_login(self, error):
        """The grant is dead: stop, and ask the owner to connect again. History stays."""
        for account in self.sudo():  # sudo: found by a loop or by whoever pressed Test
            if account.state != 'connected':
                continue
            account.write({
                'state': 'reconnect', 'last_error': account._explain(error),
                'last_error_at': fields.Datetime.now(),
            })
            account.activity_schedule(
                'social_crm.mail_activity_type_reconnect', user_id=account.user_id.id,
                summary=self.env._('Connect @%s again', account.handle),
                note=self.env._('The network does not accept the login any more. Nothing is lost: open the account and press Reconnect.'),
            )
            self.env['social.crm.audit']._log('refresh_failed', account, account._explain(error))

    def _explain(self, error):
        """Return what an adapter's error means, for a person, with the network's own words."""
        labels = {
            'AuthorizationLost': self.env._('The login is not valid any more'),
            'PermissionMissing': self.env._('The network does not permit this'),
            'RateLimited': self.env._('Too many requests, waiting'),
            'Transient': self.env._('The network cannot be reached'),
            'OutcomeUnknown': self.env._('The answer of the network got lost'),
            'NotFound': self.env._('Not found at the network'),
            'Duplicate': self.env._('The network says this exists already'),
            'Rejected': self.env._('The network refuses this'),
            'NotSupported': self.env._('The network cannot do this'),
        }
        if isinstance(error, UserError):  # our own words, such as a key that is missing
            return clean(str(error), 500)
        label = labels.get(type(error).__name__, self.env._('Unexpected error, see the server log'))
        reason = getattr(error, 'reason', '')
        return clean(f'{label}: {reason}' if reason else str(label), 500)

    @api.model
    def _cron_refresh(self):
        """Renew logins ahead of their end, and warn where that is not possible."""
        soon = fields.Datetime.now() + REFRESH_AHEAD
        credentials = self.env['social.crm.credential'].search([
            ('expires_at', '!=', False), ('account_id.state', '=', 'connected'),
        ])
        for credential in credentials:
            account = credential.account_id
            if 'refresh' in adapter_class(account.network).features:
                if credential.expires_at < soon:
                    account._refresh_login()
            else:
                account._warn_of_expiry(credential.expires_at)

    def _refresh_login(self):
        """Renew the login once, under a lock, and commit it at once (refresh tokens are single-use)."""
        self.ensure_one()
        with self.env.registry.cursor() as cr:  # own cursor: a rotated token must survive a rollback here
            account = self.with_env(self.env(cr=cr))
            credential = account.env['social.crm.credential'].search([('account_id', '=', self.id)])
            if not credential.try_lock_for_update():
                return
            credential.invalidate_recordset()
            if credential.expires_at and credential.expires_at > fields.Datetime.now() + REFRESH_AHEAD:
                return  # another worker was quicker
            try:
                token = account._provider().refresh()
            except AuthorizationLost as error:
                account._lose_login(error)
            except ProviderError as error:
                _logger.info('refresh of account %s put off: %s', self.id, error.code)
            else:
                account.env['social.crm.credential']._store(account, token)

    def _warn_of_expiry(self, expires_at):
        """Raise an activity 14, 7 and 2 days before a login ends that cannot be renewed here."""
        self.ensure_one()
        days = (expires_at - fields.Datetime.now()).days
        if days > WARN_DAYS[0] or self.activity_search(['social_crm.mail_activity_type_reconnect']):
            return
        self.activity_schedule(
            'social_crm.mail_activity_type_reconnect', user_id=self.user_id.id,
            date_deadline=(expires_at - timedelta(days=2)).date(),
            summary=self.env._('The login of @%(handle)s ends in %(days)s days', handle=self.handle, days=max(days, 0)),
        )

    # === STREAMS === #

    def _sync_streams(self):
        """Make the streams match what the network offers and what the rules ask for.

        A stream that nobody wants any more is switched off and keeps its cursor. The first rules
        come first where they ask for more searches than a network can be asked for.
        """
        now = fields.Datetime.now()
        Stream = self.env['social.crm.stream'].sudo()  # sudo: streams are the module's own
        for account in self.sudo():
            wanted = []
            if account.active and account.state == 'connected':
                adapter = adapter_class(account.network)
                asked = self.env['social.crm.rule']._wanted_streams(account, adapter)
                wanted = [(kind, '') for kind in adapter.default_streams()] + asked[:MAX_SEARCHES]
                account.searches_left_out = max(len(asked) - MAX_SEARCHES, 0)
            known = Stream.with_context(active_test=False).search([('account_id', '=', account.id)])
            by_key = {(stream.kind, stream.query): stream for stream in known}
            on = Stream.union(*(stream for key, stream in by_key.items() if key in set(wanted)))
            (known - on).filtered('active').write({'active': False})
            on.filtered(lambda stream: not stream.active).write({'active': True, 'next_due': now, 'error_count': 0})
            Stream.create([
                {'account_id': account.id, 'kind': kind, 'query': query, 'next_due': now, 'since': now - BACKFILL}
                for kind, query in wanted if (kind, query) not in by_key
            ])

    def _note_success(self, rate_limit):
        """Keep what the health page shows after a look that worked."""
        values = {'last_success': fields.Datetime.now()}
        if self.last_error and not any(self.stream_ids.mapped('last_error')):
            values['last_error'] = False
        if rate_limit:
            values.update(rate_limit_remaining=rate_limit.remaining, rate_limit_reset=naive(rate_limit.reset))
        self.write(values)

    # === HELPERS === #

    @api.model
    def _usable_domain(self):
        """Return the domain of the accounts that the current user may send from."""
        return Domain('state', '=', 'connected') & (
            Domain('kind', '=', 'brand') | Domain('user_id', '=', self.env.uid)
        )

    def _announce(self, mention_ids, records=()):
        """Have the screens of those who may see this account's mentions read again; only ids travel.

        :param records: leads, tickets, ... whose chatter has changed
        """
        self.ensure_one()
        target = self.user_id.partner_id
        if self.kind == 'brand':
            target = self.env.ref('social_crm.social_crm_group_user')
        payload = {'ids': list(mention_ids), 'company_id': self.company_id.id}
        threads = [[record._name, record.id] for record in records]
        target._bus_send('social_crm.mention', {**payload, 'threads': threads} if threads else payload)

    def _notify(self, kind, message):
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {'type': kind, 'message': message, 'next': {'type': 'ir.actions.client', 'tag': 'soft_reload'}},
        }
