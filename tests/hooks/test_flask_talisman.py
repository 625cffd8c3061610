from typing import Any

import pytest
from flask import Flask, Response
from flask_talisman import DENY, Talisman

from overcoat.hooks import FlaskTalisman, register


def make_app(bundle: FlaskTalisman | None = None) -> Flask:
    app = Flask("shop")
    if bundle is not None:
        register(app, [bundle])
    app.add_url_rule("/", "index", lambda: "hello", methods=["GET", "POST"])

    @app.get("/strict")
    def strict() -> Response:
        response = Response("strict")
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Content-Security-Policy"] = "default-src 'none'"
        return response

    @app.get("/decorated")
    @Talisman()(frame_options=DENY)  # type: ignore[untyped-decorator]
    def decorated() -> str:
        return "decorated"

    return app


def test_headers_are_those_of_the_extension() -> None:
    ours, theirs = make_app(FlaskTalisman()), make_app()
    Talisman(theirs, force_https=False)
    for path in ("/", "/nowhere", "/decorated"):
        assert dict(ours.test_client().get(path).headers) == dict(theirs.test_client().get(path).headers)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_is_redirected_unless_asked_for(method: str) -> None:
    assert make_app(FlaskTalisman()).test_client().open("/", method=method).status_code == 200
    asked = make_app(FlaskTalisman(force_https=True)).test_client().open("/", method=method)
    assert (asked.status_code, asked.headers["Location"]) == (302, "https://localhost/")


def test_flask_talisman_redirects_and_loses_the_method() -> None:
    app = make_app()
    Talisman(app)
    assert app.test_client().post("/", data="x").status_code == 302


@pytest.mark.parametrize(
    ("name", "value"), [("X-Frame-Options", "DENY"), ("Content-Security-Policy", "default-src 'none'")]
)
def test_header_of_the_view_stays(name: str, value: str) -> None:
    response = make_app(FlaskTalisman()).test_client().get("/strict")
    assert response.headers.getlist(name) == [value]
    theirs = make_app()
    Talisman(theirs, force_https=False)
    assert theirs.test_client().get("/strict").headers[name] != value


def test_options_of_a_view_hold() -> None:
    client = make_app(FlaskTalisman()).test_client()
    assert client.get("/decorated").headers["X-Frame-Options"] == "DENY"
    assert client.get("/").headers["X-Frame-Options"] == "SAMEORIGIN"


def test_options_pass_through() -> None:
    policy = {"default-src": "'self'", "script-src": "'self'"}
    app = make_app(
        FlaskTalisman(
            content_security_policy=policy, content_security_policy_nonce_in=["script-src"], frame_options=None
        )
    )
    app.add_url_rule("/nonce", "nonce", lambda: app.jinja_env.from_string("{{ csp_nonce() }}").render())
    response = app.test_client().get("/nonce")
    assert f"script-src 'self' 'nonce-{response.text}'" in response.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in response.headers


def test_hsts_is_for_https() -> None:
    client = make_app(FlaskTalisman()).test_client()
    assert "Strict-Transport-Security" not in client.get("/").headers
    assert "Strict-Transport-Security" in client.get("/", base_url="https://shop.example").headers


def test_what_the_extension_refuses_is_refused() -> None:
    with pytest.raises(ValueError, match="content_security_policy_report_uri"):
        make_app(FlaskTalisman(content_security_policy_report_only=True))


def test_each_app_has_its_own_extension() -> None:
    bundle = FlaskTalisman()
    apps: list[Any] = [make_app(bundle), make_app(bundle)]
    apps[0].debug = True
    for app in apps:
        app.test_client().get("/")
    assert [app.config["SESSION_COOKIE_SECURE"] for app in apps] == [False, True]
