r"""SecurityHeaders: the response headers that browsers act on, set once, for every response.

What the app sets wins: a header that is there already is left as it is, so a stricter page stays strict. Error pages,
static files and 405s get the headers too, because the layer stands outside the framework.

==================================  ==================================  ======================================
header                              default                             option
==================================  ==================================  ======================================
``X-Content-Type-Options``          ``nosniff``                         ``content_type_options``
``X-Frame-Options``                 ``SAMEORIGIN``                      ``frame_options``
``Referrer-Policy``                 ``strict-origin-when-cross-origin`` ``referrer_policy``
``Cross-Origin-Opener-Policy``      ``same-origin``                     ``cross_origin_opener_policy``
``Strict-Transport-Security``       one year, only over https           ``hsts_max_age_s``
``Content-Security-Policy``         none; ``preset="page"``, ``"api"``  ``content_security_policy``
``Permissions-Policy``              none; by preset                     ``permissions_policy``
``Cross-Origin-Resource-Policy``    none; by preset                     ``cross_origin_resource_policy``
==================================  ==================================  ======================================

``None`` turns one off. ``X-XSS-Protection``, ``Expect-CT`` and ``Public-Key-Pins`` are never sent: they do harm or
nothing.

It stands inside ProxyFix, which tells whether the client came by https.

>>> from overcoat.middleware import SecurityHeaders
>>> def app(environ, start_response):
...     start_response("200 OK", [("X-Frame-Options", "DENY")])
...     return [b""]
>>> app = SecurityHeaders(app, referrer_policy="no-referrer", cross_origin_opener_policy=None)
>>> _ = app({"wsgi.url_scheme": "http"}, lambda status, headers: print(*headers, sep="\n"))
('X-Frame-Options', 'DENY')
('X-Content-Type-Options', 'nosniff')
('Referrer-Policy', 'no-referrer')
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Unpack

from overcoat.middleware._exchange import Exchange, HeaderList
from overcoat.middleware._layer import Layer
from overcoat.middleware._options import LayerOptions, one_of
from overcoat.middleware._policy import content_security_policy as _csp
from overcoat.middleware._wsgi import Application

ONE_YEAR_S = 31_536_000

_FRAME = ("DENY", "SAMEORIGIN")
# Referrer Policy, section 3
_REFERRER = (
    "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin", "origin-when-cross-origin",
    "strict-origin-when-cross-origin", "unsafe-url",
)  # fmt: skip
_OPENER = ("same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none")
_RESOURCE = ("same-origin", "same-site", "cross-origin")

_NO_DEVICES = (
    "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()"
)

#: The presets, as of 2026-11: a page that loads only from its own origin, and an API that is never shown.
PRESETS: Mapping[str | None, Mapping[str, Any]] = {
    None: {},
    "page": {
        "content_security_policy": {
            "default-src": ["'self'"],
            "base-uri": ["'none'"],
            "form-action": ["'self'"],
            "frame-ancestors": ["'self'"],
            "object-src": ["'none'"],
        },
        "cross_origin_resource_policy": "same-origin",
        "permissions_policy": _NO_DEVICES,
    },
    "api": {
        "content_security_policy": {"default-src": ["'none'"], "frame-ancestors": ["'none'"]},
        "cross_origin_resource_policy": "same-origin",
        "frame_options": "DENY",
        "permissions_policy": _NO_DEVICES,
        "referrer_policy": "no-referrer",
    },
}

_DEFAULTS: Mapping[str, Any] = {
    "content_type_options": "nosniff",
    "frame_options": "SAMEORIGIN",
    "referrer_policy": "strict-origin-when-cross-origin",
    "cross_origin_opener_policy": "same-origin",
    "hsts_max_age_s": ONE_YEAR_S,
    "content_security_policy": None,
    "permissions_policy": None,
    "cross_origin_resource_policy": None,
}

_UNSET: Any = object()


class SecurityHeaders(Layer):
    """Set security headers where the app has not.

    Args:
        app: The WSGI application to wrap.
        preset: None (safe for any app, no content security policy), ``"page"`` or ``"api"``; the options below refine
            it.
        content_security_policy: A mapping from directive to its sources, or None.
        content_type_options: ``"nosniff"`` or None.
        frame_options: ``"DENY"``, ``"SAMEORIGIN"`` or None.
        referrer_policy: A policy of the Referrer Policy specification, or None.
        permissions_policy: The header's value, or None.
        cross_origin_opener_policy: ``"same-origin"``, ``"same-origin-allow-popups"``, ... or None.
        cross_origin_resource_policy: ``"same-origin"``, ``"same-site"``, ``"cross-origin"`` or None.
        hsts_max_age_s: Seconds for which browsers shall insist on https (RFC 6797), sent only over https and never for
            localhost or a bare address; None turns it off.
        hsts_include_subdomains: Whether that holds for subdomains too.
        **options: Those of every layer: ``skip``, ``check_order``.

    Raises:
        ValueError: A value that a browser would ignore or that would weaken the page by a slip.
    """

    does = "sets security headers that the app has not set"
    inside: ClassVar[Mapping[str, str]] = {"ProxyFix": "HSTS is sent over https only, and ProxyFix tells the scheme"}

    def __init__(
        self,
        app: Application | None = None,
        *,
        preset: str | None = None,
        content_security_policy: Mapping[str, Iterable[str] | str] | None = _UNSET,
        content_type_options: str | None = _UNSET,
        frame_options: str | None = _UNSET,
        referrer_policy: str | None = _UNSET,
        permissions_policy: str | None = _UNSET,
        cross_origin_opener_policy: str | None = _UNSET,
        cross_origin_resource_policy: str | None = _UNSET,
        hsts_max_age_s: int | None = _UNSET,
        hsts_include_subdomains: bool = False,
        **options: Unpack[LayerOptions],
    ) -> None:
        given = {
            "content_security_policy": content_security_policy,
            "content_type_options": content_type_options,
            "frame_options": frame_options,
            "referrer_policy": referrer_policy,
            "permissions_policy": permissions_policy,
            "cross_origin_opener_policy": cross_origin_opener_policy,
            "cross_origin_resource_policy": cross_origin_resource_policy,
            "hsts_max_age_s": hsts_max_age_s,
        }
        chosen = dict(_DEFAULTS) | dict(PRESETS[one_of(self, "preset", preset, PRESETS)])
        chosen |= {name: value for name, value in given.items() if value is not _UNSET}
        self._headers = self._compile(chosen)
        self._hsts = self._strict_transport(chosen["hsts_max_age_s"], hsts_include_subdomains)
        self._secure_headers = self._headers if self._hsts is None else [*self._headers, self._hsts]
        self._names = frozenset(name.lower() for name, _ in self._secure_headers)
        super().__init__(app, **options)

    def _compile(self, chosen: Mapping[str, Any]) -> HeaderList:
        csp = chosen["content_security_policy"]
        values = {
            "Content-Security-Policy": None if csp is None else _csp(csp),
            "X-Content-Type-Options": self._choice(chosen, "content_type_options", ("nosniff",)),
            "X-Frame-Options": self._choice(chosen, "frame_options", _FRAME),
            "Referrer-Policy": self._choice(chosen, "referrer_policy", _REFERRER),
            "Permissions-Policy": self._text(chosen, "permissions_policy"),
            "Cross-Origin-Opener-Policy": self._choice(chosen, "cross_origin_opener_policy", _OPENER),
            "Cross-Origin-Resource-Policy": self._choice(chosen, "cross_origin_resource_policy", _RESOURCE),
        }
        return [(name, value) for name, value in values.items() if value is not None]

    def _choice(self, chosen: Mapping[str, Any], option: str, allowed: tuple[str, ...]) -> str | None:
        value: str | None = chosen[option]
        return one_of(self, option, value, [*allowed, None])  # type: ignore[no-any-return]

    def _text(self, chosen: Mapping[str, Any], option: str) -> str | None:
        value: str | None = chosen[option]
        if value is not None and not (isinstance(value, str) and value and value.isascii() and value.isprintable()):
            raise ValueError(f"SecurityHeaders: {option}={value!r} must be printable ASCII text, or None")
        return value

    def _strict_transport(self, max_age_s: int | None, include_subdomains: bool) -> tuple[str, str] | None:
        if max_age_s is None:
            if include_subdomains is True:
                raise ValueError("SecurityHeaders: hsts_include_subdomains=True has no effect with hsts_max_age_s=None")
            return None
        if isinstance(max_age_s, bool) or not isinstance(max_age_s, int) or max_age_s < 0:
            raise ValueError(f"SecurityHeaders: hsts_max_age_s={max_age_s!r} must be whole seconds from 0 up, or None")
        if not isinstance(include_subdomains, bool):
            raise ValueError(f"SecurityHeaders: hsts_include_subdomains={include_subdomains!r} must be True or False")
        return "Strict-Transport-Security", f"max-age={max_age_s}" + "; includeSubDomains" * include_subdomains

    def on_headers(self, exchange: Exchange) -> None:
        """Add what the app has not set."""
        headers = exchange.headers
        ours = self._headers
        environ = exchange.environ
        if environ.get("wsgi.url_scheme") == "https" and self._hsts is not None:
            host = environ.get("HTTP_HOST") or environ.get("SERVER_NAME") or ""
            if len(host) <= _LONGEST_NAME and _is_public_name(host):
                ours = self._secure_headers
        present = exchange.header_names()
        if not present.isdisjoint(self._names):
            ours = [pair for pair in ours if pair[0].lower() not in present]
        headers += ours


# The longest host name and its port (RFC 1035, section 3.1); nothing longer gets HSTS or a place in the cache.
_LONGEST_NAME = 261

# An address ends in a number or stands in brackets; a browser ignores HSTS for it (RFC 6797, section 8.1.1), and for
# localhost it would break every other project on the developer's machine.
_NOT_PUBLIC = re.compile(
    r"(?:.*\.)?localhost\.?(?::\d+)?|.*\.\d+\.?(?::\d+)?|\d+(?::\d+)?|\[.*", re.ASCII | re.IGNORECASE
)


@lru_cache(maxsize=1024)
def _is_public_name(host: str) -> bool:
    return not _NOT_PUBLIC.fullmatch(host)
