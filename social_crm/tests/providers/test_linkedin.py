"""What is particular to LinkedIn."""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from social_crm.providers import adapter_class, restli
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
from social_crm.providers.linkedin import LinkedIn
from social_crm.providers.linkedin_client import next_midnight, version_ends
from social_crm.providers.linkedin_text import from_little, to_little
from social_crm.providers.types import App, Media, Metrics, Outgoing, Profile
from social_crm.tests.providers.contract import WEEK, drain, now
from social_crm.tests.providers.fake_linkedin import ADA, DEAD, DENIED, ORG, RITA, FakeLinkedIn

PNG = Media('image/png', content=b'\x89PNG\r\n\x1a\nxxxx', description='A drill')
ALL = LinkedIn.scopes_for(LinkedIn.capabilities)


@pytest.fixture
def network(stubs, linkedin_spec):
    return FakeLinkedIn(stubs, linkedin_spec)


def body_of(call):
    return json.loads(call.body)


def posted(network, path='/rest/posts'):
    return [body_of(c) for c in network.calls if c.method == 'POST' and path in c.url][-1]


def test_it_is_registered():
    assert adapter_class('linkedin') is LinkedIn
    assert 'messages' not in LinkedIn.capabilities
    assert 'search' not in LinkedIn.capabilities


# --- Rest.li -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('urn', 'written'),
    [
        ('urn:li:share:7001', 'urn%3Ali%3Ashare%3A7001'),
        (
            'urn:li:comment:(urn:li:activity:7002,7003)',
            'urn%3Ali%3Acomment%3A%28urn%3Ali%3Aactivity%3A7002%2C7003%29',
        ),
        ("a/b?c&d=e#f%20+'", 'a%2Fb%3Fc%26d%3De%23f%2520%2B%27'),
        ('ünï', '%C3%BCn%C3%AF'),
    ],
)
def test_nasty_urns_are_encoded_whole(urn, written):
    assert restli.encode(urn) == written
    assert restli.value([urn, urn]) == f'List({written},{written})'
    assert restli.value({'a': {'b': [urn]}, 'n': 5, 'yes': True}) == (
        f'(a:(b:List({written})),n:5,yes:true)'
    )


def test_addresses_arrive_byte_for_byte(network):
    """`requests` must not encode the structure, nor decode what is in it."""
    provider, comment = network.provider(), 'urn:li:comment:(urn:li:activity:7002,7003)'
    provider.thread(comment)
    provider.metrics(['urn:li:share:1', 'urn:li:share:2'])
    urls = [call.url.partition('/rest/')[2] for call in network.calls]
    assert urls[1].startswith(
        'socialActions/urn%3Ali%3Acomment%3A%28urn%3Ali%3Aactivity%3A7002%2C7003%29/comments?'
    )
    assert urls[-1] == 'socialMetadata?ids=List(urn%3Ali%3Ashare%3A1,urn%3Ali%3Ashare%3A2)'
    network.calls.clear()
    provider.fetch('notifications', '', since=datetime(2026, 11, 1, tzinfo=timezone.utc))
    assert '&timeRange=(start:1793491200000,end:' in network.calls[0].url
    assert '&actions=List(ADMIN_COMMENT,COMMENT,' in network.calls[0].url


@pytest.mark.parametrize(
    ('text', 'little'),
    [
        ('Plain, 10 % off!', 'Plain, 10 % off!'),
        (
            'a (b) [c] {d} <e> @f _g_ *h* ~i~ |j| \\',
            r'a \(b\) \[c\] \{d\} \<e\> \@f \_g\_ \*h\* '
            r'\~i\~ \|j\| \\',
        ),
        ('New #tools_2 and C# # 5', r'New {hashtag|\#|tools\_2} and C\# \# 5'),
        ('https://a.example/x_y#top', r'https://a.example/x\_y\#top'),
    ],
)
def test_little_text_keeps_everything_literal_but_hashtags(text, little):
    assert to_little(text) == little
    assert from_little(little) == text


