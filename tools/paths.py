"""Where everything lies: the checkout, the work folder, and the names derived from them."""

import hashlib
import os
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get('SOCIAL_CRM_HOME') or CHECKOUT / '.dev').resolve()
#: Short name of this checkout; checkouts that share one home differ by it.
CHECKOUT_ID = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:6]
#: What belongs to this checkout alone: odoo.conf, logs, the filestore.
STATE = HOME / 'checkouts' / CHECKOUT_ID
LOGS = STATE / 'logs'
DATA_DIR = STATE / 'data'
REQUIREMENTS = CHECKOUT / 'requirements'

PYTHON_TAG = f'{sys.version_info.major}.{sys.version_info.minor}'


def addons():
    """Names of the addons in this checkout, social_crm first."""
    names = sorted(path.parent.name for path in CHECKOUT.glob('*/__manifest__.py'))
    return sorted(names, key=lambda name: name != 'social_crm')


def digest(*parts):
    """Short content hash of files (paths) and values."""
    total = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else str(part).encode()
        total.update(len(data).to_bytes(8, 'big') + data)
    return total.hexdigest()[:16]


def prepare_home():
    """Create the work folder; it ignores itself in git."""
    for folder in (HOME, STATE, LOGS, DATA_DIR):
        folder.mkdir(parents=True, exist_ok=True)
    ignore = HOME / '.gitignore'
    if not ignore.exists():
        ignore.write_text('*\n')
