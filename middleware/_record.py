"""The request record: an exchange as one flat object, in the order of its reference page.

Types never vary, and what is unknown is absent.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from time import time_ns
from typing import Any

from overcoat.middleware._errors import error_at, error_message, error_type
from overcoat.middleware._exchange import Exchange, decode_path, parse_status
from overcoat.middleware._redact import redact_query
from overcoat.middleware.fields import STANDARD_FIELDS, bounded

# The second that was formatted last, and its text; replaced as one tuple, so threads need no lock.
_second: tuple[int, str] = (0, "")


def timestamp(now_ns: int) -> str:
    """Nanoseconds since the epoch as RFC 3339 in UTC, to the microsecond."""
    second, rest = divmod(now_ns, 1_000_000_000)
    known, text = _second
    return f"{text if known == second else _format(second)}.{rest // 1000:06d}Z"


def _format(second: int) -> str:
    global _second  # noqa: PLW0603 - a cache of one value
    text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    _second = (second, text)
    return text


def level_of(status: int | None, outcome: str | None) -> str:
    """``error`` for a 5xx or a failure, ``warning`` for a 4xx, else ``info``."""
    if outcome == "failed" or (status is not None and status >= 500):
        return "error"
    return "warning" if status is not None and status >= 400 else "info"


@lru_cache(maxsize=256)
def _graded(status: str) -> tuple[int | None, str]:
    code = parse_status(status)
    return code, level_of(code, None)


_from_environ = itemgetter("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SERVER_PROTOCOL", "HTTP_USER_AGENT")


def build_record(exchange: Exchange, redact: Callable[[str], str] = redact_query) -> dict[str, Any]:
    """The record of a finished exchange.

    Args:
        exchange: What is known of the request.
        redact: What makes a query string fit to be shown.
    """
    line = exchange.status
    status, level = _graded(line) if type(line) is str else (None, "info")
    environ = exchange.environ
    try:
        client, scheme, host, protocol, user_agent = _from_environ(environ)
    except KeyError:
        get = environ.get
        client, scheme, protocol = get("REMOTE_ADDR"), get("wsgi.url_scheme"), get("SERVER_PROTOCOL")
        host, user_agent = get("HTTP_HOST") or get("SERVER_NAME"), get("HTTP_USER_AGENT")
    path, query = exchange.raw_path, exchange.query
    # One look at all that a client may have sent as other bytes than ASCII.
    if query or not f"{path}{host}{user_agent}".isascii():
        path, query = decode_path(path), redact(decode_path(query))
        host, user_agent = host and decode_path(host), user_agent and decode_path(user_agent)
    started_ns, outcome = exchange.started_ns, exchange.outcome
    second, rest = divmod(time_ns(), 1_000_000_000)
    known, text = _second
    record: dict[str, Any] = {
        "timestamp": f"{text if known == second else _format(second)}.{rest // 1000:06d}Z",
        "level": level if outcome != "failed" else "error",
        "event": "http_request",
        "method": exchange.method,
        "path": path,
    }
    # What is unknown is absent.
    if (route := exchange.route) is not None:
        record["route"] = route
    if (endpoint := exchange.endpoint) is not None:
        record["endpoint"] = endpoint
    if query:
        record["query"] = query
    if status is not None:
        record["status"] = status
    record["duration_ms"] = (exchange.finished_ns - started_ns) // 1000 / 1000
    if first_byte_ns := exchange.first_byte_ns:
        record["first_byte_ms"] = (first_byte_ns - started_ns) // 1000 / 1000
    if (response_bytes := exchange.response_bytes) is not None:
        record["response_bytes"] = response_bytes
    if request_bytes := exchange.request_bytes:
        record["request_bytes"] = request_bytes
    if client:
        record["client"] = client
    if peer := exchange.peer:
        record["peer"] = peer
    if scheme:
        record["scheme"] = scheme
    if host:
        record["host"] = host
    if protocol == "HTTP/1.1":
        record["http_version"] = "1.1"
    elif protocol and protocol.startswith("HTTP/") and len(protocol) > len("HTTP/"):
        record["http_version"] = protocol[5:]
    if user_agent:
        record["user_agent"] = user_agent
    if (request_id := exchange.request_id) is not None:
        record["request_id"] = request_id
    if (rare := exchange._rare) is not None:
        _add_rare(record, exchange, rare)
        return record
    if outcome is not None:
        record["outcome"] = outcome
    if exchange.error is not None:
        _add_error(record, exchange)
    return record


def _add_rare(record: dict[str, Any], exchange: Exchange, rare: dict[str, Any]) -> None:
    """What stands behind the request's id, where there is more than an outcome and an error."""
    if (refused := rare.get("client_request_id")) is not None:
        record["client_request_id"] = decode_path(refused)
    if (trace_id := rare.get("trace_id")) is not None:
        record["trace_id"] = trace_id
    if (span_id := rare.get("span_id")) is not None:
        record["span_id"] = span_id
    if exchange.outcome is not None:
        record["outcome"] = exchange.outcome
    if exchange.error is not None or rare.get("error_type") is not None:
        _add_error(record, exchange)
    if timings := rare.get("timings"):
        record["timings"] = {
            name: {"duration_ms": duration_ns // 1000 / 1000, "count": count}
            for name, (duration_ns, count) in timings.copy().items()  # a thread of the request may still add
        }
    if fields := rare.get("fields"):
        # A field put straight into exchange.fields never replaces what the record knows.
        for name, value in fields.copy().items():
            record.setdefault(name, bounded(value))


_STANDARD = frozenset(STANDARD_FIELDS)


def add_known(record: dict[str, Any], exchange: Exchange, known: Mapping[str, Any]) -> None:
    """Add standard fields that not the exchange but a layer knows; the app's own stay behind them."""
    own = (exchange._rare or {}).get("fields")
    behind = [name for name in own.copy() if name in record and name not in _STANDARD] if own else []
    record.update(known)
    for name in behind:
        record[name] = record.pop(name)


def _add_error(record: dict[str, Any], exchange: Exchange) -> None:
    error = exchange.error
    kind, message, at = exchange.error_type, exchange.error_message, exchange.error_at
    if kind is None and error is not None:
        kind, message, at = error_type(error), error_message(error), error_at(error)
    values = (("error_type", kind), ("error_message", message), ("error_at", at))
    record.update((name, value) for name, value in values if value is not None)
