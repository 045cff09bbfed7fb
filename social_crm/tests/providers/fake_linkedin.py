"""LinkedIn's API in memory, as the reference of the network describes it.

It answers through ``responses``. Where the documents of ``../shared/specs`` are present, every
request and every answer is checked against them: see :mod:`.linkedin_spec`.
"""

import html
import json
import re
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import requests

from ...providers.http import Http
from ...providers.linkedin import LinkedIn
from ...providers.types import App, Outgoing, Profile, Token

API = 'https://api.linkedin.com'
ORG = 'urn:li:organization:2414183'
ADA = 'urn:li:person:Ab1cD'
RITA = 'urn:li:person:Zz9'
SCOPES = (
    'r_basicprofile',
    'rw_organization_admin',
    'r_organization_social',
    'w_organization_social',
    'w_member_social',
    'r_marketing_leadgen_automation',
    'r_ads',
)
DATA = Path(__file__).parent / 'data'
FORM = json.loads((DATA / 'linkedin_form.json').read_text())
DEAD = {
    'status': 401,
    'serviceErrorCode': 65600,
    'code': 'INVALID_ACCESS_TOKEN',
    'message': 'Invalid access token',
}
DENIED = {
    'status': 403,
    'serviceErrorCode': 100,
    'code': 'ACCESS_DENIED',
    'message': 'Not enough permissions to access: x.GET.20260701',
}
GONE = {'status': 404, 'code': 'NOT_FOUND', 'message': 'Not found'}


