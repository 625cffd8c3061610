"""TraceContext: the request's place in a distributed trace, by W3C Trace Context level 2, without any SDK.

A caller that takes part in a trace sends ``traceparent``; this layer goes on with that trace, or begins one. The trace
id is the same in every service, and so joins their logs; the span id stands for this request. Both are on the exchange,
in the request's record and on every line that is logged during the request. :func:`outgoing_headers` gives the headers
for the calls that the app makes itself:

>>> from overcoat.middleware import TraceContext, outgoing_headers
>>> def app(environ, start_response):
...     start_response("200 OK", [])
...     return [outgoing_headers()["traceparent"].encode()]
>>> app = TraceContext(app)
>>> environ = {"HTTP_TRACEPARENT": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
>>> app(environ, lambda status, headers: None)  # doctest: +ELLIPSIS
[b'00-4bf92f3577b34da6a3ce929d0e0e4736-...-01']

A ``traceparent`` that is invalid, comes twice, or comes from a peer that is not trusted begins a new trace, and is
deleted from the environ together with ``tracestate``. An invalid ``tracestate`` alone is deleted alone. A valid header
stays as it is, so that a tracer further in finds its true parent.

It measures nothing and sends nothing to any collector. With OpenTelemetry's wrapper outside of it, its ids are those of
OpenTelemetry's span; with the wrapper inside they are so from the moment that the wrapper's span is current. Do not use
a trace id as a secret or as a proof of anything: the caller chose it.

It stands outside RequestLog, so that no line is without the ids.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Unpack

from overcoat.middleware._exchange import Exchange, current_exchange
from overcoat.middleware._ids import new_id, new_span_id
from overcoat.middleware._layer import Layer
from overcoat.middleware._networks import Networks
from overcoat.middleware._opentelemetry import Span, current_span, is_installed
from overcoat.middleware._options import LayerOptions, header_name, one_of
from overcoat.middleware._wsgi import Application, Environ


class TraceContext(Layer):
    """Continue or begin a trace for each request.

    Args:
        app: The WSGI application to wrap.
        policy: ``"accept"`` goes on with the caller's trace; ``"restart"`` always begins a new one, at the edge of a
            network that shares its traces with nobody.
        trusted: Addresses and networks of the peers whose traces are continued, and ``"unix:"`` for a Unix socket; from
            others a new trace begins. The peer is the other end of the connection: behind a proxy, the proxy. None
            accepts from everybody.
        sampled: Whether traces that begin here carry the sampled flag. Off, as the specification advises where nobody
            has decided to record; tracers in the services that are called usually follow it. A continued trace keeps
            its caller's flag.
        response_header: A response header to carry the ids, such as ``"traceresponse"`` (the W3C's draft, of the same
            form as ``traceparent``), or None. One that the app has set wins.
        **options: Those of every layer: ``skip``, ``check_order``.

    Raises:
        ValueError: An unknown policy, an entry of ``trusted`` that is no address or network, ``trusted`` beside
            ``policy="restart"``, a ``sampled`` that is no boolean, or a response header that is no field name.
    """

    does = "names the trace and this request's span in it"
    outside: ClassVar[Mapping[str, str]] = {"RequestLog": "every line carries the trace, an early answer's too"}

    def __init__(
        self,
        app: Application | None = None,
        *,
        policy: str = "accept",
        trusted: Iterable[str] | None = None,
        sampled: bool = False,
        response_header: str | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        # The grammar of the headers is loaded by the first layer that reads them.
        from overcoat.middleware._traceparent import parse_traceparent, parse_tracestate  # noqa: PLC0415

        self._parse_parent, self._parse_state = parse_traceparent, parse_tracestate
        self._trusts: Callable[[str | None], bool] | None = None
        if one_of(self, "policy", policy, ["accept", "restart"]) == "restart":
            if trusted is not None:
                raise ValueError(
                    f"TraceContext: trusted={trusted!r} has no effect with policy='restart': leave one out"
                )
            self._trusts = _nobody
        elif trusted is not None:
            self._trusts = Networks("TraceContext", trusted).trusts
        # Our ids are random, and level 2 has a flag (2) that says so.
        self._flags = "03" if one_of(self, "sampled", sampled, [False, True]) else "02"
        self._header = (
            None if response_header is None else header_name(self, "response_header", response_header, "traceresponse")
        )
        self._lower = (response_header or "").lower()
        self._asks = is_installed()
        if self._header is None and not self._asks and type(self).on_headers is TraceContext.on_headers:
            self.on_headers = None  # type: ignore[method-assign,assignment]  # off
        super().__init__(app, **options)

    def on_request(self, exchange: Exchange) -> None:
        """Find the request's place in a trace."""
        environ, rare = exchange.environ, exchange._rare
        if rare is None:
            rare = exchange._rare = {}
        elif "trace_flags" in rare:
            return  # a second layer of this kind, around a part of the app
        theirs = environ.get("HTTP_TRACEPARENT")
        parent = None
        if theirs is not None and (self._trusts is None or self._trusts(exchange.peer)):
            parent = self._parse_parent(theirs)
        if parent is None:
            _forget(environ)
            trace_id, flags, state = new_id(), self._flags, None
        else:
            trace_id, _, flags = parent
            state = environ.get("HTTP_TRACESTATE")
            if state is not None:
                state = self._parse_state(state)
                if not state:
                    del environ["HTTP_TRACESTATE"]
        rare["trace_id"], rare["span_id"] = trace_id, new_span_id()
        rare["trace_flags"], rare["tracestate"] = flags, state
        if self._asks:
            span = current_span()
            if span is not None:
                _adopt(rare, span)
            else:
                # A tracer further in may begin its span later: whoever asks for an id meanwhile gets that span's.
                rare["follow_trace"] = _follow

    def on_headers(self, exchange: Exchange) -> None:
        """Settle the ids, and send them where that was asked for."""
        rare = exchange._rare or {}
        if rare.pop("follow_trace", None) is not None:
            _follow(rare)
        if self._header is not None and "trace_id" in rare and not exchange.has_header(self._lower):
            value = _traceparent(rare["trace_id"], rare["span_id"], rare["trace_flags"])
            exchange.headers.append((self._header, value))

    def on_finish(self, exchange: Exchange) -> None:
        """Nothing; but for a layer with this phase the exchange stays current while the body is streamed."""


