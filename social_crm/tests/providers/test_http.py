"""The guarded client: where it goes, what it follows, what it makes of answers and failures."""

import gzip
import io
import logging
import socket
import time
import traceback
from datetime import datetime, timedelta, timezone

import pytest
import requests
import responses

from social_crm.providers import guard
from social_crm.providers.answers import network_words, parse_moment, rate_limit
from social_crm.providers.errors import (
    AuthorizationLost,
    NotFound,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    RateLimited,
    Rejected,
    Transient,
)
from social_crm.providers.http import Http, check_url
from social_crm.tests.providers.fault_server import (
    FaultServer,
    answer,
    cut,
    drip_body,
    drip_header,
    flood,
    hang,
    reset,
)

A = 'https://a.example/x'


def shown(error):
    """Return everything that a log or a page could show of an error."""
    return ''.join(
        (
            *traceback.format_exception(error),
            repr(error),
            str(vars(error)),
            repr(error.__context__),
            repr(error.__cause__),
        )
    )


# --- where it may go -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('url', 'code'),
    [
        ('http://a.example/', 'scheme'),
        ('ftp://a.example/', 'scheme'),
        ('file:///etc/passwd', 'scheme'),
        ('gopher://a.example/', 'scheme'),
        ('//a.example/', 'scheme'),
        ('a.example', 'scheme'),
        ('', 'scheme'),
        ('https://user:pw@a.example/', 'userinfo'),
        ('https://user@a.example/', 'userinfo'),
        ('https://@a.example/', 'userinfo'),
        ('https://a.example:8443/', 'port'),
        ('https://a.example:22/', 'port'),
        ('https://127.0.0.1/', 'host'),
        ('https://8.8.8.8/', 'host'),
        ('https://[::1]/', 'host'),
        ('https://[2606:4700::1111]/', 'host'),
        ('https://2130706433/', 'host'),
        ('https://134744072/', 'host'),
        ('https://0x7f.1/', 'host'),
        ('https://0x7f000001/', 'host'),
        ('https://017700000001/', 'host'),
        ('https://127.1/', 'host'),
        ('https://127.0.0.1./', 'host'),
        ('https://localhost/', 'host'),
        ('https://localhost./', 'host'),
        ('https://intranet/', 'host'),
        ('https://printer.local/', 'host'),
        ('https://db.internal/', 'host'),
        ('https://a.localhost/', 'host'),
        ('https:///path', 'host'),
        ('https://[broken/', 'url'),
        ('https://a.example:99999/', 'url'),
        ('https://a..example/', 'host'),
        ('https://.example/', 'host'),
    ],
)
def test_urls_that_are_refused_before_anything_is_resolved(http, stubs, url, code):
    with pytest.raises(Rejected) as caught:
        http.request('GET', url)
    assert caught.value.code == code


@pytest.mark.parametrize(
    'url',
    [
        'https://a.example/',
        'https://A.Example:443/x?y#z',
        'https://xn--bcher-kva.example/',
        'https://bücher.example/',
        'https://a.b.c.d.example./',
    ],
)
def test_urls_that_are_allowed(url):
    assert check_url(url).startswith('https://')


@pytest.mark.parametrize(
    'address',
    [
        '0.0.0.0',
        '0.1.2.3',
        '10.0.0.1',
        '10.255.255.255',
        '100.64.0.1',
        '100.127.255.255',
        '127.0.0.1',
        '127.255.255.254',
        '169.254.169.254',
        '172.16.0.1',
        '172.31.255.255',
        '192.0.0.1',
        '192.0.2.1',
        '192.88.99.1',
        '192.168.1.1',
        '198.18.0.1',
        '198.19.255.255',
        '198.51.100.1',
        '203.0.113.1',
        '224.0.0.1',
        '239.255.255.255',
        '240.0.0.1',
        '255.255.255.255',
        '::',
        '::1',
        '::ffff:127.0.0.1',
        '::ffff:8.8.8.8',
        '::127.0.0.1',
        '64:ff9b::7f00:1',
        '64:ff9b::a9fe:a9fe',
        '64:ff9b:1::1',
        '100::1',
        '2001::1',
        '2001:db8::1',
        '2001:10::1',
        '2002:7f00:1::1',
        '2002:808:808::1',
        '3fff::1',
        '5f00::1',
        'fc00::1',
        'fd00:ec2::254',
        'fe80::1',
        'fe80::1%eth0',
        'fec0::1',
        'ff02::1',
        'nonsense',
        '',
    ],
)
def test_addresses_that_are_not_public(address):
    assert not guard.is_public(address)


