"""The sending half of the adapter of Facebook Pages: answers, messages, posts, counters.

No call takes an idempotency key, so each thing has one call that makes it visible, and all others
before it (uploads) leave nothing to see when they are repeated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

from .errors import NotFound, OutcomeUnknown, PermissionMissing, ProviderError, Rejected
from .facebook_items import BAD, author_of, count, id_of, readable
from .facebook_video import upload_video
from .meta import bare_id, parse_time
from .meta_client import inner_rows, rows_of
from .meta_login import FacebookLogin
from .types import Media, Metrics, Outgoing, Sent

#: Clocks differ.
_SLACK = timedelta(minutes=2)
_OWN_POSTS = 'id,message,created_time,permalink_url,from'
_OWN_COMMENTS = 'id,message,created_time,permalink_url,from'
_COUNTERS = (
    'id,shares,comments.filter(stream).limit(0).summary(true),reactions.limit(0).summary(true)'
)
_INSIGHTS = {'post_media_view': 'views', 'post_clicks': 'clicks'}
#: Code 10 of a message that comes too late.
WINDOW_CLOSED = {'10.2018278', '10.2534022'}
_KINDS = {'image': 'image', 'video': 'video', 'audio': 'audio'}


class Sending(FacebookLogin):
    """Sends as a page; ``token`` is the page's."""

    @property
    def _me(self) -> str:
        """Return the id of the page that the token belongs to."""
        known = self._grant.extra.get('page_id') or (self.me and self.me.external_id)
        return str(known or self.whoami().external_id)

    def compose(self, outgoing: Outgoing) -> str:
        """Return the text; the link of a post goes as one, with a preview, unless media go."""
        text = outgoing.text.strip()
        apart = outgoing.kind == 'post' and not outgoing.media
        if outgoing.link and not apart and outgoing.link not in text:
            text = f'{text}\n\n{outgoing.link}'.strip()
        return text

    def send(self, outgoing: Outgoing, key: str) -> Sent:
        """See :meth:`.Provider.send`; ``key`` is of no use here."""
        if outgoing.kind == 'post':
            return self._publish(outgoing)
        if outgoing.kind == 'message' or outgoing.visibility == 'direct':
            return self._write(outgoing)
        return self._answer(outgoing)

    def find_sent(self, outgoing: Outgoing, key: str, since: datetime) -> Sent | None:
        """Look for it among what the page wrote in the same place, by text and time."""
        text = skeleton(self.compose(outgoing))
        for row in self._own(outgoing):
            try:
                moment = parse_time(row['created_time'])
                said = skeleton(str(row.get('message') or ''))
                if said == text and moment >= since - _SLACK:
                    return _found(row, moment, outgoing.kind == 'post')
            except BAD:
                continue
        return None

    def delete(self, external_id: str, local_id: str = '') -> None:
        """See :meth:`.Provider.delete`."""
        try:
            self._call('DELETE', quote(local_id or external_id, safe=''))
        except NotFound:
            return

    # --- answers ---------------------------------------------------------------------------------

    def _answer(self, outgoing: Outgoing) -> Sent:
        if len(outgoing.media) > 1:
            raise Rejected('A comment holds one picture at most', 'media_count')
        target = self._comment_target(outgoing)
        data = {'message': self.compose(outgoing)}
        if outgoing.media:
            data['attachment_id'] = self._upload_photo(outgoing.media[0])
        body = self._post(f'{target}/comments', data={k: v for k, v in data.items() if v})
        return _sent(body)

    def _comment_target(self, outgoing: Outgoing) -> str:
        """Return what to comment on: a post, or the comment on top of a thread.

        Comments have two levels: an answer to an answer belongs below the one on top. (And the
        comment itself is never posted to: that would edit it.)
        """
        target = outgoing.target_local_id or outgoing.target
        if outgoing.kind == 'comment' or target.startswith(f'{self._me}_'):
            return quote(target, safe='')
        if outgoing.conversation_id:
            return quote(outgoing.conversation_id, safe='')
        found = self._get(quote(target, safe=''), fields='parent{id}').get('parent')
        top = found.get('id') if isinstance(found, dict) else ''
        return quote(str(top or target), safe='')

    # --- messages --------------------------------------------------------------------------------

    def _write(self, outgoing: Outgoing) -> Sent:
        text = self.compose(outgoing)
        if len(outgoing.media) > 1 or (outgoing.media and text):
            raise Rejected('A message holds a text or one file, not both', 'text_and_media')
        message: dict[str, Any] = {'text': text}
        if outgoing.media:
            message = {'attachment': self._attachment(outgoing.media[0])}
        call = {'recipient': self._recipient(outgoing), 'message': message}
        path = f'{self._messenger}/messages'
        try:
            body = self._post(path, json={**call, 'messaging_type': 'RESPONSE'})
        except Rejected as error:
            # Reviewed apps may answer for seven days, where a person writes; nothing was sent yet.
            if error.code not in WINDOW_CLOSED or not self.app.metadata.get('human_agent'):
                raise
            late = {'messaging_type': 'MESSAGE_TAG', 'tag': 'HUMAN_AGENT'}
            body = self._post(path, json={**call, **late})
        try:
            number = id_of(body, 'message_id')
        except BAD:
            raise OutcomeUnknown('The network did not name the message', 'bad_answer') from None
        return Sent(number, local_id=number, sent_at=datetime.now(timezone.utc))

    @property
    def _messenger(self) -> str:
        """Return the node that messages are sent from."""
        return self._me

    def _recipient(self, outgoing: Outgoing) -> dict[str, str]:
        """Return whom to write to: the author of a comment by the comment, others by their id."""
        comment = outgoing.target_local_id or outgoing.target
        if outgoing.kind == 'message' and is_comment(comment):
            return {'comment_id': comment}
        person = outgoing.target_author
        number = person.external_id if person else outgoing.conversation_id
        if not number:
            raise Rejected('Nobody to write to', 'recipient')
        return {'id': number}

    def _attachment(self, media: Media) -> dict[str, Any]:
        """Upload a file for a message, which nobody sees yet."""
        kind = _KINDS.get(media.mimetype.partition('/')[0], 'file')
        empty = {'attachment': {'type': kind, 'payload': {'is_reusable': False}}}
        body = self._post(
            f'{self._messenger}/message_attachments',
            writes=False,
            data={'message': json.dumps(empty)},
            files={'filedata': (media.filename or 'file', media.content, media.mimetype)},
            deadline=300,
        )
        number = readable(lambda found: id_of(found, 'attachment_id'), body)
        return {'type': kind, 'payload': {'attachment_id': number}}

    # --- posts -----------------------------------------------------------------------------------

    def _publish(self, outgoing: Outgoing) -> Sent:
        text = self.compose(outgoing)
        videos = [one for one in outgoing.media if one.mimetype.startswith('video/')]
        if videos:
            if len(outgoing.media) > 1:
                raise Rejected('A video goes alone', 'mix_media')
            return upload_video(self._post, self._get, self._me, videos[0], text)
        data: dict[str, str] = {'message': text}
        if outgoing.media:
            photos = [{'media_fbid': self._upload_photo(one)} for one in outgoing.media]
            data['attached_media'] = json.dumps(photos)
        elif outgoing.link:
            data['link'] = outgoing.link
        body = self._post(f'{self._me}/feed', data={k: v for k, v in data.items() if v})
        return _sent(body, is_post=True)

    def _upload_photo(self, media: Media) -> str:
        """Upload a picture that nobody sees yet; return its id."""
        data = {'published': 'false', 'alt_text_custom': media.description[:1000]}
        body = self._post(
            f'{self._me}/photos',
            writes=False,
            data={name: value for name, value in data.items() if value},
            files={'source': (media.filename or 'picture', media.content, media.mimetype)},
            deadline=300,
        )
        return readable(id_of, body)

    # --- what the page wrote ---------------------------------------------------------------------

    def _own(self, outgoing: Outgoing) -> Iterator[Mapping[str, Any]]:
        """Yield what the page wrote lately in the place where this would be, newest first."""
        if outgoing.kind == 'post':
            rows = self._rows(f'{self._me}/published_posts', fields=_OWN_POSTS, limit=50)
        elif outgoing.kind == 'message' or outgoing.visibility == 'direct':
            rows = self._own_messages(outgoing)
        else:
            rows = self._own_comments(outgoing)
        own = {self._me, self.me.external_id if self.me else self._me}
        return (row for row in rows if str(author_of(row).get('id')) in own)

    def _own_comments(self, outgoing: Outgoing) -> list[dict[str, Any]]:
        path = f'{self._comment_target(outgoing)}/comments'
        order = {'order': 'reverse_chronological', 'filter': 'stream'}
        return self._rows(path, fields=_OWN_COMMENTS, limit=50, **order)

    def _own_messages(self, outgoing: Outgoing) -> list[dict[str, Any]]:
        person = outgoing.target_author
        number = person.external_id if person else outgoing.conversation_id
        threads = self._rows(
            f'{self._messenger}/conversations',
            fields='messages.limit(20){id,message,from,created_time}',
            user_id=number,
            platform=self._platform,
        )
        return [row for thread in threads for row in inner_rows(thread.get('messages'))]

    _platform = 'messenger'

    def _rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        try:
            return rows_of(self._get(path, **params))
        except NotFound:
            return []

    # --- counters --------------------------------------------------------------------------------

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """See :meth:`.Provider.metrics`; of comments (a first comment) likes and answers.

        Views and clicks lack where insights are not permitted, or not offered for the page.
        """
        wanted = list(dict.fromkeys(ids))
        posts = [number for number in wanted if number.startswith(f'{self._me}_')]
        comments = [number for number in wanted if number not in set(posts)]
        found = self._counters(posts, _COUNTERS)
        insights = self._insights([number for number in posts if number in found])
        result = {
            number: Metrics(
                likes=_total(row.get('reactions')),
                comments=_total(row.get('comments')),
                shares=count((row.get('shares') or {}).get('count', 0)),
                views=insights.get((number, 'views')),
                clicks=insights.get((number, 'clicks')),
            )
            for number, row in found.items()
        }
        for number, row in self._counters(comments, 'id,like_count,comment_count').items():
            likes, answers = count(row.get('like_count')), count(row.get('comment_count'))
            result[number] = Metrics(likes=likes, comments=answers)
        return result

    def _counters(self, ids: Sequence[str], fields: str) -> dict[str, dict[str, Any]]:
        answers = self._read_batch([f'{quote(one, safe="")}?fields={fields}' for one in ids])
        found: dict[str, dict[str, Any]] = {}
        for number, answer in zip(ids, answers, strict=False):
            if isinstance(answer, dict):
                found[number] = answer
            elif not isinstance(answer, NotFound):
                raise answer
        return found

    def _insights(self, ids: Sequence[str]) -> dict[tuple[str, str], int]:
        """Return what insights tell, a metric at a time where the network refuses one of them."""
        both = ','.join(_INSIGHTS)
        urls = [f'{quote(one, safe="")}/insights?metric={both}' for one in ids]
        answers = dict(zip(ids, self._read_batch(urls), strict=False))
        refused = [one for one, answer in answers.items() if type(answer) is Rejected]
        rows: list[tuple[str, dict[str, Any] | ProviderError]] = [*answers.items()]
        if refused:
            again = [(one, metric) for one in refused for metric in _INSIGHTS]
            some = [f'{quote(one, safe="")}/insights?metric={metric}' for one, metric in again]
            names = (one for one, _metric in again)
            rows += zip(names, self._read_batch(some), strict=False)
        found: dict[tuple[str, str], int] = {}
        for number, answer in rows:
            if isinstance(answer, (PermissionMissing, Rejected)):
                continue
            if isinstance(answer, ProviderError):
                raise answer
            for row in rows_of(answer):
                name, value = _INSIGHTS.get(str(row.get('name'))), _value(row)
                if name and value is not None:
                    found[number, name] = value
        return found


