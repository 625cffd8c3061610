"""Flask-SQLAlchemy and Flask-Migrate with real databases: migrated, served, and migrated back."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import Migrate, downgrade, init, migrate, upgrade
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import Mapped, mapped_column
from support.compat import Lines, ask, assert_coated, coat

from overcoat.hooks import DatabaseSession

SERVERS = {
    "postgresql": os.environ.get("TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/test"),
    "mariadb": os.environ.get("TEST_MARIADB_URL", "mysql://root@127.0.0.1:3306/test"),
}
DRIVERS = {"postgresql": "postgresql+psycopg", "mariadb": "mysql+pymysql"}


@pytest.fixture(autouse=True)
def _loggers() -> Iterator[None]:
    """Alembic's environment configures logging anew, and turns off every logger that it does not name."""
    known = [found for found in logging.root.manager.loggerDict.values() if isinstance(found, logging.Logger)]
    before = {logger: logger.disabled for logger in known}
    yield
    for logger, disabled in before.items():
        logger.disabled = disabled


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.URL]:
    """A database of the test's own, as migrations keep their state in a table of a fixed name."""
    kind = request.param
    if kind == "sqlite":
        yield sa.make_url(f"sqlite:///{tmp_path / 'shop.db'}")
        return
    server = sa.make_url(SERVERS[kind]).set(drivername=DRIVERS[kind])
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"overcoat_compat_{os.getpid()}_{uuid4().hex[:8]}"
    try:
        with admin.connect() as connection:
            connection.execute(sa.text(f"create database {name}"))
    except sa.exc.OperationalError:
        admin.dispose()
        pytest.skip(f"no {kind} here")
    yield server.set(database=name)
    with admin.connect() as connection:
        connection.execute(sa.text(f"drop database {name}"))
    admin.dispose()


@pytest.fixture
def app(order: str, database_url: sa.URL, tmp_path: Path) -> Iterator[tuple[Flask, Lines]]:
    app = Flask("shop", root_path=str(tmp_path))
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url.render_as_string(hide_password=False)
    db = SQLAlchemy()

    class Coat(db.Model):  # type: ignore[name-defined,misc]
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(sa.String(80), unique=True)

    def extend() -> None:
        db.init_app(app)
        Migrate(app, db, directory=str(tmp_path / "migrations"))

    lines = coat(app, extend, order, DatabaseSession(db))

    @app.post("/coat/<name>")
    def add(name: str) -> tuple[dict[str, Any], int]:
        coat = Coat(name=name)
        db.session.add(coat)
        db.session.flush()
        return {"id": coat.id}, 400 if name == "refused" else 201

    @app.get("/coats")
    def coats() -> dict[str, list[str]]:
        return {"coats": [coat.name for coat in db.session.scalars(sa.select(Coat).order_by(Coat.name))]}

    @app.get("/page")
    def page() -> dict[str, int]:
        return {"total": db.paginate(sa.select(Coat), per_page=1).total or 0}

    yield app, lines
    with app.app_context():
        db.engine.dispose()


# The environment that Flask-Migrate writes asks Flask-SQLAlchemy in its old way first.
@pytest.mark.filterwarnings("ignore:'get_engine' is deprecated:DeprecationWarning")
def test_migrated_served_and_migrated_back(app: tuple[Flask, Lines]) -> None:
    shop, lines = app
    with shop.app_context():
        init()
        migrate(message="coats")
        upgrade()
    client = shop.test_client()
    response = ask(client, "/coat/raincoat", "POST")
    assert response.status_code == 201
    assert_coated(response, lines[-1], db_queries=1)
    assert lines[-1]["db_slowest"].lower().startswith("insert into coat")
    assert ask(client, "/coat/refused", "POST").status_code == 400
    twice = ask(client, "/coat/raincoat", "POST")
    assert (twice.status_code, twice.content_type) == (500, "application/problem+json")
    assert lines[-1]["error_type"] == "sqlalchemy.exc.IntegrityError"
    assert ask(client, "/coats").json == {"coats": ["raincoat"]}
    assert ask(client, "/page").json == {"total": 1}
    assert lines[-1]["timings"]["db"]["count"] == lines[-1]["db_queries"] > 1
    with shop.app_context():
        downgrade()
    assert ask(client, "/coats").status_code == 500
