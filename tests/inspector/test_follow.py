"""New lines are seen once, in order, across rotation and truncation."""

import os
import signal
import subprocess
import sys

import pytest
from support.log_lines import line, log_lines

from overcoat.inspector import _follow
from overcoat.inspector._files import LogFiles
from overcoat.inspector._follow import Follower


def write(path, content, mode="ab"):
    """Write to the file of that name, as it is now."""
    with path.open(mode) as log:
        log.write(content)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "app.log"
    write(path, b"one\ntwo\n")
    return path


@pytest.fixture
def follower(path):
    files = LogFiles([str(path)])
    follower = Follower(files.readable[0], files)
    yield follower
    follower.close()


def test_what_was_there_comes_from_the_end_and_only_once(follower):
    assert list(follower.earlier()) == [b"two", b"one"]
    assert follower.new() == []


def test_what_is_new_comes_in_order(follower, path):
    write(path, b"three\nfo")
    assert follower.new() == [b"three"]
    write(path, b"ur\n")
    assert follower.new() == [b"four"]


def test_a_line_that_was_begun_before_is_seen_whole(path):
    write(path, b"thr")
    files = LogFiles([str(path)])
    follower = Follower(files.readable[0], files)
    assert list(follower.earlier()) == [b"two", b"one"]
    write(path, b"ee\n")
    assert follower.new() == [b"three"]
    follower.close()


def test_rotation_by_renaming(follower, path):
    with path.open("ab") as writer:
        path.rename(path.with_suffix(".1"))
        writer.write(b"three\n")
        writer.flush()
        assert follower.new() == [b"three"]
        write(path, b"new one\n")
        assert follower.new() == [b"new one"]
        writer.write(b"late\n")  # from a process that has not noticed the rename yet
        writer.flush()
        write(path, b"new two\n")
        assert sorted(follower.new()) == [b"late", b"new two"]
    path.rename(path.with_suffix(".2"))
    write(path, b"newer\n")
    assert follower.new() == [b"newer"]


def test_a_renamed_file_is_closed_in_the_end(follower, path, monkeypatch):
    path.rename(path.with_suffix(".1"))
    write(path, b"three\n")
    assert follower.new() == [b"three"]
    assert len(follower._retired) == 1
    for _ in range(_follow._RETIRED_POLLS):
        follower.new()
    assert follower._retired == []


def test_truncation(follower, path):
    write(path, b"cut", mode="ab")
    follower.new()
    write(path, b"new\n", mode="wb")
    assert follower.new() == [b"new"]


def test_a_missing_file_is_waited_for(follower, path):
    path.unlink()
    assert follower.new() == []
    write(path, b"back\n")
    assert follower.new() == [b"back"]


def test_a_large_backlog_comes_in_parts(follower, path, monkeypatch):
    monkeypatch.setattr(_follow, "BLOCK_BYTES", 100)
    lines = [b"%04d" % number for number in range(2000)]
    write(path, b"\n".join(lines) + b"\n")
    parts = []
    while part := follower.new():
        assert len(part) <= 16 * 100 / 5 + 1
        parts += part
    assert parts == lines


@pytest.fixture
def following(tmp_path):
    """`overcoat logs -f` over a file, with what it prints line by line."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "overcoat.inspector", "logs", "-f", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ,  # without it the process sees the COLUMNS that the readline library set here
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


def test_the_command_follows_until_ctrl_c(following, tmp_path):
    path = tmp_path / "app.log"
    write(path, b"\n".join(log_lines(20)) + b"\n")
    process = following("-n", "3", str(path))
    first = [process.stdout.readline() for _ in range(4)]
    assert first[0].startswith(b"TIME")
    write(path, b"not json\n" + line(path="/new") + b"\n")
    assert b"GET /new" in process.stdout.readline()
    path.rename(tmp_path / "app.log.1")
    write(path, line(path="/rotated") + b"\n")
    assert b"GET /rotated" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert err == b"overcoat logs: 1 line was not JSON and was skipped\n"


@pytest.mark.parametrize("arguments", [(), ("-",)], ids=["pipe", "dash"])
def test_a_pipe_is_followed_line_by_line(following, arguments):
    process = following("--json", *arguments)
    for name in (b"one", b"two"):
        process.stdin.write(line(request_id=name.decode()) + b"\n")
        process.stdin.flush()
        assert name in process.stdout.readline()
    process.stdin.close()
    assert process.wait(timeout=30) == 0


def test_filters_apply_to_new_lines(following, tmp_path):
    path = tmp_path / "app.log"
    write(path, line(path="/early", status=500) + b"\n")
    process = following("--json", "--errors", str(path))
    assert b"/early" in process.stdout.readline()
    write(path, line(path="/fine") + b"\n" + line(path="/late", status=503) + b"\n")
    assert b"/late" in process.stdout.readline()


def test_a_reader_that_leaves_ends_it(following, tmp_path):
    path = tmp_path / "app.log"
    write(path, line() + b"\n")
    process = following("--json", str(path))
    process.stdout.readline()
    process.stdout.close()
    write(path, line() + b"\n")
    assert process.wait(timeout=30) == 0
    assert process.stderr.read() == b""


def test_gzip_files_do_not_grow(overcoat, tmp_path):
    path = tmp_path / "app.log.gz"
    path.write_bytes(b"\x1f\x8b" + os.urandom(10))
    ran = overcoat("logs", "-f", path)
    assert (ran.status, ran.err) == (1, f"overcoat logs: {path}: only plain files are followed\n")
