"""A Mastodon server in memory, for what a real one cannot be made to do on demand: rate limits,
broken pages, revoked logins. Answers are shaped by the Mastodon API documentation (4.3)."""

import json
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

HOST = 'social.example.com'
SCOPES = [
    'read',
    'read:accounts',
    'read:notifications',
    'read:search',
    'read:statuses',
    'write',
    'write:conversations',
    'write:media',
    'write:statuses',
    'profile',
]
ME = {'id': '77', 'username': 'acme', 'acct': 'acme', 'display_name': 'Acme'}


class MastodonStub:
    """Holds accounts and notifications; :meth:`handle` answers a request.

    ``fail`` maps a path to a function ``request -> answer or None``, asked first.
    """

    def __init__(self):
        self.notifications = []
        self.hashtags = {}
        self.calls = []
        self.fail = {}
        self.token = 'token-of-acme'
        self.me = self.account(**ME)
        self.last_id = 1000

    def account(self, username='rita', id=None, **values):
        return {
            'id': id or f'9{abs(hash(username)) % 10**8}',
            'username': username,
            'acct': username,
            'display_name': username.title(),
            'url': f'https://{HOST}/@{username}',
            'uri': f'https://{HOST}/users/{username}',
            'avatar': f'https://{HOST}/avatars/{username}.png',
            'note': '<p>Likes tea</p>',
            'followers_count': 12,
            'following_count': 3,
            'statuses_count': 40,
            'bot': False,
            'locked': False,
            'fields': [],
            'emojis': [],
            'created_at': '2020-01-01T00:00:00.000Z',
            **values,
        }

    def status(self, text, author=None, minutes_ago=1, id=None, **values):
        self.last_id += 1
        author = author or self.account()
        number = id or str(self.last_id)
        posted = datetime.now(timezone.utc) - timedelta(minutes=minutes_ago)
        return {
            'id': number,
            'uri': f'{author["uri"]}/statuses/{number}',
            'url': f'{author["url"]}/{number}',
            'created_at': posted.isoformat(timespec='milliseconds').replace('+00:00', 'Z'),
            'edited_at': None,
            'visibility': 'public',
            'language': 'en',
            'in_reply_to_id': None,
            'in_reply_to_account_id': None,
            'spoiler_text': '',
            'sensitive': False,
            'content': f'<p>{text}</p>',
            'account': author,
            'mentions': [],
            'tags': [],
            'media_attachments': [],
            'emojis': [],
            'reblog': None,
            'replies_count': 0,
            'reblogs_count': 0,
            'favourites_count': 0,
            **values,
        }

    def mention(self, text, author=None, **values):
        """Somebody mentions us: a notification. Returns it."""
        status = self.status(text, author, **values)
        self.last_id += 1
        notification = {
            'id': str(self.last_id),
            'type': 'mention',
            'created_at': status['created_at'],
            'account': status['account'],
            'status': status,
        }
        self.notifications.insert(0, notification)
        return notification

    # --- answers ---------------------------------------------------------------------------------

    def handle(self, request):
        url = urlsplit(request.url)
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        self.calls.append((request.method, url.path, query))
        if url.path in self.fail:
            answer = self.fail[url.path](request)
            if answer is not None:
                return answer
        if (
            not url.path.startswith(
                (
                    '/oauth',
                    '/.well-known',
                    '/api/v1/apps',
                    '/api/v1/instance',
                    '/api/v2/instance',
                    '/nodeinfo',
                )
            )
            and request.headers.get('Authorization') != f'Bearer {self.token}'
        ):
            return self.answer(401, {'error': 'The access token is invalid'})
        return self.answer(*self.route(url.path, {**query, **self.form(request)}))

    @staticmethod
    def form(request):
        body = request.body.decode() if isinstance(request.body, bytes) else request.body or ''
        if body.startswith('{'):
            return json.loads(body)
        return {key: values[-1] for key, values in parse_qs(body).items()}

    def route(self, path, query):
        if path == '/.well-known/oauth-authorization-server':
            return 200, {
                'issuer': f'https://{HOST}/',
                'authorization_endpoint': f'https://{HOST}/oauth/authorize',
                'token_endpoint': f'https://{HOST}/oauth/token',
                'revocation_endpoint': f'https://{HOST}/oauth/revoke',
                'app_registration_endpoint': f'https://{HOST}/api/v1/apps',
                'scopes_supported': SCOPES,
                'response_types_supported': ['code'],
                'grant_types_supported': ['authorization_code'],
                'code_challenge_methods_supported': ['S256'],
                'token_endpoint_auth_methods_supported': ['client_secret_post'],
            }
        if path == '/api/v2/instance':
            return 200, {
                'domain': HOST,
                'title': 'Example',
                'version': '4.3.1',
                'source_url': 'https://example.com',
                'description': '',
                'languages': ['en'],
                'configuration': {
                    'urls': {'streaming': f'wss://{HOST}'},
                    'statuses': {
                        'max_characters': 500,
                        'max_media_attachments': 4,
                        'characters_reserved_per_url': 23,
                    },
                    'media_attachments': {
                        'supported_mime_types': ['image/png', 'image/jpeg'],
                        'image_size_limit': 16_000_000,
                        'video_size_limit': 99_000_000,
                    },
                },
            }
        if path == '/api/v1/apps':
            return 200, {
                'id': '5',
                'name': 'x',
                'client_id': 'client-1',
                'client_secret': 'secret-1',
                'redirect_uri': 'x',
                'redirect_uris': ['x'],
                'scopes': query.get('scopes', 'read').split(),
            }
        if path == '/oauth/token':
            return 200, {
                'access_token': self.token,
                'token_type': 'Bearer',
                'scope': 'read write',
                'created_at': 1700000000,
            }
        if path == '/oauth/revoke':
            return 200, {}
        if path == '/api/v1/accounts/verify_credentials':
            return 200, {
                **self.me,
                'source': {
                    'note': '',
                    'fields': [],
                    'privacy': 'public',
                    'sensitive': False,
                    'language': 'en',
                },
            }
        if path == '/api/v1/notifications':
            return 200, self.paged(self.notifications, query)
        if path.startswith('/api/v1/timelines/tag/'):
            return 200, self.paged(self.hashtags.get(path.rsplit('/', 1)[1], []), query)
        if path == '/api/v2/search':
            return 200, {'accounts': [], 'statuses': [], 'hashtags': []}
        if path.endswith('/statuses'):
            return 200, []
        return 404, {'error': 'Record not found'}

    def paged(self, items, query):
        limit = int(query.get('limit', 20))
        found = [
            item
            for item in items
            if ('max_id' not in query or int(item['id']) < int(query['max_id']))
            and ('min_id' not in query or int(item['id']) > int(query['min_id']))
            and ('since_id' not in query or int(item['id']) > int(query['since_id']))
        ]
        return found[-limit:] if 'min_id' in query else found[:limit]

    @staticmethod
    def answer(status, body, headers=None):
        """Return an answer as `responses` wants it from a callback."""
        body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        return status, {'Content-Type': 'application/json', **(headers or {})}, body
