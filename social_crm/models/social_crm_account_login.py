import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..providers import adapter_class
from ..providers.errors import AuthorizationLost, ProviderError, Transient
from ..providers.types import Profile, Token
from ..tools import clean, clean_url, each_committed

_logger = logging.getLogger(__name__)

NEARLY_OVER = timedelta(seconds=30)
WARN_DAYS = (14, 7, 2)


class SocialCrmAccount(models.Model):
    """Connecting, the login and its end."""

    _inherit = 'social.crm.account'

    @api.model
    def _connect_identity(self, state, app, token: Token, profile: Profile, login_id=''):
        """Create or renew the account that ``profile`` stands for, with its login and streams.

        Called by the OAuth callback as superuser, after all checks; one transaction.

        :param state: the ``social.crm.oauth.state`` that the person came back with
        :param login_id: who signed in, where that is another than the account
        :raise UserError: when the account is somebody else's
        """
        account = state.account_id or self.with_context(active_test=False).search(
            [
                ('company_id', '=', state.company_id.id),
                ('network', '=', app.network),
                ('external_id', '=', profile.external_id),
            ]
        )
        account._check_may_renew(state, app, profile)
        values = {
            'app_id': app.id,
            'handle': profile.handle,
            'name': clean(profile.name, 200),
            'external_id': profile.external_id,
            'local_id': profile.local_id,
            'login_id': login_id,
            'url': clean_url(profile.url, 500),
            'wanted_capabilities': state.capabilities,
            'connected_at': fields.Datetime.now(),
            'granted_scopes': ' '.join(_granted(state, token)),
            'state': 'connected',
            'active': True,
            'login_error': False,
        }
        event = 'reconnect' if account else 'connect'
        scopes = account.granted_scopes
        if account:
            account.write(values)
        else:
            account = self.create(
                {
                    'network': app.network,
                    'kind': state.kind,
                    'user_id': state.user_id.id,
                    'company_id': state.company_id.id,
                    'poll_interval': adapter_class(app.network).poll_interval,
                    **values,
                }
            )
        self.env['social.crm.credential']._store(account, token)
        self.env['social.crm.revocation']._drop(account)
        self.env['social.crm.profile']._upsert(account.company_id, account.network, [profile])
        account._utm_source()  # before many workers need it at once
        account._sync_streams()
        account._want_setup(now=True)
        account.activity_unlink(['social_crm.mail_activity_type_reconnect'])
        Audit = self.env['social.crm.audit'].with_user(state.user_id)
        Audit._log(event, account)
        if event == 'reconnect' and scopes != account.granted_scopes:
            Audit._log('scopes', account, f'{scopes or "-"} → {account.granted_scopes}')
        self.env.ref('social_crm.ir_cron_receive')._trigger()
        return account

    def _utm_source(self):
        """Return the source of leads of this account's network; made when it is connected."""
        label = dict(self._selection_network())[self[:1].network]
        # sudo: the UTM records are shared constants
        return self.env['utm.mixin'].sudo()._find_or_create_record('utm.source', label)

    def _disconnect(self):
        """Erase the login; the network hears of it soon. Work under way finds no login any more."""
        self.ensure_one()
        account = self.sudo()  # sudo: rights were checked, the login itself is readable by nobody
        credential = self.env['social.crm.credential'].sudo().search([('account_id', '=', self.id)])
        account.write({'state': 'disconnected', 'login_error': False})
        account.activity_unlink(['social_crm.mail_activity_type_reconnect'])
        self.env['social.crm.audit']._log('disconnect', self)
        if credential:
            self.env['social.crm.revocation'].sudo()._queue(credential)

    def _missing_capabilities(self):
        """Return the wanted capabilities that the granted scopes do not allow."""
        self.ensure_one()
        if not self.network or self.state in ('draft', 'disconnected'):
            return []
        adapter = adapter_class(self.network)
        granted = (self.granted_scopes or '').split()
        return [
            name
            for name in (self.wanted_capabilities or '').split()
            if name in adapter.capabilities
            and not adapter.covers(granted, adapter.capabilities[name])
        ]

    # === LOGIN === #

    def _provider(self):
        """Return the adapter with this account's login; it may be used in a thread.

        :raise AuthorizationLost: when there is no login
        :raise Transient: when its time is over, and it could not be renewed just now
        """
        self.ensure_one()
        credential = self.env['social.crm.credential'].sudo().search([('account_id', '=', self.id)])
        if not credential:
            raise AuthorizationLost('not connected')
        token, over = credential._token(), credential._ends_within(NEARLY_OVER)
        if over and token.refresh_token and 'refresh' in adapter_class(self.network).features:
            # The loop that renews logins ahead of their end stood still.
            token = self._refresh_login(NEARLY_OVER)
            if not token:
                raise Transient('The login is being renewed', 'renewing')
        return self._adapter(token)

    def _offline_provider(self):
        """Return the adapter without a login, to read payloads that are here already."""
        self.ensure_one()
        return self._adapter()

    def _adapter(self, token=None):
        app = self.sudo().app_id  # sudo: the client is used on the server only
        me = Profile(
            external_id=self.external_id or '',
            handle=self.handle or '',
            name=self.name or '',
            url=self.url or '',
            local_id=self.local_id or '',
        )
        return adapter_class(self.network)(app._http(), app._as_app(), token, me)

    def _lose_login(self, error, event='refresh_failed'):
        """The grant is dead: stop, and ask the owner to connect again. History stays.

        :param event: what the audit log calls it
        """
        for account in self.sudo():  # sudo: found by a loop or by whoever pressed Test
            if account.state != 'connected':
                continue
            account.write(
                {
                    'state': 'reconnect',
                    'login_error': account._explain(error),
                    'login_error_at': fields.Datetime.now(),
                }
            )
            account.activity_schedule(
                'social_crm.mail_activity_type_reconnect',
                user_id=account.user_id.id,
                summary=self.env._('Connect @%s again', account.handle),
                note=self.env._(
                    'The network does not accept the login any more. Nothing is lost: open the '
                    'account and press Reconnect.'
                ),
            )
            self.env['social.crm.audit']._log(event, account, account._explain(error))

    def _explain(self, error):
        """Return what an adapter's error means, for a person, with the network's own words."""
        labels = {
            'AuthorizationLost': self.env._('The login is not valid any more'),
            'PermissionMissing': self.env._('The network does not permit this'),
            'RateLimited': self.env._('Too many requests, waiting'),
            'BudgetUsedUp': self.env._('The monthly budget for calls is used up'),
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
        credentials = self.env['social.crm.credential'].search(
            [
                ('expires_at', '!=', False),
                ('account_id.state', '=', 'connected'),
            ]
        )
        each_committed(credentials.account_id, lambda account: account._keep_login(credentials))

    def _keep_login(self, credentials):
        """Renew this account's login if its end is near, or warn if it cannot be renewed."""
        credential = credentials.filtered(lambda one: one.account_id == self)
        adapter = adapter_class(self.network)
        if 'refresh' not in adapter.features or not credential._token().refresh_token:
            self._warn_of_expiry(credential.expires_at)
        elif credential._ends_within(adapter.refresh_ahead):
            self._refresh_login()

    def _refresh_login(self, ahead=None):
        """Renew the login once, under a lock, committed at once: refresh tokens are single-use.

        :param timedelta ahead: a login that lasts longer was renewed by somebody else meanwhile;
            without it, as the adapter says
        :return: the token that is in force now, ``None`` when it could not be renewed
        """
        self.ensure_one()
        ahead = ahead or adapter_class(self.network).refresh_ahead
        with (
            self.env.registry.cursor() as cr
        ):  # own cursor: a rotated token must survive a rollback here
            account = self.with_env(self.env(cr=cr))
            # sudo: the login is readable by nobody
            Credential = account.env['social.crm.credential'].sudo()
            credential = Credential.search([('account_id', '=', self.id)])
            if not credential.try_lock_for_update():
                return None
            credential.invalidate_recordset()
            if credential.expires_at and not credential._ends_within(ahead):
                return credential._token()  # another worker was quicker
            try:
                token = account._adapter(credential._token()).refresh()
            except AuthorizationLost as error:
                account._lose_login(error)
            except ProviderError as error:
                _logger.info('refresh of account %s put off: %s', self.id, error.code)
            else:
                return Credential._store(account, token)._token()
        return None

    def _warn_of_expiry(self, expires_at):
        """Raise an activity 14, 7 and 2 days before a login ends that cannot be renewed here."""
        self.ensure_one()
        days = (expires_at - fields.Datetime.now()).days
        if days > WARN_DAYS[0] or self.activity_search(['social_crm.mail_activity_type_reconnect']):
            return
        self.activity_schedule(
            'social_crm.mail_activity_type_reconnect',
            user_id=self.user_id.id,
            date_deadline=(expires_at - timedelta(days=2)).date(),
            summary=self.env._(
                'The login of @%(handle)s ends in %(days)s days',
                handle=self.handle,
                days=max(days, 0),
            ),
        )


def _granted(state, token):
    """Return the granted scopes; those that were asked for where the network does not tell."""
    if token.scopes is not None:
        return token.scopes
    return adapter_class(state.network).scopes_for((state.capabilities or '').split())
