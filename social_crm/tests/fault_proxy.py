"""A proxy in front of a server that makes one call in a hundred ways go wrong, when told to."""

import http.client
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

POSTS = '/api/v1/statuses'
_HOP = {'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host'}


class FaultProxy:
    """Passes calls on to ``target``; ``faults`` are used up by posts, one each, in order.

    A fault is a function ``(pass_on, answer) -> None``: ``pass_on()`` gives the real answer,
    ``answer(status, body)`` sends one; neither needs to be called.
    """

    def __init__(self, target):
        self.target = urlsplit(target).netloc
        self.faults = deque()
        self.posts = 0
        self.calls = []  # method and path of each, in order
        self.answers = []  # of the real server to posts: status, body and content type of each
        self.lock = threading.Lock()
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.url = f'http://127.0.0.1:{self.server.server_port}'

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exc):
        self.server.shutdown()
        self.server.server_close()

    def next_fault(self):
        with self.lock:
            self.posts += 1
            return self.faults.popleft() if self.faults else None


class _Handler(BaseHTTPRequestHandler):
    owner = None

    def do_GET(self):
        self.send(*self.pass_on(b''))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        fault = self.owner.next_fault() if self.path == POSTS else None
        if fault:
            fault(lambda: self.pass_on(body), self.send)
            self.close_connection = True
        else:
            self.send(*self.pass_on(body))

    def pass_on(self, body):
        """Ask the real server; return its status, body and content type."""
        self.owner.calls.append((self.command, self.path))
        connection = http.client.HTTPConnection(self.owner.target, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        reply = answer.status, content, answer.headers.get('Content-Type', '')
        if (self.command, self.path) == ('POST', POSTS):
            self.owner.answers.append(reply)
        return reply

    def send(self, status, body=b'', content_type='application/json'):
        try:
            self.send_response(status)
            self.send_header('Content-Type', content_type)
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # whoever asked is dead

    def log_message(self, *_args):
        pass
