"""The HTTP Observatory's tests: the cases that it publishes for itself, with the results that it publishes."""

import pytest

from overcoat.inspector._effective_policy import PolicyError, effective_policy, split_policies
from overcoat.inspector._html_page import Script, read_page
from overcoat.inspector._observatory import GRADES, grade_for, is_graded, run_tests, score_of
from overcoat.inspector._observatory_cookies import grade_cookies
from overcoat.inspector._observatory_csp import gaps_of, grade_policy
from overcoat.inspector._observatory_headers import (
    grade_content_type_options,
    grade_frame_options,
    grade_redirection,
    grade_referrer_policy,
    grade_resource_policy,
    grade_sharing,
    grade_transport_security,
)
from overcoat.inspector._observatory_results import RESULTS
from overcoat.inspector._observatory_scripts import foreign_scripts, grade_scripts
from overcoat.inspector._visit import visit

HASH = "'sha256-hqBEA/HXB3aJU2FgOnYN8rkAgEVgyfi3Vs1j2/XMPBB='"

POLICIES = {
    "csp-header-invalid": [
        "  ", "", "default-src 'none'; default-src 'none'", "default-src 'none'; img-src 'self'; default-src 'none'",
        "default-src 'none'; script-src 'strict-dynamic'", "defa",
    ],
    "csp-implemented-with-insecure-scheme": [
        "default-src http://mozilla.org", "default-src 'none'; script-src http://mozilla.org",
        "default-src 'none'; script-src ftp://mozilla.org",
    ],
    "csp-implemented-with-insecure-scheme-in-passive-content-only": [
        "default-src 'none'; img-src http://mozilla.org", "default-src 'self'; img-src ftp:",
        "default-src 'self'; img-src http:", "default-src 'none'; img-src https:; media-src http://mozilla.org",
        "default-src 'none'; img-src http: https:; script-src 'self'; style-src 'self'",
        "default-src 'none'; img-src 'none'; media-src http:; script-src 'self'; style-src 'unsafe-inline'",
    ],
    "csp-implemented-with-unsafe-inline": [
        "script-src 'unsafe-inline'", "script-src data:", "script-src http:", "script-src ftp:",
        "default-src 'unsafe-inline'", "default-src 'UNSAFE-INLINE'", "upgrade-insecure-requests", "script-src 'none'",
        "script-src https:", "script-src https://mozilla.org https:", "default-src https://mozilla.org https:",
        "default-src 'none'; script-src *", "default-src *; script-src *; object-src 'none'",
        "default-src 'none'; script-src 'none'; object-src *", "default-src 'none'; script-src https://*",
        "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'", "object-src https:; script-src 'none'",
        "frame-anchestors 'none'",
    ],
    "csp-implemented-with-unsafe-eval": ["default-src 'none'; script-src 'unsafe-eval'"],
    "csp-implemented-with-unsafe-inline-in-style-src-only": [
        "object-src 'none'; script-src 'none'; style-src 'unsafe-inline'",
        "default-src 'none'; script-src https://mozilla.org; style-src 'unsafe-inline'",
        "default-src 'unsafe-inline'; script-src https://mozilla.org",
        "default-src 'none';;; ;;;style-src 'self' 'unsafe-inline'", "default-src 'none'; style-src data:",
        "default-src 'none'; style-src *", "default-src 'none'; style-src https:",
        f"default-src 'none'; style-src 'unsafe-inline'; script-src {HASH} 'unsafe-inline'",
    ],
    "csp-implemented-with-no-unsafe": [
        "default-src https://mozilla.org", "default-src https://mozilla.org;;; ;;;script-src 'none'",
        "object-src 'none'; script-src https://mozilla.org; style-src https://mozilla.org; upgrade-insecure-requests;",
        "object-src 'none'; script-src 'strict-dynamic' 'nonce-abc' 'unsafe-inline'; style-src 'none'",
        f"object-src 'none'; style-src 'self';script-src {HASH}",
        "object-src 'none'; script-src 'unsafe-inline' 'nonce-abc123' 'unsafe-inline'; style-src 'none'",
        f"default-src https://mozilla.org; style-src 'unsafe-inline' {HASH} 'unsafe-inline'",
    ],
    "csp-implemented-with-no-unsafe-default-src-none": [
        "default-src", "default-src 'none'; script-src 'strict-dynamic' 'nonce-abc123' 'unsafe-inline'",
        "default-src 'none'; script-src https://mozilla.org; style-src https://mozilla.org; upgrade-insecure-requests;",
        "default-src 'none'; object-src https://mozilla.org",
        "default-src 'none'; script-src 'strict-dynamic' 'sha256-abc123' https://*",
    ],
    "csp-implemented-but-duplicate-directives": ["default-src 'none'; report-uri /a; report-uri /b"],
}  # fmt: skip


