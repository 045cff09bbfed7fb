import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..providers import adapter_class
from ..providers.errors import AuthorizationLost, NotSupported, ProviderError
from ..tools import each_committed

_logger = logging.getLogger(__name__)

TRIES = 3
PAUSES = (timedelta(minutes=1), timedelta(minutes=5))
LEASE = timedelta(minutes=2)  # longer than a call can take


class SocialCrmRevocation(models.Model):
    """A grant to be taken back at its network, after the login was erased here.

    The account cannot use it any more: what is sealed in here is opened by the revocation alone,
    and gone with its outcome, after three tries at most.
    """

    _name = 'social.crm.revocation'
    _description = 'Grant to Be Revoked'
    _rec_name = 'account_id'

    account_id = fields.Many2one('social.crm.account', required=True, ondelete='cascade')
    user_id = fields.Many2one('res.users', required=True, ondelete='restrict')
    secret = fields.Text(required=True, copy=False)
    attempts = fields.Integer()
    next_try = fields.Datetime(required=True, default=fields.Datetime.now)

    _unique_account = models.UniqueIndex('(account_id)', 'This grant is being revoked already.')

    @api.model
    def _queue(self, credential):
        """Take the login out of a credential, which is deleted, to revoke it soon."""
        account = credential.account_id
        if 'revoke' not in adapter_class(account.network).features:
            account.revocation = 'impossible'
        elif self._shared(account):
            account.revocation = 'shared'
        else:
            self._drop(account)
            self.create(
                {
                    'account_id': account.id,
                    'user_id': self.env.uid,
                    'secret': credential.secret,
                }
            )
            account.revocation = 'waiting'
            self.env.ref('social_crm.ir_cron_revoke')._trigger()
        credential.unlink()

    @api.model
    def _shared(self, account):
        """Return whether other accounts live on the same grant, such as the pages of one login."""
        return 'brands' in adapter_class(account.network).features and bool(
            self.env['social.crm.account'].search_count(
                [
                    # Facebook and Instagram may share a client, and then a grant.
                    ('app_id.client_id', '=', account.app_id.client_id),
                    ('user_id', '=', account.user_id.id),
                    ('state', '=', 'connected'),
                    ('id', '!=', account.id),
                ],
                limit=1,
            )
        )

    @api.model
    def _drop(self, account):
        """Forget what waits for an account.

        Networks give one grant to all connections of the same app and person: to revoke the old
        one after a new connection would end the new one.
        """
        self.search([('account_id', '=', account.id)]).unlink()
        account.revocation = False

    @api.model
    def _cron_revoke(self):
        """Revoke what is due, each in transactions of its own."""
        now = fields.Datetime.now()
        each_committed(
            self.search([('next_try', '<=', now)]),
            lambda revocation: revocation._claim() and revocation._try(),
        )
        rest = self.search([], order='next_try', limit=1)
        if rest:
            self.env.ref('social_crm.ir_cron_revoke')._trigger(at=rest.next_try)

    def _claim(self):
        """Count the try before the network hears of it; return whether it is ours."""
        if not self.try_lock_for_update():
            return False
        self.invalidate_recordset()
        now = fields.Datetime.now()
        if self.next_try > now:
            return False
        self.write({'attempts': self.attempts + 1, 'next_try': now + LEASE})
        self._commit()
        return True

    def _try(self):
        """Ask the network once, and store what came of it."""
        account = self.account_id
        try:
            account._adapter(self.env['social.crm.credential']._open(self.secret)).revoke()
        except AuthorizationLost:
            self._done('revoke', self.env._('The network did not know the login any more.'))
        except (NotSupported, UserError) as error:  # no key fits any more
            self._done('revoke_failed', account._explain(error))
        except ProviderError as error:
            reason = account._explain(error)
            if self.attempts >= TRIES:
                self._done('revoke_failed', reason)
            else:
                _logger.info('revocation for account %s put off: %s', account.id, error.code)
                account.write({'login_error': reason, 'login_error_at': fields.Datetime.now()})
                self.next_try = fields.Datetime.now() + PAUSES[self.attempts - 1]
        else:
            self._done('revoke')
        self._commit()

    def _done(self, event, detail=''):
        account = self.account_id
        tries = self.env._('%s tries', self.attempts) if self.attempts > 1 else ''
        self.env['social.crm.audit'].with_user(self.user_id)._log(
            event, account, ' – '.join(filter(None, [detail, tries]))
        )
        account.write(
            {
                'revocation': 'done' if event == 'revoke' else 'failed',
                'login_error': detail if event == 'revoke_failed' else False,
                'login_error_at': fields.Datetime.now(),
            }
        )
        self.unlink()

    @api.model
    def _commit(self):
        self.env['ir.cron']._commit_progress()
