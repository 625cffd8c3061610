"""The networks that a ``trusted=`` option names, and who is among them.

>>> from overcoat.middleware._networks import Networks
>>> proxies = Networks("ProxyFix", ["10.0.0.0/8", "unix:"])
>>> proxies.trusts("10.0.0.7"), proxies.trusts(""), proxies.trusts("192.0.2.1"), proxies.trusts("garbage")
(True, True, False, False)
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from overcoat.middleware._forwarded import LONGEST_ADDRESS, parse_address


class Networks:
    """Addresses and networks, checked once.

    Args:
        owner: The layer whose option it is, for the error.
        trusted: Addresses, networks and ``"unix:"`` for a Unix socket; may be empty.

    Attributes:
        listed: The networks, and ``"unix:"``.
        look_up: An address as a peer or a proxy writes it: what it is, or None, and whether it is trusted.
        trusts: Whether a peer (REMOTE_ADDR, or None) is trusted.
        entry_for: By which entry, for people.

    Raises:
        ValueError: No list, or an entry that is no address or network.
    """

    def __init__(self, owner: str, trusted: Iterable[str]) -> None:
        self.listed = _parse(owner, trusted)
        self._unix = "unix:" in self.listed
        # Addresses come again and again: parsing one costs more than all the rest.
        self.look_up = lru_cache(maxsize=4096)(self._look_up)
        self.trusts = lru_cache(maxsize=4096)(self._trusts_peer)

    def entry_for(self, peer: str | None) -> str | None:
        """The entry that makes a peer or a proxy trusted, or None."""
        if not self.trusts(peer):
            return None
        address = self.look_up(peer or "")[0]
        parsed = None if address is None else ip_address(address)
        within = (str(network) for network in self.listed if not isinstance(network, str) and parsed in network)
        return "unix:" if parsed is None or _is_unix(peer or "") else next(within)

    @property
    def trusts_all(self) -> bool:
        """Whether a network among them holds every address of its kind."""
        return any(not isinstance(network, str) and network.prefixlen == 0 for network in self.listed)

    def _look_up(self, text: str) -> tuple[str | None, bool]:
        address = parse_address(text.strip(" \t"))
        if address is None:
            return None, False
        parsed = ip_address(address)
        return address, any(not isinstance(network, str) and parsed in network for network in self.listed)

    def _trusts_peer(self, peer: str | None) -> bool:
        if peer is None:
            return False
        if _is_unix(peer):
            return self._unix
        return len(peer) <= LONGEST_ADDRESS and self.look_up(peer)[1]


def _is_unix(peer: str) -> bool:
    """Whether the peer came by a Unix socket: gunicorn says "", waitress "localhost", uWSGI "0.0.0.0"."""
    return peer in {"", "localhost", "0.0.0.0"} or peer.startswith("unix:")  # noqa: S104 - nothing is bound


def _parse(owner: str, trusted: Iterable[str]) -> tuple[IPv4Network | IPv6Network | str, ...]:
    if isinstance(trusted, str) or not isinstance(trusted, Iterable):
        raise ValueError(f"{owner}: trusted={trusted!r} must be a list: trusted=[{trusted!r}]")
    networks: list[IPv4Network | IPv6Network | str] = []
    for entry in trusted:
        if entry == "unix:":
            networks.append(entry)
            continue
        try:
            networks.append(_network(entry))
        except ValueError as error:
            raise ValueError(
                f"{owner}: trusted entry {entry!r} is no address, network or 'unix:' ({error}); {_instead(entry)}"
            ) from None
    return tuple(networks)


def _network(entry: object) -> IPv4Network | IPv6Network:
    """The network that an entry names, if a peer can come from it."""
    if not isinstance(entry, str):
        raise ValueError("it must be text")
    if "%" in entry:
        raise ValueError("a zone is not looked at: the address would be trusted on every link")
    network = _unmapped(ip_network(entry))
    if network.is_unspecified:
        raise ValueError("no connection comes from it")
    return network


def _instead(entry: object) -> str:
    """What to write: never more than the entry can have meant."""
    if entry == "localhost":
        return "write '127.0.0.1' and '::1'"
    if isinstance(entry, str) and entry.startswith("unix"):
        return "write 'unix:', which stands for every Unix socket"
    try:
        network = ip_network(re.sub("%[^/]*", "", str(entry)), strict=False)
    except ValueError:
        network = None
    if network is None or network.is_unspecified:
        return "write the proxy's own address, such as '127.0.0.1'"
    return f"write {str(network)!r}"


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """An IPv4-mapped network as IPv4, for addresses are compared that way."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    return network if mapped is None or network.prefixlen < 96 else IPv4Network((int(mapped), network.prefixlen - 96))
