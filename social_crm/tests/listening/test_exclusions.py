"""Which words are worth excluding."""

from social_crm.listening import any_of, holding, is_excludable, suggest_exclusions

QUERY = any_of(keywords=['desk*', 'table'])


def terms(*args, **kwargs):
    return [one.term for one in suggest_exclusions(*args, **kwargs)]


def test_what_the_query_looks_for_is_no_candidate():
    assert terms('my table, a desk and a periodic', QUERY) == ['periodic']
    assert not is_excludable('table', QUERY)
    assert not is_excludable('desk', QUERY)
    assert is_excludable('periodic table', QUERY)


def test_what_tells_unwanted_from_wanted_comes_first():
    suggestions = suggest_exclusions(
        'Looking forward to the chemistry table quiz',
        QUERY,
        unwanted=['a chemistry table', 'chemistry desk'],
        wanted=['looking for a table', 'looking for a desk, forward please'],
    )
    assert suggestions[0] == ('chemistry', 2, 0)
    assert [one.term for one in suggestions][-1] == 'Looking'


def test_hashtags_and_repeats():
    assert terms('table #chemistry chemistry Chemistry', QUERY)[0] == '#chemistry'
    assert len(terms('table quiz quiz QUIZ', QUERY)) == 1


def test_hostile_text_is_cheap():
    assert len(terms(' '.join(f'word{n}' for n in range(20_000)), QUERY)) == 8


def test_texts_that_hold_terms():
    assert holding(['a quiz', 'a desk', 'the #quiz'], ['quiz']) == [0, 2]
    assert holding(['a quiz'], ['"']) == []
