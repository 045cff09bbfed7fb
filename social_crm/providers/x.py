"""X (Twitter), API version 2."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar

from . import oauth2
from .errors import AuthorizationLost, NotFound, NotSupported, Rejected
from .types import Authorization, Item, Limits, Page, Profile, Token
from .walk import Walk
from .x_client import HOST, missing
from .x_costs import PRICES
from .x_items import (
    MESSAGE,
    Reader,
    entries_of,
    entry_id,
    entry_time,
    parent_of,
    time_of,
)
from .x_names import MESSAGES, USERS, Names
from .x_sending import Sending, iso
from .x_webhook import Webhook

#: Streams whose entries come in the order of their ids; how many ids their cursor keeps, and how
#: many seen entries to ask for again (each is charged once a day at most).
_ORDERED = {'mentions': True, 'own': True, 'messages': True, 'hashtag': False, 'search': False}
_KEEP = {True: 10, False: 120}
_OVERLAP = {True: 1, False: 5}
_USES = {'mentions': 'owned_read', 'own': 'owned_read'}
_PAGE = 100
#: Search reaches so far back; a little less, as the clock runs on.
_REACH = timedelta(days=7) - timedelta(minutes=5)
#: Pages without entries that are followed at once.
_EMPTY_PAGES = 5
_MAX_QUERY = 512
#: What is added to each search.
_LONGEST_TAIL = len(' -is:retweet -from:') + 15
_HANDLE = re.compile(r'[A-Za-z0-9_]{1,15}')
#: Posts of a conversation to read: each is charged.
_THREAD = 10


class X(Webhook, Sending):
    """One account. Cursors are those of :class:`.walk.Walk`. ``usage`` counts what X charges for;
    see :mod:`.x_costs`."""

    code = 'x'
    label = 'X'
    capabilities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        'mentions': ('tweet.read', 'users.read'),
        'messages': ('dm.read', 'dm.write', 'tweet.read', 'users.read', 'media.write'),
        'hashtags': ('tweet.read', 'users.read'),
        'search': ('tweet.read', 'users.read'),
        'reply': ('tweet.read', 'tweet.write', 'users.read', 'media.write'),
        'publish': ('tweet.read', 'tweet.write', 'users.read', 'media.write'),
        'metrics': ('tweet.read', 'users.read'),
        'profile': ('tweet.read', 'users.read'),
    }
    identity_scopes = ('users.read', 'tweet.read', 'offline.access')
    features = frozenset(
        {'pkce', 'revoke', 'refresh', 'find_sent', 'thread', 'delete', 'webhook', 'webhook_secret'}
    )
    longest_search = _MAX_QUERY - _LONGEST_TAIL
    stream_capabilities: ClassVar[Mapping[str, str]] = {
        'mentions': 'mentions',
        'messages': 'messages',
        'own': 'mentions',
    }
    costs = PRICES
    cost_unit = 'USD'
    default_limits = Limits(
        text_length=280,
        message_length=10_000,
        media_count=4,
        image_types=('image/jpeg', 'image/png', 'image/webp', 'image/gif'),
        image_size=5 << 20,
        video_types=('video/mp4', 'video/quicktime'),
        video_size=512 << 20,
        video_duration=140,
    )

    # --- connect ---------------------------------------------------------------------------------

    def authorize_url(
        self, *, state: str, challenge: str, scopes: Sequence[str], hint: str = ''
    ) -> Authorization:
        """See :meth:`.Provider.authorize_url`."""
        url = oauth2.authorize_url(
            'https://x.com/i/oauth2/authorize',
            client_id=self.app.client_id,
            redirect_uri=self.app.redirect_uri,
            scopes=scopes,
            state=state,
            challenge=challenge,
        )
        return Authorization(url)

    def exchange_code(
        self, *, code: str, verifier: str, private: Mapping[str, object], params: Mapping[str, str]
    ) -> Token:
        """See :meth:`.Provider.exchange_code`; a code works for 30 seconds."""
        error = oauth2.callback_error({**params, 'code': code})
        if error:
            raise error
        with _grant_errors():
            answer = oauth2.request_token(
                self.http,
                f'{HOST}/2/oauth2/token',
                grant_type='authorization_code',
                code=code,
                code_verifier=verifier,
                redirect_uri=self.app.redirect_uri,
                **self._client(),
            )
        return oauth2.read_token(answer)

    def refresh(self) -> Token:
        """See :meth:`.Provider.refresh`; a refresh token works once."""
        with _grant_errors():
            return oauth2.refresh(
                self.http, f'{HOST}/2/oauth2/token', self._grant, **self._client()
            )

    def revoke(self) -> None:
        """See :meth:`.Provider.revoke`: both tokens, as each may outlive the other."""
        for token in (self._grant.refresh_token, self._grant.access_token):
            if token:
                oauth2.revoke(self.http, f'{HOST}/2/oauth2/revoke', token, **self._client())

    def _client(self) -> dict[str, Any]:
        """Return how the client shows itself: by HTTP Basic, or in the body without a secret."""
        secret = self.app.client_secret
        return {
            'client_id': self.app.client_id,
            'client_secret': secret,
            'basic': bool(secret),
        }

    # --- listen ----------------------------------------------------------------------------------

    @classmethod
    def default_streams(cls) -> tuple[str, ...]:
        """Mentions and answers, messages, and own answers that were given elsewhere."""
        return ('mentions', 'messages', 'own')

    def fetch(
        self, stream: str, cursor: str, *, query: str = '', since: datetime | None = None
    ) -> Page:
        """See :meth:`.Provider.fetch`; streams ``mentions``, ``messages``, ``own``, ``hashtag``
        (the query is the tag) and ``search`` (a term, or an expression in parentheses; the last
        seven days)."""
        if stream not in _ORDERED:
            raise NotSupported(code=stream)
        walk = Walk.start(cursor, since)
        if stream == 'messages':
            return self._messages(walk)
        entries = self._posts(stream, query, walk)
        fresh, walk, more = _step(walk, entries, _ORDERED[stream])
        items, bad = Reader(self._me).page([entries[place] for place in fresh], stream)
        return Page(items, bad, walk.cursor(), more)

    def read(self, stream: str, payload: object) -> Page:
        """See :meth:`.Provider.read`."""
        me = self.me.external_id if self.me else ''
        return Page(*Reader(me).page([payload], stream))

    def _posts(self, stream: str, query: str, walk: Walk) -> list[Any]:
        """Return the entries below where the walk stands, newest first."""
        searches = stream in {'hashtag', 'search'}
        params: dict[str, Any] = {'max_results': _PAGE}
        now = datetime.now(timezone.utc)
        floor = now - _REACH if searches else None
        newest = walk.since_id(_OVERLAP[_ORDERED[stream]])
        if newest.isdigit() and (not floor or time_of(newest) > floor):
            params['since_id'] = newest
        elif not walk.below and walk.since:
            params['start_time'] = iso(max(walk.since, floor) if floor else walk.since)
        if walk.below.isdigit():
            if floor and time_of(walk.below) < floor:
                return []
            params['until_id'] = walk.below
        if searches:
            params['query'] = self._query(stream, query)
        path = '/2/tweets/search/recent' if searches else f'/2/users/{self._me}/{_path(stream)}'
        return self._entries(path, _USES.get(stream, 'post_read'), params)

    def _entries(self, path: str, use: str, params: dict[str, Any]) -> list[Any]:
        for _page in range(_EMPTY_PAGES):
            body = self._read(path, Names.posts, use, **params)
            entries = entries_of(body)
            token = (body.get('meta') or {}).get('next_token')
            if entries or not token:
                return entries
            params['pagination_token'] = token
        return []

    def _query(self, stream: str, query: str) -> str:
        """Return a search in the language of X; in a lone term no word is an operator."""
        if stream == 'hashtag':
            term = f'#{query.lstrip("#")}'
            if not re.fullmatch(r'#\w+', term):
                raise Rejected('X has no such hashtag', 'query')
        elif query.startswith('('):
            term = query
        else:
            plain = ' '.join(query.replace('"', ' ').split())
            if not plain or plain.endswith('*'):
                raise NotSupported('X finds whole words only', 'query')
            term = f'"{plain}"'
        found = f'{term} -is:retweet'
        if self.me and _HANDLE.fullmatch(self.me.handle):
            found += f' -from:{self.me.handle}'
        if len(found) > _MAX_QUERY:
            raise Rejected('X takes searches of 512 characters at most', 'query')
        return found

    def _messages(self, walk: Walk) -> Page:
        """Return a page of messages: X has no id to ask from, only tokens that lead down."""
        if walk.below and not walk.mark:
            walk = walk.again()
        # Each message read is charged: the first look of a round is a short one.
        size = _PAGE if walk.below or not walk.seen else 10
        params = {**MESSAGES, 'max_results': 5 if walk.silent else size}
        paged = {**params, 'pagination_token': walk.mark} if walk.mark else params
        try:
            body = self._call('GET', '/2/dm_events', dict, params=paged)
        except Rejected as error:
            if not walk.mark or isinstance(error, NotFound):
                raise
            walk = walk.again()  # the token is too old
            body = self._call('GET', '/2/dm_events', dict, params=params)
        entries = entries_of(self._used(body, 'message_read'))
        fresh, walk, more = _step(walk, entries, ordered=True)
        token = str((body.get('meta') or {}).get('next_token') or '')
        if more and not token:
            _none, walk, more = _step(walk, [], ordered=True)
        items, bad = Reader(self._me).page([entries[place] for place in fresh], 'messages')
        return Page(items, bad, walk.at(token if more else '').cursor(), more)

    def thread(self, external_id: str, local_id: str = '') -> tuple[Item, ...]:
        """See :meth:`.Provider.thread`: what is answered, the root, and the newest answers.

        Of what is older than seven days only the first two are there, of a message the end of the
        conversation.
        """
        number = local_id or external_id.removeprefix(MESSAGE)
        if external_id.startswith(MESSAGE):
            return self._conversation(number)
        post = self._read(f'/2/tweets/{number}', Names.posts, 'post_read').get('data')
        if not isinstance(post, dict):
            raise NotFound('X does not know this post', '404')
        root = str(post.get('conversation_id') or number)
        above = {root, parent_of(post)} - {number, ''}
        params = {'query': f'conversation_id:{root}', 'max_results': _THREAD}
        entries = self._entries('/2/tweets/search/recent', 'post_read', params)
        above -= {entry_id(entry) for entry in entries}
        if above:
            ids = ','.join(sorted(above))
            entries += entries_of(self._read('/2/tweets', Names.posts, 'post_read', ids=ids))
        items, _bad = Reader(self._me).page(entries, 'thread')
        others = {item.local_id: item for item in items if item.local_id != number}
        return tuple(sorted(others.values(), key=lambda item: item.posted_at))

    def _conversation(self, number: str) -> tuple[Item, ...]:
        answer = self._call('GET', f'/2/dm_events/{number}', dict, params=_only_event())
        event = self._used(answer, 'message_read').get('data')
        if not isinstance(event, dict):
            raise NotFound('X does not know this message', '404')
        path = f'/2/dm_conversations/{event.get("dm_conversation_id")}/dm_events'
        params = {**MESSAGES, 'max_results': _THREAD}
        body = self._call('GET', path, dict, params=params)
        entries = entries_of(self._used(body, 'message_read'))
        items, _bad = Reader(self._me).page(entries, 'messages')
        return tuple(item for item in items if item.local_id != number)

    def profile(self, handle: str) -> Profile:
        """See :meth:`.Provider.profile`."""
        handle = handle.strip().lstrip('@')
        if not _HANDLE.fullmatch(handle):
            raise NotFound('There can be no such handle on X', 'handle')
        body = self._call('GET', f'/2/users/by/username/{handle}', dict, params=USERS)
        if not body.get('data'):
            raise missing(body)
        self._use('user_read')
        return self._profile(body['data'])


# --- pieces ---------------------------------------------------------------------------------------


@contextmanager
def _grant_errors() -> Iterator[None]:
    """Tell a dead grant from a wrong client: X has its own idea of the codes of OAuth."""
    try:
        yield
    except AuthorizationLost as error:
        if error.code == 'unauthorized_client':  # the client's secret; no new consent mends that
            raise Rejected(error.reason, error.code) from None
        raise
    except Rejected as error:
        if error.code == 'invalid_request':  # the code or the refresh token is used up
            raise AuthorizationLost(error.reason, error.code) from None
        raise


def _path(stream: str) -> str:
    return 'mentions' if stream == 'mentions' else 'tweets'


def _step(walk: Walk, entries: Sequence[Any], ordered: bool) -> tuple[list[int], Walk, bool]:
    ids = [entry_id(entry) for entry in entries]
    times = [entry_time(entry) for entry in entries]
    return walk.step(ids, times, ordered=ordered, keep=_KEEP[ordered])


def _only_event() -> dict[str, str]:
    return {name: MESSAGES[name] for name in ('dm_event.fields', 'expansions')}
