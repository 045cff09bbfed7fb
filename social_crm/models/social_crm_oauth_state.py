import hashlib
import secrets
from dataclasses import asdict
from datetime import datetime, timedelta

from odoo import api, fields, models

from ..providers.oauth2 import challenge_of, new_verifier
from ..providers.types import BrandAccount, Link, Profile, Token

LIFETIME = timedelta(minutes=10)


class SocialCrmOauthState(models.Model):
    """A connection under way: from leaving for the network to coming back. No group has rights.

    Only a hash of the ``state`` parameter is stored, and the PKCE verifier encrypted.
    """

    _name = 'social.crm.oauth.state'
    _description = 'Social Connection Under Way'
    _rec_name = 'network'

    state_hash = fields.Char(required=True)
    secret = fields.Text(required=True)
    network = fields.Char(required=True)
    app_id = fields.Many2one('social.crm.app', required=True, ondelete='cascade')
    user_id = fields.Many2one('res.users', required=True, ondelete='cascade')
    company_id = fields.Many2one('res.company', required=True, ondelete='cascade')
    kind = fields.Selection([('personal', 'Personal'), ('brand', 'Brand')], required=True)
    capabilities = fields.Char()
    account_id = fields.Many2one('social.crm.account', ondelete='cascade')
    expires_at = fields.Datetime(required=True)
    used_at = fields.Datetime()
    offers = fields.Boolean(help='The person is choosing among pages; `secret` holds them then.')

    _unique_state = models.UniqueIndex('(state_hash)', 'A state is used once.')

    @api.model
    def _start(self, app, kind, capabilities, account, hint=''):
        """Remember a connection and return the address to send the browser to.

        :raise ProviderError: when the network does not take the request
        """
        state, verifier = secrets.token_urlsafe(32), new_verifier()
        provider = app._provider()
        authorization = provider.authorize_url(
            state=state,
            challenge=challenge_of(verifier),
            scopes=provider.scopes_for(capabilities),
            hint=hint,
        )
        kept = {'verifier': verifier, 'private': dict(authorization.private)}
        self._remember(state, kept, app, kind, capabilities, account)
        return authorization.url

    @api.model
    def _signed_in(self, app, kind, capabilities, account):
        """Return the state of a connection that needed no browser: it is used already."""
        state = self._remember(secrets.token_urlsafe(32), {}, app, kind, capabilities, account)
        state.used_at = fields.Datetime.now()
        return state

    @api.model
    def _remember(self, state, kept, app, kind, capabilities, account):
        return self.create(
            {
                'state_hash': self._hash(state),
                'secret': self.env['social.crm.credential']._encrypt(kept),
                'network': app.network,
                'app_id': app.id,
                'user_id': self.env.uid,
                'company_id': app.company_id.id,
                'kind': kind,
                'capabilities': ' '.join(capabilities),
                'account_id': account.id,
                'expires_at': fields.Datetime.now() + LIFETIME,
            }
        )

    @api.model
    def _take(self, state, user):
        """Use up a state, at once and for good.

        :return: the record and what is wrong with it: ``state_missing``, ``state_other_user``,
            ``state_replayed``, ``state_expired`` or nothing
        """
        self.env.cr.execute(
            """UPDATE social_crm_oauth_state s SET used_at = now() AT TIME ZONE 'UTC'
                 FROM social_crm_oauth_state old
                WHERE s.id = old.id AND s.state_hash = %s AND s.user_id = %s
            RETURNING s.id, old.used_at, s.expires_at""",
            [self._hash(state or ''), user.id],
        )
        row = self.env.cr.fetchone()
        if not row:
            known = self.search_count([('state_hash', '=', self._hash(state or ''))])
            return self.browse(), 'state_other_user' if known else 'state_missing'
        record = self.browse(row[0])
        record.invalidate_recordset()
        if row[1]:
            return record, 'state_replayed'
        if row[2] < fields.Datetime.now():
            return record, 'state_expired'
        return record, ''

    # === CHOICE AMONG PAGES === #

    def _offer(self, login, brands):
        """Keep the pages that a login may act for, until the person has chosen.

        :param Profile login: who signed in
        :param brands: values of the adapter; their tokens are kept here, encrypted
        """
        self.ensure_one()
        self.write(
            {
                'secret': self.env['social.crm.credential']._encrypt(
                    {'login_id': login.external_id, 'brands': [_packed(brand) for brand in brands]}
                ),
                'offers': True,
                'expires_at': fields.Datetime.now() + LIFETIME,
            }
        )

    def _offered(self):
        """Return the login's external id and the pages on offer: dict of external id -> page.

        There are none once the ten minutes are over.
        """
        self.ensure_one()
        if not self.offers or self.expires_at < fields.Datetime.now():
            return '', {}
        kept = self.env['social.crm.credential']._decrypt(self.secret)
        brands = [_unpacked(row) for row in kept['brands']]
        return kept['login_id'], {brand.profile.external_id: brand for brand in brands}

    @api.model
    def _hash(self, state):
        return hashlib.sha256(state.encode()).hexdigest()

    @api.autovacuum
    def _gc_states(self):
        self.search([('expires_at', '<', fields.Datetime.now() - timedelta(days=1))]).unlink()


def _packed(brand):
    """Return a page with its token as plain JSON."""
    packed = asdict(brand)
    expires_at = brand.token.expires_at
    packed['token']['expires_at'] = expires_at and expires_at.isoformat()
    packed['token']['extra'] = dict(brand.token.extra)
    return packed


def _unpacked(row):
    profile, token = dict(row['profile']), dict(row['token'])
    profile['links'] = tuple(Link(**link) for link in profile['links'])
    if token['expires_at']:
        token['expires_at'] = datetime.fromisoformat(token['expires_at'])
    if token['scopes'] is not None:
        token['scopes'] = tuple(token['scopes'])
    return BrandAccount(Profile(**profile), Token(**token))
