"""The bar of a long read: on a terminal only, only when it takes long, and gone without a trace."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time

import pytest
from support.log_lines import line, log_file, log_lines

from overcoat.inspector._database import Database
from overcoat.inspector._files import LogFiles
from overcoat.inspector._filters import Filters

IMPATIENT = (
    "import sys, time; from overcoat.inspector import _progress, _files; _progress._PATIENCE_SECONDS = 0;"
    "from overcoat.inspector.cli import main; {}; sys.exit(main())"
)
SLOW_BLOCKS = (
    "blocks = _files.LogFiles.blocks;"
    "_files.LogFiles.blocks = lambda self, file: (time.sleep(1.5) or block for block in blocks(self, file))"
)
SLOW_QUERY = (
    "from overcoat.inspector._database import Database; rows = Database.rows;"
    "Database.rows = lambda *given, **named: (time.sleep(0.5) or row for row in rows(*given, **named));"
    "Database.share_done = lambda self: 0.42"
)


@pytest.fixture
def started():
    """A command whose standard error is a terminal and its standard output a pipe."""
    opened = []

    def start(*arguments, patch="pass", stdout=subprocess.PIPE):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", IMPATIENT.format(patch), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=theirs if stdout is None else stdout,
            stderr=theirs,
            env={**os.environ, "COLUMNS": "100"},
        )
        os.close(theirs)
        opened.append((process, ours))
        return process, ours

    yield start
    for process, ours in opened:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
        os.close(ours)


def read(terminal, until=None):
    """What was written to a terminal, to its end or to some bytes."""
    written = b""
    try:
        while until is None or until not in written:
            block = os.read(terminal, 65536)
            if not block:
                break
            written += block
    except OSError:  # the other end is closed
        pass
    return written


def test_a_long_read_shows_how_far_it_is_and_leaves_no_trace(started, tmp_path):
    path = log_file(tmp_path / "app.log", [line(request_id="feed01")])
    process, terminal = started("logs", path, "--id", "feed01", patch=SLOW_BLOCKS)
    written = read(terminal)
    out = process.stdout.read()
    assert process.wait(timeout=60) == 0
    assert b"feed01" in out
    assert b"reading" in written
    assert written.rfind(b"\x1b[?25h") > written.rfind(b"\x1b[?25l") >= 0  # the cursor is shown again
    assert written.endswith(b"\x1b[2K")  # and the line of the bar is empty


def test_a_query_shows_how_far_it_is(started, tmp_path):
    process, terminal = started("logs", log_file(tmp_path / "app.log", log_lines(3)), "--stats", patch=SLOW_QUERY)
    written = read(terminal)
    process.stdout.read()
    assert process.wait(timeout=60) == 0
    assert b"reading, 42%" in written


def test_a_query_knows_how_far_it_is(tmp_path):
    files = LogFiles([log_file(tmp_path / "app.log", log_lines(10_000) * 10)])
    shares = set()
    with Database(files, Filters()) as database:
        ended = threading.Event()

        def ask():
            while not ended.is_set():  # one query may be over before anybody looks
                list(database.rows("SELECT request_id, count(*) FROM requests GROUP BY ALL LIMIT 1"))

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            deadline = time.monotonic() + 60
            while not any(0 < share < 1 for share in shares) and time.monotonic() < deadline:
                shares.add(database.share_done() or 0)
                time.sleep(0.001)
        finally:
            ended.set()
            asking.join()
    assert any(0 < share < 1 for share in shares), shares


def test_a_pipe_has_no_bar(tmp_path):
    path = log_file(tmp_path / "app.log", [line(request_id="feed01")])
    done = subprocess.run(
        [sys.executable, "-c", IMPATIENT.format(SLOW_BLOCKS), "logs", path, "--id", "feed01"],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_lines_that_come_on_the_same_terminal_are_not_mixed_with_a_bar(started, tmp_path):
    path = log_file(tmp_path / "app.log", log_lines(3))
    process, terminal = started("logs", path, "-n", "all", patch=SLOW_BLOCKS, stdout=None)
    written = read(terminal)
    assert process.wait(timeout=60) == 0
    assert b"reading" not in written


def test_ctrl_c_leaves_a_clean_terminal(started, tmp_path):
    path = log_file(tmp_path / "app.log", log_lines(20_000))
    query = "SELECT count(*) FROM requests a, requests b, requests c WHERE a.path <> b.path AND b.path <> c.path"
    process, terminal = started("logs", path, "--sql", query)
    before = read(terminal, until=b"reading")
    time.sleep(0.5)  # the query has begun, as a rule; whenever Ctrl-C comes, the end is the same
    process.send_signal(signal.SIGINT)
    written = before + read(terminal)
    assert process.wait(timeout=60) == 130
    assert b"Traceback" not in written
    assert written.rfind(b"\x1b[?25h") > written.rfind(b"\x1b[?25l") >= 0
    assert re.search(rb"\x1b\[2?K$", written)
