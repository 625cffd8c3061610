"""Lines become records, whatever stands in front of them."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overcoat.inspector import _record
from overcoat.inspector._record import FIELDS, json_part, moment, number, parse_line, text
from overcoat.middleware.fields import STANDARD_FIELDS


def test_fields_are_those_that_request_log_writes():
    assert tuple(FIELDS) == STANDARD_FIELDS


@pytest.mark.parametrize(
    ("line", "record"),
    [
        pytest.param(b'{"a":1}', {"a": 1}, id="plain"),
        pytest.param(b'{"a":1}\r', {"a": 1}, id="windows line end"),
        pytest.param(b'\xef\xbb\xbf{"a":1}', {"a": 1}, id="byte order mark"),
        pytest.param(b'web-1  | {"a":1}', {"a": 1}, id="docker compose"),
        pytest.param(b'2026-11-23T06:47:26.1Z stdout F {"a":1}', {"a": 1}, id="container runtime"),
        pytest.param(b'Nov 23 06:47:26 host app[42]: {"a":1}', {"a": 1}, id="syslog"),
        pytest.param(b'app{eu-1}: {"a":{"b":2}}', {"a": {"b": 2}}, id="braces in the prefix"),
        pytest.param(b"", None, id="empty"),
        pytest.param(b"Listening on 8000", None, id="text"),
        pytest.param(b'{"a":{"b":2},', None, id="cut off: the object inside is no line"),
        pytest.param(b'{"a":1} {"b":2}', None, id="two objects"),
        pytest.param(b"[1,2]", None, id="array"),
        pytest.param(b'{"a":"\xff"}', None, id="not UTF-8"),
        pytest.param(b'{"a":NaN}', None, id="not JSON"),
    ],
)
def test_a_line_is_parsed(line, record):
    assert parse_line(line) == record


def test_json_is_kept_as_written():
    assert json_part(b'app: { "a" : 1.0e0, "b":"\\u00e9" }')[0] == b'{ "a" : 1.0e0, "b":"\\u00e9" }'


def test_a_line_of_braces_costs_few_attempts(monkeypatch):
    attempts = []
    loads = orjson.loads
    monkeypatch.setattr(_record.orjson, "loads", lambda text: attempts.append(text) or loads(text))
    assert parse_line(b"x" + b"{" * 100_000) is None
    assert len(attempts) <= 8


@settings(deadline=None)
@given(st.binary())
def test_no_bytes_raise(line):
    record = parse_line(line)
    assert record is None or isinstance(record, dict)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (200, 200),
        (1.5, 1.5),
        ("200", 200.0),
        ("1_0", None),
        ("nan", None),
        ("x", None),
        ("9" * 5000, None),
        (True, None),
        (None, None),
        ([1], None),
        ({}, None),
    ],
)
def test_a_number_is_finite_or_none(value, read):
    assert number({"status": value}, "status") == read


@pytest.mark.parametrize(
    "value",
    ["", "garbage", 5, None, [], "2026-13-01T00:00:00Z", "2026-11-23T06:47:26.1Zx", "10000-01-01T00:00:00Z"],
)
def test_a_bad_timestamp_is_no_time(value):
    assert moment({"timestamp": value}) is None


def test_a_timestamp_has_a_zone():
    assert moment({"timestamp": "2026-11-23T06:47:26.123456Z"}).isoformat() == "2026-11-23T06:47:26.123456+00:00"
    assert moment({"timestamp": "2026-11-23T06:47:26+02:00"}).utcoffset().seconds == 7200


@pytest.mark.parametrize(("value", "read"), [("a", "a"), (None, None), (5, "5"), ({"a": 1}, '{"a":1}')])
def test_any_value_is_text(value, read):
    assert text({"path": value}, "path") == read
