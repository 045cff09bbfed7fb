"""Pure extractors: the JSON of X, in both spellings, to values of :mod:`.types`.

They raise one of :data:`BAD` where something needed is missing, and survive everything else.
An entry is ``{'data': post, 'includes': {…}}`` with what belongs to this post alone, so that it can
be kept and read again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from mimetypes import guess_type
from typing import Any

from .answers import parse_moment
from .types import Item, ItemKind, Link, Media, Profile, Unreadable

#: What a bad item raises; everything else is a bug and must be seen.
BAD = (KeyError, TypeError, ValueError, AttributeError, OverflowError)

SITE = 'https://x.com'
#: Before the id of a message, which is counted apart from those of posts.
MESSAGE = 'dm:'

_EPOCH = 1288834974657
_MAX_COUNT = 2**31 - 1
#: Codes of languages that changed, and those that are none.
_LANGUAGES = {'iw': 'he', 'in': 'id', 'ji': 'yi', 'und': '', 'art': '', 'zxx': ''}
_MIMETYPES = {'photo': 'image/jpeg', 'video': 'video/mp4', 'animated_gif': 'video/mp4'}


@dataclass(frozen=True)
class Reader:
    """Reads pages. ``me`` is the id of the connected account, empty when unknown."""

    me: str = ''

    def page(
        self, entries: Iterable[Any], stream: str
    ) -> tuple[tuple[Item, ...], tuple[Unreadable, ...]]:
        """Return what entries (newest first) hold, oldest first."""
        items: list[Item] = []
        bad: list[Unreadable] = []
        for entry in entries:
            try:
                item = self.entry(entry, stream)
            except BAD as error:
                reason = f'{type(error).__name__}: {error}'[:200]
                bad.append(Unreadable(entry, reason, _external_id(entry, stream)))
            else:
                if item:
                    items.append(item)
        return tuple(items[::-1]), tuple(bad[::-1])

    def entry(self, entry: Any, stream: str) -> Item | None:
        """Return the item of an entry, ``None`` for an own post that answers nothing."""
        data, includes = entry['data'], entry.get('includes') or {}
        if stream == 'messages' or 'dm_conversation_id' in data:
            return self.message(data, includes, entry)
        kinds: dict[str, ItemKind] = {'mentions': 'mention', 'own': 'reply', 'thread': 'comment'}
        item = self.post(data, includes, kinds.get(stream, 'search'), entry)
        return None if stream == 'own' and not item.parent_external_id else item

    def post(
        self, post: Mapping[str, Any], includes: Mapping[str, Any], kind: ItemKind, raw: Any
    ) -> Item:
        """Return a post as an item; ``kind`` is for one that answers nothing of ours."""
        number, author_id = _id(post['id']), _id(post['author_id'])
        author = read_profile(_included(includes, 'users', author_id))
        history = post.get('edit_history_tweet_ids') or post.get('edit_history_post_ids') or ()
        first = min((_id(entry) for entry in history), key=int, default=number)
        posted = parse_time(post['created_at'])
        own = author_id == self.me
        if self.me and post.get('in_reply_to_user_id') == self.me and not own:
            kind = 'reply'
        whole = post.get('note_tweet') or post.get('note_post') or {}
        entities = {**(post.get('entities') or {}), **(whole.get('entities') or {})}
        parent = _reference(post, 'replied_to')
        return Item(
            kind=kind,
            external_id=first,
            author=author,
            text=read_text(whole.get('text') or post['text'], entities),
            posted_at=posted if first == number else time_of(first),
            url=f'{SITE}/{author.handle}/status/{number}',
            local_id=number,
            language=_language(post.get('lang')),
            parent_external_id=parent,
            parent_local_id=parent,
            conversation_id=str(post.get('conversation_id') or ''),
            edited_at=None if first == number else posted,
            own=own,
            mentions=_names(entities.get('mentions'), 'username'),
            hashtags=_names(entities.get('hashtags'), 'tag'),
            media=_media(post, includes),
            raw=raw,
        )

    def message(self, event: Mapping[str, Any], includes: Mapping[str, Any], raw: Any) -> Item:
        """Return a direct message as an item."""
        number, sender = _id(event['id']), _id(event['sender_id'])
        entities = event.get('entities') or {}
        conversation = str(event['dm_conversation_id'])
        return Item(
            kind='message',
            external_id=f'{MESSAGE}{number}',
            author=read_profile(_included(includes, 'users', sender)),
            text=read_text(event.get('text') or '', entities),
            posted_at=parse_time(event['created_at']),
            url=f'{SITE}/messages/{conversation}',
            local_id=number,
            conversation_id=conversation,
            visibility='direct',
            own=sender == self.me,
            mentions=_names(entities.get('mentions'), 'username'),
            hashtags=_names(entities.get('hashtags'), 'tag'),
            media=_media(event, includes),
            raw=raw,
        )


# --- entries --------------------------------------------------------------------------------------


def entries_of(body: Mapping[str, Any]) -> list[Any]:
    """Return the posts or messages of an answer, each with what it needs of ``includes``."""
    data = body.get('data')
    rows = data if isinstance(data, list) else [data] if data else []
    includes = body.get('includes')
    includes = includes if isinstance(includes, dict) else {}
    users = _by_id(includes.get('users'), 'id')
    media = _by_id(includes.get('media'), 'media_key')
    entries = []
    for row in rows:
        keys = (_attached(row) if isinstance(row, dict) else ())[:20]
        author = (row.get('author_id') or row.get('sender_id')) if isinstance(row, dict) else None
        kept: dict[str, Any] = {}
        if author in users:
            kept['users'] = [users[author]]
        if any(key in media for key in keys):
            kept['media'] = [media[key] for key in keys if key in media]
        entries.append({'data': row, 'includes': kept})
    return entries


def entry_id(entry: Any) -> str:
    """Return the id of an entry for the cursor; of a broken one, one made from its content."""
    data = entry.get('data') if isinstance(entry, dict) else None
    number = data.get('id') if isinstance(data, dict) else None
    if isinstance(number, str) and number.isascii() and number.isdigit():
        return number
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:16]


def entry_time(entry: Any) -> datetime | None:
    """Return when an entry was made, by its id; ``None`` when it has none."""
    number = entry_id(entry)
    return time_of(number) if number.isdigit() else None


def parent_of(post: Any) -> str:
    """Return the id of the post that a post answers, empty when it answers none."""
    try:
        return _reference(post, 'replied_to')
    except BAD:
        return ''


def time_of(number: str) -> datetime:
    """Return the time in an id, to the millisecond; raise ValueError where it holds none."""
    try:
        return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(
            milliseconds=(int(number) >> 22) + _EPOCH
        )
    except OverflowError:
        raise ValueError('not an id') from None


# --- pieces ---------------------------------------------------------------------------------------


def read_profile(user: Any) -> Profile:
    """Return a user as a profile."""
    handle, number = user['username'], _id(user['id'])
    if not isinstance(handle, str) or not handle:
        raise ValueError('a user without a name')
    counts = user.get('public_metrics') or {}
    entities = user.get('entities') or {}
    links = [
        Link('', str(row.get('expanded_url')))
        for row in (entities.get('url') or {}).get('urls') or ()
        if row.get('expanded_url')
    ]
    return Profile(
        external_id=number,
        handle=handle,
        name=user.get('name') or handle,
        url=f'{SITE}/{handle}',
        local_id=number,
        avatar_url=(user.get('profile_image_url') or '').replace('_normal.', '_400x400.'),
        bio=read_text(user.get('description') or '', entities.get('description') or {}),
        location=user.get('location') or '',
        followers=_count(counts.get('followers_count')),
        following=_count(counts.get('following_count')),
        posts=_count(counts.get('tweet_count', counts.get('post_count'))),
        verified=bool(user.get('verified')) or user.get('verified_type') not in {None, 'none'},
        links=tuple(links),
    )


def read_text(text: str, entities: Mapping[str, Any]) -> str:
    """Return plain text: links as they were written, links to the own pictures left out.

    Links are replaced by what they read, not by their place: whether places count the text before
    or after ``&`` became ``&amp;`` is nowhere said.
    """
    for row in entities.get('urls') or ():
        short = row.get('url')
        if short:
            shown = '' if row.get('media_key') else row.get('unwound_url') or row['expanded_url']
            text = text.replace(short, shown)
    return text.replace('&lt;', '<').replace('&gt;', '>').replace('&amp;', '&').strip()


def parse_time(text: Any) -> datetime:
    """Return a time of the API as aware UTC; raise ValueError when it is none."""
    found = parse_moment(text) if isinstance(text, str) and text[4:5] == '-' else None
    if found is None:
        raise ValueError(f'not a time: {str(text)[:40]!r}')
    return found


def _id(value: Any) -> str:
    if not isinstance(value, str) or not (value.isascii() and value.isdigit()):
        raise ValueError('an id is missing')
    return value


def _external_id(entry: Any, stream: str) -> str:
    number = entry_id(entry)
    return (MESSAGE if stream == 'messages' else '') + number if number.isdigit() else ''


def _by_id(rows: Any, name: str) -> dict[Any, Any]:
    if not isinstance(rows, list):
        return {}
    return {row[name]: row for row in rows if isinstance(row, dict) and row.get(name)}


def _included(includes: Mapping[str, Any], kind: str, number: str) -> Any:
    for row in includes.get(kind) or ():
        if row.get('id') == number:
            return row
    raise KeyError(f'{kind} {number}')


def _attached(row: Mapping[str, Any]) -> list[Any]:
    attachments = row.get('attachments')
    keys = attachments.get('media_keys') if isinstance(attachments, dict) else None
    return [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []


def _reference(post: Mapping[str, Any], kind: str) -> str:
    for row in post.get('referenced_tweets') or post.get('referenced_posts') or ():
        if row.get('type') == kind:
            return _id(row.get('id'))
    return ''


def _names(rows: Any, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row[name] for row in rows or () if row.get(name)))


def _media(row: Mapping[str, Any], includes: Mapping[str, Any]) -> tuple[Media, ...]:
    found = _by_id(includes.get('media'), 'media_key')
    return tuple(_medium(found[key]) for key in _attached(row) if key in found)


def _medium(row: Mapping[str, Any]) -> Media:
    films = [v for v in row.get('variants') or () if v.get('content_type') == 'video/mp4']
    best: Mapping[str, Any] = max(films, key=lambda film: film.get('bit_rate') or 0, default={})
    url = best.get('url') or row.get('url') or row.get('preview_image_url') or ''
    kind = _MIMETYPES.get(str(row.get('type')), 'application/octet-stream')
    if not best:
        kind = guess_type(url.partition('?')[0])[0] or kind
    return Media(
        mimetype=kind,
        url=url,
        description=row.get('alt_text') or '',
        preview=row.get('preview_image_url') or '',
    )


def _language(value: Any) -> str:
    if not isinstance(value, str):
        return ''
    short = value.replace('_', '-').partition('-')[0].lower()
    short = _LANGUAGES.get(short, short)
    # qme, qht, … say that there are only mentions, only hashtags, …
    return short if short.isalpha() and len(short) in {2, 3} and short[0] != 'q' else ''


def _count(value: Any) -> int | None:
    return min(value, _MAX_COUNT) if isinstance(value, int) and value >= 0 else None
