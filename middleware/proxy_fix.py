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

X-Forwarded-Host, -Port and -Prefix count only if asked for (``x_host=1``), for most proxies hand the client's own
through.
What was rewritten is kept in ``environ["overcoat.proxy_fix.orig"]`` (and ``"werkzeug.proxy_fix.orig"``).

It stands outside all that reads client, scheme or host.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import ClassVar, Unpack

from overcoat.middleware._exchange import Exchange
from overcoat.middleware._forwarded import (
    LONGEST_ADDRESS,
    SCHEMES,
    delete_forwarding,
    parse_address,
    parse_host,
    parse_port,
    parse_prefix,
    parse_scheme,
    split_list,
)
from overcoat.middleware._layer import Layer
from overcoat.middleware._options import LayerOptions
from overcoat.middleware._wsgi import Application, Environ

UNBOUNDED = 1 << 30
_ORIGINALS = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME")


class ProxyFix(Layer):
    """Correct the environ behind proxies.

    Args:
        app: The WSGI application to wrap.
        x_for: How many values of X-Forwarded-For to believe, from the right; 1, or with ``trusted`` as many as the walk
            passes.
        x_proto: The same for X-Forwarded-Proto.
        x_host: The same for X-Forwarded-Host; 0 leaves the host alone.
        x_port: The same for X-Forwarded-Port.
        x_prefix: The same for X-Forwarded-Prefix.
        trusted: Addresses and networks of the proxies, and ``"unix:"`` for a Unix socket. An empty list trusts nobody;
            None looks at no peer.
        **options: Those of every layer: ``skip``, ``check_order``.

    Raises:
        ValueError: A count that is no whole number from 0 up, or an entry of ``trusted`` that is no address or network.
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
        **options: Unpack[LayerOptions],
    ) -> None:
        default = 1 if trusted is None else UNBOUNDED
        self.x_for = _count("x_for", x_for, default)
        self.x_proto = _count("x_proto", x_proto, default)
        self.x_host = _count("x_host", x_host, 0)
        self.x_port = _count("x_port", x_port, 0)
        self.x_prefix = _count("x_prefix", x_prefix, 0)
        self.trusted = None if trusted is None else _networks(trusted)
        if trusted is None:
            self.does = "corrects client and scheme; trusts any peer"  # type: ignore[misc]  # for this one
        elif not self.trusted:
            self.does = "deletes forwarding headers; trusts nobody"  # type: ignore[misc]
        self._unix = self.trusted is not None and "unix:" in self.trusted
        # Addresses come again and again: parsing one costs more than all the rest.
        self._known = lru_cache(maxsize=4096)(self._look_up)
        self._trusts = None if trusted is None else lru_cache(maxsize=4096)(self._trusts_peer)
        # Whether a header with one value, as one proxy sends it, is read without a look at the rest.
        self._one_for = self.x_for == 1 or (trusted is not None and self.x_for > 0)
        self._one_proto = self.x_proto == 1 or (trusted is not None and self.x_proto > 0)
        self._rewrites_host = bool(self.x_host or self.x_port or self.x_prefix)
        super().__init__(app, **options)

    def _look_up(self, text: str) -> tuple[str | None, bool]:
        """A peer or an element of X-Forwarded-For: the address, and whether it is trusted."""
        address = parse_address(text.strip(" \t"))
        if address is None:
            return None, False
        parsed = ip_address(address)
        networks = self.trusted or ()
        return address, any(not isinstance(network, str) and parsed in network for network in networks)

    def _trusts_peer(self, peer: str | None) -> bool:
        if peer is None:
            return False
        # On a Unix socket gunicorn says "", waitress "localhost"; a TCP peer is always an address.
        if not peer or peer == "localhost" or peer.startswith("unix:"):
            return self._unix
        return len(peer) <= LONGEST_ADDRESS and self._known(peer)[1]

    def on_request(self, exchange: Exchange) -> None:
        """Correct the environ, or delete what an untrusted peer claims."""
        environ = exchange.environ
        get = environ.get
        peer = get("REMOTE_ADDR")
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
            originals = {key: get(key) for key in _ORIGINALS}
        environ["overcoat.proxy_fix.orig"] = environ["werkzeug.proxy_fix.orig"] = originals
        hops = 1
        value = get("HTTP_X_FORWARDED_FOR")
        if value:
            if self._one_for and len(value) <= LONGEST_ADDRESS and "," not in value:
                address = self._known(value)[0]
                if address is not None:
                    environ["REMOTE_ADDR"] = address
            else:
                hops = self._walk(environ, value)
        value = get("HTTP_X_FORWARDED_PROTO")
        if value and self.x_proto:
            if self._one_proto and value in SCHEMES:
                environ["wsgi.url_scheme"] = value
            elif (scheme := parse_scheme(self._element(value, self.x_proto, hops))) is not None:
                environ["wsgi.url_scheme"] = scheme
        if self._rewrites_host:
            self._rewrite_host(environ, hops)

    def _walk(self, environ: Environ, value: str) -> int:
        """Set REMOTE_ADDR; how many elements of X-Forwarded-For the walk passed, from the right."""
        if not self.x_for:
            return 1
        elements = split_list(value)
        if self.trusted is None:
            if len(elements) >= self.x_for:
                text = elements[-self.x_for]
                address = self._known(text)[0] if len(text) <= LONGEST_ADDRESS else None
                if address is not None:
                    environ["REMOTE_ADDR"] = address
            return self.x_for
        client, passed = None, 0
        for text in reversed(elements[-self.x_for :]):
            address, trusted = self._known(text) if len(text) <= LONGEST_ADDRESS else (None, False)
            if address is None:
                return 1
            client = address
            passed += 1
            if not trusted:
                break
        if client is not None:
            environ["REMOTE_ADDR"] = client
        return max(passed, 1)

    def _element(self, value: str, count: int, hops: int) -> str:
        """The element of a list that counts, or "".

        By count: that many from the right, as Werkzeug. By trust: that of the hop where the walk ended, counted from
        the right, for the left end is the client's to lengthen; of a shorter list the rightmost, the nearest proxy's.
        """
        elements = split_list(value) if "," in value else [value.strip(" \t")]
        if self.trusted is None:
            return elements[-count] if len(elements) >= count else ""
        place = min(count, hops) if len(elements) >= hops else 1
        return elements[-place] if 0 < place <= len(elements) else ""

    def _rewrite_host(self, environ: Environ, hops: int) -> None:
        get = environ.get
        if self.x_host and (value := get("HTTP_X_FORWARDED_HOST")):
            host = parse_host(self._element(value, self.x_host, hops))
            if host is not None:
                environ["HTTP_HOST"] = environ["SERVER_NAME"] = host
                if ":" in host and not host.endswith("]"):
                    environ["SERVER_NAME"], environ["SERVER_PORT"] = host.rsplit(":", 1)
        if self.x_port and (value := get("HTTP_X_FORWARDED_PORT")):
            port = parse_port(self._element(value, self.x_port, hops))
            if port is not None:
                host = get("HTTP_HOST")
                if host:
                    bare = host.rsplit(":", 1)[0] if ":" in host and not host.endswith("]") else host
                    environ["HTTP_HOST"] = f"{bare}:{port}"
                environ["SERVER_PORT"] = port
        if self.x_prefix and (value := get("HTTP_X_FORWARDED_PREFIX")):
            prefix = parse_prefix(self._element(value, self.x_prefix, hops))
            if prefix is not None:
                environ["SCRIPT_NAME"] = prefix


def _count(option: str, value: int | None, default: int) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(
            f"ProxyFix: {option}={value!r} must be a whole number from 0 up: how many proxies set the header"
        )
    return value


def _networks(trusted: Iterable[str]) -> tuple[IPv4Network | IPv6Network | str, ...]:
    if isinstance(trusted, str) or not isinstance(trusted, Iterable):
        raise ValueError(f"ProxyFix: trusted={trusted!r} must be a list: trusted=[{trusted!r}]")
    networks: list[IPv4Network | IPv6Network | str] = []
    for entry in trusted:
        if entry == "unix:":
            networks.append(entry)
            continue
        try:
            networks.append(_unmapped(ip_network(entry if isinstance(entry, str) else "")))
        except ValueError as error:
            raise ValueError(
                f"ProxyFix: trusted entry {entry!r} is no address, network or 'unix:' ({error}); {_instead(entry)}"
            ) from None
    return tuple(networks)


def _instead(entry: object) -> str:
    """What to write: never more than the entry can have meant."""
    if entry == "localhost":
        return "write '127.0.0.1' and '::1'"
    try:
        return f"write {str(ip_network(entry, strict=False))!r}"  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return "write the proxy's own address, such as '127.0.0.1'"


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """An IPv4-mapped network as IPv4, for addresses are compared that way."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    return network if mapped is None or network.prefixlen < 96 else IPv4Network((int(mapped), network.prefixlen - 96))
