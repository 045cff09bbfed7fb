"""`./dev bench [NAME] [ARGUMENTS]`: runs benchmarks/NAME.py, each on a scratch database.

A benchmark is a module with

    def run(bench):
        …
        yield {'what': 'received mentions', 'per_second': 1234}

Every dictionary it yields is printed as one line of JSON. See `Bench` for what it may use.
"""

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import time
from contextlib import contextmanager

from . import configuration, database, environment, odoo_process, paths, postgres
from .steps import Failure, say

FOLDER = paths.CHECKOUT / 'benchmarks'


class Bench:
    """What a benchmark gets: a database of its own and means to load it."""

    def __init__(self, name, registry, arguments):
        self.database = name
        self.registry = registry
        #: What stood after the name on the command line.
        self.arguments = arguments
        self.env = None

    @contextmanager
    def new_env(self, **context):
        """Give an `env` on a further real cursor: another transaction, for another thread too."""
        from .odoo_environment import new_environment

        with new_environment(self.registry, **context) as env:
            yield env

    def odoo(self, **options):
        """A real Odoo server with cron threads on this database: `with bench.odoo() as odoo`.

        Commit first (`bench.env.cr.commit()`), so that it sees the data.
        """
        return odoo_process.start(self.database, **options)

    @staticmethod
    @contextmanager
    def timed():
        """Measure a block: `with bench.timed() as took: …`, then `took()` in seconds."""
        begin = time.perf_counter()
        end = []
        yield lambda: (end[0] if end else time.perf_counter()) - begin
        end.append(time.perf_counter())


def names():
    """Names of the benchmarks there are."""
    return sorted(path.stem for path in FOLDER.glob('[a-z]*.py'))


def run(arguments):
    """Run one benchmark, or all of them."""
    parser = argparse.ArgumentParser(prog='./dev bench', description='Run benchmarks.')
    parser.add_argument('name', nargs='?', choices=names() or None)
    known, rest = parser.parse_known_args(arguments)
    chosen = [known.name] if known.name else names()
    if not chosen:
        raise Failure('There is no benchmark: benchmarks/ holds none.')
    environment.install()
    code = 0
    with postgres.running():
        for name in chosen:
            with database.clone(f'bench_{os.getpid()}') as clone:
                command = [environment.python(), '-m', 'tools.bench', clone, name, *rest]
                variables = configuration.environment_variables()
                done = subprocess.run(command, check=False, env=variables, cwd=paths.CHECKOUT)
                code = code or done.returncode
    return code


def main(clone, name, *arguments):
    """Run one benchmark in this process, which is the virtual environment's."""
    from .odoo_environment import load

    bench = Bench(clone, load(clone), arguments)
    module = importlib.import_module(f'benchmarks.{name}')  # it may import what Odoo has loaded
    say(f'benchmark {name} on {platform.machine()}, {os.cpu_count()} cores')
    with bench.new_env() as env:
        bench.env = env
        for result in module.run(bench):
            print(json.dumps(result, default=str), flush=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
