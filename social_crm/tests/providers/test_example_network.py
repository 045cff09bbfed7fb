"""The network of docs/add-a-network.md: it fulfils the whole contract, and is connected."""

from pathlib import Path
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import pytest

from social_crm.providers import adapter_class, base, register_adapter
from social_crm.providers.errors import Rejected
from social_crm.tests.providers import example_network
from social_crm.tests.providers.contract import Contract
from social_crm.tests.providers.fake_guestbook import APP, FakeGuestbook

DOC = Path(__file__).parents[3] / 'docs' / 'add-a-network.md'


@pytest.fixture
def network(stubs):
    return FakeGuestbook(stubs)


class TestExampleContract(Contract):
    """Every network makes a class like this."""


def test_connecting(network, http):
    provider = example_network.Guestbook(http, APP)
    asked = provider.authorize_url(state='st', challenge='ch', scopes=('read', 'write'))
    query = parse_qs(urlsplit(asked.url).query)
    assert (query['state'], query['code_challenge'], query['scope']) == (
        ['st'],
        ['ch'],
        ['read write'],
    )
    token = provider.exchange_code(code='co', verifier='ve', private={}, params={'code': 'co'})
    assert token.scopes == ('read', 'write')
    provider = network.provider(token.access_token)
    assert provider.whoami().handle == 'Host'
    provider.revoke()
    assert urlsplit(network.calls[-1].url).path == '/api/revoke'


def test_a_person_who_says_no(http):
    with pytest.raises(Rejected) as error:
        example_network.Guestbook(http, APP).exchange_code(
            code='', verifier='ve', private={}, params={'error': 'access_denied'}
        )
    assert error.value.code == 'access_denied'


def test_it_is_registered_as_another_addon_does_it():
    with patch.dict(base._ADAPTERS):
        register_adapter('guestbook', f'{example_network.__name__}:Guestbook')
        assert adapter_class('guestbook') is example_network.Guestbook


@pytest.mark.skipif(not DOC.exists(), reason='needs the documentation of the repository')
def test_the_documentation_shows_the_example_as_it_is():
    code = Path(example_network.__file__).read_text(encoding='utf-8')
    assert f'```python\n{code}```' in DOC.read_text(encoding='utf-8')
