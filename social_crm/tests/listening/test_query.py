"""Boolean expressions: what they match, what they refuse and where."""

import pytest

from social_crm.listening import ERROR_CODES, QueryError, Text, any_of, combine, for_rule, parse


@pytest.mark.parametrize(
    ('expression', 'plain'),
    [
        ('acme', 'I like ACME!'),
        ('acme', 'see acme.com'),
        ('acme', 'see https://www.acme.com/shop?x=1'),
        ('shop', 'see https://www.acme.com/shop?x=1'),
        ('acme', '#acme is great'),
        ('acme', 'thanks @acme'),
        ('acme', 'thanks @acme.bsky.social'),
        ('acme', "Acme's new shoes"),
        ('acme', 'Acme™ rocks'),
        ('acme', 'a\u200bc\u00adme'),
        ('acme', 'Ａｃｍｅ'),
        ('cafe', 'Le Café'),
        ('café', 'le cafe'),
        ('cafe\u0301', 'CAFÉ'),
        ('strasse', 'Straße'),
        ('STRAẞE', 'strasse'),
        ('istanbul', 'İSTANBUL'),
        ('елка', 'Ёлка'),
        ('σας', 'ΣΑΣ'),
        ('smorrebrod', 'Smørrebrød'),
        ('محمد', 'مُحَمَّد'),
        ('東京', '明日は東京タワーへ行く'),
        ('アクメ', 'ｱｸﾒの靴'),
        ('iPhone新型', '最新iPhone 新型発売'),
        ('ภาษา', 'ฉันเรียนภาษาไทย'),
        ('삼성전자', '삼성전자는 좋다'),
        ('हिन्दी', 'मुझे हिन्दी पसंद है'),
        ('🔥', 'so good🔥🔥'),
        ('❤️', 'I ❤ it'),
        ('👍', 'ok 👍🏽'),
        ('"not good"', 'This is NOT   good.'),
        ('“not good”', 'not good'),
        ('"not good"', 'not-good'),
        ('"social med*"', 'Social Media'),
        ('refund*', 'two refunds'),
        ('#sale', 'Big #Sale today'),
        ('#東京', '今日の#東京'),
        ('#sal*', 'Big #sales today'),
        ('＃sale', '#sale'),
        ('@acme', 'hi @Acme@mastodon.social'),
        ('@acme', 'hi @acme.'),
        ('@acme@mastodon.social', 'hi @acme@Mastodon.social!'),
        ('@acme*', 'hi @acme.bsky.social'),
        ('a OR b AND c', 'a'),
        ('a OR b AND c', 'b c'),
        ('a b', 'b and a'),
        ('a -b', 'a c'),
        ('a -"b c"', 'a c b'),
        ('a NOT (b OR c)', 'a'),
        ('NOT NOT a', 'a'),
        ('NOT (NOT a OR NOT b)', 'a b'),
        ('（a OR b） c', 'b c'),
        ('and', 'this and that'),
        ('"AND"', 'this and that'),
    ],
)
def test_matches(expression, plain):
    assert parse(expression).matches(Text(plain))


@pytest.mark.parametrize(
    ('expression', 'plain'),
    [
        ('acme', 'acmeology'),
        ('acme', 'see https://shop.com/?ref=acme'),
        ('https', 'see https://shop.com/'),
        ('social', 'hi @acme@mastodon.social'),
        ('bsky', 'hi @acme.bsky.social'),
        ('мои', 'мой'),
        ('か', 'が'),
        ('हिन', 'हिन्दी'),
        ('#sale', 'sale'),
        ('#sale', 'https://acme.com/#sale'),
        ('#sale', 'acme.com/#sale'),
        ('#39', 'it&#39;s'),
        ('@acme', 'https://x.social/@acme'),
        ('@acme', 'mail info@acme'),
        ('@acme', 'acme'),
        ('@acme', '@acme.bsky.social'),
        ('@acme@mastodon.social', '@acme'),
        ('"not good"', 'not a good'),
        ('"not good"', 'not goodness'),
        ('a OR b AND c', 'b'),
        ('a -b', 'a b'),
        ('NOT (NOT a OR NOT b)', 'a'),
        ('東京', '京都'),
        ('acme', ''),
    ],
)
def test_does_not_match(expression, plain):
    assert not parse(expression).matches(Text(plain))


