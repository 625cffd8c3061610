from collections.abc import Iterator

import pytest
import redis
from flask import Flask, Response
from flask_caching import Cache
from sqlalchemy import create_engine, text
from sqlalchemy.orm import scoped_session, sessionmaker
from sqlalchemy.pool import StaticPool
from support.compat import Lines, ask, assert_coated, coat

from overcoat.hooks import DatabaseSession


@pytest.fixture
def app(order: str, store: "redis.Redis", prefix: str, redis_url: str) -> Iterator[tuple[Flask, Lines]]:
    app = Flask("shop")
    cache = Cache(config={"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": redis_url, "CACHE_KEY_PREFIX": prefix})
    engine = create_engine("sqlite://", poolclass=StaticPool)
    session = scoped_session(sessionmaker(engine))
    lines = coat(app, lambda: cache.init_app(app), order, DatabaseSession(session))

    @app.get("/coats")
    @cache.cached(timeout=60)
    def coats() -> str:
        return str(session.scalar(text("select 42")))

    @app.get("/page")
    @cache.cached(timeout=60)
    def page() -> Response:
        session.execute(text("select 1"))
        return Response("page", headers={"X-Frame-Options": "DENY", "X-Own": "kept"})

    yield app, lines
    engine.dispose()


@pytest.mark.parametrize(("path", "body"), [("/coats", "42"), ("/page", "page")])
def test_cached_answer_is_dressed_anew(
    app: tuple[Flask, Lines], path: str, body: str, store: "redis.Redis", prefix: str
) -> None:
    shop, lines = app
    client = shop.test_client()
    responses = [ask(client, path) for _ in range(2)]
    assert [response.text for response in responses] == [body, body]
    assert [line["db_queries"] for line in lines] == [1, 0]
    assert len(list(store.scan_iter(f"{prefix}*"))) == 1
    for response, line in zip(responses, lines, strict=True):
        assert_coated(response, line)
    assert len({response.headers["X-Request-ID"] for response in responses}) == 2


def test_headers_of_the_view_are_cached_and_stay(app: tuple[Flask, Lines]) -> None:
    client = app[0].test_client()
    for _ in range(2):
        response = ask(client, "/page")
        assert response.headers.getlist("X-Frame-Options") == ["DENY"]
        assert response.headers.getlist("X-Own") == ["kept"]


def test_compressed_and_plain_come_from_one_entry(app: tuple[Flask, Lines]) -> None:
    shop = app[0]
    shop.config["COMPRESS_MIN_SIZE"] = 1
    client = shop.test_client()
    assert ask(client, "/coats", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    assert ask(client, "/coats").data == b"42"
