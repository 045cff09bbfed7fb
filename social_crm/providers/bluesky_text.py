"""Text with facets, both ways. A facet marks a part of a text by its place in the UTF-8 bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .bluesky_identity import is_handle
from .text import graphemes, link_text, tidy

FACET = 'app.bsky.richtext.facet'
_MOST_FACETS = 100
_LINK = re.compile(r'(?:^|(?<=[\s(]))https?://[^\s<>"]+', re.I)
_MENTION = re.compile(r'(?:^|(?<=[\s(]))@((?:[a-zA-Z0-9-]+\.)+[a-zA-Z0-9-]+)')
_TAG = re.compile(r'(?:^|(?<=\s))[#＃]([^\s\u00ad\u2060\u200a-\u200d\u20e2]+)')
_TRAILING = '.,;:!?\'"’”…'


# --- from the network ----------------------------------------------------------------------------


def plain_text(text: Any, facets: Any) -> str:
    """Return a text in which links read as their whole address.

    Clients shorten addresses, and a name may hide where a link leads to.

    :raise TypeError: when the text is none
    """
    if not isinstance(text, str):
        raise TypeError('the text is none')
    data, parts, end = text.encode(), [], 0
    for start, stop, features in _sound(facets, data):
        for feature in features:
            if feature.get('$type') != f'{FACET}#link' or not isinstance(feature.get('uri'), str):
                continue
            inner = data[start:stop].decode()
            parts += [data[end:start].decode(), link_text(feature['uri'], inner)]
            end = stop
            break
    return tidy(''.join([*parts, data[end:].decode()]))


def tagged(record: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    """Return the handles (``mention``) or hashtags (``tag``) that a text's facets name."""
    text = record.get('text')
    data = text.encode() if isinstance(text, str) else b''
    found = []
    for start, stop, features in _sound(record.get('facets'), data):
        for feature in features:
            if feature.get('$type') == f'{FACET}#{kind}':
                written = data[start:stop].decode().lstrip('@#＃')
                found.append(str(feature.get('tag') or written) if kind == 'tag' else written)
    if kind == 'tag' and isinstance(record.get('tags'), list):
        found += [tag for tag in record['tags'] if isinstance(tag, str)]
    return tuple(dict.fromkeys(found))


def _sound(facets: Any, data: bytes) -> Iterator[tuple[int, int, list[Mapping[str, Any]]]]:
    """Yield (start, end, features) in the order of the text, without what overlaps or does not
    fit: out of the text, or in the midst of a character."""
    marks = []
    for facet in facets[:_MOST_FACETS] if isinstance(facets, list) else ():
        try:
            start, stop = facet['index']['byteStart'], facet['index']['byteEnd']
            data[start:stop].decode()
            features = [one for one in facet['features'] if isinstance(one, Mapping)]
        except (KeyError, TypeError, ValueError):
            continue
        if isinstance(start, int) and isinstance(stop, int) and 0 <= start < stop <= len(data):
            marks.append((start, stop, features))
    end = 0
    for start, stop, features in sorted(marks, key=lambda mark: mark[:2]):
        if start >= end:
            yield start, stop, features
            end = stop


# --- to the network ------------------------------------------------------------------------------


def facets_of(text: str, did_of: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return the facets of a text: links, mentions and hashtags; without them it shows none.

    :param did_of: returns the DID of a handle, empty when nobody has it
    """
    found: list[tuple[int, int, dict[str, Any]]] = []
    for match in _LINK.finditer(text):
        link = match[0].rstrip(_TRAILING)
        if link.endswith(')') and '(' not in link:
            link = link[:-1].rstrip(_TRAILING)
        found.append((match.start(), match.start() + len(link), _feature('link', uri=link)))
    for match in _MENTION.finditer(text):
        handle = match[1].lower()
        did = did_of(handle) if is_handle(handle) else ''
        if did:
            found.append((match.start(), match.end(), _feature('mention', did=did)))
    for match in _TAG.finditer(text):
        tag = match[1].rstrip(_TRAILING + ')')
        if tag and not tag.isdigit() and graphemes(tag) <= 64:
            found.append((match.start(), match.start(1) + len(tag), _feature('tag', tag=tag)))
    facets, end = [], 0
    for start, stop, feature in sorted(found, key=lambda mark: mark[:2]):
        if start < end:
            continue
        index = {
            '$type': f'{FACET}#byteSlice',
            'byteStart': len(text[:start].encode()),
            'byteEnd': len(text[:stop].encode()),
        }
        facets.append({'$type': FACET, 'index': index, 'features': [feature]})
        end = stop
    return facets


def _feature(kind: str, **values: str) -> dict[str, Any]:
    return {'$type': f'{FACET}#{kind}', **values}
