"""A server with Mastodon's API in memory, in the dialects of five kinds of software.

It answers through ``responses``. What real servers do with cursors, limits, scopes and dead tokens
is taken from their code; see the reference of the network. In the dialect ``mastodon`` every
request and every answer is checked against the OpenAPI description.
"""

import hashlib
import html
import json
import re
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, unquote, urlsplit

import requests

from social_crm.providers.http import Http
from social_crm.providers.mastodon import Mastodon
from social_crm.providers.types import App, Outgoing, Profile, Token

SERVER = 'https://hub.example'
DIALECTS = ('mastodon', 'gotosocial', 'pleroma', 'pixelfed', 'snac')
SCOPES = Mastodon.scopes_for(Mastodon.capabilities)
#: Longest page of notifications and of statuses.
CAPS = {'mastodon': (80, 40), 'gotosocial': (80, 40), 'pleroma': (40, 40), 'pixelfed': (40, 40)}


class FakeMastodon:
    """The server, and the hands of the people on it.

    ``calls`` are the requests that came; ``token`` is the valid one.
    """

    def __init__(self, stubs, dialect='mastodon', spec=None):
        self.dialect = dialect
        self.spec = spec if dialect == 'mastodon' else None
        self.calls, self.faults = [], []
        self.statuses, self.notifications = [], []
        self.order = {}
        self.keys = {}
        self.token, self.code = 'good-token-7f3a', 'code-1b2c'
        self.app = App()
        self.media = {}
        self.busy = 0
        self.people = {}
        self.me = self.person('acme', local=True)
        pattern = re.compile(re.escape(SERVER) + '/.*')
        for method in ('GET', 'POST', 'DELETE'):
            stubs.add_callback(method, pattern, callback=self._answer)

    # --- what tests use: the harness of contract.py ----------------------------------------------

    streams = (('notifications', ''), ('own', ''), ('hashtag', 'shop'), ('search', 'ship'))

    def provider(self, token=None, **values):
        """Return an adapter that is connected as ``acme``."""
        app = App(
            'client-1',
            'client-secret-9',
            SERVER,
            'https://odoo.example/cb',
            SCOPES,
            values.pop('metadata', self.metadata()),
        )
        me = Profile(self.me['uri'], 'acme@hub.example', local_id=self.me['id'])
        http = values.pop('http', None) or Http(user_agent='social_crm-test')
        return Mastodon(http, app, Token(token or self.token), values.pop('me', me))

    def metadata(self):
        api = {'api': 10} if self.dialect == 'mastodon' else {}
        return {
            'software': self.dialect,
            'domain': 'hub.example',
            **api,
            'limits': {'text': 500, 'url': 23, 'media': 4},
        }

    def put(self, stream, text, minutes_ago=1.0, **values):
        """Let something happen that a stream shows; return its id."""
        if stream == 'own':
            values.setdefault('in_reply_to_id', self.person_status()['id'])
            return self.write('acme', text, minutes_ago, **values)['id']
        if stream == 'notifications':
            return self.mention(text, minutes_ago, **values)['id']
        text = f'{text} ship' if stream == 'search' else text
        tags = [{'name': 'shop', 'url': f'{SERVER}/tags/shop'}] if stream == 'hashtag' else []
        return self.write('rita', text, minutes_ago, tags=tags, **values)['id']

    def forget(self, entry_id):
        """Take a notification or status away; its place in the order stays known."""
        self.statuses = [s for s in self.statuses if s['id'] != entry_id]
        self.notifications = [n for n in self.notifications if n['id'] != entry_id]

    def spoil(self, entry_id, **values):
        """Change an entry's status, ``None`` takes a field away."""
        self.spec = None  # from here on the answers are wrong on purpose
        for entry in (*self.notifications, *self.statuses):
            if entry['id'] == entry_id:
                status = entry.get('status', entry)
                for name, value in values.items():
                    status[name] = value
                    if value is None:
                        del status[name]

    #: A status is unreadable without this.
    bad = {'created_at': 'yesterday'}
    missing_id = '999999999999'

    def mend(self, payload):
        """Return the payload of a spoilt entry as it should have been."""
        payload = deepcopy(payload)
        payload.get('status', payload)['created_at'] = '2026-09-01T08:12:40.000Z'
        return payload

    def item_id(self, entry_id):
        """Return the id of the item in an entry."""
        notes = {note['id']: note['status']['id'] for note in self.notifications}
        return notes.get(entry_id, entry_id)

    def fault(self, fault):
        """Answer the next call with ``(status, headers, body)``, or raise an exception."""
        self.faults.append(fault)

    def lose_answer(self, fault=None):
        """Do what the next posting call asks, and lose the answer."""
        self.faults.append(('after', fault or requests.ReadTimeout('read timed out')))

    def outgoing(self, text='Yes, we ship', kind='reply', **values):
        """Return an answer to a fresh mention."""
        note = self.mention('Do you ship?')
        status, author = note['status'], note['account']
        target = Profile(author['uri'], 'rita@tools.example', local_id=author['id'])
        return Outgoing(kind, text, status['uri'], status['id'], target, **values)

    @property
    def sent(self):
        """Texts that were posted."""
        return [status['source'] for status in self.statuses if 'source' in status]

    # --- people and what they do -----------------------------------------------------------------

    def person(self, name, local=False, **values):
        host = 'hub.example' if local else 'tools.example'
        if name not in self.people:
            number = str(11000 + len(self.people))
            self.people[name] = {
                'id': number,
                'username': name,
                'acct': name if local else f'{name}@{host}',
                'display_name': name.title(),
                'uri': f'https://{host}/users/{name}',
                'url': f'https://{host}/@{name}',
                'avatar': f'https://{host}/{name}.png',
                'avatar_static': f'https://{host}/{name}.png',
                'header': f'https://{host}/h.png',
                'header_static': f'https://{host}/h.png',
                'note': '<p>Garden shop</p>',
                'followers_count': 312,
                'following_count': 90,
                'statuses_count': 1204,
                'created_at': '2020-01-01T00:00:00.000Z',
                'last_status_at': '2026-09-01',
                'locked': False,
                'bot': False,
                'group': False,
                'discoverable': True,
                'indexable': True,
                'emojis': [],
                'hide_collections': False,
                'roles': [],
                'fields': [
                    {
                        'name': 'Shop',
                        'verified_at': '2026-01-01T00:00:00.000+00:00',
                        'value': '<a href="https://rita.example">rita.example</a>',
                    }
                ],
                'avatar_description': '',
                'header_description': '',
                'show_featured': True,
                'show_media': True,
                'show_media_replies': True,
            }
            self.people[name] |= values
        return self.people[name]

    def person_status(self):
        return next((s for s in self.statuses if s['account']['username'] == 'rita'), None) or (
            self.write('rita', 'hello', 60 * 24 * 30)
        )

    def write(self, name, text, minutes_ago=0.0, **values):
        """Let somebody write a status."""
        account = self.person(name)
        at = _now() - timedelta(minutes=minutes_ago)
        number = self._id(at)
        uri = f'{account["uri"]}/statuses/{len(self.order)}'
        status = {
            'id': number,
            'uri': uri,
            'url': f'{account["url"]}/{len(self.order)}',
            'created_at': _iso(at),
            'edited_at': None,
            'visibility': 'public',
            'language': 'en',
            'in_reply_to_id': None,
            'in_reply_to_account_id': None,
            'spoiler_text': '',
            'sensitive': False,
            'content': f'<p>{text}</p>',
            'account': account,
            'mentions': [],
            'tags': [],
            'media_attachments': [],
            'emojis': [],
            'reblog': None,
            'poll': None,
            'card': None,
            'application': None,
            'replies_count': 0,
            'reblogs_count': 2,
            'favourites_count': 5,
            'quotes_count': 0,
            **values,
        }
        parent = next((s for s in self.statuses if s['id'] == status['in_reply_to_id']), None)
        if parent:
            status['in_reply_to_account_id'] = parent['account']['id']
        self.statuses.append(status)
        return status

    def mention(self, text, minutes_ago=1.0, kind='mention', author='rita', **values):
        """Let somebody name us; return the notification."""
        at = values.pop('at', None)
        handle = [{'id': self.me['id'], 'username': 'acme', 'acct': 'acme', 'url': self.me['url']}]
        content = f'<span class="h-card"><a href="{SERVER}/@acme">@<span>acme</span></a></span> '
        status = self.write(author, content + text, minutes_ago, mentions=handle, **values)
        note = {
            'id': self._id(_now(), '5'),
            'type': kind,
            'created_at': at or status['created_at'],
            'account': status['account'],
            'status': status,
            'group_key': f'ungrouped-{text}',
        }
        self.notifications.append(note)
        return note

    def _id(self, at, prefix=''):
        count = len(self.order) + 1
        seconds = int(at.timestamp())
        number = {
            'mastodon': str((int(at.timestamp() * 1000) << 16) + count),
            'gotosocial': f'01{seconds:012d}{count:012d}',
            'pleroma': f'A{count:017d}w',
            'pixelfed': f'{prefix}{count:09d}',
            'snac': f'{seconds}{hashlib.md5(str(count).encode()).hexdigest()}',
        }[self.dialect]
        if prefix and self.dialect in {'mastodon', 'snac'}:
            number = f'{prefix}{count:015d}'
        self.order[number] = count
        return number

    # --- the server ------------------------------------------------------------------------------

    def _answer(self, request):
        self.calls.append(request)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        after = fault[1] if fault and fault[0] == 'after' else None
        if fault and not after:
            return fault
        if self.spec:
            self._check(request)
        status, body = self._route(request)
        if after:
            self.faults.clear()
            if isinstance(after, Exception):
                raise after
            return after
        if self.spec and '/nodeinfo' not in request.url:
            self.spec.answer(request.method, request.url, status, body)
        return status, {'Content-Type': 'application/json'}, json.dumps(body)

    def _check(self, request):
        if '/nodeinfo' not in request.url and not request.url.endswith('/host-meta'):
            self.spec.request(request)

    def _route(self, request):
        path = urlsplit(request.url).path
        query = parse_qs(urlsplit(request.url).query, keep_blank_values=True)
        public = self._public(request, path)
        if public:
            return public
        if request.headers.get('Authorization') != f'Bearer {self.token}':
            return self._dead_token(path)
        for pattern, handler in (
            (r'/api/v1/accounts/verify_credentials', self._verify),
            (r'/api/v1/notifications', self._notifications),
            (r'/api/v1/accounts/(\w+)/statuses', self._own),
            (r'/api/v1/timelines/tag/([^/]+)', self._tag),
            (r'/api/v2/search', self._search),
            (r'/api/v1/statuses', self._statuses),
            (r'/api/v1/statuses/(\w+)', self._status),
            (r'/api/v1/statuses/(\w+)/context', self._context),
            (r'/api/v1/accounts/lookup', self._lookup),
            (r'/api/v1/accounts/search', self._accounts),
            (r'/api/v2/media', self._upload),
            (r'/api/v1/media/(\w+)', self._processed),
            (r'/api/v1/timelines/home', self._home),
        ):
            found = re.fullmatch(pattern, path)
            if found:
                return handler(request, query, *map(unquote, found.groups()))
        return 404, {'error': 'Record not found'}

    def _dead_token(self, path):
        if self.dialect in {'pleroma', 'pixelfed'}:
            return 403, {'error': 'Invalid credentials.'}
        if self.dialect == 'snac' and path.endswith('verify_credentials'):
            return 422, {}
        return 401, {'error': 'The access token is invalid'}

    def _public(self, request, path):
        simple = {
            '/api/v1/instance': self._instance_v1,
            '/api/v2/instance': self._instance_v2,
            '/.well-known/nodeinfo': self._nodeinfo,
            '/nodeinfo/2.0': lambda: (200, {'software': {'name': self.dialect, 'version': '1'}}),
            '/.well-known/oauth-authorization-server': self._oauth_metadata,
        }
        if path in simple:
            return simple[path]()
        form = {
            '/api/v1/apps': self._register,
            '/oauth/token': self._grant,
            '/oauth/revoke': self._revoke,
        }
        if path in form:
            return form[path]({k: v[0] for k, v in parse_qs(request.body).items()})
        return None

    # --- the server itself -----------------------------------------------------------------------

    def _configuration(self):
        return {
            'urls': {'streaming': 'wss://hub.example'},
            'accounts': {'max_featured_tags': 10, 'max_pinned_statuses': 5},
            'statuses': {
                'max_characters': 5000,
                'max_media_attachments': 6,
                'characters_reserved_per_url': 23,
            },
            'media_attachments': {
                'supported_mime_types': ['image/png', 'image/jpeg', 'video/mp4'],
                'image_size_limit': 16777216,
                'image_matrix_limit': 33177600,
                'video_size_limit': 103809024,
                'video_frame_rate_limit': 120,
                'video_matrix_limit': 8294400,
                'description_limit': 1500,
            },
            'polls': {
                'max_options': 4,
                'max_characters_per_option': 50,
                'min_expiration': 300,
                'max_expiration': 2629746,
            },
            'translation': {'enabled': False},
            'limited_federation': False,
            'vapid': {'public_key': 'x'},
            'timelines_access': {
                name: {'local': 'public', 'remote': 'public'}
                for name in ('live_feeds', 'hashtag_feeds', 'trending_link_feeds')
            },
        }

    def _instance_v1(self):
        return 200, {
            'uri': 'hub.example',
            'title': 'Hub',
            'version': self._version(),
            'configuration': self._configuration(),
        }

    def _instance_v2(self):
        if self.dialect == 'snac':
            return 404, {'error': 'Not found'}
        return 200, {
            'domain': 'hub.example',
            'title': 'Hub',
            'version': self._version(),
            'source_url': 'https://github.com/mastodon/mastodon',
            'description': 'A hub',
            'usage': {'users': {'active_month': 3}},
            'thumbnail': {'url': f'{SERVER}/t.png'},
            'icon': [],
            'languages': ['en'],
            'configuration': self._configuration(),
            'registrations': {
                'enabled': False,
                'approval_required': False,
                'reason_required': False,
                'message': None,
                'min_age': None,
                'url': None,
            },
            'contact': {'email': 'a@hub.example', 'account': None},
            'rules': [],
            'api_versions': {'mastodon': 10},
        }

    def _version(self):
        return {
            'mastodon': '4.6.5',
            'pleroma': '2.7.2 (compatible; Pleroma 2.9.1)',
            'snac': '4.0.0 (not true; really snac/2.75)',
        }.get(self.dialect, '0.20.0')

    def _nodeinfo(self):
        rel = 'http://nodeinfo.diaspora.software/ns/schema/2.0'
        return 200, {'links': [{'rel': rel, 'href': f'{SERVER}/nodeinfo/2.0'}]}

    def _oauth_metadata(self):
        if self.dialect != 'mastodon':
            return 404, {'error': 'Not found'}
        return 200, {
            'issuer': f'{SERVER}/',
            'service_documentation': 'https://docs.joinmastodon.org/',
            'authorization_endpoint': f'{SERVER}/oauth/authorize',
            'token_endpoint': f'{SERVER}/oauth/token',
            'app_registration_endpoint': f'{SERVER}/api/v1/apps',
            'revocation_endpoint': f'{SERVER}/oauth/revoke',
            'userinfo_endpoint': f'{SERVER}/oauth/userinfo',
            'scopes_supported': ['read', 'write', 'profile', *SCOPES],
            'response_types_supported': ['code'],
            'response_modes_supported': ['query'],
            'grant_types_supported': ['authorization_code', 'client_credentials'],
            'token_endpoint_auth_methods_supported': ['client_secret_basic', 'client_secret_post'],
            'code_challenge_methods_supported': ['S256'],
        }

    def _register(self, form):
        asked = form.get('scopes', 'read').split()
        if self.dialect == 'pleroma' and set(asked) - {'read', 'write', 'follow'}:
            return 422, {'error': 'Validation failed: Scopes do not match'}
        self.app = App('client-1', 'client-secret-9', SERVER, form['redirect_uris'], tuple(asked))
        return 200, {
            'id': '1',
            'name': form['client_name'],
            'website': form.get('website'),
            'scopes': asked,
            'redirect_uris': [form['redirect_uris']],
            'redirect_uri': form['redirect_uris'],
            'client_id': self.app.client_id,
            'client_secret': self.app.client_secret,
            'client_secret_expires_at': 0,
            'vapid_key': 'x',
        }

    def _grant(self, form):
        if form['client_secret'] != 'client-secret-9':
            return 401, {'error': 'invalid_client', 'error_description': 'Client authentication'}
        given = form.get('code') or form.get('refresh_token')
        if given not in {self.code, 'refresh-1'}:
            return 400, {'error': 'invalid_grant', 'error_description': f'{given} is expired'}
        self.code = ''
        body = {
            'access_token': self.token,
            'token_type': 'Bearer',
            'created_at': 1788000000,
            'scope': form.get('scope') or 'read write',
        }
        if self.dialect == 'pleroma':
            body |= {'expires_in': 3600, 'refresh_token': 'refresh-2', 'me': self.me['uri']}
        return 200, body

    def _revoke(self, form):
        if form['client_secret'] != 'client-secret-9':
            return 403, {'error': 'unauthorized_client', 'error_description': 'not yours'}
        if form['token'] == self.token:
            self.token = 'another-token'
        return 200, {}

    # --- reading ---------------------------------------------------------------------------------

    def _page(self, entries, query, cap, default=20):
        """Return a page of entries (given oldest first), newest first, by the dialect's cursors."""
        rows = sorted(entries, key=lambda e: self.order[e['id']], reverse=True)
        limit = min(int(query.get('limit', [default])[0]), cap)
        top = query.get('max_id', [''])[0]
        floor = query.get('since_id', [''])[0]
        assert top in self.order or not top or top.isdigit()
        if self.dialect == 'snac':
            places = [place for place, e in enumerate(rows) if e['id'] == top]
            return deepcopy((rows[places[0] + 1 :] if places else [] if top else rows)[:limit])
        if top:
            at = self.order.get(top, max(self.order.values()) + 1)
            rows = [e for e in rows if self.order[e['id']] < at]
        if floor:
            rows = [e for e in rows if self.order[e['id']] > self.order[floor]]
        return deepcopy(rows[:limit])

    def _clean(self, rows):
        for row in rows:
            row.get('status', row).pop('source', None)
        return rows

    def _verify(self, _request, _query):
        source = {
            'note': '',
            'fields': [],
            'privacy': 'public',
            'sensitive': False,
            'language': 'en',
            'follow_requests_count': 0,
            'attribution_domains': [],
            'hide_collections': False,
            'discoverable': True,
            'indexable': True,
            'quote_policy': 'public',
        }
        role = {
            'id': '1',
            'name': '',
            'permissions': '0',
            'color': '',
            'highlighted': False,
            'collection_limit': 10,
        }
        return 200, {**self.me, 'source': source, 'role': role}

    def _notifications(self, _request, query):
        cap = CAPS.get(self.dialect, (64, 0))[0]
        rows = self.notifications
        if self.dialect == 'snac':
            return 200, self._clean(self._page(rows[-64:], query, cap, 1))
        wanted = query.get('types[]')
        rows = [n for n in rows if not wanted or n['type'] in wanted]
        return 200, self._clean(self._page(rows, query, cap))

    def _own(self, _request, query, number):
        assert number == self.me['id']
        rows = [s for s in self.statuses if s['account']['id'] == number]
        if self.dialect == 'snac':
            rows = [s for s in rows if s['visibility'] == 'public'][-256:]
            rows = sorted(deepcopy(rows), key=lambda e: self.order[e['id']], reverse=True)
            return 200, self._clean(rows)
        return 200, self._clean(self._page(rows, query, 40))

    def _home(self, _request, query):
        rows = [s for s in self.statuses if s['account']['id'] == self.me['id']]
        return 200, self._clean(self._page(rows, query, 40))

    def _tag(self, _request, query, tag):
        rows = [s for s in self.statuses if any(t['name'] == tag for t in s['tags'])]
        return 200, self._clean(self._page(rows, query, 40))

    def _search(self, _request, query):
        asked, kind = query['q'][0], query.get('type', [''])[0]
        found = {'accounts': [], 'statuses': [], 'hashtags': []}
        if kind == 'accounts':
            found['accounts'] = self._people(asked)
        elif asked.startswith('https://'):
            found['statuses'] = self._clean(
                deepcopy([s for s in self.statuses if asked in {s['uri'], s['url']}])
            )
        else:
            rows = [s for s in self.statuses if re.search(rf'\b{asked}\b', s['content'])]
            if self.dialect == 'mastodon' and 'max_id' in query:
                # Elasticsearch: the id stands for a time in whole seconds.
                at = (int(query.pop('max_id')[0]) >> 16) // 1000 * 1000
                rows = [s for s in rows if int(s['id']) >> 16 < at]
            found['statuses'] = self._clean(self._page(rows, query, 40))
        return 200, found

    def _context(self, _request, _query, number):
        if number not in {s['id'] for s in self.statuses}:
            return 404, {'error': 'Record not found'}
        below = [s for s in self.statuses if s['in_reply_to_id'] == number]
        return 200, {'ancestors': [], 'descendants': self._clean(deepcopy(below))}

    def _lookup(self, _request, query):
        found = [p for p in self._people(query['acct'][0]) if '@' not in p['acct']]
        return (200, found[0]) if found else (404, {'error': 'Record not found'})

    def _accounts(self, _request, query):
        return 200, [] if self.dialect == 'snac' else self._people(query['q'][0])

    def _people(self, asked):
        wanted = asked.lstrip('@').removesuffix('@hub.example')
        return [person for person in self.people.values() if person['acct'] == wanted]

    # --- writing ---------------------------------------------------------------------------------

    def _statuses(self, request, query):
        if request.method == 'GET':
            assert self.dialect == 'mastodon', 'no batch here'
            wanted = query['id[]']
            assert len(wanted) <= 20
            return 200, self._clean(deepcopy([s for s in self.statuses if s['id'] in wanted]))
        form = parse_qs(request.body)
        text = form.get('status', [''])[0]
        if len(text) > 500:
            return 422, {'error': 'Validation failed: Text character limit of 500 exceeded'}
        key = request.headers.get('Idempotency-Key')
        if self.dialect in {'mastodon', 'pleroma'} and key in self.keys:
            return 200, self._clean([deepcopy(self.keys[key])])[0]
        content = html.escape(text)
        content = re.sub(r'@(\w+)@[\w.]+', r'<a class="u-url mention" href="#">@\1</a>', content)
        content = re.sub(
            r'(https://)(\S+)',
            r'<a href="\1\2"><span class="invisible">\1</span>'
            r'<span class="ellipsis">\2</span></a>',
            content,
        )
        visibility = form['visibility'][0]
        if self.dialect == 'snac' and visibility == 'direct':
            visibility = 'private'
        status = self.write(
            'acme',
            content.replace('\n\n', '</p><p>'),
            visibility=visibility,
            in_reply_to_id=form.get('in_reply_to_id', [None])[0],
        )
        status['source'] = text
        status['language'] = form.get('language', ['en'])[0]
        self.keys[key] = status
        return 200, self._clean([deepcopy(status)])[0]

    def _status(self, request, _query, number):
        found = [s for s in self.statuses if s['id'] == number]
        if not found or (request.method == 'DELETE' and self.dialect == 'snac'):
            return 404, {'error': 'Record not found'}
        if request.method == 'DELETE':
            self.forget(number)
            return 200, {**self._clean(deepcopy(found))[0], 'text': 'x'}
        return 200, self._clean(deepcopy(found))[0]

    def _upload(self, request, _query):
        name = re.search(rb'filename="([^"]+)"', request.body)[1].decode()
        number = str(len(self.media) + 1)
        self.media[number] = name
        if self.busy:
            return 202, _attachment(number, None)
        return 200, _attachment(number, f'{SERVER}/media/{name}')

    def _processed(self, _request, _query, number):
        self.busy -= 1
        url = None if self.busy else f'{SERVER}/media/{self.media[number]}'
        return 206 if self.busy else 200, _attachment(number, url)


def _attachment(number, url):
    return {
        'id': number,
        'type': 'image',
        'url': url,
        'preview_url': url,
        'remote_url': None,
        'meta': {},
        'description': None,
        'blurhash': None,
    }


def _now():
    return datetime.now(timezone.utc)


def _iso(at):
    return at.isoformat(timespec='milliseconds').replace('+00:00', 'Z')
