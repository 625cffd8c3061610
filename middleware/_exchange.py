r"""The exchange: what is known of one request and its response, from entry to true end.

The outermost segment of layers makes it, inner segments find it through ``environ["overcoat.exchange"]``, and
:func:`current_exchange` finds it from any handler, hook or streamed body.

>>> from overcoat.middleware import Exchange, current_exchange
>>> exchange = Exchange({"REQUEST_METHOD": "GET", "PATH_INFO": "/caf\xc3\xa9", "QUERY_STRING": "a=1"})
>>> exchange.method, exchange.path, exchange.query
('GET', '/café', 'a=1')
>>> exchange.status = "404 NOT FOUND"
>>> exchange.status_code
404
>>> current_exchange() is None
True
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from operator import itemgetter
from time import perf_counter_ns
from typing import Any, cast, overload

from overcoat.middleware._timings import Timings

HeaderList = list[tuple[str, str]]

#: Where the environ refers to its exchange, by a weak reference: a response that nobody closes is freed at once then.
ENVIRON_KEY = "overcoat.exchange"

# Restored by value, never by token: a token belongs to one context, and a stream may be closed from another.
current: ContextVar["Exchange | None"] = ContextVar("overcoat_exchange", default=None)


# Header names are lowered by functions of C: a loop in Python over a dozen of them costs more than a whole layer.
_first = itemgetter(0)
_lower = str.lower


def current_exchange() -> "Exchange | None":
    """The exchange of the request that is being served here, or None outside one."""
    return current.get()


def exchange_of(environ: Mapping[str, Any]) -> "Exchange | None":
    """The exchange of a request that is being served, by its environ, or None where no layer is around."""
    reference = environ.get(ENVIRON_KEY)
    return None if reference is None else reference()


# Empty, and not to be appended to: it is the same for every exchange whose response has not started.
NO_HEADERS = cast("HeaderList", ())


class _Rare:
    """An attribute that few requests have: text, or None."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, exchange: None, owner: type) -> "_Rare": ...
    @overload
    def __get__(self, exchange: "Exchange", owner: type) -> str | None: ...
    def __get__(self, exchange: "Exchange | None", owner: type) -> "_Rare | str | None":
        if exchange is None:
            return self
        return None if exchange._rare is None else exchange._rare.get(self.name)

    def __set__(self, exchange: "Exchange", value: str | None) -> None:
        if exchange._rare is None:
            exchange._rare = {}
        exchange._rare[self.name] = value


class _Followed(_Rare):
    """One that a tracer further in may replace until the response starts: whoever asks gets its value of now."""

    @overload
    def __get__(self, exchange: None, owner: type) -> "_Rare": ...
    @overload
    def __get__(self, exchange: "Exchange", owner: type) -> str | None: ...
    def __get__(self, exchange: "Exchange | None", owner: type) -> "_Rare | str | None":
        if exchange is None:
            return self
        rare = exchange._rare
        if rare is None:
            return None
        if "follow_trace" in rare:
            rare["follow_trace"](rare)
        return rare.get(self.name)


