r"""Lines of Apache's and nginx's common, combined and vhost-combined formats, as records.

What the formats do not tell is absent: no route, no id. A number with three decimals at the end of the line is taken
for nginx's `$request_time`, in seconds, which many append; nginx's own status 499 is a client that left.

>>> line = b'192.0.2.1 - - [23/Nov/2026:06:47:26 +0000] "GET /item?page=2 HTTP/1.1" 200 42 "-" "curl/8" 0.012'
>>> record = parse_combined(line)
>>> [record[name] for name in ("timestamp", "client", "path", "query", "status", "duration_ms")]
['2026-11-23T06:47:26+00:00', '192.0.2.1', '/item', 'page=2', 200, 12.0]
>>> parse_combined(b"Listening on 8000") is None
True
"""

import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from overcoat.inspector._record import REQUEST_EVENT, Record

_QUOTED = rb'"([^"\\]*(?:\\.[^"\\]*)*)"'
_LINE = re.compile(
    rb"(?:(\S{1,255}:[0-9]{1,5}) )?(\S{1,255}) \S{1,255} [^\[\n]{1,255} "
    rb"\[([0-9]{2})/([A-Z][a-z]{2})/([0-9]{4}):([0-9]{2}:[0-9]{2}:[0-9]{2}) ([+-][0-9]{2})([0-9]{2})\] "
    + _QUOTED
    + rb" ([1-9][0-9]{2}) ([0-9]{1,18}|-)(?: "
    + _QUOTED
    + rb" "
    + _QUOTED
    + rb")?(?: .*?([0-9]{1,9}\.[0-9]{3})?)?\r?",
    re.DOTALL,
)
_REQUEST = re.compile(r"([A-Za-z][A-Za-z-]{0,63}) (\S.*) HTTP/([0-9.]{1,8})", re.DOTALL)
_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|.)", re.DOTALL)
_CONTROLS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"v": b"\v", b"f": b"\f"}
_MONTHS = {name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_CLIENT_LEFT = 499  # nginx


def parse_combined(line: bytes) -> Record | None:
    """The record of a line; None where it is not of the format."""
    found = _LINE.fullmatch(line)
    if not found:
        return None
    host, client, day, month, year, clock, hours, minutes, request, status_text, sent, referer, agent, seconds = (
        found.groups()
    )
    try:
        date = f"{int(year):04d}-{_MONTHS[month]:02d}-{int(day):02d}"
        when = datetime.fromisoformat(f"{date}T{clock.decode()}{hours.decode()}:{minutes.decode()}")
    except (KeyError, ValueError):
        return None
    status = int(status_text)
    record: dict[str, Any] = {
        "timestamp": when.isoformat(),
        "level": "error" if status >= 500 else "warning" if status >= 400 else "info",
        "event": REQUEST_EVENT,
        **_request(_text(request)),
        "status": status,
        "duration_ms": None if seconds is None else round(float(seconds) * 1000, 3),
        "response_bytes": 0 if sent == b"-" else int(sent),
        "client": _text(client),
        "host": None if host is None else _text(host),
        "user_agent": None if agent in {None, b"-"} else _text(agent),
        "outcome": "aborted" if status == _CLIENT_LEFT else None,
        "request_headers": None if referer in {None, b"-", b""} else {"referer": _text(referer)},
    }
    return {name: value for name, value in record.items() if value is not None}


def _request(request: str) -> dict[str, str]:
    """Method, path, query and version; what is no request line (a TLS handshake, say) is a path."""
    found = _REQUEST.fullmatch(request)
    if not found:
        return {"path": request}
    path, mark, query = found[2].partition("?")
    fields = {"method": found[1], "path": unquote(path, errors="backslashreplace"), "http_version": found[3]}
    return fields | {"query": query} if mark else fields


def _text(value: bytes) -> str:
    """A quoted value without its escapes (Apache's `ap_escape_logitem`, nginx's `escape=default`)."""
    if b"\\" in value:
        value = _ESCAPE.sub(_unescaped, value)
    return value.decode("utf-8", "backslashreplace")


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes.fromhex(code[1:].decode()) if len(code) == 3 else _CONTROLS.get(code, code)
