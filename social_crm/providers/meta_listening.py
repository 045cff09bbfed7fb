"""What reading a Facebook page and an Instagram account have in common: sweeps, and messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from .errors import NotSupported
from .facebook_items import Reader
from .facebook_sending import Sending
from .meta_client import after_of, halving, inner_rows, rows_of
from .meta_sweep import Group, Lists, Sweep, entry_time
from .types import Page

_MESSAGE = 'id,message,from,to,created_time,attachments'
MOST_PAGES = 20


class Listening(Sending):
    """Reads streams by sweeps. The lists of stream ``x`` are read by ``_x``, one of them is read on
    by ``_x_on``, where lists have more than one page."""

    #: Streams, and how long what is below the first page of their lists is left alone; pushes tell
    #: of that too.
    rests: ClassVar[Mapping[str, timedelta]] = {}

    def fetch(
        self, stream: str, cursor: str, *, query: str = '', since: datetime | None = None
    ) -> Page:
        """See :meth:`.Provider.fetch`.

        ``comments`` looks at the newest posts each time, and at all posts once an hour. Own
        answers and messages come along, as ``own``. Of a thread only the 20 newest messages can be
        read, so that of a burst between two looks older ones come by push alone.
        """
        if stream not in self.rests:
            raise NotSupported(code=stream)
        sweep = Sweep.start(cursor, since, rest=self.rests[stream])
        lists, on = getattr(self, f'_{stream}'), getattr(self, f'_{stream}_on', self._nothing)
        sweep = sweep.until_fresh(lists, on, most_pages=MOST_PAGES)
        items, bad = self._reader().page(sweep.fresh, stream)
        return Page(items, bad, sweep.cursor(), sweep.under_way)

    def read(self, stream: str, payload: object) -> Page:
        """See :meth:`.Provider.read`."""
        return Page(*self._reader().page([payload], stream))

    def _reader(self) -> Reader:
        raise NotImplementedError

    def _nothing(self, _sweep: Sweep, key: str, _after: str) -> Group:
        return Group(key)

    def _messages(self, sweep: Sweep, after: str) -> Lists:
        """Return threads with their newest messages."""
        fields = f'id,updated_time,messages.limit(20){{{_MESSAGE}}}'
        path = f'{self._messenger}/conversations'
        body = self._edge(path, fields, after, 20, platform=self._platform)
        threads = rows_of(body)
        groups = [
            Group(str(thread.get('id')), tuple(inner_rows(thread.get('messages'))))
            for thread in threads
        ]
        last = entry_time({'timestamp': threads[-1].get('updated_time')}) if threads else None
        return Lists(tuple(groups), after_of(body), not last or last >= sweep.since)

    def _posts(self, sweep: Sweep, body: Mapping[str, Any], **marks: Any) -> Lists:
        """Return a page of posts that name the account as one list; older pages, if any is new."""
        rows = [{**row, **marks} for row in rows_of(body)]
        times = [moment for moment in map(entry_time, rows) if moment]
        below = not times or times[-1] >= sweep.since
        return Lists((Group('posts', tuple(rows)),), after_of(body), below)

    def _edge(self, path: str, fields: str, after: str, size: int, **params: Any) -> dict[str, Any]:
        """Return a page of an edge, a smaller one where the network finds it too much."""
        place = {'after': after} if after else {}
        return halving(
            lambda limit: self._get(path, fields=fields, limit=limit, **place, **params), size
        )
