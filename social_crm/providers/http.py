"""The client that all adapters talk through.

Made for servers that a person typed in: see :mod:`.guard` for where connections may go. It follows
no redirect by itself, keeps no cookies, reads no environment (proxies, ``.netrc``), stops reading
at a size and at a time, and turns every failure into an error of :mod:`.errors`. No error and no
log line holds a query, a header, a body that was sent, or the text of a ``requests`` exception.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import time
from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import parse_qsl, urljoin

import idna
import requests
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from .answers import (
    SECRET_NAMES,
    Answer,
    RateLimit,
    http_error,
    masked,
    rate_limit,
    secret_values,
)
from .errors import OutcomeUnknown, ProviderError, Rejected, Transient
from .guard import Adapter, call

__all__ = ['Answer', 'Errors', 'Http', 'RateLimit', 'check_url', 'http_error']

_logger = logging.getLogger(__name__)

_MAX_HOPS = 3
_CHUNK = 16384
_ENCODINGS = {'', 'identity', 'gzip', 'deflate'}
#: Nothing was sent when these come up, and never will be.
_UNWRITABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidHeader,
    UnicodeError,
)

Errors = Callable[[Answer, bool], 'ProviderError | None']


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Look at no redirect: only to prepare it, ``requests`` would read the whole body."""


