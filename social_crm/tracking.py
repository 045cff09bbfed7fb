"""Tracked links without Odoo: which words of a text are links, and who opens them."""

import re

_LINK = re.compile(r'\bhttps?://[^\s<>"]+', re.I)
_TAIL = '.,;:!?\'"…*_~'
_PAIRS = {')': '(', ']': '[', '}': '{', '»': '«', '”': '“', '’': '‘'}

#: What browsers never say of themselves: a host's own address, a way of loading without a reader,
#: the name of a fetcher. (``Cubot`` makes phones.)
_FETCHER = re.compile(
    r'\(compatible;|\+https?:|(?<!\bcu)bot\b|bots?[/;)]|crawl|spider|slurp|preview|headless|'
    r'externalhit|externalagent|lighthouse|embed|fetch|monitor',
    re.I,
)


def links(text):
    """Return the links of a text, each once, in order; closing punctuation is none of theirs."""
    found = (_without_tail(match[0]) for match in _LINK.finditer(text or ''))
    return list(dict.fromkeys(found))


def replace(text, short):
    """Return the text with ``short(link)`` in the place of each of its links."""

    def swap(match):
        link = _without_tail(match[0])
        return short(link) + match[0][len(link) :]

    return _LINK.sub(swap, text) if text and '://' in text else text


def is_person(user_agent, purpose='', method='GET'):
    """Return whether a request looks like a person who opens a link.

    Networks, chat programs and search engines fetch each link that is posted. What is no browser
    (all of those say ``Mozilla/5.0``, for history's sake) or names itself as a fetcher is none, nor
    is a page that a browser loads ahead (``purpose``). The browsers inside the networks' own apps
    are people. The lists of user agents on PyPI were tried instead: *crawlerdetect* missed the link
    cards of Bluesky, Misskey, Akkoma, Lemmy, GoToSocial, Friendica and Meta.

    :param str purpose: the headers ``Sec-Purpose`` and ``Purpose``
    """
    return (
        method == 'GET'
        and user_agent.startswith(('Mozilla/5.0', 'Opera/'))
        and not _FETCHER.search(user_agent)
        and not any(word in purpose.lower() for word in ('prefetch', 'prerender', 'preview'))
    )


def _without_tail(link):
    while True:
        last = link[-1]
        opening = _PAIRS.get(last)
        if last in _TAIL or opening and link.count(last) > link.count(opening):
            link = link[:-1]
        else:
            return link
