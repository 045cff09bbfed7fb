"""The commands of `./dev`."""

import os
import signal
import subprocess
import sys

from . import paths
from .steps import Failure, say

HELP = """\
./dev run [--story]          set everything up and open social_crm in a local Odoo (admin/admin)
./dev test [PYTEST ARGS]     all tests; `-k word`, a path, `--pure` (those without Odoo) narrow it
./dev lint [--fix]           the linters; --fix lets them mend what they can
./dev update [--fresh]       bring the run database and the templates up to date with the code
./dev upgrade [COMMIT]       whether a database of an older commit can be updated to this one
./dev shell                  Odoo's Python shell on the run database
./dev psql [ARGS]            psql on the run database
./dev odoo [ARGS]            Odoo's own command line with this checkout's configuration
./dev bench [NAME] [ARGS]    run benchmarks/NAME.py, or all, each on a scratch database
./dev screenshot PATH FILE   picture of a page of the running instance, logged in
./dev python [ARGS]          the Python of the virtual environment
./dev install                only install: Odoo, Python packages, the browser
./dev start | stop           keep the PostgreSQL cluster up between commands | let it go

The work folder is .dev, or $SOCIAL_CRM_HOME (may be shared by several checkouts).
ODOO_SOURCE=folder uses your own Odoo 19.0 checkout; PGHOST, PGPORT, PGUSER and PGPASSWORD your own
PostgreSQL server."""


def run(arguments):
    from . import demo

    return demo.run(arguments)


def test(arguments):
    from . import testing

    return testing.run(arguments)


def lint(arguments):
    from . import lint

    return lint.run(arguments)


def install(arguments):
    from . import environment

    environment.install()
    environment.install_chromium()
    if '--lint' in arguments:
        environment.install_lint()


def update(arguments):
    from . import database, demo, environment, postgres

    environment.install()
    with postgres.running():
        database.template(fresh='--fresh' in arguments)
        demo.update('--fresh' in arguments)


def upgrade(arguments):
    from . import upgrade

    upgrade.main(arguments)


def shell(arguments):
    from . import demo

    return demo.in_environment(['shell', '--no-http', *arguments])


def odoo(arguments):
    from . import demo

    return demo.in_environment(arguments)


def psql(arguments):
    from . import demo, environment, postgres

    environment.install()
    with postgres.running():
        variables = {**os.environ, 'PGDATABASE': demo.DATABASE}
        return subprocess.run(
            [postgres.client('psql'), *arguments], check=False, env=variables
        ).returncode


def python(arguments):
    from . import configuration, environment

    environment.install()
    return subprocess.run(
        [environment.python(), *arguments], check=False, env=configuration.environment_variables()
    ).returncode


def bench(arguments):
    from . import bench

    return bench.run(arguments)


def screenshot(arguments):
    from . import configuration, environment

    environment.install()
    environment.install_chromium()
    command = [environment.python(), '-m', 'tools.screenshot', *arguments]
    return subprocess.run(
        command, check=False, env=configuration.environment_variables()
    ).returncode


def start(arguments):
    from . import environment, postgres

    environment.install()
    postgres.start()


def stop(arguments):
    from . import postgres

    postgres.stop()


COMMANDS = {
    function.__name__: function
    for function in (
        run,
        test,
        lint,
        install,
        update,
        upgrade,
        shell,
        odoo,
        psql,
        python,
        bench,
        screenshot,
        start,
        stop,
    )
}


def main(arguments):
    """Run one command; every failure that somebody can act on is a text, not a traceback."""
    if not arguments or arguments[0] not in COMMANDS:
        asked = arguments and arguments[0] in ('help', '-h', '--help')
        print(HELP, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    signal.signal(signal.SIGTERM, _interrupt)
    paths.prepare_home()
    try:
        return COMMANDS[arguments[0]](arguments[1:]) or 0
    except Failure as failure:
        say(f'\n✗ {failure}')
        return 1
    except KeyboardInterrupt:
        say('\nStopped. The next start goes on from what is finished.')
        return 130


def _interrupt(_signal, _frame):
    """Let SIGTERM end a command as Ctrl-C does: everything it started ends with it."""
    raise KeyboardInterrupt
