"""The driver: the one module that knows PEP 3333.

A :class:`Segment` is a run of layers fused around one application. For each request it makes one :class:`Run`, which is
the exchange, the ``start_response`` that the app gets, and the carrier of the body, at once: N layers cost about one.
The rules it keeps, each of which some wrapper gets wrong:

* the app's header list is copied, its ``exc_info`` forwarded, the server's ``write`` returned; what is not exactly a
  list goes to the server untouched, which complains;
* nothing assumes that headers exist when the app returns: ``start_response`` may come with the first ``next``;
* a list stays a list (servers read its length), a file of the server stays that file (sendfile survives), anything else
  goes chunk by chunk: nothing is read ahead, joined or buffered;
* ``close`` is the iterable's own, called exactly once, whatever happened; only then is the exchange finished;
* where no layer asks for the body's end, the app's own iterable is returned.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter_ns
from typing import Any, SupportsIndex

from overcoat.middleware._exchange import ENVIRON_KEY, Exchange, current
from overcoat.middleware._plan import Plan, Plans

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Any]

_log = logging.getLogger("overcoat")


class Segment(Plans):
    """Layers fused around one application, outermost first; itself a WSGI application."""

    def __init__(self, app: Application, layers: Iterable[Any]) -> None:
        super().__init__(layers)
        self.app = app

    @property
    def segment(self) -> "Segment":
        """Itself: walkers ask each wrapper for its segment."""
        return self

    def __call__(self, environ: Environ, start_response: StartResponse) -> Any:
        """Serve one request."""
        run = Run(environ, self, start_response)
        exchange: Exchange = run
        shared = environ.get(ENVIRON_KEY)
        if shared is None or shared.finished:
            environ[ENVIRON_KEY] = run
        else:
            run.shared = exchange = shared
        previous = current.get()
        current.set(exchange)
        try:
            app = run.enter(exchange) if self.entries else self.app
            if run.plan.follows:
                run.follow(exchange)
            body = app(environ, run)
        except BaseException as error:
            if not run.followed:
                run.leave(exchange)
                raise
            body = run.answer(error)
            if body is None:
                raise
        finally:
            current.set(previous)
        if not run.followed:
            if exchange._callbacks is None or run.shared is not None:
                run.leave(exchange)
                return body
            run.follow(exchange)
        return run.carry(body)


class Run(Exchange):
    """One passage of a request through one segment: the exchange, ``start_response`` and the body's carrier."""

    # Slots for what is the driver's, beside the exchange's attributes: CPython shares the keys of 30 attributes at most.
    __slots__ = (
        "body", "closed", "ended", "errors_plan", "exc_info", "exhausted", "file_close", "followed", "handed_off",
        "headers_plan", "iterated", "plan", "raised", "returned", "segment", "sent_bytes", "sent_first_ns",
        "sent_status", "server_start", "server_write", "shared", "skipped",
    )  # fmt: skip

    def __init__(self, environ: Environ, segment: Segment, server_start: StartResponse) -> None:
        super().__init__(environ)
        self.segment = segment
        self.server_start = server_start
        self.plan: Plan = segment.all
        # Fewer layers than entered once one of them has answered an error.
        self.headers_plan: Plan | None = None
        self.errors_plan: Plan | None = None
        # The exchange where an outer segment made one; None rather than self, a cycle for the garbage collector.
        self.shared: Exchange | None = None
        self.skipped = 0
        self.exc_info: Any = None
        self.followed = False

    # The way in

    def enter(self, exchange: Exchange) -> Application:
        """Run ``on_request`` from the outside in; the app that is to answer."""
        segment = self.segment
        at = 0
        try:
            for index, skips, on_request in segment.entries:
                at = index
                if skips is not None and skips(exchange):
                    self.skipped |= 1 << index
                elif on_request is not None:
                    answer = on_request(exchange)
                    if answer is not None:
                        self.plan = segment.plan(index + 1, self.skipped)
                        return answer
        except BaseException:
            # The layer that raised was not entered; those outside of it were, and may answer.
            self.plan = segment.plan(at, self.skipped)
            if self.plan.follows:
                self.follow(exchange)
            raise
        if self.skipped:
            self.plan = segment.plan(len(segment.layers), self.skipped)
        return segment.app

    def follow(self, exchange: Exchange) -> None:
        """From here on the body's end matters to somebody."""
        self.followed = True
        self.raised: BaseException | None = None
        self.body: Any = None
        self.file_close: Callable[[], object] | None = None
        self.server_write: Callable[[bytes], object] | None = None
        self.sent_status: str | None = self.status
        self.sent_bytes = self.sent_first_ns = 0
        self.returned = self.iterated = self.exhausted = False
        self.handed_off = self.closed = self.ended = False
        if self.shared is not None:
            exchange._open += 1
        environ = self.environ
        length = environ.get("CONTENT_LENGTH")
        if (length and length != "0") or "HTTP_TRANSFER_ENCODING" in environ:
            stream = environ.get("wsgi.input")
            if stream is not None and type(stream) is not _CountedInput:
                environ["wsgi.input"] = _CountedInput(stream, exchange)

    def leave(self, exchange: Exchange) -> None:
        """End a passage that nobody follows, or that all have seen the end of."""
        if self.followed or self.shared is None:
            exchange._open -= 1
        if exchange._open <= 0:
            self.environ.pop(ENVIRON_KEY, None)
            if exchange is not self:
                exchange.environ.pop(ENVIRON_KEY, None)

    # start_response and write

    def __call__(self, status: str, response_headers: Any, exc_info: Any = None) -> Any:
        """What the app calls as ``start_response``."""
        if self.exc_info is not None:
            exc_info, self.exc_info = exc_info or self.exc_info, None
        if type(response_headers) is list:
            exchange = self if self.shared is None else self.shared
            before = exchange.status, exchange.headers
            exchange.status = status
            exchange.headers = response_headers.copy()
            try:
                for on_headers in (self.headers_plan or self.plan).on_headers:
                    on_headers(exchange)
                status = exchange.status
                if exc_info is None:
                    write = self.server_start(status, exchange.headers)
                else:
                    write = self.server_start(status, exchange.headers, exc_info)
            except BaseException:
                # It did not go out: what the client sees is what went before.
                exchange.status, exchange.headers = before
                raise
            finally:
                exc_info = None
        elif exc_info is None:
            write = self.server_start(status, response_headers)
        else:
            write = self.server_start(status, response_headers, exc_info)
        if not self.followed:
            return write
        self.sent_status = status
        self.server_write = write
        return self.write

    def write(self, data: bytes) -> None:
        """The server's ``write``, counted."""
        if self.server_write is not None:
            self.server_write(data)
            self.count(data)

    def count(self, chunk: Any) -> None:
        """Count a chunk, of whatever type: it is for the server to refuse it."""
        try:
            size = len(chunk)
        except TypeError:
            return
        if size and not self.sent_first_ns:
            self.sent_first_ns = perf_counter_ns()
        self.sent_bytes += size

    # The body

    def carry(self, body: Any) -> Any:
        """What the server gets for the body that the app returned."""
        self.returned = True
        self.body = body
        kind = type(body)
        if kind is list or kind is tuple or kind is _ListBody:
            self.exhausted = not body
            held = _ListBody(body if kind is not _ListBody else list.__iter__(body))
            held.run = self
            held.source = body
            return held
        wrapper = self.environ.get("wsgi.file_wrapper")
        if wrapper is not None and (isinstance(body, wrapper) if isinstance(wrapper, type) else hasattr(body, "read")):
            # The server's own file: it is left as it is, and its end seen through its close where that can be set.
            self.handed_off = True
            self.file_close = getattr(body, "close", None)
            self.body = None
            try:
                body.close = self.close
            except (AttributeError, TypeError):
                self.closed = True
                self.end()
            return body
        return self

    def __iter__(self) -> Iterator[Any]:
        exchange = self if self.shared is None else self.shared
        get, put = current.get, current.set
        iterator: Iterator[Any] | None = None
        again, self.iterated, self.exhausted = self.iterated, True, False
        while True:
            previous = get()
            put(exchange)
            try:
                if iterator is None:
                    iterator = iter(self.body)
                    if again and iterator is not self.body:
                        self.sent_bytes = 0
                chunk = next(iterator)
            except StopIteration:
                self.exhausted = True
                return
            except BaseException as error:
                body = self.answer(error)
                if body is None:
                    raise
                self.body, iterator = body, None
                continue
            finally:
                put(previous)
            if type(chunk) is bytes:
                if chunk and not self.sent_first_ns:
                    self.sent_first_ns = perf_counter_ns()
                self.sent_bytes += len(chunk)
            else:
                self.count(chunk)
            yield chunk

    def close(self) -> None:
        """Close the app's iterable, then finish; a second call does nothing."""
        if self.closed:
            return
        self.closed = True
        previous = current.get()
        current.set(self if self.shared is None else self.shared)
        try:
            close = self.file_close if self.handed_off else getattr(self.body, "close", None)
            self.file_close = None
            if close is not None:
                close()
        except BaseException as error:
            if self.raised is None:
                self.raised = error
            raise
        finally:
            try:
                self.end()
            finally:
                current.set(previous)

    # Errors and the end

    def answer(self, error: BaseException) -> Any:
        """The body that a layer answers in place of what raised, or None: then the error goes on to the server."""
        exchange = self if self.shared is None else self.shared
        self.raised = error
        last: BaseException = error
        if isinstance(last, Exception) and not self.sent_first_ns:
            for index, on_error in (self.errors_plan or self.plan).on_error:
                try:
                    app = on_error(exchange, last)
                    if app is None:
                        continue
                    self._abandon()
                    self.headers_plan = self.segment.plan(index + 1, self.skipped)
                    self.errors_plan = self.segment.plan(index, self.skipped)
                    self.exc_info = (type(last), last, last.__traceback__)
                    body = app(self.environ, self)
                except Exception as another:  # the layers further out are offered this one
                    self.raised = last = another
                else:
                    self.raised = None
                    return body
        if not self.returned:
            # The app's call raised: no body will bring a close.
            self.closed = True
            self.end()
        if last is not error:
            raise last
        return None

    def _abandon(self) -> None:
        """Close the response that an error page replaces."""
        close, self.body = getattr(self.body, "close", None), None
        if close is not None:
            try:
                close()
            except Exception:
                _log.exception("the close of a response that raised, raised too")

    def end(self) -> None:
        """Publish how it went and run every ``on_finish``, innermost first, exactly once."""
        if self.ended:
            return
        self.ended = True
        exchange = self if self.shared is None else self.shared
        exchange.finished_ns = perf_counter_ns()
        exchange.status = self.sent_status
        exchange.first_byte_ns = self.sent_first_ns
        exchange.response_bytes = None if self.handed_off else self.sent_bytes
        exchange.error = self.raised
        exchange.outcome = self._outcome()
        fatal: BaseException | None = None
        callbacks = exchange._callbacks if self.shared is None else None
        while callbacks:
            fatal = _finish(callbacks.pop(), exchange) or fatal
        for on_finish in self.plan.on_finish:
            fatal = _finish(on_finish, exchange) or fatal
        self.leave(exchange)
        if fatal is not None:
            raise fatal

    def _outcome(self) -> str:
        if self.raised is not None:
            return "failed"
        if self.handed_off or (self.exhausted and self.sent_status is None and not self.sent_bytes):
            return "handed_off"
        if self.exhausted or (self.method == "HEAD" and not self.iterated):
            return "complete"
        return "aborted"