BAD = [
    ('', 'empty', 0, 1),
    (' \n\u3000', 'empty', 0, 1),
    ('a' * 2001, 'too_long', 2000, 1),
    ('a ' * 201, 'too_many_terms', 400, 1),
    ('(' * 51 + 'a' + ')' * 51, 'too_deep', 50, 1),
    ('(' * 2000, 'too_deep', 50, 1),
    ('acme "not good', 'unclosed_quote', 5, 1),
    ('“', 'unclosed_quote', 0, 1),
    ('a (b OR c', 'unclosed_parenthesis', 2, 1),
    ('(', 'unclosed_parenthesis', 0, 1),
    ('a)', 'unexpected_parenthesis', 1, 1),
    (') a', 'unexpected_parenthesis', 0, 1),
    ('a ( )', 'empty_parenthesis', 2, 3),
    ('a AND', 'operator_without_operand', 2, 3),
    ('AND a', 'operator_without_operand', 0, 3),
    ('a OR OR b', 'operator_without_operand', 2, 2),
    ('a AND OR b', 'operator_without_operand', 2, 3),
    ('NOT', 'operator_without_operand', 0, 3),
    ('(a OR ) b', 'operator_without_operand', 3, 2),
    ('é AND (ß OR ', 'operator_without_operand', 9, 2),
    ('a - b', 'empty_term', 2, 1),
    ('a !!! b', 'empty_term', 2, 3),
    ('a ""', 'empty_term', 2, 2),
    ('a #', 'bad_hashtag', 2, 1),
    ('#new-york', 'bad_hashtag', 0, 9),
    ('a @', 'bad_handle', 2, 1),
    ('@a@b@c', 'bad_handle', 0, 6),
    ('ac*me', 'bad_wildcard', 2, 1),
    ('a *', 'bad_wildcard', 2, 1),
    ('a "b *"', 'bad_wildcard', 5, 1),
    ('#a*b', 'bad_wildcard', 2, 1),
    ('NOT spam', 'no_positive_term', 0, 8),
    ('-spam', 'no_positive_term', 0, 5),
    ('a OR NOT b', 'no_positive_term', 5, 5),
    ('NOT (a b)', 'no_positive_term', 0, 8),
    ('🔥 OR (NOT b AND NOT c)', 'no_positive_term', 6, 5),
]


@pytest.mark.parametrize(('expression', 'code', 'position', 'length'), BAD)
def test_error_and_its_position(expression, code, position, length):
    with pytest.raises(QueryError) as caught:
        parse(expression)
    error = caught.value
    assert (error.code, error.position, error.length) == (code, position, length)


def test_every_code_is_tested():
    assert {code for _expression, code, _position, _length in BAD} == set(ERROR_CODES)


def test_long_chain_of_negations():
    assert parse('-' * 1998 + 'a').matches(Text('a'))


def test_written_out_and_read_again():
    query = parse('acme (order OR "not good") -spam #a* @b@c.de 東京* NOT (x y)')
    assert str(query) == (
        'acme AND (order OR "not good") AND NOT spam AND #a* AND @b@c.de AND 東京*'
        ' AND NOT (x AND y)'
    )
    assert parse(str(query)) == query


def shown(query, text):
    return [(text.plain[span.start : span.end], span.term) for span in query.found(text)]


def test_found_in_the_original_text():
    text = Text(
        'Ⓐ 🤷🏽‍♂️ Le CAFÉ d’Acme™ — Straße №5: ﷺ @acme@x.social #Acmé https://acme.com/?acme'
    )
    assert shown(parse('cafe strasse acme @acme #acme'), text) == [
        ('CAFÉ', 'cafe'),
        ('Acme', 'acme'),
        ('Straße', 'strasse'),
        ('@acme@x.social', '@acme'),
        ('#Acmé', '#acme'),
        ('acme', 'acme'),
    ]


