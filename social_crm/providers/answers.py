"""What an answer means: errors by status, rate limits, the words of a network, without secrets."""

from __future__ import annotations

import json as jsonlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

from requests.utils import parse_header_links

from .errors import (
    AuthorizationLost,
    NotFound,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    RateLimited,
    Rejected,
    Transient,
)

SECRET_NAMES = re.compile(
    r'secret|token|code|verifier|password|assertion|authorization|cookie|key$', re.I
)


_NUL = re.compile(r'(\\\\)|\\u0000')
_DUBIOUS = re.compile(rb'\\u(?:0000|[dD][89abAB])')


@dataclass(frozen=True)
class RateLimit:
    """What a server said about its limit: calls per window, calls left, end of the window."""

    limit: int | None = None
    remaining: int | None = None
    reset: datetime | None = None


@dataclass(frozen=True)
class Answer:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    url: str = field(repr=False)

    def json(self) -> Any:
        """Return the body as JSON, ``None`` when it is none.

        Characters that no database takes (NUL, half of a surrogate pair) are taken out.
        """
        try:
            body = jsonlib.loads(self.content)
            if _DUBIOUS.search(self.content):
                clean = _NUL.sub(r'\1', jsonlib.dumps(body, ensure_ascii=False))
                body = jsonlib.loads(clean.encode('utf-8', 'replace'))
        except (ValueError, RecursionError):
            return None
        return body

    def link(self, rel: str) -> str:
        """Return the URL of a ``Link`` header, empty when there is none."""
        for link in parse_header_links(self.headers.get('Link', '')):
            if link.get('rel') == rel:
                return urljoin(self.url, link.get('url', ''))
        return ''


# --- what an answer means -------------------------------------------------------------------------


def http_error(answer: Answer, writes: bool) -> ProviderError | None:
    """Return the error that an answer stands for by its status, ``None`` below 300.

    A writing call that is sent elsewhere may have been carried out before, as forms of web pages
    are; 307 and 308 say that it was not.
    """
    status, code = answer.status, str(answer.status)
    if status < 300:
        return None
    said = network_words(answer.json()) or f'HTTP {status}'
    if status == 429:
        return RateLimited(said, code, retry_at(answer.headers))
    if writes and (status >= 500 or status in {301, 302, 303}):
        return OutcomeUnknown(said, code)
    if status >= 500:
        return Transient(said, code)
    kind = {
        401: AuthorizationLost,
        403: PermissionMissing,
        404: NotFound,
        408: Transient,
        410: NotFound,
        425: Transient,
    }.get(status, Rejected)
    return kind(said, code)


def network_words(body: Any) -> str:
    """Return what an error body says, in one line of at most 300 characters."""
    for text in _error_texts(body):
        line = ' '.join(''.join(c if c.isprintable() else ' ' for c in text[:2000]).split())
        if line:
            return line[:300]
    return ''


def _error_texts(body: Any) -> Iterator[str]:
    if not isinstance(body, dict):
        return
    error = body.get('error')
    for part in (error, body, *_first(body.get('errors'))):
        if isinstance(part, dict):
            for name in ('error_description', 'error_user_msg', 'detail', 'message', 'title'):
                if isinstance(part.get(name), str):
                    yield part[name]
    if isinstance(error, str):
        yield error


def _first(value: Any) -> list[Any]:
    return value[:1] if isinstance(value, list) else []


# --- rate limits ----------------------------------------------------------------------------------


def rate_limit(headers: Mapping[str, str]) -> RateLimit | None:
    """Return what ``X-RateLimit-*`` headers (or those of a like name) say, ``None`` without any."""
    values = [
        headers.get(f'X-RateLimit-{name}')
        or headers.get(f'X-Rate-Limit-{name}')
        or headers.get(f'RateLimit-{name}')
        or ''
        for name in ('Limit', 'Remaining', 'Reset')
    ]
    if not any(values):
        return None
    limit, remaining = (int(v) if v.isascii() and v.isdigit() else None for v in values[:2])
    return RateLimit(limit, remaining, parse_moment(values[2]))


def retry_at(headers: Mapping[str, str]) -> datetime | None:
    """Return when to try again, ``None`` when the server does not say or says nonsense."""
    limit = rate_limit(headers)
    until = parse_moment(headers.get('Retry-After', '')) or (limit and limit.reset) or None
    now = datetime.now(timezone.utc)
    return until if until and now < until < now + timedelta(days=32) else None


def parse_moment(text: str) -> datetime | None:
    """Return the time that a header means: ISO 8601, epoch (s, ms), seconds from now, HTTP date."""
    text = text.strip()
    try:
        if re.fullmatch(r'\d{1,13}(\.\d+)?', text):
            number = float(text)
            if number < 1e8:
                return datetime.now(timezone.utc) + timedelta(seconds=number)
            return datetime.fromtimestamp(number / (1000 if number > 1e11 else 1), timezone.utc)
        if re.match(r'\d{4}-', text):
            # Python 3.10 takes no Z, and three or six digits only.
            text = re.sub(r'\.(\d+)', lambda m: f'.{m[1][:6]:0<6}', text.replace('Z', '+00:00'))
            moment = datetime.fromisoformat(text)
        else:
            moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or timezone.utc).astimezone(timezone.utc)


# --- secrets --------------------------------------------------------------------------------------


def secret_values(value: Any, name: str = '') -> Iterator[str]:
    """Yield the values in a call's arguments that must never be seen."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from secret_values(inner, str(key))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            is_pair = isinstance(inner, tuple) and len(inner) == 2 and isinstance(inner[0], str)
            yield from secret_values(*((inner[1], inner[0]) if is_pair else (inner, name)))
    elif isinstance(value, str) and (name == 'auth' or SECRET_NAMES.search(name)):
        yield value
        yield from value.split()[1:]


def masked(text: str, secrets: set[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= 4:
            text = text.replace(secret, '***')
    return text
