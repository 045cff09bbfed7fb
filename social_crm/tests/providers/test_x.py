"""What is X's own: authorisation, spellings, text, media, refusals, limits, cost."""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from social_crm.providers import adapter_class, oauth2
from social_crm.providers.errors import (
    AuthorizationLost,
    Duplicate,
    NotFound,
    NotSupported,
    PermissionMissing,
    RateLimited,
    Rejected,
    Transient,
)
from social_crm.providers.types import App, Media, Outgoing, Push
from social_crm.providers.x import X
from social_crm.providers.x_names import Spelling
from social_crm.tests.providers.contract import drain
from social_crm.tests.providers.fake_x import FIXTURES, ME, SCOPES, FakeX
from social_crm.tests.providers.x_spec import Spec

WEEK = timedelta(days=7)


def now():
    return datetime.now(timezone.utc)


@pytest.fixture(scope='module')
def spec():
    return Spec.load('tweet')


@pytest.fixture
def network(stubs, spec):
    return FakeX(stubs, 'tweet', spec)


def only(network, stream, query='', since=WEEK):
    (item,) = drain(network.provider(), stream, query, since=now() - since)[0]
    return item


# --- connect --------------------------------------------------------------------------------------


def test_the_network_is_registered():
    assert adapter_class('x') is X


