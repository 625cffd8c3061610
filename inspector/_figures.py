"""What the database answers: `--stats`, `--sql`, and exports."""

# ruff: noqa: S608 (this file writes SQL: names and values are quoted, and a user's own query is theirs)

import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from itertools import islice

from overcoat.inspector._grid import print_grid
from overcoat.inspector._question import Question
from overcoat.inspector._stats import Group, Stats, read_stats, stats_query
from overcoat.inspector._text import duration, escape, note, plural, size

_NUMBERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
    | {"FLOAT", "DOUBLE", "DECIMAL"}
)
"""Types whose values stand to the right."""


def show_stats(question: Question) -> bool:
    """The figures by route or by any fields; whether there was a request."""
    by = question.arguments.by
    if question.arguments.json or question.arguments.export:
        return _show_rows(question, stats_query(by))
    with question.database() as database:
        stats = read_stats(database, question.files, by, question.limit)
    if not stats.total.requests:
        question.report_nothing()
        return False
    rows = [_cells(group, group.keys) for group in stats.groups]
    rows.append(_cells(stats.total, ["all", *[""] * (len(by or "1") - 1)]))
    headings = [*([name.upper() for name in by] or ["ROUTE"]), "REQUESTS", "ERRORS", "P50", "P95", "P99", "BYTES"]
    right = [False] * len(by or "1") + [True] * 6
    print_grid(question.terminal, headings, rows, right=right, emphasis=1)
    question.terminal.write(question.terminal.paint(_span(question, stats), "dim"))
    if len(stats.groups) < stats.group_count:
        note(f"{plural(stats.group_count - len(stats.groups), 'more group')}; -n all shows them")
    return True


def show_sql(question: Question) -> bool:
    """The rows of a query; whether there were any."""
    query = question.arguments.sql.rstrip("; \t\n")
    if question.arguments.json or question.arguments.export:
        return _show_rows(question, query)
    with question.database() as database:
        columns = database.columns(query)
        found = database.texts(query)
        rows = [["-" if value is None else value for value in row] for row in islice(found, question.limit)]
        if not rows:
            question.report_nothing()
        else:
            right = [kind.partition("(")[0] in _NUMBERS for _, kind in columns]
            print_grid(question.terminal, [name for name, _ in columns], rows, right=right)
        if next(found, None) is not None:
            note("there are more rows; -n all shows them")
        sys.stdout.flush()
        database.count_broken()
    return bool(rows)


def show_export(question: Question) -> bool:
    """The requests with all fields of the record, as CSV or Parquet; whether there were any."""
    # CSV has no maps: its timings are JSON.
    columns = "* REPLACE (to_json(timings)::VARCHAR AS timings)" if question.arguments.export == "csv" else "*"
    query = f"SELECT {columns} FROM requests"
    if question.limit is not None:
        query = f"SELECT * FROM ({query} ORDER BY timestamp DESC LIMIT {question.limit}) ORDER BY timestamp"
    return _show_rows(question, query)


def _show_rows(question: Question, query: str) -> bool:
    """The rows of a query for another program; whether there were any."""
    if question.limit is not None:
        query = f"SELECT * FROM (\n{query}\n) LIMIT {question.limit}"
    count = 0
    with question.database() as database:
        if question.arguments.export:
            target, count = database.export(query, question.arguments.export)
            with target.open("rb") as exported:
                if sys.stdout.isatty():
                    for line in exported:
                        question.terminal.write(escape(line.decode().rstrip("\r\n"), limit=None))
                else:
                    shutil.copyfileobj(exported, sys.stdout.buffer)
        else:
            for row in database.objects(query):
                question.write_json(row.encode())
                count += 1
        sys.stdout.flush()
        database.count_broken()
    if not count:
        question.report_nothing()
    return count > 0


def _cells(group: Group, keys: Sequence[str | None]) -> list[str]:
    return [
        *("-" if key is None else key for key in keys),
        f"{group.requests:,}",
        f"{group.errors / group.requests:.1%}" if group.errors else "-",
        *map(duration, group.percentiles_ms),
        size(group.response_bytes),
    ]


def _span(question: Question, stats: Stats) -> str:
    """From when to when, and how many a second."""
    if stats.first is None or stats.last is None:
        return plural(stats.total.requests, "request")
    first, last = (_clock(at, question.zone) for at in (stats.first, stats.last))
    seconds = stats.last - stats.first
    rate = f", {stats.total.requests / seconds:,.3g} a second" if seconds >= 1 else ""
    zone = " UTC" if question.zone else ""
    return f"{plural(stats.total.requests, 'request')} from {first} to {last}{zone}{rate}"


def _clock(epoch_s: float, zone: tzinfo | None) -> str:
    """A time of the log, which may be one that no clock shows."""
    try:
        return f"{datetime.fromtimestamp(epoch_s, UTC).astimezone(zone):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "a time out of range"
