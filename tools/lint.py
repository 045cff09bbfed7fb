"""`./dev lint`: ruff, pylint-odoo, mypy, biome for JavaScript, and checks of the data files."""

import shutil
import subprocess

from . import environment, paths, xml_checks
from .steps import Failure, say

#: Folders of pure Python that are typed throughout.
TYPED = ('social_crm/providers', 'social_crm/listening', 'social_crm/matching')
#: Python that belongs to no addon.
OTHERS = ('dev', 'conftest.py', 'tools', 'benchmarks')


def run(arguments):
    """Run all linters, return 1 if one of them complains."""
    fix = '--fix' in arguments
    environment.install_lint()
    program = environment.lint_venv() / 'bin'
    python = [*paths.addons(), *(name for name in OTHERS if (paths.CHECKOUT / name).exists())]
    cache = paths.STATE / 'mypy'  # a checkout's own: runs side by side must not meet
    ruff = [program / 'ruff']
    commands = {
        'ruff check': [*ruff, 'check', '--quiet', *(['--fix'] if fix else []), *python],
        'ruff format': [*ruff, 'format', '--quiet', *([] if fix else ['--diff']), *python],
        'pylint-odoo': [
            program / 'pylint',
            '--jobs=2',
            '--score=n',
            # A model that has several matters has a file for each.
            '--disable=consider-merging-classes-inherited',
            *paths.addons(),
        ],
        'mypy': [
            program / 'mypy',
            f'--cache-dir={cache}',
            '--no-error-summary',
            *_typed(),
        ],
    }
    if scripts := _scripts():
        commands['biome'] = [
            program / 'biome',
            'check',
            '--config-path=tools',
            '--colors=off',
            *(['--write'] if fix else []),
            *scripts,
        ]
    bad = [name for name, command in commands.items() if not _passes(name, command)]
    problems = [problem for addon in paths.addons() for problem in xml_checks.check(addon)]
    for problem in problems:
        print(problem)
    if problems:
        bad.append('data files')
    if bad:
        say(f'✗ {", ".join(bad)}; `./dev lint --fix` mends what can be mended without thinking.')
        return 1
    say(f'✓ clean: {", ".join([*commands, "data files"])}')
    return 0


def _typed():
    return [folder for folder in TYPED if any((paths.CHECKOUT / folder).glob('*.py'))]


def _scripts():
    """JavaScript of our own; libraries under static/lib are others'."""
    found = [
        path for addon in paths.addons() for path in paths.CHECKOUT.glob(f'{addon}/static/**/*.js')
    ]
    return [path for path in found if 'lib' not in path.relative_to(paths.CHECKOUT).parts]


def _passes(name, command):
    if not shutil.which(str(command[0])):
        raise Failure(f'{command[0]} is missing: remove {environment.lint_venv()} and try again.')
    done = subprocess.run([str(part) for part in command], check=False, cwd=paths.CHECKOUT)
    if done.returncode:
        say(f'✗ {name}')
    return not done.returncode
