import flask
import pytest
from support.apps import ok
from support.wsgi import call

from overcoat.middleware import RequestLog, SecurityHeaders, csp_nonce, override_security_headers

CSP = "Content-Security-Policy"
HSTS = "Strict-Transport-Security"


def saying(*overrides, headers=(), status="200 OK"):
    """An app that overrides, and then answers."""

    def app(environ, start_response):
        for options in overrides:
            override_security_headers(**options)
        start_response(status, list(headers))
        return []

    return app


CASES = {
    "another value": ({"referrer_policy": "no-referrer"}, "Referrer-Policy", ["no-referrer"]),
    "none": ({"frame_options": None}, "X-Frame-Options", []),
    "no policy": ({"content_security_policy": None}, CSP, []),
    "another policy": ({"content_security_policy": {"img-src": ["data:"]}}, CSP, ["img-src data:"]),
    "its frames": ({"content_security_policy": {"frame-ancestors": "'none'"}}, "X-Frame-Options", ["DENY"]),
    "frames of others": ({"content_security_policy": {"frame-ancestors": "https://a.example"}}, "X-Frame-Options", []),
    "one that the layer has not": ({"cache_control": "no-store"}, "Cache-Control", ["no-store"]),
    "permissions": ({"permissions_policy": {"camera": "self"}}, "Permissions-Policy", ["camera=(self)"]),
    "untouched": ({"frame_options": None}, "X-Content-Type-Options", ["nosniff"]),
}


@pytest.mark.parametrize(("options", "header", "values"), CASES.values(), ids=CASES)
def test_item_52_a_view_says_other_headers(options, header, values):
    assert call(SecurityHeaders(saying(options), preset="page")).header(header) == values


def test_it_holds_for_one_response():
    app = SecurityHeaders(
        lambda environ, start: saying({"frame_options": None} if environ["PATH_INFO"] == "/widget" else {})(
            environ, start
        )
    )
    assert call(app, PATH_INFO="/widget").header("X-Frame-Options") == []
    assert call(app, PATH_INFO="/").header("X-Frame-Options") == ["SAMEORIGIN"]


def test_the_last_one_said_wins_option_by_option():
    first = {"frame_options": "DENY", "content_security_policy": {"script-src": ["'nonce'"]}}
    seen = call(SecurityHeaders(saying(first, {"content_security_policy": None, "referrer_policy": None})))
    assert seen.header("X-Frame-Options") == ["DENY"]
    assert seen.header("Referrer-Policy") == []
    assert seen.header(CSP) == []


def test_the_app_s_own_header_still_wins():
    app = saying({"frame_options": "DENY"}, headers=[("x-frame-options", "SAMEORIGIN")])
    assert call(SecurityHeaders(app)).header("X-Frame-Options") == ["SAMEORIGIN"]


def test_what_the_layer_alone_decides_is_decided_by_this():
    app = saying({"frame_options": None}, headers=[("x-frame-options", "SAMEORIGIN")])
    assert call(SecurityHeaders(app, override=["X-Frame-Options"])).header("X-Frame-Options") == []


def test_the_nonce_of_a_view_s_own_policy():
    def app(environ, start_response):
        override_security_headers(content_security_policy={"style-src": ["'nonce'"]})
        nonce = csp_nonce()
        start_response("200 OK", [])
        return [nonce.encode()]

    seen = call(SecurityHeaders(app, preset="api"))
    assert seen.header(CSP) == [f"style-src 'nonce-{seen.body.decode()}'"]


@pytest.mark.parametrize(
    "earlier",
    [{}, {"content_security_policy": {"style-src": ["'nonce'"]}}],
    ids=["of the layer", "said before"],
)
def test_a_policy_that_is_off_stays_off_where_a_nonce_is_asked_for(earlier):
    def app(environ, start_response):
        override_security_headers(**earlier)
        override_security_headers(content_security_policy=None)
        csp_nonce()
        start_response("200 OK", [])
        return []

    assert call(SecurityHeaders(app, preset="page")).header(CSP) == []


@pytest.mark.parametrize(
    ("scheme", "host", "values"),
    [("https", "shop.example", ["max-age=60"]), ("http", "shop.example", []), ("https", "localhost", [])],
    ids=["https", "http", "localhost"],
)
def test_hsts_keeps_its_rules(scheme, host, values):
    app = SecurityHeaders(saying({"hsts_max_age_s": 60}))
    assert call(app, wsgi__url_scheme=scheme, HTTP_HOST=host).header(HSTS) == values


def test_hsts_off():
    app = SecurityHeaders(saying({"hsts_max_age_s": None}))
    assert call(app, wsgi__url_scheme="https", HTTP_HOST="shop.example").header(HSTS) == []


def test_for_a_whole_blueprint_of_flask():
    app = flask.Flask(__name__)
    widgets = flask.Blueprint("widgets", __name__)
    widgets.before_request(lambda: override_security_headers(frame_options=None))
    widgets.add_url_rule("/widget", endpoint="widget", view_func=lambda: "shown anywhere")
    app.register_blueprint(widgets)
    app.add_url_rule("/", endpoint="home", view_func=lambda: "home")
    app.wsgi_app = SecurityHeaders(app.wsgi_app)
    client = app.test_client()
    assert "X-Frame-Options" not in client.get("/widget").headers
    assert client.get("/").headers["X-Frame-Options"] == "SAMEORIGIN"


WRONG = {
    "unknown": ({"frame_option": None}, "override_security_headers: unknown option frame_option=None; did you mean"),
    "of the layer": ({"preset": "page"}, "unknown option preset='page'"),
    "value": ({"frame_options": "ALLOWALL"}, "frame_options='ALLOWALL' is none of"),
    "policy": ({"content_security_policy": {"img-src": ["self"]}}, "needs its quotes"),
    "contradiction": (
        {"frame_options": "DENY", "content_security_policy": {"frame-ancestors": "'self'"}},
        "frame_options='DENY' contradicts",
    ),
    "endpoint": (
        {"reporting_endpoints": {"csp": "/r"}, "content_security_policy": {"img-src": "*", "report-to": "cps"}},
        "reports to 'cps'",
    ),
    "CVE-2020-7695 line feed": ({"cache_control": "no-store\r\nX: y"}, "cache_control="),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options_are_refused_in_or_outside_of_a_request(options, message):
    with pytest.raises(ValueError, match=message):
        override_security_headers(**options)
    assert isinstance(call(SecurityHeaders(saying(options))).error, ValueError)


def test_outside_of_a_request_it_does_nothing():
    override_security_headers(frame_options=None)
    assert call(SecurityHeaders(ok)).header("X-Frame-Options") == ["SAMEORIGIN"]


def test_a_stream_that_has_begun_cannot():
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"first"
        override_security_headers(frame_options=None)

    seen = call(RequestLog(SecurityHeaders(app), to=lambda record: None))
    assert isinstance(seen.error, RuntimeError)
    assert "the headers have gone out: call it before the response starts" in str(seen.error)
