"""What is particular to Bluesky: identities, proofs, facets, record keys, messages."""

import io
import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import pytest
from PIL import Image

from social_crm.providers import adapter_class, dpop, oauth2
from social_crm.providers.bluesky import Bluesky
from social_crm.providers.bluesky_identity import normalise
from social_crm.providers.bluesky_items import Reader, posted_at
from social_crm.providers.bluesky_oauth import LOOPBACK_PATH, METADATA_PATH, client_metadata
from social_crm.providers.bluesky_sending import record_key, tid
from social_crm.providers.bluesky_text import facets_of, plain_text
from social_crm.providers.errors import (
    AuthorizationLost,
    NotFound,
    OutcomeUnknown,
    PermissionMissing,
    Rejected,
    Transient,
)
from social_crm.providers.types import App, Media, Outgoing, Profile
from social_crm.tests.providers.contract import WEEK, drain, now
from social_crm.tests.providers.fake_bluesky import CALLBACK, LOGIN, PDS, SCOPES, FakeBluesky

IMAGES = 'app.bsky.embed.images'
PNG = bytes.fromhex(
    '89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489'
    '0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082'
)


@pytest.fixture
def network(stubs, lexicons):
    return FakeBluesky(stubs, lexicons)


def sent_json(network, name):
    """Return the bodies that were posted to a call."""
    calls = [c for c in network.calls if urlsplit(c.url).path.endswith(name)]
    return [json.loads(call.body) for call in calls]


def test_it_is_registered():
    assert adapter_class('bluesky') is Bluesky


# --- who is who ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('typed', 'expected'),
    [
        ('Me.Example', 'me.example'),
        (' @me.example ', 'me.example'),
        ('https://bsky.app/profile/me.example', 'me.example'),
        ('https://bsky.app/profile/me.example/post/3kabc', 'me.example'),
        ('https://PDS.example/', 'https://pds.example'),
        ('http://localhost:2583', 'http://localhost:2583'),
        ('bücher.example', 'xn--bcher-kva.example'),
        ('did:plc:' + 'a' * 24, 'did:plc:' + 'a' * 24),
    ],
)
def test_what_people_type(typed, expected):
    assert normalise(typed) == expected


@pytest.mark.parametrize(
    ('typed', 'code'),
    [
        ('', 'empty'),
        ('@', 'empty'),
        ('me@you.example', 'url'),
        ('a b.example', 'url'),
        ('ftp://x.example', 'scheme'),
        ('https://u:p@x.example', 'userinfo'),
        ('me', 'host'),
        ('10.0.0.1', 'host'),
        ('printer.local', 'host'),
        ('https://[::1]', 'host'),
        ('me.example/../admin', 'url'),
        ('did:web:../../x', 'url'),
    ],
)
def test_what_is_neither_handle_nor_server(typed, code):
    with pytest.raises(Rejected) as caught:
        normalise(typed)
    assert caught.value.code == code


def begin(http, network, typed='acme.example', scopes=SCOPES, redirect_uri=CALLBACK):
    app = Bluesky(http).discover(Bluesky.normalise_server(typed))
    app = replace(app, redirect_uri=redirect_uri)
    app = Bluesky(http, app).register(app, name='Acme', website='https://odoo.example')
    verifier = oauth2.new_verifier()
    provider = Bluesky(http, app)
    going = provider.authorize_url(
        state='state-1', challenge=oauth2.challenge_of(verifier), scopes=scopes, hint=typed
    )
    return provider, going, verifier


def finish(network, provider, going, verifier, **callback):
    network.key = going.private['key']
    params = {'code': network.code, 'state': 'state-1', 'iss': LOGIN, **callback}
    token = provider.exchange_code(
        code=params['code'], verifier=verifier, private=going.private, params=params
    )
    return Bluesky(provider.http, provider.app, token)


