"""Threads' adapter fulfils the contract, and uses names that Meta knows."""

import pytest

from social_crm.providers.errors import OutcomeUnknown
from social_crm.tests.providers.contract import Contract, now
from social_crm.tests.providers.fake_threads import FakeThreads
from social_crm.tests.providers.threads_spec import NAMES, Breach, check_answer


class TestThreadsContract(Contract):
    @pytest.fixture
    def network(self, stubs):
        return FakeThreads(stubs)

    def send_unclear(self, provider, outgoing, key):
        """Stricter here: the container tells what came of it, at once."""
        sent = provider.send(outgoing, key)
        assert provider.find_sent(outgoing, key, now()).external_id == sent.external_id

    def test_a_lost_answer_and_a_lost_container_leave_it_unknown(self, network):
        provider, outgoing, before = network.provider(), network.outgoing('Yes'), now()
        network.lose_answer()
        look, looks = provider._status, []
        provider._status = lambda one: (
            looks.append(one) or (look(one) if len(looks) == 1 else ('FINISHED', ''))
        )
        with pytest.raises(OutcomeUnknown):
            provider.send(outgoing, 'key-1')
        assert provider.find_sent(outgoing, 'key-1', before).external_id
        assert len(network.sent) == 1

    @pytest.mark.parametrize(
        ('text', 'length'),
        [('', 0), ('abc', 3), ('ä', 1), ('日本', 2), ('👍', 4), ('👍🏽', 8), ('👩‍👧', 11)],
    )
    def test_counting_is_never_more_than_code_points(self, network, text, length):
        """Not so here: an emoji counts as its bytes."""
        assert network.provider().count(text) == length


def test_names_are_checked(stubs):
    network = FakeThreads(stubs)
    provider = network.provider()
    with pytest.raises(Breach, match='no such call'):
        provider._get('me/mentionz')
    with pytest.raises(Breach, match='unknown parameters'):
        provider._get('keyword_search', query='rye')
    with pytest.raises(Breach, match=r"has no \['txt'\]"):
        provider._get('me/mentions', fields='id,txt')
    with pytest.raises(Breach, match='unknown search_type'):
        provider._get('keyword_search', q='rye', search_type='NEWEST')
    with pytest.raises(Breach, match='timestmp'):
        check_answer('GET', 'me/threads', {'rows': 'post'}, {'data': [{'timestmp': 1}]})


def test_counters_are_called_as_metas_descriptions_call_them(meta_spec):
    """All that Meta's published descriptions tell of this API is the names of its counters."""
    if meta_spec is None:
        pytest.skip('../shared/specs/meta is absent: no name was compared with it')
    known = set().union(*meta_spec.enums.values())
    for ours, theirs in NAMES['specification']['metric'].items():
        assert ours in NAMES['values']['metric']
        assert theirs in known
