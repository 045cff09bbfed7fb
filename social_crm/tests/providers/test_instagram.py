"""What is particular to Instagram, by its own login and by Facebook's."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from social_crm.providers import adapter_class
from social_crm.providers.errors import (
    AuthorizationLost,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Transient,
)
from social_crm.providers.instagram import Instagram
from social_crm.providers.types import App, Media, Metrics, Outgoing
from social_crm.tests.providers.contract import WEEK, drain, now
from social_crm.tests.providers.fake_graph import SECRET
from social_crm.tests.providers.fake_instagram import (
    ACCOUNT,
    BY_FACEBOOK,
    PAGE,
    PERSON,
    SCOPES,
    FakeInstagram,
)

DATA = Path(__file__).parent / 'data' / 'meta'
JPEG = Media('image/jpeg', 'https://odoo.example/a.jpg', 'Fresh bread', 'a.jpg', b'\xff\xd8x')
VIDEO = Media('video/mp4', 'https://odoo.example/v.mp4', 'Baking', 'v.mp4', b'xx')


@pytest.fixture
def own(stubs, meta_spec):
    """The account by Instagram's own login."""
    return FakeInstagram(stubs, meta_spec, 'instagram')


@pytest.fixture
def linked(stubs, meta_spec):
    """The account by Facebook's login."""
    return FakeInstagram(stubs, meta_spec, 'facebook')


@pytest.fixture(params=['own', 'linked'])
def network(request):
    return request.getfixturevalue(request.param)


by_facebook = pytest.mark.parametrize('network', ['linked'], indirect=True)
by_its_own_login = pytest.mark.parametrize('network', ['own'], indirect=True)


@pytest.fixture
def provider(network):
    return network.provider()


def stranger(network):
    return network.provider(token_value=None, me=None)


def exchanged(network):
    login = stranger(network)
    login.token = login.exchange_code(code='code-1b2c#_', verifier='', private={}, params={})
    return login


def items_of(provider, stream):
    return drain(provider, stream, '', since=now() - WEEK)[0]


def containers(network):
    return [node['asked'] for node in network.of_kind('ShadowIGMediaBuilder')]


# --- connect --------------------------------------------------------------------------------------


def test_it_is_registered():
    assert adapter_class('instagram') is Instagram


def test_each_login_has_its_own_dialog(own, linked):
    for network, host, scopes in (
        (own, 'www.instagram.com', SCOPES),
        (linked, 'www.facebook.com', BY_FACEBOOK),
    ):
        url = stranger(network).authorize_url(state='st', challenge='ch', scopes=SCOPES).url
        query = parse_qs(urlsplit(url).query)
        assert urlsplit(url).netloc == host
        assert set(query['scope'][0].split(',')) == set(scopes)
        assert query['state'] == ['st']
        assert 'code_challenge' not in query


def test_scopes_count_whatever_the_login_calls_them():
    assert Instagram.covers(SCOPES, SCOPES)
    assert Instagram.covers(BY_FACEBOOK, SCOPES)
    for missing in ('instagram_manage_messages', 'instagram_content_publish'):
        assert not Instagram.covers(set(BY_FACEBOOK) - {missing}, SCOPES)
    publishing = Instagram.capabilities['publish']
    assert Instagram.covers(set(BY_FACEBOOK) - {'instagram_manage_messages'}, publishing)


@pytest.mark.parametrize('flat', [True, False])
def test_the_own_login_gives_a_long_token(own, flat):
    own.flat = flat
    own.granted.remove('instagram_business_manage_messages')
    login = exchanged(own)
    assert login.token.access_token == login.token.refresh_token == 'long-token-1'
    assert timedelta(days=59) < login.token.expires_at - now() < timedelta(days=61)
    assert set(login.token.scopes) == {*SCOPES} - {'instagram_business_manage_messages'}
    profile = login.whoami()
    assert (profile.external_id, profile.handle) == (ACCOUNT, 'demo_bakery')
    assert profile.followers == 812
    (account,) = login.brand_accounts()
    assert (account.profile, account.token) == (profile, login.token)
    assert own.calls[0].headers['Content-Type'].startswith('multipart/form-data')


