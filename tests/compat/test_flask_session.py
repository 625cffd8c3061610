import pytest
import redis
from flask import Flask, session
from flask_session import Session
from support.compat import Lines, ask, assert_coated, coat


@pytest.fixture
def app(order: str, store: "redis.Redis", prefix: str) -> tuple[Flask, Lines]:
    app = Flask("shop")
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=store, SESSION_KEY_PREFIX=prefix)
    lines = coat(app, lambda: Session(app), order)

    @app.post("/cart/<coat>")
    def add(coat: str) -> dict[str, list[str]]:
        session["cart"] = [*session.get("cart", []), coat]
        return {"cart": session["cart"]}

    @app.get("/cart")
    def cart() -> dict[str, list[str]]:
        return {"cart": session.get("cart", [])}

    @app.get("/boom")
    def boom() -> str:
        session["cart"] = ["boom"]
        raise ZeroDivisionError

    return app, lines


def test_session_lasts_in_redis(app: tuple[Flask, Lines], store: "redis.Redis", prefix: str) -> None:
    shop, lines = app
    client = shop.test_client()
    ask(client, "/cart/raincoat", "POST")
    ask(client, "/cart/duffle", "POST")
    response = ask(client, "/cart")
    assert response.json == {"cart": ["raincoat", "duffle"]}
    assert_coated(response, lines[-1], endpoint="cart", route="/cart")
    assert len(list(store.scan_iter(f"{prefix}*"))) == 1
    assert ask(shop.test_client(), "/cart").json == {"cart": []}


def test_cookie_has_what_layer_and_bundle_give_it(app: tuple[Flask, Lines]) -> None:
    (cookie,) = ask(app[0].test_client(), "/cart/raincoat", "POST").headers.getlist("Set-Cookie")
    attributes = [part.strip().partition("=")[0] for part in cookie.split(";")[1:]]
    assert sorted(set(attributes)) == sorted(attributes)
    assert {"Secure", "HttpOnly", "SameSite", "Path"} <= set(attributes)


def test_error_is_a_problem_in_our_coat(app: tuple[Flask, Lines]) -> None:
    shop, lines = app
    response = ask(shop.test_client(), "/boom")
    assert response.json["request_id"] == lines[-1]["request_id"]
    assert_coated(response, lines[-1], status=500, error_type="ZeroDivisionError")
