"""What can be learnt from a media file without decoding it: size in pixels, length in seconds."""

import io
import struct

from PIL import Image, UnidentifiedImageError

_CONTAINERS = (b'moov',)


def picture_size(content):
    """Return (width, height) of a picture, ``None`` when it is none that can be read."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return picture.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None


def video_seconds(content):
    """Return the length of an MP4 or QuickTime film, ``None`` when it cannot be told."""
    header = _find(memoryview(content), b'mvhd')
    try:
        if header is None:
            return None
        if header[0] == 1:
            scale, length = struct.unpack('>IQ', header[20:32])
        else:
            scale, length = struct.unpack('>II', header[12:20])
    except (struct.error, IndexError):
        return None
    return length / scale if scale else None


def _find(data, name):
    """Return the content of the first box of that name, looked for in the film's header."""
    place = 0
    while place + 8 <= len(data):
        size, kind = struct.unpack('>I4s', data[place : place + 8])
        start = place + 8
        if size == 1 and start + 8 <= len(data):
            (size,) = struct.unpack('>Q', data[start : start + 8])
            start += 8
        end = place + size if size else len(data)
        if end <= place:
            return None
        if kind == name:
            return data[start:end]
        if kind in _CONTAINERS:
            return _find(data[start:end], name)
        place = end
    return None
