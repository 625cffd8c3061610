"""The HTTP Observatory's test of cookies.

>>> from overcoat.inspector._observatory_cookies import grade_cookies
>>> grade_cookies(["session=7; Path=/; HttpOnly"], has_hsts=True)
'cookies-session-without-secure-flag-but-protected-by-hsts'

A session is what is called so: a name with ``login`` or ``sess`` in it. A name with ``csrf`` is a token.
"""

from collections.abc import Iterable, Iterator

from overcoat.inspector._set_cookie import read_set_cookie

# From bad to worst; the worst that a cookie gives is the result.
_ORDER = (
    "cookies-without-secure-flag-but-protected-by-hsts",
    "cookies-without-secure-flag",
    "cookies-session-without-secure-flag-but-protected-by-hsts",
    "cookies-samesite-flag-invalid",
    "cookies-anticsrf-without-samesite-flag",
    "cookies-session-without-httponly-flag",
    "cookies-session-without-secure-flag",
)
_SAME_SITE = frozenset({"strict", "lax", "none"})
# A load balancer's, which nobody can change (mozilla/http-observatory, issue 282).
_NOT_COUNTED = frozenset({"heroku-session-affinity"})


def grade_cookies(set_cookies: Iterable[str], *, has_hsts: bool) -> str:
    """The Observatory's result.

    Args:
        set_cookies: The values of all Set-Cookie headers that were seen over https.
        has_hsts: Whether the test of Strict-Transport-Security passes.
    """
    read = [cookie for cookie in map(read_set_cookie, set_cookies) if cookie]
    # What a browser keeps: one of the same name, domain and path replaces the one before.
    kept = {(name, rest.get("domain", ""), rest.get("path", "/")): (name, rest) for name, rest in read}
    cookies = [cookie for cookie in kept.values() if cookie[0] not in _NOT_COUNTED]
    faults = [fault for name, attributes in cookies for fault in _faults(name, attributes, has_hsts=has_hsts)]
    if not cookies:
        return "cookies-not-found"
    if any("samesite" in attributes and not _same_site(attributes) for _, attributes in read):
        faults.append("cookies-samesite-flag-invalid")
    if faults:
        return max(faults, key=_ORDER.index)
    if all(_same_site(attributes) for _, attributes in cookies):
        return "cookies-secure-with-httponly-sessions-and-samesite"
    return "cookies-secure-with-httponly-sessions"


def is_session(name: str) -> bool:
    """Whether a cookie is called as sessions are."""
    return any(part in name.lower() for part in ("login", "sess"))


def _faults(name: str, attributes: dict[str, str], *, has_hsts: bool) -> Iterator[str]:
    same_site, secure = _same_site(attributes), "secure" in attributes
    if same_site == "none" and not secure:
        yield "cookies-samesite-flag-invalid"
    if not secure:
        kind = "-session" if is_session(name) else ""
        yield f"cookies{kind}-without-secure-flag" + "-but-protected-by-hsts" * has_hsts
    if "csrf" in name.lower() and not same_site:
        yield "cookies-anticsrf-without-samesite-flag"
    if is_session(name) and "httponly" not in attributes:
        yield "cookies-session-without-httponly-flag"


def _same_site(attributes: dict[str, str]) -> str:
    value = attributes.get("samesite", "").lower()
    return value if value in _SAME_SITE else ""
