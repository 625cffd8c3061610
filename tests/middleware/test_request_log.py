import io
import json
import logging
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import bottle
import flask
import pytest
import structlog
from support.apps import answering, ok
from support.client import Client
from support.record import check
from support.wsgi import FileWrapper, call
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from overcoat.middleware import RequestID, RequestLog, Stack, add_fields


def flask_app(folder):
    (folder / "site.css").write_text("body {}")
    app = flask.Flask("shop", static_folder=str(folder), static_url_path="/static")

    @app.get("/item/<int:item_id>")
    def item(item_id):
        return {"id": item_id}

    @app.post("/item")
    def create():
        return {"size": len(flask.request.get_data())}, 201

    @app.post("/unread")
    def unread():
        return "", 413

    @app.get("/broken")
    def broken():
        raise ValueError("no cart")

    @app.get("/gone")
    def gone():
        flask.abort(410)

    @app.get("/stream")
    def stream():
        def chunks():
            yield b"first,"
            add_fields(rows=2)
            yield b"second"

        return chunks(), {"Content-Type": "text/csv"}

    @app.get("/stream-breaks")
    def stream_breaks():
        def chunks():
            yield b"first,"
            raise OSError("disk")

        return chunks()

    @app.get("/file")
    def file():
        return flask.send_file(folder / "site.css")

    return app


def bottle_app(folder):
    (folder / "site.css").write_text("body {}")
    app = bottle.Bottle()
    app.get("/item/<item_id:int>", callback=lambda item_id: {"id": item_id})

    @app.post("/item")
    def create():
        bottle.response.status = 201
        return {"size": len(bottle.request.body.read())}

    @app.post("/unread")
    def unread():
        bottle.response.status = 413
        return ""

    @app.get("/broken")
    def broken():
        raise ValueError("no cart")

    @app.get("/gone")
    def gone():
        bottle.abort(410)

    @app.get("/stream")
    def stream():
        yield b"first,"
        add_fields(rows=2)
        yield b"second"

    @app.get("/stream-breaks")
    def stream_breaks():
        yield b"first,"
        raise OSError("disk")

    @app.get("/file")
    def file():
        return bottle.static_file("site.css", root=str(folder))

    @app.get("/static/<filename:path>")
    def static(filename):
        return bottle.static_file(filename, root=str(folder))

    return app


BODY = {"CONTENT_LENGTH": "6", "wsgi__input": b"abcdef"}
LEAVES = Client("leaves", leaves_after=1)
CASES = {
    "a view": ("GET", "/item/7", {}, None, {"status": 200, "route": "item", "outcome": "complete"}),
    "HEAD": ("HEAD", "/item/7", {}, None, {"status": 200, "route": "item", "response_bytes": 0, "outcome": "complete"}),
    "404 without a route": ("GET", "/nowhere", {}, None, {"status": 404, "level": "warning", "outcome": "complete"}),
    "404 for a converter": ("GET", "/item/x", {}, None, {"status": 404}),
    "405": ("DELETE", "/item/7", {}, None, {"status": 405, "level": "warning"}),
    "410 by abort": ("GET", "/gone", {}, None, {"status": 410, "route": "gone"}),
    "POST with a body": ("POST", "/item", BODY, None, {"status": 201, "route": "create", "request_bytes": 6}),
    "POST with a body that nobody reads": ("POST", "/unread", BODY, None, {"status": 413, "route": "unread"}),
    "an error": ("GET", "/broken", {}, None, {"status": 500, "level": "error", "route": "broken"}),
    "a stream": (
        "GET", "/stream", {}, None,
        {"status": 200, "route": "stream", "response_bytes": 12, "rows": 2, "outcome": "complete"},
    ),
    "a stream that the client leaves": (
        "GET", "/stream", {}, LEAVES, {"route": "stream", "response_bytes": 6, "outcome": "aborted"},
    ),
    "a stream that breaks": (
        "GET", "/stream-breaks", {}, None,
        {"status": 200, "route": "stream_breaks", "response_bytes": 6, "outcome": "failed", "level": "error",
         "error_type": "OSError", "error_message": "disk"},
    ),
    "a file by the server": (
        "GET", "/file", {"wsgi__file_wrapper": FileWrapper}, None,
        {"status": 200, "route": "file", "outcome": "handed_off"},
    ),
    "a static file": (
        "GET", "/static/site.css", {"wsgi__file_wrapper": FileWrapper}, None,
        {"route": "static", "outcome": "handed_off"},
    ),
    "a file chunk by chunk": ("GET", "/file", {}, None, {"response_bytes": 7, "outcome": "complete"}),
}  # fmt: skip
ROUTES = {
    flask_app: {"item": "/item/<int:item_id>", "static": "/static/<path:filename>", "stream_breaks": "/stream-breaks"},
    bottle_app: {"item": "/item/<item_id:int>", "static": "/static/<filename:path>", "stream_breaks": "/stream-breaks"},
}


