"""Everything about one request, and nothing about others."""

import gzip

import orjson
import pytest
from support.log_lines import START, line, log_file, log_lines, timestamp

AT = timestamp(START)


def app_line(request_id, event="cache.miss", **fields):
    """A line of the app."""
    return orjson.dumps({"timestamp": AT, "level": "warning", "event": event, "request_id": request_id, **fields})


@pytest.fixture
def path(tmp_path):
    """A log in which one request has lines of the app, far from its own."""
    around = log_lines(2000)
    own = [
        app_line("feed01", key="k\x1b", count=3),
        app_line("feed01", "failed", exception="Traceback\n  File x\nValueError"),
    ]
    last = line(
        request_id="feed01",
        status=500,
        outcome="failed",
        query="a=1",
        tenant="acme",
        error_type="ValueError",
        timings={"db": {"duration_ms": 10.0, "count": 3}, "render": {"duration_ms": 1.25, "count": 1}},
    )
    return log_file(tmp_path / "app.log", [*own, app_line("feed02"), *around, last, line(request_id="feed02")])


def test_one_request_in_detail(overcoat, path):
    ran = overcoat("logs", path, "--id", "feed01", "--utc")
    assert (ran.status, ran.err) == (0, "")
    assert ran.rows[0] == "GET /item/7?a=1  500  12.5 ms  ValueError"
    assert "  tenant          acme" in ran.rows
    assert "  timestamp       2026-11-20 00:00:00.000000+00:00" in ran.rows
    assert "  db        10.0 ms   80.0%     3 x  ████████████████████████" in ran.rows
    assert "  render     1.2 ms   10.0%     1 x  ███" in ran.rows
    assert ran.rows[ran.rows.index("what the app logged meanwhile: 2 lines") :] == [
        "what the app logged meanwhile: 2 lines",
        "  00:00:00.000  warning   cache.miss  key=k\\x1b  count=3",
        "  00:00:00.000  warning   failed",
        "    exception:",
        "      Traceback",
        "        File x",
        "      ValueError",
    ]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_prefix_is_enough_anywhere_in_any_file(overcoat, tmp_path, packed):
    lines = log_lines(3000)
    wanted = orjson.loads(lines[1234])
    content = b"\n".join(lines)
    path = tmp_path / "app.log"
    path.write_bytes(gzip.compress(content) if packed else content)
    ran = overcoat("logs", path, "--id", wanted["request_id"][:10])
    assert f"  request_id      {wanted['request_id']}" in ran.rows


def test_several_matches_are_listed(overcoat, path):
    ran = overcoat("logs", path, "--id", "feed")
    assert [row.split()[6] for row in ran.rows[1:]] == ["feed01", "feed02"]
    assert ran.err == "overcoat logs: 2 requests whose id begins so; with more of it there is one, in detail\n"


def test_requests_that_share_an_id_are_all_shown(overcoat, tmp_path):
    path = log_file(tmp_path / "app.log", [line(request_id="twice", path="/a"), line(request_id="twice", path="/b")])
    ran = overcoat("logs", path, "--id", "twice")
    assert [row for row in ran.rows if row.startswith("GET")] == ["GET /a  200  12.5 ms", "GET /b  200  12.5 ms"]


@pytest.mark.parametrize("arguments", [("--id", "nothing"), ("--id", "feed01", "--status", "200"), ("--id", "eed0")])
def test_no_match_is_told(overcoat, path, arguments):
    ran = overcoat("logs", path, *arguments)
    assert (ran.status, ran.out) == (1, "")
    assert "no request matches" in ran.err


def test_an_id_in_other_case_is_told(overcoat, path):
    assert "in upper and lower case as it is" in overcoat("logs", path, "--id", "FEED01").err
    assert "upper and lower" not in overcoat("logs", path, "--id", "feed01", "--status", "200").err


def test_an_app_line_alone_is_shown(overcoat, tmp_path):
    ran = overcoat("logs", log_file(tmp_path / "app.log", [app_line("only")]), "--id", "only")
    assert ran.status == 0
    assert "what the app logged meanwhile: 1 line" in ran.rows
    assert "there is no line of its request (yet)" in ran.err


def test_as_json_it_is_every_line_in_order(overcoat, path):
    ran = overcoat("logs", path, "--id", "feed01", "--json")
    assert [orjson.loads(row)["event"] for row in ran.rows] == ["cache.miss", "failed", "http_request"]


@pytest.mark.parametrize("request_id", ['a"b\\c', "é日", "a b", ".*", "[x"])
def test_an_id_of_any_characters_is_found(overcoat, tmp_path, request_id):
    ascii_only = orjson.dumps({"event": "http_request", "path": "/ascii", "request_id": "other"})
    path = log_file(tmp_path / "app.log", [line(request_id=request_id), ascii_only, line(request_id="x" + request_id)])
    ran = overcoat("logs", path, "--id", request_id)
    assert ran.rows[0].startswith("GET /item/7")


@pytest.mark.parametrize(
    "timings",
    [None, [], {}, {"a": None}, {"a": -5}, {"a": {"duration_ms": "x"}}, {"a": {"duration_ms": 1e308, "count": 1e308}}],
    ids=str,
)
def test_odd_timings_do_no_harm(overcoat, tmp_path, timings):
    path = log_file(tmp_path / "app.log", [line(request_id="odd", timings=timings, duration_ms=0)])
    assert overcoat("logs", path, "--id", "odd").status == 0


def test_what_no_view_can_write_does_not_end_one(overcoat, tmp_path):
    deep = orjson.loads(b"[" * 500 + b"]" * 500)
    written = (
        line(request_id="feed01", path="/x").rstrip(b"\n")[:-1] + b',"payload":' + b"[" * 500 + b"]" * 500 + b"}\n"
    )
    assert deep
    late = line(request_id="feed02", timestamp="2026-01-01T00:00:00Z", response_bytes=2**62)
    path = log_file(tmp_path / "app.log", [written, late, late, late])
    ran = overcoat("logs", path, "--id", "feed01", "--utc")
    assert (ran.status, ran.err) == (0, "")
    assert "nested too deeply" in "".join(ran.rows)
    ran = overcoat("logs", path, "--stats")
    assert ran.status == 0
    assert "Traceback" not in ran.err
