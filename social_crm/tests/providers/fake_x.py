"""X in memory, in the two spellings of its names.

It answers through ``responses``, and gives only what was asked for by fields and expansions. With
the descriptions at hand, every request and every answer is checked against the one of its spelling.
"""

import base64
import json
import re
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import requests

from ...listening import Text, parse
from ...providers.http import Http
from ...providers.types import App, Profile, Token
from ...providers.x import X
from ...providers.x_names import Spelling
from . import oauth_spec
from .fake_x_people import FIXTURES, ME, People

HOST = 'https://api.x.com'
SCOPES = X.scopes_for(X.capabilities)
WEEK = timedelta(days=7)
#: New name of each old one, in answers.
RENAMED = {
    'referenced_tweets': 'referenced_posts',
    'note_tweet': 'note_post',
    'edit_history_tweet_ids': 'edit_history_post_ids',
    'retweet_count': 'repost_count',
    'tweet_count': 'post_count',
    'tweets': 'posts',
}
#: Fields that come by an expansion as well.
EXPANDED = {
    'author_id': {'author_id'},
    'in_reply_to_user_id': {'in_reply_to_user_id'},
    'referenced_tweets': {'referenced_tweets.id', 'referenced_posts'},
    'edit_history_tweet_ids': {'edit_history_post_ids'},
    'attachments': {'attachments.media_keys'},
    'sender_id': {'sender_id'},
}
ALWAYS = {'id', 'text', 'edit_history_tweet_ids', 'event_type'}
DUPLICATE = {
    'detail': 'You are not allowed to create a Tweet with duplicate content.',
    'type': 'about:blank',
    'title': 'Forbidden',
    'status': 403,
}
UNINVITED = {
    'detail': 'Reply to this conversation is not allowed because you have not been mentioned or '
    'otherwise engaged by the author of the post you are replying to.',
    'type': 'about:blank',
    'title': 'Forbidden',
    'status': 403,
}
UNAUTHORIZED = {
    'title': 'Unauthorized',
    'type': 'about:blank',
    'status': 401,
    'detail': 'Unauthorized',
}


