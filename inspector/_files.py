"""The files of one command: what was named, what can be opened, what went wrong.

A log is a plain file, a gzip or Zstandard file (known by its first bytes, whatever its name), or standard input, named
`-`. What cannot be read is reported once, in words, and the other files are still shown. Several files are read in the
order of their first timestamps, so that a rotated set is in the order of time however its names sort.

>>> files = LogFiles(["/no/such.log"])
>>> files.readable, files.problems
([], ['/no/such.log: no such file'])
"""

import glob
import gzip
import importlib
import io
import math
import stat
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from overcoat.inspector._mapping import Mapping
from overcoat.inspector._reader import Reader
from overcoat.inspector._record import moment
from overcoat.inspector._text import plural

STDIN: Final = "-"
BLOCK_BYTES: Final = 2**20

PROBE_BYTES: Final = 2**16
"""Of a log's start, from which its format and its first timestamp are known."""

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}  # RFC 1952, section 2.3.1; RFC 8878, section 3.1.1
_MAGIC_BYTES = max(map(len, _MAGIC))


@dataclass(frozen=True)
class LogFile:
    """One log that can be read.

    Args:
        name: as the user named it.
        size_bytes: of a regular file; None for what only streams.
        packing: `gzip`, `zstd`, or empty.
    """

    name: str
    size_bytes: int | None
    packing: str

    @property
    def seekable(self) -> bool:
        """Whether its end can be read without its beginning."""
        return self.size_bytes is not None and not self.packing

    def open(self) -> BinaryIO:
        """The file's bytes from the start, unpacked."""
        if self.name == STDIN:
            stream = cast("io.BufferedReader", sys.stdin.buffer)
            # A peek at a pipe may hand out a single byte; a log of one byte is not packed either.
            return _unpacked(stream, _packing(stream.peek(_MAGIC_BYTES))) or cast("BinaryIO", stream)
        return _unpacked(self.name, self.packing) or Path(self.name).open("rb")

    def head(self) -> list[bytes]:
        """The first lines of what can be read twice, the last of them perhaps cut."""
        if self.size_bytes is None:
            return []
        try:
            with self.open() as stream:
                return stream.read(PROBE_BYTES).split(b"\n")
        except (OSError, EOFError, zlib.error, _zstd_error(self.packing)):
            return []  # whoever reads on will say what is wrong


class LogFiles:
    """The logs a command reads, with the running account of what was read.

    Args:
        names: as the user named them; one that names no file may be a pattern.
        mapping: of `--map`.
    """

    def __init__(self, names: Sequence[str], mapping: Mapping | None = None) -> None:
        self.mapping = mapping
        self.problems: list[str] = []
        self.readable: list[LogFile] = []
        self.bytes_read = 0
        self._readers: dict[LogFile, Reader] = {}
        self.forget()
        for name in dict.fromkeys(chain.from_iterable(map(_expanded, names))):  # a log named twice is read once
            try:
                self.readable.append(_inspect(name))
            except OSError as error:
                self.problems.append(f"{name}: {reason(error)}")
        if len(self.readable) > 1:
            self.readable.sort(key=self._first_moment)

    def reader(self, file: LogFile) -> Reader:
        """What reads the lines of a file."""
        if file not in self._readers:
            reader = self._readers[file] = Reader(self.mapping)
            for line in file.head():
                if reader.read(line):
                    break
        return self._readers[file]

    def _first_moment(self, file: LogFile) -> float:
        """The first timestamp of a file, in seconds since 1970; infinity where there is none to see."""
        reader = self.reader(file)
        moments = (moment(found[1]) for line in file.head() if (found := reader.read(line)))
        return next((when.timestamp() for when in moments if when), math.inf)

    def forget(self) -> None:
        """Begin the account of lines anew."""
        self.broken = self.too_long = self.requests = self.others = 0

    def count(self, kind: str, lines: int) -> None:
        """Add lines of a kind that the database found."""
        if kind == "broken":
            self.broken += lines
        elif kind == "other":
            self.others += lines
        else:
            self.requests += lines

    @property
    def total_bytes(self) -> int | None:
        """The size of all, as they lie on the disk; None if one only streams."""
        sizes = [file.size_bytes for file in self.readable]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def share_read(self) -> float | None:
        """How much of all files was read, from 0 to 1; None where one only streams."""
        total = self.total_bytes
        return self.bytes_read / total if total else None

    def blocks(self, file: LogFile) -> Iterator[bytes]:
        """A file's bytes in blocks; one that ends in an error ends, and the error is a problem to report."""
        try:
            with file.open() as stream:
                read = getattr(stream, "read1", stream.read)  # what is there now, where a pipe is slow
                while block := read(BLOCK_BYTES):
                    self.bytes_read += 0 if file.packing else len(block)
                    yield block
            self.bytes_read += (file.size_bytes or 0) if file.packing else 0
        except EOFError:
            self.problems.append(f"{file.name}: the compressed data ends too early; what came before was read")
        except (gzip.BadGzipFile, zlib.error, _zstd_error(file.packing or "zstd" * (file.name == STDIN))):
            self.problems.append(f"{file.name}: the compressed data is damaged; what came before was read")
        except OSError as error:
            self.problems.append(f"{file.name}: {reason(error)}")

    def skipped(self) -> list[str]:
        """A word on each kind of line that was skipped."""
        counts = {"not JSON": self.broken, "longer than 16 MiB": self.too_long}
        verbs = {what: "was" if count == 1 else "were" for what, count in counts.items()}
        return [
            f"{plural(count, 'line')} {verbs[what]} {what} and {verbs[what]} skipped"
            for what, count in counts.items()
            if count
        ]


def _inspect(name: str) -> LogFile:
    if name == STDIN:
        if sys.stdin is None:
            raise FileNotFoundError
        return LogFile(name, None, "")
    path = Path(name)
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError
    if not stat.S_ISREG(status.st_mode):  # a named pipe: opening it twice would lose its first bytes
        return LogFile(name, None, "")
    with path.open("rb") as stream:
        return LogFile(name, status.st_size, _packing(stream.read(_MAGIC_BYTES)))


def _expanded(name: str) -> list[str]:
    """The files that a pattern names, where the shell did not expand it; the name itself where it is none."""
    if name == STDIN or not glob.has_magic(name) or Path(name).exists():
        return [name]
    return sorted(glob.glob(name, recursive=True)) or [name]  # noqa: PTH207 (a name is no path)


def _packing(start: bytes) -> str:
    return next((packing for magic, packing in _MAGIC.items() if start.startswith(magic)), "")


def _unpacked(source: "str | io.BufferedReader", packing: str) -> BinaryIO | None:
    if packing == "gzip":
        return cast("BinaryIO", gzip.open(source))
    return cast("BinaryIO", _zstd().ZstdFile(source)) if packing else None


@cache
def _zstd() -> Any:
    """The standard library's module, or the same for Python before 3.14."""
    return importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


def _zstd_error(packing: str) -> type[Exception]:
    """What a damaged file raises; the module is loaded only for a file that needs it."""
    return cast("type[Exception]", _zstd().ZstdError) if packing == "zstd" else zlib.error


def reason(error: OSError) -> str:
    """Why a file could not be read, in words."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "is a directory; name the files in it"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    return error.strerror or str(error) or type(error).__name__
