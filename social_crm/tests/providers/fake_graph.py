"""A Graph API in memory: nodes, edges, fields, cursors, batches, dead tokens, wrong proofs.

Every call is checked against Meta's descriptions of its objects, where these are at hand; every
answer holds the fields that were asked for, and no others.
"""

import base64
import hashlib
import hmac
import json
import re
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, unquote, urlsplit

import requests

from social_crm.providers.meta import GRAPH_VERSION
from social_crm.tests.providers.meta_spec import modifiers, split_fields

SECRET = 'client-secret-9'


class GraphError(Exception):
    """Ends a call with an error of the Graph API."""

    def __init__(self, code, subcode=0, message='Refused', status=400):
        super().__init__(message)
        error = {'message': message, 'type': 'OAuthException', 'code': code, 'fbtrace_id': 'A1'}
        if subcode:
            error['error_subcode'] = subcode
        self.status, self.body = status, {'error': error}


class FakeGraph:
    """The network; ``calls`` are the requests that came, ``nodes`` the objects by id."""

    needs_proof = True
    hosts = ('graph.facebook.com', 'graph-video.facebook.com')

    def __init__(self, stubs, spec=None):
        self.spec = spec
        self.calls, self.faults, self.nodes = [], [], {}
        self.count = 0
        self.token = 'good-token-7f3a'
        self.before = lambda request: None  # called with each request, may call fault()
        self.tokens = {}  # token -> id of the node that it acts for
        for host in self.hosts:
            pattern = re.compile(rf'https://{re.escape(host)}/.*')
            for method in ('GET', 'POST', 'DELETE'):
                stubs.add_callback(method, pattern, callback=self._answer)

    # --- what tests do ---------------------------------------------------------------------------

    def add(self, kind, number=None, **values):
        """Add an object; return its id."""
        self.count += 1
        number = number or str(5000 + self.count)
        self.nodes[number] = {'kind': kind, 'id': number, 'order': self.count, **values}
        return number

    def forget(self, number):
        self.nodes.pop(number, None)

    def spoil(self, number, **values):
        """Change an object, ``None`` takes a field away."""
        for name, value in values.items():
            self.nodes[number][name] = value
            if value is None:
                del self.nodes[number][name]

    def item_id(self, entry_id):
        return entry_id

    def fault(self, fault):
        """Answer the next call with ``(status, headers, body)``, or raise an exception."""
        self.faults.append(fault)

    def lose_answer(self, fault=None):
        """Do what the next writing call asks, and lose the answer."""
        self.faults.append(('after', fault or requests.ReadTimeout('read timed out')))

    def paths(self, method='GET'):
        """Return the paths that were called, without the version."""
        calls = [call for call in self.calls if call.method == method]
        return [urlsplit(call.url).path.partition('/')[2].partition('/')[2] for call in calls]

    # --- the network -----------------------------------------------------------------------------

    def _answer(self, request):
        self.calls.append(request)
        self.before(request)
        fault = self.faults[0] if self.faults else None
        after = fault[1] if isinstance(fault, tuple) and fault[0] == 'after' else None
        if fault is not None and not after:
            self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        try:
            status, body = 200, self._route(request)
        except GraphError as error:
            status, body = error.status, error.body
        if after and request.method == 'POST' and self._is_last_step(request):
            self.faults.pop(0)
            if isinstance(after, Exception):
                raise after
            return after
        return status, {'Content-Type': 'application/json'}, json.dumps(body)

    def _is_last_step(self, request):
        """Tell whether a writing call is the one that people see something of."""
        return True

    def _route(self, request):
        url = urlsplit(request.url)
        version, _, path = url.path.lstrip('/').partition('/')
        params = {name: values[0] for name, values in parse_qs(url.query).items()}
        body = self._body(request)
        if url.path.endswith(('/access_token', '/refresh_access_token')):
            return self._grant({**params, **body})
        assert version == GRAPH_VERSION, f'not the version: {url.path}'
        token = request.headers.get('Authorization', '').removeprefix('Bearer ')
        self._check_token(token, params.pop('appsecret_proof', ''))
        if not path:
            return [self._batched(token, row) for row in json.loads(body['batch'])]
        return self._call(token, request.method, path, {**params, **body})

    def _check_token(self, token, proof):
        if token not in self.tokens:
            raise GraphError(190, 460, 'The session has been invalidated', 400)
        wanted = hmac.new(SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()
        if proof != wanted and (proof or self.needs_proof):
            raise GraphError(100, 0, 'Invalid appsecret_proof provided in the API argument')

    def _body(self, request):
        kind = request.headers.get('Content-Type', '')
        if kind.startswith('application/json'):
            return json.loads(request.body)
        if kind.startswith('application/x-www-form-urlencoded'):
            return {name: values[0] for name, values in parse_qs(request.body).items()}
        if kind.startswith('multipart/form-data'):
            return dict(_parts(request.body))
        return {}

    def _batched(self, token, row):
        path, _, query = row['relative_url'].partition('?')
        params = {name: values[0] for name, values in parse_qs(query).items()}
        try:
            status, body = 200, self._call(token, row['method'], path, params)
        except GraphError as error:
            status, body = error.status, error.body
        return {'code': status, 'headers': [], 'body': json.dumps(body)}

    def _call(self, token, method, path, params):
        number, _, edge = path.partition('/')
        number = unquote(number)
        number = self.tokens[token] if number == 'me' else number
        node = self.nodes.get(number) or self._by_name(number)
        if not node:
            raise GraphError(100, 33, f'Object with ID {number!r} does not exist')
        if self.spec:
            files = {name for name, value in params.items() if isinstance(value, bytes)}
            plain = {name: value for name, value in params.items() if name not in files}
            self.spec.call(node['kind'], method, edge, plain)
        handler = getattr(self, f'_{method.lower()}_{edge or node["kind"].lower()}', None)
        if handler:
            return handler(node, params)
        if method == 'GET' and not edge:
            return self.project(node, params.get('fields', 'id'))
        if method == 'DELETE' and not edge:
            self.forget(node['id'])
            return {'success': True}
        raise AssertionError(f'the fake has no {method} {node["kind"]}/{edge}')

    def _by_name(self, _name):
        return None

    # --- answers ---------------------------------------------------------------------------------

    def project(self, node, fields):
        """Return an object with the fields that were asked for, as far as it has them."""
        found = {'id': node['id']}
        for name, inner in split_fields(fields):
            handler = getattr(self, f'_get_{name}', None)
            if handler and name not in node:
                options = modifiers(fields, name)
                found[name] = handler(node, {**options, 'fields': inner or 'id'})
                if options.get('summary') == 'true':
                    found[name]['summary'] = {'total_count': self._total(node, name)}
            elif name in node:
                found[name] = node[name]
        if self.spec:
            self.spec.answer(node['kind'], found)
        return found

    def _total(self, _node, _edge):
        return 4

    def rows(self, nodes, params, key=None):
        """Return a page of objects, newest first."""
        place = key or (lambda node: (self.moment(node), node['order']))
        nodes = sorted(nodes, key=place, reverse=True)
        if params.get('after'):
            after = tuple(json.loads(base64.b64decode(params['after'])))
            nodes = [node for node in nodes if place(node) < after]
        limit = int(params.get('limit', 25))
        some, rest = nodes[:limit], nodes[limit:]
        body = {'data': [self.project(node, params.get('fields', 'id')) for node in some]}
        if some:
            after = base64.b64encode(json.dumps(place(some[-1])).encode()).decode()
            body['paging'] = {'cursors': {'before': 'QVFIUm', 'after': after}}
            if rest:
                body['paging']['next'] = f'https://graph.facebook.com/{GRAPH_VERSION}/next'
        return body

    def moment(self, node):
        return node.get('sort', 0)

    def of_kind(self, kind, **values):
        return [
            node
            for node in self.nodes.values()
            if node['kind'] == kind and all(node.get(k) == v for k, v in values.items())
        ]


def stamp(minutes_ago=0.0):
    """Return a time as the Graph API writes it, and a number to sort by."""
    moment = datetime.now(timezone.utc) - timedelta(minutes=minutes_ago)
    return moment.strftime('%Y-%m-%dT%H:%M:%S+0000'), moment.timestamp()


def _parts(body):
    """Yield the fields of a form in parts: files as bytes."""
    boundary = body.split(b'\r\n', 1)[0]
    for part in body.split(boundary)[1:-1]:
        head, _, content = part.partition(b'\r\n\r\n')
        name = re.search(rb'name="([^"]+)"', head)[1].decode()
        content = content.removesuffix(b'\r\n')
        yield name, content if b'filename=' in head else content.decode()
