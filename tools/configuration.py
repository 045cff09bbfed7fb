"""The odoo.conf of this checkout and the command line of Odoo."""

import base64
import os
import socket

from . import environment, paths, postgres


def free_port(preferred=0):
    """The preferred port, else the next free one; any free one for 0."""
    if not preferred:
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            return probe.getsockname()[1]
    for port in range(preferred, preferred + 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(('127.0.0.1', port))
            except OSError:
                continue
            return port
    return free_port()


def encryption_key():
    """The key that encrypts tokens, made once per work folder (a Fernet key)."""
    file = paths.HOME / 'social_crm_key'
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(base64.urlsafe_b64encode(os.urandom(32)).decode())
    return file.read_text()


def write(purpose, **options):
    """Write an odoo.conf named after its purpose; return its path."""
    server = postgres.connection()
    values = {
        'addons_path': ','.join(str(folder) for folder in environment.addons_path()),
        'data_dir': paths.DATA_DIR,
        'db_host': server.get('PGHOST'),
        'db_port': server.get('PGPORT'),
        'db_user': server.get('PGUSER'),
        'db_password': server.get('PGPASSWORD'),
        'db_maxconn': 64,
        'http_interface': '127.0.0.1',
        'list_db': False,
        'max_cron_threads': 3,
        'limit_time_real_cron': 300,
        # Programs that tests start inherit the limit, and Chromium reserves more than it.
        'limit_memory_hard': 0,
        'limit_memory_soft': 0,
        'log_level': 'info',
        'social_crm_key': encryption_key(),
        # Test mode: the module may talk to servers on this machine.
        'social_crm_allow_private_hosts': True,
        **options,
    }
    paths.prepare_home()
    file = paths.STATE / f'{purpose}.conf'
    file.touch(mode=0o600)
    lines = [f'{name} = {value}\n' for name, value in values.items() if value is not None]
    file.write_text('[options]\n' + ''.join(lines))
    return file


def command():
    """The start of every command line that runs Odoo."""
    return [environment.python(), '-m', 'odoo']


def environment_variables():
    """The variables of a process that runs Odoo or its tests."""
    variables = dict(os.environ)
    variables.update(postgres.connection())
    inherited = variables.get('PYTHONPATH')
    variables['PYTHONPATH'] = os.pathsep.join(filter(None, (str(paths.CHECKOUT), inherited)))
    variables['PYTHONDONTWRITEBYTECODE'] = ''
    for unwanted in ('ODOO_RC', 'OPENERP_SERVER'):
        variables.pop(unwanted, None)
    return variables
