"""The last requests of some logs, read from their ends, and all of them, as a stream.

A screenful is near the end of a file, however long the file is: it is read backwards until enough requests have
passed the filters. Where they are rare this gives up, and the database reads the whole.
"""

import math
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from overcoat.inspector._files import LogFile, LogFiles, reason
from overcoat.inspector._filters import Filters
from overcoat.inspector._lines import backward, forward
from overcoat.inspector._record import Record, is_request, json_part

Found: TypeAlias = tuple[bytes, Record]
"""A request's JSON, as written, and the same as a record."""

BUDGET_BYTES = 32 * 2**20
"""What Python reads before the database, which is faster but slow to start, takes over."""


def read_request(line: bytes, files: LogFiles, filters: Filters) -> Found | None:
    """The request of a line, if it is one and passes the filters; the line is counted either way."""
    found = json_part(line)
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
        for line in forward(files.blocks(file), files):
            if found := read_request(line, files, filters):
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
        latest: deque[Found] = deque(maxlen=limit)
        lines = _backward(file, files) if file.seekable else forward(files.blocks(file), files)
        for line in lines:
            found = read_request(line, files, filters)
            if found and file.seekable:
                latest.appendleft(found)
            elif found:
                latest.append(found)
            if file.seekable and len(latest) == limit:
                break
            budget -= len(line) + 1
            if budget < 0:
                files.forget()
                return None
        merged += latest
    if len(files.readable) > 1:
        merged.sort(key=lambda found: str(found[1].get("timestamp", "")))
    return merged[len(merged) - min(limit, len(merged)) :]


def _backward(file: LogFile, files: LogFiles) -> Iterator[bytes]:
    try:
        with Path(file.name).open("rb") as opened:
            lines = backward(opened, files)
            unfinished = next(lines, b"")
            if json_part(unfinished) is not None:  # what is still being written is no broken line
                yield unfinished
            yield from lines
    except OSError as error:
        files.problems.append(f"{file.name}: {reason(error)}")
