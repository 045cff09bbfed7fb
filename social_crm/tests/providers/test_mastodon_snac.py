"""The adapter against a real fediverse server, snac: from sign-in to disconnect."""

import re
import time
from dataclasses import replace
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from social_crm.providers import oauth2
from social_crm.providers.errors import AuthorizationLost, NotFound, NotSupported
from social_crm.providers.http import Http
from social_crm.providers.mastodon import Mastodon
from social_crm.providers.types import Media, Outgoing
from social_crm.tests.providers.contract import drain, now

PNG = bytes.fromhex(
    '89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489'
    '0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082'
)
CALLBACK = 'http://127.0.0.1:8069/social_crm/oauth/callback'


def sign_in(url, account, password=None):
    """Do what a person does in the browser; return the callback's parameters, or the page."""
    page = requests.get(url, timeout=10)
    assert page.status_code == 200, page.text
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    form = {name: unescape(value) for name, value in form.items()}
    form |= {'login': account.login, 'passwd': password or account.password}
    action = re.search(r'action="([^"]+)"', page.text)[1]
    answer = requests.post(action, data=form, timeout=10, allow_redirects=False)
    if answer.status_code != 303:
        return answer.text
    target = answer.headers['Location']
    assert target.startswith(f'{CALLBACK}?')
    return dict(parse_qsl(urlsplit(target).query))


def connect(server, login):
    """Connect a person's account as Odoo does; return the adapter."""
    http = Http(user_agent='social_crm-test', allow_private=True)
    app = Mastodon(http).discover(Mastodon.normalise_server(server.url))
    scopes = Mastodon.scopes_for(Mastodon.capabilities)
    app = replace(app, redirect_uri=CALLBACK, scopes=scopes)
    app = Mastodon(http, app).register(app, name='social_crm', website='https://odoo.example')
    provider = Mastodon(http, app)
    verifier = oauth2.new_verifier()
    going = provider.authorize_url(
        state='state-1', challenge=oauth2.challenge_of(verifier), scopes=app.scopes
    )
    params = sign_in(going.url, server.accounts[login])
    assert params['state'] == 'state-1'
    token = provider.exchange_code(
        code=params['code'], verifier=verifier, private=going.private, params=params
    )
    provider = Mastodon(http, app, token)
    return Mastodon(http, app, token, provider.whoami())


@pytest.fixture(scope='module')
def brand(snac):
    return connect(snac, 'brand')


@pytest.fixture(scope='module')
def customer(snac):
    return connect(snac, 'customer')


def wait_for(provider, stream, cursor, count=1, query='', seconds=30):
    """Poll until that many items came; return them and the cursor."""
    found, until = [], time.monotonic() + seconds
    while len(found) < count and time.monotonic() < until:
        items, cursor = drain(provider, stream, query, cursor)
        found += items
        if len(found) < count:
            time.sleep(0.3)
    assert len(found) >= count, f'{stream}: {len(found)} of {count} items came in {seconds} s'
    return found, cursor


def test_discovery_and_sign_in(brand):
    assert brand.app.metadata['software'] == 'snac'
    assert brand.app.metadata['app_per_account'] is True
    assert brand.app.metadata['limits']['text'] == 100000
    assert Mastodon.covers(brand.token.scopes, Mastodon.scopes_for(Mastodon.capabilities))
    assert brand.me.handle == f'brand@{urlsplit(brand.app.server).netloc}'
    assert brand.limits().image_types


def test_a_wrong_password_gives_no_code(snac, brand):
    going = brand.authorize_url(state='s', challenge='c' * 43, scopes=('read',))
    assert 'LOGIN INCORRECT' in sign_in(going.url, snac.accounts['brand'], 'wrong')


def test_a_code_of_a_stranger_is_refused(brand):
    other = Mastodon(brand.http, replace(brand.app, client_secret='guessed'))
    with pytest.raises(Exception) as caught:
        other.exchange_code(code='guessed-code', verifier='v', private={}, params={})
    assert 'guessed' not in str(caught.value)


