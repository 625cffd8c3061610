"""The HTTP Observatory's tests that look at one header, or at the redirects.

>>> from overcoat.inspector._observatory_headers import grade_redirection, grade_transport_security
>>> grade_transport_security("max-age=31536000; includeSubDomains")
'hsts-implemented-max-age-at-least-six-months'
>>> grade_redirection(["http://example.com/", "https://example.com/"])
'redirection-to-https'
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from overcoat.inspector._effective_policy import PolicyError, effective_policy

# Six months are 15,768,000 s; the Observatory is content with 180 days.
_SIX_MONTHS_S = 15_552_000

_PRIVATE = frozenset({"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"})
_UNSAFE = frozenset({"origin", "origin-when-cross-origin", "unsafe-url", "no-referrer-when-downgrade"})


def grade_transport_security(value: str | None) -> str:
    """The result for Strict-Transport-Security over https, all of its lines joined; None where it is not sent."""
    if value is None:
        return "hsts-not-implemented"
    if "," in value:
        return "hsts-header-invalid"
    for directive in value.lower().split(";"):
        name, _, text = directive.partition("=")
        digits = text.strip().strip('"')
        if name.strip() == "max-age" and digits.isascii() and digits.isdigit():
            enough = int(digits[:20]) >= _SIX_MONTHS_S
            return f"hsts-implemented-max-age-{'at-least' if enough else 'less-than'}-six-months"
    return "hsts-header-invalid"


def grade_redirection(route: Sequence[str]) -> str:
    """The result for the URLs that a browser passes from ``http://`` on; none where http is not served."""
    if not route:
        return "redirection-not-needed-no-http"
    if len(route) == 1:
        return "redirection-missing"
    if not route[-1].startswith("https:"):
        return "redirection-not-to-https"
    if route[1].startswith("http:"):
        return "redirection-not-to-https-on-initial-redirection"
    if urlsplit(route[0]).hostname != urlsplit(route[1]).hostname:
        return "redirection-off-host-from-http"
    return "redirection-to-https"


def grade_referrer_policy(values: Sequence[str], meta: str | None = None) -> str:
    """The result for Referrer-Policy: its lines, and what the page's own ``meta`` says after them."""
    given = [*values, *([meta] if meta else [])]
    if not given:
        return "referrer-policy-not-implemented"
    known = [
        policy
        for policy in (part.strip().lower() for part in ",".join(given).split(","))
        if policy in _PRIVATE | _UNSAFE
    ]
    if not known:
        return "referrer-policy-header-invalid"
    return "referrer-policy-private" if known[-1] in _PRIVATE else "referrer-policy-unsafe"


def grade_content_type_options(value: str | None) -> str:
    """The result for X-Content-Type-Options."""
    if not value:
        return "x-content-type-options-not-implemented"
    return f"x-content-type-options-{'nosniff' if value.strip().lower() == 'nosniff' else 'header-invalid'}"


def grade_frame_options(value: str | None, policies: Sequence[str], meta: Sequence[str] = ()) -> str:
    """The result for X-Frame-Options, and for the policies of header and page that may say the same."""
    try:
        # Browsers ignore it in a page; the Observatory only where the page has nothing else and there is no header.
        counts = bool(policies) or bool(effective_policy(meta, meta=True).directives)
        if counts and "frame-ancestors" in effective_policy([*policies, *meta]).directives:
            return "x-frame-options-implemented-via-csp"
    except PolicyError:
        pass
    text = (value or "").strip().lower()
    if not text:
        return "x-frame-options-not-implemented"
    if text in {"deny", "sameorigin"}:
        return "x-frame-options-sameorigin-or-deny"
    return f"x-frame-options-{'allow-from-origin' if text.startswith('allow-from') else 'header-invalid'}"


def grade_resource_policy(value: str | None) -> str:
    """The result for Cross-Origin-Resource-Policy."""
    text = (value or "").strip().lower()
    if not text:
        return "corp-not-implemented"
    known = text in {"same-origin", "same-site", "cross-origin"}
    return f"corp-implemented-with-{text}" if known else "corp-header-invalid"


def grade_sharing(allowed: str | None, credentials: str | None, origin: str) -> str:
    """The result for what a foreign ``origin`` was told of Cross-Origin Resource Sharing."""
    label = "cross-origin-resource-sharing-"
    if not allowed:
        return f"{label}not-implemented"
    if allowed.strip() == "*":
        return f"{label}implemented-with-public-access"
    if allowed == origin and (credentials or "").strip().lower() == "true":
        return f"{label}implemented-with-universal-access"
    return f"{label}implemented-with-restricted-access"
