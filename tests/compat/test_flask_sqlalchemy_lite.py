"""Flask-SQLAlchemy-Lite, whose sessions live as long as Flask's contexts, in sync and async views."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import NullPool
from support.compat import Lines, ask, assert_coated, coat

from overcoat.hooks import DatabaseSession


class Base(DeclarativeBase): ...


class Coat(Base):
    __tablename__ = "coats"
    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)


@pytest.fixture
def app(order: str, tmp_path: Path) -> Iterator[tuple[Flask, Lines]]:
    app = Flask("shop")
    path = tmp_path / "shop.db"
    app.config["SQLALCHEMY_ENGINES"] = {"default": f"sqlite:///{path}"}
    app.config["SQLALCHEMY_ASYNC_ENGINES"] = {"default": {"url": f"sqlite+aiosqlite:///{path}", "poolclass": NullPool}}
    db = SQLAlchemy()
    lines = coat(app, lambda: db.init_app(app), order, DatabaseSession(db))

    @app.post("/coat/<name>")
    def add(name: str) -> tuple[dict[str, str], int]:
        db.session.add(Coat(name=name))
        return {"name": name}, 400 if name == "refused" else 201

    @app.post("/async/<name>")
    async def add_in_async_view(name: str) -> tuple[dict[str, str], int]:
        db.session.add(Coat(name=name))
        return {"name": name}, 201

    @app.post("/async-session/<name>")
    async def add_in_async_session(name: str) -> tuple[dict[str, str], int]:
        async with db.async_sessionmaker() as session, session.begin():
            session.add(Coat(name=name))
        return {"name": name}, 201

    @app.get("/coats")
    def coats() -> dict[str, list[str]]:
        return {"coats": list(db.session.scalars(sa.select(Coat.name).order_by(Coat.name)))}

    with app.app_context():
        Base.metadata.create_all(db.engine)
    yield app, lines
    with app.app_context():
        assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        db.engine.dispose()


@pytest.mark.parametrize("path", ["/coat/raincoat", "/async/raincoat", "/async-session/raincoat"])
def test_what_each_view_adds_is_committed_and_counted(app: tuple[Flask, Lines], path: str) -> None:
    shop, lines = app
    client = shop.test_client()
    response = ask(client, path, "POST")
    assert response.status_code == 201
    assert_coated(response, lines[-1], db_queries=1)
    assert lines[-1]["db_slowest"].lower().startswith("insert into coats")
    assert ask(client, "/coats").json == {"coats": ["raincoat"]}


def test_what_is_refused_or_fails_is_not(app: tuple[Flask, Lines]) -> None:
    shop, lines = app
    client = shop.test_client()
    assert ask(client, "/coat/refused", "POST").status_code == 400
    assert ask(client, "/coat/raincoat", "POST").status_code == 201
    twice: Any = ask(client, "/coat/raincoat", "POST")
    assert (twice.status_code, twice.content_type) == (500, "application/problem+json")
    assert_coated(twice, lines[-1], error_type="sqlalchemy.exc.IntegrityError")
    assert ask(client, "/coats").json == {"coats": ["raincoat"]}
