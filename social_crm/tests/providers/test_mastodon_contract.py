"""Mastodon's adapter fulfils the contract with each kind of server that speaks its API."""

import pytest

from social_crm.tests.providers.contract import Contract
from social_crm.tests.providers.fake_mastodon import DIALECTS, FakeMastodon


class TestMastodonContract(Contract):
    @pytest.fixture(params=DIALECTS)
    def network(self, request, stubs, spec):
        return FakeMastodon(stubs, request.param, spec)


def test_requests_and_answers_are_checked_against_the_specification(stubs, spec):
    """Says aloud when the specification is absent; with it, a breach must be noticed."""
    if spec is None:
        pytest.skip('../shared/specs/mastodon-openapi.json is absent: nothing was checked by it')
    network = FakeMastodon(stubs, 'mastodon', spec)
    network.put('notifications', 'hello')
    network.notifications[0]['status']['visibility'] = 'secret'
    with pytest.raises(AssertionError, match='visibility'):
        network.provider().fetch('notifications', '')
    with pytest.raises(AssertionError, match='no such call'):
        network.provider()._get('/api/v1/statuses/1/applause')
    with pytest.raises(AssertionError, match='unknown parameter'):
        network.provider()._get('/api/v1/notifications', list, params={'page': 2})
