"""All rules at once.

Each query is filed under few *triggers*: tokens of which a text must hold one to match. A text
looks its tokens up and only the queries found that way are evaluated, so the cost follows the
number of queries that a text nearly matches, not the number of queries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

from .nodes import And, Marked, Node, Not, Or, Phrase, Term, Word, all_needed, positive_terms
from .query import Query
from .text import Text, is_run

Key = TypeVar('Key', bound=Hashable)


class Trigger(NamedTuple):
    """``kind``: ``token`` (whole), ``prefix`` (begins so), ``gram`` (1 or 2 letters of a run)."""

    kind: str
    value: str


#: What a query is filed under; ``True`` where the trigger alone means a match.
Filing = dict[Trigger, bool]

# How often a text holds a word of that many letters, roughly, in languages with an alphabet.
_FREQUENCY = (1.0, 1.0, 0.8, 0.5, 0.25, 0.12, 0.08, 0.06)
_GRAMS = {1: 0.5, 2: 0.1}


def _frequency(trigger: Trigger) -> float:
    """Guess the share of texts that hold the trigger."""
    kind, value = trigger
    if kind == 'gram':
        return _GRAMS[len(value)]
    if value[0] in '#@':
        return 0.02
    share = _FREQUENCY[len(value)] if len(value) < len(_FREQUENCY) else 0.04
    return share if kind == 'token' else min(1.0, 2 * share)


def _grams(run: str) -> set[str]:
    return {run[at : at + 2] for at in range(len(run) - 1)} or {run}


def _of_phrase(phrase: Phrase) -> Iterable[Trigger]:
    last = len(phrase.pieces) - 1
    for at, piece in enumerate(phrase.pieces):
        if is_run(piece):
            yield from (Trigger('gram', gram) for gram in _grams(piece))
        else:
            yield Trigger('prefix' if phrase.prefix and at == last else 'token', piece)


def _of_term(term: Term) -> list[Trigger]:
    """Return the triggers of a term: a text that matches it holds all of them."""
    if isinstance(term, Word):
        return [Trigger('token', term.token)]
    if isinstance(term, Marked):
        return [Trigger('prefix', term.token)]
    return list(_of_phrase(term))


def _is_sure(term: Term, trigger: Trigger) -> bool:
    """Tell whether a text that holds the trigger matches the term."""
    if not isinstance(term, Phrase):
        return True
    return len(term.pieces) == 1 and trigger.value == term.pieces[0]


class _Filer:
    """Chooses the triggers of each query, knowing how many queries could use each."""

    def __init__(self, queries: Iterable[Query]) -> None:
        self.wanted: Counter[Trigger] = Counter()
        for query in queries:
            self.wanted.update(
                {trigger for term in positive_terms(query.root) for trigger in _of_term(term)}
            )

    def cost(self, filing: Iterable[Trigger]) -> float:
        """Return about how many evaluations per text such a filing brings.

        A word that many rules use is taken for a common word, and a crowded one: of ``the AND w1``,
        ``the AND w2`` ... each goes under its own word.
        """
        return sum(self.wanted[trigger] * _frequency(trigger) for trigger in filing)

    def file(self, node: Node, negated: bool = False) -> Filing | None:
        """Return the cheapest filing, ``None`` when the node can match without any term."""
        if isinstance(node, Not):
            return self.file(node.child, not negated)
        if not isinstance(node, And | Or):
            return None if negated else self._file_term(node)
        filings = [self.file(child, negated) for child in node.children]
        if all_needed(node, negated):
            usable = [filing for filing in filings if filing is not None]
            return dict.fromkeys(min(usable, key=self.cost), False) if usable else None
        union: Filing = {}
        for filing in filings:
            if filing is None:
                return None
            for trigger, sure in filing.items():
                union[trigger] = union.get(trigger, False) or sure
        return union

    def _file_term(self, term: Term) -> Filing:
        best = min(_of_term(term), key=lambda trigger: self.cost((trigger,)))
        return {best: _is_sure(term, best)}


#: A filed query: its place in the order of the queries, and the query where it is yet to be asked.
Entry = tuple[int, Query | None]


class RuleIndex(Generic[Key]):
    """Finds the queries that match a text. Never changes, so threads may share it.

    :param queries: key (a rule's id) -> query
    """

    def __init__(self, queries: Mapping[Key, Query]) -> None:
        self._keys = list(queries)
        self._tables: dict[str, dict[str, list[Entry]]] = {'token': {}, 'prefix': {}, 'gram': {}}
        filer = _Filer(queries.values())
        for ordinal, query in enumerate(queries.values()):
            filing = filer.file(query.root)
            if filing is None:  # not from parse(), which refuses it
                raise ValueError(f'no positive term: {query}')
            for (kind, value), sure in filing.items():
                entry = (ordinal, None if sure else query)
                self._tables[kind].setdefault(value, []).append(entry)
        self._tokens = frozenset(self._tables['token'])
        self._lengths = sorted({len(prefix) for prefix in self._tables['prefix']})
        # Most words are ruled out by their first letters, whatever the number of lengths.
        self._heads = frozenset(prefix[: self._lengths[0]] for prefix in self._tables['prefix'])
        self._gram_lengths = sorted({len(gram) for gram in self._tables['gram']})

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self._keys)

    def match(self, text: Text) -> list[Key]:
        """Return the keys of all queries that match, in the order in which they were given."""
        tokens = text.tokens
        table = self._tables['token']
        hits = [table[token] for token in self._tokens & tokens]
        if self._lengths:
            hits.extend(self._prefix_hits(tokens))
        if self._gram_lengths and text.runs:
            hits.extend(self._gram_hits(text.runs))
        if not hits:
            return []
        matched: dict[int, bool] = {}
        for entries in hits:
            for ordinal, query in entries:
                if query is None:
                    matched[ordinal] = True
                elif ordinal not in matched:
                    matched[ordinal] = query.root.matches(text)
        return [self._keys[ordinal] for ordinal in sorted(matched) if matched[ordinal]]

    def _prefix_hits(self, tokens: set[str]) -> Iterable[list[Entry]]:
        table, lengths, heads = self._tables['prefix'], self._lengths, self._heads
        shortest = lengths[0]
        begun = {
            token[:length]
            for token in tokens
            if token[:shortest] in heads
            for length in lengths
            if length <= len(token)
        }
        return [table[prefix] for prefix in begun if prefix in table]

    def _gram_hits(self, runs: list[str]) -> Iterable[list[Entry]]:
        table = self._tables['gram']
        grams: set[str] = set()
        for length in self._gram_lengths:
            for run in runs:
                grams.update([run[at : at + length] for at in range(len(run) - length + 1)])
        return [table[gram] for gram in grams if gram in table]
