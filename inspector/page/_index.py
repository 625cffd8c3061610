"""The index: what the page shows of each request, as a table of DuckDB's that grows with the log.

The log is read once, in pieces, from its end back, by a thread of the index; what is added meanwhile is read when
somebody asks. A query then takes milliseconds where the log itself would take seconds. The table is about a tenth of
the log; memory is bounded by `MEMORY_LIMIT` of the store.
"""

# ruff: noqa: S608 (this file writes SQL: names only, and none from outside)

import logging
import os
import secrets
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from overcoat.inspector._files import LogFile
from overcoat.inspector._mapping import Mapping
from overcoat.inspector.page._feed import Feed
from overcoat.inspector.page._inserter import TABLE, Inserter
from overcoat.inspector.page._store import Store

IDLE_S: Final = 600.0
"""An index that nobody asked for so long is given up."""

LOOK_S: Final = 30.0
"""So often it is looked whether that is so."""

_BACKGROUND_NICENESS = 10

_log = logging.getLogger("overcoat")


@dataclass(frozen=True)
class State:
    """How far an index is.

    Args:
        version: another one for every change.
        requests: in the table.
        share_read: of what was in the logs at first, from 0 to 1.
        full: whether older requests were left out.
    """

    version: str
    requests: int
    share_read: float
    full: bool


class Index:
    """The requests of some logs as a table.

    Args:
        names: of the files.
        max_requests: how many to keep, the latest ones.
        mapping: of fields that have other names.

    Raises:
        OSError: there is no room for temporary files.
    """

    def __init__(self, names: Sequence[str], max_requests: int, mapping: Mapping | None) -> None:
        self._max_requests = max_requests
        self._closed = threading.Event()
        self._store = Store(self._closed, mapping)
        self._token, self._changes, self._requests, self._full = secrets.token_hex(4), 0, 0, False
        self._counting, self._adding = threading.Lock(), threading.Lock()
        self._read_all = False
        self._touched_s = time.monotonic()
        self._feed = Feed(names)
        for piece in self._feed.earlier:  # the end of the log, before anybody asks
            self._add(self._store.back, piece)
            break
        self._reader = threading.Thread(target=self._read_earlier, name="overcoat-log-page", daemon=True)
        self._reader.start()

    @property
    def state(self) -> State:
        """How far it is."""
        # In this order: who is told that all was read is told the version that has it.
        share_read = self._feed.share_read if self._read_all else min(self._feed.share_read, 0.99)
        return State(f"{self._token}.{self._changes}", self._requests, share_read, self._full)

    @property
    def usable(self) -> bool:
        """Whether it can be asked, in this process."""
        return self._store.pid == os.getpid() and not self._closed.is_set()

    def refresh(self) -> State:
        """Take in what was added to the logs; how far it is then."""
        self._touched_s = time.monotonic()
        with self._adding:
            if lines := self._feed.new():
                self._add(self._store.live, b"\n".join(lines) + b"\n")
                self._drop_oldest()
        return self.state

    def rows(self, query: str, *, slow: bool = False) -> list[tuple[Any, ...]]:
        """The rows of a query of ours over `TABLE`.

        Args:
            query: a statement.
            slow: whether it looks at all requests.

        Raises:
            MemoryError: it needs more than it may have.
        """
        self._touched_s = time.monotonic()
        return self._store.rows(query, slow=slow)

    def close(self) -> None:
        """Give up the table and its files."""
        self._closed.set()
        if threading.current_thread() is not self._reader:
            self._reader.join()
        with self._adding:
            self._feed.close()
            self._store.close()

    def _add(self, inserter: Inserter, piece: bytes | LogFile) -> None:
        try:
            try:
                added = inserter.insert(piece)
            except duckdb.OutOfMemoryException:
                with self._store.slow:  # the figures of millions had it
                    added = inserter.insert(piece)
        except (duckdb.Error, OSError):
            _log.warning("the log page cannot read a part of the log", exc_info=True)
            added = 0
        with self._counting:
            self._requests += added
            self._changes += bool(added)

    def _drop_oldest(self) -> None:
        if self._requests <= self._max_requests * 1.1:
            return
        found = self.rows(
            f"SELECT epoch_us(timestamp) FROM {TABLE} ORDER BY timestamp DESC NULLS LAST"
            f" OFFSET {self._max_requests} LIMIT 1"
        )
        if found:
            oldest_us = found[0][0]
            where = "timestamp IS NULL" if oldest_us is None else f"epoch_us(timestamp) <= {oldest_us}"
            self.rows(f"DELETE FROM {TABLE} WHERE {where}")
        (self._requests,) = self.rows(f"SELECT count(*) FROM {TABLE}")[0]
        self._full = True

    def _read_earlier(self) -> None:
        _give_way()
        for piece in self._feed.earlier:
            if self._closed.is_set():
                break
            if self._requests >= self._max_requests:
                self._full = True
                break
            self._add(self._store.back, piece)
        with self._counting:
            self._changes += 1
            self._read_all = True
        self._feed.earlier.close()
        while not self._closed.wait(LOOK_S):
            if time.monotonic() - self._touched_s > IDLE_S:
                self.close()


def _give_way() -> None:
    """Let this thread work where nobody else wants to: new requests, and the service, come first."""
    if sys.platform == "linux":  # elsewhere a priority is that of a whole process
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BACKGROUND_NICENESS)
