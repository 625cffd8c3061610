"""Requests and responses as hostile clients, careless proxies, odd servers and odd apps make them, for fuzzing.

Values begin as what the grammar of their header allows and are then spoilt: a piece of another grammar, a control
character or 64 KiB of something get into them. A case is a plain value whose ``repr`` makes it again.

Hypothesis draws bytes, and a case is what they choose, byte by byte: this costs a twentieth of as many draws. The byte
0 chooses what is simplest, so that a failure still shrinks to a small case.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st

SIZE = 65536
BYTES = 192

T = TypeVar("T")


class Choice:
    """Bytes as choices; when they are used up, each further choice is the simplest."""

    def __init__(self, data: bytes) -> None:
        self._bytes = iter(data)

    def below(self, number: int) -> int:
        """A number from 0 on, below this one, which is at most 256."""
        return next(self._bytes, 0) * number >> 8

    def of(self, values: Sequence[T]) -> T:
        """One of these."""
        return values[self.below(len(values))]

    def some(self, make: Callable[["Choice"], T], most: int) -> list[T]:
        """So many at most."""
        return [make(self) for _ in range(self.below(most + 1))]


Make = Callable[[Choice], str]


def cases(make: Callable[[Choice], T]) -> st.SearchStrategy[T]:
    """A strategy of what a function makes of choices."""
    return st.binary(min_size=BYTES, max_size=BYTES).map(lambda data: make(Choice(data)))


@dataclass(frozen=True)
class Long:
    """64 KiB of a unit; short where a failure is printed."""

    unit: str
    size: int = SIZE

    def text(self) -> str:
        """The characters themselves."""
        return (self.unit * (self.size // len(self.unit) + 1))[: self.size]


@dataclass(frozen=True)
class Answer:
    """What an app does, and answers."""

    status: str = "200 OK"
    headers: tuple[Any, ...] = ()
    chunks: tuple[bytes, ...] = (b"ok",)
    fields: dict[str, Any] = field(default_factory=dict)
    timings: tuple[tuple[str, str | None], ...] = ()
    calls: tuple[str, ...] = ()
    streams: bool = False


@dataclass(frozen=True)
class Request:
    """What a client and its server make; ``missing`` names keys of a complete environ that this one has not."""

    environ: dict[str, Any]
    missing: tuple[str, ...] = ()

    def made(self) -> dict[str, Any]:
        """The environ, new each time."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "shop.example", "REMOTE_ADDR": "10.0.0.1",
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(b"body"),
            "wsgi.errors": io.StringIO(), "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
        }  # fmt: skip
        environ |= {key: plain(value) for key, value in self.environ.items()}
        for key in self.missing:
            environ.pop(key, None)
        return environ


def plain(value: Any) -> Any:
    """The value that a case stands for."""
    return value.text() if isinstance(value, Long) else value


# Of grammars, and of what breaks them: separators, marks, controls, spaces that only str.strip takes for such,
# characters that are no latin-1, digits that only int() takes for such, what a terminal or a browser acts on.
JUNK = (
    ",", ";", "=", ":", '"', "\\", '\\"', " ", "\t", "[", "]", "(", ")", "@", "/", "//", "/..", "?", "#", "&", "%", "*",
    "-", "_", ".", "..", "|", "<script>", "%0d%0a", "%00", "%2f", "%", "\r\n", "\n", "\r", "\0", "\x0b", "\x0c",
    "\x1b[2J",
    "\x1c", "\x7f", "\x85", "\x9b", "\xa0", "\xad", "\xb2", "\xff", "\xc3\xa9", "\xe2\x80\xae", "\u0663", "\u2028",
    "\u2029", "\u2066", "\u200f",
    "\u202e", "\ufeff", "\uff11", "\U0001f9e5", "\ud800", "0x", "+1", "1_0", "-1", "0", "80", "443", "65536", "9" * 40,
    "for=", "proto=", "host=", "by=", 'for="', "for=_x", "unknown", "http", "https", "javascript", "ws", "localhost",
    "shop.example", "evil.example", "10.0.0.1", "192.0.2.7", "[::1]", "::ffff:10.0.0.1", "token=", "password=", "a=b",
    "Set-Cookie: a=b", "ERROR forged", '"}', "{0}", "%s", "${jndi:x}", "\x1b]0;x\x07",
)  # fmt: skip
LONG = tuple(
    Long(unit)
    for unit in (
        "a", ",", " ", ":", "1.", '"', "\\", '\\"', "\t,", "a=b;", "a=b,", "[", "%", "%41", "&", "a=b&", "=", "\r\n",
        "\0",
        "\x1b", "\xff", "/", "/a", "for=1,", 'for="', "10.0.0.1,", "://a:b@", "?", "\ud800", "\u2028", "__Host-a;",
    )
)  # fmt: skip

