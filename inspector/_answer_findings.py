"""What is wrong with an app's answers, beyond what the HTTP Observatory's points tell.

>>> from overcoat.inspector._answer_findings import answer_findings
>>> from overcoat.inspector._visit import visit
>>> def app(environ, start_response):
...     start_response("200 OK", [("Content-Type", "text/html"), ("X-Powered-By", "PHP/8.1")])
...     return [b"<p>hello"]
>>> for finding in answer_findings(visit(app, "/", "example.com")):
...     print(finding.severity, finding.says)
note Content-Type text/html names no charset: browsers guess one
warning X-Powered-By tells what the site is made of: 'PHP/8.1'
"""

import re
from collections import Counter
from collections.abc import Iterator

from overcoat.inspector._cookie_findings import cookie_findings
from overcoat.inspector._finding import SHOWN, Finding
from overcoat.inspector._observatory import is_graded
from overcoat.inspector._owasp import OBSOLETE, disclosures
from overcoat.inspector._policy_findings import policy_findings
from overcoat.inspector._response import Response
from overcoat.inspector._visit import FOREIGN_ORIGIN, Visit

# What a page protects itself with must stand on its error pages too: they run scripts and sit in frames as well.
_PROTECTION = (
    "content-security-policy", "referrer-policy", "strict-transport-security", "x-content-type-options",
    "x-frame-options",
)  # fmt: skip
_SINGLE = frozenset({
    *_PROTECTION, "access-control-allow-credentials", "access-control-allow-origin", "content-length", "content-type",
    "cross-origin-embedder-policy", "cross-origin-opener-policy", "cross-origin-resource-policy", "etag", "location",
    "permissions-policy", "x-request-id",
} - {"content-security-policy"})  # fmt: skip
_TRACEBACK = b"Traceback (most recent call last)"
# RFC 9110, section 5.5; PEP 3333 for the rest.
_UNSENDABLE = re.compile(r"[^\t -~\x80-\xff]")


def answer_findings(seen: Visit) -> Iterator[Finding]:
    """What is wrong with what was answered about one path."""
    page = seen.page
    yield from _page_findings(seen)
    yield from _type_findings(page)
    yield from policy_findings(page)
    yield from cookie_findings(seen)
    yield from _sharing_findings(seen)
    for response in (page, *seen.errors):
        yield from _header_findings(response, response.asked)
    for response in seen.http:
        if response.url.startswith("http:") and response.first("strict-transport-security"):
            yield Finding(
                "note", "hsts-over-http", "Strict-Transport-Security is sent by http, where browsers ignore it",
                "leave it to SecurityHeaders, which sends it by https alone", response.asked,
            )  # fmt: skip
            break
    for response in seen.errors:
        yield from _error_page_findings(response, page)
    yield from _head_findings(seen)


def _page_findings(seen: Visit) -> Iterator[Finding]:
    page, where = seen.page, seen.page.asked
    if page.error:
        yield Finding(
            "error", "app-raised", f"the app raised {page.error[:200]}", "mend it: no page was checked", where
        )
    elif page.status >= 500:
        yield Finding("error", "server-error", f"answered {page.line}", "mend it: an error page was checked", where)
    elif page.status == 400:
        yield Finding(
            "warning", "host-refused", f"answered {page.line}: the app may refuse the host {seen.host}",
            "set it up for your own host, and name that: --host www.example.com (localhost gets no HSTS)", where,
        )  # fmt: skip
    elif page.status in {404, 405}:
        yield Finding(
            "warning", "no-page", f"answered {page.line}: there is no page", "name one that is: --path /item", where
        )
    elif not is_graded(page.status):
        yield Finding(
            "warning", "not-graded", f"answered {page.line}, which has no grade", "name another page: --path /item",
            where,
        )  # fmt: skip
    if seen.is_loop:
        yield Finding(
            "error", "redirect-loop", f"redirects to {seen.away['https']}, where the request came from",
            "let the redirect look at wsgi.url_scheme, and ProxyFix stand outside of it", where,
        )  # fmt: skip
    elif "https" in seen.away:
        yield Finding(
            "note", "leaves-the-host", f"redirects to {seen.away['https']}: that page is not this app's",
            "the redirect itself was checked; --path names another page", where,
        )  # fmt: skip


