"""What all OAuth 2 networks share: PKCE, the three calls, their answers, and discovery.

The calls go through :class:`~.http.Http` and not through requests-oauthlib's session: that one
opens its own connections (past the guard), sends HTTP Basic where some servers read only the body,
raises when the granted scopes differ from the wanted ones, and follows redirects with a code in the
body. oauthlib makes the PKCE pair and the authorize URL; its parser of token answers stays out, as
it fails on an ``expires_in`` that is no number and on changed scopes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from oauthlib.common import add_params_to_uri
from oauthlib.oauth2 import WebApplicationClient

from .answers import network_words
from .errors import AuthorizationLost, OutcomeUnknown, ProviderError, Rejected, Transient
from .http import Answer, Http, http_error
from .types import Token

#: Errors (RFC 6749, 5.2) after which only a new consent helps.
_DEAD = {'invalid_grant', 'unauthorized_client', 'access_denied', 'invalid_token'}


# --- PKCE (RFC 7636) -----------------------------------------------------------------------------


def new_verifier() -> str:
    """Return a fresh code verifier of 64 characters."""
    verifier: str = WebApplicationClient('').create_code_verifier(64)
    return verifier


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier."""
    challenge: str = WebApplicationClient('').create_code_challenge(verifier, 'S256')
    return challenge


# --- the browser's part --------------------------------------------------------------------------


def authorize_url(
    endpoint: str,
    *,
    client_id: str,
    redirect_uri: str,
    scopes: Sequence[str],
    state: str,
    challenge: str = '',
    extra: Mapping[str, str] | None = None,
    separator: str = ' ',
) -> str:
    """Return where to send the browser; a query that the endpoint brings along stays."""
    params = {
        'response_type': 'code',
        'client_id': client_id,
        'redirect_uri': redirect_uri,
        'scope': separator.join(scopes),
        'state': state,
    }
    if challenge:
        params |= {'code_challenge': challenge, 'code_challenge_method': 'S256'}
    url: str = add_params_to_uri(endpoint, [*params.items(), *(extra or {}).items()])
    return url


def callback_error(params: Mapping[str, str]) -> ProviderError | None:
    """Return the error that a callback's parameters tell, ``None`` when they hold a code.

    ``access_denied`` (the person said no) is Rejected with that code, like all others.
    """
    if params.get('error'):
        words = network_words({'error': params.get('error_description') or params['error']})
        return Rejected(words, params['error'][:60])
    if not params.get('code'):
        return Rejected('The answer holds no code', 'no_code')
    return None


# --- the token endpoint --------------------------------------------------------------------------


def request_token(
    http: Http,
    endpoint: str,
    *,
    grant_type: str,
    client_id: str,
    client_secret: str = '',
    basic: bool = False,
    **params: Any,
) -> dict[str, Any]:
    """Post a token request and return the answer's JSON; :func:`read_token` reads it.

    :param basic: send client id and secret as HTTP Basic instead of in the body.
    :param params: ``code``, ``redirect_uri``, ``code_verifier``, ``refresh_token``, ``scope`` …
    :raise AuthorizationLost: when the grant is dead; other refusals are Rejected with OAuth's
        code; OutcomeUnknown when a single-use grant may have been used up by a lost answer.
    """
    auth = (client_id, client_secret) if basic else None
    if not basic:
        params |= {'client_id': client_id, 'client_secret': client_secret}
    answer: dict[str, Any] = http.json(
        'POST',
        endpoint,
        data={'grant_type': grant_type, **{k: v for k, v in params.items() if v}},
        auth=auth,
        headers={'Accept': 'application/json'},
        errors=oauth_error,
        writes=True,
    )
    return answer


def oauth_error(answer: Answer, writes: bool) -> ProviderError | None:
    """Return the error of a token, revocation or registration endpoint's answer."""
    body = answer.json()
    code = body.get('error') if isinstance(body, dict) else None
    if isinstance(code, str) and code.isascii() and ' ' not in code and answer.status < 500:
        kind = AuthorizationLost if code in _DEAD else Rejected
        return kind(network_words(body), code[:60])
    error = http_error(answer, writes)
    if isinstance(error, AuthorizationLost):
        # The client was refused, not the person's grant.
        return Rejected(error.reason, error.code)
    return error


