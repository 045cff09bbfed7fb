from datetime import timedelta

import psycopg2.errors

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..calls import Call
from ..delivery import NotSent
from ..providers.errors import (
    AuthorizationLost,
    Duplicate,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Transient,
)
from ..tools import aware, clean, clean_url, naive

MOST_TRIES = 8
GIVE_UP = timedelta(days=1)
SETTLE = 30  # seconds; parameter social_crm.delivery_settle_seconds
FIRST_LOOK = timedelta(seconds=3)
RATE_PAUSE = timedelta(seconds=60)
SHARED_ID = 'shared_id'


class SocialCrmDeliveryOutcome(models.AbstractModel):
    """What is called for a delivery, and what each outcome means; see the mixin's other half."""

    _inherit = 'social.crm.delivery.mixin'

    # === CALL === #

    def _prepare_call(self, task):
        """Return a call for a thread; it touches no database.

        :raise ProviderError: when this cannot be sent or looked up
        """
        self.ensure_one()
        self._check_can_go(task)
        provider = self.account_id._provider()
        outgoing, key = self._outgoing(media=task == 'send'), self.idempotency_key
        since = aware(self.first_attempted_at or self.attempted_at or self.due_at)

        def call():
            if task == 'send':
                sent = provider.send(outgoing, key)
            elif 'find_sent' in provider.features:
                sent = provider.find_sent(outgoing, key, since)
            else:
                sent = None
            return sent, provider.http.last_rate_limit

        return Call(provider, call)

    def _check_can_go(self, task):
        """Check again when it is sent: what was right when it was written may be so no more."""
        account = self.account_id
        if account.state != 'connected' or not account.active:
            raise NotSent(
                self.env._(
                    '@%s is not connected: connect the account, then try again.',
                    account.handle or '',
                ),
                'not_connected',
            )
        if (
            task == 'send'
            and self.attempts <= 1
            and not self.next_try
            and self.due_at < self._missed_before()
        ):
            raise NotSent(
                self.env._(
                    'It was due at %s UTC, and the server did not run then. Decide whether to '
                    'send it now.',
                    self.due_at,
                ),
                'missed',
            )

    @api.model
    def _missed_before(self):
        minutes = self._delivery_parameter('missed_after_minutes', 60)
        return fields.Datetime.now() - timedelta(minutes=minutes)

    @api.model
    def _delivery_parameter(self, name, default):
        # sudo: a setting, not a secret
        value = self.env['ir.config_parameter'].sudo().get_param(f'social_crm.{name}') or ''
        return float(value) if value.replace('.', '', 1).isdigit() else default

    # === OUTCOME === #

    def _store_outcome(self, task, lease, outcome):
        """Store what came of a call, if that is still wanted; the caller commits."""
        self.ensure_one()
        state = self._lock_leased(lease)
        overtaken = not state  # another worker took over; that it stands there is true all the same
        if overtaken and not (outcome.sent and self.exists() and self.delivery_state != 'sent'):
            return
        if outcome.error:
            self._store_error(task, outcome.error)
        elif outcome.sent:
            self._store_sent(task, outcome)
        else:
            self._store_not_found()

    def _lock_leased(self, lease):
        """Return the state of this row if it is still ours; locks it until the commit."""
        rows = self.env.execute_query(
            SQL(
                'SELECT delivery_state FROM %s WHERE id = %s AND lease = %s FOR NO KEY UPDATE',
                SQL.identifier(self._table),
                self.id,
                lease,
            )
        )
        self.invalidate_recordset()
        return rows and rows[0][0]

    def _store_sent(self, task, outcome):
        """Store that it stands there; look again where its id is known as another one's.

        A server may give two posts that come in at the same moment one id, and keep one of them
        (snac's ids are microseconds). Which of the two it kept, a look-up tells.
        """
        sent = outcome.sent
        other = self._find_known(sent, task)
        if other and task == 'send':
            if self.delivery_state == 'sending':
                reason = self.env._('The network gave it the address of another one.')
                self._store_error(task, OutcomeUnknown(reason, SHARED_ID))
            return
        if other and self.failure_code == SHARED_ID:
            other._set_displaced()
        elif other:
            # The same text went out twice on purpose, and this one is the other's.
            self._ask_a_person(
                self.env._(
                    'The same text stands there already, sent from here; whether this one does '
                    'is unclear.'
                )
            )
            return
        self._set_sent(sent, outcome.at if task == 'send' else None)
        limit = outcome.rate_limit
        if limit and limit.reset and limit.remaining is not None and limit.remaining <= 1:
            self._hold_account(naive(limit.reset))

    def _find_known(self, sent, task):
        """Return another delivery that has this id, of any kind; none when no id was given."""
        for model in self._delivery_models() if sent.external_id else ():
            domain = Domain('account_id', '=', self.account_id.id)
            domain &= Domain('external_id', '=', sent.external_id)
            if task == 'send':  # while it was on its way, it may have been seen on the network
                domain &= model._sent_from_here()
            if model._name == self._name:
                domain &= Domain('id', '!=', self.id)
            if other := model.search(domain, limit=1):
                return other
        return None

    def _set_displaced(self):
        """Another one stands where this was thought to: look whether it stands elsewhere."""
        self.write(
            {
                'delivery_state': 'unconfirmed',
                'external_id': False,
                'local_id': False,
                'url': False,
                'next_try': fields.Datetime.now(),
                'failure_code': 'displaced',
                'failure_reason': self.env._('The network has another one at its address.'),
            }
        )
        self.flush_recordset()  # before the other one takes the id

    def _set_sent(self, sent, at=None):
        """Mark as sent; ``sent`` is ``None`` when only a person saw it there."""
        self.write(
            {
                'delivery_state': 'sent',
                'next_try': False,
                'lease': False,
                'lease_until': False,
                'failure_code': False,
                'failure_reason': False,
                'sent_at': at or sent and naive(sent.sent_at) or fields.Datetime.now(),
                'external_id': sent and clean(sent.external_id, 1000) or False,
                'local_id': clean(sent.local_id, 500) if sent else False,
                'url': clean_url(sent.url, 1000) if sent else False,
            }
        )
        if not self.env.context.get('social_crm_bare_outcome'):
            self._delivered(sent)

    def _store_not_found(self):
        """A look-up found nothing: look again, and only then send again, with the same key."""
        now = fields.Datetime.now()
        features = self.account_id._offline_provider().features
        if not {'find_sent', 'idempotency_key'} & features:
            self._ask_a_person(
                self.env._(
                    'The answer got lost, and this network cannot be asked. Look there, then say '
                    'whether it is there.'
                )
            )
            return
        age = (now - (self.attempted_at or now)).total_seconds()
        settle = self._delivery_parameter('delivery_settle_seconds', SETTLE)
        if age < settle:
            pause = min(max(age, 3), settle - age + 0.5)
            self.write(
                {'next_try': now + timedelta(seconds=pause), 'lease': False, 'lease_until': False}
            )
        elif self.failure_code == 'duplicate':
            self._set_failed(Duplicate(self.failure_reason or '', 'duplicate'))
        elif self.attempts >= MOST_TRIES:
            self._set_failed(NotSent(self.env._('It was tried %s times.', self.attempts), 'tries'))
        else:
            self._requeue(now)

    def _ask_a_person(self, reason):
        self.write(
            {'next_try': False, 'lease': False, 'lease_until': False, 'failure_reason': reason}
        )
        if not self.env.context.get('social_crm_bare_outcome'):
            self._not_confirmed()

    def _store_error(self, task, error):
        if isinstance(error, AuthorizationLost):
            self.account_id._lose_login(error)
        if task == 'check':
            self._store_check_error(error)
        elif isinstance(error, (OutcomeUnknown, Duplicate)):
            now = fields.Datetime.now()
            self.write(
                {
                    'delivery_state': 'unconfirmed',
                    'lease': False,
                    'lease_until': False,
                    'next_try': now + FIRST_LOOK,
                    'failure_code': 'duplicate'
                    if isinstance(error, Duplicate)
                    else error.code or 'unknown',
                    'failure_reason': self._explain(error),
                }
            )
        elif isinstance(error, (RateLimited, Transient)):
            self._try_later(error)
        else:
            self._set_failed(error)

    def _store_check_error(self, error):
        """The look-up itself failed: it stays unconfirmed, and is looked up again later."""
        when = fields.Datetime.now() + self._backoff(self.attempts + 2)
        if isinstance(error, RateLimited) and error.until:
            when = max(when, naive(error.until))
        self.write({'next_try': when, 'lease': False, 'lease_until': False})

    def _try_later(self, error):
        """Nothing was sent: wait, together with what else this account has to send now."""
        now = fields.Datetime.now()
        limited = isinstance(error, RateLimited)
        tries = self.attempts - limited  # to wait for a rate limit is no try
        if tries >= MOST_TRIES or now - self.due_at > GIVE_UP and now - self.create_date > GIVE_UP:
            self._set_failed(error)
            return
        if limited:
            when = max(naive(error.until) or now + RATE_PAUSE, now + timedelta(seconds=1))
            self._hold_account(when)
        else:
            when = now + self._backoff(tries)
        self._requeue(when, attempts=tries)
        self.write({'failure_code': error.code, 'failure_reason': self._explain(error)})

    def _hold_account(self, until):
        """Make the account's other rows wait too; best effort, they would be refused anyway."""
        for model in self._delivery_models():
            try:
                with self.env.cr.savepoint():
                    model.search(
                        [
                            ('account_id', '=', self.account_id.id),
                            ('delivery_state', '=', 'queued'),
                            ('due_at', '<', until),
                            '|',
                            ('next_try', '=', False),
                            ('next_try', '<', until),
                        ]
                    ).write({'next_try': until})
            except psycopg2.errors.SerializationFailure:
                continue

    def _set_failed(self, error):
        self.write(
            {
                'delivery_state': 'failed',
                'next_try': False,
                'lease': False,
                'lease_until': False,
                'failure_code': error.code or type(error).__name__,
                'failure_reason': self._explain(error),
            }
        )
        if not self.env.context.get('social_crm_bare_outcome'):
            self._not_delivered(error)

    def _explain(self, error: ProviderError):
        """Return an error in words for whoever answers for the account."""
        account = self.account_id.with_context(lang=self.account_id.user_id.lang)
        return clean(error.reason, 500) if isinstance(error, NotSent) else account._explain(error)

    def _not_confirmed(self):
        """Hook: only a person can tell whether it was sent."""
