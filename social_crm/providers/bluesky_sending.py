"""The sending half of the Bluesky adapter: posts, answers, pictures, counters."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from . import bluesky_identity as identity
from .bluesky_chat import Chat
from .bluesky_items import BAD, POST, parse_time, utc_now, web_address
from .bluesky_text import facets_of
from .errors import NotFound, OutcomeUnknown, Rejected, Transient
from .text import graphemes
from .types import Media, Metrics, Outgoing, Sent

_BATCH = 25
_NO_PICTURE = (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError)
_ALPHABET = '234567abcdefghijklmnopqrstuvwxyz'
#: Record keys are times by their form: those of ours lie in the two years after this one, in
#: microseconds since 1970 (the first of January 2024).
_KEY_EPOCH = 1_704_067_200_000_000
_KEY_SPAN = 1 << 46


class Sending(Chat):
    """Posts are records under a key that is chosen here, so that none can be made twice."""

    def count(self, text: str) -> int:
        """Return the length as Bluesky counts: graphemes, links in full."""
        return graphemes(text)

    def compose(self, outgoing: Outgoing) -> str:
        """Return the text with the link, and with a mention where it answers no post."""
        text, author = outgoing.text.strip(), outgoing.target_author
        if author and outgoing.kind in {'reply', 'comment'} and not outgoing.target:
            mention = f'@{author.handle}'
            if mention.lower() not in {w.rstrip('.,:;!?').lower() for w in text.split()}:
                text = f'{mention} {text}'
        if outgoing.link and outgoing.link not in text:
            text = f'{text}\n\n{outgoing.link}'.strip()
        return text

    def send(self, outgoing: Outgoing, key: str) -> Sent:
        """Write a post's record, or send a message; see :meth:`.Provider.send`.

        :raise NotFound: when the post to be answered is gone
        :raise Rejected: with code ``reply_disabled`` when its author takes no answers: the network
            would take one, and hide it.
        """
        if outgoing.kind == 'message':
            return self._send_message(outgoing)
        text = self.compose(outgoing)
        record: dict[str, Any] = {
            '$type': POST,
            'text': text,
            'createdAt': _iso(utc_now()),
        }
        if outgoing.language:
            record['langs'] = [outgoing.language]
        if outgoing.target and outgoing.kind != 'post':
            record['reply'] = self._reply_to(outgoing.target)
        facets = self._facets(text)
        if facets:
            record['facets'] = facets
        if outgoing.media:
            images = [self._image(media) for media in outgoing.media]
            record['embed'] = {'$type': 'app.bsky.embed.images', 'images': images}
        data = {'repo': self._did, 'collection': POST, 'rkey': record_key(key), 'record': record}
        try:
            # Nothing there before: a second try must not overwrite what the first one made.
            answer = self._post(
                'com.atproto.repo.putRecord', json={**data, 'swapRecord': None}, writes=True
            )
        except Rejected as error:
            if error.code != 'InvalidSwap':
                raise
            answer = self._record(key)
            record = answer.get('value') or {}
        return self._sent(answer, record, key)

    def find_sent(self, outgoing: Outgoing, key: str, since: datetime) -> Sent | None:
        """Look the record up under its key; a message among the newest of its conversation."""
        if outgoing.kind == 'message':
            return self._find_message(outgoing, since)
        try:
            answer = self._record(key)
        except NotFound:
            return None
        sent = self._sent(answer, answer.get('value'), key)
        early = sent.sent_at and sent.sent_at < since - timedelta(minutes=2)
        return None if early else sent

    def _record(self, key: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._get(
            'com.atproto.repo.getRecord', repo=self._did, collection=POST, rkey=record_key(key)
        )
        return answer

    def _sent(self, answer: Any, record: Any, key: str) -> Sent:
        uri = f'at://{self._did}/{POST}/{record_key(key)}'
        if not isinstance(answer, Mapping) or answer.get('uri') != uri:
            raise OutcomeUnknown('The server did not name the post', 'bad_answer')
        handle = self.me.handle if self.me and self.me.handle else self._did
        try:
            sent_at = parse_time(record['createdAt'])
        except BAD:
            sent_at = None
        return Sent(uri, web_address(uri, handle), sent_at=sent_at)

    def _reply_to(self, target: str) -> dict[str, Any]:
        """Return the references that an answer needs: what it answers, and where that began."""
        post = self._own_post(target) or self._post_of_others(target)
        try:
            parent = {'uri': post['uri'], 'cid': post['cid']}
            root = (post['record'].get('reply') or {}).get('root') or parent
            return {'root': {'uri': root['uri'], 'cid': root['cid']}, 'parent': parent}
        except BAD:
            raise Transient('The server sent no readable post', 'bad_answer') from None

    def _own_post(self, uri: str) -> dict[str, Any] | None:
        """Return a post of this account: from its own server, the network may not know it yet."""
        repo, rkey = parts_of(uri)
        if repo != self._did:
            return None
        found = self._get('com.atproto.repo.getRecord', repo=repo, collection=POST, rkey=rkey)
        return {**found, 'record': found.get('value')}

    def _post_of_others(self, uri: str) -> dict[str, Any]:
        found = self._rows(self._get('app.bsky.feed.getPosts', uris=[uri]), 'posts')
        if not found or not isinstance(found[0], dict):
            raise NotFound('The post is gone, or hidden from this account', 'NotFound')
        if (found[0].get('viewer') or {}).get('replyDisabled'):
            raise Rejected('The author takes no answers to this post', 'reply_disabled')
        return found[0]

    def _facets(self, text: str) -> list[dict[str, Any]]:
        return facets_of(text, self._did_of)

    def _did_of(self, handle: str) -> str:
        """Return the DID of a handle that is named in a text, empty when nobody has it."""
        if self.me and handle == self.me.handle:
            return self._did
        try:
            found = self._get('com.atproto.identity.resolveHandle', handle=handle)
        except Rejected:
            return ''
        did = str(found.get('did') or '')
        return did if identity.is_did(did) else ''

    def _image(self, media: Media) -> dict[str, Any]:
        """Upload a picture; what no record refers to is deleted by the server after a while."""
        content = without_exif(media.content)
        answer = self._post(
            'com.atproto.repo.uploadBlob',
            data=content,
            headers={'Content-Type': media.mimetype},
            deadline=300,
        )
        blob = answer.get('blob') if isinstance(answer, dict) else None
        if not isinstance(blob, dict):
            raise Transient('The server did not name the upload', 'bad_answer')
        image = {'alt': media.description, 'image': blob}
        size = _size(content)
        return {**image, 'aspectRatio': size} if size else image

    def delete(self, external_id: str, local_id: str = '') -> None:
        """Delete an own post; quiet when it is gone already."""
        repo, rkey = parts_of(external_id)
        if repo != self._did or not rkey:
            raise Rejected('Not a post of this account', 'not_own')
        data = {'repo': repo, 'collection': POST, 'rkey': rkey}
        self._post('com.atproto.repo.deleteRecord', json=data)

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """See :meth:`.Provider.metrics`; by the address of the record, in batches of 25.

        Shares are reposts and quotes; nobody counts views.
        """
        wanted = [uri for uri in dict.fromkeys(ids) if uri.startswith('at://')]
        found: dict[str, Metrics] = {}
        for start in range(0, len(wanted), _BATCH):
            answer = self._get('app.bsky.feed.getPosts', uris=wanted[start : start + _BATCH])
            for post in self._rows(answer, 'posts'):
                if isinstance(post, dict) and isinstance(post.get('uri'), str):
                    found[post['uri']] = _metrics(post)
        return found


# --- pieces --------------------------------------------------------------------------------------


def parts_of(uri: str) -> tuple[str, str]:
    """Return the DID and the record key in a post's address; empty where it is none."""
    repo, _, rkey = uri.removeprefix('at://').partition(f'/{POST}/')
    return repo, rkey


