"""The command itself: what it loads, what it says to mistakes, how it ends."""

import os
import signal
import subprocess
import sys
import time

import pytest
from support.log_lines import line, log_file, log_lines
from support.servers import PATIENCE_S, wait_for

from overcoat.inspector import cli

HEAVY = ("duckdb", "rich", "flask", "structlog", "sqlalchemy", "orjson", "werkzeug")


def words(value):
    """A command line as the name of a test."""
    return " ".join(value) if isinstance(value, list) else None


def loaded(*arguments):
    """Which of the heavy libraries a command loaded."""
    code = (
        "import sys; from overcoat.inspector.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        f"print(sorted(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, stdin=subprocess.DEVNULL, text=True
    )
    return done.stderr.splitlines()[-1]


def test_help_lists_the_commands(overcoat):
    ran = overcoat("--help")
    assert ran.status == 0
    assert "serve the demo" in ran.out
    assert "show and query request logs" in ran.out


def test_without_a_command_there_is_help(overcoat):
    ran = overcoat()
    assert ran.status == 2
    assert ran.out.startswith("usage: overcoat")


def test_version_is_that_of_the_package(overcoat, monkeypatch):
    monkeypatch.setattr(cli, "version", lambda name: f"1.2.3 of {name}")
    assert overcoat("--version").out == "overcoat 1.2.3 of overcoat\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["log"], "invalid choice: 'log' (choose from"),
        (["logs", "--statsu"], "unrecognized arguments: --statsu"),
        (["logs", "--stat", "app.log"], "unrecognized arguments: --stat"),
        (["--verison"], "unrecognized arguments: --verison"),
        (["logs", "--stats", "--sql", "SELECT 1"], "not allowed with argument"),
    ],
    ids=words,
)
def test_a_mistake_is_told_and_exits_with_2(overcoat, arguments, message):
    ran = overcoat(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err


def test_help_loads_no_library():
    assert loaded("--help") == "[]"


def test_the_help_of_logs_loads_no_extra():
    assert loaded("logs", "--help") == "[]"


@pytest.mark.parametrize(
    ("arguments", "libraries"),
    [
        ([], "['orjson', 'rich']"),
        (["--status", "5xx", "--json"], "['orjson', 'rich']"),
        (["--id", "8c2f"], "['orjson', 'rich', 'structlog']"),
        (["--stats"], "['duckdb', 'orjson', 'rich']"),
    ],
    ids=["table", "filter", "id", "stats"],
)
def test_duckdb_is_loaded_only_where_it_works(tmp_path, arguments, libraries):
    assert loaded("logs", log_file(tmp_path / "app.log", [line()]), *arguments) == libraries


@pytest.mark.parametrize(
    ("missing", "arguments"),
    [("duckdb", ["--stats"]), ("rich", []), ("duckdb", ["-w", "status = 200"])],
    ids=["stats", "table", "where"],
)
def test_a_missing_extra_is_named(tmp_path, missing, arguments):
    code = f"import sys; sys.modules['{missing}'] = None; from overcoat.inspector.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "logs", log_file(tmp_path / "app.log", [line()]), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"overcoat logs needs {missing}: pip install 'overcoat[logs]'\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--json"],
        ["-n", "all"],
        ["--stats", "--by", "request_id", "-n", "all"],
        ["--export", "csv"],
        ["--sql", "FROM requests", "--json"],
    ],
    ids=words,
)
def test_a_reader_that_leaves_is_no_error(tmp_path, arguments):
    path = log_file(tmp_path / "app.log", log_lines(5000))
    process = subprocess.Popen(
        [sys.executable, "-m", "overcoat.inspector", "logs", path, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() in {b"", b"overcoat logs: there are more rows; -n all shows them\n"}
    process.stderr.close()
    assert process.wait(timeout=PATIENCE_S) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(
            ["--sql", "SELECT count(*) FROM requests a, requests b, requests c WHERE a.path <> b.path"], id="join"
        ),
        pytest.param(["--sql", "SELECT sum(a.range) FROM range(1000000000000) a"], id="scan"),
    ],
)
def test_ctrl_c_ends_a_query_without_a_word(tmp_path, arguments):
    path = log_file(tmp_path / "app.log", log_lines(20_000))
    room = tmp_path / "room"
    room.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "overcoat.inspector", "logs", path, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(room)},
    )
    wait_for(lambda: any(room.iterdir()), "the database")
    time.sleep(0.5)  # the query has begun, as a rule; whenever Ctrl-C comes, the end is the same
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (130, b"", b"")
    assert not any(room.iterdir())
