"""How a post sounds: VADER for English, emoji and emoticons for every other language, or unknown.

VADER's word list is English: on another language it would count chance hits (German ``die``, French
``pain``), so it never gets to see one.
"""

from __future__ import annotations

import math
import re
import threading
from dataclasses import dataclass
from typing import Any, Literal

from .emoji import WEIGHTS
from .language_codes import normalise

#: Characters that are looked at.
MAX_TEXT = 5000
#: Scores nearer to 0 than this are neutral (VADER's own threshold).
NEUTRAL = 0.05

Label = Literal['positive', 'neutral', 'negative', 'unknown']
Method = Literal['vader', 'emoji', 'none']

# VADER's work grows with the square of the words; long texts are scored in parts and averaged.
_PART = 100
_MAX_WORD = 50
_ALPHA = 15  # as in VADER, so that emoji alone weigh the same in every language

_SENTENCE_END = re.compile(r'(?<=[.!?\u2026])\s+(?=\S)')
_ADDRESS = re.compile(r'https?://\S+|www\.\S+|(?<![\w.+\-])[\w.+\-]+@[\w\-]+\.[\w.\-]+')
_INVISIBLE = re.compile(
    '[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U0001f3fb-\U0001f3ff'
    '\U000e0000-\U000e01ef\ud800-\udfff]+'
)
_EMOJI = re.compile(f'[{"".join(WEIGHTS)}]')
#: What every emoticon has, and few other words have: a sign and something right behind it.
_MAYBE_SIGN = re.compile(r"[^\w\s'#@-]\S|['#@-][^\w\s]")
_TRAILING_SIGNS = re.compile(r'(?<=\w)[:;=]?[^\w\s]+[)(dp3]?$')

_lock = threading.Lock()
_analyzer: Any = None
_emoticons: dict[str, float] = {}


@dataclass(frozen=True)
class Sentiment:
    """``value`` from -1 (bad) to 1 (good), ``None`` when unknown; ``method``: what it rests on."""

    value: float | None
    label: Label
    method: Method


UNKNOWN = Sentiment(None, 'unknown', 'none')


def _load() -> Any:
    """Return VADER's analyzer, its lists read once."""
    global _analyzer
    if _analyzer is None:
        with _lock:
            if _analyzer is None:
                from vaderSentiment.vaderSentiment import (
                    SentimentIntensityAnalyzer,
                )

                analyzer = SentimentIntensityAnalyzer()
                _emoticons.update(
                    {sign: value for sign, value in analyzer.lexicon.items() if _is_emoticon(sign)}
                )
                analyzer.emojis = {}  # names of emoji are not what their writer says
                _analyzer = analyzer
    return _analyzer


def _is_emoticon(sign: str) -> bool:
    """Tell whether an entry of VADER's list is an emoticon anywhere; ``8)`` may be a number."""
    return len(sign) > 1 and not sign[0].isalnum() and sign.isascii() and sign not in {'$:', '%)'}


def _clean(text: str) -> str:
    """Return what is scored: emoji apart from words, no addresses, nothing invisible."""
    cleaned = _INVISIBLE.sub('', _ADDRESS.sub(' ', text[:MAX_TEXT]))
    return cleaned if cleaned.isascii() else _EMOJI.sub(r' \g<0> ', cleaned)


def _parts(cleaned: str) -> list[str]:
    """Return the text in parts of at most ``_PART`` words."""
    words = [word[:_MAX_WORD] for word in cleaned.split()]
    return [' '.join(words[at : at + _PART]) for at in range(0, len(words), _PART)]


def _labelled(value: float, method: Method) -> Sentiment:
    label: Label = 'neutral'
    if value >= NEUTRAL:
        label = 'positive'
    elif value <= -NEUTRAL:
        label = 'negative'
    return Sentiment(round(value, 4), label, method)


def _normalise(total: float) -> float:
    """Bring a sum of weights between -1 and 1, as VADER does."""
    return total / math.sqrt(total * total + _ALPHA)


