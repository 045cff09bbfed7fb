"""Servers that speak Mastodon's API: what a person types for one, what it says about itself.

Facts about other software than Mastodon are *quirks*, looked up by the software's name from
NodeInfo, so that a later version of this file also helps apps that were registered before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from . import oauth2
from .errors import NotFound, ProviderError, Rejected, Transient
from .http import Http, typed_host
from .mastodon_items import domain_of
from .types import App, Limits

_PLEROMA = frozenset({'bad_token_403'})
_QUIRKS: dict[str, frozenset[str]] = {
    # private_is_direct: 'private' means the people mentioned; app_per_account: the app remembers
    # who logged in last, and is deleted with a token; home_has_own: direct posts are in no other
    # list; search_profiles: webfinger is behind /api/v2/search only; times_in_ids: the first ten
    # digits of an id are a file's time and change with it.
    'snac': frozenset(
        {
            'private_is_direct',
            'no_language',
            'no_counts',
            'app_per_account',
            'home_has_own',
            'search_profiles',
            'times_in_ids',
        }
    ),
    # A key is burnt by a refused post too, so it does more harm than good.
    'pixelfed': frozenset({'bad_token_403', 'coarse_scopes', 'no_key', 'no_direct'}),
    'pleroma': _PLEROMA,
    'akkoma': _PLEROMA,
    'rebased': _PLEROMA,
}
#: Software whose status ids hold the time, and whose search compares whole seconds of it.
_SNOWFLAKE = frozenset({'mastodon', 'hometown', 'glitch', 'fedibird'})
_COARSE = ('read', 'write')
_DEFAULT_LIMITS = {'text': 500, 'url': 23, 'media': 4}


def quirks_of(app: App) -> frozenset[str]:
    """Return what is different about an app's server."""
    software = str(app.metadata.get('software', ''))
    found = _QUIRKS.get(software, frozenset())
    return found | {'snowflake'} if software in _SNOWFLAKE else found


# --- what a person types -------------------------------------------------------------------------


def normalise_server(text: str) -> str:
    """Return ``https://host`` for a host, a URL, or ``@user@host``.

    ``http`` and a port stay where a person typed them out (own networks); whether they may be
    called is up to :class:`~.http.Http`.

    :raise Rejected: with code ``empty``, ``url``, ``scheme``, ``userinfo`` or ``host``.
    """
    typed = text.strip().strip('/')
    if not typed:
        raise Rejected('Nothing was typed', 'empty')
    if '://' not in typed:
        if re.fullmatch(r'@?[\w.-]+@[^@/\\\s]+', typed):
            typed = typed.rpartition('@')[2]
        typed = f'https://{typed}'
    try:
        parts = urlsplit(typed)
        port = parts.port
    except ValueError:
        raise Rejected('Not a server', 'url') from None
    if parts.scheme not in {'https', 'http'}:
        raise Rejected('Not a web address', 'scheme')
    if parts.username is not None or '@' in parts.netloc:
        raise Rejected('The address holds a user name', 'userinfo')
    host = typed_host(parts.hostname or '')
    plain = port in {None, 443 if parts.scheme == 'https' else 80}
    return f'{parts.scheme}://{host}' + ('' if plain else f':{port}')


# --- what a server says --------------------------------------------------------------------------


def discover(http: Http, server: str) -> App:
    """Return an app without client id for a server, with its endpoints, software and limits.

    :raise Rejected: with code ``not_fediverse`` when nothing there speaks the API.
    """
    server, instance = _find_instance(http, server)
    metadata = oauth2.discover(http, server)
    found: dict[str, Any] = {
        'endpoints': _endpoints(server, metadata),
        'domain': _account_domain(instance, server),
        'title': str(instance.get('title') or '')[:200],
        'version': str(instance.get('version') or '')[:100],
        'software': _software(http, server, str(instance.get('version') or '')),
        'limits': read_limits(instance),
    }
    if 'app_per_account' in quirks_of(App(metadata=found)):
        found['app_per_account'] = True
    if isinstance(metadata.get('scopes_supported'), list):
        found['scopes'] = metadata['scopes_supported']
    api = instance.get('api_versions')
    if isinstance(api, dict) and isinstance(api.get('mastodon'), int):
        found['api'] = api['mastodon']
    return App(server=server, metadata=found)


def _find_instance(http: Http, server: str) -> tuple[str, dict[str, Any]]:
    """Return the web host behind an account domain, and what it says about itself."""
    for candidate in (server, _delegate):
        base = candidate(http, server) if callable(candidate) else candidate
        for version in ('v2', 'v1') if base else ():
            try:
                answer = http.request('GET', f'{base}/api/{version}/instance')
            except Rejected as error:
                if not isinstance(error, NotFound) and not error.code.isdigit():
                    raise
                continue
            instance = answer.json()
            if isinstance(instance, dict) and ('version' in instance or 'uri' in instance):
                parts = urlsplit(answer.url)
                return f'{parts.scheme}://{parts.netloc}', instance
    raise Rejected('No Mastodon-compatible server answers there', 'not_fediverse')


def _delegate(http: Http, server: str) -> str:
    """Return the server that a domain without one names for its accounts (host-meta)."""
    try:
        answer = http.request('GET', f'{server}/.well-known/host-meta')
    except (Rejected, Transient):
        return ''
    found = re.search(
        rb'template\s*=\s*["\'](https?://[^/"\'\s]+)/\.well-known/webfinger', answer.content
    )
    base = found[1].decode('ascii', 'replace') if found else ''
    return base if base != server else ''


