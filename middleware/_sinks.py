"""Where lines go: what a sink is, how it tells of trouble, and the standard streams."""

import contextlib
import json
import logging
import re
import sys
import threading
from typing import Any, Protocol

_log = logging.getLogger("overcoat")

_NOT_ASCII = r"[^\x00-\x7f]"


class Sink(Protocol):
    """Something that takes whole lines."""

    def write(self, line: bytes) -> None:
        """Write one line, with its line feed; never raises."""

    def isatty(self) -> bool:
        """Whether a person looks at it."""

    @property
    def failing(self) -> bool:
        """Whether it takes no lines at present."""


class Reporter:
    """Says once that something goes wrong, and once that it works again: a log must not flood another."""

    def __init__(
        self, name: str, wrong: str = "takes no lines", right: str = "takes lines again; those between are lost"
    ) -> None:
        self.name = name
        self.wrong = wrong
        self.right = right
        self.failing = False
        self._lock = threading.Lock()

    def failed(self, error: Exception) -> None:
        if self._turns(to=True):
            self._tell(logging.ERROR, "request log: %s %s: %s", self.name, self.wrong, error)

    def worked(self) -> None:
        if self.failing and self._turns(to=False):
            self._tell(logging.WARNING, "request log: %s %s", self.name, self.right)

    def _turns(self, *, to: bool) -> bool:
        with self._lock:  # never held while telling, which may come back here
            if self.failing is to:
                return False
            self.failing = to
            return True

    def _tell(self, level: int, message: str, *values: object) -> None:
        # The app's handlers may raise, and the line was on its way from inside a request.
        with contextlib.suppress(Exception):
            _log.log(level, message, *values)


class StreamSink:
    """A standard stream, looked up at each line, for tests and servers put others in its place.

    Args:
        name: ``"stdout"`` or ``"stderr"``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._reporter = Reporter(name)
        self._inside = threading.local()

    def write(self, line: bytes) -> None:
        """Write one line; a closed stream is reported once and breaks nothing.

        What stands in place of the stream may log what it is given, and so come back here: such a line goes to the
        stream that the process began with.
        """
        text, inside = line.decode("utf-8", "backslashreplace"), self._inside
        if getattr(inside, "write", False):
            with contextlib.suppress(Exception):
                _put(getattr(sys, f"__{self.name}__"), text)
            return
        failure = None
        inside.write = True
        try:
            _put(getattr(sys, self.name), text)
        except Exception as error:  # whatever stands in place of the stream
            failure = error
        finally:
            inside.write = False
        if failure is not None:
            self._reporter.failed(failure)
        elif self._reporter.failing:
            self._reporter.worked()

    @property
    def failing(self) -> bool:
        """Whether it takes no lines at present."""
        return self._reporter.failing

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        try:
            return bool(getattr(sys, self.name).isatty())
        except Exception:  # none, closed, or what has only a write
            return False

    def __repr__(self) -> str:
        return f"StreamSink({self.name!r})"


def _put(stream: Any, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:
        # A locale without Unicode: the escapes of JSON, so that a line of JSON stays one.
        stream.write(re.sub(_NOT_ASCII, lambda match: json.dumps(match[0])[1:-1], text))
    stream.flush()
