"""Mood of posts: words count in English, only signs count elsewhere."""

import pytest

from social_crm.listening import explain, score


@pytest.mark.parametrize(
    ('text', 'language', 'label', 'method'),
    [
        ('I love this, thank you so much!', 'en', 'positive', 'vader'),
        ('I love this', 'en-GB', 'positive', 'vader'),
        ('Not good at all, the app is terrible', 'en', 'negative', 'vader'),
        ('The parcel arrived on Tuesday', 'en', 'neutral', 'vader'),
        ('the new one 👍', 'en', 'positive', 'vader'),
        ('the new one💔', 'en', 'negative', 'vader'),
        ('It is not working 😡', 'en', 'negative', 'vader'),
        ('not the way I want :(', 'en', 'negative', 'vader'),
        ('💔😡', 'en', 'negative', 'vader'),
        ('Die Lieferung kam heute, kill hate die', 'de', 'unknown', 'none'),
        ('great love awesome', '', 'unknown', 'none'),
        ('Le pain est bon', 'fr', 'unknown', 'none'),
        ('Die Lieferung 😡', 'de', 'negative', 'emoji'),
        ('Danke :)', 'de', 'positive', 'emoji'),
        ('Danke:)', 'de', 'positive', 'emoji'),
        ('bof :-(', 'fr', 'negative', 'emoji'),
        ('最高😍', 'ja', 'positive', 'emoji'),
        ('👍🏽', '', 'positive', 'emoji'),
        ('❤️', '', 'positive', 'emoji'),
        ('😀😀😡 👍👎', 'de', 'positive', 'emoji'),
        ('👍👎', 'de', 'neutral', 'emoji'),
        ('(siehe oben:)', 'de', 'unknown', 'none'),
        ('1) eins 8) acht', 'de', 'unknown', 'none'),
        ('siehe http://x.y/:( dort', 'de', 'unknown', 'none'),
        ('📷', 'de', 'unknown', 'none'),
        ('', 'en', 'unknown', 'none'),
        ('\u200b https://acme.com', 'en', 'unknown', 'none'),
    ],
)
def test_score(text, language, label, method):
    sentiment = score(text, language)
    assert (sentiment.label, sentiment.method) == (label, method)
    assert (sentiment.value is None) == (label == 'unknown')


def ascii_start(text):
    """Name a huge text in the report by how it begins."""
    return ascii(text[:8])


@pytest.mark.parametrize(
    'text',
    [
        '😍' * 100_000,
        'a\u200b' * 50_000,
        'ok a a a ' * 10_000,
        ':)' * 50_000,
        ':' * 100_000,
        'a' * 100_000,
        '\ud800' * 100_000,
        'good but bad ' * 10_000,
        '!' * 100_000,
        '😡 ' * 50_000,
    ],
    ids=ascii_start,
)
@pytest.mark.parametrize('language', ['en', 'de', ''])
def test_huge_texts(text, language):
    value = score(text, language).value
    assert value is None or -1 <= value <= 1
    explain(text, language)


def test_explain():
    assert explain('I love this, but the app is not good 😡', 'en') == (
        ('love', 3.2),
        ('😡', -3.0),
        ('good', -1.406),
    )
    assert explain('Ich love it 😡 :)', 'de') == (('😡', -3.0), (':)', 2.0))
    assert explain('', 'en') == ()


def test_no_reaches_to_the_end_of_its_sentence():
    assert score('Third week and still no answer. Terrible service.', 'en').label == 'negative'
    assert score('Not bad at all. I love it!', 'en').label == 'positive'
