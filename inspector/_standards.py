"""Records under the names of a standard, as ours again: what `RequestLog(names="otel" | "ecs" | "gcp")` wrote.

Each of these lines still says `http_request` where that standard has an event's name, so nothing needs to be told.

>>> ours({"event_name": "http_request", "http.request.method": "GET", "overcoat.duration_ms": 1.5, "rows": 3})
{'event': 'http_request', 'method': 'GET', 'duration_ms': 1.5, 'rows': 3}
>>> ours({"event": "cache.miss"}) is None
True
"""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from overcoat.inspector._record import FIELDS, REQUEST_EVENT, Record
from overcoat.middleware import _names_ecs, _names_gcp, _names_otel

_OTEL = {theirs: ours for ours, theirs in _names_otel.SAME.items()} | {"severity_text": "level"}
_OTEL_SPENT = frozenset({
    "severity_number", "http.request.method", "http.request.method_original", "server.address", "server.port",
    "code.file.path", "code.line.number", "code.function.name",
})  # fmt: skip
_ECS = {theirs: ours for ours, theirs in _names_ecs.SAME.items()}
_ECS |= {"client.address": "client", "source.address": "peer"}
_ECS_SPENT = frozenset({
    "message", "ecs.version", "event.kind", "event.category", "event.type", "event.outcome", "event.duration",
    "client.ip", "source.ip", "url.domain", "url.port", "log.origin.file.name", "log.origin.file.line",
    "log.origin.function", "http.request.referrer",
})  # fmt: skip
_GCP = {theirs: ours for ours, theirs in _names_gcp.SAME.items()}
_GCP_SPENT = frozenset({"severity", "message", "httpRequest", "logging.googleapis.com/trace"})
_URL = re.compile(r"(?:([a-z]{1,16})://([^/?]*))?([^?]*)(?:\?(.*))?", re.DOTALL)
_SECONDS = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?s")
_OWN = "overcoat."


def ours(record: Record) -> Record | None:
    """The record under our names; None where it is no request under the names of a standard."""
    if record.get("event_name") == REQUEST_EVENT:
        return _ordered(_from_otel(record))
    if record.get("event") == REQUEST_EVENT and isinstance(record.get("httpRequest"), dict) and "method" not in record:
        return _ordered(_from_gcp(record))
    event = record.get("event")
    if (event.get("action") if isinstance(event, dict) else record.get("event.action")) == REQUEST_EVENT:
        return _ordered(_from_ecs(record))
    return None


def _ordered(found: Record) -> Record:
    """Our fields in our order, then the app's."""
    known = {name: found[name] for name in FIELDS if found.get(name) is not None}
    return known | {name: value for name, value in found.items() if name not in FIELDS}


def _from_otel(record: Record) -> Record:
    found: Record = {}
    headers: dict[str, dict[str, Any]] = {}
    for name, value in record.items():
        if name in _OTEL:
            found[_OTEL[name]] = value
        elif name.startswith(_OWN):
            found[name.removeprefix(_OWN)] = value
        elif name.startswith(("http.request.header.", "http.response.header.")):
            _, side, _, header = name.split(".", 3)
            first = value[0] if isinstance(value, list) and value else value
            headers.setdefault(f"{side}_headers", {})[header] = first
        elif name not in _OTEL_SPENT:
            found.setdefault(name, value)
    method = record.get("http.request.method")
    found["method"] = record.get("http.request.method_original", method) if method == "_OTHER" else method
    found["host"] = _host(record.get("server.address"), record.get("server.port"))
    found.setdefault("error_at", _place(record, "code.file.path", "code.line.number", "code.function.name"))
    return found | headers


def _from_ecs(record: Record) -> Record:
    flat = dict(_leaves(record))
    found = {ours: flat[theirs] for theirs, ours in _ECS.items() if theirs in flat}
    nanoseconds = flat.get("event.duration")
    if isinstance(nanoseconds, int | float):
        found["duration_ms"] = nanoseconds / 1e6
    found["host"] = _host(flat.get("url.domain"), flat.get("url.port"))
    found["error_at"] = _place(flat, "log.origin.file.name", "log.origin.file.line", "log.origin.function")
    own: Record = {}
    for name, value in flat.items():
        if name.startswith(f"{_OWN}fields."):
            own[name.removeprefix(f"{_OWN}fields.")] = value
        elif name.startswith(_OWN):
            found[name.removeprefix(_OWN)] = value
        elif name not in _ECS and name not in _ECS_SPENT:
            own[name] = value
    return own | found


def _leaves(node: Record, path: str = "") -> Iterator[tuple[str, Any]]:
    """The schema's fields by their dotted names. What is under `overcoat` is the values of fields."""
    for name, value in node.items():
        full = path + name
        depth = 2 if full.startswith("overcoat.fields.") else 1 if full.startswith(_OWN) else 0
        if isinstance(value, dict) and value and (not depth or full == "overcoat.fields"):
            yield from _leaves(value, f"{full}.")
        else:
            yield full, value


def _from_gcp(record: Record) -> Record:
    found = {_GCP.get(name, name): value for name, value in record.items() if name not in _GCP_SPENT}
    request = record["httpRequest"]
    found["level"] = _if_text(record.get("severity"), str.lower)
    found["trace_id"] = _if_text(record.get("logging.googleapis.com/trace"), lambda name: name.rpartition("/")[2])
    found["method"] = request.get("requestMethod")
    found["status"] = request.get("status")
    found["response_bytes"] = _if_text(request.get("responseSize"), _whole)
    found["client"] = request.get("remoteIp")
    found["user_agent"] = request.get("userAgent")
    found["http_version"] = _if_text(request.get("protocol"), lambda name: name.removeprefix("HTTP/"))
    found["duration_ms"] = _if_text(request.get("latency"), _milliseconds)
    url = _URL.fullmatch(request.get("requestUrl") if isinstance(request.get("requestUrl"), str) else "")
    if url:
        found["scheme"], found["host"], path, found["query"] = url.groups()
        found["path"] = unquote(path, errors="backslashreplace")
    return found


def _if_text(value: Any, change: Callable[[str], Any]) -> Any:
    return change(value) if isinstance(value, str) else None


def _whole(digits: str) -> int | None:
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None


def _milliseconds(duration: str) -> float | None:
    return round(float(duration[:-1]) * 1000, 6) if _SECONDS.fullmatch(duration) else None


def _host(name: Any, port: Any) -> str | None:
    if not isinstance(name, str):
        return None
    bracketed = f"[{name}]" if ":" in name else name
    return f"{bracketed}:{port}" if isinstance(port, int) else bracketed


def _place(record: Record, file: str, line: str, function: str) -> str | None:
    if file not in record:
        return None
    return f"{record[file]}:{record.get(line)} in {record.get(function)}"
