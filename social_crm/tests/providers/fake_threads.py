"""The Threads API in memory, as the reference of the network describes it.

Every call and every answer is checked by :mod:`.threads_spec`.
"""

import html
import json
import re
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import requests

from social_crm.providers.http import Http
from social_crm.providers.threads import Threads
from social_crm.providers.types import App, Outgoing, Profile, Token
from social_crm.tests.providers import threads_spec

ME = Profile('17840000000000001', 'demo_bakery', 'Demo Bakery')
SCOPES = Threads.scopes_for(Threads.capabilities)
GONE = 24, 0, 'The requested resource does not exist'


class GraphError(Exception):
    """Ends a call with an error of the API."""

    def __init__(self, code, subcode=0, message='Refused', status=400):
        super().__init__(message)
        error = {'message': message, 'type': 'OAuthException', 'code': code}
        self.status = status
        self.body = {'error': {**error, 'error_subcode': subcode} if subcode else error}


class FakeThreads:
    """The network, and the hands of the people on it."""

    streams = (
        ('mentions', ''),
        ('replies', ''),
        ('own', ''),
        ('search', 'rye'),
        ('hashtag', 'rye'),
    )
    bad = {'timestamp': 'yesterday'}
    missing_id = '18099999999999999'

    def __init__(self, stubs):
        self.calls, self.faults = [], []
        self.token, self.code = 'good-token-7f3a', 'code-1b2c'
        self.scopes = list(SCOPES)
        self.posts, self.containers = [], {}
        self.count = 0
        self.used = 1
        self.slow = 0  # looks at a container, or tries to publish it, that come too early
        self.failure = ''
        self.refuses = set()  # edges
        self.root = self.write('demo_bakery', 'Fresh bread', 60 * 24 * 20)['id']
        for method in ('GET', 'POST', 'DELETE'):
            stubs.add_callback(
                method, re.compile(r'https://graph\.threads\.net/.*'), callback=self._answer
            )

    # --- the harness of contract.py --------------------------------------------------------------

    def provider(self, token=None, **values):
        app = App('client-1', 'client-secret-9', redirect_uri='https://odoo.example/cb')
        http = values.pop('http', None) or Http(user_agent='social_crm-test')
        granted = values.pop('scopes', SCOPES)
        token = token or self.token
        provider = Threads(http, app, Token(token, token, scopes=granted), values.pop('me', ME))
        provider.ready_pause = 0
        return provider

    def put(self, stream, text, minutes_ago=1.0, **values):
        if stream == 'mentions':
            text = f'@demo_bakery {text}'
        elif stream == 'replies':
            values = {'root_post': {'id': self.root}, 'replied_to': {'id': self.root}, **values}
        elif stream == 'search':
            text = f'{text} rye'
        elif stream == 'hashtag':
            values.setdefault('topic_tag', 'rye')
        author = 'jana.n'
        if stream == 'own':
            author = 'demo_bakery'
            values = {'root_post': {'id': '1809'}, 'replied_to': {'id': '1809'}, **values}
        return self.write(author, html.unescape(text), minutes_ago, **values)['id']

    def forget(self, number):
        self.posts = [post for post in self.posts if post['id'] != number]

    def spoil(self, number, **values):
        for post in self.posts:
            if post['id'] == number:
                post.update(values)

    def mend(self, payload):
        return {**deepcopy(payload), 'timestamp': '2026-11-02T09:00:00+0000'}

    def item_id(self, number):
        return number

    def fault(self, fault):
        self.faults.append(fault)

    def lose_answer(self, fault=None):
        self.faults.append(('after', fault or requests.ReadTimeout('read timed out')))

    def outgoing(self, text='Yes, we ship', kind='reply', **values):
        """Return an answer to a fresh reply."""
        number = self.put('replies', 'Any rye left?')
        return Outgoing(
            kind,
            text,
            number,
            target_author=Profile('jana.n', 'jana.n'),
            conversation_id=self.root,
            **values,
        )

    @property
    def sent(self):
        return [post['text'] for post in self.posts if post.get('published')]

    # --- what people do --------------------------------------------------------------------------

    def write(self, username, text, minutes_ago=0.0, **values):
        self.count += 1
        number = f'1809{self.count:013d}'
        at = datetime.now(timezone.utc) - timedelta(minutes=minutes_ago)
        post = {
            'id': number,
            'text': text,
            'username': username,
            'media_type': 'TEXT_POST',
            'timestamp': at.strftime('%Y-%m-%dT%H:%M:%S+0000'),
            'media_product_type': 'THREADS',
            'permalink': f'https://www.threads.com/@{username}/post/{number}',
            'at': at,
            'is_quote_post': False,
            'has_replies': True,
            'is_reply': 'replied_to' in values,
            **values,
        }
        self.posts.append(post)
        return post

    # --- the network -----------------------------------------------------------------------------

    def _answer(self, request):
        self.calls.append(request)
        url = urlsplit(request.url)
        path = url.path.lstrip('/').removeprefix('v1.0/')
        params = {name: values[0] for name, values in parse_qs(url.query).items()}
        params |= {n: v[0] for n, v in parse_qs(request.body or '').items()}
        fault = self.faults[0] if self.faults and self._is_step(request.method, path) else None
        after = fault[1] if isinstance(fault, tuple) and fault[0] == 'after' else None
        if fault is not None:
            self.faults.pop(0)
        if fault is not None and not after:
            if isinstance(fault, Exception):
                raise fault
            return fault
        try:
            status, body = 200, self._route(request, path, params)
        except GraphError as error:
            status, body = error.status, error.body
        if after:
            if isinstance(after, Exception):
                raise after
            return after
        return status, {'Content-Type': 'application/json'}, json.dumps(body)

    def _is_step(self, method, path):
        """Tell whether a fault is meant for a call: of a publication, the one that is seen."""
        return (method, path) != ('POST', 'me/threads') and path not in {
            'me/threads_publishing_limit',
            *self.containers,
        }

    def _route(self, request, path, params):
        if path in {'oauth/access_token', 'access_token', 'refresh_access_token'}:
            return self._grant(path, params)
        if request.headers.get('Authorization') != f'Bearer {self.token}':
            raise GraphError(190, 460, 'Error validating access token')
        call = threads_spec.check_call(request.method, path, params)
        if path.rpartition('/')[2] in self.refuses:
            raise GraphError(10, 0, 'Application does not have permission for this action')
        body = self._call(request.method, path, params)
        if 'fields' in params:
            names = {'id', *params['fields'].split(',')}
            rows = body.get('data', [body])
            rows = [{n: v for n, v in row.items() if n in names} for row in rows]
            body = {**body, 'data': rows} if 'data' in body else rows[0]
        threads_spec.check_answer(request.method, path, call, body)
        return body

    def _call(self, method, path, params):
        simple = {
            'me': self._me,
            'me/threads_publishing_limit': self._limit,
            'debug_token': self._debug,
            'profile_lookup': self._lookup,
            'me/threads': self._create if method == 'POST' else self._own_posts,
            'me/threads_publish': self._publish,
            'me/replies': self._own_replies,
            'me/mentions': self._mentions,
            'keyword_search': self._search,
        }
        if path in simple:
            return simple[path](params)
        number, _, edge = path.partition('/')
        if number in self.containers and not edge:
            return self._status(number)
        post = next((post for post in self.posts if post['id'] == number), None)
        if not post:
            raise GraphError(*GONE)
        if method == 'DELETE':
            self.forget(number)
            return {'success': True, 'deleted_id': number}
        if edge == 'insights':
            return {'data': self._insights(params)}
        if edge == 'conversation':
            return self._page([p for p in self.posts if _of(p, 'root_post') == number], params)
        if edge == 'replies':
            return self._page([p for p in self.posts if _of(p, 'replied_to') == number], params)
        return deepcopy(post)

    def _grant(self, path, params):
        if path == 'refresh_access_token':
            if params['access_token'] != self.token:
                raise GraphError(190, 0, 'Error validating access token')
            self.token = 'fresh-token-8c2d'
            return {'access_token': self.token, 'token_type': 'bearer', 'expires_in': 5184000}
        if params['client_secret'] != 'client-secret-9':
            raise GraphError(101, 0, 'Error validating client secret')
        if params['grant_type'] == 'client_credentials':
            return {'access_token': 'TH|1|x', 'token_type': 'bearer'}
        if params['grant_type'] == 'th_exchange_token':
            assert params['access_token'] == 'short-token-1'
            return {'access_token': self.token, 'token_type': 'bearer', 'expires_in': 5184000}
        if params['code'] != self.code:
            raise GraphError(100, 36007, 'This authorization code has been used')
        self.code = 'used'
        return {'access_token': 'short-token-1', 'user_id': 17840000000000001}

    def _me(self, _params):
        return {
            'id': ME.external_id,
            'username': 'demo_bakery',
            'name': 'Demo Bakery',
            'threads_biography': 'Bread daily',
            'is_verified': False,
        }

    def _debug(self, _params):
        return {'data': {'is_valid': True, 'scopes': self.scopes, 'user_id': ME.external_id}}

    def _lookup(self, params):
        if params['username'] != 'jana.n':
            raise GraphError(100, 0, 'Invalid parameter')
        return {
            'username': 'jana.n',
            'name': 'Jana',
            'biography': 'Eats',
            'is_verified': True,
            'follower_count': 1200,
        }

    # --- reading ---------------------------------------------------------------------------------

    def _page(self, posts, params):
        rows = sorted(posts, key=lambda post: post['at'], reverse=True)
        start, limit = int(params.get('after', 0)), min(int(params.get('limit', 25)), 100)
        chosen = deepcopy(rows[start : start + limit])
        for post in chosen:
            post.pop('at')
            post.pop('published', None)
        body = {'data': chosen}
        if chosen:
            body['paging'] = {'cursors': {'before': str(start), 'after': str(start + len(chosen))}}
        return body

    def _own_posts(self, params):
        return self._page([p for p in self.posts if _is_me(p) and not _of(p, 'root_post')], params)

    def _own_replies(self, params):
        return self._page([p for p in self.posts if _is_me(p) and _of(p, 'root_post')], params)

    def _mentions(self, params):
        return self._page([p for p in self.posts if '@demo_bakery' in p['text']], params)

    def _search(self, params):
        assert int(params['since']) >= 1688540400
        assert params['search_type'] == 'RECENT'
        if params['search_mode'] == 'TAG':
            found = [p for p in self.posts if p.get('topic_tag') == params['q']]
        else:
            found = [p for p in self.posts if p['text'].endswith(f' {params["q"]}')]
        return self._page(found, params)

    def _insights(self, params):
        names = params['metric'].split(',')
        return [
            {'name': name, 'period': 'lifetime', 'values': [{'value': number}]}
            if number % 2
            else {'name': name, 'period': 'lifetime', 'total_value': {'value': number}}
            for number, name in enumerate(names, 1)
        ]

    # --- writing ---------------------------------------------------------------------------------

    def _limit(self, _params):
        quota = {'quota_total': 250, 'quota_duration': 86400}
        return {
            'data': [
                {
                    'quota_usage': self.used,
                    'config': quota,
                    'reply_quota_usage': self.used,
                    'reply_config': quota,
                }
            ]
        }

    def _create(self, params):
        if len(params.get('text', '')) > 500:
            raise GraphError(100, 0, 'Param text must be at most 500 characters long.')
        kind = params['media_type']
        for name, wanted in (
            ('image_url', 'IMAGE'),
            ('video_url', 'VIDEO'),
            ('children', 'CAROUSEL'),
        ):
            assert (name in params) == (kind == wanted)
        assert 'link_attachment' not in params or kind == 'TEXT'
        self.count += 1
        number = f'1777{self.count:013d}'
        self.containers[number] = {'status': 'IN_PROGRESS', **params}
        return {'id': number}

    def _status(self, number):
        container = self.containers[number]
        if container['status'] == 'IN_PROGRESS':
            self.slow -= 1
            if self.slow < 0:
                container['status'] = 'ERROR' if self.failure else 'FINISHED'
        found = {'id': number, 'status': container['status']}
        return {**found, 'error_message': self.failure} if self.failure else found

    def _publish(self, params):
        container = self.containers.get(params['creation_id'])
        assert container['status'] != 'PUBLISHED', 'published twice'
        if container['status'] != 'FINISHED' or self.slow > 0:
            self.slow -= 1
            raise GraphError(*GONE)
        container['status'] = 'PUBLISHED'
        values = {'published': True, 'container': container}
        target = container.get('reply_to_id')
        if target:
            values |= {'replied_to': {'id': target}, 'root_post': {'id': self.root}}
        post = self.write('demo_bakery', container.get('text', ''), **values)
        return {'id': post['id']}


def _of(post, name):
    return post.get(name, {}).get('id')


def _is_me(post):
    return post['username'] == 'demo_bakery'
