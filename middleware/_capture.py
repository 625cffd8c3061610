"""capture_requests: the records of the request log, for a test, wherever a RequestLog writes them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from time import monotonic
from typing import Any

Record = dict[str, Any]

#: Who is shown each record before it is written; empty but in tests. RequestLog asks before it calls ``observe``.
observers: tuple[Callable[[Record], None], ...] = ()

_lock = threading.Lock()


def observe(record: Record) -> None:
    """Show a record to all observers."""
    for observer in observers:
        observer(record)


class CapturedRequests(list[Record]):
    """The records of the requests that ended since, in that order: a list, and a way to wait for one more."""

    def __init__(self) -> None:
        super().__init__()
        self._more = threading.Condition()

    def wait(self, count: int = 1, *, timeout_s: float = 5.0) -> "CapturedRequests":
        """Wait until so many records are there; a real server writes its line a moment after the client has all bytes.

        Args:
            count: How many.
            timeout_s: For how long, in seconds.

        Returns:
            The list itself.

        Raises:
            TimeoutError: Says how many there are instead.
        """
        deadline_s = monotonic() + timeout_s
        with self._more:
            while len(self) < count:
                if not self._more.wait(deadline_s - monotonic()):
                    raise TimeoutError(f"{count} requests were waited for, {len(self)} ended within {timeout_s} s")
        return self

    def _take(self, record: Record) -> None:
        with self._more:
            # What the app does to its own values after the request does not change what was logged of it.
            self.append(_copied(record))
            self._more.notify_all()


@contextmanager
def capture_requests() -> Iterator[CapturedRequests]:
    """Collect the record of each request that ends inside the block, of every ``RequestLog`` in this process.

    They are written as ever, too. What no RequestLog logs (``skip=``) is not there. A response that is never closed has
    not ended: with Flask's test client read it with ``buffered=True``, or close it.

    Yields:
        A list of records, one dict each, as docs/record.md describes them; it stays as it is after the block. Blocks
        may be nested: each has what ended inside of it. Requests may end in any thread; other processes are not seen.

    >>> from overcoat.middleware import RequestLog
    >>> from overcoat.middleware.testing import capture_requests
    >>> def app(environ, start_response):
    ...     start_response("404 Not Found", [])
    ...     return [b"nothing"]
    >>> app = RequestLog(app, to="/dev/null")
    >>> with capture_requests() as requests:
    ...     response = app({"REQUEST_METHOD": "GET", "PATH_INFO": "/cart"}, lambda status, headers: None)
    ...     body = b"".join(response)
    ...     response.close()
    >>> [(one["path"], one["status"], one["response_bytes"]) for one in requests]
    [('/cart', 404, 7)]

    As a fixture of pytest:

    >>> import pytest
    >>> @pytest.fixture
    ... def requests():
    ...     with capture_requests() as requests:
    ...         yield requests
    """
    captured = CapturedRequests()
    observer = captured._take
    _change(lambda before: (*before, observer))
    try:
        yield captured
    finally:
        _change(lambda before: tuple(one for one in before if one is not observer))


def _change(change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> None:
    global observers  # noqa: PLW0603 - one for the process, as the log is
    with _lock:
        observers = change(observers)


def _copied(record: Record) -> Record:
    try:
        return deepcopy(record)
    except Exception:  # a field of the app's that cannot be copied
        return dict(record)
