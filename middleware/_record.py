"""The request record: an exchange as one flat object, in the order of its reference page.

Types never vary, and what is unknown is absent.
"""

from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from time import time_ns
from typing import Any

from overcoat.middleware._errors import error_at, error_message, error_type
from overcoat.middleware._exchange import Exchange, decode_path, parse_status
from overcoat.middleware._redact import redact_query

# The second that was formatted last, and its text; replaced as one tuple, so threads need no lock.
_second: tuple[int, str] = (0, "")


def timestamp(now_ns: int) -> str:
    """Nanoseconds since the epoch as RFC 3339 in UTC, to the microsecond."""
    global _second  # noqa: PLW0603 - a cache of one value
    second, rest = divmod(now_ns, 1_000_000_000)
    known, text = _second
    if known != second:
        text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        _second = (second, text)
    return f"{text}.{rest // 1000:06d}Z"


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


def build_record(exchange: Exchange) -> dict[str, Any]:
    """The record of a finished exchange."""
    line = exchange.status
    status, level = _graded(line) if type(line) is str else (None, "info")
    environ = exchange.environ
    try:
        client, scheme, host, protocol, user_agent = _from_environ(environ)
    except KeyError:
        get = environ.get
        client, scheme, protocol = get("REMOTE_ADDR"), get("wsgi.url_scheme"), get("SERVER_PROTOCOL")
        host, user_agent = get("HTTP_HOST") or get("SERVER_NAME"), get("HTTP_USER_AGENT")
    started_ns = exchange.started_ns
    path, outcome = exchange.raw_path, exchange.outcome
    record: dict[str, Any] = {
        "timestamp": timestamp(time_ns()),
        "level": level if outcome != "failed" else "error",
        "event": "http_request",
        "method": exchange.method,
        "path": path if path.isascii() else decode_path(path),
    }
    # What is unknown is absent.
    if (route := exchange.route) is not None:
        record["route"] = route
    if (endpoint := exchange.endpoint) is not None:
        record["endpoint"] = endpoint
    if query := exchange.query:
        record["query"] = redact_query(decode_path(query))
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
        record["host"] = host if host.isascii() else decode_path(host)
    if protocol == "HTTP/1.1":
        record["http_version"] = "1.1"
    elif protocol and protocol.startswith("HTTP/") and len(protocol) > len("HTTP/"):
        record["http_version"] = protocol[5:]
    if user_agent:
        record["user_agent"] = user_agent if user_agent.isascii() else decode_path(user_agent)
    if (request_id := exchange.request_id) is not None:
        record["request_id"] = request_id
    if outcome is not None:
        record["outcome"] = outcome
    if exchange.error is not None:
        _add_error(record, exchange)
    if exchange._rare is not None:
        _add_rare(record, exchange)
    return record


def _add_rare(record: dict[str, Any], exchange: Exchange) -> None:
    rare = exchange._rare or {}
    if (refused := rare.get("client_request_id")) is not None:
        record["client_request_id"] = decode_path(refused)
    if rare.get("error_type") is not None:
        _add_error(record, exchange)
    if timings := rare.get("timings"):
        record["timings"] = {
            name: {"duration_ms": duration_ns // 1000 / 1000, "count": count}
            for name, (duration_ns, count) in timings.copy().items()  # a thread of the request may still add
        }
    if fields := rare.get("fields"):
        # A field put straight into exchange.fields never replaces what the record knows.
        for name, value in fields.copy().items():
            record.setdefault(name, value)


def _add_error(record: dict[str, Any], exchange: Exchange) -> None:
    error = exchange.error
    kind, message, at = exchange.error_type, exchange.error_message, exchange.error_at
    if kind is None and error is not None:
        kind, message, at = error_type(error), error_message(error), error_at(error)
    values = (("error_type", kind), ("error_message", message), ("error_at", at))
    record.update((name, value) for name, value in values if value is not None)
