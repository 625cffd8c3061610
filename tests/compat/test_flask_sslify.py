"""Flask-SSLify 0.1.5 is of 2015, and nothing has come since; HTTPSRedirect is what comes after it."""

from typing import Any

import pytest
from flask import Flask
from flask_sslify import SSLify
from support.compat import Lines, ask, assert_coated, coat

from overcoat.middleware import HTTPSRedirect, ProxyFix, Stack


@pytest.fixture
def app(order: str) -> tuple[Flask, Lines]:
    app = Flask("shop")
    lines = coat(app, lambda: SSLify(app), order)
    app.add_url_rule("/", "index", lambda: "hello")
    return app, lines


def test_https_at_the_proxy_is_no_loop(app: tuple[Flask, Lines]) -> None:
    shop, lines = app
    response = ask(shop.test_client(), "/")
    assert (response.status_code, response.text) == (200, "hello")
    assert len(response.headers.getlist("Strict-Transport-Security")) == 1
    assert_coated(response, lines[-1])


def test_http_at_the_proxy_is_redirected_once(app: tuple[Flask, Lines]) -> None:
    shop, lines = app
    client = shop.test_client()
    response = ask(client, "/?a=1", headers={"X-Forwarded-Proto": "http"})
    assert (response.status_code, response.headers["Location"]) == (302, "https://shop.example/?a=1")
    assert_coated(response, lines[-1], scheme="http")
    assert ask(client, "/?a=1").status_code == 200


def test_post_is_redirected_as_a_get(app: tuple[Flask, Lines]) -> None:
    assert ask(app[0].test_client(), "/", "POST", headers={"X-Forwarded-Proto": "http"}).status_code == 302


@pytest.mark.parametrize("peer", ["127.0.0.1", "198.51.100.9"], ids=["the proxy", "anyone"])
def test_only_the_proxy_is_believed(app: tuple[Flask, Lines], peer: str) -> None:
    client = app[0].test_client()
    given: Any = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_PROTO": "https"}
    response = client.get("/", base_url="http://shop.example", environ_overrides=given)
    assert response.status_code == (200 if peer == "127.0.0.1" else 302)


def test_the_layer_in_its_place_does_the_same() -> None:
    app = Flask("shop")
    app.add_url_rule("/", "index", lambda: "hello", methods=["GET", "POST"])
    app.wsgi_app = Stack(  # type: ignore[method-assign]
        app.wsgi_app, [ProxyFix(trusted=["127.0.0.1"], x_host=1), HTTPSRedirect(hosts=["shop.example"])]
    )
    client = app.test_client()
    assert ask(client, "/").status_code == 200
    response = ask(client, "/?a=1", "POST", headers={"X-Forwarded-Proto": "http"})
    assert (response.status_code, response.headers["Location"]) == (308, "https://shop.example/?a=1")
