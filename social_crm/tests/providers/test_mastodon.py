"""What is particular to Mastodon and the servers that speak its API."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from social_crm.providers import adapter_class, adapter_codes, oauth2
from social_crm.providers.errors import (
    AuthorizationLost,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    PermissionMissing,
    Rejected,
    Transient,
)
from social_crm.providers.mastodon import Mastodon
from social_crm.providers.mastodon_items import Reader, parse_time
from social_crm.providers.types import App, Media, Metrics, Outgoing, Profile, Token
from social_crm.tests.providers.contract import WEEK, drain, now
from social_crm.tests.providers.fake_mastodon import SCOPES, SERVER, FakeMastodon

PNG = b'\x89PNG\r\n\x1a\nxxxx'


@pytest.fixture
def network(stubs, spec):
    return FakeMastodon(stubs, 'mastodon', spec)


@pytest.fixture
def other(stubs):
    """Return a function that makes a server of another kind."""
    return lambda dialect: FakeMastodon(stubs, dialect)


def posted(network):
    """Return the form of the last posting call."""
    call = [call for call in network.calls if call.method == 'POST'][-1]
    return parse_qs(call.body)


def asked(call):
    return parse_qs(urlsplit(call.url).query)


def test_it_is_registered():
    assert 'mastodon' in adapter_codes()
    assert adapter_class('mastodon') is Mastodon
    with pytest.raises(NotSupported):
        adapter_class('friendster')


# --- connect -------------------------------------------------------------------------------------


def connect(http, network, **callback):
    """Go through the whole connection."""
    app = Mastodon(http).discover(SERVER)
    app = replace(app, redirect_uri='https://odoo.example/cb', scopes=SCOPES)
    app = Mastodon(http, app).register(app, name='Acme', website='https://odoo.example')
    verifier = oauth2.new_verifier()
    going = Mastodon(http, app).authorize_url(
        state='state-1', challenge=oauth2.challenge_of(verifier), scopes=SCOPES, hint='@a@b'
    )
    params = {'code': network.code, 'state': 'state-1', **callback}
    token = Mastodon(http, app).exchange_code(
        code=params['code'], verifier=verifier, private=going.private, params=params
    )
    return app, going, verifier, Mastodon(http, app, token)


def test_the_whole_connection(http, network):
    app, going, verifier, provider = connect(http, network)
    assert app.client_id == 'client-1'
    assert app.scopes == SCOPES
    query = {name: values[0] for name, values in asked_url(going.url).items()}
    assert query['scope'] == ' '.join(SCOPES)
    assert query['code_challenge'] == oauth2.challenge_of(verifier)
    assert query['code_challenge_method'] == 'S256'
    assert query['force_login'] == 'true'
    assert query['redirect_uri'] == 'https://odoo.example/cb'
    assert posted(network)['code_verifier'] == [verifier]
    assert provider.token.scopes == SCOPES
    assert provider.token.expires_at is None
    me = provider.whoami()
    assert me.handle == 'acme@hub.example'
    assert me.external_id == 'https://hub.example/users/acme'
    provider.revoke()
    with pytest.raises(AuthorizationLost):
        provider.whoami()
    provider.revoke()  # quiet


def asked_url(url):
    return parse_qs(urlsplit(url).query)


def test_a_code_works_once(http, network):
    app, going, verifier, _provider = connect(http, network)
    with pytest.raises(AuthorizationLost) as caught:
        Mastodon(http, app).exchange_code(
            code='code-1b2c', verifier=verifier, private=going.private, params={}
        )
    assert 'code-1b2c' not in str(caught.value)


def test_consent_denied_calls_nothing(http, network):
    count = len(network.calls)
    with pytest.raises(Rejected) as caught:
        network.provider(http=http).exchange_code(
            code='', verifier='v', private={}, params={'error': 'access_denied'}
        )
    assert caught.value.code == 'access_denied'
    assert len(network.calls) == count


def test_a_server_that_knows_only_read_and_write(http, other):
    app, going, _verifier, provider = connect(http, other('pixelfed'))
    assert app.scopes == ('read', 'write')
    assert asked_url(going.url)['scope'] == ['read write']
    assert Mastodon.covers(provider.token.scopes, SCOPES)


def test_a_server_that_refuses_unknown_scopes(http, other):
    app, going, _verifier, provider = connect(http, other('pleroma'))
    assert app.scopes == ('read', 'write')
    assert provider.token.refresh_token == 'refresh-2'
    assert provider.token.expires_at > now()


def test_snac_gets_an_app_for_each_connection(http, other):
    app, _going, _verifier, provider = connect(http, other('snac'))
    assert app.metadata['app_per_account'] is True
    assert provider.token.extra == {'client_id': 'client-1', 'client_secret': 'client-secret-9'}
    # Another connection has registered another app since; the token is revoked with its own.
    provider.app = replace(app, client_id='client-2', client_secret='another')
    provider.revoke()
    with pytest.raises(AuthorizationLost):
        provider.whoami()


def test_refresh(other, http):
    network = other('pleroma')
    provider = network.provider(http=http)
    provider.token = Token('old', 'refresh-1', scopes=('read', 'write'))
    fresh = provider.refresh()
    assert (fresh.access_token, fresh.refresh_token) == (network.token, 'refresh-2')
    provider.token = Token('old', 'stolen')
    with pytest.raises(AuthorizationLost):
        provider.refresh()


@pytest.mark.parametrize(
    ('granted', 'wanted', 'covers'),
    [
        (('read',), ('read:statuses',), True),
        (('read:statuses',), ('read',), False),
        (('read:statuses',), ('read:statuses', 'write:media'), False),
        (('read', 'write'), SCOPES, True),
        ((), (), True),
        ((), ('read',), False),
    ],
)
def test_broad_scopes_cover_narrow_ones(granted, wanted, covers):
    assert Mastodon.covers(granted, wanted) is covers


def test_only_the_scopes_of_what_is_switched_on_are_asked_for():
    assert Mastodon.scopes_for([]) == ('read:accounts',)
    assert Mastodon.scopes_for(['metrics']) == ('read:accounts', 'read:statuses')
    assert len(set(SCOPES)) == len(SCOPES)


# --- listen --------------------------------------------------------------------------------------


def test_kinds_of_notifications(network):
    mine = network.write('acme', 'we said', 60)
    network.mention('hello')
    network.mention('a reply', in_reply_to_id=mine['id'])
    network.mention('psst', visibility='direct')
    network.mention('friends only', visibility='private')
    network.mention('boosted', kind='reblog')
    network.mention('a quote', kind='quote')
    network.mention('edited', kind='update', edited_at='2026-09-01T08:00:00.000Z')
    items, _ = drain(network.provider(), 'notifications', '', since=now() - WEEK)
    assert [(i.kind, i.text.removeprefix('@acme '), i.visibility) for i in items] == [
        ('mention', 'hello', 'public'),
        ('reply', 'a reply', 'public'),
        ('message', 'psst', 'direct'),
        ('mention', 'friends only', 'followers'),
        ('mention', 'a quote', 'public'),
        ('mention', 'edited', 'public'),
    ]
    assert items[1].parent_local_id == mine['id']
    assert items[5].edited_at == datetime(2026, 9, 1, 8, tzinfo=timezone.utc)


def test_an_edit_of_what_does_not_name_us_is_no_item(network):
    note = network.mention('edited', kind='update')
    note['status']['mentions'] = []
    assert drain(network.provider(), 'notifications', '', since=now() - WEEK)[0] == []


def test_what_is_asked_of_the_server(network):
    provider = network.provider()
    network.put('notifications', 'x')
    _, cursor = drain(provider, 'notifications', '', since=now() - WEEK)
    first, second = network.calls
    assert asked(first)['include_filtered'] == ['true']
    assert asked(first)['types[]'] == ['mention', 'update', 'quote']
    assert asked(first)['limit'] == ['80']
    assert 'since_id' not in asked(first)
    assert 'max_id' in asked(second)
    for _ in range(3):
        network.put('notifications', 'y', minutes_ago=0)
    _, cursor = drain(provider, 'notifications', '', cursor)
    drain(provider, 'notifications', '', cursor)
    # In peace one call is enough, and it carries one known entry.
    assert asked(network.calls[-1])['since_id'] == [network.notifications[-2]['id']]
    assert all(call.headers['Authorization'] == f'Bearer {network.token}' for call in network.calls)


def test_the_parent_is_named_where_the_page_tells_it(network):
    first = network.mention('one')
    network.mention('two', in_reply_to_id=first['status']['id'], author='otto')
    items, _ = drain(network.provider(), 'notifications', '', since=now() - WEEK)
    assert items[1].parent_external_id == items[0].external_id
    assert items[1].parent_local_id == items[0].local_id


def test_own_answers_given_elsewhere(network):
    note = network.mention('Do you ship?')
    network.write('acme', 'Yes', in_reply_to_id=note['status']['id'])
    network.write('acme', 'psst', visibility='direct')
    network.write('acme', 'a post of its own')
    items, _ = drain(network.provider(), 'own', '', since=now() - WEEK)
    assert [(i.kind, i.text, i.own) for i in items] == [
        ('reply', 'Yes', True),
        ('message', 'psst', True),
    ]
    assert items[0].parent_local_id == note['status']['id']


def test_who_we_are_is_asked_once_where_nobody_told(network):
    provider = network.provider(me=None)
    network.put('own', 'Yes')
    assert len(drain(provider, 'own', '', since=now() - WEEK)[0]) == 1
    assert sum('verify_credentials' in call.url for call in network.calls) == 1


def test_snac_shows_private_posts_as_messages_and_its_language_means_nothing(other):
    network = other('snac')
    network.mention('psst', visibility='private', language='en')
    (item,), _ = drain(network.provider(), 'notifications', '', since=now() - WEEK)
    assert (item.kind, item.visibility, item.language) == ('message', 'direct', '')
    assert item.author.followers is None


def test_snac_loses_only_what_it_has_dropped_itself(other):
    network = other('snac')
    provider = network.provider()
    _, cursor = drain(provider, 'notifications', '')
    for number in range(100):
        network.mention(f'n{number}', minutes_ago=0)
    items, cursor = drain(provider, 'notifications', '', cursor)
    assert len(items) == 64
    assert drain(provider, 'notifications', '', cursor)[0] == []


def test_a_boosted_post_of_snac_is_unwrapped(other):
    network = other('snac')
    inner = network.mention('hello')['status']
    network.notifications[0]['status'] = {**inner, 'content': '', 'uri': 'x', 'reblog': inner}
    (item,), _ = drain(network.provider(), 'notifications', '', since=now() - WEEK)
    assert item.external_id == inner['uri']
    assert 'hello' in item.text


def test_searching_mastodon_loses_nothing_of_the_same_second(network):
    """Its ``max_id`` counts in whole seconds there."""
    at = (now() - timedelta(minutes=1)).replace(microsecond=0)
    for number in range(100):
        ago = (now() - at).total_seconds() / 60 - number / 60 / 30
        network.put('search', f'n{number}', minutes_ago=ago)
    items, _ = drain(network.provider(), 'search', 'ship', since=now() - WEEK)
    assert len(items) == 100
    assert len({item.external_id for item in items}) == 100


def test_late_posts_are_found_below_newer_ones(network):
    """Posts of other servers arrive late, and Mastodon dates their ids back."""
    provider = network.provider()
    for number in range(10):
        network.put('hashtag', f'n{number}', minutes_ago=10 - number)
    _, cursor = drain(provider, 'hashtag', 'shop', since=now() - WEEK)
    late = network.put('hashtag', 'late')
    network.order = {**{k: 2 * v for k, v in network.order.items()}}
    network.order[late] = network.order[network.statuses[-3]['id']] + 1
    items, _ = drain(provider, 'hashtag', 'shop', cursor)
    assert [item.local_id for item in items] == [late]


def test_hashtags_are_asked_without_their_sign_and_escaped(network):
    network.provider().fetch('hashtag', '', query='#Öl')
    assert urlsplit(network.calls[0].url).path == '/api/v1/timelines/tag/%C3%96l'
    network.provider().fetch('hashtag', '', query='a/../b')
    assert urlsplit(network.calls[1].url).path == '/api/v1/timelines/tag/a%2F..%2Fb'


def test_a_thread(network):
    note = network.mention('Do you ship?')
    network.write('acme', 'Yes', in_reply_to_id=note['status']['id'])
    network.write('otto', 'Me too', in_reply_to_id=note['status']['id'])
    provider = network.provider()
    items = provider.thread(note['status']['uri'], note['status']['id'])
    assert [(i.text, i.own, i.kind) for i in items] == [
        ('Yes', True, 'comment'),
        ('Me too', False, 'comment'),
    ]
    assert provider.thread(note['status']['uri']) == items  # looked up by its address
    with pytest.raises(NotFound):
        provider.thread('https://nowhere.example/1')


# --- reading items -------------------------------------------------------------------------------


def read(network, **values):
    """Return the item of a mention with some fields changed (None: absent)."""
    note = network.mention('hello')
    for name, value in values.items():
        note['status'][name] = value
    page = network.provider().read('notifications', note)
    return page.items[0] if page.items else page.unreadable[0]


def test_everything_of_an_item(network):
    item = read(
        network,
        spoiler_text='About tea',
        language='de-AT',
        visibility='unlisted',
        tags=[{'name': 'tea', 'url': 'https://x'}],
        media_attachments=[
            {'type': 'image', 'url': 'https://f.example/a.png?x=1', 'description': 'A cup'},
            {'type': 'gifv', 'url': 'https://f.example/b', 'description': None},
            {'type': 'unknown', 'url': None, 'remote_url': 'https://r.example/c.pdf'},
            {'type': 'hologram'},
        ],
        pleroma={'conversation_id': 77},
    )
    assert item.text == 'About tea\n\n@acme hello'
    assert item.language == 'de'
    assert item.visibility == 'unlisted'
    assert item.hashtags == ('tea',)
    assert item.mentions == ('acme@hub.example',)
    assert item.conversation_id == '77'
    assert [(m.mimetype, m.url, m.description) for m in item.media] == [
        ('image/png', 'https://f.example/a.png?x=1', 'A cup'),
        ('video/mp4', 'https://f.example/b', ''),
        ('application/pdf', 'https://r.example/c.pdf', ''),
        ('application/octet-stream', '', ''),
    ]
    author = item.author
    assert author.handle == 'rita@tools.example'
    assert author.external_id == 'https://tools.example/users/rita'
    assert author.url == 'https://tools.example/@rita'
    assert (author.bio, author.followers, author.posts) == ('Garden shop', 312, 1204)
    assert author.links[0].url == 'https://rita.example'
    assert author.links[0].verified
    assert author.verified


@pytest.mark.parametrize(
    'visibility',
    ['public', 'unlisted', 'private', 'direct', 'local', 'mutuals_only', 'list', 'moon', None, 5],
)
def test_unknown_visibility_counts_as_closed(network, visibility):
    found = read(network, visibility=visibility).visibility
    assert found in {'public', 'unlisted', 'followers', 'direct'}
    if visibility in {'moon', None, 5}:
        assert found == 'followers'


@pytest.mark.parametrize('language', [None, '', 'x', 'german language', 5, 'd1', '--'])
def test_odd_languages_are_none(network, language):
    assert read(network, language=language).language == ''


def test_null_and_missing_fields(network):
    note = network.mention('hello')
    status = note['status']
    for name in (
        'url',
        'edited_at',
        'visibility',
        'language',
        'in_reply_to_account_id',
        'mentions',
        'tags',
        'media_attachments',
        'spoiler_text',
        'content',
        'reblog',
    ):
        status[name] = None
    status['account'] = {'id': 7, 'acct': 'rita@x.example', 'url': 'https://x.example/@rita'}
    (item,) = network.provider().read('notifications', note).items
    assert item.url == item.external_id
    assert item.text == ''
    assert item.author.local_id == '7'
    assert item.author.followers is None
    for name in list(status):
        if name not in {'id', 'uri', 'account', 'created_at'}:
            del status[name]
    assert network.provider().read('notifications', note).items


@pytest.mark.parametrize(
    ('value', 'count'),
    [
        (5, 5),
        ('5', 5),
        (10**30, 2**31 - 1),
        (-1, None),
        (None, None),
        ('many', None),
        ([], None),
        (float('inf'), None),
    ],
)
def test_huge_and_odd_numbers(value, count):
    account = {'id': '1', 'acct': 'a', 'url': 'https://x', 'followers_count': value}
    assert Reader('hub.example').profile(account).followers == count


@pytest.mark.parametrize('name', ['id', 'uri', 'created_at', 'account'])
def test_what_an_item_cannot_be_without(network, name):
    note = network.mention('hello')
    note['status']['url'] = None
    del note['status'][name]
    page = network.provider().read('notifications', note)
    assert page.items == ()
    assert page.unreadable[0].reason


def test_a_notification_whose_status_is_gone(network):
    note = network.mention('hello')
    note['status'] = None
    assert network.provider().read('notifications', note).unreadable


@pytest.mark.parametrize(
    ('text', 'moment'),
    [
        ('2026-09-01T08:12:45.310Z', datetime(2026, 9, 1, 8, 12, 45, 310000, timezone.utc)),
        ('2026-09-01T08:12:45Z', datetime(2026, 9, 1, 8, 12, 45, 0, timezone.utc)),
        ('2026-09-01T10:12:45.000+02:00', datetime(2026, 9, 1, 8, 12, 45, 0, timezone.utc)),
        ('2026-09-01T08:12:45.123456789Z', datetime(2026, 9, 1, 8, 12, 45, 123456, timezone.utc)),
        ('2026-09-01T08:12:45.31Z', datetime(2026, 9, 1, 8, 12, 45, 310000, timezone.utc)),
        ('2026-09-01T08:12:45', datetime(2026, 9, 1, 8, 12, 45, 0, timezone.utc)),
    ],
)
def test_times(text, moment):
    assert parse_time(text) == moment
    assert parse_time(text).tzinfo is timezone.utc


@pytest.mark.parametrize('text', ['', 'yesterday', '2026-13-01T00:00:00Z', '0', 'Z'])
def test_no_times(text):
    with pytest.raises(ValueError, match='not a time'):
        parse_time(text)


# --- send ----------------------------------------------------------------------------------------

RITA = Profile('https://tools.example/users/rita', 'rita@tools.example')
OTTO = Profile('https://hub.example/users/otto', 'otto@hub.example')


@pytest.mark.parametrize(
    ('text', 'author', 'kind', 'composed'),
    [
        ('Yes', RITA, 'reply', '@rita@tools.example Yes'),
        ('@rita@tools.example yes', RITA, 'reply', '@rita@tools.example yes'),
        ('Yes, @Rita@Tools.example!', RITA, 'reply', 'Yes, @Rita@Tools.example!'),
        ('@rita yes', RITA, 'reply', '@rita@tools.example @rita yes'),
        ('Yes', OTTO, 'message', '@otto Yes'),
        ('@otto@hub.example yes', OTTO, 'reply', '@otto@hub.example yes'),
        ('@ottoman yes', OTTO, 'reply', '@otto @ottoman yes'),
        (' Yes ', None, 'reply', 'Yes'),
        ('Yes', RITA, 'post', 'Yes'),
    ],
)
def test_the_mention_that_makes_an_answer_arrive(network, text, author, kind, composed):
    provider = network.provider()
    assert provider.compose(Outgoing(kind, text, target_author=author)) == composed


def test_a_link_is_put_below(network):
    provider = network.provider()
    outgoing = Outgoing('post', 'New', link='https://x.example/1')
    assert provider.compose(outgoing) == 'New\n\nhttps://x.example/1'
    assert provider.compose(replace(outgoing, text='See https://x.example/1')).count('https') == 1


@pytest.mark.parametrize(
    ('kind', 'visibility', 'asked_for'),
    [
        ('reply', 'public', 'public'),
        ('reply', 'unlisted', 'unlisted'),
        ('reply', 'followers', 'private'),
        ('reply', 'direct', 'direct'),
        ('message', 'public', 'direct'),
        ('post', 'public', 'public'),
    ],
)
def test_an_answer_is_as_visible_as_what_it_answers(network, kind, visibility, asked_for):
    network.provider().send(network.outgoing('x', kind, visibility=visibility), 'k')
    assert posted(network)['visibility'] == [asked_for]


def test_a_whole_reply(network):
    outgoing = network.outgoing('Ja, gern', language='de')
    sent = network.provider().send(outgoing, 'uuid-1')
    form = posted(network)
    assert form['in_reply_to_id'] == [outgoing.target_local_id]
    assert form['language'] == ['de']
    assert form['status'] == ['@rita@tools.example Ja, gern']
    assert network.calls[-1].headers['Idempotency-Key'] == 'uuid-1'
    assert sent.external_id == network.statuses[-1]['uri']
    assert sent.local_id == network.statuses[-1]['id']


def test_the_same_key_posts_once(network):
    outgoing = network.outgoing('Yes')
    provider = network.provider()
    assert provider.send(outgoing, 'k') == provider.send(outgoing, 'k')
    assert len(network.sent) == 1


def test_a_target_without_local_id_is_looked_up(network):
    outgoing = network.outgoing('Yes')
    network.provider().send(replace(outgoing, target_local_id=''), 'k')
    assert posted(network)['in_reply_to_id'] == [outgoing.target_local_id]
    with pytest.raises(NotFound):
        network.provider().send(
            replace(outgoing, target='https://x.example/1', target_local_id=''), 'k2'
        )


def test_pixelfed_gets_no_key_and_no_direct_messages(other):
    network = other('pixelfed')
    network.provider().send(network.outgoing('Yes'), 'k')
    assert 'Idempotency-Key' not in network.calls[-1].headers
    count = len(network.calls)
    with pytest.raises(NotSupported):
        network.provider().send(network.outgoing('psst', 'message'), 'k')
    assert len(network.calls) == count


def test_the_500_of_a_repeated_key_is_no_failure(network):
    """Mastodon 4.6.0 to 4.6.5 answer so although the first post exists."""
    outgoing, before = network.outgoing('Yes'), now()
    provider = network.provider()
    provider.send(outgoing, 'k')
    network.fault((500, {}, '{"error": "Internal"}'))
    with pytest.raises(OutcomeUnknown):
        provider.send(outgoing, 'k')
    assert provider.find_sent(outgoing, 'k', before).local_id == network.statuses[-1]['id']


@pytest.mark.parametrize(
    'text',
    [
        'Yes',
        'Two\n\nparagraphs',
        'Link https://shop.example/orders/1?x=1&y=2 here',
        'Emoji 👩‍👩‍👧‍👦 <b> & "quotes"',
        '@otto@tools.example and #tag',
    ],
)
@pytest.mark.parametrize('kind', ['reply', 'message', 'post'])
@pytest.mark.parametrize('dialect', ['mastodon', 'snac', 'gotosocial'])
def test_a_lost_post_is_found_by_what_it_says(other, text, kind, dialect):
    network = other(dialect)
    provider, before = network.provider(), now()
    outgoing = Outgoing('post', text) if kind == 'post' else network.outgoing(text, kind)
    network.lose_answer()
    with pytest.raises(OutcomeUnknown):
        provider.send(outgoing, 'k')
    assert provider.find_sent(outgoing, 'k', before).local_id == network.statuses[-1]['id']
    assert provider.find_sent(replace(outgoing, text='else'), 'k', before) is None


def test_a_lost_post_is_found_below_many_others(network):
    before = now()
    provider = network.provider()
    outgoing = Outgoing('post', 'needle')
    provider.send(outgoing, 'k')
    for number in range(90):
        network.write('acme', f'n{number}')
    assert provider.find_sent(outgoing, 'k', before)


def test_an_unmentioned_private_message_is_found_on_snac(other):
    network = other('snac')
    before = now()
    outgoing = Outgoing('message', 'psst', target_author=RITA)
    network.provider().send(outgoing, 'k')
    assert network.provider().find_sent(outgoing, 'k', before)


# --- media ---------------------------------------------------------------------------------------


def test_media_are_uploaded_first(network):
    media = (Media('image/png', content=PNG, description='A cup'), Media('video/mp4', content=b'v'))
    network.provider().send(Outgoing('post', 'Look', media=media), 'k')
    assert posted(network)['media_ids[]'] == ['1', '2']
    upload = network.calls[0].body
    assert b'A cup' in upload
    assert PNG in upload
    assert network.media['1'].endswith('.png')
    assert network.media['2'].endswith('.mp4')
    assert network.media['1'] != network.media['2']


def test_media_are_waited_for(network, monkeypatch):
    waits = []
    monkeypatch.setattr('time.sleep', waits.append)
    network.busy = 3
    network.provider().send(Outgoing('post', 'x', media=(Media('image/png', content=PNG),)), 'k')
    assert waits == [0.5, 1.0, 2.0]
    network.busy = 1000
    with pytest.raises(Transient) as caught:
        network.provider().send(
            Outgoing('post', 'y', media=(Media('image/png', content=PNG),)), 'k'
        )
    assert caught.value.code == 'media_processing'
    assert len(network.sent) == 1


@pytest.mark.parametrize('fault', [requests.ReadTimeout('x'), (500, {}, ''), (503, {}, '')])
def test_a_lost_upload_posted_nothing(network, fault):
    network.fault(fault)
    with pytest.raises(Transient):
        network.provider().send(
            Outgoing('post', 'x', media=(Media('image/png', content=PNG),)), 'k'
        )
    assert network.sent == []


def test_a_refused_upload(network):
    network.fault((422, {}, '{"error": "Validation failed: type"}'))
    with pytest.raises(Rejected):
        network.provider().send(
            Outgoing('post', 'x', media=(Media('application/x-sh', content=b'x'),)), 'k'
        )


# --- counters, profiles, lengths -----------------------------------------------------------------


def test_metrics_are_read_in_batches_where_the_server_can(network, other):
    ids = [network.write('acme', f'n{n}')['id'] for n in range(45)]
    found = network.provider().metrics([*ids, *ids, 'gone'])
    assert len(network.calls) == 3
    assert found[ids[0]] == Metrics(likes=5, comments=0, shares=2)
    assert set(found) == set(ids)


def test_metrics_one_by_one(other):
    network = other('gotosocial')
    ids = [network.write('acme', f'n{n}')['id'] for n in range(3)]
    assert set(network.provider().metrics([*ids, 'gone'])) == set(ids)
    assert network.provider().metrics([]) == {}


def test_metrics_are_all_or_an_error(other):
    network = other('gotosocial')
    ids = [network.write('acme', 'n')['id']]
    network.fault((503, {}, ''))
    with pytest.raises(Transient):
        network.provider().metrics(ids)


@pytest.mark.parametrize('handle', ['rita@tools.example', '@Rita@tools.example'])
def test_a_profile_elsewhere(network, handle):
    network.person('rita')
    network.person('Rita')
    assert network.provider().profile(handle).handle.lower() == 'rita@tools.example'


def test_a_profile_here(network):
    assert network.provider().profile('acme@hub.example').local_id == network.me['id']


def test_a_profile_by_snac(other):
    network = other('snac')
    network.person('rita')
    assert network.provider().profile('rita@tools.example').handle == 'rita@tools.example'


@pytest.mark.parametrize(
    ('text', 'count'),
    [
        ('', 0),
        ('hello', 5),
        ('see https://shop.example/a/very/long/path?with=query#and-more', 27),
        ('http://a.io', 23),
        ('shop.example/no/scheme', 22),
        ('https://a.example https://b.example', 47),
        ('@rita@tools.example hi', 8),
        ('@rita hi', 8),
        ('mail rita@tools.example', 23),
        ('(@rita@tools.example)', 7),
        ('👩‍👩‍👧‍👦', 1),
    ],
)
def test_lengths_as_mastodon_counts(network, text, count):
    pytest.importorskip('regex')
    assert network.provider().count(text) == count


def test_the_limits_of_the_server(http, network, other):
    provider = Mastodon(http, Mastodon(http).discover(SERVER))
    limits = provider.limits()
    assert (limits.text_length, limits.media_count) == (5000, 6)
    assert limits.image_types == ('image/png', 'image/jpeg')
    assert limits.video_types == ('video/mp4',)
    assert limits.image_size == 16777216
    assert Mastodon(http, App(server=SERVER)).limits() == Mastodon.default_limits


# --- dead or short tokens ------------------------------------------------------------------------


@pytest.mark.parametrize('dialect', ['pleroma', 'pixelfed'])
def test_a_403_tells_a_dead_token_from_a_missing_right(other, dialect):
    network = other(dialect)
    network.fault((403, {}, '{"error": "Insufficient permissions: read:search."}'))
    with pytest.raises(PermissionMissing):
        network.provider().fetch('search', '', query='x')
    with pytest.raises(AuthorizationLost):
        network.provider(token='dead').fetch('search', '', query='x')


def test_json_of_an_item_can_be_stored(network):
    network.put('notifications', 'hello')
    (item,), _ = drain(network.provider(), 'notifications', '', since=now() - WEEK)
    assert json.loads(json.dumps(item.raw))['type'] == 'mention'
