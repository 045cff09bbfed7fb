"""Reading a list that a network gives by time, without gaps and with few repeats.

For networks whose lists take a start and an end, and say nothing about their order. A window is
read to its last page before the next one begins; the next one begins a while before this one did,
so that what the network shows late is met, and what is known is left out by its id. Unlike
:class:`~.walk.Walk` it stops at nothing but the end.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from hashlib import sha1

#: The network's clock may be ahead of ours by so much.
CLOCK_SKEW = timedelta(minutes=10)
#: How many ids a cursor holds; more are given twice.
KEEP = 300


@dataclass(frozen=True)
class Window:
    """How far a list was read.

    :param since: start of the window that is read.
    :param began: when reading it began; its end is :attr:`until`.
    :param overlap: how long before that the next window starts.
    :param place: where in the window the next page is; empty for its start.
    :param seen: what was known before this window.
    :param new: what came in this window so far, and may come again in the next.
    :param last: the page before this one.
    :param silent: the window only tells what is old.
    """

    since: datetime
    began: datetime
    overlap: timedelta
    place: str = ''
    seen: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    silent: bool = False

    @classmethod
    def start(
        cls, cursor: str, since: datetime | None, overlap: timedelta, now: datetime | None = None
    ) -> Window:
        """Return where a cursor stands; without one, a window from ``since`` or from now on.

        A cursor that cannot be read counts as none.
        """
        now = now or datetime.now(timezone.utc)
        try:
            data = json.loads(cursor)
            window = cls(
                since=datetime.fromisoformat(data['since']),
                began=datetime.fromisoformat(data.get('began') or now.isoformat()),
                overlap=overlap,
                place=str(data.get('place') or ''),
                seen=tuple(map(str, data['seen'])),
                new=tuple(map(str, data.get('new', ()))),
                last=tuple(map(str, data.get('last', ()))),
                silent=bool(data.get('silent')),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls(since or now - overlap, now, overlap, silent=since is None)
        return window if window.place else replace(window, began=now)

    @property
    def until(self) -> datetime:
        """The end of the window; fixed until its last page was read."""
        return self.began + CLOCK_SKEW

    def cursor(self) -> str:
        """Return this as text to store."""
        data: dict[str, object] = {'since': _text(self.since), 'seen': self.seen}
        if self.place:
            data |= {'began': _text(self.began), 'place': self.place}
            data |= {'new': self.new, 'last': self.last}
            if self.silent:
                data['silent'] = True
        return json.dumps(data, separators=(',', ':'))

    def step(
        self, ids: Sequence[str], times: Sequence[datetime | None], place: str
    ) -> tuple[list[int], Window, bool]:
        """Take a page in: return the places of its unknown entries, what follows, and ``more``.

        :param ids: of all entries of the page
        :param times: when each was made, ``None`` when unknown
        :param place: where the next page is, empty after the last one
        """
        keys = [sha1(entry.encode()).hexdigest()[:10] for entry in ids]
        known = {*self.seen, *self.new, *self.last}
        first = {key: number for number, key in reversed(list(enumerate(keys))) if key not in known}
        # The network does not know this place and gives the same page again.
        stuck = bool(keys and self.last) and set(keys) <= set(self.last)
        begin = self.began - self.overlap
        recent = [
            key
            for key, moment in zip(keys, times, strict=False)
            if moment is None or moment >= begin
        ]
        new = tuple(dict.fromkeys((*recent, *self.new)))[:KEEP]
        more = bool(place) and not stuck
        if more:
            following = replace(self, place=place, new=new, last=tuple(keys))
        else:
            seen = tuple(dict.fromkeys((*new, *self.seen)))[:KEEP]
            following = Window(begin, self.began, self.overlap, seen=seen)
        fresh = sorted(first.values())
        return [] if self.silent else fresh, following, more


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec='seconds')
