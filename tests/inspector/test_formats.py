"""Logs in other formats: the standards' names, the combined format, any JSON with `--map`, compressed, rotated."""

import gzip
import importlib
import os
import subprocess
import sys
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.log_lines import line, log_file, log_lines, records, request

from overcoat.inspector._combined import parse_combined
from overcoat.inspector._export import combined
from overcoat.inspector._mapping import parse_mapping
from overcoat.inspector._reader import Reader
from overcoat.inspector._standards import ours
from overcoat.middleware._names import READY

zstd = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

RECORDS = list(records(300))
FULL = request(
    query="a=1&b=%20",
    request_headers={"referer": "https://a.example/", "accept": "*/*"},
    response_headers={"etag": '"x"'},
    error_type="ValueError",
    error_message="no luck",
    error_at="shop/cart.py:41 in add",
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    span_id="00f067aa0ba902b7",
    scheme="https",
    host="[2001:db8::1]:8443",
    http_version="1.1",
    user_agent="curl/8",
    timings={"db": {"duration_ms": 1.5, "count": 2}},
    sample_rate=0.5,
    first_byte_ms=12.25,
    request_bytes=7,
    peer="127.0.0.1",
    tenant="acme",
    cart={"items": 3},
)
VIEWS = [["--json"], ["--stats", "--json"], ["-n", "7"], ["-w", "status >= 500", "--json"], ["--slowest", "-n", "3"]]


@pytest.mark.parametrize("names", READY)
def test_a_record_under_a_standards_names_is_ours_again(names):
    rename = READY[names]()
    for record in [FULL, *RECORDS]:
        written = orjson.loads(orjson.dumps(rename(record)))
        assert ours(written) == record


@pytest.mark.parametrize("arguments", VIEWS, ids=" ".join)
@pytest.mark.parametrize("names", READY)
def test_every_view_is_the_same_under_any_names(overcoat, tmp_path, names, arguments):
    rename = READY[names]()
    native = log_file(tmp_path / "ours.log", map(orjson.dumps, RECORDS))
    named = log_file(tmp_path / "named.log", [orjson.dumps(rename(record)) for record in RECORDS])
    expected = overcoat("logs", native, *arguments)
    ran = overcoat("logs", named, *arguments)
    assert (ran.status, ran.err) == (expected.status, expected.err) == (0, "")
    parse = orjson.loads if "--json" in arguments else str
    assert [parse(row) for row in ran.rows] == [parse(row) for row in expected.rows]


@pytest.mark.parametrize("names", READY)
def test_one_request_is_found_under_any_names(overcoat, tmp_path, names):
    rename = READY[names]()
    app_line = {"event": "cache.miss", "request_id": RECORDS[5]["request_id"], "key": "k"}
    lines = [orjson.dumps(app_line), *(orjson.dumps(rename(record)) for record in [*RECORDS, FULL])]
    path = log_file(tmp_path / "app.log", lines)
    ran = overcoat("logs", path, "--id", RECORDS[5]["request_id"][:9])
    assert f"  request_id      {RECORDS[5]['request_id']}" in ran.rows
    assert "what the app logged meanwhile: 1 line" in ran.rows
    assert "  trace_id          4bf92f3577b34da6a3ce929d0e0e4736" in overcoat("logs", path, "--id", "4bf92f35").rows


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.dictionaries(
            st.sampled_from(
                [
                    "event",
                    "event_name",
                    "action",
                    "httpRequest",
                    "requestUrl",
                    "latency",
                    "http.request.method",
                    "ecs",
                    "overcoat",
                    "fields",
                    "url",
                    "a.b",
                ]
            ),
            inner | st.just("http_request"),
        ),
    )
)
@settings(deadline=None)
def test_no_record_raises(record):
    reader = Reader()
    found = reader.read(orjson.dumps(record))
    assert found is None or isinstance(found[1], dict) or record == found[1]


COMBINED = [
    pytest.param(
        b'192.0.2.1 - - [23/Nov/2026:06:47:26 +0100] "GET /a%20b?x=1 HTTP/1.1" 200 42',
        {"path": "/a b", "query": "x=1", "status": 200, "response_bytes": 42, "timestamp": "2026-11-23T06:47:26+01:00"},
        id="common",
    ),
    pytest.param(
        b'192.0.2.1 - bob [23/Nov/2026:06:47:26 +0000] "POST / HTTP/2.0" 404 - "https://a.example/" "a \\"b\\" \\x1b"',
        {"method": "POST", "http_version": "2.0", "response_bytes": 0, "user_agent": 'a "b" \x1b', "level": "warning"},
        id="combined",
    ),
    pytest.param(
        b'shop.example:443 192.0.2.1 - - [23/Nov/2026:06:47:26 +0000] "GET / HTTP/1.1" 200 1 "-" "-"',
        {"host": "shop.example:443", "client": "192.0.2.1"},
        id="vhost",
    ),
    pytest.param(
        b'2001:db8::1 - - [23/Nov/2026:06:47:26 +0000] "GET / HTTP/1.1" 499 0 "-" "-" "203.0.113.9" rt=x 1.250',
        {"client": "2001:db8::1", "duration_ms": 1250.0, "outcome": "aborted"},
        id="nginx with its time",
    ),
    pytest.param(
        rb'192.0.2.1 - - [23/Nov/2026:06:47:26 +0000] "\x16\x03\x01" 400 157 "-" "-"',
        {"path": "\x16\x03\x01", "status": 400},
        id="no request line",
    ),
]


