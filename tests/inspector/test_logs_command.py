"""`overcoat logs` as it is used: every view, what it says, its exit status."""

import gzip
import re
import subprocess
import sys
import time

import duckdb
import orjson
import pytest
from support.log_lines import HOSTILE, START, hostile_records, line, log_file, log_lines, records, request, timestamp

from overcoat.inspector import _requests, _tail
from overcoat.inspector._record import FIELDS

LINES = log_lines(500)
APP_LINE = orjson.dumps({"timestamp": timestamp(START), "level": "info", "event": "cache.miss", "request_id": "x"})

VIEWS = [
    pytest.param([], id="table"),
    pytest.param(["-w", "status >= 0"], id="where"),
    pytest.param(["--stats"], id="stats"),
    pytest.param(["--stats", "--by", "client,tenant"], id="by"),
    pytest.param(["--stats", "--errors"], id="errors"),
    pytest.param(["--slowest"], id="slowest"),
    pytest.param(["--sql", "SELECT path, client, error_message FROM requests"], id="sql"),
    pytest.param(["--sql", "FROM requests"], id="sql of all"),
    pytest.param(["--json"], id="json"),
    pytest.param(["--stats", "--json"], id="stats as json"),
    pytest.param(["--sql", "FROM requests", "--json"], id="sql as json"),
    pytest.param(["--export", "csv"], id="csv"),
    pytest.param(["--export", "combined"], id="combined"),
]


def words(value):
    """A command line as the name of a test."""
    return " ".join(value) if isinstance(value, list) else None


@pytest.fixture
def path(tmp_path):
    return log_file(tmp_path / "app.log", LINES)


@pytest.mark.parametrize("arguments", VIEWS)
def test_every_view_shows_something(overcoat, path, arguments):
    ran = overcoat("logs", path, "-n", "all", *arguments)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out


@pytest.mark.parametrize("arguments", [*VIEWS, pytest.param(["--id", "x"], id="id")])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\n\n", id="blank"),
        pytest.param(APP_LINE + b"\n", id="the app's own lines"),
        pytest.param(b"Listening on 8000\n{broken\n\x00\xff\n", id="broken"),
        pytest.param(b"\x00" * 5000, id="binary"),
    ],
)
def test_a_log_without_requests_is_told(overcoat, tmp_path, content, arguments):
    path = tmp_path / "app.log"
    path.write_bytes(content)
    ran = overcoat("logs", path, *arguments)
    if arguments == ["--id", "x"] and content.startswith(APP_LINE):
        assert ran.status == 0
        return
    assert ran.status == 1
    assert ("the query has no rows" if "--sql" in arguments else "no request") in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("arguments", VIEWS)
def test_broken_lines_are_counted_once(overcoat, tmp_path, arguments):
    path = log_file(
        tmp_path / "app.log", [b"Listening on 8000", *LINES, b'{"cut":', b"\xff\xfe", APP_LINE, b'{"status":500}']
    )
    ran = overcoat("logs", path, "-n", "all", *arguments)
    assert ran.status == 0
    assert ran.err == "overcoat logs: 3 lines were not JSON and were skipped\n"


@pytest.mark.parametrize("arguments", VIEWS)
def test_what_cannot_be_read_is_told_and_the_rest_is_shown(overcoat, path, tmp_path, arguments):
    cut = tmp_path / "old.log.gz"
    cut.write_bytes(gzip.compress(b"\n".join(log_lines(2000, seed=1)))[:-50])
    ran = overcoat("logs", tmp_path / "none.log", tmp_path, cut, path, "-n", "all", *arguments)
    assert ran.status == 1
    assert ran.out
    assert ran.err.splitlines()[:3] == [
        f"overcoat logs: {tmp_path}/none.log: no such file",
        f"overcoat logs: {tmp_path}: is a directory; name the files in it",
        f"overcoat logs: {cut}: the compressed data ends too early; what came before was read",
    ]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 0),
        (["--status", "404"], 0),
        (["--status", "418"], 1),
        (["-w", "status = 418"], 1),
        (["--stats", "--path", "/nowhere"], 1),
        (["--sql", "SELECT * FROM requests WHERE false"], 1),
        (["--export", "csv", "--status", "418"], 1),
        (["--sql", "SELECT"], 2),
        (["-w", "status ="], 2),
        (["-w", "length(status) > 3"], 2),
    ],
    ids=words,
)
def test_exit_status(overcoat, path, arguments, status):
    ran = overcoat("logs", path, *arguments)
    assert ran.status == status
    assert bool(ran.err) is (status != 0)
    assert ran.err.count("\n") <= 1


