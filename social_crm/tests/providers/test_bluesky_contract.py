"""Bluesky's adapter fulfils the contract, by requests and answers as the lexicons want them."""

import pytest

from social_crm.providers.types import Outgoing
from social_crm.tests.providers.contract import Contract, now
from social_crm.tests.providers.fake_bluesky import FakeBluesky


class TestBlueskyContract(Contract):
    @pytest.fixture
    def network(self, stubs, lexicons):
        return FakeBluesky(stubs, lexicons)


def test_requests_and_answers_are_checked_against_the_lexicons(stubs, lexicons):
    """Says aloud when the lexicons are absent; with them, a misspelling must be noticed."""
    if lexicons is None:
        pytest.skip('../shared/specs/atproto is absent: nothing was checked by it')
    network = FakeBluesky(stubs, lexicons)
    provider = network.provider()
    note = network.mention('hello')
    note['indexdAt'] = note.pop('indexedAt')
    with pytest.raises(AssertionError, match='indexedAt'):
        provider.fetch('notifications', '', since=now())
    network.notifications.clear()
    with pytest.raises(AssertionError, match='no such call'):
        provider._get('app.bsky.feed.getApplause')
    with pytest.raises(AssertionError, match='unknown'):
        provider._get('app.bsky.feed.searchPosts', q='x', sorted='latest')
    with pytest.raises(AssertionError, match='too big'):
        provider._get('app.bsky.feed.searchPosts', q='x', limit=101)
    with pytest.raises(AssertionError, match='too long'):
        provider.send(Outgoing('post', 'x' * 301), 'key')
    record = {'$type': 'app.bsky.feed.post', 'text': 'x', 'createdAt': '2026-01-01T00:00:00Z'}
    for wrong in ({'lang': ['en']}, {'createdAt': 'today'}, {'langs': ['e' * 9]}, {'embed': {}}):
        data = {
            'repo': network.me['did'],
            'collection': 'app.bsky.feed.post',
            'rkey': 'x',
            'record': {**record, **wrong},
            'swapRecord': None,
        }
        with pytest.raises(AssertionError, match='app.bsky.feed.post'):
            provider._post('com.atproto.repo.putRecord', json=data)
