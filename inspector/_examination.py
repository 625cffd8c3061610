"""The whole of `overcoat check module:app`: the app described, asked and graded, as plain data.

>>> from overcoat.inspector._examination import examine
>>> from overcoat.middleware import SecurityHeaders
>>> def app(environ, start_response):
...     start_response("200 OK", [("Content-Type", "application/json")])
...     return [b"{}"]
>>> report = examine(SecurityHeaders(app, preset="api"), https_only=True)
>>> report["grade"], report["score"], [finding["code"] for finding in report["findings"]]
('A+', 130, [])
"""

import logging
import os
import re
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from overcoat.inspector._answer_findings import answer_findings
from overcoat.inspector._app_findings import app_findings
from overcoat.inspector._finding import Finding, in_order, severity_of
from overcoat.inspector._observatory import Test, grade_for, is_graded, run_tests, score_of
from overcoat.inspector._owasp import rows_of
from overcoat.inspector._remedy import remedy
from overcoat.inspector._stack_findings import parts_of, stack_findings
from overcoat.inspector._visit import Visit, visit
from overcoat.middleware import HTTPSRedirect, Layer, RequestLog, TrustedHosts, describe
from overcoat.middleware._hsts import is_public_name
from overcoat.middleware._tree import Node

#: The host that is asked of an app that names none (RFC 2606).
HOST = "example.com"

# The tests of one header, with the option of SecurityHeaders that sends it.
_OPTIONS = {
    "cross-origin-resource-policy": "cross_origin_resource_policy",
    "referrer-policy": "referrer_policy",
    "strict-transport-security": "hsts_max_age_s",
    "x-content-type-options": "content_type_options",
}
# Those of OWASP's list that have no points.
_OWASP_ONLY = frozenset({"Permissions-Policy", "Cross-Origin-Opener-Policy"})
_NAME = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)


def examine(
    app: Any, *, paths: Sequence[str] = ("/",), host: str | None = None, https_only: bool = False
) -> dict[str, Any]:
    """Describe an app, ask it for pages, and say what is wrong.

    Args:
        app: A WSGI application, or a framework's app object with a ``wsgi_app``.
        paths: The pages to ask for.
        host: The host to ask; without one the first that a layer or a setting names.
        https_only: Whether nobody is served over http, because what stands in front of the app redirects.
    """
    layers, foreign = parts_of(app)
    host = host or _host_of(app, layers)
    findings: list[Finding] = []
    if not is_public_name(host):
        says = f"{host} is no public name: by design it gets neither Strict-Transport-Security nor a redirect to https"
        findings.append(Finding("note", "no-public-host", says, "name the one of a deployment: --host www.example.com"))
    errors = _Errors()
    logging.getLogger().addHandler(errors)
    try:
        pages = [_page(visit(app, path, host, https_only=https_only), layers, errors) for path in paths]
    finally:
        logging.getLogger().removeHandler(errors)
    try:
        tree = describe(app)
    except RuntimeError as error:
        tree = Node("part", "")
        findings.append(Finding("error", "hooks", str(error), "register what it needs"))
    logs = any(isinstance(layer, RequestLog) for layer in layers)
    findings += [*stack_findings(app), *app_findings(app, logs=logs, environ=os.environ)]
    for page in pages:
        findings += page["found"]
    seen = [page["visit"] for page in pages]
    tests = [test for page in pages for test in page["ran"]]
    scores = [page["score"] for page in pages if page["score"] is not None]
    score = min(scores, default=None)
    return {
        "host": host,
        "score": score,
        "grade": None if score is None else grade_for(score),
        "description": str(tree),
        "tree": _plain(tree),
        "pages": [{name: value for name, value in page.items() if name not in _INTERNAL} for page in pages],
        "findings": [finding.as_dict() for finding in in_order(findings)],
        "remedy": ""
        if foreign and not layers
        else remedy(
            layers, tests, host=host, is_html=any(one.page.is_html for one in seen), sent=_badly_sent(tests, seen)
        ),
    }


_INTERNAL = frozenset({"found", "visit", "ran"})


