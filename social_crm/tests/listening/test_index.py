"""The index of all rules answers as each rule alone would."""

import unicodedata
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from social_crm.listening import QueryError, RuleIndex, Text, parse
from social_crm.listening.fold import MARKS, fold, fold_map
from social_crm.listening.text import _PIECE, _cut

WORDS = [
    'a',
    'the',
    'order',
    'orders',
    'Café',
    'cafe',
    'Straße',
    'мой',
    '東京',
    '東京タワー',
    '京',
    'iPhone新型',
    'ภาษาไทย',
    '삼성',
    'हिन्दी',
    '🔥',
    '❤️',
    'acme.com',
    "don't",
    'x_y',
]
TAGS = ['#sale', '#Sales', '#東京', '#café']
HANDLES = ['@acme', '@acme@x.social', '@acme.shop', '@b']
terms = st.one_of(
    st.sampled_from(WORDS + TAGS + HANDLES),
    st.sampled_from(['ord*', 'c*', '東*', '#sal*', '@acm*', '"x y*"']),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(
        lambda words: f'"{" ".join(words)}"'
    ),
)
expressions = st.recursive(
    terms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([' ', ' AND ', ' OR ']), inner).map(
            lambda parts: f'({"".join(parts)})'
        ),
        inner.map(lambda e: f'NOT {e}'),
        inner.map(lambda e: f'-{e}'),
    ),
    max_leaves=6,
)
LINK = 'https://acme.com/order?the#sale'
plain_texts = st.one_of(
    st.lists(
        st.sampled_from([*WORDS, *TAGS, *HANDLES, '\u200b', LINK, '!']), min_size=1, max_size=12
    ).flatmap(lambda words: st.sampled_from([' '.join(words), ''.join(words)])),
    st.lists(st.sampled_from(WORDS), min_size=4, max_size=12).map(' '.join),
    st.text(max_size=30),
)


def test_index_equals_one_by_one_for_all_pairs():
    """Every term and pair of terms against every pair of words: nothing left to chance."""
    single = [*WORDS, *TAGS, *HANDLES, 'ord*', 'orders*', 'c*', '東*', '#sal*', '#sales*', '@acm*']
    phrases = [f'"{first} {last}"' for first, last in product(WORDS[:13], repeat=2)]
    pairs = [
        f'{first} {operator} {last}'
        for first, last in product(single[::3], repeat=2)
        for operator in ('AND', 'OR', 'NOT')
    ]
    parsed = {expression: parse(expression) for expression in single + phrases + pairs}
    index = RuleIndex(parsed)
    for first, last in product([*WORDS, *TAGS, *HANDLES], repeat=2):
        text = Text(f'{first} {last}')
        assert index.match(text) == [key for key, query in parsed.items() if query.matches(text)]


def queries(written):
    """Parse, leaving out those that have no positive term."""
    parsed = {}
    for expression in written:
        try:
            parsed[expression] = parse(expression)
        except QueryError as error:
            assert error.code == 'no_positive_term'
    return parsed


@settings(max_examples=500, deadline=None)
@given(
    st.lists(expressions, max_size=12),
    st.lists(plain_texts, min_size=1, max_size=4),
    st.lists(st.sampled_from(HANDLES), max_size=1),
)
def test_index_equals_one_by_one(written, plain, handles):
    parsed = queries(written)
    index = RuleIndex(parsed)
    assert len(index) == len(parsed)
    for text in plain:
        expected = [
            key for key, query in parsed.items() if query.matches(Text(text, handles=handles))
        ]
        assert index.match(Text(text, handles=handles)) == expected


@settings(max_examples=300, deadline=None)
@given(expressions, plain_texts)
def test_round_trip_and_spans(expression, plain):
    for query in queries([expression]).values():
        assert parse(str(query)) == query
        text = Text(plain)
        spans = query.found(text)
        assert bool(spans) == query.matches(text)
        ends = [0]
        for start, end, term in spans:
            assert ends[-1] <= start < end <= len(plain)
            assert term in query.terms(text)
            ends.append(end)


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=60))
def test_expressions_of_any_characters(expression):
    try:
        query = parse(expression)
    except QueryError as error:
        assert 0 <= error.position <= len(expression)
        assert error.length >= 1
    else:
        assert parse(str(query)) == query


@settings(max_examples=500, deadline=None)
@given(st.text())
@example('İ\u0345ΐǰ ﬃ ſt')
@example('か\u200d\u3099 ｶﾞ \u1100\u1161\u11a8')
@example('и\u0306 й и\u200b\u0306 і\u0308')
def test_folding(text):
    folded = fold(text)
    assert fold(folded) == folded
    places = fold_map(text)
    assert len(places) == len(folded)
    assert all(0 <= start < end <= len(text) for start, end in places)


def test_marks_below_those_of_the_quick_way_are_folded_away():
    for code in range(0x700):
        if unicodedata.category(chr(code))[0] == 'M':
            assert fold(f'a{chr(code)}') == 'a'


@settings(max_examples=500, deadline=None)
@given(st.text())
def test_quick_ways_cut_alike(text):
    folded = fold(text)
    assert _cut(folded) == _PIECE.findall(folded)


def test_marks_class():
    assert '\u093f' in [chr(c) for c in range(ord(MARKS[0]), 0x3400)]


def test_rare_word_is_the_trigger():
    index = RuleIndex({number: parse(f'the AND word{number}') for number in range(100)})
    assert 'the' not in index._tables['token']
    assert index.match(Text('the word7')) == [7]


def test_order_of_keys():
    index = RuleIndex({'z': parse('b'), 'a': parse('a'), 'm': parse('a OR b')})
    assert index.match(Text('a b')) == ['z', 'a', 'm']


def test_no_rules():
    assert RuleIndex({}).match(Text('a')) == []


@pytest.mark.parametrize(
    'plain',
    [
        'a ' * 100_000,
        '東' * 100_000,
        '@' * 100_000,
        '#' * 100_000,
        '@a' * 50_000,
        '@a.' * 40_000,
        'https://' * 20_000,
        '\u0301' * 100_000,
        '\u200b' * 100_000,
        '🔥' * 100_000,
        'ﷺ' * 100_000,
        '\ud800' * 100_000,
        '\x00' * 100_000,
        'ा' * 100_000,
        '-_.' * 30_000,
    ],
    ids=ascii,
)
def test_huge_texts(plain):
    index = RuleIndex({1: parse('a* OR "a a" OR 東 OR #a* OR @a* OR 🔥'), 2: parse('zebra')})
    text = Text(plain)
    assert index.match(text) in ([], [1])
    parse('a* OR "a a" OR 東 OR #a* OR @a* OR 🔥').found(text)