def test_a_mention_in_little_text_reads_as_its_name():
    assert from_little(r'Thanks @[Acme \(EU\)](urn:li:organization:1)!') == 'Thanks Acme (EU)!'


# --- connect -------------------------------------------------------------------------------------


def connect(http, network, scopes=(), wanted=ALL):
    app = App('client-1', 'client-secret-9', redirect_uri='https://odoo.example/cb', scopes=scopes)
    provider = LinkedIn(http, app)
    going = provider.authorize_url(state='s-1', challenge='challenge-1', scopes=wanted)
    token = provider.exchange_code(
        code=network.code, verifier='v', private=going.private, params={'state': 's-1'}
    )
    return going, LinkedIn(http, app, token)


def test_the_whole_connection_of_a_member_and_organisations(http, network):
    going, provider = connect(http, network)
    query = {name: values[0] for name, values in parse_qs(urlsplit(going.url).query).items()}
    assert 'code_challenge' not in query  # web apps are refused with one
    assert query['redirect_uri'] == 'https://odoo.example/cb'
    assert 'openid' not in query['scope']
    assert 'r_organization_social' in query['scope'].split()
    token = provider.token
    assert timedelta(days=59) < token.expires_at - now() < timedelta(days=61)
    assert token.extra['refresh_ends'] > now().isoformat()
    assert LinkedIn.covers(token.scopes, ALL)
    me = provider.whoami()
    assert (me.external_id, me.handle, me.name) == (ADA, 'ada-adler', 'Ada Adler')
    assert me.url == 'https://www.linkedin.com/in/ada-adler'
    brands = provider.brand_accounts()
    assert [brand.profile.external_id for brand in brands] == [ORG, 'urn:li:organization:77']
    assert [brand.profile.handle for brand in brands] == ['acme', '77']
    acting = LinkedIn(http, provider.app, brands[0].token)
    assert acting.whoami().name == 'Acme Tools'
    assert acting.whoami().links[0].url == 'https://acme.example'
    fresh = acting.refresh()
    assert fresh.refresh_token == 'refresh-1'
    assert fresh.extra['organization'] == ORG
    provider.revoke()
    with pytest.raises(AuthorizationLost):
        provider.whoami()
    provider.revoke()  # quiet


def test_only_what_the_app_owns_is_asked_for(http, network):
    """One scope too many and LinkedIn refuses the whole consent."""
    network.scope = 'openid profile w_member_social'
    going, provider = connect(http, network, ('openid', 'profile', 'email', 'w_member_social'))
    assert sorted(going.private['scopes']) == ['openid', 'profile', 'w_member_social']
    assert provider.whoami().avatar_url == 'https://media.example/ada.jpg'
    assert provider.brand_accounts() == ()
    assert LinkedIn.covers(provider.token.scopes, LinkedIn.capabilities['publish'])
    assert not LinkedIn.covers(provider.token.scopes, LinkedIn.capabilities['mentions'])


def test_an_app_that_only_has_sign_in_is_asked_the_other_way(network):
    network.refused.add('me')
    assert network.member(scopes=None).whoami().external_id == ADA


def test_consent_denied_calls_nothing(http, network):
    with pytest.raises(Rejected) as caught:
        network.member(http=http).exchange_code(
            code='', verifier='', private={}, params={'error': 'user_cancelled_authorize'}
        )
    assert caught.value.code == 'user_cancelled_authorize'
    assert not network.calls


def test_a_dead_refresh_token_is_a_dead_grant(network):
    provider = network.provider()
    provider.token = replace(provider.token, refresh_token='old-one')
    with pytest.raises(AuthorizationLost):
        provider.refresh()


def test_the_last_token_before_the_consent_ends_comes_without_another(network):
    provider = network.provider()
    for days, kept in ((70, 'refresh-1'), (60, 'refresh-1'), (50, '')):
        network.refresh_days = days
        assert provider.refresh().refresh_token == kept
    network.refresh_days = None  # not told this time: what was told before counts
    ends = (now() + timedelta(days=5)).isoformat(timespec='seconds')
    provider.token = replace(provider.token, extra={'refresh_ends': ends})
    assert provider.refresh().refresh_token == ''


