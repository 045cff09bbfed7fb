"""The sending half of the LinkedIn adapter: posts and comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from . import restli
from .errors import (
    NotFound,
    NotSupported,
    OutcomeUnknown,
    PermissionMissing,
    Rejected,
    Transient,
)
from .linkedin_client import _url, elements
from .linkedin_counters import Counters
from .linkedin_files import Files
from .linkedin_items import (
    BAD,
    COMMENT,
    comment_urn,
    entry_time,
    moment,
    permalink,
    split_comment,
    text_of,
)
from .linkedin_text import from_little, to_little
from .types import Media, Outgoing, Sent

_CLOCKS = timedelta(minutes=2)
#: Author, title and so on of an article that LinkedIn shows; longer titles are cut there.
_TITLE = 400


class Sending(Files, Counters):
    """Posts and comments."""

    def compose(self, outgoing: Outgoing) -> str:
        """Return the text with the link where no card shows it: beside files, in comments."""
        text = outgoing.text.strip()
        card = outgoing.kind == 'post' and not outgoing.media
        if outgoing.link and not card and outgoing.link not in text:
            text = f'{text}\n\n{outgoing.link}'.strip()
        return text

    def send(self, outgoing: Outgoing, key: str) -> Sent:
        """Publish a post, or a comment below ``target`` (a post or a comment).

        There is no idempotency key: LinkedIn refuses the same text a second time (Duplicate).
        """
        if outgoing.kind == 'message' or outgoing.visibility == 'direct':
            raise NotSupported('LinkedIn has no messages for this', 'message')
        return self._post(outgoing) if outgoing.kind == 'post' else self._comment(outgoing)

    # --- posts -----------------------------------------------------------------------------------

    def _post(self, outgoing: Outgoing) -> Sent:
        content = self._content(outgoing)
        body: dict[str, Any] = {
            'author': self._me,
            'commentary': to_little(self.compose(outgoing)),
            'visibility': 'CONNECTIONS' if outgoing.visibility == 'followers' else 'PUBLIC',
            'distribution': {
                'feedDistribution': 'MAIN_FEED',
                'targetEntities': [],
                'thirdPartyDistributionChannels': [],
            },
            'lifecycleState': 'PUBLISHED',
            'isReshareDisabledByAuthor': False,
        }
        if content:
            body['content'] = content
        answer = self._call('POST', _url('posts'), json=body, writes=True)
        urn = answer.headers.get('x-restli-id', '')
        if not urn.startswith('urn:li:'):
            raise OutcomeUnknown('The server did not name the post', 'bad_answer')
        return Sent(urn, permalink(urn), sent_at=datetime.now(timezone.utc))

    def _content(self, outgoing: Outgoing) -> dict[str, Any]:
        media = outgoing.media
        if not media:
            if not outgoing.link:
                return {}
            # LinkedIn looks at no page itself: the card shows what is said here.
            title = urlsplit(outgoing.link).hostname or outgoing.link
            return {'article': {'source': outgoing.link, 'title': title[:_TITLE]}}
        videos = [file for file in media if file.mimetype.startswith('video/')]
        if videos and len(media) > 1:
            raise Rejected('A video stands alone in a post', 'media_mix')
        if videos:
            return {'media': {'id': self._video(videos[0]), 'title': videos[0].filename or 'Video'}}
        images = [_described({'id': self._image(file)}, file) for file in media]
        return {'media': images[0]} if len(images) == 1 else {'multiImage': {'images': images}}

    # --- comments --------------------------------------------------------------------------------

    def _comment(self, outgoing: Outgoing) -> Sent:
        below, body = self._comment_body(outgoing)
        if outgoing.media:
            body['content'] = [{'entity': {'image': self._image(outgoing.media[0])}}]
        try:
            found = self._write_comment(below, body)
        except NotFound as error:
            if outgoing.target_author is None:
                # Our own post: LinkedIn takes a while before it lets anybody comment on it.
                raise Transient(error.reason, error.code) from None
            raise
        except Rejected as error:
            above = self._comment_above(below) if error.code == '400' else ''
            if not above:
                raise
            found = self._write_comment(above, {**body, 'parentComment': above})
        try:
            return _sent_comment({'object': body['object'], **found})
        except BAD:
            raise OutcomeUnknown('The server did not name the comment', 'bad_answer') from None

    def _write_comment(self, below: str, body: dict[str, Any]) -> dict[str, Any]:
        url = _url(f'socialActions/{restli.encode(below)}/comments')
        found: dict[str, Any] = self._call_json('POST', url, json=body, writes=True)
        return found

    def _comment_above(self, urn: str) -> str:
        """Return the first comment that a comment answers: nothing can be put below an answer.

        Notifications do not always tell it, so that it is asked for once LinkedIn has refused.
        """
        try:
            post, number = split_comment(urn)
            path = f'socialActions/{restli.encode(post)}/comments/{restli.encode(number)}'
            above = self._get(path).get('parentComment')
        except (ValueError, PermissionMissing, Rejected):
            return ''
        return above if isinstance(above, str) and above.startswith(COMMENT) else ''

    def _comment_body(self, outgoing: Outgoing) -> tuple[str, dict[str, Any]]:
        """Return what a comment is put below, and the comment.

        Comments are two levels deep: the answer to an answer goes below the first comment, which
        the conversation names.
        """
        below = outgoing.target
        if outgoing.conversation_id.startswith(COMMENT):
            below = outgoing.conversation_id
        body: dict[str, Any] = {
            'actor': self._me,
            'object': below,
            'message': {'text': self.compose(outgoing), 'attributes': []},
        }
        if below.startswith(COMMENT):
            try:
                body['object'] = split_comment(below)[0]
            except ValueError:
                raise Rejected('This is no comment of LinkedIn', 'target') from None
            body['parentComment'] = below
        return below, body

    # --- what was sent ---------------------------------------------------------------------------

    def find_sent(self, outgoing: Outgoing, key: str, since: datetime) -> Sent | None:
        """Look among the own newest posts, or the comments below what was answered.

        :raise PermissionMissing: for a member's posts, which LinkedIn shows to few apps
        """
        if outgoing.kind == 'post':
            return self._find_post(outgoing, since)
        below, body = self._comment_body(outgoing)
        wanted = _skeleton(body['message']['text'])
        for entry in self._comments(below):
            at = entry_time(entry.get('created'), 'time')
            ours = entry.get('actor') == self._me and at and at >= since - _CLOCKS
            if ours and _skeleton(text_of(entry)) == wanted:
                with suppress(*BAD):
                    return _sent_comment(entry)
        return None

    def _find_post(self, outgoing: Outgoing, since: datetime) -> Sent | None:
        params = {'q': 'author', 'author': self._me, 'count': 50, 'sortBy': 'LAST_MODIFIED'}
        wanted = _skeleton(self.compose(outgoing))
        for entry in elements(self._get('posts', params, method='FINDER')):
            try:
                at = moment(entry.get('publishedAt') or entry['createdAt'])
                urn, text = str(entry['id']), from_little(entry['commentary'])
            except BAD:
                continue
            if at >= since - _CLOCKS and _skeleton(text) == wanted:
                return Sent(urn, permalink(urn), sent_at=at)
        return None

    def _comments(self, below: str) -> Iterator[dict[str, Any]]:
        """Yield the comments below a post or a comment."""
        yield from self._all(f'socialActions/{restli.encode(below)}/comments', {})

    def delete(self, external_id: str, local_id: str = '') -> None:
        """Delete an own post or comment."""
        if external_id.startswith(COMMENT):
            try:
                post, number = split_comment(external_id)
            except ValueError:
                return
            path = f'socialActions/{restli.encode(post)}/comments/{restli.encode(number)}'
            url, method = _url(path, {'actor': self._me}), ''
        else:
            url, method = _url(f'posts/{restli.encode(external_id)}'), 'DELETE'
        try:
            self._call('DELETE', url, method=method)
        except NotFound:
            return


# --- pieces --------------------------------------------------------------------------------------


def _described(entry: dict[str, Any], media: Media) -> dict[str, Any]:
    return {**entry, 'altText': media.description[:4086]} if media.description else entry


def _sent_comment(found: dict[str, Any]) -> Sent:
    urn = comment_urn(found)
    created = entry_time(found.get('created'), 'time') or datetime.now(timezone.utc)
    return Sent(urn, permalink(urn), sent_at=created)


def _skeleton(text: str) -> str:
    """Return a text without what LinkedIn may change in it: markup, blanks, case."""
    return re.sub(r'\W+', ' ', text).strip().casefold()
