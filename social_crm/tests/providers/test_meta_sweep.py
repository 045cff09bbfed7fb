"""Sweeps through many lists: nothing lost, nothing twice, stopped at any page."""

import random
from datetime import datetime, timedelta, timezone

import pytest

from social_crm.providers.meta_sweep import KEEP, OVERLAP, Group, Lists, Sweep

START = datetime(2026, 11, 2, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


class Network:
    """Lists of entries; lists and entries come in pages, newest first."""

    def __init__(self, lists, per_page=2, per_list=3):
        self.lists = {f'l{number}': [] for number in range(lists)}
        self.per_page, self.per_list = per_page, per_list
        self.read = []
        self.count = 0

    def put(self, name, moment):
        self.count += 1
        self.lists[name].insert(0, {'id': str(self.count), 'created_time': moment.isoformat()})
        self.lists[name].sort(key=lambda entry: entry['created_time'], reverse=True)
        return str(self.count)

    def group(self, name, start=0):
        rows, end = self.lists[name], start + self.per_list
        after = str(end) if end < len(rows) else ''
        return Group(name, tuple(rows[start:end]), after)

    def read_lists(self, _sweep, after):
        self.read.append(after)
        names, start = list(self.lists), int(after or 0)
        end = start + self.per_page
        groups = [self.group(name) for name in names[start:end]]
        return Lists(tuple(groups), str(end) if end < len(names) else '')

    def read_on(self, _sweep, name, after):
        return self.group(name, int(after))

    def sweep(self, cursor='', since=None, now=START, rest=timedelta(0), most_pages=20):
        """Read to the end of a sweep; return the ids that were given and the cursor."""
        found = []
        for _page in range(500):
            sweep = Sweep.start(cursor, since, rest=rest, now=now)
            sweep = sweep.until_fresh(self.read_lists, self.read_on, most_pages=most_pages)
            found += [entry['id'] for entry in sweep.fresh]
            cursor = sweep.cursor()
            if not sweep.under_way:
                return found, cursor
        raise AssertionError('no end')


def test_everything_since_is_given_once():
    network = Network(7)
    wanted = {network.put(f'l{n % 7}', START - timedelta(minutes=n)) for n in range(60)}
    network.put('l3', START - 30 * HOUR)
    found, cursor = network.sweep(since=START - 24 * HOUR)
    assert sorted(found) == sorted(wanted)
    assert network.sweep(cursor)[0] == []


def test_from_now_on_gives_only_what_comes():
    network = Network(3)
    network.put('l1', START - timedelta(minutes=1))
    found, cursor = network.sweep()
    assert found == []
    new = network.put('l1', START)
    assert network.sweep(cursor)[0] == [new]


def test_what_appears_late_is_not_lost():
    network = Network(3)
    _, cursor = network.sweep(since=START - HOUR)
    late = network.put('l2', START - OVERLAP + timedelta(minutes=1))
    assert network.sweep(cursor, now=START + HOUR)[0] == [late]


@pytest.mark.parametrize('seed', range(20))
def test_whatever_happens_between_pages_comes_once(seed):
    """Entries come while a sweep is under way; some pages are lost before they are stored."""
    dice = random.Random(seed)
    network, clock, cursor = Network(5), START, ''
    wanted, found = [], []
    for _round in range(60):
        clock += timedelta(seconds=dice.randrange(120))
        for _entry in range(dice.randrange(4)):
            moment = clock - timedelta(seconds=dice.randrange(600))
            wanted.append(network.put(f'l{dice.randrange(5)}', moment))
        sweep = Sweep.start(cursor, START - HOUR, rest=timedelta(0), now=clock)
        sweep = sweep.until_fresh(network.read_lists, network.read_on, most_pages=20)
        if dice.random() < 0.3:
            continue  # a crash: neither the entries nor the cursor are stored
        found += [entry['id'] for entry in sweep.fresh]
        cursor = sweep.cursor()
    found += network.sweep(cursor, now=clock)[0]
    found += network.sweep(network.sweep(cursor, now=clock)[1], now=clock)[0]
    # A list that moves on between two pages may give an entry again, never too few.
    assert set(found) == set(wanted)


def test_old_lists_are_left_alone_for_a_while():
    network = Network(6)
    _, cursor = network.sweep(since=START - HOUR, rest=HOUR)
    network.read.clear()
    deep = network.put('l5', START + timedelta(minutes=5))
    found, cursor = network.sweep(cursor, now=START + timedelta(minutes=10), rest=HOUR)
    assert (found, network.read) == ([], [''])
    found, cursor = network.sweep(cursor, now=START + 2 * HOUR, rest=HOUR)
    assert found == [deep]
    assert len(network.read) == 4
    assert network.sweep(cursor, now=START + 4 * HOUR, rest=HOUR)[0] == []


def test_a_sweep_that_began_shallow_ends_shallow():
    """Time passes while the first page's lists are read on: the others still count as unread."""
    network = Network(6, per_list=1)
    _, cursor = network.sweep(since=START - HOUR, rest=HOUR)
    deep = network.put('l5', START + timedelta(minutes=5))
    for minute in range(4):
        network.put('l0', START + timedelta(minutes=minute))
    soon, later = START + timedelta(minutes=10), START + 3 * HOUR
    sweep = Sweep.start(cursor, None, rest=HOUR, now=soon)
    sweep = sweep.until_fresh(network.read_lists, network.read_on, most_pages=20)
    assert sweep.under_way
    _found, cursor = network.sweep(sweep.cursor(), now=later, rest=HOUR)
    assert deep in network.sweep(cursor, now=later, rest=HOUR)[0]


def test_there_is_an_end_of_lists_to_read():
    network = Network(50)
    network.sweep(since=START - HOUR, most_pages=4)
    assert len(network.read) == 4


def test_a_cursor_stays_small_and_repeats_rather_than_loses():
    network = Network(1, per_list=100)
    wanted = {network.put('l0', START - timedelta(seconds=n)) for n in range(KEEP + 50)}
    found, cursor = network.sweep(since=START - HOUR)
    assert set(found) == wanted
    assert len(cursor) < 6000
    assert set(network.sweep(cursor)[0]) <= wanted


@pytest.mark.parametrize('entry', [{}, {'id': None}, {'id': '5'}, {'created_time': 'yesterday'}])
def test_entries_without_id_or_time_come_once(entry):
    network = Network(1)
    network.lists['l0'] = [entry]
    sweep = Sweep.start('', START - HOUR, rest=HOUR, now=START)
    sweep = sweep.until_fresh(network.read_lists, network.read_on, most_pages=1)
    assert sweep.fresh == (entry,)
    sweep = Sweep.start(sweep.cursor(), None, rest=HOUR, now=START)
    assert sweep.until_fresh(network.read_lists, network.read_on, most_pages=1).fresh == ()


@pytest.mark.parametrize(
    'cursor', ['x', '[]', '{}', 'null', '{"since": 5}', '{"since": "2026-01-01", "queue": [1]}']
)
def test_a_cursor_that_is_none_begins_at_since(cursor):
    network = Network(2)
    wanted = network.put('l1', START - timedelta(minutes=50))
    assert network.sweep(cursor, since=START - HOUR)[0] == [wanted]
