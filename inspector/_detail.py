"""Everything about one request: its fields, its timings as bars, what the app logged meanwhile.

The lines are found by the bytes of the id; only those are parsed. They may lie anywhere in the files, and the app's
own lines stand before the request's.
"""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from overcoat.inspector._files import LogFiles
from overcoat.inspector._filters import Filters
from overcoat.inspector._lines import containing
from overcoat.inspector._record import FIELDS, Record, is_request, json_part, json_text, moment, number, text
from overcoat.inspector._table import request_text
from overcoat.inspector._tail import Found
from overcoat.inspector._terminal import Terminal, cut
from overcoat.inspector._text import clock, duration, escape, plural

_MAX_APP_LINES = 1000
_BAR_COLUMNS = 30
_PLAIN_ID = re.compile(r"[A-Za-z0-9._:-]+")  # what no writer of JSON would escape


@dataclass
class Matches:
    """What was found under an id.

    Args:
        requests: the last of the requests.
        request_count: how many there were.
        app_lines: the last of the app's own lines.
    """

    requests: deque[Found]
    request_count: int = 0
    app_lines: deque[Found] = field(default_factory=lambda: deque(maxlen=_MAX_APP_LINES))


def find(files: LogFiles, filters: Filters, limit: int | None) -> Matches:
    """The lines of the requests whose id begins as the filters say.

    Args:
        files: the logs.
        filters: with a `request_id`; the others apply to the requests.
        limit: how many requests to keep.
    """
    prefix = filters.request_id or ""
    needle = rb'"request_id"[ \t]*:[ \t]*"'
    pattern = re.compile(needle + re.escape(prefix.encode()) if _PLAIN_ID.fullmatch(prefix) else needle)
    matches = Matches(deque(maxlen=limit))
    for file in files.readable:
        for line in containing(files.blocks(file), pattern, files):
            found = json_part(line)
            if found is None or not (text(found[1], "request_id") or "").startswith(prefix):
                continue
            if not is_request(found[1]):
                matches.app_lines.append(found)
            elif filters.matches(found[1]):
                matches.request_count += 1
                matches.requests.append(found)
    return matches


def print_request(terminal: Terminal, record: Record, zone: tzinfo | None) -> None:
    """Print a request's fields, and its timings as bars."""
    status, outcome = number(record, "status"), text(record, "outcome")
    summary = [
        request_text(record),
        "-" if status is None else f"{status:.0f}",
        duration(number(record, "duration_ms")),
    ]
    if outcome not in {None, "complete"}:
        summary.append(escape(outcome or ""))
    terminal.write(terminal.paint("  ".join(summary), "bold"))
    names = [name for name in FIELDS if name in record and name not in {"event", "timings"}]
    names += [name for name in record if name not in FIELDS]
    width = min(max((len(escape(name, limit=40)) for name in names), default=0), 40)
    for name in names:
        value = _shown(record, name, zone)
        terminal.write(f"  {terminal.paint(escape(name, limit=40).ljust(width), 'dim')}  {value}")
    _print_timings(terminal, record)


def print_app_lines(terminal: Terminal, records: Sequence[Record], zone: tzinfo | None) -> None:
    """Print what the app logged during a request."""
    if not records:
        return
    terminal.write("")
    terminal.write(terminal.paint(plural(len(records), "line") + " of the app", "bold"))
    for record in records:
        for line in _app_line(record, zone):
            terminal.write(cut(line, terminal.width))


def _shown(record: Record, name: str, zone: tzinfo | None) -> str:
    if name == "timestamp" and (when := clock(moment(record), zone)):
        return when.isoformat(sep=" ", timespec="microseconds")
    return escape(text(record, name) or ("null" if record[name] is None else ""))


def _print_timings(terminal: Terminal, record: Record) -> None:
    timings = record.get("timings")
    if not isinstance(timings, dict) or not timings:
        return
    rows = [(escape(name, limit=40), *_timing(timing)) for name, timing in timings.items()]
    total = number(record, "duration_ms") or 0.0
    scale = max([total, *(milliseconds for _, milliseconds, _ in rows)]) or 1.0
    width = max(len(name) for name, _, _ in rows)
    terminal.write("")
    terminal.write(terminal.paint("timings", "bold"))
    for name, milliseconds, count in sorted(rows, key=lambda row: -row[1]):
        bar = "█" * max(1, round(milliseconds / scale * _BAR_COLUMNS))
        share = f"{milliseconds / total:>6.1%}" if total else " " * 6
        line = f"  {name.ljust(width)}  {duration(milliseconds):>9}  {share}  {count:>6}  "
        terminal.write(cut(line, terminal.width) + terminal.paint(bar, "cyan"))


def _timing(value: Any) -> tuple[float, str]:
    fields = value if isinstance(value, dict) else {"duration_ms": value}
    count = number(fields, "count")
    return max(number(fields, "duration_ms") or 0.0, 0.0), "" if count is None else f"{count:,.0f} x"


def _app_line(record: Record, zone: tzinfo | None) -> Iterable[str]:
    when = clock(moment(record), zone)
    at = f"{when:%H:%M:%S}.{when.microsecond // 1000:03d}" if when else "-"
    blocks, pairs = [], []
    for name, value in record.items():
        if name in {"timestamp", "level", "event", "request_id"}:
            continue
        if isinstance(value, str) and "\n" in value:  # a traceback
            blocks.append((name, value))
        else:
            shown = value if isinstance(value, str) else json_text(value)
            pairs.append(f"{escape(name)}={escape(shown)}")
    level, event = escape(text(record, "level") or "-"), escape(text(record, "event") or "-")
    yield "  ".join([f"  {at}  {level:<8}", event, *pairs])
    for name, value in blocks:
        yield f"    {escape(name)}:"
        for line in value.splitlines():
            yield f"      {escape(line)}"