# --- errors --------------------------------------------------------------------------------------


def test_the_version_has_one_place_and_an_end(network):
    assert version_ends('202607') == date(2027, 7, 15)
    assert LinkedIn.api_ends == version_ends(LinkedIn.api_version)
    network.provider().whoami()
    assert network.calls[0].headers['LinkedIn-Version'] == LinkedIn.api_version


def test_a_version_that_ended_says_what_to_do(network):
    answer = {'status': 426, 'code': 'NONEXISTENT_VERSION', 'message': 'Requested version'}
    network.fault((426, {}, json.dumps(answer)))
    with pytest.raises(Rejected) as caught:
        network.provider().whoami()
    assert caught.value.code == 'NONEXISTENT_VERSION'
    assert LinkedIn.api_version in caught.value.reason
    assert 'Update this module' in caught.value.reason


def test_a_quota_of_the_day_ends_at_midnight(network):
    answer = {'status': 429, 'serviceErrorCode': 101, 'message': 'APPLICATION DAY limit'}
    network.fault((429, {}, json.dumps(answer)))
    with pytest.raises(RateLimited) as caught:
        network.provider().whoami()
    assert caught.value.until == next_midnight()
    assert (caught.value.until.hour, caught.value.until.utcoffset()) == (0, timedelta(0))
    assert timedelta(0) < caught.value.until - now() <= timedelta(days=1)


def test_a_conflict_is_tried_again(network):
    network.fault((409, {}, '{"status": 409, "message": "conflict"}'))
    with pytest.raises(Transient):
        network.provider().send(network.outgoing(), 'k')


def test_a_401_without_a_role_is_no_dead_grant(network):
    """For leads LinkedIn answers 401 where a role at the ad account is missing."""
    network.fault((401, {}, json.dumps(DEAD)))
    network.submit('hello')
    items, _cursor = drain(network.provider(), 'lead_forms', '', since=now() - WEEK)
    assert len(items) == 1  # without ads, the organisation's own forms are read
    assert any('introspectToken' in call.url for call in network.calls)
    with pytest.raises(AuthorizationLost):
        network.provider(token='dead-token-1').fetch('lead_forms', '')


# --- notifications -------------------------------------------------------------------------------


def only(network, **values):
    (item,) = network.provider(**values).fetch('notifications', '', since=now() - WEEK).items
    return item


def test_a_comment_is_an_item_with_its_author(network):
    note = network.notify('Do you ship to Spain?')
    item = only(network)
    assert (item.kind, item.external_id) == ('comment', note['generatedActivity'])
    assert item.parent_external_id == item.conversation_id == 'urn:li:share:7001'
    assert item.author == Profile(
        RITA,
        'rita-reed',
        'Rita Reed',
        'https://www.linkedin.com/in/rita-reed',
        headline='Gardener',
    )
    assert item.url.startswith('https://www.linkedin.com/feed/update/urn:li:activity:7002?comment')


def test_an_author_who_hides_is_a_number(network):
    network.refused.add('people')
    network.notify('hello')
    assert only(network).author == Profile(RITA, 'Zz9')


@pytest.mark.parametrize(
    'said', [{'text': 'hello'}, {'text': {'text': 'hello'}}, {'message': {'text': 'hello'}}]
)
def test_a_text_comes_in_three_forms(network, said):
    network.spec = None
    comment = network.notify('x')['decoratedGeneratedActivity']['comment']
    del comment['text']
    comment.update(said)
    assert only(network).text == 'hello'


def test_a_post_that_names_us_is_a_mention_and_a_bare_share_is_nothing(network):
    network.notify(r'Look at \(this\)', action='SHARE_MENTION', minutes_ago=3)
    network.notify('', action='SHARE', minutes_ago=2)
    network.notify('So true', action='SHARE', minutes_ago=1)
    items = network.provider().fetch('notifications', '', since=now() - WEEK).items
    assert [(item.kind, item.text) for item in items] == [
        ('mention', 'Look at (this)'),
        ('mention', 'So true'),
    ]
    assert [item.parent_external_id for item in items] == ['', 'urn:li:share:7001']


