"""The environment: Odoo's source, the virtual environments, the browser. Each installed once."""

import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from . import debian, paths
from .steps import Failure, once, run

#: Odoo and what its static files link to, by the Debian release that carries the right layout.
ODOO_PACKAGES = (
    'odoo-19/sid',
    'libjs-jquery/sid',
    'libjs-jquery-form/sid',
    'libjs-underscore/sid',
    'fonts-montserrat/sid',
    'fonts-roboto-unhinted/sid',
    'fonts-ocr-b/sid',
    'fonts-inconsolata/sid',
    'fonts-font-awesome/bookworm',
)
ODOO_RECIPE = '1'
DEBIAN_ODOO = paths.HOME / 'odoo'


def odoo_source():
    """Folder that holds the Python package `odoo`."""
    given = os.environ.get('ODOO_SOURCE')
    if not given:
        return DEBIAN_ODOO / 'usr/lib/python3/dist-packages'
    source = Path(given).resolve()
    if not (source / 'odoo/release.py').exists():
        raise Failure(f'ODOO_SOURCE={source} is no Odoo checkout: it has no odoo/release.py.')
    if 'version_info = (19, 0' not in (source / 'odoo/release.py').read_text():
        raise Failure(f'ODOO_SOURCE={source} is not Odoo 19.0. Check out its branch 19.0.')
    return source


@lru_cache
def _python_content():
    files = [paths.REQUIREMENTS / f'{name}.txt' for name in ('odoo', 'module', 'test', 'oca')]
    return paths.digest(*files, str(odoo_source()), sys.version)


def _environment_name():
    """One environment for each set of requirements, so that checkouts that share a home do not
    pull it from under each other."""
    return f'venv-{paths.PYTHON_TAG}-{_python_content()[:6]}'


def venv():
    return paths.HOME / _environment_name()


def lint_venv():
    return paths.HOME / f'lint-{paths.PYTHON_TAG}'


def python():
    return venv() / 'bin/python'


def oca_addons():
    """Folder of the OCA addons that pip installed."""
    return venv() / f'lib/python{paths.PYTHON_TAG}/site-packages/odoo/addons'


def addons_path():
    """Every folder with addons: this checkout, OCA's, Odoo's own."""
    source = odoo_source()
    folders = [paths.CHECKOUT, oca_addons(), source / 'addons', source / 'odoo/addons']
    return [folder for folder in folders if folder.is_dir()]


def install_odoo():
    """Fetch Odoo 19 as Debian's package and unpack it into the work folder."""
    if os.environ.get('ODOO_SOURCE'):
        odoo_source()
        return
    once(
        'odoo',
        paths.digest(ODOO_RECIPE, *ODOO_PACKAGES),
        'fetching Odoo 19 (Debian package, about 125 MB, unpacked into the work folder)',
        _unpack_odoo,
    )


def _unpack_odoo():
    shutil.rmtree(DEBIAN_ODOO, ignore_errors=True)
    debian.unpack(ODOO_PACKAGES, DEBIAN_ODOO, ('sid', 'bookworm'))
    addons = odoo_source() / 'odoo/addons'
    # Debian leaves this library out; the web client then logs an error, which fails browser tests.
    blur = addons / 'mail/static/lib/selfie_segmentation/selfie_segmentation.js'
    if not blur.exists():
        blur.parent.mkdir(parents=True, exist_ok=True)
        blur.write_text('// Blurs the background of video calls; not shipped by Debian.\n')


def install_python():
    """Create the virtual environment with Odoo, the OCA addons and the test tools."""
    once(
        _environment_name(),
        _python_content(),
        f'installing Python packages for {paths.PYTHON_TAG} (about half a minute)',
        _create_venv,
    )


def _create_venv():
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        raise Failure(
            f'Python {paths.PYTHON_TAG} is not supported by Odoo 19: start ./dev with Python '
            '3.10 to 3.13, for example `python3.12 ./dev run`.'
        )
    folder = venv()
    new_venv(folder)
    site = folder / f'lib/python{paths.PYTHON_TAG}/site-packages'
    (site / 'odoo-source.pth').write_text(f'{odoo_source()}\n')
    names = [part for name in ('odoo', 'module', 'test') for part in ('-r', _requirement(name))]
    pip(folder, 'install', *names)
    pip(folder, 'install', '--no-deps', '-r', _requirement('oca'))


def _requirement(name):
    return paths.REQUIREMENTS / f'{name}.txt'


def new_venv(folder):
    """Create a virtual environment from scratch, with pip in it."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, '-m', 'venv', folder]
    probe = [sys.executable, '-c', 'import ensurepip, venv']
    if subprocess.run(probe, check=False, capture_output=True).returncode:
        debian.install('python3-venv', why="Python's venv module")
    run(command)


def pip(folder, *arguments):
    """Run the pip of a virtual environment."""
    hint = 'Is the network up? ./dev goes on where it stopped when you start it again.'
    command = [folder / 'bin/python', '-m', 'pip', '--disable-pip-version-check', '--quiet']
    run([*command, *arguments], hint=hint)


def install_lint():
    """Create the virtual environment of the linters."""
    once(
        lint_venv().name,
        paths.digest(_requirement('lint'), sys.version),
        'installing the linters',
        lambda: (new_venv(lint_venv()), pip(lint_venv(), 'install', '-r', _requirement('lint'))),
    )


def chromium():
    """Path of Chromium or Chrome, None where there is none."""
    for name in ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'):
        if found := shutil.which(name):
            return found
    return None


def install_chromium():
    """Make sure that there is a browser for tests and screenshots."""
    if not chromium():
        debian.install('chromium', why='the browser Chromium')


def install():
    """Everything that Odoo itself needs, the browser aside."""
    paths.prepare_home()
    install_odoo()
    install_python()