def test_the_whole_connection(http, network):
    network.nonce = 'nonce-1'  # servers want one, and tell it by refusing
    provider, going, verifier = begin(http, network)
    app = provider.app
    assert (app.server, app.client_id) == (LOGIN, f'https://odoo.example{METADATA_PATH}')
    query = dict(parse_qsl(urlsplit(going.url).query))
    assert query == {'client_id': app.client_id, 'request_uri': 'urn:request:1'}
    assert network.pushed['code_challenge'] == oauth2.challenge_of(verifier)
    assert network.pushed['code_challenge_method'] == 'S256'
    assert network.pushed['redirect_uri'] == CALLBACK
    assert network.pushed['login_hint'] == 'acme.example'
    assert network.pushed['scope'].split() == list(SCOPES)
    provider = finish(network, provider, going, verifier)
    assert provider.token.scopes == SCOPES
    assert provider.token.extra['pds'] == PDS
    me = provider.whoami()
    assert (me.handle, me.external_id) == ('acme.example', network.me['did'])
    assert (me.followers, me.verified) == (312, True)
    network.nonce = 'nonce-2'
    assert provider.whoami() == me
    calls = len(network.calls)
    assert provider.whoami() == me
    assert len(network.calls) == calls + 1, 'the nonce is kept'
    old = provider.token
    provider.token = provider.refresh()
    assert (provider.token.extra, provider.token.scopes) == (old.extra, old.scopes)
    with pytest.raises(AuthorizationLost):
        Bluesky(http, app, old).refresh()
    provider.revoke()
    with pytest.raises(AuthorizationLost):
        provider.whoami()
    provider.revoke()  # quiet


