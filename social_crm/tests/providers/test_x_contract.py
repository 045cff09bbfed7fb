"""X's adapter fulfils the contract, in both spellings of the service's names."""

import pytest

from social_crm.providers.x_names import Spelling
from social_crm.tests.providers.contract import Contract
from social_crm.tests.providers.fake_x import FakeX
from social_crm.tests.providers.x_spec import FILES, Spec


@pytest.fixture(scope='module')
def specs():
    return {names: Spec.load(names) for names in FILES}


class TestXContract(Contract):
    @pytest.fixture(params=sorted(FILES))
    def network(self, request, stubs, specs):
        fake = FakeX(stubs, request.param, specs[request.param])
        Spelling.current = request.param  # learnt before
        return fake


@pytest.mark.parametrize('names', sorted(FILES))
def test_requests_and_answers_are_checked_against_the_specification(stubs, specs, names):
    """Says aloud when the specification is absent; with it, a breach must be noticed."""
    if specs[names] is None:
        pytest.skip(f'../shared/specs/{FILES[names].name} is absent: nothing was checked by it')
    network = FakeX(stubs, names, specs[names])
    Spelling.current = names
    network.put('mentions', 'hello')
    provider = network.provider()
    provider.fetch('mentions', '')
    network.posts[0]['lang'] = 7
    with pytest.raises(AssertionError, match='lang'):
        provider.fetch('mentions', '')
    del network.posts[0]['lang']
    network.posts[0]['entities']['smells'] = []
    with pytest.raises(AssertionError, match='smells'):
        provider.fetch('mentions', '')
    with pytest.raises(AssertionError, match='no such call'):
        provider._call('GET', '/2/tweets/1/applause')
    with pytest.raises(AssertionError, match='unknown parameter page'):
        provider._call('GET', '/2/users/me', params={'page': 2})
    with pytest.raises(AssertionError, match='max_results'):
        provider._call('GET', '/2/dm_events', params={'max_results': 500})
    with pytest.raises(AssertionError, match='texxt'):
        provider._call('POST', '/2/tweets', json={'text': 'a', 'texxt': 'b'})
    with pytest.raises(AssertionError, match='attachment'):
        path = f'/2/dm_conversations/with/{8800}/messages'
        provider._call('POST', path, json={'text': 'a', 'attachment': []})
