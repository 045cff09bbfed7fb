"""Connections that only reach public addresses, and that end when their time is over.

The check sits where the socket is opened, below ``requests`` and ``urllib3``: the name is resolved
once, every address is checked, and the socket connects to a checked address, so that a second DNS
answer (rebinding) changes nothing. TLS still sends and verifies the host name. Tests that replace
``requests.Session.send`` or ``HTTPAdapter.send`` (Odoo's, ``responses``) never come here.

Why not a library (looked at in autumn 2026): *requests-hardened* 1.3 (BSD, alive) needs requests
2.32.3 while Odoo 19 pins 2.25 to 2.31, and tries only the first address; *ssrfguard* 0.4 needs
urllib3 2 (Odoo pins 1.26 for Python below 3.12); *microsoft-antissrf* needs Python 3.11;
*advocate* is dead. ``_new_conn`` is the same in urllib3 1.26 and 2.
"""

from __future__ import annotations

import io
import ipaddress
import logging
import socket
import threading
import time
from http.client import HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import create_connection

from .errors import Rejected

#: IANA special-purpose registries; written out because ``ipaddress.is_global`` differs between
#: patch releases of Python.
_FORBIDDEN_V4 = tuple(
    ipaddress.IPv4Network(net)
    for net in (
        '0.0.0.0/8',
        '10.0.0.0/8',
        '100.64.0.0/10',
        '127.0.0.0/8',
        '169.254.0.0/16',
        '172.16.0.0/12',
        '192.0.0.0/24',
        '192.0.2.0/24',
        '192.88.99.0/24',
        '192.168.0.0/16',
        '198.18.0.0/15',
        '198.51.100.0/24',
        '203.0.113.0/24',
        '224.0.0.0/4',
        '240.0.0.0/4',
    )
)
_ALLOWED_V6 = ipaddress.IPv6Network('2000::/3')
_FORBIDDEN_V6 = tuple(
    ipaddress.IPv6Network(net) for net in ('2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20')
)
_NAT64 = ipaddress.IPv6Network('64:ff9b::/96')
_MAX_ADDRESSES = 4


class _Call(threading.local):
    """What the call under way in this thread may take and has done."""

    deadline: float = float('inf')
    read_timeout: float = 20.0
    connecting: bool = False
    sent: bool = False
    quiet: bool = False

    def left(self) -> float:
        """Return the seconds left; raise TimeoutError when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError('the time for this call is over')
        return left


call = _Call()


def is_public(address: str) -> bool:
    """Tell whether an IP address lies on the public internet.

    Addresses that carry another one (NAT64) count as the one that they carry.
    """
    try:
        ip = ipaddress.ip_address(address.partition('%')[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        return ip in _ALLOWED_V6 and not any(ip in net for net in _FORBIDDEN_V6)
    return not any(ip in net for net in _FORBIDDEN_V4)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host.

    :raise Rejected: with code ``private_address`` when one of them is not public: an honest
        public server has no such record.
    :raise OSError: when the name does not resolve.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label that is empty or too long
        raise OSError('no such host name') from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not all(is_public(address) for address in addresses):
        raise Rejected('The server has an address that is not public', 'private_address')
    return addresses[:_MAX_ADDRESSES]


class _TimedReader(io.RawIOBase):
    """Reads a socket, each read no longer than the call still may take (slow-loris)."""

    def __init__(self, sock: socket.socket):
        super().__init__()
        self._sock = sock
        self._raw: Any = sock.makefile('rb', buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(min(call.read_timeout, call.left()))
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    """An answer whose header and body are read by :class:`_TimedReader`."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any):
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock))


class _Connection:
    """Mixed into urllib3's connections; ``guarded`` connections reach public addresses only."""

    guarded = True
    response_class = _TimedResponse
    host: str
    port: int
    timeout: Any
    sock: Any
    source_address: Any
    socket_options: Any

    def _new_conn(self) -> socket.socket:
        call.connecting = True
        try:
            addresses = resolve(self.host, self.port) if self.guarded else [self.host]
        except OSError:
            raise NewConnectionError(self, 'name resolution failed') from None  # type: ignore[arg-type]
        for number, address in enumerate(addresses, 1):
            try:
                return create_connection(
                    (address, self.port),
                    min(self.timeout, call.left()),
                    source_address=self.source_address,
                    socket_options=self.socket_options,
                )
            except OSError as error:
                if number == len(addresses):
                    if isinstance(error, TimeoutError):
                        raise ConnectTimeoutError(self, 'connect timeout') from None
                    raise NewConnectionError(self, 'connection failed') from None  # type: ignore[arg-type]
        raise NewConnectionError(self, 'no address')  # type: ignore[arg-type]

    def send(self, data: Any) -> None:
        """Send, and note it: from here on a lost answer leaves the outcome unknown."""
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        # The default would be the connect timeout, for the whole body.
        self.sock.settimeout(call.left())
        call.sent = True
        super().send(data)  # type: ignore[misc]


class _Http(_Connection, HTTPConnection):  # type: ignore[misc]
    pass


class _Https(_Connection, HTTPSConnection):  # type: ignore[misc]
    pass


class _OpenHttp(_Http):
    guarded = False


class _OpenHttps(_Https):
    guarded = False


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _OpenHttpPool(HTTPConnectionPool):
    ConnectionCls = _OpenHttp


class _OpenHttpsPool(HTTPSConnectionPool):
    ConnectionCls = _OpenHttps


class Adapter(HTTPAdapter):
    """A transport of ``requests`` over the connections of this module; it never retries."""

    def __init__(self, allow_private: bool = False):
        self._pools: dict[str, Any] = (
            {'http': _OpenHttpPool, 'https': _OpenHttpsPool}
            if allow_private
            else {'http': _HttpPool, 'https': _HttpsPool}
        )
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make a pool manager whose pools open this module's connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools


class _NoQuery(logging.Filter):
    """Takes the query, which may hold a code, out of urllib3's debug lines for our calls."""

    def filter(self, record: logging.LogRecord) -> bool:
        if call.quiet and isinstance(record.args, tuple):
            record.args = tuple(
                arg.partition('?')[0] if isinstance(arg, str) else arg for arg in record.args
            )
        return True


logging.getLogger('urllib3.connectionpool').addFilter(_NoQuery())