def test_facebooks_login_offers_the_accounts_of_its_pages(linked):
    linked.add('Page', '1009', name='Without Instagram', access_token='x')
    login = exchanged(linked)
    assert login.token.scopes == BY_FACEBOOK
    (account,) = login.brand_accounts()
    assert account.profile.external_id == ACCOUNT
    assert account.token.access_token == linked.token
    assert account.token.extra['page_id'] == PAGE
    assert Instagram(login.http, login.app, account.token).whoami() == account.profile
    assert login.whoami().external_id == PERSON


def test_an_account_has_the_scopes_that_were_given_for_it(linked):
    linked.told = {
        'granular_scopes': [
            {'scope': 'instagram_manage_messages', 'target_ids': ['1784999']},
            {'scope': 'instagram_basic', 'target_ids': [ACCOUNT]},
            {'scope': 'pages_manage_metadata', 'target_ids': [PAGE]},
        ]
    }
    (account,) = exchanged(linked).brand_accounts()
    assert set(account.token.scopes) == {*BY_FACEBOOK} - {'instagram_manage_messages'}
    assert account.token.extra['user_id'] == ACCOUNT


def test_refused_codes(network):
    login = stranger(network)
    with pytest.raises(Rejected):
        login.exchange_code(code='used', verifier='', private={}, params={})
    with pytest.raises(Rejected) as caught:
        login.exchange_code(code='', verifier='', private={}, params={'error': 'access_denied'})
    assert caught.value.code == 'access_denied'


def test_a_token_renews_itself(own):
    login = exchanged(own)
    scopes, extra = login.token.scopes, login.token.extra
    login.token = login.refresh()
    assert login.token.access_token == login.token.refresh_token == 'long-token-2'
    assert (login.token.scopes, login.token.extra) == (scopes, extra)
    assert login.whoami().external_id == ACCOUNT
    own.tokens.clear()
    with pytest.raises(AuthorizationLost):
        login.refresh()
    own.fault((503, {}, ''))
    with pytest.raises(Transient):
        login.refresh()


def test_a_pages_token_has_nothing_to_renew(linked):
    with pytest.raises(AuthorizationLost):
        linked.provider().refresh()


def test_revoking(own, linked):
    own.nodes[ACCOUNT]['subscribed'] = ['comments']
    with pytest.raises(NotSupported, match='settings'):
        own.provider().revoke()
    assert own.nodes[ACCOUNT]['subscribed'] == []
    linked.tokens['person-token-1'] = PERSON
    linked.provider().revoke()
    assert linked.tokens == {}


def test_pushes_are_asked_for(own, linked):
    own.provider().subscribe()
    assert 'comments' in own.nodes[ACCOUNT]['subscribed']
    linked.provider().subscribe()
    assert linked.nodes[PAGE]['subscribed'] == ['feed']


def test_the_pushes_of_the_page_itself_stay(linked):
    linked.nodes[PAGE]['subscribed'] = ['feed', 'leadgen']
    linked.provider().subscribe()
    assert linked.nodes[PAGE]['subscribed'] == ['feed', 'leadgen']


def test_the_app_is_checked_where_that_can_be(own, linked):
    stranger(linked).check_app()
    with pytest.raises(NotSupported):
        stranger(own).check_app()


def test_the_proof_goes_where_it_is_known_to_be_taken(own, linked):
    for network, sent in ((own, False), (linked, True)):
        network.provider().whoami()
        assert ('appsecret_proof' in network.calls[-1].url) is sent
        assert network.token not in network.calls[-1].url
    own.provider(metadata={'appsecret_proof': True}).whoami()
    assert 'appsecret_proof' in own.calls[-1].url


# --- listen ---------------------------------------------------------------------------------------


def test_answers_come_with_what_they_answer(network, provider):
    top = network.put('comments', 'Do you ship?', minutes_ago=5)
    network.put('comments', 'I wonder too', minutes_ago=4, parent=top)
    mine = {'id': '77', 'username': 'demo_bakery'}  # not the id that it has elsewhere
    network.put('comments', 'Daily', minutes_ago=3, parent=top, **{'from': mine})
    first, second, third = items_of(provider, 'comments')
    assert (first.kind, first.parent_external_id, first.own) == ('comment', network.post, False)
    assert (second.kind, second.parent_external_id) == ('reply', top)
    assert (third.own, third.author.external_id) == (True, ACCOUNT)
    assert {item.conversation_id for item in (first, second, third)} == {top}
    assert first.author.url == 'https://www.instagram.com/jana.n/'


