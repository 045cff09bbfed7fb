"""The adapter against the software that Bluesky runs: from sign-in to disconnect."""

import io
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from PIL import Image

from social_crm.providers import bluesky_identity, dpop, oauth2
from social_crm.providers.bluesky import Bluesky
from social_crm.providers.bluesky_oauth import LOOPBACK_PATH
from social_crm.providers.errors import AuthorizationLost, NotFound, PermissionMissing, Rejected
from social_crm.providers.http import Http
from social_crm.providers.types import Media, Outgoing
from social_crm.tests.providers.bluesky_consent import approve
from social_crm.tests.providers.contract import drain, now

CALLBACK = 'http://localhost:8069/social_crm/oauth/callback'
#: What the servers can be asked for: they have no service for messages.
CAPABILITIES = [name for name in Bluesky.capabilities if name != 'messages']
SCOPES = Bluesky.scopes_for(CAPABILITIES)


@pytest.fixture(scope='module', autouse=True)
def own_network(bluesky):
    """Let the adapter ask this network's directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bluesky_identity, 'DIRECTORY', bluesky.plc)
        patch.setattr(bluesky_identity, 'RESOLVER', bluesky.url)
        yield


def begin(typed, scopes=SCOPES):
    """Go as far as to the network's page; return the adapter, the verifier, and where to go."""
    http = Http(user_agent='social_crm-test', allow_private=True)
    app = Bluesky(http).discover(Bluesky.normalise_server(typed))
    app = replace(app, redirect_uri=CALLBACK)
    app = Bluesky(http, app).register(app, name='Odoo', website='http://localhost:8069')
    verifier = oauth2.new_verifier()
    provider = Bluesky(http, app)
    going = provider.authorize_url(
        state='state-1', challenge=oauth2.challenge_of(verifier), scopes=scopes, hint=typed
    )
    return provider, verifier, going


def connect(network, login, typed='', scopes=SCOPES):
    """Connect a person's account as Odoo does; return the adapter."""
    provider, verifier, going = begin(typed or f'{login}.test', scopes)
    target, params = approve(going.url, network.accounts[login])
    assert target.startswith(f'http://127.0.0.1:8069{LOOPBACK_PATH}?')
    assert params['state'] == 'state-1'
    token = provider.exchange_code(
        code=params['code'], verifier=verifier, private=going.private, params=params
    )
    provider = Bluesky(provider.http, provider.app, token)
    return Bluesky(provider.http, provider.app, token, provider.whoami())


@pytest.fixture(scope='module')
def brand(bluesky):
    return connect(bluesky, 'brand')


def wait_for(provider, stream, cursor, count=1, query='', seconds=60):
    """Poll until that many items came; return them and the cursor."""
    found, until = [], time.monotonic() + seconds
    while len(found) < count and time.monotonic() < until:
        items, cursor = drain(provider, stream, query, cursor)
        found += items
        time.sleep(0.1)
    assert len(found) >= count, f'{stream}: {len(found)} of {count} items came in {seconds} s'
    return found, cursor


