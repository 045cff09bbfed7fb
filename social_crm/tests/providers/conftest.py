"""Fixtures of the adapter tests: no Odoo, no database, no network but this machine's."""

import importlib.util
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import pytest
import responses

ROOT = Path(__file__).parents[3]
if 'social_crm.tests' not in sys.modules and 'odoo' not in sys.modules:
    # The repository's conftest does the same; this one is for these tests without it.
    for name, folder in (('social_crm', 'social_crm'), ('social_crm.tests', 'social_crm/tests')):
        module = sys.modules.setdefault(name, ModuleType(name))
        module.__path__ = [str(ROOT / folder)]
pytest.register_assert_rewrite('social_crm.tests.providers.contract')

from social_crm.providers.http import Http  # noqa: E402
from social_crm.tests.providers.bluesky_spec import Lexicons  # noqa: E402
from social_crm.tests.providers.linkedin_spec import LinkedInSpec  # noqa: E402
from social_crm.tests.providers.mastodon_spec import Spec  # noqa: E402
from social_crm.tests.providers.meta_spec import MetaSpec  # noqa: E402
from social_crm.tests.providers.specs import SPECS  # noqa: E402


@pytest.fixture
def stubs():
    """Answer all calls from stubs; what is not stubbed fails."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def http():
    """A client as in production: public hosts by https only."""
    with Http(user_agent='social_crm-test') as client:
        yield client


@pytest.fixture
def open_http():
    """A client that may talk to this machine."""
    with Http(user_agent='social_crm-test', allow_private=True, timeout=(2, 2), deadline=5) as it:
        yield it


@pytest.fixture(scope='session')
def spec():
    """Mastodon's API description, ``None`` where the folder of specifications is absent."""
    return Spec.load(SPECS / 'mastodon-openapi.json')


@pytest.fixture(scope='session')
def linkedin_spec():
    """LinkedIn's API as far as documents tell, ``None`` where the folder is absent."""
    return LinkedInSpec.load(SPECS)


@pytest.fixture(scope='session')
def meta_spec():
    """Meta's descriptions of its objects, ``None`` where they are absent."""
    return MetaSpec.load(SPECS / 'meta')


@pytest.fixture(scope='session')
def lexicons():
    """The lexicons of the AT Protocol, ``None`` where the folder of specifications is absent."""
    return Lexicons.load(SPECS / 'atproto')


def _server(name):
    """Start one of the servers of ``tools/servers.py``, or skip."""
    if importlib.util.find_spec('tools.servers') is None:
        pytest.skip('tools/servers.py, which starts real servers, is not there')
    from tools import servers
    from tools.steps import Failure

    # The starters use signals, which only a main thread may.
    assert threading.current_thread() is threading.main_thread()
    stack = ExitStack()
    try:
        return stack, stack.enter_context(servers.SERVERS[name]())
    except (Failure, OSError) as error:
        pytest.skip(f'{name} cannot be started here: {error}')


@pytest.fixture(scope='session')
def snac():
    """A real fediverse server with the people ``brand`` and ``customer``."""
    stack, server = _server('snac')
    with stack:
        yield server


@pytest.fixture(scope='session')
def mastodon_mock():
    """A mock of Mastodon's API by others than us; rate limits and faults."""
    stack, server = _server('mastodon_mock')
    with stack:
        yield server


@pytest.fixture(scope='session')
def bluesky():
    """A real network of the AT Protocol with the people ``brand`` and ``customer``."""
    if importlib.util.find_spec('tools.bluesky') is None:
        pytest.skip('tools/bluesky.py, which starts real servers, is not there')
    from tools import bluesky
    from tools.steps import Failure

    assert threading.current_thread() is threading.main_thread()
    stack = ExitStack()
    try:
        network = stack.enter_context(bluesky.start())
    except (Failure, OSError) as error:
        pytest.skip(f'the servers of the AT Protocol cannot be started here: {error}')
    with stack:
        yield network