def outgoing_headers() -> dict[str, str]:
    """The headers for a call to another service: ``traceparent``, and ``tracestate`` if there is one.

    Each call gets a span id of its own, of which the other service's part is the child; where OpenTelemetry has a
    current span, it is that span's. Works wherever :func:`current_exchange` does: in handlers, hooks, streamed bodies,
    and in threads that were started with a copy of the context.

    Returns:
        A new dict; empty outside of a request, and where no ``TraceContext`` is around the app.

    Example:
        >>> from overcoat.middleware import outgoing_headers
        >>> outgoing_headers()
        {}
    """
    exchange = current_exchange()
    rare = None if exchange is None else exchange._rare
    if rare is None or "trace_flags" not in rare:
        return {}
    span = current_span() or (rare["trace_id"], new_span_id(), rare["trace_flags"], rare["tracestate"])
    trace_id, span_id, flags, state = span
    headers = {"traceparent": _traceparent(trace_id, span_id, flags)}
    if state:
        headers["tracestate"] = state
    return headers


def _traceparent(trace_id: str, span_id: str, flags: str) -> str:
    """The header, in version 00."""
    return f"00-{trace_id}-{span_id}-{flags}"


def _nobody(_peer: str | None) -> bool:
    return False


def _forget(environ: Environ) -> None:
    environ.pop("HTTP_TRACEPARENT", None)
    environ.pop("HTTP_TRACESTATE", None)


def _follow(rare: dict[str, Any]) -> None:
    span = current_span()
    if span is not None:
        _adopt(rare, span)


def _adopt(rare: dict[str, Any], span: Span) -> None:
    rare["trace_id"], rare["span_id"], rare["trace_flags"], rare["tracestate"] = span