def eventually(check, seconds=60):
    """Return what a check gives as soon as that is something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = check()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError('it did not happen')


# --- connect -------------------------------------------------------------------------------------


def test_signing_in_by_handle(bluesky, brand):
    assert brand.me.handle == 'brand.test'
    assert brand.me.external_id == bluesky.dids['brand']
    assert Bluesky.covers(brand.token.scopes, SCOPES)
    assert not Bluesky.covers(brand.token.scopes, Bluesky.capabilities['messages'])
    assert brand.token.expires_at > now()
    assert brand.token.extra['pds'] == bluesky.url


def test_signing_in_by_the_servers_address(bluesky):
    assert connect(bluesky, 'customer', bluesky.url).me.handle == 'customer.test'


def test_the_coarse_scopes_are_granted_too(bluesky):
    scopes = ('atproto', 'transition:generic', 'transition:chat.bsky')
    provider = connect(bluesky, 'customer', scopes=scopes)
    assert Bluesky.covers(provider.token.scopes, Bluesky.scopes_for(Bluesky.capabilities))


def test_saying_no(bluesky):
    provider, verifier, going = begin('brand.test')
    _target, params = approve(going.url, bluesky.accounts['brand'], accept=False)
    with pytest.raises(Rejected) as caught:
        provider.exchange_code(code='', verifier=verifier, private=going.private, params=params)
    assert caught.value.code == 'access_denied'


def test_somebody_else_signs_in(bluesky):
    provider, verifier, going = begin('brand.test')
    _target, params = approve(going.url, bluesky.accounts['customer'])
    with pytest.raises(Rejected):
        provider.exchange_code(
            code=params['code'], verifier=verifier, private=going.private, params=params
        )


def test_a_code_works_once_and_with_its_verifier_and_key_only(bluesky):
    provider, verifier, going = begin('brand.test')
    _target, params = approve(going.url, bluesky.accounts['brand'])
    values = {'code': params['code'], 'verifier': verifier, 'private': going.private}
    for wrong in ({'verifier': oauth2.new_verifier()}, {'code': 'guessed'}):
        with pytest.raises((AuthorizationLost, Rejected)):
            provider.exchange_code(**{**values, **wrong}, params={**params, **wrong})
    with pytest.raises((AuthorizationLost, Rejected)):  # the wrong guess has ended it
        provider.exchange_code(**values, params=params)


def test_nobody_by_that_handle(bluesky):
    with pytest.raises(Rejected):
        begin('nobody.test')


def test_a_stolen_token_is_worth_nothing_without_its_key(brand):
    extra = {**brand.token.extra, 'key': dpop.new_key()}
    thief = Bluesky(brand.http, brand.app, replace(brand.token, extra=extra), brand.me)
    with pytest.raises(AuthorizationLost):
        thief.whoami()


# --- listen and send -----------------------------------------------------------------------------


def test_a_conversation(bluesky, brand):
    """A customer asks, the brand answers with a picture, the customer sees it."""
    _, mentions = drain(brand, 'notifications', '')
    _, own = drain(brand, 'own', '')
    _, tagged = drain(brand, 'hashtag', 'garden')
    before = now()
    text = 'Grüße 👩‍👩‍👧‍👦 @brand.test, liefert ihr nach Graz?'
    asked = bluesky.post('customer', text, langs=['de'])
    (question,), mentions = wait_for(brand, 'notifications', mentions)
    assert (question.kind, question.external_id) == ('mention', asked['uri'])
    assert (question.text, question.language) == (text, 'de')
    assert question.author.handle == 'customer.test'
    assert question.mentions == ('brand.test',)
    assert question.posted_at >= before - timedelta(seconds=2)

    picture = io.BytesIO()
    Image.new('RGB', (64, 48), 'teal').save(picture, 'PNG')
    media = (Media('image/png', content=picture.getvalue(), description='Ein Tisch'),)
    words = 'Ja, gern 😀 @customer.test: https://example.com/a/path?x=1&y=2 #garden'
    answer = Outgoing('reply', words, question.external_id, '', question.author, media=media)
    sent = brand.send(answer, 'key-conversation')
    (seen,) = eventually(lambda: bluesky.replies_to(asked))
    assert (seen['uri'], seen['record']['text']) == (sent.external_id, words)
    parts = {}
    for facet in seen['record']['facets']:
        span = slice(facet['index']['byteStart'], facet['index']['byteEnd'])
        parts[words.encode()[span].decode()] = facet['features'][0]
    assert parts['@customer.test']['did'] == bluesky.dids['customer']
    assert parts['https://example.com/a/path?x=1&y=2']['$type'].endswith('#link')
    assert parts['#garden']['tag'] == 'garden'
    (image,) = seen['embed']['images']
    assert (image['alt'], image['aspectRatio']) == ('Ein Tisch', {'width': 64, 'height': 48})

    (mine,), own = wait_for(brand, 'own', own)
    assert (mine.own, mine.external_id) == (True, sent.external_id)
    assert mine.parent_external_id == question.external_id
    thread = brand.thread(question.external_id)
    assert [item.external_id for item in thread] == [sent.external_id]
    (found,), _ = wait_for(brand, 'hashtag', tagged, query='garden')
    assert found.external_id == sent.external_id

    deeper = {'root': asked, 'uri': sent.external_id, 'cid': seen['cid']}
    back = bluesky.post('customer', 'Danke!', reply_to=deeper)
    (thanks,), mentions = wait_for(brand, 'notifications', mentions)
    assert (thanks.kind, thanks.external_id) == ('reply', back['uri'])
    assert thanks.conversation_id == question.external_id
    # Nothing comes twice.
    assert drain(brand, 'notifications', '', mentions)[0] == []
    assert drain(brand, 'own', '', own)[0] == []


def test_search(bluesky, brand):
    _, cursor = drain(brand, 'search', 'wheelbarrow')
    bluesky.post('customer', 'Who sells a good wheelbarrow?')
    (hit,), _ = wait_for(brand, 'search', cursor, query='wheelbarrow')
    assert (hit.kind, hit.text) == ('search', 'Who sells a good wheelbarrow?')


def test_a_quote_is_a_mention(bluesky, brand):
    sent = brand.send(Outgoing('post', 'Our new desk'), 'key-quoted')
    post = eventually(lambda: bluesky.find('brand', sent.external_id))
    _, cursor = drain(brand, 'notifications', '')
    reference = {'uri': post[0]['uri'], 'cid': post[0]['cid']}
    bluesky.post(
        'customer', 'Look at that', embed={'$type': 'app.bsky.embed.record', 'record': reference}
    )
    (quote,), _ = wait_for(brand, 'notifications', cursor)
    assert (quote.kind, quote.parent_external_id) == ('mention', sent.external_id)


def test_sending_again_is_the_same_post(bluesky, brand):
    outgoing, before = Outgoing('post', 'Only once'), now()
    assert brand.find_sent(outgoing, 'key-once', before) is None
    sent = brand.send(outgoing, 'key-once')
    assert brand.send(outgoing, 'key-once') == sent
    assert brand.send(replace(outgoing, text='Changed'), 'key-once') == sent
    assert brand.find_sent(outgoing, 'key-once', before) == sent
    posts = eventually(lambda: bluesky.find('brand', sent.external_id))
    assert [post['record']['text'] for post in posts] == ['Only once']


def test_figures(bluesky, brand):
    sent = brand.send(Outgoing('post', 'Like this'), 'key-figures')
    posts = eventually(lambda: bluesky.find('brand', sent.external_id))
    none = eventually(lambda: brand.metrics([sent.external_id]))[sent.external_id]
    assert (none.likes, none.shares, none.comments, none.views) == (0, 0, 0, None)
    bluesky.like('customer', posts[0])
    bluesky.repost('customer', posts[0])
    bluesky.post('customer', 'I do', reply_to=posts[0])

    def figures():
        found = brand.metrics([sent.external_id, f'{sent.external_id}x'])
        assert set(found) == {sent.external_id}
        one = found[sent.external_id]
        return (one.likes, one.shares, one.comments) == (1, 1, 1)

    eventually(figures)


def test_too_long_is_refused_in_the_servers_words(brand):
    with pytest.raises(Rejected) as caught:
        brand.send(Outgoing('post', 'x' * 301), 'key-long')
    assert 'grapheme' in caught.value.reason


def test_a_first_comment_needs_not_wait_for_the_network(bluesky, brand):
    post = brand.send(Outgoing('post', 'Three desks'), 'key-first')
    comment = brand.send(Outgoing('comment', 'And a chair', post.external_id), 'key-second')
    (seen,) = eventually(lambda: bluesky.replies_to({'uri': post.external_id}))
    assert seen['uri'] == comment.external_id


def test_answering_what_is_gone(bluesky, brand):
    sent = brand.send(Outgoing('post', 'Soon gone'), 'key-gone')
    eventually(lambda: brand.metrics([sent.external_id]))
    brand.delete(sent.external_id)
    brand.delete(sent.external_id)
    assert brand.find_sent(Outgoing('post', ''), 'key-gone', sent.sent_at) is None
    eventually(lambda: not brand.metrics([sent.external_id]))
    with pytest.raises(NotFound):
        brand.send(Outgoing('reply', 'Hello?', sent.external_id), 'key-late')


def test_profiles(bluesky, brand):
    found = brand.profile('@customer.test')
    assert (found.external_id, found.name) == (bluesky.dids['customer'], 'Customer')
    assert found.posts is not None
    with pytest.raises(NotFound):
        brand.profile('nobody.test')


def test_rights_that_were_not_granted_are_refused(bluesky):
    reader = connect(bluesky, 'customer', scopes=Bluesky.scopes_for(['search']))
    assert drain(reader, 'search', 'x')[0] == []
    for call in (
        lambda: reader.send(Outgoing('post', 'May I?'), 'key-may'),
        lambda: reader.fetch('notifications', ''),
    ):
        with pytest.raises(PermissionMissing):
            call()


# --- the end -------------------------------------------------------------------------------------


def test_refreshing_and_disconnecting(bluesky):
    provider = connect(bluesky, 'customer')
    old = provider.token
    provider.token = provider.refresh()
    assert provider.token.refresh_token != old.refresh_token
    assert provider.token.scopes == old.scopes
    assert provider.whoami().handle == 'customer.test'
    provider.revoke()
    for call in (provider.whoami, provider.refresh, lambda: provider.fetch('notifications', '')):
        with pytest.raises(AuthorizationLost):
            call()
    provider.revoke()  # quiet


def test_a_replayed_refresh_token_ends_the_login(bluesky):
    provider = connect(bluesky, 'customer')
    old = provider.token
    fresh = provider.refresh()
    with pytest.raises(AuthorizationLost):
        provider.refresh()
    provider.token = fresh
    with pytest.raises(AuthorizationLost):
        provider.refresh()
    assert old.refresh_token


def test_an_app_password(bluesky):
    http = Http(user_agent='social_crm-test', allow_private=True)
    with pytest.raises(Rejected) as caught:
        Bluesky(http).sign_in('customer.test', bluesky.accounts['customer'].password)
    assert caught.value.code == 'no_app_password'
    with pytest.raises(Rejected) as caught:
        Bluesky(http).sign_in('customer.test', 'abcd-abcd-abcd-abcd')
    assert caught.value.code == 'AuthenticationRequired'
    token, me = Bluesky(http).sign_in('@customer.test', bluesky.app_password('customer'))
    assert me.handle == 'customer.test'
    provider = Bluesky(http, token=token, me=me)
    assert Bluesky.covers(token.scopes, SCOPES)
    assert not Bluesky.covers(token.scopes, Bluesky.capabilities['messages'])
    sent = provider.send(Outgoing('post', 'By app password'), 'key-app')
    eventually(lambda: bluesky.find('customer', sent.external_id))
    provider.token = provider.refresh()
    assert provider.whoami().external_id == me.external_id
    provider.revoke()
    with pytest.raises(AuthorizationLost):
        provider.refresh()