def test_by_and_sort_mean_the_figures(overcoat, path):
    for arguments in (["--by", "client"], ["--sort", "p95"], ["--by", "client", "--sort", "errors", "--errors"]):
        assert overcoat("logs", path, *arguments).out == overcoat("logs", path, *arguments, "--stats").out


SORTED = {
    "requests": "requests", "errors": "errors", "p50": "p50_ms", "p90": "p90_ms", "p95": "p95_ms", "p99": "p99_ms",
    "max": "max_ms", "bytes": "response_bytes",
}  # fmt: skip


@pytest.mark.parametrize("sample_rate", [None, 0.5], ids=["whole", "sampled"])
@pytest.mark.parametrize(("column", "name"), SORTED.items(), ids=SORTED)
def test_sort_puts_the_groups_with_most_first(overcoat, tmp_path, column, name, sample_rate):
    made = [one | ({"sample_rate": sample_rate} if sample_rate else {}) for one in records(500)]
    path = log_file(tmp_path / "app.log", [*map(orjson.dumps, made), line(client="no duration", duration_ms=None)])
    arguments = ("logs", path, "--by", "client", "--sort", column, "--json")
    rows = [orjson.loads(row) for row in overcoat(*arguments).rows]
    values = [row[name] for row in rows]
    known = [value for value in values if value is not None]
    assert values == sorted(known, reverse=True) + [None] * (len(values) - len(known))
    assert len(rows) > 200
    few = [orjson.loads(row) for row in overcoat(*arguments, "-n", "3").rows]
    assert few == rows[:3]


