"""A network of the AT Protocol in memory: directory, login server, data server, messages.

It answers through ``responses``. Every request to ``/xrpc/`` and every answer is checked against
the lexicons where they are at hand, every proof of possession by its signature and claims.
"""

import hashlib
import html
import json
import re
from base64 import b32encode, urlsafe_b64encode
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import requests
from jwt.algorithms import ECAlgorithm

from social_crm.providers import dpop
from social_crm.providers.bluesky import Bluesky
from social_crm.providers.bluesky_items import POST, message_id
from social_crm.providers.bluesky_text import facets_of
from social_crm.providers.http import Http
from social_crm.providers.types import App, Outgoing, Profile, Token

PDS, LOGIN = 'https://pds.example', 'https://login.example'
CALLBACK = 'https://odoo.example/social_crm/oauth/callback'
SCOPES = Bluesky.scopes_for(Bluesky.capabilities)
#: Reading calls within the sending of an answer, which the contract's faults are not meant for.
LOOKUPS = ('getPosts', 'resolveHandle', 'uploadBlob', 'getConvoForMembers')


class FakeBluesky:
    """The servers, and the hands of the people on them.

    ``calls`` are the requests that came; ``token`` is the valid one; ``nonce`` is asked for in
    proofs where it is set.
    """

    streams = (
        ('notifications', ''),
        ('messages', ''),
        ('own', ''),
        ('hashtag', 'shop'),
        ('search', 'ship'),
    )
    bad = {'indexedAt': 'yesterday', 'sentAt': 'yesterday'}
    missing_id = f'at://did:plc:{"x" * 24}/{POST}/3ke6kg3wk2222'

    def __init__(self, stubs, spec=None):
        self.spec = spec
        self.calls, self.faults = [], []
        self.posts, self.notifications, self.messages = [], [], []
        self.people, self.blobs, self.proofs = {}, {}, set()
        self.token, self.refresh_token, self.code = 'good-token-7f3a', 'refresh-1', 'code-1b2c'
        self.app_password, self.nonce, self.pushed = 'abcd-efgh-2345-wxyz', '', {}
        self.granted = None
        self.answering = False
        self.key = dpop.new_key()
        self.issuer, self.old_server = LOGIN, False
        self.me = self.person('acme')
        self.count = 0
        for method in ('GET', 'POST'):
            stubs.add_callback(method, re.compile('https://.*'), callback=self._answer)

    # --- what tests use: the harness of contract.py ----------------------------------------------

    def provider(self, token=None, **values):
        """Return an adapter that is connected as ``acme``."""
        http = values.pop('http', None) or Http(user_agent='social_crm-test')
        grant = Token(
            token or self.token,
            self.refresh_token,
            scopes=values.pop('scopes', SCOPES),
            extra={'key': self.key, 'did': self.me['did'], 'pds': PDS, 'client_id': 'c'},
        )
        me = Profile(self.me['did'], self.me['handle'])
        return Bluesky(http, self.app(), values.pop('token_', grant), me)

    def app(self):
        metadata = {k: v for k, v in self._login_metadata().items() if 'endpoint' in k}
        return App('c', '', LOGIN, CALLBACK, SCOPES, {'issuer': LOGIN, **metadata})

    def put(self, stream, text, minutes_ago=1.0, **values):
        """Let something happen that a stream shows; return its id."""
        text = html.unescape(text)
        if stream == 'own':
            parent = self.write('rita', 'hello', 60 * 24 * 30)
            return self.write('acme', text, minutes_ago, parent=parent, **values)['uri']
        if stream == 'notifications':
            return self.mention(text, minutes_ago, **values)['uri']
        if stream == 'messages':
            return self.message('rita', text, minutes_ago)['id']
        text = f'{text} ship' if stream == 'search' else f'{text} #shop'
        return self.write('rita', text, minutes_ago, **values)['uri']

    def forget(self, entry_id):
        """Take something away."""
        for name in ('posts', 'notifications', 'messages'):
            rows = getattr(self, name)
            rows[:] = [row for row in rows if entry_id not in {row.get('uri'), row.get('id')}]

    def spoil(self, entry_id, **values):
        """Change an entry."""
        self.spec = None  # from here on the answers are wrong on purpose
        for row in (*self.posts, *self.notifications, *self.messages):
            if entry_id in {row.get('uri'), row.get('id')}:
                row.update({name: value for name, value in values.items() if name in row})

    def mend(self, payload):
        """Return the payload of a spoilt entry as it should have been."""
        payload = deepcopy(payload)
        row = payload.get('post') or payload.get('message') or payload
        for name in self.bad:
            if name in row:
                row[name] = '2026-09-01T08:12:40.000Z'
        return payload

    def item_id(self, entry_id):
        """Return the id of the item in an entry."""
        return entry_id if entry_id.startswith('at:') else message_id('convo-rita', entry_id)

    def fault(self, fault):
        """Answer the next call with ``(status, headers, body)``, or raise an exception."""
        self.faults.append(fault)

    def lose_answer(self, fault=None):
        """Do what the next posting call asks, and lose the answer."""
        self.faults.append(('after', fault or requests.ReadTimeout('read timed out')))

    def outgoing(self, text='Yes, we ship', kind='reply', **values):
        """Return an answer to a fresh mention, or to a fresh message."""
        self.answering = True
        rita = self.person('rita')
        author = Profile(rita['did'], rita['handle'])
        if kind == 'message':
            asked = message_id('convo-rita', self.message('rita', 'Do you ship?')['id'])
            values['conversation_id'] = 'convo-rita'
        else:
            asked = self.mention('Do you ship?')['uri']
        return Outgoing(kind, text, asked, '', author, **values)

    @property
    def sent(self):
        """Texts that were posted."""
        rows = [post['record']['text'] for post in self.posts if post.get('by_us')]
        return rows + [row['text'] for row in self.messages if row.get('by_us')]

    # --- people and what they do -----------------------------------------------------------------

    def person(self, name):
        if name not in self.people:
            did = (
                'did:plc:' + b32encode(hashlib.sha256(name.encode()).digest())[:24].decode().lower()
            )
            self.people[name] = {
                'did': did,
                'handle': f'{name}.example',
                'displayName': name.title(),
                'avatar': f'https://cdn.example/img/avatar/plain/{did}/bafkavatar@jpeg',
                'labels': [],
            }
        return self.people[name]

    def write(self, name, text, minutes_ago=0.0, *, parent=None, record=None, **values):
        """Let somebody write a post."""
        author, at = self.person(name), _now() - timedelta(minutes=minutes_ago)
        self.count += 1
        content = {'$type': POST, 'text': text, 'createdAt': _iso(at), 'langs': ['en']}
        facets = facets_of(text.encode('utf-8', 'replace').decode(), self._did_of)
        if facets:
            content['facets'] = facets
        if parent:
            reference = {'uri': parent['uri'], 'cid': parent['cid']}
            root = parent['record'].get('reply', {}).get('root') or reference
            content['reply'] = {'root': root, 'parent': reference}
        return self._add(author, f'3k{self.count:011d}', {**content, **(record or {})}, at, values)

    def _add(self, author, rkey, record, at, values):
        uri = f'at://{author["did"]}/{POST}/{rkey}'
        post = {
            'uri': uri,
            'cid': _cid(uri),
            'author': author,
            'record': record,
            'replyCount': 1,
            'repostCount': 2,
            'likeCount': 5,
            'quoteCount': 3,
            'indexedAt': _iso(at),
            'viewer': {},
            'labels': [],
            **values,
        }
        self.posts.append(post)
        return post

    def mention(self, text, minutes_ago=1.0, reason='mention', **values):
        """Let somebody name us; return the notification."""
        post = self.write('rita', f'@acme.example {text}', minutes_ago, **values)
        note = {
            'uri': post['uri'],
            'cid': post['cid'],
            'author': post['author'],
            'reason': reason,
            'record': post['record'],
            'isRead': False,
            'indexedAt': post['indexedAt'],
            'labels': [],
        }
        self.notifications.append(note)
        return note

    def like(self, minutes_ago=1.0):
        """Let somebody like something of ours; return the notification."""
        self.count += 1
        uri = f'at://{self.person("rita")["did"]}/app.bsky.feed.like/3k{self.count:011d}'
        note = {
            'uri': uri,
            'cid': _cid(uri),
            'author': self.person('rita'),
            'reason': 'like',
            'record': {},
            'isRead': False,
            'indexedAt': _iso(_now() - timedelta(minutes=minutes_ago)),
        }
        self.notifications.append(note)
        return note

    def message(self, name, text, minutes_ago=1.0, **values):
        """Let somebody send a direct message, in the conversation with ``rita``."""
        self.count += 1
        message = {
            '$type': 'chat.bsky.convo.defs#messageView',
            'id': f'm{self.count}',
            'rev': f'2222222{self.count:06d}',
            'text': text,
            'sender': {'did': self.person(name)['did']},
            'sentAt': _iso(_now() - timedelta(minutes=minutes_ago)),
            **values,
        }
        self.messages.append(message)
        return message

    def _did_of(self, handle):
        found = [person['did'] for person in self.people.values() if person['handle'] == handle]
        return found[0] if found else ''

    # --- the servers -----------------------------------------------------------------------------

    def _answer(self, request):
        self.calls.append(request)
        lookup = self.answering and request.url.partition('?')[0].endswith(LOOKUPS)
        fault = self.faults.pop(0) if self.faults and not lookup else None
        if isinstance(fault, Exception):
            raise fault
        after = fault[1] if fault and fault[0] == 'after' else None
        if fault and not after:
            return fault
        status, headers, body = self._route(request)
        if after:
            self.faults.clear()
            if isinstance(after, Exception):
                raise after
            return after
        text = body if isinstance(body, str) else json.dumps(body)
        return status, {'Content-Type': 'application/json', **headers}, text

    def _route(self, request):
        url = urlsplit(request.url)
        origin = f'{url.scheme}://{url.netloc}'
        if url.path == '/.well-known/atproto-did':
            did = self._did_of(url.hostname)
            return (200, {}, did) if did else (404, {}, 'nobody')
        if origin == 'https://plc.directory':
            return self._directory(url.path[1:])
        if url.path == '/.well-known/oauth-protected-resource' and origin == PDS:
            return 200, {}, {'resource': PDS, 'authorization_servers': [self.issuer]}
        if url.path == '/.well-known/oauth-authorization-server' and origin == LOGIN:
            return 200, {}, self._login_metadata()
        if origin == LOGIN and url.path in {'/par', '/token', '/revoke'}:
            refused = self._proof(request, '')
            form = dict(parse_qsl(request.body))
            return refused or getattr(self, f'_{url.path[1:]}')(request, form)
        if origin == PDS and url.path.startswith('/xrpc/'):
            return self._xrpc(request, url.path.removeprefix('/xrpc/'))
        if url.path == '/xrpc/com.atproto.identity.resolveHandle':
            return 400, {}, {'error': 'InvalidRequest', 'message': 'Unable to resolve handle'}
        return 404, {}, {'error': 'NotFound', 'message': 'no such page'}

    def _directory(self, did):
        for person in self.people.values():
            if person['did'] == did:
                service = {
                    'id': '#atproto_pds',
                    'type': 'AtprotoPersonalDataServer',
                    'serviceEndpoint': PDS,
                }
                known = [f'at://{person["handle"]}']
                return 200, {}, {'id': did, 'alsoKnownAs': known, 'service': [service]}
        return 404, {}, {'message': 'DID not registered'}

    # --- signing in ------------------------------------------------------------------------------

    def _login_metadata(self):
        return {
            'issuer': LOGIN,
            'authorization_endpoint': f'{LOGIN}/authorize',
            'token_endpoint': f'{LOGIN}/token',
            'revocation_endpoint': f'{LOGIN}/revoke',
            'pushed_authorization_request_endpoint': f'{LOGIN}/par',
            'scopes_supported': ['atproto', 'transition:generic'],
            'code_challenge_methods_supported': ['S256'],
            'dpop_signing_alg_values_supported': ['ES256'],
            'client_id_metadata_document_supported': True,
        }

    def _proof(self, request, token):
        """Return the refusal of a proof of possession, ``None`` where it is right."""
        text = request.headers['DPoP']
        header = jwt.get_unverified_header(text)
        assert set(header['jwk']) == {'kty', 'crv', 'x', 'y'}, 'nothing private is told'
        assert header['typ'] == 'dpop+jwt'
        key = ECAlgorithm.from_jwk(json.dumps(header['jwk']))
        claims = jwt.decode(text, key, algorithms=['ES256'])
        assert (claims['htm'], claims['htu']) == (request.method, request.url.partition('?')[0])
        assert claims['jti'] not in self.proofs, 'a proof is used once'
        self.proofs.add(claims['jti'])
        digest = urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b'=').decode()
        assert claims.get('ath') == (digest if token else None)
        if self.nonce and claims.get('nonce') != self.nonce:
            told = {'error': 'use_dpop_nonce', 'error_description': 'nonce wanted'}
            if token:
                headers = {'WWW-Authenticate': 'DPoP error="use_dpop_nonce"'}
                return 401, {'DPoP-Nonce': self.nonce, **headers}, told
            return 400, {'DPoP-Nonce': self.nonce}, told
        if token and request.headers['Authorization'] == f'DPoP {self.token}':
            assert header['jwk'] == dpop.public_jwk(self.key), 'the token is bound to its key'
        return None

    def _par(self, _request, form):
        if self.old_server and 'rpc:' in form['scope']:
            return 400, {}, {'error': 'invalid_scope', 'error_description': 'unknown scope'}
        self.pushed = form
        self.key = self.key if 'client_id' in form else ''
        return 201, {}, {'request_uri': 'urn:request:1', 'expires_in': 299}

    def _token(self, request, form):
        if form.get('code', self.code) != self.code or (
            form['grant_type'] == 'refresh_token' and form['refresh_token'] != self.refresh_token
        ):
            return 400, {}, {'error': 'invalid_grant', 'error_description': 'replayed'}
        jwk = jwt.get_unverified_header(request.headers['DPoP'])['jwk']
        if form['grant_type'] == 'refresh_token':
            assert jwk == dpop.public_jwk(self.key), 'the same key for the whole login'
        self.token, self.refresh_token = f'{self.token}+', f'{self.refresh_token}+'
        return (
            200,
            {},
            {
                'access_token': self.token,
                'refresh_token': self.refresh_token,
                'token_type': 'DPoP',
                'expires_in': 3600,
                'sub': self.me['did'],
                'scope': self.granted or self.pushed.get('scope') or ' '.join(SCOPES),
            },
        )

    def _revoke(self, _request, form):
        if form['token'] in {self.token, self.refresh_token}:
            self.token = self.refresh_token = 'nobody'
        return 200, {}, {}

    def _session(self, scope='com.atproto.appPass'):
        self.count += 1
        claims = {'scope': scope, 'exp': int(_now().timestamp()) + 7200, 'n': self.count}
        self.token = jwt.encode(claims, 'k' * 32)
        self.refresh_token = f'refresh-{self.count}'
        return {
            'accessJwt': self.token,
            'refreshJwt': self.refresh_token,
            'did': self.me['did'],
            'handle': self.me['handle'],
        }

    # --- calls -----------------------------------------------------------------------------------

    def _xrpc(self, request, method):
        if self.spec:
            self.spec.request(request)
        name = method.rpartition('.')[2]
        authorization = request.headers.get('Authorization', '')
        if name == 'createSession':
            data = json.loads(request.body)
            if data != {'identifier': self.me['did'], 'password': self.app_password}:
                return 401, {}, _error('AuthenticationRequired', 'Invalid identifier or password')
            return 200, {}, self._session()
        if name in {'refreshSession', 'deleteSession'}:
            if authorization != f'Bearer {self.refresh_token}':
                return 400, {}, _error('ExpiredToken', 'Token has been revoked')
            if name == 'deleteSession':
                self.token = self.refresh_token = 'nobody'
                return 200, {}, ''
            return 200, {}, self._session()
        refused = self._authenticate(request, authorization)
        if refused:
            return refused
        if method.startswith('chat.'):
            assert request.headers['atproto-proxy'] == 'did:web:api.bsky.chat#bsky_chat'
        query = parse_qs(urlsplit(request.url).query, keep_blank_values=True)
        status, body = getattr(self, f'_{name}')(request, query)
        if self.spec and status == 200:
            self.spec.answer(request.url, json.loads(json.dumps(body)))
        return status, {}, body

    def _authenticate(self, request, authorization):
        kind, _, token = authorization.partition(' ')
        refused = self._proof(request, token) if kind == 'DPoP' else None
        if refused or token == self.token:
            return refused
        if kind == 'Bearer':
            return 400, {}, _error('ExpiredToken', 'Token has expired')
        told = {'error': 'invalid_token', 'message': 'Invalid token'}
        return 401, {'WWW-Authenticate': 'DPoP error="invalid_token"'}, told

    def _page(self, rows, query, name, moment='indexedAt'):
        rows = sorted(rows, key=lambda row: (row.get(moment, ''), row.get('rev', '')), reverse=True)
        start = int(query.get('cursor', ['0:'])[0].partition(':')[0])
        first = query.get('cursor', [':'])[0].partition(':')[2]
        if first:  # what came in meanwhile is above
            places = [n for n, row in enumerate(rows) if first in {row.get('uri'), row.get('id')}]
            start = places[0] if places else start
        limit = int(query['limit'][0])
        page = [_view(row) for row in rows[start : start + limit]]
        answer = {name: page}
        if len(rows) > start + limit:
            following = rows[start + limit]
            answer['cursor'] = f'{start + limit}:{following.get("uri") or following["id"]}'
        return 200, answer

    def _listNotifications(self, _request, query):
        return self._page(self.notifications, query, 'notifications')

    def _getAuthorFeed(self, _request, query):
        did = query['actor'][0]
        status, answer = self._page(
            [post for post in self.posts if post['author']['did'] == did], query, 'feed'
        )
        answer['feed'] = [{'post': post} for post in answer['feed']]
        return status, answer

    def _searchPosts(self, _request, query):
        words = query['q'][0]
        found = [post for post in self.posts if words in str(post['record'].get('text'))]
        return self._page(found, query, 'posts')

    def _getPosts(self, _request, query):
        found = [_view(post) for post in self.posts if post['uri'] in query['uris']]
        return 200, {'posts': found}

    def _getPostThread(self, _request, query):
        by_uri = {post['uri']: post for post in self.posts}
        post = by_uri.get(query['uri'][0])
        if not post:
            return 400, _error('NotFound', 'Post not found')
        return 200, {'thread': self._tree(post, by_uri)}

    def _tree(self, post, by_uri):
        kind = 'app.bsky.feed.defs#threadViewPost'
        tree = {'$type': kind, 'post': _view(post)}
        parent = post['record'].get('reply', {}).get('parent')
        if parent:
            gone = {
                '$type': 'app.bsky.feed.defs#notFoundPost',
                'uri': parent['uri'],
                'notFound': True,
            }
            above = by_uri.get(parent['uri'])
            tree['parent'] = {'$type': kind, 'post': _view(above)} if above else gone
        tree['replies'] = [
            {'$type': kind, 'post': _view(other)}
            for other in self.posts
            if other['record'].get('reply', {}).get('parent', {}).get('uri') == post['uri']
        ]
        return tree

    def _getProfile(self, _request, query):
        actor = query['actor'][0]
        for person in self.people.values():
            if actor in {person['did'], person['handle']}:
                return 200, {
                    **person,
                    'description': 'Garden shop',
                    'followersCount': 312,
                    'followsCount': 90,
                    'postsCount': 1204,
                    'website': 'https://acme.example',
                    'verification': {
                        'verifications': [],
                        'verifiedStatus': 'valid',
                        'trustedVerifierStatus': 'none',
                    },
                }
        return 400, _error('InvalidRequest', 'Profile not found')

    def _resolveHandle(self, _request, query):
        did = self._did_of(query['handle'][0])
        return (200, {'did': did}) if did else (400, _error('InvalidRequest', 'Unable to resolve'))

    def _putRecord(self, request, _query):
        data = json.loads(request.body)
        uri = f'at://{data["repo"]}/{data["collection"]}/{data["rkey"]}'
        assert data['swapRecord'] is None, 'nothing is overwritten'
        if any(post['uri'] == uri for post in self.posts):
            return 400, _error('InvalidSwap', 'Record was at bafyreiabc')
        author = next(p for p in self.people.values() if p['did'] == data['repo'])
        post = self._add(author, data['rkey'], data['record'], _now(), {'by_us': True})
        return 200, {'uri': uri, 'cid': post['cid'], 'validationStatus': 'valid'}

    def _getRecord(self, _request, query):
        uri = f'at://{query["repo"][0]}/{query["collection"][0]}/{query["rkey"][0]}'
        for post in self.posts:
            if post['uri'] == uri:
                return 200, {'uri': uri, 'cid': post['cid'], 'value': post['record']}
        return 400, _error('RecordNotFound', f'Could not locate record: {uri}')

    def _deleteRecord(self, request, _query):
        data = json.loads(request.body)
        self.forget(f'at://{data["repo"]}/{data["collection"]}/{data["rkey"]}')
        return 200, {}

    def _uploadBlob(self, request, _query):
        link = _cid(request.body.hex())
        self.blobs[link] = request.body
        kind = request.headers['Content-Type']
        blob = {
            '$type': 'blob',
            'ref': {'$link': link},
            'mimeType': kind,
            'size': len(request.body),
        }
        return 200, {'blob': blob}

    # --- messages --------------------------------------------------------------------------------

    def _convo(self):
        newest = max(self.messages, key=lambda row: row['rev'])
        return {
            'id': 'convo-rita',
            'rev': newest['rev'],
            'muted': False,
            'unreadCount': 0,
            'members': [self.me, self.person('rita')],
            'lastMessage': _view(newest),
        }

    def _listConvos(self, _request, _query):
        return 200, {'convos': [self._convo()] if self.messages else []}

    def _getMessages(self, _request, query):
        status, answer = self._page(self.messages, query, 'messages', 'rev')
        return status, {**answer, 'relatedProfiles': [self.me, self.person('rita')]}

    def _getConvoForMembers(self, _request, query):
        assert query['members'] == [self.person('rita')['did']]
        if not self.messages:
            self.message('rita', 'hello', 60)
        return 200, {'convo': self._convo()}

    def _sendMessage(self, request, _query):
        data = json.loads(request.body)
        message = self.message('acme', data['message']['text'], 0, by_us=True)
        return 200, {name: value for name, value in _view(message).items() if name != '$type'}


def _view(row):
    return {name: value for name, value in row.items() if name != 'by_us'}


def _error(name, words):
    return {'error': name, 'message': words}


def _cid(text):
    return 'bafyrei' + b32encode(hashlib.sha256(text.encode()).digest()).decode().lower().strip('=')


def _now():
    return datetime.now(timezone.utc)


def _iso(at):
    return at.isoformat(timespec='milliseconds').replace('+00:00', 'Z')
