"""LinkedIn's little text, in which posts are written and given.

Reserved characters that are not escaped cut a text off in silence.
"""

from __future__ import annotations

import re

_RESERVED = re.compile(r'[\\|{}@\[\]()<>#*_~]')
_HASHTAG = re.compile(r'(?<![\w&/])#(\w+)')
_TEMPLATE = re.compile(r'\{hashtag\|(?:\\?#|＃)\|((?:[^{}\\]|\\.)*)\}')
_MENTION = re.compile(r'@\[((?:[^\[\]\\]|\\.)*)\]\(urn:li:[^()]*\)')
_ESCAPED = re.compile(r'\\([\\|{}@\[\]()<>#*_~])')


def to_little(text: str) -> str:
    """Return a plain text as little text: all is literal, but hashtags, which stay hashtags."""
    parts, end = [], 0
    for match in _HASHTAG.finditer(text):
        parts += [_escape(text[end : match.start()]), rf'{{hashtag|\#|{_escape(match[1])}}}']
        end = match.end()
    return ''.join((*parts, _escape(text[end:])))


def from_little(text: str) -> str:
    """Return how a little text reads: a mention is its name, a hashtag has its sign."""
    text = _TEMPLATE.sub(r'#\1', text)
    text = _MENTION.sub(r'\1', text)
    return _ESCAPED.sub(r'\1', text)


def _escape(text: str) -> str:
    return _RESERVED.sub(r'\\\g<0>', text)
