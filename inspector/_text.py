r"""Text on its way to a terminal: nothing from a log may steer it.

A log holds what strangers sent: paths, user agents, error messages. Control characters (C0 with ESC, DEL, C1), line
and paragraph separators, bidi controls, invisible and unassigned characters are written as escapes, in every view.

>>> escape("/\x1b[2J\u202etxt.exe")
'/\\x1b[2J\\u202etxt.exe'
>>> duration(12.345), duration(1234.5), size(9876)
('12.3 ms', '1.23 s', '9.9 kB')
"""

import sys
from collections.abc import Sequence
from datetime import datetime, tzinfo

MAX_CELL = 4096  # characters of one value that a view shows

_DURATIONS = (("ms", 1.0, 1000.0), ("s", 1e3, 60e3), ("min", 60e3, 3600e3), ("h", 3600e3, 3600e6))
_SIZES = tuple(
    (unit, 1000.0**power, 1000.0 ** (power + 1)) for power, unit in enumerate(("B", "kB", "MB", "GB", "TB", "PB"))
)
"""Units with their factor and the number from which the next one reads better."""


def escape(value: str, *, limit: int | None = MAX_CELL) -> str:
    r"""The text with everything that is not printable as `\xNN`, `\uNNNN` or `\UNNNNNNNN`.

    Args:
        value: what a log says.
        limit: characters kept; a longer text ends in an ellipsis. None keeps all.
    """
    if limit is not None and len(value) > limit:
        value = value[: limit - 1] + "…"
    if value.isprintable():
        return value
    return "".join(char if char.isprintable() else _escaped(char) for char in value)


def escape_json(line: bytes) -> str:
    r"""A line of JSON for a terminal: what is not printable as `\uNNNN`, which means the same inside its strings."""
    value = line.decode("utf-8", "backslashreplace")
    if value.isprintable():
        return value
    return "".join(char if char.isprintable() else _escaped_json(char) for char in value)


def _escaped(char: str) -> str:
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _escaped_json(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def duration(milliseconds: float | None) -> str:
    """A duration in the unit in which it reads best."""
    return _in_units(milliseconds, _DURATIONS)


def size(count: float | None) -> str:
    """A number of bytes in the unit in which it reads best (powers of 1000)."""
    return _in_units(count, _SIZES)


def _in_units(value: float | None, units: Sequence[tuple[str, float, float]]) -> str:
    """At most nine characters, whatever a log says."""
    if value is None:
        return "-"
    for unit, factor, limit in units:
        if abs(value) < limit * 0.9995:  # what would be rounded up to the limit is in the next unit
            scaled = value / factor
            digits = 0 if unit == "B" else 2 if unit == "s" else 1
            return f"{scaled:.{digits}f} {unit}"
    return f"{value:.0e}"


def clock(when: datetime | None, zone: tzinfo | None) -> datetime | None:
    """A time in the zone that is shown; None is the local one. None, too, for a time at the edge of the calendar."""
    try:
        return None if when is None else when.astimezone(zone)
    except (OverflowError, OSError, ValueError):
        return None


def plural(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def note(message: str) -> None:
    """A word to the user on standard error, escaped, on one line."""
    print(f"overcoat logs: {escape(message)}", file=sys.stderr, flush=True)