class FakeLinkedIn:
    """The network, and the hands of the people on it."""

    streams = (('notifications', ''), ('lead_forms', ''))
    missing_id = 'urn:li:share:999'
    bad = {'lastModifiedAt': 'yesterday', 'submittedAt': 'yesterday'}

    def __init__(self, stubs, spec=None):
        self.spec = spec
        self.calls, self.faults = [], []
        self.token, self.code = 'good-token-7f3a', 'code-1b2c'
        self.scope = ','.join(SCOPES)
        self.number = 7000
        self.notes, self.submissions = [], []  # pairs of a time and an entry
        self.comments, self.posts = [], []
        self.uploads = {}
        self.refused = set()  # paths, or an owner of leads
        self.busy = 0
        self.refresh_days = 365
        self.subscribed = []
        self.actions_pushed = {}
        self.statistics = {}
        self.accounts = [
            {'id': 55, 'name': 'Acme EU', 'test': False, 'reference': ORG},
            {
                'id': 56,
                'name': 'Other',
                'test': False,
                'referenceInfo': {
                    'organization': {'id': 9, 'localizedName': 'Other', 'vanityName': 'other'}
                },
            },
        ]
        self.lead_kind = 'COMPANY'
        for method in ('GET', 'POST', 'PUT', 'DELETE'):
            stubs.add_callback(
                method,
                re.compile(r'https://[\w.]*(linkedin\.com|licdn\.example)/.*'),
                callback=self._answer,
            )

    # --- the harness of contract.py --------------------------------------------------------------

    def provider(self, token=None, **values):
        """Return an adapter that acts for the organisation ``acme``."""
        app = App('client-1', 'client-secret-9', redirect_uri='https://odoo.example/cb')
        http = values.pop('http', None) or Http(user_agent='social_crm-test')
        granted = values.pop('scopes', SCOPES)
        me = values.pop('me', Profile(ORG, 'acme'))
        extra = {'organization': ORG} if me.external_id == ORG else {}
        provider = LinkedIn(
            http,
            values.pop('app', app),
            Token(token or self.token, 'refresh-1', scopes=granted, extra=extra),
            me,
        )
        provider.media_pause = 0
        return provider

    def member(self, **values):
        return self.provider(me=Profile(ADA, 'ada-adler'), **values)

    def put(self, stream, text, minutes_ago=1.0, **values):
        if stream == 'lead_forms':
            return self.submit(text, minutes_ago, **values)
        return str(self.notify(text, minutes_ago, **values)['notificationId'])

    def forget(self, entry_id):
        self.notes = [n for n in self.notes if str(n[1]['notificationId']) != entry_id]
        self.submissions = [s for s in self.submissions if s[1]['id'] != entry_id]

    def spoil(self, entry_id, **values):
        self.spec = None  # from here on the answers are wrong on purpose
        for _at, entry in (*self.notes, *self.submissions):
            if entry_id in {entry.get('id'), str(entry.get('notificationId'))}:
                entry.update({name: value for name, value in values.items() if name in entry})

    def mend(self, payload):
        names = {'lastModifiedAt', 'submittedAt'} & set(payload)
        return {**deepcopy(payload), **dict.fromkeys(names, _ms(_now()))}

    def item_id(self, entry_id):
        for _at, entry in self.notes:
            if str(entry['notificationId']) == entry_id:
                return entry['generatedActivity']
        return f'urn:li:leadGenFormResponse:{entry_id}'

    def fault(self, fault):
        self.faults.append(fault)

    def lose_answer(self, fault=None):
        self.faults.append(('after', fault or requests.ReadTimeout('read timed out')))

    def outgoing(self, text='Yes, we ship', kind='reply', **values):
        """Return an answer to a fresh comment."""
        note = self.notify('Do you ship?')
        return Outgoing(
            kind,
            text,
            note['generatedActivity'],
            target_author=Profile(RITA, 'Zz9'),
            conversation_id=note['sourcePost'],
            **values,
        )

    @property
    def sent(self):
        own = [comment['message']['text'] for comment in self.comments if comment['actor'] == ORG]
        return own + [post['commentary'] for post in self.posts]

    # --- what people do --------------------------------------------------------------------------

    def notify(self, text, minutes_ago=1.0, action='COMMENT', owner=RITA, **values):
        """Let somebody comment on our post, or name us; return the notification."""
        at, number = _now() - timedelta(minutes=minutes_ago), self._number()
        text = html.unescape(text)
        kind = 'share' if action.startswith('SHARE') else 'comment'
        urn = f'urn:li:share:{number}'
        found = {'owner': owner, 'text': text, 'entity': urn}
        if kind == 'comment':
            urn = f'urn:li:comment:(urn:li:activity:7002,{number})'
            found |= {'entity': urn, 'object': 'urn:li:activity:7002'}
            self.comments.append(self._comment(str(number), owner, text, 'urn:li:activity:7002'))
        entry = {
            'notificationId': 990000 + number,
            'organizationalEntity': ORG,
            'action': action,
            'sourcePost': 'urn:li:share:7001',
            'generatedActivity': urn,
            'lastModifiedAt': _ms(at),
            'decoratedGeneratedActivity': {kind: found},
            **values,
        }
        self.notes.append((at, entry))
        return entry

    def submit(self, text, minutes_ago=1.0, **values):
        """Let somebody fill the form in; return the submission's id."""
        at = _now() - timedelta(minutes=minutes_ago)
        number = f'{self._number():08d}-0000-4000-8000-00000000000a-5'
        owner = {'organization': ORG}
        if self.lead_kind == 'SPONSORED':
            owner = {'sponsoredAccount': 'urn:li:sponsoredAccount:55'}
        answers = [
            (107234246, 'Eva'),
            (207234246, 'eva@acme.example'),
            (407234246, html.unescape(text)),
        ]
        entry = {
            'id': number,
            'owner': owner,
            'leadType': self.lead_kind,
            'submitter': RITA,
            'versionedLeadGenFormUrn': 'urn:li:versionedLeadGenForm:(urn:li:leadGenForm:3162,1)',
            'submittedAt': _ms(at),
            'testLead': False,
            'leadMetadata': {'sponsoredLeadMetadata': {'campaign': 'urn:li:sponsoredCampaign:77'}},
            'associatedEntity': {'associatedCreative': 'urn:li:sponsoredCreative:88'},
            'formResponse': {
                'answers': [
                    *(
                        {
                            'questionId': asked,
                            'answerDetails': {'textQuestionAnswer': {'answer': a}},
                        }
                        for asked, a in answers
                    ),
                    {
                        'questionId': 307234246,
                        'answerDetails': {'multipleChoiceAnswer': {'options': [2]}},
                    },
                ],
                'consentResponses': [
                    {'consentId': 0, 'accepted': True},
                    {'consentId': 4, 'accepted': False},
                ],
            },
            **values,
        }
        self.submissions.append((at, entry))
        return number

    def _number(self):
        self.number += 1
        return self.number

    def _comment(self, number, actor, text, post, parent=''):
        made = {'actor': actor, 'time': _ms(_now())}
        comment = {
            'id': number,
            'commentUrn': f'urn:li:comment:({post},{number})',
            'actor': actor,
            'object': post,
            'message': {'text': text, 'attributes': []},
            'created': made,
            'lastModified': made,
        }
        return {**comment, 'parentComment': parent} if parent else comment

    # --- the network -----------------------------------------------------------------------------

    def _answer(self, request):
        self.calls.append(request)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        after = fault[1] if fault and fault[0] == 'after' else None
        if fault and not after:
            return fault
        checked = self.spec and request.url.startswith(API)
        if checked:
            self.spec.request(request)
        status, headers, body = self._route(request)
        if after:
            self.faults.clear()
            if isinstance(after, Exception):
                raise after
            return after
        if checked:
            self.spec.answer(request.method, request.url, status, body)
        return status, headers, '' if body is None else json.dumps(body)

    def _route(self, request):
        parts = urlsplit(request.url)
        if parts.hostname == 'www.linkedin.com' and parts.path.startswith('/oauth/v2/'):
            return self._oauth(parts.path, {k: v[0] for k, v in parse_qs(request.body).items()})
        if request.method == 'PUT' and not parts.path.startswith('/rest/'):
            return self._put(request)
        if request.headers.get('Authorization') != f'Bearer {self.token}':
            return 401, {}, DEAD
        path = re.sub(r'^/(rest|v2)/', '', parts.path)
        query = dict(part.split('=', 1) for part in parts.query.split('&') if part)
        if path.partition('/')[0] in self.refused:
            return 403, {}, DENIED
        for pattern, handler in (
            (r'me', self._me),
            (r'userinfo', self._userinfo),
            (r'organizationAcls', self._acls),
            (r'organizationsLookup', self._lookup),
            (r'organizations', self._vanity),
            (r'organizations/(\d+)', self._organization),
            (r'networkSizes/(.+)', lambda *_: (200, {}, {'firstDegreeSize': 1204})),
            (r'people', self._people),
            (r'people/\(id:(.+)\)', self._person),
            (r'vanityUrl', self._member),
            (r'organizationalEntityNotifications', self._notifications),
            (r'socialActions/([^/]+)/comments', self._comments),
            (r'socialActions/([^/]+)/comments/([^/]+)', self._one_comment),
            (r'posts', self._posts),
            (r'posts/([^/]+)', self._remove_post),
            (r'(images|videos)', self._begin),
            (r'videos/([^/]+)', self._processed),
            (r'socialMetadata', self._counts),
            (r'organizationalEntityShareStatistics', self._share_statistics),
            (r'videoAnalytics', lambda *_: (200, {}, {'elements': [{'value': 12}]})),
            (r'memberCreatorPostAnalytics', lambda *_: (200, {}, {'elements': [{'count': 7}]})),
            (r'adAccounts', self._ad_accounts),
            (r'leadNotifications', self._subscriptions),
            (r'eventSubscriptions/(.+)', self._subscribe_to_actions),
            (r'leadForms', self._forms),
            (r'leadForms/(\d+)', lambda *_: (200, {}, FORM)),
            (r'leadFormResponses', self._responses),
        ):
            found = re.fullmatch(pattern, path)
            if found:
                return handler(request, query, *map(unquote, found.groups()))
        return 404, {}, GONE

    def _oauth(self, path, form):
        if form['client_secret'] != 'client-secret-9':
            return 401, {}, {'error': 'invalid_client', 'error_description': 'Client auth failed'}
        if path.endswith('introspectToken'):
            return 200, {}, {'active': form['token'] == self.token}
        if path.endswith('revoke'):
            if form['token'] == self.token:
                self.token = 'another-token'
            return 200, {}, {}
        given = form.get('code') or form.get('refresh_token')
        if given not in {self.code, 'refresh-1'}:
            return 400, {}, {'error': 'invalid_grant', 'error_description': f'{given} is expired'}
        assert 'code_verifier' not in form
        self.code = ''
        body = {
            'access_token': self.token,
            'expires_in': 5184000,
            'refresh_token': 'refresh-1',
            'scope': self.scope,
        }
        if self.refresh_days is not None:
            body['refresh_token_expires_in'] = self.refresh_days * 86400
        return 200, {}, body

    def _put(self, request):
        host, number = urlsplit(request.url).hostname, request.url.rpartition('/')[2]
        token = request.headers.get('Authorization')
        if host == 'www.linkedin.com':
            if token != f'Bearer {self.token}':
                return 401, {}, DEAD
        else:
            assert token is None, 'the token leaves LinkedIn'
            assert 'LinkedIn-Version' not in request.headers
        self.uploads[number] = request.body
        return 201, {'ETag': f'"etag-{number}"'}, None

    # --- people and organisations ----------------------------------------------------------------

    def _me(self, *_):
        return (
            200,
            {},
            {
                'id': 'Ab1cD',
                'localizedFirstName': 'Ada',
                'localizedLastName': 'Adler',
                'localizedHeadline': 'Tools',
                'vanityName': 'ada-adler',
            },
        )

    def _userinfo(self, *_):
        return (
            200,
            {},
            {
                'sub': 'Ab1cD',
                'name': 'Ada Adler',
                'given_name': 'Ada',
                'picture': 'https://media.example/ada.jpg',
            },
        )

    def _acls(self, _request, query):
        assert query['q'] == 'roleAssignee'
        rows = [
            {'role': 'ADMINISTRATOR', 'state': 'APPROVED', 'roleAssignee': ADA, name: urn}
            for name, urn in (
                ('organization', ORG),
                ('organizationalTarget', 'urn:li:organization:77'),
            )
        ]
        return 200, {}, _list(rows, query, total=False)

    def _organization(self, _request, _query, number):
        if number != '2414183':
            return 403, {}, DENIED
        return (
            200,
            {},
            {
                'id': 2414183,
                'localizedName': 'Acme Tools',
                'vanityName': 'acme',
                'localizedDescription': 'Tools since 1950',
                'localizedWebsite': 'https://acme.example',
            },
        )

    def _lookup(self, _request, query):
        wanted = _ids(query['ids'])
        known = {'id': 2414183, 'localizedName': 'Acme Tools', 'vanityName': 'acme'}
        return (
            200,
            {},
            {
                'results': {'2414183': known} if '2414183' in wanted else {},
                'statuses': {},
                'errors': {},
            },
        )

    def _vanity(self, _request, query):
        assert query['q'] == 'vanityName'
        rows = [{'id': 2414183, 'localizedName': 'Acme Tools', 'vanityName': 'acme'}]
        return 200, {}, {'elements': rows if unquote(query['vanityName']) == 'acme' else []}

    def _rita(self):
        return {
            'id': 'Zz9',
            'localizedFirstName': 'Rita',
            'localizedLastName': 'Reed',
            'vanityName': 'rita-reed',
            'localizedHeadline': 'Gardener',
        }

    def _people(self, _request, query):
        wanted = re.findall(r'\(id:([^)]+)\)', query['ids'])
        known = {'(id:Zz9)': self._rita()} if 'Zz9' in wanted else {}
        return 200, {}, {'results': known, 'statuses': {}, 'errors': {}}

    def _person(self, _request, _query, number):
        return (200, {}, self._rita()) if number == 'Zz9' else (403, {}, DENIED)

    def _member(self, _request, query):
        known = unquote(query['vanityUrl']) == 'https://www.linkedin.com/in/rita-reed'
        return 200, {}, {'elements': [{'member': RITA}] if known else []}

    # --- reading ---------------------------------------------------------------------------------

    def _notifications(self, _request, query):
        assert unquote(query['organizationalEntity']) == ORG
        rows = _between(self.notes, query['timeRange'])
        actions = _ids(query['actions'])
        rows = [entry for entry in rows[::-1] if entry['action'] in actions]  # newest first
        return 200, {}, _list(rows, query, total=False)

    def _comments(self, request, query, below):
        if request.method == 'POST':
            return self._write_comment(json.loads(request.body), below)
        if below.startswith('urn:li:comment:'):
            rows = [c for c in self.comments if c.get('parentComment') == below]
        else:
            rows = [
                c
                for c in self.comments
                if not c.get('parentComment') and below in {c['object'], 'urn:li:share:7001'}
            ]
        return 200, {}, _list(rows, query)

    def _posts(self, request, query):
        if request.method == 'POST':
            return self._write_post(json.loads(request.body))
        if 'urn:li:person:' in unquote(query['author']):
            return 403, {}, DENIED
        rows = [
            {
                'id': p['id'],
                'author': p['author'],
                'commentary': p['commentary'],
                'createdAt': p['createdAt'],
            }
            for p in self.posts
        ]
        return 200, {}, _list(rows[::-1], query)

    def _counts(self, _request, query):
        known = {c['commentUrn'] for c in self.comments} | {p['id'] for p in self.posts}
        wanted = _ids(query['ids'])
        counts = {
            'reactionSummaries': {
                'LIKE': {'reactionType': 'LIKE', 'count': 2},
                'PRAISE': {'reactionType': 'PRAISE', 'count': 1},
            },
            'commentSummary': {'count': 4, 'topLevelCount': 3},
        }
        return (
            200,
            {},
            {
                'results': {urn: {'entity': urn, **counts} for urn in wanted if urn in known},
                'statuses': {},
                'errors': {
                    urn: {'status': 404, 'message': 'x'} for urn in wanted if urn not in known
                },
            },
        )

    def _share_statistics(self, _request, query):
        rows = []
        for name, field, start in (
            ('shares', 'share', 'urn:li:share:'),
            ('ugcPosts', 'ugcPost', 'urn:li:ugcPost:'),
        ):
            for urn in _ids(query.get(name, 'List()')):
                if not urn.startswith(start):
                    return 403, {}, {**DENIED, 'message': 'Unpermitted fields present'}
                if urn in self.statistics:
                    total = self.statistics[urn]
                    rows.append(
                        {field: urn, 'organizationalEntity': ORG, 'totalShareStatistics': total}
                    )
        return 200, {}, {'elements': rows}

    # --- leads -----------------------------------------------------------------------------------

    def _ad_accounts(self, _request, query):
        assert query['search'] == '(status:(values:List(ACTIVE)),test:false)'
        return 200, {}, _list(self.accounts, query)

    def _subscriptions(self, request, query):
        if request.method == 'POST':
            body = json.loads(request.body)
            if set(body['owner'].values()) & self.refused:
                return 403, {}, DENIED
            self.subscribed.append({'id': self._number(), **body})
            return 201, {'x-restli-id': str(self.number)}, None
        owner, kind = unquote(query['owner']), query['leadType']
        rows = [
            one
            for one in self.subscribed
            if kind == f'(leadType:{one["leadType"]})'
            and owner in {f'(value:({name}:{urn}))' for name, urn in one['owner'].items()}
        ]
        return 200, {}, {'elements': rows}

    def _subscribe_to_actions(self, request, _query, key):
        self.actions_pushed[key] = json.loads(request.body)['webhook']
        return 200, {}, None

    def _forms(self, _request, query):
        own = query['owner'] == f'(organization:{_quoted(ORG)})'
        return 200, {}, _list([FORM] if own else [], query, total=False)

    def _responses(self, _request, query):
        owner = re.fullmatch(r'\((\w+):([^)]+)\)', query['owner'])
        kind, urn = re.fullmatch(r'\(leadType:(\w+)\)', query['leadType'])[1], unquote(owner[2])
        assert (kind == 'SPONSORED') == (owner[1] == 'sponsoredAccount')
        if urn in self.refused:
            return 403, {}, DENIED
        rows = [
            entry
            for entry in _between(self.submissions, query['submittedAtTimeRange'])
            if entry['leadType'] == kind and urn in entry['owner'].values()
        ]
        if 'form' in query['fields']:
            form = {
                name: FORM[name]
                for name in ('id', 'name', 'content', 'hiddenFields', 'creationLocale')
            }
            rows = [{**entry, 'form': form} for entry in rows]
        return 200, {}, _list(rows, query)  # oldest first

    # --- writing ---------------------------------------------------------------------------------

    def _write_comment(self, body, below):
        known = {comment['commentUrn'] for comment in self.comments}
        if below.startswith('urn:li:comment:'):
            first = {c['commentUrn'] for c in self.comments if not c.get('parentComment')}
            if below not in known & first or body.get('parentComment') != below:
                return 400, {}, {'status': 400, 'message': 'parentComment does not fit'}
            post = body['object']
        else:
            if below not in {'urn:li:share:7001', *(post['id'] for post in self.posts)}:
                return 404, {}, {**GONE, 'message': 'Unable to obtain activity for urn'}
            post = 'urn:li:activity:7002'
        number = str(self._number())
        comment = self._comment(
            number, body['actor'], body['message']['text'], post, body.get('parentComment', '')
        )
        self.comments.append(comment)
        return 201, {'x-restli-id': number}, comment

    def _write_post(self, body):
        twin = next((p for p in self.posts if p['commentary'] == body['commentary']), None)
        if twin:
            return (
                422,
                {},
                {
                    'status': 422,
                    'message': f'Content is a duplicate of {twin["id"]}',
                    'errorDetailType': 'com.linkedin.common.error.BadRequest',
                    'errorDetails': {'inputErrors': [{'code': 'DUPLICATE_POST', 'input': {}}]},
                },
            )
        video = 'urn:li:video:' in json.dumps(body.get('content', {}))
        urn = f'urn:li:{"ugcPost" if video else "share"}:{self._number()}'
        self.posts.append({**body, 'id': urn, 'createdAt': _ms(_now())})
        return 201, {'x-restli-id': urn}, None

    def _one_comment(self, request, query, post, number):
        if request.method == 'DELETE':
            return self._remove_comment(request, query, post, number)
        found = [comment for comment in self.comments if comment['id'] == number]
        return (200, {}, found[0]) if found else (404, {}, GONE)

    def _remove_comment(self, _request, query, _post, number):
        assert unquote(query['actor']) == ORG
        kept = [comment for comment in self.comments if comment['id'] != number]
        found, self.comments = len(kept) < len(self.comments), kept
        return (204, {}, None) if found else (404, {}, GONE)

    def _remove_post(self, _request, _query, urn):
        self.posts = [post for post in self.posts if post['id'] != urn]
        return 204, {}, None

    def _begin(self, request, query, kind):
        body, number = json.loads(request.body), self._number()
        if query['action'] == 'finalizeUpload':
            self.uploads['final'] = body['finalizeUploadRequest']
            return 200, {}, None
        asked = body['initializeUploadRequest']
        if kind == 'images':
            where = f'https://www.linkedin.com/dms-uploads/{number}'
            return 200, {}, {'value': {'uploadUrl': where, 'image': f'urn:li:image:{number}'}}
        size, part = asked['fileSizeBytes'], 4
        return (
            200,
            {},
            {
                'value': {
                    'video': f'urn:li:video:{number}',
                    'uploadToken': '',
                    'uploadInstructions': [
                        {
                            'uploadUrl': f'https://dms.licdn.example/{place}',
                            'firstByte': place,
                            'lastByte': min(place + part, size) - 1,
                        }
                        for place in range(0, size, part)
                    ],
                }
            },
        )

    def _processed(self, _request, _query, urn):
        self.busy -= 1
        return 200, {}, {'id': urn, 'status': 'PROCESSING' if self.busy > 0 else 'AVAILABLE'}


# --- pieces ---------------------------------------------------------------------------------------


def _list(rows, query, total=True):
    start, count = int(query.get('start', 0)), int(query.get('count', 10))
    paging = {'start': start, 'count': count, 'links': []}
    if total:
        paging['total'] = len(rows)
    return {'elements': deepcopy(rows[start : start + count]), 'paging': paging}


def _between(rows, text):
    found = re.fullmatch(r'\(start:(\d+),end:(\d+)\)', text)
    start, end = int(found[1]), int(found[2])
    chosen = sorted((row for row in rows if start <= _ms(row[0]) < end), key=lambda row: row[0])
    return [deepcopy(entry) for _at, entry in chosen]


def _ids(text):
    """Return what is in a Rest.li list."""
    found = re.fullmatch(r'List\((.*)\)', text)
    assert found, f'no list: {text}'
    return [unquote(part) for part in found[1].split(',') if part]


def _quoted(urn):
    return urn.replace(':', '%3A')


def _now():
    return datetime.now(timezone.utc)


def _ms(at):
    return int(at.timestamp() * 1000)
