"""The network of docs/add-a-network.md: the contract's part about items, connecting, sending."""

import json
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from social_crm.providers import adapter_class, base, register_adapter
from social_crm.providers.errors import OutcomeUnknown, Rejected
from social_crm.providers.types import App, Outgoing, Token
from social_crm.tests.providers import example_network
from social_crm.tests.providers.contract import Contract, now

DOC = Path(__file__).parents[3] / 'docs' / 'add-a-network.md'


class FakeGuestbook:
    """The guest book's server, in memory: it stands in the place of the HTTP client."""

    streams = (('mentions', ''),)
    bad = {'written_at': 'yesterday'}

    def __init__(self):
        self.rows = []
        self.calls = []

    def provider(self):
        return example_network.Guestbook(self, token=Token('t'))

    def json(self, method, url, expect, *, token, params):
        self.calls.append((method, url))
        found = [row for row in self.rows if row['id'] > int(params['after'])]
        return found[: int(params['limit'])]

    def put(self, stream, text, minutes_ago=1):
        moment = now() - timedelta(minutes=minutes_ago)
        guest = {'id': 'g1', 'name': 'Gina'}
        row = {'id': len(self.rows) + 1, 'guest': guest, 'text': text}
        self.rows.append({**row, 'written_at': moment.isoformat()})
        return row['id']

    def spoil(self, number, **values):
        self.rows[number - 1].update(values)

    def mend(self, payload):
        return {**payload, 'written_at': now().isoformat()}


@pytest.fixture
def network():
    return FakeGuestbook()


class TestExampleNetwork:
    """Which parts of the contract the example has to fulfil."""

    each = Contract.each
    test_unknown_streams_are_not_supported = Contract.test_unknown_streams_are_not_supported
    test_pages_are_oldest_first = Contract.test_pages_are_oldest_first
    test_items_are_complete = Contract.test_items_are_complete
    test_an_item_can_be_read_again = Contract.test_an_item_can_be_read_again_from_its_raw
    test_one_bad_item_parks = Contract.test_one_bad_item_parks_and_the_others_pass
    test_reading_nonsense_parks_it = Contract.test_reading_nonsense_parks_it


APP = App(
    client_id='c', client_secret='s', redirect_uri='https://odoo.example/social_crm/oauth/callback'
)
API = example_network.API


def connected(http):
    return example_network.Guestbook(http, APP, Token('t'))


def test_connecting(http, stubs):
    provider = example_network.Guestbook(http, APP)
    asked = provider.authorize_url(state='st', challenge='ch', scopes=('read', 'write'))
    query = parse_qs(urlsplit(asked.url).query)
    assert (query['state'], query['code_challenge'], query['scope']) == (
        ['st'],
        ['ch'],
        ['read write'],
    )
    answer = {'access_token': 't', 'token_type': 'bearer', 'scope': 'read write'}
    stubs.post(f'{API}/token', json=answer)
    token = provider.exchange_code(code='co', verifier='ve', private={}, params={'code': 'co'})
    assert (token.access_token, token.scopes) == ('t', ('read', 'write'))
    sent = parse_qs(stubs.calls[0].request.body)
    assert (sent['code'], sent['code_verifier']) == (['co'], ['ve'])
    stubs.get(f'{API}/me', json={'id': 'g1', 'name': 'Gina'})
    assert connected(http).whoami().handle == 'Gina'
    stubs.post(f'{API}/revoke', json={})
    connected(http).revoke()


def test_a_person_who_says_no(http):
    with pytest.raises(Rejected) as error:
        example_network.Guestbook(http, APP).exchange_code(
            code='', verifier='ve', private={}, params={'error': 'access_denied'}
        )
    assert error.value.code == 'access_denied'


def test_sending_and_looking_up_what_may_have_been_sent(http, stubs):
    outgoing = Outgoing(kind='reply', text='Thank you', target='guestbook:1')
    stubs.post(f'{API}/entries', json={'id': 7})
    assert connected(http).send(outgoing, 'k').external_id == 'guestbook:7'
    body = json.loads(stubs.calls[0].request.body)
    assert body == {'text': 'Thank you', 'answers': 'guestbook:1', 'key': 'k'}
    stubs.get(f'{API}/entries', json=[{'id': 7}])
    assert connected(http).find_sent(outgoing, 'k', now()).external_id == 'guestbook:7'
    stubs.replace('POST', f'{API}/entries', body=requests.ConnectionError('lost'))
    with pytest.raises(OutcomeUnknown):
        connected(http).send(outgoing, 'k')


def test_it_is_registered_as_another_addon_does_it():
    with patch.dict(base._ADAPTERS):
        register_adapter('guestbook', f'{example_network.__name__}:Guestbook')
        assert adapter_class('guestbook') is example_network.Guestbook


@pytest.mark.skipif(not DOC.exists(), reason='needs the documentation of the repository')
def test_the_documentation_shows_the_example_as_it_is():
    code = Path(example_network.__file__).read_text(encoding='utf-8')
    assert f'```python\n{code}```' in DOC.read_text(encoding='utf-8')
