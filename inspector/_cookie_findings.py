"""What is wrong with cookies, beyond what the HTTP Observatory's points tell.

>>> from overcoat.inspector._cookie_findings import cookie_findings
>>> from overcoat.inspector._visit import visit
>>> def app(environ, start_response):
...     start_response("302 Found", [("Location", "/"), ("Set-Cookie", "theme=dark; Secure; SameSite=Lax")])
...     return []
>>> next(cookie_findings(visit(app, "/", "example.com"))).says
"the cookie 'theme' lacks HttpOnly"
"""

from collections.abc import Iterator

from overcoat.inspector._finding import SHOWN, Finding
from overcoat.inspector._observatory_cookies import is_session
from overcoat.inspector._set_cookie import read_set_cookie
from overcoat.inspector._visit import Visit
from overcoat.middleware._cookies import faults


def cookie_findings(seen: Visit) -> Iterator[Finding]:
    """What the cookies lack that the way to a page and ``/robots.txt`` set, and which of them browsers drop."""
    for response in (*seen.https, seen.robots):
        for value in response.all("set-cookie"):
            cookie = read_set_cookie(value)
            if cookie is None:
                yield Finding("warning", "cookie-unreadable", "a Set-Cookie without a name", "name it", response.asked)
                continue
            name, attributes = cookie
            shown, session = f"the cookie {name[:SHOWN]!r}", is_session(name)
            missing = [
                label
                for label, lower in (("Secure", "secure"), ("HttpOnly", "httponly"), ("SameSite", "samesite"))
                if lower not in attributes
            ]
            if missing:
                # HttpOnly is for what scripts need not read: a session above all.
                serious = set(missing) != {"HttpOnly"} or session
                yield Finding(
                    "warning" if serious else "note", "cookie-lacks", f"{shown} lacks {', '.join(missing)}",
                    "SecureCookies()" if "HttpOnly" not in missing or session
                    else f"SecureCookies(), or SecureCookies(readable=[{name[:SHOWN]!r}]) if scripts read it",
                    response.asked,
                )  # fmt: skip
            for fault in faults(name, attributes):
                yield Finding("warning", "cookie-fault", f"{shown} is not kept as it is: {fault}", "", response.asked)
            if session and not missing and not name.startswith("__") and not attributes.get("domain"):
                yield Finding(
                    "note", "cookie-prefix", f"{shown} could be set by a subdomain, or by http",
                    f"call it '__Host-{name[:SHOWN]}', with Path=/", response.asked,
                )  # fmt: skip
        if response.all("set-cookie") and not response.first("cache-control") and response.status == 200:
            yield Finding(
                "note", "cookie-cacheable", "sets a cookie, and says nothing of caching",
                "Cache-Control: private, or no-store", response.asked,
            )  # fmt: skip
