"""Programs that we start: they end with us, whatever happens to us."""

import atexit
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from .steps import Failure

GUARD = Path(__file__).with_name('guard.py')


class Process:
    """A program in a process group of its own, watched by tools/guard.py; output goes to a file."""

    def __init__(self, command, log, **kwargs):
        self.command = [str(part) for part in command]
        self.log = Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open('ab') as output:
            self._guard = subprocess.Popen(
                [sys.executable, '-S', '-E', str(GUARD), *self.command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **kwargs,
            )
        atexit.register(self.stop)

    @property
    def pid(self):
        """Process id of the program itself (the guard's only child)."""
        children = Path(f'/proc/{self._guard.pid}/task/{self._guard.pid}/children')
        for _ in range(200):
            if found := children.read_text().split():
                return int(found[0])
            time.sleep(0.01)
        raise Failure(f'{self.command[0]} did not start; {self.log} says why.')

    def is_running(self):
        return self._guard.poll() is None

    def wait_until(self, ready, timeout, what):
        """Wait until `ready()` is true; tell the end of the log if that does not happen."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self.is_running():
            if ready():
                return
            time.sleep(0.1)
        tail = '\n'.join(self.log.read_text(errors='replace').splitlines()[-25:])
        self.stop()
        raise Failure(f'{what} did not start. The end of {self.log}:\n{tail}')

    def kill(self):
        """End the program at once, as a crash would."""
        os.killpg(self.pid, signal.SIGKILL)
        self._guard.wait(20)

    def stop(self):
        """Ask the program to end and wait for it."""
        atexit.unregister(self.stop)
        if self._guard.stdin and not self._guard.stdin.closed:
            self._guard.stdin.close()
        try:
            self._guard.wait(30)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