@pytest.mark.parametrize(
    'address',
    [
        '8.8.8.8',
        '1.1.1.1',
        '100.63.255.255',
        '100.128.0.1',
        '172.15.0.1',
        '172.32.0.1',
        '192.167.255.255',
        '198.17.255.255',
        '223.255.255.255',
        '2606:4700::1111',
        '2a00:1450::1',
        '64:ff9b::808:808',
    ],
)
def test_addresses_that_are_public(address):
    assert guard.is_public(address)


def _dns(monkeypatch, *answers):
    """Let names resolve to the given lists of addresses, one list after the other."""
    left = list(answers)

    def getaddrinfo(host, port, *_args, **_kwargs):
        addresses = left.pop(0) if len(left) > 1 else left[0]
        if addresses is None:
            raise socket.gaierror(-2, 'Name or service not known')
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, '', (each, port)) for each in addresses]

    monkeypatch.setattr(guard.socket, 'getaddrinfo', getaddrinfo)
    return left


@pytest.mark.parametrize(
    'addresses', [['127.0.0.1'], ['10.1.2.3'], ['8.8.8.8', '127.0.0.1'], ['169.254.169.254']]
)
def test_a_name_with_a_private_address_is_refused(http, monkeypatch, addresses):
    _dns(monkeypatch, addresses)
    connected = []
    monkeypatch.setattr(guard, 'create_connection', lambda *a, **k: connected.append(a))
    with pytest.raises(Rejected) as caught:
        http.request('GET', A)
    assert caught.value.code == 'private_address'
    assert connected == []


def test_it_connects_to_the_checked_address_only(http, monkeypatch):
    """A second answer of the name server (rebinding) is never asked for."""
    left = _dns(monkeypatch, ['8.8.4.4'], ['127.0.0.1'])
    connected = []

    def create_connection(address, *_args, **_kwargs):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(guard, 'create_connection', create_connection)
    with pytest.raises(Transient):
        http.request('GET', A)
    assert connected == [('8.8.4.4', 443)]
    assert left == [['127.0.0.1']]


def test_it_tries_the_next_address(http, monkeypatch):
    _dns(monkeypatch, ['8.8.4.4', '8.8.8.8'])
    connected = []

    def create_connection(address, *_args, **_kwargs):
        connected.append(address[0])
        raise TimeoutError

    monkeypatch.setattr(guard, 'create_connection', create_connection)
    with pytest.raises(Transient) as caught:
        http.request('GET', A)
    assert connected == ['8.8.4.4', '8.8.8.8']
    assert caught.value.code == 'timeout'


def test_the_host_name_stays_the_one_that_tls_checks(http, monkeypatch):
    _dns(monkeypatch, ['8.8.4.4'])
    names = []
    ours, theirs = socket.socketpair()
    monkeypatch.setattr(guard, 'create_connection', lambda *a, **k: ours)

    def wrap(*_args, server_hostname=None, **_kwargs):
        names.append(server_hostname)
        raise OSError

    monkeypatch.setattr('ssl.SSLContext.wrap_socket', wrap)
    with theirs, ours, pytest.raises(Transient):
        http.request('GET', A)
    assert names == ['a.example']


def test_a_name_that_does_not_resolve_is_passing_trouble(http, monkeypatch):
    _dns(monkeypatch, None)
    for writes in (False, True):
        with pytest.raises(Transient):
            http.request('POST', A, writes=writes)


def test_this_machine_is_reached_only_when_allowed(http, open_http):
    with FaultServer(answer(body=b'{"a": 1}')) as server:
        with pytest.raises(Rejected):
            http.request('GET', server.url)
        assert open_http.json('GET', server.url) == {'a': 1}


