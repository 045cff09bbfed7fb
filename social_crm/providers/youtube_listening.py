"""The listening half of the YouTube adapter: comments below the channel's videos, and searches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar

from .errors import NotFound, NotSupported, Rejected
from .meta_sweep import Group, Lists, Sweep
from .types import Item, Page
from .walk import Walk
from .youtube_client import CHANNEL, Client, rows_of
from .youtube_items import (
    Reader,
    comments_of,
    entry_id,
    entry_time,
    inline_replies,
    is_video,
    parse_time,
    thread_of,
)

#: How far back old conversations are looked at, how often, and how many pages of 100 at most.
_REACH = timedelta(days=30)
_REST = timedelta(hours=1)
_MOST_PAGES = 10
_THREADS = {'part': 'id,snippet,replies', 'textFormat': 'plainText', 'maxResults': 100}
_REPLIES = {'part': 'id,snippet', 'textFormat': 'plainText', 'maxResults': 100}
#: Instead of a page's token, for the first page.
_FIRST = '-'
#: Newest videos that one look of a search gives; each 50 are a call.
_MOST_VIDEOS = 200


class Listening(Client):
    """Comments, searches, conversations."""

    #: Between two looks of one search: all searches of all accounts share 100 calls a day.
    search_pause: ClassVar[timedelta] = timedelta(hours=4)

    @classmethod
    def default_streams(cls) -> tuple[str, ...]:
        """Comments and answers to them; own ones come along."""
        return ('comments',)

    def fetch(
        self, stream: str, cursor: str, *, query: str = '', since: datetime | None = None
    ) -> Page:
        """See :meth:`.Provider.fetch`; streams ``comments`` and ``search`` (of videos).

        ``comments`` looks at the 100 newest conversations each time, and once an hour at all of
        the last 30 days, as an answer does not lift its conversation. ``search`` looks every four
        hours; a look before its time is no call and gives an empty page.
        """
        if stream == 'comments':
            return self._comments(cursor, since)
        if stream == 'search':
            return self._search(cursor, query, since)
        raise NotSupported(code=stream)

    def read(self, stream: str, payload: object) -> Page:
        """See :meth:`.Provider.read`."""
        return Page(*self._reader().page([payload]))

    def _reader(self) -> Reader:
        return Reader(self.me.external_id if self.me else '')

    # --- comments --------------------------------------------------------------------------------

    def _comments(self, cursor: str, since: datetime | None) -> Page:
        sweep = Sweep.start(cursor, since, rest=_REST)
        me = self._me
        sweep = sweep.until_fresh(self._threads, self._replies, most_pages=_MOST_PAGES)
        items, bad = Reader(me).page(sweep.fresh)
        return Page(items, bad, sweep.cursor(), sweep.under_way)

    def _threads(self, sweep: Sweep, token: str) -> Lists:
        params: dict[str, Any] = {**_THREADS, 'allThreadsRelatedToChannelId': self._me}
        if token:
            params['pageToken'] = token
        body = self._get('commentThreads', params)
        threads = rows_of(body)
        groups = [group for thread in threads for group in _groups(sweep, thread)]
        oldest = entry_time(comments_of(threads[-1])[-1]) if threads else None
        below = min(sweep.started - _REACH, sweep.deep_since)
        return Lists(
            tuple(groups),
            str(body.get('nextPageToken') or ''),
            more_below=not oldest or oldest > below,
        )

    def _replies(self, sweep: Sweep, key: str, token: str) -> Group:
        """Return a page of all answers of a conversation, of which only some came with it."""
        thread, video, asker = json.loads(key)
        params: dict[str, Any] = {**_REPLIES, 'parentId': thread}
        if token != _FIRST:
            params['pageToken'] = token
        try:
            body = self._get('comments', params)
        except NotFound:
            return Group(key)
        about = {'video_id': video, 'asker': asker}
        entries = [_dated({'comment': row, **about}) for row in rows_of(body)]
        if sweep.deep:
            # Those of the last minutes were looked at each minute, those of the last hour were not:
            # without its date, an entry is judged by whether it was given before.
            entries = [_undated(entry) for entry in _dated_after(entries, sweep.deep_since)]
        else:
            # In which order they come is nowhere said: an old one is not the end.
            entries = _dated_after(entries, sweep.since)
        return Group(key, tuple(entries), str(body.get('nextPageToken') or ''))

    # --- searches --------------------------------------------------------------------------------

    def _search(self, cursor: str, query: str, since: datetime | None) -> Page:
        plain = ' '.join(query.replace('"', ' ').split())
        if not plain or plain.endswith('*'):
            raise NotSupported('YouTube finds whole words only', 'query')
        now = datetime.now(timezone.utc)
        if now < _looked(cursor) + self.search_pause:
            return Page(next_cursor=cursor)
        walk = Walk.start(cursor, since, now)
        if walk.below and not walk.mark:
            walk = walk.again()
        body, walk = self._found(f'"{plain}"' if ' ' in plain else plain, walk)
        rows = [row for row in rows_of(body) if _video_id(row)]
        ids, times = [_video_id(row) for row in rows], [entry_time({'video': row}) for row in rows]
        fresh, walk, more = walk.step(ids, times, ordered=False, keep=_MOST_VIDEOS)
        token = str(body.get('nextPageToken') or '')
        if more and (not token or len(walk.new) >= _MOST_VIDEOS):
            _none, walk, more = walk.step([], [], ordered=False, keep=_MOST_VIDEOS)
        items, bad = self._reader().page(self._videos([ids[place] for place in fresh]))
        found = walk.at(token if more else '').cursor()
        return Page(items, bad, found if more else _with_look(found, now), more)

    def _found(self, query: str, walk: Walk) -> tuple[dict[str, Any], Walk]:
        """Return a page of a search and the walk, which starts again where its token is refused."""
        params: dict[str, Any] = {
            'part': 'id,snippet',
            'type': 'video',
            'order': 'date',
            'q': query,
            'maxResults': 50,
        }
        if walk.since:
            params['publishedAfter'] = walk.since.strftime('%Y-%m-%dT%H:%M:%SZ')
        paged = {**params, 'pageToken': walk.mark} if walk.mark else params
        try:
            return self._get('search', paged, 'search'), walk
        except Rejected as error:
            if not walk.mark or error.code != 'invalidPageToken':
                raise
        return self._get('search', params, 'search'), walk.again()

    def _videos(self, ids: list[str]) -> list[dict[str, Any]]:
        """Return entries of whole videos with their channels; a search gives only parts."""
        videos = list(self._batches('videos', 'id,snippet', ids))
        owners = {_owner(video) for video in videos} - {''}
        rows = self._batches('channels', CHANNEL['part'], sorted(owners))
        channels = {row.get('id'): row for row in rows if isinstance(row, dict)}
        return [{'video': video, 'channel': channels.get(_owner(video))} for video in videos]

    # --- conversations ---------------------------------------------------------------------------

    def thread(self, external_id: str, local_id: str = '') -> tuple[Item, ...]:
        """See :meth:`.Provider.thread`; of a video there is none."""
        if is_video(external_id):
            return ()
        number = thread_of(external_id)
        params = {'part': 'id,snippet', 'id': number, 'textFormat': 'plainText'}
        threads = rows_of(self._get('commentThreads', params))
        if not threads:
            raise NotFound('YouTube does not know this comment', 'commentThreadNotFound')
        replies = rows_of(self._get('comments', {**_REPLIES, 'parentId': number}))
        items, _bad = self._reader().page(comments_of(threads[0], replies))
        return tuple(item for item in items if item.external_id != external_id)


# --- pieces ---------------------------------------------------------------------------------------


def _groups(sweep: Sweep, thread: Any) -> list[Group]:
    """Return the first comment, and its answers as far as they came along."""
    *replies, first = [_dated(entry) for entry in comments_of(thread)]
    groups = [Group('', (first,))]
    snippet = thread.get('snippet') if isinstance(thread, dict) else None
    total = snippet.get('totalReplyCount') if isinstance(snippet, dict) else 0
    since = sweep.since if sweep.lists == '' else min(sweep.since, sweep.deep_since)
    fresh = tuple(_dated_after(replies, since))
    after = ''
    if isinstance(total, int) and total > len(inline_replies(thread)) and (fresh or sweep.deep):
        after = _FIRST
    if fresh or after:
        key = [entry_id(first), first.get('video_id'), first.get('asker')]
        groups.append(Group(json.dumps(key), fresh, after))
    return groups


def _dated(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry with its id and date where a sweep looks for them."""
    moment = entry_time(entry)
    # A sweep knows an entry by what follows the last _ of its id: here that may be next to nothing.
    dated = {**entry, 'id': entry_id(entry).replace('_', '~')}
    return {**dated, 'created_time': moment.isoformat()} if moment else dated


def _dated_after(entries: list[dict[str, Any]], floor: datetime) -> list[dict[str, Any]]:
    return [entry for entry in entries if (entry_time(entry) or floor) >= floor]


def _undated(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != 'created_time'}


def _video_id(row: Any) -> str:
    number = row.get('id') if isinstance(row, dict) else None
    found = number.get('videoId') if isinstance(number, dict) else None
    return found if isinstance(found, str) else ''


def _owner(video: Any) -> str:
    snippet = video.get('snippet') if isinstance(video, dict) else None
    found = snippet.get('channelId') if isinstance(snippet, Mapping) else None
    return found if isinstance(found, str) else ''


def _looked(cursor: str) -> datetime:
    try:
        return parse_time(json.loads(cursor)['looked'])
    except (ValueError, TypeError, KeyError):
        return datetime.min.replace(tzinfo=timezone.utc)


def _with_look(cursor: str, now: datetime) -> str:
    looked = now.isoformat(timespec='seconds')
    return json.dumps({**json.loads(cursor), 'looked': looked}, separators=(',', ':'))
