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
from itertools import chain
from time import perf_counter_ns
from typing import Any, SupportsIndex, cast
from weakref import ref

from overcoat.middleware._exchange import ENVIRON_KEY, NO_HEADERS, Exchange, HeaderList, current, name_of
from overcoat.middleware._plan import SKIPPED, Plan, Plans

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Any]

_log = logging.getLogger("overcoat")

# Bound once: to look them up at each use would make a method object each time.
_get_current = current.get
_set_current = current.set


class Segment:
    """Layers fused around one application; itself a WSGI application, and the base of layers and stacks.

    Args:
        inner: The application inside of them.
        layers: The layers, outermost first.
    """

    _plans: Plans | None = None

    def __init__(self, inner: Application, layers: Iterable[Any]) -> None:
        self._plans = Plans(inner, layers)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Any:
        """Serve one request as a WSGI application."""
        plans = self._plans
        if plans is None:
            name = type(self).__name__
            raise TypeError(
                f"{self!r} is a part and wraps no app: "
                f"write {name}(app.wsgi_app, ...) or Stack(app.wsgi_app, [{name}(...)])"
            )
        # What Exchange.__init__ does, written again: this runs for every request, and a call costs as much as it does.
        run = (TransformRun if plans.transforms else Run)()
        run.started_ns = perf_counter_ns()
        run.environ = environ
        try:
            run.method = environ["REQUEST_METHOD"]
            run.raw_path = environ["PATH_INFO"]
            run.query = environ["QUERY_STRING"]
            run.peer = environ["REMOTE_ADDR"]
        except KeyError:
            run.read_entry(environ)
        run.server_start = start_response
        run.plans = plans
        run.plan = plans.all
        (
            run.status, run.error, run.outcome, run.route, run.endpoint, run.request_id, run._rare, run.headers,
            run.first_byte_ns, run.finished_ns, run.response_bytes, run.request_bytes, run._open,
            run.shared, run.body, run.iterated, run.exhausted, run.closed,
        ) = _AT_ENTRY  # fmt: skip
        shared = environ[ENVIRON_KEY]() if ENVIRON_KEY in environ else None
        if shared is None or shared._open <= 0 or (shared.environ is not environ and not run.joins(shared)):
            environ[ENVIRON_KEY] = ref(run)
            exchange = run
        else:
            run.shared = exchange = shared
            # The layers further in edit and read the environ that the app gets.
            run.outer_environ, shared.environ = shared.environ, environ
            shared._open += 1
        previous = _get_current()
        _set_current(exchange)
        index, skipped, answer = -1, 0, None
        try:
            for index, on_request in plans.entries:
                answer = on_request(exchange)
                if answer is not None:
                    if answer is SKIPPED:
                        skipped |= 1 << index
                        answer = None
                        continue
                    run.plan = plans.plan(index + 1, skipped)
                    break
            else:
                index = -1
                if skipped:
                    run.plan = plans.plan(len(plans.layers), skipped)
            if plans.all.follows and ("CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ):
                run.count_input(exchange)
            run.body = body = (plans.inner if answer is None else answer)(environ, run.start)
            if body is None and run.plan.follows:
                raise TypeError(_NONE)
            if plans.transforms:
                body = cast("TransformRun", run).transform(body)
        except BaseException as error:
            if index >= 0 and answer is None:
                # The layer that raised was not entered; those outside of it were, and may answer.
                run.plan = plans.plan(index, skipped)
            if not run.plan.follows and not run.has_callbacks:
                run.leave(exchange)
                raise
            run.body = body = run.answer(error)
            if body is None:
                if error.args == (_NONE,):
                    return None
                raise
        finally:
            _set_current(previous)
        follows = run.plan.follows or (plans.transforms and run.transformed)
        if not follows and (run._rare is None or not run.has_callbacks):
            run.leave(exchange)
            return body
        if type(body) in _HELD:
            return run.hold(body)
        wrapper = environ.get("wsgi.file_wrapper")
        if wrapper is not None and (isinstance(body, wrapper) if isinstance(wrapper, type) else hasattr(body, "read")):
            return run.hand_off(body)
        return run


class Run(Exchange):
    """One passage of a request through one segment: the exchange, ``start_response`` and the body's carrier.

    Where an outer segment made the exchange already, this one keeps its own counts and shows them to its own layers.
    """

    __slots__ = (
        "body", "closed", "exhausted", "iterated", "outer_environ", "plan", "plans", "server_start", "server_write",
        "shared", "written",
    )  # fmt: skip

    plan: Plan
    plans: Plans
    server_start: StartResponse
    server_write: Callable[[bytes], object]
    written: int | None

    # The exchange where an outer segment made one; None rather than self, a cycle for the garbage collector.
    shared: Exchange | None

    # What the app returned; None until then.
    body: Any
    # The environ that the exchange had outside of this segment; set where there is an outer one.
    outer_environ: Environ
    iterated: bool
    exhausted: bool
    closed: bool

    transformed: bool = False

    # The segment fills it in: to make an object without an __init__ of Python's costs a third.
    __init__ = object.__init__

    # The way in

    def joins(self, shared: Exchange) -> bool:
        """Whether a copied environ is still that of the outer segment's request, and not one made inside of it."""
        outer, inner = shared.environ, self.environ
        return inner.get("REQUEST_METHOD") == outer.get("REQUEST_METHOD") and _whole_path(inner) == _whole_path(outer)

    def count_input(self, exchange: Exchange) -> None:
        """Count what the app reads of the request's body, if somebody sees the end."""
        environ = self.environ
        stream = environ.get("wsgi.input")
        # Once for an exchange, whatever a stranger between two segments puts around the stream.
        if (
            self.plan.follows
            and stream is not None
            and not getattr(exchange, "_counts_input", False)
            and (environ.get("CONTENT_LENGTH") not in {"", "0", None} or "HTTP_TRANSFER_ENCODING" in environ)
        ):
            exchange._counts_input = True
            environ["wsgi.input"] = _CountedInput(stream, exchange)

    @property
    def has_callbacks(self) -> bool:
        """Whether somebody asked, in the app's call, to be told the end of the exchange that this run made."""
        return self._rare is not None and "callbacks" in self._rare

    def leave(self, exchange: Exchange) -> None:
        """End a passage that nobody follows."""
        self.body = _NO_BODY  # an app's iterable may hold its start_response, which is this
        exchange._open -= 1
        if exchange is not self:
            exchange.environ = self.outer_environ
        if exchange._open <= 0:
            exchange.environ.pop(ENVIRON_KEY, None)

    # start_response and write

    def start(self, status: str, response_headers: Any, exc_info: Any = None) -> Any:
        """What the app calls as ``start_response``."""
        if type(response_headers) is not list:
            return self.start_unseen(status, response_headers, exc_info)
        exchange = self if self.shared is None else self.shared
        plan, status_before, headers_before = self.plan, exchange.status, exchange.headers
        exchange.status = status
        exchange.headers = response_headers.copy()
        try:
            for on_headers in plan.on_headers:
                on_headers(exchange)
            if exc_info is None:
                write = self.server_start(exchange.status, exchange.headers)
            else:
                write = self.server_start(exchange.status, exchange.headers, exc_info)
        except BaseException:
            # It did not go out: what the client sees is what went before.
            exchange.status, exchange.headers = status_before, headers_before
            raise
        finally:
            exc_info = None
        if exchange is not self:
            self.status, self.headers = exchange.status, exchange.headers
        if not plan.follows:
            return write
        self.server_write = write
        return self.write

    def start_unseen(self, status: str, response_headers: Any, exc_info: Any) -> Any:
        """Hand on what is no list of headers: the server complains of it."""
        try:
            if exc_info is None:
                write = self.server_start(status, response_headers)
            else:
                write = self.server_start(status, response_headers, exc_info)
        finally:
            exc_info = None
        self.status = status
        if not self.plan.follows:
            return write
        self.server_write = write
        return self.write

    def start_instead(self, status: str, response_headers: Any, exc_info: Any = None) -> Any:
        """What an app that answers an error calls: the first time with that error, if it names none itself."""
        plan = self.plan
        exc_info, plan.exc_info = exc_info or plan.exc_info, None
        if "uwsgi.version" in self.environ:
            exc_info = None  # it takes a second start without one, and fails over any (unbit/uwsgi#2278)
        try:
            return self.start(status, response_headers, exc_info)
        finally:
            exc_info = None

    def write(self, data: bytes) -> None:
        """The server's ``write``, counted."""
        self.server_write(data)
        self.count(data)

    def count(self, chunk: Any) -> None:
        """Count a chunk, of whatever type: it is for the server to refuse it."""
        try:
            size = len(chunk)
        except TypeError:
            return
        if size and not self.first_byte_ns:
            self.first_byte_ns = perf_counter_ns()
        if self.response_bytes is not None:
            self.response_bytes += size

    # The body

    def hold(self, body: Any) -> "_ListBody":
        """A list or tuple of the app's as one that has a ``close``."""
        self.exhausted = not body
        held = _ListBody(body if type(body) is not _ListBody else list.__iter__(body))
        held.run = self
        held.source = body
        held.written = self.response_bytes
        return held

    def hand_off(self, file: Any) -> Any:
        """The server's own file, left as it is; its end is seen through its ``close`` where that can be set."""
        self.response_bytes = None
        self.body = _Closing(getattr(file, "close", None))
        try:
            file.close = self.close
        except (AttributeError, TypeError):
            self.body = _NO_BODY
            self.close()
        return file

    def __iter__(self) -> Iterator[Any]:
        exchange = self if self.shared is None else self.shared
        iterator: Iterator[Any] | None = None
        again = self.iterated
        if not again:
            self.written = self.response_bytes
            self.iterated = True
        elif self.exhausted:
            self.exhausted = False
        while True:
            previous = _get_current()
            _set_current(exchange)
            try:
                if iterator is None:
                    iterator = iter(self.body)
                    if again and iterator is not self.body:
                        self.response_bytes = self.written
                chunk = next(iterator, _END)  # half the cost of a StopIteration that is caught
            except BaseException as error:
                body = self.answer(error)
                if body is None:
                    raise
                self.body, iterator = body, None
                continue
            finally:
                _set_current(previous)
            if chunk is _END:
                self.exhausted = True
                return
            if type(chunk) is bytes:
                if chunk and not self.first_byte_ns:
                    self.first_byte_ns = perf_counter_ns()
                self.response_bytes += len(chunk)  # type: ignore[operator]  # None only where the server took a file
            else:
                self.count(chunk)
            yield chunk

    def close(self) -> None:
        """Close the app's iterable, then finish; a second call does nothing."""
        if self.closed:
            return
        self.closed = True
        exchange = self if self.shared is None else self.shared
        previous = _get_current()
        _set_current(exchange)
        try:
            close = getattr(self.body, "close", None)
            if close is not None:
                close()
        except BaseException as error:
            if self.error is None:
                self.error = error
            raise
        finally:
            self.body = _NO_BODY  # a file of the server's refers to this, which would be a cycle
            try:
                self.finish(exchange)
            finally:
                _set_current(previous)

    # Errors and the end

    def answer(self, error: BaseException) -> Any:
        """The body that a layer answers in place of what raised, or None: then the error goes on to the server."""
        exchange = self if self.shared is None else self.shared
        self.error = last = error
        if isinstance(last, Exception) and not self.first_byte_ns:
            plan = self.plan
            for index, on_error in plan.on_error:
                try:
                    app = on_error(exchange, last)
                    if app is None:
                        continue
                    self._abandon()
                    self.plan = self.plans.answered(index, plan, last)
                    body = app(self.environ, self.start_instead)
                except Exception as another:  # the layers further out are offered this one
                    self.error = last = another
                else:
                    self.error = None
                    return body
        if self.body is None:
            # The app's call raised: no body will bring a close.
            self.close()
        if last is not error:
            raise last
        return None

    def _abandon(self) -> None:
        """Close the response that an error page replaces."""
        close = getattr(self.body, "close", None)
        if close is not None:
            self.body = _NO_BODY
            try:
                close()
            except Exception:
                _log.exception("the close of a response that raised, raised too")

    def finish(self, exchange: Exchange) -> None:
        """Run every ``on_finish``, innermost first; called exactly once."""
        self.finished_ns = perf_counter_ns()
        if self.error is not None:
            self.outcome = "failed"
        elif self.exhausted:
            self.outcome = "complete" if self.status is not None or self.response_bytes else "handed_off"
        elif self.response_bytes is None:
            self.outcome = "handed_off"
        else:
            self.outcome = "complete" if self.method == "HEAD" else "aborted"  # its body is for nobody
        kept = None if exchange is self else self._show(exchange)
        # Whichever segment ends first is the one nearest to the app, whose callbacks these are.
        fatal = None if exchange._rare is None else _call_back(exchange)
        for on_finish in self.plan.on_finish:
            try:
                on_finish(exchange)
            except BaseException as error:
                fatal = _report(on_finish, exchange, error) or fatal
        if kept is not None:
            for name, value in kept:
                setattr(exchange, name, value)
            exchange.environ = self.outer_environ
        exchange._open -= 1
        if exchange._open <= 0:
            exchange.environ.pop(ENVIRON_KEY, None)
        if self.error is not None:
            self.error = None  # its traceback refers to the app's frame, and that to this
        if fatal is not None:
            raise fatal

    def _show(self, shared: Exchange) -> tuple[tuple[str, Any], ...]:
        """Put what this segment saw into the exchange of the outer one, whose own values are returned."""
        kept = tuple((name, getattr(shared, name)) for name in _SHOWN)
        for name in _SHOWN:
            setattr(shared, name, getattr(self, name))
        return kept


class TransformRun(Run):
    """The passage through a transform layer: what the app starts is held until the first chunk that the layer makes."""

    # Status, headers and exc_info of a response that has started and has not gone out.
    held: tuple[str, HeaderList, Any] | None = None
    committed: bool = False
    sized: bool = False

    def start(self, status: str, response_headers: Any, exc_info: Any = None) -> Any:
        """What the app calls as ``start_response``."""
        exchange = self if self.shared is None else self.shared
        if self.held is not None and exc_info is None:
            # A second start, of which the server shall complain; a segment further in has noted it already.
            exchange.status, exchange.headers, _ = self.held
            self.commit()
        if self.committed or self.plan.on_body is None or type(response_headers) is not list:
            self.commit()
            self.committed = True
            return super().start(status, response_headers, exc_info)
        exchange.status, exchange.headers = status, response_headers.copy()
        self.held = status, exchange.headers, exc_info
        return self.write

    def commit(self) -> None:
        """Let what is held go out, with what the layer made of status and headers."""
        if self.held is None:
            return
        exchange = self if self.shared is None else self.shared
        exc_info, self.held, self.committed = self.held[2], None, True
        write = super().start(exchange.status or "", exchange.headers, exc_info)
        if not self.plan.follows:
            self.server_write = write

    def write(self, data: bytes) -> None:
        """The server's ``write``: what an app writes itself goes out as it is, and so does all that follows."""
        self.commit()
        super().write(data)

    def transform(self, body: Any) -> Any:
        """The body that the layer makes of the app's, or the app's own."""
        self.body = body
        try:
            if self.held is None:
                # Started by the first next, if at all; or written already.
                lazy = not self.committed and self.plan.on_body is not None
                return self._carried(_Transformed(self, body, None)) if lazy else body
            chunks = self.choose(_lazily(body))
            if chunks is None:
                self.commit()
                return body
            if type(body) not in _HELD:
                return self._carried(_Transformed(self, body, chunks))
            return self._make_at_once(body, chunks)
        except BaseException:
            try:
                self._abandon()
            finally:
                self.body = None  # so that the request ends here: nobody else has a body to close
            raise

    def _abandon(self) -> None:
        self._let_go()
        super()._abandon()

    def finish(self, exchange: Exchange) -> None:
        self._let_go()
        super().finish(exchange)

    def _let_go(self) -> None:
        """Forget what is held: it never went out, and a record shall not say that it did."""
        if self.held is not None:
            # Nothing went out before it either; what stands there a segment further in may have noted.
            exchange, self.held = self if self.shared is None else self.shared, None
            exchange.status, exchange.headers = None, NO_HEADERS

    def _carried(self, body: "_Transformed") -> "_Transformed":
        self.transformed, self.body = True, body
        return body

    def _make_at_once(self, body: Any, chunks: Iterator[Any]) -> list[Any]:
        """What is in memory already is made at once, so that the server still sees a list and its length."""
        exchange = self if self.shared is None else self.shared
        try:
            made = list(chunks)
        finally:
            _close(chunks)
        if self.sized and exchange.header("content-length") is None:
            exchange.add_header("Content-Length", str(sum(map(len, made))))
        self.commit()
        self.transformed, self.body = True, body
        return made

    def choose(self, chunks: Iterator[Any]) -> Iterator[Any] | None:
        """The chunks that the layer makes of these, or None where the body goes out as it is."""
        on_body, exchange = self.plan.on_body, self if self.shared is None else self.shared
        code = exchange.status_code
        if on_body is None or self.held is None or self.method == "HEAD" or code in {None, 204, 304} or code < 200:
            return None
        sized = exchange.header("content-length")
        chosen = on_body(exchange, chunks)
        if chosen is not None:
            # The length was that of the app's body; the layer may have set its own by now.
            self.sized = sized is not None
            exchange.headers[:] = [pair for pair in exchange.headers if name_of(pair) != "content-length"]
        return chosen


class _Transformed:
    """The body that a transform layer makes of the app's, chunk by chunk."""

    def __init__(self, run: TransformRun, body: Any, chunks: Iterator[Any] | None) -> None:
        self.run = run
        self.body = body
        self.chunks = chunks

    def __iter__(self) -> Iterator[Any]:
        run, chunks = self.run, self.chunks
        if chunks is None:
            source, first = iter(self.body), []
            for chunk in source:
                if chunk or run.held is not None:
                    first.append(chunk)
                    break
                yield chunk
            rest = chain(first, source)
            self.chunks = chunks = run.choose(rest)
            if chunks is None:
                run.commit()
                chunks = rest
        for chunk in chunks:
            if chunk:
                run.commit()
            yield chunk
        run.commit()

    def close(self) -> None:
        try:
            if self.chunks is not None:
                _close(self.chunks)
        finally:
            _close(self.body)


def _lazily(body: Any) -> Iterator[Any]:
    """The chunks of a body whose ``iter`` is not asked before somebody wants one."""
    for chunk in body:  # noqa: UP028 - closing a "yield from" would close the body a first time
        yield chunk


def _close(iterable: Any) -> None:
    close = getattr(iterable, "close", None)
    if close is not None:
        close()


def _whole_path(environ: Environ) -> str:
    """The path whatever a dispatcher has shifted from PATH_INFO to SCRIPT_NAME."""
    return f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"


_SHOWN = ("status", "headers", "first_byte_ns", "finished_ns", "response_bytes", "error", "outcome")
_NO_BODY: tuple[()] = ()
# What a run begins with, in the order in which Segment.__call__ names it: unpacked, that is the least to execute.
_AT_ENTRY: Any = (*(None,) * 7, NO_HEADERS, 0, 0, 0, 0, 1, None, None, False, False, False)
_END: Any = object()
# None goes on to the server, which complains of it: granian would send the head before it asked a carrier for a chunk.
_NONE = "the app returned None, not an iterable of bytes"


class _Closing:
    """What stands for the body where the server took a file: only its ``close``."""

    def __init__(self, close: Callable[[], object] | None) -> None:
        if close is not None:
            self.close = close


class _ListBody(list[Any]):
    """A list or tuple of the app's, with a ``close``: servers still see its length, and may iterate it twice."""

    __slots__ = ("run", "source", "written")

    run: Run
    source: Any
    written: int | None

    def __iter__(self) -> Iterator[Any]:
        # gevent's own server sums the list up inside of its first step: each iterator has a sum of its own.
        run, total = self.run, self.written
        run.iterated = True
        for chunk in self.source:
            run.response_bytes = total
            run.count(chunk)
            total = run.response_bytes
            run.exhausted = False
            yield chunk
        run.response_bytes = total
        run.exhausted = True

    def close(self) -> None:
        self.run.close()

    def __del__(self) -> None:
        # Some servers (granian) join a list and never close it: then its end is when they let go of it.
        run = getattr(self, "run", None)
        if run is not None and not run.closed:
            run.close()


_HELD = frozenset({list, tuple, _ListBody})


def answer_with(status: str, headers: HeaderList, body: bytes) -> Application:
    """A WSGI application that gives every request the same response."""

    def answer(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response(status, headers.copy())
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]

    return answer


class _CountedInput:
    """``wsgi.input`` handed through, with the bytes that the app reads counted."""

    def __init__(self, stream: Any, exchange: Exchange) -> None:
        self._stream = stream
        self._exchange = exchange

    def __getattr__(self, name: str) -> Any:
        # What the stream does not have stays absent: readers ask for it, and choose another way.
        attribute = getattr(self._stream, name)
        return self._counting(attribute) if name in _READS else attribute

    def _counting(self, read: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            return self._counted(read(*arguments))

        return counted

    def _counted(self, result: Any) -> Any:
        if result:  # None where there is nothing yet; a number for what was read into a buffer
            self._exchange.request_bytes += result if isinstance(result, int) else len(result)
        return result

    def __next__(self) -> Any:
        return self._counted(next(self._stream))

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


_READS = frozenset({"readinto", "readinto1", "read1"})


def _call_back(exchange: Exchange) -> BaseException | None:
    """Run what was given to ``call_on_finish``, the last one first; an exit that one raised."""
    callbacks = (exchange._rare or {}).get("callbacks")
    fatal = None
    while callbacks:
        callback = callbacks.pop()
        try:
            callback(exchange)
        except BaseException as error:
            fatal = _report(callback, exchange, error) or fatal
    return fatal


def _report(on_finish: object, exchange: Exchange, error: BaseException) -> BaseException | None:
    """An error at the end is logged and breaks nothing; an exit is handed back until the others have run."""
    if not isinstance(error, Exception):
        return error
    name = getattr(on_finish, "__qualname__", repr(on_finish))
    _log.error("%s raised at the end of %s %r", name, exchange.method, exchange.raw_path, exc_info=error)
    return None
