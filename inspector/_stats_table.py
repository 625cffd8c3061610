"""The figures as a table that fits the terminal, and as rows for other programs.

Where there is no room for all columns the ones that are missed least go first; a pipe gets all.

>>> sparkline((0, 1, 4, 8))
' ▁▄█'
>>> rate(90, 60.0), rate(90, 3600.0), rate(3, 0.0)
('1.5/s', '1.5/min', '-')
>>> share(1, 3), share(1, 30), share(1, 30_000)
('33%', '3.3%', '<0.1%')
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any

from rich.cells import cell_len

from overcoat.inspector._grid import print_grid
from overcoat.inspector._stats import Group, Stats
from overcoat.inspector._terminal import Terminal, cut
from overcoat.inspector._text import duration, escape, plural, size

STATS_TYPES = {
    "requests": "BIGINT",
    "requests_per_s": "DOUBLE",
    "errors": "BIGINT",
    "error_share": "DOUBLE",
    "p50_ms": "DOUBLE",
    "p90_ms": "DOUBLE",
    "p95_ms": "DOUBLE",
    "p99_ms": "DOUBLE",
    "max_ms": "DOUBLE",
    "response_bytes": "BIGINT",
    "last": "TIMESTAMP WITH TIME ZONE",
}
"""The columns of an export that are no text."""

_BARS = "▁▂▃▄▅▆▇█"
_RATES = (("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", 86400.0))
_LEAVE_FIRST = ("P90", "RATE", "MAX", "LAST", "MESSAGE", "BYTES", "TREND", "P95")
_OF_ERRORS = ("LAST", "ID", "MESSAGE")
_NOT_OF_ERRORS = ("ERRORS", "P90", "P95", "P99", "BYTES")  # tell little where all have failed
_LEAST_KEY = 20  # columns of the screen that the first key keeps while others go


def print_stats(
    terminal: Terminal,
    stats: Stats,
    by: Sequence[str],
    zone: tzinfo | None,
    *,
    samples: bool = False,
    sort: str = "requests",
) -> None:
    """Print the figures.

    Args:
        terminal: where to.
        stats: the figures.
        by: the fields that make a group; none for the route.
        zone: of the times.
        samples: whether the groups are errors, each with its latest request.
        sort: what the groups are ordered by; its column is always shown.
    """
    sorted_by = "ERRORS" if sort == "error_share" else sort.upper()
    names = [name.upper() for name in by] or ["ROUTE"]
    rows = [(group, ["-" if key is None else key for key in group.keys]) for group in stats.groups]
    rows.append((stats.total, ["all", *[""] * (len(names) - 1)]))
    columns = _columns(stats, zone)
    for name in set(_NOT_OF_ERRORS if samples else _OF_ERRORS) - {sorted_by}:
        del columns[name]
    if not _can_draw(terminal):
        columns.pop("TREND", None)
    cells = {
        name: [make(group) if group.keys or name not in {"ID", "MESSAGE"} else "" for group, _ in rows]
        for name, make in columns.items()
    }
    key_widths = [max(len(name), *(len(escape(keys[i])) for _, keys in rows)) for i, name in enumerate(names)]
    left_out = []
    for name in (name for name in _LEAVE_FIRST if name in cells and name != sorted_by):
        widths = [max(len(title), *map(cell_len, values)) for title, values in cells.items()]
        room = min(key_widths[0], _LEAST_KEY) + sum(key_widths[1:]) + sum(widths) + 2 * (len(names) + len(widths) - 1)
        if terminal.width is None or room <= terminal.width:
            break
        del cells[name]
        left_out.append(name)
    right = [False] * len(names) + [name not in {"TREND", "ID", "MESSAGE", "LAST"} for name in cells]
    table = [[*keys, *(values[index] for values in cells.values())] for index, (_, keys) in enumerate(rows)]
    print_grid(terminal, [*names, *cells], table, right=right, emphasis=1)
    terminal.write(terminal.paint(_summary(stats, zone), "dim"))
    notes = ["TREND: requests over that time"] if "TREND" in cells else []
    if left_out:
        notes.append(f"no room for {', '.join(left_out)}")
    if notes:
        terminal.write(terminal.paint(cut("; ".join(notes), terminal.width), "dim"))


def rows_of(stats: Stats, by: Sequence[str], *, samples: bool = False) -> list[dict[str, Any]]:
    """A row for each group, for other programs."""
    names = list(by) or ["route"]
    found = []
    for group in stats.groups:
        row: dict[str, Any] = dict(zip(names, group.keys, strict=True))
        row |= {
            "requests": group.requests,
            "requests_per_s": round(group.requests / stats.span_s, 6) if stats.span_s else None,
            "errors": group.errors,
            "error_share": group.errors / group.requests if group.requests else None,
        }
        row |= dict(zip(("p50_ms", "p90_ms", "p95_ms", "p99_ms"), group.percentiles_ms, strict=True))
        row |= {"max_ms": group.max_ms, "response_bytes": group.response_bytes}
        if samples:
            row |= {"last": _iso(group.last), "sample_id": group.sample_id, "sample_message": group.sample_message}
        found.append(row)
    return found


def sparkline(counts: Sequence[int]) -> str:
    """Counts as bars, the highest the whole height; nothing where there is nothing."""
    highest = max(counts, default=0) or 1
    return "".join(_BARS[max(0, round(count / highest * 8) - 1)] if count else " " for count in counts)


def rate(count: float, span_s: float) -> str:
    """How many came in the unit of time in which the number reads best."""
    if span_s < 1:
        return "-"
    for unit, seconds in _RATES:
        value = count * seconds / span_s
        if value >= 1 or unit == "d":
            return f"{value:,.0f}/{unit}" if value >= 100 else f"{value:.2g}/{unit}"
    return "-"


def share(part: int, whole: int) -> str:
    """A part in per cent, as exactly as it reads well; the page writes it alike."""
    percent = 100 * part / whole
    return "<0.1%" if percent < 0.05 else f"{percent:.{1 if percent < 10 else 0}f}%"


def _columns(stats: Stats, zone: tzinfo | None) -> dict[str, Callable[[Group], str]]:
    columns: dict[str, Callable[[Group], str]] = {
        "REQUESTS": lambda group: f"{group.requests:,}",
        "RATE": lambda group: rate(group.requests, stats.span_s),
        "ERRORS": partial(_errors, max((len(_share(group)) for group in [*stats.groups, stats.total]), default=0)),
    }
    for index, name in enumerate(("P50", "P90", "P95", "P99")):
        columns[name] = partial(_percentile, index)
    columns["MAX"] = lambda group: duration(group.max_ms)
    columns["BYTES"] = lambda group: size(group.response_bytes)
    columns["TREND"] = lambda group: sparkline(group.trend)
    columns["LAST"] = lambda group: _clock(group.last, zone)
    columns["ID"] = lambda group: (group.sample_id or "-")[:8]
    columns["MESSAGE"] = lambda group: (group.sample_message or "-")[:120]
    return columns


def _errors(share_width: int, group: Group) -> str:
    """How many, and their share, each below those of the other groups."""
    return f"{group.errors:,} {_share(group):>{share_width}}" if group.errors else "-"


def _share(group: Group) -> str:
    return f"({share(group.errors, group.requests)})" if group.errors else ""


def _percentile(index: int, group: Group) -> str:
    return duration(group.percentiles_ms[index])


def _can_draw(terminal: Terminal) -> bool:
    try:
        _BARS.encode(terminal.stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _summary(stats: Stats, zone: tzinfo | None) -> str:
    """How many, from when to when, how many a second."""
    text = plural(stats.total.requests, "request")
    if stats.first is not None and stats.last is not None:
        text += f" from {_clock(stats.first, zone)} to {_clock(stats.last, zone)}{_zone_name(stats.last, zone)}"
        if stats.span_s >= 1:
            text += f", {rate(stats.total.requests, stats.span_s)}"
    if stats.sampled_lines:
        text += f"; estimated from a sample, in which {plural(stats.sampled_lines, 'line')} stood for more"
    return text


def _clock(epoch_s: float | None, zone: tzinfo | None) -> str:
    """A time of the log, which may be one that no clock shows."""
    if epoch_s is None:
        return "-"
    try:
        return f"{datetime.fromtimestamp(epoch_s, UTC).astimezone(zone):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "a time out of range"


def _zone_name(epoch_s: float, zone: tzinfo | None) -> str:
    """The short name of the zone at a time, after a space; empty where the time is out of range."""
    try:
        return f" {datetime.fromtimestamp(epoch_s, UTC).astimezone(zone):%Z}".rstrip()
    except (ValueError, OverflowError, OSError):
        return ""


def _iso(epoch_s: float | None) -> str | None:
    try:
        return None if epoch_s is None else datetime.fromtimestamp(epoch_s, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
