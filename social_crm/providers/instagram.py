"""Instagram: professional accounts, by Instagram's own login or by Facebook's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from .errors import NotFound, NotSupported, Rejected
from .facebook_items import readable
from .instagram_items import InstagramReader, read_account
from .instagram_login import ACCOUNT
from .instagram_sending import InstagramSending
from .meta_client import after_of, halving, inner_rows, rows_of
from .meta_sweep import Group, Lists, Sweep, entry_time
from .meta_webhooks import parse_push
from .types import Item, Limits, Page, Profile, Push

_REPLY = 'id,text,timestamp,username,from{id,username}'
_COMMENT = f'{_REPLY},parent_id,hidden,like_count,replies.limit(20){{{_REPLY}}}'
#: A refused field fails a call: what to do without, one after the other.
_FEWER = (
    _COMMENT,
    _COMMENT.replace(',from{id,username}', ''),
    'id,text,timestamp,username,parent_id,hidden,like_count',
)
_TAGGED = 'id,caption,media_type,media_url,permalink,timestamp,username'
_MESSAGE = 'id,message,from,to,created_time,attachments'
_PERSON = 'name,username,profile_pic,follower_count,is_verified_user'
_REST = {
    'comments': timedelta(hours=1),
    'mentions': timedelta(0),
    'messages': timedelta(0),
}
_MOST_PAGES = 20
_HANDLE = re.compile(r'[A-Za-z0-9._]{1,30}')


class Instagram(InstagramSending):
    """One professional account.

    Files are fetched by the network: each :class:`.types.Media` of a post needs a ``url`` that the
    public can read, until the post is out. ``app.metadata`` may hold ``login`` (``facebook``: the
    app is one of Facebook's login), ``meta_app_secret`` (the other secret that pushes may be signed
    with), ``appsecret_proof`` (send one to Instagram's own host too), ``human_agent`` and
    ``config_id`` as for Facebook. Cursors are those of :class:`.meta_sweep.Sweep`.
    """

    code = 'instagram'
    label = 'Instagram'
    capabilities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        'mentions': ('instagram_business_basic', 'instagram_business_manage_comments'),
        'messages': ('instagram_business_basic', 'instagram_business_manage_messages'),
        'reply': ('instagram_business_basic', 'instagram_business_manage_comments'),
        'publish': ('instagram_business_basic', 'instagram_business_content_publish'),
        'metrics': ('instagram_business_basic', 'instagram_business_manage_insights'),
        'profile': ('instagram_business_basic', 'instagram_business_manage_insights'),
    }
    identity_scopes = ('instagram_business_basic',)
    features = frozenset(
        {
            'brands',
            'revoke',
            'refresh',
            'find_sent',
            'thread',
            'delete',
            'webhook',
            'webhook_secret',
            'check_app',
            'fetches_media',
        }
    )
    refresh_ahead = timedelta(days=7)
    stream_capabilities: ClassVar[Mapping[str, str]] = {
        'comments': 'mentions',
        'mentions': 'mentions',
        'messages': 'messages',
    }
    default_limits = Limits(
        text_length=2200,
        message_length=1000,
        media_count=10,
        image_types=('image/jpeg',),
        image_size=8_000_000,
        video_types=('video/mp4', 'video/quicktime'),
        video_size=300_000_000,
        video_duration=15 * 60,
        mix_media=True,
        media_required=True,
        message_window=24 * 3600,
    )

    # --- listen ----------------------------------------------------------------------------------

    @classmethod
    def default_streams(cls) -> tuple[str, ...]:
        """Comments and answers to them, posts that tag the account, messages."""
        return ('comments', 'mentions', 'messages')

    def fetch(
        self, stream: str, cursor: str, *, query: str = '', since: datetime | None = None
    ) -> Page:
        """See :meth:`.Provider.fetch`.

        ``comments`` looks at the newest posts each time, and at all posts once an hour; answers to
        old comments below the first 50 of a post come by push alone, as do mentions in texts and
        comments of others. Of a thread only the 20 newest messages can be read.
        """
        if stream not in _REST:
            raise NotSupported(code=stream)
        sweep = Sweep.start(cursor, since, rest=_REST[stream])
        lists = {
            'comments': self._comments,
            'mentions': self._mentions,
            'messages': self._messages,
        }[stream]
        sweep = sweep.until_fresh(lists, self._comments_on, most_pages=_MOST_PAGES)
        items, bad = self._reader().page(sweep.fresh, stream)
        return Page(items, bad, sweep.cursor(), sweep.under_way)

    def read(self, stream: str, payload: object) -> Page:
        """See :meth:`.Provider.read`."""
        return Page(*self._reader().page([payload], stream))

    def _reader(self) -> InstagramReader:
        known = self.token.extra.get('user_id') if self.token else ''
        ids = {str(known or ''), self.me.external_id if self.me else ''}
        return InstagramReader(frozenset(ids - {''}), self.me.handle if self.me else '')

    # comments: posts with their newest comments

    def _comments(self, _sweep: Sweep, after: str) -> Lists:
        body = self._with_fewer(
            f'{self._me}/media', 'id,timestamp,permalink,comments.limit(50){{{}}}', after, 25
        )
        groups = []
        for media in rows_of(body):
            comments = media.get('comments')
            rows = _flat(inner_rows(comments), media)
            groups.append(Group(str(media.get('id')), rows, after_of(comments)))
        return Lists(tuple(groups), after_of(body))

    def _comments_on(self, _sweep: Sweep, media: str, after: str) -> Group:
        try:
            body = self._with_fewer(f'{quote(media, safe="")}/comments', '{}', after, 50)
        except NotFound:  # the post went away meanwhile
            return Group(media)
        return Group(media, _flat(rows_of(body), {'id': media}), after_of(body))

    def _with_fewer(self, path: str, fields: str, after: str, size: int) -> dict[str, Any]:
        for place, some in enumerate(_FEWER, 1):
            try:
                return self._edge(path, fields.format(some), after, size)
            except Rejected as error:
                if error.code != '100' or place == len(_FEWER):
                    raise
        raise AssertionError('unreachable')

    # mentions: posts that tag the account

    def _mentions(self, sweep: Sweep, after: str) -> Lists:
        body = self._edge(f'{self._me}/tags', _TAGGED, after, 50)
        rows = rows_of(body)
        times = [moment for moment in map(entry_time, rows) if moment]
        below = not times or times[-1] >= sweep.since
        return Lists((Group('tags', tuple(rows)),), after_of(body), below)

    # messages: threads with their newest messages

    def _messages(self, sweep: Sweep, after: str) -> Lists:
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

    def _edge(self, path: str, fields: str, after: str, size: int, **params: Any) -> dict[str, Any]:
        place = {'after': after} if after else {}
        return halving(
            lambda limit: self._get(path, fields=fields, limit=limit, **place, **params), size
        )

    def thread(self, external_id: str, local_id: str = '') -> tuple[Item, ...]:
        """See :meth:`.Provider.thread`: the comment above an answer, and the answers below; the
        comments below a post. Messages have none: all of them are read."""
        number = local_id or external_id
        if not number.isdigit():
            return ()
        try:
            found = self._get(number, fields=f'{_REPLY},parent_id,media{{id}},replies{{{_REPLY}}}')
        except NotFound:
            raise
        except Rejected:  # no comment, then
            found = self._get(number, fields=f'id,comments.limit(50){{{_REPLY}}}')
            rows = [{**row, 'media_id': number} for row in inner_rows(found.get('comments'))]
            return self._reader().page(rows, 'comments')[0]
        media = found.get('media')
        rows = [{**row, 'parent_id': number} for row in inner_rows(found.get('replies'))]
        if found.get('parent_id'):
            rows.append(self._get(quote(str(found['parent_id']), safe=''), fields=_REPLY))
        post = media.get('id') if isinstance(media, dict) else None
        return self._reader().page([{**row, 'media_id': post} for row in rows], 'comments')[0]

    def profile(self, handle: str) -> Profile:
        """See :meth:`.Provider.profile`: professional accounts by name (by Facebook's login), and
        who wrote to this account by id.

        :raise NotSupported: for a name, by Instagram's own login
        """
        name = handle.strip().lstrip('@')
        if not _HANDLE.fullmatch(name):
            raise NotFound('No such profile', '404')
        if name.isdigit():
            return readable(read_account, self._get(name, fields=_PERSON))
        if not self._by_facebook:
            raise NotSupported("Instagram's own login looks nobody up", 'profile')
        asked = f'business_discovery.username({name}){{{ACCOUNT}}}'
        found = self._get(self._me, fields=asked).get('business_discovery')
        return readable(read_account, found if isinstance(found, dict) else {})

    # --- pushed ----------------------------------------------------------------------------------

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[Push, ...]:
        """See :meth:`.Provider.parse_webhook`; a ``signed_request`` names who left the app.

        A mention is pushed by its ids alone: it has no text.
        """
        return parse_push(
            self.app,
            body,
            {'instagram'},
            lambda stream, rows, account: InstagramReader(frozenset({account})).page(rows, stream),
        )


def _flat(comments: list[dict[str, Any]], media: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return comments of a post and the answers to them as one list."""
    found = []
    for row in comments:
        replies = row.pop('replies', None)
        below = [{**reply, 'parent_id': row.get('id')} for reply in inner_rows(replies)]
        found += [{**one, 'media_id': media.get('id')} for one in (row, *below)]
    return tuple(found)
