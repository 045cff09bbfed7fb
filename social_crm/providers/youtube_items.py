"""Pure extractors: YouTube's JSON to values of :mod:`.types`.

They raise one of :data:`BAD` where something needed is missing, and survive everything else. An
entry holds all that an item is made of, so that it can be kept and read again:
``{'comment': …, 'video_id': …, 'asker': channel of the first comment}`` or
``{'video': …, 'channel': …}``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .answers import parse_moment
from .text import html_to_text, required_text
from .types import Item, Media, Profile, Unreadable

#: What a bad item raises; everything else is a bug and must be seen.
BAD = (KeyError, TypeError, ValueError, AttributeError, OverflowError)

SITE = 'https://www.youtube.com'
_VIDEO = re.compile(r'[\w-]{11}', re.A)
_MENTION = re.compile(r'(?<![\w.@])@([\w.·-]{3,30})')
_HASHTAG = re.compile(r'(?<![\w#&])#(\w+)')
_MAX_COUNT = 2**31 - 1


def is_video(number: str) -> bool:
    """Tell the id of a video from that of a comment, which is longer."""
    return bool(_VIDEO.fullmatch(number))


def thread_of(number: str) -> str:
    """Return the id of the first comment of a conversation, which is that of the conversation."""
    return number.partition('.')[0]


@dataclass(frozen=True)
class Reader:
    """Reads entries. ``me`` is the id of the connected channel, empty when unknown."""

    me: str = ''

    def page(self, entries: Iterable[Any]) -> tuple[tuple[Item, ...], tuple[Unreadable, ...]]:
        """Return what entries hold, oldest first."""
        items: list[Item] = []
        bad: list[Unreadable] = []
        for entry in entries:
            try:
                items.append(self.entry(entry))
            except BAD as error:
                reason = f'{type(error).__name__}: {error}'[:200]
                bad.append(Unreadable(entry, reason, _external_id(entry)))
        return tuple(sorted(items, key=lambda item: item.posted_at)), tuple(bad)

    def entry(self, entry: Any) -> Item:
        """Return the item of an entry."""
        if 'video' in entry:
            return self.video(entry['video'], entry.get('channel'), entry)
        return self.comment(entry['comment'], entry)

    def comment(self, comment: Mapping[str, Any], raw: Mapping[str, Any]) -> Item:
        """Return a comment or an answer to one as an item."""
        number, snippet = required_text(comment['id']), comment['snippet']
        video = required_text(snippet.get('videoId') or raw['video_id'])
        author = _author(snippet)
        own = author.external_id == self.me
        parent = snippet.get('parentId') or ''
        answers_us = bool(parent and self.me) and raw.get('asker') == self.me and not own
        posted = parse_time(snippet['publishedAt'])
        edited = parse_time(snippet.get('updatedAt') or snippet['publishedAt'])
        text = snippet.get('textDisplay') or snippet.get('textOriginal') or ''
        picture = snippet.get('imageUrl')
        return Item(
            kind='reply' if answers_us else 'comment',
            external_id=number,
            author=author,
            text=text.strip(),
            posted_at=posted,
            url=f'{SITE}/watch?v={video}&lc={number}',
            local_id=number,
            parent_external_id=parent or video,
            parent_local_id=parent or video,
            conversation_id=thread_of(number),
            edited_at=edited if edited > posted else None,
            own=own,
            mentions=tuple(dict.fromkeys(_MENTION.findall(text))),
            hashtags=tuple(dict.fromkeys(_HASHTAG.findall(text))),
            media=(Media('image/jpeg', picture),) if picture else (),
            raw=raw,
        )

    def video(self, video: Mapping[str, Any], channel: Any, raw: Any) -> Item:
        """Return a video that a search found as an item."""
        number, snippet = required_text(video['id']), video['snippet']
        owner = required_text(snippet['channelId'])
        title, description = required_text(snippet['title']), snippet.get('description') or ''
        text = f'{title}\n\n{description}'.strip()
        language = snippet.get('defaultAudioLanguage') or snippet.get('defaultLanguage') or ''
        return Item(
            kind='search',
            external_id=number,
            author=read_channel(channel) if channel else _stranger(owner, snippet),
            text=text,
            posted_at=parse_time(snippet['publishedAt']),
            url=f'{SITE}/watch?v={number}',
            local_id=number,
            language=_language(language),
            own=owner == self.me,
            mentions=tuple(dict.fromkeys(_MENTION.findall(text))),
            hashtags=tuple(dict.fromkeys(_HASHTAG.findall(text))),
            raw=raw,
        )


# --- entries --------------------------------------------------------------------------------------


def comments_of(thread: Any, replies: list[Any] | None = None) -> list[dict[str, Any]]:
    """Return the entries of a thread: its answers (``replies``, or those it brings), and itself."""
    snippet = thread.get('snippet') if isinstance(thread, dict) else None
    first = snippet.get('topLevelComment') if isinstance(snippet, dict) else None
    if not isinstance(snippet, dict) or not isinstance(first, dict):
        return [{'comment': thread}]
    asker = _channel_id(first.get('snippet'))
    about = {'video_id': snippet.get('videoId'), 'asker': asker}
    rows = inline_replies(thread) if replies is None else replies
    return [{'comment': row, **about} for row in (*rows, first)]


def inline_replies(thread: Mapping[str, Any]) -> list[Any]:
    """Return the answers that a thread brings along: all, or some of them."""
    replies = thread.get('replies')
    rows = replies.get('comments') if isinstance(replies, dict) else None
    return rows if isinstance(rows, list) else []


def entry_id(entry: Any) -> str:
    """Return the id of an entry; of a broken one, one made from its content."""
    number = _external_id(entry)
    return number or hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:16]


def entry_time(entry: Any) -> datetime | None:
    """Return when an entry was made, ``None`` when it does not say."""
    try:
        return parse_time((entry.get('comment') or entry['video'])['snippet']['publishedAt'])
    except BAD:
        return None


# --- pieces ---------------------------------------------------------------------------------------


def read_channel(channel: Any) -> Profile:
    """Return a channel as a profile."""
    number, snippet = required_text(channel['id']), channel['snippet']
    counts = channel.get('statistics') or {}
    handle = (snippet.get('customUrl') or '').lstrip('@')
    hidden = counts.get('hiddenSubscriberCount')
    return Profile(
        external_id=number,
        handle=handle or number,
        name=snippet.get('title') or handle,
        url=f'{SITE}/@{handle}' if handle else f'{SITE}/channel/{number}',
        local_id=number,
        avatar_url=_thumbnail(snippet.get('thumbnails')),
        bio=snippet.get('description') or '',
        location=snippet.get('country') or '',
        followers=None if hidden else count_of(counts.get('subscriberCount')),
        posts=count_of(counts.get('videoCount')),
    )


def parse_time(text: Any) -> datetime:
    """Return a time of the API as aware UTC; raise ValueError when it is none."""
    found = parse_moment(text) if isinstance(text, str) and text[4:5] == '-' else None
    if found is None:
        raise ValueError(f'not a time: {str(text)[:40]!r}')
    return found


def count_of(value: Any) -> int | None:
    """Return a counter, which may be a text; ``None`` where it is hidden."""
    text = str(value)
    return min(int(text), _MAX_COUNT) if text.isascii() and text.isdigit() else None


def _author(snippet: Mapping[str, Any]) -> Profile:
    number = required_text(_channel_id(snippet))
    name = required_text(snippet['authorDisplayName'])
    handle = name.lstrip('@')
    return Profile(
        external_id=number,
        handle=handle if name.startswith('@') else number,
        name=html_to_text(handle) if '<' in handle else handle,
        url=f'{SITE}/@{handle}' if name.startswith('@') else f'{SITE}/channel/{number}',
        local_id=number,
        avatar_url=snippet.get('authorProfileImageUrl') or '',
    )


def _stranger(number: str, snippet: Mapping[str, Any]) -> Profile:
    name = snippet.get('channelTitle') or number
    return Profile(number, number, name, f'{SITE}/channel/{number}', number)


def _channel_id(snippet: Any) -> str:
    owner = snippet.get('authorChannelId') if isinstance(snippet, dict) else None
    return str(owner.get('value') or '') if isinstance(owner, dict) else ''


def _external_id(entry: Any) -> str:
    inner = (entry.get('comment') or entry.get('video')) if isinstance(entry, dict) else None
    number = inner.get('id') if isinstance(inner, dict) else None
    return number if isinstance(number, str) else ''


def _thumbnail(found: Any) -> str:
    for size in ('high', 'medium', 'default'):
        row = found.get(size) if isinstance(found, dict) else None
        if isinstance(row, dict) and isinstance(row.get('url'), str):
            return str(row['url'])
    return ''


def _language(value: Any) -> str:
    short = str(value).partition('-')[0].lower()
    return short if short.isalpha() and len(short) in {2, 3} and short not in {'zxx', 'und'} else ''
