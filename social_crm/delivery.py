"""The loop that sends: many deliveries at once, in threads, with no transaction open meanwhile."""

import logging
import time
import uuid
from collections import deque
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import psycopg2.errors

from odoo import fields

from .calls import Call
from .providers.errors import OutcomeUnknown, ProviderError, Transient
from .providers.types import Sent
from .tools import naive

_logger = logging.getLogger(__name__)

WORKERS = 24
REFILL = 4  # free threads that are worth a look for more
PER_ACCOUNT = 12  # calls at once by one account: a slow server leaves room for the others
LEASE = timedelta(seconds=90)
RENEW = 30  # seconds between renewals of the leases of calls under way
NAP = 1  # longest sleep: what is queued meanwhile must not wait for the next run
SHORTEST_NAP = 0.05
STORE_TRIES = 6


class NotSent(ProviderError):
    """Nothing was sent, for a reason of our own: ``reason`` is a text for people."""


def utcnow():
    """Return the naive UTC time, finer than the second of ``fields.Datetime.now()``."""
    return naive(datetime.now(timezone.utc))


@dataclass(frozen=True)
class Outcome:
    """What came of a call: of a sending, or of a look-up (which may find ``None``)."""

    sent: Sent | None = None
    error: ProviderError | None = None
    rate_limit: object = None
    at: datetime | None = None


@dataclass(frozen=True)
class Flight:
    """A call under way: ``task`` is *send* or *check*."""

    record: object
    task: str
    lease: str
    call: Call | None = None


