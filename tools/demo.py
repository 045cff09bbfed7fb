"""`./dev run`: social_crm in a local Odoo, with demo data."""

import subprocess

from . import configuration, database, environment, postgres

DATABASE = database.name('run')


def in_environment(arguments):
    """Run Odoo's command line on the run database."""
    environment.install()
    with postgres.running():
        config = configuration.write('odoo', db_name=DATABASE, http_port=0)
        sub, rest = arguments[:1], arguments[1:]
        options = ['--config', config]
        if sub and not sub[0].startswith('-'):
            command = [*configuration.command(), *sub, *options, *rest]
        else:
            command = [*configuration.command(), *options, *arguments]
        return subprocess.run(
            [str(part) for part in command],
            check=False,
            env=configuration.environment_variables(),
        ).returncode


def update(fresh=False):
    pass
