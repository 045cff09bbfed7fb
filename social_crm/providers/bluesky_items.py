"""Pure extractors: what Bluesky's servers send, to values of :mod:`.types`.

They raise KeyError, TypeError or ValueError where something needed is missing, and survive
everything else: records are written by any client and may hold anything.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from .answers import parse_moment
from .bluesky_text import plain_text, tagged
from .text import required_text
from .types import Item, ItemKind, Link, Media, Profile, Unreadable

#: What a bad item raises; everything else is a bug and must be seen.
BAD = (KeyError, TypeError, ValueError, AttributeError, OverflowError)

POST = 'app.bsky.feed.post'
_KINDS: dict[str, ItemKind] = {'mention': 'mention', 'reply': 'reply', 'quote': 'mention'}
#: Labels by which moderators take something away.
_HIDDEN = {'!hide', '!takedown', '!suspend'}
_CDN = 'https://cdn.bsky.app/img'
#: A post that claims to be from longer before it was seen says so wrongly, or was imported.
_CLAIM = timedelta(days=2)
_MAX_COUNT = 2**31 - 1


@dataclass
class Reader:
    """Reads one page; each author is read once.

    :param me: DID of the connected account, empty when unknown.
    """

    me: str = ''
    _authors: dict[str, Profile] = field(default_factory=dict)

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
                reason = f'{type(error).__name__}: {error}'[:200]
                bad.append(Unreadable(entry, reason, _uri_of(entry)))
            else:
                if item:
                    items.append(item)
        return tuple(items[::-1]), tuple(bad[::-1])

    def entry(self, entry: Any, stream: str) -> Item | None:
        """Return the item of an entry, ``None`` for what is no item of this stream."""
        if stream == 'messages':
            return self.message(entry)
        if stream == 'notifications':
            kind = _KINDS.get(entry['reason'])
            return self.post(entry, kind, entry) if kind and not _is_hidden(entry) else None
        post = entry['post'] if stream == 'own' else entry
        if _is_hidden(post):
            return None
        if stream == 'thread':
            return self.post(post, 'comment', entry)
        if stream != 'own':
            return self.post(post, 'search', entry)
        if entry.get('reason') or post['author']['did'] != self.me:
            return None  # passed on
        item = self.post(post, 'reply', entry)
        return item if item.parent_external_id else None

    def post(self, post: Mapping[str, Any], kind: ItemKind, raw: Any) -> Item:
        """Return a post (a view of it, or a notification about it) as an item."""
        record, author = post['record'], self.profile(post['author'])
        reply = _part(record, 'reply')
        parent = _uri(_part(reply, 'parent')) or _quoted(record)
        own = bool(self.me) and author.external_id == self.me
        if kind != 'reply' and _is_of(_uri(_part(reply, 'parent')), self.me) and not own:
            kind = 'reply'
        text = plain_text(record['text'], record.get('facets'))
        card = _part(_part(record, 'embed'), 'external').get('uri')
        if isinstance(card, str) and card.startswith('http') and card not in text:
            text = f'{text}\n\n{card}'.strip()
        return Item(
            kind=kind,
            external_id=required_text(post['uri']),
            author=author,
            text=text,
            posted_at=posted_at(record.get('createdAt'), post['indexedAt']),
            url=web_address(post['uri'], author.handle),
            language=_language(record.get('langs')),
            parent_external_id=parent,
            conversation_id=_uri(_part(reply, 'root')) or post['uri'],
            own=own,
            mentions=tagged(record, 'mention'),
            hashtags=tagged(record, 'tag'),
            media=tuple(_media(post, record)),
            raw=raw,
        )

    def message(self, entry: Mapping[str, Any]) -> Item | None:
        """Return a direct message; ``entry`` holds it with its conversation's id and members."""
        message, members = entry['message'], entry['members']
        if 'sender' not in message and 'data' in message:
            return None  # somebody joined, or the like
        did = message['sender']['did']
        known = {member['did']: member for member in members}
        text = message.get('text')
        return Item(
            kind='message',
            external_id=message_id(entry['convo'], required_text(message['id'])),
            author=self.profile(known.get(did) or {'did': did, 'handle': did}),
            text=plain_text(text, message.get('facets')) if text is not None else '',
            posted_at=parse_time(message['sentAt']),
            url='https://bsky.app/messages/' + required_text(entry['convo']),
            conversation_id=entry['convo'],
            visibility='direct',
            deleted=text is None,
            own=bool(self.me) and did == self.me,
            mentions=tagged(message, 'mention'),
            hashtags=tagged(message, 'tag'),
            raw=entry,
        )

    # --- profiles --------------------------------------------------------------------------------

    def profile(self, found: Mapping[str, Any]) -> Profile:
        """Return an account's profile; the same account is read once."""
        did = required_text(found['did'])
        known = self._authors.get(did)
        if known:
            return known
        handle = str(found['handle'])
        if handle == 'handle.invalid':  # its domain does not confirm it any more
            handle = did
        website = found.get('website')
        links = (Link('Website', website),) if isinstance(website, str) and website else ()
        profile = Profile(
            external_id=did,
            handle=handle,
            name=str(found.get('displayName') or ''),
            url=f'https://bsky.app/profile/{handle}',
            avatar_url=str(found.get('avatar') or ''),
            bio=str(found.get('description') or ''),
            followers=_count(found.get('followersCount')),
            following=_count(found.get('followsCount')),
            posts=_count(found.get('postsCount')),
            verified=_part(found, 'verification').get('verifiedStatus') == 'valid',
            bot='bot' in labels(found),
            links=links,
        )
        self._authors[did] = profile
        return profile