@pytest.mark.parametrize('refused', [{'from'}, {'replies'}, {'from', 'replies'}])
def test_a_refused_field_is_done_without(network, provider, refused):
    network.put('comments', 'Do you ship?')
    network.refused_fields = {f'{name}{{' if name == 'from' else name for name in refused}
    (item,) = items_of(provider, 'comments')
    assert item.author.handle == 'jana.n'


def test_a_refusal_of_everything_is_one(network, provider):
    network.refused_fields = {'text'}
    with pytest.raises(Rejected):
        provider.fetch('comments', '')


def test_a_tag_is_a_mention_that_can_be_answered(network, provider):
    post = network.put('mentions', 'Best #bread', media_url='https://cdn.example/b.jpg')
    (item,) = items_of(provider, 'mentions')
    assert (item.kind, item.text, item.hashtags) == ('mention', 'Best #bread', ('bread',))
    assert item.media == (Media('image/jpeg', 'https://cdn.example/b.jpg'),)
    outgoing = Outgoing(
        'reply', 'Thank you', item.external_id, item.local_id, item.author, item.conversation_id
    )
    before = now()
    sent = provider.send(outgoing, 'k')
    assert network.nodes[sent.external_id]['media'] == {'id': post}
    assert network.paths('POST') == [f'{ACCOUNT}/mentions']
    assert provider.find_sent(outgoing, 'k', before).external_id == sent.external_id


def test_a_conversation_is_named_by_the_other_person(network, provider):
    network.put('messages', 'Hello', minutes_ago=3)
    person = network.of_kind('UnifiedThread')[0]['person']
    network.put(
        'messages',
        'Good day',
        minutes_ago=2,
        to={'data': [{'id': person}]},
        **{'from': {'id': '77', 'username': 'demo_bakery'}},
    )
    first, second = items_of(provider, 'messages')
    assert (first.own, second.own) == (False, True)
    assert first.conversation_id == second.conversation_id == person
    assert first.author.handle == 'jana.n'


def test_around_a_comment(network, provider):
    top = network.put('comments', 'Do you ship?', minutes_ago=5)
    below = network.put('comments', 'I wonder too', minutes_ago=4, parent=top)
    assert [item.text for item in provider.thread(top, top)] == ['I wonder too']
    (above,) = provider.thread(below, below)
    assert (above.text, above.parent_external_id) == ('Do you ship?', network.post)
    elsewhere = network.put('mentions', 'Try demo_bakery')
    network._comment('I will', media=elsewhere, **{'from': {'id': '7', 'username': 'eva'}})
    assert [item.text for item in provider.thread(elsewhere, elsewhere)] == ['I will']
    assert provider.thread('aWdf1', 'aWdf1') == ()
    with pytest.raises(NotFound):
        provider.thread('1', '1')


def test_profiles(own, linked):
    for network in (own, linked):
        network.add('User', '5550009', username='jana.n', name='Jana', follower_count=9)
        assert network.provider().profile('5550009').followers == 9
        for handle in ('', '@', 'a/b', 'x){id},y', 'a b'):
            with pytest.raises(NotFound):
                network.provider().profile(handle)
    assert linked.provider().profile('@some_shop').name == 'Some Shop'
    with pytest.raises(NotFound):
        linked.provider().profile('nobody')
    with pytest.raises(NotSupported):
        own.provider().profile('some_shop')


def test_streams_that_are_none(provider):
    for stream in ('lead_forms', 'hashtag'):
        with pytest.raises(NotSupported):
            provider.fetch(stream, '')


# --- answer ---------------------------------------------------------------------------------------


def test_an_answer_to_an_answer_goes_below_the_comment_on_top(network, provider):
    top = network.put('comments', 'Do you ship?', minutes_ago=5)
    network.put('comments', 'I wonder too', parent=top)
    item = items_of(provider, 'comments')[-1]
    sent = provider.send(
        Outgoing(
            'reply', 'Yes', item.external_id, item.local_id, item.author, item.conversation_id
        ),
        'k',
    )
    assert network.nodes[sent.external_id]['parent_id'] == top
    with pytest.raises(Rejected):
        provider.send(network.outgoing(media=(JPEG,)), 'k')


