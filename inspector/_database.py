"""DuckDB over the lines of some logs: the table `requests`, its columns, its limits.

One SELECT at a time is run, ours or the user's, and its rows come as they are found, so that no answer is held whole.

>>> with Database(LogFiles([]), Filters()) as database:
...     list(database.rows("SELECT count(*) FROM requests"))
[(0,)]
"""

# ruff: noqa: S608 (this file writes SQL: names and values are quoted, and a user's own query is theirs)

import shutil
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self

import duckdb

from overcoat.inspector._files import LogFiles, reason
from overcoat.inspector._filters import Filters, QueryError, RoomError, quote
from overcoat.inspector._interrupt import prompt_interrupts
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
        self._files = files
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="overcoat-"))
        except OSError as error:
            raise RoomError(f"no temporary directory: {reason(error)}; TMPDIR can name one") from error
        self._connection = duckdb.connect(
            config={
                "memory_limit": MEMORY_LIMIT,
                "temp_directory": str(self._folder),
                # What reads a log does not reach for the network.
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        self._connection.execute("SET enable_progress_bar = false")
        threads = self._connection.execute("SELECT current_setting('threads')").fetchall()[0][0]
        self._connection.execute(f"SET threads = {min(threads, MAX_THREADS)}")
        if utc:
            self._connection.execute("SET TimeZone = 'UTC'")
        self._tables = Tables(self._connection, files, filters, self._folder)
        self._interrupts = prompt_interrupts(self._folder)

    def __enter__(self) -> Self:
        self._interrupts.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._interrupts.__exit__(None, None, None)
        self._connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def guesses(self) -> dict[str, str]:
        """Names that were looked for among the app's own fields, with the fields of the record that they resemble."""
        return self._tables.guesses

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
            except (duckdb.InterruptException, RuntimeError) as error:
                if "interrupted" in str(error).lower():
                    raise KeyboardInterrupt from error
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

    def lines(self, *, last: int | None = None) -> Iterator[bytes]:
        """The JSON of the requests' lines, as written.

        Args:
            last: only so many, from the latest back; by default all, in the order of the files.

        Raises:
            QueryError: the condition of the filters is wrong.
        """
        order = "" if last is None else f" ORDER BY timestamp DESC NULLS LAST LIMIT {last}"
        for (line,) in self.rows(f"SELECT {LINE} FROM requests{order}", whole=True):
            yield line.encode()

    def count_broken(self) -> None:
        """Count the lines that are not JSON, where no other query of the whole did."""
        for (broken,) in self.rows(f"SELECT count(*) FROM {LINES} WHERE {KIND} = 'broken'"):
            self._files.broken += broken
