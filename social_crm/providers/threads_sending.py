"""The sending half of the Threads adapter: containers, their publication, counters.

A post is made in two steps: a container, that nobody sees, and its publication. The second step is
never taken twice for a container whose publication may have happened, and no second container is
made in one call.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar
from urllib.parse import quote

from .errors import (
    AuthorizationLost,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rejected,
    Transient,
)
from .meta import parse_time
from .meta_client import GraphClient, rows_of
from .text import required_id
from .threads_items import BAD, FIELDS
from .types import Media, Metrics, Outgoing, Profile, Sent

try:
    import regex
except ImportError:  # without it, lengths are an upper bound: what is no letter counts its bytes
    regex = None

_CLOCKS = timedelta(minutes=2)
_MOST_PAGES = 5
_METRICS = 'views,likes,replies,reposts,quotes,shares'
#: Without an address of the quota's end: it frees up bit by bit over a day.
_QUOTA_PAUSE = timedelta(hours=1)
_EMOJI = r'[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}\u200d\ufe0f\u20e3]'
_FAILED = {'ERROR', 'EXPIRED'}


class Sending(GraphClient):
    """Posts, replies, counters."""

    graph = 'https://graph.threads.net/v1.0'
    api_version = 'v1.0'
    api_ends = None  # there are no dated versions: changes are for all

    #: Seconds to wait until a container can be published, and between two looks.
    ready_wait: ClassVar[float] = 240
    ready_pause: ClassVar[float] = 2

    @property
    def _me(self) -> Profile:
        if not self.me or not self.me.handle:
            self.me = self.whoami()
        return self.me

    def _proof(self, token: str) -> dict[str, str]:
        """Return nothing: this host takes no proof."""
        return {}

    def count(self, text: str) -> int:
        """Return the length as Threads counts: characters, and the bytes of emoji."""
        if text.isascii():
            return len(text)
        if regex:
            extra = regex.findall(_EMOJI, text)
        else:
            extra = [sign for sign in text if not sign.isalnum()]
        return len(text) + sum(len(sign.encode('utf-8', 'replace')) - 1 for sign in extra)

    def compose(self, outgoing: Outgoing) -> str:
        """Return the text with the link where no card shows it: beside files."""
        text = outgoing.text.strip()
        if outgoing.link and outgoing.media and outgoing.link not in text:
            text = f'{text}\n\n{outgoing.link}'.strip()
        return text

    # --- send ------------------------------------------------------------------------------------

    def send(self, outgoing: Outgoing, key: str) -> Sent:
        """Publish a post or a reply; see :meth:`.Provider.send`.

        Where the answer to the publication got lost, the container tells whether it happened.

        :raise RateLimited: when the quota of a day is used up; nothing was made then
        """
        if outgoing.kind == 'message' or outgoing.visibility == 'direct':
            raise NotSupported('Threads has no messages', 'message')
        began = datetime.now(timezone.utc)
        self._check_quota('reply_' if outgoing.target else '')
        container = self._container(outgoing)
        self._wait_until_ready(container)
        try:
            number = self._publish(container)
        except OutcomeUnknown:
            sent = self._after_lost_answer(container, outgoing, key, began)
            if sent:
                return sent
            raise
        return self._named(number)

    def _check_quota(self, kind: str) -> None:
        names = f'{kind}quota_usage,{kind}config'
        try:
            rows = rows_of(self._get('me/threads_publishing_limit', fields=names))
        except AuthorizationLost:
            raise
        except ProviderError:
            return  # the publication itself will tell
        for row in rows:
            used, config = row.get(f'{kind}quota_usage'), row.get(f'{kind}config')
            total = config.get('quota_total') if isinstance(config, dict) else None
            if isinstance(used, int) and isinstance(total, int) and used >= total > 0:
                words = f'The quota of {total} a day is used up'
                raise RateLimited(words, 'quota', datetime.now(timezone.utc) + _QUOTA_PAUSE)

    def _container(self, outgoing: Outgoing) -> str:
        """Make the container, with those of its files; nobody sees anything of it."""
        text, media = self.compose(outgoing), outgoing.media
        data: dict[str, Any] = {'text': text}
        if not media:
            data['media_type'] = 'TEXT'
            if outgoing.link:
                data['link_attachment'] = outgoing.link
        elif len(media) == 1:
            data |= _file(media[0])
        else:
            children = [self._create({**_file(file), 'is_carousel_item': 'true'}) for file in media]
            for child in children:
                self._wait_until_ready(child)
            data |= {'media_type': 'CAROUSEL', 'children': ','.join(children)}
        if outgoing.target:
            data['reply_to_id'] = outgoing.target
        return self._create(data)

    def _create(self, data: dict[str, Any]) -> str:
        # A container that is lost does no harm: it ends by itself.
        return _number(self._post('me/threads', writes=False, data=_given(data)), Transient)

    def _wait_until_ready(self, container: str) -> None:
        waited = 0.0
        while True:
            status, reason = self._status(container)
            if status in _FAILED:
                raise Rejected(reason or 'Threads cannot use this', reason or status)
            if status not in {'IN_PROGRESS', 'NOT_FOUND'}:
                return  # finished; or a word that is not known, and the publication will tell
            if waited >= self.ready_wait:
                raise Transient('Threads still works on the files', 'media_processing')
            time.sleep(self.ready_pause)
            waited += max(self.ready_pause, 0.1)

    def _status(self, container: str) -> tuple[str, str]:
        """Return the status of a container, and the code of what went wrong with it."""
        try:
            found = self._get(quote(container, safe=''), fields='id,status,error_message')
        except NotFound:  # not there yet
            return 'NOT_FOUND', ''
        return str(found.get('status') or ''), str(found.get('error_message') or '')[:100]

    def _publish(self, container: str) -> str:
        """Publish a container, and return the post's id."""
        waited = 0.0
        while True:
            try:
                data = {'creation_id': container}
                return _number(self._post('me/threads_publish', data=data), OutcomeUnknown)
            except (NotFound, Transient) as error:
                # "Not there yet" (24) although it was finished: surely nothing was published.
                if not error.code.startswith('24') or waited >= self.ready_wait:
                    raise Transient(error.reason, error.code) from None
            time.sleep(self.ready_pause)
            waited += max(self.ready_pause, 0.1)

    def _after_lost_answer(
        self, container: str, outgoing: Outgoing, key: str, began: datetime
    ) -> Sent | None:
        with suppress(ProviderError):
            if self._status(container)[0] == 'PUBLISHED':
                return self.find_sent(outgoing, key, began)
        return None

    def _named(self, number: str) -> Sent:
        """Return a post with its address, which only the post itself tells."""
        found: dict[str, Any] = {}
        with suppress(ProviderError):
            found = self._get(quote(number, safe=''), fields='id,permalink,timestamp')
        now = datetime.now(timezone.utc).isoformat()
        return _sent({'timestamp': now, **found, 'id': number})

    # --- what was sent ---------------------------------------------------------------------------

    def find_sent(self, outgoing: Outgoing, key: str, since: datetime) -> Sent | None:
        """Look among the own newest posts or replies (text, parent, time)."""
        edge = 'me/replies' if outgoing.target else 'me/threads'
        wanted = _skeleton(self.compose(outgoing))
        for row in self._newest(edge, since - _CLOCKS):
            parent = row.get('replied_to')
            above = parent.get('id') if isinstance(parent, dict) else None
            if outgoing.target and above != outgoing.target:
                continue
            if _skeleton(str(row.get('text') or '')) == wanted:
                return _sent(row)
        return None

    def _newest(self, edge: str, since: datetime) -> Iterator[dict[str, Any]]:
        after = ''
        for _page in range(_MOST_PAGES):
            more = {'after': after} if after else {}
            body = self._get(edge, fields=FIELDS, limit=50, **more)
            for row in rows_of(body):
                try:
                    at = parse_time(row['timestamp'])
                except BAD:
                    continue
                if at < since:
                    return
                yield row
            after = next_of(body)
            if not after:
                return

    def delete(self, external_id: str, local_id: str = '') -> None:
        """See :meth:`.Provider.delete`; a hundred a day."""
        try:
            self._call('DELETE', quote(external_id, safe=''))
        except NotFound:
            return

    # --- counters --------------------------------------------------------------------------------

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """See :meth:`.Provider.metrics`; one call per post. Shares are reposts, quotes, sends."""
        found: dict[str, Metrics] = {}
        for number in dict.fromkeys(ids):
            try:
                body = self._get(f'{quote(number, safe="")}/insights', metric=_METRICS)
            except NotFound:
                continue
            values = {str(row.get('name')): _value(row) for row in rows_of(body)}
            shared = [values.get(name) for name in ('reposts', 'quotes', 'shares')]
            known = [value for value in shared if value is not None]
            found[number] = Metrics(
                likes=values.get('likes'),
                comments=values.get('replies'),
                shares=sum(known) if known else None,
                views=values.get('views'),
            )
        return found


