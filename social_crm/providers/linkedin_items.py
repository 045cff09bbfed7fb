"""Pure extractors: LinkedIn's JSON to values of :mod:`.types`.

They raise one of :data:`BAD` where something needed is missing, and survive everything else.
Authors come as URNs alone; what the adapter found out about them is put beside the entry, by the
name that LinkedIn itself uses for what a URN stands for (``owner~``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .linkedin_text import from_little
from .restli import encode
from .text import required_id, required_text
from .types import Item, Link, Profile, Unreadable

BAD = (KeyError, TypeError, ValueError, AttributeError, OverflowError)

PERSON = 'urn:li:person:'
ORGANIZATION = 'urn:li:organization:'
COMMENT = 'urn:li:comment:'
SITE = 'https://www.linkedin.com'

_COMMENTS = {'COMMENT', 'ADMIN_COMMENT', 'COMMENT_EDIT', 'COMMENT_DELETE'}
_SHARES = {'SHARE', 'SHARE_MENTION'}
#: What LinkedIn calls the pushes of these.
ACTION_PUSHES = 'ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS'
#: What is asked for: likes are no items.
ACTIONS = (*sorted(_COMMENTS), *sorted(_SHARES))


@dataclass(frozen=True)
class Reader:
    """Reads notifications and comments for ``me`` (a URN)."""

    me: str = ''

    def page(
        self, entries: Iterable[Any], stream: str
    ) -> tuple[tuple[Item, ...], tuple[Unreadable, ...]]:
        """Return what entries hold, oldest first."""
        items: list[Item] = []
        bad: list[Unreadable] = []
        for entry in entries:
            try:
                item = self.comment(entry) if stream == 'thread' else self.notification(entry)
            except BAD as error:
                reason = f'{type(error).__name__}: {error}'[:200]
                bad.append(Unreadable(entry, reason, entry_id(entry)))
            else:
                if item:
                    items.append(item)
        return tuple(sorted(items, key=lambda item: item.posted_at)), tuple(bad)

    def notification(self, entry: Mapping[str, Any]) -> Item | None:
        """Return the comment or the post that a notification is about, if it says anything."""
        action, at = entry['action'], moment(entry['lastModifiedAt'])
        if action not in _COMMENTS | _SHARES:
            return None
        activity = entry.get('decoratedGeneratedActivity') or {}
        found = activity.get('comment' if action in _COMMENTS else 'share') or {}
        urn = _urn(found.get('entity') or entry['generatedActivity'])
        source = str(entry.get('sourcePost') or '')
        if action == 'COMMENT_DELETE':
            owner = str(found.get('owner') or f'{PERSON}deleted')
            return Item('comment', urn, author_of(owner), '', at, deleted=True, raw=entry)
        text, owner = text_of(found), _urn(found['owner'])
        if action in _SHARES:
            text = from_little(text)
            # Whose post it is, is told by the owner: a share of our post without own words says
            # nothing, and ours are no mentions.
            if not text or owner == self.me:
                return None
            parent = source if action == 'SHARE' else ''
            return Item(
                'mention',
                urn,
                author_of(owner, entry.get('owner~')),
                text,
                at,
                url=permalink(urn),
                parent_external_id=parent,
                raw=entry,
            )
        above = str(found.get('parentComment') or found.get('object') or '')
        root = above if above.startswith(COMMENT) else ''
        return Item(
            'reply' if root else 'comment',
            urn,
            author_of(owner, entry.get('owner~')),
            text,
            at,
            url=permalink(urn),
            parent_external_id=root or source or above,
            conversation_id=root or source,
            edited_at=at if action == 'COMMENT_EDIT' else None,
            own=owner == self.me or action == 'ADMIN_COMMENT',
            raw=entry,
        )

    def comment(self, entry: Mapping[str, Any]) -> Item:
        """Return a comment of ``socialActions``."""
        urn, owner = comment_urn(entry), _urn(entry['actor'])
        created, changed = entry['created'], entry.get('lastModified') or {}
        root = str(entry.get('parentComment') or '')
        edited = changed.get('time')
        return Item(
            'reply' if root else 'comment',
            urn,
            author_of(owner, entry.get('owner~')),
            text_of(entry),
            moment(created['time']),
            url=permalink(urn),
            parent_external_id=root or _urn(entry['object']),
            conversation_id=root or _urn(entry['object']),
            edited_at=moment(edited) if edited and edited != created['time'] else None,
            own=owner == self.me,
            raw=entry,
        )


# --- profiles ------------------------------------------------------------------------------------


def person_profile(found: Mapping[str, Any]) -> Profile:
    """Return a member, of ``people``, ``me`` or ``userinfo``."""
    number = required_id(found.get('id') or found.get('sub'))
    first, last = (found.get(f'localized{part}Name') or '' for part in ('First', 'Last'))
    vanity = str(found.get('vanityName') or '')
    picture = found.get('picture')
    return Profile(
        external_id=f'{PERSON}{number}',
        handle=vanity or number,
        name=str(found.get('name') or f'{first} {last}'.strip()),
        url=f'{SITE}/in/{encode(vanity)}' if vanity else '',
        avatar_url=picture if isinstance(picture, str) else '',
        headline=str(found.get('localizedHeadline') or ''),
    )


def organization_profile(found: Mapping[str, Any]) -> Profile:
    """Return an organisation, of ``organizations`` or (less) of ``organizationsLookup``."""
    number, vanity = str(found['id']), str(found.get('vanityName') or '')
    website = found.get('localizedWebsite')
    names = found.get('name')
    local = next(iter((names.get('localized') or {}).values()), '') if names else ''
    return Profile(
        external_id=f'{ORGANIZATION}{number}',
        handle=vanity or number,
        name=str(found.get('localizedName') or local),
        url=f'{SITE}/company/{encode(vanity or number)}',
        bio=str(found.get('localizedDescription') or ''),
        links=(Link('website', website),) if isinstance(website, str) and website else (),
    )


def author_of(urn: str, known: Any = None) -> Profile:
    """Return an author by the URN, and by what is known of them where that can be read."""
    if isinstance(known, dict):
        try:
            make = organization_profile if urn.startswith(ORGANIZATION) else person_profile
            profile = make(known)
        except BAD:
            pass
        else:
            if profile.external_id == urn:
                return profile
    number = urn.rpartition(':')[2]
    url = f'{SITE}/company/{encode(number)}' if urn.startswith(ORGANIZATION) else ''
    return Profile(urn, number, url=url)


# --- pieces --------------------------------------------------------------------------------------


def moment(milliseconds: Any) -> datetime:
    """Return a time of the API as aware UTC; raise ValueError when it is none."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int):
        raise ValueError('not a time')
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)