def test_the_way_to_consent_and_back(network):
    provider, verifier = network.provider(), oauth2.new_verifier()
    asked = X.scopes_for(['mentions', 'reply'])
    found = provider.authorize_url(
        state='s1', challenge=oauth2.challenge_of(verifier), scopes=asked
    )
    parts = urlsplit(found.url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert f'{parts.scheme}://{parts.netloc}{parts.path}' == 'https://x.com/i/oauth2/authorize'
    assert query['scope'].split() == [
        'users.read',
        'tweet.read',
        'offline.access',
        'tweet.write',
        'media.write',
    ]
    assert (query['state'], query['code_challenge_method']) == ('s1', 'S256')
    assert query['redirect_uri'] == 'https://odoo.example/cb'
    token = provider.exchange_code(code='code-1b2c', verifier=verifier, private={}, params={})
    assert token.access_token == network.token
    assert token.refresh_token == network.refresh
    assert token.scopes == SCOPES
    assert timedelta(minutes=119) < token.expires_at - now() <= timedelta(hours=2)


def test_no_means_no(network):
    with pytest.raises(Rejected) as caught:
        params = {'error': 'access_denied'}
        network.provider().exchange_code(code='', verifier='v', private={}, params=params)
    assert caught.value.code == 'access_denied'
    assert not network.calls


def test_without_a_secret_the_client_names_itself_in_the_body(network):
    app = App('client-1', '', '', 'https://odoo.example/cb')
    with pytest.raises(Rejected):  # this fake wants HTTP Basic
        network.provider(app=app).exchange_code(
            code='c', verifier=oauth2.new_verifier(), private={}, params={}
        )
    (call,) = network.calls
    assert 'Authorization' not in call.headers
    assert parse_qs(call.body)['client_id'] == ['client-1']


def test_a_refresh_token_works_once(network):
    provider = network.provider()
    fresh = provider.refresh()
    assert fresh.refresh_token == 'refresh-1+'
    with pytest.raises(AuthorizationLost):
        provider.refresh()  # with the used one
    provider.token = fresh
    assert provider.refresh().refresh_token == 'refresh-1++'


def test_a_wrong_secret_is_no_dead_grant(network):
    with pytest.raises(Rejected) as caught:
        network.provider(app=App('client-1', 'wrong')).refresh()
    assert not isinstance(caught.value, AuthorizationLost)
    assert caught.value.code == 'unauthorized_client'


def test_revoking_ends_both_tokens(network):
    provider = network.provider()
    provider.revoke()
    assert (network.token, network.refresh) == ('another-token', 'another-refresh')
    provider.revoke()  # quiet
    with pytest.raises(AuthorizationLost):
        provider.whoami()


def test_who_am_i(network):
    me = network.provider(me=None).whoami()
    assert (me.external_id, me.handle, me.name) == (ME, 'acme', 'Acme')
    assert me.url == 'https://x.com/acme'
    assert me.avatar_url == 'https://pbs.twimg.com/profile_images/1/x_400x400.jpg'
    assert me.bio == 'Tools & tips, see https://rita.example/tips'
    assert (me.followers, me.following, me.posts) == (812, 90, 1204)
    assert [link.url for link in me.links] == ['https://rita.example']


# --- pushes ---------------------------------------------------------------------------------------


def pushed(network, **values):
    values.setdefault('webhook_secret', 'api-secret-5')
    return network.provider(app=App('client-1', 'client-secret-9', **values))


def signed(body, secret=b'api-secret-5'):
    digest = hmac.new(secret, body, hashlib.sha256).digest()
    return {'x-twitter-webhooks-signature': f'sha256={base64.b64encode(digest).decode()}'}


def event(kind, user=ME):
    data = {'event_uuid': '6f1', 'event_type': kind, 'filter': {'user_id': user}, 'payload': {}}
    return json.dumps({'data': data}).encode()


def test_the_address_is_proved_with_the_api_secret(network):
    answer = json.loads(pushed(network).answer_handshake({'crc_token': 'token-1'}))
    assert answer == {'response_token': signed(b'token-1')['x-twitter-webhooks-signature']}


@pytest.mark.parametrize('token', ['', event('dm.received').decode(), '{}', '"a"', 'x' * 501])
def test_nobody_has_a_push_signed_as_a_proof(network, token):
    with pytest.raises(Rejected):
        pushed(network).answer_handshake({'crc_token': token})


def test_a_push_is_known_by_its_signature(network):
    body = event('post.mention.create')
    pushed(network).verify_webhook(signed(body), body)
    for headers in (
        {},
        signed(body + b' '),
        signed(body, b'client-secret-9'),
        {'x-twitter-webhooks-signature': 'sha256=ü'},
    ):
        with pytest.raises(Rejected):
            pushed(network).verify_webhook(headers, body)
    with pytest.raises(Rejected):
        pushed(network, webhook_secret='').verify_webhook(signed(body, b''), body)


@pytest.mark.parametrize(
    ('kind', 'push'),
    [
        ('post.mention.create', [Push('poll', ME, 'mentions')]),
        ('post.reply.create', [Push('poll', ME, 'mentions')]),
        ('dm.received', [Push('poll', ME, 'messages')]),
        ('oauth.revoke', [Push('deauthorized', ME, person_id=ME)]),
        ('like.create', []),
        ('dm.indicate_typing', []),
    ],
)
def test_a_push_tells_where_to_look(network, kind, push):
    assert list(pushed(network).parse_webhook({}, event(kind))) == push


@pytest.mark.parametrize('body', [b'', b'[]', b'{}', b'{"data": 1}', b'[' * 100_000])
def test_a_push_that_cannot_be_read(network, body):
    with pytest.raises(Rejected):
        pushed(network).parse_webhook({}, body)
    assert pushed(network).parse_webhook({}, event('dm.received', 'x')) == ()


# --- names ----------------------------------------------------------------------------------------


def test_the_new_names_are_learnt_once(stubs):
    network = FakeX(stubs, 'post', Spec.load('post'))
    network.put('mentions', 'hello')
    first, second = network.provider(), network.provider()
    assert len(first.fetch('mentions', '', since=now() - WEEK).items) == 1
    assert [call.url.partition('?')[2].count('post.fields') for call in network.calls] == [0, 1]
    second.fetch('mentions', '', since=now() - WEEK)
    assert len(network.calls) == 3
    assert Spelling.current == 'post'


def test_a_service_that_knows_neither_is_no_endless_loop(network):
    refusal = {
        'errors': [{'parameters': {'expansions': ['x']}, 'message': 'no'}],
        'title': 'Invalid Request',
        'type': '.../problems/invalid-request',
    }
    for _ in range(3):
        network.fault((400, {}, json.dumps(refusal)))
    with pytest.raises(Rejected):
        network.provider().fetch('mentions', '')
    assert len(network.calls) == 2


# --- items ----------------------------------------------------------------------------------------


def test_an_answer_to_us_is_a_reply(network):
    ours = network.write('acme', 'News', 60)
    network.mention('Really?', answers=ours)
    item = only(network, 'mentions')
    assert (item.kind, item.parent_external_id) == ('reply', ours['id'])
    assert item.conversation_id == ours['id']
    assert item.mentions == ('acme',)
    assert item.url == f'https://x.com/rita/status/{item.local_id}'
    assert item.language == 'en'


@pytest.mark.parametrize(
    ('given', 'language'),
    [('iw', 'he'), ('in', 'id'), ('und', ''), ('qme', ''), ('zh-TW', 'zh'), (None, '')],
)
def test_languages_are_those_of_iso(network, given, language):
    network.spec = None
    network.mention('hello', lang=given)
    assert only(network, 'mentions').language == language


def test_links_read_as_they_were_written_and_pictures_are_no_links(network):
    urls = [
        {
            'start': 6,
            'end': 22,
            'url': 'https://t.co/001',
            'display_url': 'shop.example',
            'expanded_url': 'https://shop.example/?a=1&b=2',
        },
        {
            'start': 23,
            'end': 39,
            'url': 'https://t.co/002',
            'display_url': 'pic.x.com/a',
            'expanded_url': 'https://x.com/rita/status/1/photo/1',
            'media_key': '3_77',
        },
    ]
    network.mention(
        'A &amp; B https://t.co/001 https://t.co/002',
        entities={'urls': urls},
        attachments={'media_keys': ['3_77', '7_78']},
    )
    item = only(network, 'mentions')
    assert item.text == '@acme A & B https://shop.example/?a=1&b=2'
    photo, video = item.media
    assert (photo.mimetype, photo.description, photo.preview) == (
        'image/jpeg',
        'A broken drill',
        '',
    )
    assert (video.mimetype, video.url, video.preview) == (
        'video/mp4',
        'https://video.twimg.com/high.mp4',
        'https://pbs.twimg.com/media/b.jpg',
    )


def test_a_long_post_comes_whole(network):
    network.put('search', 'long ' * 100)
    assert len(only(network, 'search', 'ship').text) > 490


def test_an_edited_post_is_the_same_item(network):
    first = network.mention('hello', 20)
    item = only(network, 'mentions')
    network.forget(first['id'])
    network.mention('hello!', 5, edit_history_tweet_ids=[first['id'], first['id'][:-1] + '9'])
    edited = only(network, 'mentions')
    assert edited.external_id == item.external_id == first['id']
    assert edited.local_id != item.local_id
    assert edited.edited_at - edited.posted_at > timedelta(minutes=14)
    assert item.edited_at is None


def test_an_author_who_is_hidden_is_parked(network):
    network.spec = None
    network.mention('hello', author_id='12')
    page = network.provider().fetch('mentions', '', since=now() - WEEK)
    assert not page.items
    assert 'users 12' in page.unreadable[0].reason


def test_messages_of_both_sides(network):
    network.write_message('rita', 'Do you ship?', 3)
    network.write_message('acme', 'Yes', 2)
    asked, answered = drain(network.provider(), 'messages', '', since=now() - WEEK)[0]
    assert (asked.kind, asked.visibility, asked.own) == ('message', 'direct', False)
    assert answered.own
    assert asked.conversation_id == f'8800-{ME}'
    assert asked.external_id == f'dm:{asked.local_id}'


def test_a_token_that_got_too_old_begins_again(network):
    for number in range(120):
        network.put('messages', f'n{number}', 120 - number)
    provider = network.provider()
    page = provider.fetch('messages', '', since=now() - WEEK)
    network.fault((400, {}, json.dumps({'title': 'Invalid Request', 'status': 400})))
    rest, _ = drain(provider, 'messages', '', page.next_cursor)
    found = {item.external_id for item in (*page.items, *rest)}
    assert len(found) == 120


# --- searches -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('query', 'sent'),
    [
        ('drill', '"drill" -is:retweet -from:acme'),
        ('"acme drill"', '"acme drill" -is:retweet -from:acme'),
        ('a OR -b:', '"a OR -b:" -is:retweet -from:acme'),
        ('("a" ("b" OR #c))', '("a" ("b" OR #c)) -is:retweet -from:acme'),
    ],
)
def test_no_word_of_a_search_is_an_operator(network, query, sent):
    network.provider().fetch('search', '', query=query)
    assert parse_qs(urlsplit(network.calls[0].url).query)['query'] == [sent]