def test_a_server_that_wants_ever_new_nonces_is_given_up(network):
    headers = {'DPoP-Nonce': 'n', 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"'}
    for _ in range(2):
        network.fault((401, headers, '{}'))
    with pytest.raises(Transient):
        network.provider().whoami()
    assert len(network.calls) == 2


def test_old_servers_are_asked_for_coarse_scopes(http, network):
    network.old_server = True
    provider, going, verifier = begin(http, network)
    assert network.pushed['scope'] == 'atproto transition:generic transition:chat.bsky'
    provider = finish(network, provider, going, verifier)
    assert Bluesky.covers(provider.token.scopes, SCOPES)
    coarse = ('atproto', 'transition:generic')
    assert not Bluesky.covers(coarse, Bluesky.capabilities['messages'])
    assert Bluesky.covers(coarse, Bluesky.capabilities['publish'])
    assert not Bluesky.covers(('atproto', 'transition:chat.bsky'), Bluesky.capabilities['messages'])


@pytest.mark.parametrize(
    ('callback', 'code'),
    [
        ({'iss': 'https://evil.example'}, 'mix_up'),
        ({'iss': ''}, 'mix_up'),
        ({'error': 'access_denied'}, 'access_denied'),
        ({'code': ''}, 'no_code'),
    ],
)
def test_callbacks_that_are_not_taken(http, network, callback, code):
    going = begin(http, network)
    with pytest.raises(Rejected) as caught:
        finish(network, *going, **callback)
    assert caught.value.code == code


def test_somebody_else_signed_in(http, network):
    going = begin(http, network, 'acme.example')
    network.me = network.person('rita')
    with pytest.raises(Rejected) as caught:
        finish(network, *going)
    assert caught.value.code == 'wrong_account'


def test_a_login_without_identity_is_not_taken(http, network):
    going = begin(http, network)
    network.granted = 'transition:generic'
    with pytest.raises(Rejected) as caught:
        finish(network, *going)
    assert caught.value.code == 'scope'


def test_a_login_server_may_only_speak_for_its_accounts(http, network):
    going = begin(http, network, PDS)
    assert 'login_hint' not in network.pushed
    network.issuer = 'https://other.example'  # the account's data server names another one
    with pytest.raises(Rejected):
        finish(network, *going)


def test_a_handle_that_its_account_does_not_confirm(http, network):
    did = network.me['did']
    network.person('rita')
    real = network._did_of
    network._did_of = lambda handle: did if handle == 'rita.example' else real(handle)
    with pytest.raises(NotFound):
        Bluesky(http).discover('rita.example')


def test_nobody_by_that_name(http, network):
    with pytest.raises(NotFound) as caught:
        Bluesky(http).discover('nobody.example')
    assert caught.value.code == 'handle'
    with pytest.raises(Rejected) as caught:
        Bluesky(http).discover('https://nobody.example')
    assert caught.value.code == 'not_atproto'


@pytest.mark.parametrize(
    ('redirect_uri', 'sent'),
    [
        ('http://localhost:8069/cb', f'http://127.0.0.1:8069{LOOPBACK_PATH}'),
        ('http://127.0.0.1:8069/cb', 'http://127.0.0.1:8069/cb'),
    ],
)
def test_a_client_on_the_same_machine(http, network, redirect_uri, sent):
    provider, _going, _verifier = begin(http, network, redirect_uri=redirect_uri)
    client = urlsplit(provider.app.client_id)
    assert (client.scheme, client.netloc, client.path) == ('http', 'localhost', '')
    told = parse_qs(client.query)
    assert told['redirect_uri'] == [sent]
    assert set(SCOPES) <= set(told['scope'][0].split())
    assert network.pushed['redirect_uri'] == sent
    assert 'client_assertion' not in network.pushed


@pytest.mark.parametrize('uri', ['http://odoo.lan/cb', 'https://odoo.example:8443/cb'])
def test_other_addresses_cannot_sign_in(http, uri):
    with pytest.raises(Rejected) as caught:
        Bluesky(http).register(App(redirect_uri=uri), name='x', website='x')
    assert caught.value.code == 'needs_https'


def test_the_clients_document(http, network):
    provider, _going, _verifier = begin(http, network)
    key = provider.app.client_secret
    told = client_metadata(
        'https://odoo.example',
        name='Acme',
        redirect_uri=CALLBACK,
        scopes=Bluesky.all_scopes(),
        keys=[key],
    )
    assert told['client_id'] == provider.app.client_id
    assert set(network.pushed['scope'].split()) <= set(told['scope'].split())
    assert len(set(told['scope'].split())) == len(told['scope'].split())
    assert json.loads(key)['d'] not in json.dumps(told), 'nothing private is told'
    # What the client proved itself with fits a key of the document.
    header = jwt.get_unverified_header(network.pushed['client_assertion'])
    (jwk,) = [one for one in told['jwks']['keys'] if one['kid'] == header['kid']]
    claims = jwt.decode(
        network.pushed['client_assertion'], jwt.PyJWK(jwk), ['ES256'], audience=LOGIN
    )
    assert claims['iss'] == claims['sub'] == told['client_id']
    again = Bluesky(http).register(provider.app, name='x', website='x')
    assert again.client_secret == key, 'logins end with the key'


def test_the_digest_of_a_token_in_a_proof():
    text = dpop.proof(dpop.new_key(), 'GET', 'https://x.example/a?b=c', token='abc', nonce='n')
    claims = jwt.decode(text, options={'verify_signature': False})
    assert claims['ath'] == 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0'
    assert (claims['htu'], claims['nonce']) == ('https://x.example/a', 'n')


# --- app passwords -------------------------------------------------------------------------------


def test_an_app_password(http, network):
    token, me = Bluesky(http).sign_in('acme.example', 'abcd-efgh-2345-wxyz')
    assert me.handle == 'acme.example'
    assert not Bluesky.covers(token.scopes, Bluesky.capabilities['messages'])
    provider = Bluesky(http, token=token, me=me)
    network.mention('hello')
    assert len(drain(provider, 'notifications', '', since=now() - WEEK)[0]) == 1
    assert drain(provider, 'messages', '', since=now() - WEEK)[0] == []
    assert not any('chat.' in call.url for call in network.calls), 'it was not granted'
    provider.token = provider.refresh()
    assert provider.token.expires_at > now() + timedelta(minutes=90)
    assert provider.whoami() == me
    provider.revoke()
    with pytest.raises(AuthorizationLost):
        provider.whoami()
    provider.revoke()  # quiet


@pytest.mark.parametrize(
    ('typed', 'password', 'code'),
    [
        ('acme.example', 'my main password', 'no_app_password'),
        ('acme.example', 'aaaa-bbbb-cccc-dddd', 'AuthenticationRequired'),
        ('nobody.example', 'aaaa-bbbb-cccc-dddd', 'handle'),
    ],
)
def test_app_passwords_that_are_refused(http, network, typed, password, code):
    with pytest.raises(Rejected) as caught:
        Bluesky(http).sign_in(typed, password)
    assert caught.value.code == code
    assert password not in str(caught.value)


def test_an_app_password_without_the_right_to_messages(network):
    network.fault((400, {}, json.dumps({'error': 'InvalidToken', 'message': 'Bad token method'})))
    with pytest.raises(PermissionMissing):
        network.provider().fetch('messages', '')


# --- text ----------------------------------------------------------------------------------------


def test_facets_count_bytes():
    text = 'Grüße 👩‍👩‍👧‍👦 (@rita.example) https://x.example/a_(b)?c=1. #Möbel, #1 #ok! @no.body'
    dids = {'rita.example': 'did:plc:rita'}
    found = {}
    for facet in facets_of(text, lambda handle: dids.get(handle, '')):
        place = slice(facet['index']['byteStart'], facet['index']['byteEnd'])
        found[text.encode()[place].decode()] = facet['features'][0]
    kind = 'app.bsky.richtext.facet'
    assert found == {
        '@rita.example': {'$type': f'{kind}#mention', 'did': 'did:plc:rita'},
        'https://x.example/a_(b)?c=1': {
            '$type': f'{kind}#link',
            'uri': 'https://x.example/a_(b)?c=1',
        },
        '#Möbel': {'$type': f'{kind}#tag', 'tag': 'Möbel'},
        '#ok': {'$type': f'{kind}#tag', 'tag': 'ok'},
    }


def mark(text, part, **feature):
    start = len(text[: text.index(part)].encode())
    kind = feature.pop('kind', 'link')
    feature = {'$type': f'app.bsky.richtext.facet#{kind}', **feature}
    index = {'byteStart': start, 'byteEnd': start + len(part.encode())}
    return {'index': index, 'features': [feature]}


def test_links_read_as_their_address():
    text = 'Grüße: example.com/a… und hier'
    long = mark(text, 'example.com/a…', uri='https://example.com/a/long/path')
    named = mark(text, 'hier', uri='https://evil.example')
    assert plain_text(text, [named, long]) == (
        'Grüße: https://example.com/a/long/path und hier (https://evil.example)'
    )


@pytest.mark.parametrize(
    'facets',
    [
        None,
        'x',
        [None],
        [{}],
        [{'index': {}, 'features': []}],
        [{'index': {'byteStart': 0, 'byteEnd': 99}, 'features': [{}]}],
        [{'index': {'byteStart': -5, 'byteEnd': 2}, 'features': [{}]}],
        [{'index': {'byteStart': 3, 'byteEnd': 1}, 'features': [{}]}],
        [
            {
                'index': {'byteStart': 0, 'byteEnd': 1},
                'features': [{'$type': 'app.bsky.richtext.facet#link', 'uri': 'https://x.example'}],
            }
        ],
        [
            {
                'index': {'byteStart': 0, 'byteEnd': 2},
                'features': [{'$type': 'app.bsky.richtext.facet#link', 'uri': 7}],
            }
        ],
    ],
)
def test_facets_that_do_not_fit_are_ignored(facets):
    assert plain_text('ü is no ASCII', facets) == 'ü is no ASCII'


def test_overlapping_facets_are_ignored():
    text = 'see example.com'
    one = mark(text, 'example.com', uri='https://example.com/')
    other = mark(text, 'ample.com', uri='https://evil.example/')
    assert plain_text(text, [one, other]) == 'see https://example.com/'


# --- listen --------------------------------------------------------------------------------------


def only(network, stream='notifications', query=''):
    (item,), _ = drain(network.provider(), stream, query, since=now() - WEEK)
    return item


def test_likes_are_no_items_and_no_end(network):
    provider = network.provider()
    network.mention('first', 400)
    for number in range(130):
        network.like(300 - number)
    network.mention('last', 2)
    items, cursor = drain(provider, 'notifications', '', since=now() - WEEK)
    assert {item.text for item in items} == {'@acme.example first', '@acme.example last'}
    network.like(0)
    assert drain(provider, 'notifications', '', cursor)[0] == []


def test_empty_pages_are_no_end(network):
    provider = network.provider()
    empty = json.dumps({'notifications': [], 'cursor': '0:'})
    network.mention('hello')
    for _ in range(9):
        network.fault((200, {}, empty))
    items, _cursor = drain(provider, 'notifications', '', since=now() - WEEK)
    assert [item.text for item in items] == ['@acme.example hello']


def test_kinds_of_notifications(network):
    ours = network.write('acme', 'Our desk', 60)
    network.mention('look', 9)
    network.mention('why?', 8, 'reply', parent=ours)
    quoted = {'$type': 'app.bsky.embed.record', 'record': {'uri': ours['uri'], 'cid': ours['cid']}}
    network.mention('ha', 7, 'quote', record={'embed': quoted})
    items, _ = drain(network.provider(), 'notifications', '', since=now() - WEEK)
    assert [item.kind for item in items] == ['mention', 'reply', 'mention']
    assert [item.parent_external_id for item in items] == ['', ours['uri'], ours['uri']]
    assert items[1].conversation_id == ours['uri']
    assert items[0].mentions == ('acme.example',)
    assert items[0].url.startswith('https://bsky.app/profile/rita.example/post/')


def test_pictures_cards_and_languages(network):
    blob = {'$type': 'blob', 'ref': {'$link': 'bafkpicture'}, 'mimeType': 'image/png', 'size': 9}
    images = {'$type': IMAGES, 'images': [{'image': blob, 'alt': 'A desk'}]}
    network.mention('see', record={'embed': images, 'langs': ['pt-BR', 'en'], 'tags': ['Wood']})
    item = only(network)
    did = network.person('rita')['did']
    assert item.media == (
        Media(
            'image/jpeg',
            f'https://cdn.example/img/feed_fullsize/plain/{did}/bafkpicture@jpeg',
            'A desk',
            preview=f'https://cdn.example/img/feed_thumbnail/plain/{did}/bafkpicture@jpeg',
        ),
    )
    assert (item.language, item.hashtags) == ('pt', ('Wood',))


def test_pictures_and_films_as_the_network_shows_them(network):
    picture = {'fullsize': 'https://cdn.example/l', 'thumb': 'https://cdn.example/s', 'alt': 'Desk'}
    film = {
        'cid': 'bafk',
        'playlist': 'https://video.example/p',
        'thumbnail': 'https://v.example/t',
    }
    network.put('hashtag', 'a', 2, embed={'$type': f'{IMAGES}#view', 'images': [picture]})
    network.put('hashtag', 'b', 1, embed={'$type': 'app.bsky.embed.video#view', **film})
    items, _ = drain(network.provider(), 'hashtag', 'shop', since=now() - WEEK)
    hls = 'application/vnd.apple.mpegurl'
    assert [item.media for item in items] == [
        (Media('image/jpeg', picture['fullsize'], 'Desk', preview=picture['thumb']),),
        (Media(hls, film['playlist'], preview=film['thumbnail']),),
    ]


def test_a_card_tells_its_address(network):
    card = {'uri': 'https://example.com/news', 'title': 'News', 'description': ''}
    network.mention(
        'read', record={'embed': {'$type': 'app.bsky.embed.external', 'external': card}}
    )
    assert only(network).text.endswith('read\n\nhttps://example.com/news')


@pytest.mark.parametrize(
    'hidden',
    [
        {'labels': [{'val': '!takedown', 'src': 'did:plc:m', 'uri': 'at://x', 'cts': 'x'}]},
        {'author': {'viewer': {'blockedBy': True}}},
        {'author': {'viewer': {'blocking': 'at://did:plc:x/app.bsky.graph.block/1'}}},
    ],
)
def test_what_is_blocked_or_taken_down_is_no_item(network, hidden):
    note = network.mention('bad')
    network.spec = None
    note['labels'] = hidden.get('labels', [])
    note['author'] = {**note['author'], **hidden.get('author', {})}
    network.mention('good')
    assert only(network).text == '@acme.example good'


def test_times_are_as_claimed_if_that_can_be():
    seen = '2026-09-01T12:00:00.000Z'
    assert posted_at('2026-09-01T11:59:00Z', seen).minute == 59
    for claimed in ('2026-09-01T12:00:01Z', '1999-01-01T00:00:00Z', 'soon', None, 7):
        assert posted_at(claimed, seen).hour == 12
        assert posted_at(claimed, seen).minute == 0


@pytest.mark.parametrize('record', [None, [], 'x', {}, {'text': 7}, {'text': None}])
def test_records_of_any_client(network, record):
    note = {**network.mention('x'), 'record': record}
    page = network.provider().read('notifications', note)
    assert (len(page.items), len(page.unreadable)) == (0, 1)
    assert page.unreadable[0].external_id == note['uri']


@pytest.mark.parametrize(
    'record',
    [
        {'reply': 'x'},
        {'reply': {'parent': None}},
        {'embed': []},
        {'embed': {'record': 5}},
        {'langs': 'en'},
        {'langs': [None]},
        {'tags': 'x'},
        {'facets': {}},
        {'createdAt': {}},
        {'embed': {'images': [None, {'image': 1}]}},
    ],
)
def test_odd_fields_of_a_record_do_no_harm(network, record):
    note = network.mention('x')
    page = network.provider().read(
        'notifications', {**note, 'record': {**note['record'], **record}}
    )
    assert (len(page.items), page.unreadable) == (1, ())


def test_a_lost_handle_and_bots(network):
    profile = Reader().profile(
        {'did': 'did:plc:x', 'handle': 'handle.invalid', 'labels': [{'val': 'bot'}]}
    )
    assert (profile.handle, profile.bot) == ('did:plc:x', True)


def test_a_thread_leaves_out_what_is_gone(network):
    first = network.write('rita', 'first', 50)
    second = network.write('acme', 'second', 40, parent=first)
    third = network.write('rita', 'third', 30, parent=second)
    gone = network.write('rita', 'gone', 20)
    orphan = network.write('rita', 'orphan', 10, parent=gone)
    provider = network.provider()
    items = provider.thread(second['uri'])
    assert [(item.text, item.own) for item in items] == [('first', False), ('third', False)]
    network.forget(gone['uri'])
    assert provider.thread(orphan['uri']) == ()
    assert [item.own for item in provider.thread(third['uri'])] == [True]
    with pytest.raises(NotFound):
        provider.thread(gone['uri'])


# --- send ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('microseconds', 'clock', 'expected'),
    [
        (0, 0, '2222222222222'),
        (1700000000000000, 0, '3ke6kg3wk2222'),
        (1700000000000000, 23, '3ke6kg3wk222r'),
        (1790000000123456, 7, '3mvzvh4jkm22b'),
    ],
)
def test_timestamp_identifiers(microseconds, clock, expected):
    assert tid(microseconds, clock) == expected


