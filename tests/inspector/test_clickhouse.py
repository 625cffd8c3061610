"""The page about ClickHouse: its table takes our lines, and its queries answer as `--stats` does."""

import re
import sys
from pathlib import Path

import orjson
import pytest
from support.log_lines import log_file, records

from overcoat.inspector._database import Database
from overcoat.inspector._files import LogFiles
from overcoat.inspector._filters import Filters
from overcoat.inspector._record import FIELDS
from overcoat.inspector._stats import read_stats
from overcoat.inspector._stats_query import ERROR_KEYS

if sys.platform == "win32":
    pytest.skip("chDB has no wheel here", allow_module_level=True)
from chdb.session import Session

PAGE = (Path(__file__).parents[2] / "docs" / "clickhouse.md").read_text()
TABLE, STATS, WEIGHTED, ERRORS = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SAMPLED = 0.25
LOGGED = [
    record | ({"sample_rate": SAMPLED} if record.get("route") == "/item" and record["status"] < 500 else {})
    for record in records(3000)
]


def shipped(record):
    """A line as the transform of vector.yaml makes it."""
    return orjson.dumps(record | {"line": orjson.dumps(record).decode()}).decode()


@pytest.fixture(scope="module")
def ask():
    """The rows of a query in ClickHouse, into whose table the sink of vector.yaml has put the lines."""
    with Session() as session:
        session.query("CREATE DATABASE shop; USE shop;")
        session.query(TABLE)
        settings = "input_format_skip_unknown_fields = 1, date_time_input_format = 'best_effort'"
        session.query(
            f"INSERT INTO requests SETTINGS {settings} FORMAT JSONEachRow\n" + "\n".join(map(shipped, LOGGED))
        )

        def ask(query):
            rows = session.query(query, "JSONCompactEachRow").bytes() or b""
            return [orjson.loads(row) for row in rows.splitlines()]

        yield ask


def ours(tmp_path, logged, by=(), **filters):
    """Our figures of the same records."""
    files = LogFiles([log_file(tmp_path / "app.log", map(orjson.dumps, logged))])
    with Database(files, Filters(**filters), utc=True) as database:
        return read_stats(database, files, by, None, samples=bool(by))


def test_the_table_has_the_fields_of_the_record(ask):
    names = [row[0] for row in ask("DESCRIBE TABLE requests")]
    assert names == [*FIELDS, "line"]
    assert ask("SELECT count(), countDistinct(request_id) FROM requests") == [[3000, 3000]]


def test_the_query_of_the_figures_answers_as_stats_does(ask, tmp_path):
    unweighted = [{name: value for name, value in record.items() if name != "sample_rate"} for record in LOGGED]
    stats = ours(tmp_path, unweighted)
    expected = [
        [group.keys[0], group.requests, group.errors, list(group.percentiles_ms), group.max_ms, group.response_bytes]
        for group in stats.groups
    ]
    found = ask(STATS)
    assert [(row[:3], row[4:]) for row in found] == [(row[:3], row[4:]) for row in expected]
    for row, other in zip(found, expected, strict=True):
        assert row[3] == pytest.approx(other[3])


def test_the_query_of_the_weights_answers_as_stats_does(ask, tmp_path):
    stats = ours(tmp_path, [record for record in LOGGED if "route" in record])
    expected = [[group.keys[0], group.requests, group.errors] for group in stats.groups]
    assert [row for row in ask(WEIGHTED) if row[0]] == expected
    assert stats.sampled_lines > 100


def test_the_query_of_the_errors_answers_as_stats_does(ask, tmp_path):
    logged = [{name: value for name, value in record.items() if name != "sample_rate"} for record in LOGGED]
    stats = ours(tmp_path, logged, ERROR_KEYS, errors=True)
    expected = {(group.keys[0], group.keys[1] or "", group.requests, group.sample_id) for group in stats.groups}
    assert {(error, at, requests, sample) for error, at, requests, _, sample in ask(ERRORS)} == expected
    assert len(expected) > 2


def test_the_fields_of_the_app_are_in_the_line(ask):
    assert ask("SELECT countIf(JSONExtractString(line, 'tenant') = 'acme') FROM requests") == [
        [sum(record.get("tenant") == "acme" for record in LOGGED)]
    ]


def test_timings_are_a_map(ask):
    assert ask("SELECT round(sum(timings['db'].duration_ms), 3), sum(timings['db'].count) FROM requests") == [
        [
            round(sum(record["timings"]["db"]["duration_ms"] for record in LOGGED if "timings" in record), 3),
            sum(record["timings"]["db"]["count"] for record in LOGGED if "timings" in record),
        ]
    ]
