"""The walk down a list: nothing lost, whatever a server's cursors mean."""

import json
import random
from datetime import datetime, timedelta, timezone

import pytest

from social_crm.providers.walk import HORIZON, Walk

NOW = datetime(2026, 9, 1, 12, tzinfo=timezone.utc)


class Server:
    """A list of entries, newest first, with a kind of cursor."""

    def __init__(self, kind, page=7):
        self.kind, self.page = kind, page
        self.entries = []
        self.gone = set()
        self.count = 0

    def add(self, at=None, place=0):
        self.count += 1
        self.entries.insert(place, (f'e{self.count}', at or NOW))

    def fetch(self, below, since_id):
        ids = [entry[0] for entry in self.entries]
        rows = self.entries
        if self.kind == 'ignores':
            return self._page(rows)
        if below:
            rows = rows[ids.index(below) + (self.kind != 'inclusive') :]
        if since_id and self.kind == 'bounds':
            rows = [row for row in rows if ids.index(row[0]) < ids.index(since_id)]
        return self._page(rows)

    def _page(self, rows):
        return [row for row in rows if row[0] not in self.gone][: self.page]


def pull(server, cursor='', since=None, ordered=True, keep=10, now=NOW, pages=200):
    """Walk to the end; return the ids that came up and the cursor."""
    found = []
    for _ in range(pages):
        walk = Walk.start(cursor, since, now)
        page = server.fetch(walk.below, walk.since_id(1 if ordered else 3))
        fresh, walk, more = walk.step(
            [entry for entry, _at in page], [at for _entry, at in page], ordered=ordered, keep=keep
        )
        found += [page[place][0] for place in fresh]
        cursor = walk.cursor()
        if not more:
            return found, cursor
    raise AssertionError('no end')


@pytest.mark.parametrize('kind', ['bounds', 'exact', 'inclusive'])
@pytest.mark.parametrize('ordered', [True, False])
def test_nothing_is_lost_by_any_kind_of_cursor(kind, ordered):
    server = Server(kind)
    chance = random.Random(3)
    cursor, found = pull(server, ordered=ordered, keep=20)[1], []
    for _round in range(60):
        for _ in range(chance.choice([0, 0, 1, 2, 9, 30])):
            server.add()
        if server.entries and chance.random() < 0.3:
            known = chance.choice(found or ['none'])
            server.gone.add(known)
        items, cursor = pull(server, cursor, ordered=ordered, keep=20)
        found += items
    assert set(found) | server.gone == {entry for entry, _at in server.entries}
    assert len(found) == len(set(found))


def test_a_server_that_ignores_cursors_gives_what_it_has():
    server = Server('ignores', page=5)
    _, cursor = pull(server)
    for _ in range(12):
        server.add()
    found, cursor = pull(server, cursor)
    assert found == ['e12', 'e11', 'e10', 'e9', 'e8']
    server.add()
    assert pull(server, cursor)[0] == ['e13']


def test_late_entries_below_seen_ones_are_found():
    server = Server('bounds', page=40)
    for _ in range(20):
        server.add()
    _, cursor = pull(server, ordered=False, keep=80)
    server.add(place=2, at=NOW - timedelta(minutes=5))
    assert pull(server, cursor, ordered=False, keep=80)[0] == ['e21']


def test_backfill_stops_at_since():
    server = Server('bounds')
    for hours in range(100, 0, -1):
        server.add(NOW - timedelta(hours=hours))
    found, cursor = pull(server, since=NOW - timedelta(hours=48, minutes=30))
    assert len(found) == 48
    assert pull(server, cursor)[0] == []


def test_a_walk_is_resumed_in_its_midst():
    server = Server('bounds')
    for _ in range(30):
        server.add()
    walk = Walk.start('', NOW - timedelta(days=1), NOW)
    page = server.fetch('', '')
    fresh, walk, more = walk.step([e for e, _ in page], [a for _, a in page], ordered=True, keep=5)
    assert more
    assert len(fresh) == 7
    server.add()  # arrives in between
    rest, cursor = pull(server, walk.cursor())
    assert len(rest) == 23
    assert pull(server, cursor)[0] == ['e31']


def test_when_all_that_was_seen_is_gone_only_two_days_are_read_again():
    server = Server('bounds', page=40)
    for days in range(10, 0, -1):
        server.add(NOW - timedelta(days=days))
    _, cursor = pull(server, since=NOW - timedelta(days=30), keep=2)
    server.gone = {'e9', 'e10'}
    assert pull(server, cursor, now=NOW)[0] == []
    server.gone = {'e10'}
    assert pull(server, json.dumps({'seen': ['e10'], 'since': str(NOW - HORIZON)}), now=NOW)[0] == [
        'e9'
    ]


def test_entries_without_a_time_are_wanted():
    walk = Walk.start('', NOW, NOW)
    fresh, _walk, more = walk.step(['a', 'b'], [None, None], ordered=True, keep=5)
    assert fresh == [0, 1]
    assert more


def test_the_cursor_keeps_everything():
    walk = Walk(('a', 'b'), NOW, False, ('c',), ('d',), NOW - timedelta(hours=1))
    assert Walk.start(walk.cursor(), None, NOW) == walk


@pytest.mark.parametrize('cursor', ['', 'x', '{}', '[]', '7', 'null', '{"seen": 7}', '{"a": 1}'])
def test_a_cursor_that_cannot_be_read_starts_afresh(cursor):
    assert Walk.start(cursor, NOW - HORIZON, NOW) == Walk(since=NOW - HORIZON, started=NOW)
    assert Walk.start(cursor, None, NOW).silent
