"""Spelling made comparable: case, accents, widths and invisible characters do not count.

``fold`` is applied to posts and to rules alike: ``café``, ``CAFE`` and ``ｃａｆé`` are one word.
"""

from __future__ import annotations

import re
import unicodedata

# Soft hyphen, joiners, direction marks, variation selectors, skin tones, tags.
# People hide words with them, and keyboards add them unasked.
_INVISIBLE = (
    '\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff'
    '\U0001f3fb-\U0001f3ff\U000e0000-\U000e01ef'
)
# Marks that writers of the script leave out or add at will. Not those of Indic scripts, Thai or
# kana, which are letters there.
_ACCENTS = (
    '\u0300-\u0305\u0307\u0309-\u036f\u0483-\u0489'
    '\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7'
    '\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed'
    '\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f'
)
_STRIPPED = re.compile(f'[{_INVISIBLE}{_ACCENTS}\u0306\u0308]+')
# й, ў and ї are letters of their own, ё is written е as often as not. Slower, so only where needed.
_STRIPPED_CYRILLIC = re.compile(
    f'[{_INVISIBLE}{_ACCENTS}]+|(?<![\u0418\u0438\u0423\u0443])\u0306+|(?<![\u0406\u0456])\u0308+'
)

_LETTERS = {
    'ø': 'o',
    'ł': 'l',
    'đ': 'd',
    'ð': 'd',
    'ħ': 'h',
    'ŧ': 't',
    'ı': 'i',
    'æ': 'ae',
    'œ': 'oe',
    'þ': 'th',
}
_SPECIAL = re.compile(f'[{"".join(_LETTERS)}]')
_LETTER_TABLE = str.maketrans(_LETTERS)
# NFKD would glue their letters to the brand's name: Acme™ -> acmetm.
_MARKS_OF_TRADE = str.maketrans('\u2120\u2122', '  ')


def _join_ranges(codes: list[int]) -> str:
    """Write sorted code points as the inside of a character class."""
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return ''.join(f'{chr(first)}-{chr(last)}' for first, last in ranges)


# Vowel signs and the like: part of a word, but not of Python's ``\w``. All assigned ones lie below.
MARKS = _join_ranges(
    [
        code
        for block in (
            range(0x300, 0x3400),
            range(0xA600, 0xAC00),
            range(0xFB00, 0xFE30),
            range(0x10A00, 0x11F60),
        )
        for code in block
        if unicodedata.category(chr(code))[0] == 'M'
    ]
)

# What may change the character before it when a text is composed: marks, jamo, half-width voicing.
_CLUSTER = re.compile(
    f'[^{MARKS}{_INVISIBLE}\u1160-\u11ff\uff9e-\uffdc]?'
    f'[{MARKS}{_INVISIBLE}\u1160-\u11ff\uff9e-\uffdc]*',
    re.DOTALL,
)


def fold(text: str) -> str:
    """Return the text in the spelling that is compared.

    Compatibility forms, case, accents and invisible characters are folded away: ``Straße`` gives
    ``strasse``, ``Ærø`` gives ``aero``. Letters that a reader holds apart stay apart (й, か/が).
    Characters may vanish or multiply: positions are those of the result.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize(
        'NFKD', text.translate(_MARKS_OF_TRADE) if '\u2122' in text or '\u2120' in text else text
    )
    cyrillic = '\u0306' in folded or '\u0456\u0308' in folded or '\u0406\u0308' in folded
    folded = (_STRIPPED_CYRILLIC if cyrillic else _STRIPPED).sub('', folded).casefold()
    if folded.isascii():
        return folded
    if _SPECIAL.search(folded):
        folded = folded.translate(_LETTER_TABLE)
    return unicodedata.normalize('NFC', folded)


def fold_map(text: str) -> list[tuple[int, int]]:
    """Return, for each character of ``fold(text)``, its ``(start, end)`` in the text itself."""
    if text.isascii():
        return [(index, index + 1) for index in range(len(text))]
    places: list[tuple[int, int]] = []
    for cluster in _CLUSTER.finditer(text):
        places.extend([cluster.span()] * len(fold(cluster.group())))
    return places
