"""The OWASP Secure Headers Project's list: what to send, and what not to tell.

>>> from overcoat.inspector._owasp import disclosures, rows_of
>>> from overcoat.inspector._response import Response
>>> page = Response("GET", "https://example.com/", 200, (("Server", "shop/1.2"), ("X-Content-Type-Options", "nosniff")))
>>> [row.name for row in rows_of(page) if row.sent]
['X-Content-Type-Options']
>>> disclosures(page)
[('Server', 'shop/1.2')]

Both lists are the project's (``headers_add.json`` and ``headers_remove.json``), as of ``LIST_DATE``; of the first, what
has no place on every response is told apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from overcoat.inspector._response import Response

LIST_DATE = "2026-11"


@dataclass(frozen=True)
class Row:
    """A header of the list.

    Attributes:
        name: Of the header.
        does: What it is for.
        option: What sends it: options of ``SecurityHeaders``.
        is_optional: Whether a site may well do without.
        sent: What the page sends, or None.
    """

    name: str
    does: str
    option: Mapping[str, Any]
    is_optional: bool = False
    sent: str | None = None


_ROWS = (
    Row("Strict-Transport-Security", "browsers insist on https", {"hsts_max_age_s": 31_536_000}),
    Row("Content-Security-Policy", "what the page may load and run", {"preset": "page"}),
    Row("X-Content-Type-Options", "browsers do not guess types", {"content_type_options": "nosniff"}),
    Row("X-Frame-Options", "who may show it in a frame, for old browsers", {"frame_options": "DENY"}),
    Row("Referrer-Policy", "what other origins learn of the address", {"referrer_policy": "no-referrer"}),
    Row(
        "Permissions-Policy",
        "camera, microphone and the like",
        {"permissions_policy": {"camera": [], "microphone": []}},
    ),
    Row(
        "Cross-Origin-Opener-Policy",
        "no window of another site holds on to it",
        {"cross_origin_opener_policy": "same-origin"},
    ),
    Row("Cross-Origin-Resource-Policy", "who may embed it", {"cross_origin_resource_policy": "same-origin"}),
    Row(
        "Cross-Origin-Embedder-Policy",
        "what it embeds must agree to it",
        {"cross_origin_embedder_policy": "require-corp"},
        is_optional=True,
    ),
    Row("Cache-Control", "what is personal is not kept", {"cache_control": "no-store"}, is_optional=True),
    Row("Clear-Site-Data", "for the answer to a logout", {}, is_optional=True),
    Row("X-Permitted-Cross-Domain-Policies", "for Flash and Acrobat, which are gone", {}, is_optional=True),
)

# In lower case.
_DISCLOSING = frozenset({
    "$wsep", "host-header", "k-proxy-request", "liferay-portal", "oraclecommercecloud-version", "pega-host",
    "powered-by", "product", "server", "sourcemap", "x-aspnet-version", "x-aspnetmvc-version", "x-atmosphere-error",
    "x-atmosphere-first-request", "x-atmosphere-tracking-id", "x-b3-parentspanid", "x-b3-sampled", "x-b3-spanid",
    "x-b3-traceid", "x-beserver", "x-cf-powered-by", "x-cms", "x-calculatedbetarget", "x-cocoon-version",
    "x-content-encoded-by", "x-diaginfo", "x-envoy-attempt-count", "x-envoy-external-address", "x-envoy-internal",
    "x-envoy-original-dst-host", "x-envoy-upstream-service-time", "x-feserver", "x-framework", "x-generated-by",
    "x-generator", "x-jitsi-release", "x-kubernetes-pf-flowschema-ui", "x-kubernetes-pf-prioritylevel-uid",
    "x-litespeed-cache", "x-litespeed-purge", "x-litespeed-tag", "x-litespeed-vary", "x-litespeed-cache-control",
    "x-mod-pagespeed", "x-nextjs-cache", "x-nextjs-matched-path", "x-nextjs-page", "x-nextjs-redirect",
    "x-owa-version", "x-old-content-length", "x-oneagent-js-injection", "x-page-speed", "x-php-version",
    "x-powered-by", "x-powered-by-plesk", "x-powered-cms", "x-redirect-by", "x-server-powered-by", "x-sourcefiles",
    "x-sourcemap", "x-turbo-charged-by", "x-umbraco-version", "x-varnish-backend", "x-varnish-server",
    "x-dtagentid", "x-dthealthcheck", "x-dtinjectedservlet", "x-ruxit-js-agent",
})  # fmt: skip  # sixty strings would fill the screen

#: Headers that browsers dropped, with why each is better left out.
OBSOLETE: Mapping[str, str] = {
    "x-xss-protection": "browsers dropped it, and where they did not it opens holes",
    "expect-ct": "browsers dropped it: certificates must be logged anyway",
    "public-key-pins": "browsers dropped it: a lost key locked sites out",
    "public-key-pins-report-only": "browsers dropped it",
    "feature-policy": "Permissions-Policy took its place",
    "x-content-security-policy": "Content-Security-Policy took its place",
    "x-webkit-csp": "Content-Security-Policy took its place",
    "report-to": "Reporting-Endpoints took its place",
    "pragma": "Cache-Control took its place",
    "p3p": "no browser reads it",
    "x-ua-compatible": "no browser reads it",
    "x-download-options": "no browser reads it",
}


def rows_of(page: Response) -> list[Row]:
    """The list, with what the page sends of it."""
    return [Row(row.name, row.does, row.option, row.is_optional, page.joined(row.name.lower())) for row in _ROWS]


def disclosures(response: Response) -> list[tuple[str, str]]:
    """The headers that tell what the site is made of."""
    return [(name, value) for name, value in response.headers if name.lower() in _DISCLOSING]
