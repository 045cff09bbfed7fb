"""The loop that receives: many streams at once, in threads, with no transaction open meanwhile."""

import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from odoo.exceptions import UserError

from .providers.errors import ProviderError

THREADS = 24  # streams fetched at once
FAILING = 8  # and of those whose last look failed: a network that is down delays no other
COUNT_EVERY = 5  # seconds between two rows of the ledger, where calls cost nothing
NAP = 3  # longest sleep: an account that is connected or changed meanwhile is looked at soon


class Receiver:
    """Fetches the pages of streams that are due, and stores each as it lands.

    A thread that is free takes the next stream at once: a server that answers slowly delays
    nobody but itself.

    :param streams: an empty recordset of streams
    """

    def __init__(self, streams):
        self.streams = streams
        self.flights = {}  # future -> (stream, lease, whether its last look failed, adapter)
        self.used = []  # account, adapter and stream of fetches that the ledger does not know yet
        self.counted = time.monotonic()

    def run(self, seconds):
        """Receive what is due and act on it; stay awake for what falls due within ``seconds``.

        :return: whether any account is connected
        """
        deadline = time.monotonic() + seconds
        with self._pool() as pool:
            while True:
                in_time = time.monotonic() < deadline
                started = self._depart(pool) if in_time else 0
                if self.flights:
                    if self._land(NAP):
                        self.streams._act_on_new()
                    continue
                self._count()
                pause = self.streams._seconds_to_next_due()
                self.streams._commit()  # no open transaction while asleep
                if pause is None or not in_time:
                    self._count(at_once=True)
                    return pause is not None
                if not started:
                    time.sleep(min(pause, NAP, max(deadline - time.monotonic(), 0)))

    def round(self):
        """Fetch and store one page of each stream that is due, as far as there are threads.

        :return: number of streams handled
        """
        with self._pool() as pool:
            started = self._depart(pool)
            while self.flights:
                self._land()
        self._count(at_once=True)
        return started

    def _pool(self):
        return ThreadPoolExecutor(THREADS + FAILING, thread_name_prefix='social_crm')

    def _depart(self, pool):
        """Claim streams that are due, as far as threads are free, and start to fetch."""
        failing = sum(failed for _stream, _lease, failed, _provider in self.flights.values())
        healthy = len(self.flights) - failing
        lease, streams = self.streams._claim_due(THREADS - healthy, FAILING - failing)
        for stream in streams:
            call = self._prepared(stream)
            provider = getattr(call, 'provider', None)  # none where nothing could be asked
            self.flights[pool.submit(call)] = stream, lease, bool(stream.error_count), provider
        self.streams._commit()
        return len(streams)

    def _prepared(self, stream):
        """Return a call for a thread; what cannot even be asked for fails in there."""
        try:
            return stream._request()
        except Exception as error:  # the boundary of the loop: one stream must not stop the others
            if not isinstance(error, (ProviderError, UserError)):
                self.streams.env.cr.rollback()
            problem = error

        def fail():
            raise problem

        return fail

    def _land(self, seconds=None):
        """Wait for a fetch to end, store what has landed by then; return whether it has news."""
        done, _under_way = wait(self.flights, seconds, FIRST_COMPLETED)
        news = False
        for future in done:
            stream, lease, _failed, provider = self.flights.pop(future)
            news |= stream._store_outcome(lease, future)
            if provider:
                self.used.append((stream.account_id, provider, stream))
        self._count()
        return news

    def _count(self, at_once=False):
        """Have the ledger know what fetches have used: at once where they cost something.

        A process that dies takes some seconds of calls that cost nothing with it.
        """
        late = time.monotonic() - self.counted > COUNT_EVERY
        priced = any(provider.spent for _account, provider, _stream in self.used)
        if self.used and (at_once or late or priced):
            self.streams._count_calls(self.used)
            self.used, self.counted = [], time.monotonic()
