"""Filters choose the same requests in Python and in DuckDB."""

import re
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import duckdb
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.log_lines import START, log_file, request, timestamp

from overcoat.inspector._database import Database
from overcoat.inspector._files import LogFiles
from overcoat.inspector._filters import Filters, identifier, parse_statuses, quote


@pytest.mark.parametrize(
    ("listed", "ranges"),
    [
        ("404", ((404, 404),)),
        ("5xx", ((500, 599),)),
        ("4XX, 204", ((400, 499), (204, 204))),
        ("400-499,502", ((400, 499), (502, 502))),
    ],
)
def test_statuses_are_ranges(listed, ranges):
    assert parse_statuses(listed) == ranges


@pytest.mark.parametrize("listed", ["", "6xx", "x", "404,", "99", "1000", "5xx-6xx", "40x", "٤٠٤", "-404"])
def test_what_is_no_status_is_refused(listed):
    with pytest.raises(ValueError, match="is no status: write 404, 5xx or 400-499"):
        parse_statuses(listed)


def test_a_range_that_runs_backwards_is_turned_round_in_the_message():
    with pytest.raises(ValueError, match="runs backwards: write 400-499"):
        parse_statuses("499-400")


@pytest.mark.parametrize(
    ("filters", "fields", "matches"),
    [
        pytest.param({"errors": True}, {"status": 500}, True, id="a 500 is an error"),
        pytest.param(
            {"errors": True}, {"status": 200, "outcome": "failed"}, True, id="a stream that failed is an error"
        ),
        pytest.param({"errors": True}, {"status": None, "outcome": "failed"}, True, id="so is one without a status"),
        pytest.param({"errors": True}, {"status": 499, "outcome": "aborted"}, False, id="a client that left is none"),
        pytest.param({"slow_ms": 12.5}, {}, True, id="slow is inclusive"),
        pytest.param({"slow_ms": 0.0}, {"duration_ms": None}, False, id="no duration is not slow"),
        pytest.param({"path": "/item/*"}, {"path": "/item/7/parts/8"}, True, id="a star spans slashes"),
        pytest.param({"path": "/item"}, {"path": "/item/7"}, False, id="a path without a star is the whole path"),
        pytest.param({"path": "/ITEM/*"}, {}, False, id="case counts"),
        pytest.param({"route": "/item/<int:item_id>"}, {}, True, id="route as declared"),
        pytest.param({"route": "/item/*"}, {}, True, id="route as a glob"),
        pytest.param({"route": "/r[a]"}, {"route": "/r[a]"}, True, id="a declared route with brackets"),
        pytest.param({"route": "*"}, {"route": None}, False, id="no route is no route"),
        pytest.param({"request_id": "8c2f"}, {}, True, id="start of the id"),
        pytest.param({"request_id": "2f64"}, {}, False, id="middle of the id"),
        pytest.param({"since": START}, {}, True, id="since is inclusive"),
        pytest.param({"until": START}, {}, False, id="until is exclusive"),
        pytest.param({"since": START - timedelta(days=1)}, {"timestamp": "garbage"}, False, id="no time is in no span"),
    ],
)
def test_a_filter_decides(tmp_path, filters, fields, matches):
    record = request(**fields)
    chosen = Filters(**filters)
    assert chosen.matches(record) is matches
    files = LogFiles([log_file(tmp_path / "one.log", [orjson.dumps(record)])])
    with Database(files, chosen) as database:
        assert len(list(database.lines())) == matches


texts = st.sampled_from(["/item/7", "/item/7/x", "/ITEM", "", "é/ü", "a\nb", "[a]", "\\", "500", "complete", "failed"])
globs = st.text(alphabet="/item7*?[]!a-\\é'", max_size=8)
moments = st.datetimes(datetime(2026, 11, 19), datetime(2026, 11, 21)).map(lambda when: when.replace(tzinfo=UTC))  # noqa: DTZ001 (given a zone)
oddities = st.sampled_from([None, "", "x", "200", [], {}, {"a": 1}, True])
some_records = st.builds(
    request,
    timestamp=st.one_of(moments.map(timestamp), st.sampled_from(["garbage", "", None, 5])),
    path=texts | st.none(),
    route=texts | st.none(),
    status=st.integers(100, 599) | st.sampled_from([None, "404", "x"]),
    duration_ms=st.floats(0, 1e4) | st.sampled_from([None, "x"]),
    outcome=texts | st.none(),
    request_id=st.text(alphabet="ab'0", max_size=4) | st.none(),
)
some_filters = st.builds(
    Filters,
    since=st.none() | moments,
    until=st.none() | moments,
    statuses=st.sampled_from([(), ((500, 599),), ((404, 404), (200, 299))]),
    path=st.none() | globs,
    route=st.none() | globs,
    request_id=st.none() | st.text(alphabet="ab'0", min_size=1, max_size=2),
    errors=st.booleans(),
    slow_ms=st.none() | st.floats(0, 1e4),
)


@settings(max_examples=60, deadline=None)
@given(logged=st.lists(some_records, max_size=12), chosen=some_filters)
@example(logged=[request(path="/a.b")], chosen=Filters(path="/a?b*"))
def test_python_and_duckdb_choose_the_same(tmp_path_factory, logged, chosen):
    lines = [orjson.dumps(record) for record in logged]
    files = LogFiles([log_file(tmp_path_factory.mktemp("filters") / "some.log", lines)])
    expected = [line for line, record in zip(lines, logged, strict=True) if chosen.matches(record)]
    with Database(files, chosen, utc=True) as database:
        assert list(database.lines()) == expected


@settings(max_examples=300, deadline=None)
@given(pattern=globs, path=st.text(alphabet="/item7[]!a-\\éü'", max_size=8))
@example(pattern="*[!?\\a]", path="é")
@example(pattern="[z-a]", path="b")
@example(pattern="**a**b", path="xaxb")
def test_a_glob_is_that_of_fnmatch_in_duckdb_too(pattern, path):
    test = re.fullmatch(r"regexp_full_match\(coalesce\(j\.path, ''\), (.*)\)", Filters(path=pattern).sql(), re.DOTALL)[
        1
    ]
    found = duckdb.execute(f"SELECT regexp_full_match(?::VARCHAR, {test})", [path]).fetchall()
    assert found == [(fnmatchcase(path, pattern),)]


@settings(deadline=None)
@given(st.text(alphabet="ab'\"\\\n;-"))
def test_what_is_quoted_is_a_literal_and_a_name(value):
    assert duckdb.execute(f"SELECT {quote(value)}").fetchall() == [(value,)]
    if value:
        assert duckdb.execute(f"SELECT 1 AS {identifier(value)}").description[0][0] == value
