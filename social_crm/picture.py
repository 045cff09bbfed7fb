"""Pictures from the network, made harmless: decoded, bounded, and written anew."""

import io
import threading

from PIL import Image, ImageOps

from .providers.errors import ProviderError, RateLimited, Transient

MOST_BYTES = 3 << 20
MOST_PIXELS = 30_000_000
SIDE = 512
PHOTOGRAPH_SIDE = 1024
QUALITY = 80
SECONDS = 20
FORMATS = ('PNG', 'JPEG', 'GIF', 'WEBP')

#: One at a time: a picture of :data:`MOST_PIXELS` takes some hundred megabytes.
_decoding = threading.Lock()


class BadPicture(ValueError):
    """What came is no picture that is taken; ``passing`` says that it may be one later."""

    passing = False


def redraw(content):
    """Return a picture as PNG of at most :data:`SIDE` pixels a side, without what else it holds.

    What it is told by its content, not by what the server calls it.

    :raise BadPicture: when it is no picture, or too big a one
    """
    return _redrawn(content, SIDE, lambda drawn, out: drawn.save(out, 'PNG', optimize=True))


def redraw_photograph(content):
    """Return a picture as JPEG of at most :data:`PHOTOGRAPH_SIDE` pixels a side, on white.

    :raise BadPicture: when it is no picture, or too big a one
    """
    return _redrawn(content, PHOTOGRAPH_SIDE, _save_on_white)


def fetch_picture(http, url, draw=redraw, most_bytes=MOST_BYTES):
    """Fetch a picture and return it drawn anew.

    :param http: a guarded :class:`.providers.http.Http`
    :raise BadPicture: when it cannot be had, or is none
    """
    http.max_bytes = most_bytes
    try:
        answer = http.request('GET', url, deadline=SECONDS, headers={'Accept': 'image/*'})
    except ProviderError as error:
        failure = BadPicture(f'{type(error).__name__}: {error.code}')
        # A body that is too big, or cut off, is as bad the next time.
        failure.passing = isinstance(error, (Transient, RateLimited)) and error.code != 'bad_answer'
    else:
        return draw(answer.content)
    raise failure


def _redrawn(content, side, save):
    try:
        with _decoding, Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise BadPicture('too many pixels')
            picture.draft('RGB', (side, side))  # a JPEG need not be decoded in full
            drawn = ImageOps.exif_transpose(picture).convert('RGBA')
            drawn.thumbnail((side, side))
    except BadPicture:
        raise
    # Pillow has no one error for broken files; this is somebody else's file.
    except Exception as error:
        raise BadPicture(type(error).__name__) from None
    out = io.BytesIO()
    save(drawn, out)
    return out.getvalue()


def _save_on_white(drawn, out):
    ground = Image.new('RGB', drawn.size, 'white')
    ground.paste(drawn, mask=drawn.getchannel('A'))
    ground.save(out, 'JPEG', quality=QUALITY, optimize=True, progressive=True)
