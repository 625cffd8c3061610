"""Layers around and inside of other people's middleware: Werkzeug's own, and the usual slips."""

import io
import logging
import warnings

import pytest
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from paste.translogger import TransLogger
from secure import Secure
from secure.middleware import SecureWSGIMiddleware
from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware
from support.client import Client
from support.coats import Stranger
from support.wsgi import FileWrapper, call
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.http_proxy import ProxyMiddleware
from werkzeug.middleware.lint import LintMiddleware
from werkzeug.middleware.profiler import ProfilerMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix as WerkzeugProxyFix
from werkzeug.middleware.shared_data import SharedDataMiddleware
from whitenoise import WhiteNoise

from overcoat.middleware import (
    Layer,
    RequestID,
    RequestLog,
    SecurityHeaders,
    ServerTiming,
    Stack,
    add_fields,
    current_exchange,
    timer,
)


def hello(environ, start_response):
    add_fields(inner=True)
    with timer("work"):
        body = [b"hello"]
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return body


class CopiesEnviron(Stranger):
    """Hands on a copy of the environ, as some dispatchers do."""

    def __call__(self, environ, start_response):
        return self.app(dict(environ), start_response)


class Generator(Stranger):
    """The body as a generator, with the close in its ``finally``: common, and wrong for a body never begun."""

    def __call__(self, environ, start_response):
        body = self.app(environ, start_response)
        try:
            yield from body
        finally:
            if hasattr(body, "close"):
                body.close()


STRANGERS = {
    "nothing": Stranger,
    "copies-environ": CopiesEnviron,
    "generator": Generator,
    "dispatcher": lambda app: DispatcherMiddleware(app, {"/other": hello}),
    "dispatcher-mounted": lambda app: DispatcherMiddleware(hello, {"/mount": app}),
    "shared-data": lambda app: SharedDataMiddleware(app, {"/static": "/nowhere"}),
    "profiler": lambda app: ProfilerMiddleware(app, stream=None),
    "lint": LintMiddleware,
    "proxy": lambda app: ProxyMiddleware(app, {"/remote/": {"target": "http://127.0.0.1:9"}}),
    "werkzeug-proxy-fix": WerkzeugProxyFix,
    "whitenoise": WhiteNoise,
    "opentelemetry": OpenTelemetryMiddleware,
    "translogger": lambda app: TransLogger(app, logger=logging.getLogger("translogger"), set_logger_level=None),
    "sentry": SentryWsgiMiddleware,
    "secure": lambda app: SecureWSGIMiddleware(app, secure=Secure.with_default_headers()),
}

strangers = pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)