def test_the_environment_is_not_read(open_http, monkeypatch, tmp_path):
    monkeypatch.setenv('HTTP_PROXY', 'http://127.0.0.1:9')
    monkeypatch.setenv('http_proxy', 'http://127.0.0.1:9')
    (tmp_path / '.netrc').write_text('machine 127.0.0.1 login evil password evil')
    monkeypatch.setenv('NETRC', str(tmp_path / '.netrc'))
    with FaultServer(answer(), answer()) as server:
        open_http.request('GET', server.url, token='mine')
        open_http.request('GET', server.url)
        assert b'Authorization: Bearer mine' in server.requests[0]
        assert b'uthorization' not in server.requests[1]


def test_cookies_are_not_kept(open_http):
    cookie = answer(headers=['Set-Cookie: session=1; Path=/'])
    with FaultServer(cookie, answer()) as server:
        open_http.request('GET', server.url)
        open_http.request('GET', server.url)
        assert b'ookie' not in server.requests[1]


# --- redirects -----------------------------------------------------------------------------------


def _redirect(stubs, url, target, status=302, method='GET'):
    stubs.add(method, url, status=status, headers={'Location': target})


def test_a_redirect_on_the_same_host_keeps_the_token(http, stubs):
    _redirect(stubs, A, '/y')
    stubs.get('https://a.example/y', json={'ok': 1})
    result = http.request('GET', A, token='secret-t', params={'q': '1'})
    assert result.url == 'https://a.example/y'
    assert stubs.calls[1].request.headers['Authorization'] == 'Bearer secret-t'
    assert stubs.calls[1].request.url == 'https://a.example/y'


@pytest.mark.parametrize(
    'target', ['https://b.example/', 'https://evil.a.example/', '//b.example/']
)
def test_a_redirect_to_another_host_loses_the_token(http, stubs, target):
    _redirect(stubs, A, target)
    stubs.get('https:' + target.removeprefix('https:'), json={})
    http.request('GET', A, token='secret-t', auth=('u', 'p'), headers={'Cookie': 'x=1'})
    sent = stubs.calls[1].request.headers
    assert 'Authorization' not in sent
    assert 'Cookie' not in sent


@pytest.mark.parametrize(
    'target',
    [
        'http://a.example/',
        'https://127.0.0.1/',
        'https://localhost/',
        'https://a.example:22/',
        'https://u@a.example/',
        'file:///etc/passwd',
        'https://[::1]/',
        '//[broken/',
    ],
)
def test_a_redirect_is_checked_like_any_url(http, stubs, target):
    _redirect(stubs, A, target)
    with pytest.raises(Rejected):
        http.request('GET', A)
    assert len(stubs.calls) == 1


def test_redirects_end(http, stubs):
    _redirect(stubs, A, A)
    with pytest.raises(Rejected) as caught:
        http.request('GET', A)
    assert caught.value.code == 'redirects'
    assert len(stubs.calls) == 4


@pytest.mark.parametrize(
    ('status', 'error'),
    [
        *((status, OutcomeUnknown) for status in (301, 302, 303)),  # it may be done before
        *((status, Rejected) for status in (307, 308)),
    ],
)
def test_a_posting_call_is_never_redirected(http, stubs, status, error):
    _redirect(stubs, A, 'https://b.example/', status, 'POST')
    with pytest.raises(error) as caught:
        http.request('POST', A, data={'client_secret': 'x'}, writes=True)
    assert caught.value.code == str(status)
    assert len(stubs.calls) == 1


# --- sizes and times -----------------------------------------------------------------------------


def test_a_body_without_end_is_given_up(open_http):
    open_http.max_bytes = 200_000
    with FaultServer(flood) as server, pytest.raises(Transient) as caught:
        open_http.request('GET', server.url)
    assert caught.value.code == 'bad_answer'


def test_a_redirect_with_a_body_without_end_is_given_up(open_http):
    def flooding_redirect(connection):
        connection.sendall(b'HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n')
        while True:
            connection.sendall(b'x' * 65536)

    open_http.max_bytes = 200_000
    started = time.monotonic()
    with FaultServer(flooding_redirect) as server, pytest.raises(Transient):
        open_http.request('GET', server.url)
    assert time.monotonic() - started < 2


