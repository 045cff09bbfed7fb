import logging
import time
import uuid
from datetime import timedelta

import psycopg2.errors

from odoo import api, fields, models
from odoo.tools import SQL

from ..calls import Call
from ..receiving import FAILING, THREADS, Receiver
from ..tools import CLOCK_SLACK, aware, claim

_logger = logging.getLogger(__name__)

RUN_SECONDS = 50  # how long a run stays awake; the next one follows
ACT_SECONDS = 5  # what takes longer must not keep other streams waiting
LEASE = timedelta(seconds=120)  # longer than a fetch can take
DUE_SLACK = timedelta(seconds=3)  # due so soon: now rather than a round later
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

    def _wake(self):
        """Fetch as soon as possible, also when a fetch is under way that may have come too soon.

        A pause after an error is kept: it may be a rate limit.
        """
        asleep = self.filtered(lambda stream: not stream.woken)
        asleep.woken = True
        asleep.filtered(lambda stream: not stream.error_count).next_due = fields.Datetime.now()
        if asleep:
            self.env.ref('social_crm.ir_cron_receive')._trigger()

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
