"""The record as Google Cloud Logging reads structured lines: ``httpRequest``, ``severity``, ``time``, trace and span.

What the service does not name keeps our name beside these, and is found in ``jsonPayload``;
the app's own fields too.

>>> rename = make_rename({"GOOGLE_CLOUD_PROJECT": "shop"})
>>> named = rename({"level": "warning", "method": "GET", "path": "/cart", "query": "page=2", "status": 404,
...                 "duration_ms": 3.25, "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "user_id": 7})
>>> named["httpRequest"]
{'requestMethod': 'GET', 'requestUrl': '/cart?page=2', 'status': 404, 'latency': '0.003250s'}
>>> named["severity"], named["logging.googleapis.com/trace"], named["user_id"]
('WARNING', 'projects/shop/traces/4bf92f3577b34da6a3ce929d0e0e4736', 7)
"""

import os
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from overcoat.middleware._names_values import message

# A project's id, or its number; with the id of the organization in front where there is one.
_PROJECT = re.compile(r"[a-z0-9.:-]{1,128}")
#: What the service puts into LogEntry itself, by our names.
SAME = {"timestamp": "time", "span_id": "logging.googleapis.com/spanId"}
# What httpRequest holds, and the level and the trace, which change their form.
_TAKEN = frozenset({
    "level", "method", "path", "query", "scheme", "host", "status", "duration_ms", "response_bytes", "client",
    "user_agent", "http_version", "trace_id",
})  # fmt: skip
# Beside what a path may hold (RFC 3986, section 3.3): what a route's template needs to stay readable.
_SAFE_IN_PATH = "/:@!$&'()*+,;=~-._<>[]"
_is_safe = re.compile(rf"[A-Za-z0-9{re.escape(_SAFE_IN_PATH)}]*").fullmatch


def make_rename(environ: Mapping[str, str] = os.environ) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """The function that renames a record.

    Args:
        environ: Where ``GOOGLE_CLOUD_PROJECT`` is, if it is: with it a trace has the full name that links to Cloud
            Trace, without it only its id.
    """
    project = environ.get("GOOGLE_CLOUD_PROJECT", "")
    prefix = f"projects/{project}/traces/" if _PROJECT.fullmatch(project) else ""

    def rename(record: Mapping[str, Any]) -> dict[str, Any]:
        named: dict[str, Any] = {
            "severity": record["level"].upper(),
            "message": message(record),
            "httpRequest": _http_request(record),
        }
        if "trace_id" in record:
            named["logging.googleapis.com/trace"] = prefix + record["trace_id"]
        for name, value in record.items():
            if name not in _TAKEN:
                named.setdefault(SAME.get(name, name), value)
        return named

    return rename


def _http_request(record: Mapping[str, Any]) -> dict[str, Any]:
    request = {"requestMethod": record["method"], "requestUrl": _url(record)}
    if "status" in record:
        request["status"] = record["status"]
    if "response_bytes" in record:
        request["responseSize"] = str(record["response_bytes"])  # int64 is a string in the JSON of protocol buffers
    for ours, theirs in (("user_agent", "userAgent"), ("client", "remoteIp")):
        if ours in record:
            request[theirs] = record[ours]
    referer = record.get("request_headers", {}).get("referer")
    if referer:
        request["referer"] = referer
    request["latency"] = f"{record['duration_ms'] / 1000:.6f}s"
    if "http_version" in record:
        request["protocol"] = f"HTTP/{record['http_version']}"
    return request


def _url(record: Mapping[str, Any]) -> str:
    path = record["path"]
    url = path if _is_safe(path) else quote(path, _SAFE_IN_PATH, errors="backslashreplace")
    if "query" in record:
        url += f"?{record['query']}"
    if "scheme" in record and "host" in record:
        url = f"{record['scheme']}://{record['host']}{url}"
    return url