@pytest.mark.parametrize(("text", "fields"), COMBINED)
def test_a_line_of_the_combined_format(text, fields):
    record = parse_combined(text)
    assert {name: record.get(name) for name in fields} == fields


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b'192.0.2.1 - - [31/Feb/2026:06:47:26 +0000] "GET / HTTP/1.1" 200 1',
        b'192.0.2.1 - - [23/Xxx/2026:06:47:26 +0000] "GET / HTTP/1.1" 200 1',
        b'192.0.2.1 - - [23/Nov/2026:06:47:26 +0000] "GET / HTTP/1.1" 99 1',
        b'192.0.2.1 - - [23/Nov/2026:06:47:26 +0000] "GET / HTTP/1.1',
    ],
)
def test_another_line_is_none(text):
    assert parse_combined(text) is None


@pytest.mark.parametrize("part", [b"a ", b"[", b'"', b"\\", b'" ', b"23/Nov/", b" 1.000"], ids=repr)
def test_a_hostile_line_costs_linear_time(part):
    start = b'192.0.2.1 - - [23/Nov/2026:06:47:26 +0000] "GET / HTTP/1.1" 200 1 "'
    for text in (part * 50_000, start + part * 50_000, start + part * 50_000 + b'"'):
        parse_combined(text)


def test_what_is_exported_as_combined_reads_back():
    for record in RECORDS:
        back = parse_combined(combined(record, UTC).encode())
        for name in ("method", "path", "status", "client", "user_agent", "http_version"):
            assert back[name] == record[name]
        assert datetime.fromisoformat(back["timestamp"]) == datetime.fromisoformat(record["timestamp"]).replace(
            microsecond=0
        )


@pytest.mark.parametrize("packing", ["plain", "gzip", "stdin"])
def test_an_access_log_has_all_views(overcoat, process, tmp_path, packing):
    path = tmp_path / "access.log"
    content = b"".join(combined(record, UTC).encode() + b" 0.250\n" for record in RECORDS)
    path.write_bytes(gzip.compress(content) if packing == "gzip" else content)

    def run(*arguments):
        if packing == "stdin":
            return process("logs", "--utc", *arguments, stdin=content)
        return overcoat("logs", path, "--utc", *arguments)

    assert run("-n", "2").rows[-1].count(f" {RECORDS[-1]['method']} {RECORDS[-1]['path']}") == 1
    row = orjson.loads(run("--stats", "--by", "method", "--json").rows[0])
    assert (row["method"], row["p99_ms"]) == ("GET", 250.0)
    expected = [record["path"] for record in RECORDS if record["status"] >= 500]
    assert [orjson.loads(row)["path"] for row in run("--status", "5xx", "--json").rows] == expected


def test_access_lines_in_a_json_log_are_not_requests(overcoat, tmp_path):
    """What a program prints may be a stranger's."""
    forged = b'192.0.2.1 - - [23/Nov/2026:06:47:26 +0000] "GET /forged HTTP/1.1" 200 42'
    lines = [line(), forged, *log_lines(50), forged]
    for arguments in (["--json"], ["--stats", "--by", "path", "--json"], ["-w", "true", "--json"]):
        ran = overcoat("logs", log_file(tmp_path / "app.log", lines), *arguments)
        assert "forged" not in ran.out
        assert ran.err == "overcoat logs: 2 lines were not JSON and were skipped\n"


FOREIGN = [
    {
        "ts": 1795132800.25 + index,
        "request": {"method": "GET", "uri": f"/cart?n={index}", "headers": {"User-Agent": ["curl/8"]}},
        "status": 200 + index % 2 * 300,
        "duration": 0.0125,
        "size": 10,
        "user_id": f"u{index}",
    }
    for index in range(20)
]
CADDY = (
    "timestamp=ts,method=.request.method,path=.request.uri,status=status,duration_ms=.duration*1000,response_bytes=size,"
    'user_agent=.request.headers["User-Agent"][0]'
)


