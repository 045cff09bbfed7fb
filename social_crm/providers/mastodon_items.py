"""Pure extractors: Mastodon's JSON (and that of compatible servers) to values of :mod:`.types`.

They raise KeyError, TypeError or ValueError where something needed is missing, and survive
everything else: unknown enum values, null lists, numbers as text, fields of other servers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from mimetypes import guess_type
from typing import Any, Literal
from urllib.parse import urlsplit

from .answers import parse_moment
from .text import html_to_text, required_text
from .types import Item, ItemKind, Link, Media, Profile, Unreadable

Visibility = Literal['public', 'unlisted', 'followers', 'direct']

#: What a bad item raises; everything else is a bug and must be seen.
BAD = (KeyError, TypeError, ValueError, AttributeError, OverflowError)

_VISIBILITY: dict[Any, Visibility] = {
    'public': 'public',
    'unlisted': 'unlisted',
    'private': 'followers',
    'direct': 'direct',
    'local': 'unlisted',  # Pleroma: this server only
    'mutuals_only': 'followers',  # GoToSocial
    'list': 'direct',  # Pleroma
}
_MIMETYPES = {
    'image': 'image/jpeg',
    'gifv': 'video/mp4',
    'video': 'video/mp4',
    'audio': 'audio/mpeg',
}
_MAX_COUNT = 2**31 - 1


@dataclass
class Reader:
    """Reads one page; each author is read once.

    :param domain: account domain of the server, for handles without one.
    :param me: local id of the connected account, empty when unknown.
    :param quirks: see :mod:`.mastodon_servers`.
    """

    domain: str
    me: str = ''
    quirks: frozenset[str] = frozenset()
    _authors: dict[str, Profile] = field(default_factory=dict)
    _uris: dict[str, str] = field(default_factory=dict)

    # --- items -----------------------------------------------------------------------------------

    def page(
        self, entries: Iterable[Any], stream: str
    ) -> tuple[tuple[Item, ...], tuple[Unreadable, ...]]:
        """Return what the entries of a stream (newest first) hold, oldest first."""
        items: list[Item] = []
        bad: list[Unreadable] = []
        for entry in entries:
            try:
                item = self.entry(entry, stream)
            except BAD as error:
                uri = (status_of(entry) or {}).get('uri')
                reason = f'{type(error).__name__}: {error}'[:200]
                bad.append(Unreadable(entry, reason, uri if isinstance(uri, str) else ''))
            else:
                if item:
                    items.append(item)
        items.reverse()
        bad.reverse()
        return tuple(map(self._with_parent, items)), tuple(bad)

    def entry(self, entry: Any, stream: str) -> Item | None:
        """Return the item of a notification or status, ``None`` for what is no item."""
        if stream == 'notifications':
            if entry['type'] not in {'mention', 'update', 'quote'}:
                return None
            status = entry['status']
            if status is None:
                raise ValueError('the status is gone')
            status = status.get('reblog') or status
            if entry['type'] == 'update' and not self._names_me(status):
                return None
            return self.status(status, 'mention', entry)
        status = entry.get('reblog') or entry
        if stream != 'own':
            return self.status(status, 'comment' if stream == 'thread' else 'search', entry)
        if str(status['account']['id']) != self.me:
            return None  # boosted
        item = self.status(status, 'reply', entry)
        return item if item.parent_local_id or item.kind == 'message' else None

    def status(self, status: Mapping[str, Any], kind: ItemKind, raw: Any) -> Item:
        """Return a status as an item; ``kind`` is for one that is neither a reply nor direct."""
        local_id, uri = str(status['id']), status.get('uri') or status['url']
        self._uris[local_id] = uri
        visibility = _VISIBILITY.get(status.get('visibility'), 'followers')
        if visibility == 'followers' and 'private_is_direct' in self.quirks:
            visibility = 'direct'
        account = status['account']
        own = bool(self.me) and str(account['id']) == self.me
        if visibility == 'direct':
            kind = 'message'
        elif self.me and str(status.get('in_reply_to_account_id')) == self.me and not own:
            kind = 'reply'
        text = html_to_text(status.get('content') or '')
        if status.get('spoiler_text'):
            text = f'{status["spoiler_text"]}\n\n{text}'.strip()
        edited, media = status.get('edited_at'), status.get('media_attachments')
        return Item(
            kind=kind,
            external_id=required_text(uri),
            author=self.profile(account),
            text=text,
            posted_at=parse_time(status['created_at']),
            url=status.get('url') or uri,
            local_id=local_id,
            language='' if 'no_language' in self.quirks else _language(status.get('language')),
            parent_local_id=str(status.get('in_reply_to_id') or ''),
            conversation_id=_conversation(status.get('pleroma')),
            visibility=visibility,
            edited_at=parse_time(edited) if edited else None,
            own=own,
            mentions=tuple(self.handle(m) for m in status.get('mentions') or ()),
            hashtags=tuple(tag['name'] for tag in status.get('tags') or ()),
            media=tuple(map(_media, media)) if media else (),
            raw=raw,
        )

    def _with_parent(self, item: Item) -> Item:
        parent = item.parent_local_id and self._uris.get(item.parent_local_id)
        return replace(item, parent_external_id=parent) if parent else item

    def _names_me(self, status: Mapping[str, Any]) -> bool:
        return any(str(m.get('id')) == self.me for m in status.get('mentions') or ())

    # --- profiles --------------------------------------------------------------------------------

    def handle(self, account: Mapping[str, Any]) -> str:
        """Return ``user@host`` of an account or a mention."""
        acct: str = account['acct']
        return acct if '@' in acct else f'{acct}@{self.domain}'

    def profile(self, account: Mapping[str, Any]) -> Profile:
        """Return an account as a profile; the same account is read once."""
        local_id = str(account['id'])
        known = self._authors.get(local_id)
        if known:
            return known
        url = account.get('url') or account.get('uri') or ''
        links = tuple(_link(row) for row in account.get('fields') or ())
        counted = 'no_counts' not in self.quirks
        profile = Profile(
            external_id=required_text(account.get('uri') or url),
            handle=self.handle(account),
            name=account.get('display_name') or account.get('username') or '',
            url=url,
            local_id=local_id,
            avatar_url=account.get('avatar_static') or account.get('avatar') or '',
            bio=html_to_text(account.get('note') or ''),
            followers=_count(account.get('followers_count')) if counted else None,
            following=_count(account.get('following_count')) if counted else None,
            posts=_count(account.get('statuses_count')) if counted else None,
            verified=any(link.verified for link in links),
            bot=bool(account.get('bot')),
            links=links,
        )
        self._authors[local_id] = profile
        return profile


# --- pieces --------------------------------------------------------------------------------------


def parse_time(text: str) -> datetime:
    """Return a time of the API as aware UTC; raise ValueError when it is none."""
    try:
        moment = datetime.fromisoformat(f'{text[:-1]}+00:00' if text[-1] == 'Z' else text)
        return moment if moment.tzinfo is timezone.utc else _utc(moment)
    except (ValueError, IndexError):
        found = parse_moment(text) if text[4:5] == '-' else None
    if found is None:
        raise ValueError(f'not a time: {text[:40]!r}')
    return found


def entry_id(entry: Any) -> str:
    """Return the id of an entry for the cursor; of a broken entry, one made from its content."""
    if isinstance(entry, dict) and entry.get('id'):
        return str(entry['id'])
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:16]


def entry_time(entry: Any) -> datetime | None:
    """Return when an entry was made, ``None`` when it does not say."""
    try:
        return parse_time(entry['created_at'])
    except BAD:
        return None


def status_of(entry: Any) -> dict[str, Any] | None:
    """Return the status in an entry, if there is one."""
    if not isinstance(entry, dict):
        return None
    status = entry.get('status', entry)
    return status if isinstance(status, dict) else None


def domain_of(url: str) -> str:
    """Return the host (with a port that is not the usual one) of a URL."""
    return urlsplit(url).netloc.rpartition('@')[2].lower()


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=moment.tzinfo or timezone.utc).astimezone(timezone.utc)


def _count(value: Any) -> int | None:
    try:
        return min(int(value), _MAX_COUNT) if int(value) >= 0 else None
    except (TypeError, ValueError, OverflowError):
        return None


def _language(value: Any) -> str:
    if not value or not isinstance(value, str):
        return ''
    short = value.replace('_', '-').partition('-')[0].lower()
    return short if short.isalpha() and len(short) in {2, 3} else ''


def _conversation(pleroma: Any) -> str:
    return str(pleroma.get('conversation_id') or '') if isinstance(pleroma, dict) else ''


def _link(row: Mapping[str, Any]) -> Link:
    value = html_to_text(row.get('value') or '')
    return Link(html_to_text(row.get('name') or ''), value, bool(row.get('verified_at')))


def _media(row: Mapping[str, Any]) -> Media:
    url = row.get('url') or row.get('remote_url') or row.get('preview_url') or ''
    guessed = guess_type(url.partition('?')[0])[0] if url else None
    kind = _MIMETYPES.get(str(row.get('type')), 'application/octet-stream')
    return Media(
        mimetype=guessed or kind,
        url=url,
        description=row.get('description') or '',
        preview=row.get('preview_url') or '',
    )