def _page(seen: Visit, layers: Iterable[Layer], errors: "_Errors") -> dict[str, Any]:
    page = seen.page
    graded = is_graded(page.status) and not seen.is_loop
    tests = run_tests(seen) if graded else []
    score = score_of(test.meaning.points for test in tests) if graded else None
    found = [
        Finding(
            severity_of(test.meaning.points), test.result, f"{test.name}: {test.meaning.says}", test.meaning.fix,
            f"GET {page.url}",
        )
        for test in tests
        if test.meaning.points < 0
    ]  # fmt: skip
    causes = {"server-error": errors.last, "host-refused": _refuser(seen.host, layers)}
    for finding in answer_findings(seen):
        cause = causes.get(finding.code)
        found.append(replace(finding, says=f"{finding.says}: {cause}") if cause else finding)
    rows = rows_of(page)
    if graded:
        found += [
            Finding(
                "note",
                f"no-{row.name.lower()}",
                f"{row.name} is not sent: {row.does}",
                _as_code(row.option),
                f"GET {page.url}",
            )
            for row in rows
            if row.sent is None and not row.is_optional and row.name in _OWASP_ONLY
        ]
    return {
        "path": seen.path,
        "url": page.url,
        "status": page.status,
        "score": score,
        "grade": None if score is None else grade_for(score),
        "route": list(seen.route),
        "tests": [
            {
                "name": test.name, "result": test.result, "points": test.meaning.points, "passes": test.meaning.passes,
                "says": test.meaning.says, "fix": test.meaning.fix,
                "code": _code_for(test, seen),
            }
            for test in tests
        ],
        "headers": [list(pair) for pair in page.headers if pair[0].lower() != "set-cookie"],
        "owasp": [
            {"name": row.name, "does": row.does, "sent": row.sent, "optional": row.is_optional} for row in rows
        ],
        "found": found,
        "visit": seen,
        "ran": tests,
    }  # fmt: skip


def _code_for(test: Test, seen: Visit) -> str:
    """The layer that mends what a test found, ready to paste, or ""."""
    if test.result == "csp-not-implemented":
        return f"SecurityHeaders(preset={'page' if seen.page.is_html else 'api'!r})"
    if test.meaning.layer == "HTTPSRedirect":
        return f"HTTPSRedirect(hosts=[{seen.hostname!r}])"
    return test.meaning.layer or _as_code(test.meaning.headers)


def _as_code(options: Any) -> str:
    return f"SecurityHeaders({', '.join(f'{name}={value!r}' for name, value in options.items())})" if options else ""


def _badly_sent(tests: Iterable[Test], seen: Iterable[Visit]) -> dict[str, str]:
    """Options of SecurityHeaders whose headers the app sends, though not well, with the headers' names."""
    sent = {name.lower() for one in seen for name, _ in one.page.headers}
    return {
        _OPTIONS[test.name]: test.name for test in tests if test.meaning.headers and test.name in sent & {*_OPTIONS}
    }


def _host_of(app: Any, layers: Iterable[Layer]) -> str:
    """A host that the app serves."""
    named: list[Any] = []
    for layer in layers:
        if isinstance(layer, TrustedHosts | HTTPSRedirect):
            named += layer._arguments[1].get("hosts") or ()
    config = getattr(app, "config", None)
    named.append(config.get("SERVER_NAME") if isinstance(config, dict) else None)
    for name in named:
        if isinstance(name, str) and _NAME.fullmatch(name.partition(":")[0]) and not name.replace(".", "").isdigit():
            return name.replace("*.", "www.")
    return HOST


def _refuser(host: str, layers: Iterable[Layer]) -> str:
    """The layer that knows no such host, or ""."""
    return next((repr(one) for one in layers if isinstance(one, TrustedHosts) and not one._trusts(host)), "")


def _plain(node: Node) -> dict[str, Any]:
    return {
        "kind": node.kind,
        "name": node.name,
        "detail": node.detail,
        "children": [_plain(child) for child in node.children],
    }


class _Errors(logging.Handler):
    """Keeps the last error that the app logged, as a line: frameworks answer 500 and say why in the log only."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            frames = traceback.extract_tb(error.__traceback__)
            place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name})" if frames else ""
            self.last = f"{type(error).__name__}: {error}"[:300] + place
