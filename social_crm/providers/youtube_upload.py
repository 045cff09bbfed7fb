"""Uploads of videos: a session is started, then fed in pieces and asked how far it got."""

from __future__ import annotations

import re
import time
from typing import Any, ClassVar
from urllib.parse import urlsplit

from .errors import NotFound, OutcomeUnknown, ProviderError, Rejected, Transient
from .http import Answer
from .types import Media, Outgoing
from .youtube_client import Client, youtube_error

_UPLOAD = 'https://www.googleapis.com/upload/youtube/v3/videos'
#: Pieces are multiples of 256 KiB.
PIECE = 16 << 20
_MAX_TITLE = 100
_MAX_DESCRIPTION = 5000
_PRIVACY = {'public': 'public', 'unlisted': 'unlisted', 'followers': 'private', 'direct': 'private'}
_GOES_ON = 308
_TRIES = 4


class Uploads(Client):
    """The part of the adapter that uploads."""

    #: Seconds before a piece that failed is tried again, doubled each time.
    upload_pause: ClassVar[float] = 2

    def _upload(self, outgoing: Outgoing, text: str) -> dict[str, Any]:
        """Upload the video of a post, and return its resource.

        The video exists once its last piece arrived; until then nothing happened.

        :raise Rejected: when there is no video, or its title or description is too long
        :raise OutcomeUnknown: when the last piece was sent and the session does not tell
        """
        video, metadata = _video(outgoing), _metadata(outgoing, text)
        session = self._session(video, metadata)
        total, start, failures = len(video.content), 0, 0
        while True:
            try:
                answer = self._put(session, video.content[start : start + PIECE], start, total)
            except (Transient, OutcomeUnknown) as error:
                failures += 1
                answer = self._asked(session, total, error, failures)
            if answer.status != _GOES_ON:
                return _resource(answer)
            start = _arrived(answer)
            if start >= total:  # everything is there, and the answer is not ready yet
                failures += 1
                answer = self._asked(session, total, OutcomeUnknown('No answer yet'), failures)
                if answer.status != _GOES_ON:
                    return _resource(answer)

    def _session(self, video: Media, metadata: dict[str, Any]) -> str:
        answer = self._call(
            'POST',
            _UPLOAD,
            'upload',
            params={'uploadType': 'resumable', 'part': 'snippet,status'},
            json=metadata,
            headers={
                'X-Upload-Content-Type': video.mimetype,
                'X-Upload-Content-Length': str(len(video.content)),
            },
        )
        url = answer.headers.get('Location', '')
        host = urlsplit(url).hostname or ''
        # The token goes there.
        if not url.startswith('https://') or not host.endswith('.googleapis.com'):
            raise Transient('The server did not say where to upload', 'bad_answer')
        return str(url)

    def _put(self, session: str, piece: bytes, start: int, total: int) -> Answer:
        last = start + len(piece) >= total
        return self._to_session(
            session, piece, f'bytes {start}-{start + len(piece) - 1}/{total}', writes=last
        )

    def _asked(self, session: str, total: int, error: ProviderError, failures: int) -> Answer:
        """Ask a session how far it got, after ``error``; raise that when it does not tell."""
        while failures < _TRIES:
            time.sleep(self.upload_pause * 2 ** (failures - 1))
            try:
                return self._to_session(session, b'', f'bytes */{total}')
            except Transient:
                failures += 1
            except NotFound:
                break  # the session is gone: whether the video came to be, nobody says
        raise type(error)(error.reason, error.code)

    def _to_session(self, session: str, piece: bytes, place: str, writes: bool = False) -> Answer:
        answer: Answer = self._call(
            'PUT',
            session,
            'upload',
            data=piece,
            headers={'Content-Range': place, 'Content-Length': str(len(piece))},
            errors=_session_error,
            writes=writes,
            deadline=600,
        )
        return answer


def _session_error(answer: Answer, writes: bool) -> ProviderError | None:
    return None if answer.status == _GOES_ON else youtube_error(answer, writes)


def _arrived(answer: Answer) -> int:
    """Return how many bytes a session has."""
    found = re.fullmatch(r'bytes=0-(\d{1,15})', answer.headers.get('Range', ''))
    return int(found[1]) + 1 if found else 0


def _resource(answer: Answer) -> dict[str, Any]:
    body = answer.json()
    if not isinstance(body, dict) or not isinstance(body.get('id'), str) or not body['id']:
        raise OutcomeUnknown('The server did not name the video', 'bad_answer')
    return body


def title_of(text: str) -> str:
    """Return the title of a video: the first line of the text."""
    return text.strip().partition('\n')[0].strip()


def _video(outgoing: Outgoing) -> Media:
    videos = [media for media in outgoing.media if media.mimetype.startswith('video/')]
    if len(videos) != 1 or len(outgoing.media) != 1:
        raise Rejected('YouTube publishes videos only: attach one video and nothing else', 'video')
    return videos[0]


def _metadata(outgoing: Outgoing, text: str) -> dict[str, Any]:
    title = title_of(text)
    if not title or len(title) > _MAX_TITLE:
        raise Rejected(
            'The first line is the title of the video: write one of 100 characters at most',
            'invalidTitle',
        )
    if re.search('[<>]', text):
        raise Rejected('YouTube allows no < and > in titles and descriptions', 'invalidDescription')
    if len(text.encode()) > _MAX_DESCRIPTION:
        raise Rejected('The text is longer than 5000 bytes', 'invalidDescription')
    snippet = {'title': title, 'description': text}
    if outgoing.language:
        snippet['defaultLanguage'] = outgoing.language
    return {'snippet': snippet, 'status': {'privacyStatus': _PRIVACY[outgoing.visibility]}}
