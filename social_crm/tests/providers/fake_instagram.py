"""An Instagram account in memory, reached by either login; see :mod:`.fake_graph`."""

import html
from copy import deepcopy
from datetime import datetime, timezone
from types import SimpleNamespace

from social_crm.providers.http import Http
from social_crm.providers.instagram import Instagram
from social_crm.providers.instagram_login import FACEBOOK_SCOPES
from social_crm.providers.types import App, Outgoing, Profile, Token
from social_crm.tests.providers.fake_graph import SECRET, FakeGraph, GraphError, stamp

ACCOUNT, PAGE, PERSON = '17841400000000001', '1001', '218471'
SCOPES = Instagram.scopes_for(Instagram.capabilities)
BY_FACEBOOK = tuple(name for scope in SCOPES for name in FACEBOOK_SCOPES[scope])
MESSAGES_PER_THREAD = 15
DISCOVERED = {'username': 'some_shop', 'name': 'Some Shop', 'followers_count': 55}


class FakeInstagram(FakeGraph):
    """The account *demo_bakery*; ``route`` is ``instagram`` or ``facebook``."""

    streams = (('comments', ''), ('mentions', ''), ('messages', ''))
    missing_id = '999999999'

    def __init__(self, stubs, spec=None, route='instagram'):
        self.route = route
        by_facebook = self.needs_proof = route == 'facebook'
        self.hosts = (
            ('graph.facebook.com',) if by_facebook else ('graph.instagram.com', 'api.instagram.com')
        )
        super().__init__(stubs, spec)
        self.kinds = SimpleNamespace(
            user='IGUser' if by_facebook else 'IGUserForIGOnlyAPI',
            media='IGMedia' if by_facebook else 'IGMediaForIGOnlyAPI',
        )
        self.granted = list(BY_FACEBOOK if by_facebook else SCOPES)
        self.told = {'is_valid': True}
        self.flat = True
        self.statuses = []  # of the next looks at a container
        self.quota = 2
        self.refused_fields = set()
        self.closed_window = False
        account = {
            'username': 'demo_bakery',
            'name': 'Demo Bakery',
            'followers_count': 812,
            'follows_count': 12,
            'media_count': 44,
            'biography': 'Bread since 1911',
            'website': 'https://bakery.example',
            'profile_picture_url': 'https://cdn.example/p.jpg',
        }
        own = {} if by_facebook else {'user_id': ACCOUNT, 'account_type': 'BUSINESS'}
        self.add(self.kinds.user, ACCOUNT, **account, **own)
        self.add('User', PERSON, name='Olga Owner')
        linked = {'id': ACCOUNT, **account}
        self.add(
            'Page',
            PAGE,
            name='Demo Bakery',
            access_token=self.token,
            instagram_business_account=linked,
        )
        self.tokens = {self.token: PAGE if by_facebook else ACCOUNT}
        self.tokens[f'app-1|{SECRET}'] = 'app-1'
        self.post = self._media(caption='New opening hours', minutes_ago=60 * 24 * 20)

    # --- hands -----------------------------------------------------------------------------------

    def provider(self, token=None, **values):
        """Return an adapter that is connected as the account."""
        login = {'login': self.route} if self.route == 'facebook' else {}
        app = App(
            'app-1',
            SECRET,
            '',
            'https://odoo.example/cb',
            SCOPES,
            {**login, **values.pop('metadata', {})},
            'open sesame',
        )
        me = Profile(ACCOUNT, 'demo_bakery', 'Demo Bakery', local_id=ACCOUNT)
        extra = {'login': self.route, 'user_id': ACCOUNT, 'person_id': PERSON}
        if self.route == 'facebook':
            extra |= {'page_id': PAGE, 'person_token': 'person-token-1'}
        token = Token(token or self.token, scopes=SCOPES, extra=extra)
        provider = Instagram(
            values.pop('http', None) or Http(user_agent='social_crm-test'),
            app,
            values.pop('token_value', token),
            values.pop('me', me),
        )
        provider.pause = 0
        return provider

    def put(self, stream, text, minutes_ago=1.0, **values):
        """Let something happen that a stream shows; return its id."""
        text = html.unescape(text)
        created, sort = stamp(minutes_ago)
        who = {'id': '5550001', 'username': 'jana.n'}
        if stream == 'comments':
            return self._comment(text, minutes_ago, **{'from': who, **values})
        if stream == 'mentions':
            link = f'https://www.instagram.com/p/{self.count}/'
            return self.add(
                self.kinds.media,
                caption=text,
                timestamp=created,
                sort=sort,
                tags=ACCOUNT,
                username='jana.n',
                permalink=link,
                media_type='IMAGE',
                **values,
            )
        thread = self._thread()
        thread['sort'] = max(sort, thread['sort'])
        person = {'id': thread['person'], 'username': 'jana.n'}
        values = {'from': person, 'to': {'data': [{'id': ACCOUNT}]}, **values}
        self.count += 1
        return self.add(
            'UnifiedMessage',
            f'aWdf{self.count}x',
            thread=thread['id'],
            message=text,
            created_time=created,
            sort=sort,
            **values,
        )

    def put_elsewhere(self, text, **values):
        """Let somebody name the account in a post of their own, which no list shows."""
        number = self.put('mentions', text, **values)
        super().spoil(number, tags='nobody')
        return number

    def spoil(self, number, **values):
        """Change an object; a message has its time under another name."""
        if 'created_time' in self.nodes[number] and 'timestamp' in values:
            values['created_time'] = values.pop('timestamp')
        super().spoil(number, **values)

    #: An entry is unreadable without this.
    bad = {'timestamp': 'yesterday'}

    def mend(self, payload):
        """Return the payload of a spoilt entry as it should have been."""
        name = 'created_time' if 'created_time' in payload else 'timestamp'
        return {**deepcopy(payload), name: '2026-09-01T08:12:40+0000'}

    def outgoing(self, text='Yes, we ship', kind='reply', **values):
        """Return an answer to a fresh comment, or a message to a fresh person."""
        if kind == 'message':
            message = self.put('messages', 'Do you ship?')
            person = self.nodes[message]['from']['id']
            author = Profile(person, 'jana.n')
            return Outgoing(kind, text, message, message, author, person, **values)
        comment = self.put('comments', 'Do you ship?')
        values = {'conversation_id': comment, **values}
        return Outgoing(kind, text, comment, comment, Profile('5550001', 'jana.n'), **values)

    @property
    def sent(self):
        """Texts that were posted."""
        return [
            node.get('text') or node.get('caption') or node.get('message') or ''
            for node in self.nodes.values()
            if node.get('written')
        ]

    def _comment(self, text, minutes_ago=0.0, parent=None, media=None, **values):
        created, sort = stamp(minutes_ago)
        who = values.get('from') or {}
        parent = {'parent_id': parent} if parent else {}
        return self.add(
            'IGComment',
            text=text,
            timestamp=created,
            sort=sort,
            media={'id': media or self.post},
            username=who.get('username'),
            like_count=3,
            hidden=False,
            **parent,
            **values,
        )

    def _media(self, minutes_ago=0.0, **values):
        created, sort = stamp(minutes_ago)
        self.count += 1
        link = f'https://www.instagram.com/p/{self.count}/'
        return self.add(
            self.kinds.media,
            timestamp=created,
            sort=sort,
            permalink=link,
            like_count=5,
            comments_count=2,
            username='demo_bakery',
            **values,
        )

    def _thread(self):
        threads = self.of_kind('UnifiedThread')
        if threads:
            held = self.of_kind('UnifiedMessage', thread=threads[-1]['id'])
            if len(held) < MESSAGES_PER_THREAD:
                return threads[-1]
        number = self.add('UnifiedThread', f't_{self.count}', person=f'88{self.count}', sort=0)
        return self.nodes[number]

    # --- login -----------------------------------------------------------------------------------

    def _grant(self, params):
        kind = params.get('grant_type')
        if kind == 'ig_refresh_token':
            if params['access_token'] not in self.tokens:
                raise GraphError(190, 463, 'Error validating access token: Session has expired')
            self.tokens['long-token-2'] = ACCOUNT
            return {'access_token': 'long-token-2', 'token_type': 'bearer', 'expires_in': 5183944}
        assert params['client_secret'] == SECRET
        if kind == 'ig_exchange_token':
            assert params['access_token'] == 'short-token-1'
            self.tokens['long-token-1'] = ACCOUNT
            return {'access_token': 'long-token-1', 'token_type': 'bearer', 'expires_in': 5183944}
        if kind == 'fb_exchange_token':
            self.tokens['person-token-1'] = PERSON
            return {'access_token': 'person-token-1', 'token_type': 'bearer', 'expires_in': 5e6}
        if kind == 'client_credentials':
            return {'access_token': 'app-1|x', 'token_type': 'bearer'}
        if params.get('code') != 'code-1b2c':
            error = GraphError(100)
            error.body = {'error_type': 'OAuthException', 'code': 400, 'error_message': 'Used'}
            raise error
        if self.route == 'facebook':
            return {'access_token': 'short-token-1', 'token_type': 'bearer', 'expires_in': 5000}
        granted = self.granted if self.flat else ','.join(self.granted)
        row = {'access_token': 'short-token-1', 'user_id': 9988, 'permissions': granted}
        return row if self.flat else {'data': [row]}

    def _get_permissions(self, _node, _params):
        return {'data': [{'permission': name, 'status': 'granted'} for name in self.granted]}

    def _delete_permissions(self, _node, _params):
        self.tokens.clear()
        return {'success': True}

    def _get_accounts(self, _node, params):
        return self.rows(self.of_kind('Page'), params)

    def _get_subscribed_apps(self, node, _params):
        return {'data': [{'id': 'app-1'}] if node.get('subscribed') else []}

    def _post_subscribed_apps(self, node, params):
        node['subscribed'] = params['subscribed_fields'].split(',')
        return {'success': True}

    def _delete_subscribed_apps(self, node, _params):
        node['subscribed'] = []
        return {'success': True}

    # --- reading ---------------------------------------------------------------------------------

    def _call(self, token, method, path, params):
        if path == 'debug_token':
            assert params['input_token'] in self.tokens
            return {'data': self.told}
        node, fields = self.nodes.get(path, {}), params.get('fields', '')
        # Asked on purpose, to tell a comment from a post.
        alien = {'IGComment': 'comments_count', self.kinds.media: 'replies'}.get(node.get('kind'))
        if method == 'GET' and alien and alien in fields:
            raise GraphError(100, 0, f'(#100) Tried accessing nonexisting field ({alien})')
        return super()._call(token, method, path, params)

    def project(self, node, fields):
        for name in self.refused_fields:
            if name in fields:
                raise GraphError(100, 0, f'(#100) Tried accessing nonexisting field ({name})')
        if 'business_discovery' in fields:
            if DISCOVERED['username'] not in fields:
                raise GraphError(110, 2207013, 'Invalid user id')
            return {'id': node['id'], 'business_discovery': {'id': '178', **DISCOVERED}}
        return super().project(node, fields)

    def _get_media(self, node, params):
        if node['kind'] == 'IGComment':
            return node['media']
        own = [one for one in self.of_kind(self.kinds.media) if not one.get('tags')]
        return self.rows(own, params)

    def _get_mentioned_media(self, _node, params):
        return self._named(self.kinds.media, params['media_id'], params)

    def _get_mentioned_comment(self, _node, params):
        return self._named('IGComment', params['comment_id'], params)

    def _named(self, kind, number, params):
        node = self.nodes.get(number)
        if not node or node['kind'] != kind:
            raise GraphError(100, 33, f'Object with ID {number!r} does not exist')
        return self.project(node, params['fields'])

    def _get_tags(self, _node, params):
        return self.rows(self.of_kind(self.kinds.media, tags=ACCOUNT), params)

    def _get_comments(self, node, params):
        found = self.of_kind('IGComment', media={'id': node['id']})
        return self.rows([one for one in found if 'parent_id' not in one], params)

    def _get_replies(self, node, params):
        return self.rows(self.of_kind('IGComment', parent_id=node['id']), params)

    def _get_conversations(self, node, params):
        assert params['platform'] == 'instagram'
        assert node['id'] == (PAGE if self.route == 'facebook' else ACCOUNT)
        threads = self.of_kind('UnifiedThread')
        for thread in threads:
            moment = datetime.fromtimestamp(thread['sort'], timezone.utc)
            thread['updated_time'] = moment.strftime('%Y-%m-%dT%H:%M:%S+0000')
        if 'user_id' in params:
            threads = [thread for thread in threads if thread['person'] == params['user_id']]
        return self.rows(threads, params)

    def _get_messages(self, node, params):
        return self.rows(self.of_kind('UnifiedMessage', thread=node['id']), params)

    def _get_content_publishing_limit(self, _node, _params):
        config = {'quota_total': 100, 'quota_duration': 86400}
        return {'data': [{'quota_usage': self.quota, 'config': config}]}

    def _get_insights(self, node, params):
        if node['kind'] != self.kinds.media:
            raise GraphError(100, 0, 'No insights here')
        values = {'views': 430, 'shares': 3}
        return {
            'data': [
                {'name': name, 'period': 'lifetime', 'values': [{'value': values[name]}]}
                for name in params['metric'].split(',')
            ]
        }

    # --- writing ---------------------------------------------------------------------------------

    def _is_last_step(self, request):
        path = request.url.partition('?')[0]
        return not path.endswith(('/media', '/message_attachments', '/subscribed_apps'))

    def _post_replies(self, node, params):
        if 'parent_id' in node:
            raise GraphError(100, 0, 'Replies go below a comment on top')
        return self._wrote(params['message'], parent=node['id'], media=node['media']['id'])

    def _post_comments(self, node, params):
        return self._wrote(params['message'], media=node['id'])

    def _post_mentions(self, _node, params):
        return self._wrote(
            params['message'], media=params['media_id'], parent=params.get('comment_id')
        )

    def _wrote(self, text, **values):
        who = {'id': ACCOUNT, 'username': 'demo_bakery'}
        return {'id': self._comment(text, written=True, **{'from': who}, **values)}

    def _post_media(self, _node, params):
        files = [params[name] for name in ('image_url', 'video_url') if name in params]
        if any('broken' in file for file in files):
            raise GraphError(9004, 2207052, 'The media could not be fetched from this URI')
        children = params.get('children', '').split(',') if 'children' in params else []
        assert all(self.nodes[child]['kind'] == 'ShadowIGMediaBuilder' for child in children)
        return {'id': self.add('ShadowIGMediaBuilder', asked=params)}

    def _get_shadowigmediabuilder(self, node, params):
        status = self.statuses.pop(0) if self.statuses else ('FINISHED', '')
        node['status_code'], node['status'] = status
        return self.project(node, params['fields'])

    def _post_media_publish(self, _node, params):
        container = self.nodes[params['creation_id']]
        assert not container.get('published'), 'the same container, once more'
        if container.get('status_code') != 'FINISHED':
            raise GraphError(9007, 2207027, 'Media ID is not available')
        container['published'] = True
        self.quota += 1
        return {
            'id': self._media(
                caption=container['asked'].get('caption', ''),
                container=container['asked'],
                written=True,
            )
        }

    def _post_message_attachments(self, _node, params):
        return {'attachment_id': self.add('Upload', content=params['filedata'])}

    def _post_messages(self, node, params):
        assert node['id'] == (PAGE if self.route == 'facebook' else ACCOUNT)
        if self.closed_window:
            raise GraphError(10, 2534022, 'This message is sent outside of allowed window.')
        recipient, message = params['recipient'], params['message']
        person = recipient.get('id') or f'of-{recipient["comment_id"]}'
        threads = [t for t in self.of_kind('UnifiedThread') if t['person'] == person]
        thread = threads[0]['id'] if threads else self.add('UnifiedThread', person=person, sort=0)
        created, sort = stamp()
        self.nodes[thread]['sort'] = sort
        self.count += 1
        number = self.add(
            'UnifiedMessage',
            f'aWdf{self.count}y',
            thread=thread,
            written=True,
            sort=sort,
            message=message.get('text', ''),
            created_time=created,
            given=message,
            to={'data': [{'id': person}]},
            **{'from': {'id': ACCOUNT, 'username': 'demo_bakery'}},
        )
        return {'recipient_id': person, 'message_id': number}
