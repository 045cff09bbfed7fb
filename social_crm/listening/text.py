"""A post as the rules see it: words, hashtags and handles.

- A word is a run of letters and digits, wherever it stands: ``acme`` is found in ``acme.com``, in
  ``#acme`` and in ``@acme``. Of a handle only the part before the first dot or second ``@`` is a
  word, or the keyword ``social`` would fire on every ``@somebody@mastodon.social``. Of an address,
  host and path are words; scheme, query and fragment are not.
- Scripts written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese), and Korean, which
  glues particles to its words, form *runs*; a term in such a script is found anywhere in a run.
- Each emoji is a word.
- Hashtags and handles that the network gives beside the text count as such, but not as words.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from .fold import MARKS, fold, fold_map

#: Characters of a post that are looked at; more is no post but an attack.
MAX_TEXT = 20_000

_UNSPACED = (
    '\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u1000-\u103f\u1050-\u109f\u1780-\u17d3\u17dc\u17dd'
    '\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff'
    '\u3005-\u3007\u303b\u3041-\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u312f\u31f0-\u31ff'
    '\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff'
)
_EMOJI = '\u231a-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff'
_SPACED = rf'[^\W_{_UNSPACED}]'
_PIECE = re.compile(rf'{_SPACED}+(?:[{MARKS}]+{_SPACED}*)*|[{_UNSPACED}]+|[{_EMOJI}]')
# The same for texts without runs and marks, at half the time; and where those may occur.
_SIMPLE_PIECE = re.compile(rf'[^\W_]+|[{_EMOJI}]')
_NOT_SIMPLE = re.compile(
    '[\u0700-\u1dff\u2c80-\ud7ff\uf900-\uffff\U00010000-\U0001efff\U00020000-\U0010ffff]'
)
_ASCII_PIECE = re.compile('[a-z0-9]+')
_RUN = re.compile(f'[{_UNSPACED}]')

_TAG_BODY = rf'\w+(?:[{MARKS}]+\w*)*'
# The sign comes before the look behind it: a literal start is searched for much faster.
_TAG = re.compile(rf'#(?<![a-z0-9_/&]#){_TAG_BODY}')
_HANDLE_BODY = (
    r'(?:[a-z0-9_]+(?:[.\-][a-z0-9_]+)*|\w+(?:[.\-]\w+)*)(?:@[a-z0-9](?:[a-z0-9.\-]*[a-z0-9])?)?'
)
# In "hello@acme" the sign follows a letter: an e-mail address, not a handle.
_HANDLE = re.compile(rf'@(?<![a-z0-9_./@]@){_HANDLE_BODY}')
_URL = re.compile(r'(https?://)([^\s?#]*)([?#][!-~]*)?')


class Span(NamedTuple):
    """A place in the original text: characters ``start`` to ``end`` (exclusive), and the term."""

    start: int
    end: int
    term: str = ''


def is_run(piece: str) -> bool:
    """Tell whether the piece is of a script in which terms are found inside of runs."""
    return _RUN.match(piece) is not None


def is_tag(folded: str) -> bool:
    """Tell whether the folded text is one well-formed ``#tag``."""
    return re.fullmatch(f'#{_TAG_BODY}', folded) is not None


def is_handle(folded: str) -> bool:
    """Tell whether the folded text is one well-formed ``@user`` or ``@user@host``."""
    return re.fullmatch(f'@{_HANDLE_BODY}', folded) is not None


def _mask_url(match: re.Match[str]) -> str:
    scheme, address, rest = match.groups('')
    return ' ' * len(scheme) + address + ' ' * len(rest)


def _mask_handle(match: re.Match[str]) -> str:
    handle = match.group()
    name = re.split('[.@]', handle[1:], maxsplit=1)[0]
    return f' {name}'.ljust(len(handle))


def _without_urls(folded: str) -> str:
    """Blank what does not count in addresses. The length stays, so positions stay."""
    return _URL.sub(_mask_url, folded) if '://' in folded else folded


def _without_hosts(folded: str) -> str:
    """Blank what does not count in handles. The length stays, so positions stay."""
    return _HANDLE.sub(_mask_handle, folded) if '@' in folded else folded


def _cut(masked: str) -> list[str]:
    if masked.isascii():
        return _ASCII_PIECE.findall(masked)
    return (_PIECE if _NOT_SIMPLE.search(masked) else _SIMPLE_PIECE).findall(masked)


def split(folded: str) -> list[str]:
    """Return the words and runs of a folded text, in order."""
    return _cut(_without_hosts(_without_urls(folded)))


def _handle_tokens(handles: Iterable[str]) -> Iterable[str]:
    """Yield each handle (``@`` first, folded), and ``@user`` for ``@user@host``."""
    for handle in handles:
        yield handle
        name, at, _host = handle[1:].partition('@')
        if at:
            yield f'@{name}'


