"""The grade of a page by the published method of the MDN HTTP Observatory: ten tests, a score, a letter.

>>> from overcoat.inspector._observatory import grade_for, score_of
>>> score_of([10, 5, 10, 5, 0]), score_of([10, 5, 10, 5, -20])
(130, 80)
>>> grade_for(130), grade_for(80), grade_for(-15)
('A+', 'B+', 'F')

A page begins with 100 points. Each test takes some off or adds some; what is added counts only where 90 are left
without it. So a page is first made safe, and then better.

Three things cannot be seen from inside of a process: certificates, the browsers' list of preloaded hosts, and what a
server in front of the app adds or takes away.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from overcoat.inspector._effective_policy import split_policies
from overcoat.inspector._html_page import Page, read_page
from overcoat.inspector._observatory_cookies import grade_cookies
from overcoat.inspector._observatory_csp import grade_policy
from overcoat.inspector._observatory_headers import (
    grade_content_type_options,
    grade_frame_options,
    grade_redirection,
    grade_referrer_policy,
    grade_resource_policy,
    grade_sharing,
    grade_transport_security,
)
from overcoat.inspector._observatory_results import RESULTS, Meaning
from overcoat.inspector._observatory_scripts import grade_scripts
from overcoat.inspector._visit import FOREIGN_ORIGIN, Visit

#: The least score of each grade.
GRADES = (
    (100, "A+"), (90, "A"), (85, "A-"), (80, "B+"), (70, "B"), (65, "B-"), (60, "C+"), (50, "C"), (45, "C-"),
    (40, "D+"), (30, "D"), (25, "D-"), (0, "F"),
)  # fmt: skip

_FULL = 100
# From here on what is added counts.
_EXTRA_CREDIT = 90
# Other answers say nothing of the site: the Observatory refuses to grade them.
_GRADED_ERRORS = frozenset({401, 403})


@dataclass(frozen=True)
class Test:
    """One test and its result: a key of ``RESULTS``."""

    __test__ = False  # it is none of pytest's

    name: str
    result: str

    @property
    def meaning(self) -> Meaning:
        """What the result is worth, says and needs."""
        return RESULTS[self.result]


def is_graded(status: int) -> bool:
    """Whether the Observatory grades a page of this status."""
    return 200 <= status < 400 or status in _GRADED_ERRORS


def run_tests(seen: Visit) -> list[Test]:
    """The ten tests, in the Observatory's order."""
    page = seen.page
    html = read_page(page.body) if page.is_html else Page()
    is_https = page.url.startswith("https:")
    policies = split_policies(page.all("content-security-policy"))
    transport = grade_transport_security(seen.https[0].joined("strict-transport-security"))
    cookies = [value for response in (*seen.https, seen.robots, seen.preflight) for value in response.all("set-cookie")]
    results = {
        "content-security-policy": grade_policy(
            policies,
            split_policies(html.policies),
            is_https=is_https,
            has_report_only=bool(page.first("content-security-policy-report-only")),
        ),
        "cookies": grade_cookies(cookies, has_hsts=RESULTS[transport].passes),
        "cross-origin-resource-sharing": grade_sharing(
            seen.preflight.first("access-control-allow-origin"),
            seen.preflight.first("access-control-allow-credentials"),
            FOREIGN_ORIGIN,
        ),
        "redirection": grade_redirection(seen.route),
        "referrer-policy": grade_referrer_policy(page.all("referrer-policy"), html.referrer),
        "strict-transport-security": transport,
        "subresource-integrity": (
            grade_scripts(
                read_page(page.body).scripts, seen.hostname, is_https=is_https, forces_https=seen.forces_https
            )
            if page.is_html or not page.media_type
            else "sri-not-implemented-response-not-html"
        ),
        "x-content-type-options": grade_content_type_options(page.joined("x-content-type-options")),
        "x-frame-options": grade_frame_options(page.joined("x-frame-options"), policies, html.policies),
        "cross-origin-resource-policy": grade_resource_policy(page.joined("cross-origin-resource-policy")),
    }
    return [Test(name, result) for name, result in results.items()]


def score_of(points: Iterable[int]) -> int:
    """The score, from what each test is worth; 0 is the least."""
    listed = list(points)
    without_extra = _FULL + sum(one for one in listed if one < 0)
    return max(_FULL + sum(listed) if without_extra >= _EXTRA_CREDIT else without_extra, 0)


def grade_for(score: int) -> str:
    """The letter for a score."""
    return next((grade for least, grade in GRADES if score >= least), "F")
