import logging
import re

import flask
import pytest
from support.apps import answering
from support.wsgi import call

from overcoat.middleware import Layer, RequestLog, SecurityHeaders, Stack, csp_nonce

CSP = "Content-Security-Policy"
REPORT_ONLY = "Content-Security-Policy-Report-Only"
POLICY = {"script-src": ["'self'", "'nonce'"]}


def asking(environ, start_response):
    """A page with two scripts."""
    nonces = csp_nonce(), csp_nonce()
    start_response("200 OK", [("Content-Type", "text/html")])
    return [" ".join(nonces).encode()]


def test_item_52_the_header_names_the_nonce_of_the_page():
    seen = call(SecurityHeaders(asking, preset="page"))
    first, second = seen.body.decode().split()
    assert first == second
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", first)
    (policy,) = seen.header(CSP)
    assert policy.startswith(
        f"default-src 'self'; script-src 'self' 'nonce-{first}'; style-src 'self' 'nonce-{first}';"
    )


def test_item_52_a_page_that_asks_for_none_gets_none():
    seen = call(SecurityHeaders(answering(), content_security_policy=POLICY))
    assert seen.header(CSP) == ["script-src 'self'"]


def test_every_request_has_another():
    app = SecurityHeaders(asking, content_security_policy=POLICY)
    assert len({call(app).body for _ in range(100)}) == 100


def test_both_policies_name_it():
    app = SecurityHeaders(
        asking, content_security_policy=POLICY, content_security_policy_report_only={"style-src": ["'nonce'"]}
    )
    seen = call(app)
    nonce = seen.body.decode().split()[0]
    assert seen.header(CSP) == [f"script-src 'self' 'nonce-{nonce}'"]
    assert seen.header(REPORT_ONLY) == [f"style-src 'nonce-{nonce}'"]


def test_the_other_headers_are_as_ever():
    def others(seen):
        return [pair for pair in seen.headers if pair[0] not in {CSP, "Content-Type"}]

    options = {"preset": "page", "cache_control": "no-cache"}
    environ = {"wsgi__url_scheme": "https", "HTTP_HOST": "shop.example"}
    assert others(call(SecurityHeaders(asking, **options), **environ)) == others(
        call(SecurityHeaders(answering(), **options), **environ)
    )


def test_an_app_s_own_policy_may_name_it():
    def app(environ, start_response):
        start_response("200 OK", [(CSP.lower(), f"script-src 'nonce-{csp_nonce()}'")])
        return [csp_nonce().encode()]

    seen = call(SecurityHeaders(app, preset="page"))
    assert seen.header(CSP) == [f"script-src 'nonce-{seen.body.decode()}'"]


def test_item_52_in_flask_s_templates():
    app = flask.Flask(__name__)
    app.add_template_global(csp_nonce)
    page = '<script nonce="{{ csp_nonce() }}">hello()</script>'
    app.add_url_rule("/", view_func=lambda: flask.render_template_string(page))
    app.wsgi_app = SecurityHeaders(app.wsgi_app, preset="page")
    response = app.test_client().get("/")
    nonce = re.search('nonce="([^"]+)"', response.text)[1]
    assert f"script-src 'self' 'nonce-{nonce}';" in response.headers[CSP]


def test_in_the_environ_for_others():
    def app(environ, start_response):
        nonce = environ["overcoat.csp_nonce"]()
        start_response("200 OK", [])
        return [nonce.encode()]

    seen = call(SecurityHeaders(app, content_security_policy=POLICY))
    assert seen.header(CSP) == [f"script-src 'self' 'nonce-{seen.body.decode()}'"]


@pytest.mark.parametrize("options", [{}, {"preset": "api"}], ids=["no policy", "no nonce in it"])
def test_what_cannot_use_it_offers_none_and_does_nothing_on_the_way_in(options):
    assert not SecurityHeaders(**options).defines("on_request")
    assert SecurityHeaders(content_security_policy=POLICY).defines("on_request")


def test_outside_of_a_request_is_an_error():
    with pytest.raises(RuntimeError, match="no request is being served by a layer here: wrap the app"):
        csp_nonce()