def test_own_comments_edits_and_deletions_are_marked(network):
    network.notify('we', action='ADMIN_COMMENT', owner=ORG, minutes_ago=3)
    network.notify('new words', action='COMMENT_EDIT', minutes_ago=2)
    network.notify('', action='COMMENT_DELETE', minutes_ago=1)
    own, edited, deleted = network.provider().fetch('notifications', '', since=now() - WEEK).items
    assert (own.own, edited.own) == (True, False)
    assert edited.edited_at == edited.posted_at
    assert deleted.deleted


def test_a_member_has_nothing_to_listen_to_and_asks_nothing(network):
    for stream in LinkedIn.default_streams():
        assert network.member().fetch(stream, 'c').next_cursor == 'c'
    assert not network.calls


def test_deletions_between_pages_hide_nothing(network):
    for number in range(120):
        network.put('notifications', f'n{number}', minutes_ago=120 - number)
    page = network.provider().fetch('notifications', '', since=now() - WEEK)
    for _at, entry in network.notes[-2:]:
        network.forget(str(entry['notificationId']))
    rest, _cursor = drain(network.provider(), 'notifications', '', page.next_cursor)
    assert len({item.text for item in (*page.items, *rest)}) == 120


def test_the_thread_of_a_comment(network):
    first = network.notify('Do you ship?')['generatedActivity']
    network.notify('Me too')
    network.provider().send(Outgoing('reply', 'We do', first), 'k')
    items = network.provider().thread(first)
    assert [item.text for item in items] == ['Me too', 'We do']
    assert (items[1].own, items[1].parent_external_id) == (True, first)


# --- posts and comments --------------------------------------------------------------------------


def test_a_post_is_little_text_and_found_again(network):
    outgoing, before = Outgoing('post', 'New (v2) #tools @ 10 €'), now()
    provider = network.provider()
    sent = provider.send(outgoing, 'k')
    body = posted(network)
    assert body['commentary'] == r'New \(v2\) {hashtag|\#|tools} \@ 10 €'
    assert (body['author'], body['visibility']) == (ORG, 'PUBLIC')
    assert sent.url == f'https://www.linkedin.com/feed/update/{sent.external_id}'
    assert provider.find_sent(outgoing, 'k', before).external_id == sent.external_id
    assert provider.find_sent(replace(outgoing, text='Old'), 'k', before) is None


def test_the_same_post_again_is_a_duplicate(network):
    network.provider().send(Outgoing('post', 'Hello'), 'k')
    with pytest.raises(Duplicate) as caught:
        network.provider().send(Outgoing('post', 'Hello'), 'k')
    assert 'urn:li:share:' in caught.value.reason


def test_a_member_posts_as_themselves_and_cannot_look_it_up(network):
    outgoing = Outgoing('post', 'Hello', visibility='followers')
    network.member().send(outgoing, 'k')
    assert (posted(network)['author'], posted(network)['visibility']) == (ADA, 'CONNECTIONS')
    with pytest.raises(PermissionMissing):
        network.member().find_sent(outgoing, 'k', now())


def test_a_link_becomes_a_card_and_beside_pictures_text(network):
    provider = network.provider()
    link = Outgoing('post', 'Read this', link='https://acme.example/a?b=1')
    provider.send(link, 'k')
    assert posted(network)['content'] == {
        'article': {'source': 'https://acme.example/a?b=1', 'title': 'acme.example'}
    }
    assert provider.compose(link) == 'Read this'
    assert provider.compose(replace(link, media=(PNG,))).endswith('\n\nhttps://acme.example/a?b=1')


