"""Who may see the log page: by default a client on this machine, and by a name that can only be meant for it.

A log tells what others did, so what is not certain is refused:

- The client is the one that ProxyFix found. A forwarding header where no ProxyFix ran means a proxy on this machine, to
  which every client on earth looks local.
- A local client behind a proxy has a local proxy. So a header `X-Forwarded-For: 127.0.0.1` that somebody far away
  sends to a ProxyFix which counts opens nothing.
- The Host must be an address or localhost, one that TrustedHosts let through, or one of `hosts`: another site whose
  name was pointed here (DNS rebinding) comes with its own.

>>> access = Access(None, None)
>>> access.refusal({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:5001"})
>>> access.refusal({"REMOTE_ADDR": "192.0.2.1", "HTTP_HOST": "localhost:5001"})
'This page is for clients on the same machine: LogPage(allow=[...]) names others.'
"""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, TypeAlias

from overcoat.middleware._forwarded import FORWARDING_KEYS
from overcoat.middleware._hosts import TRUSTED_KEY, compile_hosts

Environ: TypeAlias = dict[str, Any]
Allow: TypeAlias = Iterable[str] | Callable[[Environ], object] | None

LOCAL_HOSTS = ("localhost", "*.localhost", "0.0.0.0/0", "::/0")
"""Names that no other site can have: DNS rebinding needs one that is looked up."""

_PROXY_FIX_KEY = "overcoat.proxy_fix.orig"
_ONLY_HERE = "This page is for clients on the same machine: LogPage(allow=[...]) names others."
_UNIX_PEERS = frozenset({"", "localhost", "0.0.0.0"})  # noqa: S104 - what servers say of a Unix socket; nothing is bound
_CLIENT_KEYS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED")


class Access:
    """The rule of one page.

    Args:
        allow: addresses and networks of clients; a callable on the environ; None for loopback clients.
        hosts: patterns of hosts, as `TrustedHosts` takes them, beside addresses and localhost.

    Raises:
        ValueError: an entry is none of these.
    """

    def __init__(self, allow: Allow, hosts: Iterable[str] | None) -> None:
        self._asks = allow if callable(allow) else None
        self._networks = None if allow is None or callable(allow) else _parsed(allow)
        if isinstance(hosts, str):
            raise ValueError(f"LogPage: hosts={hosts!r} must be a list: write [{hosts!r}]")
        self._knows = compile_hosts("LogPage", "hosts", [*LOCAL_HOSTS, *(hosts or ())])

    def refusal(self, environ: Environ) -> str | None:
        """Why a request is refused, in a sentence for whoever asked; None where it is not."""
        host = environ.get("HTTP_HOST")
        if host is None or not (self._knows(host) or environ.get(TRUSTED_KEY) == host):
            return "This page is not served under this host: LogPage(hosts=[...]) names more."
        if self._asks is not None:
            return None if self._asks(environ) else "This page is not for this client."
        originals = environ.get(_PROXY_FIX_KEY)
        if _has_unread_forwarding(environ, originals):
            return (
                "This request came through a proxy, and no ProxyFix outside of this page tells whose it is."
                if originals is None
                else "This request came through a proxy that does not tell its client: it must send X-Forwarded-For."
            )
        client = _address(environ.get("REMOTE_ADDR"))
        if client is None:
            return "This request does not tell its client."
        if client.is_loopback and originals is not None and not _is_local(originals.get("REMOTE_ADDR")):
            return "This request claims a client that its proxy cannot have."
        if self._networks is None:
            return None if client.is_loopback else _ONLY_HERE
        return None if any(client in network for network in self._networks) else "This page is not for this client."


def _has_unread_forwarding(environ: Environ, originals: Any) -> bool:
    """Whether a proxy left its mark and nothing tells the client behind it."""
    if originals is not None and any(key in environ for key in _CLIENT_KEYS):
        return False
    return any(
        key in FORWARDING_KEYS or key == "HTTP_VIA" or (key.startswith("HTTP_") and "FORWARDED" in key)
        for key in environ
    )


def _address(text: object) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_local(peer: object) -> bool:
    """Whether a peer is on this machine."""
    if isinstance(peer, str) and (peer in _UNIX_PEERS or peer.startswith("unix:")):
        return True
    address = _address(peer)
    return address is not None and address.is_loopback


def _parsed(allow: Any) -> list[IPv4Network | IPv6Network]:
    if isinstance(allow, str) or not isinstance(allow, Iterable):
        raise ValueError(
            f"LogPage: allow={allow!r} must be a list of addresses and networks, such as ['127.0.0.1', '10.0.0.0/8'], "
            "or a callable on the environ"
        )
    networks = []
    for entry in allow:
        try:
            networks.append(ip_network(entry if isinstance(entry, str) else ""))
        except ValueError as error:
            raise ValueError(
                f"LogPage: allow entry {entry!r} is no address or network ({error}); write it as '10.0.0.0/8'"
            ) from None
    if not networks:
        raise ValueError("LogPage: allow=[] lets nobody in: leave it out for clients on this machine")
    return networks
