r"""TrustedHosts: refuse requests for hosts that are not yours.

The Host header is the client's word. What an app makes of it (a link in a mail, a redirect, the key of a cache) is then
the client's word too, and a page of another site whose name points at your address (DNS rebinding) asks with its own.
So name your hosts; a request for another one gets a 400 before the app sees it:

>>> from overcoat.middleware import TrustedHosts
>>> def app(environ, start_response):
...     start_response("200 OK", [])
...     return [b"hello"]
>>> app = TrustedHosts(app, hosts=["example.com", "*.example.com"])
>>> start = lambda status, headers: print(status)
>>> app({"HTTP_HOST": "www.example.com"}, start)
200 OK
[b'hello']
>>> app({"HTTP_HOST": "evil.example"}, start)
400 Bad Request
[b'This host is not served here.\n']

Refused are also a Host that no host looks like (``a.example, b.example``, as some servers join two headers), none at
all, and a request line in absolute form that names another host than the header (RFC 9112, sections 3.2 and 3.2.2).

Do not count on it to keep a service private: whoever reaches the port can send any name.

A health check that asks for the machine by its address needs that address or its network among the hosts, or
``skip="/healthz"``. A refusal is no error of yours, so nothing but the request's own log line tells of it: it has the
host, and the field ``refused_by``.

It stands inside ProxyFix, which may correct the host, and inside RequestLog, so that a refusal has a line.
"""

import re
from collections.abc import Iterable, Mapping
from typing import ClassVar, Unpack

from overcoat.middleware._answers import plain_text
from overcoat.middleware._authority import parse_authority
from overcoat.middleware._exchange import Exchange
from overcoat.middleware._hosts import HOSTS_REQUIRED, TRUSTED_KEY, compile_hosts
from overcoat.middleware._layer import Layer
from overcoat.middleware._options import LayerOptions, refuse_unknown
from overcoat.middleware._wsgi import Application

_COMMON = LayerOptions.__annotations__
_REFUSAL = plain_text("400 Bad Request", "This host is not served here.")


class TrustedHosts(Layer):
    """Answer 400 to a request for an unknown host.

    Args:
        app: The WSGI application to wrap.
        hosts: The hosts that are yours: a name (``"example.com"``, on any port), names below one (``"*.example.com"``,
            at any depth, without ``example.com`` itself), a name with a port (``"example.com:8080"``), an address
            (``"192.0.2.1"``, ``"[::1]"``), a network (``"10.0.0.0/8"``), or ``"*"`` for every well-formed one.
        allow_missing: Whether a request of HTTP/1.0, which may have no Host, passes without one. The app then knows no
            host but the server's own name.
        **options: Those of every layer: ``skip``, ``check_order``.

    Raises:
        ValueError: No hosts, or a pattern that is no host or could match none.
    """

    does = "refuses unknown hosts"
    inside: ClassVar[Mapping[str, str]] = {
        "ProxyFix": "the host that is looked at is the one that ProxyFix corrected",
        "RequestLog": "a refused request has a line too",
    }

    def __init__(
        self,
        app: Application | None = None,
        *,
        hosts: Iterable[str] | None = None,
        allow_missing: bool = False,
        **options: Unpack[LayerOptions],
    ) -> None:
        if hosts is None and app is not None and not callable(app):
            raise ValueError(f"TrustedHosts: app={app!r} is no application: write TrustedHosts(hosts={app!r})")
        if hosts is None:
            refuse_unknown(type(self), {name: value for name, value in options.items() if name not in _COMMON})
            raise ValueError(f"TrustedHosts: hosts=None {HOSTS_REQUIRED}")
        self._trusts = compile_hosts(self, "hosts", hosts)
        if not isinstance(allow_missing, bool):
            raise ValueError(f"TrustedHosts: allow_missing={allow_missing!r} must be True or False")
        self._allow_missing = allow_missing
        super().__init__(app, **options)

    def on_request(self, exchange: Exchange) -> Application | None:
        """Let the request pass, or refuse it."""
        environ = exchange.environ
        host = environ.get("HTTP_HOST")
        if host is not None and self._trusts(host):
            # The target of the request line as it was: gunicorn and Werkzeug's server, then most others.
            target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
            if not target or target[0] == "/" or _names(target, host):
                environ[TRUSTED_KEY] = host
                return None
        elif host is None and self._allow_missing and environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
            return None
        exchange.fields["refused_by"] = "TrustedHosts"
        return _REFUSAL


def _names(target: str, host: str) -> bool:
    """Whether a target in absolute form names the same host as the header; other forms name none."""
    _, separator, rest = target.partition("://")
    if not separator:
        return True
    theirs = parse_authority(re.split(r"[/?#]", rest, maxsplit=1)[0])
    ours = parse_authority(host)
    return theirs is not None and ours is not None and theirs[0] == ours[0]
