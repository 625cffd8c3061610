"""How the lines of one log are read: which format they are in, and the record of each.

Known without a word: our record, the same under the names of a standard, and Apache's combined format. A log is in the
combined format where the first line that is of either kind is, so that a program which prints a stranger's text beside
JSON lines cannot be made to print requests. Other JSON needs `--map`.

>>> reader = Reader()
>>> reader.read(b'{"event":"http_request","status":200}')
(b'{"event":"http_request","status":200}', {'event': 'http_request', 'status': 200})
>>> reader.read(b'192.0.2.1 - - [23/Nov/2026:06:47:26 +0000] "GET / HTTP/1.1" 200 42') is None
True
"""

from typing import TypeAlias

import orjson

from overcoat.inspector._combined import parse_combined
from overcoat.inspector._mapping import Mapping
from overcoat.inspector._record import REQUEST_EVENT, Record, json_part

Found: TypeAlias = tuple[bytes, Record]
"""A line's JSON and the same as a record: as written, or under our names where it was written under others."""

_OWN_MARKS = (b'"event":"http_request"', b'"event": "http_request"')
_OTHER_MARKS = (b'"httpRequest"', b'"event_name"', b'"ecs', b'"event.action"', b'"log"')
"""One of these is in every line that is written under other names, or wrapped."""


class Reader:
    """Reads the lines of one log.

    Args:
        mapping: of `--map`.
    """

    def __init__(self, mapping: Mapping | None = None) -> None:
        self._mapping = mapping
        self._combined: bool | None = None if mapping is None else False

    def read(self, line: bytes) -> Found | None:
        """The record of a line; None where it has none."""
        if self._combined:
            return _of_combined(line)
        found = json_part(line)
        if found is None:
            if self._combined is None and (combined := _of_combined(line)):
                self._combined = True
                return combined
            return None
        self._combined = False
        record = found[1]
        mapped = _standard(record) if self._mapping is None else self._mapping.apply(record)
        return found if mapped is None else (orjson.dumps(mapped), mapped)

    def is_native(self, line: bytes) -> bool:
        """Whether DuckDB reads the line as this does, without its being written anew."""
        if line[:1] != b"{":
            return self.read(line) is None
        found = self.read(line)
        return found is None or found[0] == line.rstrip(b"\r")

    def object_of(self, line: bytes) -> bytes | None:
        """The JSON of a line under our names, parsed only where it must be; None where there is none."""
        if self._mapping is None and line[:1] == b"{" and not self._combined:
            self._combined = False
            plain = b"http_request" not in line or any(mark in line for mark in _OWN_MARKS)
            if plain and not any(mark in line for mark in _OTHER_MARKS):
                return line
        found = self.read(line)
        if found is None:
            return line if line[:1] == b"{" else None  # DuckDB counts what is broken
        return found[0]


def _standard(record: Record) -> Record | None:
    """The record under our names, if it is under those of a standard."""
    event = record.get("event")
    if event == REQUEST_EVENT and "httpRequest" not in record:
        return None
    if not (isinstance(event, dict) or "event_name" in record or "httpRequest" in record or "event.action" in record):
        return None
    from overcoat.inspector._standards import ours  # loads the layers' names: only where they are met

    return ours(record)


def _of_combined(line: bytes) -> Found | None:
    record = parse_combined(line)
    return None if record is None else (orjson.dumps(record), record)
