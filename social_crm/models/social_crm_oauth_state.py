import hashlib
import secrets
from datetime import timedelta

from odoo import api, fields, models

from ..providers.oauth2 import challenge_of, new_verifier

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
        self.create(
            {
                'state_hash': self._hash(state),
                'secret': self.env['social.crm.credential']._encrypt(
                    {'verifier': verifier, 'private': dict(authorization.private)},
                ),
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
        return authorization.url

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

    @api.model
    def _hash(self, state):
        return hashlib.sha256(state.encode()).hexdigest()

    @api.autovacuum
    def _gc_states(self):
        self.search([('expires_at', '<', fields.Datetime.now() - timedelta(days=1))]).unlink()
