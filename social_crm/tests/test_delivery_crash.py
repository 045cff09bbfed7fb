"""Exactly once on a real server, whatever dies: workers killed by SIGKILL, answers lost."""

import json
import os
import random
import signal
import subprocess
import threading
import time
import unittest
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

from odoo.tests import BaseCase, tagged

from .fault_proxy import FaultProxy

try:
    from tools import configuration, database, environment, odoo_process, paths, servers
except ImportError:  # run by Odoo itself, outside of the repository
    servers = None

WORKER = Path(__file__).with_name('delivery_worker.py')


def notes(snac):
    """Return the texts of all posts on a server by their ids."""
    things = [json.loads(file.read_text()) for file in (snac.folder / 'object').rglob('*.json')]
    return {
        thing['id']: thing.get('sourceContent') or thing['content']
        for thing in things
        if thing.get('type') == 'Note'
    }


def run_now(odoo, cron):
    """Have a server run its loop, unless it does already."""
    try:
        odoo.call('ir.cron', 'method_direct_trigger', [cron])
    except RuntimeError as error:
        if 'already executing' not in str(error):
            raise


class Workers:
    """The process that forks workers; see ``delivery_worker.py``."""

    def __init__(self, name):
        self.process = subprocess.Popen(
            [str(environment.python()), str(WORKER), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=paths.CHECKOUT,
            env=configuration.environment_variables(),
        )
        self.lock = threading.Lock()
        self.alive = set()
        self._answer()

    def call(self, *command):
        with self.lock:
            self.process.stdin.write(json.dumps(command) + '\n')
            self.process.stdin.flush()
            return self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError('the process of the workers ended')
        return json.loads(line)

    def spawn(self):
        worker = self.call('spawn')
        self.alive.add(worker)
        return worker

    def kill(self):
        """SIGKILL all workers; return when they are gone."""
        for worker in list(self.alive):
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
            while Path(f'/proc/{worker}').exists():
                time.sleep(0.005)
            self.alive.discard(worker)

    def stop(self):
        self.kill()
        self.process.stdin.close()
        self.process.wait(20)


@unittest.skipUnless(servers, 'needs the tools of the repository')
@tagged('post_install', '-at_install')
class TestDeliveryCrash(BaseCase):
    """snac, a proxy in front of it that makes calls fail, and workers of the real loop."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        stack = ExitStack()
        cls.addClassCleanup(stack.close)
        cls.snac = stack.enter_context(servers.snac(people=('brand',)))
        cls.proxy = stack.enter_context(FaultProxy(cls.snac.url))
        cls.database = stack.enter_context(database.clone(assets=True))
        cls.workers = Workers(cls.database)
        stack.callback(cls.workers.stop)
        token = cls.snac.token('brand')
        cls.account = cls.workers.call('connect', cls.snac.url, cls.proxy.url, token)
        cls.number = 0

    def setUp(self):
        super().setUp()
        self.proxy.faults.clear()
        self.proxy.answers.clear()
        self.addCleanup(self.workers.kill)
        self.random = random.Random(self.id())

    # --- what the tests do -----------------------------------------------------------------------

    def publish(self, count):
        """Queue posts with texts that nobody else has; keep the texts."""
        type(self).number += 1
        self.texts = [f'Round {self.number} post {place} of {count}' for place in range(count)]
        self.rows = self.workers.call('publish', self.account, self.texts)

    def states(self):
        return Counter(row['delivery_state'] for row in self.workers.call('states', self.rows))

    def until_sent(self, seconds=60, odoo=False):
        """Let workers work, with the dead ones' leases run out, until every row is sent."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.states() == {'sent': len(self.rows)}:
                return
            dead = not odoo and not any(
                Path(f'/proc/{worker}').exists() for worker in self.workers.alive
            )
            self.workers.call('hurry', self.rows, dead)
            if dead:
                self.workers.spawn()
            time.sleep(0.3)
        self.fail(f'not all sent: {self.workers.call("states", self.rows)}')

    def check_once(self):
        """Every text stands there exactly once, and every row knows which it is."""
        self.ids.update(notes(self.snac))
        there = Counter(self.ids.values())
        self.assertEqual({text: there[text] for text in self.texts}, dict.fromkeys(self.texts, 1))
        rows = self.workers.call('states', self.rows)
        self.assertEqual([self.ids.get(row['external_id']) for row in rows], self.texts)

    def repeated_ids(self):
        """Count posts to which the server gave an id that it had given before: sent once more."""
        given = [json.loads(body)['uri'] for _status, body, _type in self.proxy.answers]
        return len(given) - len(set(given))

    @property
    def ids(self):
        return self.__dict__.setdefault('_ids', {})

    # --- faults ----------------------------------------------------------------------------------

    def kill_before(self, pass_on, answer):
        self.workers.kill()

    def kill_after(self, pass_on, answer):
        """The server accepted it, the id is not stored."""
        pass_on()
        self.workers.kill()

    def kill_with_answer(self, pass_on, answer):
        """The answer is on its way while the worker dies: anywhere between reading and storing."""
        reply = pass_on()
        threading.Timer(self.random.uniform(0, 0.08), self.workers.kill).start()
        answer(*reply)

    def kill_somewhere(self, pass_on, answer):
        threading.Timer(self.random.uniform(0, 0.25), self.workers.kill).start()
        time.sleep(self.random.uniform(0, 0.1))
        reply = pass_on()
        time.sleep(self.random.uniform(0, 0.1))
        answer(*reply)

    @staticmethod
    def cut(pass_on, answer):
        """The connection breaks after the server accepted it."""
        pass_on()

    @staticmethod
    def bad_gateway(pass_on, answer):
        pass_on()
        answer(502, b'<html>Bad gateway</html>', 'text/html')

    @staticmethod
    def refused(pass_on, answer):
        """The gateway does not even ask the server."""
        answer(503, b'<html>Try later</html>', 'text/html')

    @staticmethod
    def silence(pass_on, answer):
        """The server accepts it, and answers when the client has given up."""
        reply = pass_on()
        time.sleep(25)
        answer(*reply)

    def last_answer_again(self, pass_on, answer):
        """The server gives this one the id of another and keeps only that, as snac may."""
        while not self.proxy.answers:
            time.sleep(0.01)
        answer(*self.proxy.answers[-1])

    # --- tests -----------------------------------------------------------------------------------

    def rounds(self, fault, count=6, size=3):
        for _round in range(count):
            self.publish(size)
            self.proxy.faults.extend([fault] * self.random.randint(1, size))
            self.workers.spawn()
            self.until_sent()
            self.check_once()
            self.workers.kill()
            self.proxy.faults.clear()

    def test_nothing_goes_wrong(self):
        self.publish(5)
        self.workers.spawn()
        self.until_sent()
        self.check_once()

    def test_killed_before_the_server_has_it(self):
        self.rounds(self.kill_before)

    def test_killed_after_the_server_accepted(self):
        self.rounds(self.kill_after)

    def test_killed_while_the_answer_is_stored(self):
        self.rounds(self.kill_with_answer)

    def test_killed_anywhere(self):
        self.rounds(self.kill_somewhere, count=10)

    def test_lost_answers(self):
        self.publish(12)
        self.proxy.faults.extend([self.cut, self.bad_gateway, self.refused] * 4)
        self.workers.spawn()
        self.until_sent()
        self.check_once()

    def test_the_same_id_twice(self):
        self.publish(4)
        self.proxy.faults.extend([None, *[self.last_answer_again] * 2])
        self.workers.spawn()
        self.until_sent()
        self.check_once()
        tries = [row['attempts'] for row in self.workers.call('states', self.rows)]
        self.assertEqual(sum(tries), len(self.texts) + 2 + self.repeated_ids())

    def test_time_outs(self):
        self.publish(4)
        self.proxy.faults.extend([self.silence] * 3)
        self.workers.spawn()
        self.until_sent(seconds=90)
        self.check_once()

    def test_several_workers_at_once(self):
        self.publish(40)
        for _worker in range(4):
            self.workers.spawn()
        self.until_sent()
        self.check_once()
        tries = [row['attempts'] for row in self.workers.call('states', self.rows)]
        self.assertEqual(sum(tries), len(self.texts) + self.repeated_ids())

    def test_several_workers_while_some_are_killed(self):
        self.publish(30)
        self.proxy.faults.extend(
            self.random.choice([self.cut, self.kill_after, self.bad_gateway, self.kill_before])
            for _fault in range(12)
        )
        for _worker in range(3):
            self.workers.spawn()
        self.until_sent()
        self.check_once()

    def test_a_whole_odoo_server_is_killed(self):
        """The running cron of a real server, killed as it sends, started again."""
        cron = self.workers.call('cron', True)
        self.addCleanup(self.workers.call, 'cron', False)
        with odoo_process.start(self.database, crons=1) as odoo:
            for before in (True, False):
                self.publish(3)
                self.kill_odoo(odoo, before)
                self.workers.call('hurry', self.rows, True)
                odoo.restart()
                run_now(odoo, cron)
                self.until_sent(odoo=True)
                self.check_once()

    def kill_odoo(self, odoo, before):
        killed = threading.Event()

        def fault(pass_on, answer):
            if not before:
                pass_on()
            if not killed.is_set():
                killed.set()
                odoo.kill()

        self.proxy.faults.extend([fault] * 3)
        self.assertTrue(killed.wait(90), 'the cron did not send')
        time.sleep(1)
        self.proxy.faults.clear()