def test_a_conversation(brand, customer):
    """A customer asks, the brand answers, the customer reads it: each side sees its part."""
    _, to_brand = drain(brand, 'notifications', '')
    _, to_customer = drain(customer, 'notifications', '')
    _, by_brand = drain(brand, 'own', '')
    _, tagged = drain(brand, 'hashtag', 'shop')
    before = now()
    text = 'Do you ship to **Graz**? https://example.com/a/path?x=1&y=2 #shop 😀'
    media = (Media('image/png', content=PNG, description='One pixel'),)
    asked = customer.send(
        Outgoing('reply', text, target_author=brand.me, media=media, language='en'), 'k1'
    )

    (question,), to_brand = wait_for(brand, 'notifications', to_brand)
    assert question.kind == 'mention'
    assert question.external_id == asked.external_id
    assert question.author.handle == customer.me.handle
    assert question.author.external_id == customer.me.external_id
    # snac reads the stars as Markdown.
    assert 'Do you ship to Graz? https://example.com/a/path?x=1&y=2 #shop 😀' in question.text
    assert question.hashtags == ('shop',)
    assert question.visibility == 'public'
    assert (question.media[0].mimetype, question.media[0].description) == ('image/png', 'One pixel')
    assert question.posted_at >= before - timedelta(seconds=2)
    (found,), _ = drain(brand, 'hashtag', 'shop', tagged)
    assert found.external_id == asked.external_id

    answer = Outgoing(
        'reply',
        'Yes, *gladly*',
        question.external_id,
        question.local_id,
        question.author,
        visibility=question.visibility,
    )
    sent = brand.send(answer, 'k2')
    (reply,), to_customer = wait_for(customer, 'notifications', to_customer)
    assert (reply.kind, reply.external_id) == ('reply', sent.external_id)
    assert 'Yes, gladly' in reply.text
    (own,), by_brand = wait_for(brand, 'own', by_brand)
    assert own.own
    assert own.external_id == sent.external_id
    assert [item.external_id for item in brand.thread(question.external_id, question.local_id)] == [
        sent.external_id
    ]
    assert brand.metrics([sent.local_id, '0' * 42])[sent.local_id].likes == 0
    # Nothing comes twice.
    assert drain(brand, 'notifications', '', to_brand)[0] == []
    assert drain(customer, 'notifications', '', to_customer)[0] == []
    assert drain(brand, 'own', '', by_brand)[0] == []


def test_direct_messages(brand, customer):
    _, to_brand = drain(brand, 'notifications', '')
    _, to_customer = drain(customer, 'notifications', '')
    customer.send(Outgoing('message', 'My address is secret', target_author=brand.me), 'k3')
    (message,), _ = wait_for(brand, 'notifications', to_brand)
    assert (message.kind, message.visibility) == ('message', 'direct')
    answer = Outgoing('message', 'Thank you', message.external_id, message.local_id, message.author)
    brand.send(answer, 'k4')
    (back,), _ = wait_for(customer, 'notifications', to_customer)
    assert (back.kind, back.visibility) == ('message', 'direct')
    assert 'Thank you' in back.text


@pytest.mark.parametrize('kind', ['post', 'reply', 'message'])
def test_what_was_sent_is_found_again(brand, customer, kind):
    before = now()
    outgoing = Outgoing(kind, f'Find **this** {kind} https://x.example/1')
    if kind != 'post':
        asked = customer.send(Outgoing('post', f'Asking for {kind}'), 'k5')
        outgoing = replace(
            outgoing,
            target=asked.external_id,
            target_local_id=asked.local_id,
            target_author=customer.me,
        )
    assert brand.find_sent(outgoing, 'k6', before) is None
    sent = brand.send(outgoing, 'k6')
    found = brand.find_sent(outgoing, 'k6', before)
    assert found.external_id == sent.external_id
    assert brand.find_sent(replace(outgoing, text='Something else'), 'k6', before) is None


def test_backfill(brand, customer):
    for number in range(5):
        customer.send(Outgoing('reply', f'Backfill {number}', target_author=brand.me), 'k7')
    until, found = time.monotonic() + 30, []
    while time.monotonic() < until:
        items, _ = drain(brand, 'notifications', '', since=now() - timedelta(days=7))
        found = [item.text.split()[-1] for item in items if 'Backfill' in item.text]
        if len(found) == 5:
            break
        time.sleep(0.3)
    assert sorted(found) == list('01234')
    times = [item.posted_at for item in items]
    assert times == sorted(times)


def test_profiles(brand, customer):
    found = brand.profile(customer.me.handle)
    assert found.external_id == customer.me.external_id
    assert found.followers is None
    with pytest.raises(NotFound):
        brand.profile(f'nobody@{urlsplit(brand.app.server).netloc}')


def test_snac_cannot_delete_and_the_adapter_says_so(brand):
    sent = brand.send(Outgoing('post', 'To be deleted'), 'k8')
    with pytest.raises(NotSupported):
        brand.delete(sent.external_id, sent.local_id)
    brand.delete('https://x.example/gone', '0' * 42)


def test_a_dead_token(brand):
    dead = Mastodon(brand.http, brand.app, replace(brand.token, access_token='0' * 32), brand.me)
    for call in (dead.whoami, lambda: dead.fetch('notifications', '')):
        with pytest.raises(AuthorizationLost):
            call()
    with pytest.raises(AuthorizationLost):
        dead.send(Outgoing('post', 'x'), 'k')


def test_disconnecting(snac):
    first, second = connect(snac, 'customer'), connect(snac, 'customer')
    first.revoke()
    with pytest.raises(AuthorizationLost):
        first.whoami()
    first.revoke()
    assert second.whoami().handle == second.me.handle
    # Odoo may have another app on record by now: the token is revoked with its own.
    second.app = first.app
    second.revoke()
    with pytest.raises(AuthorizationLost):
        second.whoami()
