"""The table `requests`: its columns and types never vary, and any log can be behind it."""

import gzip
import os
import tempfile
from pathlib import Path

import duckdb
import orjson
import pytest
from support.log_lines import line, log_file, log_lines, request

from overcoat.inspector import _database, _tables
from overcoat.inspector._database import Database
from overcoat.inspector._files import LogFiles
from overcoat.inspector._filters import Filters, QueryError, RoomError
from overcoat.inspector._record import FIELDS


@pytest.fixture
def query(tmp_path):
    """Run a query over lines."""

    def run(sql, *records, where=None, files=None):
        lines = [record if isinstance(record, bytes) else orjson.dumps(record) for record in records]
        files = files or LogFiles([log_file(tmp_path / "app.log", lines)])
        with Database(files, Filters(where=where), utc=True) as database:
            return list(database.rows(sql))

    return run


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([], id="empty"),
        pytest.param([{"event": "http_request"}], id="without fields"),
        pytest.param([request()], id="ordinary"),
        pytest.param([{name: [] for name in FIELDS} | {"event": "http_request"}], id="wrong types"),
        pytest.param([request(extra=1, other={"a": 1})], id="more fields"),
    ],
)
def test_columns_never_vary(tmp_path, records):
    files = LogFiles([log_file(tmp_path / "app.log", map(orjson.dumps, records))])
    with Database(files, Filters()) as database:
        assert database.columns("SELECT * FROM requests") == list(FIELDS.items())
        assert len(list(database.texts("SELECT * FROM requests"))) == len(records)


@pytest.mark.parametrize("value", [None, "x", [], {}, True, 2**63, 1.5, "2026-11-20T00:00:00Z"], ids=str)
@pytest.mark.parametrize("name", [name for name in FIELDS if name != "event"])
def test_no_value_of_a_field_drops_its_line(query, name, value):
    record = request() | {name: value, "tenant": "acme"}
    assert query("SELECT tenant, (SELECT count(*) FROM requests) FROM requests", record) == [("acme", 1)]


def test_only_requests_are_requests(query):
    app_line = {"event": "cache.miss", "status": 200}
    assert query("SELECT status FROM requests", request(), app_line, b"broken", [1], "text", 5) == [(200,)]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        pytest.param("SELECT tenant FROM requests", [("acme",)], id="text"),
        pytest.param("SELECT items FROM requests WHERE items::INT > 3", [("5",)], id="number as text"),
        pytest.param("SELECT cart FROM requests", [('{"a":1}',)], id="object as JSON"),
        pytest.param("SELECT r.tenant FROM requests r", [("acme",)], id="qualified"),
        pytest.param('SELECT "user id" FROM requests', [("7",)], id="quoted"),
        pytest.param("SELECT nowhere FROM requests", [(None,)], id="in no line"),
        pytest.param("SELECT count(*) AS tenant FROM requests GROUP BY status ORDER BY tenant", [(1,)], id="alias"),
        pytest.param(
            "SELECT status // 100 AS cart, count(*) FROM requests GROUP BY cart", [(2, 1)], id="alias as a group"
        ),
        pytest.param("WITH a AS (SELECT tenant AS t FROM requests) SELECT t FROM a", [("acme",)], id="within"),
        pytest.param("FROM requests SELECT tenant", [("acme",)], id="FROM first"),
        pytest.param("SELECT status FROM requests NATURAL JOIN (SELECT 200 AS status)", [(200,)], id="natural join"),
        pytest.param("SELECT a.status FROM requests a JOIN requests b USING (request_id)", [(200,)], id="self join"),
        pytest.param("SELECT requests.STATUS FROM requests", [(200,)], id="upper case"),
        pytest.param("SELECT len(requests::VARCHAR) > 500 FROM requests", [(True,)], id="the whole row"),
        pytest.param("SELECT count(*) FILTER (status = 200) FROM requests", [(1,)], id="filter"),
    ],
)
def test_any_field_has_a_name(query, sql, found):
    record = request(tenant="acme", items=5, cart={"a": 1}, **{"user id": 7, "user_agent": "x" * 500})
    assert query(sql, record) == found