@pytest.mark.parametrize(
    ('stream', 'query', 'error'),
    [
        ('search', 'dri*', NotSupported),
        ('search', '"', NotSupported),
        ('search', 'x' * 500, Rejected),
        ('hashtag', 'a b', Rejected),
    ],
)
def test_what_x_cannot_search_is_said(network, stream, query, error):
    with pytest.raises(error):
        network.provider().fetch(stream, '', query=query)
    assert not network.calls


def test_a_search_never_asks_beyond_seven_days(network):
    provider = network.provider()
    network.put('search', 'old', 60 * 24 * 8)
    network.put('search', 'young', 60)
    items, cursor = drain(provider, 'search', 'ship', since=now() - timedelta(days=30))
    assert [item.text for item in items] == ['young ship']
    for post in network.posts:  # eight days go by
        post['id'] = str(int(post['id']) - (8 * 86400 * 1000 << 22))
    old = json.loads(cursor)
    old['seen'] = [str(int(n) - (8 * 86400 * 1000 << 22)) for n in old['seen'] * 6]
    provider.fetch('search', json.dumps(old), query='ship')
    assert 'start_time' in network.calls[-1].url
    assert 'since_id' not in network.calls[-1].url


def test_an_empty_page_may_lead_to_a_full_one(network):
    network.put('mentions', 'hello')
    empty = {'meta': {'result_count': 0, 'next_token': 'page0' + '9' * 22}}
    network.fault((200, {}, json.dumps(empty)))
    assert len(network.provider().fetch('mentions', '', since=now() - WEEK).items) == 1


