"""The host and port of a Host header, of X-Forwarded-Host, or of a URL, in one spelling.

>>> from overcoat.middleware._authority import parse_authority, parse_host
>>> parse_authority("Example.COM.:8080"), parse_authority("[0:0::1]"), parse_authority("a.example, b.example")
(('example.com', '8080'), ('[::1]', None), None)
>>> parse_host("Example.COM.:8080"), parse_host("evil.example/path?x=")
('example.com:8080', None)
"""

import re
from ipaddress import IPv4Address, IPv6Address

#: A name of 253 characters (RFC 1035, section 2.3.4), the root's dot, a colon and a port.
LONGEST_HOST = 260
_LONGEST_NAME = 253

# Labels as they occur, "_" and an outer "-" too; RFC 9110, section 7.2, would allow escapes, which no client sends.
_HOST = re.compile(r"((?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63})\.?(?::([0-9]{1,5}))?", re.ASCII)
_HEXADECIMAL = frozenset("0123456789abcdef")


def parse_authority(text: str) -> tuple[str, str | None] | None:
    """A Host header's name and port in one spelling, or None for what no host looks like (RFC 9110, section 7.2).

    The name is in lower case and without the root's dot, an IPv6 address in its shortest form and in brackets. Linear,
    and never raises.
    """
    if len(text) > LONGEST_HOST or not text.isascii():
        return None
    text = text.lower()
    match = _HOST.fullmatch(text)
    if match is None:
        return _parse_bracketed(text)
    name, port = match.groups()
    if port is not None:
        port = parse_port(port)
        if port is None:
            return None
    return (name, port) if len(name) <= _LONGEST_NAME else None


def _parse_bracketed(text: str) -> tuple[str, str | None] | None:
    """The same for an IPv6 address; one with a zone is of its own machine, and no host."""
    inner, bracket, rest = text[1:].partition("]")
    if text[:1] != "[" or not bracket or "%" in inner:
        return None
    port = parse_port(rest[1:]) if rest[:1] == ":" else None
    if rest and port is None:
        return None
    try:
        return f"[{IPv6Address(inner)}]", port
    except ValueError:
        return None


def parse_host(text: str) -> str | None:
    """The same as one text, for what stands in a Host header in its place; no name that a command takes for an option.

    Linear, and never raises.
    """
    authority = parse_authority(text)
    if authority is None or authority[0][0] == "-":
        return None
    return host_text(*authority)


def host_text(name: str, port: str | None) -> str:
    """A name and a port as a Host header has them."""
    return name if port is None else f"{name}:{port}"


def parse_port(text: str) -> str | None:
    """A port from 1 to 65535 in plain ASCII digits; ``int`` would take ``+1``, ``1_0`` and other scripts' digits."""
    if 0 < len(text) <= 5 and text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return str(int(text))
    return None


def address_of(name: str) -> IPv4Address | IPv6Address | None:
    """The address that the name of an authority is, or None."""
    try:
        return IPv6Address(name[1:-1]) if name[0] == "[" else IPv4Address(name)
    except ValueError:
        return None


def ends_in_number(name: str) -> bool:
    """Whether a browser reads the name as an IPv4 address (WHATWG URL, "ends in a number")."""
    last = name.rpartition(".")[2]
    return last.isdigit() or (last[:2] == "0x" and _HEXADECIMAL.issuperset(last[2:]))
