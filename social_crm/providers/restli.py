"""Rest.li 2.0 as LinkedIn speaks it: how values look in the path and the query of a call.

The structure of a value (``List(…)``, ``(name:value)``) is written as it is, the texts inside are
percent-encoded. What ``requests`` makes of ``params`` is refused, so that addresses are put
together here, as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote


class Raw(str):
    """A text that is written as it is: a projection, such as ``id,form:(name)``."""


def encode(text: str) -> str:
    """Return a text (a URN) for a path or a query; nothing in it can be taken for structure."""
    return quote(text, safe='')


def value(given: Any) -> str:
    """Return a value for a query: texts, numbers, flags, lists, and records of these."""
    if isinstance(given, Raw):
        return str(given)
    if isinstance(given, bool):
        return 'true' if given else 'false'
    if isinstance(given, Mapping):
        return f'({",".join(f"{name}:{value(inner)}" for name, inner in given.items())})'
    if isinstance(given, (list, tuple)):
        return f'List({",".join(map(value, given))})'
    return encode(str(given))


def query(params: Mapping[str, Any]) -> str:
    """Return a query string; what is ``None`` is left out."""
    return '&'.join(f'{name}={value(given)}' for name, given in params.items() if given is not None)