def test_record_keys_follow_from_the_key_and_differ():
    keys = {record_key(f'key-{number}') for number in range(5000)}
    assert len(keys) == 5000
    assert record_key('key-1') in keys
    # In the past by their form, whenever they are made.
    assert all(tid(1_704_067_200_000_000, 0) <= key < tid(1_780_000_000_000_000, 0) for key in keys)


def test_nothing_is_sent_twice_or_overwritten(network):
    provider, outgoing = network.provider(), Outgoing('post', 'Once')
    network.lose_answer()
    with pytest.raises(OutcomeUnknown):
        provider.send(outgoing, 'key')
    sent = provider.send(outgoing, 'key')
    assert network.sent == ['Once']
    assert provider.send(Outgoing('post', 'Changed'), 'key') == sent
    assert network.sent == ['Once']
    assert sent.external_id.endswith(record_key('key'))
    network.lose_answer((200, {}, json.dumps({'uri': sent.external_id, 'cid': 'b'})))
    with pytest.raises(OutcomeUnknown):  # the answer is about another record
        provider.send(Outgoing('post', 'Another'), 'key-2')


def test_an_answer_names_its_parent_and_the_root(network):
    root = network.write('rita', 'root', 9)
    parent = network.write('rita', 'parent', 8, parent=root)
    provider = network.provider()
    author = Profile(network.person('rita')['did'], 'rita.example')
    sent = provider.send(Outgoing('reply', 'Yes', parent['uri'], '', author, language='de'), 'k')
    record = sent_json(network, 'putRecord')[0]['record']
    assert record['reply']['parent'] == {'uri': parent['uri'], 'cid': parent['cid']}
    assert record['reply']['root'] == {'uri': root['uri'], 'cid': root['cid']}
    assert (record['text'], record['langs']) == ('Yes', ['de'])
    # A comment below it: the network may not know it yet, its own server does.
    calls = len(network.calls)
    provider.send(Outgoing('comment', 'More', sent.external_id), 'k2')
    record = sent_json(network, 'putRecord')[1]['record']
    assert record['reply']['root']['uri'] == root['uri']
    assert not any('getPosts' in call.url for call in network.calls[calls:])


