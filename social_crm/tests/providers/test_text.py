"""Texts: from HTML, and as long as networks count them."""

import random
import time

import pytest

from social_crm.providers.text import MAX_HTML, graphemes, html_to_text, truncate

MASTODON_LINK = (
    '<a href="https://shop.example/orders/12345?x=1&amp;y=2" target="_blank" rel="nofollow">'
    '<span class="invisible">https://</span><span class="ellipsis">shop.example/orders</span>'
    '<span class="invisible">/12345?x=1&amp;y=2</span></a>'
)


@pytest.mark.parametrize(
    ('html', 'text'),
    [
        ('', ''),
        ('plain', 'plain'),
        ('<p>one</p>', 'one'),
        ('<p>one</p><p>two</p>', 'one\n\ntwo'),
        ('<p>one<br>two<br/>three<br />four</p>', 'one\ntwo\nthree\nfour'),
        ('<p>one</p>\n  <p>two</p>', 'one\n\ntwo'),
        ('<p class="x">one</p><P>two</P>', 'one\n\ntwo'),
        ('<p>one</p><p></p><p></p><p>two</p>', 'one\n\ntwo'),
        ('one<br><br><br><br>two', 'one\n\ntwo'),
        (
            'a &lt;b&gt; &amp;amp; &quot;c&quot; &#39;d&#39; &nbsp;e &euro;',
            'a <b> &amp; "c" \'d\' \xa0e €',
        ),
        (MASTODON_LINK, 'https://shop.example/orders/12345?x=1&y=2'),
        ('<a href="https://rita.example" rel="me">rita.example</a>', 'https://rita.example'),
        ('<a href="https://rita.example/">https://rita.example</a>', 'https://rita.example/'),
        (
            '<a href="https://rita.example/long/path">rita.example/lo…</a>',
            'https://rita.example/long/path',
        ),
        ("<a href='https://rita.example'>our shop</a>", 'our shop (https://rita.example)'),
        (
            '<a class="x" href="https://rita.example"><b>our</b> shop</a>',
            'our shop (https://rita.example)',
        ),
        ('<a href="mailto:rita@example.com">rita@example.com</a>', 'rita@example.com'),
        ('<a href="javascript:alert(1)">click</a>', 'click'),
        ('<a>no address</a> <a href="">empty</a>', 'no address empty'),
        ('<a href="https://x.example"></a>', ''),
        (
            '<span class="h-card"><a href="https://hub.example/@acme" class="u-url mention">@<span>'
            'acme</span></a></span> hi',
            '@acme hi',
        ),
        (
            '<a href="https://hub.example/tags/garden" class="mention hashtag" rel="tag">#<span>'
            'garden</span></a>',
            '#garden',
        ),
        ('<p>a <strong>b</strong> <em>c</em> <del>d</del> <code>e</code></p>', 'a b c d e'),
        ('<ul><li>one</li><li>two</li></ul>', '- one\n- two'),
        ('<blockquote><p>quoted</p></blockquote><p>said</p>', 'quoted\n\nsaid'),
        ('<pre><code>a\n  b</code></pre>', 'a\nb'),
        ('<h1>Head</h1>text', 'Head\n\ntext'),
        ('<div>one</div><div>two</div>', 'one\n\ntwo'),
        ('<p>hi <img src="x" alt=":wave:"> you</p>', 'hi :wave: you'),
        ('<!-- comment --><p>x</p>', 'x'),
        ('<p>👩‍👩‍👧‍👦 &#x1f44d;</p>', '👩‍👩‍👧‍👦 👍'),
        ('a\x00b\x07c\ufeffd\u2028e', 'abcd\ne'),
    ],
)
def test_html_to_text(html, text):
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ('html', 'text'),
    [
        ('<script>alert(1)</script>x', 'x'),
        ('<style>p{}</style>x', 'x'),
        ('<p>x<script>alert(1)', 'x'),
        ('<svg><script>1</script></svg>x', 'x'),
        ('<iframe src="x">y</iframe>z', 'z'),
        ('<template><p>hidden</p></template>x', 'x'),
        ('<p onclick="x" <b>bold', 'bold'),
        ('&lt;script&gt;alert(1)&lt;/script&gt;', '<script>alert(1)</script>'),
        ('<?xml version="1.0" encoding="utf-16"?><p>x</p>', 'x'),
        ('<!DOCTYPE html><html><head><title>t</title></head><p>x</p></html>', 'x'),
    ],
)
def test_hostile_html(html, text):
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    'html',
    [
        '<' * MAX_HTML,
        '<p' * MAX_HTML,
        '<a ' * MAX_HTML,
        '<a href="' * MAX_HTML,
        '<a>' * MAX_HTML,
        '<a href="x">' * MAX_HTML + '</a>' * 5,
        '<b>' * MAX_HTML,
        '<div>' * MAX_HTML,
        '&' * MAX_HTML,
        '&#' * MAX_HTML,
        '<p>' * MAX_HTML,
        '<!--' * MAX_HTML,
        ' \n' * MAX_HTML,
        '\n' * MAX_HTML,
        '<br>' * MAX_HTML + 'x',
        '<ul><li>' * MAX_HTML,
        '</a>' * MAX_HTML,
        '<a href="x">y</a>' * MAX_HTML,
        'x' * 9_000_000,
        '<b>' + '<a href="https://x.example">y' * MAX_HTML,
        '<script>' * MAX_HTML,
    ],
)
def test_hostile_html_takes_no_time(html):
    started = time.perf_counter()
    text = html_to_text(html)
    assert time.perf_counter() - started < 2
    assert len(text) < 3 * MAX_HTML


