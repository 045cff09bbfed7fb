"""Files for LinkedIn: pictures at once, videos in parts."""

from __future__ import annotations

import time
from typing import Any, ClassVar
from urllib.parse import urlsplit

from . import restli
from .errors import NotFound, PermissionMissing, Rejected, Transient
from .linkedin_client import Client, _url
from .linkedin_items import BAD
from .types import Media


class Files(Client):
    """Uploads; nobody sees them before they are posted."""

    #: Seconds to wait for LinkedIn to process an upload, and between two looks.
    media_wait: ClassVar[float] = 120
    media_pause: ClassVar[float] = 3

    def _image(self, media: Media) -> str:
        value = self._begin('images', {'owner': self._me})
        self._put(value, media.content, media.mimetype)
        return self._uploaded(value, 'image')

    def _video(self, media: Media) -> str:
        size = len(media.content)
        wanted = {
            'owner': self._me,
            'fileSizeBytes': size,
            'uploadCaptions': False,
            'uploadThumbnail': False,
        }
        value = self._begin('videos', wanted)
        urn, parts = self._uploaded(value, 'video'), []
        instructions = value.get('uploadInstructions')
        for part in instructions if isinstance(instructions, list) else []:
            try:
                piece = media.content[part['firstByte'] : part['lastByte'] + 1]
            except BAD:
                raise Transient('The server names no parts to upload', 'bad_answer') from None
            parts.append(self._put(part, piece, 'application/octet-stream', signed=True))
        final = {
            'video': urn,
            'uploadToken': value.get('uploadToken') or '',
            'uploadedPartIds': parts,
        }
        url = _url('videos', {'action': 'finalizeUpload'})
        self._call('POST', url, json={'finalizeUploadRequest': final})
        self._wait(f'videos/{restli.encode(urn)}')
        return urn

    def _begin(self, kind: str, request: dict[str, Any]) -> dict[str, Any]:
        url = _url(kind, {'action': 'initializeUpload'})
        found = self._call_json('POST', url, json={'initializeUploadRequest': request})
        value = found.get('value')
        if not isinstance(value, dict):
            raise Transient('The server takes no upload', 'bad_answer')
        return value

    def _uploaded(self, value: dict[str, Any], name: str) -> str:
        urn = value.get(name)
        if not isinstance(urn, str) or not urn.startswith('urn:li:'):
            raise Transient('The server did not name the upload', 'bad_answer')
        return urn

    def _put(
        self, where: dict[str, Any], content: bytes, mimetype: str, *, signed: bool = False
    ) -> str:
        """Upload a piece, and return its ETag. The addresses of videos are signed themselves."""
        url = where.get('uploadUrl')
        host = urlsplit(url).hostname if isinstance(url, str) else ''
        if not isinstance(url, str) or not host:
            raise Transient('The server names no place to upload to', 'bad_answer')
        # The token is for LinkedIn alone, whatever an answer says.
        ours = not signed and (host == 'linkedin.com' or host.endswith('.linkedin.com'))
        answer = self.http.request(
            'PUT',
            url,
            data=content,
            token=self._grant.access_token if ours else '',
            headers={'Content-Type': mimetype},
            errors=self._error,
            deadline=300,
        )
        return answer.headers.get('ETag', '').strip('"')

    def _wait(self, path: str) -> None:
        """Wait until an upload is ready; a member's own cannot be looked at, and is not."""
        waited = 0.0
        while waited <= self.media_wait:
            try:
                status = str(self._get(path).get('status'))
            except (PermissionMissing, NotFound):
                return
            if status == 'PROCESSING_FAILED':
                raise Rejected('LinkedIn cannot process this file', 'PROCESSING_FAILED')
            if status not in {'PROCESSING', 'WAITING_UPLOAD'}:
                return
            time.sleep(self.media_pause)
            waited += max(self.media_pause, 0.1)
        raise Transient('LinkedIn still processes the upload', 'media_processing')
