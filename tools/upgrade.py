"""`./dev upgrade [COMMIT]`: brings a database of an older commit up to date."""

import subprocess
import tempfile
from pathlib import Path

from . import configuration, database, environment, paths, postgres
from .steps import Failure, run, step

GIT = ('git', '-C', paths.CHECKOUT)
#: Opens whatever a menu may lead to: leftovers of earlier versions break views only when asked for.
OPEN_ALL = """
for action in env['ir.actions.act_window'].search([('res_model', '=like', 'social.crm%')]):
    model = env[action.res_model]
    model.get_views([*action.views, (action.search_view_id.id, 'search')])
    model.search([], limit=3).read()
print('OPENED')
"""


def main(arguments):
    environment.install()
    [commit] = arguments or ['HEAD~20']
    with postgres.running():
        for line in check(commit, demo=True):
            print(line)


def check(commit, demo=False):
    """Install the module of a commit, update it to this checkout, and open all of its screens.

    :param demo: with Odoo's and the module's demo data, which takes a minute longer
    :return: what Odoo warned of in the update, as lines
    """
    short = run([*GIT, 'rev-parse', '--short', commit]).strip()
    name = database.name(f'upgrade_{short}')
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, 'old.tar')
        run([*GIT, 'archive', '-o', archive, short, 'social_crm'])
        run(['tar', '-xf', archive, '-C', folder])
        try:
            with step(f'installing social_crm of {short}'):
                if not demo:
                    database.copy_base(name)
                kind = '--with-demo' if demo else '--without-demo'
                database.odoo(name, kind, '-i', 'social_crm', config=_config(folder))
            with step('updating it to this checkout'):
                warnings = database.odoo(name, '-u', 'social_crm')
            with step('opening all screens'):
                _open_all(name)
        finally:
            database.drop(name)
    return warnings


def _config(folder):
    """The configuration of an Odoo that has the addons of a folder in place of this checkout's."""
    places = [folder if place == paths.CHECKOUT else place for place in environment.addons_path()]
    return configuration.write('before', addons_path=','.join(map(str, places)), http_port=0)


def _open_all(name):
    config = configuration.write('upgraded', db_name=name)
    command = [*configuration.command(), 'shell', '--config', config, '--no-http']
    done = subprocess.run(
        [str(part) for part in command],
        input=OPEN_ALL,
        text=True,
        capture_output=True,
        check=False,
        env=configuration.environment_variables(),
    )
    if not done.stdout.rstrip().endswith('OPENED'):
        raise Failure((done.stdout + done.stderr)[-4000:])
