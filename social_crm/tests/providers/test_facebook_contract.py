"""Facebook's adapter fulfils the contract."""

import pytest

from social_crm.tests.providers.contract import Contract
from social_crm.tests.providers.fake_facebook import PAGE, FakeFacebook
from social_crm.tests.providers.meta_spec import Breach


class TestFacebookContract(Contract):
    @pytest.fixture
    def network(self, stubs, meta_spec):
        return FakeFacebook(stubs, meta_spec)


def test_calls_and_answers_are_checked_against_the_descriptions(stubs, meta_spec):
    """Says aloud when the descriptions are absent; with them, a breach must be noticed."""
    if meta_spec is None:
        pytest.skip('../shared/specs/meta is absent: no name was checked by it')
    network = FakeFacebook(stubs, meta_spec)
    provider = network.provider()
    with pytest.raises(Breach, match='no field permalink'):
        provider._get(network.post, fields='id,permalink')
    with pytest.raises(Breach, match='no field autor'):
        provider._get(f'{PAGE}/feed', fields='id,comments.limit(5){id,autor}')
    with pytest.raises(Breach, match='named twice'):
        provider._get(network.post, fields='id,message,message')
    with pytest.raises(Breach, match='no GET visitors_posts'):
        provider._get(f'{PAGE}/visitors_posts')
    with pytest.raises(Breach, match='unknown parameter text'):
        provider._post(f'{network.post}/comments', data={'text': 'x'})
    with pytest.raises(Breach, match='unknown value mentions'):
        provider._post(f'{PAGE}/subscribed_apps', data={'subscribed_fields': 'feed,mentions'})
    with pytest.raises(Breach, match='no field messsage'):
        meta_spec.answer('PagePost', {'id': '1', 'messsage': 'x'})
