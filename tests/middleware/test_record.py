import contextlib
import datetime as dt
import io
import json
import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apps import answering, ok
from support.client import Client
from support.record import PAGE, check, reference
from support.wsgi import call, make_environ

from overcoat.middleware import Exchange, RequestID, RequestLog, Stack, TraceContext, add_fields, timer
from overcoat.middleware._app_lines import IDS
from overcoat.middleware._json import json_line
from overcoat.middleware._record import build_record, level_of, timestamp
from overcoat.middleware._text import UNSAFE
from overcoat.middleware.fields import STANDARD_FIELDS


def test_the_page_lists_exactly_the_standard_fields():
    assert tuple(reference()) == STANDARD_FIELDS


def test_the_page_s_example_is_a_record():
    [example] = [line for line in PAGE.read_text().splitlines() if line.startswith("{")]
    check(json.loads(example))
    order = [name for name in STANDARD_FIELDS if name in json.loads(example)]
    assert list(json.loads(example)) == order


def record_of(app=ok, client=None, **environ):
    records = []
    options = {} if client is None else {"client": client}
    call(RequestLog(app, to=records.append), **options, **environ)
    [record] = records
    return record


def test_a_full_record_is_as_the_page_says():
    def app(environ, start_response):
        environ["wsgi.input"].read(4)
        with timer("db"), timer("db"):
            add_fields(user_id=7, route="/hello/<name>")
        start_response("200 OK", [])
        return [b"hello"]

    records = []
    call(
        Stack(app, [RequestID(), TraceContext(), RequestLog(to=records.append)]),
        REQUEST_METHOD="POST",
        PATH_INFO="/hello/caf\xc3\xa9",
        QUERY_STRING="a=1&token=x",
        CONTENT_LENGTH="6",
        HTTP_USER_AGENT="curl/8",
        HTTP_HOST="shop.example:8080",
        HTTP_X_REQUEST_ID="not harmless",
        wsgi__input=io.BytesIO(b"abcdef"),
    )
    [record] = records
    check(record, "user_id")
    assert list(record) == [*(name for name in STANDARD_FIELDS if name in record), "user_id"]
    expected = {
        "level": "info",
        "event": "http_request",
        "method": "POST",
        "path": "/hello/café",
        "route": "/hello/<name>",
        "query": "a=1&token=[redacted]",
        "status": 200,
        "response_bytes": 5,
        "request_bytes": 4,
        "client": "127.0.0.1",
        "peer": "127.0.0.1",
        "scheme": "http",
        "host": "shop.example:8080",
        "http_version": "1.1",
        "user_agent": "curl/8",
        "client_request_id": "not harmless",
        "outcome": "complete",
        "user_id": 7,
    }
    assert expected.items() <= record.items()
    assert set(record) - set(expected) == {"timestamp", "duration_ms", "first_byte_ms", *IDS, "timings"}
    assert record["timings"]["db"]["count"] == 2
    assert type(record["timings"]["db"]["duration_ms"]) is float


def test_what_is_unknown_is_absent():
    nothing = dict.fromkeys(["REMOTE_ADDR", "HTTP_HOST", "SERVER_NAME", "SERVER_PROTOCOL", "wsgi.url_scheme"])
    record = record_of(answering("204 No Content", body=[]), **{key.replace(".", "__"): None for key in nothing})
    check(record)
    assert set(record) == {
        "timestamp", "level", "event", "method", "path", "status", "duration_ms", "response_bytes", "outcome",
    }  # fmt: skip


def test_an_empty_environ_makes_a_record():
    record = build_record(Exchange({}))
    assert (record["method"], record["path"]) == ("", "")


def fails(environ, start_response):
    raise KeyError("cart")


def fails_mid_stream(environ, start_response):
    start_response("200 OK", [])
    yield b"abc"
    raise OSError("disk")


def never_starts(environ, start_response):
    return []


WAYS = {
    "complete": (ok, None, {"status": 200, "outcome": "complete", "level": "info", "response_bytes": 2}),
    "404": (answering("404 Not Found"), None, {"status": 404, "level": "warning", "outcome": "complete"}),
    "500": (answering("500 Oops"), None, {"status": 500, "level": "error", "outcome": "complete"}),
    "item 32 raised": (
        fails,
        None,
        {
            "outcome": "failed",
            "level": "error",
            "error_type": "KeyError",
            "error_message": "'cart'",
            "response_bytes": 0,
        },
    ),
    "item 32 raised mid-stream": (
        fails_mid_stream,
        None,
        {"status": 200, "outcome": "failed", "level": "error", "error_type": "OSError", "response_bytes": 3},
    ),
    "item 32 the client left": (
        answering(body=iter([b"abc", b"def"])),
        Client("leaves", leaves_after=1),
        {"status": 200, "outcome": "aborted", "level": "info", "response_bytes": 3},
    ),
    "item 32 the client left before the first byte": (
        answering(body=iter([b"abc"])),
        Client("leaves", leaves_after=0),
        {"status": 200, "outcome": "aborted", "response_bytes": 0},
    ),
    "never started": (never_starts, None, {"outcome": "handed_off", "level": "info"}),
    "a status that is none": (answering("OK"), None, {"outcome": "complete", "level": "info"}),
}


