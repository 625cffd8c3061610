"""RequestID: one id for a request, on its response and on every line it logs.

The client's id is accepted where it is harmless (letters, digits and ``._:-``, at most 128 of them), so that an id
given by a gateway survives; anything else is replaced, and kept as ``client_request_id`` in the log. The id is in
``environ["overcoat.request_id"]``, in the request header that the app reads, and on the response of every status.

Do not use it as a secret: an id is a name for a request, and the client may choose it.

It stands outside RequestLog, so that no line is without an id.

>>> from overcoat.middleware import RequestID
>>> def app(environ, start_response):
...     start_response("200 OK", [])
...     return [environ["overcoat.request_id"].encode()]
>>> app = RequestID(app)
>>> environ = {"HTTP_X_REQUEST_ID": "gateway-7"}
>>> app(environ, lambda status, headers: print(headers))
[('X-Request-ID', 'gateway-7')]
[b'gateway-7']
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Unpack

from overcoat.middleware._asked import asked
from overcoat.middleware._exchange import Exchange
from overcoat.middleware._ids import new_id
from overcoat.middleware._layer import Layer
from overcoat.middleware._networks import Networks
from overcoat.middleware._options import LayerOptions, header_name, one_of
from overcoat.middleware._wsgi import Application

#: What is accepted from a client: safe in a header, a log line, a shell and a URL.
ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{1,128}")
# Whatever a pattern or a generator of the user's says: visible ASCII, which can split neither a header nor a line.
_SAFE = re.compile(r"[!-~]{1,256}")


class RequestID(Layer):
    """Accept or make an id for each request.

    Args:
        app: The WSGI application to wrap.
        header: The header that carries the id, on the request and on the response.
        policy: ``"accept"`` takes a client's id that is harmless; ``"replace"`` always makes a new one.
        pattern: Another idea of harmless: a regular expression, as text or compiled, that a client's id must match from
            end to end. Whatever it says, an id is at most 256 visible ASCII characters.
        generator: A callable without arguments that makes a new id, 1 to 256 visible ASCII characters, instead of 32
            random hexadecimal digits. It is tried once here. When it fails later, the first time is logged, and each
            time the request gets an id of the other kind.
        trusted: Addresses and networks of the peers whose ids are accepted, and ``"unix:"`` for a Unix socket; others
            get a new one. The peer is the other end of the connection: behind a proxy, the proxy. None accepts from
            everybody.
        **options: Those of every layer: ``skip``, ``check_order``.

    Raises:
        ValueError: A header that is no field name, an unknown policy, a pattern that is no regular expression on text,
            a generator that makes no id, an entry of ``trusted`` that is no address or network; ``pattern`` or
            ``trusted`` beside ``policy="replace"``, where they would have no effect.
    """

    does = "names the request"
    outside: ClassVar[Mapping[str, str]] = {"RequestLog": "every line carries the id, an early answer's too"}

    def __init__(
        self,
        app: Application | None = None,
        *,
        header: str = "X-Request-ID",
        policy: str = "accept",
        pattern: str | re.Pattern[str] | None = None,
        generator: Callable[[], str] | None = None,
        trusted: Iterable[str] | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        self._header = header_name(self, "header", header, "X-Request-ID")
        self._lower = header.lower()
        self._key = "HTTP_" + header.upper().replace("-", "_")
        self._matches: Callable[[str], object] = ACCEPTED.fullmatch if pattern is None else _matcher(pattern)
        self._trusts = None if trusted is None else Networks("RequestID", trusted).trusts
        if one_of(self, "policy", policy, ["accept", "replace"]) == "replace":
            for name, value in (("pattern", pattern), ("trusted", trusted)):
                if value is not None:
                    raise ValueError(f"RequestID: {name}={value!r} has no effect with policy='replace': leave one out")
            self._matches = _nothing
        self._new = new_id if generator is None else _checked(generator)
        super().__init__(app, **options)

    def on_request(self, exchange: Exchange) -> None:
        """Choose the id and hand it to the app."""
        environ = exchange.environ
        theirs = environ.get(self._key)
        if theirs is not None:
            if self._matches(theirs) and (self._trusts is None or self._trusts(exchange.peer)):
                environ["overcoat.request_id"] = exchange.request_id = theirs
                return
            exchange.client_request_id = theirs[:128] or None
        environ[self._key] = environ["overcoat.request_id"] = exchange.request_id = self._new()

    def on_headers(self, exchange: Exchange) -> None:
        """Name the request to the client; an app's own header of that name gives way, or log and client disagree."""
        request_id = exchange.request_id
        if request_id is None:
            return
        if exchange.has_header(self._lower):
            exchange.set_header(self._header, request_id)
        else:
            exchange.headers.append((self._header, request_id))


def _nothing(_text: str) -> bool:
    return False


def _matcher(pattern: str | re.Pattern[str]) -> Callable[[str], object]:
    try:
        compiled = re.compile(pattern)
    except (re.error, TypeError, ValueError) as error:
        raise ValueError(f"RequestID: pattern={pattern!r} is no regular expression: {error}") from error
    if not isinstance(compiled.pattern, str):
        raise ValueError(f"RequestID: pattern={pattern!r} matches bytes: an id is text, so leave out the b")
    return lambda text: _SAFE.fullmatch(text) and compiled.fullmatch(text)  # cheap and bounding first


def _is_id(made: Any) -> bool:
    return isinstance(made, str) and _SAFE.fullmatch(made) is not None


def _checked(generator: Callable[[], str]) -> Callable[[], str]:
    """The generator, if it makes an id, with ours behind it for the time when it does not.

    Raises:
        ValueError: It cannot be called, raises, or makes something else.
    """
    wants = "must be a callable without arguments that returns 1 to 256 visible ASCII characters"
    if not callable(generator):
        raise ValueError(f"RequestID: generator={generator!r} {wants}")
    try:
        made: Any = generator()
    except Exception as error:
        raise ValueError(f"RequestID: generator={generator!r} {wants}; it raised {error!r}") from error
    if not _is_id(made):
        hint = "" if isinstance(made, str) else ": write lambda: str(...)"
        raise ValueError(f"RequestID: generator={generator!r} {wants}; it returned {made!r}{hint}")
    ask = asked("RequestID", "generator", generator, _is_id, None)
    return lambda: ask() or new_id()
