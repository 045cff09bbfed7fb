"""Reader of boolean expressions.

Written by hand, forty lines of recursive descent: lark, pyparsing, luqum and boolean.py would each
be a dependency whose errors name tokens, not the character and the mistake a person has to see.

    either := both ('OR' both)*          OR binds weakest
    both   := one ('AND'? one)*          two terms side by side mean AND
    one    := ('NOT' | '-')* atom
    atom   := '(' either ')' | "phrase" | word | word* | #tag | @handle
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .nodes import And, Node, Not, Or
from .terms import OPERATORS, QUOTES, QueryError, is_marked, marked_node, word_node

MAX_LENGTH = 2000
MAX_TERMS = 200
MAX_DEPTH = 50

_BRACKETS = '()（）'  # the wide ones are what a Japanese keyboard gives
_LEXEME = re.compile(
    rf'\s*(?:(?P<open>[(（])|(?P<close>[)）])'
    rf'|(?P<quote>[{QUOTES}])(?P<phrase>[^{QUOTES}]*)(?P<end>[{QUOTES}]?)'
    rf'|(?P<minus>-(?=[^\s{_BRACKETS[1]}{_BRACKETS[3]}]))'
    rf'|(?P<word>[^\s{_BRACKETS}{QUOTES}]+))'
)


class _Lexeme(NamedTuple):
    kind: str  # open, close, phrase, word, AND, OR, NOT, end
    body: str
    start: int
    length: int


def _lexemes(expression: str) -> list[_Lexeme]:
    """Cut the expression; the last lexeme is of kind ``end``."""
    found = []
    at = 0
    while (match := _LEXEME.match(expression, at)) is not None:
        at = match.end()
        kind = match.lastgroup or ''
        if match['quote']:
            if not match['end']:
                raise QueryError('unclosed_quote', match.start('quote'))
            kind, start, body = 'phrase', match.start('quote'), match['phrase']
        else:
            start, body = match.start(kind), match[kind]
        if kind == 'minus':
            kind = 'NOT'
        elif kind == 'word' and body in OPERATORS:
            kind = body
        found.append(_Lexeme(kind, body, start, at - start))
    found.append(_Lexeme('end', '', len(expression), 1))
    return found


def join(kind: type[And] | type[Or], parts: list[Node]) -> Node:
    """Join the parts under one node; nested ones of that kind are taken in, a single part stays."""
    if len(parts) == 1:
        return parts[0]
    flat: list[Node] = []
    for part in parts:
        if isinstance(part, kind):
            flat.extend(part.children)
        else:
            flat.append(part)
    start = parts[0].place[0]
    return kind(tuple(flat), (start, parts[-1].place[0] + parts[-1].place[1] - start))


class _Parser:
    """One reading of one expression."""

    def __init__(self, expression: str) -> None:
        self.lexemes = _lexemes(expression)
        self.at = 0
        self.depth = 0
        self.terms = 0

    @property
    def kind(self) -> str:
        return self.lexemes[self.at].kind

    def take(self) -> _Lexeme:
        self.at += 1
        return self.lexemes[self.at - 1]

    def either(self) -> Node:
        parts = [self.both()]
        while self.kind == 'OR':
            operator = self.take()
            parts.append(self.both(operator))
        return join(Or, parts)

    def both(self, operator: _Lexeme | None = None) -> Node:
        """Read terms joined by AND; ``operator`` is the OR that they follow."""
        parts = [self.one(operator)]
        while self.kind not in ('OR', 'close', 'end'):
            parts.append(self.one(self.take() if self.kind == 'AND' else None))
        return join(And, parts)

    def one(self, operator: _Lexeme | None) -> Node:
        negations = []
        while self.kind == 'NOT':
            operator = self.take()
            negations.append(operator)
        node = self.atom(operator)
        if len(negations) % 2 == 0:  # NOT NOT a: no tree as deep as somebody's patience
            return node
        start = negations[0].start
        return Not(node, (start, node.place[0] + node.place[1] - start))

    def atom(self, operator: _Lexeme | None) -> Node:
        """Read a term or a group; ``operator`` is blamed where neither follows."""
        lexeme = self.lexemes[self.at]
        if lexeme.kind in ('AND', 'OR', 'close', 'end'):
            raise self.missing(lexeme, operator)
        self.take()
        if lexeme.kind == 'open':
            return self.group(lexeme)
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise QueryError('too_many_terms', lexeme.start, lexeme.length)
        if lexeme.kind == 'word' and is_marked(lexeme.body):
            return marked_node(lexeme.body, lexeme.start)
        place = (lexeme.start, lexeme.length)
        if lexeme.kind == 'phrase':
            return word_node(lexeme.body, lexeme.start + 1, f'"{lexeme.body}"', place)
        return word_node(lexeme.body, lexeme.start, lexeme.body, place)

    def missing(self, lexeme: _Lexeme, operator: _Lexeme | None) -> QueryError:
        """Return the error for ``lexeme`` standing where a term should."""
        if operator is not None:
            return QueryError('operator_without_operand', operator.start, operator.length)
        if lexeme.kind == 'close' and self.depth == 0:
            return QueryError('unexpected_parenthesis', lexeme.start)
        return QueryError('operator_without_operand', lexeme.start, lexeme.length)

    def group(self, opening: _Lexeme) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise QueryError('too_deep', opening.start)
        if self.kind == 'close':
            end = self.lexemes[self.at].start + 1
            raise QueryError('empty_parenthesis', opening.start, end - opening.start)
        if self.kind == 'end':
            raise QueryError('unclosed_parenthesis', opening.start)
        node = self.either()
        if self.kind != 'close':
            raise QueryError('unclosed_parenthesis', opening.start)
        self.take()
        self.depth -= 1
        return node


def read(expression: str) -> Node:
    """Return the tree of the expression.

    :raise QueryError: with the position of the first mistake
    """
    if len(expression) > MAX_LENGTH:
        raise QueryError('too_long', MAX_LENGTH, len(expression) - MAX_LENGTH)
    if not expression.strip():
        raise QueryError('empty')
    parser = _Parser(expression)
    node = parser.either()
    if parser.kind != 'end':  # all that either() leaves behind
        raise QueryError('unexpected_parenthesis', parser.lexemes[parser.at].start)
    return node