@pytest.mark.parametrize(("app", "client", "expected"), WAYS.values(), ids=WAYS)
def test_ways_to_end(app, client, expected):
    record = record_of(app, client)
    check(record)
    assert expected.items() <= record.items()
    assert ("status" in record) is ("status" in expected)


@pytest.mark.parametrize("app", [fails, fails_mid_stream], ids=["in the call", "in the stream"])
def test_item_32_an_error_is_placed(app):
    records = []
    with contextlib.suppress(KeyError, OSError), contextlib.ExitStack() as stack:
        body = RequestLog(app, to=records.append)(make_environ(), lambda *_: None)
        stack.callback(body.close)
        list(body)
    assert re.fullmatch(rf".*test_record\.py:\d+ in {app.__name__}", records[0]["error_at"])


@pytest.mark.parametrize(
    ("status", "outcome", "level"),
    [
        (200, "complete", "info"),
        (399, "complete", "info"),
        (400, "complete", "warning"),
        (499, "aborted", "warning"),
        (500, "complete", "error"),
        (200, "aborted", "info"),
        (200, "failed", "error"),
        (None, "failed", "error"),
        (None, "handed_off", "info"),
        (None, None, "info"),
    ],
)
def test_levels(status, outcome, level):
    assert level_of(status, outcome) == level


@given(st.integers(0, 4_102_444_800_000_000_000))
def test_timestamps(now_ns):
    text = timestamp(now_ns)
    read = dt.datetime.fromisoformat(text)
    seconds, rest = divmod(now_ns, 1_000_000_000)
    assert read == dt.datetime.fromtimestamp(seconds, dt.UTC) + dt.timedelta(microseconds=rest // 1000)
    assert len(text) == 27


def test_a_field_never_replaces_what_the_record_knows():
    exchange = Exchange(make_environ(PATH_INFO="/x"))
    exchange.fields.update(path="/forged", level="debug", own=1)
    record = build_record(exchange)
    assert (record["path"], record["level"], record["own"]) == ("/x", "info", 1)


HOSTILE = {
    "CVE-2024-1681 CR LF": "/a\r\nERROR forged",
    "CVE-2020-7694 terminal escape": "/\x1b[2J\x9b31m",
    "not UTF-8": "/\xff\xfe",
    "UTF-8 line separator": "/\xe2\x80\xa8",
    "UTF-8 bidi control": "/\xe2\x80\xae",
    "a UTF-8 surrogate": "/\xed\xb3\xbf",
    "not even latin-1": "/\u2028\udcff😀",
    "R20 forging": '/","level":"info","x":"\\',
    "64 KiB": "/" + "\x1b" * 65536,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_item_28_item_33_hostile_values_make_one_line(text):
    record = record_of(
        PATH_INFO=text,
        QUERY_STRING=text,
        REQUEST_METHOD=text,
        HTTP_USER_AGENT=text,
        HTTP_HOST=text,
        REMOTE_ADDR=text,
        SERVER_PROTOCOL=f"HTTP/{text}",
        wsgi__url_scheme=text,
    )
    line = json_line(record)
    read = orjson.loads(line)
    check(read)
    assert line.count(b"\n") == 1
    assert not re.search(UNSAFE, line.decode()[:-1])
    assert read["status"] == 200


@given(st.text(st.characters()), st.text(st.characters(max_codepoint=255)))
def test_item_28_whatever_comes_it_is_one_line(first, second):
    record = record_of(PATH_INFO=second, QUERY_STRING=first, HTTP_USER_AGENT=second, HTTP_HOST=first)
    line = json_line(record)
    check(orjson.loads(line))
    assert line.count(b"\n") == 1


def test_pysec_2026_248_a_path_never_changes_the_host():
    record = record_of(PATH_INFO="@google.com", HTTP_HOST="shop.example")
    assert (record["path"], record["host"]) == ("@google.com", "shop.example")
