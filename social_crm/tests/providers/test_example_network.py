"""The network of docs/add-a-network.md fulfils the part of the contract that is about items."""

from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from social_crm.providers import adapter_class, base, register_adapter
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
        return example_network.Guestbook(self)

    def json(self, method, url, *, params):
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


def test_it_is_registered_as_another_addon_does_it():
    with patch.dict(base._ADAPTERS):
        register_adapter('guestbook', f'{example_network.__name__}:Guestbook')
        assert adapter_class('guestbook') is example_network.Guestbook


@pytest.mark.skipif(not DOC.exists(), reason='needs the documentation of the repository')
def test_the_documentation_shows_the_example_as_it_is():
    code = Path(example_network.__file__).read_text(encoding='utf-8')
    assert f'```python\n{code}```' in DOC.read_text(encoding='utf-8')
