"""Temporary folders are gone with their process, be it killed: the next one sees to that."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager

import pytest
from support.log_lines import line

from overcoat.inspector._scratch import PREFIX, Scratch

HOUR_S = 3600


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Where temporary files go, and nothing else is."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def aged(folder, mode=0o700):
    """A folder that was made an hour ago, with a file in it."""
    folder.mkdir()
    (folder / "0.log").write_text("a copy of a log")
    folder.chmod(mode)
    os.utime(folder, (time.time() - HOUR_S,) * 2)
    return folder


def test_a_folder_is_for_its_owner_alone_and_is_removed(place):
    scratch = Scratch()
    assert scratch.folder.parent == place
    assert scratch.folder.stat().st_mode & 0o777 == 0o700
    (scratch.folder / "0.log").write_text("x")
    scratch.remove()
    scratch.remove()
    assert list(place.iterdir()) == []


def test_what_nobody_holds_is_removed_by_the_next(place):
    aged(place / f"{PREFIX}abandoned")
    scratch = Scratch()
    assert list(place.iterdir()) == [scratch.folder]
    scratch.remove()


def test_what_somebody_holds_stays_however_old_it_is(place):
    first = Scratch()
    os.utime(first.folder, (time.time() - HOUR_S,) * 2)
    code = "from overcoat.inspector._scratch import Scratch; Scratch().remove()"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "TMPDIR": str(place)})
    assert first.folder.is_dir()
    first.remove()


KEPT = {
    "a young one": lambda place: (place / f"{PREFIX}young").mkdir(mode=0o700),
    "one that others may enter": lambda place: aged(place / f"{PREFIX}open", 0o755),
    "another name": lambda place: aged(place / "overcoat"),
    "a file": lambda place: (place / f"{PREFIX}file").write_text(""),
    "a link": lambda place: (place / f"{PREFIX}link").symlink_to(aged(place.parent / "theirs")),
    "a link to nothing": lambda place: (place / f"{PREFIX}dangling").symlink_to("nowhere"),
}


@pytest.mark.parametrize("make", KEPT.values(), ids=KEPT)
def test_what_is_not_surely_ours_stays(place, make):
    make(place)
    before = {*place.rglob("*"), *(place.parent / "theirs").glob("*")}
    Scratch().remove()
    assert {*place.rglob("*"), *(place.parent / "theirs").glob("*")} == before


def test_what_belongs_to_another_user_stays(place, monkeypatch):
    theirs = aged(place / f"{PREFIX}theirs")
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    Scratch().remove()
    assert theirs.is_dir()


def test_where_there_are_no_locks_nothing_is_removed(place, monkeypatch):
    import fcntl

    def refuse(*arguments):
        raise OSError("no locks on this file system")

    old = aged(place / f"{PREFIX}old")
    monkeypatch.setattr(fcntl, "flock", refuse)
    scratch = Scratch()
    assert old.is_dir()
    scratch.remove()
    assert not scratch.folder.exists()


def folders_of(process, place):
    """The folders of a process, once it has one."""
    deadline_s = time.monotonic() + 60
    while not (found := list(place.glob(f"{PREFIX}*"))):
        assert process.poll() is None
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    return found


def environment(place):
    return {**os.environ, "TMPDIR": str(place)}


@contextmanager
def served(place, tmp_path):
    """A page in a process of its own, with an index, and the index's folder."""
    log = tmp_path / "app.log"
    log.write_bytes(line() + b"\n")
    command = [sys.executable, "-m", "overcoat.inspector", "logs", str(log), "--serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(place)) as process:
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}api/requests") as answer:
            assert answer.status == 200
        (folder,) = folders_of(process, place)
        yield process, folder


def test_a_page_that_was_killed_leaves_nothing_once_another_was_there(place, tmp_path):
    with served(place, tmp_path) as (process, folder):
        process.kill()
    assert folder.is_dir()
    os.utime(folder, (time.time() - HOUR_S,) * 2)
    Scratch().remove()
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
def test_a_page_that_is_told_to_end_leaves_nothing_at_once(place, tmp_path, number):
    with served(place, tmp_path) as (process, _):
        process.send_signal(number)
    assert process.returncode == 128 + number
    assert list(place.iterdir()) == []


def test_a_reader_of_standard_input_that_was_killed_leaves_nothing_either(place):
    command = [sys.executable, "-m", "overcoat.inspector", "logs", "-", "--stats"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment(place)) as process:
        process.stdin.write(line() + b"\n")
        process.stdin.flush()
        (folder,) = folders_of(process, place)
        process.kill()
        process.stdin.close()
    assert folder.is_dir()
    os.utime(folder, (time.time() - HOUR_S,) * 2)
    Scratch().remove()
    assert list(place.iterdir()) == []
