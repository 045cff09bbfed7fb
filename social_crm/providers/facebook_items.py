"""Pure extractors: what the Graph API (or a push, see :mod:`.meta_webhooks`) says of a page, to
values of :mod:`.types`.

They raise KeyError, TypeError or ValueError where something needed is missing, and survive
everything else. People have no handle on Facebook: their id, which is another one on each page,
stands in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeVar

from .errors import Transient
from .facebook_leads import read_lead
from .meta import bare_id, parse_time
from .text import required_id
from .types import Item, ItemKind, Link, Media, Profile, Unreadable

Value = TypeVar('Value')

#: What a bad item raises; everything else is a bug and must be seen.
BAD = (KeyError, TypeError, ValueError, AttributeError, OverflowError)

_HASHTAG = re.compile(r'(?<![\w&])#(\w+)')
_MIMETYPES = {
    'image': 'image/jpeg',
    'photo': 'image/jpeg',
    'sticker': 'image/png',
    'video': 'video/mp4',
    'audio': 'audio/mpeg',
    'animated_image': 'image/gif',
    'file': 'application/octet-stream',
}
_MAX_COUNT = 2**31 - 1


@dataclass
class Reader:
    """Reads the entries of one account; ``me`` are its ids, empty when unknown."""

    me: frozenset[str] = frozenset()

    def page(
        self, entries: Iterable[Any], stream: str
    ) -> tuple[tuple[Item, ...], tuple[Unreadable, ...]]:
        """Return what the entries of a stream hold, oldest first."""
        items: list[Item] = []
        bad: list[Unreadable] = []
        for entry in entries:
            try:
                item = self.entry(entry, stream)
            except BAD as error:
                number = entry.get('id') if isinstance(entry, dict) else ''
                reason = f'{type(error).__name__}: {error}'[:200]
                bad.append(Unreadable(entry, reason, bare_id(str(number or ''))))
            else:
                if item:
                    items.append(item)
        items.sort(key=lambda item: item.posted_at)
        return tuple(items), tuple(bad)

    def entry(self, entry: dict[str, Any], stream: str) -> Item | None:
        """Return the item in an entry, ``None`` for an own post: that is none."""
        if stream == 'messages':
            return self.message(entry)
        if stream == 'lead_forms':
            return read_lead(entry)
        if stream == 'mentions' or entry.get('is_post'):
            return self.mention(entry)
        return self.comment(entry)

    # --- kinds of items --------------------------------------------------------------------------

    def comment(self, entry: dict[str, Any]) -> Item:
        """Return a comment below a post of the page, or an answer to one."""
        parent = entry.get('parent')
        above = str(parent['id']) if isinstance(parent, dict) and parent.get('id') else ''
        post = str(entry.get('post_id') or '')
        local_id = id_of(entry)
        return self._item(
            'reply' if above else 'comment',
            entry,
            bare_id(local_id),
            local_id=local_id,
            parent_external_id=bare_id(above) if above else post,
            parent_local_id=above or post,
            # Answers go below the comment on top: there are two levels only.
            conversation_id=above or local_id,
        )

    def mention(self, entry: dict[str, Any]) -> Item | None:
        """Return a post that tags the page or stands on it, or a comment that names the page."""
        local_id = id_of(entry)
        if str(author_of(entry).get('id')) in self.me:
            return None
        if entry.get('is_post') or not entry.get('post_id'):
            return self._item('mention', entry, local_id, local_id=local_id)
        return self._item(
            'mention',
            entry,
            bare_id(local_id),
            local_id=local_id,
            parent_external_id=str(entry['post_id']),
            conversation_id=local_id,
        )

    def message(self, entry: dict[str, Any]) -> Item:
        """Return a message; the conversation is named by the other person's id."""
        sender = str(entry['from']['id'])
        own = sender in self.me
        people = entry['to']['data'] if own else [entry['from']]
        other = str(people[0]['id'])
        if not sender or not other:
            raise ValueError('nobody is named')
        number = id_of(entry)
        return self._item('message', entry, number, visibility='direct', conversation_id=other)

    def _item(self, kind: ItemKind, entry: dict[str, Any], external_id: str, **values: Any) -> Item:
        author = self.author(entry, external_id)
        text = text_of(entry)
        moment = parse_time(entry.get('created_time') or entry.get('timestamp'))
        return Item(
            kind=kind,
            external_id=external_id,
            author=author,
            text=text,
            posted_at=moment,
            url=web(entry.get('permalink_url') or entry.get('permalink')),
            edited_at=datetime.now(timezone.utc) if entry.get('edited') else None,
            deleted=bool(entry.get('removed')),
            own=author.external_id in self.me,
            hashtags=tuple(dict.fromkeys(_HASHTAG.findall(text))),
            media=tuple(media_of(entry)),
            raw=entry,
            **values,
        )

    def author(self, entry: Mapping[str, Any], external_id: str) -> Profile:
        """Return who wrote; of somebody whom the network hides, a profile for this entry alone."""
        given = author_of(entry)
        if not given.get('id'):
            return Profile(f'hidden:{external_id}', f'hidden:{external_id}')
        number = str(given['id'])
        picture = given.get('picture')
        data = picture.get('data') if isinstance(picture, dict) else None
        return Profile(
            external_id=number,
            handle=str(given.get('username') or number),
            name=str(given.get('name') or ''),
            url=f'https://www.facebook.com/{number}' if number in self.me else '',
            avatar_url=web(data.get('url')) if isinstance(data, dict) else '',
        )


