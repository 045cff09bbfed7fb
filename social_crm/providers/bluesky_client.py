"""What all calls of the Bluesky adapter share: the data server, the token, errors by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from . import dpop
from .answers import Answer, network_words
from .base import Provider
from .bluesky_items import BAD, Reader
from .errors import (
    AuthorizationLost,
    NotFound,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    Rejected,
    Transient,
)
from .http import http_error
from .types import Profile, Token

#: The service for direct messages, which the data server passes calls on to.
CHAT = 'did:web:api.bsky.chat#bsky_chat'
_DEAD = {
    'AccountDeactivated',
    'AccountSuspended',
    'AccountTakedown',
    'AuthMissing',
    'AuthenticationRequired',
    'ExpiredToken',
    'InvalidToken',
}
_GONE = {'NotFound', 'RecordNotFound', 'RepoNotFound', 'InvalidConvo', 'RecipientNotFound'}


class Client(Provider):
    """Calls of one account. ``token.extra`` holds its DID, its data server and the DPoP key."""

    @property
    def _grant(self) -> Token:
        if not self.token or not self.token.access_token:
            raise AuthorizationLost('There is no token', 'no_token')
        return self.token

    @property
    def _did(self) -> str:
        return str(self._grant.extra.get('did') or '')

    @property
    def _pds(self) -> str:
        return str(self._grant.extra.get('pds') or self.app.server)

    def whoami(self) -> Profile:
        """Return the profile of the token's account."""
        return self._profile(self._get('app.bsky.actor.getProfile', actor=self._did))

    def _reader(self) -> Reader:
        return Reader(self.me.external_id if self.me else '')

    def _profile(self, found: Any) -> Profile:
        try:
            return self._reader().profile(found)
        except BAD:
            raise Transient('The server sent no readable profile', 'bad_answer') from None

    def _get(self, method: str, *, chat: bool = False, **params: Any) -> Any:
        """Ask a query; a list as a parameter is repeated, an empty one is left out."""
        wanted = {name: value for name, value in params.items() if value not in ('', None)}
        return self._call('GET', method, chat=chat, params=wanted)

    def _post(self, method: str, *, chat: bool = False, **kwargs: Any) -> Any:
        return self._call('POST', method, chat=chat, **kwargs)

    def _call(self, verb: str, method: str, *, chat: bool, **kwargs: Any) -> Any:
        grant = self._grant
        url, key = f'{self._pds}/xrpc/{method}', str(grant.extra.get('key') or '')
        headers = {**kwargs.pop('headers', {}), **({'atproto-proxy': CHAT} if chat else {})}
        kwargs |= {'headers': headers, 'errors': xrpc_error}
        if key:
            answer = dpop.request(self.http, verb, url, key=key, token=grant.access_token, **kwargs)
        else:
            answer = self.http.request(verb, url, token=grant.access_token, **kwargs)
        body = answer.json()
        if not isinstance(body, dict) and (answer.content or verb == 'GET'):
            error = OutcomeUnknown if kwargs.get('writes') else Transient
            raise error('The server did not answer in the expected form', 'bad_answer')
        return body

    @staticmethod
    def _rows(answer: Mapping[str, Any], name: str) -> list[Any]:
        """Return a list that an answer has to hold."""
        rows = answer.get(name)
        if not isinstance(rows, list):
            raise Transient('The server did not answer in the expected form', 'bad_answer')
        return rows


def xrpc_error(answer: Answer, writes: bool) -> ProviderError | None:
    """Return the error of an answer: by its name, then by its status."""
    error = http_error(answer, writes)
    if error is None or answer.status == 429 or answer.status >= 500:
        return error
    body = answer.json()
    name = str(body.get('error') or '') if isinstance(body, dict) else ''
    if not re.fullmatch(r'[A-Za-z]\w{2,59}', name):
        return error
    # The name is for machines; the sentence beside it is for people.
    words = network_words({'message': body.get('message')}) or network_words(body)
    if name == 'InvalidToken' and 'Bad token method' in words:
        return PermissionMissing(words, name)  # an app password without the right to messages
    if name in _DEAD:
        return AuthorizationLost(words, name)
    if name in _GONE:
        return NotFound(words, name)
    if type(error) is Rejected or answer.status == 400:
        return Rejected(words, name)
    return type(error)(words, name)
