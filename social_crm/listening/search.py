"""What a network that searches by itself is asked for, so that it finds what a query matches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .nodes import And, Node, Not, Or, Phrase, Term, Word, all_needed, positive_terms
from .parser import join

#: Tags and handles that X knows as such; another one would have it refuse the whole search.
_MARKED = re.compile(r'#\w*[^\W\d]\w*|@[a-z0-9_]{1,15}')


def fewest_terms(root: Node, cost: Callable[[str], float]) -> list[str]:
    """Return words to search for, one by one: every text that matches holds one of them.

    Of ``desk (buy OR order)`` it is *desk*. Of all such lists it is the cheapest.

    :param cost: term as written -> how dear it is to search for it
    """
    wanted = _without_not(root)
    terms = _fewest(wanted, lambda term: cost(term.source)) if wanted else []
    return list(dict.fromkeys(term.source for term in terms))


def expressions(root: Node, longest: int) -> tuple[list[str], list[str]]:
    """Return expressions that together find what the query matches, and the terms left out.

    They stand in parentheses: terms in quotes, ``#tags`` and ``@handles``, side by side where all
    are needed, with ``OR`` between. What must *not* be in a text is left to us: a network may see
    it where we do not. Beginnings of words (``desk*``) are left out, with all that needs them:
    the rest alone would find far too much.

    :param longest: characters of an expression at most
    """
    wanted = _without_not(root)
    if wanted is None:
        return [], []
    kept = _searchable(wanted)
    left = [term.source for term in positive_terms(wanted) if not _is_searchable(term)]
    return list(_split(kept, longest)) if kept else [], list(dict.fromkeys(left))


def _without_not(node: Node, negated: bool = False) -> Node | None:
    """Return what a text has to hold, in AND, OR and terms; ``None`` where any text will do."""
    if isinstance(node, Not):
        return _without_not(node.child, not negated)
    if not isinstance(node, And | Or):
        return None if negated else node
    parts = [_without_not(child, negated) for child in node.children]
    known = [part for part in parts if part is not None]
    if all_needed(node, negated):
        return join(And, known) if known else None
    return join(Or, known) if len(known) == len(parts) else None


def _fewest(node: Node, cost: Callable[[Term], float]) -> list[Term]:
    if isinstance(node, And):
        lists = [_fewest(child, cost) for child in node.children]
        return min(lists, key=lambda terms: sum(map(cost, terms)))
    if isinstance(node, Or):
        return [term for child in node.children for term in _fewest(child, cost)]
    return [] if isinstance(node, Not) else [node]


def _is_searchable(term: Term) -> bool:
    if isinstance(term, Word):
        return term.token[0] not in '#@' or _MARKED.fullmatch(term.token) is not None
    return isinstance(term, Phrase) and not term.prefix


def _searchable(node: Node) -> Node | None:
    """Return the node without the terms that cannot be searched for, and what needs them."""
    if not isinstance(node, And | Or):
        return node if not isinstance(node, Not) and _is_searchable(node) else None
    parts = [_searchable(child) for child in node.children]
    known = [part for part in parts if part is not None]
    if not known or (isinstance(node, And) and len(known) < len(parts)):
        return None
    return join(type(node), known)


def _split(node: Node, longest: int) -> Iterator[str]:
    """Yield the node, or its halves where it is too long; a term that is too long is left out."""
    text = _write(node)
    if len(text) + 2 <= longest:
        yield f'({text})'
    elif isinstance(node, Or):
        half = len(node.children) // 2
        for part in (node.children[:half], node.children[half:]):
            yield from _split(join(Or, list(part)), longest)
    elif isinstance(node, And):
        longer = [child for child in node.children if isinstance(child, Or)]
        if longer:
            widest = max(longer, key=lambda child: len(_write(child)))
            others = [child for child in node.children if child is not widest]
            half = len(widest.children) // 2
            for part in (widest.children[:half], widest.children[half:]):
                yield from _split(join(And, [*others, join(Or, list(part))]), longest)


def _write(node: Node) -> str:
    if isinstance(node, And):
        parts = (
            f'({_write(one)})' if isinstance(one, Or) else _write(one) for one in node.children
        )
        return ' '.join(parts)
    if isinstance(node, Or):
        return ' OR '.join(_write(one) for one in node.children)
    if isinstance(node, Word) and node.token[0] in '#@':
        return node.token
    source = '' if isinstance(node, Not) else node.source
    return '"' + ' '.join(source.replace('"', ' ').split()) + '"'
