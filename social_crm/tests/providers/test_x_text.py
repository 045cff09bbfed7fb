"""Lengths as X counts, compared with a port of X's own library that passes X's own test data."""

import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twitter_text import parse_tweet

from social_crm.providers.x_text import skeleton, weighted_length

#: Pieces of posts whose counting is not plain: scripts, emoji, links and what only looks like one.
WORDS = (Path(__file__).parent / 'data' / 'x_words.txt').read_text().split()


@given(st.lists(st.sampled_from(WORDS), max_size=12), st.sampled_from([' ', '\n', '  ']))
@settings(max_examples=400, deadline=None)
def test_words_and_links_count_as_in_the_published_library(words, separator):
    text = separator.join(words)
    assert weighted_length(text) == parse_tweet(text).weightedLength


@given(st.text(alphabet=st.characters(codec='utf-8', exclude_categories=['Cs', 'Cn'])))
@settings(max_examples=200, deadline=None)
def test_any_text_counts_within_the_worst_case(text):
    composed = unicodedata.normalize('NFC', text)  # may be longer: some letters fall apart
    assert 0 <= weighted_length(text) <= 2 * len(composed) + 23 * text.count('.')


@pytest.mark.parametrize('text', ['www.' * 6000, 'a.b/' * 6000, 'https://a.com/' + '(.' * 12000])
def test_no_text_takes_long(text):
    started = time.monotonic()
    weighted_length(text)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    ('one', 'other'),
    [
        ('Yes', '@rita @joe Yes'),
        ('See www.acme.com/x', 'See https://www.acme.com/x'),
        ('A  &\nB', 'a & b'),
    ],
)
def test_texts_that_x_changed_are_known_again(one, other):
    assert skeleton(one) == skeleton(other)


def test_other_texts_are_not():
    assert skeleton('Yes') != skeleton('Yes, we do')
