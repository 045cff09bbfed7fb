"""The handle in what a person types or pastes."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

_FOLDERS = frozenset(
    ('users', 'user', 'u', 'profile', 'in', 'company', 'pages', 'channel', 'c', 'people')
)


def read_handle(text: str, servers: bool) -> str:
    """Return the handle in ``@Ada``, ``ada@acme.example`` or the address of a profile.

    :param servers: the network has many servers, so that a handle names its own
    """
    text = (text or '').strip().lower()
    if not text.startswith(('https://', 'http://')):
        return text.lstrip('@')
    try:
        parts = urlsplit(text)
    except ValueError:
        return text
    folders = [unquote(folder) for folder in parts.path.split('/') if folder]
    prefix = folders[0] if len(folders) > 1 and folders[0] in _FOLDERS else ''
    name = (folders[1 if prefix else 0] if folders else '').lstrip('@')
    if not name:
        return text
    if not servers or '@' in name or (prefix == 'profile' and '.' in name):
        return name
    return f'{name}@{(parts.hostname or "").removeprefix("www.")}'
