"""The sending half of the Mastodon adapter."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from mimetypes import guess_extension
from typing import Any, ClassVar
from urllib.parse import quote

from . import mastodon_servers as servers
from .errors import NotFound, NotSupported, OutcomeUnknown, Transient
from .mastodon_client import Client
from .mastodon_items import BAD, entry_id, entry_time, parse_time
from .text import graphemes, html_to_text, required_text
from .types import Limits, Media, Metrics, Outgoing, Sent

_URL = re.compile(r'\bhttps?://[^\s<>"]+', re.I)
_MENTION = re.compile(r'(?<![\w/@])@([\w.-]*\w)@[\w.:-]+\w')
_BATCH = 20


class Sending(Client):
    """Posts, answers, media, counters."""

    #: Seconds to wait for the server to process an upload.
    media_wait: ClassVar[float] = 30

    def limits(self) -> Limits:
        """See :meth:`.Provider.limits`: what the server said when it was discovered."""
        return servers.limits(self.app, self.default_limits)

    def count(self, text: str) -> int:
        """Return the length as Mastodon counts: graphemes, links at a fixed length, no hosts."""
        limits = self.app.metadata.get('limits')
        url_length = limits.get('url', 23) if isinstance(limits, Mapping) else 23
        if '://' in text:
            text = _URL.sub('x' * url_length, text)
        return graphemes(_MENTION.sub(r'@\1', text) if '@' in text else text)

    def compose(self, outgoing: Outgoing) -> str:
        """Return the text with the mention that makes it arrive, and the link, where they lack."""
        text = outgoing.text.strip()
        author = outgoing.target_author
        if author and outgoing.kind != 'post':
            mention = self._mention(author.handle)
            names = {mention.lower(), f'@{author.handle}'.lower()}
            if not names & {word.rstrip('.,:;!?').lower() for word in text.split()}:
                text = f'{mention} {text}'
        if outgoing.link and outgoing.link not in text:
            text = f'{text}\n\n{outgoing.link}'.strip()
        return text

    def send(self, outgoing: Outgoing, key: str) -> Sent:
        """Post a status; see :meth:`.Provider.send`.

        Every 5xx is OutcomeUnknown: Mastodon 4.6 answers 500 to a repeated key although the post
        exists, and others fail after storing.
        """
        direct = outgoing.kind == 'message' or outgoing.visibility == 'direct'
        if direct and 'no_direct' in self._quirks:
            raise NotSupported('This server takes no direct messages', 'direct')
        target = outgoing.target_local_id
        if outgoing.target and not target:
            target = self._local_id(outgoing.target)
        data: dict[str, Any] = {
            'status': self.compose(outgoing),
            'visibility': _visibility(outgoing),
            'in_reply_to_id': target,
            'language': outgoing.language,
            'media_ids[]': [self._upload(media) for media in outgoing.media],
        }
        status = self._call(
            'POST',
            '/api/v1/statuses',
            dict,
            data={name: value for name, value in data.items() if value},
            headers={} if 'no_key' in self._quirks else {'Idempotency-Key': key},
            writes=True,
        )
        try:
            return _sent(status)
        except BAD:
            raise OutcomeUnknown('The server did not name the post', 'bad_answer') from None

    def find_sent(self, outgoing: Outgoing, key: str, since: datetime) -> Sent | None:
        """Look for the post among own ones (text, parent, time) and below what it answers."""
        me, text = self._me, _skeleton(self.compose(outgoing))
        target = outgoing.target_local_id
        for found in self._own_posts(me, outgoing, since):
            status = found.get('reblog') or found
            try:
                if (
                    str(status['account']['id']) == me
                    and parse_time(status['created_at']) >= since - timedelta(minutes=2)
                    and (not target or self._same_id(status.get('in_reply_to_id'), target))
                    and _skeleton(html_to_text(status['content'])) == text
                ):
                    return _sent(status)
            except BAD:
                continue
        return None

    def _same_id(self, found: Any, wanted: str) -> bool:
        start = 10 if 'times_in_ids' in self._quirks else 0
        return str(found or '')[start:] == wanted[start:]

    def _own_posts(self, me: str, outgoing: Outgoing, since: datetime) -> Iterable[dict[str, Any]]:
        if outgoing.target_local_id:
            with suppress(NotFound):
                yield from self._context(outgoing.target_local_id)
        paths = [f'/api/v1/accounts/{quote(me, safe="")}/statuses']
        if 'home_has_own' in self._quirks:
            paths.append('/api/v1/timelines/home')
        for path in paths:
            params = {'limit': 40, 'exclude_reblogs': 'true'}
            for _page in range(5):
                entries = self._get(path, list, params=params)
                yield from (entry for entry in entries if isinstance(entry, dict))
                oldest = entry_time(entries[-1]) if entries else None
                last = entry_id(entries[-1]) if entries else ''
                if not oldest or oldest < since or params.get('max_id') == last:
                    break
                params['max_id'] = last

    def _upload(self, media: Media) -> str:
        # snac stores by the name: it must differ with the content, and have an ending.
        name = hashlib.sha256(media.content).hexdigest()[:32]
        name += guess_extension(media.mimetype) or '.bin'
        request: dict[str, Any] = {
            'files': {'file': (name, media.content, media.mimetype)},
            'data': {'description': media.description[:1500]} if media.description else None,
            'deadline': 300,
        }
        try:
            answer = self._call('POST', '/api/v2/media', dict, **request)
        except NotFound:
            answer = self._call('POST', '/api/v1/media', dict, **request)
        local_id = str(answer.get('id') or '')
        if not local_id:
            raise Transient('The server did not name the upload', 'bad_answer')
        waited, pause = 0.0, 0.5
        while answer.get('url') is None and waited < self.media_wait:
            time.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, 5)
            answer = self._get(f'/api/v1/media/{quote(local_id, safe="")}')
        if answer.get('url') is None:
            raise Transient('The server still processes the upload', 'media_processing')
        return local_id

    def delete(self, external_id: str, local_id: str = '') -> None:
        """Delete a status; NotSupported where the server has no such call (snac)."""
        try:
            path = f'/api/v1/statuses/{quote(local_id or self._local_id(external_id), safe="")}'
        except NotFound:
            return
        try:
            self._call('DELETE', path)
        except NotFound:
            try:
                self._get(path)
            except NotFound:
                return
            raise NotSupported('The server cannot delete posts', 'delete') from None

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """See :meth:`.Provider.metrics`; all or an error, in batches of 20 where the server can."""
        wanted = list(dict.fromkeys(ids))
        found: list[Any] = []
        if self.app.metadata.get('api', 0) >= 2:
            for start in range(0, len(wanted), _BATCH):
                batch = wanted[start : start + _BATCH]
                found += self._get('/api/v1/statuses', list, params={'id[]': batch})
        else:
            for local_id in wanted:
                try:
                    found.append(self._get(f'/api/v1/statuses/{quote(local_id, safe="")}'))
                except NotFound:
                    continue
        statuses = [status for status in found if isinstance(status, dict)]
        return {str(s.get('id')): _metrics(s.get('reblog') or s) for s in statuses}


# --- pieces --------------------------------------------------------------------------------------


def _visibility(outgoing: Outgoing) -> str:
    if outgoing.kind == 'message':
        return 'direct'
    return 'private' if outgoing.visibility == 'followers' else outgoing.visibility


def _sent(status: Mapping[str, Any]) -> Sent:
    """Return a status as what was sent; raise one of :data:`BAD` when it is not named."""
    uri, local_id = (
        required_text(status.get('uri') or status.get('url')),
        required_text(status['id']),
    )
    try:
        sent_at = parse_time(status['created_at'])
    except BAD:
        sent_at = None
    return Sent(uri, str(status.get('url') or uri), local_id, sent_at)


def _metrics(status: Mapping[str, Any]) -> Metrics:
    counts = [status.get(f'{name}_count') for name in ('favourites', 'replies', 'reblogs')]
    likes, comments, shares = (value if isinstance(value, int) else None for value in counts)
    return Metrics(likes=likes, comments=comments, shares=shares)


def _skeleton(text: str) -> str:
    """Return a text without what servers change in it: hosts of mentions, markup, blanks, case."""
    return re.sub(r'\W+', ' ', _MENTION.sub(r'@\1', text)).strip().casefold()
