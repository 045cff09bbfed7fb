"""`./dev test`: the pure tests by plain pytest, then the others inside Odoo by pytest-odoo."""

import json
import os
import subprocess
import sys
import tempfile
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from . import configuration, database, environment, paths, postgres
from .steps import say

#: Test folders that import no Odoo and need no database.
PURE = ('social_crm/tests/providers', 'social_crm/tests/listening', 'social_crm/tests/matching')
#: Tests that run servers in processes of their own and mostly wait for them. A run of everything
#: does them beside the others, each file in a pytest and on databases of its own.
APART = (
    'test_*end_to_end.py',
    'test_concurrency.py',
    'test_delivery_crash.py',
    'test_engagement_snac.py',
    'test_module.py',
    'test_sale.py',
)
#: How many of them go on at once: they keep a core busy for a third of their time.
LANES = 2
#: Options that change what is shown, not what is run: with others, one test runs after the other.
SHOWING = ('-q', '-v', '-r', '--durations', '--tb=', '--color')
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
    everything = not pure and not odoo
    if everything:
        pure = [folder for folder in PURE if (paths.CHECKOUT / folder).is_dir()]
        odoo = [f'{addon}/tests' for addon in paths.addons()]
        os.chdir(paths.CHECKOUT)
    if only_pure:
        odoo = []
    at_once = all(option.startswith(SHOWING) for option in options)
    paths.prepare_home()
    if odoo:
        environment.install_chromium()
        environment.install()
    else:
        environment.install_python()
    total = Total()
    if pure:
        # All of them at once share the cores; a file stays together, with the servers it starts.
        together = ['-n', 'auto', '--dist', 'loadfile'] if at_once else []
        total.add(_pytest(['-p', 'no:odoo', *together, *options, *pure], total.report))
    if odoo:
        with postgres.running():
            if everything and at_once:
                _run_side_by_side(options, odoo, total)
            else:
                _run_in_odoo(options, odoo, total)
            database.drop_leftovers()
    return total.close()


def _run_side_by_side(options, folders, total):
    """Run those that mostly wait beside the others; show what they print at the end."""
    waiting = deque(file for folder in folders for file in _apart(folder))
    ignored = [f'--ignore={paths.CHECKOUT / file}' for file in waiting]
    database.template()  # all are going to ask for it
    with ThreadPoolExecutor(LANES) as pool:
        lanes = [pool.submit(_run_apart, options, waiting) for _lane in range(LANES)]
        try:
            _run_in_odoo([*options, *ignored], folders, total)
            found = _run_apart(options, waiting)  # one more lane
        finally:
            waiting.clear()
    for beside, printed in (*found, *(one for lane in lanes for one in lane.result())):
        print(printed, flush=True)
        total.include(beside)


def _run_apart(options, waiting):
    """Run files until none is waiting; return what each added up and printed."""
    done = []
    while waiting:
        try:
            file = waiting.popleft()
        except IndexError:  # another lane was faster
            break
        beside = Total(file.stem)
        with tempfile.TemporaryFile('w+') as output:
            _run_in_odoo(options, [str(file)], beside, file.stem, output)
            output.seek(0)
            done.append((beside, f'{file.name}:\n{output.read()}'))
    return done


def _apart(folder):
    """The files of a folder that are run beside the others."""
    return sorted(file for name in APART for file in Path(folder).glob(name))


def _run_in_odoo(options, arguments, total, name='test', output=None):
    by_variant = {}
    for argument in arguments:
        if (Path.cwd() / argument.split('::')[0]).exists():
            by_variant.setdefault(variant_of(argument), []).append(argument)
    for variant, some in by_variant.items():
        purpose = f'test_{os.getpid()}_{name}'
        with database.clone(purpose, variant) as clone, _config(purpose, clone) as config:
            command = [f'--odoo-config={config}', f'--odoo-database={clone}', '--odoo-http']
            ignored = [f'--ignore={paths.CHECKOUT / folder}' for folder in PURE]
            total.add(_pytest([*command, *ignored, *options, *some], total.report, output))


@contextmanager
def _config(purpose, clone):
    """Give an odoo.conf of this run's own, so that runs in parallel do not meet."""
    config = configuration.write(purpose, http_port=0, db_name=clone)
    try:
        yield config
    finally:
        config.unlink()


def _pytest(arguments, report, output=None):
    command = [environment.python(), '-m', 'pytest', '-p', 'tools.pytest_report', *arguments]
    variables = configuration.environment_variables()
    variables['SOCIAL_CRM_TEST_REPORT'] = str(report)
    done = subprocess.run(
        [str(part) for part in command], check=False, env=variables, stdout=output, stderr=output
    )
    return done.returncode


class Total:
    """Adds up the runs of pytest that make one `./dev test`."""

    def __init__(self, name='test'):
        self.codes = []
        self.report = paths.STATE / f'report-{os.getpid()}-{name}.json'
        self.counts = {'passed': 0, 'failed': 0, 'skipped': 0}

    def add(self, code):
        self.codes.append(code)
        if self.report.exists():
            for outcome, count in json.loads(self.report.read_text()).items():
                self.counts[outcome] += count
            self.report.unlink()

    def include(self, other):
        """Add what another one has added up."""
        self.codes += other.codes
        for outcome, count in other.counts.items():
            self.counts[outcome] += count

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