# --- conversations and profiles -------------------------------------------------------------------


def test_the_conversation_around_a_post(network):
    root = network.write('acme', 'News', 60 * 24 * 20)
    asked = network.mention('Really?', 30, answers=root)
    network.write('acme', 'Yes', 20, answers=asked)
    found = network.provider().thread(asked['id'], asked['id'])
    assert [(item.text, item.own) for item in found] == [('News', True), ('Yes', True)]


def test_what_is_answered_is_there_in_a_crowd_too(network):
    root = network.write('acme', 'News', 60)
    asked = network.mention('Really?', 50, answers=root)
    answer = network.write('acme', 'Yes', 40, answers=asked)
    for number in range(20):
        network.mention(f'n{number}', 30 - number, answers=root)
    provider = network.provider()
    found = provider.thread(answer['id'], answer['id'])
    assert [item.text for item in found[:2]] == ['News', '@acme Really?']
    assert len(found) == 12
    assert provider.usage == {'post_read': 13}


def test_the_conversation_around_a_message(network):
    asked = network.write_message('rita', 'Do you ship?', 3)
    network.write_message('acme', 'Yes', 2)
    found = network.provider().thread(f'dm:{asked["id"]}', asked['id'])
    assert [item.text for item in found] == ['Yes']


def test_a_conversation_that_is_gone(network):
    with pytest.raises(NotFound):
        network.provider().thread('123', '123')


def test_a_profile_by_its_handle(network):
    network.person('rita')
    assert network.provider().profile('@rita').external_id == '8800'
    with pytest.raises(NotFound) as caught:
        network.provider().profile('nobody')
    assert 'Could not find user' in caught.value.reason


