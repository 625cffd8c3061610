r"""Lines of a log, from its start or from its end, in bounded memory.

A line longer than `MAX_LINE_BYTES` is dropped while it is read, never held whole. All readers are linear in what they
read.

>>> list(forward([b"one\ntw", b"o\n", b"three"], LogFiles([])))
[b'one', b'two', b'three']
"""

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from overcoat.inspector._files import BLOCK_BYTES, LogFiles
from overcoat.inspector._record import MAX_LINE_BYTES


class LineSplitter:
    """Cuts blocks into lines and keeps the unfinished last one for the next block."""

    def __init__(self, files: LogFiles) -> None:
        self._files = files
        self._parts: list[bytes] = []
        self._held_bytes = 0
        self._dropping = False

    def feed(self, block: bytes) -> list[bytes]:
        """The lines that are complete with this block, without their ends."""
        first, *rest = block.split(b"\n")
        if not rest:
            self._hold(first)
            return []
        self._hold(first)
        head = self.finish()
        self._hold(rest.pop())
        return rest if head is None else [head, *rest]

    def finish(self) -> bytes | None:
        """The line held so far; None for one that was too long."""
        line = None if self._dropping else b"".join(self._parts)
        self._parts, self._held_bytes, self._dropping = [], 0, False
        return line

    def _hold(self, part: bytes) -> None:
        self._held_bytes += len(part)
        if self._dropping:
            return
        if self._held_bytes > MAX_LINE_BYTES:
            self._parts, self._dropping = [], True
            self._files.too_long += 1
        elif part:
            self._parts.append(part)


def forward(blocks: Iterable[bytes], files: LogFiles) -> Iterator[bytes]:
    """The lines of a file from its start."""
    splitter = LineSplitter(files)
    for block in blocks:
        yield from splitter.feed(block)
    if line := splitter.finish():
        yield line


def backward(stream: BinaryIO, files: LogFiles, end: int | None = None) -> Iterator[bytes]:
    """The lines of a seekable file from its end.

    The first is what follows the last line end: empty, or a line that is still being written. A line that is too
    long is empty.
    """
    position = stream.seek(0, os.SEEK_END) if end is None else end
    parts: list[bytes] = []  # of the line whose start was not read yet, in reverse
    held_bytes, dropping = 0, False
    block_bytes = BLOCK_BYTES // 8  # a screenful is near
    while position > 0:
        length = min(block_bytes, position)
        position = stream.seek(position - length)
        block_bytes = BLOCK_BYTES
        *heads, last = stream.read(length).split(b"\n")
        if heads:
            yield b"" if dropping else b"".join([last, *reversed(parts)])
            yield from reversed(heads[1:])
            parts, held_bytes, dropping = [heads[0]], len(heads[0]), False
        else:
            held_bytes += len(last)
            if not dropping:
                parts.append(last)
        if held_bytes > MAX_LINE_BYTES and not dropping:
            parts, dropping = [], True
            files.too_long += 1
    yield b"".join(reversed(parts))


def containing(blocks: Iterable[bytes], needle: bytes, files: LogFiles) -> Iterator[bytes]:
    """The lines in which some bytes occur, found without cutting the others.

    Args:
        blocks: the file from its start.
        needle: what to find, within a line.
        files: where lines that are too long are counted.
    """
    splitter = LineSplitter(files)
    for block in blocks:
        end = block.rfind(b"\n") + 1
        start = block.find(b"\n") + 1
        if not start:
            splitter.feed(block)
            continue
        for line in splitter.feed(block[:start]):
            if needle in line:
                yield line
        while start < end and (found := block.find(needle, start, end)) >= 0:
            first = block.rfind(b"\n", start, found) + 1 or start
            last = block.find(b"\n", found + len(needle), end)
            yield block[first:last]
            start = last + 1
        splitter.feed(block[end:])
    if (rest := splitter.finish()) and needle in rest:
        yield rest