def test_what_is_probably_an_id_and_no_file_is_told(overcoat, path):
    told = {("f0dc53ea",): True, (path, "f0dc53ea"): True, ("nope",): False, ("app.log.1",): False}
    for names, is_told in told.items():
        ran = overcoat("logs", *names, "-n", "1")
        assert ("overcoat logs FILE --id f0dc53ea" in ran.err) is is_told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--status", "6xx"], "'6xx' is no status: write 404, 5xx or 400-499"),
        (["--since", "yesterday"], "'yesterday' is no time: write 2026-11-23T10:00:00Z"),
        (["--since", "1h", "--until", "2h"], "--until 2h"),
        (["--slow", "fast"], "'fast' is no duration: write milliseconds, such as 250"),
        (["--slow", "-1"], "'-1' is no duration"),
        (["--slow", "nan"], "'nan' is no duration"),
        (["-n", "many"], "'many' is no count: write a number such as 20, or all"),
        (["-n", "-5"], "'-5' is no count"),
        (["--id", ""], "the start of an id is expected"),
        (["--stats", "--by", "a b"], "'a b' is no list of fields"),
        (["--stats", "--by", "a,,b"], "is no list of fields"),
        (["-f", "--by", "method"], "--by means the groups of --stats: it does not go with -f"),
        (["--sql", "FROM requests", "--sort", "p95"], "--sort means the groups of --stats: it does not go with --sql"),
        (["--slowest", "--sort", "p95"], "--sort means the groups of --stats: it does not go with --slowest"),
        (["--sort", "p94"], "invalid choice: 'p94' (choose from"),
        (["--serve", "--by", "method,status"], "--serve shows groups by one of route, client"),
        (["--serve", "--sort", "max"], "--serve sorts by one of requests, errors"),
        (["-f", "-w", "true"], "-w asks the database, which cannot follow a file"),
        (["-f", "--id", "x"], "does not go with --export, --id, --until or --strict"),
        (["-f", "--export", "combined"], "does not go with --export, --id, --until or --strict"),
        (["--stats", "--export", "combined"], "does not go with --stats or --sql"),
        (["-f", "--strict"], "does not go with --export, --id, --until or --strict"),
        (["--slowest", "--id", "x"], "--slowest shows lines"),
        (["--slowest", "--stats"], "not allowed with argument"),
        (["--map", "stauts=.x"], "'stauts' is no field of the record; did you mean 'status'?"),
        (["--map", "status"], "'status' is no mapping: write OURS=THEIRS"),
        (["--map", "status=.a..b"], "'.a..b' is no path at '..b'"),
        (["--map", "duration_ms=.a/0"], "'/0' is no unit"),
        (["--map", ""], "a mapping is expected"),
        (["--json", "--export", "csv"], "not allowed with argument"),
        (["-f", "--stats"], "not allowed with argument"),
        (["--export", "xml"], "invalid choice: 'xml'"),
    ],
    ids=words,
)
def test_wrong_usage_is_told(overcoat, path, arguments, message):
    ran = overcoat("logs", path, *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err


@pytest.mark.parametrize(
    "arguments",
    [["-w", "rout = '/item'"], ["--stats", "--by", "rout"], ["--sql", "SELECT rout FROM requests"]],
    ids=["where", "by", "sql"],
)
def test_a_misspelt_field_is_an_error(overcoat, path, arguments):
    ran = overcoat("logs", path, *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == "overcoat logs: no line has a field 'rout'; did you mean 'route'?\n"


def test_a_field_that_is_nowhere_is_told(overcoat, path):
    ran = overcoat("logs", path, "--stats", "--by", "zone")
    assert ran.status == 0
    assert ran.err == "overcoat logs: no line has a field 'zone'\n"


@pytest.mark.parametrize("count", ["0", "3", "100", "all"])
def test_n_is_how_many(overcoat, path, count):
    rows = overcoat("logs", path, "-n", count, "--json").rows
    assert [row.encode() for row in rows] == (LINES if count == "all" else LINES[len(LINES) - int(count) :])


@pytest.mark.parametrize("where", [[], ["-w", "true"]], ids=["python", "duckdb"])
def test_the_default_is_the_last_hundred_and_all_as_json(overcoat, path, where):
    assert len(overcoat("logs", path, *where).rows) == 101
    assert [row.encode() for row in overcoat("logs", path, "--json", *where).rows] == LINES


def test_where_sees_the_fields_of_the_app(overcoat, path):
    expected = [text for text in LINES if orjson.loads(text).get("tenant") == "acme"]
    ran = overcoat("logs", path, "-w", "tenant = 'acme'", "--json")
    assert [row.encode() for row in ran.rows] == expected


def test_filters_and_where_are_all_applied(overcoat, path):
    expected = [
        text
        for text in LINES
        if (record := orjson.loads(text))["status"] >= 400 and record["method"] == "GET" and record["duration_ms"] >= 5
    ]
    ran = overcoat("logs", path, "--status", "4xx,5xx", "--slow", "5", "-w", "method = 'GET'", "--json")
    assert [row.encode() for row in ran.rows] == expected
    assert expected


def test_filters_apply_to_queries(overcoat, path):
    ran = overcoat("logs", path, "--status", "404", "--sql", "SELECT DISTINCT status FROM requests;")
    assert ran.rows == ["status", "   404"]


def test_rare_requests_of_a_large_log_come_from_the_database(overcoat, tmp_path, monkeypatch):
    for module in (_tail, _requests):
        monkeypatch.setattr(module, "BUDGET_BYTES", 10_000)
    path = log_file(
        tmp_path / "app.log", [line(path="/rare/1"), *LINES, line(path="/rare/2", timestamp="2026-11-21T00:00:00Z")]
    )
    ran = overcoat("logs", path, "--path", "/rare/*", "--json", "-n", "5")
    assert [orjson.loads(row)["path"] for row in ran.rows] == ["/rare/1", "/rare/2"]
    assert [row.split()[-1] for row in overcoat("logs", path, "--path", "/rare/*").rows[1:]] == ["/rare/1", "/rare/2"]


def test_stats_as_a_table(overcoat, tmp_path):
    logged = [
        request(),
        request(status=500, duration_ms=1000, timestamp="2026-11-20T00:01:00Z"),
        request(route=None, path="/a/7", response_bytes=None, timestamp="2026-11-20T00:02:00Z"),
    ]
    path = log_file(tmp_path / "app.log", map(orjson.dumps, logged))
    assert (
        overcoat("logs", path, "--stats", "--utc").out
        == """\
ROUTE                REQUESTS     RATE   ERRORS       P50       P90       P95       P99      MAX  BYTES  TREND
/item/<int:item_id>         2    1/min  1 (50%)  506.2 ms  901.2 ms  950.6 ms  990.1 ms   1.00 s   84 B  █       █
/a/{n}                      1     30/h        -   12.5 ms   12.5 ms   12.5 ms   12.5 ms  12.5 ms    0 B                 █
all                         3  1.5/min  1 (33%)   12.5 ms  802.5 ms  901.2 ms  980.2 ms   1.00 s   84 B  █       █      █
3 requests from 2026-11-20 00:00:00 to 2026-11-20 00:02:00 UTC, 1.5/min
TREND: requests over that time
"""  # noqa: E501 - as wide as it is
    )


def test_errors_as_a_table(overcoat, tmp_path):
    failed = {"status": 500, "error_type": "ValueError", "error_at": "a.py:1 in f", "error_message": "no\x1b luck"}
    logged = [request(**failed), request(), request(**failed, request_id="feed01", timestamp="2026-11-20T00:01:00Z")]
    path = log_file(tmp_path / "app.log", map(orjson.dumps, logged))
    assert (
        overcoat("logs", path, "--stats", "--errors", "--utc").out
        == """\
ERROR_TYPE  ERROR_AT     REQUESTS   RATE      P50      MAX  TREND             LAST                 ID      MESSAGE
ValueError  a.py:1 in f         2  2/min  12.5 ms  12.5 ms  █              █  2026-11-20 00:01:00  feed01  no\\x1b luck
all                             2  2/min  12.5 ms  12.5 ms  █              █  2026-11-20 00:01:00
2 requests from 2026-11-20 00:00:00 to 2026-11-20 00:01:00 UTC, 2/min
TREND: requests over that time
"""
    )
    row = orjson.loads(overcoat("logs", path, "--stats", "--errors", "--json").out)
    assert (row["error_type"], row["sample_id"], row["last"]) == ("ValueError", "feed01", "2026-11-20T00:01:00+00:00")


def test_stats_as_rows(overcoat, tmp_path):
    path = log_file(
        tmp_path / "app.log", [line(), line(status=500, duration_ms=13.5, timestamp="2026-11-20T00:00:04Z")]
    )
    expected = {
        "method": "GET",
        "requests": 2,
        "requests_per_s": 0.5,
        "errors": 1,
        "error_share": 0.5,
        "p50_ms": 13.0,
        "p90_ms": 13.4,
        "p95_ms": 13.45,
        "p99_ms": 13.49,
        "max_ms": 13.5,
        "response_bytes": 84,
    }
    assert [orjson.loads(row) for row in overcoat("logs", path, "--stats", "--by", "method", "--json").rows] == [
        expected
    ]
    exported = overcoat("logs", path, "--stats", "--by", "method", "--export", "csv").rows
    assert exported == [",".join(expected), "GET,2,0.5,1,0.5,13.0,13.4,13.45,13.49,13.5,84"]


def test_the_slowest_come_first(overcoat, path):
    slowest = sorted((orjson.loads(text)["duration_ms"] for text in LINES), reverse=True)
    rows = overcoat("logs", path, "--slowest", "-n", "5", "--json").rows
    assert [orjson.loads(row)["duration_ms"] for row in rows] == slowest[:5]
    assert len(overcoat("logs", path, "--slowest", "--json").rows) == 500


@pytest.mark.parametrize("arguments", [*VIEWS, pytest.param(["--id", "x"], id="id")])
def test_strict_makes_a_broken_line_an_error(overcoat, tmp_path, arguments):
    good, bad = tmp_path / "good.log", tmp_path / "bad.log"
    logged = [line(request_id="x"), *LINES]
    log_file(good, logged)
    log_file(bad, [*logged[:250], b"broken", *logged[250:]])
    assert overcoat("logs", good, "--strict", *arguments).status == 0
    ran = overcoat("logs", bad, "--strict", *arguments)
    assert ran.status == 1
    assert ran.out
    assert "1 line was not JSON" in ran.err


def test_groups_beyond_the_limit_are_told(overcoat, path):
    ran = overcoat("logs", path, "--stats", "--by", "request_id", "-n", "2")
    assert len(ran.rows) == 6
    assert ran.err == "overcoat logs: 498 more groups; -n all shows them\n"


@pytest.mark.parametrize(("rows", "groups"), [(40, 34), (10, 10), (500, 100)])
def test_a_terminal_gets_the_groups_that_it_has_room_for(terminal, path, rows, groups):
    _, written = terminal("logs", path, "--by", "request_id", rows=rows, NO_COLOR="1")
    lines = written.decode().splitlines()
    assert lines.index(next(line for line in lines if line.startswith("all "))) == groups + 1
    assert f"{500 - groups} more groups" in lines[-1]
    _, written = terminal("logs", path, "--by", "request_id", "-n", "70", rows=rows)
    assert b"430 more groups" in written


def test_help_names_the_fields(overcoat):
    told = set(re.search(r"^fields: (.+?), and", overcoat("logs", "--help").out, re.MULTILINE | re.DOTALL)[1].split())
    rare = {"event", "client_request_id", "request_headers", "response_headers"}
    assert told == FIELDS.keys() - rare


def test_the_share_of_errors_orders_groups(overcoat, tmp_path):
    logged = [*[line(client="a")] * 97, *[line(client="a", status=500)] * 3, *[line(client="b", status=500)] * 2]
    path = log_file(tmp_path / "app.log", logged)
    for sort, first in (("errors", "a"), ("error_share", "b")):
        assert (
            orjson.loads(overcoat("logs", path, "--by", "client", "--sort", sort, "--json").rows[0])["client"] == first
        )


def test_rows_beyond_the_limit_are_told(overcoat, path):
    ran = overcoat("logs", path, "--sql", "SELECT path FROM requests")
    assert len(ran.rows) == 101
    assert ran.err == "overcoat logs: there are more rows; -n all shows them\n"


def test_times_are_local_or_utc(overcoat, path, process):
    ran = process("logs", path, "-n", "1", TZ="America/New_York")
    assert "2026-11-19T19:02:" in ran.out
    assert "2026-11-20T00:02:" in process("logs", path, "-n", "1", "--utc", TZ="America/New_York").out
    query = "SELECT timestamp::DATE AS day FROM requests LIMIT 1"
    assert process("logs", path, "--sql", query, TZ="America/New_York").rows[1] == "2026-11-19"
    assert process("logs", path, "--sql", query, "--utc", TZ="America/New_York").rows[1] == "2026-11-20"


def test_since_and_until_are_in_the_zone_that_is_shown(process, path):
    seen = process(
        "logs", path, "--json", "--since", "2026-11-19 19:01", "--until", "2026-11-19", TZ="America/New_York"
    ).rows
    expected = [text for text in LINES if orjson.loads(text)["timestamp"] >= "2026-11-20T00:01"]
    assert [row.encode() for row in seen] == expected
    assert 0 < len(expected) < 500


def test_relative_times_are_from_now(overcoat, tmp_path):
    now = time.time()
    ages = {"old": 7200, "recent": 60}
    lines = [
        line(request_id=name, timestamp=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - age)))
        for name, age in ages.items()
    ]
    ran = overcoat("logs", log_file(tmp_path / "app.log", lines), "--since", "1h", "--json")
    assert [orjson.loads(row)["request_id"] for row in ran.rows] == ["recent"]


