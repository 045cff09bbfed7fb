"""What all calls to the Graph API share: the address, the token and its proof, pages of rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar, TypeVar

from .answers import Answer
from .base import Provider
from .errors import AuthorizationLost, OutcomeUnknown, ProviderError, Transient
from .meta import (
    FACEBOOK_GRAPH,
    GRAPH_VERSION,
    GRAPH_VERSION_ENDS,
    answer_handshake,
    appsecret_proof,
    graph_error,
    usage_limit,
)
from .meta_webhooks import verify_push
from .types import Token

Result = TypeVar('Result')

#: Reads per batch; the network takes 50.
BATCH = 50


class GraphClient(Provider):
    """Calls with one token; the path of a call begins after the version."""

    api_version = GRAPH_VERSION
    api_ends: ClassVar[date | None] = GRAPH_VERSION_ENDS
    graph: ClassVar[str] = FACEBOOK_GRAPH

    @property
    def _grant(self) -> Token:
        if not self.token or not self.token.access_token:
            raise AuthorizationLost('There is no token', 'no_token')
        return self.token

    @property
    def _base(self) -> str:
        return self.graph

    def _get(self, path: str, *, token: str = '', **params: Any) -> dict[str, Any]:
        return self._call('GET', path, token=token, params=params)

    def _post(self, path: str, *, writes: bool = True, **kwargs: Any) -> dict[str, Any]:
        return self._call('POST', path, writes=writes, **kwargs)

    def _call(
        self,
        method: str,
        path: str,
        *,
        base: str = '',
        token: str = '',
        params: Mapping[str, Any] | None = None,
        writes: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        answer = self._request(
            method, f'{base or self._base}/{path}', token, params, writes, kwargs
        )
        body = answer.json()
        if not isinstance(body, dict):
            raise (OutcomeUnknown if writes else Transient)(
                'The server did not answer in the expected form', 'bad_answer'
            )
        return body

    def _request(
        self,
        method: str,
        url: str,
        token: str,
        params: Mapping[str, Any] | None,
        writes: bool,
        kwargs: Mapping[str, Any],
    ) -> Answer:
        token = token or self._grant.access_token
        answer = self.http.request(
            method,
            url,
            token=token,
            params={**(params or {}), **self._proof(token)},
            writes=writes,
            errors=graph_error,
            **kwargs,
        )
        usage = usage_limit(answer.headers)
        if usage:
            self.http.last_rate_limit = usage
        return answer

    def _proof(self, token: str) -> dict[str, str]:
        secret = self.app.client_secret
        return {'appsecret_proof': appsecret_proof(secret, token)} if secret else {}

    # --- rows ------------------------------------------------------------------------------------

    def _pages(self, path: str, most: int, **params: Any) -> Iterator[list[dict[str, Any]]]:
        """Yield the pages of an edge, ``most`` of them."""
        after = ''
        for _page in range(most):
            body = self._get(path, **params, **({'after': after} if after else {}))
            yield rows_of(body)
            after = after_of(body)
            if not after:
                return

    def _read_batch(self, urls: Sequence[str]) -> list[dict[str, Any] | ProviderError]:
        """Return the answer or the error of each read, in batches; ``urls`` begin with the path."""
        found: list[dict[str, Any] | ProviderError] = []
        for start in range(0, len(urls), BATCH):
            some = urls[start : start + BATCH]
            asked = json.dumps([{'method': 'GET', 'relative_url': url} for url in some])
            # A batch of reads: a lost answer does no harm.
            data = {'batch': asked, 'include_headers': 'false'}
            answer = self._request('POST', f'{self._base}/', '', None, False, {'data': data})
            body = answer.json()
            if not isinstance(body, list) or len(body) != len(some):
                raise Transient('The server did not answer in the expected form', 'bad_answer')
            found += map(_batch_answer, body)
        return found

    # --- pushed by the network -------------------------------------------------------------------

    def answer_handshake(self, params: Mapping[str, str]) -> str:
        """See :meth:`.Provider.answer_handshake`."""
        return answer_handshake(self.app, params)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        """See :meth:`.Provider.verify_webhook`; a ``signed_request`` is signed in itself."""
        verify_push(self.app, headers, body)


def halving(call: Callable[[int], Result], size: int) -> Result:
    """Return what a call gives that reads ``size`` rows: fewer, where that is too much at once."""
    while True:
        try:
            return call(size)
        except Transient as error:
            if size == 1 or error.code != '1':  # "reduce the amount of data"
                raise
            size = max(1, size // 4)


def rows_of(body: Any) -> list[dict[str, Any]]:
    """Return the rows of an edge's answer; raise Transient when it is none."""
    rows = body.get('data') if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise Transient('The server did not answer in the expected form', 'bad_answer')
    return [row for row in rows if isinstance(row, dict)]


def inner_rows(edge: Any) -> list[dict[str, Any]]:
    """Return the rows of an edge that came within an object; none where it is missing."""
    return rows_of(edge) if isinstance(edge, dict) and 'data' in edge else []


def after_of(body: Any) -> str:
    """Return the cursor of the next page, empty at the end.

    The ``next`` address is not followed: it could lead anywhere.
    """
    paging = body.get('paging') if isinstance(body, dict) else None
    cursors = paging.get('cursors') if isinstance(paging, dict) and paging.get('next') else None
    after = cursors.get('after') if isinstance(cursors, dict) else None
    return after if isinstance(after, str) else ''


def _batch_answer(row: Any) -> dict[str, Any] | ProviderError:
    try:
        status, content = int(row['code']), str(row['body']).encode('utf-8', 'replace')
    except (TypeError, KeyError, ValueError):  # ``null``: timed out
        return Transient('A read of the batch timed out', 'batch')
    answer = Answer(status, {}, content, '')
    error, body = graph_error(answer, False), answer.json()
    if error or not isinstance(body, dict):
        return error or Transient('A read of the batch cannot be read', 'bad_answer')
    return body
