"""What is particular to Facebook Pages."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from social_crm.providers import adapter_class, meta
from social_crm.providers.errors import (
    AuthorizationLost,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    Rejected,
    Transient,
)
from social_crm.providers.facebook import Facebook
from social_crm.providers.facebook_items import Reader
from social_crm.providers.types import App, Media, Metrics, Outgoing, Profile, Question, Token
from social_crm.tests.providers.contract import WEEK, drain, now
from social_crm.tests.providers.fake_facebook import PAGE, PERSON, SCOPES, FakeFacebook
from social_crm.tests.providers.fake_graph import SECRET

DATA = Path(__file__).parent / 'data' / 'meta'
PNG = b'\x89PNG\r\n\x1a\nxxxx'
STILL, FILM = 'https://scontent.example/s.jpg', 'https://video.example/v.mp4'
JPEG = Media('image/jpeg', description='Fresh bread', filename='bread.jpg', content=b'\xff\xd8x')


@pytest.fixture
def network(stubs, meta_spec):
    return FakeFacebook(stubs, meta_spec)


@pytest.fixture
def provider(network):
    return network.provider()


def stranger(network):
    """Return the adapter of somebody who only comes back from the dialog."""
    return network.provider(token_value=None, me=None)


def items_of(provider, stream, **values):
    return drain(provider, stream, '', since=now() - WEEK, **values)[0]


def error_body(code, subcode=0):
    error = {'message': 'no', 'code': code, 'error_subcode': subcode}
    return 400, {}, json.dumps({'error': error})


def test_it_is_registered():
    assert adapter_class('facebook') is Facebook
    assert Facebook.api_version == meta.GRAPH_VERSION


# --- connect --------------------------------------------------------------------------------------


def test_the_dialog_is_asked_with_state_and_a_list_of_scopes(network):
    url = (
        stranger(network)
        .authorize_url(state='st', challenge='ch', scopes=['pages_show_list', 'pages_messaging'])
        .url
    )
    query = parse_qs(urlsplit(url).query)
    assert urlsplit(url).path == f'/{meta.GRAPH_VERSION}/dialog/oauth'
    assert query['scope'] == ['pages_show_list,pages_messaging']
    assert query['state'] == ['st']
    assert 'code_challenge' not in query  # the plain dialog takes none
    assert 'client_secret' not in query


def test_a_configuration_takes_the_place_of_scopes(network):
    provider = network.provider(metadata={'config_id': '77'})
    query = parse_qs(urlsplit(provider._dialog('st', ['a']).url).query)
    assert query['config_id'] == ['77']
    assert 'scope' not in query


def test_a_code_becomes_a_long_token_with_what_was_granted(network):
    network.granted.remove('pages_messaging')
    token = stranger(network).exchange_code(
        code='code-1b2c', verifier='v', private={}, params={'state': 'st'}
    )
    assert token.access_token == 'person-token-1'
    assert timedelta(days=59) < token.expires_at - now() < timedelta(days=61)
    assert set(token.scopes) == {*SCOPES} - {'pages_messaging'}
    assert token.extra['person_id'] == PERSON
    assert all('client-secret' not in call.url for call in network.calls)


def test_a_used_code_is_refused(network):
    for code in ('used', ''):
        with pytest.raises(Rejected):
            stranger(network).exchange_code(code=code, verifier='', private={}, params={})
    with pytest.raises(Rejected, match='said no'):
        stranger(network).exchange_code(
            code='',
            verifier='',
            private={},
            params={'error': 'access_denied', 'error_description': 'said no'},
        )


def test_a_login_offers_its_pages_each_with_a_token_of_its_own(network, stubs):
    network.add('Page', '1009', name='Other', access_token='other-page-token')
    network.add('Page', '1010', name='No task on it')
    login = stranger(network)
    login.token = login.exchange_code(code='code-1b2c', verifier='', private={}, params={})
    found = {account.profile.external_id: account for account in login.brand_accounts()}
    assert set(found) == {PAGE, '1009'}
    bakery = found[PAGE]
    assert bakery.token.access_token == network.token
    assert bakery.token.expires_at is None
    assert bakery.token.scopes == login.token.scopes
    assert bakery.profile.handle == 'demobakery'
    page = Facebook(login.http, login.app, bakery.token)
    assert page.whoami() == bakery.profile
    assert page.whoami().followers == 812
    assert login.whoami().external_id == PERSON


def test_a_page_has_the_scopes_that_were_given_for_it(network):
    until = now() + timedelta(days=90)
    network.told = {
        'data_access_expires_at': int(until.timestamp()),
        'granular_scopes': [
            {'scope': 'pages_messaging', 'target_ids': ['1009']},
            {'scope': 'leads_retrieval', 'target_ids': [PAGE, '1009']},
            {'scope': 'pages_manage_posts'},
            None,
            {'target_ids': []},
        ],
    }
    login = stranger(network)
    login.token = login.exchange_code(code='code-1b2c', verifier='', private={}, params={})
    (page,) = login.brand_accounts()
    assert set(page.token.scopes) == {*SCOPES} - {'pages_messaging'}
    assert abs(page.token.expires_at - until) < timedelta(seconds=2)
    assert set(page.token.extra) == {'person_id', 'page_id', 'person_token'}


@pytest.mark.parametrize('told', [None, [], {'granular_scopes': 5}, {'data_access_expires_at': 0}])
def test_a_network_that_tells_nothing_of_a_token(network, told):
    network.told = told
    login = stranger(network)
    login.token = login.exchange_code(code='code-1b2c', verifier='', private={}, params={})
    (page,) = login.brand_accounts()
    assert (page.token.expires_at, set(page.token.scopes)) == (None, {*SCOPES})


def test_pages_of_a_business_come_too(network):
    business = network.add('Business')
    network._get_businesses = lambda _node, _params: {'data': [{'id': business}]}
    owned = {'id': '1011', 'name': 'Owned', 'access_token': 'owned-token'}
    network._get_owned_pages = lambda _node, _params: {'data': [owned]}
    network._get_client_pages = lambda _node, _params: {'data': []}
    login = stranger(network)
    login.token = login.exchange_code(code='code-1b2c', verifier='', private={}, params={})
    assert [one.profile.name for one in login.brand_accounts()] == ['Demo Bakery', 'Owned']
    login.token = replace(login.token, scopes=('pages_show_list',))
    assert [one.profile.name for one in login.brand_accounts()] == ['Demo Bakery']


def test_each_call_carries_the_proof_and_no_token_in_its_address(network, provider):
    provider.whoami()
    provider.send(network.outgoing(), 'k')
    for call in network.calls:
        proof = parse_qs(urlsplit(call.url).query)['appsecret_proof'][0]
        assert proof == meta.appsecret_proof(SECRET, network.token)
        assert network.token not in call.url


def test_revoking_takes_the_persons_grant_back(network, provider):
    network.tokens['person-token-1'] = PERSON
    network.nodes[PAGE]['subscribed'] = ['feed']
    provider.revoke()
    assert network.paths('DELETE') == [f'{PAGE}/subscribed_apps', f'{PERSON}/permissions']
    assert network.tokens == {}
    assert network.nodes[PAGE]['subscribed'] == []
    with pytest.raises(AuthorizationLost):
        provider.whoami()


def test_a_grant_is_revoked_whatever_becomes_of_the_pushes(network, provider):
    for body in (error_body(200), error_body(100), error_body(190, 460)):
        network.tokens = {'person-token-1': PERSON}
        network.fault(body)
        provider.revoke()
        assert network.tokens == {}
    network.fault((503, {}, ''))
    with pytest.raises(Transient):
        provider.revoke()


def test_the_app_is_checked_without_a_login(network):
    stranger(network).check_app()
    wrong = stranger(network)
    for app in (App('app-1', 'wrong'), App('app-1'), App()):
        wrong.app = app
        with pytest.raises((Rejected, Transient)):
            wrong.check_app()


def test_pushes_are_asked_for(network, provider):
    provider.subscribe()
    assert {'feed', 'mention', 'messages', 'leadgen'} <= {*network.nodes[PAGE]['subscribed']}
    scopes = set(SCOPES) - {'pages_messaging', 'leads_retrieval'}  # else all would be refused
    provider.token = replace(provider.token, scopes=tuple(scopes))
    provider.subscribe()
    assert network.nodes[PAGE]['subscribed'] == ['feed', 'mention']


def test_a_page_that_comes_through_no_business_needs_no_business_scope():
    scopes = Facebook.capabilities['lead_forms']
    assert Facebook.covers(set(scopes) - {'business_management'}, scopes)
    assert Facebook.covers({*scopes, 'ads_read'} - {'ads_management'}, scopes)
    assert not Facebook.covers(set(scopes) - {'leads_retrieval'}, scopes)


# --- listen ---------------------------------------------------------------------------------------


def test_answers_to_comments_come_with_what_they_answer(network, provider):
    top = network.put('comments', 'Do you ship?', minutes_ago=5)
    answer = network.put('comments', 'I wonder too', parent=top)
    first, second = items_of(provider, 'comments')
    assert (first.kind, first.parent_external_id) == ('comment', f'{PAGE}_2002')
    assert (second.kind, second.parent_local_id) == ('reply', top)
    assert second.parent_external_id == first.external_id
    assert first.conversation_id == second.conversation_id == top
    assert second.local_id == answer


def test_own_answers_given_elsewhere_are_recognised(network, provider):
    top = network.put('comments', 'Do you ship?', minutes_ago=5)
    network.put('comments', 'Yes', parent=top, **{'from': {'id': PAGE, 'name': 'Demo Bakery'}})
    assert [item.own for item in items_of(provider, 'comments')] == [False, True]


def test_posts_of_visitors_are_mentions(network, provider):
    who = {'id': '7700', 'name': 'Jana Novak'}
    post = network.put('mentions', 'Best #bread in town', **{'from': who})
    network.nodes[post]['tags'] = None
    (item,) = items_of(provider, 'comments')
    assert (item.kind, item.external_id, item.hashtags) == ('mention', post, ('bread',))


def test_a_hidden_author_is_somebody(network, provider):
    number = network.put('comments', 'Hm')
    network.spoil(number, **{'from': None})
    (item,) = items_of(provider, 'comments')
    assert item.author.external_id == f'hidden:{item.external_id}'


def test_comments_below_old_posts_are_found_within_the_hour(network, provider):
    for number in range(30):  # the newest ones push the old one off the first page
        network.add(
            'PagePost',
            f'{PAGE}_40{number}',
            created_time='2026-11-01T00:00:00+0000',
            sort=2e9 + number,
            **{'from': {'id': PAGE}},
        )
    _, cursor = drain(provider, 'comments', '', since=now() - WEEK)
    network.put('comments', 'Still open?')
    assert drain(provider, 'comments', '', cursor)[0] == []
    data = json.loads(cursor)
    data['deep_since'] = (now() - timedelta(hours=2)).isoformat(timespec='seconds')
    assert [item.text for item in drain(provider, 'comments', '', json.dumps(data))[0]] == [
        'Still open?'
    ]


def test_a_post_that_goes_away_between_pages_is_no_error(network, provider):
    for number in range(60):
        network.put('comments', f'n{number}', minutes_ago=60 - number)
    page = provider.fetch('comments', '', since=now() - WEEK)
    assert page.more
    network.forget(network.post)
    page = provider.fetch('comments', page.next_cursor)
    assert not page.more


def test_a_conversation_is_named_by_the_other_person(network, provider):
    network.put('messages', 'Hello', minutes_ago=3)
    thread = network.of_kind('UnifiedThread')[0]
    network.put(
        'messages',
        'Good day',
        minutes_ago=2,
        to={'data': [{'id': thread['person']}]},
        **{'from': {'id': PAGE, 'name': 'Demo Bakery'}},
    )
    first, second = items_of(provider, 'messages')
    assert (first.own, second.own) == (False, True)
    assert first.conversation_id == second.conversation_id == thread['person']
    assert first.author.external_id == thread['person']
    assert first.visibility == 'direct'


@pytest.mark.parametrize(
    ('attached', 'media'),
    [
        ({'type': 'photo', 'media': {'image': {'src': STILL}}}, ('image/jpeg', STILL, STILL)),
        (
            {'type': 'video_inline', 'media': {'image': {'src': STILL}, 'source': FILM}},
            ('video/mp4', FILM, STILL),
        ),
        (
            {'type': 'video_inline', 'media': {'image': {'src': STILL}}},
            ('image/jpeg', STILL, STILL),
        ),
        ({'type': 'sticker', 'url': STILL}, ('image/png', STILL, '')),
    ],
)
def test_what_is_attached_to_a_comment_is_kept(network, provider, attached, media):
    network.put('comments', 'See', attachment=attached)
    (item,) = items_of(provider, 'comments')
    kind, url, preview = media
    assert item.media == (Media(kind, url, preview=preview),)


def test_files_of_messages_are_kept(network, provider):
    rows = [
        {
            'id': '1',
            'mime_type': 'image/png',
            'name': 'a.png',
            'image_data': {
                'url': 'https://scontent.example/a.png',
                'preview_url': 'https://scontent.example/a_s.png',
            },
        },
        {
            'id': '4',
            'mime_type': 'video/mp4',
            'video_data': {
                'url': 'https://scontent.example/v.mp4',
                'preview_url': 'https://scontent.example/v.jpg',
            },
        },
        {'id': '2', 'mime_type': 'nonsense', 'file_url': 'https://scontent.example/f'},
        {'id': '3', 'file_url': 'javascript:alert(1)'},
        None,
    ]
    network.put('messages', 'See', attachments={'data': rows})
    (item,) = items_of(provider, 'messages')
    assert item.media == (
        Media(
            'image/png',
            'https://scontent.example/a.png',
            filename='a.png',
            preview='https://scontent.example/a_s.png',
        ),
        Media(
            'video/mp4',
            'https://scontent.example/v.mp4',
            preview='https://scontent.example/v.jpg',
        ),
        Media('application/octet-stream', 'https://scontent.example/f'),
    )


def test_too_much_at_once_is_asked_in_smaller_pages(network, provider):
    network.put('comments', 'Hello')
    network.fault(error_body(1))
    assert len(items_of(provider, 'comments')) == 1
    limits = [parse_qs(urlsplit(call.url).query)['limit'] for call in network.calls]
    assert limits == [['25'], ['6']]
    for _try in range(4):
        network.fault(error_body(1))
    with pytest.raises(Transient):
        provider.fetch('comments', '')


def test_usage_is_told(network, provider):
    usage = '{"call_count":28,"total_time":12,"total_cputime":9}'
    network.fault((200, {'X-App-Usage': usage}, '{"data": []}'))
    provider.fetch('mentions', '')
    assert provider.http.last_rate_limit.remaining == 72


def test_a_throttle_is_one_although_it_comes_as_400(network, provider):
    usage = {PAGE: [{'type': 'pages', 'call_count': 101, 'estimated_time_to_regain_access': 7}]}
    headers = {'X-Business-Use-Case-Usage': json.dumps(usage)}
    network.fault((400, headers, error_body(80001)[2]))
    with pytest.raises(RateLimited) as caught:
        provider.fetch('comments', '')
    assert timedelta(minutes=6) < caught.value.until - now() < timedelta(minutes=8)


def test_paging_addresses_are_not_followed(network, provider):
    body = {
        'data': [],
        'paging': {'cursors': {'after': 'WzAsIDBd'}, 'next': 'https://evil.example/x'},
    }
    network.fault((200, {}, json.dumps(body)))
    page = provider.fetch('mentions', '', since=now() - WEEK)
    assert not page.more
    assert {urlsplit(call.url).netloc for call in network.calls} == {'graph.facebook.com'}


def test_around_a_comment(network, provider):
    top = network.put('comments', 'Do you ship?', minutes_ago=5)
    middle = network.put('comments', 'I wonder too', minutes_ago=4, parent=top)
    network.nodes[middle]['parent'] = network.project(
        network.nodes[top], 'id,message,from,created_time'
    )
    assert [item.text for item in provider.thread('x', middle)] == ['Do you ship?']
    network.nodes[middle]['parent'] = {'id': top}
    assert [item.text for item in provider.thread('x', top)] == ['I wonder too']
    assert len(provider.thread(network.post, network.post)) == 1
    elsewhere = network.put('mentions', 'Try Demo Bakery')
    network._comment(
        {'message': 'I will', 'created_time': '2026-11-02T08:15:00+0000', 'sort': 1},
        elsewhere,
        None,
        {'id': '7701', 'name': 'Eva'},
    )
    assert [item.text for item in provider.thread(elsewhere, elsewhere)] == ['I will']
    assert provider.thread('m_abc', 'm_abc') == ()
    with pytest.raises(NotFound):
        provider.thread('1', '2002_1')


def test_profiles(network, provider):
    assert provider.profile('@demobakery').name == 'Demo Bakery'
    network.add('User', '7700', name='Jana Novak', profile_pic='https://scontent.example/j.jpg')
    assert provider.profile('7700').name == 'Jana Novak'
    for handle in ('', '..', '@', 'no/such?fields=access_token', '12345'):
        with pytest.raises(NotFound):
            provider.profile(handle)


# --- lead forms -----------------------------------------------------------------------------------


def test_forms_have_their_questions_and_consents(network, provider):
    network.add('LeadgenForm', '8002', name='Old', status='ARCHIVED')
    forms = {form.external_id: form for form in provider.lead_forms()}
    assert not forms['8002'].active
    form = forms['800000000000001']
    assert (form.name, form.language, form.active) == ('Bread subscription', 'cs', True)
    assert form.questions == (
        Question('email', 'E-mail', 'EMAIL'),
        Question('full_name', 'Name', 'FULL_NAME'),
        Question('which_size?', 'Which size?', 'CUSTOM'),
        Question('newsletter', 'Send me news', 'CHECKBOX', consent=True),
    )


def test_a_lead_has_answers_consents_and_what_brought_it(network, provider):
    network.put('lead_forms', 'large')
    (item,) = items_of(provider, 'lead_forms')
    assert item.kind == 'lead_form'
    assert item.form_id == '800000000000001'
    assert item.fields['full_name'] == item.author.name == 'Jana Novak'
    assert item.fields['which_size?'] == 'large'
    assert item.fields['newsletter'] == 'true'
    assert item.author.handle == item.fields['email']
    assert item.attribution == {
        'ad_id': '12021',
        'ad_name': 'Ad A',
        'campaign_id': '12023',
        'campaign_name': 'Autumn',
        'platform': 'fb',
        'is_organic': 'false',
    }
    assert not item.test


def test_all_forms_are_read_with_little_pages(network, provider):
    for number in range(30):
        network.add('LeadgenForm', f'81{number}', name=f'F{number}', status='ACTIVE')
    for number in range(60):
        lead = network.put('lead_forms', f'n{number}', minutes_ago=60 - number)
        network.nodes[lead]['form_id'] = f'81{number % 30}'
    assert len({item.external_id for item in items_of(provider, 'lead_forms')}) == 60


def test_the_same_person_is_the_same_author(network, provider):
    rows = [{'name': 'email', 'values': ['Jana@Example.org']}]
    for number in range(2):
        lead = network.put('lead_forms', f'n{number}')
        network.nodes[lead]['field_data'] = rows
        rows = [{'name': 'work_email', 'values': ['jana@example.org ']}]
    first, second = items_of(provider, 'lead_forms')
    assert first.author.external_id == second.author.external_id


def test_blank_unknown_double_and_hostile_answers_do_no_harm(provider):
    lead = json.loads((DATA / 'lead_hostile.json').read_text())
    (item,) = provider.read('lead_forms', lead).items
    assert item.fields == {
        'email': 'jana@example.org, second@example.org',
        'toppings': 'seeds, salt',
        '__class__': '<script>alert(1)</script>',
        'flat': 'just text',
        'newsletter': 'true',
        'partners': 'false',
    }
    assert item.attribution == {'platform': 'ig', 'is_organic': 'true'}
    for value in (None, [], 'x', {'a': 1}):
        (item,) = provider.read('lead_forms', {**lead, 'field_data': value}).items
        assert item.author.external_id == 'lead:900000000000002'


@pytest.mark.parametrize(
    'row',
    [
        {'name': 'full_name', 'values': ['<test lead: dummy data for full_name>']},
        {'name': 'email', 'values': ['test@meta.com']},
    ],
)
def test_a_trial_is_marked(network, provider, row):
    lead = network.put('lead_forms', 'large')
    network.nodes[lead]['field_data'] = [row]
    (item,) = items_of(provider, 'lead_forms')
    assert item.test


def test_leads_without_the_right_say_so(network, provider):
    network.fault(error_body(200))
    with pytest.raises(PermissionMissing):
        provider.fetch('lead_forms', '')


# --- send -----------------------------------------------------------------------------------------


def test_an_answer_to_an_answer_goes_below_the_comment_on_top(network, provider):
    top = network.put('comments', 'Do you ship?', minutes_ago=5)
    answer = network.put('comments', 'I wonder too', parent=top)
    (_first, item) = items_of(provider, 'comments')
    outgoing = Outgoing('reply', 'Yes', item.external_id, item.local_id, item.author)
    for values in ({'conversation_id': item.conversation_id}, {}):
        sent = provider.send(replace(outgoing, **values), 'k')
        assert network.nodes[sent.local_id]['parent'] == {'id': top}
    assert network.nodes[answer]['message'] == 'I wonder too'  # and was not overwritten


def test_a_comment_takes_a_picture(network, provider):
    sent = provider.send(network.outgoing('See', media=(JPEG,)), 'k')
    assert network.uploaded[network.nodes[sent.local_id]['photo']] == (b'\xff\xd8x', 'Fresh bread')
    with pytest.raises(Rejected):
        provider.send(network.outgoing('See', media=(JPEG, JPEG)), 'k')


def test_messages_are_answered_within_the_window(network, provider):
    outgoing = network.outgoing('Yes', 'message')
    before = now()
    sent = provider.send(outgoing, 'k')
    call = json.loads(network.calls[-1].body)
    assert call['messaging_type'] == 'RESPONSE'
    assert call['recipient'] == {'id': outgoing.target_author.external_id}
    assert provider.find_sent(outgoing, 'k', before).external_id == sent.external_id
    assert provider.find_sent(replace(outgoing, text='No'), 'k', before) is None
    network.closed_window.add(1)
    with pytest.raises(Rejected) as caught:
        provider.send(outgoing, 'k')
    assert caught.value.code == '10.2018278'


def test_reviewed_apps_answer_for_seven_days(network):
    network.closed_window.add(1)
    network.provider(metadata={'human_agent': True}).send(network.outgoing('Yes', 'message'), 'k')
    call = json.loads(network.calls[-1].body)
    assert (call['messaging_type'], call['tag']) == ('MESSAGE_TAG', 'HUMAN_AGENT')
    assert network.sent == ['Yes']


def test_a_comment_is_answered_in_private(network, provider):
    comment = network.outgoing()
    provider.send(replace(comment, kind='message', visibility='direct'), 'k')
    call = json.loads(network.calls[-1].body)
    assert call['recipient'] == {'comment_id': comment.target_local_id}


def test_a_message_is_a_text_or_a_file(network, provider):
    sent = provider.send(network.outgoing('', 'message', media=(JPEG,)), 'k')
    payload = network.nodes[sent.external_id]['attachment']['payload']
    assert network.uploaded[payload['attachment_id']] == (b'\xff\xd8x', 'image')
    with pytest.raises(Rejected):
        provider.send(network.outgoing('both', 'message', media=(JPEG,)), 'k')
    outgoing, before = network.outgoing('', 'message', media=(JPEG,)), list(network.sent)
    network.fault((200, {}, '{}'))  # an upload without a name: nobody saw anything of it
    with pytest.raises(Transient):
        provider.send(outgoing, 'k')
    assert network.sent == before


def test_a_post_with_a_link(network, provider):
    outgoing = Outgoing('post', 'New bread', link='https://bakery.example/new')
    sent = provider.send(outgoing, 'k')
    assert network.nodes[sent.external_id]['link'] == 'https://bakery.example/new'
    assert sent.external_id == sent.local_id
    assert provider.compose(outgoing) == 'New bread'
    with_picture = replace(outgoing, media=(JPEG,))
    assert provider.compose(with_picture).endswith('\n\nhttps://bakery.example/new')


def test_a_post_with_pictures_has_one_call_that_shows_it(network, provider):
    sent = provider.send(Outgoing('post', 'New bread', media=(JPEG, JPEG)), 'k')
    assert len(network.nodes[sent.external_id]['photos']) == 2
    assert {alt for _content, alt in network.uploaded.values()} == {'Fresh bread'}
    assert network.paths('POST') == [f'{PAGE}/photos', f'{PAGE}/photos', f'{PAGE}/feed']


def test_a_lost_upload_is_no_lost_post(network, provider):
    network.fault(requests.ReadTimeout('x'))
    with pytest.raises(Transient):
        provider.send(Outgoing('post', 'New bread', media=(JPEG,)), 'k')
    assert network.sent == []


@pytest.mark.parametrize('media', [(), (JPEG,), (Media('video/mp4', content=b'0123456789'),)])
def test_a_post_whose_answer_got_lost_is_found(network, provider, media):
    before, outgoing = now(), Outgoing('post', 'New bread', media=media)
    network.lose_answer()
    with pytest.raises(OutcomeUnknown):
        provider.send(outgoing, 'k')
    found = provider.find_sent(outgoing, 'k', before)
    assert network.nodes[found.local_id]['message'] == 'New bread'
    assert network.sent == ['New bread']


def test_a_video_goes_in_pieces(network, provider):
    video = Media('video/mp4', content=b'0123456789')
    network.put('comments', 'x')
    sent = provider.send(Outgoing('post', 'Baking', media=(video,)), 'k')
    assert network.video['content'] == video.content
    assert sent.external_id == f'{PAGE}_4005'
    with pytest.raises(Rejected):
        provider.send(Outgoing('post', 'Baking', media=(video, JPEG)), 'k')
    network.lose_answer((200, {}, '{"success": false}'))
    with pytest.raises(OutcomeUnknown):
        provider.send(Outgoing('post', 'Rising', media=(video,)), 'k')


def test_a_piece_that_got_lost_is_sent_again(network, provider):
    video = Media('video/mp4', content=b'0123456789')
    lost = []

    def lose(request):
        if 'transfer' in str(request.body) and not lost:
            lost.append(request)
            network.fault(requests.ConnectionError('reset'))

    network.before = lose
    provider.send(Outgoing('post', 'Baking', media=(video,)), 'k')
    assert lost
    assert network.video['content'] == video.content


def test_the_first_comment(network, provider):
    post = provider.send(Outgoing('post', 'New bread'), 'k')
    outgoing = Outgoing('comment', 'Order here', post.external_id, post.local_id)
    before = now()
    sent = provider.send(outgoing, 'k')
    assert network.nodes[sent.local_id]['post'] == post.external_id
    assert provider.find_sent(outgoing, 'k', before).local_id == sent.local_id
    assert provider.metrics([sent.local_id])[sent.local_id].likes == 3


def test_counters_of_a_post(network, provider):
    ids = [provider.send(Outgoing('post', f'n{n}'), 'k').local_id for n in range(60)]
    before = len(network.calls)
    found = provider.metrics([*ids, f'{PAGE}_1'])
    assert set(found) == set(ids)
    assert found[ids[0]] == Metrics(likes=4, comments=4, shares=3, views=430, clicks=17)
    assert len(network.calls) - before == 4  # two batches of counters, two of insights


def test_a_counter_that_is_gone_does_not_take_the_others_along(network, provider):
    post = provider.send(Outgoing('post', 'New bread'), 'k').local_id
    network.insights_refused = {'post_media_view'}
    assert provider.metrics([post])[post] == Metrics(4, 4, 3, None, 17)
    network.insights_refused = {'post_media_view', 'post_clicks'}
    assert provider.metrics([post])[post] == Metrics(4, 4, 3)


def test_counters_are_all_or_an_error(network, provider):
    post = provider.send(Outgoing('post', 'New bread'), 'k').local_id
    for body in ('[null]', '[]', '{}', '[{"code": 500, "body": ""}]', '[{"code": "x"}]'):
        network.fault((200, {}, body))
        with pytest.raises(Transient):
            provider.metrics([post])
    throttled = json.dumps([{'code': 400, 'body': error_body(4)[2]}])
    network.fault((200, {}, throttled))
    with pytest.raises(RateLimited):
        provider.metrics([post])


def test_a_duplicate_is_said_to_be_one(network, provider):
    network.fault(error_body(506))
    with pytest.raises(Rejected) as caught:
        provider.send(Outgoing('post', 'New bread'), 'k')
    assert type(caught.value).__name__ == 'Duplicate'


# --- pushed ---------------------------------------------------------------------------------------


def pushes(network, name='page_push.json'):
    body = (DATA / name).read_bytes()
    found = network.provider(token_value=None, me=None).parse_webhook({}, body)
    return {(push.account_id, push.stream, push.event): push for push in found}


def test_a_push_tells_of_comments_posts_and_removals(network):
    items = {i.external_id: i for i in pushes(network)[PAGE, 'comments', 'items'].page.items}
    assert set(items) == {'3003', '3004', '2999', f'{PAGE}_2004'}
    asked, answered = items['3003'], items['3004']
    assert (asked.kind, asked.text, asked.own) == ('comment', 'Open on Sunday?', False)
    assert (answered.kind, answered.own, answered.parent_external_id) == ('reply', True, '3003')
    assert answered.conversation_id == asked.conversation_id == '2002_3003'
    assert items['2999'].deleted
    assert items[f'{PAGE}_2004'].kind == 'mention'
    assert items[f'{PAGE}_2004'].media[0].url == 'https://scontent.example/b.jpg'


def test_what_a_push_leaves_unreadable_is_kept(network):
    (bad,) = pushes(network)[PAGE, 'comments', 'items'].page.unreadable
    assert bad.payload['message'] == 'nobody, no id'


def test_a_push_tells_of_messages_and_echoes(network):
    items = pushes(network)[PAGE, 'messages', 'items'].page.items
    assert [(item.external_id, item.own) for item in items] == [
        ('m_abc', False),
        ('m_abd', True),
        ('m_abe', False),
    ]
    assert {item.conversation_id for item in items} == {'PSID1'}
    assert items[0].media == (Media('image/jpeg', 'https://scontent.example/x.jpg'),)
    assert items[2].text == 'Opening hours'


def test_a_push_tells_of_mentions_elsewhere(network):
    (item,) = pushes(network)[PAGE, 'mentions', 'items'].page.items
    assert (item.external_id, item.author.name) == ('7', 'Ivan')


def test_leads_are_a_reason_to_look(network):
    found = pushes(network)
    assert (PAGE, 'lead_forms', 'poll') in found
    assert ('1002', 'lead_forms', 'poll') in found


def test_what_was_pushed_and_polled_is_the_same_item(network, provider):
    number = network.put('comments', 'Open on Sunday?')
    (polled,) = items_of(provider, 'comments')
    value = {
        'item': 'comment',
        'verb': 'add',
        'from': {'id': '7700', 'name': 'Jana Novak'},
        'post_id': network.post,
        'parent_id': network.post,
        'message': 'Open on Sunday?',
        'comment_id': number,
        'created_time': int(polled.posted_at.timestamp()),
    }
    change = {'field': 'feed', 'value': value}
    body = json.dumps({'object': 'page', 'entry': [{'id': PAGE, 'changes': [change]}]}).encode()
    (push,) = provider.parse_webhook({}, body)
    (pushed,) = push.page.items
    assert replace(pushed, url=polled.url) == polled
    assert Reader(frozenset({PAGE})).page([pushed.raw], 'comments')[0] == (pushed,)


@pytest.mark.parametrize('body', [b'', b'[]', b'{}', b'{"entry": 1}', b'\xff', b'[' * 99999])
def test_what_is_no_push_is_refused(provider, body):
    with pytest.raises(Rejected):
        provider.parse_webhook({}, body)


def test_pushes_of_other_products_are_left_alone(provider):
    assert provider.parse_webhook({}, b'{"object": "user", "entry": [{"id": "1"}]}') == ()


def test_who_leaves_the_app_is_named(provider):
    from social_crm.tests.providers.test_meta import SECRET as OTHER
    from social_crm.tests.providers.test_meta import SIGNED

    provider.app = App('1', OTHER)
    body = f'signed_request={SIGNED}'.encode()
    provider.verify_webhook({}, body)
    (push,) = provider.parse_webhook({}, body)
    assert (push.event, push.person_id) == ('deauthorized', '218471')
    for wrong in (b'signed_request=', body[:-3], b'signed_request=%FF.%FF'):
        with pytest.raises(Rejected):
            provider.verify_webhook({}, wrong)


def test_streams_that_are_none(provider):
    with pytest.raises(NotSupported):
        provider.fetch('hashtag', '', query='bread')


def test_the_person_of_a_message_without_author_is_the_conversation(network, provider):
    outgoing = Outgoing('message', 'Hi', conversation_id='PSID9')
    provider.send(outgoing, 'k')
    assert json.loads(network.calls[-1].body)['recipient'] == {'id': 'PSID9'}
    with pytest.raises(Rejected):
        provider.send(Outgoing('message', 'Hi'), 'k')
    assert provider.token == Token(network.token, scopes=SCOPES, extra=provider.token.extra)
    assert isinstance(provider.me, Profile)
