import flask_login
import pytest
from flask import Flask
from support.compat import Lines, ask, assert_coated, coat


class User(flask_login.UserMixin):  # type: ignore[misc]
    def __init__(self, user_id: str) -> None:
        self.id = user_id


@pytest.fixture
def app(order: str) -> tuple[Flask, Lines]:
    app = Flask("shop")
    app.secret_key = "tests"
    manager = flask_login.LoginManager()
    manager.user_loader(User)
    lines = coat(app, lambda: manager.init_app(app), order)

    @app.post("/login/<name>")
    def login(name: str) -> str:
        flask_login.login_user(User(name), remember=True)
        return "welcome"

    @app.get("/me")
    @flask_login.login_required  # type: ignore[untyped-decorator]
    def me() -> str:
        return str(flask_login.current_user.get_id())

    app.add_url_rule("/", "index", lambda: "hello")
    return app, lines


def test_login_lasts_and_the_log_knows_who(app: tuple[Flask, Lines]) -> None:
    shop, lines = app
    client = shop.test_client()
    ask(client, "/login/ada", "POST")
    response = ask(client, "/me")
    assert response.text == "ada"
    assert_coated(response, lines[-1], user="ada")
    assert lines[-2]["user"] == "ada"
    ask(client, "/")
    assert "user" not in lines[-1]  # nothing asked for it, and the log loads nobody


def test_who_is_not_logged_in_gets_a_problem(app: tuple[Flask, Lines]) -> None:
    shop, lines = app
    response = ask(shop.test_client(), "/me")
    assert (response.status_code, response.content_type) == (401, "application/problem+json")
    assert_coated(response, lines[-1], level="warning", endpoint="me")
    assert "user" not in lines[-1]


def test_all_cookies_are_safe(app: tuple[Flask, Lines]) -> None:
    cookies = ask(app[0].test_client(), "/login/ada", "POST").headers.getlist("Set-Cookie")
    assert sorted(cookie.partition("=")[0] for cookie in cookies) == ["remember_token", "session"]
    for cookie in cookies:
        assert cookie.count("; Secure") == cookie.count("; HttpOnly") == cookie.count("; SameSite=") == 1


def test_remembered_user_is_known_without_a_session(app: tuple[Flask, Lines]) -> None:
    shop, lines = app
    client = shop.test_client()
    ask(client, "/login/ada", "POST")
    client.delete_cookie("session", domain="shop.example")
    assert ask(client, "/me").text == "ada"
    assert lines[-1]["user"] == "ada"
