"""What all calls of the YouTube adapter share: the token, the errors, the quota, the channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .answers import http_error, retry_at
from .base import Provider
from .errors import (
    AuthorizationLost,
    PermissionMissing,
    ProviderError,
    RateLimited,
    Rejected,
    Transient,
)
from .http import Answer
from .text import html_to_text
from .types import BrandAccount, Profile, Token
from .youtube_items import BAD, read_channel
from .youtube_quota import next_day

HOST = 'https://youtube.googleapis.com/youtube/v3'

#: Parts of a channel that a profile is made of.
CHANNEL = {'part': 'id,snippet,statistics'}
_BATCH = 50

_DAY_IS_OVER = {'quotaExceeded', 'dailyLimitExceeded', 'dailyLimitExceededUnreg'}
_TOO_FAST = {'rateLimitExceeded', 'userRateLimitExceeded', 'concurrentLimitExceeded'}
_NOT_PERMITTED = {
    'insufficientPermissions',
    'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
    'accessNotConfigured',
    'SERVICE_DISABLED',
    'accountDelegationForbidden',
}
#: Refusals with status 401 that are about the account, not about the grant.
_NO_CHANNEL = 'youtubeSignupRequired'
_PASSING = {'processingFailure', 'backendError'}


class Client(Provider):
    """Calls of one channel."""

    def whoami(self) -> Profile:
        """Return the channel that was chosen on the page of consent.

        :raise Rejected: when the Google account has no channel, with code ``no_brands``
        """
        wanted = self._grant.extra.get('channel')
        channels = self._channels({'mine': 'true'})
        chosen = [channel for channel in channels if not wanted or channel.external_id == wanted]
        if not chosen:
            raise Rejected('This Google account has no YouTube channel', 'no_brands')
        return chosen[0]

    def brand_accounts(self) -> tuple[BrandAccount, ...]:
        """Return the channels of the login: as a rule the one that was chosen on the page of
        consent."""
        channels, grant = self._channels({'mine': 'true'}), self._grant
        return tuple(
            BrandAccount(
                channel,
                Token(
                    grant.access_token,
                    grant.refresh_token,
                    grant.expires_at,
                    grant.scopes,
                    {**grant.extra, 'channel': channel.external_id},
                ),
            )
            for channel in channels
        )

    @property
    def _grant(self) -> Token:
        if not self.token or not self.token.access_token:
            raise AuthorizationLost('There is no token', 'no_token')
        return self.token

    @property
    def _me(self) -> str:
        """Return the id of the connected channel, asked for once where nobody told it."""
        if not self.me or not self.me.external_id:
            self.me = self.whoami()
        return self.me.external_id

    def _channels(self, params: Mapping[str, str]) -> list[Profile]:
        body = self._get('channels', {**CHANNEL, **params})
        try:
            return [read_channel(row) for row in rows_of(body)]
        except BAD:
            raise Transient('The server sent no readable channel', 'bad_answer') from None

    def _batches(self, path: str, part: str, ids: Sequence[str], **params: str) -> Iterator[Any]:
        """Yield what there is of these ids; those that are gone are missing."""
        for start in range(0, len(ids), _BATCH):
            batch = ','.join(ids[start : start + _BATCH])
            yield from rows_of(self._get(path, {'part': part, 'id': batch, **params}))

    def _get(self, path: str, params: Mapping[str, Any], use: str = 'read') -> dict[str, Any]:
        body = self._call('GET', path, use, dict, params=params)
        if 'items' not in body and 'kind' not in body and 'pageInfo' not in body:
            raise Transient('The server did not answer in the expected form', 'bad_answer')
        found: dict[str, Any] = body
        return found

    def _call(
        self, method: str, path: str, use: str, expect: type | None = None, **kwargs: Any
    ) -> Any:
        url = path if path.startswith('https://') else f'{HOST}/{path}'
        token = self._grant.access_token
        self.usage[use] += 1  # refused calls are counted as well
        kwargs.setdefault('errors', youtube_error)
        if expect is None:
            return self.http.request(method, url, token=token, **kwargs)
        return self.http.json(method, url, expect, token=token, **kwargs)


# --- answers --------------------------------------------------------------------------------------


def rows_of(body: Mapping[str, Any]) -> list[Any]:
    """Return the rows of a list, which may be absent where it is empty."""
    rows = body.get('items')
    return rows if isinstance(rows, list) else []


def youtube_error(answer: Answer, writes: bool) -> ProviderError | None:
    """Return the error that an answer stands for, by its status and Google's reason."""
    error = http_error(answer, writes)
    if error is None or answer.status >= 500:
        return error
    reasons, units = reasons_of(answer.json())
    said, code = html_to_text(error.reason), reasons[0] if reasons else error.code
    found = set(reasons)
    if found & _DAY_IS_OVER or any('/d/' in unit for unit in units):
        return RateLimited(said, code, next_day())
    if answer.status == 429 or found & _TOO_FAST:
        return RateLimited(said, code, retry_at(answer.headers))
    if found & _PASSING:
        return Transient(said, code)
    if found & _NOT_PERMITTED:
        return PermissionMissing(said, code)
    if _NO_CHANNEL in found or (answer.status == 403 and writes and found):
        return Rejected(said, code)
    error.reason, error.code = said, code
    return error


def reasons_of(body: Any) -> tuple[list[str], list[str]]:
    """Return the reasons in an error, and the units of the quotas that it names."""
    error = body.get('error') if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return [], []
    reasons, units = [], []
    for part in (*_list(error.get('errors')), *_list(error.get('details'))):
        if isinstance(part, dict):
            reasons.append(part.get('reason'))
            metadata = part.get('metadata')
            units.append(metadata.get('quota_unit') if isinstance(metadata, dict) else None)
    return [r for r in reasons if isinstance(r, str)], [u for u in units if isinstance(u, str)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
