"""Reading what is spread over many lists: comments below posts, messages of threads, form by form.

No list tells what is new in all of them. So a *sweep* goes through the lists, newest first, as far
as anything new can be, and gives what is dated after the start of the sweep before. The cursor
keeps that time, marks of what was given since a while before it (clocks differ, things appear
late), and, between two pages, the place where the sweep stands: it can be stopped at any page.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from .meta import parse_time

#: How much later than its date an entry may appear.
OVERLAP = timedelta(minutes=30)
#: Marks to keep. More entries than that within the overlap come again, none is lost.
KEEP = 300
#: Pages without anything new that one call reads.
_STEPS = 10


@dataclass(frozen=True)
class Group:
    """Some entries of one list, newest first; ``after`` is the cursor of the rest of it."""

    key: str
    entries: tuple[dict[str, Any], ...] = ()
    after: str = ''


@dataclass(frozen=True)
class Lists:
    """A page of lists; ``after`` is the cursor of more lists. Without ``more_below`` nothing in
    those can be new."""

    groups: tuple[Group, ...] = ()
    after: str = ''
    more_below: bool = True


@dataclass(frozen=True)
class Sweep:
    """How far a stream was read.

    :param since: entries dated before this are not wanted
    :param deep_since: the same for lists below the first page, which are not read in each sweep
    :param silent: this sweep only learns what is old
    :param seen: marks from the sweeps before, newest first
    :param new: marks of this sweep
    :param lists: cursor of the next page of lists
    :param queue: lists to read on: (key, cursor)
    :param page: how many pages of lists were read
    :param deep: this sweep goes below the first page
    """

    since: datetime
    deep_since: datetime
    started: datetime
    silent: bool = False
    seen: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    lists: str = ''
    queue: tuple[tuple[str, str], ...] = ()
    page: int = 0
    deep: bool = True
    fresh: tuple[dict[str, Any], ...] = field(default=(), compare=False)

    @classmethod
    def start(
        cls, cursor: str, since: datetime | None, *, rest: timedelta, now: datetime | None = None
    ) -> Sweep:
        """Return where a cursor stands; one that cannot be read counts as none.

        :param rest: how long the lists below the first page are left alone
        """
        now = now or datetime.now(timezone.utc)
        try:
            data = json.loads(cursor)
            found = cls(
                since=datetime.fromisoformat(data['since']),
                deep_since=datetime.fromisoformat(data['deep_since']),
                started=datetime.fromisoformat(data['started']) if 'started' in data else now,
                silent=data.get('silent') is True,
                seen=tuple(map(str, data['seen'])),
                new=tuple(map(str, data.get('new', ()))),
                lists=str(data.get('lists', '')),
                queue=tuple((str(key), str(after)) for key, after in data.get('queue', ())),
                page=int(data.get('page', 0)),
                deep=data.get('deep') is True,
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            begin = since or now - OVERLAP
            return cls(begin, begin, now, silent=since is None)
        if found.under_way:
            return found
        return replace(found, deep=found.deep_since <= now - rest - OVERLAP)

    @property
    def under_way(self) -> bool:
        """Whether the sweep stands between two pages."""
        return bool(self.lists or self.queue)

    def cursor(self) -> str:
        """Return this as text to store."""
        data: dict[str, Any] = {
            'since': _iso(self.since),
            'deep_since': _iso(self.deep_since),
            'seen': self.seen,
        }
        if self.under_way:
            data |= {
                'started': _iso(self.started),
                'new': self.new,
                'lists': self.lists,
                'queue': self.queue,
                'page': self.page,
                'silent': self.silent,
                'deep': self.deep,
            }
        return json.dumps(data, separators=(',', ':'))

    def until_fresh(self, read_lists: ReadLists, read_on: ReadOn, *, most_pages: int) -> Sweep:
        """Read on, some pages at most, until one of them holds something new: ``fresh``.

        :param read_lists: reads a page of lists after a cursor
        :param read_on: reads a list on, by its key and cursor
        :param most_pages: of lists, in a sweep that goes below the first one
        """
        sweep = self
        for _step in range(_STEPS):
            sweep = sweep._step(read_lists, read_on, most_pages)
            if sweep.fresh or not sweep.under_way:
                break
        return sweep

    def _step(self, read_lists: ReadLists, read_on: ReadOn, most_pages: int) -> Sweep:
        if self.queue:
            (key, after), *rest = self.queue
            step = replace(self, queue=tuple(rest))._take([read_on(self, key, after)])
        else:
            lists = read_lists(self, self.lists)
            on = self.deep and lists.more_below and self.page + 1 < most_pages
            step = replace(self, page=self.page + 1, lists=lists.after if on else '')
            step = step._take(lists.groups)
        return step if step.under_way else step._finished()

    def wanted_since(self) -> datetime:
        """Return the date from which entries are wanted on the page at hand."""
        return self.since if self.page <= 1 else min(self.deep_since, self.since)

    def _take(self, groups: Iterable[Group]) -> Sweep:
        since, edge = self.wanted_since(), self.started - OVERLAP
        known, new, queue = {*self.seen, *self.new}, list(self.new), list(self.queue)
        fresh: list[dict[str, Any]] = []
        for group in groups:
            met = False
            for entry in group.entries:
                mark, moment = _mark(entry), entry_time(entry)
                if moment and moment < since:
                    met = True
                elif mark not in known:
                    known.add(mark)
                    fresh.append(entry)
                    if not moment or moment >= edge:
                        new.append(mark)
            if group.after and not met:
                queue.append((group.key, group.after))
        found = () if self.silent else tuple(fresh)
        return replace(self, new=tuple(new), queue=tuple(queue), fresh=found)

    def _finished(self) -> Sweep:
        since = self.started - OVERLAP
        return Sweep(
            since=since,
            deep_since=since if self.deep else self.deep_since,
            started=self.started,
            seen=tuple(dict.fromkeys((*self.new, *self.seen)))[:KEEP],
            fresh=self.fresh,
        )


ReadLists = Callable[[Sweep, str], Lists]
ReadOn = Callable[[Sweep, str, str], Group]

# --- pieces ---------------------------------------------------------------------------------------


def entry_time(entry: Mapping[str, Any]) -> datetime | None:
    """Return when an entry was made, ``None`` when it does not say."""
    try:
        return parse_time(entry.get('created_time') or entry.get('timestamp'))
    except ValueError:
        return None


def _mark(entry: Mapping[str, Any]) -> str:
    """Return eight characters that stand for an entry."""
    number = entry.get('id')
    text = str(number).rpartition('_')[2] if number else json.dumps(entry, sort_keys=True)
    return hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:12]


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec='seconds')
