"""What a command line asks, with what every answer needs: the logs, the terminal, the zone, the database."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING

from overcoat.inspector._files import LogFiles
from overcoat.inspector._filters import Filters
from overcoat.inspector._progress import progress
from overcoat.inspector._terminal import Terminal
from overcoat.inspector._text import escape_json, note, plural

if TYPE_CHECKING:
    from overcoat.inspector._database import Database

DEFAULT_LIMIT = 100
"""How many requests, groups or rows a view has where `-n` does not say."""

_LEAST_GROUPS = 10  # which are shown on a terminal however low it is
_ROWS_AROUND = 6  # of the screen: the command, headings, the total, what stands below


class Question:
    """One command line over its logs.

    Args:
        arguments: as parsed.
        filters: which requests are meant.
        files: the logs.
    """

    def __init__(self, arguments: argparse.Namespace, filters: Filters, files: LogFiles) -> None:
        self.arguments = arguments
        self.filters = filters
        self.files = files
        self.zone: tzinfo | None = UTC if arguments.utc else None
        self._share: Callable[[], float | None] = files.share_read

    @cached_property
    def _to_tty(self) -> bool:
        return sys.stdout.isatty()

    @cached_property
    def terminal(self) -> Terminal:
        """Standard output."""
        return Terminal(sys.stdout)

    @property
    def limit(self) -> int | None:
        """How much to show; None for all."""
        given: int | str | None = self.arguments.n
        if given is None:
            return None if self.arguments.json or self.arguments.export else DEFAULT_LIMIT
        return given if isinstance(given, int) else None

    @property
    def group_limit(self) -> int | None:
        """How many groups to show; where `-n` does not say, as many as a terminal shows without scrolling."""
        height = self.terminal.height
        if self.arguments.n is not None or self.limit is None or height is None:
            return self.limit
        return min(max(height - _ROWS_AROUND, _LEAST_GROUPS), self.limit)

    @contextmanager
    def database(self) -> "Iterator[Database]":
        """The requests as a table; DuckDB is loaded here."""
        from overcoat.inspector._database import Database

        with Database(self.files, self.filters, utc=self.arguments.utc) as database:

            def share() -> float | None:
                return database.share_done() or self.files.share_read()

            self._share = share
            yield database
            for name in database.unknown:
                note(f"no line has a field {name!r}")

    @contextmanager
    def reading(self, *, printing: bool = False) -> Iterator[None]:
        """While the body runs, which may take long, its progress is shown.

        Args:
            printing: whether the body prints as it goes; on a terminal that leaves no room for a bar.
        """
        if printing and self._to_tty:
            yield
            return
        with progress(self._share_done):
            yield

    def _share_done(self) -> float | None:
        return self._share()  # which is another one once the database is there

    def write_json(self, line: bytes) -> None:
        """Print a line of JSON: as it is, or without control characters where it goes to a terminal."""
        if self._to_tty:
            sys.stdout.write(escape_json(line) + "\n")
        else:
            sys.stdout.buffer.write(line + b"\n")

    def report_nothing(self) -> None:
        """Say that nothing was found, and what was there instead."""
        if self.arguments.sql is not None:
            note("the query has no rows")
            return
        files = self.files
        counts = {"request": files.requests, "other line": files.others}
        seen = " and ".join(plural(count, noun) for noun, count in counts.items() if count)
        if self.filters == Filters(request_id=self.filters.request_id) != Filters():
            what = "no request matches: an id is compared from its beginning, in upper and lower case as it is"
        elif self.filters:
            what = "no request matches"
        else:
            what = f"no requests in {', '.join(file.name for file in files.readable)}"
        note(f"{what}, among {seen}" if seen else what)
