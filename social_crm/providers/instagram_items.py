"""Pure extractors: what Instagram says, by either login or by a push, to values of :mod:`.types`.

They raise KeyError, TypeError or ValueError where something needed is missing. People are known by
an id in comments and messages, and by their name alone where the network gives no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .facebook_items import Reader, author_of, count, id_of, web
from .types import Item, Link, Media, Profile

#: Before the ids that an answer to a mention wants; see :meth:`InstagramReader.mention`.
MENTION = 'mention:'


@dataclass
class InstagramReader(Reader):
    """Reads the entries of one account; ``handle`` is its name, empty when unknown."""

    handle: str = ''

    def entry(self, entry: dict[str, Any], stream: str) -> Item | None:
        """Return the item in an entry."""
        if stream == 'messages':
            return self.message(self._with_own_id(entry))
        return self.mention(entry) if stream == 'mentions' else self.comment(entry)

    def comment(self, entry: dict[str, Any]) -> Item:
        """Return a comment below a post, or an answer to one."""
        above, media = str(entry.get('parent_id') or ''), str(entry.get('media_id') or '')
        number = id_of(entry)
        return self._item(
            'reply' if above else 'comment',
            entry,
            number,
            local_id=number,
            parent_external_id=above or media,
            # Answers go below the comment on top.
            conversation_id=above or number,
        )

    def mention(self, entry: dict[str, Any]) -> Item:
        """Return a post that tags the account, or what a push names by its ids alone."""
        number = id_of(entry)
        media, comment = str(entry.get('media_id') or number), str(entry.get('comment_id') or '')
        return self._item(
            'mention',
            entry,
            number,
            local_id=number,
            parent_external_id=media if comment else '',
            conversation_id=f'{MENTION}{media}:{comment}',
        )

    def _item(self, kind: Any, entry: dict[str, Any], external_id: str, **values: Any) -> Item:
        item = super()._item(kind, self._with_own_id(entry), external_id, **values)
        url, still = web(entry.get('media_url')), web(entry.get('thumbnail_url'))
        if not url and not still:
            return replace(item, raw=entry)
        video = entry.get('media_type') == 'VIDEO'
        shown = Media('video/mp4' if video else 'image/jpeg', url, preview=still)
        return replace(item, media=(*item.media, shown), raw=entry)

    def author(self, entry: Mapping[str, Any], external_id: str) -> Profile:
        """Return who wrote."""
        given = author_of(entry)
        name = str(given.get('username') or entry.get('username') or '')
        number = str(given.get('id') or '')
        if not number and not name:
            return Profile(f'hidden:{external_id}', f'hidden:{external_id}')
        return Profile(
            external_id=number or f'user:{name}',
            handle=name or number,
            name=str(given.get('name') or ''),
            url=f'https://www.instagram.com/{name}/' if name else '',
        )

    def _with_own_id(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Return an entry with the account's usual id, where it names the account only."""
        given = author_of(entry)
        name = str(given.get('username') or entry.get('username') or '')
        if not self.handle or name.lower() != self.handle.lower() or not self.me:
            return entry
        return {**entry, 'from': {**given, 'id': min(self.me), 'username': name}}


def read_account(account: Mapping[str, Any]) -> Profile:
    """Return a professional account as a profile, as its own login, a page or a search gives it."""
    number = str(account.get('user_id') or id_of(account))
    name, website = str(account['username']), web(account.get('website'))
    return Profile(
        external_id=number,
        local_id=number,
        handle=name,
        name=str(account.get('name') or ''),
        url=f'https://www.instagram.com/{name}/',
        avatar_url=web(account.get('profile_picture_url') or account.get('profile_pic')),
        bio=str(account.get('biography') or ''),
        followers=_first_count(account, 'followers_count', 'follower_count'),
        following=count(account.get('follows_count')),
        posts=count(account.get('media_count')),
        verified=account.get('is_verified_user') is True,
        links=(Link('Website', website),) if website else (),
    )


def _first_count(account: Mapping[str, Any], *names: str) -> int | None:
    return next((n for n in (count(account.get(name)) for name in names) if n is not None), None)
