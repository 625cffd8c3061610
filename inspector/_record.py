"""The request record as a reader sees it: its fields, their types, and how a line becomes one.

This is the one place that knows which fields `RequestLog` writes. Types never vary; what is unknown is absent. An
app's own fields are not listed here: they are reachable by name, as text.

>>> parse_line(b'web-1  | {"event": "http_request", "status": 200}')
{'event': 'http_request', 'status': 200}
>>> parse_line(b"Listening on port 8000") is None
True
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import orjson

from overcoat.inspector._prefixes import after_prefix

Record: TypeAlias = dict[str, Any]

REQUEST_EVENT: Final = "http_request"

FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "timestamp": "TIMESTAMP WITH TIME ZONE",
        "level": "VARCHAR",
        "event": "VARCHAR",
        "method": "VARCHAR",
        "path": "VARCHAR",
        "route": "VARCHAR",
        "endpoint": "VARCHAR",
        "query": "VARCHAR",
        "status": "INTEGER",
        "duration_ms": "DOUBLE",
        "first_byte_ms": "DOUBLE",
        "response_bytes": "BIGINT",
        "request_bytes": "BIGINT",
        "client": "VARCHAR",
        "peer": "VARCHAR",
        "scheme": "VARCHAR",
        "host": "VARCHAR",
        "http_version": "VARCHAR",
        "user_agent": "VARCHAR",
        "request_id": "VARCHAR",
        "client_request_id": "VARCHAR",
        "trace_id": "VARCHAR",
        "span_id": "VARCHAR",
        "outcome": "VARCHAR",
        "error_type": "VARCHAR",
        "error_message": "VARCHAR",
        "error_at": "VARCHAR",
        "timings": "MAP(VARCHAR, STRUCT(duration_ms DOUBLE, count BIGINT))",
        "request_headers": "MAP(VARCHAR, VARCHAR)",
        "response_headers": "MAP(VARCHAR, VARCHAR)",
        "sample_rate": "DOUBLE",
    }
)
"""The fields of a request line and their DuckDB types, in the order in which they are shown."""

MAX_LINE_BYTES: Final = 16 * 2**20
"""A longer line is skipped and counted. DuckDB's JSON reader has the same limit."""

_DOCKER_KEYS = frozenset({"log", "stream", "time", "attrs"})  # of a line of Docker's json-file driver


def json_part(line: bytes) -> tuple[bytes, Any] | None:
    """The JSON object of a line, as written and parsed; None where there is none.

    A known prefix before the object (container logs, syslog) is dropped, and the envelope of Docker's `json-file`. Of a
    key that stands twice the first counts, as it does for DuckDB.
    """
    text = after_prefix(line)
    if text is None:
        return None
    try:
        record = orjson.loads(text)
        if "stream" in record and "log" in record and record.keys() <= _DOCKER_KEYS:
            text = record["log"].rstrip("\r\n").encode()
            if text[:1] != b"{":
                return None
            record = orjson.loads(text)
    except (orjson.JSONDecodeError, AttributeError, UnicodeEncodeError):
        return None
    # What orjson writes back byte for byte, as it does with what RequestLog wrote, has no key twice.
    if not _is_as_written(text, record):
        record = _first_of_twins(text, record)
    return text, record


def _is_as_written(text: bytes, record: Any) -> bool:
    try:
        return orjson.dumps(record) == text
    except (TypeError, ValueError, RecursionError):
        return False


def _first_of_twins(text: bytes, record: Any) -> Any:
    """A record in which the first of equal keys counts; the one given where no key stands twice."""
    twins = False

    def first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twins
        found = dict(reversed(pairs))
        if len(found) == len(pairs):
            return dict(pairs)
        twins = True
        return {name: found[name] for name, _ in pairs}

    try:
        again = json.loads(text, object_pairs_hook=first, parse_int=_integer)
    except (ValueError, RecursionError):
        return record
    return again if twins else record


def _integer(digits: str) -> float:
    return int(digits) if len(digits) < 20 else float(digits)


def parse_line(line: bytes) -> Record | None:
    """The record of one line, without a prefix; None for a line that is not JSON."""
    found = json_part(line)
    return None if found is None else found[1]


def is_request(record: Record) -> bool:
    """Whether a record is a request's line; other lines are the app's own."""
    return record.get("event") == REQUEST_EVENT


def text(record: Record, name: str) -> str | None:
    """A field as text; None where it is absent or null."""
    value = record.get(name)
    if value is None or isinstance(value, str):
        return value
    return json_text(value)


def json_text(value: object) -> str:
    """A value of a line as JSON again, unless it is nested deeper than that can be written."""
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError, RecursionError):
        return "<nested too deeply>"


def number(record: Record, name: str) -> float | None:
    """A field as a finite number; None where it is none. A numeric string counts, as it does for DuckDB."""
    value = record.get(name)
    if isinstance(value, str) and len(value) < 32 and value.isascii() and "_" not in value:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return value
    return None


def moment(record: Record) -> datetime | None:
    """When the line was written, with a zone; None where the timestamp is missing or not RFC 3339."""
    value = record.get("timestamp")
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
