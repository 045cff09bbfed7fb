"""What is searched for: little, and still all that matches."""

import random

import pytest

from social_crm.listening import Text, any_of, parse


@pytest.mark.parametrize(
    ('expression', 'terms'),
    [
        ('desk', 'desk'),
        ('desk (buy OR order)', 'desk'),
        ('(a OR b) (c OR d OR e) -f', 'a b'),
        ('#tag OR (a OR b) c', '#tag c'),
        ('@acme (a OR b)', 'a b'),  # a handle is dear: networks search for words
        ('@acme OR a', '@acme a'),
        ('a (b OR NOT c)', 'a'),
        ('NOT (NOT a AND NOT b) c d', 'c'),
        ('(a b) OR (a c)', 'a'),
    ],
)
def test_no_more_words_than_needed(expression, terms):
    searched = parse(expression).fewest_terms(lambda term: 10 if term[0] == '@' else 1)
    assert searched == terms.split()


@pytest.mark.parametrize(
    ('expression', 'searched', 'left'),
    [
        ('desk', ['("desk")'], []),
        ('AND_ OR "a OR b"', ['("AND_" OR "a OR b")'], []),
        ('desk (buy OR order) -hiring', ['("desk" ("buy" OR "order"))'], []),
        ('#Tag OR @acme "stand  up"', ['(#tag OR @acme "stand up")'], []),
        ('NOT (NOT a OR NOT b)', ['("a" "b")'], []),
        ('a (b OR NOT c)', ['("a")'], []),
        ('desk* OR chair', ['("chair")'], ['desk*']),
        ('"looking for" desk*', [], ['desk*']),
        ('a (desk* OR b) OR #de*', ['("a" "b")'], ['desk*', '#de*']),
        ('@ada@mastodon.example OR a', ['("a")'], ['@ada@mastodon.example']),
        ('@ada.bsky.social OR #2026 OR #x2', ['(#x2)'], ['@ada.bsky.social', '#2026']),
    ],
)
def test_an_expression_for_a_network(expression, searched, left):
    assert parse(expression).expressions(100) == (searched, left)


def test_a_long_list_becomes_several_searches():
    words = [f'word{number}' for number in range(100)]
    searches, left = any_of(words).expressions(100)
    assert not left
    assert max(map(len, searches)) <= 100
    assert all(any(f'"{word}"' in search for search in searches) for word in words)
    searches, _left = parse(f'desk ({" OR ".join(words)})').expressions(100)
    assert max(map(len, searches)) <= 100
    assert all(search.startswith('("desk" (') for search in searches)


def test_nothing_that_matches_is_missed():
    choose = random.Random(7)

    def made(depth):
        if not depth or choose.random() < 0.3:
            return choose.choice('abcdef')
        parts = [made(depth - 1) for _part in range(choose.randint(2, 3))]
        kind = choose.choice([' AND ', ' OR '])
        return f'({kind.join(parts)})' if choose.random() < 0.8 else f'NOT ({kind.join(parts)})'

    for _round in range(300):
        query = parse(f'(g OR a) AND {made(3)}')
        searches = [parse(search) for search in query.expressions(60)[0]]
        terms = query.fewest_terms(lambda _term: 1)
        for _text in range(10):
            text = Text(' '.join(choose.sample('abcdefg', choose.randint(1, 5))))
            if query.matches(text):
                assert any(search.matches(text) for search in searches), (str(query), text)
                assert any(parse(term).matches(text) for term in terms), (str(query), text)