def test_messages(network, provider):
    outgoing, before = network.outgoing('Yes', 'message'), now()
    sent = provider.send(outgoing, 'k')
    assert json.loads(network.calls[-1].body)['recipient'] == {'id': outgoing.conversation_id}
    assert provider.find_sent(outgoing, 'k', before).external_id == sent.external_id
    provider.send(replace(outgoing, text='', media=(JPEG,)), 'k')
    given = network.of_kind('UnifiedMessage')[-1]['given']
    assert given == {'attachment': {'type': 'image', 'payload': {'url': JPEG.url}}}
    network.closed_window = True
    with pytest.raises(Rejected) as caught:
        provider.send(outgoing, 'k')
    assert caught.value.code == '10.2534022'


def test_a_message_whose_answer_got_lost_is_found(network, provider):
    outgoing, before = network.outgoing('Yes', 'message'), now()
    network.lose_answer()
    with pytest.raises(OutcomeUnknown):
        provider.send(outgoing, 'k')
    assert provider.find_sent(outgoing, 'k', before)
    assert network.sent == ['Yes']


def test_a_comment_is_answered_in_private(network, provider):
    comment = network.outgoing()
    provider.send(replace(comment, kind='message', visibility='direct'), 'k')
    recipient = json.loads(network.calls[-1].body)['recipient']
    assert recipient == {'comment_id': comment.target_local_id}


# --- publish --------------------------------------------------------------------------------------


def test_a_picture(network, provider):
    sent = provider.send(Outgoing('post', 'New bread', media=(JPEG,)), 'k')
    (asked,) = containers(network)
    assert asked['image_url'] == JPEG.url
    assert asked['caption'] == 'New bread'
    assert asked['alt_text'] == 'Fresh bread'
    assert sent.url == network.nodes[sent.external_id]['permalink']


def test_a_video_is_a_reel(network, provider):
    network.statuses = [('IN_PROGRESS', ''), ('IN_PROGRESS', ''), ('FINISHED', '')]
    provider.send(Outgoing('post', 'Baking', media=(VIDEO,)), 'k')
    (asked,) = containers(network)
    assert (asked['media_type'], asked['video_url']) == ('REELS', VIDEO.url)
    assert network.statuses == []


def test_several_files_are_a_carousel(network, provider):
    provider.send(Outgoing('post', 'New', media=(JPEG, VIDEO), link='https://a.example/'), 'k')
    picture, video, whole = containers(network)
    assert picture['is_carousel_item'] == video['is_carousel_item'] == 'true'
    assert 'caption' not in picture
    assert video['media_type'] == 'VIDEO'
    assert len(whole['children'].split(',')) == 2
    assert whole['caption'] == 'New\n\nhttps://a.example/'
    published = [n for n in network.of_kind('ShadowIGMediaBuilder') if n.get('published')]
    assert len(published) == 1


def test_what_cannot_be_published_says_why(network, provider):
    for media, code in (((), 'media_required'), ((replace(JPEG, url=''),), 'media_url')):
        with pytest.raises(Rejected) as caught:
            provider.send(Outgoing('post', 'x', media=media), 'k')
        assert caught.value.code == code
    assert network.calls == []


def test_the_quota_of_the_day(network, provider):
    network.quota = 100
    with pytest.raises(RateLimited) as caught:
        provider.send(Outgoing('post', 'x', media=(JPEG,)), 'k')
    assert caught.value.until > now()
    assert containers(network) == []


@pytest.mark.parametrize(
    ('status', 'kind'),
    [
        (('ERROR', 'Error: failed with error code 2207026'), Rejected),
        (('ERROR', 'Error: failed with error code 2207053'), Transient),
        (('ERROR', ''), Rejected),
        (('EXPIRED', ''), Transient),
    ],
)
def test_a_file_that_cannot_be_used(network, provider, status, kind):
    network.statuses = [status]
    with pytest.raises((Rejected, Transient)) as caught:
        provider.send(Outgoing('post', 'x', media=(JPEG,)), 'k')
    assert type(caught.value) is kind
    assert network.sent == []


