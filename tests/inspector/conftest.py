"""The command line, run in this process or in one of its own."""

import os
import pty
import subprocess
import sys
import termios
from dataclasses import dataclass

import pytest

from overcoat.inspector.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def rows(self):
        """The lines of the answer."""
        return self.out.splitlines()


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in ("LOG_FILE", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def overcoat(capsysbinary):
    """Run a command here."""

    def run(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as error:
            status = error.code
        captured = capsysbinary.readouterr()
        return Ran(status, captured.out.decode(), captured.err.decode())

    return run


@pytest.fixture
def process():
    """Run a command in a process of its own, with what is written to its standard input."""

    def run(*arguments, stdin=None, **environment):
        done = subprocess.run(
            [sys.executable, "-m", "overcoat.inspector", *map(str, arguments)],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env={**os.environ, **environment},
            timeout=60,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def terminal():
    """Run a command on a terminal; what it wrote there, standard error included, is bytes."""

    def run(*arguments, columns=100, rows=0, **environment):
        ours, theirs = pty.openpty()
        if rows:
            termios.tcsetwinsize(theirs, (rows, columns))
        child = subprocess.Popen(
            [sys.executable, "-m", "overcoat.inspector", *map(str, arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "COLUMNS": str(columns), **environment},
        )
        os.close(theirs)
        written = b""
        try:
            while block := os.read(ours, 65536):
                written += block
        except OSError:  # the other end is closed
            pass
        finally:
            os.close(ours)
        return child.wait(timeout=60), written

    return run
