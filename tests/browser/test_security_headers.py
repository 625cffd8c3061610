"""What Chromium makes of the headers: what they allow runs, what they refuse does not, and it is told."""

import json

import pytest
from support.browser import needs_browser, served_here, until

from overcoat.middleware import SecurityHeaders, csp_nonce, override_security_headers
from overcoat.middleware._presets import PRESETS

pytestmark = needs_browser

STYLE = "<style nonce={nonce}>h1 {{ color: rgb(1, 2, 3) }}</style>"
SCRIPT = "<script nonce={nonce}>window.ours = 'ran'</script>"
# What an attacker gets into a page that forgets to escape.
INJECTED = (
    "<script>window.theirs = 'ran'</script><script nonce=guessed>window.theirs = 'ran'</script>"
    "<img src=x onerror=\"window.theirs = 'ran'\"><a href=\"javascript:window.theirs = 'ran'\">a</a>"
)
REPORT_ONLY = {"default-src": ["'self'"], "style-src": ["'none'"], "script-src": ["'self'", "'nonce'"]}


def site(environ, start_response):
    """A page with a script and style of its own, the same with something injected, a script file, and frames."""
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    kind, body = "text/html; charset=utf-8", ""
    if path in {"/", "/injected"}:
        body = (STYLE + SCRIPT).format(nonce=csp_nonce()) + "<h1>ours</h1><script src=/file.js></script>"
        body += INJECTED * (path == "/injected")
    elif path == "/widget":
        override_security_headers(
            content_security_policy={"default-src": ["'none'"], "frame-ancestors": ["*"]},
            cross_origin_resource_policy=None,
        )
        body = "shown anywhere"
    elif path == "/framing":
        body = f"<iframe src={query}></iframe>"
    elif path == "/plain":
        body = "plain"
    elif path == "/file.js":
        kind, body = "text/javascript", "window.file = 'ran'"
    start_response("200 OK", [("Content-Type", kind)])
    return [b"<!doctype html>" * (kind != "text/javascript") + body.encode()]


@pytest.fixture(scope="module")
def url():
    with served_here(SecurityHeaders(site, preset="page", content_security_policy_report_only=REPORT_ONLY)) as url:
        yield url


def colour(one):
    return one.evaluate("one => getComputedStyle(one).color")


def test_a_page_with_a_nonce_runs_under_the_preset(page, seen):
    with served_here(SecurityHeaders(site, preset="page")) as url:
        page.goto(f"{url}/")
        assert page.evaluate("[window.ours, window.file]") == ["ran", "ran"]
        assert colour(page.locator("h1")) == "rgb(1, 2, 3)"
        assert seen.troubles == []


def test_what_is_injected_is_blocked_and_told(page, seen, url):
    def blocked():
        return [(one["directive"], one["blocked"]) for one in seen.violations if one["disposition"] == "enforce"]

    page.goto(f"{url}/injected")
    page.locator("a").click()
    until(page, lambda: len(blocked()) >= 4, "four of them to be blocked")
    assert page.evaluate("[window.ours, window.theirs]") == ["ran", None]
    assert sorted(blocked()) == [
        ("script-src-attr", "inline"),
        ("script-src-elem", "inline"),
        ("script-src-elem", "inline"),
        ("script-src-elem", "inline"),
    ]


def test_the_report_only_twin_tells_and_refuses_nothing(page, seen, url):
    page.goto(f"{url}/")
    assert colour(page.locator("h1")) == "rgb(1, 2, 3)"
    assert [(one["directive"], one["disposition"]) for one in seen.violations] == [("style-src-elem", "report")]


def framed(page, outer, inner):
    """Each frame in a page: the URL that was asked for, and the one that is there."""
    asked = []
    page.on("request", lambda request: request.is_navigation_request() and asked.append(request))
    page.goto(f"{outer}/framing?{inner}")
    frames = [request for request in asked if request.frame.parent_frame]
    # A frame of another origin is in another process, which tells of it when it likes.
    until(page, lambda: all(request.frame.url not in {"", "about:blank"} for request in frames), "the frames")
    return {request.url: request.frame.url for request in frames}


