"""What the app adds to its request's log line: ``add_fields(user_id=7)``.

>>> from overcoat.middleware import add_fields
>>> add_fields(user_id=7, cart="empty")  # outside a request: nothing happens

The names of the request record are its own: only ``route`` may be set by the app.
"""

from typing import Any

from overcoat.middleware._exchange import current_exchange

#: The fields of the request record, in the order in which they are written.
STANDARD_FIELDS = (
    "timestamp", "level", "event", "method", "path", "route", "endpoint", "query", "status", "duration_ms",
    "first_byte_ms", "response_bytes", "request_bytes", "client", "peer", "scheme", "host", "http_version",
    "user_agent", "request_id", "client_request_id", "trace_id", "span_id", "outcome", "error_type",
    "error_message", "error_at", "timings", "sample_rate",
)  # fmt: skip

_TAKEN = frozenset(STANDARD_FIELDS) - {"route"}


def add_fields(**fields: Any) -> None:
    """Add fields to the log line of the current request; a later value of the same name wins.

    Args:
        **fields: Values that JSON knows; anything else is written as its ``str()``.

    Raises:
        ValueError: A name that the record uses itself.
    """
    taken = _TAKEN.intersection(fields)
    if taken:
        names = ", ".join(sorted(taken))
        raise ValueError(f"add_fields: {names} is a standard field of the request record: choose another name")
    exchange = current_exchange()
    if exchange is None:
        return
    if "route" in fields:
        exchange.route = str(fields.pop("route"))
    exchange.fields.update(fields)