def _software(http: Http, server: str, version: str) -> str:
    """Return the software's name by NodeInfo, else by the version's text."""
    try:
        index = http.json('GET', f'{server}/.well-known/nodeinfo')
        links = [link['href'] for link in index['links'] if 'nodeinfo' in link['rel']]
        if links and oauth2.same_site(links[-1], server):
            return str(http.json('GET', links[-1])['software']['name']).lower()[:40]
    except (ProviderError, KeyError, TypeError):
        pass
    found = re.search(r'pleroma|akkoma|pixelfed|snac|gotosocial|glitch', version.lower())
    return found[0] if found else 'mastodon'


def _endpoints(server: str, metadata: Mapping[str, Any]) -> dict[str, str]:
    names = {
        'authorize': ('authorization_endpoint', '/oauth/authorize'),
        'token': ('token_endpoint', '/oauth/token'),
        'revoke': ('revocation_endpoint', '/oauth/revoke'),
        'register': ('app_registration_endpoint', '/api/v1/apps'),
    }
    return {
        key: str(metadata.get(name) or f'{server}{path}') for key, (name, path) in names.items()
    }


def _account_domain(instance: Mapping[str, Any], server: str) -> str:
    """Return the domain in the handles of local accounts: ``domain`` (v2) or ``uri`` (v1)."""
    for name in ('domain', 'account_domain', 'uri'):
        text = str(instance.get(name) or '').lower()
        text = domain_of(text) if '://' in text else text
        if re.fullmatch(r'[a-z0-9.-]+(:\d+)?', text):
            return text
    return domain_of(server)


def read_limits(instance: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits in an instance's configuration (v1 or v2), as plain JSON."""
    configuration = _part(instance, 'configuration')
    statuses = _part(configuration, 'statuses')
    media = _part(configuration, 'media_attachments')
    types = media.get('supported_mime_types')
    found = {
        'text': statuses.get('max_characters') or instance.get('max_toot_chars'),
        'url': statuses.get('characters_reserved_per_url'),
        'media': statuses.get('max_media_attachments'),
        'image_size': media.get('image_size_limit'),
        'image_pixels': media.get('image_matrix_limit'),
        'video_size': media.get('video_size_limit'),
    }
    numbers = {k: v for k, v in found.items() if isinstance(v, int) and v > 0}
    if isinstance(types, list):
        return {**_DEFAULT_LIMITS, **numbers, 'types': [t for t in types if isinstance(t, str)]}
    return {**_DEFAULT_LIMITS, **numbers}


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = data.get(name)
    return part if isinstance(part, Mapping) else {}


def limits(app: App, default: Limits) -> Limits:
    """Return the limits that :func:`discover` kept."""
    found = app.metadata.get('limits')
    if not isinstance(found, Mapping):
        return default
    types = found.get('types') or (*default.image_types, *default.video_types)
    return Limits(
        text_length=found['text'],
        media_count=found['media'],
        image_types=tuple(t for t in types if t.startswith('image/')),
        image_size=found.get('image_size', default.image_size),
        image_pixels=found.get('image_pixels', default.image_pixels),
        video_types=tuple(t for t in types if t.startswith(('video/', 'audio/'))),
        video_size=found.get('video_size', default.video_size),
        mix_media=False,
        media_required=app.metadata.get('software') == 'pixelfed',
    )


# --- registration and scopes ---------------------------------------------------------------------


def register(http: Http, app: App, *, name: str, website: str) -> App:
    """Register a client and return the app with its id, secret and registered scopes.

    Servers that refuse unknown scopes (422) get the two that every server knows, so compare what
    was registered by :func:`covers`. Where ``metadata`` says ``app_per_account``, register anew for
    each connection (snac gives the code of whoever signed in last with the app, and deletes it with
    a revoked token).
    """
    coarse = 'coarse_scopes' in quirks_of(app)
    wanted = _COARSE if coarse else _known_scopes(app)
    try:
        answer = _register(http, app, wanted, name, website)
    except Rejected as error:
        if error.code not in {'400', '422', 'invalid_scope'} or wanted == _COARSE:
            raise
        wanted = _COARSE
        answer = _register(http, app, wanted, name, website)
    try:
        client_id, client_secret = str(answer['client_id']), str(answer['client_secret'])
    except KeyError:
        raise Transient('The server did not register the client', 'bad_answer') from None
    return App(client_id, client_secret, app.server, app.redirect_uri, wanted, app.metadata)


def _register(
    http: Http, app: App, scopes: Sequence[str], name: str, website: str
) -> dict[str, Any]:
    endpoints = app.metadata.get('endpoints') or {}
    data = {
        'client_name': name,
        'redirect_uris': app.redirect_uri,
        'scopes': ' '.join(scopes),
        'website': website,
    }
    answer: dict[str, Any] = http.json(
        'POST',
        endpoints.get('register') or f'{app.server}/api/v1/apps',
        data={k: v for k, v in data.items() if v},
        errors=oauth2.oauth_error,
    )
    return answer


def _known_scopes(app: App) -> tuple[str, ...]:
    """Return the app's scopes as far as the server lists them, broader where it must be."""
    supported = app.metadata.get('scopes')
    if not isinstance(supported, list):
        return app.scopes
    return fit_scopes(app.scopes, supported)


def fit_scopes(wanted: Iterable[str], offered: Iterable[str]) -> tuple[str, ...]:
    """Return the wanted scopes among the offered ones, ``read`` where ``read:x`` is not offered."""
    known = set(offered)
    fitted = (scope if scope in known else scope.partition(':')[0] for scope in wanted)
    return tuple(dict.fromkeys(scope for scope in fitted if scope in known))


def covers(granted: Iterable[str], scopes: Iterable[str]) -> bool:
    """Tell whether the granted scopes include others; ``read`` includes ``read:statuses``."""
    known = set(granted)
    return all(scope in known or scope.partition(':')[0] in known for scope in scopes)
