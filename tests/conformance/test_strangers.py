"""Layers around and inside of other people's middleware: Werkzeug's own, and the usual slips."""

import io
import warnings

import pytest
from support.coats import Stranger
from support.wsgi import FileWrapper, call
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.http_proxy import ProxyMiddleware
from werkzeug.middleware.lint import LintMiddleware
from werkzeug.middleware.profiler import ProfilerMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix as WerkzeugProxyFix
from werkzeug.middleware.shared_data import SharedDataMiddleware

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
