"""The table `requests` behind a query, with just the columns that the query names.

The files are read where they lie; those that DuckDB cannot read are copied first. A name that is no field of the record
is looked for among the app's own fields and is text; a line without it has a null there.
"""

# ruff: noqa: S608 (this file writes SQL: a user's own condition is theirs)

from difflib import get_close_matches
from itertools import count
from pathlib import Path

import duckdb

from overcoat.inspector._copies import copy_clean, needs_copy
from overcoat.inspector._files import LogFile, LogFiles, reason
from overcoat.inspector._filters import Filters, QueryError, RoomError
from overcoat.inspector._record import FIELDS
from overcoat.inspector._syntax import ALL, names_in
from overcoat.inspector._views import Source, view_statements

_RESEMBLANCE = 0.75  # of a name to a field, from which on a misspelling is likely


class Tables:
    """Binds queries to the logs.

    Args:
        connection: of the database.
        files: the logs.
        filters: which requests the table holds.
        folder: where copies go.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, files: LogFiles, filters: Filters, folder: Path) -> None:
        self.guesses: dict[str, str] = {}
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
        for file in self._files.readable:
            if file not in self._sources:
                self._sources[file] = self._copy(file) if needs_copy(file) else Source(file.name, file.gzipped)
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
                    for field in get_close_matches(name, FIELDS, 1, _RESEMBLANCE):
                        self.guesses[name] = field

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
        return Source(str(target), gzipped=False)


def first_line(error: duckdb.Error) -> str:
    """What an error says, without the query around it."""
    return str(error).partition("\n")[0]
