"""Uploads to X: in pieces, then the description, then waiting until it is processed."""

from __future__ import annotations

import time
from mimetypes import guess_extension
from typing import Any, ClassVar

from .errors import Rejected, Transient
from .types import Media
from .x_client import Client

#: X takes 5 MB; its guides use 1 MB. Fewer calls, and safely below.
PIECE = 4 << 20
_MAX_DESCRIPTION = 1000


class Uploads(Client):
    """The part of the adapter that uploads."""

    #: Seconds to wait for a film to be processed.
    media_wait: ClassVar[float] = 120

    def _upload(self, media: Media, message: bool = False) -> str:
        """Return the id of the uploaded media; nothing is published by that.

        :raise Rejected: when X cannot use the file, with code ``media_failed``
        """
        mimetype = media.mimetype
        step = {
            'media_type': mimetype,
            'total_bytes': len(media.content),
            'media_category': _category(mimetype, message),
        }
        number = self._step('/2/media/upload/initialize', json=step).get('id')
        if not isinstance(number, str) or not number.isdigit():
            raise Transient('The server did not name the upload', 'bad_answer')
        name = f'media{guess_extension(mimetype) or ".bin"}'
        for index, start in enumerate(range(0, len(media.content), PIECE)):
            piece = media.content[start : start + PIECE]
            self._step(
                f'/2/media/upload/{number}/append',
                files={'media': (name, piece, 'application/octet-stream')},
                data={'segment_index': str(index)},
                deadline=300,
            )
        self._processed(number, self._step(f'/2/media/upload/{number}/finalize'))
        if media.description and not message:
            text = {'text': media.description[:_MAX_DESCRIPTION]}
            self._step('/2/media/metadata', json={'id': number, 'metadata': {'alt_text': text}})
            self._use('media_metadata')
        return number

    def _step(self, path: str, **kwargs: Any) -> dict[str, Any]:
        # Not ``writes``: an upload that got lost is made again.
        data = self._call('POST', path, dict, **kwargs).get('data')
        return data if isinstance(data, dict) else {}

    def _processed(self, number: str, data: dict[str, Any]) -> None:
        waited = 0.0
        while True:
            info = data.get('processing_info')
            state = info.get('state') if isinstance(info, dict) else 'succeeded'
            if state == 'succeeded':
                return
            if state == 'failed' or not isinstance(info, dict):
                raise Rejected('X cannot use this file', 'media_failed')
            if waited >= self.media_wait:
                raise Transient('The server still processes the upload', 'media_processing')
            pause = info.get('check_after_secs')
            pause = min(max(pause, 0), 10) if isinstance(pause, int) else 1
            time.sleep(pause)
            waited += max(pause, 1)
            params = {'command': 'STATUS', 'media_id': number}
            found = self._call('GET', '/2/media/upload', dict, params=params).get('data')
            data = found if isinstance(found, dict) else {}


def _category(mimetype: str, message: bool) -> str:
    kind = 'gif' if mimetype == 'image/gif' else mimetype.partition('/')[0]
    return f'{"dm" if message else "tweet"}_{kind}'
