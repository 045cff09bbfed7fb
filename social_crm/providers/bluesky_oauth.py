"""Signing in to the AT Protocol by OAuth, with pushed requests and DPoP.

There is no registration. The client's id is an address: that of a document about the client (see
:func:`client_metadata`) where the client has a public one, or ``http://localhost?…`` for a client
on the same machine as the browser.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from . import bluesky_identity as identity
from . import dpop, oauth2
from .bluesky_session import COARSE, Session
from .errors import (
    AuthorizationLost,
    OutcomeUnknown,
    Rejected,
    Transient,
)
from .types import App, Authorization, Token

#: Below the client's own address.
METADATA_PATH = '/social_crm/bluesky/client-metadata.json'
#: Where the browser of somebody who works at *localhost* comes back to: a name that is not taken.
LOOPBACK_PATH = '/social_crm/bluesky/callback'
_CHAT = 'rpc:chat.bsky.'


class Login(Session):
    """Connect, refresh, revoke."""

    # --- the client ------------------------------------------------------------------------------

    @classmethod
    def covers(cls, granted: Iterable[str], scopes: Iterable[str]) -> bool:
        """See :meth:`.Provider.covers`; the coarse scopes include those of single calls."""
        known = {plain(scope) for scope in granted}
        return all(
            plain(scope) in known or coarse(scope) in known and 'transition:generic' in known
            for scope in scopes
        )

    @classmethod
    def normalise_server(cls, text: str) -> str:
        """Return a handle, a DID or ``https://host``; see :func:`.bluesky_identity.normalise`."""
        return identity.normalise(text)

    def discover(self, server: str) -> App:
        """See :func:`.bluesky_identity.find`; ``server`` of the answer is the login server."""
        return identity.find(self.http, server)[1]

    def register(self, app: App, *, name: str, website: str) -> App:
        """Return the app with the client's id, made from where Odoo is reached.

        A public https address makes a client with a key of its own (kept as the secret, and kept
        when there is one): its logins last longest. Otherwise the browser and Odoo have to be on
        one machine.

        :raise Rejected: with code ``needs_https`` for any other address.
        """
        parts = urlsplit(app.redirect_uri)
        scopes = self.all_scopes()
        if is_loopback(parts.hostname or ''):
            redirect_uri = loopback_redirect(app.redirect_uri)
            query = urlencode({'redirect_uri': redirect_uri, 'scope': ' '.join(scopes)})
            return replace(app, client_id=f'http://localhost?{query}', scopes=scopes)
        if parts.scheme != 'https' or parts.port not in {None, 443}:
            raise Rejected('Signing in needs a public https address of this server', 'needs_https')
        return replace(
            app,
            client_id=f'https://{parts.netloc}{METADATA_PATH}',
            client_secret=app.client_secret or dpop.new_key(),
            scopes=scopes,
        )

    @classmethod
    def all_scopes(cls) -> tuple[str, ...]:
        """Return every scope that may ever be asked for; the client's document names them all."""
        return tuple(dict.fromkeys((*COARSE, *cls.scopes_for(cls.capabilities))))

    # --- OAuth -----------------------------------------------------------------------------------

    def authorize_url(
        self, *, state: str, challenge: str, scopes: Sequence[str], hint: str = ''
    ) -> Authorization:
        """Push the request to the server; the browser is sent there with nothing but its name.

        :raise Rejected: with code ``mix_up`` when the account signs in at another server.
        """
        account, app = identity.find(self.http, identity.normalise(hint or self.app.server))
        if app.server != self.app.server:
            raise Rejected('This account signs in at another server', 'mix_up')
        key = dpop.new_key()
        data = {
            'response_type': 'code',
            'redirect_uri': loopback_redirect(self.app.redirect_uri),
            'state': state,
            'code_challenge': challenge,
            'code_challenge_method': 'S256',
            'login_hint': account.handle or account.did if account else '',
        }
        endpoint = self._endpoint('pushed_authorization_request_endpoint')
        try:
            pushed = self._ask(endpoint, key, {**data, 'scope': ' '.join(scopes)})
        except Rejected as error:
            if error.code != 'invalid_scope':
                raise
            scopes = tuple(dict.fromkeys(coarse(scope) for scope in scopes))
            scopes = tuple(dict.fromkeys(('atproto', 'transition:generic', *scopes)))
            pushed = self._ask(endpoint, key, {**data, 'scope': ' '.join(scopes)})
        query = {'client_id': self.app.client_id, 'request_uri': str(pushed.get('request_uri'))}
        return Authorization(
            f'{self._endpoint("authorization_endpoint")}?{urlencode(query)}',
            {'key': key, 'did': account.did if account else '', 'scopes': list(scopes)},
        )

    def exchange_code(
        self, *, code: str, verifier: str, private: Mapping[str, object], params: Mapping[str, str]
    ) -> Token:
        """See :meth:`.Provider.exchange_code`.

        :raise Rejected: with code ``mix_up`` when another server answers than was asked, or one
            that may not speak for the account; ``wrong_account`` when somebody else signed in.
        """
        error = oauth2.callback_error({**params, 'code': code})
        if error:
            raise error
        if params.get('iss') != self.app.server:
            raise Rejected('Another server answered than was asked', 'mix_up')
        key = str(private.get('key') or '')
        answer = self._ask(
            self._endpoint('token_endpoint'),
            key,
            {
                'grant_type': 'authorization_code',
                'code': code,
                'code_verifier': verifier,
                'redirect_uri': loopback_redirect(self.app.redirect_uri),
            },
            writes=True,
        )
        token = read_token(answer)
        did = str(answer.get('sub') or '')
        if private.get('did') and did != private['did']:
            raise Rejected('Somebody else signed in', 'wrong_account')
        if 'atproto' not in (token.scopes or ()):
            raise Rejected('The login does not tell who it is for', 'scope')
        account = identity.resolve(self.http, did) if identity.is_did(did) else None
        if not account or (
            account.pds != self.app.server
            and identity.login_server(self.http, account.pds).server != self.app.server
        ):
            raise Rejected('This server may not speak for the account', 'mix_up')
        extra = {'key': key, 'did': did, 'pds': account.pds, 'client_id': self.app.client_id}
        return replace(token, extra=extra)

    def refresh(self) -> Token:
        """See :meth:`.Provider.refresh`; the refresh token works once."""
        grant = self._grant
        if not grant.refresh_token:
            raise AuthorizationLost('There is no refresh token', 'no_refresh_token')
        if not grant.extra.get('key'):
            return self._refresh_session()
        answer = self._ask(
            self._endpoint('token_endpoint'),
            str(grant.extra['key']),
            {'grant_type': 'refresh_token', 'refresh_token': grant.refresh_token},
            writes=True,
        )
        fresh = read_token(answer, grant.refresh_token)
        if answer.get('sub') != grant.extra.get('did'):
            raise AuthorizationLost('The login is for somebody else now', 'sub')
        return replace(fresh, scopes=fresh.scopes or grant.scopes, extra=grant.extra)

    def revoke(self) -> None:
        """See :meth:`.Provider.revoke`."""
        grant = self._grant
        if not grant.extra.get('key'):
            self._end_session()
            return
        endpoint = str(self.app.metadata.get('revocation_endpoint') or '')
        if not endpoint:
            raise Rejected('The server has no call for that', 'revoke')
        token = grant.refresh_token or grant.access_token
        try:
            self._ask(endpoint, str(grant.extra['key']), {'token': token})
        except (Rejected, AuthorizationLost):
            return  # gone already

    def _endpoint(self, name: str) -> str:
        return str(self.app.metadata.get(name) or '')

    def _ask(
        self, endpoint: str, key: str, data: Mapping[str, str], writes: bool = False
    ) -> dict[str, Any]:
        """Post to the login server as this client, and return the answer's JSON."""
        grant = self.token.extra if self.token else {}
        client_id = str(grant.get('client_id') or self.app.client_id)
        form = {'client_id': client_id, **{k: v for k, v in data.items() if v}}
        if self.app.client_secret:
            form |= dpop.client_assertion(
                self.app.client_secret, client_id=client_id, audience=self.app.server
            )
        answer = dpop.request(
            self.http,
            'POST',
            endpoint,
            key=key,
            data=form,
            headers={'Accept': 'application/json'},
            errors=oauth2.oauth_error,
            writes=writes,
        )
        body = answer.json()
        if not isinstance(body, dict):
            error = OutcomeUnknown if writes else Transient
            raise error('The server did not answer in the expected form', 'bad_answer')
        return body