def pairs(table):
    """Each case of a table of lists, with its key."""
    return [
        pytest.param(case, key, id=f"{key}-{index}") for key, cases in table.items() for index, case in enumerate(cases)
    ]


@pytest.mark.parametrize(("policy", "result"), pairs(POLICIES))
def test_policy(policy, result):
    assert grade_policy(split_policies([policy])) == result


def test_no_policy():
    assert grade_policy([]) == "csp-not-implemented"
    assert grade_policy([], has_report_only=True) == "csp-not-implemented-but-reporting-enabled"


def test_http_sources_are_fine_for_a_page_by_http():
    policy = "default-src 'none'; script-src http://mozilla.org"
    assert grade_policy([policy], is_https=False) == "csp-implemented-with-no-unsafe-default-src-none"


TOGETHER = {
    "header-and-other-meta": (["default-src http:"], ["default-src https:"]),
    "header-and-same-meta": (["default-src 'none'"], ["default-src 'none'"]),
    "meta-alone": ([], ["default-src 'none'"]),
    "meta-of-four": (
        [],
        [
            "default-src 'none'; object-src 'none'; media-src 'none';",
            "connect-src 'self'; font-src 'self'; child-src 'self'",
            "img-src 'self'; style-src 'self' 'nonce-gAeQO8jI4VJCsrsXkcUVRCzQjiihKteQ",
            "script-src 'self' 'unsafe-inline' 'nonce-gAeQO8jI4VJCsrsXkcUVRCzQjiihKteQ'",
        ],
    ),
    "another-directive": (["img-src 'none'"], ["default-src 'none'"]),
    "joined": (["default-src 'none'; script-src 'self', default-src 'none'; script-src 'self'"], []),
    "narrowed-by-the-middle-one": (
        [
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline', default-src 'none'",
            "default-src 'none'; style-src 'self', default-src 'none'; style-src 'self' 'unsafe-inline'",
        ],
        [],
    ),
}


@pytest.mark.parametrize(("header", "meta"), TOGETHER.values(), ids=TOGETHER)
def test_policies_together(header, meta):
    expected = "csp-implemented-with-no-unsafe-default-src-none"
    assert grade_policy(split_policies(header), meta) == expected


def test_what_meta_cannot_say_is_no_policy():
    assert grade_policy([], ["frame-ancestors 'none'"]) == "csp-not-implemented"


MERGED = {
    "same": (["default-src 'none'; script-src 'self' https://m.org"] * 2, {"'self'", "https://m.org"}, "script-src"),
    "one-more": (
        ["script-src 'self' https://m.org", "script-src https://e.com 'self' https://m.org"],
        {"'self'", "https://m.org"},
        "script-src",
    ),
    "disjoint": (["default-src https://mozilla.org", "default-src https://mozilla.com"], {"'none'"}, "default-src"),
    "two-of-four": (
        [
            "default-src https://a.org https://b.net https://c.com",
            "default-src https://d.pizza https://b.net https://a.org",
        ],
        {"https://a.org", "https://b.net"},
        "default-src",
    ),
    "path-below": (
        ["default-src https://m.org/firefox/", "default-src https://m.org/firefox/download/"],
        {"https://m.org/firefox/download/"},
        "default-src",
    ),
    "path-above": (
        ["default-src https://m.org/firefox/download/", "default-src https://m.org/firefox/"],
        {"https://m.org/firefox/download/"},
        "default-src",
    ),
    "path-beside": (
        ["default-src https://m.org/fire", "default-src https://m.org/firefox/"],
        {"'none'"},
        "default-src",
    ),
    "schemes": (["default-src http: http:", "default-src https: https:"], {"'none'"}, "default-src"),
}


@pytest.mark.parametrize(("policies", "sources", "directive"), MERGED.values(), ids=MERGED)
def test_what_several_policies_come_to(policies, sources, directive):
    assert set(effective_policy(policies).directives[directive]) == sources


