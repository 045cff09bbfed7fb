"""Steps that are done once: progress on the screen, stamps by content, locks between processes."""

import fcntl
import os
import subprocess
import sys
import time
from contextlib import contextmanager

from . import paths


class Failure(Exception):
    """Something the user can act on: the message says what to do."""


def say(text):
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(text):
    """Show a long step and how long it took."""
    start = time.monotonic()
    say(f'… {text}')
    yield
    say(f'✓ {text} ({time.monotonic() - start:.0f} s)')


@contextmanager
def lock(name, shared=False, busy=''):
    """Hold a lock between processes; the kernel releases it when the holder dies.

    Another holder is waited for, or `busy` is what the Failure says.
    """
    folder = paths.HOME / 'locks'
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / name, 'a') as handle:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if busy:
                raise Failure(busy) from None
            say(f'… waiting for another ./dev that holds the lock "{name}"')
            fcntl.flock(handle, kind)
        yield handle


def stamped(name, content):
    """Tell whether step `name` was done for just this content."""
    stamp = paths.HOME / 'stamps' / name
    return stamp.exists() and stamp.read_text() == content


def stamp(name, content):
    """Note that step `name` is done for this content."""
    target = paths.HOME / 'stamps' / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content)


def unstamp(name):
    (paths.HOME / 'stamps' / name).unlink(missing_ok=True)


def once(name, content, text, action):
    """Run `action` under a lock unless it was done for this content."""
    if stamped(name, content):
        return
    with lock(name):
        if stamped(name, content):
            return
        with step(text):
            unstamp(name)
            action()
            stamp(name, content)


def run(command, *, hint='', **kwargs):
    """Run a program; on failure say what can be done, and show the end of what it said."""
    command = [str(part) for part in command]
    try:
        done = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **kwargs,
        )
    except OSError as error:
        raise Failure(f'{command[0]} cannot be run: {error.strerror}. {hint}'.strip()) from None
    if done.returncode:
        tail = '\n'.join(done.stdout.strip().splitlines()[-25:])
        raise Failure(f'{hint}\n{" ".join(command)[:160]} failed:\n{tail}'.strip())
    return done.stdout


def is_root():
    return os.geteuid() == 0
