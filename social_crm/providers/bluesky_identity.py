"""Who is who on the AT Protocol: handle -> DID -> document -> data server -> login server.

Handles and servers are foreign input: the addresses go through the guard of :class:`~.http.Http`,
and nothing is believed that the other direction does not confirm.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from . import oauth2
from .errors import NotFound, ProviderError, Rejected, Transient
from .http import Http, is_public_name, typed_host
from .types import App

#: Where DIDs and those handles that are kept in DNS alone are looked up. Own networks (tests) name
#: theirs in the environment.
DIRECTORY = os.environ.get('SOCIAL_CRM_PLC_DIRECTORY') or 'https://plc.directory'
RESOLVER = os.environ.get('SOCIAL_CRM_HANDLE_RESOLVER') or 'https://public.api.bsky.app'

_DID = re.compile(r'did:(?:plc:[a-z2-7]{24}|web:[a-z0-9.-]+)')
_HANDLE = re.compile(r'(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]*[a-z0-9])?')
_PROFILE_PATH = re.compile(r'/profile/([^/]+)')
_ENDPOINTS = (
    'authorization_endpoint',
    'token_endpoint',
    'pushed_authorization_request_endpoint',
)


@dataclass(frozen=True)
class Identity:
    """An account: ``pds`` is the origin of the server that keeps its data."""

    did: str
    handle: str
    pds: str


def is_did(text: str) -> bool:
    """Tell whether a text is a DID of a kind in use."""
    return bool(_DID.fullmatch(text))


def is_handle(text: str) -> bool:
    """Tell whether a text could be a handle."""
    return len(text) <= 253 and bool(_HANDLE.fullmatch(text)) and is_public_name(text)


def normalise(text: str) -> str:
    """Return what a person typed as a handle or host, a DID, or ``https://host``.

    Takes ``@me.example``, the address of a profile (``https://bsky.app/profile/me.example``), a
    server's address. A bare name may be either: :func:`discover` finds out.

    :raise Rejected: with code ``empty``, ``url``, ``scheme``, ``userinfo`` or ``host``.
    """
    typed = text.strip().strip('/').lstrip('@')
    if not typed:
        raise Rejected('Nothing was typed', 'empty')
    if is_did(typed):
        return typed
    if '://' not in typed:
        if re.search(r'[/\s@\\]', typed):
            raise Rejected('Not a handle', 'url')
        name, _, port = typed.partition(':')
        return f'https://{typed_host(name)}:{port}' if port else typed_host(name)
    try:
        parts = urlsplit(typed)
        port_number = parts.port
    except ValueError:
        raise Rejected('Not a server', 'url') from None
    if parts.scheme not in {'https', 'http'}:
        raise Rejected('Not a web address', 'scheme')
    if parts.username is not None or '@' in parts.netloc:
        raise Rejected('The address holds a user name', 'userinfo')
    profile = _PROFILE_PATH.match(parts.path)
    if profile:
        return normalise(profile[1])
    plain = port_number in {None, 443 if parts.scheme == 'https' else 80}
    return f'{parts.scheme}://{typed_host(parts.hostname or "")}' + (
        '' if plain else f':{port_number}'
    )


# --- accounts ------------------------------------------------------------------------------------


def resolve(http: Http, name: str) -> Identity:
    """Return the account of a handle or DID; both directions have to agree.

    :raise NotFound: when there is none
    """
    did = name if is_did(name) else _did_of(http, name)
    document = _document(http, did)
    known = document.get('alsoKnownAs')
    handles = [
        text[5:].lower()
        for text in (known if isinstance(known, list) else ())
        if isinstance(text, str) and text.startswith('at://')
    ]
    if name != did and name not in handles:
        raise NotFound('The account does not call itself by this handle', 'handle')
    return Identity(did, name if name != did else (handles or [''])[0], _pds(document))


def _did_of(http: Http, handle: str) -> str:
    """Return the DID that a handle's domain names: on the web, or in DNS (asked by a resolver)."""
    if not is_handle(handle):
        raise NotFound('Not a handle', 'handle')
    try:
        answer = http.request('GET', f'https://{handle}/.well-known/atproto-did', deadline=10)
        did = answer.content[:300].decode('ascii', 'replace').strip()
        if is_did(did):
            return did
    except (Rejected, Transient):
        pass
    try:
        url = f'{RESOLVER}/xrpc/com.atproto.identity.resolveHandle'
        did = str(http.json('GET', url, params={'handle': handle}).get('did'))
    except Rejected as error:
        raise NotFound(error.reason, 'handle') from None
    if not is_did(did):
        raise NotFound('Nobody has this handle', 'handle')
    return did


def _document(http: Http, did: str) -> dict[str, Any]:
    method, _, name = did.removeprefix('did:').partition(':')
    url = f'https://{name}/.well-known/did.json'
    if method == 'plc':
        url = f'{DIRECTORY}/{quote(did, safe=":")}'
    document: dict[str, Any] = http.json('GET', url)
    if document.get('id') != did:
        raise NotFound('The directory answers for another account', 'did')
    return document


def _pds(document: Mapping[str, Any]) -> str:
    services = document.get('service')
    for service in services if isinstance(services, list) else ():
        if (
            isinstance(service, dict)
            and str(service.get('id')).endswith('#atproto_pds')
            and service.get('type') == 'AtprotoPersonalDataServer'
        ):
            return normalise(str(service.get('serviceEndpoint')))
    raise NotFound('The account has no data server', 'did')


# --- servers -------------------------------------------------------------------------------------


def find(http: Http, typed: str) -> tuple[Identity | None, App]:
    """Return the account that was typed, ``None`` for a server's address, and the login server.

    The app has no client id. A bare name that is nobody's handle may be a server's.

    :raise NotFound: when it is neither
    :raise Rejected: with code ``not_atproto`` when the server does not speak the protocol
    """
    if '://' in typed:
        return None, login_server(http, typed)
    try:
        identity = resolve(http, typed)
    except NotFound as error:
        if is_did(typed):
            raise
        try:
            return None, login_server(http, f'https://{typed}')
        except (Rejected, Transient):
            raise error from None
    return identity, login_server(http, identity.pds)


def login_server(http: Http, server: str) -> App:
    """Return the login server that a data server names, or which the address itself is."""
    issuer = _issuer_of(http, server)
    found = oauth2.discover(http, issuer)
    sound = (
        found.get('issuer') == issuer
        and all(isinstance(found.get(name), str) for name in _ENDPOINTS)
        and 'atproto' in (found.get('scopes_supported') or ())
        and 'S256' in (found.get('code_challenge_methods_supported') or ())
        and 'ES256' in (found.get('dpop_signing_alg_values_supported') or ())
        and found.get('client_id_metadata_document_supported') is True
    )
    if not sound:
        raise Rejected('No server of the AT Protocol answers there', 'not_atproto')
    kept = ('issuer', 'revocation_endpoint', *_ENDPOINTS)
    return App(server=issuer, metadata={name: found[name] for name in kept if name in found})


def _issuer_of(http: Http, server: str) -> str:
    try:
        found = http.json('GET', f'{server}/.well-known/oauth-protected-resource')
        (issuer,) = found['authorization_servers']
        return normalise(issuer)
    except (ProviderError, KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, Transient) and error.code not in {'bad_answer', '404'}:
            raise
        return server
