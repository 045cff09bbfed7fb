"""Signing in to the AT Protocol with an app password: no browser, no client, no DPoP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import jwt

from . import bluesky_identity as identity
from .bluesky_client import Client, xrpc_error
from .errors import AuthorizationLost, ProviderError, Rejected
from .types import Profile, Token

#: For servers that do not know the scopes of single calls yet.
COARSE = ('atproto', 'transition:generic', 'transition:chat.bsky')


class Session(Client):
    """A login that a password opened: a pair of tokens, the older way."""

    def sign_in(self, typed: str, password: str) -> tuple[Token, Profile]:
        """Sign in with a handle and an app password; return the login and whose it is.

        :param typed: a handle or DID
        :raise Rejected: with code ``no_app_password`` for what is no app password: the main one is
            not to be stored anywhere.
        """
        if not is_app_password(password):
            raise Rejected('This is no app password', 'no_app_password')
        account = identity.resolve(self.http, identity.normalise(typed))
        answer = self.http.json(
            'POST',
            f'{account.pds}/xrpc/com.atproto.server.createSession',
            json={'identifier': account.did, 'password': password},
            errors=_session_error,
        )
        if answer.get('did') != account.did:
            raise Rejected('The server signed somebody else in', 'wrong_account')
        self.token = self._session(answer, {'did': account.did, 'pds': account.pds})
        return self.token, self.whoami()

    def _session(self, answer: Mapping[str, Any], extra: Mapping[str, Any]) -> Token:
        access, refresh = answer.get('accessJwt'), answer.get('refreshJwt')
        if not isinstance(access, str) or not isinstance(refresh, str) or not access:
            raise Rejected('The answer holds no token', 'no_token')
        try:
            claims = jwt.decode(access, options={'verify_signature': False})
            expires_at = datetime.fromtimestamp(claims['exp'], timezone.utc)
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError):
            raise Rejected('The token cannot be read', 'no_token') from None
        may_chat = claims.get('scope') in {'com.atproto.access', 'com.atproto.appPassPrivileged'}
        scopes = COARSE if may_chat else COARSE[:-1]
        return Token(access, refresh, expires_at, scopes, dict(extra))

    def _refresh_session(self) -> Token:
        grant = self._grant
        answer = self.http.json(
            'POST',
            f'{self._pds}/xrpc/com.atproto.server.refreshSession',
            token=grant.refresh_token,
            errors=xrpc_error,
            # The old token gives the same answer for two hours: nothing is lost with an answer.
        )
        return self._session(answer, grant.extra)

    def _end_session(self) -> None:
        try:
            self.http.request(
                'POST',
                f'{self._pds}/xrpc/com.atproto.server.deleteSession',
                token=self._grant.refresh_token,
                errors=xrpc_error,
            )
        except (Rejected, AuthorizationLost):
            return


# --- pieces --------------------------------------------------------------------------------------


def is_app_password(text: str) -> bool:
    """Tell whether a text has the form of an app password, which the main one never should."""
    parts = text.strip().split('-')
    return len(parts) == 4 and all(len(part) == 4 and part.isalnum() for part in parts)


def _session_error(answer: Any, writes: bool) -> ProviderError | None:
    """A refused password is no dead grant: there is none yet."""
    error = xrpc_error(answer, writes)
    return Rejected(error.reason, error.code) if isinstance(error, AuthorizationLost) else error
