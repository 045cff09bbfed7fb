"""The documentation of the networks says what their adapters say."""

import pytest

from social_crm.providers import adapter_class, adapter_codes

networks = pytest.importorskip('tools.networks', reason='needs the tools of the repository')


def test_the_table_of_networks_is_up_to_date():
    written = networks.FILE.read_text(encoding='utf-8')
    assert written == networks.text(), f'docs/networks.md is stale: run {networks.COMMAND}'


def test_every_capability_has_its_row():
    known = set(networks.CAPABILITIES)
    for code in adapter_codes():
        assert set(adapter_class(code).capabilities) <= known, code


def test_the_table_tells_networks_apart():
    text = networks.text()
    assert '| Lead forms |' in text
    row = next(line for line in text.splitlines() if line.startswith('| Lead forms'))
    assert 'yes' in row
    assert '–' in row
