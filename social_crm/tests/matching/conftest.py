"""Makes ``social_crm.matching`` importable without Odoo."""

import sys
from pathlib import Path
from types import ModuleType

if 'social_crm' not in sys.modules and 'odoo' not in sys.modules:
    # The addon's own __init__ imports the models; an empty package with its path does not.
    package = ModuleType('social_crm')
    package.__path__ = [str(Path(__file__).parents[2])]
    sys.modules['social_crm'] = package
