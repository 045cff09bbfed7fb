"""The tree of a boolean expression: what each node matches, shows and needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .text import Span, Text


@dataclass(frozen=True)
class Word:
    """One whole word, ``#tag`` or ``@handle``, folded. ``source`` is how it was written."""

    token: str
    source: str = field(default='', compare=False)
    place: tuple[int, int] = field(default=(0, 0), compare=False)

    def matches(self, text: Text) -> bool:
        """Tell whether the text holds the token."""
        return self.token in text.tokens

    def spans(self, text: Text) -> list[Span]:
        """Return where the token stands in the original text."""
        if self.token[0] in '#@':
            return text.find_marked(self.token, self.source)
        return text.find_words(f' {self.token} ', self.source)


@dataclass(frozen=True)
class Marked:
    """Any ``#tag`` or ``@handle`` that begins with the token."""

    token: str
    source: str = field(default='', compare=False)
    place: tuple[int, int] = field(default=(0, 0), compare=False)

    def matches(self, text: Text) -> bool:
        """Tell whether a hashtag or handle of the text begins so."""
        return any(token.startswith(self.token) for token in text.tokens)

    def spans(self, text: Text) -> list[Span]:
        """Return where such hashtags or handles stand in the original text."""
        return text.find_marked(self.token, self.source, prefix=True)


@dataclass(frozen=True)
class Phrase:
    """Words in sequence, the beginning of a word, or a part of a run.

    ``pieces`` are folded words and runs; with ``prefix`` the last one may go on.
    """

    pieces: tuple[str, ...]
    needle: str
    prefix: bool = False
    source: str = field(default='', compare=False)
    place: tuple[int, int] = field(default=(0, 0), compare=False)

    def matches(self, text: Text) -> bool:
        """Tell whether the words follow each other in the text."""
        return self.needle in text.joined

    def spans(self, text: Text) -> list[Span]:
        """Return where the phrase stands in the original text."""
        return text.find_words(self.needle, self.source)


@dataclass(frozen=True)
class And:
    """All children."""

    children: tuple[Node, ...]
    place: tuple[int, int] = field(default=(0, 0), compare=False)

    def matches(self, text: Text) -> bool:
        """Tell whether every child matches."""
        for child in self.children:  # noqa: SIM110  a generator in all() costs more than the matching
            if not child.matches(text):
                return False
        return True


@dataclass(frozen=True)
class Or:
    """At least one child. Plain words are looked up together."""

    children: tuple[Node, ...]
    place: tuple[int, int] = field(default=(0, 0), compare=False)
    words: frozenset[str] = field(init=False, compare=False, repr=False)
    others: tuple[Node, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        words = frozenset(child.token for child in self.children if isinstance(child, Word))
        others = tuple(child for child in self.children if not isinstance(child, Word))
        object.__setattr__(self, 'words', words)
        object.__setattr__(self, 'others', others)

    def matches(self, text: Text) -> bool:
        """Tell whether a child matches."""
        if not self.words.isdisjoint(text.tokens):
            return True
        for child in self.others:  # noqa: SIM110  as above
            if child.matches(text):
                return True
        return False


@dataclass(frozen=True)
class Not:
    """The opposite of the child."""

    child: Node
    place: tuple[int, int] = field(default=(0, 0), compare=False)

    def matches(self, text: Text) -> bool:
        """Tell whether the child does not match."""
        return not self.child.matches(text)


Term = Word | Marked | Phrase
Node = Word | Marked | Phrase | And | Or | Not


def all_needed(node: And | Or, negated: bool) -> bool:
    """Tell whether all children of the node have to hold, seen under a negation or not."""
    return isinstance(node, And) is not negated


def without_term(node: Node, negated: bool = False) -> Node | None:
    """Return the first part that could match a text holding none of the terms, if any.

    ``a OR NOT b`` gives ``NOT b``; ``a AND NOT b`` gives ``None``: without ``a`` there is no match.
    """
    if isinstance(node, Not):
        return node if without_term(node.child, not negated) else None
    if not isinstance(node, And | Or):
        return node if negated else None
    parts = [without_term(child, negated) for child in node.children]
    if all_needed(node, negated) and None in parts:
        return None
    return next((part for part in parts if part is not None), None)


def matched_terms(node: Node, text: Text, negated: bool = False) -> Iterator[Term]:
    """Yield the terms that made the text match: of the branches that hold, positive terms only."""
    if isinstance(node, Not):
        yield from matched_terms(node.child, text, not negated)
    elif node.matches(text) is negated:
        return
    elif isinstance(node, And | Or):
        for child in node.children:
            yield from matched_terms(child, text, negated)
    elif not negated:
        yield node


def count_terms(node: Node) -> int:
    """Return the number of terms below the node, itself included."""
    if isinstance(node, Not):
        return count_terms(node.child)
    if isinstance(node, And | Or):
        return sum(count_terms(child) for child in node.children)
    return 1


def write(node: Node, top: bool = True) -> str:
    """Write the node as an expression that is read as an equal node again."""
    if isinstance(node, Not):
        return f'NOT {write(node.child, top=False)}'
    if isinstance(node, And | Or):
        word = ' AND ' if isinstance(node, And) else ' OR '
        body = word.join(write(child, top=False) for child in node.children)
        return body if top else f'({body})'
    return node.source


def positive_terms(node: Node, negated: bool = False) -> Iterator[Term]:
    """Yield the terms that are not under an odd number of NOTs."""
    if isinstance(node, Not):
        yield from positive_terms(node.child, not negated)
    elif isinstance(node, And | Or):
        for child in node.children:
            yield from positive_terms(child, negated)
    elif not negated:
        yield node