def test_a_file_that_the_network_cannot_fetch(network, provider):
    broken = replace(JPEG, url='https://odoo.example/broken.jpg')
    with pytest.raises(Transient) as caught:
        provider.send(Outgoing('post', 'x', media=(broken,)), 'k')
    assert caught.value.code == '9004.2207052'


def test_a_file_that_takes_too_long(network, provider):
    provider.picture_wait = 0
    network.statuses = [('IN_PROGRESS', '')] * 9
    with pytest.raises(Transient):
        provider.send(Outgoing('post', 'x', media=(JPEG,)), 'k')
    assert network.sent == []


def test_a_container_that_is_not_ready_after_all(network, provider):
    route, refused = network._post_media_publish, []

    def not_yet(node, params):
        if not refused:
            refused.append(params)
            network.nodes[params['creation_id']]['status_code'] = 'IN_PROGRESS'
            try:
                return route(node, params)
            finally:
                network.nodes[params['creation_id']]['status_code'] = 'FINISHED'
        return route(node, params)

    network._post_media_publish = not_yet
    provider.send(Outgoing('post', 'x', media=(JPEG,)), 'k')
    assert network.sent == ['x']
    assert len(containers(network)) == 1


@pytest.mark.parametrize('media', [(JPEG,), (VIDEO,), (JPEG, JPEG)])
def test_a_post_whose_answer_got_lost_is_found_and_not_made_twice(network, provider, media):
    before, outgoing = now(), Outgoing('post', 'New bread', media=media)
    network.lose_answer()
    with pytest.raises(OutcomeUnknown):
        provider.send(outgoing, 'k')
    found = provider.find_sent(outgoing, 'k', before)
    assert network.nodes[found.external_id]['caption'] == 'New bread'
    assert provider.find_sent(outgoing, 'k', now() + timedelta(hours=1)) is None
    assert network.sent == ['New bread']


def test_a_lost_container_is_no_lost_post(network, provider):
    def lose(request):
        if request.method == 'POST':
            network.fault(requests.ReadTimeout('x'))

    network.before = lose
    with pytest.raises(Transient):
        provider.send(Outgoing('post', 'x', media=(JPEG,)), 'k')
    assert network.sent == []


def test_a_permalink_that_cannot_be_read_is_no_failure(network, provider):
    network.refused_fields = {'permalink'}
    sent = provider.send(Outgoing('post', 'x', media=(JPEG,)), 'k')
    assert (sent.url, network.sent) == ('', ['x'])


def test_the_first_comment(network, provider):
    post = provider.send(Outgoing('post', 'New bread', media=(JPEG,)), 'k')
    outgoing, before = Outgoing('comment', 'Order here', post.external_id, post.local_id), now()
    sent = provider.send(outgoing, 'k')
    assert network.nodes[sent.external_id]['media'] == {'id': post.external_id}
    assert provider.find_sent(outgoing, 'k', before).external_id == sent.external_id


def test_counters(network, provider):
    post = provider.send(Outgoing('post', 'New bread', media=(JPEG,)), 'k').local_id
    comment = provider.send(Outgoing('comment', 'Order', post, post), 'k').local_id
    assert provider.metrics([post, comment, '99']) == {
        post: Metrics(likes=5, comments=2, shares=3, views=430),
        comment: Metrics(likes=3),
    }


def test_counters_without_insights(network, provider):
    post = provider.send(Outgoing('post', 'New bread', media=(JPEG,)), 'k').local_id
    network.kinds.media = 'none has insights'
    assert provider.metrics([post]) == {post: Metrics(likes=5, comments=2)}


# --- pushed ---------------------------------------------------------------------------------------


@pytest.fixture
def pushes(provider):
    body = (DATA / 'instagram_push.json').read_bytes()
    return {push.stream: push.page for push in provider.parse_webhook({}, body)}


def test_a_push_tells_of_comments(pushes):
    items = {item.external_id: item for item in pushes['comments'].items}
    assert set(items) == {'18001', '18002', '18003'}
    assert items['18001'].hashtags == ('Brno',)
    assert items['18001'].posted_at.timestamp() == 1793610000
    assert (items['18002'].own, items['18002'].kind) == (True, 'reply')
    assert items['18002'].conversation_id == items['18001'].conversation_id == '18001'


