"""What a listening rule looks for, as one object.

``parse`` reads an expression, ``for_rule`` puts together the fields of a rule's form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .fold import fold
from .nodes import (
    And,
    Node,
    Not,
    Or,
    Term,
    matched_terms,
    positive_terms,
    without_term,
    write,
)
from .parser import join, read
from .search import expressions, fewest_terms
from .terms import ERROR_CODES, Code, QueryError, term_node
from .text import Span, Text

__all__ = ['ERROR_CODES', 'Code', 'Query', 'QueryError', 'any_of', 'combine', 'for_rule', 'parse']

#: Entries of one list of a rule's form.
MAX_ENTRIES = 1000


@dataclass(frozen=True)
class Query:
    """A checked query: no text matches that holds none of its positive terms."""

    root: Node

    def matches(self, text: Text) -> bool:
        """Tell whether the text matches."""
        return self.root.matches(text)

    def terms(self, text: Text) -> tuple[str, ...]:
        """Return the positive terms that made the text match, as written, each once.

        Terms that hold by what the network gave beside the text are included.
        """
        return tuple(dict.fromkeys(term.source for term in matched_terms(self.root, text)))

    def wanted(self) -> tuple[str, ...]:
        """Return all positive terms as written, each once."""
        return tuple(dict.fromkeys(term.source for term in positive_terms(self.root)))

    def fewest_terms(self, cost: Callable[[str], float]) -> list[str]:
        """See :func:`.search.fewest_terms`."""
        return fewest_terms(self.root, cost)

    def expressions(self, longest: int) -> tuple[list[str], list[str]]:
        """See :func:`.search.expressions`."""
        return expressions(self.root, longest)

    def found(self, text: Text) -> tuple[Span, ...]:
        """Return the places in the original text to highlight, in order, none overlapping.

        Empty when the text does not match. Positions are characters of ``text.plain``.
        """
        terms: dict[Term, Term] = {term: term for term in matched_terms(self.root, text)}
        spans = sorted(
            (span for term in terms for span in term.spans(text)), key=lambda s: (s[0], -s[1])
        )
        merged: list[Span] = []
        for span in spans:
            if merged and span.start < merged[-1].end:
                last = merged.pop()
                span = last._replace(end=max(last.end, span.end))
            merged.append(span)
        return tuple(merged)

    def __str__(self) -> str:
        """Write the query as an expression; ``parse`` makes an equal query of it."""
        return write(self.root)


def _checked(root: Node) -> Query:
    """Return the query.

    :raise QueryError: ``no_positive_term``, at the part that could match without any
    """
    weak = without_term(root)
    if weak is not None:
        raise QueryError('no_positive_term', *weak.place)
    return Query(root)


def parse(expression: str) -> Query:
    """Return the query of an expression: ``AND OR NOT "phrase" ( ) #tag @handle word* -word``.

    Operators are upper case; terms side by side mean AND; AND binds before OR. Case, accents and
    widths do not count. A CJK, Thai or Korean term is found inside of longer words. ``@user`` finds
    ``@user@host`` too.

    :raise QueryError: with a code and the position of the mistake
    """
    return _checked(read(expression))


def _entries(entries: Sequence[str], field: str, mark: str = '') -> list[Node]:
    """Return a node for each entry that is not blank; ``mark`` is put before those without it.

    :raise QueryError: with field and index
    """
    nodes: list[Node] = []
    for index, entry in enumerate(entries):
        if not entry.strip():
            continue
        if len(nodes) == MAX_ENTRIES:
            raise QueryError('too_many_terms', 0, len(entry), field, index)
        added = '' if not mark or fold(entry.lstrip()[0]) == mark else mark
        try:
            nodes.append(term_node(added + entry.lstrip() if added else entry))
        except QueryError as error:
            blanks = len(entry) - len(entry.lstrip()) if added else 0
            position = max(error.position - len(added), 0) + blanks
            raise QueryError(error.code, position, error.length, field, index) from None
    return nodes


def any_of(
    keywords: Sequence[str] = (),
    hashtags: Sequence[str] = (),
    handles: Sequence[str] = (),
) -> Query | None:
    """Return a query for any of the terms, ``None`` when there are none (blank ones do not count).

    A keyword of several words is a phrase; operators are words here; ``word*`` works. Hashtags and
    handles may be given with or without their sign.

    :raise QueryError: with the field and the index of the entry
    """
    nodes = [
        *_entries(keywords, 'keywords'),
        *_entries(hashtags, 'hashtags', '#'),
        *_entries(handles, 'handles', '@'),
    ]
    return Query(join(Or, nodes)) if nodes else None


def combine(
    wanted: Query | None = None,
    expression: Query | None = None,
    excluded: Query | None = None,
) -> Query:
    """Return ``wanted AND expression AND NOT excluded``, of those that are given.

    :raise QueryError: ``empty`` when nothing is wanted
    """
    parts: list[Node] = [query.root for query in (wanted, expression) if query is not None]
    if not parts:
        raise QueryError('empty' if excluded is None else 'no_positive_term')
    if excluded is not None:
        parts.append(Not(excluded.root))
    return Query(join(And, parts))


def for_rule(
    keywords: Sequence[str] = (),
    hashtags: Sequence[str] = (),
    handles: Sequence[str] = (),
    expression: str = '',
    exclusions: Sequence[str] = (),
) -> Query:
    """Return the query of a rule's form: any keyword, hashtag or handle, and the expression, and
    none of the exclusions (each a keyword, a phrase, a ``#tag`` or a ``@handle``).

    :raise QueryError: with the field, and for lists the index of the entry; ``empty`` or
        ``no_positive_term`` without field when nothing is wanted
    """
    wanted = any_of(keywords, hashtags, handles)
    excluded = _entries(exclusions, 'exclusions')
    try:
        condition = parse(expression) if expression.strip() else None
    except QueryError as error:
        raise QueryError(error.code, error.position, error.length, 'expression') from None
    return combine(wanted, condition, Query(join(Or, excluded)) if excluded else None)
