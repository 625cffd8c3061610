r"""HTTPSRedirect: send a request that came by http to https.

>>> from overcoat.middleware import HTTPSRedirect
>>> def app(environ, start_response):
...     start_response("200 OK", [])
...     return [b"hello"]
>>> app = HTTPSRedirect(app, hosts=["example.com"], skip="/healthz")
>>> environ = {"REQUEST_METHOD": "GET", "HTTP_HOST": "example.com", "PATH_INFO": "/caf\xc3\xa9", "QUERY_STRING": "a=1"}
>>> start = lambda status, headers: print(status, dict(headers).get("Location"))
>>> app(environ | {"wsgi.url_scheme": "http"}, start)
301 Moved Permanently https://example.com/caf%C3%A9?a=1
[b'This site is served over https.\n']
>>> app(environ | {"wsgi.url_scheme": "https"}, start)
200 OK None
[b'hello']

GET and HEAD get a 301; other methods a 308, which keeps method and body. With ``permanent=False`` these are 302 and
307, which browsers do not remember: try it with that first.

It redirects to a host that you named and to no other, for the Host header is the client's word, and a cache may hand
the answer to somebody else. A request for another host gets a 400. Without ``hosts=``, those count that a
``TrustedHosts`` further out let through.

**Behind a proxy** that speaks https for you, the app is asked by http. Only ``ProxyFix`` further out can tell how the
client came, and a claim such as ``X-Forwarded-Proto: https`` that it did not believe changes nothing here. But then the
redirect leads to where the client is already. Such a request gets a temporary redirect, which no browser keeps, and
the log says once what to mend.

Not for an API whose clients send secrets with the first request: the secret has travelled in the clear by the time of
the redirect. Do not listen on http there. Strict-Transport-Security, which spares the next first request, is sent by
SecurityHeaders.

It stands inside ProxyFix, which tells the scheme, inside TrustedHosts, and inside RequestLog, so that a redirect has a
line.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Unpack

from overcoat.middleware._answers import plain_text
from overcoat.middleware._authority import parse_authority
from overcoat.middleware._exchange import Exchange
from overcoat.middleware._forwarded import header_of
from overcoat.middleware._hosts import TRUSTED_KEY, compile_hosts
from overcoat.middleware._layer import Layer
from overcoat.middleware._location import target_of
from overcoat.middleware._options import LayerOptions
from overcoat.middleware._wsgi import Application, Environ

#: Hosts that are reached without a network: http is safe there, and https seldom set up.
LOCAL_HOSTS = ("localhost", "*.localhost", "127.0.0.0/8", "[::1]")

_SECURE = frozenset({"https", "wss"})
# RFC 9110, sections 15.4.2, 15.4.3, 15.4.8 and 15.4.9; by whether it is permanent, and whether the method is kept.
_STATUS = {
    (True, False): "301 Moved Permanently",
    (True, True): "308 Permanent Redirect",
    (False, False): "302 Found",
    (False, True): "307 Temporary Redirect",
}
# Beyond this, what stands in between may fail on the header: nginx reads 4 or 8 KiB of them in all.
_LONGEST_LOCATION = 4000
# By what a request tells that the client came by https after all. Sec-Fetch-Site is sent by browsers to https alone.
_CLAIMS = {
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_FORWARDED": "proto=https",
    "HTTP_X_FORWARDED_SSL": "on",
    "HTTP_FRONT_END_HTTPS": "on",
    "HTTP_X_URL_SCHEME": "https",
    "HTTP_CF_VISITOR": "https",
    "HTTP_CLOUDFRONT_FORWARDED_PROTO": "https",
    "HTTP_SEC_FETCH_SITE": "",
}

_REFUSAL = plain_text("400 Bad Request", "This host is not served here.")
_TOO_LONG = plain_text("414 URI Too Long", "This site is served over https; the address is too long to send you there.")

_log = logging.getLogger("overcoat")


class HTTPSRedirect(Layer):
    """Redirect http to https.

    Args:
        app: The WSGI application to wrap.
        hosts: The hosts to redirect to, in the form of ``TrustedHosts``; a request for another one gets a 400. None:
            those that a ``TrustedHosts`` further out let through.
        exempt_hosts: Hosts that are served over http too, such as ``"10.0.0.0/8"`` for health checks that ask for the
            machine by its address. By default this machine's own names; None for no exception.
        permanent: Whether browsers may remember the redirect: 301 and 308, or 302 and 307.
        port: The port of https, 1 to 65535.
        **options: Those of every layer: ``skip`` (such as ``"/healthz"``), ``check_order``.

    Raises:
        ValueError: A pattern that is no host, a port that is none, or a ``permanent`` that is no boolean.
    """

    does = "redirects http to https"
    inside: ClassVar[Mapping[str, str]] = {
        "ProxyFix": "the scheme that is looked at is the one that ProxyFix corrected",
        "TrustedHosts": "a host that is refused gets no redirect",
        "RequestLog": "a redirected request has a line too",
    }

    def __init__(
        self,
        app: Application | None = None,
        *,
        hosts: Iterable[str] | None = None,
        exempt_hosts: Iterable[str] | None = LOCAL_HOSTS,
        permanent: bool = True,
        port: int = 443,
        **options: Unpack[LayerOptions],
    ) -> None:
        self._allows = None if hosts is None else compile_hosts(self, "hosts", hosts)
        self._exempts = _nobody if exempt_hosts is None else compile_hosts(self, "exempt_hosts", exempt_hosts)
        if not isinstance(permanent, bool):
            raise ValueError(f"HTTPSRedirect: permanent={permanent!r} must be True (301, 308) or False (302, 307)")
        self._permanent = permanent
        if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
            raise ValueError(f"HTTPSRedirect: port={port!r} must be a whole number from 1 to 65535")
        self._port = "" if port == 443 else f":{port}"
        self._told: set[str] = set()
        super().__init__(app, **options)

    def on_request(self, exchange: Exchange) -> Application | None:
        """Let the request pass, redirect it, or refuse it."""
        if exchange.environ.get("wsgi.url_scheme") in _SECURE:
            return None
        return self._answer(exchange)

    def _answer(self, exchange: Exchange) -> Application | None:
        environ = exchange.environ
        host = environ.get("HTTP_HOST", "")
        if self._exempts(host):
            return None
        authority = parse_authority(host)
        if authority is None or not self._is_allowed(environ, host):
            exchange.fields["refused_by"] = "HTTPSRedirect"
            return _REFUSAL
        scheme = "wss" if environ.get("wsgi.url_scheme") == "ws" else "https"
        location = f"{scheme}://{authority[0]}{self._port}{target_of(environ)}"
        if len(location) > _LONGEST_LOCATION:
            return _TOO_LONG
        headers = [("Location", location)]
        permanent = self._permanent
        claim = _claim(environ)
        if claim is not None:
            self._warn_of_a_loop(claim, environ)
            permanent = False
            headers.append(("Cache-Control", "no-store"))
        status = _STATUS[permanent, exchange.method not in {"GET", "HEAD"}]
        return plain_text(status, "This site is served over https.", headers)

    def _is_allowed(self, environ: Environ, host: str) -> bool:
        if self._allows is not None:
            return self._allows(host)
        if TRUSTED_KEY in environ:
            return environ[TRUSTED_KEY] == host  # type: ignore[no-any-return]
        self._tell(
            "hosts",
            "HTTPSRedirect: hosts=None redirects only to a host that TrustedHosts let through, and none did; requests "
            "by http get a 400. Write HTTPSRedirect(hosts=['example.com']), or put TrustedHosts(hosts=[...]) outside",
        )
        return False

    def _warn_of_a_loop(self, claim: str, environ: Environ) -> None:
        peer = environ.get("REMOTE_ADDR") or "unix:"
        self._tell(
            "loop",
            "HTTPSRedirect: a request came by http, but has a header %s as if its client had come by https: the "
            "redirect would lead it here again. If %.60r is your proxy, write ProxyFix(trusted=[%.60r]) outside of "
            "HTTPSRedirect, and let the proxy set X-Forwarded-Proto; such redirects are temporary until then",
            header_of(claim),
            peer,
            peer,
        )

    def _tell(self, topic: str, message: str, *arguments: Any) -> None:
        """Log a fault of the configuration, once: every request would have it."""
        if topic not in self._told:
            self._told.add(topic)
            _log.warning(message, *arguments)


def _nobody(_host: str) -> bool:
    return False


def _claim(environ: Environ) -> str | None:
    """The header by which the request says that its client came by https, or None."""
    for key, sign in _CLAIMS.items():
        value = environ.get(key)
        if value is not None and sign in value[:1024].lower():
            return key
    return None
