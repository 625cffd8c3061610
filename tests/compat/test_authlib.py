"""Authlib, which comes after Flask-OAuthlib: a login against a provider on loopback, as an OAuth 2 client with PKCE."""

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from authlib.integrations.flask_client import OAuth
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Flask, redirect, request, session, url_for
from support.compat import Lines, ask, assert_coated, coat
from werkzeug.serving import make_server

CLIENT = {"client_id": "shop", "client_secret": "the-secret-of-the-shop"}


def make_provider() -> Flask:
    """A provider that knows one user, and checks what it is handed back."""
    provider = Flask("provider")
    challenges: dict[str, str] = {}

    @provider.get("/authorize")
    def authorize() -> Any:
        asked = request.args
        challenges["code-of-ada"] = asked["code_challenge"]
        return redirect(f"{asked['redirect_uri']}?{urlencode({'code': 'code-of-ada', 'state': asked['state']})}")

    @provider.post("/token")
    def token() -> Any:
        given = request.form
        client = request.authorization
        proven = create_s256_code_challenge(given["code_verifier"]) == challenges.pop(given["code"], None)
        known = client is not None and (client.username, client.password) == tuple(CLIENT.values())
        if not (proven and known and given["redirect_uri"] == "https://shop.example/callback"):
            return {"error": "invalid_grant"}, 400
        return {"access_token": "token-of-ada", "token_type": "Bearer", "expires_in": 3600}

    @provider.get("/me")
    def me() -> Any:
        if request.headers.get("Authorization") != "Bearer token-of-ada":
            return {"error": "invalid_token"}, 401
        return {"sub": "ada"}

    return provider


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, make_provider(), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def app(order: str, provider_url: str) -> tuple[Flask, Lines]:
    app = Flask("shop")
    app.secret_key = "tests"
    oauth = OAuth()
    oauth.register(
        "provider",
        **CLIENT,
        authorize_url=f"{provider_url}/authorize",
        access_token_url=f"{provider_url}/token",
        api_base_url=provider_url,
        client_kwargs={"code_challenge_method": "S256"},
    )
    lines = coat(app, lambda: oauth.init_app(app), order)

    @app.get("/login")
    def login() -> Any:
        return oauth.provider.authorize_redirect(url_for("callback", _external=True))

    @app.get("/callback")
    def callback() -> Any:
        token = oauth.provider.authorize_access_token()
        session["user"] = oauth.provider.get("/me", token=token).json()["sub"]
        return redirect(url_for("me"))

    @app.get("/me")
    def me() -> str:
        return str(session.get("user"))

    return app, lines


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def sent_back(location: str) -> str:
    """Where the provider sends the browser, which would follow; path and query of it."""
    opener = build_opener(_Stay)
    opener.process_response["http"] = []  # type: ignore[attr-defined] - a redirect is no error here
    with opener.open(Request(location)) as response:
        target = urlsplit(response.headers["Location"])
    assert (target.scheme, target.netloc) == ("https", "shop.example")
    return f"{target.path}?{target.query}"


def test_login(app: tuple[Flask, Lines]) -> None:
    shop, lines = app
    client = shop.test_client()
    start = ask(client, "/login")
    assert start.status_code == 302
    assert_coated(start, lines[-1], endpoint="login")
    # The proxy is believed, so the provider is told the address that the browser knows.
    assert parse_qs(urlsplit(start.headers["Location"]).query)["redirect_uri"] == ["https://shop.example/callback"]
    # From another site: a cookie that is SameSite=Strict would not come back with the browser.
    assert "SameSite=Lax" in start.headers["Set-Cookie"]
    back = ask(client, sent_back(start.headers["Location"]))
    assert (back.status_code, back.headers["Location"]) == (302, "/me")
    assert ask(client, "/me").text == "ada"


def test_code_and_state_are_not_in_the_log(app: tuple[Flask, Lines]) -> None:
    shop, lines = app
    client = shop.test_client()
    ask(client, sent_back(ask(client, "/login").headers["Location"]))
    assert (lines[-1]["path"], lines[-1]["status"]) == ("/callback", 302)
    assert lines[-1]["query"].startswith("code=")
    assert "code-of-ada" not in str(lines)
    assert "the-secret-of-the-shop" not in str(lines)


def test_answer_to_another_login_is_refused(app: tuple[Flask, Lines]) -> None:
    shop, lines = app
    stolen = sent_back(ask(shop.test_client(), "/login").headers["Location"])
    response = ask(shop.test_client(), stolen)
    assert response.status_code == 500
    assert response.content_type == "application/problem+json"
    assert_coated(response, lines[-1])
    assert lines[-1]["error_type"].endswith("MismatchingStateError")
