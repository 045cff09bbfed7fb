"""From one written term to a node of the tree."""

from __future__ import annotations

from typing import Literal, get_args

from .fold import fold
from .nodes import Marked, Phrase, Term, Word
from .text import is_handle, is_run, is_tag, split

Code = Literal[
    'empty',
    'too_long',
    'too_many_terms',
    'too_deep',
    'unclosed_quote',
    'unclosed_parenthesis',
    'unexpected_parenthesis',
    'empty_parenthesis',
    'operator_without_operand',
    'empty_term',
    'bad_hashtag',
    'bad_handle',
    'bad_wildcard',
    'no_positive_term',
]
#: Every code that a ``QueryError`` can carry.
ERROR_CODES: tuple[Code, ...] = get_args(Code)

QUOTES = '"“”„‟«»＂'
OPERATORS = frozenset({'AND', 'OR', 'NOT'})


class QueryError(ValueError):
    """The expression cannot be used.

    :param code: one of ``ERROR_CODES``, for a translated sentence
    :param position: where, in characters from 0; for an entry of a list, within that entry
    :param length: how many characters are concerned, at least 1
    :param field: which argument of ``for_rule`` (``expression``, ``keywords``, ...), else empty
    :param index: which entry of that list, from 0; -1 for none
    """

    def __init__(
        self, code: Code, position: int = 0, length: int = 1, field: str = '', index: int = -1
    ) -> None:
        super().__init__(f'{code} at {position}')
        self.code = code
        self.position = position
        self.length = max(length, 1)
        self.field = field
        self.index = index


def _take_wildcard(body: str, start: int) -> tuple[str, bool]:
    """Split a final ``*`` off.

    :raise QueryError: for a ``*`` anywhere else, or one that follows no letter
    """
    at = body.find('*')
    if at < 0:
        return body, False
    if at != len(body) - 1:
        raise QueryError('bad_wildcard', start + at)
    stem = body[:-1]
    pieces = split(fold(stem))
    if not pieces or not fold(stem).endswith((pieces[-1], '_')):
        raise QueryError('bad_wildcard', start + at)
    return stem, True


def word_node(body: str, start: int, source: str, place: tuple[int, int]) -> Word | Phrase:
    """Return the node of a keyword or phrase.

    :param body: what was written, without quotes
    :param start: the position of the body
    :param source: how to write the term in an expression
    :param place: position and length of the term with its quotes
    :raise QueryError: when it holds no letter, digit or emoji, or a misplaced ``*``
    """
    stem, prefix = _take_wildcard(body, start)
    pieces = tuple(split(fold(stem)))
    if not pieces:
        raise QueryError('empty_term', *place)
    if len(pieces) == 1 and not prefix and not is_run(pieces[0]):
        return Word(pieces[0], source, place)
    # A run may begin and end within a longer one, a word may not.
    before = '' if is_run(pieces[0]) else ' '
    prefix = prefix and not is_run(pieces[-1])
    after = '' if prefix or is_run(pieces[-1]) else ' '
    return Phrase(pieces, f'{before}{" ".join(pieces)}{after}', prefix, source, place)


def marked_node(body: str, start: int = 0) -> Word | Marked:
    """Return the node of a ``#tag`` or ``@handle``, a final ``*`` allowed.

    :raise QueryError: when it is not well-formed
    """
    folded, prefix = fold(body), False
    if folded.endswith('*'):
        folded, prefix = folded[:-1], True
    if '*' in folded:
        raise QueryError('bad_wildcard', start + body.index('*'))
    well_formed = is_tag(folded) if folded[0] == '#' else is_handle(folded)
    if not well_formed:
        raise QueryError('bad_hashtag' if folded[0] == '#' else 'bad_handle', start, len(body))
    return (Marked if prefix else Word)(folded, body, (start, len(body)))


def is_marked(body: str) -> bool:
    """Tell whether the term is meant as a hashtag or handle."""
    return fold(body[:1]) in ('#', '@')


def term_node(entry: str) -> Term:
    """Return the node of one entry of a list: a keyword, a phrase, a ``#tag`` or a ``@handle``.

    :raise QueryError: see ``word_node`` and ``marked_node``
    """
    start = len(entry) - len(entry.lstrip())
    body = entry.strip()
    if is_marked(body):
        return marked_node(body, start)
    place = (start, len(body))
    if len(body) > 1 and body[0] in QUOTES and body[-1] in QUOTES:
        start, body = start + 1, body[1:-1]
    for quote in QUOTES:  # they would end the phrase when the query is written out
        body = body.replace(quote, ' ')
    bare = body.isalnum() and body not in OPERATORS
    return word_node(body, start, body if bare else f'"{body}"', place)
