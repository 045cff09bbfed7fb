"""Databases: templates that are prepared once, and clones of them that cost a second.

A base database holds what social_crm depends on; it is shared by all checkouts of a home. From it
each checkout's templates are made: `main` with social_crm, one more per other addon. Tests,
benchmarks and experiments get clones.
"""

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from . import configuration, environment, paths, postgres
from .steps import Failure, lock, run, stamp, stamped, step, unstamp

#: What social_crm depends on or works with; installed ahead because it takes longest.
BASE_ADDONS = (
    'crm',
    'base_automation',
    'link_tracker',
    'helpdesk_mgmt',
    'helpdesk_mgmt_sla',
)
#: Folders and endings of an addon that a database does not have to be updated for.
WITHOUT_UPDATE = {
    'tests',
    'static',
    'providers',
    'listening',
    'matching',
    'controllers',
    'demo',
    '__pycache__',
}
#: Lines of Odoo's log that say nothing about this module.
KNOWN_PROBLEMS = (
    "unknown option 'social_crm",
    'PyPDF2',
    'pg_trgm',
    "Running as user 'root'",
    # Odoo's own paid services, which crm brings along; they may be out of reach.
    'odoo.addons.iap',
    'odoo.addons.partner_autocomplete',
)
PREFIX = f'social_crm_{paths.CHECKOUT_ID}'


def name(purpose):
    """Name of a database of this checkout."""
    return f'{PREFIX}_{purpose}'


def psql(query, database='postgres'):
    """Run one query, return its output."""
    options = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', query]
    return run(
        [postgres.client('psql'), *options],
        hint=f'Is the PostgreSQL server up ({_where()}), and may this user create databases?',
    ).strip()


def _where():
    names = ' '.join(f'{name}={value}' for name, value in postgres.connection().items())
    names = re.sub(r'(PGPASSWORD)=\S+', r'\1=…', names)
    return f'{names}; unset these for one that ./dev starts' if postgres.is_external() else names


def exists(database):
    return psql(f"SELECT 1 FROM pg_database WHERE datname = '{database}'") == '1'


def is_whole(database, addons):
    """Tell whether a database has these addons: a set-up that was ended early left it without."""
    if not exists(database):
        return False
    names = ', '.join(f"'{addon}'" for addon in addons)
    query = f'SELECT count(*) FROM ir_module_module WHERE name IN ({names})'
    try:
        found = psql(f"{query} AND state IN ('installed', 'to upgrade')", database)
    except Failure:  # it ended before there were tables
        return False
    return found == str(len(addons))


def _filestore(database):
    return paths.DATA_DIR / 'filestore' / database


def drop(database):
    """Drop a database and its filestore, whoever is connected."""
    psql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    shutil.rmtree(_filestore(database), ignore_errors=True)


def _copy(source, target, source_filestore=None):
    """Clone a database; the filestore's files never change, so they are hard links."""
    drop(target)
    psql(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')
    folder = source_filestore or _filestore(source)
    if folder.is_dir():
        shutil.copytree(folder, _filestore(target), copy_function=_link)


def _link(source, target):
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def odoo(database, *arguments, config=None):
    """Run Odoo on a database until it stops; say what went wrong if it did."""
    config = config or configuration.write('tool', http_port=0)
    log = paths.LOGS / f'{database}.log'
    log.unlink(missing_ok=True)
    command = [*configuration.command(), '--config', config, '-d', database, '--no-http']
    command += ['--logfile', log, '--max-cron-threads', '0', '--stop-after-init', *arguments]
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=configuration.environment_variables(),
    )
    text = log.read_text() if log.exists() else ''
    lines = text.splitlines()
    problems = [line for line in lines if is_problem(line, levels=('ERROR', 'CRITICAL'))]
    if done.returncode or problems:
        tail = [line for line in (*done.stdout.splitlines(), *lines) if ' INFO ' not in line]
        end = '\n'.join(tail[-40:])
        raise Failure(f'{end}\n\nOdoo failed on {database}; the whole log: {log}')
    return [line for line in lines if is_problem(line)]


def is_problem(line, levels=('WARNING', 'ERROR', 'CRITICAL')):
    """Tell whether a line of Odoo's log is about something that this module could change."""
    known = any(text in line for text in KNOWN_PROBLEMS)
    return not known and any(f' {level} ' in line for level in levels)


