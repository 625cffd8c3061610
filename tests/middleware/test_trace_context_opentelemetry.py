"""Beside OpenTelemetry's own wrapper and SDK: outside of ours, inside, and without an SDK."""

import re

import pytest
from support.apps import Recorder, answering
from support.wsgi import call

from overcoat.middleware import RequestLog, Stack, TraceContext, current_exchange, outgoing_headers

pytest.importorskip("opentelemetry.sdk")

from opentelemetry import trace
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


class Traced:
    """A provider of its own, whose finished spans can be looked at."""

    def __init__(self, sampler):
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=sampler)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def wrap(self, app):
        return OpenTelemetryMiddleware(app, tracer_provider=self.provider)

    @property
    def spans(self):
        return {span.name: span for span in self.exporter.get_finished_spans()}

    @property
    def server_span(self):
        [span] = [span for span in self.exporter.get_finished_spans() if span.kind is trace.SpanKind.SERVER]
        return span


@pytest.fixture
def traced():
    traced = Traced(ParentBased(ALWAYS_ON))
    yield traced
    traced.provider.shutdown()


def ids(span):
    context = span.get_span_context()
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def of(record):
    return record["trace_id"], record["span_id"]


HEADERS = {
    "none": {},
    "theirs": {"HTTP_TRACEPARENT": PARENT, "HTTP_TRACESTATE": "rojo=1"},
    "bad": {"HTTP_TRACEPARENT": "x"},
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("place", ["outside", "inside"])
def test_record_line_call_and_span_agree(traced, place, headers):
    records, seen = [], []

    def app(environ, start_response):
        exchange = current_exchange()
        seen.append((exchange.trace_id, exchange.span_id))
        seen.append(tuple(outgoing_headers()["traceparent"].split("-")[1:3]))
        start_response("200 OK", [])
        return [b"ok"]

    layers = [TraceContext(response_header="traceresponse"), RequestLog(to=records.append)]
    wrapped = traced.wrap(Stack(app, layers)) if place == "outside" else Stack(traced.wrap(app), layers)
    response = call(wrapped, **headers)
    assert set(seen) == {ids(traced.server_span)} == {of(records[0])}
    [header] = response.header("traceresponse")
    assert tuple(header.split("-")[1:3]) == ids(traced.server_span)
    # Its parent is who called, and never an id that nobody else knows.
    parent = traced.server_span.parent
    assert (parent and f"{parent.span_id:016x}") == (SPAN if headers.get("HTTP_TRACEPARENT") == PARENT else None)
    assert (records[0]["trace_id"] == TRACE) is (parent is not None)


@pytest.mark.parametrize("place", ["outside", "inside"])
def test_a_call_inside_of_a_span_is_that_span_s_child(traced, place):
    calls = []

    def app(environ, start_response):
        with traced.provider.get_tracer("test").start_as_current_span("client"):
            calls.append(outgoing_headers())
        start_response("200 OK", [])
        return [b"ok"]

    layers = [TraceContext()]
    call(
        traced.wrap(Stack(app, layers)) if place == "outside" else Stack(traced.wrap(app), layers),
        HTTP_TRACEPARENT=PARENT,
        HTTP_TRACESTATE="rojo=1,congo=2",
    )
    trace_id, span_id = ids(traced.spans["client"])
    assert calls == [{"traceparent": f"00-{trace_id}-{span_id}-01", "tracestate": "rojo=1,congo=2"}]
    assert trace_id == TRACE


def test_its_sampler_decides_and_is_told_to_the_called():
    traced = Traced(ALWAYS_OFF)
    calls = []

    def app(environ, start_response):
        calls.append(outgoing_headers()["traceparent"])
        return answering()(environ, start_response)

    call(traced.wrap(TraceContext(app, sampled=True)), HTTP_TRACEPARENT=PARENT)
    assert not traced.spans
    assert re.fullmatch(f"00-{TRACE}-[0-9a-f]{{16}}-00", calls[0])
    traced.provider.shutdown()


def test_a_new_trace_of_ours_does_not_switch_a_tracer_further_in_off(traced):
    call(TraceContext(traced.wrap(Recorder())))
    assert traced.server_span.get_span_context().trace_flags.sampled


@pytest.mark.parametrize("options", [{"policy": "restart"}, {"trusted": []}], ids=["restart", "trusted"])
def test_a_tracer_further_in_begins_anew_where_the_caller_is_not_trusted(traced, options):
    records = []
    stack = Stack(traced.wrap(Recorder()), [TraceContext(**options), RequestLog(to=records.append)])
    call(stack, HTTP_TRACEPARENT=PARENT, HTTP_TRACESTATE="rojo=1")
    assert traced.server_span.parent is None
    assert of(records[0]) == ids(traced.server_span)


@pytest.mark.parametrize("place", ["outside", "inside"])
def test_without_an_sdk_the_caller_s_span_is_not_taken_for_ours(place):
    app, records = Recorder(), []
    layers = [TraceContext(), RequestLog(to=records.append)]
    none = trace.NoOpTracerProvider()
    if place == "outside":
        wrapped = OpenTelemetryMiddleware(Stack(app, layers), tracer_provider=none)
    else:
        wrapped = Stack(OpenTelemetryMiddleware(app, tracer_provider=none), layers)
    call(wrapped, HTTP_TRACEPARENT=PARENT)
    assert records[0]["trace_id"] == TRACE
    assert re.fullmatch("[0-9a-f]{16}", records[0]["span_id"])
    assert records[0]["span_id"] != SPAN


def test_nothing_of_one_request_is_left_for_the_next(traced):
    records = []
    stack = Stack(traced.wrap(Recorder()), [TraceContext(), RequestLog(to=records.append)])
    for _ in range(3):
        call(stack)
    assert [of(record) for record in records] == [ids(span) for span in traced.exporter.get_finished_spans()]
    assert len({record["trace_id"] for record in records}) == 3


def test_a_stream_s_line_has_the_span_of_its_start(traced):
    records = []

    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"one"
        yield b"two"

    call(Stack(traced.wrap(app), [TraceContext(), RequestLog(to=records.append)]))
    assert of(records[0]) == ids(traced.server_span)


def test_outside_of_ours_a_failure_s_line_agrees_and_spans_further_in_change_nothing(traced):
    records, seen = [], []

    def app(environ, start_response):
        with traced.provider.get_tracer("test").start_as_current_span("inner"):
            seen.append((current_exchange().trace_id, current_exchange().span_id))
            raise OSError("disk")

    call(traced.wrap(Stack(app, [TraceContext(), RequestLog(to=records.append)])))
    assert seen == [ids(traced.server_span)] == [of(records[0])]
    assert records[0]["outcome"] == "failed"
