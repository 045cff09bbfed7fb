"""What is particular to Threads."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from social_crm.providers import adapter_class
from social_crm.providers.errors import (
    AuthorizationLost,
    NotFound,
    NotSupported,
    PermissionMissing,
    RateLimited,
    Rejected,
    Transient,
)
from social_crm.providers.threads import Threads
from social_crm.providers.types import App, Media, Metrics, Outgoing, Profile
from social_crm.tests.providers.contract import WEEK, drain, now
from social_crm.tests.providers.fake_threads import ME, SCOPES, FakeThreads, GraphError

IMAGE = Media('image/jpeg', 'https://odoo.example/a.jpg', 'Bread')
FILM = Media('video/mp4', 'https://odoo.example/a.mp4')


@pytest.fixture
def network(stubs):
    return FakeThreads(stubs)


def form_of(call):
    return {name: values[0] for name, values in parse_qs(call.body or '').items()}


def steps(network):
    """Return the forms of all calls that make something."""
    return [form_of(call) for call in network.calls if call.method == 'POST']


def error(code, subcode=0, **more):
    body = GraphError(code, subcode).body
    body['error'].update(more)
    return 400, {}, json.dumps(body)


def test_it_is_registered():
    assert adapter_class('threads') is Threads
    assert 'messages' not in Threads.capabilities
    assert not {'pkce', 'revoke'} & Threads.features


# --- connect -------------------------------------------------------------------------------------


def connect(http, network, code=None):
    app = App('client-1', 'client-secret-9', redirect_uri='https://odoo.example/cb')
    provider = Threads(http, app)
    going = provider.authorize_url(state='s-1', challenge='challenge-1', scopes=SCOPES)
    token = provider.exchange_code(
        code=code or f'{network.code}#_', verifier='v', private=going.private, params={}
    )
    return going, Threads(http, app, token)


def test_the_whole_connection(http, network):
    going, provider = connect(http, network)
    url = urlsplit(going.url)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert (url.hostname, url.path) == ('www.threads.net', '/oauth/authorize')
    assert query['scope'].split(',') == list(SCOPES)
    assert 'code_challenge' not in query
    token = provider.token
    assert timedelta(days=59) < token.expires_at - now() < timedelta(days=61)
    assert token.scopes == SCOPES
    assert token.extra['granted_at'] <= now().isoformat()
    me = provider.whoami()
    assert (me.external_id, me.handle, me.bio) == (ME.external_id, 'demo_bakery', 'Bread daily')
    assert me.url == 'https://www.threads.com/@demo_bakery'
    fresh = provider.refresh()
    assert fresh.access_token == fresh.refresh_token == network.token != token.access_token
    assert (fresh.scopes, fresh.extra) == (token.scopes, token.extra)
    with pytest.raises(AuthorizationLost):
        provider.whoami()
    with pytest.raises(AuthorizationLost):
        provider.refresh()


def test_without_a_word_on_scopes_they_are_unknown(http, network):
    network.refuses.add('debug_token')
    assert connect(http, network)[1].token.scopes is None


def test_a_code_works_once(http, network):
    connect(http, network)
    with pytest.raises(Rejected) as caught:
        connect(http, network, 'code-1b2c')
    assert caught.value.code == '100.36007'


def test_consent_denied_calls_nothing(http, network):
    with pytest.raises(Rejected) as caught:
        network.provider(http=http).exchange_code(
            code='', verifier='', private={}, params={'error': 'access_denied'}
        )
    assert caught.value.code == 'access_denied'
    assert not network.calls


def test_an_app_is_checked_without_a_login(network):
    provider = network.provider()
    provider.check_app()
    provider.app = App('client-1', 'wrong')
    with pytest.raises(Rejected):
        provider.check_app()
    provider.app = App()
    with pytest.raises(Rejected):
        provider.check_app()


# --- listen --------------------------------------------------------------------------------------


def only(network, stream, query=''):
    (item,) = drain(network.provider(), stream, query, since=now() - WEEK)[0]
    return item


def test_a_reply_is_an_item_below_our_post(network):
    number = network.put('replies', 'any #rye left? @jo.doe')
    item = only(network, 'replies')
    assert (item.kind, item.external_id, item.own) == ('reply', number, False)
    assert item.parent_external_id == item.conversation_id == network.root
    assert item.author == Profile('jana.n', 'jana.n', url='https://www.threads.com/@jana.n')
    assert (item.hashtags, item.mentions) == (('rye',), ('jo.doe',))


def test_own_replies_are_own(network):
    network.put('own', 'thank you')
    item = only(network, 'own')
    assert (item.own, item.author.external_id) == (True, ME.external_id)


def test_pictures_come_along_also_those_of_a_carousel(network):
    network.put(
        'mentions',
        'look',
        media_type='CAROUSEL_ALBUM',
        children={
            'data': [
                {
                    'id': '1',
                    'media_type': 'IMAGE',
                    'media_url': 'https://cdn.example/1.jpg',
                    'alt_text': 'One',
                },
                {
                    'id': '2',
                    'media_type': 'VIDEO',
                    'media_url': 'https://cdn.example/2.mp4',
                    'thumbnail_url': 'https://cdn.example/2.jpg',
                },
            ]
        },
    )
    first, second = only(network, 'mentions').media
    assert first == Media('image/jpeg', 'https://cdn.example/1.jpg', 'One')
    assert second == Media(
        'video/mp4', 'https://cdn.example/2.mp4', preview='https://cdn.example/2.jpg'
    )


def test_replies_to_older_posts_are_looked_at_once_an_hour(network):
    for number in range(15):
        network.write('demo_bakery', f'post {number}', 60 * 24 + number)
    provider = network.provider()
    _items, cursor = drain(provider, 'replies', '')
    network.calls.clear()
    network.put('replies', 'late', minutes_ago=0)  # below the oldest post
    assert drain(provider, 'replies', '', cursor)[0] == []
    assert sum('conversation' in call.url for call in network.calls) == 10
    aged = json.loads(cursor)
    for name in ('since', 'deep_since'):
        aged[name] = (now() - timedelta(hours=2)).isoformat(timespec='seconds')
    items, _cursor = drain(provider, 'replies', '', json.dumps(aged))
    assert [item.text for item in items] == ['late']


def test_a_post_that_vanished_does_not_stop_the_others(network):
    network.write('demo_bakery', 'another', 60)
    network.put('replies', 'hello')
    real = network._own_posts

    def with_a_ghost(params):
        body = real(params)
        if 'after' not in params:
            body['data'].insert(0, {'id': '18099', 'timestamp': body['data'][0]['timestamp']})
        return body

    network._own_posts = with_a_ghost
    assert only(network, 'replies').text == 'hello'


def test_without_the_right_to_a_stream_nothing_is_asked(network):
    provider = network.provider(scopes=('threads_basic',))
    for stream in ('mentions', 'replies', 'search', 'hashtag'):
        assert provider.fetch(stream, 'c', query='x').next_cursor == 'c'
    assert not network.calls


def test_the_thread_of_a_reply(network):
    first = network.put('replies', 'Any rye?', 5)
    second = network.put('replies', 'Me too', 4, replied_to={'id': first})
    network.put('replies', 'And me', 3, replied_to={'id': second})
    items = network.provider().thread(second)
    assert [item.text for item in items] == ['Fresh bread', 'Any rye?', 'And me']
    network.refuses.add('replies')
    assert len(network.provider().thread(second)) == 2


# --- send ----------------------------------------------------------------------------------------


def test_a_text_is_a_container_and_its_publication(network):
    network.slow = 2
    sent = network.provider().send(Outgoing('post', 'Hello', link='https://acme.example'), 'k')
    container, publication = steps(network)
    assert container == {
        'media_type': 'TEXT',
        'text': 'Hello',
        'link_attachment': 'https://acme.example',
    }
    assert set(publication) == {'creation_id'}
    assert sent.url.startswith('https://www.threads.com/@demo_bakery/post/')
    assert network.sent == ['Hello']


def test_a_publication_that_comes_too_early_is_tried_again_with_the_same_container(network):
    provider = network.provider()
    real = provider._wait_until_ready

    def hurry(container):
        real(container)
        network.slow = 2

    provider._wait_until_ready = hurry
    provider.send(Outgoing('post', 'Hello'), 'k')
    container, *publications = steps(network)
    assert container['text'] == 'Hello'
    assert len(publications) == 3
    assert len({form['creation_id'] for form in publications}) == 1
    assert network.sent == ['Hello']


def test_files_go_by_their_address(network):
    provider = network.provider()
    provider.send(Outgoing('post', 'one', media=(IMAGE,), link='https://acme.example'), 'k')
    assert steps(network)[0] == {
        'media_type': 'IMAGE',
        'image_url': IMAGE.url,
        'alt_text': 'Bread',
        'text': 'one\n\nhttps://acme.example',
    }
    provider.send(Outgoing('post', 'film', media=(FILM,)), 'k')
    assert steps(network)[2] == {
        'media_type': 'VIDEO',
        'video_url': FILM.url,
        'text': 'film',
    }
    with pytest.raises(Rejected) as caught:
        provider.send(Outgoing('post', 'x', media=(Media('image/png', content=b'1'),)), 'k')
    assert caught.value.code == 'media_url'


def test_a_carousel_has_its_parts_first(network):
    network.provider().send(Outgoing('post', 'many', media=(IMAGE, FILM)), 'k')
    first, second, parent, _publication = steps(network)
    assert (first['media_type'], second['media_type']) == ('IMAGE', 'VIDEO')
    assert first['is_carousel_item'] == second['is_carousel_item'] == 'true'
    numbers = list(network.containers)
    assert parent == {'media_type': 'CAROUSEL', 'children': ','.join(numbers[:2]), 'text': 'many'}


def test_a_file_that_cannot_be_used_is_refused_with_the_reason(network):
    network.failure = 'FAILED_DOWNLOADING_VIDEO'
    with pytest.raises(Rejected) as caught:
        network.provider().send(Outgoing('post', 'x', media=(FILM,)), 'k')
    assert caught.value.code == 'FAILED_DOWNLOADING_VIDEO'
    assert not network.sent


def test_a_file_that_is_never_ready_was_not_posted(network):
    network.slow = 10**9
    provider = network.provider()
    provider.ready_wait = 0.3
    with pytest.raises(Transient):
        provider.send(Outgoing('post', 'x', media=(FILM,)), 'k')
    assert not network.sent


@pytest.mark.parametrize('kind', ['post', 'reply'])
def test_a_used_up_quota_stops_before_anything_is_made(network, kind):
    outgoing = network.outgoing() if kind == 'reply' else Outgoing('post', 'x')
    network.used = 250
    with pytest.raises(RateLimited) as caught:
        network.provider().send(outgoing, 'k')
    assert caught.value.until > now()
    assert not network.containers


def test_a_quota_that_is_not_told_stops_nothing(network):
    network.refuses.add('threads_publishing_limit')
    network.provider().send(Outgoing('post', 'x'), 'k')
    assert network.sent == ['x']


def test_a_reply_names_what_it_answers_and_is_found_by_it(network):
    outgoing, before = network.outgoing('Yes'), now()
    provider = network.provider()
    sent = provider.send(outgoing, 'k')
    assert steps(network)[0]['reply_to_id'] == outgoing.target
    assert provider.find_sent(outgoing, 'k', before).external_id == sent.external_id
    elsewhere = replace(outgoing, target=network.root)
    assert provider.find_sent(elsewhere, 'k', before) is None


def test_there_are_no_messages(network):
    with pytest.raises(NotSupported):
        network.provider().send(Outgoing('message', 'psst'), 'k')
    assert not network.calls


# --- errors, counters, profiles ------------------------------------------------------------------


@pytest.mark.parametrize(
    ('fault', 'kind'),
    [
        (error(190, 463), AuthorizationLost),
        (error(10), PermissionMissing),
        (error(200), PermissionMissing),
        (error(4), RateLimited),
        (error(613), RateLimited),
        (error(2), Transient),
        (error(1, is_transient=True), Transient),
        (error(24), NotFound),
        (error(100, 4279013), Rejected),
    ],
)
def test_errors_are_told_by_their_code(network, fault, kind):
    network.fault(fault)
    with pytest.raises(kind):
        network.provider().fetch('mentions', '')


def test_counters_come_in_two_forms(network):
    assert network.provider().metrics([network.root]) == {
        network.root: Metrics(likes=2, comments=3, shares=15, views=1)
    }


def test_a_profile_is_looked_up(network):
    found = network.provider().profile('@Jana.N')
    assert (found.external_id, found.name, found.followers) == ('jana.n', 'Jana', 1200)
    assert found.verified
    for handle in ('', 'nobody', 'a/b', 'a b'):
        with pytest.raises(NotFound):
            network.provider().profile(handle)
    network.refuses.add('profile_lookup')
    with pytest.raises(PermissionMissing):
        network.provider().profile('jana.n')


# --- webhooks ------------------------------------------------------------------------------------

APP = App('client-1', 'client-secret-9', verify_token='word-1')
REPLY = {
    'id': '18090000000000001',
    'username': 'jana.n',
    'text': 'any rye left?',
    'media_type': 'TEXT_POST',
    'permalink': 'https://www.threads.com/@jana.n/post/DAbc123',
    'replied_to': {'id': '18090000000000000'},
    'timestamp': '2026-11-02T09:00:00+0000',
    'root_post': {'id': '18090000000000000', 'owner_id': ME.external_id, 'username': 'demo_bakery'},
}


def flat(field, value):
    return {
        'app_id': '111',
        'topic': 'moderate',
        'target_id': ME.external_id,
        'time': 1793610000,
        'values': {'field': field, 'value': value},
    }


def nested(field, value):
    changes = [{'field': field, 'value': value}]
    return {'object': 'threads', 'entry': [{'id': ME.external_id, 'changes': changes}]}


def parse(body):
    return Threads(None, APP).parse_webhook({}, json.dumps(body).encode())


@pytest.mark.parametrize('form', [flat, nested])
def test_a_push_is_read_in_both_forms(form):
    (push,) = parse(form('replies', REPLY))
    assert (push.event, push.account_id, push.stream) == ('items', ME.external_id, 'replies')
    (item,) = push.page.items
    assert (item.kind, item.text, item.own) == ('reply', 'any rye left?', False)
    (push,) = parse(form('mentions', REPLY))
    assert (push.stream, push.page.items[0].kind) == ('mentions', 'mention')
    (push,) = parse(form('replies', {**REPLY, 'username': 'demo_bakery'}))
    assert push.page.items[0].own
    gone = {'id': '1', 'owner': {'owner_id': '2'}, 'deleted_at': '2026-11-02T09:00:00+0000'}
    (push,) = parse(form('delete', gone))
    assert (push.page.items[0].external_id, push.page.items[0].deleted) == ('1', True)
    assert parse(form('publish', REPLY)) == ()
    (push,) = parse(form('replies', {'id': '1'}))
    assert push.page.unreadable


@pytest.mark.parametrize('body', [b'', b'[]', b'{}', b'\xff', b'[' * 100_000])
def test_a_push_of_nonsense_is_refused(body):
    with pytest.raises(Rejected):
        Threads(None, APP).parse_webhook({}, body)


@pytest.mark.parametrize('values', [None, 7, [], ['x'], {'field': 'replies', 'value': 'x'}])
def test_a_push_with_nonsense_in_it_is_nothing(values):
    assert parse({'target_id': '1', 'values': values}) == ()


def test_pushes_are_proved_as_metas_are():
    provider, body = Threads(None, APP), b'{"a": 1}'
    challenge = {'hub.mode': 'subscribe', 'hub.challenge': '42', 'hub.verify_token': 'word-1'}
    assert provider.answer_handshake(challenge) == '42'
    with pytest.raises(Rejected):
        provider.answer_handshake({**challenge, 'hub.verify_token': 'word-2'})
    signature = hmac.new(b'client-secret-9', body, hashlib.sha256).hexdigest()
    provider.verify_webhook({'x-hub-signature-256': f'sha256={signature}'}, body)
    with pytest.raises(Rejected):
        provider.verify_webhook({'x-hub-signature-256': f'sha256={signature}'}, body + b' ')


def test_a_person_who_takes_the_grant_back_is_named():
    payload = json.dumps({'algorithm': 'HMAC-SHA256', 'user_id': ME.external_id}).encode()
    text = base64.urlsafe_b64encode(payload).rstrip(b'=')
    digest = hmac.new(b'client-secret-9', text, hashlib.sha256).digest()
    request = base64.urlsafe_b64encode(digest).rstrip(b'=') + b'.' + text
    body = b'signed_request=' + quote(request).encode()
    provider = Threads(None, APP)
    provider.verify_webhook({}, body)
    (push,) = provider.parse_webhook({}, body)
    assert (push.event, push.person_id) == ('deauthorized', ME.external_id)
    with pytest.raises(Rejected):
        provider.verify_webhook({}, body[:-4] + b'AAAA')