def test_what_a_shorter_source_allows_is_left_out():
    assert effective_policy(["img-src https://m.org/fire https://m.org/firefox https:"]).directives == {
        "img-src": ["https:"]
    }


@pytest.mark.parametrize("policy", ["  ", "\r\n", "", "default-src 'none'; default-src 'none'", "defa"], ids=repr)
def test_what_is_no_policy(policy):
    with pytest.raises(PolicyError):
        effective_policy([policy])


def test_a_long_policy_is_read_in_no_time():
    policy = "script-src " + " ".join(f"https://{index}.example/{index}/" for index in range(20_000))
    assert len(effective_policy([policy, policy]).directives["script-src"]) == 20_000


GAPS = {
    "default-src 'none'": 3,
    "default-src 'none'; frame-ancestors *; base-uri https:; form-action *": 3,
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'": 0,
    "default-src 'none'; default-src 'self'": 1,
}


@pytest.mark.parametrize(("policy", "count"), GAPS.items(), ids=GAPS)
def test_gaps_that_no_point_tells(policy, count):
    assert len(list(gaps_of([policy]))) == count


COOKIES = {
    "none": ([], False, "cookies-not-found"),
    "secure": (
        ["SESSIONID=bar; Path=/; Secure; HttpOnly", "foo=bar; Secure; Path=/", "heroku-session-affinity=bar; Path=/"],
        False, "cookies-secure-with-httponly-sessions",
    ),
    "same-site": (
        [f"SESSIONID_{value}=bar; Path=/; Secure; HttpOnly; SameSite={value}" for value in ("Strict", "Lax", "None")],
        False, "cookies-secure-with-httponly-sessions-and-samesite",
    ),
    "one-without-same-site": (
        ["SESSIONID=b; Secure; HttpOnly", "SESSION_LAX=b; Secure; HttpOnly; SameSite=Lax"],
        False, "cookies-secure-with-httponly-sessions",
    ),
    "csrf": (["CSRFTOKEN=bar; Path=/; Secure; HttpOnly"], False, "cookies-anticsrf-without-samesite-flag"),
    "same-site-empty": (["SESSIONID=bar; Secure; HttpOnly; SameSite="], False, "cookies-samesite-flag-invalid"),
    "same-site-true": (["SESSIONID=bar; Secure; HttpOnly; SameSite=True"], False, "cookies-samesite-flag-invalid"),
    "none-without-secure": (["foo=bar; SameSite=None"], True, "cookies-samesite-flag-invalid"),
    "hsts": (["foo=bar; Path=/"], True, "cookies-without-secure-flag-but-protected-by-hsts"),
    "session-hsts": (["SESSIONID=bar; HttpOnly"], True, "cookies-session-without-secure-flag-but-protected-by-hsts"),
    "no-secure": (["foo=bar; Path=/"], False, "cookies-without-secure-flag"),
    "no-http-only": (["SESSIONID=bar; Path=/; Secure"], False, "cookies-session-without-httponly-flag"),
    "session-no-secure": (["SESSIONID=bar; Path=/; HttpOnly"], False, "cookies-session-without-secure-flag"),
    "session-nothing": (["SESSIONID=bar; Path=/"], False, "cookies-session-without-secure-flag"),
    "replaced": (["foo=bar; Path=/", "foo=baz; Path=/; Secure"], False, "cookies-secure-with-httponly-sessions"),
    "no-cookie-at-all": (["Secure", "=x", "a\x00=b"], False, "cookies-not-found"),
}  # fmt: skip


@pytest.mark.parametrize(("cookies", "has_hsts", "result"), COOKIES.values(), ids=COOKIES)
def test_cookies(cookies, has_hsts, result):
    assert grade_cookies(cookies, has_hsts=has_hsts) == result


