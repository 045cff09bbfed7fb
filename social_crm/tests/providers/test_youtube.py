"""What is YouTube's own: authorisation, conversations, searches, uploads, the day's quota."""

import json
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from social_crm.providers import adapter_class, oauth2
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
from social_crm.providers.types import App, Media, Outgoing, Profile
from social_crm.providers.youtube import YouTube
from social_crm.providers.youtube_quota import next_day
from social_crm.providers.youtube_upload import PIECE
from social_crm.tests.providers.contract import drain
from social_crm.tests.providers.fake_youtube import (
    ME,
    SCOPES,
    SESSION,
    UPLOAD,
    FakeYouTube,
    error_answer,
)
from social_crm.tests.providers.youtube_spec import Spec

WEEK = timedelta(days=7)


def now():
    return datetime.now(timezone.utc)


@pytest.fixture(scope='module')
def spec():
    return Spec.load()


@pytest.fixture
def network(stubs, spec):
    return FakeYouTube(stubs, spec)


def film(content=b'film' * 10, **values):
    return Media('video/mp4', content=content, filename='film.mp4', **values)


def post(text='Our new drill\n\nIt drills.', media=None, **values):
    return Outgoing('post', text, media=(media or film(),), **values)


# --- connect --------------------------------------------------------------------------------------


def test_the_network_is_registered_and_says_what_it_cannot():
    assert adapter_class('youtube') is YouTube
    assert not {'messages', 'hashtags', 'lead_forms'} & set(YouTube.capabilities)
    assert 'webhook' not in YouTube.features