class Http:
    """A guarded client. Use one per thread: its session and its state are not shared.

    :param allow_private: also talk plain http and to private hosts (tests, own networks).
    :param user_agent: what the client calls itself.
    :param timeout: seconds to connect and to wait for the next byte.
    :param max_bytes: size at which reading a (decoded) body stops with Transient.
    :param deadline: seconds for a call with all its redirects, name resolution apart.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        allow_private: bool = False,
        timeout: tuple[float, float] = (5, 20),
        max_bytes: int = 8 << 20,
        deadline: float = 60,
    ):
        self.allow_private = allow_private
        self.timeout = timeout
        self.max_bytes = max_bytes
        self.deadline = deadline
        #: What the last answer that told anything said.
        self.last_rate_limit: RateLimit | None = None
        #: How often a server was called, redirects and second tries included.
        self.calls = 0
        self._session = _Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({'User-Agent': user_agent, 'Accept-Encoding': 'gzip, deflate'})
        adapter = Adapter(allow_private)
        self._session.mount('https://', adapter)
        self._session.mount('http://', adapter)

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        token: str = '',
        writes: bool = False,
        headers: Mapping[str, str] | None = None,
        errors: Errors | None = None,
        deadline: float | None = None,
        **kwargs: Any,
    ) -> Answer:
        """Call, and return an answer with a status below 300.

        :param token: a bearer token; it goes to the URL's host only.
        :param writes: the call changes something there, so that a lost answer is OutcomeUnknown.
        :param errors: turns an answer into an error, ``None`` accepts it; see :func:`http_error`.
        :param kwargs: ``params``, ``data``, ``json``, ``files``, ``auth`` of ``requests``.
        :raise ProviderError: as :func:`http_error` says; Rejected when the URL is not allowed.
        """
        sent = {k: v for k, v in (headers or {}).items() if v}
        if token:
            sent['Authorization'] = f'Bearer {token}'
        query = dict(parse_qsl(url.partition('?')[2]))
        secrets = {token, *secret_values([kwargs, sent, query])} - {''}
        call.deadline = time.monotonic() + (deadline or self.deadline)
        call.read_timeout = self.timeout[1]
        call.quiet = True
        try:
            answer = self._follow(method, url, sent, writes, kwargs)
        finally:
            call.quiet = False
            call.deadline = float('inf')
        self._note(answer)
        error = (errors or http_error)(answer, writes)
        if error:
            error.reason = masked(error.reason, secrets)
            error.args = (masked(str(error), secrets),)
            raise error
        return answer

    def json(
        self, method: str, url: str, expect: type | tuple[type, ...] = dict, **kwargs: Any
    ) -> Any:
        """Call :meth:`request` and return its JSON body, which is one of the types ``expect``.

        :raise Transient: when it is none (a proxy's page, a challenge); OutcomeUnknown for writes.
        """
        answer = self.request(method, url, **kwargs)
        body = answer.json()
        if not isinstance(body, expect):
            error = OutcomeUnknown if kwargs.get('writes') else Transient
            raise error('The server did not answer in the expected form', 'bad_answer')
        return body

    # --- one call --------------------------------------------------------------------------------

    def _follow(
        self, method: str, url: str, headers: dict[str, str], writes: bool, kwargs: dict[str, Any]
    ) -> Answer:
        for _hop in range(_MAX_HOPS + 1):
            origin = check_url(url, self.allow_private)
            answer = self._send(method, url, headers, writes, kwargs)
            target = answer.headers.get('Location', '')
            if method != 'GET' or not target or answer.status not in {301, 302, 303, 307, 308}:
                return answer
            try:
                url = urljoin(url, target)
            except ValueError:
                raise Rejected('Not a URL', 'url') from None
            if check_url(url, self.allow_private) != origin:
                headers = {k: v for k, v in headers.items() if not SECRET_NAMES.search(k)}
                kwargs = {k: v for k, v in kwargs.items() if k != 'auth'}
            # The new URL is complete.
            kwargs = {k: v for k, v in kwargs.items() if k != 'params'}
        raise Rejected('The server redirects too often', 'redirects')

    def _send(
        self, method: str, url: str, headers: dict[str, str], writes: bool, kwargs: dict[str, Any]
    ) -> Answer:
        started = time.monotonic()
        if method != 'GET':
            # A kept connection may be closed already, and then nobody knows what arrived.
            self._session.close()
        answer, failure = self._try(method, url, headers, writes, kwargs)
        on_kept = call.sent and not call.connecting
        if answer is None and method == 'GET' and on_kept and failure.code == 'connection':
            answer, failure = self._try(method, url, headers, writes, kwargs)
        host = parse_url(url).host
        took = time.monotonic() - started
        if answer is None:
            _logger.debug('%s %s: %s after %.2f s', method, host, failure.code, took)
            raise failure
        _logger.debug('%s %s: %s after %.2f s', method, host, answer.status, took)
        return answer

    def _try(
        self, method: str, url: str, headers: dict[str, str], writes: bool, kwargs: dict[str, Any]
    ) -> tuple[Answer | None, ProviderError]:
        """Return the answer or the error: not raised in here, where it would carry the cause."""
        call.connecting = call.sent = False
        self.calls += 1
        try:
            response = self._session.request(
                method,
                url,
                headers=headers,
                timeout=self.timeout,
                allow_redirects=False,
                stream=True,
                **kwargs,
            )
            with response:
                return self._read(response, url), ProviderError()
        except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
            return None, _failure(error, writes)
        except _BadBody as error:
            kind = OutcomeUnknown if writes else Transient
            return None, kind(str(error), 'bad_answer')

    def _read(self, response: requests.Response, url: str) -> Answer:
        if response.headers.get('Content-Encoding', '').strip().lower() not in _ENCODINGS:
            raise _BadBody('The server sent an unknown encoding')
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > self.max_bytes:
                raise _BadBody('The answer is too big')
            call.left()
        length = response.headers.get('Content-Length', '')
        if length.isdigit() and response.raw.tell() < int(length):  # urllib3 1.26 does not mind
            raise _BadBody('The answer is cut off')
        return Answer(response.status_code, response.headers, bytes(body), url)

    def _note(self, answer: Answer) -> None:
        limit = rate_limit(answer.headers)
        if limit:
            self.last_rate_limit = limit


class _BadBody(Exception):
    pass


def _failure(error: Exception, writes: bool) -> ProviderError:
    """Return the error for a call that got no whole answer."""
    if isinstance(error, requests.exceptions.SSLError):
        words, code = 'No safe connection to the server', 'tls'
    elif isinstance(error, (requests.Timeout, TimeoutError)):
        words, code = 'The server did not answer in time', 'timeout'
    elif isinstance(error, _UNWRITABLE):
        return Rejected('The call cannot be written', 'url')
    else:
        words, code = 'No connection to the server', 'connection'
    # Where a test replaced the transport, only the exception tells.
    unsent = (
        not call.sent
        if call.connecting or call.sent
        else isinstance(error, requests.ConnectTimeout)
    )
    return (OutcomeUnknown if writes and not unsent else Transient)(words, code)


# --- what may be called ---------------------------------------------------------------------------


def check_url(url: str, allow_private: bool = False) -> str:
    """Return the origin (``scheme://host:port``) of a URL that may be called.

    :raise Rejected: when it may not; ``code`` is ``url``, ``scheme``, ``userinfo``, ``port`` or
        ``host``. Where the host leads to is checked when it is connected to.
    """
    try:
        parts = parse_url(url)
    except HTTPError:
        raise Rejected('Not a URL', 'url') from None
    host = (parts.host or '').rstrip('.')
    secure = parts.scheme == 'https'
    if not secure and not (allow_private and parts.scheme == 'http'):
        raise Rejected('Only https is allowed', 'scheme')
    if parts.auth is not None or re.match(r'[^:/?#]+:[/\\]*[^/\\?#]*@', url):
        raise Rejected('The URL holds a user name', 'userinfo')
    if not allow_private and parts.port not in {None, 443}:
        raise Rejected('Only the standard port is allowed', 'port')
    if not host or (not allow_private and not is_public_name(host)):
        raise Rejected('Not a public host name', 'host')
    return f'{parts.scheme}://{host}:{parts.port or (443 if secure else 80)}'


def is_public_name(host: str) -> bool:
    """Tell whether a host could be a public name: labels with a dot, and no address in any form."""
    labels = host.split('.')
    if len(labels) < 2 or not all(labels) or len(host) > 253:
        return False
    # What ends in a number is an IPv4 address to most resolvers (``127.1``, ``0x7f.1``).
    if re.fullmatch(r'\d+|0x[0-9a-f]*', labels[-1], re.I) or host.startswith('['):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return labels[-1].lower() not in {'localhost', 'local', 'internal', 'home', 'lan', 'onion'}
    return False


def typed_host(name: str) -> str:
    """Return the host that a person typed, in ASCII and lower case.

    :raise Rejected: when it is neither a public name nor this machine
    """
    try:
        found = idna.encode(name.rstrip('.'), uts46=True).decode().lower()
    except idna.IDNAError:
        found = ''
    if found == 'localhost' or re.fullmatch(r'127(\.\d+){3}', found) or is_public_name(found):
        return found
    raise Rejected('Not a host name', 'host')
