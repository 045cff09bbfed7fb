"""Instagram's adapter fulfils the contract, by either login."""

import pytest

from social_crm.tests.providers.contract import Contract
from social_crm.tests.providers.fake_instagram import ACCOUNT, FakeInstagram
from social_crm.tests.providers.meta_spec import Breach


class TestInstagramContract(Contract):
    @pytest.fixture(params=['instagram', 'facebook'])
    def network(self, request, stubs, meta_spec):
        return FakeInstagram(stubs, meta_spec, request.param)


@pytest.mark.parametrize('route', ['instagram', 'facebook'])
def test_calls_and_answers_are_checked_against_the_descriptions(stubs, meta_spec, route):
    """Says aloud when the descriptions are absent; with them, a breach must be noticed."""
    if meta_spec is None:
        pytest.skip('../shared/specs/meta is absent: no name was checked by it')
    network = FakeInstagram(stubs, meta_spec, route)
    provider = network.provider()
    with pytest.raises(Breach, match='no field permalink_url'):
        provider._get(network.post, fields='id,permalink_url')
    with pytest.raises(Breach, match='no field message'):
        provider._get(f'{ACCOUNT}/media', fields='id,comments.limit(5){id,message}')
    with pytest.raises(Breach, match='no GET posts'):
        provider._get(f'{ACCOUNT}/posts')
    with pytest.raises(Breach, match='unknown parameter text'):
        provider._post(f'{network.post}/comments', data={'text': 'x'})