@pytest.mark.parametrize("make", [flask_app, bottle_app], ids=["Flask", "Bottle"])
@pytest.mark.parametrize(("method", "path", "environ", "client", "expected"), CASES.values(), ids=CASES)
def test_one_right_line_for_each_request(tmp_path, make, method, path, environ, client, expected):
    app = make(tmp_path)
    records = []
    wrapped = RequestLog(getattr(app, "wsgi_app", app), to=records.append)
    if "wsgi__input" in environ:
        environ = environ | {"wsgi__input": io.BytesIO(environ["wsgi__input"])}
    seen = call(wrapped, REQUEST_METHOD=method, PATH_INFO=path, **({"client": client} if client else {}), **environ)
    [record] = records
    check(record, "rows")
    expected = dict(expected)
    endpoint = expected.pop("route", None)
    if endpoint is not None:
        expected["route"] = ROUTES[make].get(endpoint, "/item" if endpoint == "create" else f"/{endpoint}")
    assert expected.items() <= record.items()
    assert ("route" in record) is (endpoint is not None or path == "/file")
    assert record["response_bytes" if "response_bytes" in record else "status"] in {len(seen.body), record["status"]}
    assert ("request_bytes" in record) is ("request_bytes" in expected)
    assert ("error_type" in record) is (record["outcome"] == "failed")
    if make is flask_app and endpoint is not None:
        assert record["endpoint"] == endpoint


def test_flask_in_debug_mode_lets_the_error_through_and_it_is_logged(tmp_path):
    app = flask_app(tmp_path)
    app.testing = True
    records = []
    app.wsgi_app = RequestLog(app.wsgi_app, to=records.append)
    with pytest.raises(ValueError, match="no cart"):
        app.test_client().get("/broken")
    [record] = records
    check(record)
    assert (record["outcome"], record["error_type"], record["error_message"]) == ("failed", "ValueError", "no cart")
    assert record["error_at"].endswith("in broken")
    assert record["route"] == "/broken" if "route" in record else True


def test_a_mounted_app_keeps_the_path_at_entry(tmp_path):
    records = []
    inner = flask_app(tmp_path)
    outer = flask.Flask("outer")
    app = RequestLog(DispatcherMiddleware(outer.wsgi_app, {"/shop": inner.wsgi_app}), to=records.append)
    call(app, PATH_INFO="/shop/item/7")
    assert (records[0]["path"], records[0]["route"]) == ("/shop/item/7", "/item/<int:item_id>")


def test_the_app_s_own_route_wins(tmp_path):
    app = flask_app(tmp_path)
    app.add_url_rule("/page/<path:rest>", endpoint="page", view_func=lambda rest: add_fields(route="/page/about") or "")
    records = []
    call(RequestLog(app.wsgi_app, to=records.append, route=lambda exchange: "never"), PATH_INFO="/page/about")
    assert (records[0]["route"], records[0]["endpoint"]) == ("/page/about", "page")


@pytest.mark.parametrize(
    ("route", "expected"), [(lambda exchange: f"R {exchange.method}", "R GET"), (lambda exchange: None, None)]
)
def test_a_callable_tells_the_route(route, expected):
    records = []
    call(RequestLog(ok, to=records.append, route=route))
    assert records[0].get("route") == expected


def test_a_route_that_raises_breaks_nothing(caplog):
    records = []
    seen = call(RequestLog(ok, to=records.append, route=lambda exchange: 1 / 0))
    assert (seen.status, seen.body, seen.error) == ("200 OK", b"ok", None)
    assert "route" not in records[0]
    assert "ZeroDivisionError" in caplog.text


# Secrets (item 31)