class Text:
    """A post, split once, when first needed.

    :param str plain: the text; only the first ``MAX_TEXT`` characters count
    :param hashtags: further hashtags as the network gave them, with or without ``#``
    :param handles: further handles (the account it was addressed to), with or without ``@``
    """

    __slots__ = ('_given', '_joined', '_layout', '_pieces', '_runs', '_tokens', 'plain')

    def __init__(
        self,
        plain: str,
        hashtags: Iterable[str] = (),
        handles: Iterable[str] = (),
    ) -> None:
        self.plain = plain
        self._given = (hashtags, handles)
        self._tokens: set[str] | None = None
        self._pieces: list[str] = []
        self._joined = ''
        self._runs: list[str] | None = None
        self._layout: _Layout | None = None

    @property
    def tokens(self) -> set[str]:
        """Words and runs as they are, hashtags with ``#``, handles with ``@``; all folded."""
        if self._tokens is None:
            self._tokens = self._tokenise()
        return self._tokens

    @property
    def pieces(self) -> list[str]:
        """Words and runs in the order of the text."""
        if self._tokens is None:
            self._tokens = self._tokenise()
        return self._pieces

    @property
    def joined(self) -> str:
        """All words and runs, each with one space on both sides, for phrases and parts of runs."""
        if not self._joined:
            self._joined = f' {" ".join(self.pieces)} '
        return self._joined

    @property
    def runs(self) -> list[str]:
        """The runs among the pieces."""
        if self._runs is None:
            # No script of runs lies below Thai: spares most pieces the regular expression.
            self._runs = [p for p in self.pieces if p[0] > '\u0e00' and _RUN.match(p)]
        return self._runs

    def _tokenise(self) -> set[str]:
        masked = _without_urls(fold(self.plain[:MAX_TEXT]))
        tokens: set[str] = set()
        if '#' in masked:
            tokens.update(_TAG.findall(masked))
        if '@' in masked:
            tokens.update(_handle_tokens(_HANDLE.findall(masked)))
            masked = _without_hosts(masked)
        hashtags, handles = self._given
        if hashtags:
            tokens.update([f'#{fold(tag).lstrip("#")}' for tag in hashtags])
        if handles:
            tokens.update(_handle_tokens(f'@{fold(handle).lstrip("@")}' for handle in handles))
        self._pieces = _cut(masked)
        tokens.update(self._pieces)
        return tokens

    @property
    def layout(self) -> _Layout:
        """Where everything stands; only needed to show matches."""
        if self._layout is None:
            self._layout = _Layout(self.plain[:MAX_TEXT])
        return self._layout

    def find_marked(self, token: str, term: str, prefix: bool = False) -> list[Span]:
        """Return where the ``#tag`` or ``@handle`` stands (with ``prefix``: one beginning so)."""
        layout = self.layout
        found = []
        for match in (_TAG if token[0] == '#' else _HANDLE).finditer(layout.masked):
            names = [match.group()] if token[0] == '#' else list(_handle_tokens([match.group()]))
            if token in names or (prefix and any(name.startswith(token) for name in names)):
                found.append(layout.original(*match.span(), term))
        return found

    def find_words(self, needle: str, term: str) -> list[Span]:
        """Return where the needle of ``joined`` stands; a word that only begins so counts whole."""
        layout = self.layout
        whole = not needle.endswith(' ') and not is_run(needle[-1])
        found = []
        at = self.joined.find(needle)
        while at >= 0:
            first = layout.place(at + needle.startswith(' '))
            last = layout.place(at + len(needle) - 1 - needle.endswith(' '), to_end=whole)
            found.append(layout.original(first, last + 1, term))
            at = self.joined.find(needle, at + 1)
        return found


class _Layout:
    """Positions in a text: in the original, in the folded form, and in ``Text.joined``."""

    def __init__(self, plain: str) -> None:
        self.masked = _without_urls(fold(plain))
        self._originals = fold_map(plain)
        pieces = [match.span() for match in _PIECE.finditer(_without_hosts(self.masked))]
        self._pieces = pieces
        # Where each piece begins in ``joined``: one space before each.
        self._begins = list(accumulate((end - start + 1 for start, end in pieces[:-1]), initial=1))

    def place(self, index: int, to_end: bool = False) -> int:
        """Return the position in the folded text of a character of ``joined``.

        With ``to_end``, of the last character of its word.
        """
        number = bisect_right(self._begins, index) - 1
        start, end = self._pieces[number]
        return end - 1 if to_end else start + index - self._begins[number]

    def original(self, start: int, end: int, term: str) -> Span:
        """Return the place in the original text of a place in the folded text."""
        return Span(self._originals[start][0], self._originals[end - 1][1], term)
