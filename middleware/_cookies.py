"""A Set-Cookie header as browsers read it (RFC 6265bis, section 5.6), and what makes them drop the cookie.

>>> from overcoat.middleware._cookies import faults, parse_attributes, split_set_cookie
>>> name, rest = split_set_cookie("__Host-id=7; path=/; Domain=example.com; Secure")
>>> name, parse_attributes(rest)
('__Host-id', {'path': '/', 'domain': 'example.com', 'secure': ''})
>>> faults(name, parse_attributes(rest))
['its name begins with __Host-, so it must not have a Domain']
"""

import re

# A cookie with a control character is dropped; HTAB alone is none of them.
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# What a name that begins so promises, in any case of its letters: RFC 6265bis, section 4.1.3; those with "http" come
# from its successor, draft-ietf-httpbis-layered-cookies.
_HOST_PREFIXES = ("__host-", "__host-http-")
_PREFIXES = ("__secure-", "__http-", *_HOST_PREFIXES)
_SCRIPTLESS_PREFIXES = ("__http-", "__host-http-")
SAME_SITE = ("Strict", "Lax", "None")
_SAME_SITE = frozenset(value.lower() for value in SAME_SITE)


def split_set_cookie(value: str) -> tuple[str, str] | None:
    """The cookie's name and the text of its attributes, or None for what is no cookie with a name.

    Linear, and never raises.
    """
    pair, _, rest = value.partition(";")
    name, equals, _ = pair.partition("=")
    name = name.strip(" \t")
    return (name, rest) if equals and name and not _CONTROLS.search(value) else None


def parse_attributes(text: str) -> dict[str, str]:
    """Attributes by lower-case name; of one that is there twice the last one counts. Linear, and never raises."""
    attributes = {}
    for part in text.split(";") if text else ():
        attribute, _, value = part.partition("=")
        attributes[attribute.strip(" \t").lower()] = value.strip(" \t")
    return attributes


def promises_secure(name: str) -> bool:
    """Whether the name is one that browsers accept with Secure only."""
    return name[:2] == "__" and name.lower().startswith(_PREFIXES)


def promises_host(name: str) -> bool:
    """Whether the name is one that browsers accept for one host and all of its paths only."""
    return name[:2] == "__" and name.lower().startswith(_HOST_PREFIXES)


def promises_http_only(name: str) -> bool:
    """Whether the name is one that newer browsers accept with HttpOnly only."""
    return name[:2] == "__" and name.lower().startswith(_SCRIPTLESS_PREFIXES)


def faults(name: str, attributes: dict[str, str]) -> list[str]:
    """Why browsers drop a cookie, or take it for another than it says; each as a clause."""
    found = []
    if promises_host(name):
        if attributes.get("domain"):
            found.append("its name begins with __Host-, so it must not have a Domain")
        if attributes.get("path") != "/":
            found.append("its name begins with __Host-, so its Path must be /")
    secure = "secure" in attributes
    same_site = attributes.get("samesite")
    if same_site is not None and same_site.lower() not in _SAME_SITE:
        found.append("its SameSite is none of Strict, Lax and None, so browsers choose one")
    if not secure:
        if promises_secure(name):
            found.append(f"its name begins with {name[: name.index('-') + 1]}, so it must be Secure")
        elif same_site is not None and same_site.lower() == "none":
            found.append("SameSite=None is for Secure cookies only")
        elif "partitioned" in attributes:
            found.append("Partitioned is for Secure cookies only")
    return found
