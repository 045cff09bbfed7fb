"""Facebook Pages. A person signs in, and picks the pages to act for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from . import oauth2
from .errors import AuthorizationLost, NotFound, PermissionMissing, Rejected
from .facebook_items import Reader, read_page, read_person, readable
from .facebook_leads import FORM_FIELDS, LEAD_FIELDS, read_form
from .facebook_sending import is_comment
from .meta_client import after_of, inner_rows, rows_of
from .meta_listening import MOST_PAGES, Listening
from .meta_sweep import Group, Lists, Sweep
from .meta_webhooks import parse_push
from .types import (
    Authorization,
    BrandAccount,
    Item,
    LeadForm,
    Limits,
    Profile,
    Push,
    Token,
)

_ALONE = 'id,message,created_time,from,permalink_url,attachment,is_hidden,can_reply_privately'
_COMMENT = f'{_ALONE},parent{{id}}'
_POST = 'id,message,story,created_time,from,permalink_url,full_picture'
_PAGE = (
    'id,name,username,link,about,description,category,single_line_address,website,fan_count,'
    'followers_count,verification_status,picture{url}'
)
_PERSON = 'id,name,first_name,last_name,profile_pic'
#: What is pushed, by the scope without which the whole list would be refused.
_PUSHED = {
    'pages_show_list': ('feed', 'mention'),
    'pages_messaging': ('messages', 'messaging_postbacks', 'message_echoes'),
    'leads_retrieval': ('leadgen',),
}


class Facebook(Listening):
    """One page, with the page's token; a person's token serves only to list the pages.

    Answers take ``target_local_id`` and ``conversation_id`` of the item. Cursors are those of
    :class:`.meta_sweep.Sweep`. ``app.metadata`` may hold ``config_id`` (Facebook Login for
    Business) and ``human_agent`` (the app may answer for seven days).
    """

    code = 'facebook'
    label = 'Facebook'
    capabilities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        'mentions': ('pages_read_engagement', 'pages_read_user_content', 'pages_manage_metadata'),
        'messages': ('pages_messaging', 'pages_manage_metadata', 'pages_read_engagement'),
        'reply': ('pages_manage_engagement', 'pages_read_user_content', 'pages_read_engagement'),
        'publish': ('pages_manage_posts', 'pages_read_engagement'),
        'metrics': ('read_insights', 'pages_read_engagement', 'pages_read_user_content'),
        'profile': ('pages_read_engagement',),
        'lead_forms': (
            'leads_retrieval',
            'pages_manage_ads',
            'ads_management',
            'pages_read_engagement',
            'pages_manage_metadata',
            'business_management',
        ),
    }
    identity_scopes = ('pages_show_list',)
    features = frozenset(
        {
            'brands',
            'revoke',
            'find_sent',
            'thread',
            'delete',
            'webhook',
            'check_app',
        }
    )
    default_limits = Limits(
        text_length=63206,
        message_length=2000,
        media_count=10,
        image_types=('image/jpeg', 'image/png'),
        image_size=4_000_000,
        video_types=('video/mp4', 'video/quicktime'),
        video_size=1 << 30,
        video_duration=4 * 3600,
        message_window=24 * 3600,
    )
    stream_capabilities: ClassVar[Mapping[str, str]] = {
        'comments': 'mentions',
        'mentions': 'mentions',
        'messages': 'messages',
        'lead_forms': 'lead_forms',
    }
    page_fields = f'{_PAGE},access_token'
    rests: ClassVar[Mapping[str, timedelta]] = {
        'comments': timedelta(hours=1),
        'mentions': timedelta(0),
        'messages': timedelta(0),
        'lead_forms': timedelta(0),
    }

    # --- connect ---------------------------------------------------------------------------------

    @classmethod
    def covers(cls, granted: Iterable[str], scopes: Iterable[str]) -> bool:
        """See :meth:`.Provider.covers`; ``ads_read`` does for leads where ads are not managed."""
        has = set(granted)
        wanted = set(scopes) - {'business_management'}  # only some pages come through a business
        if 'ads_read' in has:
            wanted.discard('ads_management')
        return wanted <= has

    def authorize_url(
        self, *, state: str, challenge: str, scopes: Sequence[str], hint: str = ''
    ) -> Authorization:
        """See :meth:`.Provider.authorize_url`; the dialog takes no PKCE."""
        return self._dialog(state, scopes)

    def exchange_code(
        self, *, code: str, verifier: str, private: Mapping[str, object], params: Mapping[str, str]
    ) -> Token:
        """Return the long token of the person; :meth:`brand_accounts` has those to act with."""
        error = oauth2.callback_error({**params, 'code': code})
        if error:
            raise error
        return self._facebook_token(code)

    def brand_accounts(self) -> tuple[BrandAccount, ...]:
        """See :meth:`.Provider.brand_accounts`."""
        return tuple(
            BrandAccount(read_page(page), self._page_token(page)) for page in self._person_pages()
        )

    def whoami(self) -> Profile:
        """Return the page; of a person's token, the person, who is no account."""
        if 'page_id' not in self._grant.extra:
            return readable(read_person, self._get('me', fields='id,name'))
        return readable(read_page, self._get('me', fields=_PAGE))

    def revoke(self) -> None:
        """Take the person's grant back, with all pages it gave; and the page's pushes."""
        page = self._grant.extra.get('page_id')
        if page:
            # Nothing was subscribed, or not by this token: the grant ends all the same.
            with suppress(Rejected, PermissionMissing, AuthorizationLost):
                self._call('DELETE', f'{page}/subscribed_apps')
        self._revoke_facebook()

    def subscribe(self) -> None:
        """See :meth:`.Provider.subscribe`; the list replaces the one before."""
        scopes = self._grant.scopes
        fields = ','.join(
            name
            for scope, names in _PUSHED.items()
            if scopes is None or scope in scopes
            for name in names
        )
        self._post(f'{self._me}/subscribed_apps', writes=False, data={'subscribed_fields': fields})

    # --- listen ----------------------------------------------------------------------------------

    @classmethod
    def default_streams(cls) -> tuple[str, ...]:
        """Comments and posts of visitors, posts that tag the page, messages, filled-in forms."""
        return ('comments', 'mentions', 'messages', 'lead_forms')

    def _reader(self) -> Reader:
        page = self.token.extra.get('page_id') if self.token else ''
        known = {str(page or ''), self.me.external_id if self.me else ''}
        return Reader(frozenset(known - {''}))

    # comments: posts with their newest comments

    def _comments(self, _sweep: Sweep, after: str) -> Lists:
        inner = f'comments.filter(stream).order(reverse_chronological).limit(25){{{_COMMENT}}}'
        body = self._edge(f'{self._me}/feed', f'{_POST},{inner}', after, 25)
        groups = [self._post_group(post) for post in rows_of(body)]
        return Lists(tuple(groups), after_of(body))

    def _post_group(self, post: dict[str, Any]) -> Group:
        """Return a post's comments; a visitor's post is an item like them."""
        number = str(post.get('id') or '')
        comments = post.pop('comments', None)
        rows = [{**row, 'post_id': number} for row in inner_rows(comments)]
        author = post.get('from')
        if isinstance(author, dict) and str(author.get('id')) != self._me:
            rows.append({**post, 'is_post': True})
        return Group(number, tuple(rows), after_of(comments) if number else '')

    def _comments_on(self, _sweep: Sweep, post: str, after: str) -> Group:
        order = {'filter': 'stream', 'order': 'reverse_chronological'}
        try:
            body = self._edge(f'{quote(post, safe="")}/comments', _COMMENT, after, 100, **order)
        except NotFound:  # the post went away meanwhile
            return Group(post)
        rows = tuple({**row, 'post_id': post} for row in rows_of(body))
        return Group(post, rows, after_of(body))

    # mentions: posts that tag the page

    def _mentions(self, sweep: Sweep, after: str) -> Lists:
        body = self._edge(f'{self._me}/tagged', _POST, after, 50)
        return self._posts(sweep, body, is_post=True)

    # lead_forms: forms, each with what was filled in

    def _lead_forms(self, _sweep: Sweep, after: str) -> Lists:
        body = self._edge(f'{self._me}/leadgen_forms', 'id,status', after, 25)
        forms = [str(row['id']) for row in rows_of(body) if row.get('id')]
        return Lists(tuple(Group(form, after='first') for form in forms), after_of(body))

    def _lead_forms_on(self, sweep: Sweep, form: str, after: str) -> Group:
        # The plain ``since`` is ignored here.
        begin = int(sweep.wanted_since().timestamp()) - 1
        newer = f'[{{"field":"time_created","operator":"GREATER_THAN","value":{begin}}}]'
        place = '' if after == 'first' else after
        try:
            path = f'{quote(form, safe="")}/leads'
            body = self._edge(path, LEAD_FIELDS, place, 25, filtering=newer)
        except NotFound:  # the form went away meanwhile
            return Group(form)
        rows = tuple({'form_id': form, **row} for row in rows_of(body))
        return Group(form, rows, after_of(body))

    def lead_forms(self) -> tuple[LeadForm, ...]:
        """See :meth:`.Provider.lead_forms`; those of ads on Instagram are the page's too."""
        forms: list[LeadForm] = []
        path = f'{self._me}/leadgen_forms'
        for rows in self._pages(path, MOST_PAGES, fields=FORM_FIELDS, limit=50):
            forms += [read_form(row) for row in rows if row.get('id')]
        return tuple(forms)

    def thread(self, external_id: str, local_id: str = '') -> tuple[Item, ...]:
        """See :meth:`.Provider.thread`: the comment above a comment, and the answers below it; the
        comments below a post. Messages have none: all of them are read."""
        number = local_id or external_id
        if not is_comment(number):
            return ()
        path, below = quote(number, safe=''), f'comments.limit(50){{{_COMMENT}}}'
        post = number if number.startswith(f'{self._me}_') else ''
        if not post:
            try:
                found = self._get(path, fields=f'{_ALONE},parent{{{_ALONE}}},{below}')
            except NotFound:
                raise
            except Rejected:  # no comment, then
                post = number
        if post:
            found = self._get(path, fields=f'id,{below}')
        around = inner_rows(found.get('comments'))
        if isinstance(found.get('parent'), dict):
            around.append(found['parent'])
        rows = [{'post_id': post, **row} if post else row for row in around]
        return self._reader().page(rows, 'comments')[0]

    def profile(self, handle: str) -> Profile:
        """See :meth:`.Provider.profile`: a page by name or id, or who wrote to this page by id."""
        name = handle.strip().lstrip('@')
        if not name or name in {'.', '..'}:
            raise NotFound('No such profile', '404')
        path = quote(name, safe='')
        try:
            return readable(read_page, self._get(path, fields=_PAGE))
        except Rejected:
            if not name.isdigit():
                raise
        return readable(read_person, self._get(path, fields=_PERSON))

    # --- pushed ----------------------------------------------------------------------------------

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[Push, ...]:
        """See :meth:`.Provider.parse_webhook`; a ``signed_request`` names who left the app.

        What the address of that form is for, an end or a deletion, only the caller knows.
        """
        return parse_push(
            self.app,
            body,
            {'page'},
            lambda stream, rows, account: Reader(frozenset({account})).page(rows, stream),
        )