# --- pieces --------------------------------------------------------------------------------------


def parse_time(text: Any) -> datetime:
    """Return a time of the API as aware UTC; raise ValueError when it is none."""
    found = parse_moment(text) if isinstance(text, str) and text[4:5] == '-' else None
    if found is None:
        raise ValueError(f'not a time: {str(text)[:40]!r}')
    return found


def posted_at(claimed: Any, seen: Any) -> datetime:
    """Return when something was posted: as its author claims, if that can be.

    Never later than the network saw it, and not days before: what was imported from an archive
    is news all the same.
    """
    indexed = parse_time(seen)
    try:
        created = parse_time(claimed)
    except ValueError:
        return indexed
    return created if indexed - _CLAIM <= created <= indexed else indexed


def entry_id(entry: Any) -> str:
    """Return a short id of an entry for the cursor: a post can be told of for several reasons."""
    if isinstance(entry, dict):
        uri = _uri_of(entry)
        text = f'{uri} {entry.get("reason")}' if uri else ''
    else:
        text = ''
    text = text or json.dumps(entry, sort_keys=True)
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:9]).decode()


def entry_time(entry: Any) -> datetime | None:
    """Return when an entry was made, ``None`` when it does not say."""
    try:
        post = entry.get('post', entry)
        return posted_at(_part(post, 'record').get('createdAt'), post['indexedAt'])
    except BAD:
        return None


def labels(found: Mapping[str, Any]) -> set[str]:
    """Return the labels that moderators or the author have put on something."""
    rows = found.get('labels')
    return {
        str(row.get('val'))
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict) and not row.get('neg')
    }


def web_address(uri: str, handle: str) -> str:
    """Return where people read a post."""
    return f'https://bsky.app/profile/{handle}/post/{uri.rpartition("/")[2]}'


def message_id(convo: str, message: str) -> str:
    """Return the id of a message that is unique on the network."""
    return f'bsky-message:{convo}/{message}'


def _is_hidden(post: Mapping[str, Any]) -> bool:
    author = post['author']
    viewer = _part(author, 'viewer')
    blocked = viewer.get('blocking') or viewer.get('blockedBy')
    return bool(blocked or _HIDDEN & (labels(post) | labels(author)))


def _uri_of(entry: Any) -> str:
    if not isinstance(entry, dict):
        return ''
    uri = (_part(entry, 'post') or entry).get('uri')
    return uri if isinstance(uri, str) else ''


def _quoted(record: Mapping[str, Any]) -> str:
    embed = _part(record, 'embed')
    inner = _part(embed, 'record')
    return _uri(inner) or _uri(_part(inner, 'record'))


def _part(data: Any, name: str) -> Mapping[str, Any]:
    part = data.get(name) if isinstance(data, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _uri(reference: Mapping[str, Any]) -> str:
    uri = reference.get('uri')
    return uri if isinstance(uri, str) and uri.startswith('at://') else ''


def _is_of(uri: str, did: str) -> bool:
    return bool(did) and uri.startswith(f'at://{did}/')


def _count(value: Any) -> int | None:
    return min(value, _MAX_COUNT) if isinstance(value, int) and value >= 0 else None


def _language(langs: Any) -> str:
    first = langs[0] if isinstance(langs, list) and langs else ''
    short = first.partition('-')[0].lower() if isinstance(first, str) else ''
    return short if short.isalpha() and len(short) in {2, 3} else ''


def _media(post: Mapping[str, Any], record: Mapping[str, Any]) -> Iterable[Media]:
    """Yield pictures and films: from the view where there is one, else from the record."""
    view = _part(post, 'embed')
    view = _part(view, 'media') or view
    if view:
        for image in _rows(view.get('images')):
            yield Media(
                'image/jpeg',
                str(image.get('fullsize') or ''),
                str(image.get('alt') or ''),
                preview=str(image.get('thumb') or ''),
            )
        if view.get('playlist'):
            alt, still = str(view.get('alt') or ''), str(view.get('thumbnail') or '')
            kind = 'application/vnd.apple.mpegurl'
            yield Media(kind, str(view['playlist']), alt, preview=still)
        return
    embed = _part(record, 'embed')
    embed = _part(embed, 'media') or embed
    author = post['author']
    base = str(author.get('avatar') or '').partition('/avatar/plain/')
    cdn = base[0] if base[1] else _CDN
    for image in _rows(embed.get('images')):
        blob = _part(image, 'image')
        link = _part(blob, 'ref').get('$link')
        if isinstance(link, str):
            large, small = (
                f'{cdn}/{size}/plain/{author["did"]}/{link}@jpeg'
                for size in ('feed_fullsize', 'feed_thumbnail')
            )
            yield Media('image/jpeg', large, str(image.get('alt') or ''), preview=small)


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def utc_now() -> datetime:
    """Return the current time, aware."""
    return datetime.now(timezone.utc)
