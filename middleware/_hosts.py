"""The hosts that an option names, and which Host headers are among them.

A pattern is one of these; all of them match in any case, and with or without the root's dot at the end:

===========================  =======================================================================================
``example.com``              that name, on any port
``*.example.com``            every name below it, at any depth, but neither ``example.com`` itself nor
                             ``evilexample.com``
``example.com:8080``         that name on that port alone; so too ``*.example.com:8080`` and ``[::1]:8080``
``192.0.2.1``, ``[::1]``     that address; an IPv6 one in whatever way it is written
``10.0.0.0/8``               every address in that network, for health checks that ask a machine by its address
``*``                        every well-formed host
===========================  =======================================================================================

A name in Unicode is compiled to the A-labels that browsers send (``bücher.example`` is ``xn--bcher-kva.example``).

>>> from overcoat.middleware._hosts import compile_hosts
>>> allowed = compile_hosts("TrustedHosts", "hosts", ["example.com", "*.example.com", "bücher.example", "[::1]:8080"])
>>> [allowed(host) for host in ("example.com", "EXAMPLE.com.:8443", "a.b.example.com", "xn--bcher-kva.example")]
[True, True, True, True]
>>> [allowed(host) for host in ("evilexample.com", "example.com.evil.example", "[::1]", "example.com/x", "")]
[False, False, False, False, False]
"""

import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from unicodedata import normalize

from overcoat.middleware._authority import address_of, ends_in_number, parse_authority

_REMEMBERED = 1024

#: Where TrustedHosts leaves the Host that it let through, for layers further in.
TRUSTED_KEY = "overcoat.trusted_host"
HOSTS_REQUIRED = "names no host: write yours, such as hosts=['example.com', '*.example.com']"

Network = IPv4Network | IPv6Network


def compile_hosts(owner: object, option: str, patterns: Iterable[str]) -> Callable[[str], bool]:
    """A function that tells whether a Host header is among the patterns; it never raises, and is linear.

    Args:
        owner: The layer whose option it is, or its name, for the error.
        option: The name of the option, for the error.
        patterns: As in the table above; at least one.

    Raises:
        ValueError: No list, an empty one, or a pattern that is no host or could match none.
    """
    label = owner if isinstance(owner, str) else type(owner).__name__
    return _Hosts(f"{label}: {option}", patterns).__getitem__


class _Hosts(dict[str, bool]):
    """The hosts that were found to match: to ask again costs a look into a dict."""

    def __init__(self, label: str, patterns: Iterable[str]) -> None:
        super().__init__()
        if isinstance(patterns, str) or not isinstance(patterns, Iterable):
            raise ValueError(f"{label}={patterns!r} must be a list: write [{patterns!r}]")
        self._exact: set[tuple[str, str | None]] = set()
        self._below: list[tuple[str, str | None]] = []
        self._networks: list[Network] = []
        self._any = False
        empty = True
        for pattern in patterns:
            empty = False
            self._add(f"{label} entry {pattern!r}", pattern)
        if empty:
            raise ValueError(f"{label} is empty and would match no host: name yours, such as ['example.com']")

    def _add(self, entry: str, pattern: str) -> None:
        if pattern == "*":
            self._any = True
            return
        network = _network(entry, pattern)
        if network is not None:
            self._networks.append(network)
            return
        wildcard = pattern.startswith("*.")
        name, port = _checked(entry, pattern[2:] if wildcard else pattern)
        if not wildcard:
            self._exact.add((name, port))
        elif name[0] == "[" or ends_in_number(name):
            raise ValueError(f"{entry}: there are no names below an address; write the address, or a network")
        else:
            self._below.append((f".{name}", port))

    def __missing__(self, host: str) -> bool:
        # Only what matched is kept, so that whoever asks for other hosts cannot push it out.
        authority = parse_authority(host) if isinstance(host, str) else None
        if authority is None or not self._matches(*authority):
            return False
        if len(self) >= _REMEMBERED:
            self.clear()
        self[host] = True
        return True

    def _matches(self, name: str, port: str | None) -> bool:
        if self._any or (name, None) in self._exact or (name, port) in self._exact:
            return True
        if any(name.endswith(suffix) and wanted in {None, port} for suffix, wanted in self._below):
            return True
        if not self._networks:
            return False
        address = address_of(name)
        return address is not None and any(address in network for network in self._networks)


def _network(entry: str, pattern: str) -> Network | None:
    """The network that a pattern with a slash names, or None for one without."""
    if not isinstance(pattern, str):
        raise ValueError(f"{entry} must be text, such as 'example.com'")
    if "://" in pattern:
        raise ValueError(f"{entry} is a URL: write the host alone, {_host_of_url(pattern)!r}")
    if "/" not in pattern:
        return None
    try:
        return ip_network(pattern)
    except ValueError as error:
        raise ValueError(f"{entry} is no host or network ({error}); a host has no path") from None


def _host_of_url(pattern: str) -> str:
    return re.split(r"[/?#]", pattern.partition("://")[2], maxsplit=1)[0]


def _checked(entry: str, pattern: str) -> tuple[str, str | None]:
    """Name and port of a pattern without its wildcard.

    Raises:
        ValueError: It is no host, or one that no client could send.
    """
    if pattern.count(":") > 1 and "[" not in pattern:
        raise ValueError(f"{entry}: an IPv6 address stands in brackets; write '[{pattern}]'")
    if pattern.startswith("."):
        raise ValueError(f"{entry}: write {pattern[1:]!r} for the name itself and '*{pattern}' for the names below it")
    if "*" in pattern:
        raise ValueError(f"{entry}: '*' stands alone or for whole labels in front, such as '*.example.com'")
    authority = parse_authority(pattern if pattern.isascii() else _a_labels(entry, pattern))
    if authority is None:
        raise ValueError(f"{entry} is no host; write 'example.com', '*.example.com', 'example.com:8080' or '[::1]'")
    name, port = authority
    if port in {"80", "443"}:
        raise ValueError(
            f"{entry} would refuse what browsers send, for they leave the default port out; write {name!r}, which "
            "matches on any port"
        )
    if name[0] != "[" and ends_in_number(name) and address_of(name) is None:
        raise ValueError(f"{entry} is no IPv4 address: browsers send it as four decimal numbers; write these")
    return name, port


def _a_labels(entry: str, pattern: str) -> str:
    """A name in Unicode as browsers send it (IDNA, RFC 5891).

    Python's own codec is that of 2003. Where the two editions differ (as for the German sharp s) the result would be
    somebody else's domain, so what does not survive the way there and back is refused.
    """
    name, colon, port = pattern.partition(":")
    labels = []
    for label in re.split("[.\u3002\uff0e\uff61]", name):
        try:
            ascii_label = label.encode("idna").decode("ascii")
            same = ascii_label.encode("ascii").decode("idna") == normalize("NFC", label.lower())
        except UnicodeError:
            same = False
        if not same:
            raise ValueError(
                f"{entry}: the label {label!r} is not the same in all editions of IDNA; write its A-label, xn--..."
            )
        labels.append(ascii_label)
    return ".".join(labels) + colon + port