# --- pieces ---------------------------------------------------------------------------------------


def next_of(body: Any) -> str:
    """Return the cursor of the next page; ``next`` is often absent, the end is an empty page."""
    paging = body.get('paging') if isinstance(body, dict) else None
    cursors = paging.get('cursors') if isinstance(paging, dict) and body.get('data') else None
    after = cursors.get('after') if isinstance(cursors, dict) else None
    return after if isinstance(after, str) else ''


def _file(media: Media) -> dict[str, Any]:
    """Return a file as Threads takes it: by an address that it can fetch it from."""
    if not media.url.startswith('https://'):
        raise Rejected('Threads fetches files itself: they need a public address', 'media_url')
    kind = 'VIDEO' if media.mimetype.startswith('video/') else 'IMAGE'
    name = 'video_url' if kind == 'VIDEO' else 'image_url'
    return {'media_type': kind, name: media.url, 'alt_text': media.description[:1000]}


def _given(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value}


def _number(body: dict[str, Any], error: type[ProviderError]) -> str:
    try:
        return required_id(body.get('id'))
    except ValueError:
        raise error('The server did not name what it made', 'bad_answer') from None


def _sent(row: dict[str, Any]) -> Sent:
    try:
        at = parse_time(row['timestamp'])
    except BAD:
        at = None
    return Sent(str(row.get('id') or ''), str(row.get('permalink') or ''), sent_at=at)


def _value(row: dict[str, Any]) -> int | None:
    """Return a figure, which comes in two forms."""
    total, values = row.get('total_value'), row.get('values')
    first = values[0] if isinstance(values, list) and values else total
    value = first.get('value') if isinstance(first, dict) else None
    return value if isinstance(value, int) and value >= 0 else None


def _skeleton(text: str) -> str:
    """Return a text without what Threads may change in it: blanks, marks, case."""
    return re.sub(r'\W+', ' ', text).strip().casefold()
