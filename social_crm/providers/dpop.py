"""Proof of possession (DPoP, RFC 9449): tokens that only the holder of a key can use.

Keys are EC P-256, kept as a private JWK in JSON text, beside the token that they belong to. Servers
hand out nonces that a proof has to carry; the newest one of each server is kept for the process, so
that most calls need no second try.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from .answers import Answer
from .errors import AuthorizationLost, ProviderError, Transient
from .http import Errors, Http, http_error

ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
_PUBLIC = ('kty', 'crv', 'x', 'y')
_MAX_NONCES = 500
_nonces: dict[str, str] = {}


# --- keys ----------------------------------------------------------------------------------------


def new_key() -> str:
    """Return a fresh private key as JSON text."""
    key: str = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()))
    return key


def public_jwk(key: str) -> dict[str, str]:
    """Return the public half of a key, as servers want it."""
    jwk = json.loads(key)
    return {name: jwk[name] for name in _PUBLIC}


def thumbprint(key: str) -> str:
    """Return the name of a key that follows from its content (RFC 7638)."""
    text = json.dumps(public_jwk(key), sort_keys=True, separators=(',', ':'))
    return _base64url(hashlib.sha256(text.encode()).digest())


def _load(key: str) -> Any:
    try:
        return ECAlgorithm.from_jwk(key)
    except (ValueError, jwt.InvalidKeyError):
        raise AuthorizationLost('The key of the login is gone', 'no_key') from None


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


# --- what is signed ------------------------------------------------------------------------------


def proof(key: str, method: str, url: str, *, token: str = '', nonce: str = '') -> str:
    """Return the proof for one call; ``token`` is named in it where it goes along."""
    claims: dict[str, Any] = {
        'jti': secrets.token_urlsafe(16),
        'htm': method,
        'htu': url.partition('?')[0].partition('#')[0],
        'iat': int(time.time()),
    }
    if token:
        claims['ath'] = _base64url(hashlib.sha256(token.encode()).digest())
    if nonce:
        claims['nonce'] = nonce
    headers = {'typ': 'dpop+jwt', 'jwk': public_jwk(key)}
    return jwt.encode(claims, _load(key), algorithm='ES256', headers=headers)


def client_assertion(key: str, *, client_id: str, audience: str) -> dict[str, str]:
    """Return the form fields by which a client proves who it is (RFC 7523)."""
    now = int(time.time())
    claims = {
        'iss': client_id,
        'sub': client_id,
        'aud': audience,
        'jti': secrets.token_urlsafe(16),
        'iat': now,
        'exp': now + 60,
    }
    signed = jwt.encode(claims, _load(key), algorithm='ES256', headers={'kid': thumbprint(key)})
    return {'client_assertion_type': ASSERTION_TYPE, 'client_assertion': signed}


# --- calls ---------------------------------------------------------------------------------------


class _NonceWanted(ProviderError):
    """The server refused the proof for want of its newest nonce, and did nothing else."""


def request(
    http: Http,
    method: str,
    url: str,
    *,
    key: str,
    token: str = '',
    headers: Mapping[str, str] | None = None,
    errors: Errors = http_error,
    **kwargs: Any,
) -> Answer:
    """Call as :meth:`.http.Http.request` does, with a proof.

    A server that wants another nonce says so before it does anything, so one more try is safe for
    writing calls too.
    """
    parts = urlsplit(url)
    origin = f'{parts.scheme}://{parts.netloc}'

    def judge(answer: Answer, writes: bool) -> ProviderError | None:
        _keep_nonce(origin, answer.headers.get('DPoP-Nonce', ''))
        return _NonceWanted() if wants_nonce(answer) else errors(answer, writes)

    sent = {**(headers or {})}
    if token:
        sent['Authorization'] = f'DPoP {token}'
    for _attempt in range(2):
        sent['DPoP'] = proof(key, method, url, token=token, nonce=_nonces.get(origin, ''))
        try:
            return http.request(method, url, headers=sent, errors=judge, **kwargs)
        except _NonceWanted:
            continue
    raise Transient('The server wants ever new nonces', 'use_dpop_nonce')


def wants_nonce(answer: Answer) -> bool:
    """Tell whether a server refuses only because the proof lacks its newest nonce."""
    if answer.status not in {400, 401} or not answer.headers.get('DPoP-Nonce'):
        return False
    body = answer.json()
    told = body.get('error') if isinstance(body, dict) else ''
    return told == 'use_dpop_nonce' or 'use_dpop_nonce' in answer.headers.get(
        'WWW-Authenticate', ''
    )


def _keep_nonce(origin: str, nonce: str) -> None:
    if not nonce or len(nonce) > 500:
        return
    if len(_nonces) >= _MAX_NONCES:
        _nonces.clear()  # only costs second tries
    _nonces[origin] = nonce