@pytest.mark.parametrize("arguments", [["--json"], ["-w", "true", "--json"], ["-n", "all", "--json"]], ids=" ".join)
def test_any_json_is_read_with_a_mapping(overcoat, tmp_path, arguments):
    path = log_file(tmp_path / "caddy.log", [*map(orjson.dumps, FOREIGN), b'{"level":"info","msg":"started"}'])
    assert overcoat("logs", path).status == 1
    ran = overcoat("logs", path, "--map", CADDY, *arguments)
    assert (ran.status, ran.err) == (0, "")
    first = orjson.loads(ran.rows[0])
    assert {
        name: first[name] for name in ("timestamp", "method", "path", "query", "status", "duration_ms", "user_agent")
    } == {
        "timestamp": "2026-11-20T00:00:00.250000+00:00",
        "method": "GET",
        "path": "/cart",
        "query": "n=0",
        "status": 200,
        "duration_ms": 12.5,
        "user_agent": "curl/8",
    }
    assert len(ran.rows) == 20
    found = overcoat("logs", path, "--map", CADDY, "-w", "user_id = 'u7'", "--json").rows
    assert len(found) == 1


def test_a_mapping_of_ours_reads_our_own_renamed_record(overcoat, tmp_path):
    renamed = [
        {("took" if name == "duration_ms" else name): value for name, value in record.items()} for record in RECORDS
    ]
    path = log_file(tmp_path / "app.log", [*map(orjson.dumps, renamed), b'{"event":"cache.miss","status":500}'])
    row = orjson.loads(overcoat("logs", path, "--map", "duration_ms=took", "--stats", "--by", "event", "--json").out)
    assert (row["requests"], row["max_ms"]) == (300, max(record["duration_ms"] for record in RECORDS))


@pytest.mark.parametrize(
    ("mapping", "record", "name", "value"),
    [
        ("status=.a.b", {"a": {"b": 5}}, "status", 5),
        ("status=a.b", {"a.b": 5}, "status", 5),
        ('status=."a b"["c,d"][1]', {"a b": {"c,d": [1, 5]}}, "status", 5),
        ("status=s,duration_ms=.d/1000000", {"s": 1, "d": 2_500_000}, "duration_ms", 2.5),
        ("status=s,duration_ms=d", {"s": 1, "d": "1.5s"}, "duration_ms", 1500.0),
        ("status=s,duration_ms=.d*1000", {"s": 1, "d": "0.25"}, "duration_ms", 250.0),
        ("status=s,timestamp=t", {"s": 1, "t": 1795132800000}, "timestamp", "2026-11-20T00:00:00+00:00"),
        ("status=s,timestamp=t", {"s": 1, "t": 1795132800 * 10**9}, "timestamp", "2026-11-20T00:00:00+00:00"),
        ("status=s,timestamp=t", {"s": 1, "t": 1e300}, "timestamp", None),
        ("status=s,duration_ms=.d*1000", {"s": 1, "d": True}, "duration_ms", None),
        ("status=s,duration_ms=.d*1000", {"s": 1, "d": "x"}, "duration_ms", None),
        ("status=.s[3]", {"s": [1], "path": "x"}, "status", None),
    ],
)
def test_a_place_of_a_mapping(mapping, record, name, value):
    assert (parse_mapping(mapping).apply(record) or {}).get(name) == value


PACKINGS = [pytest.param(gzip.compress, id="gzip"), pytest.param(zstd.compress, id="zstd")]


@pytest.mark.parametrize(
    "view", [["--json"], ["-n", "5", "--json"], ["--stats", "--json"], ["-w", "true", "--json"]], ids=" ".join
)
@pytest.mark.parametrize("pack", PACKINGS)
def test_a_packed_log_is_read_like_a_plain_one(overcoat, process, tmp_path, pack, view):
    lines = log_lines(500)
    packed = tmp_path / "app.log.1"
    packed.write_bytes(pack(b"\n".join(lines)))
    expected = overcoat("logs", log_file(tmp_path / "app.log", lines), *view)
    assert overcoat("logs", packed, *view) == expected
    assert process("logs", *view, stdin=packed.read_bytes()) == expected


def test_a_zstd_file_of_several_frames_is_one_log_and_a_cut_one_is_told(overcoat, tmp_path):
    lines = log_lines(2000)
    path = tmp_path / "app.log.zst"
    path.write_bytes(zstd.compress(b"\n".join(lines[:1000]) + b"\n") + zstd.compress(b"\n".join(lines[1000:])))
    assert len(overcoat("logs", path, "--json").rows) == 2000
    path.write_bytes(path.read_bytes()[:-40])
    ran = overcoat("logs", path, "-n", "all", "--json")
    assert ran.status == 1
    assert "compressed data" in ran.err


