"""The Tab key, in the real shells."""

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time

import pytest

from overcoat.inspector.cli import COMMANDS, _parser
from overcoat.inspector.completion_command import SHELLS

PATIENCE_S = 60
OPTIONS = sorted(
    option
    for action in _parser("logs")._subparsers._group_actions[0].choices["logs"]._actions
    for option in action.option_strings
    if option.startswith("--")
)
COMPLETED = {
    "overcoat ": sorted(COMMANDS),
    "overcoat lo": ["logs"],
    "overcoat completion z": ["zsh"],
    "overcoat logs --": OPTIONS,
    "overcoat logs --st": ["--stats", "--status", "--strict"],
    "overcoat logs --export p": ["parquet"],
    "overcoat logs --stats --by method,sta": ["method,status"],
    "overcoat logs --stats --by stat": ["status"],
    "overcoat logs sho": ["shop.log"],
    "overcoat logs --errors sho": ["shop.log"],
}


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """Where `overcoat` is the command of this checkout, in a folder with a log."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "overcoat"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m overcoat.inspector "$@"\n')
    program.chmod(0o755)
    (tmp_path / "shop.log").write_text("")
    monkeypatch.chdir(tmp_path)
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path), "TERM": "dumb"}


def shell(name, script, environment, *arguments):
    """What a shell prints for a script."""
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run(
        [program, *arguments, "-c", script], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("name", SHELLS)
def test_the_script_is_one_that_the_shell_reads(overcoat, environment, tmp_path, name):
    ran = overcoat("completion", name)
    assert (ran.status, ran.err) == (0, "")
    script = tmp_path / "script"
    script.write_text(ran.out)
    assert shell(name, f"exec {name} -n {script}", environment) == ""


@pytest.mark.parametrize(("typed", "completed"), COMPLETED.items(), ids=COMPLETED)
def test_bash_completes(environment, typed, completed):
    found = shell(
        "bash",
        f'source <(overcoat completion bash); COMP_LINE="{typed}"; COMP_POINT={len(typed)}; COMP_TYPE=9; '
        '_python_argcomplete overcoat; printf "%s\\n" "${COMPREPLY[@]}"',
        environment,
        "--norc",
    )
    assert sorted(word.strip() for word in found.splitlines()) == completed


@pytest.mark.parametrize(("typed", "completed"), COMPLETED.items(), ids=COMPLETED)
def test_fish_completes(environment, typed, completed):
    found = shell("fish", f"overcoat completion fish | source; complete -C '{typed}'", environment, "--no-config")
    assert sorted(row.split("\t")[0].strip() for row in found.splitlines()) == completed


ZSHRC = """
PS1='READY> '
fpath=($HOME/functions $fpath)
autoload -Uz compinit && compinit -u -D
bindkey '^I' complete-word
LISTMAX=1000
told() { print -r -- "$BUFFER|" > $HOME/told.new && mv $HOME/told.new $HOME/told }
zle -N told
bindkey '^X' told
"""


@pytest.mark.parametrize(("typed", "completed"), COMPLETED.items(), ids=COMPLETED)
def test_zsh_completes(environment, tmp_path, typed, completed):
    program = shutil.which("zsh")
    if program is None:
        pytest.skip("zsh is not installed")
    (tmp_path / "functions").mkdir()
    script = subprocess.run(["overcoat", "completion", "zsh"], env=environment, capture_output=True, check=True).stdout
    (tmp_path / "functions" / "_overcoat").write_bytes(script)
    (tmp_path / ".zshrc").write_text(ZSHRC)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 100, 200, 0, 0))
    environment |= {"ZDOTDIR": str(tmp_path)}
    process = subprocess.Popen(
        [program, "-i"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    seen = b""

    def read_until(condition):
        nonlocal seen
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline_s, seen
            if select.select([ours], [], [], 0.02)[0]:
                seen += os.read(ours, 65536)

    try:
        read_until(lambda: b"READY> " in seen)
        # zsh takes one key after the other: what the second one tells is what the first one made of the line.
        os.write(ours, typed.encode() + b"\t\x18")
        read_until((tmp_path / "told").exists)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    line = (tmp_path / "told").read_text().removesuffix("|\n")
    listed = re.findall(r"^(\S+) +(?:-\S )? *-- ", seen.decode(), re.MULTILINE)
    if len(completed) == 1:
        assert line == f"{typed.rpartition(' ')[0]} {completed[0]} "
    else:
        assert (line, sorted(listed)) == (typed, completed)


@pytest.mark.parametrize("typed", ["overcoat logs --since ", "overcoat logs --id s"])
def test_a_value_that_is_no_file_is_not_guessed(environment, tmp_path, typed):
    told = tmp_path / "told"
    asked = {"_ARGCOMPLETE": "1", "COMP_LINE": typed, "COMP_POINT": str(len(typed)), "_ARGCOMPLETE_IFS": "\n"}
    environment |= asked | {"_ARGCOMPLETE_STDOUT_FILENAME": str(told)}
    subprocess.run(["overcoat"], env=environment, check=True)
    assert told.read_text() == ""


def test_another_shell_is_wrong_usage(overcoat):
    ran = overcoat("completion", "tcsh")
    assert ran.status == 2
    assert "invalid choice: 'tcsh'" in ran.err