class FakeX(People):
    """The service, and the hands of the people on it; see :mod:`.contract`."""

    streams = (
        ('mentions', ''),
        ('messages', ''),
        ('own', ''),
        ('hashtag', 'shop'),
        ('search', 'ship'),
    )
    bad = {'created_at': 'yesterday'}
    missing_id = '999999999999'

    def __init__(self, stubs, names='tweet', spec=None):
        self.names, self.spec = names, spec
        super().__init__()
        self.calls, self.faults = [], []
        self.uploads = {}
        self.token, self.code, self.refresh = 'good-token-7f3a', 'code-1b2c', 'refresh-1'
        self.uninvited = False
        self.processing = 0
        Spelling.current = 'tweet'
        pattern = re.compile(re.escape(HOST) + '/.*')
        for method in ('GET', 'POST', 'DELETE'):
            stubs.add_callback(method, pattern, callback=self._answer)

    # --- what tests use ---------------------------------------------------------------------------

    def provider(self, token=None, **values):
        app = App('client-1', 'client-secret-9', '', 'https://odoo.example/cb', SCOPES)
        me = Profile(ME, 'acme', local_id=ME)
        http = values.pop('http', None) or Http(user_agent='social_crm-test')
        token = Token(token or self.token, values.pop('refresh_token', self.refresh))
        return X(http, values.pop('app', app), token, values.pop('me', me))

    def mend(self, payload):
        payload = deepcopy(payload)
        payload['data']['created_at'] = '2026-09-01T08:12:40.000Z'
        return payload

    def item_id(self, number):
        return number

    def fault(self, fault):
        self.faults.append(fault)

    def lose_answer(self, fault=None):
        self.faults.append(('after', fault or requests.ReadTimeout('read timed out')))

    # --- the service ------------------------------------------------------------------------------

    def _answer(self, request):
        self.calls.append(request)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        after = fault[1] if fault and fault[0] == 'after' else None
        if fault and not after:
            return fault
        path = urlsplit(request.url).path
        if path.startswith('/2/oauth2/'):
            status, body = self._oauth(request, path)
        else:
            status, body = self._api(request, path)
        if after:
            self.faults.clear()
            if isinstance(after, Exception):
                raise after
            return after
        headers = {
            'Content-Type': 'application/json',
            'x-rate-limit-limit': '300',
            'x-rate-limit-remaining': '299',
            'x-rate-limit-reset': _epoch(minutes=15),
        }
        return status, headers, json.dumps(body)

    def _api(self, request, path):
        query = {k: v[0] for k, v in parse_qs(urlsplit(request.url).query).items()}
        wrong = self._wrong_spelling(query)
        if wrong:
            return 400, wrong
        if self.spec:
            self.spec.request(request)
        status, body = self._route(request, path, query)
        body = self._renamed(body)
        if self.spec:
            self.spec.answer(request.method, request.url, status, body)
        return status, body

    def _wrong_spelling(self, query):
        """Refuse the names of the other spelling, as the service does."""
        other = {'tweet': 'post.fields', 'post': 'tweet.fields'}[self.names]
        if other not in query:
            return None
        message = f'The query parameter [{other}] is not one of the known ones'
        return {
            'errors': [{'parameters': {other: [query[other]]}, 'message': message}],
            'title': 'Invalid Request',
            'detail': 'One or more parameters were invalid.',
            'type': 'https://api.x.com/2/problems/invalid-request',
        }

    def _route(self, request, path, query):
        if request.headers.get('Authorization') != f'Bearer {self.token}':
            return 401, UNAUTHORIZED
        for method, pattern, handler in (
            ('GET', r'/2/users/me', self._users_me),
            ('GET', r'/2/users/by/username/(\w+)', self._by_username),
            ('GET', r'/2/users/(\d+)/mentions', self._mentions),
            ('GET', r'/2/users/(\d+)/tweets', self._own),
            ('GET', r'/2/tweets/search/recent', self._search),
            ('GET', r'/2/tweets', self._by_ids),
            ('GET', r'/2/tweets/(\d+)', self._by_id),
            ('POST', r'/2/tweets', self._create),
            ('DELETE', r'/2/tweets/(\d+)', self._delete),
            ('GET', r'/2/dm_events', self._events),
            ('GET', r'/2/dm_events/(\d+)', self._event),
            ('DELETE', r'/2/dm_events/(\d+)', self._delete),
            ('GET', r'/2/dm_conversations/(?:with/)?[\d-]+/dm_events', self._events),
            ('POST', r'/2/dm_conversations/(?:with/)?([\d-]+)/messages', self._create_message),
            ('POST', r'/2/media/upload/initialize', self._initialize),
            ('POST', r'/2/media/upload/(\d+)/append', self._append),
            ('POST', r'/2/media/upload/(\d+)/finalize', self._finalize),
            ('GET', r'/2/media/upload', self._status),
            ('POST', r'/2/media/metadata', self._metadata),
        ):
            found = re.fullmatch(pattern, path)
            if found and method == request.method:
                return handler(request, query, *found.groups())
        raise AssertionError(f'no such call here: {request.method} {path}')

    def _renamed(self, value):
        if self.names == 'tweet':
            return value
        if isinstance(value, list):
            return [self._renamed(inner) for inner in value]
        if isinstance(value, dict):
            return {RENAMED.get(k, k): self._renamed(v) for k, v in value.items()}
        return value

    # --- authorisation ----------------------------------------------------------------------------

    def _oauth(self, request, path):
        basic = base64.b64encode(b'client-1:client-secret-9').decode()
        if request.headers.get('Authorization') != f'Basic {basic}':
            return 401, {
                'error': 'unauthorized_client',
                'error_description': 'Missing valid authorization header',
            }
        if path.endswith('/revoke'):
            form = oauth_spec.form_of(request, 'revocation_request')
            if form['token'] == self.token:
                self.token = 'another-token'
            if form['token'] == self.refresh:
                self.refresh = 'another-refresh'
            return 200, {'revoked': True}
        form = oauth_spec.form_of(request, 'token_request')
        given = form.get('code') or form.get('refresh_token')
        if given not in {self.code, self.refresh}:
            error = {
                'error': 'invalid_request',
                'error_description': 'Value passed for the token was invalid.',
            }
            oauth_spec.check('error', error)
            return 400, error
        self.code, self.refresh = '', f'{self.refresh}+'
        body = {
            'token_type': 'bearer',
            'expires_in': 7200,
            'access_token': self.token,
            'scope': ' '.join(SCOPES),
            'refresh_token': self.refresh,
        }
        oauth_spec.check('token', body)
        return 200, body

    # --- reading ----------------------------------------------------------------------------------

    def _fields(self, row, query, name):
        """Return what was asked for of a post or an event."""
        asked = {*query.get(name, '').split(','), *ALWAYS}
        old = {new: old for old, new in RENAMED.items()}
        asked |= {old.get(field, field) for field in asked}
        expansions = set(query.get('expansions', '').split(','))
        asked |= {field for field, by in EXPANDED.items() if by & expansions}
        return deepcopy({key: value for key, value in row.items() if key in asked})

    def _body(self, rows, query, name, token=''):
        expansions = set(query.get('expansions', '').split(','))
        body = {'meta': {'result_count': len(rows)}}
        if rows:
            body['data'] = [self._fields(row, query, name) for row in rows]
        if token:
            body['meta']['next_token'] = token
        people = {row.get('author_id') or row.get('sender_id') for row in rows}
        users = [u for u in self.users.values() if u['id'] in people]
        keys = {key for row in rows for key in row.get('attachments', {}).get('media_keys', ())}
        media = [FIXTURES[m] for m in ('photo', 'video') if FIXTURES[m]['media_key'] in keys]
        if users and expansions & {'author_id', 'sender_id'}:
            body.setdefault('includes', {})['users'] = [self._user(u, query) for u in users]
        if media and 'attachments.media_keys' in expansions:
            wanted = query.get('media.fields', '').split(',')
            body.setdefault('includes', {})['media'] = [
                {k: v for k, v in m.items() if k in {*wanted, 'media_key', 'type'}} for m in media
            ]
        return body

    def _user(self, user, query):
        asked = {*query.get('user.fields', '').split(','), 'id', 'name', 'username'}
        return {key: value for key, value in user.items() if key in asked}

    def _timeline(self, rows, query, reach=None):
        """Return a page of posts, newest first, by ids or times and by the token of a page."""
        since, until = query.get('since_id'), query.get('until_id')
        if reach:
            for name, number in (('since_id', since), ('until_id', until)):
                if number and _time_of(number) < datetime.now(timezone.utc) - reach:
                    return 400, _invalid(name, number)
            start = query.get('start_time')
            if start and _parse(start) < datetime.now(timezone.utc) - reach:
                return 400, _invalid('start_time', start)
        if since:
            rows = [row for row in rows if int(row['id']) > int(since)]
        elif 'start_time' in query:
            rows = [row for row in rows if _time_of(row['id']) >= _parse(query['start_time'])]
        if until:
            rows = [row for row in rows if int(row['id']) < int(until)]
        return self._page(rows, query, 'tweet.fields' if self.names == 'tweet' else 'post.fields')

    def _page(self, rows, query, name):
        rows = sorted(rows, key=lambda row: int(row['id']), reverse=True)
        token = query.get('pagination_token', '')
        if token:
            assert re.fullmatch(r'page0+\d+', token)
            rows = [row for row in rows if int(row['id']) < int(token[4:])]
        size = int(query.get('max_results', 10))
        page = rows[:size]
        following = f'page{int(page[-1]["id"]):024d}' if len(rows) > size else ''
        return 200, self._body(page, query, name, following)

    def _users_me(self, _request, query):
        return 200, {'data': self._user(self.person('acme'), query)}

    def _by_username(self, _request, query, name):
        if name in self.users:
            return 200, {'data': self._user(self.users[name], query)}
        return 200, {'errors': [_not_found('user', 'username', name, self.names)]}

    def _mentions(self, _request, query, number):
        assert number == ME
        return self._timeline([p for p in self.posts if '@acme ' in self._whole(p)], query)

    def _own(self, _request, query, number):
        assert number == ME
        return self._timeline([p for p in self.posts if p['author_id'] == ME], query)

    def _search(self, _request, query):
        asked = query['query']
        conversation = re.fullmatch(r'conversation_id:(\d+)', asked)
        if conversation:
            rows = [p for p in self.posts if p['conversation_id'] == conversation[1]]
            return self._timeline(rows, query, WEEK)
        found = re.fullmatch(r'("[^"]+"|#\w+|\(.+\)) -is:retweet -from:acme', asked)
        assert found, f'not understood: {asked}'
        # The language of X is ours, as far as it is used here.
        wanted = parse(found[1])
        rows = [p for p in self.posts if wanted.matches(Text(self._whole(p)))]
        rows = [p for p in rows if p['author_id'] != ME]
        rows = [p for p in rows if _time_of(p['id']) > datetime.now(timezone.utc) - WEEK]
        return self._timeline(rows, query, WEEK)

    def _whole(self, post):
        return post.get('note_tweet', post)['text']

    def _by_ids(self, _request, query):
        wanted = query['ids'].split(',')
        rows = []
        for post in self.posts:
            if post['id'] in wanted:
                private = post['author_id'] == ME and {
                    name: FIXTURES[name] for name in ('non_public_metrics', 'organic_metrics')
                }
                rows.append({**post, **(private or {})})
        body = self._body(rows, query, f'{self.names}.fields')
        del body['meta']
        known = {row['id'] for row in rows}
        gone = [number for number in wanted if number not in known]
        if gone:
            body['errors'] = [_not_found('tweet', 'ids', number, self.names) for number in gone]
        return 200, body

    def _by_id(self, _request, query, number):
        rows = [post for post in self.posts if post['id'] == number]
        if not rows:
            return 200, {'errors': [_not_found('tweet', 'id', number, self.names)]}
        body = self._body(rows, query, f'{self.names}.fields')
        return 200, {'data': body['data'][0], 'includes': body.get('includes', {})}

    def _events(self, _request, query):
        limit = datetime.now(timezone.utc) - timedelta(days=30)
        rows = [event for event in self.messages if _time_of(event['id']) > limit]
        return self._page(rows, query, 'dm_event.fields')

    def _event(self, _request, query, number):
        rows = [event for event in self.messages if event['id'] == number]
        return 200, {'data': self._fields(rows[0], query, 'dm_event.fields')}

    # --- writing ----------------------------------------------------------------------------------

    def _create(self, request, _query):
        body = json.loads(request.body)
        text = body.get('text', '')
        target = body.get('reply', {}).get('in_reply_to_tweet_id')
        if self.uninvited:
            return 403, UNINVITED
        if any(self.texts.get(p['id']) == text and not target for p in self.posts):
            return 403, DUPLICATE
        answered = next((p for p in self.posts if p['id'] == target), None)
        shown, urls = _shortened(text)
        if answered:
            shown = f'@rita {shown}'
        attached = [self.uploads[n] for n in body.get('media', {}).get('media_ids', ())]
        assert all(upload['ready'] for upload in attached)
        post = self.write('acme', shown, answers=answered)
        if urls:
            post['entities']['urls'] = urls
        self.texts[post['id']] = text
        return 201, {'data': {'id': post['id'], 'text': post['text']}}

    def _create_message(self, request, _query, _who):
        body = json.loads(request.body)
        event = self.write_message('acme', body.get('text', ''), 0)
        self.texts[event['id']] = body.get('text', '')
        return 201, {
            'data': {'dm_conversation_id': event['dm_conversation_id'], 'dm_event_id': event['id']}
        }

    def _delete(self, _request, _query, number):
        gone = not any(row['id'] == number for row in (*self.posts, *self.messages))
        if gone:
            return 404, {
                'title': 'Not Found Error',
                'detail': f'Could not find {number}.',
                'type': 'https://api.x.com/2/problems/resource-not-found',
            }
        self.forget(number)
        return 200, {'data': {'deleted': True}}

    def _initialize(self, request, _query):
        number = str(7000 + len(self.uploads))
        body = json.loads(request.body)
        self.uploads[number] = {**body, 'content': b'', 'ready': False}
        return 200, {
            'data': {'id': number, 'media_key': f'3_{number}', 'expires_after_secs': 86400}
        }

    def _append(self, request, _query, number):
        head = re.search(rb'name="segment_index"\r\n\r\n(\d+)', request.body)
        assert int(head[1]) == self.uploads[number].setdefault('segments', 0)
        self.uploads[number]['segments'] += 1
        part = re.search(
            rb'name="media"; filename="[^"]+"\r\n.*?\r\n\r\n(.*)\r\n--', request.body, re.S
        )
        self.uploads[number]['content'] += part[1]
        return 200, {'data': {'expires_at': int(_epoch(hours=24))}}

    def _finalize(self, _request, _query, number):
        upload = self.uploads[number]
        assert len(upload['content']) == upload['total_bytes']
        return 200, {'data': self._upload_state(number)}

    def _status(self, _request, query):
        assert query['command'] == 'STATUS'
        return 200, {'data': self._upload_state(query['media_id'])}

    def _upload_state(self, number):
        data = {'id': number, 'media_key': f'3_{number}'}
        if self.processing:
            self.processing -= 1
            state = {'state': 'in_progress', 'check_after_secs': 0, 'progress_percent': 10}
            return {**data, 'processing_info': state}
        self.uploads[number]['ready'] = True
        return data

    def _metadata(self, request, _query):
        body = json.loads(request.body)
        self.uploads[body['id']]['alt'] = body['metadata']['alt_text']['text']
        return 200, {'data': {'id': body['id']}}


