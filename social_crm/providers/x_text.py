"""Texts as X counts and writes them.

The published weights (twitter-text, version 3) in linear time: the libraries that do the same
(twitter-text-parser) take half a minute for a text full of dots. A test compares both.
"""

from __future__ import annotations

import re
import unicodedata

try:
    import regex
except ImportError:  # without it, a compound emoji counts with all its parts: never less
    regex = None

URL_LENGTH = 23
#: Code points that count 1; all others count 2.
_LIGHT = (range(4352), range(8192, 8206), range(8208, 8224), range(8242, 8248))
#: Endings that make a link of a name without ``https://`` before it; so do country codes.
_ENDINGS = frozenset(
    [
        'aero',
        'app',
        'art',
        'biz',
        'blog',
        'cloud',
        'club',
        'com',
        'coop',
        'dev',
        'edu',
        'email',
        'eu',
        'gov',
        'guru',
        'info',
        'int',
        'io',
        'jobs',
        'life',
        'live',
        'mil',
        'mobi',
        'museum',
        'name',
        'net',
        'news',
        'online',
        'org',
        'page',
        'pro',
        'shop',
        'site',
        'space',
        'store',
        'tech',
        'tel',
        'top',
        'travel',
        'tv',
        'website',
        'wiki',
        'work',
        'world',
        'xyz',
    ]
)
_PATH = r"a-z0-9_\u00c0-\u024f\u0400-\u04ff/.~%+&=#!$'*,;:@()|-"
_URL = re.compile(
    r'(?<![a-z0-9_@#$./-])'
    r'(?:(?P<scheme>https?://)(?:[^\W_][\w-]*\.)+|(?:[a-z0-9][a-z0-9_-]*\.)+)'
    r'(?P<ending>[a-z]{2,24})(?![a-z0-9_@])'
    rf'(?P<rest>(?::\d{{1,5}})?(?:/[{_PATH}]*)?(?:\?[?{_PATH}]*)?)',
    re.I,
)
_TRAILING = re.compile(r"[.,:;!?'*~(|$%-]+\Z")
_EMOJI = (
    regex.compile(r'\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3') if regex else None
)
_LEADING_MENTIONS = re.compile(r'\A(?:\s*@\w{1,15}(?!\w))+\s*')
_SCHEME = re.compile(r'\bhttps?://(?:www\.)?|\bwww\.', re.I)


def weighted_length(text: str) -> int:
    """Return the length of a post as X counts: 280 are allowed."""
    text = unicodedata.normalize('NFC', text)
    length, at = 0, 0
    for match in _URL.finditer(text):
        if not _is_link(match):
            continue
        end = match.end() - _unlinked(match['rest'])
        length += _weight(text[at : match.start()]) + URL_LENGTH
        at = end
    return length + _weight(text[at:])


def _is_link(match: re.Match[str]) -> bool:
    ending = match['ending'].lower()
    return bool(match['scheme']) or ending in _ENDINGS or len(ending) == 2


def _unlinked(rest: str) -> int:
    """Return how many characters at the end are punctuation of the sentence."""
    link = rest
    while True:
        shorter = _TRAILING.sub('', link)
        if shorter.endswith(')') and shorter.count('(') < shorter.count(')'):
            shorter = shorter[:-1]
        if shorter == link:
            return len(rest) - len(link)
        link = shorter


def _weight(text: str) -> int:
    if text.isascii():
        return len(text)
    clusters = regex.findall(r'\X', text) if regex else text
    return sum(map(_cluster_weight, clusters))


def _cluster_weight(cluster: str) -> int:
    if _EMOJI and _EMOJI.search(cluster):
        return 2
    return sum(1 if any(ord(c) in light for light in _LIGHT) else 2 for c in cluster)


def skeleton(text: str) -> str:
    """Return a text without what X changes in it: first mentions, links, blanks, case."""
    text = _SCHEME.sub('', _LEADING_MENTIONS.sub('', text))
    return re.sub(r'\W+', ' ', text).strip().casefold()
