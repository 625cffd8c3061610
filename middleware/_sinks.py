"""Where lines go: a file that many processes append to, or a standard stream."""

import contextlib
import json
import logging
import os
import re
import sys
import threading
from pathlib import Path
from time import monotonic
from typing import Protocol

_log = logging.getLogger("overcoat")

_LOOK_EVERY_S = 0.5
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class Sink(Protocol):
    """Something that takes whole lines."""

    def write(self, line: bytes) -> None:
        """Write one line, with its line feed; never raises."""

    def isatty(self) -> bool:
        """Whether a person looks at it."""


class _Reporter:
    """Says once that something goes wrong, and once that it works again: a log must not flood another."""

    def __init__(
        self, name: str, wrong: str = "takes no lines", right: str = "takes lines again; those between are lost"
    ) -> None:
        self.name = name
        self.wrong = wrong
        self.right = right
        self.failing = False

    def failed(self, error: Exception) -> None:
        if not self.failing:
            self.failing = True
            _log.error("request log: %s %s: %s", self.name, self.wrong, error)

    def worked(self) -> None:
        if self.failing:
            self.failing = False
            _log.warning("request log: %s %s", self.name, self.right)


class FileSink:
    """Append to a file, one ``write`` a line, so that lines of many processes never mix.

    The file is opened again within a second after a rename (logrotate without ``copytruncate``). A line that a full
    disk cut short is closed off by the next.

    Args:
        path: The file; made if it is not there, in a directory that is.

    Raises:
        OSError: It cannot be opened.
    """

    _fd = -1

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(os.fspath(path))  # noqa: PTH100 - a later chdir must not move the log
        self._lock = threading.Lock()
        self._reporter = _Reporter(self.path)
        self._reopening = _Reporter(
            self.path, "cannot be opened anew, so lines go on into the file that was renamed", "is open again"
        )
        self._torn = False
        self._fd = self._open()
        self._looked_s = monotonic()

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)

    def write(self, line: bytes) -> None:
        """Write one line; a failure is reported once and breaks nothing."""
        now_s = monotonic()
        if now_s - self._looked_s > _LOOK_EVERY_S:
            self._look(now_s)
        if self._torn:
            line = b"\n" + line
        try:
            written = os.write(self._fd, line)
        except OSError as error:
            self._torn = True  # another process may have been cut short where this one got nothing in
            self._reporter.failed(error)
            return
        if written != len(line):
            # Closed off at once where there is room for one byte, or another process's next line would be glued to it.
            with contextlib.suppress(OSError):
                os.write(self._fd, b"\n")
            self._torn = True
            self._reporter.failed(OSError(f"{written} of {len(line)} bytes were written"))
        elif self._reporter.failing:
            self._torn = False
            self._reporter.worked()

    def _look(self, now_s: float) -> None:
        """Open the file anew where another stands under its name, or none."""
        with self._lock:
            if now_s - self._looked_s <= _LOOK_EVERY_S:
                return
            self._looked_s = now_s
            try:
                there, ours = Path(self.path).stat(), os.fstat(self._fd)
                same = (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
            except OSError:
                same = False
            try:
                fresh = -1 if same else self._open()
            except OSError as error:
                self._reopening.failed(error)
                return
            self._reopening.worked()
            if same:
                return
            # dup2 keeps the number, so that a thread between reading and writing it never writes to a stranger's file.
            os.dup2(fresh, self._fd, inheritable=False)
            os.close(fresh)
            self._torn = False

    def isatty(self) -> bool:
        """Whether a person looks at it: a path may name a terminal."""
        return os.isatty(self._fd)

    def close(self) -> None:
        """Give the file back."""
        fd, self._fd = self._fd, -1
        with contextlib.suppress(OSError):
            os.close(fd)

    def __del__(self) -> None:
        if self._fd >= 0:
            self.close()

    def __repr__(self) -> str:
        return f"FileSink({self.path!r})"


class StreamSink:
    """A standard stream, looked up at each line, for tests and servers put others in its place.

    Args:
        name: ``"stdout"`` or ``"stderr"``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._reporter = _Reporter(name)

    def write(self, line: bytes) -> None:
        """Write one line; a closed stream is reported once and breaks nothing."""
        text = line.decode("utf-8", "backslashreplace")
        try:
            stream = getattr(sys, self.name)
            try:
                stream.write(text)
            except UnicodeEncodeError:
                # A locale without Unicode: the escapes of JSON, so that a line of JSON stays one.
                stream.write(_NOT_ASCII.sub(lambda match: json.dumps(match[0])[1:-1], text))
            stream.flush()
        except (OSError, ValueError, AttributeError) as error:
            self._reporter.failed(error)

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        stream = getattr(sys, self.name)
        return stream is not None and not stream.closed and stream.isatty()

    def __repr__(self) -> str:
        return f"StreamSink({self.name!r})"
