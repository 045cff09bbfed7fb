"""Beside OCA's job queue: what one worker cannot have in hand at once is done by several."""

import threading
import time
import unittest
from collections import Counter
from contextlib import ExitStack

from odoo.tests import BaseCase, tagged

from .fault_proxy import FaultProxy
from .test_delivery_crash import Workers, notes, run_now

try:
    from tools import database, odoo_process, servers
except ImportError:  # run by Odoo itself, outside of the repository
    servers = None

PEOPLE = ('brand', 'press', 'support', 'shop')
EACH = 20


class Slow:
    """A server that takes seconds for each post; counts how many it has in hand at most."""

    def __init__(self):
        self.lock = threading.Lock()
        self.now = self.most = 0

    def __call__(self, pass_on, answer):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(4)
        with self.lock:
            self.now -= 1
        answer(*pass_on())


@unittest.skipUnless(servers, 'needs the tools of the repository')
@tagged('post_install', '-at_install')
class TestQueueJob(BaseCase):
    def setUp(self):
        super().setUp()
        stack = ExitStack()
        self.addCleanup(stack.close)
        self.snac = stack.enter_context(servers.snac(people=PEOPLE))
        self.proxy = stack.enter_context(FaultProxy(self.snac.url))
        self.database = stack.enter_context(database.clone(assets=True))
        database.odoo(self.database, '-i', 'queue_job')
        self.workers = Workers(self.database)
        stack.callback(self.workers.stop)
        options = {'server_wide_modules': 'web,queue_job'}
        self.odoo = odoo_process.OdooProcess(self.database, crons=1, options=options)
        stack.callback(self.odoo.stop)

    def test_jobs_share_the_work_of_sending(self):
        texts, rows = [], []
        for person in PEOPLE:
            account = self.workers.call(
                'connect', self.snac.url, self.proxy.url, self.snac.token(person)
            )
            own = [f'{person} {number}' for number in range(EACH)]
            rows += self.workers.call('publish', account, own)
            texts += own
        slow = Slow()
        self.proxy.faults.extend([slow] * len(texts))
        cron = self.workers.call('cron', True)
        self.odoo.start()
        run_now(self.odoo, cron)
        deadline = time.monotonic() + 90
        while self.states(rows) != {'sent': len(rows)}:
            self.assertLess(time.monotonic(), deadline, self.states(rows))
            time.sleep(0.3)
        there = Counter(notes(self.snac).values())
        self.assertEqual({text: there[text] for text in texts}, dict.fromkeys(texts, 1))
        jobs = self.finished_jobs()
        self.assertEqual(len(jobs), 3, '80 are due: 24 for the scheduled action, 3 helpers')
        self.assertEqual({job['state'] for job in jobs}, {'done'})
        self.assertGreater(slow.most, 24, 'one worker has 24 in hand')

    def states(self, rows):
        return Counter(row['delivery_state'] for row in self.workers.call('states', rows))

    def finished_jobs(self):
        for _try in range(60):
            jobs = self.odoo.call(
                'queue.job',
                'search_read',
                [('method_name', '=', '_help_deliver')],
                ['state', 'result', 'exc_info'],
            )
            if not {'pending', 'enqueued', 'started'} & {job['state'] for job in jobs}:
                break
            time.sleep(0.5)
        return jobs