@pytest.mark.parametrize("app", [SecurityHeaders(site, preset="page"), SecurityHeaders(site)], ids=["page", "none"])
def test_another_origin_cannot_frame_a_page(page, app):
    # Another port is another origin; the outer page has no policy, so that nothing of its own stands in the way.
    with served_here(app) as inner, served_here(site) as outer:
        assert framed(page, outer, f"{inner}/plain") == {f"{inner}/plain": "chrome-error://chromewebdata/"}
        assert framed(page, inner, f"{inner}/plain") == {f"{inner}/plain": f"{inner}/plain"}


def test_a_view_that_may_be_framed(page, url):
    with served_here(site) as outer:
        assert framed(page, outer, f"{url}/widget") == {f"{url}/widget": f"{url}/widget"}


def test_a_304_does_not_part_a_kept_page_from_its_nonce(page, seen):
    answers = []

    def app(environ, start_response):
        """A page whose validator does not depend on its nonce."""
        answers.append("304" if "HTTP_IF_MODIFIED_SINCE" in environ else "200")
        headers = [
            ("Content-Type", "text/html"),
            ("Last-Modified", "Mon, 02 Nov 2026 10:00:00 GMT"),
            ("Cache-Control", "no-cache"),
        ]
        if answers[-1] == "304":
            start_response("304 Not Modified", headers[1:])
            return []
        body = b"<link rel=icon href=data:,>" + SCRIPT.format(nonce=csp_nonce()).encode()
        start_response("200 OK", headers)
        return [body]

    policy = {"default-src": ["'self'"], "img-src": ["data:"], "script-src": ["'nonce'"]}
    with served_here(SecurityHeaders(app, content_security_policy=policy)) as url:
        for _ in range(2):
            page.goto(f"{url}/kept")
            assert page.evaluate("window.ours") == "ran"
            assert seen.violations == []
            page.goto("about:blank")
    assert answers == ["200", "304"]


def test_no_hsts_over_http(page, url):
    headers = page.goto(f"{url}/plain").all_headers()
    assert "strict-transport-security" not in headers
    assert headers["x-content-type-options"] == "nosniff"


def test_chromium_knows_every_feature_of_the_presets(page, url):
    page.goto(f"{url}/plain")
    known = page.evaluate("document.featurePolicy.features()")
    used = {feature for preset in PRESETS.values() for feature in preset.get("permissions_policy", ())}
    assert used
    assert used <= set(known)
    assert page.evaluate("document.featurePolicy.allowedFeatures()") == [one for one in known if one not in used]


def test_the_cluster_and_the_opener(page, url):
    answer = page.goto(f"{url}/plain")
    assert page.evaluate("originAgentCluster") is True
    assert answer.all_headers()["cross-origin-opener-policy"] == "same-origin"


def test_an_embedder_policy_isolates(page):
    with served_here(SecurityHeaders(site, preset="page", cross_origin_embedder_policy="require-corp")) as isolated:
        page.goto(f"{isolated}/plain")
        assert page.evaluate("crossOriginIsolated") is True
    with served_here(SecurityHeaders(site, preset="page")) as plain:
        page.goto(f"{plain}/plain")
        assert page.evaluate("crossOriginIsolated") is False


def test_reports_go_where_the_policy_says(page):
    posted, reports = [], []
    devtools = page.context.new_cdp_session(page)
    devtools.on("Network.reportingApiReportAdded", lambda event: reports.append(event["report"]))
    devtools.send("Network.enableReportingApi", {"enable": True})

    def app(environ, start_response):
        if environ["PATH_INFO"] == "/posted":
            posted.append(json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
        return site(environ, start_response)

    # Each is for the browsers that do not know the other's directive.
    enforced = {"script-src": ["'nonce'"], "report-uri": ["/posted"]}
    reported = {"style-src": ["'none'"], "report-to": ["csp"]}
    layer = SecurityHeaders(
        app,
        content_security_policy=enforced,
        content_security_policy_report_only=reported,
        reporting_endpoints={"csp": "/reports"},
    )
    with served_here(layer) as reporting:
        page.goto(f"{reporting}/injected")
        until(page, lambda: posted and reports, "a report of each kind")
    assert posted[0]["csp-report"]["effective-directive"].startswith("script-src")
    (report,) = reports
    assert (report["type"], report["destination"]) == ("csp-violation", "csp")
    assert (report["body"]["effectiveDirective"], report["body"]["disposition"]) == ("style-src-elem", "report")
