"""TLS over guarded connections: the name is what is verified, the address what was checked."""

import datetime
import socket
import ssl
import threading

import pytest

from social_crm.providers import guard
from social_crm.providers.errors import Transient
from social_crm.providers.http import Http

x509 = pytest.importorskip('cryptography.x509')


def make_certificate(folder, name):
    """Write a self-signed certificate and its key; return the file."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f'{name}.pem'
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """Return a function: serve https with a certificate as the host ``a.example``."""
    listener = socket.create_server(('127.0.0.1', 0))
    seen = []

    def accept(context):
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                seen.append(secure.recv(65536))
                secure.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')
        except OSError:
            connection.close()

    def start(name):
        file = make_certificate(tmp_path, name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        context.sni_callback = lambda _socket, host, _context: seen.append(host)
        threading.Thread(target=accept, args=(context,), daemon=True).start()
        entry = (socket.AF_INET, socket.SOCK_STREAM, 6, '', ('8.8.4.4', 443))
        monkeypatch.setattr(guard.socket, 'getaddrinfo', lambda *a, **k: [entry])

        def connect(address, *_args, **_kwargs):
            seen.append(address)
            return _dial(listener)

        monkeypatch.setattr(guard, 'create_connection', connect)
        return file, seen

    yield start
    listener.close()


def _dial(listener):
    connection = socket.socket()
    connection.settimeout(5)
    connection.connect(listener.getsockname())
    return connection


def test_name_and_address(serve):
    certificate, seen = serve('a.example')
    with Http(user_agent='t') as client:
        client._session.verify = str(certificate)
        assert client.json('GET', 'https://a.example/x', token='t') == {}
    assert seen[:2] == [('8.8.4.4', 443), 'a.example']
    assert b'Host: a.example\r\n' in seen[2]


def test_the_certificate_of_another_name(serve):
    certificate, seen = serve('b.example')
    with Http(user_agent='t') as client:
        client._session.verify = str(certificate)
        with pytest.raises(Transient) as caught:
            client.request('POST', 'https://a.example/x', writes=True)
    assert caught.value.code == 'tls'
    assert not any(isinstance(each, bytes) for each in seen)


def test_a_certificate_that_nobody_vouches_for(serve):
    serve('a.example')
    with Http(user_agent='t') as client, pytest.raises(Transient) as caught:
        client.request('GET', 'https://a.example/x')
    assert caught.value.code == 'tls'