# --- pieces ---------------------------------------------------------------------------------------


def is_comment(number: str) -> bool:
    """Tell whether an id may be one of a comment or a post: those of messages look otherwise."""
    return bool(re.fullmatch(r'\d+(_\d+)?', number))


def _sent(body: Mapping[str, Any], is_post: bool = False) -> Sent:
    try:
        return _found({'id': id_of(body)}, datetime.now(timezone.utc), is_post)
    except BAD:
        raise OutcomeUnknown('The network did not name what it made', 'bad_answer') from None


def _found(row: Mapping[str, Any], moment: datetime, is_post: bool) -> Sent:
    number = id_of(row)
    url = str(row.get('permalink_url') or f'https://www.facebook.com/{number}')
    return Sent(number if is_post else _external(number), url, number, moment)


def _external(number: str) -> str:
    """Return a comment's id as items have it; a message's stays as it is."""
    return bare_id(number) if is_comment(number) else number


def _total(edge: Any) -> int | None:
    summary = edge.get('summary') if isinstance(edge, dict) else None
    return count(summary.get('total_count')) if isinstance(summary, dict) else None


def _value(row: Mapping[str, Any]) -> int | None:
    """Return an insight's value; where it comes in parts (paid and not), their sum."""
    values = row.get('values')
    value = values[0].get('value') if isinstance(values, list) and values else None
    if isinstance(value, dict):
        parts = [part for part in map(count, value.values()) if part is not None]
        return sum(parts) if parts else None
    return count(value)


def skeleton(text: str) -> str:
    """Return a text without what the network may change in it."""
    return ' '.join(text.split()).casefold()
