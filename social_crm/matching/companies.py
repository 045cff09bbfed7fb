"""Whether a display name is, or names, a company; and the parts of a person's name."""

from __future__ import annotations

import re

from .names import person_name
from .words import LEGAL_FORMS, OFFICIAL

_PARTS = re.compile(r'\s*[|•·»]\s*|\s+[-–—@]\s+|\s+@')
#: Legal forms that are words or names as well: they count in capitals only, as in "Voltek AG".
_AMBIGUOUS = frozenset(
    [
        'ag',
        'kg',
        'og',
        'eu',
        'ev',
        'co',
        'cie',
        'sa',
        'sas',
        'sl',
        'slu',
        'spa',
        'nv',
        'ab',
        'as',
        'aps',
        'se',
        'the',
        'ges',
        'lp',
        'snc',
        'company',
        'team',
    ]
)
_PARTICLES = frozenset(
    [
        'van',
        'von',
        'vom',
        'zu',
        'zum',
        'zur',
        'der',
        'den',
        'de',
        'del',
        'della',
        'di',
        'da',
        'dos',
        'das',
        'du',
        'la',
        'le',
        'el',
        'al',
        'bin',
        'ibn',
        'ter',
        'ten',
    ]
)
_FAMILY_FIRST = re.compile(r'^[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\s]+$')


def company_name(display: str) -> str:
    """Return the company that a display name is or names, such as ``Acme GmbH``; else empty.

    ``Rita Kohl | Acme GmbH`` names one. Without a legal form, or a word such as "official", a name
    counts as a person's.
    """
    for part in _PARTS.split(display[:500]):
        words = part.split()
        if len(words) > 1 and _ends_a_company(words):
            return ' '.join(words)
    return ''


def _ends_a_company(words: list[str]) -> bool:
    last = re.sub(r'[.,/()]', '', words[-1])
    form = last.casefold()
    if form in OFFICIAL and form not in _AMBIGUOUS:
        return True
    if form not in LEGAL_FORMS:
        return False
    shouted = all(word.isupper() for word in words)
    return form not in _AMBIGUOUS or (last.isupper() and not shouted)


def split_name(display: str) -> tuple[str, str]:
    """Return given and family name of a person; the family name is empty where there is none.

    ``Ludwig van der Berg`` is ``('Ludwig', 'van der Berg')``.
    """
    words = person_name(display).split()
    if len(words) < 2:
        return ' '.join(words), ''
    if _FAMILY_FIRST.match(' '.join(words)):
        return ' '.join(words[1:]), words[0]
    start = len(words) - 1
    while start > 1 and words[start - 1].casefold() in _PARTICLES:
        start -= 1
    return ' '.join(words[:start]), ' '.join(words[start:])
