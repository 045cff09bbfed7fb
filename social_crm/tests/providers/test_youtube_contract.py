"""YouTube's adapter fulfils the contract."""

import pytest

from social_crm.tests.providers.contract import Contract
from social_crm.tests.providers.fake_youtube import FakeYouTube
from social_crm.tests.providers.youtube_spec import FILE, Spec


@pytest.fixture(scope='module')
def spec():
    return Spec.load()


class TestYouTubeContract(Contract):
    @pytest.fixture
    def network(self, stubs, spec):
        return FakeYouTube(stubs, spec)


def test_requests_and_answers_are_checked_against_the_specification(stubs, spec):
    """Says aloud when the specification is absent; with it, a breach must be noticed."""
    if spec is None:
        pytest.skip(f'../shared/specs/{FILE.name} is absent: nothing was checked by it')
    network = FakeYouTube(stubs, spec)
    comment = network.comment('rita-k', 'hello')
    provider = network.provider()
    provider.fetch('comments', '')
    comment['snippet']['likeCount'] = 'many'
    with pytest.raises(AssertionError, match='likeCount'):
        provider.fetch('comments', '')
    comment['snippet']['likeCount'] = 1
    comment['snippet']['publishedat'] = comment['snippet']['publishedAt']
    with pytest.raises(AssertionError, match='publishedat'):
        provider.fetch('comments', '')
    with pytest.raises(AssertionError, match='no such call'):
        provider._call('GET', 'applause', 'read')
    with pytest.raises(AssertionError, match='unknown parameter since'):
        provider._call('GET', 'videos', 'read', params={'part': 'id', 'since': 1})
    with pytest.raises(AssertionError, match='part'):
        provider._call('GET', 'videos', 'read', params={'id': 'a'})
    with pytest.raises(AssertionError, match='maxResults'):
        params = {'part': 'id', 'maxResults': 500}
        provider._call('GET', 'comments', 'read', params=params)
    with pytest.raises(AssertionError, match='textOriginall'):
        body = {'snippet': {'textOriginall': 'x'}}
        provider._call('POST', 'comments', 'write', params={'part': 'snippet'}, json=body)
