import contextvars
import re
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apps import Recorder, answering, ok
from support.wsgi import call, make_environ

from overcoat.middleware import (
    ProxyFix,
    RequestID,
    RequestLog,
    Stack,
    TraceContext,
    add_request_ids,
    current_exchange,
    describe,
    outgoing_headers,
    trace_context,
)

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
STATE = "rojo=1,congo=2"
TRACE_ID, SPAN_ID = re.compile(r"(?!0{32})[0-9a-f]{32}"), re.compile(r"(?!0{16})[0-9a-f]{16}")


@pytest.fixture(autouse=True)
def without_opentelemetry(monkeypatch):
    """As where it is not loaded: another test of the process may have loaded it."""
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)


class Calling(Recorder):
    """Keeps the headers of two outgoing calls too."""

    def __call__(self, environ, start_response):
        self.first, self.second = outgoing_headers(), outgoing_headers()
        return super().__call__(environ, start_response)


def test_a_trace_goes_on():
    app, records = Calling(), []
    stack = Stack(app, [TraceContext(), RequestLog(to=records.append)])
    call(stack, HTTP_TRACEPARENT=PARENT, HTTP_TRACESTATE=f" {STATE} ")
    assert app.exchange.trace_id == TRACE
    assert SPAN_ID.fullmatch(app.exchange.span_id)
    assert records[0]["trace_id"] == TRACE
    assert records[0]["span_id"] == app.exchange.span_id != SPAN
    assert app.environ["HTTP_TRACEPARENT"] == PARENT  # a tracer further in finds its true parent
    assert app.first["tracestate"] == app.second["tracestate"] == STATE
    assert re.fullmatch(f"00-{TRACE}-[0-9a-f]{{16}}-01", app.first["traceparent"])
    assert len({app.first["traceparent"], app.second["traceparent"], PARENT}) == 3


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HTTP_TRACEPARENT": "garbage", "HTTP_TRACESTATE": STATE},
        {"HTTP_TRACEPARENT": "", "HTTP_TRACESTATE": STATE},
        {"HTTP_TRACESTATE": STATE},
        {"HTTP_TRACEPARENT": f"{PARENT},{PARENT}"},
    ],
    ids=["none", "a bad one", "an empty one", "a list alone", "two"],
)
def test_item_66_a_trace_begins(environ):
    app, records = Calling(), []
    call(Stack(app, [TraceContext(), RequestLog(to=records.append)]), **environ)
    assert TRACE_ID.fullmatch(records[0]["trace_id"])
    assert SPAN_ID.fullmatch(records[0]["span_id"])
    assert records[0]["trace_id"] != TRACE
    assert "HTTP_TRACEPARENT" not in app.environ
    assert "HTTP_TRACESTATE" not in app.environ
    assert list(app.first) == ["traceparent"]
    assert re.fullmatch(f"00-{records[0]['trace_id']}-[0-9a-f]{{16}}-02", app.first["traceparent"])


@pytest.mark.parametrize("state", ["a=1,a=2", "A=1", ",", "a=1\r\nSet-Cookie: b=1"])
def test_item_66_a_bad_list_is_dropped_alone(state):
    app = Calling()
    call(TraceContext(app), HTTP_TRACEPARENT=PARENT, HTTP_TRACESTATE=state)
    assert app.exchange.trace_id == TRACE
    assert "HTTP_TRACESTATE" not in app.environ
    assert "tracestate" not in app.first


@given(st.text(), st.text())
def test_whatever_comes_what_goes_out_is_valid(parent, state):
    app = Calling()
    call(TraceContext(app), HTTP_TRACEPARENT=parent, HTTP_TRACESTATE=state)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]", app.first["traceparent"])
    assert app.first.get("tracestate", "").isprintable()


def test_no_two_requests_share_an_id():
    app = Calling()
    seen = set()
    for _ in range(50):
        call(TraceContext(app))
        seen |= {app.exchange.trace_id, app.exchange.span_id, app.first["traceparent"], app.second["traceparent"]}
    assert len(seen) == 200