class Courier:
    """Carries out the deliveries of some models.

    Rows are *leased*, not locked, and the lease is committed before the call. A process that dies
    leaves leases that run out; such a row is looked up on the network before anything is repeated.
    One thread per call, HTTP only; the database belongs to the thread that runs the courier.

    :param models: empty recordsets of models with the delivery mixin, in one environment
    :param ahead: seconds; stay awake also when something falls due that soon after the run
    """

    def __init__(self, models, ahead=0):
        # What the loop itself queues, it finds by itself.
        context = {'social_crm_no_wake': True, 'mail_notrack': True}
        self.models = [model.with_context(**context) for model in models]
        self.env = self.models[0].env
        self.ahead = ahead
        self.flights = {}
        self.landed = deque()
        self.renewed = time.monotonic()

    def run(self, seconds=0):
        """Deliver what is due; with ``seconds``, stay awake for what falls due meanwhile.

        :return: number of calls made
        """
        deadline = time.monotonic() + seconds
        calls = 0
        with ThreadPoolExecutor(WORKERS, thread_name_prefix='social_crm') as pool:
            while True:
                started = self._depart(pool) if self._wants_more(seconds, deadline) else 0
                calls += started
                if self.flights or self.landed:
                    self._land(deadline)
                elif not started:
                    pause = self._pause(deadline)
                    if pause is None:
                        return calls
                    time.sleep(pause)

    def _wants_more(self, seconds, deadline):
        """Tell whether to claim: in time, and only for several threads while outcomes wait."""
        in_time = not seconds or time.monotonic() < deadline
        return in_time and (not self.landed or WORKERS - len(self.flights) >= REFILL)

    def _pause(self, deadline):
        """Return how long to sleep, ``None`` when the time is over or nothing falls due soon."""
        dues = [due for model in self.models if (due := model._next_due())]
        self._commit()  # no open transaction while asleep
        left = deadline - time.monotonic()
        if not dues or left <= 0:
            return None
        pause = (min(dues) - utcnow()).total_seconds()
        if pause < -NAP:  # due, and yet not to be had: other workers are at it
            pause = NAP
        return None if pause > left + self.ahead else max(min(pause, left, NAP), SHORTEST_NAP)

    # --- start calls ---------------------------------------------------------------------------

    def _depart(self, pool):
        """Claim what is due, as far as threads are free, and start the calls."""
        started = 0
        for model in self.models:
            for task in ('send', 'check'):
                free = WORKERS - len(self.flights)
                if free > 0:
                    started += self._start(pool, model, task, free)
        return started

    def _start(self, pool, model, task, free):
        lease = uuid.uuid4().hex
        records = self._claim(model, task, lease, free)
        valid = time.monotonic() + LEASE.total_seconds() / 2
        for record in records:
            try:
                call = record._prepare_call(task)
            except ProviderError as error:
                self._store(Flight(record, task, lease), Outcome(error=error))
                continue
            except Exception as error:  # the boundary of the loop: one row must not stop the others
                _logger.exception('%s cannot be sent', record)
                self.env.cr.rollback()
                error = NotSent(f'{type(error).__name__}: {error}', 'internal')
                self._store(Flight(record, task, lease), Outcome(error=error))
                continue
            self.flights[pool.submit(_perform, call, task, valid)] = Flight(
                record, task, lease, call
            )
        self._commit()
        return len(records)

    def _claim(self, model, task, lease, limit):
        """Lease rows for a task and commit that; another worker's rows are skipped."""
        for _try in range(STORE_TRIES):
            try:
                records = model._claim(task, lease, limit, self._landed_ids(model))
                self._commit()
                return records
            except psycopg2.errors.SerializationFailure:  # another worker was quicker: look again
                self.env.cr.rollback()
        return model.browse()

    def _landed_ids(self, model):
        landed = [flight.record for flight, _outcome in self.landed]
        return [record.id for record in landed if record._name == model._name]

    # --- end calls -----------------------------------------------------------------------------

    def _land(self, deadline):
        """Wait for calls to end, and store one outcome: the next calls go out before the others."""
        timeout = 0 if self.landed else self._pause(deadline) or NAP
        done, _under_way = wait(self.flights, timeout=timeout, return_when=FIRST_COMPLETED)
        self.landed.extend((self.flights.pop(future), future.result()) for future in done)
        if self.landed:
            self._store(*self.landed.popleft())
        if time.monotonic() - self.renewed > RENEW:
            self._renew()

    def _store(self, flight, outcome):
        """Store an outcome in a transaction of its own, with all that follows from it."""
        record = flight.record
        for attempt in range(STORE_TRIES):
            try:
                record._store_outcome(flight.task, flight.lease, outcome)
                self._count(flight)
                self._commit()
                return
            except psycopg2.errors.SerializationFailure:
                self.env.cr.rollback()
                time.sleep(0.05 * 2**attempt)
            except Exception as error:  # the loop's boundary: the outcome counts all the same
                self.env.cr.rollback()
                if isinstance(error, psycopg2.errors.UniqueViolation) and not attempt:
                    continue  # another worker stored the same id meanwhile: now it is seen
                _logger.exception('what follows from the outcome of %s failed', record)
                record = record.with_context(social_crm_bare_outcome=True)
        # Its lease runs out, then it is looked up on the network.
        _logger.error('the outcome of %s could not be stored', record)

    def _count(self, flight):
        """Store what a call has used, with its outcome: in the same transaction, only once."""
        if flight.call:
            self.env['social.crm.usage']._add(
                'send', [(flight.record.account_id, flight.call.provider, None)]
            )

    def _renew(self):
        """Keep the leases of calls that take long; a lost race is made up for by the next one."""
        self.renewed = time.monotonic()
        until = fields.Datetime.now() + LEASE
        held = [*self.flights.values(), *(flight for flight, _outcome in self.landed)]
        for model in self.models:
            rows = [flight for flight in held if flight.record._name == model._name]
            try:
                if rows:
                    model._renew_leases(
                        [flight.record.id for flight in rows], {row.lease for row in rows}, until
                    )
                self._commit()
            except psycopg2.errors.SerializationFailure:
                self.env.cr.rollback()

    def _commit(self):
        self.env['ir.cron']._commit_progress()


def _perform(call, task, valid):
    """Make a call in a thread; whatever happens becomes an outcome."""
    if time.monotonic() > valid:  # this process slept; another one may have taken over
        return Outcome(error=Transient('The call was not started in time', 'late'))
    try:
        sent, rate_limit = call()
        return Outcome(sent, rate_limit=rate_limit, at=utcnow())
    except ProviderError as error:
        return Outcome(error=error)
    except Exception as error:  # a fault of the adapter: nobody knows how far it came
        _logger.exception('an adapter failed to %s', task)
        return Outcome(error=OutcomeUnknown(f'{type(error).__name__}: {error}', 'internal'))
