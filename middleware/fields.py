"""What the app adds to its request's log line: ``add_fields(user_id=7)``.

>>> from overcoat.middleware import add_fields
>>> add_fields(user_id=7, cart="empty")  # outside a request: nothing happens

The names of the request record are its own: only ``route`` may be set by the app. A line holds at most 64 fields of the
app's, and of each value 4096 bytes; the rest is left out, so that no line costs more than it is worth.
"""

import logging
from contextlib import suppress
from typing import Any

from overcoat.middleware._exchange import current_exchange
from overcoat.middleware._json import json_beginning, json_value, text_of

#: How many fields of the app's own a line holds.
MAX_FIELDS = 64
#: Characters of one name.
MAX_NAME = 128
#: Bytes of one value: text in UTF-8, anything else as JSON.
MAX_VALUE_BYTES = 4096

_log = logging.getLogger("overcoat")

#: The fields of the request record, in the order in which they are written.
STANDARD_FIELDS = (
    "timestamp", "level", "event", "method", "path", "route", "endpoint", "query", "status", "duration_ms",
    "first_byte_ms", "response_bytes", "request_bytes", "client", "peer", "scheme", "host", "http_version",
    "user_agent", "request_id", "client_request_id", "trace_id", "span_id", "outcome", "error_type",
    "error_message", "error_at", "timings", "request_headers", "response_headers", "sample_rate",
)  # fmt: skip

_TAKEN = frozenset(STANDARD_FIELDS) - {"route"}

# What an item of a value may be, by what it adds to the value's size.
_SMALL = frozenset({bool, int, float, type(None)})
_TEXTS, _LISTS = (str, bytes, bytearray), (list, tuple)


class _Told:
    too_many = False


def add_fields(**fields: Any) -> None:
    """Add fields to the log line of the current request; a later value of the same name wins.

    Outside a request nothing happens. The threads of a request (started with ``copy_context``) may all add.

    Args:
        **fields: Values that JSON knows; anything else is written as its ``str()``. Of a value that is longer than 4096
            bytes (text in UTF-8, anything else as JSON) the line has the beginning, as text. Names are cut at 128
            characters, and those beyond the 64th are left out, which is logged once.

    Raises:
        ValueError: A name that the record uses itself.
    """
    taken = _TAKEN.intersection(fields)
    if taken:
        names = ", ".join(sorted(taken))
        raise ValueError(f"add_fields: {names} is a standard field of the request record: choose another name")
    exchange = current_exchange()
    if exchange is None:
        return
    if "route" in fields:
        exchange.route = text_of(fields.pop("route"))
    own = exchange.fields
    if max(map(len, fields), default=0) > MAX_NAME:
        fields = {name[:MAX_NAME]: value for name, value in fields.items()}
    if len(own) + len(fields) > MAX_FIELDS:
        fields = _those_with_room(own, fields)
    own.update(fields)


def _those_with_room(own: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    room = MAX_FIELDS - len(own)
    new = [name for name in fields if name not in own]
    dropped = set(new[max(room, 0) :])
    if dropped and not _Told.too_many:
        _Told.too_many = True
        _log.warning("add_fields: a line holds at most %d fields of the app; %r is left out", MAX_FIELDS, min(dropped))
    return {name: value for name, value in fields.items() if name not in dropped}


def bounded(value: Any) -> Any:
    """The value if it is at most 4096 bytes (text in UTF-8, anything else as JSON), else the beginning of its text."""
    kind = type(value)
    # What nearly all fields are needs no writing out to be measured.
    if kind is float or kind is bool or value is None or (kind is int and value.bit_length() <= 64):
        return value
    if kind is str and len(value) <= MAX_VALUE_BYTES // 4:
        return value
    if kind is not str and _outgrows(value):
        value = json_beginning(value, MAX_VALUE_BYTES + 1)
        kind = str
    written = value.encode("utf-8", "surrogatepass") if kind is str else json_value(value)
    return value if len(written) <= MAX_VALUE_BYTES else written[: MAX_VALUE_BYTES - 3].decode("utf-8", "ignore") + "…"


def _outgrows(value: Any) -> bool:
    """Whether its JSON is longer than a value may be, told by its items and texts: each item takes two bytes at least.

    So no list is written out for its beginning, and no tree of references (YAML's aliases make them) is unfolded.
    """
    room, reached = MAX_VALUE_BYTES, [value]
    with suppress(Exception):  # a class of the app's that counts its items in its own way
        for one in reached:
            kind = type(one)
            if kind in _SMALL:
                continue
            if kind is str or isinstance(one, _TEXTS):
                room -= len(one)
            elif isinstance(one, dict):
                room -= 2 * len(one)
                reached += one if room > 0 else ()
                reached += dict.values(one) if room > 0 else ()
            elif isinstance(one, _LISTS):
                room -= 2 * len(one)
                reached += one if room > 0 else ()
            if room <= 0:
                return True
    return False