def rotated(folder, lines):
    """The files of a rotated log: the latest lines in app.log, then .1, .2.gz and .10.zst."""
    parts = [lines[:100], lines[100:200], lines[200:300], lines[300:]]
    oldest, old, last, now = (b"\n".join(part) + b"\n" for part in parts)
    (folder / "app.log.10.zst").write_bytes(zstd.compress(oldest))
    (folder / "app.log.2.gz").write_bytes(gzip.compress(old))
    (folder / "app.log.1").write_bytes(last)
    (folder / "app.log").write_bytes(now)
    return sorted(map(str, folder.iterdir()))


@pytest.mark.parametrize("pattern", [False, True], ids=["named", "pattern"])
@pytest.mark.parametrize("view", [["--json"], ["-w", "true", "--json"], ["-n", "250", "--json"]], ids=" ".join)
def test_a_rotated_set_is_in_the_order_of_time(overcoat, tmp_path, view, pattern):
    lines = log_lines(400)
    names = rotated(tmp_path, lines)
    ran = overcoat("logs", *([f"{tmp_path}/app.log*"] if pattern else names), *view)
    assert [row.encode() for row in ran.rows] == lines[-250 if "-n" in view else 0 :]


def test_a_pattern_that_finds_nothing_is_told(overcoat, tmp_path):
    ran = overcoat("logs", tmp_path / "*.log")
    assert (ran.status, ran.err) == (1, f"overcoat logs: {tmp_path}/*.log: no such file\n")


@pytest.mark.parametrize(
    "view", [["--json"], ["--stats", "--by", "status", "--json"], ["-w", "true", "--json"]], ids=" ".join
)
def test_of_a_key_that_stands_twice_the_first_counts_everywhere(overcoat, tmp_path, view):
    twice = line()[:-1] + b',"status":500,"event":"cache.miss"}'
    hidden = b'{"event":"cache.miss",' + line()[1:]
    path = log_file(tmp_path / "app.log", [twice, hidden])
    ran = overcoat("logs", path, *view)
    assert len(ran.rows) == 1
    assert overcoat("logs", path, "--errors", "--json").status == 1
    assert overcoat("logs", path, "--errors", "-w", "true", "--json").status == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_no_account_of_gigantic_lines_is_held(tmp_path):
    """A thousand lines of a mebibyte, of one id and on a pipe: what is kept of them is bounded in bytes."""
    code = (
        "import re, sys; from overcoat.inspector.cli import main; status = main();"
        r"print(re.search(r'VmHWM:\s+(\d+)', open('/proc/self/status').read())[1], file=sys.stderr); sys.exit(status)"
    )
    gigantic = line(request_id="feed01", extra="x" * 2**20) + b"\n"
    app_line = gigantic.replace(b"http_request", b"cache_missed")
    for arguments, text in ((["--id", "feed01"], app_line), (["-n", "100000"], gigantic)):
        with (tmp_path / "out").open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-c", code, "logs", "-", *arguments],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.PIPE,
                env={**os.environ, "COLUMNS": "80"},
            )
            for _ in range(400):
                process.stdin.write(text)
            _, err = process.communicate(timeout=100)
        assert int(err.split()[-1]) < 300_000  # kB


@pytest.mark.parametrize("view", [["--json"], ["-w", "true", "--json"], ["--id", "8c2f", "--json"]], ids=" ".join)
def test_the_files_of_docker_are_read(overcoat, tmp_path, view):
    logged = [line(path=f"/{number}") for number in range(20)]
    wrapped = [
        orjson.dumps({"log": text.decode() + "\n", "stream": "stdout", "time": "2026-11-20T00:00:00Z"})
        for text in logged
    ]
    ran = overcoat("logs", log_file(tmp_path / "container-json.log", wrapped), *view)
    assert [row.encode() for row in ran.rows] == logged


def test_a_log_in_another_format_is_followed(tmp_path):
    path = tmp_path / "access.log"
    path.write_text(combined(RECORDS[0], UTC) + "\n")
    with subprocess.Popen(
        [sys.executable, "-m", "overcoat.inspector", "logs", "-f", "--json", path], stdout=subprocess.PIPE
    ) as process:
        first = orjson.loads(process.stdout.readline())
        with path.open("a") as log:
            log.write(combined(RECORDS[1], UTC) + "\n")
        second = orjson.loads(process.stdout.readline())
        process.kill()
    assert [first["path"], second["path"]] == [RECORDS[0]["path"], RECORDS[1]["path"]]


@pytest.mark.parametrize("request_id", ['a"b\\c', "é日"])
@pytest.mark.parametrize("names", READY)
def test_an_id_of_any_characters_is_found_under_any_names(overcoat, tmp_path, names, request_id):
    lines = [orjson.dumps(READY[names]()(record)) for record in (request(request_id=request_id), request())]
    ran = overcoat("logs", log_file(tmp_path / "app.log", lines), "--id", request_id[:-1])
    assert (ran.status, ran.rows[0]) == (0, "GET /item/7  200  12.5 ms")
