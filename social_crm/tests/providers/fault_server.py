"""A server on a raw socket, for what no real one does on demand: resets, dripping, floods."""

import socket
import struct
import threading
import time


class FaultServer:
    """Answers each connection with the next of ``faults``; ``requests`` holds what arrived.

    A fault is a function of the connected socket; the request was read up to its end before.
    """

    def __init__(self, *faults):
        self.faults = list(faults)
        self.requests = []
        self._socket = socket.create_server(('127.0.0.1', 0))
        self.port = self._socket.getsockname()[1]
        self.url = f'http://127.0.0.1:{self.port}'
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exc):
        self._socket.close()
        self._thread.join(0.1)

    def _serve(self):
        while self.faults:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            threading.Thread(
                target=self._answer, args=(connection, self.faults.pop(0)), daemon=True
            ).start()

    def _answer(self, connection, fault):
        with connection:
            data = b''
            try:
                while not _is_whole(data):
                    chunk = connection.recv(65536)
                    if not chunk:
                        return
                    data += chunk
                self.requests.append(data)
                fault(connection)
            except OSError:
                return


def _is_whole(data):
    head, end, body = data.partition(b'\r\n\r\n')
    if not end:
        return False
    for line in head.split(b'\r\n'):
        name, _, value = line.partition(b':')
        if name.lower() == b'content-length':
            return len(body) >= int(value)
    return True


def answer(status=200, body=b'{}', headers=(), keep=False):
    """Answer properly; ``keep`` leaves the connection open."""
    lines = [f'HTTP/1.1 {status} X', f'Content-Length: {len(body)}', *headers]
    data = '\r\n'.join(lines).encode() + b'\r\n\r\n' + body

    def fault(connection):
        connection.sendall(data)
        if keep:
            time.sleep(0.3)

    return fault


def reset(connection):
    """Break the connection off hard, after the request arrived."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    connection.close()


def hang(connection):
    """Say nothing."""
    time.sleep(30)


def drip_header(connection):
    """Send a header of one byte each 0.1 s: no read ever times out."""
    connection.sendall(b'HTTP/1.1 200 OK\r\n')
    for _ in range(600):
        connection.sendall(b'X')
        time.sleep(0.1)


def drip_body(connection):
    """Send a body of one byte each 0.1 s."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n')
    for _ in range(600):
        connection.sendall(b' ')
        time.sleep(0.1)


def flood(connection):
    """Send a body without end."""
    connection.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
    while True:
        connection.sendall(b'x' * 65536)


def cut(connection):
    """Close in the midst of the body."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n{"half": ')