TRUSTED = ("10.0.0.1", "10.255.0.9", "::ffff:10.0.0.2", "fd00::1", "FD00:0::2", "[fd00::3]:443", "10.0.0.4:8080")
UNTRUSTED = ("192.0.2.1", "198.51.100.9", "2001:db8::1", "[2001:DB8::2]:4711", "::ffff:192.0.2.3", "192.0.2.4:80")
NO_ADDRESS = (
    "unknown", "_hidden", "", "-", "10.0.0", "10.0.0.1.", "010.0.0.1", "0x0a.0.0.1", "10.0.0.256", "10.0.0.1:+80",
    "10.0.0.1:", "10.0.0.1:99999", "[10.0.0.1]", "[::1", "::1]", "\xa010.0.0.1", "10.0.0.1\x85", "10.0.0.1\x0b",
    "10.0.0.1/8",
    "fe80::1%eth0\n", "1\u0660.0.0.1", "for=10.0.0.1", "10.0.0.1;10.0.0.2", "localhost", "unix:", "::1::",
    "1.1.1.1 2.2.2.2",
)  # fmt: skip


def junk(choice: Choice) -> str:
    """Some pieces of whatever."""
    return "".join(choice.some(lambda choice: choice.of(JUNK), 5))


def one_of(*values: str) -> Make:
    """One of these; one time in four a piece of junk."""
    return lambda choice: choice.of(values if choice.below(4) < 3 else JUNK)


def lists_of(make: Make, separators: Sequence[str] = (", ", ",", " ,\t", ",,"), most: int = 4) -> Make:
    """A header of several elements."""
    return lambda choice: choice.of(separators).join(choice.some(make, most))


def joined(separator: str, *makes: Make) -> Make:
    """One of each."""
    return lambda choice: separator.join([make(choice) for make in makes])


ADDRESSES = (*UNTRUSTED, *TRUSTED, *UNTRUSTED, *TRUSTED, *NO_ADDRESS, "fe80::1%eth0")
NODES = (
    *ADDRESSES,
    *map('"{}"'.format, ADDRESSES),
    '"[2001:db8::1]"',
    '"192.0.2.9:_gate"',
    '"unknown"',
    '"\\1\\0.0.0.1"',
)


def address(choice: Choice) -> str:
    """What may stand in X-Forwarded-For, or should not."""
    return choice.of(ADDRESSES)


def _pair(choice: Choice) -> str:
    return f"{choice.of(('for', 'For', 'proto', 'host', 'by', 'secret', '', 'f r'))}={choice.of(NODES)}"


host = one_of(
    "shop.example", "SHOP.example.", "shop.example:443", "a.shop.example", "evil.example", "localhost:5001",
    "127.0.0.1",
    "[::1]", "[::1]:80", "[::ffff:10.0.0.1]", "shop.example:80:80", "shop.example/x", "x@shop.example", "xshop.example",
    "shop.example.evil.example", "-shop.example", "0x7f.1", "1.1", "a" * 64 + ".example", "a." * 130, "shop.example\n",
)  # fmt: skip
scheme = one_of("http", "https", "HTTPS", "ws", "wss", "https ", "h\xa0ttps")
port = one_of("80", "443", "8443", "0", "65536", "\u0668\u0660", "00080", "8_0")
prefix = one_of("/shop", "/shop/", "//evil.example", "/\\evil.example", "/a/../b", "/a\r\nX: y", "/%2e%2e", "/a?b", "a")
_segment = one_of("/", "healthz", "static", "..", "..;", ".", "caf\xc3\xa9", "//", "%2f", "*", "@evil.example")


def path(choice: Choice) -> str:
    """A path, mostly with a slash in front."""
    return choice.of(("/", "/", "", "//")) + "".join(choice.some(_segment, 5))