def _type_findings(page: Response) -> Iterator[Finding]:
    where = page.asked
    kind = page.first("content-type") or ""
    if not kind and page.body and 200 <= page.status < 300:
        yield Finding("warning", "no-content-type", "no Content-Type: browsers guess one", "set it", where)
    elif page.media_type.startswith("text/") and "charset=" not in kind.lower():
        yield Finding(
            "note", "no-charset", f"Content-Type {page.media_type} names no charset: browsers guess one",
            f"{page.media_type}; charset=utf-8", where,
        )  # fmt: skip


def _sharing_findings(seen: Visit) -> Iterator[Finding]:
    for response in (seen.preflight, seen.shared):
        where, allowed = response.asked, (response.first("access-control-allow-origin") or "").strip()
        credentials = (response.first("access-control-allow-credentials") or "").strip().lower() == "true"
        if allowed == "*" and credentials:
            yield Finding(
                "warning", "cors-star-with-credentials",
                "allows credentials with Access-Control-Allow-Origin: *, which browsers refuse",
                "name the origins", where,
            )  # fmt: skip
        if allowed == "null":
            yield Finding(
                "warning", "cors-null", "allows the origin null, which any page can take on in a sandboxed frame",
                "name the origins", where,
            )  # fmt: skip
        if allowed == FOREIGN_ORIGIN and credentials and response is seen.shared:
            yield Finding(
                "error", "cors-any-origin-with-credentials", "pages of any origin may read what the user may read",
                "name the origins: FlaskCORS(origins=['https://shop.example'], supports_credentials=True)", where,
            )  # fmt: skip
        vary = (response.joined("vary") or "").lower()
        if allowed not in {"", "*"} and "origin" not in vary and response is seen.shared:
            yield Finding(
                "warning", "cors-without-vary",
                "the answer depends on Origin, and Vary does not say so: a cache gives it to others",
                "Vary: Origin", where,
            )  # fmt: skip


def _header_findings(response: Response, where: str) -> Iterator[Finding]:
    for name, value in response.headers:
        if _UNSENDABLE.search(name + value):
            yield Finding(
                "error", "unsendable-header",
                f"{name[:SHOWN]!r} holds a control character, or text that is no latin-1: servers break off there, or "
                "send what it says as headers of its own",
                "let nothing that a client sent into a header unchecked", where,
            )  # fmt: skip
    for name, value in disclosures(response):
        versioned = any(char.isdigit() for char in value)
        yield Finding(
            "warning" if versioned else "note", "disclosure",
            f"{name} tells what the site is made of: {value[:SHOWN]!r}", "take it out where it is set", where,
        )  # fmt: skip
    counts = Counter(name.lower() for name, _ in response.headers)
    for name, count in counts.items():
        if count > 1 and name in _SINGLE:
            yield Finding("warning", "sent-twice", f"{name} is sent {count} times", "set it in one place", where)
        if name in OBSOLETE:
            yield Finding("note", "obsolete", f"{name}: {OBSOLETE[name]}", "take it out where it is set", where)


def _error_page_findings(response: Response, page: Response) -> Iterator[Finding]:
    where = response.asked
    lacking = [name for name in _PROTECTION if page.first(name) and not response.first(name)]
    if lacking and not response.error:
        yield Finding(
            "warning", "error-page-lacks", f"the {response.status} page lacks {', '.join(lacking)}, which the page has",
            "set them in a layer around the app: SecurityHeaders(...) covers error pages too", where,
        )  # fmt: skip
    if response.error or response.status >= 500:
        yield Finding(
            "warning", "error-for-nothing",
            f"answers {response.error[:200] or response.line} where 404 or 405 is meant",
            "mend it", where,
        )  # fmt: skip
    if _TRACEBACK in response.body:
        yield Finding(
            "error", "traceback-shown", f"the {response.status} page shows a traceback", "turn debug mode off", where
        )


def _head_findings(seen: Visit) -> Iterator[Finding]:
    page, head = seen.page, seen.head
    where = head.asked
    if page.status < 400 and head.status not in {page.status, 405}:
        yield Finding(
            "note", "head-differs", f"HEAD answers {head.line} where GET answers {page.line}",
            "answer alike (RFC 9110, section 9.3.2)", where,
        )  # fmt: skip
    elif head.status == page.status:
        lacking = [name for name in _PROTECTION if page.first(name) and not head.first(name)]
        if lacking:
            yield Finding("note", "head-lacks", f"HEAD lacks {', '.join(lacking)}", "send what GET sends", where)
