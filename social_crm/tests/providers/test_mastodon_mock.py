"""The adapter against *mastodon_mock*, a mock by other people: paging, limits, injected faults.

It checks no secret and no PKCE: signing in proves nothing here, see the tests with snac for that.
"""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from social_crm.providers.errors import OutcomeUnknown, PermissionMissing, RateLimited, Transient
from social_crm.providers.http import Http
from social_crm.providers.mastodon import Mastodon
from social_crm.providers.types import Outgoing
from social_crm.tests.providers.contract import WEEK, drain, now


def connect(server, login, capabilities=tuple(Mastodon.capabilities)):
    http = Http(user_agent='social_crm-test', allow_private=True, timeout=(2, 2))
    app = Mastodon(http).discover(server.url)
    scopes = Mastodon.scopes_for(capabilities)
    app = replace(app, redirect_uri='http://127.0.0.1/cb', scopes=scopes)
    app = Mastodon(http, app).register(app, name='social_crm', website='https://odoo.example')
    provider = Mastodon(http, app)
    url = provider.authorize_url(state='s', challenge='c' * 43, scopes=app.scopes).url
    form = {'username': login, 'redirect_uri': app.redirect_uri, 'state': 's'}
    answer = requests.post(url, data=form, timeout=10, allow_redirects=False)
    params = dict(parse_qsl(urlsplit(answer.headers['Location']).query))
    token = provider.exchange_code(code=params['code'], verifier='v', private={}, params=params)
    provider = Mastodon(http, app, token)
    return Mastodon(http, app, token, provider.whoami())


@pytest.fixture
def mock(mastodon_mock):
    requests.post(f'{mastodon_mock.url}/api/v1/_mock/reset', timeout=10).raise_for_status()
    return mastodon_mock


@pytest.fixture
def fault(mock):
    """Return a function that injects a fault."""

    def inject(path, count=1, methods=None, **effect):
        rule = {'match': {'path': path, 'methods': methods}, 'effect': effect, 'count': count}
        requests.post(f'{mock.url}/api/v1/_mock/faults', json=rule, timeout=10).raise_for_status()

    yield inject
    requests.delete(f'{mock.url}/api/v1/_mock/faults', timeout=10)


def test_paging_down_and_catching_up(mock):
    brand, customer = connect(mock, 'brand'), connect(mock, 'customer')
    for number in range(95):
        customer.send(Outgoing('reply', f'n{number} #shop', target_author=brand.me), f'k{number}')
    for stream, query in (('notifications', ''), ('hashtag', 'shop')):
        items, cursor = drain(brand, stream, query, since=now() - WEEK)
        count = len({item.external_id for item in items})
        assert count == len(items) >= 95
        assert drain(brand, stream, query, cursor)[0] == []
        sent = customer.send(Outgoing('reply', f'{stream} #shop', target_author=brand.me), stream)
        fresh, _ = drain(brand, stream, query, cursor)
        assert [item.external_id for item in fresh] == [sent.external_id]


def test_the_same_key_posts_once(mock):
    brand = connect(mock, 'brand')
    first = brand.send(Outgoing('post', 'once'), 'key')
    assert brand.send(Outgoing('post', 'once'), 'key').local_id == first.local_id


def test_a_rate_limit(mock, fault):
    brand = connect(mock, 'brand')
    fault('/api/v1/notifications', type='ratelimit')
    with pytest.raises(RateLimited) as caught:
        brand.fetch('notifications', '')
    assert timedelta(0) < caught.value.until - now() < timedelta(minutes=10)
    brand.fetch('notifications', '')
    assert brand.http.last_rate_limit.remaining > 0


@pytest.mark.parametrize(
    'effect',
    [
        {'type': 'status', 'status': 503},
        {'type': 'status', 'status': 500},
        {'type': 'malformed'},
        {'type': 'latency', 'delay_ms': 3000},
    ],
)
def test_faults_of_reading(mock, fault, effect):
    brand = connect(mock, 'brand')
    fault('/api/v1/notifications', **effect)
    with pytest.raises(Transient):
        brand.fetch('notifications', '')


def test_a_post_that_never_arrived_is_sent_again(mock, fault):
    brand, before = connect(mock, 'brand'), now()
    outgoing = Outgoing('post', 'Only once, please')
    fault('/api/v1/statuses', methods=['POST'], type='status', status=502)
    with pytest.raises(OutcomeUnknown):
        brand.send(outgoing, 'key-9')
    assert brand.find_sent(outgoing, 'key-9', before) is None
    sent = brand.send(outgoing, 'key-9')
    assert brand.find_sent(outgoing, 'key-9', before).external_id == sent.external_id


def test_a_missing_scope(mock):
    brand = connect(mock, 'brand', capabilities=('mentions',))
    with pytest.raises(PermissionMissing):
        brand.send(Outgoing('post', 'x'), 'k')


def test_deleting(mock):
    brand = connect(mock, 'brand')
    sent = brand.send(Outgoing('post', 'x'), 'k')
    assert set(brand.metrics([sent.local_id])) == {sent.local_id}
    brand.delete(sent.external_id, sent.local_id)
    brand.delete(sent.external_id, sent.local_id)
    assert brand.metrics([sent.local_id]) == {}
