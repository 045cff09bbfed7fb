"""Videos of a page: sent in pieces, published by the last call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from .errors import OutcomeUnknown, ProviderError, Transient
from .meta import GRAPH_VERSION
from .types import Media, Sent

_HOST = f'https://graph-video.facebook.com/{GRAPH_VERSION}'
_TRIES = 3


def upload_video(
    post: Callable[..., dict[str, Any]],
    get: Callable[..., dict[str, Any]],
    page: str,
    media: Media,
    text: str,
) -> Sent:
    """Upload and publish a video; ``post`` and ``get`` make calls as the page.

    What was uploaded stays invisible until the call that finishes it.
    """
    path, size = f'{page}/videos', len(media.content)
    start = {'upload_phase': 'start', 'file_size': str(size)}
    body = post(path, base=_HOST, writes=False, data=start)
    session, number = str(body.get('upload_session_id') or ''), str(body.get('video_id') or '')
    if not session or not number:
        raise Transient('The server did not name the upload', 'bad_answer')
    begin, end = _offsets(body)
    while begin < end:
        body = _transfer(post, path, session, begin, media.content[begin:end])
        reached, end = _offsets(body)
        if reached <= begin:
            raise Transient('The upload does not get on', 'upload')
        begin = reached
    finish = {'upload_phase': 'finish', 'upload_session_id': session, 'description': text}
    body = post(path, base=_HOST, data={name: value for name, value in finish.items() if value})
    if body.get('success') is not True:
        raise OutcomeUnknown('The network does not say that it is published', 'bad_answer')
    return _sent(get, page, number)


def _transfer(
    post: Callable[..., dict[str, Any]], path: str, session: str, begin: int, piece: bytes
) -> dict[str, Any]:
    data = {
        'upload_phase': 'transfer',
        'upload_session_id': session,
        'start_offset': str(begin),
    }
    files = {'video_file_chunk': ('chunk', piece, 'application/octet-stream')}
    for _try in range(_TRIES - 1):
        try:
            return post(path, base=_HOST, writes=False, data=data, files=files, deadline=300)
        except Transient:
            continue
    return post(path, base=_HOST, writes=False, data=data, files=files, deadline=300)


def _offsets(body: dict[str, Any]) -> tuple[int, int]:
    try:
        return int(body['start_offset']), int(body['end_offset'])
    except (KeyError, TypeError, ValueError):
        raise Transient('The server does not say what it has', 'bad_answer') from None


def _sent(get: Callable[..., dict[str, Any]], page: str, number: str) -> Sent:
    """Return the post of a video; the network may name it only after it has worked on it."""
    try:
        found = get(number, fields='post_id,permalink_url')
    except ProviderError:  # published all the same
        found = {}
    post = str(found.get('post_id') or number)
    post = post if '_' in post else f'{page}_{post}'
    return Sent(post, f'https://www.facebook.com/{post}', post, datetime.now(timezone.utc))
