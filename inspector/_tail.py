"""The last requests of some logs, read from their ends, and all of them, as a stream.

A screenful is near the end of a file, however long the file is: it is read backwards until enough requests have
passed the filters. Where they are rare this gives up, and the database reads the whole.
"""

import math
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from overcoat.inspector._files import LogFile, LogFiles, reason
from overcoat.inspector._filters import Filters
from overcoat.inspector._lines import backward, forward
from overcoat.inspector._reader import Found, Reader
from overcoat.inspector._record import is_request, moment

BUDGET_BYTES = 32 * 2**20
"""What Python reads before the database, which is faster but slow to start, takes over."""


MAX_HELD_BYTES = 64 * 2**20
"""Of gigantic lines that are held at once; ordinary ones are as many as were asked for."""

_GIGANTIC_BYTES = 2**16


class Latest:
    """The last of some lines, bounded in number and in bytes.

    Args:
        limit: how many; None for as many as there is room for.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._found: deque[Found] = deque()
        self._held_bytes = 0

    def add(self, found: Found) -> None:
        """Take one that came after all others; the first ones go where there are too many."""
        self._found.append(found)
        self._held_bytes += _weight(found)
        while self._found and (self._is_over() or len(self._found) > self._limit_or(len(self._found))):
            self._held_bytes -= _weight(self._found.popleft())

    def add_earlier(self, found: Found) -> bool:
        """Take one that came before all others; whether there is room for more."""
        self._found.appendleft(found)
        self._held_bytes += _weight(found)
        return len(self._found) < self._limit_or(math.inf) and not self._is_over()

    def __iter__(self) -> Iterator[Found]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def _limit_or(self, otherwise: float) -> float:
        return otherwise if self._limit is None else self._limit

    def _is_over(self) -> bool:
        return self._held_bytes > MAX_HELD_BYTES and len(self._found) > 1


def _weight(found: Found) -> int:
    return len(found[0]) if len(found[0]) > _GIGANTIC_BYTES else 0


def read_request(line: bytes, reader: Reader, files: LogFiles, filters: Filters) -> Found | None:
    """The request of a line, if it is one and passes the filters; the line is counted either way."""
    found = reader.read(line)
    if found is None:
        files.broken += bool(line.strip())
        return None
    if not is_request(found[1]):
        files.others += 1
        return None
    files.requests += 1
    return found if filters.matches(found[1]) else None


def stream(files: LogFiles, filters: Filters) -> Iterator[Found]:
    """The requests of all files, in their order, from their starts."""
    for file in files.readable:
        reader = files.reader(file)
        for line in forward(files.blocks(file), files):
            if found := read_request(line, reader, files, filters):
                yield found


def last_requests(files: LogFiles, filters: Filters, limit: int) -> list[Found] | None:
    """The last requests of all files together, by their timestamps; None where they are beyond the budget.

    Args:
        files: the logs, and where their lines are counted.
        filters: which requests to return.
        limit: how many.
    """
    budget = BUDGET_BYTES if files.total_bytes is not None else math.inf  # a stream cannot be read twice
    merged: list[Found] = []
    for file in files.readable:
        latest, reader = Latest(limit), files.reader(file)
        lines = _backward(file, files) if file.seekable else forward(files.blocks(file), files)
        for line in lines:
            found = read_request(line, reader, files, filters) if limit else None
            if found and file.seekable:
                if not latest.add_earlier(found):
                    break
            elif found:
                latest.add(found)
            if not limit:
                break
            budget -= len(line) + 1
            if budget < 0:
                files.forget()
                return None
        merged += latest
    if len(files.readable) > 1:
        merged.sort(key=when)
    return merged[len(merged) - min(limit, len(merged)) :]


def when(found: Found) -> float:
    """When a line was written, in seconds since 1970; before all others where it does not say."""
    written = moment(found[1])
    return -math.inf if written is None else written.timestamp()


def _backward(file: LogFile, files: LogFiles) -> Iterator[bytes]:
    try:
        with Path(file.name).open("rb") as opened:
            lines = backward(opened, files)
            unfinished = next(lines, b"")
            if files.reader(file).read(unfinished) is not None:  # what is still being written is no broken line
                yield unfinished
            yield from lines
    except OSError as error:
        files.problems.append(f"{file.name}: {reason(error)}")
