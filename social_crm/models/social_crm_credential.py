import json
import os

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import config

from ..providers.types import Token
from ..tools import aware, naive


class SocialCrmCredential(models.Model):
    """The tokens of an account, encrypted. No group has any right on this model.

    The key is not in the database: it comes from ``social_crm_key`` in odoo.conf or from the
    environment variable ``SOCIAL_CRM_KEY``. Several keys, separated by commas: the first encrypts,
    all decrypt.
    """

    _name = 'social.crm.credential'
    _description = 'Social Account Login'
    _rec_name = 'account_id'

    account_id = fields.Many2one('social.crm.account', required=True, ondelete='cascade')
    secret = fields.Text(required=True, copy=False)
    expires_at = fields.Datetime()

    _unique_account = models.UniqueIndex('(account_id)', 'An account has one login.')

    # === KEYS === #

    @api.model
    def _keys(self):
        """Return the ciphers, newest first.

        :raise UserError: when no usable key is configured, with the line to add
        """
        text = os.environ.get('SOCIAL_CRM_KEY') or config.get('social_crm_key') or ''
        try:
            keys = [Fernet(key.strip()) for key in text.split(',') if key.strip()]
        except ValueError:
            keys = []
        if not keys:
            raise UserError(
                self.env._(
                    'Logins are stored encrypted, and the server has no key for that yet. Ask '
                    'whoever '
                    'runs it to add this line to odoo.conf (a fresh key, keep it safe) and to '
                    'restart:'
                    '\n\nsocial_crm_key = %s',
                    Fernet.generate_key().decode(),
                )
            )
        return MultiFernet(keys)

    @api.model
    def _encrypt(self, values):
        """Return ``values`` (plain JSON) as encrypted text."""
        return self._keys().encrypt(json.dumps(values).encode()).decode()

    @api.model
    def _decrypt(self, text):
        """Return the values of an encrypted text.

        :raise UserError: when no configured key fits
        """
        try:
            return json.loads(self._keys().decrypt(text.encode()))
        except InvalidToken:
            raise UserError(
                self.env._(
                    'This login was encrypted with a key that the server does not have any more. '
                    'Put '
                    'the old key behind the new one in social_crm_key, or connect the account '
                    'again.',
                )
            ) from None

    @api.model
    def _rotate_keys(self):
        """Encrypt all that is stored with the newest key, after which older keys can go."""
        keys = self._keys()
        for model in (self, self.env['social.crm.revocation'], self.env['social.crm.app']):
            for record in model.sudo().search(
                [('secret', '!=', False)]
            ):  # sudo: nobody may read the column
                record.secret = keys.rotate(record.secret.encode()).decode()

    # === BUSINESS METHODS === #

    @api.model
    def _store(self, account, token: Token):
        """Keep ``token`` as the login of ``account``, in place of an earlier one."""
        values = {
            'secret': self._encrypt(
                {
                    'access_token': token.access_token,
                    'refresh_token': token.refresh_token,
                    'extra': dict(token.extra),
                }
            ),
            'expires_at': naive(token.expires_at),
        }
        credential = self.search([('account_id', '=', account.id)])
        if credential:
            credential.write(values)
        else:
            credential = self.create({'account_id': account.id, **values})
        return credential

    def _ends_within(self, delta):
        """Return whether the login's time is over, or will be soon."""
        self.ensure_one()
        return bool(self.expires_at) and self.expires_at < fields.Datetime.now() + delta

    def _token(self) -> Token:
        """Return the login as the adapters' value."""
        self.ensure_one()
        return self._open(
            self.secret,
            expires_at=aware(self.expires_at),
            scopes=tuple((self.account_id.granted_scopes or '').split()),
        )

    @api.model
    def _open(self, secret, **known) -> Token:
        """Return a stored secret as the adapters' value, with what is known of it besides."""
        values = self._decrypt(secret)
        return Token(
            access_token=values['access_token'],
            refresh_token=values['refresh_token'],
            extra=values['extra'],
            **known,
        )
