"""What a forwarding header may hold: each field of X-Forwarded-* parsed strictly, or refused as None.

Every function is linear in its input and never raises.

>>> from overcoat.middleware._forwarded import parse_address, parse_prefix
>>> parse_address("[2001:DB8::1]:4711"), parse_address("::ffff:192.0.2.1"), parse_address("unknown")
('2001:db8::1', '192.0.2.1', None)
>>> parse_prefix("/shop/"), parse_prefix("//evil.example")
('/shop', None)
"""

import re
from ipaddress import IPv6Address, ip_address
from typing import Any

from overcoat.middleware._authority import parse_port

#: Headers by which proxies hand on what they saw, beside all of X-Forwarded-*. From a peer that is not trusted they are
#: the client's own words.
FORWARDING_KEYS = frozenset({
    "HTTP_FORWARDED", "HTTP_X_FORWARDED", "HTTP_X_ORIGINAL_FORWARDED_FOR",
    # the client's address
    "HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP", "HTTP_X_CLUSTER_CLIENT_IP", "HTTP_X_REMOTE_IP", "HTTP_X_REMOTE_ADDR",
    "HTTP_X_ORIGINATING_IP", "HTTP_X_ORIGINAL_FOR", "HTTP_X_PROXYUSER_IP", "HTTP_CLIENT_IP", "HTTP_PROXY_CLIENT_IP",
    "HTTP_WL_PROXY_CLIENT_IP",
    # and what platforms call it: Akamai and Cloudflare, Fastly, Fly, Google, Azure, CloudFront, ...
    "HTTP_TRUE_CLIENT_IP", "HTTP_CF_CONNECTING_IP", "HTTP_CF_CONNECTING_IPV6", "HTTP_CF_PSEUDO_IPV4",
    "HTTP_FASTLY_CLIENT_IP", "HTTP_FLY_CLIENT_IP", "HTTP_DO_CONNECTING_IP", "HTTP_X_APPENGINE_USER_IP",
    "HTTP_X_AZURE_CLIENTIP", "HTTP_X_AZURE_SOCKETIP", "HTTP_CLOUDFRONT_VIEWER_ADDRESS",
    "HTTP_X_NF_CLIENT_CONNECTION_IP", "HTTP_X_ENVOY_EXTERNAL_ADDRESS", "HTTP_INCAP_CLIENT_IP",
    "HTTP_X_SUCURI_CLIENTIP", "HTTP_ALI_CDN_REAL_IP",
    # scheme and port
    "HTTP_X_URL_SCHEME", "HTTP_X_SCHEME", "HTTP_X_SSL", "HTTP_X_HTTPS", "HTTP_FRONT_END_HTTPS",
    "HTTP_X_ORIGINAL_PROTO", "HTTP_X_REAL_PROTO", "HTTP_X_REAL_PORT", "HTTP_CF_VISITOR", "HTTP_FASTLY_SSL",
    "HTTP_X_APPENGINE_HTTPS", "HTTP_X_APPSERVICE_PROTO", "HTTP_X_ARR_SSL", "HTTP_WL_PROXY_SSL",
    # host and path
    "HTTP_X_HOST", "HTTP_X_ORIGINAL_HOST", "HTTP_DISGUISED_HOST", "HTTP_X_SCRIPT_NAME", "HTTP_X_ORIGINAL_URL",
    "HTTP_X_ORIGINAL_URI", "HTTP_X_REWRITE_URL", "HTTP_X_ENVOY_ORIGINAL_PATH",
})  # fmt: skip
# X-Forwarded-*, Forwarded-*, X-Vercel-Forwarded-For, CloudFront-Forwarded-Proto, ...
_FORWARDED = "FORWARDED"

#: The longest textual address: an IPv6 address with an embedded IPv4 one, a zone, brackets and a port.
LONGEST_ADDRESS = 80

_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+/?", re.ASCII)
SCHEMES = frozenset({"http", "https", "ws", "wss"})


def header_of(key: str) -> str:
    """The header's name of a key of the environ, such as X-Forwarded-For."""
    return key.removeprefix("HTTP_").replace("_", "-").title()


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
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address).partition("%")[0]


def parse_scheme(text: str) -> str | None:
    """``http``, ``https``, ``ws`` or ``wss``, in lower case."""
    lower = text[:5].lower() if len(text) <= 5 else ""
    return lower if lower in SCHEMES else None


def with_port(host: str, port: str | None) -> str:
    """The host with that port in place of its own; with None, as it is."""
    if port is None:
        return host
    return f"{host.rsplit(':', 1)[0] if ':' in host and not host.endswith(']') else host}:{port}"


def parse_prefix(text: str) -> str | None:
    """A path prefix without its last slash: no empty or dot segment, backslash, query or control character."""
    if len(text) > 1024 or not _PREFIX.fullmatch(text):
        return None
    if any(segment in {".", ".."} for segment in text.split("/")):
        return None
    return text.rstrip("/")
