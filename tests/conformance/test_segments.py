"""Segments with other people's middleware in between: one exchange, one record, one end."""

import pytest
from support.coats import Stranger
from support.wsgi import call, serve

from overcoat.middleware import (
    Layer,
    ProxyFix,
    RequestID,
    RequestLog,
    SecurityHeaders,
    Stack,
    add_fields,
    timer,
)


def hello(environ, start_response):
    add_fields(inner=True)
    with timer("work"):
        body = [b"hello"]
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return body


class CopiesWithoutExtras(Stranger):
    """Hands on only what CGI and WSGI define."""

    def __call__(self, environ, start_response):
        return self.app({k: v for k, v in environ.items() if not k.startswith("overcoat.")}, start_response)


def test_environ_of_a_request_that_has_ended_serves_another():
    """Whoever kept a copy of the environ, and replays it, gets a request of its own."""
    kept, records = [], []

    class Keeps(Stranger):
        def __call__(self, environ, start_response):
            kept.append(dict(environ))
            return self.app(environ, start_response)

    stack = Stack(hello, [RequestID(), RequestLog(to=records.append), Keeps])
    call(stack)
    environ = kept[0]
    assert "overcoat.exchange" in environ
    del environ["HTTP_X_REQUEST_ID"]
    assert serve(stack, environ).body == b"hello"
    assert len(records) == 2
    assert records[0]["request_id"] != records[1]["request_id"]
    assert "overcoat.exchange" not in environ


def test_stranger_that_drops_the_key_makes_two_exchanges_and_both_end():
    outer, inner = [], []
    stack = Stack(
        hello, [RequestLog(to=outer.append), CopiesWithoutExtras, RequestLog(to=inner.append)], check_order=False
    )
    assert call(stack).body == b"hello"
    assert (outer[0]["outcome"], inner[0]["outcome"]) == ("complete", "complete")
    assert "inner" in inner[0]
    assert "inner" not in outer[0]


def test_each_segment_sees_its_own_side():
    """What stands between may shorten or lengthen: each tells its own bytes, and the status that went out."""

    class Doubles(Stranger):
        def __call__(self, environ, start_response):
            body = self.app(environ, lambda status, headers, *rest: start_response("203 DOUBLED", headers, *rest))
            try:
                return [b"".join(body) * 2]
            finally:
                body.close()

    seen = []

    class Sees(Layer):
        def __init__(self, name):
            self.name = name
            super().__init__()

        def on_finish(self, exchange):
            seen.append((self.name, exchange.status, exchange.response_bytes, exchange.outcome))

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"hello"]

    answer = call(Stack(app, [Sees("outer"), Doubles, Sees("inner")]))
    assert (answer.status, answer.body) == ("203 DOUBLED", b"hellohello")
    assert seen == [("inner", "203 DOUBLED", 5, "complete"), ("outer", "203 DOUBLED", 10, "complete")]


def test_stranger_that_answers_itself_leaves_the_inner_segment_alone():
    class Refuses(Stranger):
        def __call__(self, environ, start_response):
            start_response("403 FORBIDDEN", [("Content-Type", "text/plain")])
            return [b"no"]

    records = []
    answer = call(Stack(pytest.fail, [RequestLog(to=records.append), Refuses, SecurityHeaders()]))
    assert (answer.status, records[0]["status"], answer.header("X-Frame-Options")) == ("403 FORBIDDEN", 403, [])


def test_stranger_that_answers_errors_hides_them_from_the_outside():
    class Catches(Stranger):
        def __call__(self, environ, start_response):
            try:
                return self.app(environ, start_response)
            except ValueError:
                start_response("500 CAUGHT", [("Content-Type", "text/plain")])
                return [b"caught"]

    def app(environ, start_response):
        raise ValueError("inside")

    seen = []

    class Sees(Layer):
        def on_finish(self, exchange):
            seen.append((exchange.outcome, type(exchange.error)))

    records = []
    answer = call(Stack(app, [RequestLog(to=records.append), Catches, Sees()]))
    assert (answer.status, answer.error) == ("500 CAUGHT", None)
    assert seen == [("failed", ValueError)]
    assert (records[0]["outcome"], records[0]["status"], records[0]["response_bytes"]) == ("complete", 500, 6)


def test_stranger_that_calls_the_inner_side_twice():
    """A retry: each passage ends once, and the exchange when the outermost does."""

    class Retries(Stranger):
        def __call__(self, environ, start_response):
            first = self.app(environ, lambda status, headers, exc_info=None: None)
            first.close()
            assert "overcoat.exchange" in environ
            return self.app(environ, start_response)

    ends = []

    class Ends(Layer):
        def on_finish(self, exchange):
            ends.append(exchange.outcome)

    records = []
    answer = call(Stack(hello, [RequestLog(to=records.append), Retries, Ends()]))
    assert (answer.body, ends, len(records), records[0]["outcome"]) == (
        b"hello",
        ["aborted", "complete"],
        1,
        "complete",
    )


def test_layers_joined_one_line_at_a_time_are_one_segment():
    records = []
    app = SecurityHeaders(hello)
    app = RequestLog(app, to=records.append)
    app = RequestID(app)
    app = ProxyFix(app, trusted=["127.0.0.1"])
    answer = call(app, HTTP_X_FORWARDED_FOR="192.0.2.7")
    assert records[0]["client"] == "192.0.2.7"
    assert answer.header("X-Frame-Options") == ["SAMEORIGIN"]
    assert records[0]["request_id"] == answer.header("X-Request-ID")[0]


def copying(app):
    return lambda environ, start_response: app(dict(environ), start_response)


def test_layers_behind_a_copy_of_the_environ_edit_the_copy():
    seen, records = {}, []

    def app(environ, start_response):
        seen.update(environ)
        start_response("200 OK", [])
        return [b"ok"]

    stack = Stack(app, [RequestLog(to=records.append), copying, ProxyFix(trusted=[]), RequestID()], check_order=False)
    call(stack, REMOTE_ADDR="198.51.100.9", HTTP_X_FORWARDED_FOR="6.6.6.6", HTTP_PROXY="http://evil.example")
    assert "HTTP_X_FORWARDED_FOR" not in seen
    assert records[0]["request_id"] == seen["overcoat.request_id"]


def test_a_request_made_inside_of_a_request_with_a_copied_environ_is_its_own():
    records = []

    def app(environ, start_response):
        if environ["PATH_INFO"] == "/":
            call_of_its_own = {**environ, "PATH_INFO": "/inner", "REQUEST_METHOD": "POST"}
            body = stack(call_of_its_own, lambda status, headers, exc_info=None: None)
            list(body)
            body.close()
        start_response("200 OK" if environ["PATH_INFO"] == "/" else "500 No", [])
        return [b"ok"]

    stack = Stack(app, [RequestID(), RequestLog(to=records.append)])
    call(stack, PATH_INFO="/")
    assert [(record["method"], record["path"], record["status"]) for record in records] == [
        ("POST", "/inner", 500),
        ("GET", "/", 200),
    ]
