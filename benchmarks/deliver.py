"""How punctual posts go out: 100 are due in the same second, the cron worker of a running Odoo
server sends them to a server that takes 200 ms for each answer.

Measured where it counts: from the due second to the moment at which the network has accepted.
"""

import json
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import quantiles
from urllib.parse import parse_qs

from odoo import fields

from odoo.addons.social_crm.tests.common import connect, make_app

POSTS = 100
LATENCY = 0.2
#: Seconds ahead: soon after the server started, and when its loop has run and slept again.
AHEAD = (50, 150)


def run(bench):
    with Network() as network:
        yield from (
            measure(bench, network, name, accounts)
            for name, accounts in (
                ('deliver.punctuality_p95', 10),
                ('deliver.punctuality_p95_one_account', 1),
            )
        )


def measure(bench, network, name, accounts):
    """Send twice 100 posts, spread over some accounts; the worse of the two counts."""
    env = bench.env
    app = make_app(env['res.company'].create({'name': name}))
    app.server = network.url
    connected = [
        connect(app, env.user, username=f'brand{place}', number=str(place))
        for place in range(accounts)
    ]
    for account in connected:
        account.wanted_capabilities = 'publish'
    now = fields.Datetime.now()
    rounds = [queue(env, connected, now + timedelta(seconds=ahead)) for ahead in AHEAD]
    with bench.odoo(crons=2):
        deadline = time.monotonic() + AHEAD[-1] + 60
        while time.monotonic() < deadline and not all_sent(env, rounds):
            time.sleep(1)
    assert all_sent(env, rounds), 'not every row is sent'
    figures = [late(network, texts, due) for texts, due in rounds]
    return {
        'figure': name,
        'value': max(p95 for p95, _last in figures),
        'unit': 's',
        'last': max(last for _p95, last in figures),
        'by_round': [p95 for p95, _last in figures],
        'publications': POSTS,
        'accounts': accounts,
        'latency': LATENCY,
    }


def queue(env, accounts, due):
    """Put posts into the queue that are due in the same second; return their texts and the time."""
    texts = [f'{env.cr.dbname} {due} {accounts[0].id} {place}' for place in range(POSTS)]
    Post = env['social.crm.post'].with_context(tracking_disable=True)
    posts = Post.create(
        [
            {
                'text': text,
                'account_ids': [accounts[place % len(accounts)].id],
                'company_id': accounts[0].company_id.id,
                **Post._wall_values(due, 'UTC'),
            }
            for place, text in enumerate(texts)
        ]
    )
    posts.action_submit()
    env.cr.commit()
    return texts, due


def late(network, texts, due):
    """Return the 95th percentile and the longest time from due to accepted, in seconds."""
    due = due.replace(tzinfo=timezone.utc).timestamp()
    seconds = sorted(network.accepted[text] - due for text in texts)
    assert seconds[0] > -0.01, 'something went out before it was due'
    return round(quantiles(seconds, n=20)[-1], 2), round(seconds[-1], 2)


def all_sent(env, rounds):
    """Tell whether every row is stored as sent."""
    env.cr.rollback()
    texts = [text for texts, _due in rounds for text in texts]
    rows = env['social.crm.publication'].search([('post_id.text', 'in', texts)])
    return len(rows) == len(texts) and set(rows.mapped('delivery_state')) == {'sent'}


class Network:
    """A server that speaks enough of Mastodon's API, and takes its time."""

    def __init__(self):
        self.accepted = {}
        network = self

        class Handler(_Handler):
            owner = network

        self.server = _Server(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}'

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exc):
        self.server.shutdown()
        self.server.server_close()

    def accept(self, text):
        assert text not in self.accepted, f'sent twice: {text}'
        self.accepted[text] = time.time()
        number = str(len(self.accepted))
        return {
            'id': number,
            'uri': f'{self.url}/statuses/{number}',
            'url': f'{self.url}/@brand/{number}',
            'created_at': datetime.now(timezone.utc).isoformat(),
            'content': text,
            'account': {'id': '1'},
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


class _Handler(BaseHTTPRequestHandler):
    owner = None

    def do_GET(self):
        self._answer([])

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length'])).decode()
        time.sleep(LATENCY)
        self._answer(self.owner.accept(parse_qs(body)['status'][0]))

    def _answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass
