"""The sending half of the Instagram adapter: answers, messages, posts, counters.

A post is made in steps: the network fetches each file from its address into a *container*, works on
it, and publishes it by one last call. Containers are seen by nobody and vanish after a day, so that
only the last call is never repeated blindly.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar
from urllib.parse import quote

from .errors import (
    NotFound,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    RateLimited,
    Rejected,
    Transient,
)
from .facebook_items import BAD, count, id_of, readable, text_of
from .facebook_sending import Sending, skeleton
from .instagram_items import MENTION
from .instagram_login import InstagramLogin
from .meta import PASSING_SUBCODES, parse_time
from .meta_client import rows_of
from .types import Media, Metrics, Outgoing, Sent

_SLACK = timedelta(minutes=2)
_OWN_POSTS = 'id,caption,timestamp,permalink'
_OWN_COMMENTS = 'id,text,timestamp,username,from{id,username}'
_COUNTERS = 'id,like_count,comments_count'
_INSIGHTS = {'views': 'views', 'shares': 'shares'}
#: Code of a container that the network still works on.
_NOT_READY = '2207027'


class InstagramSending(InstagramLogin, Sending):
    """Sends as a professional account, by either login."""

    #: Seconds between looks at a container, and to wait for a picture and for a video.
    pause: ClassVar[float] = 5
    picture_wait: ClassVar[float] = 120
    video_wait: ClassVar[float] = 900
    _platform = 'instagram'

    def compose(self, outgoing: Outgoing) -> str:
        """Return the text with the link in it: there are no other links."""
        text = outgoing.text.strip()
        if outgoing.link and outgoing.link not in text:
            text = f'{text}\n\n{outgoing.link}'.strip()
        return text

    # --- answers ---------------------------------------------------------------------------------

    def _answer(self, outgoing: Outgoing) -> Sent:
        if outgoing.media:
            raise Rejected('Comments hold no pictures here', 'media_count')
        text = self.compose(outgoing)
        media, comment = self._mentioned(outgoing)
        if media:
            data = {'media_id': media, 'comment_id': comment, 'message': text}
            path = f'{self._me}/mentions'
        else:
            data, path = {'message': text}, self._answers(outgoing)
        body = self._post(path, data={name: value for name, value in data.items() if value})
        return _made(body)

    def _answers(self, outgoing: Outgoing) -> str:
        """Return the edge that an answer goes to: comments of a post, replies of a comment."""
        target = outgoing.target_local_id or outgoing.target
        if outgoing.kind == 'comment':
            return f'{quote(target, safe="")}/comments'
        return f'{quote(outgoing.conversation_id or target, safe="")}/replies'

    def _mentioned(self, outgoing: Outgoing) -> tuple[str, str]:
        """Return the post and the comment of others in which the account was mentioned."""
        if not outgoing.conversation_id.startswith(MENTION):
            return '', ''
        media, _, comment = outgoing.conversation_id.removeprefix(MENTION).partition(':')
        return media, comment

    def _attachment(self, media: Media) -> dict[str, Any]:
        """See :meth:`.Sending._attachment`; the network fetches the file where it has an address"""
        if not media.url:
            return super()._attachment(media)
        kind = media.mimetype.partition('/')[0]
        kind = kind if kind in {'image', 'video', 'audio'} else 'file'
        return {'type': kind, 'payload': {'url': media.url}}

    # --- posts -----------------------------------------------------------------------------------

    def _publish(self, outgoing: Outgoing) -> Sent:
        text = self.compose(outgoing)
        if not outgoing.media:
            raise Rejected('Instagram wants a picture or a video', 'media_required')
        if not all(media.url.startswith('https://') for media in outgoing.media):
            raise Rejected('Instagram fetches files from a public address', 'media_url')
        self._check_quota()
        if len(outgoing.media) == 1:
            container = self._container(outgoing.media[0], caption=text)
        else:
            children = [self._container(media, is_carousel_item='true') for media in outgoing.media]
            data = {'media_type': 'CAROUSEL', 'children': ','.join(children), 'caption': text}
            container = self._make(data)
            self._wait(container, self.picture_wait)
        number = self._publish_container(container)
        return Sent(number, self._permalink(number), number, datetime.now(timezone.utc))

    def _container(self, media: Media, **data: str) -> str:
        """Have the network fetch a file, and return its container once it is ready."""
        video = media.mimetype.startswith('video/')
        if video:
            single = 'is_carousel_item' not in data
            data |= {'video_url': media.url, 'media_type': 'REELS' if single else 'VIDEO'}
            data |= {'share_to_feed': 'true'} if single else {}
        else:
            data |= {'image_url': media.url, 'alt_text': media.description[:1000]}
        container = self._make(data)
        self._wait(container, self.video_wait if video else self.picture_wait)
        return container

    def _make(self, data: Mapping[str, str]) -> str:
        filled = {name: value for name, value in data.items() if value}
        # Made twice, one of them is never published.
        return readable(id_of, self._post(f'{self._me}/media', writes=False, data=filled))

    def _wait(self, container: str, longest: float) -> None:
        """Wait until a container may be published.

        :raise Rejected: when the network cannot use the file
        :raise Transient: when it takes too long, or has to be made anew
        """
        waited = 0.0
        while True:
            body = self._get(container, fields='status_code,status')
            status = str(body.get('status_code') or '')
            if status == 'FINISHED':
                return
            if status in {'ERROR', 'EXPIRED', 'PUBLISHED'}:
                raise _container_error(status, str(body.get('status') or ''))
            if waited >= longest:
                raise Transient('The network still works on the file', 'media_processing')
            time.sleep(self.pause)
            waited += self.pause

    def _publish_container(self, container: str) -> str:
        for _try in range(3):
            try:
                body = self._post(f'{self._me}/media_publish', data={'creation_id': container})
                break
            except Transient as error:  # not ready after all: nothing was published
                if not error.code.endswith(_NOT_READY):
                    raise
                time.sleep(self.pause)
        else:
            raise Transient('The network still works on the file', 'media_processing')
        return _made(body).external_id

    def _check_quota(self) -> None:
        try:
            rows = rows_of(
                self._get(f'{self._me}/content_publishing_limit', fields='quota_usage,config')
            )
        except (PermissionMissing, Rejected):
            return
        usage = count(rows[0].get('quota_usage')) if rows else None
        config = rows[0].get('config') if rows else None
        most = count(config.get('quota_total')) if isinstance(config, dict) else None
        if usage is not None and most and usage >= most:
            until = datetime.now(timezone.utc) + timedelta(hours=1)
            raise RateLimited(f'{usage} of {most} posts of the day are out', 'quota', until)

    def _permalink(self, number: str) -> str:
        try:
            return str(self._get(number, fields='permalink').get('permalink') or '')
        except ProviderError:  # published all the same
            return ''

    # --- what the account wrote ------------------------------------------------------------------

    def find_sent(self, outgoing: Outgoing, key: str, since: datetime) -> Sent | None:
        """Look for it among what the account wrote in the same place, by text and time."""
        text = skeleton(self.compose(outgoing))
        for row in self._own(outgoing):
            try:
                moment = parse_time(row.get('timestamp') or row.get('created_time'))
                if skeleton(text_of(row)) == text and moment >= since - _SLACK:
                    number = id_of(row)
                    return Sent(number, str(row.get('permalink') or ''), number, moment)
            except BAD:
                continue
        return None

    def _own(self, outgoing: Outgoing) -> Iterator[Mapping[str, Any]]:
        if outgoing.kind == 'post':
            yield from self._rows(f'{self._me}/media', fields=_OWN_POSTS, limit=50)
            return
        if outgoing.kind == 'message' or outgoing.visibility == 'direct':
            rows = self._own_messages(outgoing)
        else:
            media, comment = self._mentioned(outgoing)
            edge = f'{comment}/replies' if comment else f'{media}/comments'
            path = edge if media else self._answers(outgoing)
            rows = self._rows(path, fields=_OWN_COMMENTS, limit=50)
        yield from (row for row in rows if self._wrote(row))

    def _wrote(self, row: Mapping[str, Any]) -> bool:
        given = row.get('from')
        author = given if isinstance(given, dict) else {}
        name = str(author.get('username') or row.get('username') or '')
        handle = self.me.handle if self.me else ''
        return str(author.get('id')) == self._me or bool(handle) and name == handle

    # --- counters --------------------------------------------------------------------------------

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """See :meth:`.Provider.metrics`; of comments (a first comment) the likes alone.

        A video counts as a view what others count as an impression: there is one figure for both.
        """
        wanted = list(dict.fromkeys(ids))
        found: dict[str, dict[str, int | None]] = {}
        posts, others = [], []
        for number, answer in self._read(wanted, f'?fields={_COUNTERS}').items():
            if isinstance(answer, dict):
                posts.append(number)
                likes, comments = answer.get('like_count'), answer.get('comments_count')
                found[number] = {'likes': count(likes), 'comments': count(comments)}
            elif type(answer) is Rejected:  # no post, then
                others.append(number)
            elif not isinstance(answer, NotFound):
                raise answer
        for number, answer in self._read(others, '?fields=id,like_count').items():
            if isinstance(answer, dict):
                found[number] = {'likes': count(answer.get('like_count'))}
        for (number, name), value in self._media_insights(posts).items():
            found[number][name] = value
        return {number: Metrics(**counters) for number, counters in found.items()}

    def _media_insights(self, posts: Sequence[str]) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        both = ','.join(_INSIGHTS)
        for number, answer in self._read(posts, f'/insights?metric={both}').items():
            if isinstance(answer, (PermissionMissing, Rejected)):
                continue
            if isinstance(answer, ProviderError):
                raise answer
            for row in rows_of(answer):
                name, values = _INSIGHTS.get(str(row.get('name'))), row.get('values')
                value = values[0].get('value') if isinstance(values, list) and values else None
                total = row.get('total_value')
                value = total.get('value') if isinstance(total, dict) else value
                if name and count(value) is not None:
                    found[number, name] = count(value) or 0
        return found

    def _read(self, ids: Sequence[str], rest: str) -> dict[str, dict[str, Any] | ProviderError]:
        """Return the answer or the error of a read for each id; in batches where these exist."""
        urls = [f'{quote(one, safe="")}{rest}' for one in ids]
        if self._by_facebook:
            return dict(zip(ids, self._read_batch(urls), strict=False))
        return dict(zip(ids, map(self._read_one, urls), strict=False))

    def _read_one(self, url: str) -> dict[str, Any] | ProviderError:
        try:
            return self._call('GET', url)
        except (Rejected, PermissionMissing) as error:
            return error


# --- pieces ---------------------------------------------------------------------------------------


def _made(body: Mapping[str, Any]) -> Sent:
    try:
        number = id_of(body)
    except BAD:
        raise OutcomeUnknown('The network did not name what it made', 'bad_answer') from None
    return Sent(number, local_id=number, sent_at=datetime.now(timezone.utc))


def _container_error(status: str, words: str) -> ProviderError:
    """Return the error of a container; its text names a subcode."""
    named = re.search(r'\b2207\d{3}\b', words)
    passing = status != 'ERROR' or (named and int(named[0]) in PASSING_SUBCODES)
    words = words or 'The network cannot use the file'
    return (Transient if passing else Rejected)(words, named[0] if named else status.lower())