def test_one_picture_and_many(network):
    provider = network.provider()
    provider.send(Outgoing('post', 'one', media=(PNG,)), 'k')
    media = posted(network)['content']['media']
    assert media['altText'] == 'A drill'
    assert network.uploads[media['id'].rpartition(':')[2]] == PNG.content
    provider.send(Outgoing('post', 'two', media=(PNG, replace(PNG, description=''))), 'k')
    first, second = posted(network)['content']['multiImage']['images']
    assert first['id'] != second['id']
    assert 'altText' not in second


def test_a_video_is_uploaded_in_parts_and_waited_for(network):
    network.busy = 3
    video = Media('video/mp4', filename='drill.mp4', content=b'0123456789')
    sent = network.provider().send(Outgoing('post', 'film', media=(video,)), 'k')
    assert [network.uploads[n] for n in '048'] == [b'0123', b'4567', b'89']
    assert network.uploads['final']['uploadedPartIds'] == ['etag-0', 'etag-4', 'etag-8']
    assert network.busy == 0
    assert sent.external_id.startswith('urn:li:ugcPost:')
    with pytest.raises(Rejected):
        network.provider().send(Outgoing('post', 'both', media=(video, PNG)), 'k')


def test_a_video_that_is_never_ready_was_not_posted(network):
    network.busy = 10**9
    provider = network.provider()
    provider.media_wait = 0.3
    with pytest.raises(Transient):
        provider.send(Outgoing('post', 'x', media=(Media('video/mp4', content=b'1'),)), 'k')
    assert not network.posts


def test_the_answer_to_an_answer_goes_below_the_first_comment(network):
    first = network.notify('Do you ship?')['generatedActivity']
    second = 'urn:li:comment:(urn:li:activity:7002,99)'
    network.provider().send(Outgoing('reply', 'Yes', second, conversation_id=first), 'k')
    body = posted(network, '/comments')
    assert body['parentComment'] == first
    assert body['object'] == 'urn:li:activity:7002'
    assert body['message'] == {'text': 'Yes', 'attributes': []}


def test_an_answer_whose_first_comment_nobody_told_is_asked_for(network):
    provider = network.provider()
    first = network.notify('Do you ship?')['generatedActivity']
    second = provider.send(Outgoing('reply', 'Yes', first), 'k').external_id
    third = provider.send(Outgoing('reply', 'Where to?', second), 'k')
    assert network.comments[-1]['commentUrn'] == third.external_id
    assert network.comments[-1]['parentComment'] == first
    gone = Outgoing('reply', 'x', 'urn:li:comment:(urn:li:activity:7002,1)')
    with pytest.raises(Rejected) as caught:
        provider.send(gone, 'k')
    assert caught.value.code == '400'


def test_a_first_comment_waits_until_the_post_can_be_commented_on(network):
    provider = network.provider()
    with pytest.raises(Transient):
        provider.send(Outgoing('comment', 'first', 'urn:li:share:1'), 'k')
    with pytest.raises(NotFound):
        provider.send(
            Outgoing('comment', 'x', 'urn:li:share:1', target_author=Profile(RITA, 'r')), 'k'
        )
    post = provider.send(Outgoing('post', 'Hello'), 'k')
    sent = provider.send(Outgoing('comment', 'https://acme.example', post.external_id), 'k')
    assert sent.external_id.startswith('urn:li:comment:(')


def test_there_are_no_messages(network):
    with pytest.raises(NotSupported):
        network.provider().send(Outgoing('message', 'psst', target_author=Profile(RITA, 'r')), 'k')
    assert not network.calls


def test_a_post_is_deleted(network):
    provider = network.provider()
    sent = provider.send(Outgoing('post', 'Hello'), 'k')
    provider.delete(sent.external_id)
    assert network.sent == []


# --- counters, profiles --------------------------------------------------------------------------


