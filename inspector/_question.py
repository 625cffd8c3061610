"""What a command line asks, with what every answer needs: the logs, the terminal, the zone, the database."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING

from overcoat.inspector._files import LogFiles
from overcoat.inspector._filters import Filters
from overcoat.inspector._terminal import Terminal
from overcoat.inspector._text import escape_json, note, plural

if TYPE_CHECKING:
    from overcoat.inspector._database import Database

DEFAULT_LIMIT = 100
"""How many requests, groups or rows a view has where `-n` does not say."""


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

    @contextmanager
    def database(self) -> "Iterator[Database]":
        """The requests as a table; DuckDB is loaded here."""
        from overcoat.inspector._database import Database

        with Database(self.files, self.filters, utc=self.arguments.utc) as database:
            yield database
            for name, near in database.guesses.items():
                note(f"{name!r} was looked for among the app's own fields; did you mean {near!r}?")

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
        what = (
            "no request matches"
            if self.filters
            else f"no requests in {', '.join(file.name for file in files.readable)}"
        )
        note(f"{what}, among {seen}" if seen else what)
