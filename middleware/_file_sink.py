"""A file that many threads of many processes append whole lines to, and that logrotate may take away at any time."""

import contextlib
import os
import stat
from time import monotonic, sleep

from overcoat.middleware._sinks import Reporter

_LOOK_EVERY_S = 0.5
_WAITS_S = (0.0, 0.0, 0.0001, 0.0005, 0.002, 0.01)


class FileSink:
    """Append to a file, one ``write`` a line, so that lines of many processes never mix.

    The file is opened again within a second after a rename (logrotate without ``copytruncate``). A line that was cut
    short, by a full disk or because a process was killed within its write, is closed off by the next.

    Args:
        path: The file; made if it is not there, in a directory that is.

    Raises:
        OSError: It cannot be opened.
    """

    _fd = -1
    _close = staticmethod(os.close)

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(os.fspath(path))  # noqa: PTH100 - a later chdir must not move the log
        self._reporter = Reporter(self.path)
        self._reopening = Reporter(
            self.path, "cannot be opened anew, so lines go on into the file that was renamed", "is open again"
        )
        self._fd = self._open()
        self._torn = False  # whether this process's own last line was cut short
        # Whether other processes write to it: supposed until a look has found no more bytes than those written here.
        self._shared = True
        self._size = self._written = 0
        self._looked_s = monotonic()

    def _open(self) -> int:
        how = os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        if _is_file_or_nothing(self.path):
            with contextlib.suppress(PermissionError):  # a file that may be written and not read
                return os.open(self.path, os.O_RDWR | how, 0o644)
        return os.open(self.path, os.O_WRONLY | how, 0o644)

    def write(self, line: bytes) -> None:
        """Write one line; a failure is reported once and breaks nothing."""
        now_s = monotonic()
        if now_s - self._looked_s > _LOOK_EVERY_S:
            self._look(now_s)
        if self._torn or (self._shared and _ends_in_mid_line(self._fd)):
            line = b"\n" + line
        try:
            written = os.write(self._fd, line)
        except OSError as error:
            self._torn = True  # another process may have been cut short where this one got nothing in
            self._reporter.failed(error)
            return
        self._written += written
        if written != len(line):
            # Closed off at once where there is room for one byte, or another process's next line would be glued to it.
            with contextlib.suppress(OSError):
                self._written += os.write(self._fd, b"\n")
            self._torn = True
            self._reporter.failed(OSError(f"{written} of {len(line)} bytes were written"))
        elif self._torn or self._reporter.failing:
            self._torn = False
            self._reporter.worked()

    def _look(self, now_s: float) -> None:
        """Open the file anew where another stands under its name, or none; and see whether others write to it.

        Threads that do this at the same time do it twice, which is harmless; a lock would be held across a fork.
        """
        self._looked_s = now_s
        ours = None
        try:
            ours, there = os.fstat(self._fd), os.stat(self.path)  # noqa: PTH116 - pathlib would be loaded for this alone
            same = (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
        except OSError:
            same = False
        if same and ours is not None:
            self._shared = ours.st_size != self._size + self._written
            self._size, self._written = ours.st_size, 0
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
        self._torn, self._shared = False, True
        self._size = self._written = 0

    @property
    def failing(self) -> bool:
        """Whether it takes no lines at present."""
        return self._reporter.failing

    def isatty(self) -> bool:
        """Whether a person looks at it: a path may name a terminal."""
        return os.isatty(self._fd)

    def close(self) -> None:
        """Give the file back."""
        fd, self._fd = self._fd, -1
        try:  # noqa: SIM105 - at the interpreter's end contextlib may be gone
            self._close(fd)
        except OSError:
            pass

    def __del__(self) -> None:
        if self._fd >= 0:
            self.close()

    def __repr__(self) -> str:
        return f"FileSink({self.path!r})"


def _is_file_or_nothing(path: str) -> bool:
    """Not a pipe or a device, which are opened for writing only: to read them too would change what they do."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - a path as text, and no object for it
    except OSError:
        return True


def _ends_in_mid_line(fd: int) -> bool:
    """Whether a file's last line is open, and nobody is writing it: a process was killed within its write.

    The kernel takes a line that crosses into another page in two steps, and SIGKILL may come between. A reader may too:
    so what looks cut short is looked at again, for longer than a write takes.
    """
    end = None
    try:
        for wait_s in _WAITS_S:
            if wait_s:
                sleep(wait_s)
            before, end = end, os.lseek(fd, 0, os.SEEK_END)
            if end == 0 or os.pread(fd, 1, end - 1) == b"\n":
                return False
    except (OSError, AttributeError):  # a pipe, a device, a file that may not be read; no pread on this system
        return False
    return end == before
