"""The record under the names of OpenTelemetry's semantic conventions.

Flat: an attribute's name has dots in it, and is no path. What belongs to the log record itself has its name in the log
data model, in snake case; what no convention names is under ``overcoat.``; the app's own fields keep their names.

>>> rename({"level": "info", "method": "GET", "status": 200})
{'severity_text': 'info', 'severity_number': 9, 'http.request.method': 'GET', 'http.response.status_code': 200}
>>> rename({"path": "/", "duration_ms": 1.5, "user.id": "7"})
{'url.path': '/', 'overcoat.duration_ms': 1.5, 'user.id': '7'}
"""

from collections.abc import Callable, Mapping
from typing import Any

from overcoat.middleware._names_values import split_host, split_place
from overcoat.middleware.fields import STANDARD_FIELDS

_Named = dict[str, Any]

#: Fields whose value is as the convention has it.
SAME = {
    "timestamp": "timestamp",
    "event": "event_name",
    "path": "url.path",
    "route": "http.route",
    "query": "url.query",
    "status": "http.response.status_code",
    "response_bytes": "http.response.body.size",
    "request_bytes": "http.request.body.size",
    "client": "client.address",
    "peer": "network.peer.address",
    "scheme": "url.scheme",
    "http_version": "network.protocol.version",
    "user_agent": "user_agent.original",
    "trace_id": "trace_id",
    "span_id": "span_id",
    "error_type": "error.type",
    "error_message": "exception.message",
}
# The methods that the convention knows; any other is "_OTHER", or every made-up one would be a series of its own.
_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
# The smallest number of each range of the log data model.
_SEVERITY_NUMBERS = {"debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}


def _level(named: _Named, value: Any) -> None:
    named["severity_text"] = value
    named["severity_number"] = _SEVERITY_NUMBERS[value]


def _method(named: _Named, value: Any) -> None:
    if value in _METHODS:
        named["http.request.method"] = value
    else:
        named["http.request.method"] = "_OTHER"
        named["http.request.method_original"] = value


def _host(named: _Named, value: Any) -> None:
    named["server.address"], port = split_host(value)
    if port is not None:
        named["server.port"] = port


def _error_at(named: _Named, value: Any) -> None:
    place = split_place(value)
    if place is None:
        named["overcoat.error_at"] = value
    else:
        named["code.file.path"], named["code.line.number"], named["code.function.name"] = place


def _request_headers(named: _Named, value: Any) -> None:
    named.update((f"http.request.header.{name}", [text]) for name, text in value.items())


def _response_headers(named: _Named, value: Any) -> None:
    named.update((f"http.response.header.{name}", [text]) for name, text in value.items())


_CHANGED: dict[str, Callable[[_Named, Any], None]] = {
    "level": _level,
    "method": _method,
    "host": _host,
    "error_at": _error_at,
    "request_headers": _request_headers,
    "response_headers": _response_headers,
}
_PLAIN = {name: SAME.get(name, f"overcoat.{name}") for name in STANDARD_FIELDS if name not in _CHANGED}


def rename(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record under OpenTelemetry's names."""
    named: _Named = {}
    for name, value in record.items():
        if name in _PLAIN:
            named[_PLAIN[name]] = value
        elif name in _CHANGED:
            _CHANGED[name](named, value)
        else:  # the app's own come last, and replace nothing
            named.setdefault(name, value)
    return named