def test_no_answer_to_what_is_gone_or_closed(network):
    post = network.write('rita', 'x', viewer={'replyDisabled': True})
    provider = network.provider()
    with pytest.raises(Rejected) as caught:
        provider.send(Outgoing('reply', 'Yes', post['uri']), 'k')
    assert caught.value.code == 'reply_disabled'
    network.forget(post['uri'])
    with pytest.raises(NotFound):
        provider.send(Outgoing('reply', 'Yes', post['uri']), 'k')
    assert network.sent == []


def test_pictures_are_uploaded_with_their_description(network):
    media = (
        Media('image/png', content=PNG, description='One pixel'),
        Media('image/png', content=b'none'),
    )
    network.provider().send(Outgoing('post', 'See', media=media), 'k')
    one, other = sent_json(network, 'putRecord')[0]['record']['embed']['images']
    assert one['alt'] == 'One pixel'
    assert one['aspectRatio'] == {'width': 1, 'height': 1}
    assert (one['image']['mimeType'], one['image']['size']) == ('image/png', len(PNG))
    assert 'aspectRatio' not in other
    assert PNG in network.blobs.values()


def test_a_photograph_does_not_tell_where_it_was_taken(network):
    exif = Image.Exif()
    exif[274] = 6  # held upright
    exif[34853] = {1: 'N', 2: (47.0, 4.0, 0.0)}
    photograph = io.BytesIO()
    Image.new('RGB', (40, 20), 'teal').save(photograph, 'JPEG', exif=exif)
    media = (Media('image/jpeg', content=photograph.getvalue()),)
    network.provider().send(Outgoing('post', 'See', media=media), 'k')
    (image,) = sent_json(network, 'putRecord')[0]['record']['embed']['images']
    assert image['aspectRatio'] == {'width': 20, 'height': 40}
    (stored,) = network.blobs.values()
    with Image.open(io.BytesIO(stored)) as picture:
        assert not picture.getexif()