def test_counters_of_an_organisation(network):
    provider = network.provider()
    share = provider.send(Outgoing('post', 'a'), 'k').external_id
    quiet = provider.send(Outgoing('post', 'b'), 'k').external_id
    film = Outgoing('post', 'c', media=(Media('video/mp4', content=b'1'),))
    video = provider.send(film, 'k').external_id
    total = {
        'impressionCount': 90,
        'clickCount': 7,
        'likeCount': 5,
        'commentCount': 1,
        'shareCount': 2,
        'engagement': 0.1,
        'uniqueImpressionsCount': 80,
    }
    network.statistics = {share: total, video: {**total, 'likeCount': -1}}
    found = provider.metrics([share, quiet, video, network.missing_id])
    assert found == {
        share: Metrics(likes=5, comments=4, shares=2, views=90, clicks=7),
        quiet: Metrics(likes=3, comments=4, shares=0, views=0, clicks=0),
        video: Metrics(likes=3, comments=4, shares=2, views=12, clicks=7),
    }


def test_counters_of_a_member_need_a_scope(network):
    post = network.member().send(Outgoing('post', 'a'), 'k').external_id
    assert network.member().metrics([post]) == {post: Metrics(likes=3, comments=4)}
    scopes = ('r_member_postAnalytics',)
    assert network.member(scopes=scopes).metrics([post])[post].views == 7


def test_without_the_right_to_statistics_the_rest_is_told(network):
    network.refused.add('organizationalEntityShareStatistics')
    provider = network.provider()
    post = provider.send(Outgoing('post', 'a'), 'k').external_id
    assert provider.metrics([post]) == {post: Metrics(likes=3, comments=4)}


@pytest.mark.parametrize(
    'handle',
    [
        'acme',
        '@acme',
        'company/acme',
        ORG,
        '2414183',
        'https://www.linkedin.com/company/acme/posts/?a=1',
    ],
)
def test_an_organisation_is_found_by_name_number_and_address(network, handle):
    found = network.provider().profile(handle)
    assert (found.external_id, found.handle, found.followers) == (ORG, 'acme', 1204)


@pytest.mark.parametrize('handle', ['in/rita-reed', 'https://linkedin.com/in/rita-reed/', RITA])
def test_a_member_is_found_by_address(network, handle):
    assert network.provider().profile(handle).name == 'Rita Reed'


@pytest.mark.parametrize(
    'handle',
    [
        '',
        'nobody',
        'in/nobody',
        'urn:li:person:Hidden',
        'https://evil.example/in/rita-reed',
        'groups/12',
        'a@b.example',
    ],
)
def test_nobody_is_found(network, handle):
    with pytest.raises(NotFound):
        network.provider().profile(handle)


# --- leads ---------------------------------------------------------------------------------------


def test_a_lead_has_its_answers_consents_and_source(network):
    network.lead_kind = 'SPONSORED'
    number = network.submit('A drill')
    (item,), _ = drain(network.provider(), 'lead_forms', '', since=now() - WEEK)
    assert item.external_id == f'urn:li:leadGenFormResponse:{number}'
    assert item.fields == {
        'FIRST_NAME': 'Eva',
        'EMAIL': 'eva@acme.example',
        'What do you need?': 'A drill',
        'size': '11+',
        'utm_source': 'li',
        'consent_0': 'true',
        'consent_4': 'false',
    }
    assert item.text.splitlines() == [
        'First name: Eva',
        'Email address: eva@acme.example',
        'What do you need?: A drill',
        'Team size: 11+',
    ]
    assert (item.kind, item.form_id, item.test) == ('lead_form', '3162', False)
    assert (item.author.external_id, item.author.name) == (RITA, 'Eva')
    assert item.attribution == {
        'account_id': '55',
        'ad_id': '88',
        'campaign_id': '77',
        'lead_type': 'SPONSORED',
    }


def test_forms_have_the_keys_of_their_leads(network):
    network.submit('A drill')
    (item,), _ = drain(network.provider(), 'lead_forms', '', since=now() - WEEK)
    (form,) = network.provider().lead_forms()
    assert (form.external_id, form.name, form.language, form.active) == (
        '3162',
        'Drill demo',
        'en',
        True,
    )
    assert {question.key for question in form.questions} == set(item.fields)
    assert [q.key for q in form.questions if q.consent] == ['consent_0', 'consent_4']
    assert form.questions[1].kind == 'EMAIL'
    assert form.questions[1].label == 'Email address'