class _ListBody(list[Any]):
    """A list or tuple that the app returned, with a ``close``: servers still see its length, and may iterate it twice."""

    __slots__ = ("run", "source")

    run: Run
    source: Any

    def __iter__(self) -> Iterator[Any]:
        run = self.run
        run.iterated = True
        run.exhausted = False
        run.sent_bytes = 0
        for chunk in self.source:
            run.count(chunk)
            yield chunk
        run.exhausted = True

    def close(self) -> None:
        self.run.close()


class _CountedInput:
    """``wsgi.input`` handed through, with the bytes that the app reads counted."""

    def __init__(self, stream: Any, exchange: Exchange) -> None:
        self._stream = stream
        self._exchange = exchange

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _counted(self, data: Any) -> Any:
        self._exchange.request_bytes += len(data)
        return data

    def read(self, *size: SupportsIndex | None) -> Any:
        return self._counted(self._stream.read(*size))

    def readline(self, *size: SupportsIndex | None) -> Any:
        return self._counted(self._stream.readline(*size))

    def readlines(self, *hint: SupportsIndex | None) -> Any:
        lines = self._stream.readlines(*hint)
        self._exchange.request_bytes += sum(map(len, lines))
        return lines

    def __iter__(self) -> Iterator[Any]:
        for line in self._stream:
            yield self._counted(line)


def _finish(on_finish: Callable[[Exchange], object], exchange: Exchange) -> BaseException | None:
    """Run one; an error is logged and breaks nothing, an exit is handed back until the others have run."""
    try:
        on_finish(exchange)
    except Exception:
        name = getattr(on_finish, "__qualname__", repr(on_finish))
        _log.exception("%s raised at the end of %s %r", name, exchange.method, exchange.raw_path)
    except BaseException as exit_:
        return exit_
    return None
