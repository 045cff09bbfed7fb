"""Words as they are compared: without accents, case, script and punctuation."""

from __future__ import annotations

import re
from functools import lru_cache

from anyascii import anyascii

_CAMEL = re.compile(r'(?<=[a-z]{2})(?=[A-Z][a-z]{2})')
_UMLAUT = re.compile(r'(?:(?<=[aou])e|(?<=a)a)(?=[a-z])')
_APOSTROPHES = str.maketrans('', '', "'’ʼ`´")
_WORD = re.compile(r'[a-z0-9]+')


@lru_cache(maxsize=20_000)
def fold(text: str) -> tuple[str, ...]:
    """Return the words of a text in plain small letters.

    ``Müller``, ``Mueller`` and ``MULLER`` are one word, ``Иван`` is ``ivan``; a name in camel case
    falls apart, an apostrophe does not part.
    """
    text = _CAMEL.sub(' ', text[:5_000].translate(_APOSTROPHES))
    return tuple(_UMLAUT.sub('', word) for word in _WORD.findall(anyascii(text).lower()))


def joined(text: str) -> str:
    """Return the words of a text in one piece, as handles write them."""
    return ''.join(fold(text))
