"""Listening: which rules a post matches, its language and its mood. Plain Python, no Odoo."""

from .criteria import Criteria, Facts
from .exclusions import Suggestion, holding, is_excludable, suggest_exclusions
from .index import RuleIndex
from .language import detect
from .language_codes import normalise as normalise_language
from .query import ERROR_CODES, Query, QueryError, any_of, combine, for_rule, parse
from .sentiment import Sentiment, explain, score
from .text import Span, Text

__all__ = [
    'ERROR_CODES',
    'Criteria',
    'Facts',
    'Query',
    'QueryError',
    'RuleIndex',
    'Sentiment',
    'Span',
    'Suggestion',
    'Text',
    'any_of',
    'combine',
    'detect',
    'explain',
    'for_rule',
    'holding',
    'is_excludable',
    'normalise_language',
    'parse',
    'score',
    'suggest_exclusions',
]