SECRETS = {
    "HTTP_AUTHORIZATION": "Bearer s3cret",
    "HTTP_COOKIE": "session=s3cret",
    "HTTP_X_API_KEY": "s3cret",
    "HTTP_PROXY_AUTHORIZATION": "Basic s3cret",
    "HTTP_REFERER": "https://shop.example/?token=s3cret",
    "QUERY_STRING": "page=2&access_token=s3cret&code=s3cret;sig=s3cret",
}


@pytest.mark.parametrize(
    "app", [ok, answering("401 Unauthorized"), lambda environ, start: 1 / 0], ids=["200", "401", "raises"]
)
def test_item_31_no_secret_is_in_any_line(capsys, app):
    def sets_cookie(environ, start_response):
        return app(environ, lambda s, h, e=None: start_response(s, [*h, ("Set-Cookie", "id=s3cret")], e))

    call(RequestLog(sets_cookie, to="stdout"), wsgi__input=io.BytesIO(b"s3cret"), CONTENT_LENGTH="6", **SECRETS)
    line = capsys.readouterr().out
    assert "s3cret" not in line
    check(json.loads(line))


# Through every to=


def send(to):
    call(Stack(ok, [RequestID(), RequestLog(to=to)]), PATH_INFO="/x", HTTP_X_REQUEST_ID="r-1")


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_to_a_standard_stream(capsys, name):
    send(name)
    captured = capsys.readouterr()
    check(json.loads(getattr(captured, name[3:])))
    assert "".join(captured) == getattr(captured, name[3:])


@pytest.mark.parametrize("kind", [str, Path], ids=["text", "Path"])
def test_to_a_file(tmp_path, kind):
    path = tmp_path / "request.log"
    send(kind(path))
    send(kind(path))
    lines = path.read_text().splitlines()
    assert len(lines) == 2
    for line in lines:
        check(json.loads(line))


@pytest.mark.parametrize("wrap", [lambda logger: logger, lambda logger: logging.LoggerAdapter(logger, {})])
@pytest.mark.parametrize(("status", "level"), [("200 OK", "INFO"), ("404 Gone", "WARNING"), ("500 Oops", "ERROR")])
def test_to_a_stdlib_logger(caplog, wrap, status, level):
    caplog.set_level("INFO")
    call(RequestLog(answering(status), to=wrap(logging.getLogger("shop.access"))), PATH_INFO="/50%/x")
    [entry] = caplog.records
    assert (entry.name, entry.levelname) == ("shop.access", level)
    check(json.loads(entry.message))


def test_to_a_structlog_logger():
    with structlog.testing.capture_logs() as captured:
        send(structlog.get_logger("access").bind(service="shop"))
    [event] = captured
    assert (event["event"], event["log_level"], event["service"], event["path"]) == (
        "http_request",
        "info",
        "shop",
        "/x",
    )


def test_a_field_that_structlog_cannot_take_costs_no_line():
    def app(environ, start_response):
        add_fields(**{"self": 1, "odd name": 2})
        return ok(environ, start_response)

    with structlog.testing.capture_logs() as captured:
        call(RequestLog(app, to=structlog.get_logger()))
    assert (captured[0]["self_"], captured[0]["odd name"]) == (1, 2)


def test_to_a_callable():
    records = []
    send(records.append)
    check(records[0])


def test_without_to_it_is_json_on_standard_output(capsys):
    send(None)
    check(json.loads(capsys.readouterr().out))


def test_without_to_an_app_s_own_structlog_is_honoured(capsys):
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, structlog.processors.KeyValueRenderer(key_order=["event", "path"])]
    )
    send(None)
    assert capsys.readouterr().out.startswith("event='http_request' path='/x' ")


def test_a_writer_that_raises_breaks_nothing(caplog):
    seen = call(RequestLog(ok, to=lambda record: 1 / 0))
    assert (seen.status, seen.body, seen.error) == ("200 OK", b"ok", None)
    assert "ZeroDivisionError" in caplog.text


def test_item_30_skip_logs_nothing():
    records = []
    app = RequestLog(answering("500 Oops"), to=records.append, skip=["/healthz", "/static/"])
    for path in ("/healthz", "/static/site.css", "/healthz2", "/static_secret"):
        call(app, PATH_INFO=path)
    assert [record["path"] for record in records] == ["/healthz2", "/static_secret"]


