"""What the page keeps of each request, and how lines of a log become rows of that table.

A text is cut to a length, and what no clock and no stopwatch says is left out: it would stretch every chart.
"""

# ruff: noqa: S608 (this file writes SQL: names only, and none from outside)

import shutil
from pathlib import Path
from typing import Final

import duckdb

from overcoat.inspector._files import LogFile, LogFiles
from overcoat.inspector._filters import Filters
from overcoat.inspector._mapping import Mapping
from overcoat.inspector._stats_query import ROUTE
from overcoat.inspector._tables import Tables

TABLE: Final = "requests_seen"

AT_MS: Final = "(epoch_us(j.timestamp) // 1000)"
"""When a request was, in whole milliseconds since 1970, as SQL; cut as everywhere else, where `epoch_ms` rounds."""

_TEXT_LENGTHS: Final = {
    "method": 32, "path": 1024, "query": 1024, "client": 64, "request_id": 256, "trace_id": 64, "outcome": 32,
    "error_type": 256, "error_at": 256, "error_message": 256, "host": 256, "user_agent": 512,
}  # fmt: skip
COLUMNS: Final = ("timestamp", "status", "duration_ms", "response_bytes", "route", *_TEXT_LENGTHS)
"""Of a request without a route, `route` is its path, folded as for `--stats`."""

_TYPES = {"timestamp": "TIMESTAMPTZ", "status": "INTEGER", "duration_ms": "DOUBLE", "response_bytes": "BIGINT"}
_TAKEN: Final = {
    "timestamp": "CASE WHEN timestamp BETWEEN '1970-01-01 00:00:00Z'::TIMESTAMPTZ"
    " AND '2262-01-01 00:00:00Z'::TIMESTAMPTZ THEN timestamp END",
    "duration_ms": "CASE WHEN isfinite(duration_ms) AND duration_ms >= 0 THEN duration_ms END",
    "route": f"left({ROUTE}, 1024)",
    **{name: f"left({name}, {length})" for name, length in _TEXT_LENGTHS.items()},
}
_COLUMN_TYPES = ", ".join(f"{name} {_TYPES.get(name, 'VARCHAR')}" for name in COLUMNS)
CREATE: Final = f"CREATE TABLE {TABLE} ({_COLUMN_TYPES})"
_INSERT: Final = f"INSERT INTO {TABLE} SELECT {', '.join(_TAKEN.get(name, name) for name in COLUMNS)} FROM requests"


class Inserter:
    """Reads pieces of logs into the table, on a connection of its own.

    Args:
        cursor: of the index's database.
        folder: for the lines that are on their way; it is made and removed with each piece.
        mapping: of fields that have other names.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, folder: Path, mapping: Mapping | None) -> None:
        self.cursor = cursor
        self.cursor.execute("SET TimeZone = 'UTC'")
        self._folder = folder
        self._mapping = mapping

    def insert(self, piece: bytes | LogFile) -> int:
        """Add the requests of a piece; how many.

        Raises:
            duckdb.Error: they cannot be read, or there is no room.
            OSError: there is no room.
        """
        self._folder.mkdir(mode=0o700)
        try:
            if isinstance(piece, bytes):
                path = self._folder / "piece.log"
                path.write_bytes(piece)
                name = str(path)
            else:
                name = piece.name
            tables = Tables(self.cursor, LogFiles([name], self._mapping), Filters(), self._folder)
            while True:
                try:
                    found = tables.run(_INSERT, {*COLUMNS}, whole=False).fetchall()
                except duckdb.Error as error:
                    if not tables.copy_unreadable(str(error)):
                        raise
                else:
                    return int(found[0][0])
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