def test_where_sees_any_field_and_may_end_in_a_comment(query):
    records = [request(tenant="acme", path="/a"), request(tenant="globex", path="/b"), request(path="/c")]
    assert query("SELECT path FROM requests", *records, where="tenant = 'acme' -- only ours") == [("/a",)]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("DROP VIEW requests", "one SELECT is expected"),
        ("COPY (SELECT 1) TO '/tmp/x'", "one SELECT is expected"),
        ("INSTALL httpfs", "one SELECT is expected"),
        ("ATTACH '/tmp/x'", "one SELECT is expected"),
        ("SELECT 1; SELECT 2", "one SELECT is expected"),
        ("", "one SELECT is expected"),
        ("SELECT * FROM requests WHERE", "the SQL is wrong: syntax error"),
        ("SELECT bogus(1)", "bogus does not exist"),
        ("SELECT * FROM nowhere", "nowhere does not exist"),
        ("SELECT status FROM requests GROUP BY path", 'column "status" must appear in the GROUP BY'),
        ("SELECT path::INT FROM requests", "Could not convert string '/item/7'"),
        ("SELECT items FROM requests WHERE items > 3", "fields are text: compare with text, or cast: field::INT"),
    ],
)
def test_wrong_sql_is_told_in_a_line(query, sql, message):
    with pytest.raises(QueryError, match=r".*") as caught:
        query(sql, request(items=5))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "meant"), [("stauts", "status"), ("rout", "route"), ("tennant", "tenant")])
def test_a_misspelt_field_is_an_error(tmp_path, name, meant):
    path = log_file(tmp_path / "a.log", [line(tenant="acme")])
    with (
        Database(LogFiles([path]), Filters(where=f"{name} = 'x'")) as database,
        pytest.raises(QueryError, match=f"no line has a field '{name}'; did you mean '{meant}'"),
    ):
        list(database.lines())


@pytest.mark.parametrize(
    "written", [b'"stauts"', b'"st\\u00e4tus"', '"stätus"'.encode()], ids=["plain", "escaped", "UTF-8"]
)
def test_a_field_that_is_there_is_not_misspelt(tmp_path, written):
    name = orjson.loads(written)
    path = log_file(tmp_path / "a.log", [line(), line()[:-1] + b"," + written + b":1}"])
    with Database(LogFiles([path]), Filters()) as database:
        assert list(database.rows(f'SELECT "{name}" FROM requests')) == [(None,), ("1",)]
        assert database.unknown == []


def test_a_field_that_resembles_none_may_be_in_no_line(tmp_path):
    with Database(LogFiles([log_file(tmp_path / "a.log", [line()])]), Filters()) as database:
        assert list(database.rows("SELECT nowhere FROM requests")) == [(None,)]
        assert database.unknown == ["nowhere"]


INTERRUPTS = [KeyboardInterrupt(), RuntimeError("Query interrupted"), duckdb.InterruptException("Interrupted!")]


@pytest.mark.parametrize("error", INTERRUPTS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", ["while it opens", "in a query"])
def test_ctrl_c_is_told_in_one_way_and_leaves_nothing(tmp_path, monkeypatch, error, place):
    def interrupted(*_, **__):
        raise error

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if place == "while it opens":
        monkeypatch.setattr(_database, "Tables", interrupted)
    with pytest.raises(KeyboardInterrupt), Database(LogFiles([]), Filters()) as database:
        monkeypatch.setattr(database._tables, "run", interrupted)
        list(database.rows("SELECT 1"))
    assert list(tmp_path.iterdir()) == []


def test_no_extension_is_fetched(query):
    with pytest.raises(QueryError, match="httpfs"):
        query("SELECT * FROM read_text('https://127.0.0.1:9/x')")


def test_limits_are_set(tmp_path):
    with Database(LogFiles([]), Filters()) as database:
        settings = "memory_limit", "threads", "autoinstall_known_extensions", "autoload_known_extensions"
        rows = list(database.rows("SELECT " + ", ".join(f"current_setting('{name}')" for name in settings)))
    assert rows[0][0] == "953.6 MiB"
    assert rows[0][1] <= _database.MAX_THREADS
    assert rows[0][2:] == (False, False)


@pytest.mark.parametrize(
    "name", ["app [1].log", "a*b?.log", "it's.log", 'a"b.log', "日本.log", "[[x]]", "app.gz", "app.zst"]
)
def test_names_of_files_are_taken_as_they_are(query, tmp_path, name):
    (tmp_path / "decoy1.log").write_bytes(line() + b"\n")
    files = LogFiles([log_file(tmp_path / name, [line()])])
    assert query("SELECT count(*) FROM requests", files=files) == [(1,)]


def test_plain_and_gzip_files_are_one_table(query, tmp_path):
    lines = log_lines(300)
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"\n".join(lines[:100])))
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"\n".join(lines[100:200])))
    files = LogFiles([str(tmp_path / "a.gz"), log_file(tmp_path / "c.log", lines[200:]), str(tmp_path / "b.gz")])
    assert query("SELECT count(DISTINCT request_id) FROM requests", files=files) == [(300,)]


