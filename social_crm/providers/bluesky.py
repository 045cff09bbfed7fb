"""Bluesky, and every server of the AT Protocol that carries its posts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from . import bluesky_chat as chat
from . import bluesky_identity as identity
from .bluesky_items import entry_id, entry_time
from .bluesky_oauth import Login
from .bluesky_sending import Sending
from .errors import NotFound, NotSupported, Rejected
from .types import Item, Limits, Page, Profile
from .walk import Walk

_STREAMS = ('notifications', 'own', 'hashtag', 'search')
_PAGE = 50
#: Ids that a cursor keeps: more than a page, since late posts turn up below newer ones.
_KEEP = 80
#: Pages may be empty although there is more below.
_EMPTY_PAGES = 5


def _calls(*methods: str) -> tuple[str, ...]:
    return tuple(f'rpc:app.bsky.{method}?aud=*' for method in methods)


_WRITE = ('repo:app.bsky.feed.post', 'blob:image/*')


class Bluesky(Login, Sending):
    """One account. ``app.server`` is where it signs in, its data server is in ``token.extra``.

    Cursors are those of :class:`.walk.Walk`, and of :class:`.bluesky_chat.Round` for messages.
    """

    code = 'bluesky'
    label = 'Bluesky'
    capabilities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        'mentions': _calls(
            'notification.listNotifications', 'feed.getAuthorFeed', 'feed.getPostThread'
        ),
        'messages': chat.SCOPES,
        'hashtags': _calls('feed.searchPosts'),
        'search': _calls('feed.searchPosts'),
        'reply': (*_WRITE, *_calls('feed.getPosts')),
        'publish': _WRITE,
        'metrics': _calls('feed.getPosts'),
        'profile': _calls('actor.getProfile'),
    }
    identity_scopes = ('atproto', *_calls('actor.getProfile'))
    features = frozenset(
        {
            'servers',
            'register',
            'pkce',
            'revoke',
            'refresh',
            'idempotency_key',
            'find_sent',
            'thread',
            'delete',
            'public_client',
            'app_password',
        }
    )
    stream_capabilities: ClassVar[Mapping[str, str]] = {'messages': 'messages'}
    server_example = 'me.bsky.social'
    default_limits = Limits(
        text_length=300,
        message_length=1000,
        media_count=4,
        image_types=('image/jpeg', 'image/png', 'image/webp', 'image/gif'),
        image_size=2_000_000,
    )

    @classmethod
    def default_streams(cls) -> tuple[str, ...]:
        """Mentions, replies and quotes; direct messages; own answers that were given elsewhere."""
        return ('notifications', 'messages', 'own')

    def fetch(
        self, stream: str, cursor: str, *, query: str = '', since: datetime | None = None
    ) -> Page:
        """See :meth:`.Provider.fetch`; streams ``notifications``, ``messages`` (empty where that
        was not granted), ``own``, ``hashtag`` (the query is the tag) and ``search``."""
        if stream == 'messages':
            return self._fetch_messages(cursor, since)
        if stream not in _STREAMS:
            raise NotSupported(code=stream)
        walk = Walk.start(cursor, since)
        entries, mark = self._entries(stream, query, walk.mark)
        for _page in range(_EMPTY_PAGES):
            if entries or not mark:
                break
            entries, mark = self._entries(stream, query, mark)
        if not entries and mark:
            return Page(next_cursor=walk.at(mark).cursor(), more=True)
        ids = [entry_id(entry) for entry in entries]
        times = [entry_time(entry) for entry in entries]
        fresh, walk, more = walk.step(ids, times, ordered=False, keep=_KEEP)
        if more and not mark:  # the end of the list
            _none, walk, more = walk.step([], [], ordered=False, keep=_KEEP)
        items, bad = self._reader().page([entries[place] for place in fresh], stream)
        return Page(items, bad, (walk.at(mark) if more else walk).cursor(), more)

    def read(self, stream: str, payload: object) -> Page:
        """See :meth:`.Provider.read`."""
        return Page(*self._reader().page([payload], stream))

    def _entries(self, stream: str, query: str, mark: str) -> tuple[list[Any], str]:
        """Return a page, newest first, and the server's cursor for what is below it."""
        page: dict[str, Any] = {'limit': _PAGE, 'cursor': mark}
        if stream == 'notifications':
            # The server would leave out other reasons after it has read a page: so do we, and
            # know how far down it was.
            found, name = self._get('app.bsky.notification.listNotifications', **page), stream
        elif stream == 'own':
            page |= {'actor': self._did, 'filter': 'posts_with_replies'}
            found, name = self._get('app.bsky.feed.getAuthorFeed', **page), 'feed'
        else:
            query = f'#{query.lstrip("#")}' if stream == 'hashtag' else query
            found = self._get('app.bsky.feed.searchPosts', q=query, sort='latest', **page)
            name = 'posts'
        return self._rows(found, name), str(found.get('cursor') or '')

    def thread(self, external_id: str, local_id: str = '') -> tuple[Item, ...]:
        """See :meth:`.Provider.thread`; what is deleted or blocked is left out."""
        if not external_id.startswith('at://'):
            raise NotSupported('Only posts have a thread', 'thread')
        found = self._get('app.bsky.feed.getPostThread', uri=external_id, depth=10, parentHeight=50)
        top = found.get('thread')
        if not isinstance(top, dict) or 'post' not in top:
            raise NotFound('The post is gone, or hidden from this account', 'NotFound')
        posts = [post for post in _around(top) if post is not top['post']]
        items, _bad = self._reader().page(posts, 'thread')
        return tuple(sorted(items, key=lambda item: item.posted_at))

    def profile(self, handle: str) -> Profile:
        """See :meth:`.Provider.profile`; a DID does as well."""
        actor = handle.strip().lstrip('@').lower()
        if not identity.is_handle(actor) and not identity.is_did(actor):
            raise NotFound('Not a handle', '404')
        try:
            return self._profile(self._get('app.bsky.actor.getProfile', actor=actor))
        except Rejected as error:
            if error.code == 'InvalidRequest':
                raise NotFound(error.reason, error.code) from None
            raise


def _around(top: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the posts of a tree, without recursion: it may be deep."""
    todo: list[Any] = [top]
    while todo:
        node = todo.pop()
        if isinstance(node, dict) and 'post' in node:
            yield node['post']
            replies = node.get('replies')
            todo += [node.get('parent'), *(replies if isinstance(replies, list) else ())]
