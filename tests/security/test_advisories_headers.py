"""Published advisories, and defects of peers, that concern response headers: each with what would bring it back."""

import multiprocessing
import random

import flask
import pytest
from support.apps import answering, ok
from support.wsgi import call

from overcoat.middleware import SecurityHeaders, csp_nonce, override_security_headers

SPLITTING = ["\r\nX-Evil: 1", "\nX-Evil: 1", "\r", "\0", "\x85", "\u2028"]

# Where a text of the app's configuration, or a view's, gets into a header.
TEXTS = {
    "permissions": lambda text: {"permissions_policy": f"camera=(){text}"},
    "permissions, origin": lambda text: {"permissions_policy": {"camera": [f"https://a.example{text}"]}},
    "policy, source": lambda text: {"content_security_policy": {"img-src": [f"a.example{text}x"]}},
    "policy, directive": lambda text: {"content_security_policy": {f"img-src{text}": ["*"]}},
    "policy, report-uri": lambda text: {"content_security_policy": {"report-uri": [f"/r{text}x"]}},
    "report-only": lambda text: {"content_security_policy_report_only": {"img-src": [f"a.example{text}x"]}},
    "endpoint": lambda text: {"reporting_endpoints": {"csp": f"/r{text}"}},
    "endpoint's name": lambda text: {"reporting_endpoints": {f"csp{text}": "/r"}},
    "caching": lambda text: {"cache_control": f"no-store{text}"},
    "embedder": lambda text: {"cross_origin_embedder_policy": f"require-corp{text}"},
    "embedder's endpoint": lambda text: {"cross_origin_embedder_policy": f'require-corp; report-to="a{text}"'},
    "referrer": lambda text: {"referrer_policy": f"origin{text}"},
}


@pytest.mark.parametrize("text", SPLITTING, ids=ascii)
@pytest.mark.parametrize("options", TEXTS.values(), ids=TEXTS)
def test_cve_2018_1000164_cve_2020_7695_no_text_splits_a_response(options, text):
    with pytest.raises(ValueError):
        SecurityHeaders(ok, **options(text))
    with pytest.raises(ValueError):
        override_security_headers(**options(text))


def _nonce(seed):
    random.seed(seed)
    found = []

    def app(environ, start_response):
        found.append(csp_nonce())
        return ok(environ, start_response)

    call(SecurityHeaders(app, preset="page"))
    return found[0]


def test_cve_2019_14806_a_nonce_cannot_be_foretold_nor_repeated_after_a_fork():
    random_state = random.getstate()
    try:
        assert len({_nonce(0) for _ in range(50)}) == 50
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert len(set(pool.map(_nonce, [0] * 20, chunksize=1))) == 20
    finally:
        random.setstate(random_state)


@pytest.mark.parametrize("name", ["X-Frame-Options", "Content-Security-Policy", "Strict-Transport-Security"])
def test_r19_flask_talisman_weakened_what_a_view_had_set(name):
    app = SecurityHeaders(answering(headers=[(name, "the view's")]), preset="page")
    assert call(app, wsgi__url_scheme="https", HTTP_HOST="shop.example").header(name) == ["the view's"]


def test_flask_talisman_23_a_framework_that_makes_its_own_response_keeps_the_headers():
    app = flask.Flask(__name__)
    app.process_response = lambda response: flask.Response("another")
    app.wsgi_app = SecurityHeaders(app.wsgi_app)
    assert app.test_client().get("/").headers["X-Content-Type-Options"] == "nosniff"


def test_flask_talisman_69_no_nonce_is_ever_empty():
    app = flask.Flask(__name__)
    app.add_template_global(csp_nonce)
    app.add_url_rule("/", view_func=lambda: flask.render_template_string("{{ csp_nonce() }}"))
    app.wsgi_app = SecurityHeaders(app.wsgi_app, preset="api")
    assert len(app.test_client().get("/").text) == 22


@pytest.mark.parametrize("host", ["localhost", "localhost:5001", "localhost:", "127.0.0.1", "0x7f.1", "[::1]"])
def test_flask_talisman_70_hsts_does_not_stick_to_localhost(host):
    seen = call(SecurityHeaders(ok), wsgi__url_scheme="https", HTTP_HOST=host)
    assert seen.header("Strict-Transport-Security") == []


def test_secure_36_headers_that_collide_are_an_error_or_one_header():
    with pytest.raises(ValueError, match="stands twice"):
        SecurityHeaders(ok, permissions_policy="camera=(), camera=*")
    with pytest.raises(ValueError, match="twice"):
        SecurityHeaders(ok, content_security_policy={"img-src": ["data:", "data:"]})
    twice = SecurityHeaders(SecurityHeaders(answering(), preset="page"), preset="api")
    names = [name.lower() for name, _ in call(twice).headers]
    assert len(names) == len(set(names))
    assert call(twice).header("X-Frame-Options") == ["SAMEORIGIN"]


@pytest.mark.parametrize(
    "host",
    ["shop.example\r\nX-Evil: 1", "shop.example:443\0", "a" * 65536, "1." * 32768, ":" * 65536, "\xff" * 300],
    ids=["split", "nul", "long", "dots", "colons", "latin"],
)
def test_cve_2020_5236_a_hostile_host_reaches_no_header(host):
    seen = call(SecurityHeaders(ok, preset="page"), wsgi__url_scheme="https", HTTP_HOST=host)
    assert seen.header("Strict-Transport-Security") == []
    assert not [value for _, value in seen.headers if not value.isprintable() or "Evil" in value]


def test_item_50_51_there_is_no_redirect_and_no_cookie_in_it():
    seen = call(SecurityHeaders(answering(headers=[("Set-Cookie", "a=1")]), preset="page"), HTTP_HOST="shop.example")
    assert seen.status == "200 OK"
    assert seen.header("Set-Cookie") == ["a=1"]
    assert seen.header("Location") == []