def test_found_parts_of_runs_phrases_and_beginnings():
    assert shown(parse('東京 OR が'), Text('大東京と東京、ｶﾞが')) == [
        ('東京', '東京'),
        ('東京', '東京'),
        ('が', 'が'),
    ]
    assert shown(parse('"a a"'), Text('a a a')) == [('a a a', '"a a"')]
    assert shown(parse('"social med*"'), Text('My SOCIAL, mediá!')) == [
        ('SOCIAL, mediá', '"social med*"')
    ]


def test_found_shows_only_what_made_the_match():
    text = Text('order late')
    assert shown(parse('order OR (late AND refund)'), text) == [('order', 'order')]
    assert shown(parse('order NOT spam'), text) == [('order', 'order')]
    assert shown(parse('NOT (NOT order OR refund)'), text) == [('order', 'order')]
    assert parse('refund').found(text) == ()


def test_given_by_the_network():
    text = Text('thank you', hashtags=('Acme',), handles=('Brand@x.social', '@Other'))
    assert parse('#acme @brand @brand@x.social @other').matches(text)
    assert not parse('acme OR brand').matches(text)
    assert parse('@brand thank').terms(text) == ('@brand', 'thank')
    assert shown(parse('@brand thank'), text) == [('thank', 'thank')]


def test_any_of():
    query = any_of(
        ['new york', 'AND', ' ', 'refund*', 'say "hi"'], ['sale', '#Deal'], ['acme', '@b@c.de']
    )
    assert str(query) == (
        '"new york" OR "AND" OR "refund*" OR "say  hi " OR #sale OR #Deal OR @acme OR @b@c.de'
    )
    assert parse(str(query)) == query
    assert query.matches(Text('in New York'))
    assert query.matches(Text('this and that'))
    assert any_of() is None
    assert any_of(['', '  ']) is None


@pytest.mark.parametrize(
    ('arguments', 'code', 'field', 'index', 'position'),
    [
        ({'keywords': ['a', '!!']}, 'empty_term', 'keywords', 1, 0),
        ({'keywords': ['a*b']}, 'bad_wildcard', 'keywords', 0, 1),
        ({'hashtags': ['new york']}, 'bad_hashtag', 'hashtags', 0, 0),
        ({'handles': ['ok', ' a*b']}, 'bad_wildcard', 'handles', 1, 2),
        ({'expression': 'a OR'}, 'operator_without_operand', 'expression', -1, 2),
        ({'keywords': ['a'], 'exclusions': ['@']}, 'bad_handle', 'exclusions', 0, 0),
        ({'exclusions': ['spam']}, 'no_positive_term', '', -1, 0),
        ({'keywords': [' ']}, 'empty', '', -1, 0),
    ],
)
def test_errors_of_a_form_name_the_field(arguments, code, field, index, position):
    with pytest.raises(QueryError) as caught:
        for_rule(**arguments)
    error = caught.value
    assert (error.code, error.field, error.index, error.position) == (code, field, index, position)


def test_for_rule():
    query = for_rule(['acme', 'globex'], ['sale'], ['acme'], 'late OR lost', ['job offer', '#ad'])
    assert str(query) == (
        '(acme OR globex OR #sale OR @acme) AND (late OR lost) AND NOT ("job offer" OR #ad)'
    )
    assert query.matches(Text('Globex lost it'))
    assert not query.matches(Text('Globex has it'))
    assert not query.matches(Text('Globex lost it #ad'))
    assert str(combine(expression=parse('a b'))) == 'a AND b'


def test_wanted_are_the_positive_terms():
    assert parse('acme (a OR NOT b) -"c d" NOT (NOT #e)').wanted() == ('acme', 'a', '#e')
