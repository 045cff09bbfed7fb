"""YouTube in memory. It answers through ``responses``, and gives only the parts that were asked
for; with the discovery document at hand every request and every answer is checked against it."""

import html
import json
import re
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests

from ...providers.http import Http
from ...providers.types import App, Outgoing, Profile, Token
from ...providers.youtube import YouTube
from . import oauth_spec
from .youtube_spec import parts_of

HOST = 'https://youtube.googleapis.com'
UPLOAD = 'https://www.googleapis.com/upload/youtube/v3/videos'
SESSION = f'{UPLOAD}?uploadType=resumable&upload_id=xa298sd_sdlkj2'
FIXTURES = json.loads((Path(__file__).parent / 'data' / 'youtube.json').read_text())
SCOPES = YouTube.scopes_for(YouTube.capabilities)
ME = FIXTURES['channel']['id']
#: Answers that come along with a conversation.
INLINE = 5


class Quick(YouTube):
    """Waits for nothing."""

    search_pause = timedelta(0)
    upload_pause = 0


class FakeYouTube:
    """The service, and the hands of the people on it; see :mod:`.contract`."""

    streams = (('comments', ''), ('search', 'ship'))
    bad = {'publishedAt': 'yesterday'}
    missing_id = 'UgxGONEGONEGONEGONEGONE4AaABAg'

    def __init__(self, stubs, spec=None, newest_replies=True):
        self.spec = spec
        self.newest_replies = newest_replies
        self.calls, self.faults = [], []
        self.comments, self.videos, self.channels = [], [], {}
        self.token, self.code, self.refresh = 'good-token-7f3a', 'code-1b2c', 'refresh-1'
        self.granted = SCOPES
        self.texts, self.stored, self.uploading = {}, b'', None
        self.count = 0
        self.mine = self.channel('acmegarden', ME)
        self.film = self.video('acmegarden', 'Our film', 60 * 24 * 30)
        for pattern in (HOST, 'https://www.googleapis.com', 'https://oauth2.googleapis.com'):
            for method in ('GET', 'POST', 'DELETE', 'PUT'):
                stubs.add_callback(
                    method, re.compile(re.escape(pattern) + '/.*'), callback=self._answer
                )

    # --- what tests use --------------------------------------------------------------------------

    def provider(self, token=None, **values):
        app = App('client-1', 'client-secret-9', '', 'https://odoo.example/cb', SCOPES)
        me = Profile(ME, 'acmegarden', local_id=ME)
        http = values.pop('http', None) or Http(user_agent='social_crm-test')
        grant = Token(token or self.token, self.refresh, extra=values.pop('extra', {}))
        kind = values.pop('kind', Quick)
        return kind(http, values.pop('app', app), grant, values.pop('me', me))

    def put(self, stream, text, minutes_ago=1.0, **values):
        text = html.unescape(text)  # the contract writes HTML, the service gives plain text
        if stream == 'search':
            return self.video('rita-k', f'{text} ship', minutes_ago, **values)['id']
        return self.comment('rita-k', text, minutes_ago, **values)['id']

    def forget(self, number):
        self.comments = [row for row in self.comments if row['id'] != number]
        self.videos = [row for row in self.videos if row['id'] != number]

    def spoil(self, number, **values):
        self.spec = None  # from here on the answers are wrong on purpose
        for row in (*self.comments, *self.videos):
            if row['id'] == number:
                row['snippet'].update(values)

    def mend(self, payload):
        payload = deepcopy(payload)
        inner = payload.get('comment') or payload['video']
        inner['snippet'] |= {'publishedAt': '2026-09-01T08:12:40Z'}
        return payload

    def item_id(self, number):
        return number

    def fault(self, fault):
        self.faults.append(fault)

    def lose_answer(self, fault=None):
        self.faults.append(('after', fault or requests.ReadTimeout('read timed out')))

    def outgoing(self, text='Yes, we ship', kind='reply', **values):
        asked = self.comment('rita-k', 'Do you ship?')
        target = Profile(asked['snippet']['authorChannelId']['value'], 'rita-k')
        return Outgoing(kind, text, asked['id'], asked['id'], target, asked['id'], **values)

    @property
    def sent(self):
        return [
            self.texts[row['id']]
            for row in (*self.comments, *self.videos)
            if row['id'] in self.texts
        ]

    # --- people and what they do -----------------------------------------------------------------

    def channel(self, handle, number=None):
        if handle not in self.channels:
            found = deepcopy(FIXTURES['channel'])
            found['id'] = number or f'UC{len(self.channels):022d}'
            found['snippet'] |= {'customUrl': f'@{handle}', 'title': handle.title()}
            self.channels[handle] = found
        return self.channels[handle]

    def comment(self, handle, text, minutes_ago=1.0, parent=None, video=None, **values):
        at = _iso(minutes_ago)
        self.count += 1
        number = f'Ugx{self.count:018d}_4AaABAg'
        row = deepcopy(FIXTURES['comment'])
        row['id'] = f'{parent["id"]}.{self.count:09d}' if parent else number
        row['snippet'] |= {
            'authorDisplayName': f'@{handle}',
            'channelId': ME,
            'textDisplay': text,
            'authorChannelId': {'value': self.channel(handle)['id']},
            'textOriginal': text,
            'videoId': video or self.film['id'],
            'publishedAt': at,
            'updatedAt': at,
            **values,
        }
        if parent:
            row['snippet']['parentId'] = parent['id']
            del row['snippet']['videoId'], row['snippet']['channelId']
        self.comments.append(row)
        return row

    def video(self, handle, title, minutes_ago=1.0, **values):
        self.count += 1
        row = deepcopy(FIXTURES['video'])
        owner = self.channel(handle)
        row['id'] = f'vid{self.count:08d}'
        row['snippet'] |= {
            'channelId': owner['id'],
            'channelTitle': owner['snippet']['title'],
            'title': title,
            'description': 'See https://acme.example',
            'publishedAt': _iso(minutes_ago),
            **values,
        }
        self.videos.append(row)
        return row

    # --- the service -----------------------------------------------------------------------------

    def _answer(self, request):
        self.calls.append(request)
        fault = self.faults.pop(0) if self.faults else None
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
        headers = {'Content-Type': 'application/json; charset=UTF-8', **headers}
        return status, headers, '' if body is None else json.dumps(body)

    def _route(self, request):
        url = urlsplit(request.url)
        if url.hostname == 'oauth2.googleapis.com':
            return self._oauth(request, url.path)
        if request.headers.get('Authorization') != f'Bearer {self.token}':
            return 401, {}, _error(401, 'authError', 'Invalid Credentials')[1]
        if request.method == 'PUT':
            return self._piece(request)
        if self.spec:
            self.spec.request(request)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if request.url.startswith(UPLOAD):
            return self._start_upload(request)
        name = url.path.removeprefix('/youtube/v3/')
        handler = getattr(self, f'_{request.method.lower()}_{name}')
        status, body = handler(request, query)
        if self.spec:
            self.spec.answer(request.method, request.url, status, body)
        return status, {}, body

    def _oauth(self, request, path):
        if path == '/revoke':
            form = oauth_spec.form_of(request, 'revocation_request')
            if form['token'] not in {self.token, self.refresh}:
                return 400, {}, {'error': 'invalid_token', 'error_description': 'Token expired'}
            self.token = self.refresh = 'gone'
            return 200, {}, {}
        form = oauth_spec.form_of(request, 'token_request')
        if (form['client_id'], form['client_secret']) != ('client-1', 'client-secret-9'):
            return 401, {}, {'error': 'invalid_client', 'error_description': 'Unauthorized'}
        given = form.get('code') or form.get('refresh_token')
        if given not in {self.code, self.refresh}:
            description = 'Token has been expired or revoked.'
            return 400, {}, {'error': 'invalid_grant', 'error_description': description}
        body = {
            'access_token': self.token,
            'expires_in': 3599,
            'token_type': 'Bearer',
            'scope': ' '.join(self.granted),
        }
        if form['grant_type'] == 'authorization_code':
            self.code = ''
            body['refresh_token'] = self.refresh
        oauth_spec.check('token', body)
        return 200, {}, body

    # --- reading ---------------------------------------------------------------------------------

    def _list(self, request, query, kind, rows, size=50):
        """Return a page of rows (in their order), with the parts that were asked for."""
        start = 0
        if 'pageToken' in query:
            found = re.fullmatch(r'PAGE(\d+)', query['pageToken'])
            if not found:
                return _error(400, 'invalidPageToken', 'The page token is not valid.')
            start = int(found[1])
        limit = min(int(query.get('maxResults', 20)), size) if 'id' not in query else 50
        assert 'id' not in query or query['id'].count(',') < 50
        always = {'kind', 'etag', 'id'}
        asked = {*parts_of(request), *always}
        page = [{k: v for k, v in row.items() if k in asked} for row in rows[start : start + limit]]
        body = {
            'kind': f'youtube#{kind}ListResponse',
            'etag': 'e0',
            'items': deepcopy(page),
            'pageInfo': {'totalResults': len(rows), 'resultsPerPage': limit},
        }
        if len(rows) > start + limit:
            body['nextPageToken'] = f'PAGE{start + limit}'
        return 200, body

    def _get_channels(self, request, query):
        rows = list(self.channels.values())
        if query.get('mine') == 'true':
            rows = [self.mine] if isinstance(self.mine, dict) else self.mine
        elif 'forHandle' in query:
            rows = [c for c in rows if c['snippet']['customUrl'] == f'@{query["forHandle"]}']
        else:
            rows = [c for c in rows if c['id'] in query['id'].split(',')]
        status, body = self._list(request, query, 'channel', rows)
        if not rows:
            del body['items']
        return status, body

    def _get_commentThreads(self, request, query):
        rows = [row for row in self.comments if '.' not in row['id']]
        if 'id' in query:
            rows = [row for row in rows if row['id'] in query['id'].split(',')]
        elif 'videoId' in query:
            rows = [row for row in rows if row['snippet']['videoId'] == query['videoId']]
        else:
            assert query['allThreadsRelatedToChannelId'] == ME
        rows = sorted(rows, key=lambda row: row['snippet']['publishedAt'], reverse=True)
        return self._list(request, query, 'commentThread', list(map(self._thread, rows)), 100)

    def _thread(self, row):
        replies = self._replies(row['id'])
        snippet = {
            'channelId': ME,
            'videoId': row['snippet']['videoId'],
            'topLevelComment': row,
            'canReply': True,
            'totalReplyCount': len(replies),
            'isPublic': True,
        }
        thread = {'kind': 'youtube#commentThread', 'etag': 'e', 'id': row['id'], 'snippet': snippet}
        if replies:
            shown = replies[:INLINE] if self.newest_replies else replies[::-1][:INLINE]
            thread['replies'] = {'comments': shown}
        return thread

    def _replies(self, number):
        rows = [row for row in self.comments if row['id'].startswith(f'{number}.')]
        return sorted(rows, key=lambda row: row['snippet']['publishedAt'], reverse=True)

    def _get_comments(self, request, query):
        if 'id' in query:
            rows = [row for row in self.comments if row['id'] in query['id'].split(',')]
        elif not any(row['id'] == query['parentId'] for row in self.comments):
            return _error(404, 'commentNotFound', 'The comment <b>cannot</b> be found.')
        else:
            rows = self._replies(query['parentId'])
        return self._list(request, query, 'comment', rows, 100)

    def _get_search(self, request, query):
        term, after = query['q'].strip('"'), query['publishedAfter']
        rows = [row for row in self.videos if term in row['snippet']['title']]
        rows = [row for row in rows if row['snippet']['publishedAt'] >= after]
        rows = sorted(rows, key=lambda row: row['snippet']['publishedAt'], reverse=True)
        names = ('channelId', 'channelTitle', 'title', 'publishedAt', 'liveBroadcastContent')
        found = [
            {
                'kind': 'youtube#searchResult',
                'etag': 'e',
                'id': {'kind': 'youtube#video', 'videoId': row['id']},
                'snippet': {name: row['snippet'][name] for name in names},
            }
            for row in rows
        ]
        return self._list(request, query, 'search', found)

    def _get_videos(self, request, query):
        rows = [row for row in self.videos if row['id'] in query['id'].split(',')]
        return self._list(request, query, 'video', rows)

    def _get_playlistItems(self, request, query):
        assert query['playlistId'] == 'UU' + ME[2:]
        rows = [
            {
                'kind': 'youtube#playlistItem',
                'etag': 'e',
                'id': f'PL{row["id"]}',
                'snippet': {
                    'resourceId': {'kind': 'youtube#video', 'videoId': row['id']},
                    **{n: row['snippet'][n] for n in ('title', 'description', 'publishedAt')},
                },
            }
            for row in self.videos[::-1]
            if row['snippet']['channelId'] == ME
        ]
        return self._list(request, query, 'playlistItem', rows)

    # --- writing ---------------------------------------------------------------------------------

    def _post_comments(self, request, _query):
        snippet = json.loads(request.body)['snippet']
        parent = [row for row in self.comments if row['id'] == snippet['parentId']]
        if not parent:
            return _error(404, 'parentCommentNotFound', 'The parent comment cannot be found.')
        text = snippet['textOriginal']
        row = self.comment('acmegarden', text, 0, parent=parent[0])
        self.texts[row['id']] = text
        return 200, deepcopy(row)

    def _post_commentThreads(self, request, _query):
        snippet = json.loads(request.body)['snippet']
        owner = [v['snippet']['channelId'] for v in self.videos if v['id'] == snippet['videoId']]
        assert owner == [snippet['channelId']]
        text = snippet['topLevelComment']['snippet']['textOriginal']
        row = self.comment('acmegarden', text, 0, video=snippet['videoId'])
        self.texts[row['id']] = text
        return 200, deepcopy(self._thread(row))

    def _delete_comments(self, _request, query):
        return self._delete('comment', query['id'])

    def _delete_videos(self, _request, query):
        return self._delete('video', query['id'])

    def _delete(self, kind, number):
        if not any(row['id'] == number for row in (*self.comments, *self.videos)):
            return _error(404, f'{kind}NotFound', f'The {kind} cannot be found.')
        self.forget(number)
        return 204, None

    def _start_upload(self, request):
        self.uploading = (json.loads(request.body), dict(request.headers))
        self.stored = b''
        return 200, {'Location': SESSION}, None

    def _piece(self, request):
        """Take a piece, or tell how much arrived."""
        assert request.url == SESSION
        body, headers = self.uploading
        total = int(headers['X-Upload-Content-Length'])
        place = request.headers['Content-Range']
        found = re.fullmatch(r'bytes (?:(\d+)-(\d+)|\*)/(\d+)', place)
        assert int(found[3]) == total
        if found[1]:
            piece = request.body
            assert (int(found[1]), int(found[2]) + 1) == (
                len(self.stored),
                len(self.stored) + len(piece),
            )
            self.stored += piece
        if len(self.stored) < total:
            end = len(self.stored) - 1
            return 308, {'Range': f'bytes=0-{end}'} if self.stored else {}, None
        video = next((v for v in self.videos if v.get('bytes') == self.stored), None)
        if not video:
            snippet = body['snippet']
            video = self.video(
                'acmegarden',
                snippet['title'],
                0,
                **{name: value for name, value in snippet.items() if name != 'title'},
            )
            video['status'] |= body['status']
            video['bytes'] = self.stored
            self.texts[video['id']] = snippet['description']
        shown = {
            k: deepcopy(v) for k, v in video.items() if k in {'kind', 'id', 'snippet', 'status'}
        }
        if self.spec:
            self.spec.check('Video', shown, 'upload')
        return 201, {}, shown


# --- pieces ---------------------------------------------------------------------------------------


def _error(status, reason, message):
    row = {'message': message, 'domain': 'youtube.comment', 'reason': reason}
    return status, {'error': {'code': status, 'message': message, 'errors': [row]}}


def error_answer(status, reason, message='No', **values):
    """Return an error of the service as a fault."""
    body = _error(status, reason, message)[1]
    body['error'] |= values
    return status, {}, json.dumps(body)


def _iso(minutes_ago):
    at = datetime.now(timezone.utc) - timedelta(minutes=minutes_ago)
    return at.strftime('%Y-%m-%dT%H:%M:%SZ')
