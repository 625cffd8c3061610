r"""Requests for other programs: CSV, Parquet, and the combined log format that access-log analysers read.

>>> print(combined({"client": "10.0.0.1", "method": "GET", "path": '/a"b', "status": 200, "http_version": "1.1",
...     "timestamp": "2026-11-23T06:47:26.123456Z", "response_bytes": 12, "user_agent": "curl/8"}, UTC))
10.0.0.1 - - [23/Nov/2026:06:47:26 +0000] "GET /a\"b HTTP/1.1" 200 12 "-" "curl/8"
"""

from datetime import UTC, tzinfo
from typing import Final

from overcoat.inspector._record import Record, moment, number, text
from overcoat.inspector._text import clock, escape

__all__ = ["FORMATS", "UTC", "combined"]

FORMATS: Final = ("csv", "parquet", "combined")

# Not %b: the format is English whatever the locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def combined(record: Record, zone: tzinfo | None) -> str:
    """A request as a line of Apache's combined log format, with quotes and control characters escaped as there."""
    when = clock(moment(record), zone)
    at = f"{when:%d}/{_MONTHS[when.month - 1]}/{when:%Y:%H:%M:%S %z}" if when else "-"
    client = _quoted(record, "client").replace(" ", "_")
    target = _quoted(record, "path") + (f"?{_quoted(record, 'query')}" if text(record, "query") else "")
    version = _quoted(record, "http_version").removeprefix("HTTP/")
    status, sent = number(record, "status"), number(record, "response_bytes")
    answer = f"{'-' if status is None else f'{status:.0f}'} {f'{sent:.0f}' if sent else '-'}"
    request, agent = f"{_quoted(record, 'method')} {target} HTTP/{version}", _quoted(record, "user_agent")
    return f'{client} - - [{at}] "{request}" {answer} "-" "{agent}"'


def _quoted(record: Record, name: str) -> str:
    value = text(record, name) or "-"
    return escape(value.replace("\\", "\\\\").replace('"', '\\"'), limit=None)