def test_links_and_mentions_are_composed_and_marked(network):
    network.person('rita')
    provider = network.provider()
    author = Profile(network.person('rita')['did'], 'rita.example')
    hello = Outgoing('reply', 'Hello', target_author=author, link='https://x.example/1')
    assert provider.compose(hello) == '@rita.example Hello\n\nhttps://x.example/1'
    assert provider.compose(replace(hello, target='at://x')) == 'Hello\n\nhttps://x.example/1'
    provider.send(hello, 'k')
    facets = sent_json(network, 'putRecord')[0]['record']['facets']
    kinds = [facet['features'][0]['$type'].partition('#')[2] for facet in facets]
    assert kinds == ['mention', 'link']


def test_only_own_posts_are_deleted(network):
    post = network.write('rita', 'x')
    with pytest.raises(Rejected):
        network.provider().delete(post['uri'])


def test_shares_are_reposts_and_quotes(network):
    post = network.write('acme', 'x')
    metrics = network.provider().metrics([post['uri']])[post['uri']]
    assert (metrics.likes, metrics.comments, metrics.shares) == (5, 1, 5)


# --- messages ------------------------------------------------------------------------------------


def test_messages_come_with_who_wrote_them(network):
    network.message('rita', 'My order is 4711')
    network.message('acme', 'Thank you')
    items, _ = drain(network.provider(), 'messages', '', since=now() - WEEK)
    assert [(item.text, item.own) for item in items] == [
        ('My order is 4711', False),
        ('Thank you', True),
    ]
    assert {item.kind for item in items} == {'message'}
    assert {item.visibility for item in items} == {'direct'}
    assert items[0].author.handle == 'rita.example'
    assert items[0].conversation_id == 'convo-rita'


