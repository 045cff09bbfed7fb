from datetime import timedelta

from odoo import api, fields, models

from ..providers import adapter_class
from ..providers.errors import AuthorizationLost, NotSupported, Rejected

WEBHOOK_PATH = '/social_crm/webhook'
NOTE_PUSH_EVERY = timedelta(minutes=1)


class NotReadable(Rejected):
    """A request of a network that is no request of this kind."""


class SocialCrmApp(models.Model):
    """What a network sends by itself.

    A push names the account that it is about, and is signed with the client's secret. Several
    companies may have a client each, or share one: a push counts for the accounts of all clients
    whose secret verifies it, and of no other.
    """

    _inherit = 'social.crm.app'

    webhook_url = fields.Char('Webhook URL', compute='_compute_webhook_url')
    last_push = fields.Datetime(readonly=True, copy=False)

    @api.depends('network')
    def _compute_webhook_url(self):
        for app in self:
            pushes = app.network and 'webhook' in adapter_class(app.network).features
            path = f'{WEBHOOK_PATH}/{app.network}/{app._origin.id}'
            app.webhook_url = app.get_base_url() + path if pushes and app._origin else False

    # === REQUESTS OF THE NETWORK === #

    @api.model
    def _for_webhook(self, network, app_id=None):
        """Return the clients that a request to the webhook of a network may be for.

        :raise NotSupported: when there is no such network, or none that pushes
        """
        if 'webhook' not in adapter_class(network).features:
            raise NotSupported()
        apps = self.search([('network', '=', network), ('client_id', '!=', False)], order='id')
        return apps.filtered(lambda app: app_id in (None, app.id))

    def _answer_handshake(self, params):
        """Return what proves to the network that the address is ours.

        :raise Rejected: when none of the clients knows the request
        """
        if not params:
            raise NotReadable()
        for app in self:
            try:
                return app._provider().answer_handshake(params)
            except Rejected:
                continue  # it may be meant for another company's client
        raise Rejected()

    def _take_news(self, headers, body):
        """Store what a network pushes, or have it fetched soon.

        :raise Rejected: when it is not signed, or not readable
        """
        apps, pushes = self._read_push(headers, body)
        accounts = apps._accounts_by(
            'external_id', [push.account_id for push in pushes if push.account_id]
        )
        for push in pushes:
            for stream in apps._streams_for(push, accounts):
                if push.event == 'items':
                    stream._store_push(push.page)
                elif push.event == 'poll':
                    stream._wake()
            if push.event == 'deauthorized':
                apps._deauthorize(push.person_id)
            elif push.event == 'erase':
                apps._request_erasure(push.person_id)
        apps._note_push()

    def _take_deauthorization(self, headers, body):
        """A person took the permission back at the network."""
        apps, pushes = self._read_push(headers, body)
        for push in pushes:
            apps._deauthorize(push.person_id)

    def _take_erasure(self, headers, body):
        """A person asks for the deletion of their data; return the code of the request.

        :raise NotReadable: when no person is named
        """
        apps, pushes = self._read_push(headers, body)
        persons = [push.person_id for push in pushes if push.person_id]
        if not persons:
            raise NotReadable()
        return [apps._request_erasure(person) for person in persons][0]

    def _read_push(self, headers, body):
        """Return the clients whose secret verifies a push, and what it tells."""
        apps = self.filtered(lambda app: app._verifies(headers, body))
        if not apps:
            raise Rejected()
        try:
            return apps, apps[0]._provider().parse_webhook(headers, body)
        except Rejected as error:
            raise NotReadable(error.reason, error.code) from error

    def _verifies(self, headers, body):
        provider = self._provider()
        app = provider.app
        if not (app.client_secret or app.webhook_secret):
            return False  # without a secret everybody could sign
        try:
            provider.verify_webhook(headers, body)
        except Rejected:
            return False
        return True

    # === WHAT A PUSH TELLS === #

    def _streams_for(self, push, accounts):
        """Return the streams that a push is about; all of its kind where it names no account.

        :param accounts: dict of external id -> connected accounts of these clients
        """
        Stream = self.env['social.crm.stream']
        if push.account_id:
            streams = [
                account._stream_for_push(push.stream)
                for account in accounts.get(push.account_id, ())
            ]
            return Stream.union(*streams)
        if not push.stream:
            return Stream
        return Stream.search(
            [
                ('account_id.app_id', 'in', self.ids),
                ('account_id.state', '=', 'connected'),
                ('kind', '=', push.stream),
            ]
        )

    def _accounts_by(self, field, values):
        """Return the connected accounts of these clients: dict of external id -> accounts."""
        accounts = self.env['social.crm.account'].search(
            [
                ('app_id', 'in', self.ids),
                (field, 'in', list(set(values))),
                ('state', '=', 'connected'),
            ]
        )
        return accounts.grouped(field)

    def _deauthorize(self, person_id):
        """Let go of the logins that a person gave and has taken back at the network."""
        if not person_id:
            return
        for field in ('external_id', 'login_id'):
            for account in self._accounts_by(field, [person_id]).get(person_id, ()):
                account._deauthorize()

    def _request_erasure(self, person_id):
        return self.env['social.crm.erasure.request']._request(self, person_id)

    def _note_push(self):
        """Remember that pushes arrive, for whoever sets the webhook up; once a minute is enough."""
        now = fields.Datetime.now()
        stale = self.filtered(
            lambda app: not app.last_push or app.last_push < now - NOTE_PUSH_EVERY
        ).try_lock_for_update(allow_referencing=True)
        stale.write({'last_push': now})


class SocialCrmAccount(models.Model):
    _inherit = 'social.crm.account'

    def _stream_for_push(self, kind):
        """Return the stream that pushed items of a kind belong to.

        What a network only pushes has a stream that is switched off: it is never asked for.
        """
        self.ensure_one()
        Stream = self.env['social.crm.stream'].with_context(active_test=False)
        domain = [('account_id', '=', self.id), ('kind', '=', kind), ('query', '=', '')]
        return Stream.search(domain, limit=1) or Stream.create(
            {'account_id': self.id, 'kind': kind, 'active': False}
        )

    def _deauthorize(self):
        """The person has taken the permission back: forget the login, ask for a new one."""
        self.env['social.crm.credential'].search([('account_id', 'in', self.ids)]).unlink()
        self._lose_login(
            AuthorizationLost(self.env._('permission was withdrawn on the network')),
            event='deauthorize',
        )