def test_cve_2023_25577_a_large_body_costs_no_memory():
    code = dedent("""
        import io, resource
        from overcoat.middleware import RequestLog
        class Endless(io.RawIOBase):
            left = 64 * 1024 * 1024
            def read(self, size=-1):
                size = min(size, self.left)
                self.left -= size
                return b"x" * size
        def app(environ, start_response):
            while environ["wsgi.input"].read(65536):
                pass
            start_response("200 OK", [])
            return [b""]
        records = []
        app = RequestLog(app, to=records.append)
        environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(Endless.left), "wsgi.input": Endless()}
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        body = app(environ, lambda *_: None)
        list(body), body.close()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert records[0]["request_bytes"] == 64 * 1024 * 1024, records
        assert grown < 16 * 1024, grown
    """)
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


WRONG = {
    "a typing slip": ({"to": "stdot"}, "to='stdot' is no stream: write 'stdout'"),
    "in capitals": ({"to": "STDERR"}, "to='STDERR' is no stream"),
    "a dash": ({"to": "-"}, "to='-' is no stream"),
    "a folder": ({"to": "/"}, "RequestLog: to='/' cannot be appended to: Is a directory; give a writable path"),
    "nowhere": ({"to": "/nowhere/x.log"}, "to='/nowhere/x.log' cannot be appended to: No such file or directory"),
    "a NUL": ({"to": "a\0b"}, r"to='a\\x00b' cannot be appended to: .*embedded null"),
    "empty": ({"to": ""}, "to='' cannot be appended to"),
    "a number": ({"to": 2}, "to=2 must be None, 'stdout', 'stderr', a path, a logger or a callable"),
    "bytes": ({"to": b"x"}, "to=b'x' must be"),
    "a stream": ({"to": io.StringIO()}, "to=<_io.StringIO .* must be"),
    "a route as text": ({"route": "/item"}, "route='/item' must be a callable"),
    "item 3 unknown": ({"too": None}, "unknown option too=None; did you mean 'to'"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        RequestLog(ok, **options)


def test_bottles_route_is_told_though_a_werkzeug_request_was_made_further_out():
    from werkzeug.wrappers import Request

    app, lines = bottle.Bottle(), []
    app.get("/hello/<name>")(lambda name: name)
    log = RequestLog(app, to=lines.append)

    def outer(environ, start_response):
        Request(environ)
        return log(environ, start_response)

    call(outer, PATH_INFO="/hello/you")
    assert lines[0]["route"] == "/hello/<name>"


# The line is written by a function made for the options


class Counting(RequestLog):
    finished = 0

    def on_finish(self, exchange):
        self.finished += 1
        super().on_finish(exchange)


def test_a_subclass_finishes_its_own_way():
    records = []
    log = Counting(ok, to=records.append)
    call(log)
    assert (log.finished, len(records)) == (1, 1)


def test_an_error_in_the_writer_names_the_phase(caplog):
    call(RequestLog(ok, to=lambda record: 1 / 0))
    assert "RequestLog.on_finish" in caplog.text


OPTIONS = {
    "none": {},
    "sensitive": {"sensitive": ["ssn"]},
    "sample": {"sample": 1.0},
    "quiet": {"quiet": "/healthz"},
    "headers": {"headers": ["Accept"]},
    "level": {"level": lambda exchange: None},
    "names": {"names": {"endpoint": "view"}},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_options_that_find_nothing_change_nothing(tmp_path, options):
    plain, other = tmp_path / "plain", tmp_path / "other"
    for path, given in ((plain, {}), (other, options)):
        app = RequestLog(ok, to=path, **given)
        call(Stack(app, [RequestID(policy="accept")]), QUERY_STRING="a=1&token=x", HTTP_X_REQUEST_ID="r-1")
    first, second = (json.loads(path.read_text()) for path in (plain, other))
    changing = {"timestamp", "duration_ms", "first_byte_ms"}
    assert list(first) == list(second)
    assert all(first[name] == second[name] for name in first if name not in changing)


@pytest.mark.parametrize("answer", [7, b"/x", ["/x"]], ids=repr)
def test_a_route_that_is_no_text_is_none_and_is_told_once(caplog, answer):
    records = []
    app = RequestLog(ok, to=records.append, route=lambda exchange: answer)
    call(app)
    call(app)
    assert not any("route" in record for record in records)
    assert len(caplog.records) == 1