def streaming(*, asks_first, layers=()):
    def app(environ, start_response):
        if asks_first:
            csp_nonce()
        start_response("200 OK", [])
        return (csp_nonce().encode() for _ in range(2))

    return Stack(app, [*layers, SecurityHeaders(content_security_policy=POLICY)])


# The second layer follows bodies; without it the server has the app's own generator.
STACKS = {"alone": list, "followed": lambda: [RequestLog(to=lambda record: None)]}


@pytest.mark.parametrize("layers", STACKS.values(), ids=STACKS)
def test_a_stream_may_ask_for_what_the_header_has(layers):
    seen = call(streaming(asks_first=True, layers=layers()))
    nonce = seen.header(CSP)[0].partition("'nonce-")[2][:-1]
    assert seen.body.decode() == nonce * 2


@pytest.mark.parametrize("layers", STACKS.values(), ids=STACKS)
def test_a_stream_that_asks_first_when_the_header_has_gone_is_an_error(layers):
    seen = call(streaming(asks_first=False, layers=layers()))
    assert isinstance(seen.error, RuntimeError)
    assert "call it once before the response starts (in the view, not first in " in str(seen.error)


def test_a_flask_template_that_streams():
    app = flask.Flask(__name__)
    app.add_template_global(csp_nonce)

    @app.get("/")
    def page():
        csp_nonce()
        return flask.stream_template_string('<script nonce="{{ csp_nonce() }}"></script>')

    app.wsgi_app = SecurityHeaders(app.wsgi_app, preset="page")
    response = app.test_client().get("/", buffered=True)
    nonce = re.search('nonce="([^"]+)"', response.text)[1]
    assert f"script-src 'self' 'nonce-{nonce}';" in response.headers[CSP]


def test_a_generator_that_asks_before_it_starts_the_response_has_it():
    def app(environ, start_response):
        nonce = csp_nonce()
        start_response("200 OK", [])
        yield nonce.encode()

    layers = [RequestLog(to=lambda record: None), SecurityHeaders(content_security_policy=POLICY)]
    seen = call(Stack(app, layers))
    assert seen.header(CSP) == [f"script-src 'self' 'nonce-{seen.body.decode()}'"]


class ErrorPage(Layer):
    """Answers an error with a page that has a script."""

    def on_error(self, exchange, error):
        return asking


def test_an_error_page_in_place_of_a_started_response_may_ask():
    def broken(environ, start_response):
        start_response("200 OK", [])
        raise ValueError("broken")

    seen = call(Stack(broken, [SecurityHeaders(content_security_policy=POLICY), ErrorPage()]))
    assert seen.error is None
    assert seen.header(CSP) == [f"script-src 'self' 'nonce-{seen.body.decode().split()[0]}'"]


def test_a_304_leaves_the_policy_of_the_kept_page_alone():
    options = {"preset": "page", "content_security_policy_report_only": {"img-src": ["'self'"]}}
    seen = call(SecurityHeaders(answering("304 NOT MODIFIED", body=()), **options))
    assert seen.header(CSP) == []
    assert seen.header(REPORT_ONLY) == ["img-src 'self'"]
    assert seen.header("X-Frame-Options") == ["SAMEORIGIN"]


def test_a_304_of_a_policy_without_a_nonce_carries_it():
    assert call(SecurityHeaders(answering("304 NOT MODIFIED", body=()), preset="api")).header(CSP)


def test_a_policy_that_has_no_place_for_it_is_told_once(caplog):
    app = SecurityHeaders(asking, preset="api")
    with caplog.at_level(logging.WARNING, "overcoat"):
        for _ in range(3):
            assert call(app).header(CSP) == ["default-src 'none'; frame-ancestors 'none'"]
    (record,) = caplog.records
    assert "no directive of content_security_policy has the source \"'nonce'\"" in record.getMessage()


@pytest.mark.parametrize("layer", [SecurityHeaders, RequestLog], ids=["no policy", "another layer"])
def test_without_a_policy_it_is_harmless(layer, caplog):
    options = {"to": lambda record: None} if layer is RequestLog else {}
    seen = call(layer(asking, **options))
    assert len(seen.body) == 45
    assert seen.header(CSP) == []
    assert not caplog.records
