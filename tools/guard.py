"""Runs a program and ends it, with everything it started, when the one who asked is gone.

    python guard.py PROGRAM ARGUMENTS…

The program gets a process group of its own. The guard watches its standard input: it is a pipe
whose other end the starter holds, so it closes even when the starter is killed. A SIGTERM or
SIGINT to the guard has the same effect.
"""

import os
import select
import signal
import subprocess
import sys
import time

PATIENCE = 10


def end(child):
    """Ask the whole group to end, then make it."""
    for number, wait in ((signal.SIGTERM, PATIENCE), (signal.SIGKILL, 1)):
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + wait
        while time.monotonic() < deadline:
            child.poll()
            try:
                os.killpg(child.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.05)


def main(command):
    asked = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: asked.append(True))
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        while child.poll() is None and not asked:
            readable, _, _ = select.select([0], [], [], 0.2)
            if readable and not os.read(0, 1024):
                break
    finally:
        end(child)
    return child.wait()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
