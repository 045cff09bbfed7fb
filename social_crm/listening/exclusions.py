"""Which words to exclude from a rule, learnt from what it should not have found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .fold import fold
from .query import Query, QueryError, any_of
from .text import Text

_CANDIDATE = re.compile(r'#?\w[\w-]{3,29}')
_LIMIT = 60  # candidates of one text that are looked at


class Suggestion(NamedTuple):
    """A term, and in how many unwanted and wanted texts it occurs."""

    term: str
    unwanted: int
    wanted: int


def suggest_exclusions(
    text: str,
    query: Query,
    unwanted: Iterable[str] = (),
    wanted: Iterable[str] = (),
    limit: int = 8,
) -> list[Suggestion]:
    """Return terms of ``text`` that tell unwanted from wanted texts, the best first.

    What the query looks for is no candidate: excluding it would silence the query.

    :param unwanted: what the query found before and should not have; ``text`` need not be in it
    :param wanted: what it rightly found
    """
    bad, good = [Text(one) for one in unwanted], [Text(one) for one in wanted]
    terms: dict[str, str] = {}
    for term in _CANDIDATE.findall(text)[:_LIMIT]:
        terms.setdefault(fold(term), term)
    found = []
    for term in terms.values():
        if not is_excludable(term, query):
            continue
        one = _query_of(term)
        if one is not None:
            found.append(Suggestion(term, sum(map(one.matches, bad)), sum(map(one.matches, good))))
    # Where both kinds say nothing, the longer word says more, and a hashtag more than a word.
    found.sort(key=lambda one: (2 * one.wanted - one.unwanted, one.term[0] != '#', -len(one.term)))
    return found[:limit]


def is_excludable(term: str, query: Query) -> bool:
    """Tell whether a term can be excluded without silencing a term that the query looks for."""
    one = _query_of(term)
    return one is not None and not any(one.matches(Text(asked)) for asked in query.wanted())


def holding(texts: Sequence[str], terms: Iterable[str]) -> list[int]:
    """Return the indexes of the texts that hold any of the terms."""
    queries = [one for one in map(_query_of, terms) if one is not None]
    return [
        index
        for index, text in enumerate(map(Text, texts))
        if any(query.matches(text) for query in queries)
    ]


def _query_of(term: str) -> Query | None:
    try:
        return any_of(hashtags=[term]) if term.startswith('#') else any_of(keywords=[term])
    except QueryError:
        return None