def test_any_mixture_of_markup_is_survived():
    parts = [
        '<p>',
        '</p>',
        '<a href="https://x.example/">',
        '</a>',
        '<br>',
        '<span>',
        '</span>',
        '<',
        '>',
        '&',
        ';',
        '&amp;',
        '"',
        "'",
        'text',
        ' ',
        '\n',
        '<b>',
        '</b>',
        '<ul>',
        '<li>',
        '</ul>',
        '<!--',
        '-->',
        '<script>',
        '</script>',
        '\0',
        '\ud83d',
        '😀',
        '=',
        '<pre>',
        '<td>',
        '<table>',
        '<img alt="x">',
        '<a',
        'href',
        '</',
    ]
    chance = random.Random(7)
    for _ in range(3000):
        html_to_text(''.join(chance.choices(parts, k=chance.randrange(30))))


def test_plain_posts_are_read_fast():
    """Budget: about 10 microseconds for a usual post; ten times that is a regression."""
    words = 'do you ship to Graz and Vienna we have been waiting for weeks and nobody answers ' * 2
    html = f'<p><span class="h-card"><a href="https://h.example/@a" class="u-url mention">@<span>a</span></a></span> {words}</p>'  # noqa: E501
    started = time.perf_counter()
    for _ in range(1000):
        html_to_text(html)
    assert (time.perf_counter() - started) / 1000 < 100e-6


@pytest.mark.parametrize(
    ('text', 'count'),
    [
        ('', 0),
        ('abc', 3),
        ('ä', 1),
        ('a\u0308', 1),
        ('👩‍👩‍👧‍👦', 1),
        ('👍🏽', 1),
        ('🇦🇹🇩🇪', 2),
        ('\r\n', 1),
        ('각', 1),
        ('नि', 1),
        ('e\u0301e\u0301', 2),
        ('日本語', 3),
    ],
)
def test_graphemes(text, count):
    pytest.importorskip('regex')
    assert graphemes(text) == count


@pytest.mark.parametrize(
    ('text', 'limit', 'cut'),
    [
        ('short', 10, 'short'),
        ('exactly ten', 11, 'exactly ten'),
        ('one two three four', 12, 'one two…'),
        ('onetwothreefour', 8, 'onetwot…'),
        ('one two', 4, 'one…'),
        ('one two', 1, '…'),
        ('one two', 0, ''),
        ('👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 2, '👩‍👩‍👧‍👦…'),
        ('', 5, ''),
    ],
)
def test_truncate(text, limit, cut):
    pytest.importorskip('regex')
    assert truncate(text, limit) == cut
    assert graphemes(cut) <= limit
