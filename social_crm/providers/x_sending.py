"""The sending half of the X adapter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

from .errors import Duplicate, NotFound, OutcomeUnknown, ProviderError, Rejected
from .types import Item, Metrics, Outgoing, Sent
from .x_client import Refused
from .x_items import MESSAGE, SITE, Reader, entries_of, time_of
from .x_media import Uploads
from .x_names import MESSAGES, Names
from .x_text import URL_LENGTH, skeleton, weighted_length

_BATCH = 100
#: Own counters (clicks) are told for this long.
_OWN_METRICS = timedelta(days=30)
_SKEW = timedelta(minutes=2)
_PAGES = 3


class Sending(Uploads):
    """Posts, answers, messages, counters."""

    def count(self, text: str) -> int:
        """See :func:`.x_text.weighted_length`."""
        return weighted_length(text)

    def compose(self, outgoing: Outgoing) -> str:
        """Return the text with the link; X names the author of what is answered by itself."""
        text = outgoing.text.strip()
        if outgoing.link and outgoing.link not in text:
            text = f'{text}\n\n{outgoing.link}'.strip()
        return text

    def send(self, outgoing: Outgoing, key: str) -> Sent:
        """Post, answer or write; see :meth:`.Provider.send`.

        :raise Duplicate: when the same text stands there already
        :raise Rejected: with the words of X where it refuses an answer: ordinary apps may answer
            those only who mentioned or quoted the account.
        """
        if outgoing.kind == 'message':
            return self._send_message(outgoing)
        body: dict[str, Any] = {'text': self.compose(outgoing)}
        target = outgoing.target_local_id or outgoing.target
        if target:
            body['reply'] = {'in_reply_to_tweet_id': target}
        if outgoing.media:
            body['media'] = {'media_ids': [self._upload(media) for media in outgoing.media]}
            if not body['text']:
                del body['text']
        try:
            answer = self._call('POST', '/2/tweets', dict, json=body, writes=True)
        except Refused as error:
            raise self._why_refused(outgoing, error) from None
        has_link = weighted_length(body.get('text', '')) >= URL_LENGTH and _has_link(body)
        self._use('post_create_with_url' if has_link else 'post_create')
        number = _number(answer, 'id')
        return self._sent_post(number)

    def _why_refused(self, outgoing: Outgoing, error: Rejected) -> Rejected:
        """Return the refusal as what it is: X has one answer for a repeated text and for others.

        Its words would tell, but they change; so it is looked up whether the text stands there.
        """
        try:
            since = datetime.now(timezone.utc) - timedelta(days=1)
            twin = self._find_post(outgoing, since, pages=1, size=10)
        except ProviderError:
            twin = None
        return (Duplicate if twin else Rejected)(error.reason, error.code)

    def _send_message(self, outgoing: Outgoing) -> Sent:
        body: dict[str, Any] = {}
        if self.compose(outgoing):
            body['text'] = self.compose(outgoing)
        if outgoing.media:
            media = [{'media_id': self._upload(m, message=True)} for m in outgoing.media]
            body['attachments'] = media
        path = f'{_conversation_path(outgoing)}/messages'
        try:
            answer = self._call('POST', path, dict, json=body, writes=True)
        except Refused as error:
            raise Rejected(error.reason, error.code) from None
        self._use('message_create')
        return _sent_message(_number(answer, 'dm_event_id'), _conversation(answer))

    def find_sent(self, outgoing: Outgoing, key: str, since: datetime) -> Sent | None:
        """Look for it among own posts or the messages of the conversation: text, target, time."""
        if outgoing.kind == 'message':
            return self._find_message(outgoing, since)
        return self._find_post(outgoing, since, pages=_PAGES, size=20)

    def _find_post(self, outgoing: Outgoing, since: datetime, pages: int, size: int) -> Sent | None:
        text = skeleton(self.compose(outgoing))
        target = outgoing.target_local_id or outgoing.target
        for item in self._own_posts(since - _SKEW, pages, size):
            same_target = item.parent_local_id == target
            if same_target and item.own and skeleton(item.text) == text:
                return self._sent_post(item.local_id)
        return None

    def _own_posts(self, since: datetime, pages: int, size: int) -> Iterator[Item]:
        """Yield own posts since then, newest first. The newest ones may be missing for seconds."""
        now = datetime.now(timezone.utc)
        if since >= now:
            return
        params: dict[str, Any] = {'max_results': size, 'start_time': iso(since)}
        for _page in range(pages):
            path = f'/2/users/{self._me}/tweets'
            body = self._read(path, Names.posts, 'owned_read', **params)
            items, _bad = Reader(self._me).page(entries_of(body), 'thread')
            yield from reversed(items)
            token = (body.get('meta') or {}).get('next_token')
            if not token:
                return
            params['pagination_token'] = token

    def _find_message(self, outgoing: Outgoing, since: datetime) -> Sent | None:
        text, path = skeleton(self.compose(outgoing)), f'{_conversation_path(outgoing)}/dm_events'
        params = {**MESSAGES, 'max_results': 20}
        body = self._call('GET', path, dict, params=params)
        entries = entries_of(self._used(body, 'message_read'))
        items, _bad = Reader(self._me).page(entries, 'messages')
        for item in reversed(items):
            if item.own and item.posted_at >= since - _SKEW and skeleton(item.text) == text:
                return _sent_message(item.local_id, item.conversation_id)
        return None

    def delete(self, external_id: str, local_id: str = '') -> None:
        """See :meth:`.Provider.delete`; of a message only the own side is deleted."""
        number = quote(local_id or external_id.removeprefix(MESSAGE), safe='')
        kind = 'dm_events' if external_id.startswith(MESSAGE) else 'tweets'
        try:
            self._call('DELETE', f'/2/{kind}/{number}')
        except NotFound:
            return
        self._use('delete')

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """See :meth:`.Provider.metrics`; clicks are told for 30 days, where X tells them at all."""
        found: dict[str, Metrics] = {}
        wanted = list(dict.fromkeys(number for number in ids if number.isdigit()))
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            public = self._counters(batch, own=False)
            limit = datetime.now(timezone.utc) - _OWN_METRICS
            young = [number for number in public if time_of(number) > limit]
            try:
                # A call of its own: one post that X tells nothing of would spoil the whole answer.
                own = self._counters(young, own=True) if young else {}
            except Rejected:
                own = {}
            found |= {n: _metrics(row, own.get(n, {})) for n, row in public.items()}
        return found

    def _counters(self, ids: Sequence[str], own: bool) -> dict[str, dict[str, Any]]:
        body = self._read('/2/tweets', lambda n: n.metrics(own), 'owned_read', ids=','.join(ids))
        rows = body.get('data')
        return {
            str(row.get('id')): row
            for row in (rows if isinstance(rows, list) else [])
            if isinstance(row, dict)
        }

    def _sent_post(self, number: str) -> Sent:
        handle = self.me.handle if self.me and self.me.handle else 'i/web'
        return Sent(number, f'{SITE}/{handle}/status/{number}', number, time_of(number))


# --- pieces ---------------------------------------------------------------------------------------


def iso(moment: datetime) -> str:
    """Return a time as X wants it: in UTC, in whole seconds."""
    return moment.astimezone(timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')


def _number(answer: dict[str, Any], name: str) -> str:
    data = answer.get('data')
    number = data.get(name) if isinstance(data, dict) else None
    if not isinstance(number, str) or not number.isdigit():
        raise OutcomeUnknown('The server did not name what it made', 'bad_answer')
    return number


def _has_link(body: dict[str, Any]) -> bool:
    text = body.get('text', '')
    return '://' in text or 'www.' in text


def _conversation(answer: dict[str, Any]) -> str:
    return str(answer['data'].get('dm_conversation_id') or '')


def _sent_message(number: str, conversation: str) -> Sent:
    return Sent(f'{MESSAGE}{number}', f'{SITE}/messages/{conversation}', number, time_of(number))


def _conversation_path(outgoing: Outgoing) -> str:
    if outgoing.conversation_id:
        return f'/2/dm_conversations/{quote(outgoing.conversation_id, safe="")}'
    author = outgoing.target_author
    if not author:
        raise Rejected('A message needs somebody to write to', 'no_recipient')
    return f'/2/dm_conversations/with/{quote(author.local_id or author.external_id, safe="")}'


def _metrics(public: dict[str, Any], own: dict[str, Any]) -> Metrics:
    counts = public.get('public_metrics') or {}
    private = own.get('non_public_metrics') or {}
    reposts = counts.get('retweet_count', counts.get('repost_count'))
    quotes = counts.get('quote_count')
    shared = [count for count in (reposts, quotes) if isinstance(count, int)]
    return Metrics(
        likes=counts.get('like_count'),
        comments=counts.get('reply_count'),
        shares=sum(shared) if shared else None,
        views=counts.get('impression_count'),
        clicks=private.get('url_link_clicks'),
    )
