"""LinkedIn's adapter fulfils the contract, and speaks as the documents of the API say."""

import pytest

from social_crm.providers import restli
from social_crm.tests.providers.contract import WEEK, Contract, now
from social_crm.tests.providers.fake_linkedin import API, FakeLinkedIn


class TestLinkedInContract(Contract):
    @pytest.fixture
    def network(self, stubs, linkedin_spec):
        return FakeLinkedIn(stubs, linkedin_spec)


def test_requests_and_answers_are_checked_against_the_documents(stubs, linkedin_spec):
    """Says aloud when they are absent; with them, a wrong name must be noticed."""
    if linkedin_spec is None:
        pytest.skip('../shared/specs/linkedin-marketing-*.openapi.yml are absent: nothing checked')
    network = FakeLinkedIn(stubs, linkedin_spec)
    provider = network.provider()
    network.submit('hello')
    network.submissions[0][1]['submitedAt'] = 1
    with pytest.raises(AssertionError, match='submitedAt'):
        provider.fetch('lead_forms', '', since=now() - WEEK)
    network.submissions.clear()
    with pytest.raises(AssertionError, match='unknown parameters'):
        provider._get('leadForms', {'q': 'owner', 'onwer': 'x', 'count': 1})
    with pytest.raises(AssertionError, match='no such call'):
        linkedin_spec.answer('GET', f'{API}/rest/postz', 200, {})
    with pytest.raises(AssertionError, match='not encoded'):
        provider.http.request('GET', f'{API}/rest/posts/urn:li:share:1', token=network.token)
    with pytest.raises(AssertionError, match='comentary'):
        url = f'{API}/rest/posts?{restli.query({})}'.rstrip('?')
        provider._call(
            'POST', url, json={'author': 'urn:li:person:1', 'commentary': '', 'comentary': ''}
        )
