"""The results of the HTTP Observatory's tests: what each is worth, whether it passes, and what mends it.

Names, points and passes are those that MDN publishes (mdn/mdn-http-observatory, ``src/grader/charts.js``, algorithm
version 4, read in ``SCORING_DATE``); words and remedies are ours.

>>> from overcoat.inspector._observatory_results import RESULTS
>>> RESULTS["csp-not-implemented"].points
-25
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCORING_DATE = "2026-11"


@dataclass(frozen=True)
class Meaning:
    """What a result means.

    Attributes:
        points: What it adds to the score.
        passes: Whether the Observatory counts the test as passed.
        says: What was found.
        fix: What to do for more points, or "".
        headers: Options of ``SecurityHeaders`` that do it.
        layer: Another layer that does it.
    """

    points: int
    passes: bool
    says: str
    fix: str = ""
    headers: Mapping[str, Any] = field(default_factory=dict)
    layer: str = ""


_FRAMES = "add the directive frame-ancestors to the policy"
_REFERRER = {"referrer_policy": "strict-origin-when-cross-origin"}
_HSTS = {"hsts_max_age_s": 31_536_000}
_NOSNIFF = {"content_type_options": "nosniff"}
_XFO = {"frame_options": "SAMEORIGIN"}
_CORP = {"cross_origin_resource_policy": "same-origin"}
_REDIRECT = (
    "redirect each request by http to https on the same host; if what stands in front does, check with --https-only"
)

RESULTS: Mapping[str, Meaning] = {
    # Content Security Policy
    "csp-implemented-with-no-unsafe-default-src-none": Meaning(10, True, "default-src 'none', and nothing unsafe"),
    "csp-implemented-with-no-unsafe": Meaning(
        5, True, "nothing unsafe", "let default-src be 'none', and name what the page loads in the other directives"
    ),
    "csp-implemented-but-duplicate-directives": Meaning(
        0, True, "nothing unsafe, but a reporting directive stands twice", "take one of the two out"
    ),
    "csp-implemented-with-unsafe-inline-in-style-src-only": Meaning(
        0,
        True,
        "styles from anywhere, or inline",
        "give styles a nonce or a file, and take 'unsafe-inline', data: and whole schemes out of style-src",
    ),
    "csp-implemented-with-insecure-scheme-in-passive-content-only": Meaning(
        -10, True, "images or media by http", "take http: out of img-src, media-src and default-src"
    ),
    "csp-implemented-with-unsafe-eval": Meaning(
        -10, False, "text may be run as code", "take 'unsafe-eval' out of script-src and style-src"
    ),
    "csp-implemented-with-unsafe-inline": Meaning(
        -20,
        False,
        "inline scripts, or scripts and objects from anywhere",
        "give scripts \"'nonce'\" or a file instead "
        "of 'unsafe-inline', take data: and whole schemes out of script-src and object-src, and set both",
    ),
    "csp-implemented-with-insecure-scheme": Meaning(
        -20, False, "scripts or styles by http", "take sources that begin with http: out of the policy"
    ),
    "csp-header-invalid": Meaning(
        -25,
        False,
        "the policy cannot be read, or does not do what it says",
        "give the policy as a mapping, which is checked: SecurityHeaders(content_security_policy={...})",
    ),
    "csp-not-implemented": Meaning(
        -25, False, "no policy", "set one; what the page loads from elsewhere must be named in it"
    ),
    "csp-not-implemented-but-reporting-enabled": Meaning(
        -25, False, "a policy that only reports", "once the reports are quiet, give the same as content_security_policy"
    ),
    # Cookies
    "cookies-secure-with-httponly-sessions-and-samesite": Meaning(
        5, True, "all cookies Secure and SameSite, sessions HttpOnly"
    ),
    "cookies-secure-with-httponly-sessions": Meaning(
        0, True, "all cookies Secure, sessions HttpOnly", "give each cookie a SameSite", layer="SecureCookies()"
    ),
    "cookies-not-found": Meaning(0, True, "no cookies"),
    "cookies-without-secure-flag-but-protected-by-hsts": Meaning(
        -5,
        False,
        "a cookie without Secure, though HSTS keeps browsers from http",
        "set Secure",
        layer="SecureCookies()",
    ),
    "cookies-session-without-secure-flag-but-protected-by-hsts": Meaning(
        -10,
        False,
        "a session cookie without Secure, though HSTS keeps browsers from http",
        "set Secure",
        layer="SecureCookies()",
    ),
    "cookies-without-secure-flag": Meaning(
        -20, False, "a cookie without Secure", "set Secure, and HSTS", layer="SecureCookies()"
    ),
    "cookies-samesite-flag-invalid": Meaning(
        -20,
        False,
        "a cookie whose SameSite is none of Strict, Lax and None, or None without Secure",
        "write SameSite=Lax, or SameSite=None with Secure where the cookie is set: SecureCookies leaves what stands",
    ),
    "cookies-anticsrf-without-samesite-flag": Meaning(
        -20, False, "a CSRF token without SameSite", "give it a SameSite", layer="SecureCookies()"
    ),
    "cookies-session-without-httponly-flag": Meaning(
        -30, False, "a session cookie that scripts can read", "set HttpOnly", layer="SecureCookies()"
    ),
    "cookies-session-without-secure-flag": Meaning(
        -40, False, "a session cookie without Secure", "set Secure, and HSTS", layer="SecureCookies()"
    ),
    # Cross-Origin Resource Sharing
    "cross-origin-resource-sharing-not-implemented": Meaning(0, True, "pages of other origins may read nothing"),
    "cross-origin-resource-sharing-implemented-with-public-access": Meaning(
        0, True, "pages of any origin may read it, without the user's cookies"
    ),
    "cross-origin-resource-sharing-implemented-with-restricted-access": Meaning(
        0, True, "pages of chosen origins may read it"
    ),
    "cross-origin-resource-sharing-implemented-with-universal-access": Meaning(
        -50,
        False,
        "pages of any origin may read what the user may read",
        "name the origins that may send credentials, "
        "such as FlaskCORS(origins=['https://shop.example'], supports_credentials=True), or allow no credentials",
    ),
    # Redirection
    "redirection-all-redirects-preloaded": Meaning(0, True, "all hosts on the way are in the browsers' HSTS list"),
    "redirection-to-https": Meaning(0, True, "http leads to https on the same host"),
    "redirection-not-needed-no-http": Meaning(0, True, "nothing is served over http"),
    "redirection-off-host-from-http": Meaning(
        -5,
        False,
        "http leads to https on another host, so this one gets no HSTS",
        "redirect to the same host first",
        layer="HTTPSRedirect",
    ),
    "redirection-not-to-https-on-initial-redirection": Meaning(
        -10, False, "http leads to http first", "redirect to https on the same host first", layer="HTTPSRedirect"
    ),
    "redirection-not-to-https": Meaning(-20, False, "http leads to http", _REDIRECT, layer="HTTPSRedirect"),
    "redirection-missing": Meaning(
        -20, False, "served over http too, without a redirect", _REDIRECT, layer="HTTPSRedirect"
    ),
    "redirection-invalid-cert": Meaning(-20, False, "the certificate is not valid", "install one that is"),
    # Referrer Policy
    "referrer-policy-private": Meaning(5, True, "other origins get no path"),
    "referrer-policy-not-implemented": Meaning(0, True, "left to the browser", "set it", _REFERRER),
    "referrer-policy-unsafe": Meaning(
        -5, False, "other origins get more than they should", "set a stricter one", _REFERRER
    ),
    "referrer-policy-header-invalid": Meaning(-5, False, "no policy that browsers know", "set one", _REFERRER),
    # Strict Transport Security
    "hsts-preloaded": Meaning(5, True, "in the browsers' own list"),
    "hsts-implemented-max-age-at-least-six-months": Meaning(0, True, "for six months or more"),
    "hsts-implemented-max-age-less-than-six-months": Meaning(
        -10, False, "for less than six months", "raise max-age", _HSTS
    ),
    "hsts-not-implemented": Meaning(-20, False, "not sent over https", "send it", _HSTS),
    "hsts-header-invalid": Meaning(-20, False, "cannot be read, or is sent twice", "send it once, with max-age", _HSTS),
    "hsts-not-implemented-no-https": Meaning(-20, False, "there is no https", "serve https"),
    "hsts-invalid-cert": Meaning(-20, False, "the certificate is not valid", "install one that is"),
    # Subresource Integrity
    "sri-implemented-and-all-scripts-loaded-securely": Meaning(5, True, "scripts of this site have their digest"),
    "sri-implemented-and-external-scripts-loaded-securely": Meaning(
        5, True, "scripts of other sites have their digest"
    ),
    "sri-not-implemented-response-not-html": Meaning(0, True, "no HTML"),
    "sri-not-implemented-but-no-scripts-loaded": Meaning(0, True, "no scripts"),
    "sri-not-implemented-but-all-scripts-loaded-from-secure-origin": Meaning(
        0, True, "all scripts are of this site", "for the points, give script elements integrity="
    ),
    "sri-not-implemented-but-external-scripts-loaded-securely": Meaning(
        -5, False, "a script of another site without its digest", "give the script element integrity= and crossorigin="
    ),
    "sri-implemented-but-external-scripts-not-loaded-securely": Meaning(
        -20, False, "a script of another site by http", "load it by https"
    ),
    "sri-not-implemented-and-external-scripts-not-loaded-securely": Meaning(
        -50, False, "a script of another site by http, without its digest", "load it by https, with integrity="
    ),
    # X-Content-Type-Options
    "x-content-type-options-nosniff": Meaning(0, True, "nosniff"),
    "x-content-type-options-not-implemented": Meaning(-5, False, "not sent", "send it", _NOSNIFF),
    "x-content-type-options-header-invalid": Meaning(-5, False, "not nosniff", "send nosniff, once", _NOSNIFF),
    # X-Frame-Options
    "x-frame-options-implemented-via-csp": Meaning(5, True, "by frame-ancestors of the policy"),
    "x-frame-options-sameorigin-or-deny": Meaning(0, True, "DENY or SAMEORIGIN", _FRAMES),
    "x-frame-options-allow-from-origin": Meaning(0, True, "ALLOW-FROM, which browsers ignore", _FRAMES),
    "x-frame-options-not-implemented": Meaning(-20, False, "any site may show it in a frame", _FRAMES, _XFO),
    "x-frame-options-header-invalid": Meaning(-20, False, "no value that browsers know", _FRAMES, _XFO),
    # Cross-Origin Resource Policy
    "corp-implemented-with-same-origin": Meaning(10, True, "other origins cannot embed it"),
    "corp-implemented-with-same-site": Meaning(10, True, "other sites cannot embed it"),
    "corp-implemented-with-cross-origin": Meaning(
        0, True, "any site may embed it", "if that is not meant, narrow it", _CORP
    ),
    "corp-not-implemented": Meaning(0, True, "any site may embed it", "set it", _CORP),
    "corp-header-invalid": Meaning(-5, False, "no value that browsers know", "set one that is", _CORP),
}
