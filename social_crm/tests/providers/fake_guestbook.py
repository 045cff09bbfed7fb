"""The server of the guest book of docs/add-a-network.md, in memory."""

import html
import json
import re
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import requests

from social_crm.providers.http import Http
from social_crm.providers.types import App, Outgoing, Profile, Token
from social_crm.tests.providers.example_network import API, PAGE, Guestbook

APP = App('c', 's', redirect_uri='https://odoo.example/social_crm/oauth/callback')
ME = {'id': 'g0', 'name': 'Host'}
GINA = {'id': 'g1', 'name': 'Gina'}


class FakeGuestbook:
    """The guest book, and the hands of the people who write in it: see :mod:`.contract`."""

    streams = (('mentions', ''),)
    bad = {'written_at': 'yesterday'}
    missing_id = '999999'

    def __init__(self, stubs):
        self.rows, self.calls, self.faults = [], [], []
        self.count = 0
        for method in ('GET', 'POST', 'DELETE'):
            stubs.add_callback(method, re.compile(f'{API}/.*'), callback=self._answer)

    def provider(self, token='good-token'):
        return Guestbook(
            Http(user_agent='social_crm-test'), APP, Token(token), Profile('g0', 'Host')
        )

    def put(self, stream, text, minutes_ago=1.0):
        return str(self._write(GINA, html.unescape(text), minutes_ago)['id'])

    def item_id(self, number):
        return number

    def forget(self, number):
        self.rows = [row for row in self.rows if str(row['id']) != number]

    def spoil(self, number, **values):
        for row in self.rows:
            if str(row['id']) == number:
                row.update(values)

    def mend(self, payload):
        return {**payload, 'written_at': _now().isoformat()}

    def fault(self, fault):
        self.faults.append(fault)

    def lose_answer(self, fault=None):
        self.faults.append(('after', fault or requests.ReadTimeout('read timed out')))

    def outgoing(self, text='Yes, we ship', kind='reply'):
        number = self.put('mentions', 'Do you ship?')
        return Outgoing(kind, text, f'guestbook:{number}', number, Profile('g1', 'Gina'))

    @property
    def sent(self):
        return [row['text'] for row in self.rows if row['guest'] == ME]

    # --- the network -----------------------------------------------------------------------------

    def _write(self, guest, text, minutes_ago=0.0, **values):
        self.count += 1
        moment = (_now() - timedelta(minutes=minutes_ago)).isoformat()
        row = {'id': self.count, 'guest': guest, 'text': text, 'written_at': moment, 'likes': 2}
        self.rows.append({**row, **values})
        return self.rows[-1]

    def _answer(self, request):
        self.calls.append(request)
        fault = self.faults.pop(0) if self.faults else None
        after = isinstance(fault, tuple) and fault[0] == 'after'
        if fault is None or after:
            answer = self._route(request)
            fault = fault[1] if after else answer
        if isinstance(fault, Exception):
            raise fault
        return fault

    def _route(self, request):
        url = urlsplit(request.url)
        path = url.path.removeprefix('/api')
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if path == '/token':
            sent = {name: values[0] for name, values in parse_qs(request.body).items()}
            assert (sent['code'], sent['code_verifier']) == ('co', 've')
            return _json(200, {'access_token': 'good-token', 'scope': 'read write'})
        if path == '/revoke':
            return _json(200, {})
        if request.headers.get('Authorization') != 'Bearer good-token':
            return _json(401, {'error': 'Who are you?'})
        if path == '/me':
            return _json(200, ME)
        if path == '/entries':
            return _json(200, self._entries(request, query))
        rows = [row for row in self.rows if path == f'/entries/{row["id"]}']
        if request.method == 'DELETE' and rows:
            self.forget(str(rows[0]['id']))
            return _json(200, {})
        return _json(404, {'error': 'Not in the book'})

    def _entries(self, request, query):
        if request.method == 'POST':
            body = json.loads(request.body)
            return self._write(ME, body['text'], key=body['key'])
        if 'ids' in query:
            return [row for row in self.rows if str(row['id']) in query['ids'].split(',')]
        if 'key' in query:
            return [
                row
                for row in self.rows
                if row.get('key') == query['key'] and row['written_at'] >= query['since']
            ]
        others = [row for row in self.rows if row['guest'] != ME]
        if 'newest' in query:
            return others[-1:]
        since, after = query.get('since', ''), int(query.get('after', 0))
        return [row for row in others if row['written_at'] >= since and row['id'] > after][:PAGE]


def _json(status, body):
    return status, {'Content-Type': 'application/json'}, json.dumps(body)


def _now():
    return datetime.now(timezone.utc)
