"""Whether two names can be those of one person, or of one company."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache

from .fold import fold
from .names import person_name
from .nicknames import same_given_name
from .words import INNER_PARTICLES, LEGAL_FORMS, OFFICIAL, PARTICLES

_LONG = 9  # letters in one piece that make more than a given name


class NameMatch(IntEnum):
    """How two names relate, from contradiction to equality."""

    CONFLICT = 0  #: two different people, or a person and a company
    FAMILY = 1  #: the family name alone is shared: a relative
    NONE = 2  #: a name that tells nothing (a nickname, a motto)
    GIVEN = 3  #: the given name is shared, the family name is not
    SINGLE = 4  #: one word, which is one of the other's
    INITIAL = 5  #: the family name, and the initial of the given name
    STRONG = 6  #: a short form, a middle name, a second family name
    EQUAL = 7


@lru_cache(maxsize=20_000)
def name_words(display: str) -> tuple[str, ...]:
    """Return the words of a person's name: no titles, particles or numbers."""
    words = fold(re.sub(r'(?<=\w)[_.](?=\w)', ' ', person_name(display)))
    last = len(words) - 1
    return tuple(
        word
        for place, word in enumerate(words)
        if not word.isdigit()
        and word not in PARTICLES
        and not (word in INNER_PARTICLES and 0 < place < last)
    )[:6]


def compare_people(one: str, other: str) -> NameMatch:
    """Compare two display names of people; the order does not matter."""
    few, many = sorted((name_words(one), name_words(other)), key=len)
    if not few:
        return NameMatch.NONE
    if _same_letters(few, many):
        return NameMatch.EQUAL if len(''.join(few)) >= _LONG or len(many) > 1 else NameMatch.SINGLE
    equal, similar, initial = _pair_up(few, many)
    matched = equal + similar + initial
    if matched == len(few) and len(few) > 1 and equal:
        if initial:
            return NameMatch.INITIAL
        return NameMatch.EQUAL if equal == len(many) else NameMatch.STRONG
    if len(few) == 1:
        return NameMatch.SINGLE if matched and len(few[0]) > 1 else NameMatch.NONE
    if not matched:
        return NameMatch.CONFLICT
    if same_given_name(few[0], many[0]):
        return NameMatch.GIVEN
    return NameMatch.FAMILY if equal else NameMatch.CONFLICT


def _same_letters(few: Sequence[str], many: Sequence[str]) -> bool:
    """Tell whether names are equal however they are parted: ``annamueller``, ``Mueller Anna``."""
    whole = ''.join(few)
    return sorted(few) == sorted(many) or whole in (''.join(many), ''.join(reversed(many)))


def _pair_up(few: Sequence[str], many: Sequence[str]) -> tuple[int, int, int]:
    """Return how many words of ``few`` are equal to, are forms of, are initials of the others."""
    counts = [0, 0, 0]
    left, rest = list(many), []
    for word in few:
        if len(word) > 1 and word in left:
            left.remove(word)
            counts[0] += 1
        else:
            rest.append(word)
    for word in rest:
        for other in left:
            kind = _relation(word, other)
            if kind:
                left.remove(other)
                counts[kind] += 1
                break
    return counts[0], counts[1], counts[2]


def _relation(one: str, other: str) -> int:
    """Return 1 for forms of one given name, 2 for an initial, 0 for neither."""
    if len(one) == 1 or len(other) == 1:
        return 2 if one[0] == other[0] else 0
    return int(same_given_name(one, other))


def company_words(name: str) -> tuple[str, ...]:
    """Return the words that tell a company from others: no legal form, no "official"."""
    words = fold(person_name(name) or name)
    kept = tuple(word for word in words if word not in LEGAL_FORMS and word not in OFFICIAL)
    return kept or words


def compare_companies(company: str, display: str) -> NameMatch:
    """Compare a company's name with a display name.

    ``Acme Austria`` is not ``Acme`` for sure: it may be a sister company.
    """
    one, other = company_words(company), company_words(display)
    if not one or not person_name(display):
        return NameMatch.NONE
    if sorted(one) == sorted(other) or ''.join(one) == ''.join(other):
        return NameMatch.EQUAL
    few, many = sorted((one, other), key=len)
    if set(few) <= set(many):
        return NameMatch.SINGLE
    return NameMatch.CONFLICT


def names_company(text: str, company: str) -> bool:
    """Tell whether a text names a company, in whole words."""
    words = company_words(company)
    if not words or len(''.join(words)) < 3:
        return False
    return f' {" ".join(words)} ' in f' {" ".join(fold(text))} '


def names_place(text: str, place: str) -> bool:
    """Tell whether a text names a place, in whole words."""
    words = ' '.join(fold(place))
    return len(words) > 2 and f' {words} ' in f' {" ".join(fold(text))} '


__all__ = [
    'NameMatch',
    'company_words',
    'compare_companies',
    'compare_people',
    'name_words',
    'names_company',
    'names_place',
]
