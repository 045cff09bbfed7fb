"""What all calls of the X adapter share: the token, the errors, the spelling, what is used up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from .answers import http_error, network_words, parse_moment
from .base import Provider
from .errors import (
    AuthorizationLost,
    Duplicate,
    NotFound,
    PermissionMissing,
    ProviderError,
    RateLimited,
    Rejected,
    Transient,
)
from .http import Answer
from .types import Profile, Token
from .x_items import BAD, read_profile
from .x_names import SPELLINGS, USERS, Names, Spelling

HOST = 'https://api.x.com'

#: Problems (last part of their type) that nobody but the app's owner can solve.
_NOT_PERMITTED = {
    'client-forbidden',
    'oauth1-permissions',
    'unsupported-authentication',
    'not-authorized-for-resource',
    'operational-disconnect',
    'credits',
    'credits-depleted',
    'spend-cap-reached',
}
_DUPLICATE = 187
#: Windows beside the usual one of 15 minutes.
_DAY_LIMITS = ('x-app-limit-24hour', 'x-user-limit-24hour')


class UnknownName(Rejected):
    """The service does not know the name of a parameter: it wants the other spelling."""


class Refused(Rejected):
    """The service refuses to publish, in words only: ``about:blank`` is the type of the problem."""


class Client(Provider):
    """Calls of one account."""

    def whoami(self) -> Profile:
        """See :meth:`.Provider.whoami`."""
        answer = self._call('GET', '/2/users/me', dict, params=USERS)
        self._use('user_read')
        return self._profile(answer.get('data'))

    @property
    def _grant(self) -> Token:
        if not self.token or not self.token.access_token:
            raise AuthorizationLost('There is no token', 'no_token')
        return self.token

    @property
    def _me(self) -> str:
        """Return the id of the connected account, asked for once where nobody told it."""
        if not self.me or not self.me.external_id:
            self.me = self.whoami()
        return self.me.external_id

    def _profile(self, user: Any) -> Profile:
        try:
            return read_profile(user)
        except BAD:
            raise Transient('The server sent no readable profile', 'bad_answer') from None

    def _call(self, method: str, path: str, expect: type | None = None, **kwargs: Any) -> Any:
        url, token = f'{HOST}{path}', self._grant.access_token
        kwargs.setdefault('errors', x_error)
        if expect is None:
            return self.http.request(method, url, token=token, **kwargs)
        return self.http.json(method, url, expect, token=token, **kwargs)

    def _read(
        self, path: str, names: Callable[[Names], Mapping[str, str]], use: str, **params: Any
    ) -> dict[str, Any]:
        """Get posts, in the other spelling where the service does not know the first one."""
        tried = Spelling.current
        try:
            body = self._call('GET', path, dict, params={**names(SPELLINGS[tried]), **params})
        except UnknownName:
            named = names(SPELLINGS[Spelling.other(tried)])
            body = self._call('GET', path, dict, params={**named, **params})
        return self._used(body, use)

    def _used(self, body: dict[str, Any], use: str) -> dict[str, Any]:
        """Count what an answer gave, and return it; raise Transient when it is no answer of X."""
        if not body.keys() & {'data', 'meta', 'errors'}:
            raise Transient('The server did not answer in the expected form', 'bad_answer')
        data = body.get('data')
        self._use(use, len(data) if isinstance(data, list) else bool(data))
        return body

    def _use(self, kind: str, count: int = 1) -> None:
        self.usage[kind] += count


# --- errors ---------------------------------------------------------------------------------------


def x_error(answer: Answer, writes: bool) -> ProviderError | None:
    """Return the error that an answer stands for: by status, type of the problem and number."""
    error = http_error(answer, writes)
    if error is None or answer.status >= 500:
        return error
    body = answer.json()
    body = body if isinstance(body, dict) else {}
    kind = problem_of(body)
    said = error.reason
    code = kind if kind not in {'', 'about:blank'} else error.code
    if answer.status == 429:
        until = _tomorrow() if kind == 'usage-capped' else _until(answer, error)
        return RateLimited(said, code, until)
    if answer.status == 402 or kind in _NOT_PERMITTED:
        return PermissionMissing(said, code)
    if _names_a_parameter(body):
        return UnknownName(said, code)
    if _DUPLICATE in _numbers(body):
        return Duplicate(said, str(_DUPLICATE))
    if answer.status == 403 and writes and kind == 'about:blank':
        return Refused(said, code)
    error.code = code
    return error


def problem_of(body: Mapping[str, Any]) -> str:
    """Return the last part of a problem's type (its hosts differ), empty without one."""
    kind = body.get('type')
    return kind.rstrip('/').rpartition('/')[2] if isinstance(kind, str) else ''


def missing(body: Mapping[str, Any]) -> ProviderError:
    """Return the error of an answer with status 200 that holds no data but says why."""
    return NotFound(network_words(body) or 'There is nothing of that name', 'resource-not-found')


def _parts(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    errors = body.get('errors')
    return [part for part in errors if isinstance(part, dict)] if isinstance(errors, list) else []


def _numbers(body: Mapping[str, Any]) -> set[Any]:
    return {part.get('code') for part in _parts(body) if isinstance(part.get('code'), int)}


def _names_a_parameter(body: Mapping[str, Any]) -> bool:
    """Tell whether a refusal names a parameter whose name or values depend on the spelling."""
    named: set[str] = set()
    for part in (body, *_parts(body)):
        parameters = part.get('parameters')
        named |= set(parameters) if isinstance(parameters, dict) else set()
        if problem_of(part) == 'invalid-request':
            named.add(str(part.get('parameter')))
    return bool(named & {'tweet.fields', 'post.fields', 'expansions'})


def _until(answer: Answer, error: ProviderError) -> datetime | None:
    """Return when to try again: the end of the window that is used up."""
    moments = [error.until] if isinstance(error, RateLimited) and error.until else []
    for name in _DAY_LIMITS:
        if answer.headers.get(f'{name}-remaining') == '0':
            moment = parse_moment(answer.headers.get(f'{name}-reset', ''))
            if moment and moment < datetime.now(timezone.utc) + timedelta(days=2):
                moments.append(moment)
    return max(moments, default=None)


def _tomorrow() -> datetime:
    """Return the next midnight (UTC): a monthly cap ends on a day that the answer does not tell."""
    now = datetime.now(timezone.utc)
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