def test_a_push_tells_of_mentions_by_their_ids(pushes):
    page = pushes['mentions']
    assert not page.items
    assert [(bad.external_id, bad.incomplete) for bad in page.unreadable] == [
        ('18500', True),
        ('17901', True),
    ]


def pushed(network, provider, **value):
    entry = {'id': ACCOUNT, 'time': 1, 'changes': [{'field': 'mentions', 'value': value}]}
    body = json.dumps({'object': 'instagram', 'entry': [entry]}).encode()
    (push,) = provider.parse_webhook({}, body)
    (named,) = push.page.unreadable
    return provider.complete(push.stream, named.payload)


@by_facebook
def test_the_text_of_a_named_post_is_fetched(network, provider):
    film = {'media_url': 'https://cdn.example/f.mp4', 'thumbnail_url': 'https://cdn.example/f.jpg'}
    post = network.put_elsewhere('Try @demo_bakery #bread', **film)
    network.spoil(post, media_type='VIDEO')
    assert not items_of(provider, 'mentions'), 'no list shows it'
    (item,) = pushed(network, provider, media_id=post).items
    assert (item.text, item.hashtags) == ('Try @demo_bakery #bread', ('bread',))
    assert (item.author.handle, item.url) == ('jana.n', network.nodes[post]['permalink'])
    assert item.media == (Media('video/mp4', film['media_url'], preview=film['thumbnail_url']),)
    answer = Outgoing('reply', 'Thanks', post, item.local_id, item.author, item.conversation_id)
    provider.send(answer, 'k')
    assert network.paths('POST') == [f'{ACCOUNT}/mentions']


@by_facebook
@pytest.mark.parametrize('refused', [set(), {'username'}], ids=['author', 'no author'])
def test_the_text_of_a_named_comment_is_fetched(network, provider, refused):
    post = network.put_elsewhere('Where to eat?')
    comment = network.put('comments', 'Go to @demo_bakery', media=post)
    network.refused_fields = refused
    (item,) = pushed(network, provider, media_id=post, comment_id=comment).items
    assert (item.external_id, item.text) == (comment, 'Go to @demo_bakery')
    assert (item.parent_external_id, item.conversation_id) == (post, f'mention:{post}:{comment}')
    assert item.author.handle == (f'hidden:{comment}' if refused else 'jana.n')


@by_facebook
@pytest.mark.parametrize('number', ['999999999', '1){id},me{x', ''])
def test_what_is_not_shown_stays_named(network, provider, number):
    with pytest.raises(NotFound):
        pushed(network, provider, media_id=number)


@by_its_own_login
def test_instagrams_own_login_shows_no_posts_of_others(network, provider):
    with pytest.raises(NotSupported):
        pushed(network, provider, media_id='17901')


def test_a_push_tells_of_messages_echoes_and_removals(pushes):
    first, second, third = pushes['messages'].items
    assert (first.conversation_id, first.own, first.deleted) == ('IGSID1', False, False)
    assert first.media[0].url == 'https://lookaside.example/x'
    assert (second.own, second.conversation_id) == (True, 'IGSID1')
    assert third.deleted


def test_pushed_items_can_be_read_again(provider, pushes):
    for stream, page in pushes.items():
        for item in page.items:
            assert provider.read(stream, item.raw).items == (item,)


def test_pushes_of_pages_are_left_alone(provider):
    body = json.dumps({'object': 'page', 'entry': [{'id': '1', 'changes': []}]}).encode()
    assert provider.parse_webhook({}, body) == ()


def test_either_secret_signs(provider):
    import hashlib
    import hmac

    body = b'{"object": "instagram", "entry": []}'
    provider.app = App('1', 'instagram-secret', metadata={'meta_app_secret': SECRET})
    for secret in ('instagram-secret', SECRET):
        made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        provider.verify_webhook({'x-hub-signature-256': f'sha256={made}'}, body)
    with pytest.raises(Rejected):
        provider.verify_webhook({'x-hub-signature-256': f'sha256={"0" * 64}'}, body)
