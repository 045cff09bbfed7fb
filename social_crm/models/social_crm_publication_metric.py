import logging
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import timedelta

import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..providers.errors import AuthorizationLost, ProviderError, RateLimited
from ..tools import claim, naive
from .social_crm_metric import COUNTERS

_logger = logging.getLogger(__name__)

BATCH = 200  # publications claimed at once
RUN_SECONDS = 50
CALLS = 8
HOLD = timedelta(minutes=10)  # a worker that died gives them back after this
PAUSE = timedelta(minutes=15)  # after an error
STORE_TRIES = 4
#: Up to this age, measure at this pause; older ones are left alone.
SCHEDULE = (
    (timedelta(days=1), timedelta(hours=1)),
    (timedelta(days=7), timedelta(hours=6)),
    (timedelta(days=90), timedelta(days=1)),
)


def pause_at(age):
    """Return the pause until the next look at a publication of this age, ``None`` for no more."""
    return next((pause for limit, pause in SCHEDULE if age < limit), None)


class SocialCrmPublication(models.Model):
    """The figures of a publication, and the loop that reads them.

    Like the other loops: rows are claimed by moving their next look into the future, committed; the
    networks are asked in threads, one call per account, with no transaction open; each account's
    answer is stored in a transaction of its own.
    """

    _inherit = 'social.crm.publication'

    likes = fields.Integer(readonly=True, copy=False)
    comments = fields.Integer(readonly=True, copy=False)
    shares = fields.Integer(readonly=True, copy=False)
    views = fields.Integer(readonly=True, copy=False)
    clicks = fields.Integer(readonly=True, copy=False)
    measured_at = fields.Datetime('Figures Of', readonly=True, copy=False)
    next_metric_at = fields.Datetime(readonly=True, copy=False)
    metric_ids = fields.One2many('social.crm.metric', 'publication_id', readonly=True)

    _measure = models.Index('(next_metric_at) WHERE next_metric_at IS NOT NULL')

    # === ACTION METHODS === #

    def action_measure(self):
        """Look at the figures now."""
        self.check_access('read')
        now = fields.Datetime.now()
        rows = self.sudo().filtered(lambda row: row.next_metric_at)  # sudo: only when to look
        rows.next_metric_at = now
        self.env.ref('social_crm.ir_cron_measure').sudo()._trigger()  # sudo: wake the loop only

    # === LOOP === #

    @api.model
    def _cron_measure(self):
        """Read the figures that are due."""
        deadline = time.monotonic() + RUN_SECONDS
        while self._measure_due() and time.monotonic() < deadline:
            continue

    @api.model
    def _measure_due(self):
        """Read the figures of a batch of publications that are due.

        :return: number of publications looked at
        """
        rows = self._claim_to_measure()
        calls = {}
        for account, some in rows.grouped('account_id').items():
            try:
                calls[account] = (
                    account._reader(),
                    [row.local_id or row.external_id for row in some],
                )
            except (ProviderError, UserError) as error:
                self._measure_failed(some, error)
        self._commit_measured()
        with ThreadPoolExecutor(CALLS, thread_name_prefix='social_crm') as pool:
            futures = {
                pool.submit(provider.metrics, ids): account
                for account, (provider, ids) in calls.items()
            }
            for future in as_completed(futures):
                account = futures[future]
                self._store_measured(
                    rows.filtered(lambda row, one=account: row.account_id == one), future
                )
        self.env['social.crm.usage']._add(
            'metric', [(account, provider, None) for account, (provider, _ids) in calls.items()]
        )
        self._commit_measured()
        return len(rows)

    @api.model
    def _claim_to_measure(self):
        now = fields.Datetime.now()
        chosen = SQL(
            """SELECT p.id FROM social_crm_publication p
                 JOIN social_crm_account a ON a.id = p.account_id
                WHERE p.next_metric_at <= %(now)s AND p.kind = 'post'
                  AND p.delivery_state = 'sent' AND a.active AND a.state = 'connected'
                ORDER BY p.next_metric_at LIMIT %(limit)s FOR NO KEY UPDATE OF p SKIP LOCKED""",
            now=now,
            limit=BATCH,
        )
        for _try in range(STORE_TRIES):
            try:
                rows = claim(self.browse(), chosen, SQL('next_metric_at = %s', now + HOLD))
                self._commit_measured()
                return rows
            except psycopg2.errors.SerializationFailure:  # another worker was quicker: look again
                self.env.cr.rollback()
        return self.browse()

    def _store_measured(self, rows, future):
        """Store one account's answer, in a transaction of its own."""
        for _try in range(STORE_TRIES):
            try:
                try:
                    rows._store_metrics(future.result())
                except ProviderError as error:
                    self._measure_failed(rows, error)
                self._commit_measured()
                return
            except psycopg2.errors.SerializationFailure:
                self.env.cr.rollback()
            except Exception:  # the boundary of the loop: one account must not stop the others
                _logger.exception('the figures of %s could not be stored', rows.account_id)
                self.env.cr.rollback()
                return  # they are due again when the hold has run out

    def _store_metrics(self, found):
        """Store the answer: dict of id -> metrics; what is missing there is gone or hidden."""
        now = fields.Datetime.now()
        latest = defaultdict(lambda: None, found)
        for row in self.exists():
            metrics = latest[row.local_id or row.external_id]
            if metrics:
                if metrics.clicks is None:  # the network does not count them, the links do
                    metrics = replace(metrics, clicks=row.link_clicks)
                self.env['social.crm.metric']._record(row, metrics, now)
            pause = pause_at(now - row.sent_at)
            row.next_metric_at = pause and now + pause

    @api.model
    def _measure_failed(self, rows, error):
        if isinstance(error, AuthorizationLost):
            rows.account_id._lose_login(error)
        when = fields.Datetime.now() + PAUSE
        if isinstance(error, RateLimited) and error.until:
            when = max(naive(error.until), fields.Datetime.now() + timedelta(seconds=1))
        rows.write({'next_metric_at': when})

    @api.model
    def _commit_measured(self):
        self.env['ir.cron']._commit_progress()


class SocialCrmPost(models.Model):
    """The figures of a post: those of its publications."""

    _inherit = 'social.crm.post'

    likes = fields.Integer(compute='_compute_metrics', store=True, compute_sudo=True)
    comments = fields.Integer(compute='_compute_metrics', store=True, compute_sudo=True)
    shares = fields.Integer(compute='_compute_metrics', store=True, compute_sudo=True)
    views = fields.Integer(compute='_compute_metrics', store=True, compute_sudo=True)
    clicks = fields.Integer(compute='_compute_metrics', store=True, compute_sudo=True)

    @api.depends(*(f'publication_ids.{name}' for name in COUNTERS))
    def _compute_metrics(self):
        for post in self:
            for name in COUNTERS:
                post[name] = sum(post.publication_ids.mapped(name))

    def action_measure(self):
        """Look at the figures now."""
        self.publication_ids.action_measure()

    def action_view_metrics(self):
        """Show how the figures grew."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_metric_action'
        )
        action.update(domain=[('post_id', '=', self.id)], context={})
        return action

    def action_view_publications(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_publication_action'
        )
        action.update(domain=[('post_id', '=', self.id)], context={})
        return action
