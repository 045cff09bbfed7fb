"""Pictures from the network, made harmless: decoded, bounded, and written anew."""

import io

from PIL import Image, ImageOps

from .providers.errors import ProviderError

MOST_BYTES = 3 << 20
MOST_PIXELS = 30_000_000
SIDE = 512
SECONDS = 20
FORMATS = ('PNG', 'JPEG', 'GIF', 'WEBP')


class BadPicture(ValueError):
    """What came is no picture that is taken."""


def fetch_picture(http, url):
    """Fetch a picture and return it as PNG.

    :param http: a guarded :class:`.providers.http.Http`
    :raise BadPicture: when it cannot be had, or is none
    """
    http.max_bytes = MOST_BYTES
    try:
        answer = http.request('GET', url, deadline=SECONDS, headers={'Accept': 'image/*'})
    except ProviderError as error:
        raise BadPicture(f'{type(error).__name__}: {error.code}') from None
    return redraw(answer.content)


def redraw(content):
    """Return a picture as PNG of at most :data:`SIDE` pixels a side, without what else it holds.

    What it is told by its content, not by what the server calls it.

    :raise BadPicture: when it is no picture, or too big a one
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise BadPicture('too many pixels')
            picture.draft('RGB', (SIDE, SIDE))  # a JPEG need not be decoded in full
            drawn = ImageOps.exif_transpose(picture).convert('RGBA')
    except BadPicture:
        raise
    # Pillow has no one error for broken files; this is somebody else's file.
    except Exception as error:
        raise BadPicture(type(error).__name__) from None
    drawn.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    drawn.save(out, 'PNG', optimize=True)
    return out.getvalue()