# --- profiles -------------------------------------------------------------------------------------


def read_page(page: Mapping[str, Any]) -> Profile:
    """Return a page as a profile."""
    number = id_of(page)
    picture, website = page.get('picture'), web(page.get('website'))
    data = picture.get('data') if isinstance(picture, dict) else None
    followers = count(page.get('followers_count'))
    return Profile(
        external_id=number,
        local_id=number,
        handle=str(page.get('username') or number),
        name=str(page.get('name') or ''),
        url=web(page.get('link')) or f'https://www.facebook.com/{number}',
        avatar_url=web(data.get('url')) if isinstance(data, dict) else '',
        headline=str(page.get('category') or ''),
        bio=str(page.get('about') or page.get('description') or ''),
        location=str(page.get('single_line_address') or ''),
        followers=count(page.get('fan_count')) if followers is None else followers,
        verified=page.get('verification_status') in {'blue_verified', 'gray_verified'},
        links=(Link('Website', website),) if website else (),
    )


def read_person(person: Mapping[str, Any]) -> Profile:
    """Return somebody who wrote to the page as a profile."""
    number = id_of(person)
    name = ' '.join(str(person.get(part) or '') for part in ('first_name', 'last_name')).strip()
    return Profile(
        external_id=number,
        local_id=number,
        handle=str(person.get('username') or number),
        name=str(person.get('name') or name),
        avatar_url=web(person.get('profile_pic')),
    )


# --- pieces ---------------------------------------------------------------------------------------


def readable(read: Callable[[Mapping[str, Any]], Value], body: Mapping[str, Any]) -> Value:
    """Return what ``read`` makes of an answer; raise Transient when it is no such thing."""
    try:
        return read(body)
    except BAD:
        raise Transient('The server did not answer in the expected form', 'bad_answer') from None


def id_of(entry: Mapping[str, Any], name: str = 'id') -> str:
    """Return the id of an object; raise one of :data:`BAD` without one."""
    return required_id(entry[name])


def text_of(entry: Mapping[str, Any]) -> str:
    """Return the text of a comment, a post or a message, under whatever name it goes."""
    for name in ('message', 'text', 'caption', 'story'):
        if entry.get(name):
            return str(entry[name])
    return ''


def author_of(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return who made an object, empty where the network hides it."""
    given = entry.get('from')
    return given if isinstance(given, dict) else {}


def media_of(entry: Mapping[str, Any]) -> Iterable[Media]:
    """Yield the pictures and files of a comment, a post or a message."""
    picture = web(entry.get('full_picture'))
    if picture:
        yield Media('image/jpeg', picture)
    attached = entry.get('attachment')
    if isinstance(attached, dict):
        still = web(_inside(attached, 'media', 'image', 'src'))
        film = web(_inside(attached, 'media', 'source'))
        kind = _mimetype(attached, 'image/jpeg') if film or not still else 'image/jpeg'
        if film or still or web(attached.get('url')):
            yield Media(kind, film or still or web(attached.get('url')), preview=still)
    rows = _inside(entry.get('attachments'), 'data')
    for row in rows if isinstance(rows, list) else ():
        found = isinstance(row, dict) and _file(row)
        if found:
            yield found


def _file(row: Mapping[str, Any]) -> Media | None:
    for path in (('image_data', 'url'), ('video_data', 'url'), ('file_url',), ('payload', 'url')):
        url = web(_inside(row, *path))
        if url:
            kind = _mimetype(row, 'application/octet-stream')
            still = web(_inside(row, path[0], 'preview_url'))
            return Media(kind, url, filename=str(row.get('name') or ''), preview=still)
    return None


def _mimetype(row: Mapping[str, Any], default: str) -> str:
    given = row.get('mime_type')
    if isinstance(given, str) and re.fullmatch(r'[\w.+-]+/[\w.+-]+', given):
        return given
    return _MIMETYPES.get(str(row.get('type')).partition('_')[0], default)


def _inside(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def count(value: Any) -> int | None:
    """Return a counter, ``None`` when it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    try:
        return min(int(value), _MAX_COUNT) if int(value) >= 0 else None
    except ValueError:
        return None


def web(value: Any) -> str:
    """Return a web address, empty for anything else (a page's website is free text)."""
    text = value.strip() if isinstance(value, str) else ''
    return text if re.match(r'https?://\S+$', text, re.I) else ''