def test_a_bomb_is_given_up(open_http):
    bomb = gzip.compress(b'\0' * 50_000_000)
    fault = answer(body=bomb, headers=['Content-Encoding: gzip'])
    with FaultServer(fault) as server, pytest.raises(Transient):
        open_http.request('GET', server.url)


@pytest.mark.parametrize('encoding', ['br', 'zstd', 'gzip, gzip', 'gzip,gzip,gzip'])
def test_other_encodings_are_refused(http, stubs, encoding):
    stubs.get(A, body=b'x', headers={'Content-Encoding': encoding})
    with pytest.raises(Transient):
        http.request('GET', A)


@pytest.mark.parametrize('fault', [drip_header, drip_body])
def test_a_dripping_server_is_given_up(fault):
    with Http(user_agent='t', allow_private=True, timeout=(1, 1), deadline=1) as client:
        started = time.monotonic()
        with FaultServer(fault) as server, pytest.raises(Transient) as caught:
            client.request('GET', server.url)
        assert time.monotonic() - started < 3
        assert caught.value.code in {'timeout', 'connection'}


def test_silence_times_out():
    client = Http(user_agent='t', allow_private=True, timeout=(1, 0.3))
    with client, FaultServer(hang) as server, pytest.raises(Transient) as caught:
        client.request('GET', server.url)
    assert caught.value.code == 'timeout'


# --- what was sent -------------------------------------------------------------------------------


@pytest.mark.parametrize('fault', [reset, cut, drip_header, flood])
def test_a_writing_call_that_arrived_has_an_unknown_outcome(fault):
    options = {'timeout': (1, 1), 'deadline': 1, 'max_bytes': 100_000}
    with Http(user_agent='t', allow_private=True, **options) as client:
        with FaultServer(fault) as server, pytest.raises(OutcomeUnknown):
            client.request('POST', server.url, data={'a': 1}, writes=True)
        assert len(server.requests) == 1


def test_a_writing_call_that_never_connected_was_not_sent(open_http):
    with socket.create_server(('127.0.0.1', 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Transient):
        open_http.request('POST', f'http://127.0.0.1:{port}/', writes=True)


def test_a_writing_call_that_failed_in_the_handshake_was_not_sent(open_http):
    with FaultServer(reset) as server, pytest.raises(Transient) as caught:
        open_http.request('POST', server.url.replace('http', 'https'), writes=True)
    assert server.requests == []
    assert not isinstance(caught.value, OutcomeUnknown)


def test_a_writing_call_never_uses_a_kept_connection(open_http):
    """The server may have closed it, and then nobody knows what arrived."""
    with FaultServer(answer(keep=True), answer()) as server:
        open_http.request('GET', server.url)
        open_http.request('POST', server.url, data={'a': 1}, writes=True)
        assert len(server.requests) == 2


def test_a_reading_call_on_a_closed_kept_connection_is_repeated(open_http):
    def close_at_once(connection):
        answer()(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')

    with FaultServer(close_at_once, close_at_once, answer()) as server:
        for _ in range(3):
            open_http.request('GET', server.url)


def test_a_timeout_on_a_kept_connection_is_not_repeated():
    client = Http(user_agent='t', allow_private=True, timeout=(1, 0.3))

    def keep_then_hang(connection):
        answer()(connection)
        server.requests.append(connection.recv(65536))
        hang(connection)

    with client, FaultServer(keep_then_hang, answer()) as server:
        client.request('GET', server.url)
        with pytest.raises(Transient) as caught:
            client.request('GET', server.url)
        assert caught.value.code == 'timeout'
        assert len(server.requests) == 2


def test_parallel_use_one_client_per_thread():
    from concurrent.futures import ThreadPoolExecutor

    def fetch(number):
        with Http(user_agent='t', allow_private=True) as client:
            return client.json('GET', f'{server.url}/{number}', token=f'token-{number}')

    with FaultServer(*[answer(body=b'{"a": 1}')] * 20) as server, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(fetch, range(20))) == [{'a': 1}] * 20
    assert len(server.requests) == 20


# --- what an answer means ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('status', 'reading', 'writing'),
    [
        (400, Rejected, Rejected),
        (401, AuthorizationLost, AuthorizationLost),
        (403, PermissionMissing, PermissionMissing),
        (404, NotFound, NotFound),
        (408, Transient, Transient),
        (410, NotFound, NotFound),
        (422, Rejected, Rejected),
        (425, Transient, Transient),
        (429, RateLimited, RateLimited),
        (500, Transient, OutcomeUnknown),
        (502, Transient, OutcomeUnknown),
        (503, Transient, OutcomeUnknown),
        (504, Transient, OutcomeUnknown),
        (520, Transient, OutcomeUnknown),
        (524, Transient, OutcomeUnknown),
    ],
)
def test_a_status_is_an_error_by_intent(http, stubs, status, reading, writing):
    stubs.add(responses.POST, A, status=status, body='no json')
    for writes, kind in ((False, reading), (True, writing)):
        with pytest.raises(kind) as caught:
            http.request('POST', A, writes=writes)
        assert type(caught.value) is kind
        assert caught.value.code == str(status)


