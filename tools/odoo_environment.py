"""Odoo inside our own process: an `env` on a database, as `odoo shell` has it.

Runs in the virtual environment only (`./dev python`).
"""

from contextlib import contextmanager

from . import configuration


def load(database):
    """Load Odoo and the registry of a database."""
    import odoo.api
    import odoo.service.server
    from odoo.modules.registry import Registry
    from odoo.tools import config

    options = {'db_name': database, 'max_cron_threads': 0, 'log_level': 'warn'}
    file = configuration.write(f'script-{database}', **options)
    config.parse_config(['--config', str(file), '--no-http'], setup_logging=True)
    file.unlink()
    odoo.service.server.load_server_wide_modules()
    return Registry(database)


@contextmanager
def new_environment(registry, **context):
    """Give an `env` on a cursor of its own; committed at the end, rolled back on an error."""
    from odoo import SUPERUSER_ID, api

    with registry.cursor() as cursor:
        yield api.Environment(cursor, SUPERUSER_ID, context)