TRUST = {
    "a trusted network": ({"trusted": ["10.0.0.0/8"]}, "10.0.0.7", True),
    "a stranger": ({"trusted": ["10.0.0.0/8"]}, "192.0.2.1", False),
    "nobody": ({"trusted": []}, "127.0.0.1", False),
    "a Unix socket": ({"trusted": ["unix:"]}, "", True),
    "no peer": ({"trusted": ["10.0.0.0/8", "unix:"]}, None, False),
    "restart": ({"policy": "restart"}, "127.0.0.1", False),
    "accept": ({"policy": "accept"}, "192.0.2.1", True),
}


@pytest.mark.parametrize(("options", "peer", "goes_on"), TRUST.values(), ids=TRUST)
def test_whose_trace_is_continued(options, peer, goes_on):
    app = Recorder()
    environ = make_environ(HTTP_TRACEPARENT=PARENT, HTTP_TRACESTATE=STATE, REMOTE_ADDR=peer)
    environ = {name: value for name, value in environ.items() if value is not None}
    list(TraceContext(app, **options)(environ, lambda status, headers, exc_info=None: None))
    assert (app.exchange.trace_id == TRACE) is goes_on
    assert ("HTTP_TRACEPARENT" in app.environ) is ("HTTP_TRACESTATE" in app.environ) is goes_on


def test_the_peer_is_who_connected_wherever_proxy_fix_stands():
    app = Recorder()
    layers = [ProxyFix(trusted=["127.0.0.1"]), TraceContext(trusted=["127.0.0.1"])]
    environ = {"HTTP_TRACEPARENT": PARENT, "REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.1"}
    call(Stack(app, layers), **environ)
    assert app.environ["REMOTE_ADDR"] == "192.0.2.1"
    assert app.exchange.trace_id == TRACE


@pytest.mark.parametrize(("theirs", "flags"), [(None, "03"), (PARENT, "01"), (PARENT[:-1] + "0", "00")])
def test_sampled_is_for_traces_that_begin_here(theirs, flags):
    app = Calling()
    call(TraceContext(app, sampled=True), **({} if theirs is None else {"HTTP_TRACEPARENT": theirs}))
    assert app.first["traceparent"].endswith(f"-{flags}")


def test_the_response_header():
    app = Recorder()
    seen = call(TraceContext(app, response_header="traceresponse"), HTTP_TRACEPARENT=PARENT)
    assert seen.header("traceresponse") == [f"00-{TRACE}-{app.exchange.span_id}-01"]
    assert call(TraceContext(ok)).headers == call(ok).headers


def test_the_app_s_own_response_header_wins():
    app = answering(headers=[("TraceResponse", "mine")])
    assert call(TraceContext(app, response_header="traceresponse")).header("traceresponse") == ["mine"]


def test_outside_of_a_request_or_a_trace_there_are_no_headers():
    assert outgoing_headers() == {}
    app = Calling()
    call(RequestID(app))
    assert app.exchange.trace_id is app.exchange.span_id is None
    assert app.first == {}
    call(TraceContext(app, skip="/"), PATH_INFO="/", HTTP_TRACEPARENT=PARENT)
    assert app.first == {}
    assert app.environ["HTTP_TRACEPARENT"] == PARENT


def test_in_a_stream_and_in_a_thread_with_the_context():
    seen = []

    def app(environ, start_response):
        start_response("200 OK", [])
        thread = threading.Thread(
            target=contextvars.copy_context().run, args=(lambda: seen.append(outgoing_headers()),)
        )
        thread.start()
        thread.join()
        yield b"x"
        seen.append(outgoing_headers())

    call(TraceContext(app), HTTP_TRACEPARENT=PARENT)  # without a RequestLog, which would follow the stream by itself
    assert [headers["traceparent"][3:35] for headers in seen] == [TRACE, TRACE]
    assert outgoing_headers() == {}


def test_what_is_given_is_the_caller_s_own():
    app = Calling()
    call(TraceContext(app))
    app.first.clear()
    assert app.second


def test_a_second_one_further_in_keeps_the_ids():
    app = Recorder()
    outer, inner = [], []

    def between(app):
        def stranger(environ, start_response):
            outer.append((current_exchange().trace_id, current_exchange().span_id))
            return app(environ, start_response)

        return stranger

    call(Stack(app, [TraceContext(), between, TraceContext(policy="restart")]), HTTP_TRACEPARENT=PARENT)
    inner.append((app.exchange.trace_id, app.exchange.span_id))
    assert inner == outer


