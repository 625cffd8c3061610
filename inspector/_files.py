"""The files of one command: what was named, what can be opened, what went wrong.

A log is a plain file, a gzip file (known by its first bytes, whatever its name), or standard input, named `-`. What
cannot be read is reported once, in words, and the other files are still shown.

>>> files = LogFiles(["/no/such.log"])
>>> files.readable, files.problems
([], ['/no/such.log: no such file'])
"""

import gzip
import io
import stat
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from overcoat.inspector._text import plural

STDIN: Final = "-"
BLOCK_BYTES: Final = 2**20

_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class LogFile:
    """One log that can be read.

    Args:
        name: as the user named it.
        size_bytes: of a regular file; None for what only streams.
        gzipped: whether it must be unpacked.
    """

    name: str
    size_bytes: int | None
    gzipped: bool

    @property
    def seekable(self) -> bool:
        """Whether its end can be read without its beginning."""
        return self.size_bytes is not None and not self.gzipped

    def open(self) -> BinaryIO:
        """The file's bytes from the start, unpacked."""
        if self.name == STDIN:
            stream = cast("io.BufferedReader", sys.stdin.buffer)
            # A peek at a pipe may hand out a single byte; a log of one byte is no gzip file either.
            return cast("BinaryIO", gzip.GzipFile(fileobj=stream)) if stream.peek(2)[:2] == _GZIP_MAGIC else stream
        return cast("BinaryIO", gzip.open(self.name)) if self.gzipped else Path(self.name).open("rb")


class LogFiles:
    """The logs a command reads, with the running account of what was read.

    Args:
        names: as the user named them.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.problems: list[str] = []
        self.readable: list[LogFile] = []
        self.forget()
        for name in dict.fromkeys(names):  # a log named twice is read once
            try:
                self.readable.append(_inspect(name))
            except OSError as error:
                self.problems.append(f"{name}: {reason(error)}")

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

    def blocks(self, file: LogFile) -> Iterator[bytes]:
        """A file's bytes in blocks; one that ends in an error ends, and the error is a problem to report."""
        try:
            with file.open() as stream:
                read = getattr(stream, "read1", stream.read)  # what is there now, where a pipe is slow
                while block := read(BLOCK_BYTES):
                    yield block
        except EOFError:
            self.problems.append(f"{file.name}: the compressed data ends too early; what came before was read")
        except (gzip.BadGzipFile, zlib.error):
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
        return LogFile(name, None, gzipped=False)
    path = Path(name)
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError
    if not stat.S_ISREG(status.st_mode):  # a named pipe: opening it twice would lose its first bytes
        return LogFile(name, None, gzipped=False)
    with path.open("rb") as stream:
        return LogFile(name, status.st_size, gzipped=stream.read(2) == _GZIP_MAGIC)


def reason(error: OSError) -> str:
    """Why a file could not be read, in words."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "is a directory; name the files in it"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    return error.strerror or str(error) or type(error).__name__
