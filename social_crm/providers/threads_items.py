"""Pure extractors: the JSON of the Threads API to values of :mod:`.types`.

They raise one of :data:`BAD` where something needed is missing, and survive everything else.
Others are known by their user name alone: it is their id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .meta import parse_time
from .text import required_id, required_text
from .types import Item, ItemKind, Media, Profile, Unreadable

BAD = (KeyError, TypeError, ValueError, AttributeError, OverflowError)

SITE = 'https://www.threads.com'
#: What is asked of a post; the fields of replies are there for replies only.
FIELDS = (
    'id,text,username,timestamp,permalink,media_type,media_url,thumbnail_url,alt_text,children,'
    'topic_tag,is_quote_post,has_replies,is_reply,is_reply_owned_by_me,root_post,replied_to,'
    'hide_status'
)

_KINDS: dict[str, ItemKind] = {
    'mentions': 'mention',
    'replies': 'reply',
    'own': 'reply',
    'thread': 'reply',
}
_MIMETYPES = {'IMAGE': 'image/jpeg', 'VIDEO': 'video/mp4', 'AUDIO': 'audio/mpeg'}
_MENTION = re.compile(r'(?<![\w.@/])@([\w.]*\w)')
_HASHTAG = re.compile(r'(?<![\w&/])#(\w+)')


@dataclass(frozen=True)
class Reader:
    """Reads posts for ``me``, the connected account."""

    me: Profile | None = None

    def page(
        self, entries: Iterable[Any], stream: str
    ) -> tuple[tuple[Item, ...], tuple[Unreadable, ...]]:
        """Return what entries hold, oldest first."""
        items: list[Item] = []
        bad: list[Unreadable] = []
        for entry in entries:
            try:
                item = self.post(entry, _KINDS.get(stream, 'search'))
            except BAD as error:
                number = entry.get('id') if isinstance(entry, dict) else ''
                reason = f'{type(error).__name__}: {error}'[:200]
                bad.append(Unreadable(entry, reason, str(number or '')))
            else:
                items.append(item)
        return tuple(sorted(items, key=lambda item: item.posted_at)), tuple(bad)

    def post(self, entry: Mapping[str, Any], kind: ItemKind) -> Item:
        """Return a post; ``removed`` marks one that is gone, of which a push tells the id."""
        number, at = required_id(entry['id']), parse_time(entry['timestamp'])
        username = str(entry.get('username') or '')
        if entry.get('removed') is True:
            author = Profile(username or number, username or number)
            return Item(kind, number, author, '', at, deleted=True, raw=entry)
        author = self.author(required_text(username))
        text = str(entry.get('text') or '')
        parent, root = (_id(entry.get(name)) for name in ('replied_to', 'root_post'))
        topic = entry.get('topic_tag')
        tags = [*_HASHTAG.findall(text), *([topic] if isinstance(topic, str) and topic else [])]
        return Item(
            kind=kind,
            external_id=number,
            author=author,
            text=text,
            posted_at=at,
            url=str(entry.get('permalink') or ''),
            parent_external_id=parent,
            conversation_id=root or parent,
            own=entry.get('is_reply_owned_by_me') is True or self.is_me(username),
            mentions=tuple(dict.fromkeys(_MENTION.findall(text))),
            hashtags=tuple(dict.fromkeys(tags)),
            media=_media(entry),
            raw=entry,
        )

    def is_me(self, username: str) -> bool:
        """Return whether a user name is the connected account's."""
        return bool(self.me and username and username.lower() == self.me.handle.lower())

    def author(self, username: str) -> Profile:
        """Return the author with a user name."""
        url = f'{SITE}/@{username}'
        if self.me and self.is_me(username):
            return Profile(self.me.external_id, username, self.me.name, url)
        return Profile(username, username, url=url)


def read_me(found: Mapping[str, Any]) -> Profile:
    """Return the connected account."""
    username = required_text(found['username'])
    return Profile(
        external_id=required_id(found['id']),
        handle=username,
        name=str(found.get('name') or ''),
        url=f'{SITE}/@{username}',
        avatar_url=str(found.get('threads_profile_picture_url') or ''),
        bio=str(found.get('threads_biography') or ''),
        verified=found.get('is_verified') is True,
    )


def read_profile(found: Mapping[str, Any]) -> Profile:
    """Return a public profile that was looked up; no id is told."""
    username = required_text(found['username'])
    followers = found.get('follower_count')
    known = isinstance(followers, int) and not isinstance(followers, bool) and followers >= 0
    return Profile(
        external_id=username,
        handle=username,
        name=str(found.get('name') or ''),
        url=f'{SITE}/@{username}',
        avatar_url=str(found.get('profile_picture_url') or ''),
        bio=str(found.get('biography') or ''),
        followers=followers if known else None,
        verified=found.get('is_verified') is True,
    )


# --- pieces ---------------------------------------------------------------------------------------


def _media(entry: Mapping[str, Any]) -> tuple[Media, ...]:
    children = entry.get('children')
    rows = children.get('data') if isinstance(children, dict) else None
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    found = []
    for row in (entry, *rows):
        url, kind = row.get('media_url'), _MIMETYPES.get(str(row.get('media_type')))
        if isinstance(url, str) and url and kind:
            still = row.get('thumbnail_url')
            found.append(Media(kind, url, str(row.get('alt_text') or ''), preview=str(still or '')))
    return tuple(found)


def _id(part: Any) -> str:
    return str(part.get('id') or '') if isinstance(part, dict) else ''
