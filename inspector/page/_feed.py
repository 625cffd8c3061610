"""The lines of logs in pieces: what is there, from the latest back, and what is added.

A piece is a run of whole lines, in a temporary file that DuckDB reads; a packed log is one piece. So a log of any size
is read in the memory and the room of one piece, and its end, which is what one looks at, comes first.
"""

import logging
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from overcoat.inspector._files import LogFile, LogFiles
from overcoat.inspector._follow import Follower

FIRST_PIECE_BYTES = 4 * 2**20
"""Enough for the first look, and read in a few hundredths of a second."""

PIECE_BYTES = 16 * 2**20

_log = logging.getLogger("overcoat")


class Feed:
    """Some logs, as far as they were read.

    Args:
        names: of the files; one that is not there yet is looked for again.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._missing = list(names)
        self._followers: list[Follower] = []
        self._account = LogFiles([])
        self._total_bytes = self._done_bytes = 0
        self.earlier = self._earlier(self._open())

    @property
    def share_read(self) -> float:
        """How much of what was there at first was read, from 0 to 1."""
        return min(1.0, self._done_bytes / self._total_bytes) if self._total_bytes else 1.0

    def new(self) -> list[bytes]:
        """The lines that were finished since the last call."""
        if self._missing:
            for _, stream, _ in self._open(from_start=True):
                stream.close()
        lines = []
        for follower in self._followers:
            try:
                lines += follower.new()
            except OSError:  # the folder is gone, or the permission: another try next time
                _log.debug("a log of the log page cannot be read", exc_info=True)
        return lines

    def close(self) -> None:
        """Close the logs; whoever reads `earlier` closes that."""
        for follower in self._followers:
            follower.close()

    def _open(self, *, from_start: bool = False) -> list[tuple[LogFile, BinaryIO, int]]:
        """Open the logs that are there now; each with a stream of its own and the end of its last whole line."""
        opened: list[tuple[LogFile, BinaryIO, int]] = []
        missing = []
        for name in self._missing:
            found = LogFiles([name]).readable
            if not found:
                missing.append(name)
            for file in found:
                try:
                    stream = Path(file.name).open("rb")  # noqa: SIM115 - read later, piece by piece
                    if not file.seekable:
                        opened.append((file, stream, file.size_bytes or 0))
                        continue
                    follower = Follower(file, self._account)
                except OSError:
                    missing.append(name)
                    continue
                end = follower._current.position
                if from_start:  # it came later, so that all of it is new
                    follower._current.position = end = 0
                self._followers.append(follower)
                opened.append((file, stream, end))
        self._missing = missing
        self._total_bytes += sum(end for _, _, end in opened)
        return opened

    def _earlier(self, opened: list[tuple[LogFile, BinaryIO, int]]) -> Generator[bytes | LogFile, None, None]:
        """The pieces of what was there at first, the latest of each log first; a packed log as it is."""
        try:
            for file, stream, end in reversed(opened):
                if not file.seekable:
                    yield file
                    self._done_bytes += end
                    continue
                for piece, piece_bytes in _backward(stream, end):
                    yield piece
                    self._done_bytes += piece_bytes
        finally:
            for _, stream, _ in opened:
                stream.close()


def _backward(stream: BinaryIO, end: int) -> Iterator[tuple[bytes, int]]:
    """Runs of whole lines up to an offset that ends a line, the last run first; each with the bytes that it covers.

    A line that is longer than a piece is left out.
    """
    length, in_long_line = FIRST_PIECE_BYTES, False
    while end:
        start = max(0, end - length)
        stream.seek(start)
        block = stream.read(end - start)
        if len(block) < end - start:
            return  # it was cut to nothing meanwhile
        stop = block.rfind(b"\n") + 1 if in_long_line else len(block)
        first = block.find(b"\n", 0, max(0, stop - 1)) + 1 if start else 0
        if start and not first:
            if length < PIECE_BYTES and not in_long_line:
                length = PIECE_BYTES
                continue
            in_long_line, first = True, 0
            yield b"", end - start
        else:
            in_long_line = False
            yield block[first:stop], len(block) - first
        length, end = PIECE_BYTES, start + first