# --- sending --------------------------------------------------------------------------------------


def test_a_post_with_pictures_and_their_descriptions(network):
    network.processing = 2
    picture = Media('image/png', description='A drill', content=b'\x89PNG' + b'x' * 20)
    film = Media('video/mp4', content=b'\r\n--' + b'y' * (5 << 20))
    provider = network.provider()
    sent = provider.send(Outgoing('post', 'Look', media=(picture, film)), 'key')
    assert sent.url == f'https://x.com/acme/status/{sent.external_id}'
    first, second = network.uploads.values()
    assert (first['content'], first['alt'], first['media_category']) == (
        picture.content,
        'A drill',
        'tweet_image',
    )
    assert (second['content'], second['segments']) == (film.content, 2)
    body = json.loads(network.calls[-1].body)
    assert body == {'text': 'Look', 'media': {'media_ids': list(network.uploads)}}


def test_a_film_that_x_cannot_use(network):
    network.provider()
    film = Media('video/mp4', content=b'x')
    broken = {'data': {'id': '7000', 'processing_info': {'state': 'failed'}}}
    for answer in ({'data': {'id': '7000'}}, {'data': {}}, broken):
        network.fault((200, {}, json.dumps(answer)))
    with pytest.raises(Rejected) as caught:
        network.provider().send(Outgoing('post', 'Look', media=(film,)), 'key')
    assert caught.value.code == 'media_failed'
    assert network.sent == []


def test_a_lost_upload_is_no_unknown_post(network):
    network.fault((503, {}, ''))
    with pytest.raises(Transient):
        network.provider().send(Outgoing('post', 'x', media=(Media('image/png'),)), 'key')


def test_a_message_with_a_picture(network):
    outgoing = network.outgoing('Here', 'message', media=(Media('image/gif', content=b'GIF'),))
    before = now()
    sent = network.provider().send(outgoing, 'key')
    assert sent.external_id.startswith('dm:')
    assert network.uploads['7000']['media_category'] == 'dm_gif'
    assert network.provider().find_sent(outgoing, 'key', before) == sent
    assert network.provider().find_sent(network.outgoing('No', 'message'), 'k', before) is None
    network.provider().delete(sent.external_id, sent.local_id)
    assert network.sent == []


def test_a_message_to_somebody_new(network):
    outgoing = network.outgoing('Hello', 'message')
    first = Outgoing('message', 'Hello', target_author=outgoing.target_author)
    network.provider().send(first, 'key')
    assert '/with/8800/messages' in network.calls[-1].url
    with pytest.raises(Rejected):
        network.provider().send(Outgoing('message', 'Hello'), 'key')


def test_the_same_text_twice_is_a_duplicate(network):
    provider, outgoing = network.provider(), Outgoing('post', 'News: https://a.example/?x=1&y=2')
    provider.send(outgoing, 'key-1')
    with pytest.raises(Duplicate) as caught:
        provider.send(outgoing, 'key-2')
    assert 'duplicate content' in caught.value.reason
    with pytest.raises(Duplicate):  # the number that older parts of X give
        network.fault((403, {}, json.dumps({'errors': [{'code': 187, 'message': 'is a dup'}]})))
        provider.send(outgoing, 'key-3')


def test_an_answer_that_x_does_not_allow_is_rejected_with_its_words(network):
    network.uninvited = True
    with pytest.raises(Rejected) as caught:
        network.provider().send(network.outgoing(), 'key')
    assert not isinstance(caught.value, Duplicate)
    assert caught.value.reason.startswith('Reply to this conversation is not allowed')


def test_a_link_is_added_once_and_found_again(network):
    provider, before = network.provider(), now()
    outgoing = Outgoing('post', 'News', link='https://a.example/x?utm=1')
    assert provider.compose(outgoing) == 'News\n\nhttps://a.example/x?utm=1'
    sent = provider.send(outgoing, 'key')
    assert provider.find_sent(outgoing, 'key', before) == sent