# --- pieces --------------------------------------------------------------------------------------


def client_metadata(
    website: str, *, name: str, redirect_uri: str, scopes: Sequence[str], keys: Iterable[str]
) -> dict[str, Any]:
    """Return the document about this client that login servers fetch; it holds no secret.

    :param website: the public https address without a path
    :param keys: the private keys of all apps with this address; their public halves are told
    """
    jwks = {dpop.thumbprint(key): dpop.public_jwk(key) for key in keys}
    return {
        'client_id': website + METADATA_PATH,
        'application_type': 'web',
        'client_name': name,
        'client_uri': website,
        'grant_types': ['authorization_code', 'refresh_token'],
        'response_types': ['code'],
        'redirect_uris': [redirect_uri],
        'scope': ' '.join(scopes),
        'dpop_bound_access_tokens': True,
        'token_endpoint_auth_method': 'private_key_jwt',
        'token_endpoint_auth_signing_alg': 'ES256',
        'jwks': {
            'keys': [{**jwk, 'kid': kid, 'use': 'sig', 'alg': 'ES256'} for kid, jwk in jwks.items()]
        },
    }


def read_token(answer: Mapping[str, Any], refresh_token: str = '') -> Token:
    """Return the token in an answer; it has to be bound to the key.

    :raise Rejected: when it is not
    """
    if str(answer.get('token_type')).lower() != 'dpop':
        raise Rejected('The token is of an unknown kind', 'token_type')
    token = oauth2.read_token({**answer, 'token_type': 'bearer'}, refresh_token=refresh_token)
    told = answer.get('scope')
    # Scopes of single calls hold characters that others take for separators.
    return replace(token, scopes=tuple(told.split()) if isinstance(told, str) else None)


def plain(scope: str) -> str:
    """Return a scope in the form in which two that mean the same are equal."""
    return scope.replace('%2A', '*').replace('%2a', '*').replace('%2F', '/').replace('%2f', '/')


def coarse(scope: str) -> str:
    """Return the broad scope that includes a narrow one."""
    if scope == 'atproto' or scope.startswith('transition:'):
        return scope
    return 'transition:chat.bsky' if scope.startswith(_CHAT) else 'transition:generic'


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    try:
        return host == 'localhost' or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def loopback_redirect(redirect_uri: str) -> str:
    """Return a redirect URI as servers take it: this machine by its address, not by its name.

    Somebody who works at *localhost* is not signed in at that address, so the way leads through
    :data:`LOOPBACK_PATH`, which goes on to the real callback.
    """
    parts = urlsplit(redirect_uri)
    if parts.hostname != 'localhost':
        return redirect_uri
    netloc = parts.netloc.replace('localhost', '127.0.0.1')
    return urlunsplit(parts._replace(netloc=netloc, path=LOOPBACK_PATH))
