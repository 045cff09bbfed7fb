import logging
import random
import time
import uuid
from datetime import timedelta

import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..calls import Call
from ..providers.errors import (
    AuthorizationLost,
    NotFound,
    NotSupported,
    PermissionMissing,
    ProviderError,
    RateLimited,
)
from ..receiving import FAILING, THREADS, Receiver
from ..tools import CLOCK_SLACK, aware, claim, naive

_logger = logging.getLogger(__name__)

RUN_SECONDS = 50  # how long a run stays awake; the next one follows
ACT_SECONDS = 5  # what takes longer must not keep other streams waiting
LEASE = timedelta(seconds=120)  # longer than a fetch can take
DUE_SLACK = timedelta(seconds=3)  # due so soon: now rather than a round later
BACKOFF_LONGEST = 3600
STORE_TRIES = 4


class SocialCrmStream(models.Model):
    """One inbound stream of an account, and the loop that receives from all of them.

    A stream is *leased* for a fetch, not locked: no transaction is open while a network is waited
    for. The page's rows and the cursor are committed together by whoever still holds the lease; a
    worker that died leaves a lease that runs out and a cursor that did not move.
    """

    _name = 'social.crm.stream'
    _description = 'Inbound Stream of a Social Account'
    _order = 'account_id, kind, query'
    _rec_name = 'kind'

    account_id = fields.Many2one(
        'social.crm.account', required=True, index=True, ondelete='cascade'
    )
    company_id = fields.Many2one(related='account_id.company_id', store=True)
    kind = fields.Char(required=True)
    label = fields.Char('Listens To', compute='_compute_label')
    query = fields.Char(required=True, default='')
    active = fields.Boolean(default=True)
    cursor = fields.Text()
    since = fields.Datetime('Backfill From')
    next_due = fields.Datetime(required=True, default=fields.Datetime.now)
    lease = fields.Char()
    lease_until = fields.Datetime()
    last_success = fields.Datetime()
    last_error = fields.Char()
    last_error_at = fields.Datetime()
    rate_limit_remaining = fields.Integer()
    rate_limit_reset = fields.Datetime()
    error_count = fields.Integer()
    item_count = fields.Integer('Items Received')
    woken = fields.Boolean(
        help='Something new was announced: look again as soon as the fetch under way is stored.'
    )
    unannounced = fields.Boolean(
        help='Pages were stored that the screens have not been told of yet.'
    )

    _unique_stream = models.UniqueIndex('(account_id, kind, query)', 'This stream exists already.')
    _due = models.Index('(next_due) WHERE active')

    # === COMPUTE METHODS === #

    @api.depends('kind', 'query')
    def _compute_label(self):
        labels = {
            'notifications': self.env._('Mentions, replies and comments'),
            'mentions': self.env._('Mentions, replies and comments'),
            'comments': self.env._('Comments on own posts'),
            'conversations': self.env._('Direct messages'),
            'messages': self.env._('Direct messages'),
            'lead_forms': self.env._('Lead forms'),
            'hashtag': self.env._('Hashtag'),
            'search': self.env._('Search'),
            'own': self.env._('Own answers given elsewhere'),
        }
        for stream in self:
            label = labels.get(stream.kind, stream.kind)
            mark = '#' if stream.kind == 'hashtag' else ''
            stream.label = f'{label} {mark}{stream.query}' if stream.query else label

    @api.depends('label')
    def _compute_display_name(self):
        for stream in self:
            stream.display_name = stream.label

    # === RECEIVE === #

    @api.model
    def _cron_receive(self):
        """Receive from all streams that are due, and stay awake for those that fall due meanwhile.

        Odoo's own clock may be two minutes late, so a run that ends has the next one start at once
        as long as any account is connected. One cron thread is taken by that.
        """
        if Receiver(self.browse()).run(RUN_SECONDS):
            self.env.ref('social_crm.ir_cron_receive')._trigger()
            self._commit()

    @api.model
    def _receive_due(self):
        """Fetch and store one page of each stream that is due; no waiting, nothing is acted on.

        :return: number of streams handled
        """
        return Receiver(self.browse()).round()

    @api.model
    def _count_calls(self, used):
        """Store what fetches have used, and stop those whose budget that was.

        :param used: triples of account, adapter and stream
        """
        try:
            self.env['social.crm.usage']._add('listen', used)
            apps = self.union(*(stream for _account, _provider, stream in used)).account_id.app_id
            apps.filtered(lambda app: app.monthly_budget or app.budget_stop_until)._note_budgets()
            self._commit()
        except psycopg2.errors.SerializationFailure:  # another worker noted the same budget
            self.env.cr.rollback()

    @api.model
    def _claim_due(self, limit=THREADS, failing=FAILING):
        """Lease the streams that are due, so that no other worker fetches them too.

        What was done at a time to come was done before the clock was put back: it is due.

        :param int failing: as many as that of those whose last look failed, besides ``limit``
        :return: the lease's name and the streams
        """
        lease, now = uuid.uuid4().hex, fields.Datetime.now()
        due = SQL(
            """SELECT s.id FROM social_crm_stream s JOIN social_crm_account a ON a.id = s.account_id
                WHERE s.active AND a.active AND a.state = 'connected'
                  AND (s.next_due <= %(due)s OR s.last_success > %(ahead)s)
                  AND (s.lease_until IS NULL OR s.lease_until < %(now)s
                       OR s.lease_until > %(longest)s)""",
            due=now + DUE_SLACK,
            now=now,
            ahead=now + CLOCK_SLACK,
            longest=now + LEASE + CLOCK_SLACK,
        )
        chosen = SQL(
            """SELECT id FROM (%(due)s AND COALESCE(s.error_count, 0) = 0 ORDER BY s.next_due
                               LIMIT %(limit)s FOR NO KEY UPDATE OF s SKIP LOCKED) healthy
                UNION ALL
               SELECT id FROM (%(due)s AND s.error_count > 0 ORDER BY s.next_due
                               LIMIT %(failing)s FOR NO KEY UPDATE OF s SKIP LOCKED) failing""",
            due=due,
            limit=limit,
            failing=failing,
        )
        values = SQL('lease = %s, lease_until = %s, woken = false', lease, now + LEASE)
        for _attempt in range(STORE_TRIES):
            try:
                streams = claim(self.browse(), chosen, values)
                self._commit()
                return lease, streams
            except psycopg2.errors.SerializationFailure:  # another worker was quicker: look again
                self.env.cr.rollback()
        return lease, self.browse()

    def _request(self):
        """Return a call that fetches the next page in a thread; it touches no database."""
        self.ensure_one()
        provider = self.account_id._reader()
        kind, query, cursor, since = self.kind, self.query, self.cursor or '', aware(self.since)

        def request():
            page = provider.fetch(kind, cursor, query=query, since=since)
            return page, provider.http.last_rate_limit

        return Call(provider, request)

    def _store_outcome(self, lease, future):
        """Store what a fetch gave, in a transaction of its own; errors stay with this stream.

        :return: whether anything new came in
        """
        for _attempt in range(STORE_TRIES):
            try:
                news = self._still_leased(lease) and self._store_result(future)
                self._commit()
                return bool(news)
            except psycopg2.errors.SerializationFailure:
                self.env.cr.rollback()
            except (
                Exception
            ) as error:  # the boundary of the loop: one stream must not stop the others
                self.env.cr.rollback()
                _logger.exception('stream %s of account %s failed', self.id, self.account_id.id)
                if self._still_leased(lease):
                    self._failed(error)
                self._commit()
                return False
        _logger.warning('stream %s: the page could not be stored yet, it is fetched again', self.id)
        return False

    def _still_leased(self, lease):
        """Return whether this stream is still ours and wanted; locks it until the commit."""
        self.env.cr.execute(
            """SELECT 1 FROM social_crm_stream s JOIN social_crm_account a ON a.id = s.account_id
                WHERE s.id = %s AND s.lease = %s AND s.active AND a.state = 'connected'
                  FOR NO KEY UPDATE OF s""",
            [self.id, lease],
            log_exceptions=False,  # a conflict is expected, and tried again
        )
        found = bool(self.env.cr.fetchone())
        self.invalidate_recordset()
        return found

    def _store_result(self, future):
        try:
            page, rate_limit = future.result()
        except (ProviderError, UserError) as error:
            self._failed(error)
            return False
        return self._store_page(page, rate_limit)

    def _store_page(self, page, rate_limit=None):
        """Store a page's items and its cursor; screens learn of it after the last page.

        :return: whether anything new came in
        """
        new = self._store_contents(page)
        now = fields.Datetime.now()
        unannounced = self.unannounced or bool(new)
        if unannounced and not page.more:
            self.account_id._announce(new)
        self.write(
            {
                'cursor': page.next_cursor or self.cursor,
                'next_due': now if page.more or self.woken else now + self._pause(rate_limit),
                'lease': False,
                'lease_until': False,
                'last_success': now,
                'last_error': False,
                'error_count': 0,
                'item_count': self.item_count + len(new),
                'unannounced': unannounced and page.more,
                **_limits(rate_limit),
            }
        )
        return bool(new)

    def _store_contents(self, page):
        """Store a page's items; return the ids of the new mentions."""
        new = self._store_items(page.items)
        for unreadable in page.unreadable:
            self.env['social.crm.parked.item']._park(self, unreadable)
        return new

    def _store_push(self, page):
        """Store what the network pushed, as if it had been fetched.

        The stream's own row stays as it is: the cursor has not moved, and many pushes at once
        must not wait for each other. What is fetched later once more is known then.
        """
        new = self._store_contents(page)
        if new:
            self.account_id._announce(new)
            self.env.ref('social_crm.ir_cron_act')._trigger()
            self.env['social.crm.mention']._wake('context')
            self.env['social.crm.mention']._wake('media')

    def _wake(self):
        """Fetch as soon as possible, also when a fetch is under way that may have come too soon.

        A pause after an error is kept: it may be a rate limit.
        """
        asleep = self.filtered(lambda stream: not stream.woken)
        asleep.woken = True
        asleep.filtered(lambda stream: not stream.error_count).next_due = fields.Datetime.now()
        if asleep:
            self.env.ref('social_crm.ir_cron_receive')._trigger()

    def _pause(self, rate_limit):
        """Return how long to wait: the account's interval, longer where the rate limit runs low."""
        seconds = self.account_id.poll_interval
        if rate_limit and rate_limit.reset and rate_limit.remaining is not None:
            calls = max(rate_limit.remaining // 2, 1)  # the other half is for answers and posts
            left = max((naive(rate_limit.reset) - fields.Datetime.now()).total_seconds(), 0)
            seconds = max(seconds, min(left, left * len(self.account_id.stream_ids) / calls))
        return timedelta(seconds=seconds)

    def _failed(self, error):
        """Keep the cursor, note the error, and decide when to try again."""
        now = fields.Datetime.now()
        if isinstance(error, AuthorizationLost):
            self.account_id._lose_login(error)
        pause = min(self.account_id.poll_interval * 2 ** min(self.error_count, 10), BACKOFF_LONGEST)
        if isinstance(error, (PermissionMissing, NotFound, NotSupported)):
            pause = BACKOFF_LONGEST
        due = now + timedelta(seconds=pause * random.uniform(0.8, 1.2))
        if isinstance(error, RateLimited) and error.until:
            due = max(naive(error.until), now + timedelta(seconds=1))
        self.write(
            {
                'next_due': due,
                'error_count': self.error_count + 1,
                'last_error': self.account_id._explain(error),
                'last_error_at': now,
                'lease': False,
                'lease_until': False,
            }
        )

    @api.model
    def _seconds_to_next_due(self):
        """Return how long until a stream falls due, ``None`` when there is none."""
        self.env.cr.execute(
            """SELECT min(GREATEST(s.next_due, COALESCE(s.lease_until, s.next_due)))
                 FROM social_crm_stream s JOIN social_crm_account a ON a.id = s.account_id
                WHERE s.active AND a.active AND a.state = 'connected'""",
        )
        due = self.env.cr.fetchone()[0]
        return due and max((due - fields.Datetime.now()).total_seconds(), 0.5)

    @api.model
    def _act_on_new(self):
        """Act at once on what came in; what fails or takes long is for the loops of their own."""
        Mention, Profile = self.env['social.crm.mention'], self.env['social.crm.profile']
        deadline = time.monotonic() + ACT_SECONDS
        try:
            Profile._match_new(ACT_SECONDS)  # a customer must be known as one
            if Profile.search_count([('picture_due', '=', True)], limit=1):
                Profile._wake_lookups()  # once per round, not per page
            Mention._wake('context')
            Mention._wake('media')
            while Mention._act_batch():
                self._commit()
                if time.monotonic() > deadline:
                    self.env.ref('social_crm.ir_cron_act')._trigger()
                    break
        except psycopg2.errors.SerializationFailure:
            self.env.cr.rollback()
            self.env.ref('social_crm.ir_cron_act')._trigger()
        except Exception:  # the boundary of the loop: what comes in is stored all the same
            self.env.cr.rollback()
            _logger.exception('what came in could not be acted on yet')
        self._commit()

    @api.model
    def _commit(self):
        self.env['ir.cron']._commit_progress()


def _limits(rate_limit):
    """Return what a stream keeps of the network's rate limit; nothing where none was told."""
    if not rate_limit:
        return {}
    return {
        'rate_limit_remaining': rate_limit.remaining,
        'rate_limit_reset': naive(rate_limit.reset),
    }
