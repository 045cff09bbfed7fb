"""The sending half of the YouTube adapter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from .errors import NotFound, OutcomeUnknown, Rejected
from .text import required_text
from .types import Metrics, Outgoing, Sent
from .youtube_client import rows_of
from .youtube_items import (
    BAD,
    SITE,
    comments_of,
    count_of,
    is_video,
    parse_time,
    thread_of,
)
from .youtube_upload import Uploads, title_of

_SKEW = timedelta(minutes=2)
_PAGES = 3


class Sending(Uploads):
    """Comments, answers, videos, counters."""

    def compose(self, outgoing: Outgoing) -> str:
        """Return the text with the link; an answer to an answer begins with whom it is for, as
        YouTube keeps conversations flat."""
        text = outgoing.text.strip()
        author = outgoing.target_author
        if author and '.' in outgoing.target and f'@{author.handle}' not in text:
            text = f'@{author.handle} {text}'
        if outgoing.link and outgoing.link not in text:
            text = f'{text}\n\n{outgoing.link}'.strip()
        return text

    def send(self, outgoing: Outgoing, key: str) -> Sent:
        """Upload a video (a post), comment on one or answer a comment; see :meth:`.Provider.send`.

        The first line of a post is the title, the whole text the description.
        """
        text = self.compose(outgoing)
        if outgoing.kind == 'message':
            raise Rejected('YouTube has no direct messages', 'message')
        if not outgoing.target:
            return _sent_video(self._upload(outgoing, text))
        if outgoing.media:
            raise Rejected('Comments on YouTube are text only', 'media')
        if is_video(outgoing.target):
            return self._comment(outgoing, text)
        parent = thread_of(outgoing.target)
        answer = self._insert('comments', {'parentId': parent, 'textOriginal': text})
        snippet = answer.get('snippet')
        video = snippet.get('videoId') if isinstance(snippet, dict) else ''
        return _made_comment(answer, str(video or ''))

    def _comment(self, outgoing: Outgoing, text: str) -> Sent:
        owner = outgoing.target_author.external_id if outgoing.target_author else self._me
        first = {'snippet': {'textOriginal': text}}
        thread = self._insert(
            'commentThreads',
            {'channelId': owner, 'videoId': outgoing.target, 'topLevelComment': first},
        )
        return _made_comment(comments_of(thread)[-1]['comment'], outgoing.target)

    def _insert(self, path: str, snippet: Mapping[str, Any]) -> dict[str, Any]:
        params, body = {'part': 'snippet'}, {'snippet': snippet}
        answer: dict[str, Any] = self._call(
            'POST', path, 'write', dict, params=params, json=body, writes=True
        )
        return answer

    # --- what became of it -----------------------------------------------------------------------

    def find_sent(self, outgoing: Outgoing, key: str, since: datetime) -> Sent | None:
        """Look for it among own uploads, or below what it answers: author, text, time."""
        text = self.compose(outgoing)
        if not outgoing.target:
            return self._find_video(text, since)
        for comment, video in self._candidates(outgoing):
            try:
                snippet = comment['snippet']
                if (
                    snippet['authorChannelId']['value'] == self._me
                    and parse_time(snippet['publishedAt']) >= since - _SKEW
                    and _skeleton(snippet.get('textOriginal') or snippet['textDisplay'])
                    == _skeleton(text)
                ):
                    return _sent_comment(comment, video)
            except BAD:
                continue
        return None

    def _candidates(self, outgoing: Outgoing) -> Iterator[tuple[Any, str]]:
        if is_video(outgoing.target):
            params = {'videoId': outgoing.target, 'order': 'time'}
            for thread in self._pages('commentThreads', params):
                yield comments_of(thread)[-1]['comment'], outgoing.target
        else:
            params = {'parentId': thread_of(outgoing.target)}
            for comment in self._pages('comments', params):
                snippet = comment.get('snippet') if isinstance(comment, dict) else None
                yield comment, str((snippet or {}).get('videoId') or '')

    def _pages(self, path: str, params: Mapping[str, str]) -> Iterator[Any]:
        asked = {'part': 'id,snippet', 'textFormat': 'plainText', 'maxResults': 100, **params}
        for _page in range(_PAGES):
            body = self._get(path, asked)
            yield from rows_of(body)
            if not body.get('nextPageToken'):
                return
            asked['pageToken'] = body['nextPageToken']

    def _find_video(self, text: str, since: datetime) -> Sent | None:
        for playlist in self._uploads():
            params = {'part': 'snippet', 'playlistId': playlist, 'maxResults': 50}
            for row in rows_of(self._get('playlistItems', params)):
                try:
                    snippet = row['snippet']
                    if (
                        snippet['title'] == title_of(text)
                        and _skeleton(snippet['description']) == _skeleton(text)
                        and parse_time(snippet['publishedAt']) >= since - _SKEW
                    ):
                        number = snippet['resourceId']['videoId']
                        return _sent_video({'id': number, 'snippet': snippet})
                except BAD:
                    continue
        return None

    def _uploads(self) -> Iterator[str]:
        """Yield the playlist of own uploads, private ones included."""
        for channel in self._batches('channels', 'contentDetails', [self._me]):
            try:
                yield channel['contentDetails']['relatedPlaylists']['uploads']
            except BAD:
                continue

    def delete(self, external_id: str, local_id: str = '') -> None:
        """See :meth:`.Provider.delete`."""
        path = 'videos' if is_video(external_id) else 'comments'
        try:
            self._call('DELETE', path, 'write', params={'id': external_id})
        except NotFound:
            return

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """See :meth:`.Provider.metrics`; of comments YouTube counts the likes alone."""
        wanted = list(dict.fromkeys(ids))
        videos = [number for number in wanted if is_video(number)]
        comments = [number for number in wanted if not is_video(number)]
        found = {}
        for row in self._batches('videos', 'id,statistics', videos):
            counts = row.get('statistics') or {}
            found[str(row.get('id'))] = Metrics(
                likes=count_of(counts.get('likeCount')),
                comments=count_of(counts.get('commentCount')),
                views=count_of(counts.get('viewCount')),
            )
        for row in self._batches('comments', 'id,snippet', comments, textFormat='plainText'):
            likes = count_of((row.get('snippet') or {}).get('likeCount'))
            found[str(row.get('id'))] = Metrics(likes=likes)
        return found


# --- pieces ---------------------------------------------------------------------------------------


def _made_comment(comment: Mapping[str, Any], video: str) -> Sent:
    try:
        return _sent_comment(comment, video)
    except BAD:
        raise OutcomeUnknown('The server did not name the comment', 'bad_answer') from None


def _sent_comment(comment: Mapping[str, Any], video: str) -> Sent:
    number = required_text(comment['id'])
    url = f'{SITE}/watch?v={video}&lc={number}' if video else ''
    return Sent(number, url, number, _made(comment))


def _sent_video(video: Mapping[str, Any]) -> Sent:
    number = required_text(video['id'])
    return Sent(number, f'{SITE}/watch?v={number}', number, _made(video))


def _made(row: Mapping[str, Any]) -> datetime | None:
    try:
        return parse_time(row['snippet']['publishedAt'])
    except BAD:
        return None


def _skeleton(text: str) -> str:
    return re.sub(r'\W+', ' ', text).strip().casefold()
