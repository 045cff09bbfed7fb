import logging
import random
from datetime import timedelta

import psycopg2.errors

from odoo import fields, models
from odoo.exceptions import UserError

from ..providers.errors import (
    AuthorizationLost,
    NotFound,
    NotSupported,
    PermissionMissing,
    ProviderError,
    RateLimited,
)
from ..tools import naive
from .social_crm_stream import STORE_TRIES

_logger = logging.getLogger(__name__)

BACKOFF_LONGEST = 3600  # seconds


class SocialCrmStream(models.Model):
    """What becomes of a fetch: its page is stored with the cursor, or it is tried again later."""

    _inherit = 'social.crm.stream'

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
            except Exception as error:
                # The boundary of the loop: one stream must not stop the others.
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


def _limits(rate_limit):
    """Return what a stream keeps of the network's rate limit; nothing where none was told."""
    if not rate_limit:
        return {}
    return {
        'rate_limit_remaining': rate_limit.remaining,
        'rate_limit_reset': naive(rate_limit.reset),
    }