def odd(lines, kind):
    """The bytes of a log that DuckDB does not read as it is."""
    if kind == "prefix":
        return b"".join(b"web-1  | " + text + b"\n" for text in lines)
    if kind == "late prefix":
        return b"".join(b"%s\n" % text for text in lines) + b"web-1  | " + lines[0] + b"\n"
    if kind == "byte order mark":
        return b"\xef\xbb\xbf" + b"\n".join(lines)
    if kind == "gigantic line":
        return b"\n".join([*lines[:50], b'{"event":"http_request","path":"' + b"x" * 40 * 2**20 + b'"}', *lines[50:]])
    if kind == "cut gzip":
        packed = gzip.compress(b"\n".join(lines))
        return packed[: len(packed) - 100]
    return b"\r\n".join(lines)


@pytest.mark.parametrize(
    ("kind", "count"),
    [("prefix", 300), ("late prefix", 301), ("byte order mark", 300), ("gigantic line", 300), ("windows", 300)],
)
def test_odd_files_are_read_in_full(tmp_path, kind, count):
    path = tmp_path / "odd.log"
    path.write_bytes(odd(log_lines(300), kind))
    files = LogFiles([str(path)])
    with Database(files, Filters()) as database:
        assert len(list(database.lines())) == count
        database.count_broken()
    assert (files.broken, files.too_long) == (0, int(kind == "gigantic line"))


def test_a_cut_gzip_file_is_read_as_far_as_it_goes(tmp_path):
    path = tmp_path / "odd.log.gz"
    path.write_bytes(odd(log_lines(3000), "cut gzip"))
    files = LogFiles([str(path)])
    with Database(files, Filters()) as database:
        assert 2500 < len(list(database.lines())) < 3000


def test_lines_are_as_written_and_in_order(tmp_path):
    lines = [b'{ "event" : "http_request", "n": 1.0e0, "b":"\\u00e9\\/" }', line(), b'{"event":"http_request"}'] * 500
    with Database(LogFiles([log_file(tmp_path / "app.log", lines)]), Filters()) as database:
        assert list(database.lines()) == lines


def test_the_last_lines_are_the_latest(tmp_path):
    lines = log_lines(2000)
    with Database(LogFiles([log_file(tmp_path / "app.log", lines)]), Filters()) as database:
        assert list(database.lines(last=3)) == lines[:-4:-1]


def test_broken_lines_are_counted(tmp_path):
    files = LogFiles([log_file(tmp_path / "app.log", [line(), b"text", b'{"cut":', b"", b'{"event":"other"}'])])
    with Database(files, Filters()) as database:
        database.count_broken()
    assert files.broken == 2


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_export_is_a_file_that_reads_back(tmp_path, form):
    lines = log_lines(200)
    with Database(LogFiles([log_file(tmp_path / "app.log", lines)]), Filters(), utc=True) as database:
        path, count = database.export("SELECT request_id, timestamp, status FROM requests", form)
        back = duckdb.execute(f"SELECT request_id, status FROM '{path}'").fetchall()
    assert count == 200
    assert back == [(record["request_id"], record["status"]) for record in map(orjson.loads, lines)]


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = log_file(tmp_path / "app.log", [b"web-1  | " + line()])
    with Database(LogFiles([path]), Filters()) as database:
        assert len(list(database.lines())) == 1
        assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == [Path(path)]


def test_without_a_temporary_directory_it_says_so(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/no/such/directory")
    database = Database(LogFiles([]), Filters())
    with pytest.raises(RoomError, match="no temporary directory: no such file; TMPDIR can name one"), database:
        pass


def test_without_room_for_a_copy_it_says_so(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(_tables, "copy_clean", full)
    files = LogFiles([log_file(tmp_path / "app.log", [b"web-1  | " + line()])])
    with (
        Database(files, Filters()) as database,
        pytest.raises(RoomError, match=r"no copy of .*app\.log .*No space left"),
    ):
        list(database.lines())
