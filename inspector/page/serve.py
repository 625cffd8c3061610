"""`overcoat logs --serve`: the log page over the logs that were named, on 127.0.0.1, until Ctrl-C."""

import signal
import sys
import threading
from datetime import UTC, datetime
from errno import EADDRINUSE
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from overcoat.inspector._text import note
from overcoat.inspector._times import is_relative
from overcoat.inspector.page.log_page import LogPage

if TYPE_CHECKING:
    from overcoat.inspector._question import Question

PORT = 8765
"""Where the page is, unless that port is taken or another one asked for."""


def serve(question: "Question") -> bool:
    """Serve the page until Ctrl-C; whether there was anything to serve.

    Args:
        question: the command line; its filters are those that the page begins with.
    """
    names = [file.name for file in question.files.readable if file.size_bytes is not None]
    question.files.problems += [
        f"{file.name}: only files are served" for file in question.files.readable if file.size_bytes is None
    ]
    if not names:
        return False
    try:
        server = _bound(getattr(question.arguments, "port", None))
    except OSError as error:
        taken = "; without --port a free one is taken" if error.errno == EADDRINUSE else ""
        question.files.problems.append(f"127.0.0.1:{question.arguments.port}: {error.strerror or error}{taken}")
        return False
    while question.files.problems:  # now, and not when the page ends
        note(question.files.problems.pop(0))
    mapping = question.files.mapping
    page = LogPage(names, mapping=None if mapping is None else mapping.listed)
    server.set_app(page)
    query = _query(question)
    print(f"http://127.0.0.1:{server.server_port}/{f'?{query}' if query else ''}", flush=True)
    if sys.stdout.isatty():
        note("the page is there until Ctrl-C")
    _end_in_order()
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        server.server_close()
        page.close()
    return True


def _end_in_order() -> None:
    """Let a service manager, and a terminal that is closed, end the process as Ctrl-C does."""

    def leave(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            if (number := getattr(signal, name, None)) is not None:
                signal.signal(number, leave)


def _query(question: "Question") -> str:
    """The filters of a command line as the page's URL has them."""
    arguments, filters = question.arguments, question.filters
    statuses = ",".join(str(low) if low == high else f"{low}-{high}" for low, high in arguments.status)
    given = {
        "since": _moment(arguments.since, filters.since),
        "until": _moment(arguments.until, filters.until),
        "status": statuses,
        "path": arguments.path,
        "route": arguments.route,
        "id": arguments.id,
        "errors": "1" if arguments.errors else None,
        "slow": None if arguments.slow is None else f"{arguments.slow:g}",
        "by": ",".join(arguments.by),
        "sort": arguments.sort,
    }
    return urlencode({name: value for name, value in given.items() if value})


def _moment(text: str | None, when: datetime | None) -> str | None:
    """A time for the URL, in which one without a zone is in UTC; how long ago goes on with the clock."""
    if text is None or when is None or is_relative(text):
        return text
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


class _Handler(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Lines for the page's own requests, four a second, are no news."""


class _Server(ThreadingMixIn, WSGIServer):
    """A browser opens connections that it may need later: each has its thread."""

    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        """Bind without asking a name server who 127.0.0.1 is."""
        self.server_name = "127.0.0.1"
        super(WSGIServer, self).server_bind()
        self.server_port = self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that leaves is no error; others go to the log as usual."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _bound(port: int | None) -> _Server:
    """A server on a port, or where none is asked for on ours, else on a free one.

    Raises:
        OSError: the port that was asked for is taken.
    """
    try:
        return _Server(("127.0.0.1", PORT if port is None else port), _Handler)
    except OSError:
        if port is not None:
            raise
        return _Server(("127.0.0.1", 0), _Handler)