def base():
    """The shared database that holds the dependencies; made when it is not there."""
    files = [paths.REQUIREMENTS / f'{part}.txt' for part in ('odoo', 'oca')]
    content = paths.digest(*files, str(environment.odoo_source()), *BASE_ADDONS)
    database = f'social_crm_base_{content[:8]}'
    filestore = paths.HOME / 'base-filestore' / database
    key = f'{database}-{server_key()}'
    if stamped(key, content) and exists(database):
        return database, filestore
    with lock('base'):
        if stamped(key, content) and exists(database):
            return database, filestore
        with step('preparing a database with CRM and Helpdesk (about 40 s, once)'):
            drop(database)
            odoo(database, '-i', ','.join(BASE_ADDONS))
            shutil.rmtree(filestore, ignore_errors=True)
            if _filestore(database).exists():
                shutil.copytree(_filestore(database), filestore)
                shutil.rmtree(_filestore(database))
        stamp(key, content)
    return database, filestore


def copy_base(target):
    """Clone the base database."""
    source, filestore = base()
    with lock('base'):
        _copy(source, target, filestore)


def server_key():
    """Tells apart the servers that a stamp is about."""
    return paths.digest(sorted(postgres.connection().items()))[:6]


def addon_content(*addons, also=()):
    """Hash of everything that an update of these addons would read, and of the folders `also`."""
    ignored = WITHOUT_UPDATE - set(also)
    parts = []
    for addon in addons:
        folder = paths.CHECKOUT / addon
        for path in sorted(folder.rglob('*')):
            inner = path.relative_to(folder).parts
            if path.is_file() and path.suffix != '.pyc' and not ignored & set(inner[:-1]):
                parts += [str(path.relative_to(paths.CHECKOUT)), path]
    return paths.digest(*parts, *addons)


def _addons_of(variant):
    return ['social_crm'] if variant == 'main' else ['social_crm', variant]


def template(variant='main', fresh=False):
    """Name of an up-to-date template: `main`, or named after another addon of this checkout."""
    with lock(name(variant)):
        return _prepare(variant, fresh)


def _prepare(variant, fresh=False):
    database = name(f'template_{variant}')
    addons = _addons_of(variant)
    content = addon_content(*addons)
    key = f'{database}-{server_key()}'
    if not fresh and stamped(key, content) and exists(database):
        return database
    unstamp(key)
    unstamp(f'{key}-assets')
    if fresh or not is_whole(database, addons):
        drop(database)
    else:
        try:
            with step(f'updating the template database ({", ".join(addons)})'):
                _report(odoo(database, '-u', ','.join(addons)))
        except Failure:
            # Perhaps only the old database is in the way: a new one decides.
            drop(database)
    if not exists(database):
        _install(database, addons)
    stamp(key, content)
    return database


def _install(database, addons):
    with step(f'installing {", ".join(addons)} into a template database'):
        copy_base(database)
        _report(odoo(database, '-i', ','.join(addons)))


def build_assets(database):
    """Build the web client's bundles ahead, so that the first page comes at once."""
    code = 'from tools.odoo_environment import load, new_environment\n'
    code += f'with new_environment(load({database!r})) as env:\n'
    code += "    env['ir.qweb']._pregenerate_assets_bundles()\n"
    variables = configuration.environment_variables()
    run([environment.python(), '-c', code], env=variables, cwd=paths.CHECKOUT)


def _report(warnings):
    for line in warnings:
        print(line)


def _with_assets(database, variant):
    """Have the bundles in a template, built once for all its clones."""
    content = addon_content(*_addons_of(variant), also=('static',))
    key = f'{database}-{server_key()}-assets'
    if not stamped(key, content):
        with step('building the bundles of the web client, for all clones of the template'):
            build_assets(database)
        stamp(key, content)
    return database


@contextmanager
def clone(purpose=None, variant='main', assets=False):
    """Give a scratch clone of a template; it is dropped at the end.

    With `assets` it serves the web client at once; without, it builds the bundles when asked.
    """
    purpose = purpose or f'scratch_{os.getpid()}_{os.urandom(2).hex()}'
    database = name(purpose)
    with lock(name(variant)):
        template = _prepare(variant)
        _copy(_with_assets(template, variant) if assets else template, database)
    try:
        yield database
    finally:
        drop(database)


def drop_leftovers():
    """Drop scratch databases whose process is gone."""
    listed = psql(f"SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}\\_%'")
    for database in listed.splitlines():
        found = re.fullmatch(rf'{PREFIX}_(?:test|bench|scratch)_(\d+)(?:_\w+)?', database)
        if found and not Path('/proc', found[1]).exists():
            drop(database)
