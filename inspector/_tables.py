"""The table `requests` behind a query, with just the columns that the query names.

The files are read where they lie; those that DuckDB cannot read are copied first. A name that is no field of the record
is one of the app's own fields and is text; a line without it has a null there. One that is in no line is an error where
it resembles a field.
"""

# ruff: noqa: S608 (this file writes SQL: a user's own condition is theirs)

from itertools import count
from pathlib import Path

import duckdb

from overcoat.inspector._copies import copy_clean, needs_copy, tail_lines
from overcoat.inspector._files import LogFile, LogFiles, reason
from overcoat.inspector._filters import Filters, QueryError, RoomError
from overcoat.inspector._known_names import is_in_any, resembling
from overcoat.inspector._reader import Reader
from overcoat.inspector._record import FIELDS, moment
from overcoat.inspector._syntax import ALL, names_in
from overcoat.inspector._views import Source, view_statements


class Tables:
    """Binds queries to the logs.

    Args:
        connection: of the database.
        files: the logs.
        filters: which requests the table holds.
        folder: where copies go.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, files: LogFiles, filters: Filters, folder: Path) -> None:
        self.unknown: list[str] = []
        self._connection = connection
        self._files = files
        self._filters = filters
        self._folder = folder
        self._numbers = count()
        self._sources: dict[LogFile, Source] = {}

    def run(self, statement: str, names: set[str], *, whole: bool) -> duckdb.DuckDBPyConnection:
        """Run a statement.

        Args:
            statement: with one SELECT in it.
            names: those of that SELECT.
            whole: whether it needs the lines as written.

        Raises:
            QueryError: it names what is not there.
            duckdb.Error: it failed otherwise, or a file cannot be read.
        """
        if self._filters.where is not None:
            names = names | names_in(f"SELECT 1 FROM requests WHERE (\n{self._filters.where}\n)", self._connection)
        self._find_sources()
        lowered = {name.lower() for name in names}
        fields = FIELDS if ALL in names else [name for name in FIELDS if name in lowered]
        extras: list[str] = []
        while True:
            try:
                for view in view_statements([*self._sources.values()], self._filters, fields, extras, whole=whole):
                    self._connection.execute(view)
                return self._connection.execute(statement)
            except duckdb.BinderException as error:
                message = first_line(error)
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
                for name in missed:
                    self._look_for(name)

    def _look_for(self, name: str) -> None:
        """Make sure that a name is in some line, or that nothing else was probably meant."""
        files = self._native_files()
        if is_in_any(name, files):
            return
        meant = resembling(name, files)
        if meant is not None:
            raise QueryError(f"no line has a field {name!r}; did you mean {meant!r}?")
        if name not in self.unknown:
            self.unknown.append(name)

    def _native_files(self) -> list[LogFile]:
        """The files that DuckDB reads, for reading them here."""
        return [
            LogFile(source.path, Path(source.path).stat().st_size, source.packing) for source in self._sources.values()
        ]

    def span(self) -> tuple[float, float]:
        """About from when to when the lines are, in seconds since 1970: from the ends of the files and the filters."""
        self._find_sources()
        starts, stops = [], []
        for file in self._native_files():
            reader = Reader()
            head = [moment(found[1]) for line in file.head() if (found := reader.read(line))]
            tail = [moment(found[1]) for line in tail_lines(file) if (found := reader.read(line))]
            starts += [when.timestamp() for when in head if when]
            stops += [when.timestamp() for when in tail if when]
            if file.packing:  # its end cannot be read alone, but its writer left then
                stops.append(Path(file.name).stat().st_mtime)
        start, stop = min(starts, default=0.0), max([*starts, *stops], default=0.0)
        if self._filters.since:
            start = max(start, self._filters.since.timestamp())
        if self._filters.until:
            stop = min(stop, self._filters.until.timestamp())
        return start, max(start, stop)

    def _find_sources(self) -> None:
        for file in self._files.readable:
            if file not in self._sources:
                copied = needs_copy(file, self._files)
                self._sources[file] = self._copy(file) if copied else Source(file.name, file.packing)

    def copy_unreadable(self, message: str) -> bool:
        """Copy the files where an error is about one of them and not about the query; whether it was.

        Args:
            message: of the error.

        Raises:
            RoomError: there is no room for a copy.
        """
        natives = [file for file, source in self._sources.items() if source.path == file.name]
        if "maximum_object_size" not in message and not any(file.name in message for file in natives):
            return False
        for file in natives:
            self._sources[file] = self._copy(file)
        return bool(natives)

    def _copy(self, file: LogFile) -> Source:
        target = self._folder / f"{next(self._numbers)}.log"
        try:
            copy_clean(file, self._files, target)
        except OSError as error:
            raise RoomError(f"no copy of {file.name} in {self._folder.parent}: {reason(error)}") from error
        return Source(str(target), "")


def first_line(error: duckdb.Error) -> str:
    """What an error says, without the query around it."""
    return str(error).partition("\n")[0]