def read_token(
    answer: Mapping[str, Any], *, refresh_token: str = '', extra: Iterable[str] = ()
) -> Token:
    """Return the token in a token endpoint's answer.

    :param refresh_token: the one that was used; kept when the answer brings no new one.
    :param extra: names of further fields to keep in ``Token.extra``.
    :raise Rejected: when there is no bearer token in it.
    """
    access, kind = answer.get('access_token'), answer.get('token_type')
    if not isinstance(access, str) or not access or len(access) > 65536:
        raise Rejected('The answer holds no token', 'no_token')
    if isinstance(kind, str) and kind.lower() not in {'bearer', ''}:
        raise Rejected('The token is of an unknown kind', 'token_type')
    fresh = answer.get('refresh_token')
    return Token(
        access_token=access,
        refresh_token=fresh if isinstance(fresh, str) and fresh else refresh_token,
        expires_at=expiry(answer.get('expires_in')),
        scopes=read_scopes(answer.get('scope')),
        extra={name: answer[name] for name in extra if name in answer},
    )


def expiry(seconds: Any) -> datetime | None:
    """Return the time (aware UTC) in so many seconds; ``None`` for none, nonsense or a lifetime.

    Pleroma says 100 years and means never: everything above 10 years is ``None``.
    """
    try:
        number = float(seconds)
    except (TypeError, ValueError, OverflowError):
        return None
    if isinstance(seconds, bool) or not 0 < number < 10 * 366 * 86400:
        return None
    return datetime.now(timezone.utc) + timedelta(seconds=number)


def read_scopes(value: Any) -> tuple[str, ...] | None:
    """Return scopes from a list or a text with spaces, commas or plus signs; ``None`` for none."""
    if isinstance(value, str):
        parts = value.replace(',', ' ').replace('+', ' ').split()
    elif isinstance(value, list):
        parts = [part for part in value if isinstance(part, str) and part]
    else:
        return None
    return tuple(dict.fromkeys(parts)) or None


def refresh(
    http: Http,
    endpoint: str,
    token: Token,
    *,
    client_id: str,
    client_secret: str = '',
    basic: bool = False,
    extra: Iterable[str] = (),
    **params: Any,
) -> Token:
    """Return a new token for an old one, with the old one's scopes where none are told.

    :raise AuthorizationLost: when there is no refresh token, or a dead one.
    """
    if not token.refresh_token:
        raise AuthorizationLost('There is no refresh token', 'no_refresh_token')
    answer = request_token(
        http,
        endpoint,
        grant_type='refresh_token',
        client_id=client_id,
        client_secret=client_secret,
        basic=basic,
        refresh_token=token.refresh_token,
        **params,
    )
    fresh = read_token(answer, refresh_token=token.refresh_token, extra=extra)
    return Token(
        fresh.access_token,
        fresh.refresh_token,
        fresh.expires_at,
        fresh.scopes or token.scopes,
        {**token.extra, **fresh.extra},
    )


def revoke(
    http: Http,
    endpoint: str,
    token: str,
    *,
    client_id: str,
    client_secret: str = '',
    hint: str = '',
    basic: bool = False,
) -> None:
    """Revoke a token (RFC 7009); quiet when the server does not know it (any more).

    :param basic: send client id and secret as HTTP Basic instead of in the body.
    :raise Transient: also when the answer got lost: revoking twice does no harm.
    """
    data = {'token': token, 'token_type_hint': hint}
    if not basic:
        data |= {'client_id': client_id, 'client_secret': client_secret}
    try:
        http.request(
            'POST',
            endpoint,
            data={k: v for k, v in data.items() if v},
            auth=(client_id, client_secret) if basic else None,
            errors=oauth_error,
        )
    except OutcomeUnknown as error:
        raise Transient(error.reason, error.code) from None
    except (Rejected, AuthorizationLost):
        return
    except ProviderError as error:
        if error.code != '403':
            raise


# --- discovery (RFC 8414) ------------------------------------------------------------------------


def discover(http: Http, server: str) -> dict[str, Any]:
    """Return a server's OAuth metadata, empty when it has none.

    :param server: ``https://host``
    :raise Rejected: with code ``mix_up`` when it names endpoints of another host.
    """
    try:
        answer = http.request('GET', f'{server}/.well-known/oauth-authorization-server')
    except Rejected:
        return {}
    found = answer.json()
    if not isinstance(found, dict):
        return {}
    for name, value in found.items():
        if name.endswith('_endpoint') and not same_site(value, server):
            raise Rejected('The server names endpoints of another server', 'mix_up')
    return found


def same_site(url: Any, server: str) -> bool:
    """Tell whether a URL is of a server's host or of a host below it, as securely reached."""
    if not isinstance(url, str):
        return False
    try:
        one, other = urlsplit(url), urlsplit(server)
        host, base = one.hostname or '', other.hostname or ''
        ports = one.port or 443, other.port or 443
    except ValueError:
        return False
    if one.scheme != other.scheme or one.username is not None or not base:
        return False
    return ports[0] == ports[1] and (host == base or host.endswith(f'.{base}'))
