"""The current span of OpenTelemetry, if its API is loaded: asked by name, for nothing here imports it."""

import sys
from importlib.util import find_spec

#: What of a span goes into headers and log lines: trace id, span id and flags as in ``traceparent``, and the state.
Span = tuple[str, str, str, str | None]


def is_installed() -> bool:
    """Whether it can ever be loaded; loads nothing."""
    return "opentelemetry" in sys.modules or find_spec("opentelemetry") is not None


def current_span() -> Span | None:
    """The span that is current here, unless there is none, or only the caller's.

    Without an SDK its tracers hand out the caller's own context, marked as remote: that is no span of this service.
    """
    ask = getattr(sys.modules.get("opentelemetry.trace"), "get_current_span", None)
    if ask is None:
        return None
    context = ask().get_span_context()
    if not context.is_valid or context.is_remote:
        return None
    state = context.trace_state
    return (
        f"{context.trace_id:032x}",
        f"{context.span_id:016x}",
        f"{context.trace_flags & 0b11:02x}",
        (state.to_header() or None) if state else None,
    )