# --- pieces ---------------------------------------------------------------------------------------


def _shortened(text):
    """Return a text as X shows it: escaped, links shortened; and the links."""
    urls = []

    def short(match):
        urls.append(
            {
                'start': 0,
                'end': 16,
                'url': f'https://t.co/{len(urls):03d}',
                'expanded_url': match[0],
                'display_url': match[0][:20],
            }
        )
        return urls[-1]['url']

    text = re.sub(r'https?://\S+', short, text)
    return text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;'), urls


def _not_found(kind, parameter, value, names):
    host = 'twitter' if names == 'tweet' else 'x'
    return {
        'value': value,
        'resource_id': value,
        'resource_type': kind,
        'parameter': parameter,
        'title': 'Not Found Error',
        'detail': f'Could not find {kind} with {parameter}: [{value}].',
        'type': f'https://api.{host}.com/2/problems/resource-not-found',
    }


def _invalid(name, value):
    message = f'Invalid {name}: [{value}].'
    return {
        'errors': [{'parameters': {name: [value]}, 'message': message}],
        'title': 'Invalid Request',
        'detail': 'One or more parameters were invalid.',
        'type': 'https://api.x.com/2/problems/invalid-request',
    }


def _time_of(number):
    return datetime.fromtimestamp(((int(number) >> 22) + 1288834974657) / 1000, timezone.utc)


def _parse(text):
    return datetime.fromisoformat(text.replace('Z', '+00:00'))


def _epoch(**ahead):
    return str(int((datetime.now(timezone.utc) + timedelta(**ahead)).timestamp()))
