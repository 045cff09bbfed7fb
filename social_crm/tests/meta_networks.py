"""The fakes of Meta's networks, for tests of Odoo's side: everything but HTTP is real."""

import sys
from importlib import import_module
from unittest.mock import patch

import responses

import odoo.addons.social_crm
import odoo.addons.social_crm.tests

SECRET = 'client-secret-9'


def start_fake(case, name, **values):
    """Start a fake network (``fake_facebook:FakeFacebook``) for the length of a test.

    The fakes belong to the tests that run without Odoo, and import the adapters by another name:
    they are loaded beside this module's own, and speak with it by HTTP alone.
    """
    module, _, cls = name.partition(':')
    plain = {
        'social_crm': odoo.addons.social_crm,
        'social_crm.tests': odoo.addons.social_crm.tests,
    }
    with patch.dict(sys.modules, plain):
        fake = getattr(import_module(f'social_crm.tests.providers.{module}'), cls)
    mock = responses.RequestsMock(assert_all_requests_are_fired=False)
    mock.start()
    case.addCleanup(mock.stop, allow_assert=False)
    mock.add_passthru('http://127.0.0.1')
    return fake(mock, **values)