class Exchange:
    """One request and its response.

    Args:
        environ: The WSGI environ of the request.

    Attributes:
        environ: The WSGI environ; ``on_request`` may edit it in place.
        method: The method, at entry.
        raw_path: PATH_INFO at entry, as WSGI hands it on (bytes as latin-1).
        query: QUERY_STRING at entry, undecoded.
        peer: REMOTE_ADDR at entry: the address of the connection, before any proxy header was believed.
        status: The status line that went out, such as ``"200 OK"``; None before ``start_response``.
        headers: The response headers, a list of pairs from ``on_headers`` on; empty before.
        started_ns, first_byte_ns, finished_ns: ``perf_counter_ns`` at entry, when the first non-empty chunk was taken
            from the app, and at the true end; 0 is "not yet".
        response_bytes: Bytes of body handed to the server so far; None where the server took a file.
        request_bytes: Bytes that the app read from the request body.
        error: What the app raised and no layer answered; let go of after the last ``on_finish``.
        outcome: At the end: ``complete``, ``aborted`` (closed before it was exhausted), ``failed`` (raised) or
            ``handed_off`` (the server took a file or the connection); None before.
        route, endpoint: The route template and the endpoint that served the request, where the framework tells.
        request_id, client_request_id: The id of the request, and one from the client that was refused.
        trace_id, span_id: The distributed trace and this request's span in it, as hexadecimal digits.
        error_type, error_message, error_at: What an error handler knows of an error that never reached WSGI.
    """

    # Slots that are written at the start: to read a default of the class costs ten times as much as a slot.
    __slots__ = (
        "__weakref__", "_counts_input", "_open", "_rare", "endpoint", "environ", "error", "finished_ns",
        "first_byte_ns", "headers", "method", "outcome", "peer", "query", "raw_path", "request_bytes", "request_id",
        "response_bytes", "route", "started_ns", "status",
    )  # fmt: skip

    environ: dict[str, Any]
    method: str
    raw_path: str
    query: str
    peer: str | None
    status: str | None
    headers: HeaderList

    started_ns: int
    first_byte_ns: int
    finished_ns: int
    response_bytes: int | None
    request_bytes: int
    error: BaseException | None
    outcome: str | None
    route: str | None
    endpoint: str | None
    request_id: str | None
    # Set where somebody counts what the app reads of a body.
    _counts_input: bool
    # How many segments have not seen the end; 0 marks an exchange that is over.
    _open: int
    # What few requests have, by name.
    _rare: dict[str, Any] | None

    def __init__(self, environ: dict[str, Any]) -> None:
        self.started_ns = perf_counter_ns()
        self.environ = environ
        self.read_entry(environ)
        self.status = self.error = self.outcome = self.route = self.endpoint = self.request_id = self._rare = None
        self.headers = NO_HEADERS
        self.first_byte_ns = self.finished_ns = self.response_bytes = self.request_bytes = 0
        self._open = 1

    def read_entry(self, environ: dict[str, Any]) -> None:
        """Keep what the environ says at entry, where a key may be missing."""
        get = environ.get
        self.method = get("REQUEST_METHOD", "")
        self.raw_path = get("PATH_INFO", "")
        self.query = get("QUERY_STRING", "")
        self.peer = get("REMOTE_ADDR")

    client_request_id = _Rare()
    trace_id = _Followed()
    span_id = _Followed()
    error_type = _Rare()
    error_message = _Rare()
    error_at = _Rare()

    def _made(self, name: str, make: Callable[[], Any]) -> Any:
        rare = self._rare
        if rare is None:
            rare = self._rare = {}
        made = rare.get(name)
        return made if made is not None else rare.setdefault(name, make())  # a thread of the request may be as fast

    @property
    def path(self) -> str:
        r"""PATH_INFO at entry as text; bytes that are not UTF-8 stand as ``\xNN``."""
        return decode_path(self.raw_path)

    @property
    def status_code(self) -> int | None:
        """The status as a number, or None where there is none or the app sent nonsense."""
        return parse_status(self.status) if type(self.status) is str else None

    @property
    def duration_ms(self) -> float:
        """Milliseconds from entry to the end, or to now while the exchange is open."""
        return ((self.finished_ns or perf_counter_ns()) - self.started_ns) / 1e6

    @property
    def state(self) -> dict[Any, Any]:
        """A dict for what layers and bundles keep for this request, made on demand."""
        return self._made("state", dict)  # type: ignore[no-any-return]

    @property
    def fields(self) -> dict[str, Any]:
        """What the app adds to the request's log line, made on demand."""
        return self._made("fields", dict)  # type: ignore[no-any-return]

    @property
    def timings(self) -> Timings:
        """Name to ``[nanoseconds, count]``, made on demand; add to it with ``add_timing``."""
        return self._made("timings", Timings)  # type: ignore[no-any-return]

    @property
    def finished(self) -> bool:
        """Whether the last layer has seen the end."""
        return self._open <= 0

    def add_timing(self, name: str, duration_ns: int, count: int = 1, description: str | None = None) -> None:
        """Add a duration that was measured elsewhere, and has just ended, to those of the same name.

        Inside of a :func:`timer` of that name it counts, but its time is not added a second time. Never fails for a
        name: what is no token becomes ``_``, and the time of names beyond the 64th is kept under ``other``.

        Args:
            name: What was measured, as for :func:`timer`.
            duration_ns: How long it took, in nanoseconds.
            count: How many times it happened in that time.
            description: What it is, for people.
        """
        self.timings.add(name, duration_ns, count, description)

    def call_on_finish(self, callback: Callable[["Exchange"], object]) -> None:
        """Call ``callback(exchange)`` at the true end, before the layers' ``on_finish``; the last one added runs first.

        Works from the app's call on, and in a stream that a layer already follows. An error in it is logged.
        """
        self._made("callbacks", list).append(callback)

    def header(self, name: str) -> str | None:
        """The first response header of that name, in any case, or None."""
        lower = name.lower()
        for pair in self.headers:
            if name_of(pair) == lower:
                return pair[1]
        return None

    def header_names(self) -> set[str]:
        """The names of the response headers in lower case."""
        try:
            return set(map(_lower, map(_first, self.headers)))
        except (TypeError, IndexError, KeyError):
            return {name_of(pair) for pair in self.headers}

    def has_header(self, lower_name: str) -> bool:
        """Whether a header of that name, given in lower case, is there."""
        try:
            return lower_name in _lowered((*map(_first, self.headers),))
        except (TypeError, IndexError, KeyError):
            return any(name_of(pair) == lower_name for pair in self.headers)

    def add_header(self, name: str, value: str) -> None:
        """Append a header, beside others of the same name.

        Raises:
            ValueError: The value holds CR, LF or NUL.
            RuntimeError: The response has not started.
        """
        self._started_headers().append((name, _checked(name, value)))

    def _started_headers(self) -> HeaderList:
        if self.headers is NO_HEADERS:
            raise RuntimeError("the response has not started: a layer edits headers in on_headers")
        return self.headers

    def set_header(self, name: str, value: str) -> None:
        """Put one header in place of all of that name.

        Raises:
            ValueError: The value holds CR, LF or NUL.
            RuntimeError: The response has not started.
        """
        headers = self._started_headers()
        lower = name.lower()
        for pair in headers:
            if name_of(pair) == lower:
                headers[:] = [other for other in headers if name_of(other) != lower]
                break
        headers.append((name, _checked(name, value)))

    def vary(self, *names: str) -> None:
        """Merge names into Vary; ``*`` stays what it is (RFC 9110, section 12.5.5)."""
        present = [
            token.strip(" \t") for pair in self.headers if name_of(pair) == "vary" for token in pair[1].split(",")
        ]
        known = {token.lower() for token in present}
        missing = [name for name in names if name.lower() not in known]
        if missing and "*" not in known:
            self.set_header("Vary", ", ".join([*filter(None, present), *missing]))


@lru_cache(maxsize=64)  # apps send the same few sequences of names again and again
def _lowered(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(_lower, names))


@lru_cache(maxsize=256)
def parse_status(status: str) -> int | None:
    """The number of a status line (RFC 9112, section 4), or None."""
    code = status[:3]
    return int(code) if len(code) == 3 and code.isascii() and code.isdigit() else None


def _checked(name: str, value: str) -> str:
    # isprintable() is the cheap question whose "yes" excludes every control character.
    if not value.isprintable() and any(character in value for character in "\r\n\0"):
        raise ValueError(f"{name}={value!r} would split the response: a header value has no CR, LF or NUL")
    return value


def name_of(pair: Any) -> str:
    """The lower-case name of a header, or "" for an entry that is no header (the server complains of it, not we)."""
    try:
        return str(pair[0]).lower()
    except (TypeError, IndexError, KeyError):
        return ""


def decode_path(raw: str) -> str:
    """A path of the environ (PEP 3333: bytes as latin-1) as text, without ever raising."""
    if raw.isascii():
        return raw
    try:
        return raw.encode("latin-1").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return raw
