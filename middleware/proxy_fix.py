"""ProxyFix: the client's address and scheme, and on request host, port and prefix, as a trusted proxy saw them.

**A forwarding header is a claim.** Whoever can reach the app can send ``X-Forwarded-For: anything``. So name the
proxies:

>>> from overcoat.middleware import ProxyFix
>>> def app(environ, start_response):
...     start_response("200 OK", [])
...     return [environ["REMOTE_ADDR"].encode()]
>>> fixed = ProxyFix(app, trusted=["127.0.0.1", "::1", "10.0.0.0/8", "unix:"])
>>> start = lambda status, headers: None
>>> fixed({"REMOTE_ADDR": "10.0.0.7", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 192.0.2.1, 10.0.0.9"}, start)
[b'192.0.2.1']
>>> fixed({"REMOTE_ADDR": "198.51.100.9", "HTTP_X_FORWARDED_FOR": "6.6.6.6"}, start)
[b'198.51.100.9']

With ``trusted=`` the peer is looked at first. If it is not trusted, its forwarding headers are deleted, so that nothing
further in believes them. If it is, X-Forwarded-For is walked from the right to the first address that is not trusted:
the client. An element that is no address stops the walk and keeps the peer.

Without ``trusted=`` it is Werkzeug's ProxyFix: so many values are counted from the right, whoever the peer is. A value
that is not what its header promises (an address, a scheme, a host, a port, a path) is not taken, in either mode.

``header="forwarded"`` reads RFC 7239's ``Forwarded`` in the same way. The two families are never merged: the one that
is not read is deleted. X-Forwarded-Host, -Port and -Prefix count only if asked for (``x_host=1``), for most proxies
hand the client's own through. What was rewritten is kept in ``environ["overcoat.proxy_fix.orig"]`` (and
``"werkzeug.proxy_fix.orig"``).

``explain`` tells, hop by hop, what a request's headers come to and why; ``overcoat explain-proxy`` prints it.

It stands outside all that reads client, scheme or host. Behind no proxy leave it out, or write ``trusted=[]``.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from overcoat.middleware._authority import parse_host, parse_port
from overcoat.middleware._chain import Chain, chain_reader, element_at, parameter_at
from overcoat.middleware._contradictions import X_FAMILY, Contradictions
from overcoat.middleware._exchange import Exchange
from overcoat.middleware._forwarded import SCHEMES, delete_forwarding, parse_prefix, parse_scheme, with_port
from overcoat.middleware._hosts import compile_hosts
from overcoat.middleware._layer import Layer
from overcoat.middleware._networks import Networks
from overcoat.middleware._options import LayerOptions, one_of
from overcoat.middleware._proxy_options import count, does, lists, refuse_idle
from overcoat.middleware._wsgi import Application, Environ

if TYPE_CHECKING:
    from overcoat.middleware._explanation import Explanation

UNBOUNDED = 1 << 30
_ORIGINALS = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME")
# Chains come again and again, as their clients do: to walk one costs more than all the rest.
_REMEMBERED = 4096
_LONGEST_REMEMBERED = 256


class ProxyFix(Layer):
    """Correct the environ behind proxies.

    Args:
        app: The WSGI application to wrap.
        x_for: How many values of X-Forwarded-For (or ``for`` of ``Forwarded``) to believe, from the right; 1, or with
            ``trusted`` as many as the walk passes.
        x_proto: The same for X-Forwarded-Proto (``proto``).
        x_host: The same for X-Forwarded-Host (``host``); 0 leaves the host alone.
        x_port: The same for X-Forwarded-Port.
        x_prefix: The same for X-Forwarded-Prefix.
        trusted: Addresses and networks of the proxies, and ``"unix:"`` for a Unix socket. An empty list trusts nobody;
            None looks at no peer.
        header: Which family the proxies set: ``"x-forwarded"``, or ``"forwarded"`` for RFC 7239's, which has no port
            and no prefix. The other one is deleted.
        allowed_hosts: The hosts that X-Forwarded-Host may name: ``"example.com"``, ``"*.example.com"``,
            ``"example.com:8443"``, ``"[::1]"``. Another keeps host and port as they were. None allows every host.
        **options: Those of every layer: ``skip``, ``check_order``.

    Raises:
        ValueError: A count that is no whole number from 0 up, an entry of ``trusted`` that is no address or network, an
            entry of ``allowed_hosts`` that is no host, an unknown ``header``, or an option that would have no effect.
    """

    does = "corrects client and scheme"
    outside: ClassVar[Mapping[str, str]] = {
        "RequestLog": "the log line tells the client, scheme and host that ProxyFix corrects",
        "RequestID": "what reads the client must come after the correction",
    }

    def __init__(
        self,
        app: Application | None = None,
        x_for: int | None = None,
        x_proto: int | None = None,
        x_host: int | None = None,
        x_port: int | None = None,
        x_prefix: int | None = None,
        *,
        trusted: Iterable[str] | None = None,
        header: str = "x-forwarded",
        allowed_hosts: Iterable[str] | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        by_count = trusted is None
        default = 1 if by_count else UNBOUNDED
        self.x_for = count("x_for", x_for, default)
        self.x_proto = count("x_proto", x_proto, default)
        self.x_host = count("x_host", x_host, 0)
        self.x_port = count("x_port", x_port, 0)
        self.x_prefix = count("x_prefix", x_prefix, 0)
        self.header = one_of(self, "header", header, ["x-forwarded", "forwarded"])
        self._networks = Networks("ProxyFix", () if trusted is None else trusted)
        self.trusted = None if by_count else self._networks.listed
        self._allows = None if allowed_hosts is None else compile_hosts("ProxyFix", "allowed_hosts", allowed_hosts)
        refuse_idle(self)
        self._reads_forwarded = header == "forwarded"
        furthest = max(self.x_for, self.x_proto, self.x_host) if by_count else None
        self._chain = chain_reader(header, self._networks.look_up, self.x_for, furthest)
        self._trusts = None if by_count else self._networks.trusts
        # Whether a header with one value, as one proxy sends it, is read without a look at the rest.
        self._schemes = SCHEMES if self.x_proto == 1 or (self.x_proto and not by_count) else frozenset[str]()
        self._rewrites_host = bool(self.x_host or self.x_port or self.x_prefix)
        self._chains: dict[str, Chain] = {}
        self._contradictions = Contradictions(self.header, lists(self))
        self.does = does(self)  # type: ignore[misc]  # for this one
        super().__init__(app, **options)

    def on_request(self, exchange: Exchange) -> None:
        """Correct the environ, or delete what an untrusted peer claims."""
        environ = exchange.environ
        peer = environ.get("REMOTE_ADDR")
        if "HTTP_PROXY" in environ:
            del environ["HTTP_PROXY"]  # httpoxy, CVE-2016-1000110
        if self._trusts is not None and not self._trusts(peer):
            delete_forwarding(environ)
            return
        try:
            originals = {
                "REMOTE_ADDR": peer,
                "wsgi.url_scheme": environ["wsgi.url_scheme"],
                "HTTP_HOST": environ["HTTP_HOST"],
                "SERVER_NAME": environ["SERVER_NAME"],
                "SERVER_PORT": environ["SERVER_PORT"],
                "SCRIPT_NAME": environ["SCRIPT_NAME"],
            }
        except KeyError:
            originals = {key: environ.get(key) for key in _ORIGINALS}
        environ["overcoat.proxy_fix.orig"] = environ["werkzeug.proxy_fix.orig"] = originals
        if self._reads_forwarded:
            self._correct_by_forwarded(environ)
            return
        if "HTTP_FORWARDED" in environ:
            self._contradictions.warn(self._contradictions.of_families(environ))
            del environ["HTTP_FORWARDED"]
        hops = 1
        value = environ.get("HTTP_X_FORWARDED_FOR")
        if value:
            client, hops, _ = self._chains.get(value) or self._meet(environ, value)
            if client is not None:
                environ["REMOTE_ADDR"] = client
        value = environ.get("HTTP_X_FORWARDED_PROTO")
        if value:
            if value in self._schemes:
                environ["wsgi.url_scheme"] = value
            elif (scheme := parse_scheme(self._element(value, self.x_proto, hops))) is not None:
                environ["wsgi.url_scheme"] = scheme
        if self._rewrites_host:
            get = environ.get
            host = self._element(value, self.x_host, hops) if (value := get("HTTP_X_FORWARDED_HOST")) else ""
            port = self._element(value, self.x_port, hops) if (value := get("HTTP_X_FORWARDED_PORT")) else ""
            prefix = self._element(value, self.x_prefix, hops) if (value := get("HTTP_X_FORWARDED_PREFIX")) else ""
            self._rewrite_host(environ, host, port, prefix)

    def _correct_by_forwarded(self, environ: Environ) -> None:
        self._contradictions.warn(self._contradictions.of_families(environ))
        for key in X_FAMILY:
            if key in environ:
                del environ[key]
        value = environ.get("HTTP_FORWARDED")
        if not value:
            return
        client, hops, elements = self._chains.get(value) or self._remember(value, self._chain(value))
        if client is not None:
            environ["REMOTE_ADDR"] = client
        scheme = parse_scheme(self._parameter(elements, "proto", self.x_proto, hops))
        if scheme is not None:
            environ["wsgi.url_scheme"] = scheme
        if self.x_host:
            self._rewrite_host(environ, self._parameter(elements, "host", self.x_host, hops), "", "")

    def explain(self, environ: Mapping[str, Any]) -> "Explanation":
        """What this layer makes of a request's environ, hop by hop, and why; the environ stays as it is.

        Args:
            environ: A WSGI environ, or the few keys of one that matter: ``REMOTE_ADDR`` and ``HTTP_X_FORWARDED_FOR``,
                for example.

        >>> from overcoat.middleware import ProxyFix
        >>> fix = ProxyFix(trusted=["10.0.0.0/8"])
        >>> told = fix.explain({"REMOTE_ADDR": "10.0.0.7", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 192.0.2.1"})
        >>> told.client.value, told.client.why
        ('192.0.2.1', 'X-Forwarded-For, hop 1: the first address that is not trusted')
        """
        from overcoat.middleware._explain import explain  # noqa: PLC0415 - for people, not for a service at work

        return explain(self, environ)

    def _element(self, value: str, count: int, hops: int) -> str:
        """The element of X-Forwarded-* that counts, or ""."""
        return element_at(value, count, None if self.trusted is None else hops)

    def _parameter(self, elements: tuple[Mapping[str, str], ...], name: str, count: int, hops: int) -> str:
        """The parameter of ``Forwarded`` that counts, or ""."""
        return parameter_at(elements, name, count, None if self.trusted is None else hops)

    def _meet(self, environ: Environ, value: str) -> Chain:
        """Walk a chain that is not remembered: the time to look at what else there is."""
        chain = self._chain(value)
        self._contradictions.warn(self._contradicted(environ, chain.hops))
        return self._remember(value, chain)

    def _contradicted(self, environ: Mapping[str, Any], hops: int) -> Iterable[tuple[str, str]]:
        """What X-Forwarded-* and its like say that cannot all be true."""
        scheme = parse_scheme(self._element(environ.get("HTTP_X_FORWARDED_PROTO", ""), self.x_proto, hops))
        yield from self._contradictions.of_scheme(environ, scheme)
        yield from self._contradictions.of_lists(environ)

    def _remember(self, value: str, chain: Chain) -> Chain:
        if len(value) <= _LONGEST_REMEMBERED:
            if len(self._chains) >= _REMEMBERED:
                self._chains.clear()
            self._chains[value] = chain
        return chain

    def _rewrite_host(self, environ: Environ, host_text: str, port_text: str, prefix_text: str) -> None:
        host = parse_host(host_text) if host_text else None
        port = parse_port(port_text) if port_text else None
        if host is not None and self._allows is not None and not self._allows(with_port(host, port)):
            host = port = None  # the port was that of the host
        if host is not None:
            environ["HTTP_HOST"] = environ["SERVER_NAME"] = host
            if ":" in host and not host.endswith("]"):
                environ["SERVER_NAME"], environ["SERVER_PORT"] = host.rsplit(":", 1)
        if port is not None:
            if environ.get("HTTP_HOST"):
                environ["HTTP_HOST"] = with_port(environ["HTTP_HOST"], port)
            environ["SERVER_PORT"] = port
        if prefix_text and (prefix := parse_prefix(prefix_text)) is not None:
            environ["SCRIPT_NAME"] = prefix
