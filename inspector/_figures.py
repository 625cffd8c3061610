"""What the database answers: `--stats`, `--sql`, and exports."""

# ruff: noqa: S608 (this file writes SQL: names and values are quoted, and a user's own query is theirs)

import shutil
import sys
from itertools import islice
from pathlib import Path

import orjson

from overcoat.inspector._grid import print_grid
from overcoat.inspector._question import Question
from overcoat.inspector._stats import read_stats
from overcoat.inspector._stats_query import ERROR_KEYS
from overcoat.inspector._stats_table import STATS_TYPES, print_stats, rows_of
from overcoat.inspector._text import escape, note, plural

_NUMBERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
    | {"FLOAT", "DOUBLE", "DECIMAL"}
)
"""Types whose values stand to the right."""


def show_stats(question: Question) -> bool:
    """The figures by route or by any fields, of errors by what and where; whether there was a request."""
    arguments = question.arguments
    samples = arguments.errors and not arguments.by
    by = ERROR_KEYS if samples else arguments.by
    sort = arguments.sort or "requests"
    with question.database() as database:
        with question.reading():
            stats = read_stats(database, question.files, by, question.group_limit, samples=samples, sort=sort)
        if stats.total.requests and arguments.export:
            types = {name: STATS_TYPES.get(name, "VARCHAR") for name in rows_of(stats, by, samples=samples)[0]}
            rows = map(orjson.dumps, rows_of(stats, by, samples=samples))
            _write_file(question, database.export_rows(rows, types, arguments.export))
    if not stats.total.requests:
        question.report_nothing()
        return False
    if arguments.json:
        for row in rows_of(stats, by, samples=samples):
            question.write_json(orjson.dumps(row))
    elif not arguments.export:
        print_stats(question.terminal, stats, by, question.zone, samples=samples, sort=sort)
    if len(stats.groups) < stats.group_count:
        note(f"{plural(stats.group_count - len(stats.groups), 'more group')}; -n all shows them")
    return True


def show_sql(question: Question) -> bool:
    """The rows of a query; whether there were any."""
    query = question.arguments.sql.rstrip("; \t\n")
    if question.arguments.json or question.arguments.export:
        return _show_rows(question, query)
    with question.database() as database:
        with question.reading():
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
            with question.reading():
                target, count = database.export(query, question.arguments.export)
            _write_file(question, target)
        else:
            with question.reading(printing=True):
                for row in database.objects(query):
                    question.write_json(row.encode())
                    count += 1
        sys.stdout.flush()
        database.count_broken()
    if not count:
        question.report_nothing()
    return count > 0


def _write_file(question: Question, exported: Path) -> None:
    """A file to standard output; without control characters where that is a terminal."""
    with exported.open("rb") as stream:
        if sys.stdout.isatty():
            for line in stream:
                question.terminal.write(escape(line.decode().rstrip("\r\n"), limit=None))
        else:
            shutil.copyfileobj(stream, sys.stdout.buffer)