@pytest.mark.parametrize(
    ('exception', 'writing'),
    [
        (requests.ConnectTimeout('x'), Transient),
        (requests.exceptions.InvalidURL('x'), Rejected),
        (requests.ReadTimeout('x'), OutcomeUnknown),
        (requests.ConnectionError('x'), OutcomeUnknown),
        (requests.exceptions.ChunkedEncodingError('x'), OutcomeUnknown),
        (requests.exceptions.ContentDecodingError('x'), OutcomeUnknown),
        (ConnectionResetError('x'), OutcomeUnknown),
    ],
)
def test_a_stubbed_exception_is_read_by_its_kind(http, stubs, exception, writing):
    stubs.add(responses.POST, A, body=exception)
    with pytest.raises(writing) as caught:
        http.request('POST', A, writes=True)
    assert type(caught.value) is writing


@pytest.mark.parametrize('body', [b'', b'<html>', b'[]', b'"x"', b'\xff\xfe', b'[' * 99999])
def test_a_body_of_another_form(http, stubs, body):
    stubs.add(responses.POST, A, body=body)
    with pytest.raises(Transient):
        http.json('POST', A)
    with pytest.raises(OutcomeUnknown):
        http.json('POST', A, writes=True)


@pytest.mark.parametrize(
    ('body', 'words'),
    [
        ({'error': 'plain'}, 'plain'),
        ({'error': 'invalid_grant', 'error_description': 'gone'}, 'gone'),
        ({'error': {'message': 'Meta says', 'code': 190}}, 'Meta says'),
        ({'errors': [{'message': 'X says'}]}, 'X says'),
        ({'title': 'Forbidden', 'detail': 'more'}, 'more'),
        ({'message': 'LinkedIn says'}, 'LinkedIn says'),
        ({'error': 'two\nlines\x00 \x1b[31m'}, 'two lines [31m'),
        ({'error': 'x' * 5000}, 'x' * 300),
        ({'error': None}, ''),
        ({'error': 5}, ''),
        ([], ''),
        (None, ''),
        ('x', ''),
    ],
)
def test_the_words_of_a_network(body, words):
    assert network_words(body) == words


def test_the_rate_limit_is_kept(http, stubs):
    assert http.last_rate_limit is None
    headers = {
        'X-RateLimit-Limit': '300',
        'X-RateLimit-Remaining': '12',
        'X-RateLimit-Reset': '2026-09-01T08:15:00.123456Z',
    }
    stubs.get(A, json={}, headers=headers)
    stubs.get('https://a.example/none', json={})
    http.request('GET', A)
    http.request('GET', 'https://a.example/none')
    limit = http.last_rate_limit
    assert (limit.limit, limit.remaining) == (300, 12)
    assert limit.reset == datetime(2026, 9, 1, 8, 15, 0, 123456, timezone.utc)


