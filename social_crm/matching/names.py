"""The name of a person out of a display name, which may hold anything else as well."""

from __future__ import annotations

import re
import unicodedata

_PRONOUNS = re.compile(r'[(\[]?\b(?:she|he|they|sie|er|elle|il|ella)/[\w/]{2,20}\b[)\]]?', re.I)
_SHORTCODE = re.compile(r':[\w+-]{1,40}:')
_BRACKETS = re.compile(r'[(\[{][^()\[\]{}]{0,100}[)\]}]')
_REST = re.compile(r'\s*[|•·»/]\s*|\s+[-–—@]\s+|\s+@|\s*,\s*(?=(?:phd|md|mba|msc|bsc|cpa)\b)', re.I)
_TITLES = re.compile(
    r'^(?:(?:dr|prof|mag|dipl|ing|di|mr|mrs|ms|sir|herr|frau|mme|sr|sra)\.?(?:-ing\.?)?\s+)+(?=\S)',
    re.I,
)


def person_name(display: str) -> str:
    """Return a display name without emoji, titles, pronouns and what follows a separator.

    Empty when no letter is left. Names in capitals get the usual case.
    """
    text = unicodedata.normalize('NFC', display[:500])
    text = _BRACKETS.sub(' ', _PRONOUNS.sub(' ', _SHORTCODE.sub(' ', text)))
    text = ''.join(char if _belongs(char) else ' ' for char in text)
    text = ' '.join(_REST.split(text.strip(' |•·»/-–—,'), maxsplit=1)[0].split())
    text = _TITLES.sub('', text).strip(' ,-–—')
    if not any(char.isalpha() for char in text):
        return ''
    if len(text) > 3 and text.isupper():
        text = text.title()
    return text


def _belongs(char: str) -> bool:
    """Return whether a character can stand in a name: no emoji, no symbol, no control."""
    return unicodedata.category(char)[0] in 'LMN' or char in " '’.-–—,|•·»/@&"