def test_metrics_of_the_author_alone_may_be_refused(network):
    provider = network.provider()
    sent = provider.send(Outgoing('post', 'News'), 'key')
    found = provider.metrics([sent.local_id])[sent.local_id]
    assert (found.likes, found.comments, found.shares, found.views) == (5, 1, 3, 140)
    assert found.clicks == FIXTURES['non_public_metrics']['url_link_clicks']
    old = network.write('acme', 'Old news', 60 * 24 * 40)
    assert provider.metrics([old['id']])[old['id']].clicks is None


# --- limits, errors, cost -------------------------------------------------------------------------


def problem(kind, status, **values):
    body = {'type': f'https://api.twitter.com/2/problems/{kind}', 'title': 'No', 'status': status}
    return status, values.pop('headers', {}), json.dumps({**body, 'detail': 'no', **values})


@pytest.mark.parametrize(
    ('fault', 'error', 'code'),
    [
        (problem('credits-depleted', 402), PermissionMissing, 'credits-depleted'),
        (problem('spend-cap-reached', 403), PermissionMissing, 'spend-cap-reached'),
        (problem('client-forbidden', 403), PermissionMissing, 'client-forbidden'),
        (
            problem('unsupported-authentication', 403),
            PermissionMissing,
            'unsupported-authentication',
        ),
        (problem('resource-not-found', 404), NotFound, 'resource-not-found'),
        (problem('invalid-request', 400), Rejected, 'invalid-request'),
        ((402, {}, ''), PermissionMissing, '402'),
        ((403, {}, '{"title": "Forbidden", "type": "about:blank"}'), PermissionMissing, '403'),
        ((404, {}, ''), NotFound, '404'),
    ],
)
def test_refusals_by_their_type(network, fault, error, code):
    network.fault(fault)
    with pytest.raises(error) as caught:
        network.provider().fetch('mentions', '')
    assert caught.value.code == code


def test_a_used_up_day_is_waited_for(network):
    window, day = now() + timedelta(minutes=9), now() + timedelta(hours=20)
    headers = {
        'x-rate-limit-reset': str(int(window.timestamp())),
        'x-user-limit-24hour-remaining': '0',
        'x-user-limit-24hour-reset': str(int(day.timestamp())),
    }
    network.fault((429, headers, '{}'))
    with pytest.raises(RateLimited) as caught:
        network.provider().send(network.outgoing(), 'key')
    assert abs(caught.value.until - day) < timedelta(seconds=2)


def test_a_used_up_cap_is_looked_at_again_the_next_day(network):
    network.fault(problem('usage-capped', 429, period='Monthly', scope='Product'))
    with pytest.raises(RateLimited) as caught:
        network.provider().fetch('mentions', '')
    assert timedelta(0) < caught.value.until - now() <= timedelta(days=1)
    assert caught.value.until.hour == 0


def test_what_was_read_and_written_is_counted(network):
    provider = network.provider()
    for number in range(3):
        network.put('mentions', f'n{number}')
        network.put('search', f'n{number}')
    provider.fetch('mentions', '', since=now() - WEEK)
    provider.fetch('search', '', query='ship', since=now() - WEEK)
    provider.send(Outgoing('post', 'News https://a.example/x'), 'key')
    provider.whoami()
    assert provider.usage == {
        'owned_read': 3,
        'post_read': 3,
        'post_create_with_url': 1,
        'user_read': 1,
    }
    assert provider.spent == Decimal('0.228')


def test_an_idle_look_reads_next_to_nothing(network):
    for stream, _query in network.streams:
        for number in range(30):
            network.put(stream, f'n{number}', 30 - number)
    read = {}
    for stream, query in network.streams:
        _, cursor = drain(network.provider(), stream, query, since=now() - WEEK)
        idle, calls = network.provider(), len(network.calls)
        idle.fetch(stream, cursor, query=query)
        assert len(network.calls) == calls + 1
        read[stream] = sum(idle.usage.values())
    assert read == {'mentions': 1, 'own': 1, 'messages': 10, 'hashtag': 5, 'search': 5}
