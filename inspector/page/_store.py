"""The database of an index: one table in a temporary file, readable by its owner alone, gone with its process.

Figures of millions of requests take seconds, and new requests do not wait for them: each kind of question has a
connection of its own.
"""

import os
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import duckdb

from overcoat.inspector._mapping import Mapping
from overcoat.inspector._scratch import Scratch
from overcoat.inspector.page._inserter import CREATE, Inserter
from overcoat.inspector.page._view import MAX_ROWS

MEMORY_LIMIT: Final = "384MB"
THREADS: Final = 2
"""The page is a guest in the service that it shows."""


class Store:
    """The table, and who may ask it.

    Args:
        closed: set where the store is closed, be it at the end of the process.
        mapping: of fields that have other names.

    Raises:
        OSError: there is no room for temporary files.
    """

    def __init__(self, closed: threading.Event, mapping: Mapping | None) -> None:
        self.pid = os.getpid()
        self._scratch = Scratch()
        folder = self._scratch.folder
        connection = duckdb.connect(
            str(folder / "index"),
            config={
                "memory_limit": MEMORY_LIMIT,
                "threads": THREADS,
                "temp_directory": str(folder),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                # The columns of the few requests that are shown are read after they were found: five times as fast.
                "late_materialization_max_rows": MAX_ROWS,
            },
        )
        connection.execute(CREATE)
        self.live = Inserter(connection.cursor(), folder / "live", mapping)
        self.back = Inserter(connection.cursor(), folder / "back", mapping)
        self.slow = threading.Lock()
        self._quick = threading.Lock()
        self._cursors = {True: connection.cursor(), False: connection.cursor()}
        connections = [*self._cursors.values(), self.live.cursor, self.back.cursor, connection]
        # Also at the end of the process, where nobody closes it.
        self._end = weakref.finalize(self, _end, closed, connections, self._scratch, self.pid)

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self._scratch.folder

    def rows(self, query: str, *, slow: bool = False) -> list[tuple[Any, ...]]:
        """The rows of a query of ours.

        Args:
            query: a statement.
            slow: whether it looks at all requests; those run one after the other, and the others past them.

        Raises:
            MemoryError: it needs more than `MEMORY_LIMIT`.
        """
        with self.slow if slow else self._quick:
            try:
                return self._cursors[slow].execute(query).fetchall()
            except duckdb.OutOfMemoryException as error:
                raise MemoryError from error

    def close(self) -> None:
        """Give up the table and its files."""
        with self._quick, self.slow:
            self._end()


def _end(closed: threading.Event, connections: list[duckdb.DuckDBPyConnection], scratch: Scratch, pid: int) -> None:
    """Close what is open and remove the files; in a forked process both are the parent's."""
    if pid != os.getpid():
        return
    closed.set()
    for connection in connections:
        with suppress(duckdb.Error):
            connection.interrupt()
            connection.close()
    scratch.remove()
