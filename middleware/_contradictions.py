"""What trusted proxies say that cannot all be true: each kind is logged once, with the headers and the option.

A request with such headers is served, by the headers that ProxyFix was told to read. But somebody in front of the app
is set up for another reader, or hands on what the client made up.

>>> from overcoat.middleware._contradictions import Contradictions
>>> told = Contradictions("x-forwarded")
>>> for kind, message in told.of_scheme({"HTTP_X_FORWARDED_SSL": "off"}, "https"):
...     print(message)  # doctest: +ELLIPSIS
X-Forwarded-Proto says https and X-Forwarded-Ssl says off. ProxyFix takes X-Forwarded-Proto...
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from overcoat.middleware._forwarded import header_of, split_list

_log = logging.getLogger("overcoat")

#: X-Forwarded-* as one family: what they tell, ``Forwarded`` tells too. X-Forwarded-User and the like are not of it.
X_FAMILY = tuple(
    f"HTTP_X_FORWARDED_{name}"
    for name in ("FOR", "PROTO", "HOST", "PORT", "PREFIX", "SSL", "SCHEME", "PROTOCOL", "SERVER", "BY", "PATH", "URI")
)
# Other headers that tell a scheme.
_SCHEME_KEYS = (
    "HTTP_X_FORWARDED_SSL", "HTTP_X_FORWARDED_SCHEME", "HTTP_X_FORWARDED_PROTOCOL", "HTTP_X_SCHEME",
    "HTTP_X_URL_SCHEME", "HTTP_FRONT_END_HTTPS", "HTTP_CLOUDFRONT_FORWARDED_PROTO", "HTTP_FLY_FORWARDED_PROTO",
)  # fmt: skip
_SECURE = {
    **dict.fromkeys(("on", "1", "true", "https", "ssl", "wss"), True),
    **dict.fromkeys(("off", "0", "false", "http", "ws"), False),
}


class Contradictions:
    """What there is to say of a request's headers, and what was said.

    Args:
        header: The option of ProxyFix: ``"x-forwarded"`` or ``"forwarded"``.
        lists: The keys of X-Forwarded-* that are read, without that of the address.
    """

    def __init__(self, header: str, lists: Iterable[str] = ()) -> None:
        self._lists = tuple(lists)
        self._read, self._deleted, self._other = (
            ("Forwarded", "X-Forwarded-For", "x-forwarded")
            if header == "forwarded"
            else ("X-Forwarded-For", "Forwarded", "forwarded")
        )
        self._told: set[str] = set()

    def warn(self, found: Iterable[tuple[str, str]]) -> None:
        """Log each kind that has not been logged yet; no message holds what a client wrote."""
        for kind, message in found:
            if kind not in self._told:
                self._told.add(kind)
                _log.warning("ProxyFix: %s (logged once)", message)

    def of_families(self, environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Both families came in one request."""
        if "HTTP_FORWARDED" in environ and "HTTP_X_FORWARDED_FOR" in environ:
            message = (
                f"X-Forwarded-For and Forwarded came in one request. ProxyFix takes {self._read} and deletes "
                f"{self._deleted}, which may be the client's own. Let the proxy delete the one that it does not set; "
                f"if that is {self._read}, write header={self._other!r}"
            )
            yield "families", message

    def of_lists(self, environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """A header has several values, and more of them than there were hops."""
        hops = len(split_list(environ.get("HTTP_X_FORWARDED_FOR", "")))
        for key in self._lists:
            if "," in environ.get(key, "") and len(split_list(environ[key])) > hops:
                name = header_of(key)
                message = (
                    f"{name} has more values than X-Forwarded-For: a proxy appends to what the client sent, or an "
                    f"underscored twin of the header was merged into it. Let the proxy that clients reach overwrite "
                    f"{name}, or write x_{key.rpartition('_')[2].lower()}=0"
                )
                yield key, message

    def of_scheme(self, environ: Mapping[str, Any], scheme: str | None) -> Iterator[tuple[str, str]]:
        """Another header tells another scheme than X-Forwarded-Proto."""
        if scheme is None:
            return
        secure = _SECURE[scheme]
        for key in _SCHEME_KEYS:
            value = environ.get(key)
            if value is None or len(value) > 5 or _SECURE.get(value.lower(), secure) is secure:
                continue
            message = (
                f"X-Forwarded-Proto says {scheme} and {header_of(key)} says {value.lower()}. ProxyFix takes "
                "X-Forwarded-Proto. Let the proxy send one of them; x_proto=0 leaves the scheme to the server"
            )
            yield key, message
