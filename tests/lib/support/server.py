"""The server of the tests: what PEP 3333 asks of one, and a witness.

:class:`Seen` holds what the server saw of one request, in order.
"""

import threading
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any

from support.client import READS_ALL, Client


@dataclass
class Seen:
    """What a server saw of one request.

    Attributes:
        events: Everything in order: ``start``, ``write``, ``chunk``, ``end`` (of the body), ``sendfile``, ``raised``,
            ``close``, each with its arguments.
        status, headers, exc_info: Of the last ``start_response`` that was accepted.
        chunks, written: What was iterated, refused ones too; and what ``write()`` took.
        length: ``len()`` of the result, or None where it has none.
        error, where: What was raised in ``"call"``, ``"body"`` or ``"close"``; the last if there were several.
        result: What the app returned.
    """

    events: list[tuple[Any, ...]] = field(default_factory=list)
    status: str | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    exc_info: Any = None
    chunks: list[Any] = field(default_factory=list)
    written: list[Any] = field(default_factory=list)
    length: int | None = None
    error: BaseException | None = None
    where: str | None = None
    result: Any = None
    sent: bytes = b""

    @property
    def body(self) -> bytes:
        """What went to the client."""
        return self.sent

    def header(self, name: str) -> list[str]:
        """The values of a response header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


class Server:
    """One request's server: ``start_response``, ``write`` and the loop over the body, as PEP 3333 has them."""

    def __init__(self, client: Client = READS_ALL) -> None:
        self.client = client
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

    def serve(self, app: Callable[..., Any], environ: dict[str, Any]) -> Seen:
        """Serve one request to its end."""
        seen = self.seen
        try:
            seen.result = self._step(app, environ, self.start_response)
        except BaseException as error:
            self._raised("call", error)
            return seen
        try:
            self._read(seen.result, environ)
        except BaseException as error:
            self._raised("body", error)
        finally:
            self._close(seen.result)
        return seen

    def _read(self, result: Any, environ: dict[str, Any]) -> None:
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

    def _step(self, function: Callable[..., Any], *args: Any) -> Any:
        return Context().run(function, *args) if self.client.in_contexts else function(*args)

    def _raised(self, where: str, error: BaseException) -> None:
        self.seen.error, self.seen.where = error.with_traceback(None), where
        self.seen.events.append(("raised", where, type(error), text_of(error)))


def text_of(error: BaseException) -> str:
    """The text of an error, of one whose ``str()`` raises too."""
    try:
        return str(error)
    except Exception:
        return "<no text>"


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