def test_a_deleted_message_and_a_note_of_the_system(network):
    provider = network.provider()
    _, cursor = drain(provider, 'messages', '')
    message = network.message('rita', 'x', **{'$type': 'chat.bsky.convo.defs#deletedMessageView'})
    del message['text']
    note = network.message('rita', '')
    network.spec = None
    note.pop('sender')
    note |= {'$type': 'chat.bsky.convo.defs#systemMessageView', 'data': {}}
    (item,), _ = drain(provider, 'messages', '', cursor)
    assert (item.deleted, item.text) == (True, '')


def test_without_the_right_there_are_no_messages(network):
    network.message('rita', 'hello')
    scopes = [scope for scope in SCOPES if 'chat' not in scope]
    page = network.provider(scopes=scopes).fetch('messages', '', since=now() - WEEK)
    assert (page.items, page.more) == ((), False)
    assert network.calls == []


def test_answering_a_message(network):
    provider, outgoing = network.provider(), network.outgoing('Thank you', 'message')
    before = now()
    assert provider.find_sent(outgoing, 'k', before) is None
    sent = provider.send(outgoing, 'k')
    assert network.sent == ['Thank you']
    assert provider.find_sent(outgoing, 'k', before) == sent
    assert not any('getConvoForMembers' in call.url for call in network.calls)


