"""Instagram: professional accounts, by Instagram's own login or by Facebook's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from .errors import NotFound, NotSupported, Rejected
from .facebook_items import readable
from .instagram_items import InstagramReader, read_account
from .instagram_login import ACCOUNT
from .instagram_sending import InstagramSending
from .meta_client import after_of, inner_rows, rows_of
from .meta_listening import Listening
from .meta_sweep import Group, Lists, Sweep
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
#: What is asked of a post and of a comment that a push named; who wrote a comment is not shown to
#: every app.
_NAMED_POST = (_TAGGED.replace('media_url', 'media_url,thumbnail_url'), _TAGGED)
_NAMED_COMMENT = tuple(
    f'id,text,timestamp,{who}media{{id,permalink}}'
    for who in ('username,from{id,username},', 'username,', '')
)
_PERSON = 'name,username,profile_pic,follower_count,is_verified_user'
_HANDLE = re.compile(r'[A-Za-z0-9._]{1,30}')


class Instagram(Listening, InstagramSending):
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
    rests: ClassVar[Mapping[str, timedelta]] = {
        'comments': timedelta(hours=1),
        'mentions': timedelta(0),
        'messages': timedelta(0),
    }
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
        """Comments and answers to them, posts that tag the account, messages.

        Answers to old comments below the first 50 of a post come by push alone, as do mentions in
        texts and comments of others: see :meth:`complete`.
        """
        return ('comments', 'mentions', 'messages')

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
        return self._posts(sweep, body)

    def complete(self, stream: str, payload: object) -> Page:
        """See :meth:`.Provider.complete`: a text of somebody else in which the account is named.

        :raise NotSupported: by Instagram's own login, which shows none
        """
        if stream != 'mentions' or not isinstance(payload, Mapping) or not self._by_facebook:
            raise NotSupported("Instagram's own login shows no posts of others", 'mentions')
        post, comment = (str(payload.get(name) or '') for name in ('media_id', 'comment_id'))
        if comment:
            found = self._named(f'mentioned_comment.comment_id({_number(comment)})', _NAMED_COMMENT)
        else:
            found = self._named(f'mentioned_media.media_id({_number(post)})', _NAMED_POST)
        media = found.get('media')
        shown = {'permalink': media.get('permalink')} if isinstance(media, Mapping) else {}
        row = {**shown, **found, 'media_id': post, 'comment_id': comment}
        return Page(*self._reader().page([row], stream))

    def _named(self, name: str, choices: Iterable[str]) -> dict[str, Any]:
        """Return an object that a field of the account shows, asked for with fewer fields where
        some are refused."""
        *richer, plain = choices
        for fields in richer:
            try:
                return self._shown(name, fields)
            except Rejected as error:
                if error.code != '100':
                    raise
        return self._shown(name, plain)

    def _shown(self, name: str, fields: str) -> dict[str, Any]:
        answer = self._get(self._me, fields=f'{name}{{{fields}}}')
        found = answer.get(name.partition('.')[0])
        if not isinstance(found, dict):
            raise NotFound('It is not shown', '404')
        return found

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

        A mention in a text is pushed by its ids alone: see :meth:`complete`.
        """
        return parse_push(
            self.app,
            body,
            {'instagram'},
            lambda stream, rows, account: InstagramReader(frozenset({account})).page(rows, stream),
        )


def _number(text: str) -> str:
    """Return an id that goes into a field's name; raise NotFound when it is no number."""
    if not text.isascii() or not text.isdigit():
        raise NotFound('No such post', '404')
    return text


def _flat(comments: list[dict[str, Any]], media: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return comments of a post and the answers to them as one list."""
    found = []
    for row in comments:
        replies = row.pop('replies', None)
        below = [{**reply, 'parent_id': row.get('id')} for reply in inner_rows(replies)]
        found += [{**one, 'media_id': media.get('id')} for one in (row, *below)]
    return tuple(found)
