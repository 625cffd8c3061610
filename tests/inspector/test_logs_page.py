"""The page about `overcoat logs`: every command in it runs, and prints what the page shows."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from support.log_lines import log_file, log_lines, records

from overcoat.inspector._export import UTC, combined

PAGE = (Path(__file__).parents[2] / "docs" / "logs.md").read_text()
COMMANDS = [
    command
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for command in block.splitlines()
    if not command.startswith("pip ")
]
SESSIONS = re.findall(r"^```console\n\$ (.*?)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

#: A line of each, as their documentation shows it.
CADDY = [
    {
        "level": "info",
        "ts": 1795132800.25,
        "logger": "http.log.access",
        "msg": "handled request",
        "request": {
            "client_ip": "192.0.2.1",
            "proto": "HTTP/2.0",
            "method": "GET",
            "host": "shop.example",
            "uri": "/item/7?page=2",
        },
        "duration": 0.0125,
        "size": 42,
        "status": 200,
    }
]
TRAEFIK = [
    {
        "ClientHost": "192.0.2.1",
        "DownstreamContentSize": 42,
        "DownstreamStatus": 200,
        "Duration": 12_500_000,
        "RequestMethod": "GET",
        "RequestPath": "/item/7?page=2",
        "StartUTC": "2026-11-20T00:00:00.25Z",
    }
]

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
    access = [combined(record, UTC).encode() for record in records(50)]
    log_file(tmp_path / "access.log", access)
    log_file(tmp_path / "caddy.log", [orjson.dumps(record) for record in CADDY])
    log_file(tmp_path / "traefik.log", [orjson.dumps(record) for record in TRAEFIK])
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
    for tool in ("goaccess", "jq"):
        if re.search(rf"(^|\| ){tool} ", command) and shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, **shell)
    assert done.returncode == 0
    assert re.fullmatch(r"(overcoat logs: \d+ more groups; -n all shows them\n)?", done.stderr)
    assert done.stdout or re.search(r">| -o ", command)


@pytest.mark.parametrize("command", [command for command in COMMANDS if " -f" in command])
def test_a_command_that_follows_runs(shell, command):
    with subprocess.Popen(["bash", "-c", f"exec {command}"], stdout=subprocess.PIPE, **shell) as process:
        assert process.stdout.readline().startswith("TIME")
        process.kill()


@pytest.mark.parametrize(("command", "shown"), SESSIONS, ids=[command for command, _ in SESSIONS])
def test_a_command_prints_what_is_shown(shell, command, shown):
    done = subprocess.run(["bash", "-c", command], capture_output=True, **shell)
    assert done.stdout == shown