def test_a_test_lead_and_one_that_nobody_signed(network):
    network.submit('x', testLead=True, submitter='')
    (item,), _ = drain(network.provider(), 'lead_forms', '', since=now() - WEEK)
    assert item.test
    assert item.author.external_id == item.external_id


def test_one_owner_without_a_role_does_not_stop_the_others(network):
    network.refused.add(ORG)
    network.submit('organic')
    network.lead_kind = 'SPONSORED'
    network.submit('sponsored')
    items, cursor = drain(network.provider(), 'lead_forms', '', since=now() - WEEK)
    assert len(items) == 1
    network.refused.add('urn:li:sponsoredAccount:55')
    with pytest.raises(PermissionMissing):
        network.provider().fetch('lead_forms', cursor)


def test_leads_without_their_form_get_it(network):
    network.submit('A drill')
    page = network.provider().fetch('lead_forms', '', since=now() - WEEK)
    bare = {name: value for name, value in page.items[0].raw.items() if name != 'form'}
    (entry,) = network.provider()._with_forms([bare])
    assert network.provider().read('lead_forms', entry).items[0].fields == page.items[0].fields


def test_without_the_scope_for_leads_nothing_is_asked(network):
    provider = network.provider(scopes=('rw_organization_admin',))
    assert provider.fetch('lead_forms', 'c').next_cursor == 'c'
    assert not network.calls


def test_new_leads_are_pushed_once_it_is_arranged(network):
    provider = network.provider()
    provider.app = replace(provider.app, webhook_url='https://odoo.example/hook')
    provider.subscribe()
    provider.subscribe()  # daily
    found = [(list(one['owner'].values())[0], one['leadType']) for one in network.subscribed]
    assert found == [
        (ORG, 'COMPANY'),
        (ORG, 'EVENT'),
        (ORG, 'ORGANIZATION_PRODUCT'),
        ('urn:li:sponsoredAccount:55', 'SPONSORED'),
    ]
    assert {one['webhook'] for one in network.subscribed} == {'https://odoo.example/hook'}
    network.subscribed.clear()
    network.refused.add(ORG)
    provider.subscribe()
    assert [one['leadType'] for one in network.subscribed] == ['SPONSORED']


def test_comments_are_pushed_where_the_number_of_the_app_is_known(network):
    provider = network.provider(scopes=('rw_organization_admin', 'r_basicprofile'))
    hook, key = (
        'https://odoo.example/hook',
        (
            f'(developerApplication:urn:li:developerApplication:123456,user:{ADA},entity:{ORG},'
            'eventType:ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS)'
        ),
    )
    provider.app = replace(provider.app, webhook_url=hook, metadata={'application_id': '123456'})
    provider.subscribe()
    provider.subscribe()  # daily: it may have ended without a word
    assert network.actions_pushed == {key: hook}
    assert [call.method for call in network.calls].count('PUT') == 2
    network.refused.add('eventSubscriptions')
    with pytest.raises(PermissionMissing):  # the member is no administrator any more
        provider.subscribe()
    provider.app = replace(provider.app, metadata={'application_id': '1),x:(2'})
    with pytest.raises(Rejected):
        provider.subscribe()


def test_without_an_address_or_a_right_nothing_is_arranged(network):
    url = 'https://odoo.example/hook'
    app = replace(network.provider().app, webhook_url=url)
    for provider in (
        network.provider(),
        network.member(app=app),
        network.provider(app=app, scopes=('rw_organization_admin',)),
    ):
        with pytest.raises(NotSupported):
            provider.subscribe()
    assert not network.calls


# --- webhooks ------------------------------------------------------------------------------------


def signed(body, secret=b'client-secret-9', prefix=b'hmacsha256='):
    return {'x-li-signature': hmac.new(secret, prefix + body, hashlib.sha256).hexdigest()}


