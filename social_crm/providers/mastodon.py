"""Mastodon and the servers that speak its API (GoToSocial, Pleroma, Akkoma, Pixelfed, snac …)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from . import mastodon_servers as servers
from . import oauth2
from .errors import NotFound, NotSupported
from .mastodon_items import entry_id, entry_time
from .mastodon_sending import Sending
from .types import App, Authorization, Item, Limits, Page, Profile, Token
from .walk import Walk

#: Streams whose entries come in the order of their arrival; how many ids their cursor keeps, how
#: many seen entries to ask for again, and how long a page is.
_ORDERED = {'notifications': True, 'own': True, 'hashtag': False, 'search': False}
_KEEP = {True: 10, False: 80}
_OVERLAP = {True: 1, False: 20}
_LIMITS = {'notifications': 80, 'own': 40, 'hashtag': 40, 'search': 40}


class Mastodon(Sending):
    """One account on one server.

    Cursors are those of :class:`.walk.Walk`. ``app.metadata`` is what :func:`.discover` found.
    """

    code = 'mastodon'
    label = 'Mastodon'
    capabilities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        'mentions': ('read:notifications', 'read:statuses'),
        'messages': ('read:notifications', 'read:statuses', 'write:statuses'),
        'hashtags': ('read:statuses',),
        'search': ('read:search',),
        'reply': ('write:statuses', 'write:media', 'read:statuses'),
        'publish': ('write:statuses', 'write:media', 'read:statuses'),
        'metrics': ('read:statuses',),
        'profile': ('read:accounts', 'read:search'),
    }
    identity_scopes = ('read:accounts',)
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
        }
    )
    server_example = 'mastodon.social or @me@mastodon.social'
    default_limits = Limits(
        text_length=500,
        media_count=4,
        image_types=('image/jpeg', 'image/png', 'image/gif', 'image/webp'),
        image_size=16 << 20,
        video_types=('video/mp4', 'video/webm', 'video/quicktime'),
        video_size=99 << 20,
    )

    # --- connect ---------------------------------------------------------------------------------

    @classmethod
    def covers(cls, granted: Iterable[str], scopes: Iterable[str]) -> bool:
        """See :meth:`.Provider.covers`; ``read`` includes ``read:statuses``."""
        return servers.covers(granted, scopes)

    @classmethod
    def normalise_server(cls, text: str) -> str:
        """Return ``https://host``; see :func:`.mastodon_servers.normalise_server`."""
        return servers.normalise_server(text)

    def discover(self, server: str) -> App:
        """See :func:`.mastodon_servers.discover`; ``server`` of the answer is the web host."""
        return servers.discover(self.http, server)

    def register(self, app: App, *, name: str, website: str) -> App:
        """See :func:`.mastodon_servers.register`; ``scopes`` of the answer may be broader."""
        return servers.register(self.http, app, name=name, website=website)

    def authorize_url(
        self, *, state: str, challenge: str, scopes: Sequence[str], hint: str = ''
    ) -> Authorization:
        """See :meth:`.Provider.authorize_url`; the server always asks who signs in."""
        asked = servers.fit_scopes(scopes, self.app.scopes or scopes)
        url = oauth2.authorize_url(
            self._endpoint('authorize'),
            client_id=self.app.client_id,
            redirect_uri=self.app.redirect_uri,
            scopes=asked,
            state=state,
            challenge=challenge,
            extra={'force_login': 'true'},
        )
        return Authorization(url, {'scopes': list(asked)})

    def exchange_code(
        self, *, code: str, verifier: str, private: Mapping[str, object], params: Mapping[str, str]
    ) -> Token:
        """See :meth:`.Provider.exchange_code`; a code works once and for ten minutes."""
        error = oauth2.callback_error({**params, 'code': code})
        if error:
            raise error
        asked = private.get('scopes')
        answer = oauth2.request_token(
            self.http,
            self._endpoint('token'),
            grant_type='authorization_code',
            client_id=self.app.client_id,
            client_secret=self.app.client_secret,
            code=code,
            code_verifier=verifier,
            redirect_uri=self.app.redirect_uri,
            # Not needed by the standard; snac tells no scopes without it.
            scope=' '.join(map(str, asked)) if isinstance(asked, (list, tuple)) else '',
        )
        token = oauth2.read_token(answer)
        if 'app_per_account' in self._quirks:
            # The next connection brings another app; this token can only be revoked with its own.
            own = {'client_id': self.app.client_id, 'client_secret': self.app.client_secret}
            return replace(token, extra={**token.extra, **own})
        return token

    def refresh(self) -> Token:
        """See :meth:`.Provider.refresh`; Pleroma, Akkoma and Pixelfed only, others never expire."""
        return oauth2.refresh(
            self.http,
            self._endpoint('token'),
            self._grant,
            client_id=self.app.client_id,
            client_secret=self.app.client_secret,
            redirect_uri=self.app.redirect_uri,
        )

    def revoke(self) -> None:
        """See :meth:`.Provider.revoke`; Mastodon gives all connections with the same app and
        scopes one token, so this ends all of them."""
        extra = self._grant.extra
        oauth2.revoke(
            self.http,
            self._endpoint('revoke'),
            self._grant.access_token,
            client_id=str(extra.get('client_id') or self.app.client_id),
            client_secret=str(extra.get('client_secret') or self.app.client_secret),
        )

    # --- listen ----------------------------------------------------------------------------------

    @classmethod
    def default_streams(cls) -> tuple[str, ...]:
        """Mentions, replies and messages; and own answers that were given elsewhere."""
        return ('notifications', 'own')

    def fetch(
        self, stream: str, cursor: str, *, query: str = '', since: datetime | None = None
    ) -> Page:
        """See :meth:`.Provider.fetch`; streams ``notifications``, ``own``, ``hashtag`` (the query
        is the tag) and ``search`` (empty where the server has no search engine)."""
        if stream not in _ORDERED:
            raise NotSupported(code=stream)
        ordered = _ORDERED[stream]
        walk = Walk.start(cursor, since)
        entries = self._entries(stream, query, walk)
        ids = [entry_id(entry) for entry in entries]
        times = [entry_time(entry) for entry in entries]
        fresh, walk, more = walk.step(ids, times, ordered=ordered, keep=_KEEP[ordered])
        items, bad = self._reader().page([entries[place] for place in fresh], stream)
        return Page(items, bad, walk.cursor(), more)

    def read(self, stream: str, payload: object) -> Page:
        """See :meth:`.Provider.read`."""
        return Page(*self._reader().page([payload], stream))

    def thread(self, external_id: str, local_id: str = '') -> tuple[Item, ...]:
        """See :meth:`.Provider.thread`; raise NotFound for a post that the server does not know."""
        context = self._context(local_id or self._local_id(external_id))
        items, _bad = self._reader().page(context[::-1], 'thread')
        return tuple(sorted(items, key=lambda item: item.posted_at))

    def _entries(self, stream: str, query: str, walk: Walk) -> list[Any]:
        params: dict[str, Any] = {'limit': _LIMITS[stream]}
        if walk.below:
            params['max_id'] = self._below(stream, walk.below)
        if stream == 'search':
            found = self._get('/api/v2/search', params={**params, 'q': query, 'type': 'statuses'})
            statuses = found.get('statuses')
            return statuses if isinstance(statuses, list) else []
        if walk.since_id(_OVERLAP[_ORDERED[stream]]):
            params['since_id'] = walk.since_id(_OVERLAP[_ORDERED[stream]])
        if stream == 'notifications':
            path = '/api/v1/notifications'
            params['include_filtered'] = 'true'
            params['types[]'] = ['mention']
            if 'snowflake' in self._quirks:  # others may refuse types that they do not know
                params['types[]'] += ['update', 'quote']
        elif stream == 'own':
            path = f'/api/v1/accounts/{quote(self._me, safe="")}/statuses'
            params['exclude_reblogs'] = 'true'
        else:
            path = f'/api/v1/timelines/tag/{quote(query.lstrip("#"), safe="")}'
        entries: list[Any] = self._get(path, list, params=params)
        return entries

    def _below(self, stream: str, below: str) -> str:
        """Return the ``max_id`` to ask with.

        Mastodon's search turns it into a time in whole seconds and so would lose what was posted
        in the same second: ask from a second later, the walk drops what it knows.
        """
        if stream == 'search' and 'snowflake' in self._quirks and below.isdigit():
            return str(int(below) + (1000 << 16))
        return below

    def profile(self, handle: str) -> Profile:
        """See :meth:`.Provider.profile`; looks at the other server when this one knows nobody."""
        handle = handle.strip().lstrip('@')
        try:
            return self._profile(self._get('/api/v1/accounts/lookup', params={'acct': handle}))
        except NotFound:
            pass
        params = {'q': f'@{handle}', 'resolve': 'true', 'limit': 5}
        if 'search_profiles' in self._quirks:
            params['type'] = 'accounts'
            accounts = self._get('/api/v2/search', params=params).get('accounts')
        else:
            accounts = self._get('/api/v1/accounts/search', list, params=params)
        for account in accounts or ():
            found = self._profile(account)
            if found.handle.lower() == handle.lower():
                return found
        raise NotFound('No such profile', '404')
