"""New lines of growing logs, across rotation.

A log that was renamed is still read for a few seconds, as its writers take a moment to notice; the file that took its
name is read from its start. A log that was cut to nothing (`copytruncate`) is read from its start.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from overcoat.inspector._files import BLOCK_BYTES, LogFile, LogFiles
from overcoat.inspector._lines import LineSplitter, backward
from overcoat.inspector._reader import Reader

POLL_SECONDS = 0.2
_BLOCKS_A_POLL = 16  # after a long pause the backlog may be any size
_RETIRED_POLLS = 25  # RequestLog reopens its file within a second of a rename; five are on the safe side


class _Open:
    """An open log and how far it was read."""

    def __init__(self, path: Path, files: LogFiles) -> None:
        self._files = files
        self.stream: BinaryIO = path.open("rb")
        self.position = 0
        self.polls_left = _RETIRED_POLLS
        self._splitter = LineSplitter(files)

    def read(self) -> list[bytes]:
        """The lines that were finished since the last call."""
        if os.fstat(self.stream.fileno()).st_size < self.position:
            self.position, self._splitter = 0, LineSplitter(self._files)
        self.stream.seek(self.position)
        lines = []
        for _ in range(_BLOCKS_A_POLL):
            block = self.stream.read(BLOCK_BYTES)
            self.position += len(block)
            lines += self._splitter.feed(block)
            if not block:
                break
        return lines


class Follower:
    """One log that grows.

    Args:
        file: a regular, plain file.
        files: where lines are counted.

    Raises:
        OSError: the file is gone by now.
    """

    def __init__(self, file: LogFile, files: LogFiles) -> None:
        self.reader = files.reader(file)
        self._path = Path(file.name)
        self._files = files
        self._current = _Open(self._path, files)
        self._retired: list[_Open] = []
        end = self._current.stream.seek(0, os.SEEK_END)
        self._earlier = backward(self._current.stream, files, end)
        self._current.position = end - len(next(self._earlier))

    def earlier(self) -> Iterator[bytes]:
        """The lines that were there at first, from the last one back. To be read before `new`."""
        return self._earlier

    def new(self) -> list[bytes]:
        """The lines that were finished since the last call, or since the start."""
        lines = []
        for old in list(self._retired):
            lines += old.read()
            old.polls_left -= 1
            if not old.polls_left:
                old.stream.close()
                self._retired.remove(old)
        lines += self._current.read()
        if self._was_replaced():
            with suppress(FileNotFoundError):  # it was moved again meanwhile
                self._current, old = _Open(self._path, self._files), self._current
                self._retired.append(old)
                lines += self._current.read()
        return lines

    def close(self) -> None:
        """Close what is open."""
        for opened in (self._current, *self._retired):
            opened.stream.close()

    def _was_replaced(self) -> bool:
        mine = os.fstat(self._current.stream.fileno())
        try:
            theirs = self._path.stat()
        except OSError:  # renamed, and nothing has taken its place yet
            return False
        return (mine.st_dev, mine.st_ino) != (theirs.st_dev, theirs.st_ino)


def follow(followers: list[Follower]) -> Iterator[list[tuple[bytes, Reader]]]:
    """New lines of all logs, each with what reads it, in batches, for ever; a batch is empty where nothing is new."""
    while True:
        batch = [(line, follower.reader) for follower in followers for line in follower.new()]
        yield batch
        if not batch:
            time.sleep(POLL_SECONDS)
