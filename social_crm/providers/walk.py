"""Reading a list that a server gives newest first, without gaps and with few repeats.

Servers differ in what their cursors mean: some take ``since_id`` and ``max_id`` as bounds, some
match them exactly, some ignore them; ids sort as numbers, as text or not at all; a deleted entry
can be a lost cursor; posts from elsewhere appear late, below newer ones. So nothing is built on the
order of ids. A walk starts at the newest entry and goes down page by page until it meets an entry
that it has seen before, an entry older than ``since``, or the end. The cursor keeps the newest ids
that were seen and, between two pages, how far down the walk is: it can be stopped at any page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

#: How far back an entry may be dated when no entry of the last walk is left to be met.
HORIZON = timedelta(days=2)
#: Clocks may differ by so much when listening starts now.
CLOCK_SKEW = timedelta(minutes=10)


@dataclass(frozen=True)
class Walk:
    """How far a stream was read.

    :param seen: newest ids of the walks before, newest first.
    :param since: entries dated before this are not wanted.
    :param silent: the first page only tells what is old.
    :param last: in the midst of a walk, ids of the page before (the last one, where ``ordered``).
    :param new: newest ids of this walk, newest first.
    :param started: when this walk began.
    :param mark: in the midst of a walk, the server's own cursor for what is below, where it has
        one; kept with :meth:`at`.
    """

    seen: tuple[str, ...] = ()
    since: datetime | None = None
    silent: bool = False
    last: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    started: datetime | None = None
    mark: str = ''

    @classmethod
    def start(cls, cursor: str, since: datetime | None, now: datetime | None = None) -> Walk:
        """Return where a cursor stands; without one, a walk down to ``since`` or from now on.

        A cursor that cannot be read counts as none: that repeats, and loses nothing after
        ``since``.
        """
        now = now or datetime.now(timezone.utc)
        try:
            data = json.loads(cursor)
            walk = cls(
                seen=tuple(map(str, data['seen'])),
                since=_time(data.get('since')),
                last=tuple(map(str, data.get('last', ()))),
                new=tuple(map(str, data.get('new', ()))),
                started=_time(data.get('started')),
                mark=str(data.get('mark', '')),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            walk = cls(since=since or now - CLOCK_SKEW, silent=since is None)
        return walk if walk.last or walk.mark else replace(walk, started=now)

    def at(self, mark: str) -> Walk:
        """Return this walk with the server's cursor for what is below."""
        return replace(self, mark=mark)

    @property
    def below(self) -> str:
        """The id to ask older entries of, empty at the start of a walk."""
        return self.last[-1] if self.last else ''

    def cursor(self) -> str:
        """Return this as text to store."""
        data: dict[str, object] = {'seen': self.seen}
        if self.since:
            data['since'] = self.since.isoformat(timespec='seconds')
        if self.mark:
            data['mark'] = self.mark
        if self.last:
            data |= {'last': self.last, 'new': self.new}
        if (self.last or self.mark) and self.started:
            data['started'] = self.started.isoformat(timespec='seconds')
        return json.dumps(data, separators=(',', ':'))

    def again(self) -> Walk:
        """Return this walk at its start, for a mark that is lost or too old; repeats some."""
        return replace(self, last=(), new=(), mark='')

    def since_id(self, overlap: int) -> str:
        """Return the id to ask newer entries of, so that ``overlap`` seen ones come along."""
        return self.seen[overlap] if len(self.seen) > overlap else ''

    def step(
        self, ids: Sequence[str], times: Sequence[datetime | None], *, ordered: bool, keep: int
    ) -> tuple[list[int], Walk, bool]:
        """Take a page in: return the places of its unseen entries, the next walk, and ``more``.

        :param ids: of all entries of the page, newest first; empty for the end.
        :param times: when each was made, ``None`` when unknown.
        :param ordered: nothing unseen is ever below something seen.
        :param keep: how many ids to keep; a page's length at least, unless ``ordered``.
        """
        if self.last and self.new and self.new[0] in ids:
            # The server does not know this cursor and began again: there is nothing below.
            return [], self._finished((), keep), False
        if self.silent:
            return [], self._finished(ids, keep), False
        fresh, met = self._unseen(ids, times, ordered)
        if met or not fresh:
            return fresh, self._finished(ids, keep), False
        new = tuple(dict.fromkeys((*self.new, *ids)))[:keep]
        last = tuple(ids[-1:] if ordered else ids)
        return fresh, replace(self, last=last, new=new), True

    def _unseen(
        self, ids: Sequence[str], times: Sequence[datetime | None], ordered: bool
    ) -> tuple[list[int], bool]:
        # A server may give entries of the page before once more.
        seen, known = set(self.seen), {*self.last, *self.new}
        fresh, met, old = [], False, False
        for place, (entry, moment) in enumerate(zip(ids, times, strict=False)):
            is_seen = entry in seen
            old = bool(self.since and moment and moment < self.since)
            met = met or is_seen
            if ordered and (is_seen or old):
                break
            if not is_seen and not old and entry not in known:
                fresh.append(place)
        return fresh, met or old

    def _finished(self, ids: Sequence[str], keep: int) -> Walk:
        seen = tuple(dict.fromkeys((*self.new, *ids, *self.seen)))[:keep]
        since = self.since
        if self.started and (since is None or since < self.started - HORIZON):
            since = self.started - HORIZON
        return Walk(seen=seen, since=since)


def _time(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
