import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, session
from flask_talisman import DENY, Talisman

from overcoat.hooks import FlaskTalisman, register

DOCS = Path(__file__).parents[2] / "docs"


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


@pytest.mark.parametrize(
    ("method", "permanent", "status"),
    [
        ("GET", False, 302),
        ("HEAD", False, 302),
        ("POST", False, 307),
        ("GET", True, 301),
        ("POST", True, 308),
    ],
)
def test_nothing_is_redirected_unless_asked_for(method: str, permanent: bool, status: int) -> None:
    assert make_app(FlaskTalisman()).test_client().open("/", method=method).status_code == 200
    app = make_app(FlaskTalisman(force_https=True, force_https_permanent=permanent))
    asked = app.test_client().open("/", method=method)
    assert (asked.status_code, asked.headers["Location"]) == (status, "https://localhost/")


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


# The session cookie


@pytest.mark.parametrize(
    ("own", "options", "expected"),
    [
        (None, {}, "Lax"),
        ("Strict", {}, "Strict"),
        ("Strict", {"session_cookie_samesite": "Lax"}, "Lax"),
        ("None", {}, "None"),
    ],
)
def test_samesite_of_the_app_stays(own: str | None, options: dict[str, Any], expected: str) -> None:
    app = Flask("shop")
    app.config["SESSION_COOKIE_SAMESITE"] = own
    register(app, [FlaskTalisman(**options)])
    assert app.config["SESSION_COOKIE_SAMESITE"] == expected
    theirs = Flask("shop")
    theirs.config["SESSION_COOKIE_SAMESITE"] = "Strict"
    Talisman(theirs)
    assert theirs.config["SESSION_COOKIE_SAMESITE"] == "Lax"


def session_app(bundle: FlaskTalisman) -> Flask:
    app = make_app(bundle)
    app.secret_key = "tests"

    @app.get("/login")
    def login() -> str:
        session["user"] = "ada"
        return "welcome"

    return app


@pytest.mark.parametrize(
    ("options", "debug", "secure"),
    [
        ({}, False, True),
        ({"only": "index"}, False, True),
        ({"session_cookie_secure": False}, False, False),
        ({}, True, False),
    ],
    ids=["default", "whatever its scope", "off", "debug"],
)
def test_session_cookie_is_secure_from_the_first(options: dict[str, Any], debug: bool, secure: bool) -> None:
    app = session_app(FlaskTalisman(**options))
    app.debug = debug
    cookie = app.test_client().get("/login", base_url="https://shop.example").headers["Set-Cookie"]
    assert ("; Secure" in cookie) is secure
    assert "; HttpOnly" in cookie
    assert "; SameSite=Lax" in cookie


def test_flask_talisman_sets_it_with_the_first_request_it_sees() -> None:
    app = session_app(FlaskTalisman(session_cookie_secure=False))
    Talisman(app, force_https=False)
    assert app.config["SESSION_COOKIE_SECURE"] is False
    app.test_client().get("/")
    assert app.config["SESSION_COOKIE_SECURE"] is True


@pytest.mark.parametrize(
    ("base_url", "path", "options", "debug", "times"),
    [
        pytest.param("http://shop.example", "/login", {}, False, 1, id="plain http"),
        pytest.param("http://shop.example", "/", {}, False, 0, id="session not changed"),
        pytest.param("https://shop.example", "/login", {}, False, 0, id="https"),
        pytest.param("http://localhost:5000", "/login", {}, False, 0, id="localhost"),
        pytest.param("http://127.0.0.1:5000", "/login", {}, False, 0, id="loopback"),
        pytest.param("http://[::1]:5000", "/login", {}, False, 0, id="loopback of IPv6"),
        pytest.param("http://shop.example", "/login", {"session_cookie_secure": False}, False, 0, id="off"),
        pytest.param("http://shop.example", "/login", {}, True, 0, id="debug"),
    ],
)
def test_session_that_browsers_will_not_send_back_is_told_once(
    base_url: str, path: str, options: dict[str, Any], debug: bool, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    app = session_app(FlaskTalisman(**options))
    app.debug = debug
    for _ in range(3):
        app.test_client().get(path, base_url=base_url, buffered=True)
    assert caplog.text.count("a session was changed over plain http") == times


def test_looking_at_the_session_is_not_using_it() -> None:
    response = session_app(FlaskTalisman()).test_client().get("/", base_url="http://shop.example")
    assert "Vary" not in response.headers


def test_item_50_who_comes_from_talisman_finds_each_of_its_options() -> None:
    table = (DOCS / "security-headers.md").read_text(encoding="utf-8").partition("## Coming from Flask-Talisman")[2]
    there = "".join(line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `"))
    told = {word for quoted in re.findall("`([^`]+)`", there) for word in re.findall(r"\w+", quoted)}
    assert {*inspect.signature(Talisman.init_app).parameters} - {"self", "app"} <= told