def record_key(key: str) -> str:
    """Return the record key (a TID) for an idempotency key: always the same one.

    It has the form of a time, and is none: of the 63 bits all that matters is that no two keys
    meet, and that the time it seems to say is past.
    """
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], 'big')
    return tid(_KEY_EPOCH + (number >> 10) % _KEY_SPAN, number & 1023)


def tid(microseconds: int, clock: int) -> str:
    """Return a timestamp identifier: 13 characters that sort as the time does."""
    number = (microseconds << 10) | clock
    return ''.join(_ALPHABET[number >> shift & 31] for shift in range(60, -1, -5))


def without_exif(content: bytes) -> bytes:
    """Return a photograph without what its camera noted, such as the place: the network keeps that.

    How it was held is applied first. Other pictures, and what is none, stay as they are.
    """
    try:
        with Image.open(io.BytesIO(content)) as picture:
            if picture.format != 'JPEG' or not picture.getexif():
                return content
            upright, out = ImageOps.exif_transpose(picture), io.BytesIO()
            profile = picture.info.get('icc_profile')
            upright.save(out, 'JPEG', quality=92, exif=b'', icc_profile=profile)
    except _NO_PICTURE:
        return content
    return out.getvalue()


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec='milliseconds').replace('+00:00', 'Z')


def _size(content: bytes) -> dict[str, int] | None:
    try:
        with Image.open(io.BytesIO(content)) as picture:
            width, height = picture.size
    except _NO_PICTURE:
        return None
    return {'width': width, 'height': height} if width > 0 and height > 0 else None


def _metrics(post: Mapping[str, Any]) -> Metrics:
    counts = [post.get(f'{name}Count') for name in ('like', 'reply', 'repost', 'quote')]
    likes, comments, reposts, quotes = (c if isinstance(c, int) else None for c in counts)
    shares = None if reposts is None else reposts + (quotes or 0)
    return Metrics(likes=likes, comments=comments, shares=shares)
