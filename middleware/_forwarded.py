"""What a forwarding header may hold: each field of X-Forwarded-* parsed strictly, or refused as None.

Every function is linear in its input and never raises.

>>> from overcoat.middleware._forwarded import parse_address, parse_host
>>> parse_address("[2001:DB8::1]:4711"), parse_address("::ffff:192.0.2.1"), parse_address("unknown")
('2001:db8::1', '192.0.2.1', None)
>>> parse_host("example.com:8080"), parse_host("evil.example/path?x=")
('example.com:8080', None)
"""

import re
from ipaddress import IPv6Address, ip_address
from typing import Any

#: Headers by which proxies hand on what they saw, beside all of X-Forwarded-*. From a peer that is not trusted they are
#: the client's own words.
FORWARDING_KEYS = frozenset({
    "HTTP_FORWARDED", "HTTP_X_FORWARDED", "HTTP_X_ORIGINAL_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP",
    "HTTP_X_CLUSTER_CLIENT_IP", "HTTP_X_REMOTE_IP", "HTTP_X_REMOTE_ADDR", "HTTP_X_ORIGINATING_IP",
    "HTTP_TRUE_CLIENT_IP", "HTTP_CLIENT_IP", "HTTP_CF_CONNECTING_IP", "HTTP_CF_CONNECTING_IPV6", "HTTP_CF_VISITOR",
    "HTTP_FASTLY_CLIENT_IP", "HTTP_FLY_CLIENT_IP", "HTTP_DO_CONNECTING_IP", "HTTP_X_APPENGINE_USER_IP",
    "HTTP_X_AZURE_CLIENTIP", "HTTP_X_ENVOY_EXTERNAL_ADDRESS", "HTTP_X_URL_SCHEME", "HTTP_FRONT_END_HTTPS",
    "HTTP_X_SCHEME", "HTTP_X_SSL", "HTTP_X_HTTPS", "HTTP_X_HOST", "HTTP_X_SCRIPT_NAME", "HTTP_X_ORIGINAL_HOST",
    "HTTP_X_ORIGINAL_PROTO", "HTTP_X_ORIGINAL_FOR", "HTTP_X_ORIGINAL_URL", "HTTP_X_REWRITE_URL", "HTTP_X_REAL_PORT",
    "HTTP_X_REAL_PROTO", "HTTP_CLOUDFRONT_VIEWER_ADDRESS", "HTTP_X_NF_CLIENT_CONNECTION_IP", "HTTP_WL_PROXY_CLIENT_IP",
    "HTTP_PROXY_CLIENT_IP", "HTTP_X_PROXYUSER_IP",
})  # fmt: skip
# X-Forwarded-*, Forwarded-*, X-Vercel-Forwarded-For, CloudFront-Forwarded-Proto, ...
_FORWARDED = "FORWARDED"

#: The longest textual address: an IPv6 address with an embedded IPv4 one, a zone, brackets and a port.
LONGEST_ADDRESS = 80

_HOST = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*)|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?", re.ASCII)
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+/?", re.ASCII)
SCHEMES = frozenset({"http", "https", "ws", "wss"})


def delete_forwarding(environ: dict[str, Any]) -> None:
    """Delete every forwarding header."""
    # Two cheap looks: most requests have none.
    if FORWARDING_KEYS.isdisjoint(environ) and _FORWARDED not in "\n".join(environ):
        return
    for key in [key for key in environ if key in FORWARDING_KEYS or (_FORWARDED in key and key.startswith("HTTP_"))]:
        del environ[key]


def split_list(value: str) -> list[str]:
    """The elements of a list header, without empty ones (RFC 9110, section 5.6.1); only SP and HTAB are space."""
    return [element for part in value.split(",") if (element := part.strip(" \t"))]


def parse_address(text: str) -> str | None:
    """An address without port, brackets and zone, in its shortest form; an IPv4-mapped one as IPv4."""
    if not text or len(text) > LONGEST_ADDRESS or not text.isascii():
        return None
    if text[0] == "[":
        inner, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and parse_port(rest[1:] if rest[0] == ":" else "") is None):
            return None
        text = inner
        if ":" not in text:
            return None
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
        if parse_port(port) is None:
            return None
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


def parse_port(text: str) -> str | None:
    """A port from 1 to 65535 in plain ASCII digits; ``int`` would take ``+1``, ``1_0`` and other scripts' digits."""
    if 0 < len(text) <= 5 and text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return str(int(text))
    return None


def parse_scheme(text: str) -> str | None:
    """``http``, ``https``, ``ws`` or ``wss``, in lower case."""
    lower = text[:5].lower() if len(text) <= 5 else ""
    return lower if lower in SCHEMES else None


def parse_host(text: str) -> str | None:
    """A host name or bracketed address with an optional port (RFC 9110, section 7.2, without user-chosen escapes)."""
    match = _HOST.fullmatch(text) if len(text) <= 261 else None
    if match is None or (match[1] is not None and parse_port(match[1]) is None):
        return None
    if text[0] == "[":
        address = parse_address(text)
        return text.lower() if address is not None else None
    return text.lower() if ".." not in text else None


def parse_prefix(text: str) -> str | None:
    """A path prefix without its last slash: no empty or dot segment, backslash, query or control character."""
    if len(text) > 1024 or not _PREFIX.fullmatch(text):
        return None
    if any(segment in {".", ".."} for segment in text.split("/")):
        return None
    return text.rstrip("/")
