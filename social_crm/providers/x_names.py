"""What X calls things in its calls: the ``tweet.*`` names, and the ``post.*`` ones that follow.

The description of August 2026 has the new names, the running service took the old ones. So a call
begins with the names that worked last, and a refusal that names one of the parameters changes them
(see :meth:`.x_client.Client._read`). Answers are read in both spellings, always.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_COMMON = (
    'attachments',
    'conversation_id',
    'created_at',
    'entities',
    'geo',
    'id',
    'lang',
    'possibly_sensitive',
    'public_metrics',
    'reply_settings',
    'text',
)
_USER = (
    'created_at',
    'description',
    'entities',
    'id',
    'location',
    'name',
    'profile_image_url',
    'protected',
    'public_metrics',
    'url',
    'username',
    'verified',
    'verified_type',
)
_MEDIA = ('alt_text', 'media_key', 'preview_image_url', 'type', 'url', 'variants')

#: Parameters of all calls that give people, and of those that give messages.
USERS = {'user.fields': ','.join(_USER)}
MESSAGES = {
    'dm_event.fields': 'attachments,created_at,dm_conversation_id,entities,event_type,id,text',
    'event_types': 'MessageCreate',
    'expansions': 'sender_id,attachments.media_keys',
    'media.fields': ','.join(_MEDIA),
    **USERS,
}


@dataclass(frozen=True)
class Names:
    """One spelling. ``own`` are the fields that only the author may ask for."""

    fields_name: str
    fields: tuple[str, ...]
    expansions: tuple[str, ...]
    own: tuple[str, ...] = ('non_public_metrics', 'organic_metrics')

    def posts(self) -> dict[str, str]:
        """Return the parameters of a call that gives whole posts."""
        return {
            self.fields_name: ','.join(self.fields),
            'expansions': ','.join(self.expansions),
            'media.fields': ','.join(_MEDIA),
            **USERS,
        }

    def metrics(self, own: bool = False) -> dict[str, str]:
        """Return the parameters of a call that gives counters alone."""
        return {self.fields_name: ','.join(self.own if own else ('public_metrics',))}


TWEET = Names(
    'tweet.fields',
    (
        *_COMMON,
        'author_id',
        'edit_history_tweet_ids',
        'in_reply_to_user_id',
        'note_tweet',
        'referenced_tweets',
    ),
    (
        'attachments.media_keys',
        'author_id',
        'entities.mentions.username',
        'in_reply_to_user_id',
        'referenced_tweets.id',
    ),
)
POST = Names(
    'post.fields',
    (*_COMMON, 'note_post'),
    (
        'attachments.media_keys',
        'author_id',
        'edit_history_post_ids',
        'entities.mentions.username',
        'in_reply_to_user_id',
        'referenced_posts',
    ),
)
SPELLINGS: Mapping[str, Names] = {'tweet': TWEET, 'post': POST}


class Spelling:
    """The spelling that worked last: the same for all accounts, so each process learns it once."""

    current = 'tweet'

    @classmethod
    def other(cls, tried: str) -> str:
        """Return the spelling to try after ``tried`` was refused, and remember it."""
        cls.current = 'post' if tried == 'tweet' else 'tweet'
        return cls.current
