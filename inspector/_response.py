"""One request to a WSGI app, in this process, and what it answered.

>>> from overcoat.inspector._response import ask
>>> def app(environ, start_response):
...     start_response("200 OK", [("Content-Type", "text/plain"), ("Vary", "Origin"), ("Vary", "Cookie")])
...     return [environ["wsgi.url_scheme"].encode()]
>>> response = ask(app, "GET", "https://example.com/")
>>> response.status, response.first("content-type"), response.joined("vary"), response.body
(200, 'text/plain', 'Origin, Cookie', b'https')

Only methods that change nothing are asked with (RFC 9110, section 9.2.1), from an address that nobody has (RFC 5737).

Werkzeug's test client is not used, because what is told must be what a server sends: that client raises where an app
answers an error through `exc_info` (PEP 3333) and a server sends its error page, loses a path of `//double` or `/%ff`
and the port of an IPv6 host, and knows no answer to an app that never calls `start_response`.
"""

import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import responses
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

# What is read of a page; more of it tells nothing more of its scripts.
LONGEST_BODY = 1 << 20
HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})

_CLIENT = "192.0.2.1"
_ASCII = bytes(range(128))  # a browser sends the rest of a URL percent-encoded (RFC 3986, section 2.1)
# A browser's, as far as apps look.
_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@dataclass(frozen=True)
class Response:
    """What the app answered.

    Attributes:
        method, url: What was asked.
        status: The code; 500 where the app raised.
        headers: The pairs, as they were sent.
        body: Of HTML the first ``LONGEST_BODY`` bytes, of anything else the first chunk.
        error: What the app raised, or "".
    """

    method: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    error: str = ""

    def all(self, name: str) -> list[str]:
        """The values of a header, one for each line that was sent."""
        return [value for key, value in self.headers if key.lower() == name]

    def first(self, name: str) -> str | None:
        """The header's first value, or None."""
        return next(iter(self.all(name)), None)

    def joined(self, name: str) -> str | None:
        """The header's lines as one value (RFC 9110, section 5.3), or None."""
        values = self.all(name)
        return ", ".join(values) if values else None

    @property
    def media_type(self) -> str:
        """Content-Type without its parameters, or ""."""
        return (self.first("content-type") or "").partition(";")[0].strip().lower()

    @property
    def is_html(self) -> bool:
        """Whether a browser shows it as a page."""
        return self.media_type in HTML_TYPES

    @property
    def asked(self) -> str:
        """What was asked, in a line."""
        return f"{self.method} {self.url}"

    @property
    def line(self) -> str:
        """Status and reason."""
        return f"{self.status} {responses.get(self.status, '')}".rstrip()


def ask(app: Any, method: str, url: str, headers: Mapping[str, str] | None = None) -> Response:
    """Send one request to the app.

    Args:
        app: A WSGI application.
        method: A safe one.
        url: With scheme and host.
        headers: Beside Host and Accept.
    """
    started: list[Any] = []

    def start_response(status: str, pairs: list[tuple[str, str]], exc_info: Any = None) -> Any:  # noqa: ARG001
        started[:] = [status, list(pairs)]
        return written.append

    written: list[bytes] = []
    error = ""
    try:
        iterable = app(make_environ(method, url, headers or {}), start_response)
        try:
            _read(iterable, started, written)
        finally:
            close = getattr(iterable, "close", None)
            if close is not None:
                close()
        if not started:
            error = "start_response was never called"
    except (Exception, SystemExit) as raised:
        error = f"{type(raised).__name__}: {raised}".removesuffix(": ")
    status, pairs = started if started and not error else ("500", [])
    code = status[:3]
    return Response(
        method,
        url,
        int(code) if code.isascii() and code.isdigit() else 500,
        tuple((str(name), str(value)) for name, value in pairs),
        b"".join(written)[:LONGEST_BODY],
        error,
    )


def make_environ(method: str, url: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """The environ of a request, as a server without a proxy would make it."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path or "/").decode("latin-1"),
        "QUERY_STRING": quote(parts.query, safe=_ASCII),
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": _CLIENT,
        "REMOTE_PORT": "49152",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in {"Host": parts.netloc, "Accept": _ACCEPT, **headers}.items():
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return environ


def _read(iterable: Any, started: list[Any], written: list[bytes]) -> None:
    """Read as much as is looked at: a page whole, of anything else the first chunk, of a stream of events nothing."""
    if started and _media_type(started) == "text/event-stream":
        return
    total = 0
    for chunk in iterable:
        written.append(chunk)
        total += len(chunk)
        if chunk and (total >= LONGEST_BODY or (started and _media_type(started) not in HTML_TYPES)):
            return


def _media_type(started: list[Any]) -> str:
    return Response("", "", 0, tuple(started[1])).media_type
