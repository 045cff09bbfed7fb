"""The language of a post, as an ISO 639-1 code, or ``''`` for unknown.

py3langid is used for what it measures well: four words or more. Where a script is used by one
language alone, the script tells, however short the text; else a short text is unknown.
"""

from __future__ import annotations

import re
import threading
from typing import Any

from .language_codes import normalise

#: Characters that are looked at.
MAX_TEXT = 1000
#: Words that a text needs before its language is guessed from them.
MIN_WORDS = 4
#: Share among all languages that the guess needs. Of 4,350 sentences long enough in 35
#: languages (Odoo's translations) 94 % were known; 2 % of those wrong, half of them Serbian,
#: Croatian and Bosnian taken for each other. At 0.6: 87 % and 0.4 %.
MIN_CONFIDENCE = 0.45

# Rare in posts, or dead, and what short texts of their large neighbours are mistaken for.
_NOT_GUESSED = frozenset({'an', 'la', 'vo', 'wa', 'sa', 'dz', 'st'})

# Scripts that one living language writes, and the two of Japanese, which need counting.
_SCRIPTS = {
    'el': '\u0370-\u03ff\u1f00-\u1fff',
    'hy': '\u0530-\u058f',
    'he': '\u0590-\u05ff',
    'pa': '\u0a00-\u0a7f',
    'gu': '\u0a80-\u0aff',
    'or': '\u0b00-\u0b7f',
    'ta': '\u0b80-\u0bff',
    'te': '\u0c00-\u0c7f',
    'kn': '\u0c80-\u0cff',
    'ml': '\u0d00-\u0d7f',
    'si': '\u0d80-\u0dff',
    'th': '\u0e00-\u0e7f',
    'lo': '\u0e80-\u0eff',
    'my': '\u1000-\u109f',
    'ka': '\u10a0-\u10ff\u1c90-\u1cbf',
    'ko': '\u1100-\u11ff\u3130-\u318f\uac00-\ud7ff',
    'km': '\u1780-\u17ff',
    'kana': '\u3040-\u309f\u30a0-\u30fa\u30fc-\u30ff\uff66-\uff9d',
    'han': '\u3400-\u9fff\uf900-\ufaff',
}
_SCRIPT = re.compile('|'.join(f'(?P<{name}>[{ranges}]+)' for name, ranges in _SCRIPTS.items()))
_NOISE = re.compile(
    r'https?://\S+|www\.\S+|(?<![\w.+\-])[\w.+\-]+@[\w\-]+\.[\w.\-]+'  # addresses
    r'|[@#＠＃][\w.\-@]+'  # handles, hashtags
    r'|[\u200b-\u200f\u2060-\u206f\ufe00-\ufe0f\ufeff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]+'
    r'|[\ud800-\udfff]+|\d+'
)
#: Characters of Chinese or Japanese that say as much as ``MIN_WORDS`` words.
_MIN_HAN = 6

_lock = threading.Lock()
_identifier: Any = None


def _load() -> Any:
    """Return the one identifier, read from disk on first use (0.3 s)."""
    global _identifier
    if _identifier is None:
        with _lock:
            if _identifier is None:
                from py3langid.langid import (
                    MODEL_FILE,
                    LanguageIdentifier,
                )

                identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
                identifier.set_languages(
                    [
                        label
                        for label in identifier.labels
                        if (normalise(label) and label not in _NOT_GUESSED) or label == 'zxx'
                    ]
                )
                _identifier = identifier  # last: another thread must not see it half set up
    return _identifier


def _script_language(text: str) -> str:
    """Return the language whose script most letters are of, ``han`` for Chinese or Japanese, ``''``
    for scripts of several languages.
    """
    counts: dict[str, int] = {}
    for match in _SCRIPT.finditer(text):
        name = match.lastgroup or ''
        counts[name] = counts.get(name, 0) + len(match.group())
    if not counts:
        return ''
    kana, han = counts.pop('kana', 0), counts.pop('han', 0)
    if kana or han:
        # A decorative の does not make a Chinese text Japanese.
        counts['ja' if kana * 10 >= kana + han else 'han'] = kana + han
    best = max(counts, key=counts.__getitem__)
    letters = sum(1 for char in text if char.isalpha())
    return best if counts[best] * 2 > letters else ''


def detect(text: str) -> str:
    """Return the ISO 639-1 code of the language, ``''`` when the text does not tell.

    Addresses, handles, hashtags, numbers and emoji do not count. Texts of fewer than ``MIN_WORDS``
    words are unknown, unless their script belongs to one language.
    """
    cleaned = _NOISE.sub(' ', text[:MAX_TEXT])
    script = '' if cleaned.isascii() else _script_language(cleaned)
    if script == 'han':
        if sum(1 for char in cleaned if char.isalpha()) < _MIN_HAN:
            return ''
    elif script:
        return script
    elif sum(1 for word in cleaned.split() if word[0].isalpha() or word[-1].isalpha()) < MIN_WORDS:
        return ''
    label, confidence = _load().classify(' '.join(cleaned.split()))
    return normalise(label) if confidence >= MIN_CONFIDENCE else ''