OWN, CDN = "https://mozilla.org/a.js", "https://cdn.example/a.js"
SCRIPTS = {
    "none": ([], True, "sri-not-implemented-but-no-scripts-loaded"),
    "inline": ([("", "")], True, "sri-not-implemented-but-all-scripts-loaded-from-secure-origin"),
    "relative": ([("/a.js", "")], True, "sri-not-implemented-but-all-scripts-loaded-from-secure-origin"),
    "own-domain": (
        [("https://www.mozilla.org/a.js", "")],
        True,
        "sri-not-implemented-but-all-scripts-loaded-from-secure-origin",
    ),
    "own-schemeless": (
        [("//www.mozilla.org/a.js", "")],
        False,
        "sri-not-implemented-but-all-scripts-loaded-from-secure-origin",
    ),
    "own-digest": ([(OWN, "sha384-x")], True, "sri-implemented-and-all-scripts-loaded-securely"),
    "foreign-digest": ([(CDN, "sha384-x")], True, "sri-implemented-and-external-scripts-loaded-securely"),
    "foreign": ([(CDN, "")], True, "sri-not-implemented-but-external-scripts-loaded-securely"),
    "foreign-http-digest": (
        [("http://cdn.example/a.js", "x")],
        True,
        "sri-implemented-but-external-scripts-not-loaded-securely",
    ),
    "foreign-http": (
        [("http://cdn.example/a.js", "")],
        True,
        "sri-not-implemented-and-external-scripts-not-loaded-securely",
    ),
    "schemeless-forced": (
        [("//cdn.example/a.js", "")],
        True,
        "sri-not-implemented-but-external-scripts-loaded-securely",
    ),
    "schemeless": ([("//cdn.example/a.js", "")], False, "sri-not-implemented-and-external-scripts-not-loaded-securely"),
    "schemeless-digest": (
        [("//cdn.example/a.js", "x")],
        False,
        "sri-implemented-but-external-scripts-not-loaded-securely",
    ),
    "own-digest-after-a-foreign-one": (
        [(CDN, ""), (OWN, "x")],
        True,
        "sri-not-implemented-but-external-scripts-loaded-securely",
    ),
    "address": ([("https://192.0.2.1/a.js", "")], True, "sri-not-implemented-but-external-scripts-loaded-securely"),
    "broken": ([("https://[broken/a.js", "")], True, "sri-not-implemented-but-external-scripts-loaded-securely"),
}


@pytest.mark.parametrize(("scripts", "forced", "result"), SCRIPTS.values(), ids=SCRIPTS)
def test_scripts(scripts, forced, result):
    found = [Script(*script) for script in scripts]
    assert grade_scripts(found, "mozilla.org", is_https=True, forces_https=forced) == result


@pytest.mark.parametrize(
    ("src", "host", "is_foreign"),
    [
        ("https://cdn.shop.co.uk/a.js", "www.shop.co.uk", False),
        ("https://other.co.uk/a.js", "www.shop.co.uk", True),
        ("https://other.example/a.js", "shop.example", True),
    ],
)
def test_whose_a_script_is(src, host, is_foreign):
    assert bool(foreign_scripts([Script(src, "")], host)) is is_foreign


HEADERS = [
    (grade_transport_security, None, "hsts-not-implemented"),
    (grade_transport_security, "includeSubDomains; preload", "hsts-header-invalid"),
    (grade_transport_security, "max-age=15768000; includeSubDomains, max-age=15768000", "hsts-header-invalid"),
    (grade_transport_security, "max-age=86400", "hsts-implemented-max-age-less-than-six-months"),
    (grade_transport_security, "max-age=15768000; preload", "hsts-implemented-max-age-at-least-six-months"),
    (grade_transport_security, 'MAX-AGE="31536000"', "hsts-implemented-max-age-at-least-six-months"),
    (grade_transport_security, "max-age=" + "9" * 5000, "hsts-implemented-max-age-at-least-six-months"),
    (grade_transport_security, "max-age=never", "hsts-header-invalid"),
    (grade_content_type_options, None, "x-content-type-options-not-implemented"),
    (grade_content_type_options, "NoSniff ", "x-content-type-options-nosniff"),
    (grade_content_type_options, "nosniff, nosniff", "x-content-type-options-header-invalid"),
    (grade_resource_policy, None, "corp-not-implemented"),
    (grade_resource_policy, "Same-Site", "corp-implemented-with-same-site"),
    (grade_resource_policy, "same-origin", "corp-implemented-with-same-origin"),
    (grade_resource_policy, "cross-origin", "corp-implemented-with-cross-origin"),
    (grade_resource_policy, "whimsy", "corp-header-invalid"),
]


@pytest.mark.parametrize(
    ("grade", "value", "result"), HEADERS, ids=lambda value: getattr(value, "__name__", str(value))[:40]
)
def test_header(grade, value, result):
    assert grade(value) == result