def test_the_rate_limit_of_x_has_another_name():
    limit = rate_limit({'X-Rate-Limit-Remaining': '0', 'X-Rate-Limit-Reset': '1788250500'})
    assert limit.remaining == 0
    assert limit.reset == datetime(2026, 9, 1, 8, 15, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('2026-09-01T08:15:00Z', True),
        ('2026-09-01T10:15:00+02:00', True),
        ('2026-09-01T08:15:00.0000000Z', True),
        ('2026-09-01 08:15:00', True),
        ('1788250500', True),
        ('1788250500000', True),
        ('Tue, 01 Sep 2026 08:15:00 GMT', True),
        ('', False),
        ('soon', False),
        ('-5', False),
        ('2026-13-01', False),
        ('1e400', False),
        ('9' * 200, False),
    ],
)
def test_moments(text, expected):
    wanted = datetime(2026, 9, 1, 8, 15, tzinfo=timezone.utc) if expected else None
    assert parse_moment(text) == wanted


def test_seconds_from_now():
    assert (
        timedelta(seconds=28)
        < parse_moment('30') - datetime.now(timezone.utc)
        < timedelta(seconds=31)
    )


# --- secrets -------------------------------------------------------------------------------------

SECRETS = ('tok-SECRET1', 'code-SECRET2', 'cs-SECRET3', 'ver-SECRET4', 'b-SECRET5')


@pytest.mark.parametrize(
    'fault',
    [
        reset,
        hang,
        cut,
        drip_header,
        answer(200, b'<html>'),
        answer(401, b'{"error": "tok-SECRET1 code-SECRET2 cs-SECRET3 ver-SECRET4 b-SECRET5"}'),
        answer(500, b'tok-SECRET1'),
        answer(302, headers=['Location: http://u:tok-SECRET1@x/']),
    ],
)
@pytest.mark.parametrize('method', ['GET', 'POST'])
def test_no_secret_is_shown(fault, method, caplog):
    caplog.set_level(logging.DEBUG)
    client = Http(user_agent='t', allow_private=True, timeout=(1, 0.4), deadline=1)
    call = {
        'token': 'tok-SECRET1',
        'params': {'client_secret': 'cs-SECRET3'},
        'data': {'code_verifier': 'ver-SECRET4', 'nested': [('refresh_token', 'b-SECRET5')]},
    }
    query = 'code=code-SECRET2&x=1'
    with client, FaultServer(fault, fault) as server, pytest.raises(ProviderError) as caught:
        client.json(method, f'{server.url}/cb?{query}', **call)
    for secret in SECRETS:
        assert secret not in shown(caught.value)
        assert secret not in caplog.text
        assert secret not in repr(client.__dict__)


def test_no_secret_is_shown_when_there_is_no_connection(http, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    _dns(monkeypatch, None)
    url, token = f'{A}?code=code-{"SECRET2"}', f'tok-{"SECRET1"}'
    with pytest.raises(Transient) as caught:
        http.request('GET', url, token=token)
    assert all(secret not in shown(caught.value) for secret in SECRETS)
    assert 'SECRET' not in caplog.text


def test_the_log_of_others_is_left_alone(caplog):
    caplog.set_level(logging.DEBUG)
    with FaultServer(answer()) as server:
        requests.get(f'{server.url}/x?page=7', timeout=2)
    assert 'page=7' in caplog.text


@pytest.mark.parametrize('token', ['two\nlines', 'кириллица'])
def test_a_token_that_no_header_takes(open_http, token):
    with FaultServer(answer()) as server, pytest.raises(ProviderError) as caught:
        open_http.request('POST', server.url, token=token, writes=True)
    assert token not in shown(caught.value)
    assert not isinstance(caught.value, OutcomeUnknown)


# --- with Odoo's and other people's test tools ---------------------------------------------------


def test_calls_pass_through_session_send(http, monkeypatch):
    """Odoo's tests replace ``requests.Session.send``."""
    seen = []

    def send(_session, request, **_kwargs):
        seen.append(request.url)
        response = requests.Response()
        response.status_code, response.raw = 200, io.BytesIO(b'{"a": 1}')
        return response

    monkeypatch.setattr(requests.Session, 'send', send)
    assert http.json('GET', A) == {'a': 1}
    assert seen == [A]
