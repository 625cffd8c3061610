from typing import Any

import pytest
import redis
from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from support.compat import Lines, ask, assert_coated, coat


@pytest.fixture
def app(order: str, store: "redis.Redis", prefix: str, redis_url: str) -> tuple[Flask, Lines]:
    app = Flask("shop")
    limiter = Limiter(
        get_remote_address, storage_uri=redis_url, key_prefix=prefix, headers_enabled=True, strategy="fixed-window"
    )
    lines = coat(app, lambda: limiter.init_app(app), order)

    @app.get("/coats")
    @limiter.limit("2 per hour")
    def coats() -> str:
        return "coats"

    return app, lines


def test_limit_holds_and_says_so_in_our_coat(app: tuple[Flask, Lines], store: "redis.Redis", prefix: str) -> None:
    shop, lines = app
    client = shop.test_client()
    responses = [ask(client, "/coats") for _ in range(3)]
    assert [response.status_code for response in responses] == [200, 200, 429]
    assert [response.headers["X-RateLimit-Remaining"] for response in responses] == ["1", "0", "0"]
    refused = responses[-1]
    assert refused.content_type == "application/problem+json"
    assert (refused.json["title"], refused.json["request_id"]) == ("Too Many Requests", lines[-1]["request_id"])
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert_coated(refused, lines[-1], level="warning", endpoint="coats")
    assert list(store.scan_iter(f"*{prefix}*"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 429, id="the same"),
        pytest.param({"X-Forwarded-For": "203.0.113.8"}, 200, id="another client"),
        pytest.param({"X-Forwarded-For": "198.51.100.9, 203.0.113.7"}, 429, id="the same that claims to be another"),
    ],
)
def test_clients_are_told_apart_behind_the_proxy(app: Any, headers: dict[str, str], status: int) -> None:
    client = app[0].test_client()
    for _ in range(2):
        ask(client, "/coats")
    assert ask(client, "/coats", headers=headers).status_code == status