@pytest.mark.parametrize(
    ("values", "meta", "result"),
    [
        ([], None, "not-implemented"),
        (["STRICT-ORIGIN"], None, "private"),
        (["strict-origin-when-cross-origin"], None, "private"),
        (["unsafe-url"], "no-referrer, same-origin", "private"),
        (["whimsy"], None, "header-invalid"),
        (["origin"], None, "unsafe"),
        (["origin-when-cross-origin, no-referrer, unsafe-url"], None, "unsafe"),
        (["no-referrer, whimsy"], None, "private"),
        (["no-referrer", "no-referrer-when-downgrade"], None, "unsafe"),
    ],
    ids=str,
)
def test_referrer_policy(values, meta, result):
    assert grade_referrer_policy(values, meta) == f"referrer-policy-{result}"


@pytest.mark.parametrize(
    ("value", "policies", "result"),
    [
        (None, [], "not-implemented"),
        ("whimsy", [], "header-invalid"),
        ("SAMEORIGIN, SAMEORIGIN", [], "header-invalid"),
        ("ALLOW-FROM https://mozilla.org", [], "allow-from-origin"),
        ("DENY ", [], "sameorigin-or-deny"),
        ("DENY", ["frame-ancestors https://mozilla.org"], "implemented-via-csp"),
        ("DENY", ["default-src 'none'; default-src *; frame-ancestors *"], "sameorigin-or-deny"),
    ],
    ids=str,
)
def test_frame_options(value, policies, result):
    assert grade_frame_options(value, policies) == f"x-frame-options-{result}"


def test_frame_ancestors_of_a_page_alone_count_for_nothing():
    assert grade_frame_options(None, [], ["frame-ancestors 'none'"]) == "x-frame-options-not-implemented"


ROUTES = {
    "redirection-not-needed-no-http": [],
    "redirection-missing": ["http://m.org/"],
    "redirection-not-to-https": ["http://m.org/", "http://www.m.org/", "http://www.m.org/en/"],
    "redirection-to-https": ["http://m.org/", "https://m.org:8443/"],
    "redirection-not-to-https-on-initial-redirection": ["http://m.org/", "http://www.m.org/", "https://www.m.org/"],
    "redirection-off-host-from-http": ["http://m.org/", "https://www.m.org/"],
}


@pytest.mark.parametrize(("result", "route"), ROUTES.items(), ids=ROUTES)
def test_redirection(result, route):
    assert grade_redirection(route) == result


ORIGIN = "https://elsewhere.example"


@pytest.mark.parametrize(
    ("allowed", "credentials", "result"),
    [
        (None, "true", "not-implemented"),
        ("*", None, "implemented-with-public-access"),
        ("https://mozilla.org", "true", "implemented-with-restricted-access"),
        (ORIGIN, None, "implemented-with-restricted-access"),
        (ORIGIN, " TRUE", "implemented-with-universal-access"),
    ],
)
def test_sharing(allowed, credentials, result):
    assert grade_sharing(allowed, credentials, ORIGIN) == f"cross-origin-resource-sharing-{result}"


@pytest.mark.parametrize(
    ("points", "score", "grade"),
    [
        ([], 100, "A+"),
        ([10, 5, 5, 10], 130, "A+"),
        ([-10, 10, 5], 105, "A+"),
        ([-15, 10, 10], 85, "A-"),
        ([-20, 10, 5, 5], 80, "B+"),
        ([-25, -20, -20, -20, -5], 10, "F"),
        ([-50, -50, -5, 10], 0, "F"),
    ],
    ids=str,
)
def test_score(points, score, grade):
    assert (score_of(points), grade_for(score)) == (score, grade)


# As published, for each multiple of five.
CHART = (
    "100 A+ 95 A 90 A 85 A- 80 B+ 75 B 70 B 65 B- 60 C+ 55 C 50 C 45 C- 40 D+ 35 D 30 D 25 D- 20 F 15 F 10 F 5 F 0 F"
)


def test_chart_of_grades():
    words = CHART.split()
    published = dict(zip(map(int, words[::2]), words[1::2], strict=True))
    assert {score: grade_for(score) for score in published} == published
    assert {grade for _, grade in GRADES} == {*published.values()}


