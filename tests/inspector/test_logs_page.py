"""The page about `overcoat logs`: every command in it runs, and prints what the page shows."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from support.log_lines import log_file, log_lines

PAGE = (Path(__file__).parents[2] / "docs" / "logs.md").read_text()
COMMANDS = [
    command
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for command in block.splitlines()
    if not command.startswith("pip ")
]
SESSIONS = re.findall(r"^```console\n\$ (.*?)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

#: Programs that the page pipes from.
STUBS = {
    "overcoat": f'exec {sys.executable} -m overcoat.inspector "$@"',
    "docker": "sed 's/^/web-1  | /' app.log",
    "kubectl": "cat app.log",
}


@pytest.fixture
def shell(tmp_path):
    """Where the commands of the page run: a log, a rotated one, and programs of those names."""
    log_file(tmp_path / "app.log", log_lines(2000))
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, body in STUBS.items():
        program = programs / name
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    subprocess.run("head -50 app.log > app.log.1 && gzip app.log.1", shell=True, cwd=tmp_path, check=True)
    return {
        "cwd": tmp_path,
        "env": {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        "stdin": subprocess.DEVNULL,
        "text": True,
    }


def test_the_page_has_commands():
    assert len(COMMANDS) > 20
    assert len(SESSIONS) == 3


@pytest.mark.parametrize("command", [command for command in COMMANDS if " -f" not in command])
def test_a_command_runs(shell, command):
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, **shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout or ">" in command


@pytest.mark.parametrize("command", [command for command in COMMANDS if " -f" in command])
def test_a_command_that_follows_runs(shell, command):
    with subprocess.Popen(["bash", "-c", f"exec {command}"], stdout=subprocess.PIPE, **shell) as process:
        assert process.stdout.readline().startswith("TIME")
        process.kill()


@pytest.mark.parametrize(("command", "shown"), SESSIONS, ids=[command for command, _ in SESSIONS])
def test_a_command_prints_what_is_shown(shell, command, shown):
    done = subprocess.run(["bash", "-c", command], capture_output=True, **shell)
    assert done.stdout == shown
