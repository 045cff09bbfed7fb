"""Threads. A person signs in, and is the account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar
from urllib.parse import quote

from . import oauth2
from .answers import Answer
from .errors import NotFound, NotSupported, PermissionMissing, ProviderError, Rejected, Transient
from .meta import graph_error
from .meta_client import rows_of
from .meta_sweep import Group, Lists, Sweep
from .meta_webhooks import parse_push
from .threads_items import BAD, FIELDS, Reader, read_me, read_profile
from .threads_sending import Sending, next_of
from .types import Authorization, Item, Limits, Page, Profile, Push, Token

_HOST = 'https://graph.threads.net'
_DIALOG = 'https://www.threads.net/oauth/authorize'
_ME = 'id,username,name,threads_profile_picture_url,threads_biography,is_verified'
_PROFILE = 'username,name,profile_picture_url,biography,is_verified,follower_count'
#: Threads knows no earlier search.
_EARLIEST = 1688540400
#: Streams, and the scopes that they need.
_STREAMS = {
    'mentions': ('threads_manage_mentions',),
    'replies': ('threads_read_replies',),
    'own': (),
    'search': ('threads_keyword_search',),
    'hashtag': ('threads_keyword_search',),
}
#: How long replies to posts below the first page are left alone.
_REST = {'replies': timedelta(hours=1)}
_POSTS = 10
_MOST_PAGES = 10
_MOST_ABOVE = 5
#: Where a list of replies is read from its start.
_FIRST = '-'


class Threads(Sending):
    """One account. Cursors are those of :class:`.meta_sweep.Sweep`.

    The app's id and secret are the ones of its Threads use case. Threads has no direct messages.
    """

    code = 'threads'
    label = 'Threads'
    capabilities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        'mentions': ('threads_manage_mentions', 'threads_read_replies'),
        'hashtags': ('threads_keyword_search',),
        'search': ('threads_keyword_search',),
        'reply': ('threads_manage_replies', 'threads_content_publish'),
        'publish': ('threads_content_publish', 'threads_delete'),
        'metrics': ('threads_manage_insights',),
        'profile': ('threads_profile_discovery',),
    }
    identity_scopes = ('threads_basic',)
    features = frozenset(
        {'refresh', 'find_sent', 'thread', 'delete', 'webhook', 'check_app', 'fetches_media'}
    )
    stream_capabilities: ClassVar[Mapping[str, str]] = {
        'mentions': 'mentions',
        'replies': 'mentions',
        'own': 'mentions',
    }
    refresh_ahead = timedelta(days=7)
    default_limits = Limits(
        text_length=500,
        media_count=20,
        image_types=('image/jpeg', 'image/png'),
        image_size=8 << 20,
        video_types=('video/mp4', 'video/quicktime'),
        video_size=1 << 30,
        video_duration=300,
        mix_media=True,
    )

    # --- connect ---------------------------------------------------------------------------------

    def check_app(self) -> None:
        """See :meth:`.Provider.check_app`."""
        if not self.app.client_id or not self.app.client_secret:
            raise Rejected('There is no app id or secret', 'no_secret')
        self._token_call(
            'oauth/access_token',
            grant_type='client_credentials',
            client_id=self.app.client_id,
            client_secret=self.app.client_secret,
        )

    def authorize_url(
        self, *, state: str, challenge: str, scopes: Sequence[str], hint: str = ''
    ) -> Authorization:
        """See :meth:`.Provider.authorize_url`; the dialog takes no PKCE."""
        url = oauth2.authorize_url(
            _DIALOG,
            client_id=self.app.client_id,
            redirect_uri=self.app.redirect_uri,
            scopes=scopes,
            state=state,
            separator=',',
        )
        return Authorization(url)

    def exchange_code(
        self, *, code: str, verifier: str, private: Mapping[str, object], params: Mapping[str, str]
    ) -> Token:
        """Return the long token (60 days) of the person, with the granted scopes.

        ``extra['granted_at']`` is when the permission was given: of a private profile it ends after
        90 days, whatever the token says.
        """
        code = code.removesuffix('#_')
        error = oauth2.callback_error({**params, 'code': code})
        if error:
            raise error
        short = oauth2.read_token(
            self.http.json(
                'POST',
                f'{_HOST}/oauth/access_token',
                data={
                    'client_id': self.app.client_id,
                    'client_secret': self.app.client_secret,
                    'grant_type': 'authorization_code',
                    'redirect_uri': self.app.redirect_uri,
                    'code': code,
                },
                errors=_login_error,
                writes=True,
            )
        )
        token = self._token_call(
            'access_token',
            grant_type='th_exchange_token',
            client_secret=self.app.client_secret,
            access_token=short.access_token,
        )
        extra = {'granted_at': datetime.now(timezone.utc).isoformat(timespec='seconds')}
        return replace(token, scopes=self._scopes_of(token), extra=extra)

    def refresh(self) -> Token:
        """Return the token for another 60 days; Threads takes one that is a day old or more."""
        token = self._token_call(
            'refresh_access_token',
            grant_type='th_refresh_token',
            access_token=self._grant.access_token,
        )
        return replace(token, scopes=self._grant.scopes, extra=self._grant.extra)

    def _token_call(self, path: str, **params: str) -> Token:
        """Return the token of an answer; it is what it is renewed with, too."""
        answer = self.http.json('GET', f'{_HOST}/{path}', params=params, errors=_login_error)
        token = oauth2.read_token(answer)
        return replace(token, refresh_token=token.access_token)

    def _scopes_of(self, token: Token) -> tuple[str, ...] | None:
        """Return the scopes that were granted, ``None`` where Threads does not say."""
        params = {'input_token': token.access_token}
        try:
            found = self._get('debug_token', token=token.access_token, **params).get('data')
        except ProviderError:
            return None
        return oauth2.read_scopes(found.get('scopes') if isinstance(found, dict) else None)

    def whoami(self) -> Profile:
        """See :meth:`.Provider.whoami`."""
        try:
            return read_me(self._get('me', fields=_ME))
        except BAD:
            raise Transient('The server sent no readable profile', 'bad_answer') from None

    # --- listen ----------------------------------------------------------------------------------

    @classmethod
    def default_streams(cls) -> tuple[str, ...]:
        """Mentions, replies to own posts, and own replies that were given elsewhere."""
        return ('mentions', 'replies', 'own')

    def fetch(
        self, stream: str, cursor: str, *, query: str = '', since: datetime | None = None
    ) -> Page:
        """See :meth:`.Provider.fetch`; streams also ``search`` and ``hashtag`` (the query is the
        tag).

        Without approval of the app, a search finds own posts only, and Threads does not say so.
        ``replies`` looks at the ten newest posts each time, and at older ones once an hour. Empty
        without the right to a stream.
        """
        if stream not in _STREAMS:
            raise NotSupported(code=stream)
        granted = self._grant.scopes
        if granted is not None and not set(_STREAMS[stream]) <= set(granted):
            return Page(next_cursor=cursor)
        sweep = Sweep.start(cursor, since, rest=_REST.get(stream, timedelta(0)))
        lists = _Lists(self, stream, query)
        sweep = sweep.until_fresh(lists.first, lists.on, most_pages=_MOST_PAGES)
        items, bad = self._reader().page(sweep.fresh, stream)
        return Page(items, bad, sweep.cursor(), sweep.under_way)

    def read(self, stream: str, payload: object) -> Page:
        """See :meth:`.Provider.read`."""
        return Page(*self._reader().page([payload], stream))

    def thread(self, external_id: str, local_id: str = '') -> tuple[Item, ...]:
        """Return what a post answers, up to the first one, and the replies below it."""
        post = self._get(quote(external_id, safe=''), fields=FIELDS)
        rows: list[dict[str, Any]] = []
        for _step in range(_MOST_ABOVE):
            above = post.get('replied_to')
            number = str(above.get('id') or '') if isinstance(above, dict) else ''
            if not number:
                break
            try:
                post = self._get(quote(number, safe=''), fields=FIELDS)
            except (PermissionMissing, Rejected):
                break  # of others only what mentions us can be seen
            rows.append(post)
        with suppress(PermissionMissing, Rejected):
            rows += rows_of(self._get(f'{quote(external_id, safe="")}/replies', fields=FIELDS))
        return self._reader().page(rows, 'thread')[0]

    def _reader(self) -> Reader:
        return Reader(self.me)

    # --- profiles --------------------------------------------------------------------------------

    def profile(self, handle: str) -> Profile:
        """See :meth:`.Provider.profile`; only public ones with enough followers are shown."""
        username = handle.strip().lstrip('@').lower()
        missing = NotFound(f'There is no such profile: {handle[:100]}', '404')
        if not username or set(username) - set('abcdefghijklmnopqrstuvwxyz0123456789._'):
            raise missing
        try:
            return read_profile(self._get('profile_lookup', username=username, fields=_PROFILE))
        except BAD:
            raise Transient('The server sent no readable profile', 'bad_answer') from None
        except Rejected as error:
            # Threads calls an unknown name an invalid parameter.
            if error.code.partition('.')[0] in {'24', '100'}:
                raise missing from None
            raise

    # --- pushed by the network -------------------------------------------------------------------

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[Push, ...]:
        """See :meth:`.Provider.parse_webhook`; a push comes in two forms, and both are read."""
        if body.startswith(b'signed_request='):
            return parse_push(self.app, body, set(), lambda *_given: ((), ()))
        data = Answer(200, {}, body, '').json()  # without what no database takes
        if not isinstance(data, dict) or not {'entry', 'values'} & set(data):
            raise Rejected('Not a push', 'bad_push')
        rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for account, name, value in _changes(data):
            stream = 'mentions' if name == 'mentions' else 'replies'
            rows.setdefault((account, stream), []).append(_row(value, account, name))
        return tuple(
            Push('items', account, stream, Page(*Reader().page(some, stream)))
            for (account, stream), some in rows.items()
        )


class _Lists:
    """The lists of a stream, as a sweep reads them: newest first."""

    def __init__(self, network: Threads, stream: str, query: str):
        self.network, self.stream, self.query = network, stream, query

    def first(self, sweep: Sweep, after: str) -> Lists:
        if self.stream != 'replies':
            return Lists((self.on(sweep, '', after),))
        body = self._read('me/threads', after, fields='id,timestamp,has_replies', limit=_POSTS)
        posts = [post for post in rows_of(body) if post.get('has_replies') is not False]
        groups = tuple(Group(str(post['id']), after=_FIRST) for post in posts if post.get('id'))
        return Lists(groups, next_of(body))

    def on(self, sweep: Sweep, key: str, after: str) -> Group:
        path, params = 'me/mentions', {}
        if self.stream == 'replies':
            path, params = f'{quote(key, safe="")}/conversation', {'reverse': 'true'}
        elif self.stream == 'own':
            path = 'me/replies'
        elif self.stream != 'mentions':
            path, params = 'keyword_search', self._search(sweep)
        try:
            body = self._read(path, after, fields=FIELDS, limit=50, **params)
        except NotFound:
            if not key:
                raise
            return Group(key)  # the post was deleted meanwhile
        return Group(key, tuple(rows_of(body)), next_of(body))

    def _search(self, sweep: Sweep) -> dict[str, Any]:
        since = max(int(sweep.wanted_since().timestamp()), _EARLIEST)
        mode = 'TAG' if self.stream == 'hashtag' else 'KEYWORD'
        query = self.query.lstrip('#') if mode == 'TAG' else self.query
        return {'q': query, 'search_type': 'RECENT', 'search_mode': mode, 'since': since}

    def _read(self, path: str, after: str, **params: Any) -> dict[str, Any]:
        more = {'after': after} if after and after != _FIRST else {}
        return self.network._get(path, **params, **more)


# --- pieces ---------------------------------------------------------------------------------------


def _login_error(answer: Answer, writes: bool) -> ProviderError | None:
    """Return the error of a call of the login; it speaks as the others, or as OAuth does."""
    body = answer.json()
    if isinstance(body, dict) and isinstance(body.get('error'), str):
        return oauth2.oauth_error(answer, writes)
    return graph_error(answer, writes)


def _changes(data: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return account, field and value of what a push tells, of either form."""
    values = data.get('values')
    found: list[tuple[Any, Any]] = [
        (data.get('target_id'), part) for part in (values if isinstance(values, list) else [values])
    ]
    entries = data.get('entry')
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get('changes'), list):
            found += [(entry.get('id'), change) for change in entry['changes']]
    return [
        (str(account), str(part.get('field')), part['value'])
        for account, part in found
        if account
        and isinstance(part, dict)
        and isinstance(part.get('value'), dict)
        and str(part.get('field')) in {'mentions', 'replies', 'delete'}
    ]


def _row(value: dict[str, Any], account: str, name: str) -> dict[str, Any]:
    """Return what was pushed as it would have been read."""
    if name == 'delete':
        return {'timestamp': value.get('deleted_at'), **value, 'removed': True}
    root = value.get('root_post')
    owner = root if isinstance(root, dict) and str(root.get('owner_id')) == account else {}
    # Own replies are pushed too.
    mine = bool(owner.get('username')) and owner.get('username') == value.get('username')
    return {**value, 'is_reply_owned_by_me': True} if mine else value
