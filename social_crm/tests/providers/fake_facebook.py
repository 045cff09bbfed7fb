"""A Facebook Page in memory, with the hands of its visitors; see :mod:`.fake_graph`."""

import html
import json
from copy import deepcopy
from datetime import datetime, timezone

from social_crm.providers.facebook import Facebook
from social_crm.providers.http import Http
from social_crm.providers.types import App, Outgoing, Profile, Token
from social_crm.tests.providers.fake_graph import SECRET, FakeGraph, GraphError, stamp
from social_crm.tests.providers.meta_spec import split_fields

PAGE, PERSON = '1001', '218471'
SCOPES = Facebook.scopes_for(Facebook.capabilities)
MESSAGES_PER_THREAD = 15


class FakeFacebook(FakeGraph):
    """The page *Demo Bakery*; ``sent`` are the texts that it wrote."""

    streams = (('comments', ''), ('mentions', ''), ('messages', ''), ('lead_forms', ''))
    #: An entry is unreadable without this.
    bad = {'created_time': 'yesterday'}
    missing_id = '2002_999999'

    def __init__(self, stubs, spec=None):
        super().__init__(stubs, spec)
        self.granted = list(SCOPES)
        self.told = {'is_valid': True}
        self.insights_refused = set()
        self.closed_window = set()
        self.uploaded = {}
        created, sort = stamp(60 * 24 * 20)
        self.add(
            'Page',
            PAGE,
            name='Demo Bakery',
            username='demobakery',
            category='Bakery',
            link='https://www.facebook.com/demobakery',
            about='Bread since 1911',
            followers_count=812,
            fan_count=800,
            website='bakery.example',
            access_token=self.token,
            verification_status='blue_verified',
            single_line_address='Mill Lane 1, Brno',
            picture={'data': {'url': 'https://scontent.example/p.png'}},
        )
        self.add('User', PERSON, name='Olga Owner')
        self.tokens = {self.token: PAGE, f'app-1|{SECRET}': 'app-1'}
        self.add('LeadgenForm', '800000000000001', **_form(), sort=0)
        self.post = self.add(
            'PagePost',
            f'{PAGE}_2002',
            message='New opening hours',
            created_time=created,
            sort=sort,
            permalink_url=f'https://www.facebook.com/{PAGE}/posts/2002',
            **{'from': {'id': PAGE, 'name': 'Demo Bakery'}},
        )

    # --- hands -----------------------------------------------------------------------------------

    def provider(self, token=None, **values):
        """Return an adapter that is connected as the page."""
        app = App(
            'app-1',
            SECRET,
            '',
            'https://odoo.example/cb',
            SCOPES,
            values.pop('metadata', {}),
            'open sesame',
        )
        me = Profile(PAGE, 'demobakery', 'Demo Bakery', local_id=PAGE)
        token = Token(
            token or self.token,
            scopes=SCOPES,
            extra={'page_id': PAGE, 'person_id': PERSON, 'person_token': 'person-token-1'},
        )
        return Facebook(
            values.pop('http', None) or Http(user_agent='social_crm-test'),
            app,
            values.pop('token_value', token),
            values.pop('me', me),
        )

    def put(self, stream, text, minutes_ago=1.0, **values):
        """Let something happen that a stream shows; return its id."""
        created, sort = stamp(minutes_ago)
        text = html.unescape(text)
        who = {'id': '7700', 'name': 'Jana Novak'}
        parent = values.pop('parent', None)
        common = {'message': text, 'created_time': created, 'sort': sort, **values}
        if stream == 'comments':
            return self._comment(common, self.post, parent, values.get('from', who))
        if stream == 'mentions':
            self.count += 1
            number = f'7700_{6000 + self.count}'
            link = f'https://www.facebook.com/{number}'
            common = {'from': who, 'permalink_url': link, **common}
            return self.add('PagePost', number, tags=PAGE, **common)
        if stream == 'messages':
            thread = self._thread()
            thread['sort'] = max(sort, thread['sort'])
            person = {'id': thread['person'], 'name': 'Jana Novak'}
            common = {'from': person, 'to': {'data': [{'id': PAGE}]}, **common}
            return self.add('UnifiedMessage', f'm_{self.count}x', thread=thread['id'], **common)
        lead = _lead(text)
        form = '800000000000001'
        return self.add('Lead', created_time=created, sort=sort, form_id=form, **lead)

    def item_id(self, entry_id):
        """Return a comment's id as items have it."""
        return entry_id

    def mend(self, payload):
        """Return the payload of a spoilt entry as it should have been."""
        return {**deepcopy(payload), 'created_time': '2026-09-01T08:12:40+0000'}

    def outgoing(self, text='Yes, we ship', kind='reply', **values):
        """Return an answer to a fresh comment, or a message to a fresh person."""
        author = Profile('7700', '7700', 'Jana Novak')
        if kind == 'message':
            message = self.put('messages', 'Do you ship?')
            person = self.nodes[message]['from']['id']
            author = Profile(person, person, 'Jana Novak')
            values = {'conversation_id': person, **values}
            return Outgoing(kind, text, message, message, author, **values)
        comment = self.put('comments', 'Do you ship?')
        bare = comment.rpartition('_')[2]
        values = {'conversation_id': comment, **values}
        return Outgoing(kind, text, bare, comment, author, **values)

    @property
    def sent(self):
        """Texts that were posted."""
        return [node['message'] for node in self.nodes.values() if node.get('written')]

    def _comment(self, values, post, parent, who, **more):
        self.count += 1
        number = f'2002_{3000 + self.count}'
        parent = {'parent': {'id': parent}} if parent else {}
        link = f'https://www.facebook.com/{post}?comment_id={number}'
        values = {'from': who, 'permalink_url': link, 'like_count': 3, 'comment_count': 1, **values}
        return self.add('Comment', number, post=post, **parent, **values, **more)

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
        if params['client_secret'] != SECRET:
            raise GraphError(1, 0, 'Error validating client secret')
        if params.get('grant_type') == 'client_credentials':
            return {'access_token': 'app-1|x', 'token_type': 'bearer'}
        if params.get('grant_type') == 'fb_exchange_token':
            assert params['fb_exchange_token'] == 'short-token-1'
            self.tokens['person-token-1'] = PERSON
            return {'access_token': 'person-token-1', 'token_type': 'bearer', 'expires_in': 5183999}
        if params.get('code') != 'code-1b2c':
            raise GraphError(100, 36009, 'This authorization code has been used')
        assert params['redirect_uri'] == 'https://odoo.example/cb'
        return {'access_token': 'short-token-1', 'token_type': 'bearer', 'expires_in': 5000}

    def _call(self, token, method, path, params):
        if path == 'debug_token':
            assert params['input_token'] in self.tokens
            return {'data': self.told}
        node, fields = self.nodes.get(path, {}), params.get('fields', '')
        if node.get('kind') == 'PagePost' and 'parent' in dict(split_fields(fields or 'id')):
            # Asked on purpose, to tell a comment from a post.
            raise GraphError(100, 0, '(#100) Tried accessing nonexisting field (parent)')
        return super()._call(token, method, path, params)

    def _get_permissions(self, _node, _params):
        rows = [{'permission': name, 'status': 'granted'} for name in self.granted]
        return {'data': [*rows, {'permission': 'email', 'status': 'declined'}]}

    def _delete_permissions(self, node, _params):
        assert node['id'] == PERSON
        self.tokens.clear()
        return {'success': True}

    def _get_accounts(self, _node, params):
        return self.rows(self.of_kind('Page'), params)

    def _get_businesses(self, _node, _params):
        return {'data': []}

    def _post_subscribed_apps(self, node, params):
        node['subscribed'] = params['subscribed_fields'].split(',')
        return {'success': True}

    def _delete_subscribed_apps(self, node, _params):
        node['subscribed'] = []
        return {'success': True}

    def _by_name(self, name):
        found = [node for node in self.of_kind('Page') if node.get('username') == name]
        if not found and not name.replace('_', '').isdigit():
            raise GraphError(803, 0, 'Some of the aliases you requested do not exist', 404)
        return found[0] if found else None

    # --- reading ---------------------------------------------------------------------------------

    def _get_feed(self, _node, params):
        own = [post for post in self.of_kind('PagePost') if not post.get('tags')]
        return self.rows(own, params)

    _get_published_posts = _get_feed

    def _get_tagged(self, _node, params):
        return self.rows(self.of_kind('PagePost', tags=PAGE), params)

    def _get_comments(self, node, params):
        if node['kind'] == 'Comment':
            found = [c for c in self.of_kind('Comment') if c.get('parent') == {'id': node['id']}]
        else:
            found = self.of_kind('Comment', post=node['id'])
            if params.get('filter') != 'stream':
                found = [comment for comment in found if 'parent' not in comment]
        return self.rows(found, params)

    def _get_reactions(self, _node, _params):
        return {'data': []}

    def _get_conversations(self, _node, params):
        assert params['platform'] == 'messenger'
        threads = self.of_kind('UnifiedThread')
        for thread in threads:
            thread['updated_time'] = stamp()[0] if not thread['sort'] else _iso(thread['sort'])
        if 'user_id' in params:
            threads = [thread for thread in threads if thread['person'] == params['user_id']]
        return self.rows(threads, params)

    def _get_messages(self, node, params):
        return self.rows(self.of_kind('UnifiedMessage', thread=node['id']), params)

    def _get_leadgen_forms(self, _node, params):
        return self.rows(self.of_kind('LeadgenForm'), params)

    def _get_leads(self, node, params):
        leads = self.of_kind('Lead', form_id=node['id'])
        (rule,) = json.loads(params['filtering'])
        assert (rule['field'], rule['operator']) == ('time_created', 'GREATER_THAN')
        return self.rows([lead for lead in leads if lead['sort'] > rule['value']], params)

    def _get_insights(self, _node, params):
        asked = params['metric'].split(',')
        if self.insights_refused & set(asked):
            raise GraphError(100, 0, 'The value must be a valid insights metric')
        values = {'post_media_view': {'paid': 30, 'organic': 400}, 'post_clicks': 17}
        return {
            'data': [
                {
                    'name': name,
                    'period': 'lifetime',
                    'values': [{'value': values[name]}],
                    'title': name,
                    'id': f'{PAGE}/insights/{name}',
                }
                for name in asked
            ]
        }

    # --- writing ---------------------------------------------------------------------------------

    def _is_last_step(self, request):
        path = request.url.partition('?')[0]
        steps = ('/photos', '/message_attachments', '/subscribed_apps', f'/{PAGE}/videos')
        return not path.endswith(steps) or 'finish' in str(request.body)

    def _own(self, **values):
        created, sort = stamp()
        return {
            'created_time': created,
            'sort': sort,
            'written': True,
            **values,
            'from': {'id': PAGE, 'name': 'Demo Bakery'},
        }

    def _post_comments(self, node, params):
        if node['kind'] == 'Comment' and 'parent' in node:
            raise GraphError(100, 0, 'There are two levels only')
        values = self._own(message=params.get('message', ''), photo=params.get('attachment_id'))
        values.pop('from')
        post = node['id'] if node['kind'] == 'PagePost' else node['post']
        parent = node['id'] if node['kind'] == 'Comment' else None
        who = {'id': PAGE, 'name': 'Demo Bakery'}
        return {'id': self._comment(values, post, parent, who)}

    def _post_feed(self, _node, params):
        photos = [row['media_fbid'] for row in json.loads(params.get('attached_media', '[]'))]
        assert set(photos) <= set(self.uploaded)
        self.count += 1
        number = f'{PAGE}_{2100 + self.count}'
        link = f'https://www.facebook.com/{PAGE}/posts/{2100 + self.count}'
        values = self._own(
            message=params.get('message', ''),
            photos=photos,
            permalink_url=link,
            link=params.get('link'),
            shares={'count': 3},
        )
        return {'id': self.add('PagePost', number, **values)}

    def _post_photos(self, _node, params):
        assert params['published'] == 'false'
        number = f'90{len(self.uploaded)}'
        self.uploaded[number] = (params['source'], params.get('alt_text_custom'))
        return {'id': number}

    def _post_videos(self, _node, params):
        phase = params['upload_phase']
        if phase == 'start':
            self.video = {'size': int(params['file_size']), 'content': b''}
            return {'video_id': '4004', 'upload_session_id': '55', **self._piece()}
        assert params['upload_session_id'] == '55'
        if phase == 'transfer':
            assert int(params['start_offset']) == len(self.video['content'])
            self.video['content'] += params['video_file_chunk']
            return self._piece()
        assert phase == 'finish'
        assert len(self.video['content']) == self.video['size']
        number = f'{PAGE}_4005'
        values = self._own(message=params.get('description', ''))
        self.add('PagePost', number, permalink_url=f'https://www.facebook.com/{number}', **values)
        self.add('AdVideo', '4004', post_id='4005', permalink_url='/reel/4004')
        return {'success': True}

    def _piece(self):
        start = len(self.video['content'])
        return {'start_offset': str(start), 'end_offset': str(min(start + 4, self.video['size']))}

    def _post_message_attachments(self, _node, params):
        asked = json.loads(params['message'])['attachment']['type']
        number = f'80{len(self.uploaded)}'
        self.uploaded[number] = (params['filedata'], asked)
        return {'attachment_id': number}

    def _post_messages(self, _node, params):
        if params['messaging_type'] == 'RESPONSE' and self.closed_window:
            raise GraphError(10, 2018278, 'This message is sent outside of allowed window.')
        recipient, message = params['recipient'], params['message']
        person = recipient.get('id') or f'of-{recipient["comment_id"]}'
        threads = [t for t in self.of_kind('UnifiedThread') if t['person'] == person]
        thread = threads[0]['id'] if threads else self.add('UnifiedThread', person=person, sort=0)
        values = self._own(message=message.get('text', ''), to={'data': [{'id': person}]})
        self.nodes[thread]['sort'] = values['sort']
        values['attachment'] = message.get('attachment')
        self.count += 1
        number = self.add('UnifiedMessage', f'm_{self.count}', thread=thread, **values)
        return {'recipient_id': person, 'message_id': number}


def _iso(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime('%Y-%m-%dT%H:%M:%S+0000')


def _form():
    return {
        'name': 'Bread subscription',
        'status': 'ACTIVE',
        'locale': 'cs_CZ',
        'questions': [
            {'key': 'email', 'label': 'E-mail', 'type': 'EMAIL'},
            {'key': 'full_name', 'label': 'Name', 'type': 'FULL_NAME'},
            {'key': 'which_size?', 'label': 'Which size?', 'type': 'CUSTOM'},
        ],
        'legal_content': {
            'custom_disclaimer': {
                'checkboxes': [
                    {'key': 'newsletter', 'text': 'Send me news', 'is_required': False},
                ]
            }
        },
    }


def _lead(text):
    return {
        'field_data': [
            {'name': 'email', 'values': [f'{abs(hash(text))}@example.org']},
            {'name': 'full_name', 'values': ['Jana Novak']},
            {'name': 'which_size?', 'values': [text]},
        ],
        'custom_disclaimer_responses': [{'checkbox_key': 'newsletter', 'is_checked': '1'}],
        'ad_id': '12021',
        'ad_name': 'Ad A',
        'campaign_id': '12023',
        'campaign_name': 'Autumn',
        'platform': 'fb',
        'is_organic': False,
    }
