"""DuckDB over the lines of some logs: the table `requests`, its columns, its limits.

The files are read where they lie; those that DuckDB cannot read are copied first (`_copies`). A name that is no field
of the record is looked for among the app's own fields and is text; a line without it has a null there.

>>> with Database(LogFiles([]), Filters()) as database:
...     list(database.rows("SELECT count(*) FROM requests"))
[(0,)]
"""

# ruff: noqa: S608 (this file writes SQL: names and values are quoted, and a user's own query is theirs)

import shutil
import tempfile
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import count, islice
from pathlib import Path
from typing import Any, Final, Self

import duckdb
import orjson

from overcoat.inspector._copies import copy_clean, needs_copy
from overcoat.inspector._files import LogFile, LogFiles, reason
from overcoat.inspector._filters import Filters, QueryError, RoomError, quote
from overcoat.inspector._interrupt import prompt_interrupts
from overcoat.inspector._record import FIELDS
from overcoat.inspector._views import KIND, LINE, LINES, Source, view_statements

MEMORY_LIMIT: Final = "1GB"
MAX_THREADS: Final = 8
"""Enough for any log, and kind to the service that runs beside it."""

_ROWS = 1000  # fetched at a time
_ALL = "*"  # among the names of a query: it needs every field


class Database:
    """The requests of some logs as a table.

    Args:
        files: the logs.
        filters: which requests the table holds.
        utc: whether times are in UTC rather than in the local zone.
    """

    def __init__(self, files: LogFiles, filters: Filters, *, utc: bool = False) -> None:
        self.guesses: dict[str, str] = {}
        self._files = files
        self._filters = filters
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="overcoat-"))
        except OSError as error:
            raise RoomError(f"no temporary directory: {reason(error)}; TMPDIR can name one") from error
        self._numbers = count()
        self._sources: dict[LogFile, Source] = {}
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
        self._interrupts = prompt_interrupts(self._folder)

    def __enter__(self) -> Self:
        self._interrupts.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._interrupts.__exit__(None, None, None)
        self._connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def rows(self, query: str, form: str = "{}", *, whole: bool = False) -> Iterator[tuple[Any, ...]]:
        """The rows of one SELECT over `requests`, as they come.

        Args:
            query: as a user typed it, or ours.
            form: the statement to run, with `{}` where the query goes.
            whole: whether the column `LINE` is wanted.

        Raises:
            QueryError: the text is not one SELECT, or names what is not there.
        """
        names = self._names(query)
        sent = 0
        while True:
            try:
                cursor = self._bound(form.replace("{}", query), names, whole=whole)
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
                if not self._unreadable(str(error)):
                    raise QueryError(_first_line(error)) from error
                for file, source in self._sources.items():
                    if source.path == file.name:
                        self._sources[file] = self._copy(file)
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

    def _names(self, query: str) -> set[str]:
        """Every text in the syntax tree of a SELECT; the names of its columns are among them."""
        found = self._connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchall()
        tree = orjson.loads(found[0][0])
        if tree["error"]:
            if tree["error_type"] == "not implemented":
                raise QueryError("one SELECT is expected, and nothing else")
            raise QueryError(f"the SQL is wrong: {tree['error_message']}")
        if len(tree["statements"]) != 1:
            raise QueryError("one SELECT is expected, and nothing else")
        return set(_texts(tree))

    def _bound(self, statement: str, names: set[str], *, whole: bool) -> duckdb.DuckDBPyConnection:
        """Run a statement, with those columns in the views that are named."""
        if self._filters.where is not None:
            names = names | self._names(f"SELECT 1 FROM requests WHERE (\n{self._filters.where}\n)")
        for file in self._files.readable:
            if file not in self._sources:
                self._sources[file] = self._copy(file) if needs_copy(file) else Source(file.name, file.gzipped)
        lowered = {name.lower() for name in names}
        fields = FIELDS if _ALL in names else [name for name in FIELDS if name in lowered]
        extras: list[str] = []
        while True:
            try:
                sources = list(self._sources.values())
                for view in view_statements(sources, self._filters, fields, extras, whole=whole):
                    self._connection.execute(view)
                return self._connection.execute(statement)
            except duckdb.BinderException as error:
                message = _first_line(error)
                # A column of the app is taken up only when it is missed: an alias of the same name must stay an alias.
                missed = [
                    name
                    for name in names
                    if f'"{name}"' in message and name not in extras and name.lower() not in FIELDS
                ]
                if not missed:
                    hint = "; the app's own fields are text: compare with text, or cast: field::INT" if extras else ""
                    raise QueryError(message + hint) from error
                extras += missed
                self.guesses |= {name: near[0] for name in missed if (near := get_close_matches(name, FIELDS, 1, 0.75))}

    def _copy(self, file: LogFile) -> Source:
        target = self._folder / f"{next(self._numbers)}.log"
        try:
            copy_clean(file, self._files, target)
        except OSError as error:
            raise RoomError(f"no copy of {file.name} in {self._folder.parent}: {reason(error)}") from error
        return Source(str(target), gzipped=False)

    def _unreadable(self, message: str) -> bool:
        """Whether an error is about a file that was not copied, rather than about the query."""
        natives = [file.name for file, source in self._sources.items() if source.path == file.name]
        return bool(natives) and ("maximum_object_size" in message or any(name in message for name in natives))


def _texts(node: Any, *, counted: bool = False) -> Iterator[str]:
    """The texts of a syntax tree, and `_ALL` where all columns are meant."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for item in node:
            yield from _texts(item, counted=counted)
    elif isinstance(node, dict):
        kind = node.get("class")
        if (kind == "STAR" and (node.get("columns") or not counted)) or (
            kind == "COLUMN_REF" and node["column_names"] == ["requests"]
        ):
            yield _ALL
        for item in node.values():
            yield from _texts(item, counted=node.get("function_name") == "count")  # count(*) reads no column


def _first_line(error: duckdb.Error) -> str:
    return str(error).partition("\n")[0]
