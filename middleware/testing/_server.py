"""A WSGI server that is as strict as PEP 3333 asks, and a witness: it tells all that it saw of a request.

>>> def app(environ, start_response):
...     start_response("200 OK", [("Content-Type", "text/plain")])
...     return [b"hello, ", environ["PATH_INFO"].encode()]
>>> seen = call(app, PATH_INFO="/you")
>>> seen.status, seen.body, seen.error
('200 OK', b'hello, /you', None)
"""

import threading
from collections.abc import Callable
from contextvars import Context
from typing import Any

from overcoat.middleware.testing._client import READS_ALL, Client
from overcoat.middleware.testing._environ import Environ, make_environ
from overcoat.middleware.testing._seen import Seen, text_of


class Server:
    """One request's server: ``start_response``, ``write`` and the loop over the body, as PEP 3333 has them."""

    def __init__(self, client: Client = READS_ALL, made: Callable[[], int] | None = None) -> None:
        self.client = client
        self.made = made
        self.seen = Seen()
        self.started = self.headers_sent = False
        self.sends = 0

    def start_response(self, status: Any, headers: Any, exc_info: Any = None) -> Callable[[bytes], None]:
        """Take status and headers, and complain of what PEP 3333 forbids."""
        shown = list(headers) if isinstance(headers, list) else headers
        self.seen.events.append(("start", status, shown, exc_info and exc_info[0]))
        try:
            if exc_info:
                if self.headers_sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            elif self.started:
                raise AssertionError("start_response was called twice, without exc_info")
            if type(status) is not str or type(headers) is not list:
                raise TypeError("status must be a str, headers a list")
            self.seen.exc_info = exc_info and exc_info[0]
        finally:
            exc_info = None
        self.started = True
        self.seen.status, self.seen.headers = status, headers
        return self.write

    def write(self, data: Any) -> None:
        """The imperative way to send."""
        self.seen.events.append(("write", data))
        self.send(data)
        self.seen.written.append(data)

    def send(self, data: Any) -> None:
        """Send a chunk, the headers before the first."""
        if type(data) is not bytes:
            raise TypeError(f"{type(data).__name__} is not bytes")
        if not self.started:
            raise AssertionError("a body before start_response")
        self.headers_sent = True
        self.sends += bool(data)
        if data and self.sends == self.client.breaks_at:
            raise BrokenPipeError("the client is gone")
        self.seen.sent += data

    def serve(self, app: Callable[..., Any], environ: Environ) -> Seen:
        """Serve one request to its end."""
        seen = self.seen
        try:
            seen.result = self._step(app, environ, self.start_response)
        except BaseException as error:
            self._raised("call", error)
            return seen
        self._note_made()
        try:
            self._read(seen.result, environ)
        except BaseException as error:
            self._raised("body", error)
        finally:
            self._close(seen.result)
        return seen

    def _read(self, result: Any, environ: Environ) -> None:
        seen, client = self.seen, self.client
        wrapper = environ.get("wsgi.file_wrapper")
        # A wrapper that is no class (uWSGI's) hands the file itself back: the server knows it by that.
        known = isinstance(result, wrapper) if isinstance(wrapper, type) else wrapper and wrapper.made is result
        if known:
            self.send(b"")
            seen.events.append(("sendfile", (result.file if isinstance(wrapper, type) else result).read()))
            return
        if hasattr(result, "__len__"):
            seen.length = len(result)
            if client.measures and isinstance(result, list | tuple):
                seen.events.append(("measured", sum(len(chunk) for chunk in result)))
        if client.leaves_after == 0:
            return
        iterator = self._step(iter, result)
        taken = 0
        while True:
            try:
                chunk = self._step(next, iterator)
            except StopIteration:
                break
            seen.events.append(("chunk", chunk))
            seen.chunks.append(chunk)
            self._note_made()
            taken += 1
            if chunk or not isinstance(chunk, bytes):
                self.send(chunk)
            if taken == client.leaves_after:
                return
        self.send(b"")
        seen.events.append(("end",))

    def _close(self, result: Any) -> None:
        if not hasattr(result, "close"):
            return
        for _ in range(self.client.closes):
            # Not an event: a wrapper may have a close where the app's list has none.
            try:
                if self.client.closes_elsewhere:
                    _in_thread(result.close)
                else:
                    self._step(result.close)
            except BaseException as error:
                self._raised("close", error)

    def _note_made(self) -> None:
        if self.made is not None:
            self.seen.made.append(self.made())

    def _step(self, function: Callable[..., Any], *args: Any) -> Any:
        return Context().run(function, *args) if self.client.in_contexts else function(*args)

    def _raised(self, where: str, error: BaseException) -> None:
        if type(error) is KeyboardInterrupt and not error.args:
            raise error  # Ctrl-C: those of the zoo say something
        self.seen.error, self.seen.where = error.with_traceback(None), where
        self.seen.events.append(("raised", where, type(error), text_of(error)))


def serve(
    app: Callable[..., Any], environ: Environ, client: Client = READS_ALL, made: Callable[[], int] | None = None
) -> Seen:
    """Serve one request, and tell what the server saw; ``made`` tells how many chunks the app has made so far."""
    return Server(client, made).serve(app, environ)


def call(app: Callable[..., Any], *, client: Client = READS_ALL, **environ: Any) -> Seen:
    """Serve one request for an environ that is valid but for the overrides."""
    return serve(app, make_environ(**environ), client)


def _in_thread(function: Callable[[], Any]) -> None:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