def test_every_line_carries_the_ids():
    events = []

    def app(environ, start_response):
        events.append(add_request_ids(None, "info", {"event": "structlog"}))
        return Recorder.__call__(recorder, environ, start_response)

    recorder = Recorder()
    call(Stack(app, [TraceContext(), RequestID()]), HTTP_TRACEPARENT=PARENT)
    exchange = recorder.exchange
    assert events == [
        {"event": "structlog", "request_id": exchange.request_id, "trace_id": TRACE, "span_id": exchange.span_id}
    ]


def test_an_early_answer_s_line_has_them_too():
    from overcoat.middleware import Layer

    class Refuses(Layer):
        def on_request(self, exchange):
            return answering("403 Forbidden")

    records = []
    call(Stack(ok, [TraceContext(), RequestLog(to=records.append), Refuses()]), HTTP_TRACEPARENT=PARENT)
    assert (records[0]["status"], records[0]["trace_id"]) == (403, TRACE)


def test_a_failure_s_line_has_them_too():
    records = []

    def app(environ, start_response):
        raise OSError("disk")

    call(Stack(app, [TraceContext(), RequestLog(to=records.append)]), HTTP_TRACEPARENT=PARENT)
    assert (records[0]["outcome"], records[0]["trace_id"]) == ("failed", TRACE)


def test_the_ids_stand_after_the_request_id_in_the_record():
    records = []
    stack = Stack(ok, [RequestID(), TraceContext(), RequestLog(to=records.append)])
    call(stack, HTTP_TRACEPARENT=PARENT, HTTP_X_REQUEST_ID="<b>")
    names = list(records[0])
    assert [n for n in names if n in {"request_id", "client_request_id", "trace_id", "span_id"}] == [
        "request_id", "client_request_id", "trace_id", "span_id",
    ]  # fmt: skip


def test_its_place():
    with pytest.raises(ValueError, match=r"TraceContext must stand outside RequestLog: every line carries the trace"):
        Stack(ok, [RequestLog(to=print), TraceContext()])
    assert "TraceContext(sampled=True)  names the trace and this request's span in it" in str(
        describe(Stack(ok, [TraceContext(sampled=True)]))
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"policy": "replace"}, "policy='replace' is none of 'accept', 'restart'"),
        ({"policy": "restrat"}, "did you mean 'restart'"),
        ({"trusted": "10.0.0.0/8"}, r"TraceContext: trusted='10.0.0.0/8' must be a list"),
        ({"trusted": ["localhost"]}, "TraceContext: trusted entry 'localhost' .* write '127.0.0.1' and '::1'"),
        ({"trusted": [], "policy": "restart"}, r"trusted=\[\] has no effect with policy='restart'"),
        ({"sampled": "yes"}, "sampled='yes' is none of False, True"),
        ({"response_header": "trace response"}, "response_header='trace response' is no header name"),
        ({"response_header": "x\r\ny"}, "is no header name"),
        ({"response_header": True}, "response_header=True is no header name"),
        ({"respons_header": "x"}, "unknown option .* did you mean 'response_header'"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        TraceContext(ok, **options)


def test_without_opentelemetry_there_is_nothing_to_do_on_the_way_out(monkeypatch):
    monkeypatch.setattr(trace_context, "is_installed", lambda: False)
    assert not TraceContext().defines("on_headers")
    assert TraceContext(response_header="traceresponse").defines("on_headers")

    class Mine(TraceContext):
        def on_headers(self, exchange):
            exchange.set_header("X-Mine", "1")

    assert call(Mine(ok)).header("X-Mine") == ["1"]


def test_opentelemetry_is_never_imported():
    code = (
        "import sys; from overcoat.middleware import TraceContext, outgoing_headers; "
        "app = TraceContext(lambda e, s: [outgoing_headers(), s('200 OK', [])][:1]); "
        "assert list(app({'PATH_INFO': '/'}, lambda *a: None))[0]['traceparent']; "
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
