"""Lets the pure tests import `social_crm.providers` and `social_crm.listening` without Odoo.

`social_crm/__init__.py` imports models, which only Odoo's loader may do. Where pytest runs without
Odoo, `social_crm` and `social_crm.tests` are therefore registered as plain folders: their
sub-packages can be imported, their own `__init__.py` is not run.
"""

import sys
from pathlib import Path
from types import ModuleType


def _register_folder(name, folder):
    module = ModuleType(name)
    module.__path__ = [str(folder)]
    module.__file__ = str(folder / '__init__.py')
    sys.modules.setdefault(name, module)


def pytest_configure(config):
    if not config.getoption('--odoo-config', default=None):
        folder = Path(__file__).parent / 'social_crm'
        _register_folder('social_crm', folder)
        _register_folder('social_crm.tests', folder / 'tests')
