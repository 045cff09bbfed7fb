"""The sending half of the LinkedIn adapter: posts, comments, files, counters."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar
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
from .linkedin_client import BATCH, Client, _url, elements
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
from .types import Media, Metrics, Outgoing, Sent

_CLOCKS = timedelta(minutes=2)
_UGC = 'urn:li:ugcPost:'
#: Author, title and so on of an article that LinkedIn shows; longer titles are cut there.
_TITLE = 400


class Sending(Client):
    """Posts, comments, files, counters."""

    #: Seconds to wait for LinkedIn to process an upload, and between two looks.
    media_wait: ClassVar[float] = 120
    media_pause: ClassVar[float] = 3

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

    # --- files -----------------------------------------------------------------------------------

    def _image(self, media: Media) -> str:
        value = self._begin('images', {'owner': self._me})
        self._put(value, media.content, media.mimetype)
        return self._uploaded(value, 'image')

    def _video(self, media: Media) -> str:
        size = len(media.content)
        wanted = {
            'owner': self._me,
            'fileSizeBytes': size,
            'uploadCaptions': False,
            'uploadThumbnail': False,
        }
        value = self._begin('videos', wanted)
        urn, parts = self._uploaded(value, 'video'), []
        instructions = value.get('uploadInstructions')
        for part in instructions if isinstance(instructions, list) else []:
            try:
                piece = media.content[part['firstByte'] : part['lastByte'] + 1]
            except BAD:
                raise Transient('The server names no parts to upload', 'bad_answer') from None
            parts.append(self._put(part, piece, 'application/octet-stream', signed=True))
        final = {
            'video': urn,
            'uploadToken': value.get('uploadToken') or '',
            'uploadedPartIds': parts,
        }
        url = _url('videos', {'action': 'finalizeUpload'})
        self._call('POST', url, json={'finalizeUploadRequest': final})
        self._wait(f'videos/{restli.encode(urn)}')
        return urn

    def _begin(self, kind: str, request: dict[str, Any]) -> dict[str, Any]:
        url = _url(kind, {'action': 'initializeUpload'})
        found = self._call_json('POST', url, json={'initializeUploadRequest': request})
        value = found.get('value')
        if not isinstance(value, dict):
            raise Transient('The server takes no upload', 'bad_answer')
        return value

    def _uploaded(self, value: dict[str, Any], name: str) -> str:
        urn = value.get(name)
        if not isinstance(urn, str) or not urn.startswith('urn:li:'):
            raise Transient('The server did not name the upload', 'bad_answer')
        return urn

    def _put(
        self, where: dict[str, Any], content: bytes, mimetype: str, *, signed: bool = False
    ) -> str:
        """Upload a piece, and return its ETag. The addresses of videos are signed themselves."""
        url = where.get('uploadUrl')
        host = urlsplit(url).hostname if isinstance(url, str) else ''
        if not isinstance(url, str) or not host:
            raise Transient('The server names no place to upload to', 'bad_answer')
        # The token is for LinkedIn alone, whatever an answer says.
        ours = not signed and (host == 'linkedin.com' or host.endswith('.linkedin.com'))
        answer = self.http.request(
            'PUT',
            url,
            data=content,
            token=self._grant.access_token if ours else '',
            headers={'Content-Type': mimetype},
            errors=self._error,
            deadline=300,
        )
        return answer.headers.get('ETag', '').strip('"')

    def _wait(self, path: str) -> None:
        """Wait until an upload is ready; a member's own cannot be looked at, and is not."""
        waited = 0.0
        while waited <= self.media_wait:
            try:
                status = str(self._get(path).get('status'))
            except (PermissionMissing, NotFound):
                return
            if status == 'PROCESSING_FAILED':
                raise Rejected('LinkedIn cannot process this file', 'PROCESSING_FAILED')
            if status not in {'PROCESSING', 'WAITING_UPLOAD'}:
                return
            time.sleep(self.media_pause)
            waited += max(self.media_pause, 0.1)
        raise Transient('LinkedIn still processes the upload', 'media_processing')

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

    # --- counters --------------------------------------------------------------------------------

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """Return the counters of own posts and comments.

        Views are impressions, of a video its views. Shares, views and clicks are told to
        organisations; to members where the app may read their statistics.
        """
        wanted = list(dict.fromkeys(ids))
        found: dict[str, Metrics] = {}
        for start in range(0, len(wanted), BATCH):
            found |= self._social_counts(wanted[start : start + BATCH])
        posts = [urn for urn in found if not urn.startswith(COMMENT)]
        if self._is_organization:
            for start in range(0, len(posts), BATCH):
                self._add_statistics(found, posts[start : start + BATCH])
        elif self._granted('r_member_postAnalytics') and self._grant.scopes is not None:
            for urn in posts:
                self._add_member_statistics(found, urn)
        return found

    def _social_counts(self, urns: list[str]) -> dict[str, Metrics]:
        answer = self._get('socialMetadata', {'ids': urns}, method='BATCH_GET')
        results = answer.get('results')
        found = {}
        for urn, entry in (results if isinstance(results, dict) else {}).items():
            if urn not in urns or not isinstance(entry, dict):
                continue
            summary, reactions = entry.get('commentSummary'), entry.get('reactionSummaries')
            kinds = reactions.values() if isinstance(reactions, dict) else ()
            found[urn] = Metrics(
                likes=sum(_count(kind) or 0 for kind in kinds), comments=_count(summary)
            )
        return found

    def _add_statistics(self, found: dict[str, Metrics], urns: list[str]) -> None:
        """Add what an organisation is told; posts that nobody saw are left out of the answer."""
        params: dict[str, Any] = {'q': 'organizationalEntity', 'organizationalEntity': self._me}
        videos = [urn for urn in urns if urn.startswith(_UGC)]
        for name, some in (('ugcPosts', videos), ('shares', [u for u in urns if u not in videos])):
            if not some:
                continue
            try:
                answer = self._get(
                    'organizationalEntityShareStatistics', {**params, name: some}, method='FINDER'
                )
            except PermissionMissing:
                return
            totals = {}
            for entry in elements(answer):
                if isinstance(entry, dict) and isinstance(entry.get('totalShareStatistics'), dict):
                    urn = entry.get('share') or entry.get('ugcPost')
                    totals[str(urn)] = entry['totalShareStatistics']
            for urn in some:
                total, known = totals.get(urn, {}), found[urn]
                views = _number(total, 'impressionCount')
                found[urn] = Metrics(
                    likes=max(known.likes or 0, _number(total, 'likeCount')),
                    comments=max(known.comments or 0, _number(total, 'commentCount')),
                    shares=_number(total, 'shareCount'),
                    views=self._video_views(urn, views) if urn in videos else views,
                    clicks=_number(total, 'clickCount'),
                )

    def _video_views(self, urn: str, otherwise: int) -> int:
        """Return how often a video was viewed; polls have such URNs too, and no such figure."""
        params = {'q': 'entity', 'entity': urn, 'type': 'VIDEO_VIEW'}
        try:
            entries = elements(self._get('videoAnalytics', params, method='FINDER'))
        except (PermissionMissing, Rejected):
            return otherwise
        counts = [_number(e, 'value') for e in entries if isinstance(e, dict) and 'value' in e]
        return sum(counts) if counts else otherwise

    def _add_member_statistics(self, found: dict[str, Metrics], urn: str) -> None:
        entity = {'ugc' if urn.startswith(_UGC) else 'share': urn}
        values: dict[str, int | None] = {}
        for name, kind in (('views', 'IMPRESSION'), ('shares', 'RESHARE')):
            params = {
                'q': 'entity',
                'entity': entity,
                'queryType': kind,
                'aggregation': 'TOTAL',
            }
            try:
                entries = elements(self._get('memberCreatorPostAnalytics', params, method='FINDER'))
            except (PermissionMissing, Rejected):
                return
            values[name] = sum(_count(entry) or 0 for entry in entries)
        known = found[urn]
        found[urn] = Metrics(known.likes, known.comments, values['shares'], values['views'])


# --- pieces --------------------------------------------------------------------------------------


def _described(entry: dict[str, Any], media: Media) -> dict[str, Any]:
    return {**entry, 'altText': media.description[:4086]} if media.description else entry


def _sent_comment(found: dict[str, Any]) -> Sent:
    urn = comment_urn(found)
    created = entry_time(found.get('created'), 'time') or datetime.now(timezone.utc)
    return Sent(urn, permalink(urn), sent_at=created)


def _count(entry: Any) -> int | None:
    count = entry.get('count') if isinstance(entry, dict) else None
    return count if isinstance(count, int) and count >= 0 else None


def _number(total: dict[str, Any], name: str) -> int:
    value = total.get(name)
    return value if isinstance(value, int) and value > 0 else 0


def _skeleton(text: str) -> str:
    """Return a text without what LinkedIn may change in it: markup, blanks, case."""
    return re.sub(r'\W+', ' ', text).strip().casefold()
