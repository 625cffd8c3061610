"""The table of requests: one line each, sized for the terminal, the request itself last so that it may be long.

Aborted, failed and slow requests carry a word, not only a colour. On a terminal the time is short and a line with the
date stands wherever the day changes; in a pipe each line has its whole timestamp and nothing is cut.
"""

from datetime import UTC, datetime, tzinfo

from rich.cells import cell_len

from overcoat.inspector._record import Record, moment, number, text
from overcoat.inspector._terminal import Terminal, cut, fit
from overcoat.inspector._text import clock, duration, escape, size

SLOW_MS = 1000.0
"""A request is marked slow from here on, unless `--slow` names another duration."""

_FULL_WIDTH, _SHORT_WIDTH = 100, 80  # columns: below the first the client goes, below the second the id and the bytes
_LEAST_REQUEST = 10
_STATUS_STYLES = {2: "green", 3: "cyan", 4: "yellow", 5: "bold red"}


class RequestTable:
    """Formats requests as lines of a table.

    Args:
        terminal: where they go.
        zone: the zone of the times; None is the local one.
        slow_ms: from which duration a request is marked slow.
    """

    def __init__(self, terminal: Terminal, zone: tzinfo | None, slow_ms: float | None) -> None:
        self._terminal = terminal
        self._zone = zone
        self._slow_ms = SLOW_MS if slow_ms is None else slow_ms
        self._day = clock(datetime.now(tz=zone), zone) if terminal.is_tty else None
        width = terminal.width
        self._with_client = width is None or width >= _FULL_WIDTH
        self._with_id = width is None or width >= _SHORT_WIDTH
        self._headed = False

    def lines(self, record: Record) -> list[str]:
        """The line of one request, after the header or a date where one is due."""
        when = clock(moment(record), self._zone)
        lines = [] if self._headed else [self._header()]
        self._headed = True
        if self._terminal.is_tty and when and (self._day is None or when.date() != self._day.date()):
            lines.append(self._terminal.paint(f"── {when:%A, %Y-%m-%d} ──", "dim"))
            self._day = when
        return [*lines, self._row(record, when)]

    def _header(self) -> str:
        zone = "TIME (UTC)" if self._zone else "TIME"
        cells = [fit(zone, self._time_width), "STATUS", f"{'DURATION':>9}"]
        if self._with_id:
            cells += [f"{'BYTES':>9}", fit("ID", 8)]
        if self._with_client:
            cells.append(fit("CLIENT", 15))
        return self._terminal.paint(cut("  ".join([*cells, "REQUEST"]), self._terminal.width), "bold")

    @property
    def _time_width(self) -> int:
        return 12 if self._terminal.is_tty else 24 if self._zone is UTC else 29

    def _time(self, record: Record, when: datetime | None) -> str:
        if when is None:
            return escape(text(record, "timestamp") or "-")
        if self._terminal.is_tty:
            return f"{when:%H:%M:%S}.{when.microsecond // 1000:03d}"
        return when.isoformat(timespec="milliseconds").replace("+00:00", "Z" if self._zone is UTC else "+00:00")

    def _row(self, record: Record, when: datetime | None) -> str:
        paint = self._terminal.paint
        status, milliseconds = number(record, "status"), number(record, "duration_ms")
        style = _STATUS_STYLES.get(int(status) // 100, "") if status is not None else ""
        slow = milliseconds is not None and milliseconds >= self._slow_ms
        cells = [
            fit(self._time(record, when), self._time_width),
            paint(fit("-" if status is None else f"{status:.0f}", 6), style),
            paint(f"{duration(milliseconds):>9}", "yellow" if slow else ""),
        ]
        if self._with_id:
            request_id = escape(text(record, "request_id") or "-")[:8]  # as much as `--id` needs, to be copied
            cells += [f"{size(number(record, 'response_bytes')):>9}", paint(fit(request_id, 8), "dim")]
        if self._with_client:
            client = escape(text(record, "client") or "-")
            cells.append(client.ljust(15) if self._terminal.width is None else fit(client, 15))
        marks = "".join(f" [{mark}]" for mark in _marks(record, slow=slow))
        request = request_text(record)
        if self._terminal.width is not None:
            room = max(0, self._terminal.width - sum(self._widths()) - 2 * len(cells))
            request = cut(request, max(room - len(marks), min(room, _LEAST_REQUEST)))
            marks = cut(marks, room - cell_len(request))
        return "  ".join([*cells, request]) + paint(marks, "magenta")

    def _widths(self) -> list[int]:
        """Of the columns before the request."""
        return [self._time_width, 6, 9, *[9, 8] * self._with_id, *[15] * self._with_client]


def request_text(record: Record) -> str:
    """Method, path and query, escaped."""
    query = text(record, "query")
    return escape(f"{text(record, 'method') or '-'} {text(record, 'path') or '-'}{f'?{query}' if query else ''}")


def _marks(record: Record, *, slow: bool) -> list[str]:
    outcome = text(record, "outcome")
    marks = []
    if outcome == "failed":
        marks.append(" ".join(["failed:", escape(text(record, "error_type") or "", limit=40)]).rstrip(": "))
    elif outcome == "aborted":
        marks.append("aborted")
    return [*marks, "slow"] if slow else marks
