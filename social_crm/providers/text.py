"""Plain text from a network's HTML, and lengths as networks count them."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

try:
    import regex
except ImportError:  # without it, lengths are an upper bound: code points
    regex = None

#: Longer HTML is cut before it is read: no honest post is this long.
MAX_HTML = 200_000

#: What the fast path understands; anything else in angle brackets takes the slow one.
_ODD = re.compile(r'<(?!/?(?:p|br|a|span)\b)', re.I)
#: Markup as Mastodon writes it, replaced without a regular expression.
_EXACT = (
    ('</span>', ''),
    ('<span>', ''),
    ('<span class="invisible">', ''),
    ('<span class="ellipsis">', ''),
    ('<span class="h-card" translate="no">', ''),
    ('<span class="h-card">', ''),
    ('</p><p>', '\n\n'),
    ('<p>', '\n\n'),
    ('</p>', '\n\n'),
    ('<br />', '\n'),
    ('<br>', '\n'),
)
_LINK = re.compile(r'<a\b([^<>]*)>((?:[^<]|<(?!/?a\b))*)</a\s*>', re.I)
_HREF = re.compile(r'\bhref\s*=\s*(?:"([^"]*)"|\'([^\']*)\')', re.I)
_BREAK = re.compile(r'<br\b[^<>]*>', re.I)
_PARAGRAPH = re.compile(r'</?p\b[^<>]*>', re.I)
_TAG = re.compile(r'<[^<>]*>')
_BLANKS = re.compile(r'[ \t\r\f\v]*\n[ \t\r\f\v]*')
_MANY_BREAKS = re.compile(r'\n{3,}')
_CONTROL = re.compile(r'[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\ufeff]')
_URL_START = re.compile(r'(?:https?://|www\.)', re.I)

_SKIPPED = {'script', 'style', 'template', 'head', 'title', 'noscript', 'svg', 'math', 'iframe'}
_BLOCKS = {
    'address',
    'article',
    'blockquote',
    'center',
    'div',
    'dd',
    'dl',
    'dt',
    'figure',
    'footer',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'header',
    'hr',
    'ol',
    'p',
    'pre',
    'section',
    'table',
    'ul',
}
_LINES = {'br', 'li', 'tr'}


def html_to_text(html: str) -> str:
    """Return the text of a post: paragraphs apart by an empty line, links with their address.

    A link whose text is a shortened form of its address (Mastodon hides parts of it) becomes the
    address; a named one keeps its name with the address behind it. Mentions and hashtags stay as
    they read. The result is text, not HTML: it may hold ``<``.
    """
    html = original = html[:MAX_HTML]
    if '<' in html:
        for markup, plain in _EXACT:
            html = html.replace(markup, plain)
        if '<' in html:
            if _ODD.search(html):
                return tidy(_slow(original))
            html = _LINK.sub(_fast_link, html)
            if '<' in html:
                html = _TAG.sub('', _PARAGRAPH.sub('\n\n', _BREAK.sub('\n', html)))
    if '&' in html:
        html = unescape(html)
    return tidy(html)


def _fast_link(match: re.Match[str]) -> str:
    attributes, inner = match.groups()
    if '<' in inner:
        inner = _TAG.sub('', inner)
    if inner[:1] in {'@', '#'}:
        return inner
    _before, _name, href = attributes.partition('href="')
    if not href:
        found = _HREF.search(attributes)
        return link_text(found[1] or found[2] or '', inner) if found else inner
    return link_text(href.partition('"')[0], inner)


def link_text(href: str, inner: str) -> str:
    """Return how a link reads: its address, where the text is only a shortened form of that.

    Both texts are still escaped, or neither is.
    """
    label = inner.strip()
    if not label or not _URL_START.match(href) or label[:1] in {'@', '#'}:
        return inner
    if label.rstrip('….') in href or href.partition('://')[2].startswith(label.rstrip('/….')):
        return href
    return f'{inner} ({href})'


def tidy(text: str) -> str:
    """Return a text without control characters, needless blanks and empty lines."""
    text = text.strip()
    if text.isprintable():
        return text
    if not text.replace('\n', '').isprintable():
        text = _CONTROL.sub('', text.replace('\u2028', '\n').replace('\u2029', '\n'))
        text = _BLANKS.sub('\n', text)
    elif ' \n' in text or '\n ' in text:
        text = _BLANKS.sub('\n', text)
    return _MANY_BREAKS.sub('\n\n', text) if '\n\n\n' in text else text


def _slow(html: str) -> str:
    """Return the text of any HTML, however broken, by libxml2's HTML parser."""
    from lxml import etree

    parser = etree.HTMLParser(
        encoding='utf-8', no_network=True, recover=True, remove_comments=True, remove_pis=True
    )
    data = f'<html><body><div>{html}</div></body></html>'.encode('utf-8', 'replace')
    try:
        root = etree.fromstring(data.replace(b'\0', b''), parser)
    except etree.XMLSyntaxError:
        root = None
    if root is None:
        return unescape(_TAG.sub(' ', html))
    parts: list[str] = []
    _walk(root, parts)
    return ''.join(parts)


