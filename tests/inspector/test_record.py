"""Lines become records, whatever stands in front of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
        pytest.param(b'web-1  | 2026-11-23T06:47:26.1Z {"a":1}', {"a": 1}, id="docker compose with times"),
        pytest.param(b'\x1b[36mweb-1  | \x1b[0m{"a":1}', {"a": 1}, id="docker compose in colour"),
        pytest.param(b'[pod/web-5d/app] {"a":1}', {"a": 1}, id="kubectl"),
        pytest.param(b'2026-11-23T06:47:26.123456789Z {"a":1}', {"a": 1}, id="kubectl with times"),
        pytest.param(b'2026-11-23T06:47:26+01:00 host app[42]: {"a":1}', {"a": 1}, id="rsyslog"),
        pytest.param(b'2026-11-23T06:47:26+00:00 app[web.1]: {"a":1}', {"a": 1}, id="heroku"),
        pytest.param(b'<13>Nov  3 06:47:26 host app: {"a":1}', {"a": 1}, id="syslog with its priority"),
        pytest.param(
            b'<165>1 2026-11-23T06:47:26.1Z host app 42 ID47 [a@1 b="c"][d@1] \xef\xbb\xbf{"a":1}',
            {"a": 1},
            id="RFC 5424",
        ),
        pytest.param(b'<14>1 - - app - - - {"a":1}', {"a": 1}, id="RFC 5424 without values"),
        pytest.param(
            b'{"log":"{\\"a\\":1}\\n","stream":"stdout","time":"2026-11-23T06:47:26Z"}', {"a": 1}, id="docker json-file"
        ),
        pytest.param(b'{"log":"text\\n","stream":"stdout","time":"x"}', None, id="docker json-file of text"),
        pytest.param(b'{"log":"x","stream":1,"more":2}', {"log": "x", "stream": 1, "more": 2}, id="a line like one"),
        pytest.param(b'user said {"a":1}', None, id="text that quotes an object"),
        pytest.param(b'web-1  | user said {"a":1}', None, id="text behind a prefix that quotes an object"),
        pytest.param(b'GET /?x= | {"a":1}', None, id="text like a prefix"),
        pytest.param(b'app{eu-1}: {"a":{"b":2}}', None, id="braces before the object"),
        pytest.param(b'{"a":1,"b":2,"a":3}', {"a": 1, "b": 2}, id="a key twice: the first counts"),
        pytest.param(b'{"a":{"b":1,"b":2}}', {"a": {"b": 1}}, id="a key twice within"),
        pytest.param(
            b'{"a":123456789012345678901234567890, "a":1}', {"a": 1.2345678901234568e29}, id="large and twice"
        ),
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
    assert json_part(b'web-1 | { "a" : 1.0e0, "b":"\\u00e9" }')[0] == b'{ "a" : 1.0e0, "b":"\\u00e9" }'


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"x" + b"{" * 200_000, id="braces"),
        pytest.param(b"2026-11-23T06:47:26Z " * 10_000, id="times"),
        pytest.param(b"<14>1 - a b c d " + b"[" * 200_000, id="structured data"),
        pytest.param(b"\x1b[0m" * 50_000, id="colours"),
        pytest.param(b"a" * 200_000 + b" | {", id="a word"),
        pytest.param(b"web-1" + b" " * 200_000 + b"| {", id="spaces"),
    ],
)
def test_a_hostile_line_is_no_request(line):
    for _ in range(20):
        assert parse_line(line) is None


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
