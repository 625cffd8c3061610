"""Hostile environs: no layer raises, answers with an error, or lets what a client sent split a response."""

import re

import pytest
from support.coats import COATS, Coat
from support.wsgi import call
from support.zoo.environs import KEYS, ODD, VALUES, hostile

from overcoat.middleware import ProxyFix, RequestID, RequestLog, Stack
from overcoat.middleware._json import json_line

coats = pytest.mark.parametrize("coat", COATS, ids=[coat.name for coat in COATS])

ENVIRONS = dict(hostile())

_SPLITS = re.compile(r"[\r\n\0]")


def _app(environ, start_response):
    """Reads what apps read, and answers with none of it."""
    stream = environ.get("wsgi.input")
    if stream is not None:
        stream.read(10)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def _faults(coat: Coat, environ: dict) -> list[str]:
    records: list[dict] = []
    seen = call(coat.wear(_app, records), **environ)
    found = []
    if seen.error is not None:
        found.append(f"raised {seen.error!r:.200}")
    elif "answers" in coat.allow and "HTTP_HOST" in environ:
        if seen.status != "400 Bad Request":
            found.append(f"answered {seen.status} to an unknown host")
    elif (seen.status, seen.body) != ("200 OK", b"ok"):
        found.append(f"answered {seen.status}")
    for name, value in seen.headers:
        if type(name) is not str or type(value) is not str or _SPLITS.search(name + value):
            found.append(f"header {name!r}: {value!r:.100}")
        elif len(value) > 1000:
            found.append(f"header {name!r} of {len(value)} characters")
    if coat.logs and len(records) != 1:
        found.append(f"{len(records)} records")
    for record in records:
        line = json_line(record)
        if line.count(b"\n") != 1 or not line.endswith(b"\n") or re.search(rb"[\x00-\x09\x0b-\x1f]", line):
            found.append(f"line {line!r:.200}")
    return found


@coats
@pytest.mark.parametrize("key", [*KEYS, "all"])
def test_hostile_value(key: str, coat: Coat):
    environs = {name: environ for name, environ in ENVIRONS.items() if name.startswith(f"{key}-") and name not in ODD}
    assert len(environs) == len(VALUES)
    assert {name: faults for name, environ in environs.items() if (faults := _faults(coat, environ))} == {}


@coats
@pytest.mark.parametrize("name", ODD)
def test_odd_environ(name: str, coat: Coat):
    assert _faults(coat, ODD[name]) == []


@coats
@pytest.mark.parametrize(
    "unit", ["a", ",", " ", ":", "1.", '"', "\\", "\t,", "a=b;", "[", "%", "&", "=", "\r\n", "\xff", "/"]
)
def test_no_value_costs_more_than_linear_time(unit: str, coat: Coat):
    """A mebibyte in every header at once: whatever is quadratic would take hours."""
    value = unit * (2**20 // len(unit))
    environ = dict.fromkeys([key for key in KEYS if key not in {"REQUEST_METHOD", "CONTENT_LENGTH"}], value)
    assert _faults(coat, environ) == []


@pytest.mark.parametrize("key", ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP"])
@pytest.mark.parametrize("label", ["crlf", "nul", "markup", "64-KiB", "escape"])
def test_junk_never_becomes_the_client(key: str, label: str):
    seen_by_app = {}

    def app(environ, start_response):
        seen_by_app.update(environ)
        return _app(environ, start_response)

    fixed = ProxyFix(app, trusted=["127.0.0.1"], x_host=1, x_port=1, x_prefix=1)
    call(fixed, **{key: VALUES[label]})
    assert seen_by_app["REMOTE_ADDR"] == "127.0.0.1"
    assert seen_by_app["HTTP_HOST"] == "localhost"
    assert seen_by_app["wsgi.url_scheme"] == "http"


@coats
def test_app_sees_its_environ(coat: Coat):
    """Only what a layer is there to change is changed, and the dict is the server's own."""
    from support.wsgi import make_environ, serve

    taken = {}

    def app(environ, start_response):
        taken["environ"], taken["copy"] = environ, dict(environ)
        return _app(environ, start_response)

    environ = make_environ(HTTP_USER_AGENT="test", PATH_INFO="/a", QUERY_STRING="b=1", test__object=object())
    before = dict(environ)
    serve(coat.wear(app, []), environ)
    assert taken["environ"] is environ
    changed = {key for key, value in before.items() if taken["copy"].get(key, before) is not value}
    added = {key for key in taken["copy"].keys() - before.keys() if not key.startswith(("overcoat.", "werkzeug."))}
    assert changed == set()
    assert added <= {"HTTP_X_REQUEST_ID", "HTTP_X_TRACE"}


def test_path_is_the_one_at_entry_though_a_dispatcher_shifts_it():
    from wsgiref.util import shift_path_info

    def dispatcher(environ, start_response):
        shift_path_info(environ)
        return _app(environ, start_response)

    records: list[dict] = []
    call(Stack(dispatcher, [RequestID(), RequestLog(to=records.append)]), PATH_INFO="/api/items", SCRIPT_NAME="")
    assert records[0]["path"] == "/api/items"
