"""The record under the names of the Elastic Common Schema.

Nested, as the schema's documents are. What it does not name is in the object ``overcoat``, the app's own fields in
``overcoat.fields``, where no name of theirs can change the type of one of the schema's (Elasticsearch would refuse the
line). An app's field with a dot in its name is meant for the schema and goes where the dots say.

>>> record = {"method": "GET", "path": "/", "status": 200, "duration_ms": 1.5, "outcome": "complete", "rows": 3}
>>> named = rename(record | {"user.id": "7"})
>>> named["http"]
{'request': {'method': 'GET'}, 'response': {'status_code': 200}}
>>> named["event"]["duration"], named["user"], named["overcoat"]
(1500000, {'id': '7'}, {'outcome': 'complete', 'fields': {'rows': 3}})
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from overcoat.middleware._names_values import is_address, message, split_host, split_place
from overcoat.middleware.fields import STANDARD_FIELDS

#: The version that the line names; all that it uses has been there since 1.9.
ECS_VERSION = "8.11.0"

#: Fields whose value is as the schema has it.
SAME = {
    "timestamp": "@timestamp",
    "level": "log.level",
    "event": "event.action",
    "method": "http.request.method",
    "path": "url.path",
    "query": "url.query",
    "status": "http.response.status_code",
    "response_bytes": "http.response.body.bytes",
    "request_bytes": "http.request.body.bytes",
    "scheme": "url.scheme",
    "http_version": "http.version",
    "user_agent": "user_agent.original",
    "request_id": "http.request.id",
    "trace_id": "trace.id",
    "span_id": "span.id",
    "error_type": "error.type",
    "error_message": "error.message",
}

# The objects of a line, inner ones first. All are made at once, filled by their number, and each is put into the one
# around it if it holds anything: to walk a path for each value costs three times as much.
_OBJECTS = (
    "log.origin.file", "log.origin", "http.request.body", "http.response.body", "http.request", "http.response", "log",
    "event", "http", "url", "client", "source", "user_agent", "trace", "span", "error", "overcoat", "",
)  # fmt: skip
_NUMBERS = {path: number for number, path in enumerate(_OBJECTS)}
_Objects = list[dict[str, Any]]


def _place(path: str) -> tuple[int, str]:
    """The number of the object around, and the name in it."""
    around, _, name = path.rpartition(".")
    return _NUMBERS[around], name


_AROUND = [(number, *_place(path)) for path, number in _NUMBERS.items() if path]
_FILE, _ORIGIN, _REQUEST, _EVENT, _URL, _CLIENT, _SOURCE, _OVERCOAT, _LINE = (
    _NUMBERS[path]
    for path in (
        "log.origin.file", "log.origin", "http.request", "event", "url", "client", "source", "overcoat", "",
    )
)  # fmt: skip


def _duration(objects: _Objects, value: Any) -> None:
    objects[_EVENT]["duration"] = round(value * 1_000_000)  # nanoseconds


def _client(objects: _Objects, value: Any) -> None:
    objects[_CLIENT] = _address(value)


def _peer(objects: _Objects, value: Any) -> None:
    objects[_SOURCE] = _address(value)


def _address(value: str) -> dict[str, Any]:
    return {"address": value, "ip": value} if is_address(value) else {"address": value}


def _host(objects: _Objects, value: Any) -> None:
    url = objects[_URL]
    url["domain"], port = split_host(value)
    if port is not None:
        url["port"] = port


def _error_at(objects: _Objects, value: Any) -> None:
    place = split_place(value)
    if place is None:
        objects[_OVERCOAT]["error_at"] = value
    else:
        file = objects[_FILE]
        file["name"], file["line"], objects[_ORIGIN]["function"] = place


def _request_headers(objects: _Objects, value: Any) -> None:
    if "referer" in value:
        objects[_REQUEST]["referrer"] = value["referer"]
    objects[_OVERCOAT]["request_headers"] = value


_CHANGED: dict[str, Callable[[_Objects, Any], None]] = {
    "duration_ms": _duration,
    "client": _client,
    "peer": _peer,
    "host": _host,
    "error_at": _error_at,
    "request_headers": _request_headers,
}
_PLACES = {name: _place(SAME.get(name, f"overcoat.{name}")) for name in STANDARD_FIELDS if name not in _CHANGED}


def _success(record: Mapping[str, Any]) -> str:
    """The outcome as the schema's three values have it, from the server's side: a 404 is an answer."""
    outcome = record.get("outcome")
    if outcome == "failed" or record.get("status", 0) >= 500:
        return "failure"
    return "unknown" if outcome == "aborted" else "success"


def rename(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record under the names of the Elastic Common Schema."""
    objects: _Objects = [{} for _ in _OBJECTS]
    own: dict[str, Any] = {}
    for name, value in record.items():
        if name in _PLACES:
            number, theirs = _PLACES[name]
            objects[number][theirs] = value
        elif name in _CHANGED:
            _CHANGED[name](objects, value)
        else:
            own[name] = value
    event, line = objects[_EVENT], objects[_LINE]
    event["kind"], event["category"], event["type"], event["outcome"] = "event", ["web"], ["access"], _success(record)
    for number, around, name in _AROUND:
        if inner := objects[number]:
            objects[around][name] = inner
    line["message"] = message(record)
    line["ecs"] = {"version": ECS_VERSION}
    if own:
        values = {id(value) for value in record.values()}
        fields = {name: value for name, value in own.items() if not _put_path(line, name, value, values)}
        if fields:
            line.setdefault("overcoat", {})["fields"] = fields
    return line


def _put_path(line: dict[str, Any], path: Any, value: Any, values: Collection[int]) -> bool:
    """Put a field of the app's where the dots in its name say; False where there are none, or the place is taken.

    A dict that is one of the record's ``values`` (by ``id``) is a value, not an object of the line.
    """
    *objects, last = path.split(".") if isinstance(path, str) else [path]
    if not objects or "" in (*objects, last):
        return False
    node = line
    for name in objects:
        inner = node.setdefault(name, {})
        if type(inner) is not dict or id(inner) in values:
            return False
        node = inner
    if last in node:
        return False
    node[last] = value
    return True
