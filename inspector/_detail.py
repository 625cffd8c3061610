"""Everything about one request: its fields, its timings as bars, what the app logged meanwhile, how to repeat it.

The lines are found by the bytes of the id, be it the request's or the trace's; only those are parsed. They may lie
anywhere in the files, and the app's own lines stand before the request's.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from overcoat.inspector._files import LogFiles
from overcoat.inspector._filters import Filters
from overcoat.inspector._lines import containing
from overcoat.inspector._record import FIELDS, Record, is_request, json_text, moment, number, text
from overcoat.inspector._table import request_text
from overcoat.inspector._tail import Latest
from overcoat.inspector._terminal import Terminal, cut
from overcoat.inspector._text import clock, duration, escape, plural

_MAX_APP_LINES = 1000
_BAR_COLUMNS = 30
_PLAIN_ID = re.compile(r"[A-Za-z0-9._:-]+")  # what no writer of JSON would escape
_IDS = ("request_id", "trace_id")


@dataclass
class Matches:
    """What was found under an id.

    Args:
        requests: the last of the requests.
        request_count: how many there were.
        app_lines: the last of the app's own lines.
    """

    requests: Latest
    request_count: int = 0
    app_lines: Latest = field(default_factory=lambda: Latest(_MAX_APP_LINES))


def find(files: LogFiles, filters: Filters, limit: int | None) -> Matches:
    """The lines of the requests whose id, or whose trace's, begins as the filters say.

    Args:
        files: the logs.
        filters: with a `request_id`; the others apply to the requests.
        limit: how many requests to keep.
    """
    prefix = filters.request_id or ""
    # The text of a plain id is found in any line, whatever its format; in front of it stands a quote, or the slash of
    # a trace's full name. Any other id may be written with escapes.
    needle = prefix.encode() if _PLAIN_ID.fullmatch(prefix) else b"id"
    if files.mapping is not None and needle == b"id":
        needle = b""
    pattern = re.compile(rb'["/:= ]' + re.escape(needle) if needle == prefix.encode() else re.escape(needle))
    matches = Matches(Latest(limit))
    for file in files.readable:
        reader = files.reader(file)
        for line in containing(files.blocks(file), needle, files):
            found = reader.read(line) if pattern.search(line) else None
            if found is None or not has_id(found[1], prefix):
                continue
            if not is_request(found[1]):
                matches.app_lines.add(found)
            elif filters.matches(found[1]):
                matches.request_count += 1
                matches.requests.add(found)
    return matches


def has_id(record: Record, prefix: str) -> bool:
    """Whether a line's request or trace has an id that begins so."""
    return any((text(record, name) or "").startswith(prefix) for name in _IDS)


def ids_of(record: Record) -> set[str]:
    """The ids of a line."""
    return {value for name in _IDS if (value := text(record, name))}


def print_request(terminal: Terminal, record: Record, zone: tzinfo | None) -> None:
    """Print a request's fields, and its timings as bars."""
    status, outcome = number(record, "status"), text(record, "outcome")
    summary = [
        request_text(record),
        "-" if status is None else f"{status:.0f}",
        duration(number(record, "duration_ms")),
    ]
    error, at = text(record, "error_type"), text(record, "error_at")
    if error is not None:
        summary.append(escape(error) + (f" at {escape(at)}" if at else ""))
    elif outcome not in {None, "complete"}:
        summary.append(escape(outcome or ""))
    terminal.write(terminal.paint("  ".join(summary), "bold"))
    names = [name for name in FIELDS if name in record and name not in {"event", "timings"}]
    names += [name for name in record if name not in FIELDS]
    width = min(max((len(escape(name, limit=40)) for name in names), default=0), 40)
    for name in names:
        value = _shown(record, name, zone)
        terminal.write(f"  {terminal.paint(escape(name, limit=40).ljust(width), 'dim')}  {value}")
    _print_timings(terminal, record)
    from overcoat.inspector._curl import curl  # loads the layers' list of secrets

    command = curl(record)
    if command:
        terminal.write("")
        terminal.write(terminal.paint("to repeat it", "bold"))
        terminal.write("\n".join(f"  {line}" for line in command))


def print_app_lines(terminal: Terminal, records: Sequence[Record], zone: tzinfo | None) -> None:
    """Print what the app logged during a request."""
    if not records:
        return
    terminal.write("")
    terminal.write(terminal.paint(f"what the app logged meanwhile: {plural(len(records), 'line')}", "bold"))
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