def test_the_way_to_consent_and_back(network):
    provider, verifier = network.provider(), oauth2.new_verifier()
    asked = YouTube.scopes_for(['mentions', 'reply'])
    challenge = oauth2.challenge_of(verifier)
    found = provider.authorize_url(state='s', challenge=challenge, scopes=asked, hint='a@b.example')
    parts = urlsplit(found.url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert parts.netloc + parts.path == 'accounts.google.com/o/oauth2/v2/auth'
    assert (query['access_type'], query['prompt']) == ('offline', 'select_account consent')
    assert (query['login_hint'], query['code_challenge_method']) == ('a@b.example', 'S256')
    assert [scope.rpartition('/')[2] for scope in query['scope'].split()] == [
        'youtube.readonly',
        'youtube.force-ssl',
    ]
    token = provider.exchange_code(code='code-1b2c', verifier=verifier, private={}, params={})
    assert (token.access_token, token.refresh_token) == (network.token, network.refresh)
    assert timedelta(minutes=55) < token.expires_at - now() < timedelta(hours=1)


def test_what_was_not_granted_is_told(network):
    network.granted = SCOPES[:1]
    token = network.provider().exchange_code(
        code='code-1b2c', verifier=oauth2.new_verifier(), private={}, params={}
    )
    assert YouTube.covers(token.scopes, YouTube.capabilities['search'])
    assert not YouTube.covers(token.scopes, YouTube.capabilities['reply'])
    wide = ['https://www.googleapis.com/auth/youtube.force-ssl']
    assert YouTube.covers(wide, YouTube.capabilities['publish'])


def test_refreshing_keeps_the_refresh_token(network):
    fresh = network.provider().refresh()
    assert (fresh.access_token, fresh.refresh_token) == (network.token, network.refresh)
    network.refresh = 'another'
    provider = network.provider()
    network.refresh = 'yet-another'
    with pytest.raises(AuthorizationLost) as caught:
        provider.refresh()
    assert caught.value.code == 'invalid_grant'


def test_a_wrong_client_is_no_dead_grant(network):
    with pytest.raises(Rejected) as caught:
        network.provider(app=App('client-1', 'wrong')).refresh()
    assert caught.value.code == 'invalid_client'


def test_revoking_twice_is_quiet(network):
    provider = network.provider()
    provider.revoke()
    assert network.token == 'gone'
    provider.revoke()
    assert parse_qs(network.calls[-1].body) == {'token': ['refresh-1']}


def test_who_am_i(network):
    me = network.provider(me=None).whoami()
    assert (me.external_id, me.handle, me.name) == (ME, 'acmegarden', 'Acmegarden')
    assert me.url == 'https://www.youtube.com/@acmegarden'
    assert me.avatar_url == 'https://yt3.ggpht.com/a-big.jpg'
    assert (me.followers, me.posts, me.location) == (1230, 58, 'AT')


def test_a_google_account_without_a_channel(network):
    network.mine = []
    with pytest.raises(Rejected) as caught:
        network.provider(me=None).whoami()
    assert caught.value.code == 'no_brands'
    network.fault(error_answer(401, 'youtubeSignupRequired'))
    with pytest.raises(Rejected) as caught:
        network.provider().whoami()
    assert caught.value.code == 'youtubeSignupRequired'


def test_of_several_channels_one_is_chosen(network):
    (only,) = network.provider().brand_accounts()
    assert only.profile == network.provider(me=None).whoami()
    network.mine = [network.channel('acmegarden'), network.channel('acmetools')]
    first, second = network.provider().brand_accounts()
    assert (first.profile.handle, second.profile.handle) == ('acmegarden', 'acmetools')
    chosen = network.provider(me=None, extra=second.token.extra)
    assert chosen.whoami() == second.profile


# --- comments -------------------------------------------------------------------------------------


def test_a_comment_and_its_answers(network):
    asked = network.comment('rita-k', 'Do you ship, @acmegarden? #tools', 9)
    network.comment('acmegarden', 'Yes!', 8, parent=asked)
    network.comment('joe', 'To Graz too', 7, parent=asked, imageUrl='https://yt.example/a')
    first, own, third = drain(network.provider(), 'comments', '', since=now() - WEEK)[0]
    assert (first.kind, first.own, first.parent_external_id) == ('comment', False, 'vid00000001')
    assert (first.mentions, first.hashtags) == (('acmegarden',), ('tools',))
    assert first.url == f'https://www.youtube.com/watch?v=vid00000001&lc={asked["id"]}'
    assert (own.own, own.parent_external_id) == (True, asked['id'])
    assert (third.kind, third.conversation_id) == ('comment', asked['id'])
    assert third.author.handle == 'joe'
    assert third.media == (Media('image/jpeg', 'https://yt.example/a'),)


def test_an_answer_to_us_is_a_reply(network):
    ours = network.comment('acmegarden', 'Ask us anything', 9)
    network.comment('joe', 'Why?', 8, parent=ours)
    own, reply = drain(network.provider(), 'comments', '', since=now() - WEEK)[0]
    assert (own.own, reply.kind) == (True, 'reply')


def test_an_edited_comment(network):
    edited = now().strftime('%Y-%m-%dT%H:%M:%SZ')
    network.comment('rita-k', 'Do you ship', 9, updatedAt=edited)
    (item,) = drain(network.provider(), 'comments', '', since=now() - WEEK)[0]
    assert item.edited_at > item.posted_at


def test_a_new_answer_to_a_recent_comment_comes_at_once(network):
    asked = network.comment('rita-k', 'Do you ship?', 60 * 24 * 5)
    provider = network.provider()
    _, cursor = drain(provider, 'comments', '', since=now() - WEEK)
    network.comment('joe', 'Do they?', 0, parent=asked)
    items, cursor = drain(provider, 'comments', '', cursor)
    assert [item.text for item in items] == ['Do they?']
    assert drain(provider, 'comments', '', cursor)[0] == []


def hours_later(cursor, hours=2):
    data = json.loads(cursor)
    for name in ('since', 'deep_since'):
        earlier = datetime.fromisoformat(data[name]) - timedelta(hours=hours)
        data[name] = earlier.isoformat(timespec='seconds')
    return json.dumps(data)


def test_an_old_conversation_is_looked_at_each_hour(network):
    old = network.comment('rita-k', 'Do you ship?', 60 * 24 * 20)
    for number in range(150):
        network.comment('joe', f'n{number}', 60 * 24 * 10)
    provider = network.provider()
    _, cursor = drain(provider, 'comments', '')
    network.comment('joe', 'Do they?', 0, parent=old)
    assert drain(provider, 'comments', '', cursor)[0] == []
    items, cursor = drain(provider, 'comments', '', hours_later(cursor))
    assert [item.text for item in items] == ['Do they?']


@pytest.mark.parametrize('newest_replies', [True, False])
def test_a_busy_conversation_is_read_whole(stubs, spec, newest_replies):
    """Which answers come with a conversation is nowhere said: both ways lead to all of them."""
    network = FakeYouTube(stubs, spec, newest_replies)
    asked = network.comment('rita-k', 'Do you ship?', 60 * 24)
    for number in range(20):
        network.comment('joe', f'old{number}', 60 * 23, parent=asked)
    provider = network.provider()
    items, cursor = drain(provider, 'comments', '', since=now() - WEEK)
    assert len({item.external_id for item in items}) == 21
    for number in range(9):
        network.comment('joe', f'new{number}', 0, parent=asked)
    items, cursor = drain(provider, 'comments', '', cursor)
    items += drain(provider, 'comments', '', hours_later(cursor))[0]
    assert {f'new{n}' for n in range(9)} <= {item.text for item in items}


def test_an_idle_look_costs_one_unit(network):
    asked = network.comment('rita-k', 'Do you ship?', 60 * 24 * 3)
    for number in range(9):
        network.comment('joe', f'old{number}', 60 * 24 * 2, parent=asked)
    _, cursor = drain(network.provider(), 'comments', '', since=now() - WEEK)
    idle = network.provider()
    idle.fetch('comments', cursor)
    assert idle.spent == 1


def test_the_conversation_around_a_comment(network):
    asked = network.comment('rita-k', 'Do you ship?', 9)
    answer = network.comment('acmegarden', 'Yes!', 8, parent=asked)
    provider = network.provider()
    assert [item.text for item in provider.thread(asked['id'], '')] == ['Yes!']
    assert [item.text for item in provider.thread(answer['id'], '')] == ['Do you ship?']
    assert provider.thread('vid00000001') == ()
    with pytest.raises(NotFound):
        provider.thread('UgxGONE')


# --- searches -------------------------------------------------------------------------------------


def test_a_video_that_was_found(network):
    number = network.put('search', 'We')
    (item,) = drain(network.provider(), 'search', 'ship', since=now() - WEEK)[0]
    assert (item.external_id, item.kind, item.language) == (number, 'search', 'de')
    assert item.text == 'We ship\n\nSee https://acme.example'
    assert (item.author.handle, item.author.followers) == ('rita-k', 1230)


def test_searches_spare_the_hundred_calls_of_a_day(network):
    network.put('search', 'We')
    provider = network.provider(kind=YouTube)
    page = provider.fetch('search', '', query='ship', since=now() - WEEK)
    while page.more:
        page = provider.fetch('search', page.next_cursor, query='ship')
    calls = len(network.calls)
    again = provider.fetch('search', page.next_cursor, query='ship')
    assert (again.items, again.more, again.next_cursor) == ((), False, page.next_cursor)
    assert len(network.calls) == calls
    assert provider.usage['search'] <= 2


def test_a_flood_is_not_followed_to_its_end(network):
    for number in range(400):
        network.put('search', f'n{number}', number / 10)
    items, _ = drain(network.provider(), 'search', 'ship', since=now() - WEEK)
    assert len(items) == 200


def test_phrases_are_quoted_and_beginnings_refused(network):
    network.provider().fetch('search', '', query='"acme  drill"')
    assert parse_qs(urlsplit(network.calls[0].url).query)['q'] == ['"acme drill"']
    with pytest.raises(NotSupported):
        network.provider().fetch('search', '', query='dri*')


def test_a_token_that_got_too_old_begins_again(network):
    for number in range(80):
        network.put('search', f'n{number}', number + 1)
    provider = network.provider()
    page = provider.fetch('search', '', query='ship', since=now() - WEEK)
    cursor = page.next_cursor.replace('PAGE', 'STALE')
    rest, _ = drain(provider, 'search', 'ship', cursor)
    assert len({item.external_id for item in (*page.items, *rest)}) == 80


# --- comments that are sent -----------------------------------------------------------------------


def test_an_answer_to_an_answer_says_whom_it_is_for(network):
    asked = network.comment('rita-k', 'Do you ship?')
    reply = network.comment('joe', 'Do they?', parent=asked)
    target = Profile(network.channel('joe')['id'], 'joe')
    outgoing = Outgoing('reply', 'Yes', reply['id'], reply['id'], target)
    provider, before = network.provider(), now()
    assert provider.compose(outgoing) == '@joe Yes'
    sent = provider.send(outgoing, 'key')
    assert sent.external_id.startswith(f'{asked["id"]}.')
    assert network.sent == ['@joe Yes']
    assert provider.find_sent(outgoing, 'key', before) == sent


def test_a_comment_on_a_video_that_was_found(network):
    number = network.put('search', 'We')
    owner = Profile(network.channel('rita-k')['id'], 'rita-k')
    outgoing, before = Outgoing('comment', 'Nice', number, number, owner), now()
    sent = network.provider().send(outgoing, 'key')
    assert sent.url == f'https://www.youtube.com/watch?v={number}&lc={sent.external_id}'
    assert network.provider().find_sent(outgoing, 'key', before) == sent
    network.lose_answer((200, {}, '{"id": "Ugy", "snippet": {"topLevelComment": {"id": {}}}}'))
    with pytest.raises(OutcomeUnknown):
        network.provider().send(outgoing, 'key')


@pytest.mark.parametrize(
    ('outgoing', 'code'),
    [
        (Outgoing('message', 'Hello'), 'message'),
        (Outgoing('reply', 'Look', 'Ugx1', media=(Media('image/png'),)), 'media'),
        (Outgoing('post', 'No film'), 'video'),
        (Outgoing('post', 'A picture', media=(Media('image/png', content=b'x'),)), 'video'),
        (Outgoing('post', 'Two', media=(film(), film())), 'video'),
        (post('x' * 101), 'invalidTitle'),
        (post(' \n '), 'invalidTitle'),
        (post('A <b>title</b>'), 'invalidDescription'),
        (post('Title\n' + 'ä' * 2600), 'invalidDescription'),
    ],
)
def test_what_youtube_does_not_take_is_said_before_any_call(network, outgoing, code):
    with pytest.raises(Rejected) as caught:
        network.provider().send(outgoing, 'key')
    assert caught.value.code == code
    assert caught.value.reason
    assert not network.calls


# --- uploads --------------------------------------------------------------------------------------


def test_a_video_with_its_title_and_description(network):
    provider, before = network.provider(), now()
    outgoing = post(visibility='unlisted', language='de', link='https://acme.example/x')
    sent = provider.send(outgoing, 'key')
    metadata, headers = network.uploading
    assert metadata == {
        'snippet': {
            'title': 'Our new drill',
            'defaultLanguage': 'de',
            'description': 'Our new drill\n\nIt drills.\n\nhttps://acme.example/x',
        },
        'status': {'privacyStatus': 'unlisted'},
    }
    assert headers['X-Upload-Content-Type'] == 'video/mp4'
    assert network.stored == film().content
    assert sent.url == f'https://www.youtube.com/watch?v={sent.external_id}'
    assert provider.find_sent(outgoing, 'key', before) == sent
    assert provider.find_sent(post('Another'), 'key', before) is None
    assert provider.find_sent(outgoing, 'key', now() + timedelta(hours=1)) is None
    provider.delete(sent.external_id)
    provider.delete(sent.external_id)
    assert network.sent == []


def test_pieces_that_failed_are_sent_again_from_where_it_stopped(network):
    content = bytes(range(256)) * (PIECE // 256) + b'end'
    network.provider()
    started = (200, {'Location': SESSION}, '')
    network.uploading = (
        {'snippet': {'title': 'Our new drill', 'description': 'd'}, 'status': {}},
        {'X-Upload-Content-Length': str(len(content))},
    )
    for fault in (started, (503, {}, ''), ('after', requests.ConnectionError('reset'))):
        network.fault(fault)
    network.provider().send(post(media=film(content)), 'key')
    assert network.stored == content
    places = [call.headers.get('Content-Range') for call in network.calls]
    end = len(content)
    assert places == [
        None,
        f'bytes 0-{PIECE - 1}/{end}',  # failed
        f'bytes */{end}',  # failed after it was asked
        f'bytes */{end}',
        f'bytes 0-{PIECE - 1}/{end}',
        f'bytes {PIECE}-{end - 1}/{end}',
    ]


def test_a_lost_last_answer_is_asked_for(network):
    provider = network.provider()
    started = provider._session  # the next call but one is the last piece
    provider._session = lambda *a: (started(*a), network.lose_answer())[0]
    sent = provider.send(post(), 'key')
    assert len(network.sent) == 1
    assert sent.external_id == network.videos[-1]['id']


def test_a_session_that_does_not_tell_leaves_the_outcome_unknown(network):
    provider, before = network.provider(), now()
    started = provider._session

    def break_after(*args):
        session = started(*args)
        network.lose_answer()
        provider._asked = lambda _s, _t, error, _f: (_ for _ in ()).throw(error)
        return session

    provider._session = break_after
    with pytest.raises(OutcomeUnknown):
        provider.send(post(), 'key')
    assert provider.find_sent(post(), 'key', before).external_id == network.videos[-1]['id']


def test_a_session_that_stays_silent_ends_after_some_tries(network):
    for fault in ((200, {'Location': SESSION}, ''), *[(503, {}, '')] * 5):
        network.fault(fault)
    with pytest.raises(OutcomeUnknown):
        network.provider().send(post(), 'key')
    assert 3 <= len(network.calls) <= 6


@pytest.mark.parametrize(
    'place',
    [
        '',
        'https://evil.example/x',
        'http://www.googleapis.com/x',
        'https://googleapis.com.evil.example/x',
    ],
)
def test_the_token_goes_to_google_only(network, place):
    network.fault((200, {'Location': place}, ''))
    with pytest.raises(Transient):
        network.provider().send(post(), 'key')
    assert len(network.calls) == 1
    assert network.calls[0].url.startswith(UPLOAD)


@pytest.mark.parametrize('reason', ['uploadLimitExceeded', 'invalidVideoMetadata'])
def test_an_upload_that_is_refused(network, reason):
    network.fault(error_answer(400, reason, 'The user has exceeded the number of videos'))
    with pytest.raises(Rejected) as caught:
        network.provider().send(post(), 'key')
    assert caught.value.code == reason


# --- counters and people --------------------------------------------------------------------------


def test_counters_of_videos_and_comments(network):
    comment = network.comment('acmegarden', 'Hello')
    number = network.film['id']
    network.videos[0]['statistics'].pop('likeCount')
    found = network.provider().metrics([number, comment['id'], 'vid99999999'])
    assert set(found) == {number, comment['id']}
    assert (found[number].views, found[number].comments, found[number].likes) == (140, 3, None)
    assert found[comment['id']].likes == 2


def test_a_profile_by_handle_or_id(network):
    rita = network.channel('rita-k')
    network.channels['rita-k']['statistics']['hiddenSubscriberCount'] = True
    for handle in ('@rita-k', 'rita-k', rita['id']):
        found = network.provider().profile(handle)
        assert (found.external_id, found.followers) == (rita['id'], None)
    with pytest.raises(NotFound):
        network.provider().profile('nobody')


# --- errors and quota -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('status', 'reason', 'error'),
    [
        (403, 'quotaExceeded', RateLimited),
        (403, 'rateLimitExceeded', RateLimited),
        (403, 'userRateLimitExceeded', RateLimited),
        (403, 'insufficientPermissions', PermissionMissing),
        (403, 'accessNotConfigured', PermissionMissing),
        (403, 'commentsDisabled', Rejected),
        (403, 'forbidden', Rejected),
        (400, 'commentTextTooLong', Rejected),
        (400, 'operationNotSupported', Rejected),
        (400, 'processingFailure', Transient),
        (401, 'authError', AuthorizationLost),
        (404, 'commentNotFound', NotFound),
        (500, 'backendError', OutcomeUnknown),
    ],
)
def test_refusals_by_their_reason(network, status, reason, error):
    outgoing = network.outgoing()
    network.fault(error_answer(status, reason, 'It is <b>refused</b>'))
    with pytest.raises(error) as caught:
        network.provider().send(outgoing, 'key')
    assert type(caught.value) is error
    if status < 500:
        assert caught.value.code == reason
        assert caught.value.reason == 'It is refused'


def test_a_used_up_day_is_waited_for_until_midnight_in_california(network):
    network.fault(error_answer(403, 'quotaExceeded'))
    with pytest.raises(RateLimited) as caught:
        network.provider().fetch('comments', '')
    assert caught.value.until == next_day()
    assert timedelta(0) < caught.value.until - now() <= timedelta(hours=25)


def test_a_used_up_bucket_is_known_by_its_unit(network):
    details = [
        {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            'reason': 'RATE_LIMIT_EXCEEDED',
            'metadata': {'quota_unit': '1/d/{project}'},
        }
    ]
    network.fault(error_answer(429, 'rateLimitExceeded', details=details))
    with pytest.raises(RateLimited) as caught:
        network.provider().fetch('search', '', query='ship')
    assert caught.value.until == next_day()


@pytest.mark.parametrize(
    ('moment', 'midnight'),
    [
        ('2026-07-01T06:59:00', '2026-07-01T07:00:00'),
        ('2026-07-01T07:00:00', '2026-07-02T07:00:00'),
        ('2026-12-01T12:00:00', '2026-12-02T08:00:00'),
        ('2026-11-01T07:30:00', '2026-11-02T08:00:00'),  # the day with 25 hours
    ],
)
def test_the_day_of_the_quota_ends_at_midnight_in_california(moment, midnight):
    at = datetime.fromisoformat(f'{moment}+00:00')
    assert next_day(at).isoformat() == f'{midnight}+00:00'


def test_what_calls_cost_is_counted(network):
    provider = network.provider()
    provider.send(network.outgoing(), 'key')
    provider.fetch('comments', '', since=now() - WEEK)
    network.fault(error_answer(400, 'invalidPageToken'))
    with pytest.raises(Rejected):
        provider.fetch('comments', '')  # refused calls cost as well
    assert provider.usage == {'write': 1, 'read': 2}
    assert provider.spent == 52