# As published (src/grader/charts.js).
POINTS = {
    10: [
        "csp-implemented-with-no-unsafe-default-src-none",
        "corp-implemented-with-same-origin",
        "corp-implemented-with-same-site",
    ],
    5: [
        "csp-implemented-with-no-unsafe",
        "cookies-secure-with-httponly-sessions-and-samesite",
        "referrer-policy-private",
        "hsts-preloaded",
        "sri-implemented-and-all-scripts-loaded-securely",
        "sri-implemented-and-external-scripts-loaded-securely",
        "x-frame-options-implemented-via-csp",
    ],
    -5: [
        "cookies-without-secure-flag-but-protected-by-hsts",
        "redirection-off-host-from-http",
        "referrer-policy-unsafe",
        "referrer-policy-header-invalid",
        "sri-not-implemented-but-external-scripts-loaded-securely",
        "x-content-type-options-not-implemented",
        "x-content-type-options-header-invalid",
        "corp-header-invalid",
    ],
    -10: [
        "csp-implemented-with-insecure-scheme-in-passive-content-only",
        "csp-implemented-with-unsafe-eval",
        "cookies-session-without-secure-flag-but-protected-by-hsts",
        "redirection-not-to-https-on-initial-redirection",
        "hsts-implemented-max-age-less-than-six-months",
    ],
    -20: [
        "csp-implemented-with-unsafe-inline",
        "csp-implemented-with-insecure-scheme",
        "cookies-without-secure-flag",
        "cookies-samesite-flag-invalid",
        "cookies-anticsrf-without-samesite-flag",
        "redirection-not-to-https",
        "redirection-missing",
        "redirection-invalid-cert",
        "hsts-not-implemented",
        "hsts-header-invalid",
        "hsts-not-implemented-no-https",
        "hsts-invalid-cert",
        "sri-implemented-but-external-scripts-not-loaded-securely",
        "x-frame-options-not-implemented",
        "x-frame-options-header-invalid",
    ],
    -25: ["csp-header-invalid", "csp-not-implemented", "csp-not-implemented-but-reporting-enabled"],
    -30: ["cookies-session-without-httponly-flag"],
    -40: ["cookies-session-without-secure-flag"],
    -50: [
        "cross-origin-resource-sharing-implemented-with-universal-access",
        "sri-not-implemented-and-external-scripts-not-loaded-securely",
    ],
}


def test_points_are_those_that_are_published():
    told = {name: points for points, names in POINTS.items() for name in names}
    assert {name: meaning.points for name, meaning in RESULTS.items() if meaning.points} == told


def test_each_lost_point_has_its_fix():
    assert [name for name, meaning in RESULTS.items() if meaning.points < 0 and not meaning.fix] == []


def test_which_pages_are_graded():
    assert [status for status in (200, 204, 302, 304, 400, 401, 403, 404, 500) if is_graded(status)] == [
        200, 204, 302, 304, 401, 403,
    ]  # fmt: skip


def test_a_page_tells_of_scripts_and_policies():
    page = read_page(
        b"<!-- <script src=no.js></script> --><META HTTP-EQUIV=' Content-Security-Policy ' content=\"img-src 'self'\">"
        b"<meta name=referrer content=origin><script src=a.js src=b.js></script><script>var x = '<script src=no.js>'"
        b"</script><p onclick=x style=y><\xff"
    )
    assert [script.src for script in page.scripts] == ["a.js", ""]
    assert (page.policies, page.referrer) == (("img-src 'self'",), "origin")
    assert (page.inline_handlers, page.inline_styles) == (1, 1)


def test_the_tests_look_at_the_page_at_the_end_of_the_way():
    def app(environ, start_response):
        secure = environ["wsgi.url_scheme"] == "https"
        if environ["PATH_INFO"] == "/" or not secure:
            start_response("302 Found", [("Location", "https://example.com/home"), ("Set-Cookie", "a=1; Secure")])
            return []
        assert environ["HTTP_COOKIE"] == "a=1"
        start_response("200 OK", [("Content-Type", "text/html"), ("Referrer-Policy", "no-referrer")])
        return [b"<script src=/a.js></script>"]

    seen = visit(app, "/", "example.com")
    assert seen.page.url == "https://example.com/home"
    results = {test.name: test.result for test in run_tests(seen)}
    assert len(results) == 10
    assert results["redirection"] == "redirection-to-https"
    assert results["cookies"] == "cookies-secure-with-httponly-sessions"
    assert results["referrer-policy"] == "referrer-policy-private"
    assert results["subresource-integrity"] == "sri-not-implemented-but-all-scripts-loaded-from-secure-origin"
