r"""SecurityHeaders: the response headers that browsers act on, set once, for every response.

What the app sets wins: a header that is there already is left as it is, so a stricter page stays strict, and two
policies are never merged. Error pages, static files and 405s get the headers too, because the layer stands outside the
framework. A view asks for others by ``override_security_headers(...)``.

=======================================  ===================================  =====================================
header                                   default                              option
=======================================  ===================================  =====================================
``X-Content-Type-Options``               ``nosniff``                          ``content_type_options``
``X-Frame-Options``                      ``SAMEORIGIN``, or what              ``frame_options``
                                         ``frame-ancestors`` says
``Referrer-Policy``                      ``strict-origin-when-cross-origin``  ``referrer_policy``
``Cross-Origin-Opener-Policy``           ``same-origin``                      ``cross_origin_opener_policy``
``Strict-Transport-Security``            one year, only over https            ``hsts_max_age_s``, ``hsts_...``
``Content-Security-Policy``              none; by preset                      ``content_security_policy``
``Content-Security-Policy-Report-Only``  none                                 ``content_security_policy_report_only``
``Permissions-Policy``                   none; by preset                      ``permissions_policy``
``Cross-Origin-Resource-Policy``         none; by preset                      ``cross_origin_resource_policy``
``Cross-Origin-Embedder-Policy``         none                                 ``cross_origin_embedder_policy``
``Origin-Agent-Cluster``                 none; by preset                      ``origin_agent_cluster``
``Reporting-Endpoints``                  none                                 ``reporting_endpoints``
``Cache-Control``                        none; by preset                      ``cache_control``
=======================================  ===================================  =====================================

``None`` turns one off. ``X-XSS-Protection``, ``Expect-CT``, ``Public-Key-Pins``, ``Feature-Policy`` and the X- forms of
the policy are never sent: they do harm or nothing.

Not for redirects to https, nor for cookies: those are other things than headers that a browser obeys.

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

import logging
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, ClassVar, Unpack

from overcoat.middleware._additions import Addition, present_names
from overcoat.middleware._authority import LONGEST_HOST
from overcoat.middleware._exchange import Exchange, name_of
from overcoat.middleware._header_compilers import CSP, HSTS
from overcoat.middleware._header_values import Headers, compile_preset, forced_names
from overcoat.middleware._hsts import is_public_name
from overcoat.middleware._layer import Layer
from overcoat.middleware._options import LayerOptions, one_of
from overcoat.middleware._presets import DEFAULTS, PRESETS, Permissions, PolicyMapping
from overcoat.middleware._wsgi import Application
from overcoat.middleware.nonce import CSP_NONCE_KEY, WISHES, csp_nonce

_UNSET: Any = object()
_log = logging.getLogger("overcoat")
_first = itemgetter(0)


class SecurityHeaders(Layer):
    """Set security headers where the app has not.

    Args:
        app: The WSGI application to wrap.
        preset: None (safe for any app, no content security policy), ``"page"`` or ``"api"``; the options below refine
            it.
        content_security_policy: A mapping from directive to its sources, or None. The source ``"'nonce'"`` stands for
            the request's ``csp_nonce()``, and for nothing where a page did not ask for one.
        content_security_policy_report_only: A second policy, which refuses nothing and reports what it would have.
        content_type_options: ``"nosniff"`` or None.
        frame_options: ``"DENY"``, ``"SAMEORIGIN"`` or None; follows the policy's ``frame-ancestors`` if not given.
        referrer_policy: A policy of the Referrer Policy specification, or None.
        permissions_policy: Feature to the origins that may use it (``[]`` nobody, ``"*"`` all), the header's value as
            text, or None.
        cross_origin_opener_policy: ``"same-origin"``, ``"same-origin-allow-popups"``, ... or None.
        cross_origin_embedder_policy: ``"require-corp"``, ``"credentialless"``, ``"unsafe-none"`` or None.
        cross_origin_resource_policy: ``"same-origin"``, ``"same-site"``, ``"cross-origin"`` or None.
        origin_agent_cluster: True, False or None.
        reporting_endpoints: Name to URL of where reports go; what a policy names as ``report-to`` must be among them.
        cache_control: For responses that say nothing of caching, neither by Cache-Control nor by Expires; or None.
        hsts_max_age_s: Seconds for which browsers shall insist on https (RFC 6797), sent only over https and never for
            localhost or a bare address; None turns it off.
        hsts_include_subdomains: Whether that holds for subdomains too.
        hsts_preload: Whether the domain asks for a place in the browsers' own lists; hard to take back.
        override: Names of headers in which the app has no say: what it sets is taken out.
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
        content_security_policy: PolicyMapping | None = _UNSET,
        content_security_policy_report_only: PolicyMapping | None = _UNSET,
        content_type_options: str | None = _UNSET,
        frame_options: str | None = _UNSET,
        referrer_policy: str | None = _UNSET,
        permissions_policy: Permissions | None = _UNSET,
        cross_origin_opener_policy: str | None = _UNSET,
        cross_origin_embedder_policy: str | None = _UNSET,
        cross_origin_resource_policy: str | None = _UNSET,
        origin_agent_cluster: bool | None = _UNSET,
        reporting_endpoints: Mapping[str, str] | None = _UNSET,
        cache_control: str | None = _UNSET,
        hsts_max_age_s: int | None = _UNSET,
        hsts_include_subdomains: bool = False,
        hsts_preload: bool = False,
        override: Iterable[str] = (),
        **options: Unpack[LayerOptions],
    ) -> None:
        arguments = locals()
        given = {name: arguments[name] for name in DEFAULTS if arguments[name] is not _UNSET}
        headers = compile_preset(one_of(self, "preset", preset, PRESETS), given)
        self._policies = headers.policies
        hsts = headers.values.pop(HSTS, None)
        pairs = [(name, value) for name, value in headers.values.items() if value is not None]
        self._secure = Addition(pairs if hsts is None else [*pairs, (HSTS, hsts)])
        self._plain = self._secure if hsts is None else Addition(pairs)
        self._forced = forced_names(override, dict(self._secure.pairs))
        if not self._policies:
            self.on_request = None  # type: ignore[method-assign,assignment]  # nothing to offer
        self._told = False
        super().__init__(app, **options)

    def on_request(self, exchange: Exchange) -> None:
        """Offer the nonce to those who cannot import it."""
        exchange.environ[CSP_NONCE_KEY] = csp_nonce

    def on_headers(self, exchange: Exchange) -> None:
        """Add what the app has not set."""
        rare, status = exchange._rare, exchange.status
        if self._forced or (rare is not None and WISHES in rare) or (type(status) is str and status[:3] == "304"):
            self._add_specially(exchange)
            return
        addition, environ = self._plain, exchange.environ
        if self._secure is not addition and environ.get("wsgi.url_scheme") == "https" and _has_public_name(environ):
            addition = self._secure
        headers = exchange.headers
        try:
            headers += addition.by_names[(*map(_first, headers),)]
        except (KeyError, TypeError, IndexError):
            headers += addition.beside(exchange)

    def _add_specially(self, exchange: Exchange) -> None:
        """The same for a request with a nonce or wishes of its own, and where the app has no say."""
        wishes = (exchange._rare or {}).get(WISHES, {})
        environ = exchange.environ
        secure = environ.get("wsgi.url_scheme") == "https" and _has_public_name(environ)
        values: dict[str, str | None] = dict((self._secure if secure else self._plain).pairs)
        policies = self._policies
        own: Headers | None = wishes.get("headers")
        if own is not None:
            values |= own.values
            policies = {name: one for name, one in policies.items() if name not in own.values} | own.policies
            if not secure:
                values.pop(HSTS, None)
        if self._forced:
            exchange.headers[:] = [pair for pair in exchange.headers if name_of(pair) not in self._forced]
        present = present_names(exchange)
        nonce = wishes.get("nonce")
        if policies and exchange.status_code == 304:
            # A 304 updates the headers that the browser keeps (RFC 9111, section 3.2), where the nonce of the kept page
            # stands: what is not sent stays.
            values = {name: value for name, value in values.items() if name not in policies}
        elif nonce is not None:
            values |= {name: policy.text_with(nonce) for name, policy in policies.items()}
            if not policies and values.get(CSP) and CSP.lower() not in present:
                self._tell()
        exchange.headers += [
            (name, value) for name, value in values.items() if value is not None and name.lower() not in present
        ]

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            _log.warning(
                "a page asked for csp_nonce(), but no directive of content_security_policy has the source \"'nonce'\": "
                "browsers refuse what carries it"
            )


def _has_public_name(environ: dict[str, Any]) -> bool:
    """Whether the host that was asked is one that HSTS is for."""
    host = environ.get("HTTP_HOST") or environ.get("SERVER_NAME") or ""
    return len(host) <= LONGEST_HOST and is_public_name(host)
