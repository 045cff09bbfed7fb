"""E-mail addresses and phone numbers that a person gives in a text."""

from __future__ import annotations

import re

# Bounded parts: hostile text costs linear time.
_EMAIL = re.compile(
    r'(?<![\w.+%@/-])([\w.+%-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,6}[a-z]{2,24})(?![\w@])',
    re.I | re.A,
)
_AT = r'(?:[\[({<]\s?(?:at|ät|@)\s?[\])}>]|\sät\s|\sat\s(?=[\w -]{1,60}(?:[\[(]|\sdot\s)))'
_POINT = r'(?:\.|[\[({<]\s?(?:dot|punkt|point|punto|\.)\s?[\])}>]|\sdot\s)'
#: Written so that programs do not find it: ``ada [at] acme (dot) example``.
_SPELLED = re.compile(
    r'(?<![\w.+%@/-])([\w.+-]{1,64})\s{0,2}'
    + _AT
    + r'\s{0,2}([a-z0-9-]{1,62}(?:\s{0,2}'
    + _POINT
    + r'\s{0,2}[a-z0-9-]{1,62}){1,4})',
    re.I | re.A,
)
_SPELLED_POINT = re.compile(r'\s{0,2}' + _POINT + r'\s{0,2}', re.I)
_PHONE = re.compile(r'(?<![\w/.,@#€$£-])(\+|00)(\d(?:[ ()/.-]{0,2}\d){7,14})(?![\w@%€$£])', re.A)
_LIMIT = 20_000


def emails(text: str) -> tuple[str, ...]:
    """Return the e-mail addresses in a text, lower case, without repeats, in order."""
    found = (match[1].strip('.').lower() for match in _EMAIL.finditer(text[:_LIMIT]))
    return tuple(dict.fromkeys(found))


def stated_emails(text: str) -> tuple[str, ...]:
    """Return the addresses in a text as :func:`emails` does, also those that are spelled out."""
    text = text[:_LIMIT]
    plain = re.sub(r'mailto:', ' ', text, flags=re.I)
    spelled = (
        f'{match[1]}@{_SPELLED_POINT.sub(".", match[2])}' for match in _SPELLED.finditer(text)
    )
    return tuple(dict.fromkeys((*emails(plain), *emails(' '.join(spelled)))))


def phones(text: str) -> tuple[str, ...]:
    """Return the phone numbers with country code in a text, such as ``+43316123456``.

    A number without one may be an order number, a price or a date: it is left alone.
    """
    numbers = ('+' + re.sub(r'\D', '', match[2]) for match in _PHONE.finditer(text[:_LIMIT]))
    return tuple(dict.fromkeys(numbers))