@pytest.mark.parametrize("arguments", [[], ["-"]], ids=["pipe", "dash"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "view", [["--json"], ["-n", "7", "--json"], ["--sql", "FROM requests", "--json"]], ids=["all", "last", "sql"]
)
def test_standard_input(process, arguments, packed, view):
    content = b"\n".join(LINES)
    ran = process("logs", *arguments, *view, stdin=gzip.compress(content) if packed else content)
    assert ran.status == 0
    assert len(ran.rows) == (7 if "-n" in view else 500)


def test_log_file_is_read_where_nothing_is_named(process, path):
    assert process("logs", "-n", "1", LOG_FILE=path).rows[1:]
    assert process("logs", "-n", "1", LOG_FILE="/no/such.log", stdin=LINES[0]).status == 0


def test_without_a_log_there_is_a_hint(process):
    ran = process("logs")
    assert (ran.status, ran.err) == (2, "overcoat logs: no FILE: name a log, pipe one in, or set LOG_FILE\n")


def test_csv_reads_back(process, path, tmp_path):
    exported = tmp_path / "requests.csv"
    exported.write_text(process("logs", path, "--export", "csv", "--utc", "-n", "50").out)
    rows = duckdb.execute(f"SELECT request_id, timings->>'$.db.count' FROM '{exported}'").fetchall()
    expected = [orjson.loads(text) for text in LINES[-50:]]
    assert [row[0] for row in rows] == [record["request_id"] for record in expected]
    assert [row[1] and int(row[1]) for row in rows] == [
        record.get("timings", {}).get("db", {}).get("count") for record in expected
    ]


def test_parquet_reads_back(path, tmp_path):
    exported = tmp_path / "requests.parquet"
    with exported.open("wb") as out:
        subprocess.run(
            [sys.executable, "-m", "overcoat.inspector", "logs", path, "--export", "parquet"], stdout=out, check=True
        )
    assert duckdb.execute(f"SELECT count(*), sum(status) FROM '{exported}'").fetchall() == [
        (500, sum(record["status"] for record in records(500)))
    ]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A log in which every text is hostile."""
    lines = [orjson.dumps(record) for record in hostile_records()]
    return log_file(tmp_path_factory.mktemp("hostile") / "app.log", [*lines, b"\x1b[31mbroken\x07"])


HOSTILE_VIEWS = [
    *VIEWS,
    pytest.param(["--id", HOSTILE[0]], id="id"),
    pytest.param(["--id", "日"], id="wide id"),
    pytest.param(["--stats", "--by", "user_agent,path"], id="by hostile fields"),
    pytest.param(["--sql", f'SELECT 1 AS "{HOSTILE[0]}"'], id="hostile name of a column"),
    pytest.param(["--sql", "SELECT chr(27) || '[2J', chr(8238)"], id="made by the query"),
    pytest.param(["-w", HOSTILE[0]], id="hostile condition"),
]


@pytest.mark.parametrize("arguments", HOSTILE_VIEWS)
def test_nothing_from_a_log_steers_the_terminal(terminal, hostile, arguments):
    _, written = terminal("logs", hostile, *arguments, NO_COLOR="1")
    assert written
    assert all(shown.isprintable() for shown in written.decode().replace("\r\n", "\n").split("\n"))


@pytest.mark.parametrize(
    "arguments", [view for view in HOSTILE_VIEWS if "json" not in view.id and "csv" not in view.id]
)
def test_nothing_from_a_log_steers_what_is_piped_on(process, hostile, arguments):
    ran = process("logs", hostile, *arguments)
    assert all(shown.isprintable() for shown in (ran.out + ran.err).split("\n"))


def test_json_in_a_pipe_is_as_written(process, hostile):
    assert [orjson.loads(row) for row in process("logs", hostile, "--json").out.split("\n")[:-1]] == list(
        hostile_records()
    )[:-1]


def test_colours_only_on_a_terminal_that_wants_them(terminal, process, path):
    assert b"\x1b[" in terminal("logs", path, "-n", "1")[1]
    assert b"\x1b[" not in terminal("logs", path, "-n", "1", NO_COLOR="1")[1]
    assert b"\x1b[" not in terminal("logs", path, "-n", "1", TERM="dumb")[1]
    assert "\x1b[" not in process("logs", path, "-n", "1").out
    assert "\x1b[" in process("logs", path, "-n", "1", FORCE_COLOR="1").out


def test_parquet_does_not_go_to_a_terminal(terminal, path):
    status, written = terminal("logs", path, "--export", "parquet")
    assert status == 2
    assert b"redirect it to a file" in written


def test_a_locale_without_the_characters_gets_escapes(process, tmp_path):
    path = log_file(tmp_path / "app.log", [line(path="/é日")])
    ran = process("logs", path, PYTHONIOENCODING="ascii")
    assert (ran.status, ran.rows[1].endswith("GET /\\xe9\\u65e5")) == (0, True)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """200 MB of log with a line of 60 MB near its end."""
    path = tmp_path_factory.mktemp("large") / "app.log"
    block = b"\n".join(log_lines(20_000)) + b"\n"
    with path.open("wb") as log:
        for _ in range(200 * 10**6 // len(block)):
            log.write(block)
        log.write(b'{"event":"http_request","path":"' + b"x" * 60 * 10**6 + b'"}\n')
        log.write(block)
    yield path
    path.unlink()


@pytest.mark.parametrize(
    "arguments", [["--json", "-n", "all"], ["--id", "nowhere"], ["--stats"], ["-n", "5"]], ids=words
)
@pytest.mark.parametrize("piped", [False, True], ids=["file", "pipe"])
def test_memory_is_bounded(large, arguments, piped):
    # Not getrusage: its maximum is inherited from the process that started this one.
    code = (
        "import re, sys; from overcoat.inspector.cli import main; main(sys.argv[1:])\n"
        "sys.stderr.write(re.search('VmHWM:.*', open('/proc/self/status').read())[0])"
    )
    command = [sys.executable, "-c", code, "logs", "-" if piped else str(large), *arguments]
    with large.open("rb") as log:
        done = subprocess.run(command, stdin=log, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert int(done.stderr.split()[-2]) * 1024 < large.stat().st_size
