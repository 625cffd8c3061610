"""What is wrong with a Content-Security-Policy, beyond what the HTTP Observatory's points tell.

>>> from overcoat.inspector._policy_findings import policy_findings
>>> from overcoat.inspector._response import Response
>>> page = Response("GET", "https://example.com/", 200, (("Content-Security-Policy", "defualt-src 'none'"),))
>>> [(finding.says, finding.fix) for finding in policy_findings(page)]
[("browsers ignore the directive 'defualt-src' of the policy", "did you mean 'default-src'?")]
"""

from collections.abc import Iterator

from overcoat.inspector._effective_policy import split_policies
from overcoat.inspector._finding import SHOWN, Finding
from overcoat.inspector._html_page import read_page
from overcoat.inspector._observatory_csp import gaps_of
from overcoat.inspector._response import Response
from overcoat.middleware._csp import DIRECTIVES
from overcoat.middleware._options import did_you_mean


def policy_findings(page: Response) -> Iterator[Finding]:
    """Directives that no browser knows, and gaps that cost no point."""
    where, policies = page.asked, split_policies(page.all("content-security-policy"))
    for name in dict.fromkeys(
        words[0].lower() for policy in policies for words in map(str.split, policy.split(";")) if words
    ):
        if name not in DIRECTIVES:
            hint = did_you_mean(name, sorted(DIRECTIVES))
            yield Finding(
                "warning", "csp-unknown-directive", f"browsers ignore the directive {name[:SHOWN]!r} of the policy",
                hint if hint.startswith("did") else "take it out", where,
            )  # fmt: skip
    if not page.is_html:
        return
    html = read_page(page.body)
    if policies and any("frame-ancestors" in policy.lower() for policy in html.policies):
        yield Finding(
            "note", "csp-frame-ancestors-in-page", "browsers ignore frame-ancestors in a meta element",
            "send it in the header", where,
        )  # fmt: skip
    for gap, directive in gaps_of(policies) if policies else ():
        yield Finding("note", "csp-gap", gap, f"content_security_policy={{..., {directive}}}", where)
    text = " ".join(policies).lower()
    if html.inline_handlers and "script-src" in text and "'unsafe-inline'" not in text:
        yield Finding(
            "note", "csp-blocks-handlers",
            f"the policy blocks the onclick= and the like of {html.inline_handlers} elements on the page",
            "add the listeners from a script file", where,
        )  # fmt: skip