def _sign_of(word: str, brackets: bool) -> str:
    """Return the emoji or emoticon that the word is or ends with, else ``''``.

    With ``brackets`` in the text, ``above:)`` closes one and is no smile.
    """
    if word in WEIGHTS or word in _emoticons:
        return word
    if len(word) > _MAX_WORD or (brackets and word[-1] == ')'):
        return ''
    trailing = _TRAILING_SIGNS.search(word)
    return trailing.group() if trailing and trailing.group() in _emoticons else ''


def _signs(part: str) -> tuple[str, list[tuple[str, float]]]:
    """Take emoji and emoticons out: return the words left, and the signs with their weights."""
    _load()
    if part.isascii() and not _MAYBE_SIGN.search(part):
        return part, []
    words = []
    found = []
    brackets = '(' in part
    for word in part.split():
        sign = _sign_of(word.lower(), brackets)
        if sign:
            found.append((sign, WEIGHTS.get(sign) or _emoticons[sign]))
            word = word[: len(word) - len(sign)]
        if word:
            words.append(word)
    return ' '.join(words), found


def _raw(words: str) -> float:
    """Return VADER's sum of weights, undone from its compound score."""
    compound: float = _load().polarity_scores(words)['compound']
    compound = max(-0.9999, min(0.9999, compound))  # rounded by VADER, so it may be 1
    return compound * math.sqrt(_ALPHA / (1 - compound * compound))


def _score_part(part: str) -> float:
    """Score English words by VADER, sentence by sentence, and add the signs.

    Apart, for VADER carries a "no" into the next sentence ("no answer. Terrible service" would be
    praise), and would let "not working 😡" turn the anger into joy, as it does with "not bad".
    """
    words, signs = _signs(part)
    sentences = _SENTENCE_END.split(words) if words else []
    if len(sentences) == 1 and not signs:
        return float(_load().polarity_scores(words)['compound'])
    return _normalise(sum(map(_raw, sentences)) + sum(weight for _sign, weight in signs))


def _score_english(cleaned: str) -> Sentiment:
    scores = [_score_part(part) for part in _parts(cleaned)]
    return _labelled(sum(scores) / len(scores), 'vader')


def _score_signs(cleaned: str) -> Sentiment:
    """Score by emoji and emoticons alone."""
    _words, signs = _signs(cleaned)
    return _labelled(_normalise(sum(w for _sign, w in signs)), 'emoji') if signs else UNKNOWN


def score(text: str, language: str) -> Sentiment:
    """Return how the text sounds.

    :param str text: the post; its first ``MAX_TEXT`` characters count
    :param str language: its language (``detect``); by its words only English is scored
    """
    cleaned = _clean(text)
    if not cleaned.strip():
        return UNKNOWN
    return _score_english(cleaned) if normalise(language) == 'en' else _score_signs(cleaned)


def explain(text: str, language: str) -> tuple[tuple[str, float], ...]:
    """Return the words, emoji and emoticons that the score rests on, the strongest first.

    Each with its weight in the sentence (about -5 to 5), negation and emphasis counted in. Of a
    long text, the first part only.
    """
    cleaned = _clean(text)
    if not cleaned.strip():
        return ()
    words, weights = _signs(_parts(cleaned)[0])
    if words and normalise(language) == 'en':
        weights = _word_weights(words) + weights
    return tuple(dict(sorted(weights, key=lambda pair: -abs(pair[1]))).items())


def _word_weights(words: str) -> list[tuple[str, float]]:
    """Return the weight that VADER gives each word in its sentence, those of 0 left out."""
    from vaderSentiment.vaderSentiment import BOOSTER_DICT, SentiText

    analyzer = _load()
    sentence = SentiText(words)
    pairs = []
    for at, word in enumerate(sentence.words_and_emoticons):
        if word.lower() in BOOSTER_DICT:
            continue
        weight = analyzer.sentiment_valence(0, sentence, word, at, [])[0]
        if weight:
            pairs.append((word, round(weight, 3)))
    return pairs