def _walk(root: Any, parts: list[str]) -> None:
    """Collect the texts below an element, without recursion: nesting may be deep."""
    from lxml import etree

    skipped: Any = None
    anchors: list[tuple[str, int]] = []
    for event, element in etree.iterwalk(root, events=('start', 'end')):
        tag = element.tag
        if skipped is None and tag in _SKIPPED:
            skipped = element
        if event == 'start':
            if skipped is None:
                _open(element, tag, parts, anchors)
            continue
        if skipped is element:
            skipped = None
        elif skipped is None:
            _close(tag, parts, anchors)
        if skipped is None and element.tail and element is not root:
            verbatim = _is_verbatim(element.getparent())
            parts.append(element.tail if verbatim else _flat(element.tail))


def _open(element: Any, tag: str, parts: list[str], anchors: list[tuple[str, int]]) -> None:
    if tag in _BLOCKS:
        parts.append('\n\n')
    elif tag in _LINES:
        parts.append('\n- ' if tag == 'li' else '\n')
    elif tag == 'a':
        anchors.append((element.get('href') or '', len(parts)))
    elif tag == 'img' and element.get('alt'):
        parts.append(element.get('alt'))
    if element.text:
        parts.append(element.text if _is_verbatim(element) else _flat(element.text))


def _close(tag: str, parts: list[str], anchors: list[tuple[str, int]]) -> None:
    if tag in _BLOCKS:
        parts.append('\n\n')
    elif tag == 'a' and anchors:
        href, start = anchors.pop()
        parts[start:] = [link_text(href, ''.join(parts[start:]))]


def _is_verbatim(element: Any) -> bool:
    return element is not None and element.tag in {'pre', 'code'}


def _flat(text: str) -> str:
    return re.sub(r'[ \t\r\n\f]+', ' ', text)


# --- lengths -------------------------------------------------------------------------------------


def required_text(value: object) -> str:
    """Return what a network has to name by a text, such as an id.

    :raise ValueError: when it is none
    """
    if not isinstance(value, str) or not value:
        raise ValueError('a needed text is missing')
    return value


def required_id(value: object) -> str:
    """Return an id as text, which a network may give as a number.

    :raise ValueError: when it is none
    """
    is_number = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return required_text(str(value) if is_number else value)


def graphemes(text: str) -> int:
    """Return the number of characters as a person sees them (extended grapheme clusters).

    Counted by *regex* (alive, C, wheels for all platforms); *grapheme* is dead, *graphemeu* is
    pure Python and 30 times slower. Without *regex* the code points are counted: never fewer.
    """
    if text.isascii() and '\r' not in text:
        return len(text)
    return len(regex.findall(r'\X', text)) if regex else len(text)


def truncate(text: str, limit: int, count: Callable[[str], int] = graphemes) -> str:
    """Return the text, cut at a word and ended with ``…`` where it is longer than ``limit``."""
    if count(text) <= limit:
        return text
    low, high = 0, len(text)
    while low < high:  # the longest start that fits
        middle = (low + high + 1) // 2
        if count(text[:middle].rstrip() + '…') <= limit:
            low = middle
        else:
            high = middle - 1
    start = text[:low]
    if low < len(text) and not text[low].isspace():
        at_word = re.sub(r'\S+\Z', '', start)
        start = at_word if len(at_word) > low // 2 else _whole(start, text)
    return f'{start.rstrip()}…' if limit > 0 else ''


def _whole(start: str, text: str) -> str:
    """Return a start of a text that splits no grapheme."""
    if not regex:
        return start
    ends = [match.end() for match in regex.finditer(r'\X', text[: len(start) + 64])]
    return text[: max((end for end in ends if end <= len(start)), default=0)]