def test_a_message_that_got_no_answer_is_found(network):
    provider, outgoing, before = network.provider(), network.outgoing('Hi', 'message'), now()
    network.lose_answer()
    with pytest.raises(OutcomeUnknown):
        provider.send(outgoing, 'k')
    assert provider.find_sent(outgoing, 'k', before)
    assert network.sent == ['Hi']


def test_a_message_to_whoever_wrote_a_post(network):
    outgoing = replace(network.outgoing('Hi', 'reply'), kind='message', conversation_id='at://x')
    network.provider().send(outgoing, 'k')
    assert any('getConvoForMembers' in call.url for call in network.calls)
    refused = {'error': 'NotFollowedBySender', 'message': 'Not followed by sender'}
    network.answering = False
    network.fault((400, {}, json.dumps(refused)))
    with pytest.raises(Rejected) as caught:
        network.provider().send(outgoing, 'k')
    assert (caught.value.code, caught.value.reason) == (
        'NotFollowedBySender',
        'Not followed by sender',
    )


# --- limits --------------------------------------------------------------------------------------


def test_the_rate_limit_of_the_data_server(network):
    until = (now() + timedelta(minutes=3)).replace(microsecond=0)
    provider = network.provider()
    headers = {
        'RateLimit-Limit': '3000',
        'RateLimit-Remaining': '7',
        'RateLimit-Reset': str(int(until.timestamp())),
    }
    network.fault((200, headers, json.dumps({'notifications': []})))
    provider.fetch('notifications', '')
    limit = provider.http.last_rate_limit
    assert (limit.limit, limit.remaining, limit.reset) == (3000, 7, until)


def test_lengths_are_graphemes(network):
    provider = network.provider()
    assert provider.count('👩‍👩‍👧‍👦' * 3) == 3
    assert provider.limits().text_length == 300
