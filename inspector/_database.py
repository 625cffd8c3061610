"""DuckDB over the lines of some logs: the table `requests`, its columns, its limits.

One SELECT at a time is run, ours or the user's, and its rows come as they are found, so that no answer is held whole.

>>> with Database(LogFiles([]), Filters()) as database:
...     list(database.rows("SELECT count(*) FROM requests"))
[(0,)]
"""

# ruff: noqa: S608 (this file writes SQL: names and values are quoted, and a user's own query is theirs)

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import duckdb

from overcoat.inspector._files import LogFiles, reason
from overcoat.inspector._filters import Filters, QueryError, RoomError, identifier, quote
from overcoat.inspector._interrupt import prompt_interrupts
from overcoat.inspector._scratch import Scratch
from overcoat.inspector._syntax import names_in
from overcoat.inspector._tables import Tables, first_line
from overcoat.inspector._views import KIND, LINE, LINES

MEMORY_LIMIT: Final = "1GB"
MAX_THREADS: Final = 8
"""Enough for any log, and kind to the service that runs beside it."""

_ROWS = 1000  # fetched at a time


class Database:
    """The requests of some logs as a table.

    Args:
        files: the logs.
        filters: which requests the table holds.
        utc: whether times are in UTC rather than in the local zone.
    """

    def __init__(self, files: LogFiles, filters: Filters, *, utc: bool = False) -> None:
        self._files, self._filters, self._utc = files, filters, utc

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self._folder = opened.enter_context(_temporary_folder())
            config: dict[str, str | bool | int | float | list[str]] = {
                "memory_limit": MEMORY_LIMIT,
                "temp_directory": str(self._folder),
                # What reads a log does not reach for the network.
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
            self._connection = opened.enter_context(duckdb.connect(config=config))
            opened.enter_context(prompt_interrupts(self._folder))
            # Counted, and not printed: query_progress knows nothing otherwise.
            self._connection.execute("SET enable_progress_bar = true")
            self._connection.execute("SET enable_progress_bar_print = false")
            threads = self._connection.execute("SELECT current_setting('threads')").fetchall()[0][0]
            self._connection.execute(f"SET threads = {min(threads, MAX_THREADS)}")
            if self._utc:
                self._connection.execute("SET TimeZone = 'UTC'")
            self._tables = Tables(self._connection, self._files, self._filters, self._folder)
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._opened.__exit__(kind, error, traceback)

    @property
    def unknown(self) -> list[str]:
        """Names in queries that are in no line."""
        return self._tables.unknown

    def rows(self, query: str, form: str = "{}", *, whole: bool = False) -> Iterator[tuple[Any, ...]]:
        """The rows of one SELECT over `requests`, as they come.

        Args:
            query: as a user typed it, or ours.
            form: the statement to run, with `{}` where the query goes.
            whole: whether the column `LINE` is wanted.

        Raises:
            QueryError: the text is not one SELECT, or names what is not there.
        """
        names = names_in(query, self._connection)
        sent = 0
        while True:
            try:
                cursor = self._tables.run(form.replace("{}", query, 1), names, whole=whole)
                skip = sent  # after a failed read the same rows come again
                while rows := cursor.fetchmany(_ROWS):
                    for row in islice(rows, skip, None):
                        sent += 1
                        yield row
                    skip = max(0, skip - len(rows))
            except duckdb.InterruptException:
                raise
            except duckdb.Error as error:
                if not self._tables.copy_unreadable(str(error)):
                    raise QueryError(first_line(error)) from error
            else:
                return

    def columns(self, query: str) -> list[tuple[str, str]]:
        """The names and types of a query's columns.

        Raises:
            QueryError: as for `rows`.
        """
        return [(row[0], row[1]) for row in self.rows(query, "DESCRIBE SELECT * FROM (\n{}\n)")]

    def texts(self, query: str) -> Iterator[tuple[str | None, ...]]:
        """The rows of a query, each value as text.

        Raises:
            QueryError: as for `rows`.
        """
        return self.rows(query, "SELECT COLUMNS(*)::VARCHAR FROM (\n{}\n)")

    def objects(self, query: str) -> Iterator[str]:
        """The rows of a query as JSON objects.

        Raises:
            QueryError: as for `rows`.
        """
        for (text,) in self.rows(query, "SELECT to_json(found)::VARCHAR FROM (\n{}\n) AS found"):
            yield text

    def export(self, query: str, form: str) -> tuple[Path, int]:
        """A temporary file with a query's rows, there while the database is, and their number.

        Args:
            query: a SELECT over `requests`.
            form: `csv` or `parquet`.

        Raises:
            QueryError: as for `rows`.
        """
        target = self._folder / f"rows.{form}"
        options = "FORMAT csv, HEADER" if form == "csv" else "FORMAT parquet"
        copied = self.rows(query, f"COPY (\n{{}}\n) TO {quote(str(target))} ({options})")
        return target, sum(row[0] for row in copied)

    def export_rows(self, rows: Iterable[bytes], types: Mapping[str, str], form: str) -> Path:
        """A temporary file with rows of ours, there while the database is.

        Args:
            rows: JSON objects.
            types: of their columns.
            form: `csv` or `parquet`.
        """
        source, target = self._folder / "rows.json", self._folder / f"figures.{form}"
        source.write_bytes(b"\n".join(rows))
        columns = ", ".join(f"{identifier(name)}: {quote(kind)}" for name, kind in types.items())
        options = "FORMAT csv, HEADER" if form == "csv" else "FORMAT parquet"
        rows_back = f"read_json({quote(str(source))}, format = 'newline_delimited', columns = {{{columns}}})"
        self._connection.execute(f"COPY (FROM {rows_back}) TO {quote(str(target))} ({options})")
        return target

    def share_done(self) -> float | None:
        """How much of the running query is done, from 0 to 1; None where that is not known. From any thread."""
        try:
            percent = self._connection.query_progress()
        except duckdb.Error:
            return None
        return percent / 100 if percent > 0 else None

    def span(self) -> tuple[float, float]:
        """About from when to when the lines are, in seconds since 1970, told from the ends of the files."""
        return self._tables.span()

    def lines(self, *, last: int | None = None, slowest: bool = False) -> Iterator[bytes]:
        """The JSON of the requests' lines, as written.

        Args:
            last: only so many, from the latest back; by default all, in the order of the files.
            slowest: from the slowest on instead.

        Raises:
            QueryError: the condition of the filters is wrong.
        """
        column = "duration_ms" if slowest else "timestamp"
        order = f" ORDER BY {column} DESC NULLS LAST" if slowest or last is not None else ""
        if last is not None:
            order += f" LIMIT {last}"
        for (line,) in self.rows(f"SELECT {LINE} FROM requests{order}", whole=True):
            yield line.encode()

    def count_broken(self) -> None:
        """Count the lines that are not JSON, where no other query of the whole did."""
        for (broken,) in self.rows(f"SELECT count(*) FROM {LINES} WHERE {KIND} = 'broken'"):
            self._files.broken += broken


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    try:
        scratch = Scratch()
    except OSError as error:
        raise RoomError(f"no temporary directory: {reason(error)}; TMPDIR can name one") from error
    try:
        yield scratch.folder
    finally:
        scratch.remove()
