"""`./dev run`: social_crm in a local Odoo with demo data, beside a small fediverse server."""

import contextlib
import subprocess
import time
from pathlib import Path

from . import configuration, database, environment, paths, postgres, servers
from .odoo_process import OdooProcess
from .steps import Failure, lock, say, stamp, stamped, step, unstamp

DATABASE = database.name('run')
ADDONS = ('social_crm', 'helpdesk_mgmt_sla')
PORT = 8069
#: The address of the running instance, for ./dev screenshot.
ADDRESS = paths.STATE / 'run.url'
SNAC = paths.STATE / 'snac' / 'data'
SNAC_PORT = paths.STATE / 'snac' / 'port'


def in_environment(arguments):
    """Run Odoo's command line on the run database."""
    environment.install()
    with postgres.running():
        prepare()
        config = configuration.write('odoo', db_name=DATABASE, http_port=configuration.free_port())
        subcommand = arguments[:1] if arguments and not arguments[0].startswith('-') else []
        rest = arguments[len(subcommand) :]
        command = [*configuration.command(), *subcommand, '--config', config, *rest]
        return subprocess.run(
            [str(part) for part in command],
            check=False,
            env=configuration.environment_variables(),
        ).returncode


def prepare(fresh=False):
    """Create the run database, or update it when the module changed."""
    content = database.addon_content('social_crm', also=('demo',))
    key = f'{DATABASE}-{database.server_key()}'
    with lock(DATABASE):
        if fresh:
            database.drop(DATABASE)
        if stamped(key, content) and database.exists(DATABASE):
            return
        unstamp(key)
        if database.is_whole(DATABASE, ADDONS):
            with step('updating social_crm in the database of ./dev run'):
                database.odoo(DATABASE, '-u', 'social_crm')
        else:
            _create()
        stamp(key, content)


def _create():
    with step('creating a database with CRM, Helpdesk, social_crm and demo data (about a minute)'):
        database.drop(DATABASE)
        database.odoo(DATABASE, '--with-demo', '-i', ','.join(ADDONS))
        database.build_assets(DATABASE)


def update(fresh=False):
    """Bring the run database up to date if there is one (`./dev update`)."""
    if fresh or database.exists(DATABASE):
        prepare(fresh)


def _snac():
    """Start the demo's own snac; its people, notes and port stay from one start to the next."""
    from . import story

    SNAC_PORT.parent.mkdir(parents=True, exist_ok=True)
    wanted = int(SNAC_PORT.read_text()) if SNAC_PORT.exists() else 2690
    port = configuration.free_port(wanted)
    if SNAC.exists() and port != wanted:
        say(f'The port {wanted} of the local fediverse server is taken: it starts empty on {port}.')
        servers.forget_snac(SNAC)
    SNAC_PORT.write_text(str(port))
    fresh = not SNAC.exists()
    server = servers.start_snac(SNAC, port, people=())
    if fresh:
        story.add_people(server)
    return server


def run(arguments):
    """Set everything up, serve until Ctrl-C."""
    begin = time.monotonic()
    unknown = set(arguments) - {'--story'}
    if unknown:
        raise Failure(f'./dev run knows only --story, not {" ".join(sorted(unknown))}.')
    with contextlib.ExitStack() as stack:
        stack.enter_context(lock(f'{DATABASE}-served', busy=_busy()))
        environment.install()
        stack.enter_context(postgres.running())
        prepare()
        try:
            network = _snac()
        except Failure as failure:
            say(f'The local fediverse server is not available: {failure}')
            network = None
        if network:
            stack.callback(network.process.stop)
        port = configuration.free_port(PORT)
        odoo = OdooProcess(DATABASE, port=port, crons=3)
        stack.callback(odoo.stop)
        with step('starting Odoo'):
            odoo.start()
        stack.callback(ADDRESS.unlink, missing_ok=True)
        ADDRESS.write_text(odoo.url)
        _welcome(odoo, network, time.monotonic() - begin)
        if network and '--story' in arguments:
            from . import story

            story.play_in_background(odoo, network)
        _follow(odoo)


def _busy():
    where = f' at {ADDRESS.read_text()}' if ADDRESS.exists() else ''
    return f'./dev run is at work in this checkout already{where}: use that one, or end it first.'


def _welcome(odoo, network, seconds):
    port = '' if odoo.port == PORT else f'   (port {PORT} is taken)'
    lines = [
        '',
        f'  social_crm is ready after {seconds:.0f} s:',
        '',
        f'    {odoo.url}    admin / admin{port}',
    ]
    if network:
        lines += ['', f'    {network.url}    a small fediverse server with these people:']
        for account in network.accounts.values():
            lines.append(f'      {account.login:10} password {account.password}')
        lines.append(f'    In Social CRM, connect it as a Mastodon server: {network.url}')
    lines += ['', f'  Odoo logs to {odoo.log}', '  Ctrl-C ends everything.', '']
    say('\n'.join(lines))


def _follow(odoo):
    """Show warnings and errors of Odoo's log until Odoo ends."""
    with Path(odoo.log).open(encoding='utf-8', errors='replace') as log:
        shown = False
        while odoo.process.is_running():
            for line in log:
                if line[:4].isdigit():
                    shown = database.is_problem(line)
                if shown:
                    say(line.rstrip())
            time.sleep(0.5)
    raise Failure(f'Odoo has ended; {odoo.log} says why.')
