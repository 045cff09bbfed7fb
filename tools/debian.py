"""Debian packages: installed with apt-get where we are root, or unpacked into the work folder."""

import os
import shutil
import subprocess
from pathlib import Path

from . import paths
from .steps import Failure, is_root, lock, run, step

KEYRING = Path('/usr/share/keyrings/debian-archive-keyring.gpg')


def install(*packages, why):
    """Install packages into the system, or say which command would."""
    command = f'apt-get install --yes --no-install-recommends {" ".join(packages)}'
    if not shutil.which('apt-get'):
        raise Failure(f'{why} is missing. Install it (Debian calls it {" ".join(packages)}).')
    if not is_root():
        raise Failure(f'{why} is missing. Run once:\n    sudo {command}')
    with lock('apt'), step(f'installing {" ".join(packages)} ({why})'):
        environment = {**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'}
        try:
            run(command.split(), env=environment)
        except Failure:
            run(['apt-get', 'update', '--quiet'], env=environment)
            run(command.split(), env=environment, hint=f'Then try again, or run: {command}')


def archive():
    """The address of the Debian archive that this system already uses."""
    if mirror := os.environ.get('SOCIAL_CRM_DEBIAN_MIRROR'):
        return mirror
    if not shutil.which('apt-get'):
        raise Failure(
            'There is no apt-get here, so Odoo cannot be fetched as a Debian package. Set '
            'ODOO_SOURCE=/path/to/an/odoo-19.0/checkout and start again.'
        )
    listed = run(['apt-get', 'indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'])
    for line in listed.splitlines():
        if line.rstrip('/').endswith('/debian'):
            return line
    raise Failure(
        'The apt sources of this system name no Debian archive (Ubuntu?). Set '
        'SOCIAL_CRM_DEBIAN_MIRROR to one, or ODOO_SOURCE=/path/to/an/odoo-19.0/checkout.'
    )


def unpack(packages, target, releases):
    """Download packages with an apt state of our own and unpack them into `target`.

    The system's own sources, lists and packages stay as they are; root is not needed.
    """
    if not KEYRING.exists():
        install('debian-archive-keyring', why="Debian's archive keyring")
    state = paths.HOME / 'apt'
    with lock('apt-private'):
        downloads = state / 'downloads'
        shutil.rmtree(downloads, ignore_errors=True)
        for folder in ('lists/partial', 'cache/archives/partial', 'downloads'):
            (state / folder).mkdir(parents=True, exist_ok=True)
        sources = state / 'sources.list'
        mirror = archive()
        sources.write_text(
            ''.join(f'deb [signed-by={KEYRING}] {mirror} {name} main\n' for name in releases)
        )
        options = []
        for option in (
            f'Dir::Etc::sourcelist={sources}',
            'Dir::Etc::sourceparts=/dev/null',
            f'Dir::State::lists={state / "lists"}',
            f'Dir::Cache={state / "cache"}',
            'APT::Sandbox::User=root',
            'Acquire::Languages=none',
            'Acquire::Retries=3',
        ):
            options += ['-o', option]
        hint = f'Nothing comes from {mirror}. Is the network up? SOCIAL_CRM_DEBIAN_MIRROR names '
        hint += 'another mirror. ./dev goes on where it stopped when you start it again.'
        run(['apt-get', 'update', *options], hint=hint)
        run(['apt-get', 'download', *packages, *options], cwd=downloads, hint=hint)
        target.mkdir(parents=True, exist_ok=True)
        for package in sorted(downloads.glob('*.deb')):
            run(['dpkg-deb', '-x', package, target])
        versions = [package.name for package in sorted(downloads.glob('*.deb'))]
        shutil.rmtree(downloads)
    return versions


def has_library(name):
    """Tell whether the dynamic linker knows a shared library, e.g. libcurl.so.4."""
    linker = shutil.which('ldconfig', path='/sbin:/usr/sbin:/usr/bin')
    if not linker:
        return True
    listed = subprocess.run([linker, '-p'], check=False, capture_output=True, text=True).stdout
    return name in listed