@strangers
def test_one_exchange_on_both_sides(stranger):
    seen = []

    class Tells(Layer):
        def on_request(self, exchange):
            seen.append(exchange)

        def on_finish(self, exchange):
            seen.append(exchange)

    records = []
    stack = Stack(
        hello, [Tells(), RequestID(), RequestLog(to=records.append), stranger, ServerTiming(expose="all"), Tells()]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lint complains of the test's own environ
        answer = call(stack, PATH_INFO="/mount/x")
    assert (answer.error, answer.status, answer.body) == (None, "200 OK", b"hello")
    assert len({id(exchange) for exchange in seen}) == 1
    assert len(seen) == 4
    (record,) = records
    assert (record["outcome"], record["status"], record["response_bytes"]) == ("complete", 200, 5)
    assert (record["inner"], list(record["timings"]), record["path"]) == (True, ["work"], "/mount/x")
    assert answer.header("X-Request-ID") == [record["request_id"]]
    assert answer.header("Server-Timing")[0].startswith("work;dur=")
    assert current_exchange() is None


@pytest.mark.parametrize("wrapper", [None, FileWrapper], ids=["no-wrapper", "wrapper"])
def test_static_files_of_shared_data(tmp_path, wrapper):
    (tmp_path / "page.txt").write_bytes(b"static")
    records = []
    layers = [
        RequestLog(to=records.append),
        lambda app: SharedDataMiddleware(app, {"/static": str(tmp_path)}),
        ServerTiming(),
    ]
    stack = Stack(hello, layers)
    answer = call(stack, PATH_INFO="/static/page.txt", wsgi__file_wrapper=wrapper)
    (record,) = records
    assert (answer.status, record["status"], record["path"]) == ("200 OK", 200, "/static/page.txt")
    if wrapper is None:
        assert (answer.body, record["response_bytes"], record["outcome"]) == (b"static", 6, "complete")
    else:
        assert ("sendfile", b"static") in answer.events
        assert record["outcome"] == "handed_off"


@pytest.mark.parametrize("wrapper", [None, FileWrapper], ids=["no-wrapper", "wrapper"])
def test_static_files_of_whitenoise(tmp_path, wrapper):
    """WhiteNoise answers without asking the layers further in; those outside see it as any answer."""
    (tmp_path / "page.txt").write_bytes(b"static")
    records, inner = [], []

    class Inner(Layer):
        def on_request(self, exchange):
            inner.append(exchange)

    layers = [
        RequestID(),
        RequestLog(to=records.append),
        SecurityHeaders(),
        lambda app: WhiteNoise(app, root=str(tmp_path), prefix="static/"),
        Inner(),
    ]
    answer = call(Stack(hello, layers), PATH_INFO="/static/page.txt", wsgi__file_wrapper=wrapper)
    (record,) = records
    assert (answer.status, record["status"], record["path"]) == ("200 OK", 200, "/static/page.txt")
    assert answer.header("X-Content-Type-Options") == ["nosniff"]
    assert answer.header("X-Request-ID") == [record["request_id"]]
    assert inner == []
    if wrapper is None:
        assert (answer.body, record["response_bytes"], record["outcome"]) == (b"static", 6, "complete")
    else:
        assert ("sendfile", b"static") in answer.events
        assert record["outcome"] == "handed_off"


def test_layers_of_mounted_apps_share_the_exchange():
    """A dispatcher picks one of several stacks, and shifts the path: the record is one, with the path at entry."""
    seen, records = [], []

    class Sees(Layer):
        def on_request(self, exchange):
            seen.append((exchange, exchange.path, exchange.environ["PATH_INFO"], exchange.environ["SCRIPT_NAME"]))
            exchange.state["mount"] = True

        def on_finish(self, exchange):
            add_fields(mounted=exchange.state["mount"])

    api = Stack(hello, [Sees(), ServerTiming(expose="all")])
    layers = [RequestID(), RequestLog(to=records.append), lambda app: DispatcherMiddleware(app, {"/api": api})]
    stack = Stack(hello, layers)
    answer = call(stack, PATH_INFO="/api/items")
    assert answer.header("Server-Timing")[0].startswith("work;dur=")
    assert [entry[1:] for entry in seen] == [("/api/items", "/items", "/api")]
    assert call(stack, PATH_INFO="/elsewhere").body == b"hello"
    assert len(seen) == 1
    assert [(record["path"], record.get("mounted"), record["inner"]) for record in records] == [
        ("/api/items", True, True),
        ("/elsewhere", None, True),
    ]
    assert current_exchange() is None


def test_opentelemetry_between_layers():
    """Its span is around the inner layers, its generator between two segments: bytes, end and fields are whole."""
    tells, records = [], []

    def stream(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"one,"
        add_fields(rows=1)
        tells.append(current_exchange())
        yield b"two"

    class Tells(Layer):
        def on_finish(self, exchange):
            tells.append(exchange)

    layers = [RequestID(), RequestLog(to=records.append), OpenTelemetryMiddleware, ServerTiming(), Tells()]
    stack = Stack(stream, layers)
    answer = call(stack)
    assert (answer.body, answer.chunks) == (b"one,two", [b"one,", b"two"])
    assert len({id(exchange) for exchange in tells}) == 1
    assert (records[0]["rows"], records[0]["response_bytes"], records[0]["outcome"]) == (1, 7, "complete")


@pytest.mark.parametrize(
    ("leaves_after", "tells"),
    [(1, {"outcome": "aborted", "response_bytes": 4}), (0, {"outcome": "aborted", "response_bytes": 0})],
    ids=["mid-stream", "before-the-first-byte"],
)
def test_client_that_leaves_though_opentelemetry_forgets_to_close(leaves_after, tells):
    """Its generator is never begun, and so never closes: the line outside of it comes all the same, once."""
    records = []

    def stream(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return (chunk for chunk in (b"one,", b"two"))

    stack = Stack(stream, [RequestLog(to=records.append), OpenTelemetryMiddleware, ServerTiming()])
    call(stack, client=Client("leaves", leaves_after=leaves_after))
    (record,) = records
    assert tells.items() <= record.items()
    assert current_exchange() is None


def test_profiler_does_its_work(tmp_path):
    out = io.StringIO()
    stack = Stack(hello, [RequestID(), lambda app: ProfilerMiddleware(app, stream=out), SecurityHeaders()])
    assert call(stack).body == b"hello"
    assert "PATH: '/'" in out.getvalue()


def test_proxy_fix_of_werkzeug_inside_of_a_log():
    records = []
    stack = Stack(hello, [RequestLog(to=records.append), WerkzeugProxyFix])
    call(stack, HTTP_X_FORWARDED_FOR="192.0.2.7")
    assert (records[0]["client"], records[0]["peer"]) == ("192.0.2.7", "127.0.0.1")