query = lists_of(
    joined("=", one_of("a", "page", "token", "access_token", "pass%77ord", "x[api_key]", "", "="), one_of("1", "s")),
    "&;",
)
traceparent = joined(
    "-",
    one_of("00", "01", "ff", "0"),
    one_of("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32, "F" * 32, "4b"),
    one_of("00f067aa0ba902b7", "0" * 16),
    one_of("01", "ff", "1", "01-x"),
)
tracestate = lists_of(joined("=", one_of("a", "b@c", "rojo", "a" * 256), one_of("1", " x", "a b", "x" * 257)), most=40)
cookie = lists_of(joined("=", one_of("a", "__Host-a", "__Secure-b", "session"), one_of("1", '"x"')), ("; ", ";"))
url = joined("", scheme, lambda _: "://", host, path, lambda _: "?", query)

#: What a key holds where nobody has spoilt it.
BY_KEY: dict[str, Make] = {
    "HTTP_X_FORWARDED_FOR": lists_of(address),
    "HTTP_X_FORWARDED_PROTO": lists_of(scheme, most=3),
    "HTTP_X_FORWARDED_HOST": lists_of(host, most=3),
    "HTTP_X_FORWARDED_PORT": lists_of(port, most=3),
    "HTTP_X_FORWARDED_PREFIX": lists_of(prefix, most=3),
    "HTTP_X_FORWARDED_SSL": scheme,
    "HTTP_FORWARDED": lists_of(lists_of(_pair, ";", 3)),
    "HTTP_HOST": host,
    "HTTP_X_REQUEST_ID": one_of("gateway-7", "a" * 128, "a" * 129, "A.b_c:d-e", "a b"),
    "HTTP_TRACEPARENT": traceparent,
    "HTTP_TRACESTATE": tracestate,
    "HTTP_USER_AGENT": one_of("Mozilla/5.0 (X11)", "curl/8", "\x1b[31mred"),
    "HTTP_REFERER": url,
    "HTTP_COOKIE": cookie,
    "QUERY_STRING": query,
    "PATH_INFO": path,
    "SCRIPT_NAME": prefix,
    "REMOTE_ADDR": address,
    "REQUEST_METHOD": one_of("GET", "HEAD", "POST", "OPTIONS", "CONNECT", "get", "BREW"),
    "SERVER_PROTOCOL": one_of("HTTP/1.1", "HTTP/1.0", "HTTP/2", "HTTP/", "INCLUDED"),
    "SERVER_NAME": host,
    "SERVER_PORT": port,
    "wsgi.url_scheme": scheme,
    "RAW_URI": url,
    "REQUEST_URI": path,
    "CONTENT_LENGTH": one_of("0", "3", "99999999999999999999", "-1", "+3", "3 "),
    "CONTENT_TYPE": one_of("text/plain", "multipart/form-data; boundary=x"),
}
#: Others that a client or a proxy may send.
OTHERS = (
    "HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP", "HTTP_TRUE_CLIENT_IP", "HTTP_CF_CONNECTING_IP", "HTTP_CLIENT_IP",
    "HTTP_X_FORWARDED", "HTTP_X_FORWARDED_BY", "HTTP_X_FORWARDED_SERVER", "HTTP_X_ORIGINAL_FORWARDED_FOR",
    "HTTP_FORWARDED_FOR", "HTTP_X_SCRIPT_NAME", "HTTP_X_ORIGINAL_URL", "HTTP_FRONT_END_HTTPS", "HTTP_CF_VISITOR",
    "HTTP_PROXY", "HTTP_SEC_FETCH_SITE", "HTTP_TRANSFER_ENCODING", "HTTP_ORIGIN", "HTTP_RANGE", "HTTP_IF_NONE_MATCH",
    "HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING", "HTTP_X_TRACE", "HTTP_", "HTTP_X\r\nY", "HTTP_X_FORWARDED_\xff",
)  # fmt: skip
#: What some servers, gateways and test clients hand over in place of text.
ODDLY_TYPED: tuple[tuple[str, Any], ...] = (
    ("REMOTE_ADDR", None), ("REMOTE_USER", None), ("REMOTE_PORT", 4711), ("SERVER_PORT", 80), ("SERVER_PORT", None),
    ("CONTENT_LENGTH", 3), ("CONTENT_LENGTH", None), ("wsgi.input", None), ("wsgi.errors", None),
    ("wsgi.version", "1.0"), ("wsgi.multithread", None), ("werkzeug.request", object), ("bottle.route", object),
    ("wsgi.file_wrapper", None),
)  # fmt: skip
MISSING = (
    "REMOTE_ADDR", "HTTP_HOST", "PATH_INFO", "SCRIPT_NAME", "QUERY_STRING", "SERVER_NAME", "SERVER_PORT",
    "SERVER_PROTOCOL", "REQUEST_METHOD", "wsgi.url_scheme", "wsgi.input", "wsgi.errors", "wsgi.version",
)  # fmt: skip
_KEYS = tuple(BY_KEY)
_ANY_KEY = (*BY_KEY, *OTHERS)


def spoilt(make: Make, choice: Choice) -> str:
    """What the function makes, half of the time with a piece of junk in it, or junk alone."""
    way, text = choice.below(8), make(choice)
    if way < 4:
        return text
    if way == 7:
        return junk(choice)
    place = choice.below(64) % (len(text) + 1)
    return f"{text[:place]}{choice.of(JUNK)}{text[place:]}"


def environ(choice: Choice, keys: Sequence[str] = _KEYS, most: int = 9) -> dict[str, Any]:
    """So many of these keys at most, now and then others, and one time in thirty 64 KiB of something."""
    made: dict[str, Any] = {}
    for _ in range(choice.below(most + 1)):
        kind = choice.below(16)
        if kind < 13:
            key = choice.of(keys)
            made[key] = spoilt(BY_KEY[key], choice)
        elif kind < 15:
            made[choice.of(_ANY_KEY)] = junk(choice)
        else:
            key, value = choice.of(ODDLY_TYPED)
            made[key] = value
    if choice.below(30) == 29:
        made[choice.of(_ANY_KEY)] = choice.of(LONG)
    return made


def request(choice: Choice, keys: Sequence[str] = _KEYS) -> Request:
    """A whole request."""
    return Request(
        environ(choice, keys), tuple(choice.some(lambda choice: choice.of(MISSING), 2)) if choice.below(4) == 3 else ()
    )


_ATTRIBUTES = one_of(
    "Path=/", "Domain=a", "Secure", "SECURE ", "HttpOnly", "SameSite=None", "SameSite=x", "Partitioned", ""
)
_set_cookie = joined(
    "; ", cookie, lists_of(_ATTRIBUTES, ("; ", ";")), one_of("", "Max-Age=1", "\r\nX: y", "\0", "\xff")
)
_NAMES = (
    "X-Request-ID", "X-Frame-Options", "Content-Security-Policy", "Strict-Transport-Security", "Cache-Control", "Vary",
    "Server-Timing", "Timing-Allow-Origin", "Location", "Expires", "Content-Type", "X-Odd", "", "a b", "\r\nX",
    "traceresponse", "content-LENGTH",
)  # fmt: skip
# Entries of which the server complains, not we.
NO_HEADERS = (
    ("X-Odd", 1), (None, "x"), ("only",), (), "no header", None, ("a", "b", "c"), ["Set-Cookie", "a=b"], (b"X", b"y"),
    ("Set-Cookie", None), ("Set-Cookie", b"a=b"), ("Set-Cookie", "a=b", "c"),
)  # fmt: skip


def _header(choice: Choice) -> Any:
    kind = choice.below(8)
    if kind < 3:
        return (choice.of(("Set-Cookie", "set-cookie", "SET-COOKIE")), spoilt(_set_cookie, choice))
    return (choice.of(_NAMES), junk(choice)) if kind < 7 else choice.of(NO_HEADERS)


def value(choice: Choice) -> Any:
    """What an app may put into a field."""
    kind = choice.below(6)
    if kind < 3:
        return junk(choice)
    if kind == 3:
        return choice.of(
            (None, True, 0, -1, 2**70, 1e308, float("nan"), float("inf"), b"\xff", object, {1, 2}, Long("\x1b"))
        )
    return choice.some(value, 2) if kind == 4 else {junk(choice): value(choice)}


def answer(choice: Choice) -> Answer:
    """What an app does and answers."""
    return Answer(
        status=one_of("200 OK", "204 No Content", "304 Not Modified", "404 Not Found", "200", "2", "999 ?")(choice),
        headers=tuple(choice.some(_header, 4)),
        chunks=choice.of(((b"ok",), (), (b"", b"o", b"k"))),
        fields={junk(choice): value(choice) for _ in range(choice.below(3))},
        timings=tuple(
            choice.some(
                lambda choice: (one_of("db", "total", "db query", "a" * 65)(choice), choice.of((None, *JUNK))), 3
            )
        ),
        calls=tuple(choice.some(lambda choice: choice.of(("nonce", "outgoing", "nonce", "raise")), 2)),
        streams=bool(choice.below(2)),
    )
