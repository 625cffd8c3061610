import contextlib
import io
import json

import flask
import jsonschema
import pytest
from support.apps import answering, ok
from support.client import CLIENTS, Client
from support.record import PAGE, reference
from support.wsgi import FileWrapper, call, make_environ, serve
from support.zoo import SPECIMENS

from overcoat.hooks import RequestContext, register
from overcoat.middleware import RequestID, RequestLog, Stack, TraceContext, add_fields, timer
from overcoat.middleware import _keep as keep_module
from overcoat.middleware.fields import STANDARD_FIELDS

SCHEMA = json.loads(PAGE.with_name("record.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_it_has_the_fields_of_the_page():
    fields = reference()
    assert tuple(SCHEMA["properties"]) == STANDARD_FIELDS
    assert set(SCHEMA["required"]) == {name for name, field in fields.items() if field.always}
    kinds = {"string": str, "integer": int, "number": float, "object": dict}
    for name, rule in SCHEMA["properties"].items():
        kind = str if "const" in rule else kinds[rule["type"]]
        assert kind is fields[name].kind, name


def fails(environ, start_response):
    raise KeyError("cart")


def fails_in_the_stream(environ, start_response):
    start_response("200 OK", [])
    yield b"abc"
    raise OSError("disk")


def never_starts(environ, start_response):
    return []


def stream(environ, start_response):
    start_response("200 OK", [])
    yield b"abc"
    yield b"def"


def adds(environ, start_response):
    with timer("db"):
        environ["wsgi.input"].read(4)
    add_fields(user_id=7, cart={"rows": [1, 2.5, None]}, odd=object())
    return ok(environ, start_response)


def handled():
    app = flask.Flask("shop")
    app.add_url_rule("/item/<int:item_id>", "item", lambda item_id: {}[item_id])
    register(app, [RequestContext()])
    return app.wsgi_app


def a_file(environ, start_response):
    start_response("200 OK", [])
    return environ["wsgi.file_wrapper"](io.BytesIO(b"file"))


POST = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "6"}
#: app, options, environ, client, fields that the line must have, fields that it must not have
KINDS = {
    "complete": (ok, {}, {}, None, "status first_byte_ms response_bytes", "route query error_type timings"),
    "aborted": (stream, {}, {}, Client("leaves", leaves_after=1), "status", "error_type"),
    "aborted before the first byte": (stream, {}, {}, Client("leaves", leaves_after=0), "", "status first_byte_ms"),
    "failed": (fails, {}, {}, None, "error_type error_message error_at", "status"),
    "failed in the stream": (fails_in_the_stream, {}, {}, None, "status error_type", ""),
    "handed off": (never_starts, {}, {}, None, "", "status"),
    "a file": (a_file, {}, {"wsgi__file_wrapper": FileWrapper}, None, "status", "response_bytes"),
    "404": (answering("404 Not Found"), {}, {}, None, "status", ""),
    "a status that is none": (answering("OK"), {}, {}, None, "", "status"),
    "a route, an error handled": (
        handled(), {}, {"PATH_INFO": "/item/7"}, None, "route endpoint error_type error_at", "",
    ),
    "a query": (ok, {}, {"QUERY_STRING": "a=1&token=x"}, None, "query", ""),
    "timings, own fields, a body": (adds, {}, POST, None, "timings user_id cart odd request_bytes", ""),
    "headers": (
        ok, {"headers": ["Accept"], "response_headers": ["Content-Type"]}, {"HTTP_ACCEPT": "*/*"}, None,
        "request_headers response_headers", "",
    ),
    "a sample": (ok, {"sample": 0.5}, {}, None, "sample_rate", ""),
    "noteworthy in a sample": (answering("404 Gone"), {"sample": 0.5}, {}, None, "status", "sample_rate"),
    "another level": (ok, {"level": lambda exchange: "critical"}, {}, None, "status", ""),
    "a hidden path": (ok, {"hide_path": "/"}, {}, None, "path", ""),
    "a refused id": (ok, {}, {"HTTP_X_REQUEST_ID": "not harmless"}, None, "client_request_id", ""),
    "nothing known": (
        ok, {}, dict.fromkeys(["REMOTE_ADDR", "HTTP_HOST", "SERVER_NAME", "SERVER_PROTOCOL", "wsgi__url_scheme"]), None,
        "status", "client peer host http_version scheme",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("app", "options", "environ", "client", "there", "absent"), KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("traced", [False, True], ids=["alone", "with ids"])
def test_item_28_every_kind_of_line_is_valid(monkeypatch, capsys, app, options, environ, client, there, absent, traced):
    monkeypatch.setattr(keep_module, "random", lambda: 0.0)
    log = RequestLog(to="stdout", **options)
    wrapped = Stack(app, [TraceContext(), RequestID(), log] if traced or "client_request_id" in there else [log])
    environ = {"wsgi__input": io.BytesIO(b"abcdef")} | environ
    call(wrapped, **environ, **({"client": client} if client else {}))
    line = json.loads(capsys.readouterr().out)
    VALIDATOR.validate(line)
    assert set(there.split()) <= set(line)
    assert not set(absent.split()) & set(line)
    assert ("trace_id" in line) == ("span_id" in line) == (traced or "client_request_id" in there)


@pytest.mark.parametrize("client", CLIENTS, ids=[client.name for client in CLIENTS])
@pytest.mark.parametrize("specimen", SPECIMENS.values(), ids=SPECIMENS)
def test_item_28_the_line_of_every_specimen_is_valid(capsys, specimen, client):
    app, _ = specimen.make()
    log = RequestLog(to="stdout", headers=["Accept"], response_headers=["Content-Type", "X-Odd"], sample=1.0)
    with contextlib.suppress(Exception):
        serve(Stack(app, [RequestID(), log]), make_environ(**specimen.environ()), client)
    [line] = capsys.readouterr().out.splitlines()
    VALIDATOR.validate(json.loads(line))


BROKEN = {
    "status as text": {"status": "200"},
    "null": {"client": None},
    "an unknown outcome": {"outcome": "lost"},
    "an unknown level": {"level": "fatal"},
    "another event": {"event": "request"},
    "local time": {"timestamp": "2026-01-02 03:04:05"},
    "a negative duration": {"duration_ms": -1.0},
    "a sample of all": {"sample_rate": 1.0},
    "a header in capitals": {"request_headers": {"Accept": "*/*"}},
    "a long header": {"request_headers": {"accept": "x" * 1025}},
    "a timing without its count": {"timings": {"db": {"duration_ms": 1.0}}},
    "an error without a type": {"error_at": "a.py:1 in f"},
    "a failure without an error": {"outcome": "failed"},
    "a span without a trace": {"span_id": "00f067aa0ba902b7"},
    "a short trace": {"trace_id": "4bf9"},
}
LINE = {
    "timestamp": "2026-01-02T03:04:05.678901Z", "level": "info", "event": "http_request", "method": "GET", "path": "/",
    "duration_ms": 1.0, "outcome": "complete",
}  # fmt: skip


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_a_broken_line_is_not_valid(change):
    VALIDATOR.validate(LINE)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(LINE | change)


@pytest.mark.parametrize("name", LINE)
def test_what_is_always_there_is_demanded(name):
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({key: value for key, value in LINE.items() if key != name})


def test_the_page_s_example_is_valid():
    [example] = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    VALIDATOR.validate(json.loads(example))