def test_the_handshake_proves_the_secret(network):
    challenge = '890e4665-4dfe-4ab1-b689-ed553bceeed0'
    answer = json.loads(network.provider().answer_handshake({'challengeCode': challenge}))
    expected = hmac.new(b'client-secret-9', challenge.encode(), hashlib.sha256).hexdigest()
    assert answer == {'challengeCode': challenge, 'challengeResponse': expected}
    for nonsense in ({}, {'challengeCode': ''}, {'challengeCode': 'x' * 5000}):
        with pytest.raises(Rejected):
            network.provider().answer_handshake(nonsense)


def test_a_push_is_signed_over_its_bytes(network):
    provider, body = network.provider(), b'{"a": "\xc3\xa9"}'
    provider.verify_webhook(signed(body), body)
    provider.verify_webhook(
        {'x-li-signature': 'hmacsha256=' + signed(body)['x-li-signature']}, body
    )
    for headers, sent in (
        (signed(body), body + b' '),
        (signed(body, b'other'), body),
        (signed(body, prefix=b''), body),
        ({'x-li-signature': 'ü'}, body),
        ({}, body),
    ):
        with pytest.raises(Rejected):
            provider.verify_webhook(headers, sent)
    provider.app = App('client-1')
    with pytest.raises(Rejected):
        provider.verify_webhook(signed(body, b''), body)


@pytest.mark.parametrize('hidden', [False, True], ids=['named', 'hidden'])
def test_pushed_comments_are_the_items_that_are_fetched(network, hidden):
    network.refused |= {'people'} if hidden else set()
    note = network.notify('Do you ship?')
    gone = {**network.notify('Oh', action='COMMENT_DELETE'), 'notificationId': 8}
    network.notes.pop()
    body = {'type': 'ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS', 'notifications': [note, gone, 7]}
    (push,) = LinkedIn(None).parse_webhook({}, json.dumps(body).encode())
    assert (push.event, push.account_id, push.stream) == ('items', ORG, 'notifications')
    assert [item.deleted for item in push.page.items] == [True]
    (named,) = push.page.unreadable  # who wrote it is told by a number alone
    assert named.incomplete
    (item,) = network.provider().complete(push.stream, named.payload).items
    assert item == only(network)
    assert (item.author.name == '') == hidden


def test_a_pushed_lead_is_to_be_fetched_and_a_withdrawn_one_deleted(network):
    body = {
        'type': 'LEAD_ACTION',
        'leadGenFormResponse': 'urn:li:leadGenFormResponse:7a-5',
        'owner': {'sponsoredAccount': 'urn:li:sponsoredAccount:55'},
        'leadAction': 'CREATED',
        'occurredAt': 1763500000000,
    }
    (push,) = LinkedIn(None).parse_webhook({}, json.dumps(body).encode())
    assert (push.event, push.account_id, push.stream) == ('poll', '', 'lead_forms')
    body |= {'leadAction': 'DELETED', 'owner': {'organization': ORG}}
    (push,) = LinkedIn(None).parse_webhook({}, json.dumps(body).encode())
    assert push.account_id == ORG
    assert (push.page.items[0].external_id, push.page.items[0].deleted) == (
        'urn:li:leadGenFormResponse:7a-5',
        True,
    )


@pytest.mark.parametrize('body', [b'', b'[]', b'{', b'\xff', b'[' * 100_000])
def test_a_push_of_nonsense_is_refused(body):
    with pytest.raises(Rejected):
        LinkedIn(None).parse_webhook({}, body)


def test_a_push_of_another_kind_is_nothing():
    assert LinkedIn(None).parse_webhook({}, b'{"type": "OTHER", "notifications": null}') == ()


def test_denied_words_reach_the_person(network):
    network.fault((403, {}, json.dumps(DENIED)))
    with pytest.raises(PermissionMissing) as caught:
        network.provider().send(network.outgoing(), 'k')
    assert caught.value.reason == DENIED['message']