def milliseconds(at: datetime) -> int:
    """Return a time as the API takes it."""
    return int(at.timestamp() * 1000)


def entry_id(entry: Any) -> str:
    """Return the id of a notification or a comment; empty when it has none."""
    if not isinstance(entry, dict):
        return ''
    return str(entry.get('notificationId') or entry.get('commentUrn') or entry.get('id') or '')


def entry_time(entry: Any, name: str) -> datetime | None:
    """Return when an entry was made, ``None`` when it does not say."""
    try:
        return moment(entry[name])
    except BAD:
        return None


def owner_of(entry: Any) -> str:
    """Return the URN of the author of what a notification is about, empty without one."""
    try:
        activity = entry['decoratedGeneratedActivity']
        owner = (activity.get('comment') or activity.get('share'))['owner']
    except BAD:
        return ''
    return owner if isinstance(owner, str) else ''


def comment_urn(entry: Mapping[str, Any]) -> str:
    """Return the URN of a comment, put together where a version of the API does not name it."""
    named = entry.get('commentUrn') or entry.get('$URN')
    if named:
        return _urn(named)
    return f'{COMMENT}({_urn(entry["object"])},{required_id(entry["id"])})'


def split_comment(urn: str) -> tuple[str, str]:
    """Return the post (an activity's URN) and the number of a comment's URN.

    :raise ValueError: when it is no comment's
    """
    if not urn.startswith(f'{COMMENT}(') or not urn.endswith(')'):
        raise ValueError('not a comment')
    post, comma, number = urn[len(COMMENT) + 1 : -1].rpartition(',')
    if not comma:
        raise ValueError('not a comment')
    # Older texts name the activity without its beginning.
    return (post if post.startswith('urn:li:') else f'urn:li:{post}'), number


def text_of(found: Mapping[str, Any]) -> str:
    """Return the text of a comment or a share, which is written in three ways."""
    for part in (found.get('text'), found.get('message')):
        text = part.get('text') if isinstance(part, dict) else part
        if isinstance(text, str):
            return text
    return ''


def permalink(urn: str) -> str:
    """Return the address of a post or a comment."""
    try:
        post, _number = split_comment(urn)
    except ValueError:
        return f'{SITE}/feed/update/{urn}'
    return f'{SITE}/feed/update/{post}?commentUrn={encode(urn)}'


def _urn(value: Any) -> str:
    text = required_text(value)
    if not text.startswith('urn:li:'):
        raise ValueError('not a URN')
    return text
