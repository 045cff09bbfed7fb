"""`./dev test`: the pure tests by plain pytest, then the others inside Odoo by pytest-odoo."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from . import configuration, database, environment, paths, postgres
from .steps import say

#: Test folders that import no Odoo and need no database.
PURE = ('social_crm/tests/providers', 'social_crm/tests/listening', 'social_crm/tests/matching')
NO_TESTS = 5
#: pytest's options that take the next argument as their value.
WITH_VALUE = {'-k', '-m', '-p', '-c', '-o', '-W', '-n', '-r', '--maxfail', '--durations', '--tb'}


def split(arguments):
    """Divide pytest's arguments into options, pure paths and Odoo paths."""
    options, pure, odoo = [], [], []
    value_next = False
    for argument in arguments:
        path = (Path.cwd() / argument.split('::')[0]).resolve()
        if value_next or argument.startswith('-') or not path.exists():
            options.append(argument)
            value_next = argument in WITH_VALUE and not value_next
        elif any(path.is_relative_to(paths.CHECKOUT / folder) for folder in PURE):
            pure.append(argument)
        else:
            odoo.append(argument)
    return options, pure, odoo


def variant_of(argument):
    """Which template the tests at this path need: that of their addon."""
    path = (Path.cwd() / argument.split('::')[0]).resolve()
    addon = path.relative_to(paths.CHECKOUT).parts[0] if path != paths.CHECKOUT else 'social_crm'
    return 'main' if addon == 'social_crm' or addon not in paths.addons() else addon


def run(arguments):
    """Run what the arguments ask for; return an exit code."""
    only_pure = '--pure' in arguments
    arguments = [argument for argument in arguments if argument != '--pure']
    options, pure, odoo = split(arguments)
    if not pure and not odoo:
        pure = [folder for folder in PURE if (paths.CHECKOUT / folder).is_dir()]
        odoo = [f'{addon}/tests' for addon in paths.addons()]
        os.chdir(paths.CHECKOUT)
    if only_pure:
        odoo = []
    paths.prepare_home()
    if odoo:
        environment.install_chromium()
        environment.install()
    else:
        environment.install_python()
    total = Total()
    if pure:
        # All of them at once share the cores; a file stays together, with the servers it starts.
        together = [] if options else ['-n', 'auto', '--dist', 'loadfile']
        total.add(_pytest(['-p', 'no:odoo', *together, *options, *pure], total.report))
    if odoo:
        _run_in_odoo(options, odoo, total)
    return total.close()


def _run_in_odoo(options, arguments, total):
    by_variant = {}
    for argument in arguments:
        if (Path.cwd() / argument.split('::')[0]).exists():
            by_variant.setdefault(variant_of(argument), []).append(argument)
    with postgres.running():
        for variant, some in by_variant.items():
            with database.clone(f'test_{os.getpid()}', variant) as clone, _config(clone) as config:
                command = [f'--odoo-config={config}', f'--odoo-database={clone}', '--odoo-http']
                ignored = [f'--ignore={paths.CHECKOUT / folder}' for folder in PURE]
                total.add(_pytest([*command, *ignored, *options, *some], total.report))
        database.drop_leftovers()


@contextmanager
def _config(clone):
    """Give an odoo.conf of this run's own, so that runs in parallel do not meet."""
    config = configuration.write(f'test-{os.getpid()}', http_port=0, db_name=clone)
    try:
        yield config
    finally:
        config.unlink()


def _pytest(arguments, report):
    command = [environment.python(), '-m', 'pytest', '-p', 'tools.pytest_report', *arguments]
    variables = configuration.environment_variables()
    variables['SOCIAL_CRM_TEST_REPORT'] = str(report)
    return subprocess.run([str(part) for part in command], check=False, env=variables).returncode


class Total:
    """Adds up the runs of pytest that make one `./dev test`."""

    def __init__(self):
        self.codes = []
        self.report = paths.STATE / f'report-{os.getpid()}.json'
        self.counts = {'passed': 0, 'failed': 0, 'skipped': 0}

    def add(self, code):
        self.codes.append(code)
        if self.report.exists():
            for outcome, count in json.loads(self.report.read_text()).items():
                self.counts[outcome] += count
            self.report.unlink()

    def close(self):
        """Print the sum and return the worst exit code; no tests at all is an error too."""
        sys.stdout.flush()
        counts = self.counts
        if len(self.codes) > 1:
            text = f'{counts["passed"]} passed, {counts["failed"]} failed'
            print(f'total: {text}, {counts["skipped"]} skipped', flush=True)
        bad = [code for code in self.codes if code not in (0, NO_TESTS)]
        if bad:
            return max(bad)
        if 0 in self.codes:
            return 0
        say('No test was selected.')
        return NO_TESTS
