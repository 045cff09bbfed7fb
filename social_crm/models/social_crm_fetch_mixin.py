import logging
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta

import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..providers.errors import NotFound, NotSupported, ProviderError, RateLimited
from ..tools import claim, naive

_logger = logging.getLogger(__name__)

CLAIM = 8  # rows fetched for at once, each in a thread
LEASE = timedelta(minutes=5)  # longer than a fetch can take
RETRY = timedelta(minutes=10)
TRIES = 3
FINAL = (NotFound, NotSupported)


class SocialCrmFetchMixin(models.AbstractModel):
    """Rows with an account for which something is fetched in a loop, one row as good as alone.

    What is fetched has a name, such as ``context``. Of the inheriting model,

    - ``<name>_due`` tells when it is due, ``<name>_tries`` counts;
    - ``_<name>_request`` returns a ``Call`` that fetches it and touches no database;
    - ``_store_<name>`` stores what that returned, and clears ``<name>_due``;
    - ``ir_cron_<name>`` is the loop, where something wakes it by :meth:`_wake`.

    The name is a purpose of :class:`.SocialCrmUsage` too, where an adapter is asked.

    A row is *leased* for a fetch: no transaction is open while a network is waited for, and a
    worker that dies leaves a lease that runs out.
    """

    _name = 'social.crm.fetch.mixin'
    _description = 'Fetched from a Social Network'

    @api.model
    def _wake(self, name):
        """Have the loop run now that fetches this, if any is due."""
        self.flush_model([f'{name}_due'])
        if self.env.execute_query(SQL('%s LIMIT 1', self._due(name))):
            # sudo: wake the loop only
            self.env.ref(f'social_crm.ir_cron_{name}').sudo()._trigger()

    @api.model
    def _fetch_all(self, name):
        """Fetch what is due until nothing is, or the time of this run is over."""
        while self._fetch_due(name):
            if not self.env['ir.cron']._commit_progress(1):
                return

    @api.model
    def _fetch_due(self, name):
        """Fetch and store for a round of :data:`CLAIM` rows; return their number."""
        records = self._lease_due(name)
        requests = {}
        for record in records:
            try:
                requests[record] = getattr(record, f'_{name}_request')()
            except (ProviderError, UserError) as error:
                record._fetch_failed(name, error)
        self.env['ir.cron']._commit_progress()  # no open transaction while a network is waited for
        if requests:
            with ThreadPoolExecutor(CLAIM, thread_name_prefix=f'social_crm_{name}') as pool:
                futures = {pool.submit(request): record for record, request in requests.items()}
                for future in as_completed(futures):
                    futures[future]._store_fetched(name, future)
            self.env['social.crm.usage']._add(
                name,
                [
                    (record.account_id, call.provider, None)
                    for record, call in requests.items()
                    if call.provider
                ],
            )
            self.env['ir.cron']._commit_progress()
        return len(records)

    @api.model
    def _due(self, name):
        """Return the query of the ids that are due, as ``m``."""
        return SQL(
            """SELECT m.id FROM %s m JOIN social_crm_account a ON a.id = m.account_id
                WHERE m.%s <= %s AND a.active AND a.state = 'connected'""",
            SQL.identifier(self._table),
            SQL.identifier(f'{name}_due'),
            fields.Datetime.now(),
        )

    @api.model
    def _lease_due(self, name):
        due, tries = SQL.identifier(f'{name}_due'), SQL.identifier(f'{name}_tries')
        chosen = SQL(
            '%s ORDER BY m.%s LIMIT %s FOR NO KEY UPDATE OF m SKIP LOCKED',
            self._due(name),
            due,
            CLAIM,
        )
        until = fields.Datetime.now() + LEASE
        values = SQL('%s = %s, %s = COALESCE(%s, 0) + 1', due, until, tries, tries)
        try:
            return claim(self.browse(), chosen, values)
        except psycopg2.errors.SerializationFailure:  # another worker was quicker: next time
            self.env.cr.rollback()
            return self.browse()

    def _store_fetched(self, name, future):
        """Store what a fetch gave, in an own transaction; an error stays with this row."""
        try:
            try:
                getattr(self, f'_store_{name}')(future.result())
            except (ProviderError, UserError) as error:
                self._fetch_failed(name, error)
            self.env['ir.cron']._commit_progress()
        except psycopg2.errors.SerializationFailure:
            self.env.cr.rollback()  # the lease runs out, then it is fetched again
        except Exception as error:  # the boundary of the loop: one row must not stop the others
            self.env.cr.rollback()
            _logger.exception('%s of %s could not be stored', name, self)
            if self.exists():
                self._fetch_failed(name, error)
            self.env['ir.cron']._commit_progress()

    def _fetch_failed(self, name, error):
        self.write(self._failed_values(name, error))
        _logger.info('%s of %s was not fetched: %s', name, self, type(error).__name__)

    def _failed_values(self, name, error):
        """Return when to try again; never, where that is in vain."""
        now = fields.Datetime.now()
        due = now + RETRY
        if isinstance(error, RateLimited) and error.until:
            due = max(naive(error.until), due)
        final = isinstance(error, FINAL) or self[f'{name}_tries'] >= TRIES
        return {f'{name}_due': False if final else due}
