"""The schema by migrations: up, down and up again on each database, and what is done about one that is not ours."""

import contextlib
import os
import subprocess
import sys

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from overcoat.demo.database import DatabaseError, disconnect, parse_url
from overcoat.demo.models import Base

KETTLE = {"name": "kettle", "value": 30}


@contextlib.contextmanager
def engine_of(url):
    engine = create_engine(parse_url(url))
    yield engine
    engine.dispose()


def config_of(app):
    return app.extensions["migrate"].migrate.get_config()


def test_up_down_up(make_app, database_url):
    app = make_app(database_url=database_url)
    app.test_client().post("/item", json=KETTLE)
    with app.app_context(), engine_of(database_url) as engine:
        command.downgrade(config_of(app), "base")
        assert [name for name in inspect(engine).get_table_names() if not name.startswith("sqlite_")] == [
            "alembic_version"
        ]
        command.upgrade(config_of(app), "head")
        client = app.test_client()
        assert [item["name"] for item in client.get("/item").json["items"]] == ["teapot", "lantern", "compass"]
        assert client.post("/item", json=KETTLE).json == {"id": 4, **KETTLE}


def test_a_new_start_brings_it_up_again(make_app, database_url):
    first = make_app(database_url=database_url)
    with first.app_context():
        command.downgrade(config_of(first), "base")
    disconnect(first)
    assert len(make_app(database_url=database_url).test_client().get("/item").json["items"]) == 3


def test_the_models_are_what_the_migrations_make(make_app, database_url):
    make_app(database_url=database_url)
    with engine_of(database_url) as engine, engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_every_step_has_a_way_back(make_app):
    app = make_app()
    with app.app_context():
        steps = list(ScriptDirectory.from_config(config_of(app)).walk_revisions())
    assert steps
    assert all(callable(getattr(step.module, "downgrade", None)) for step in steps)


def test_a_database_of_before_the_migrations_keeps_its_items(make_app, database_url):
    with engine_of(database_url) as engine:
        Base.metadata.create_all(engine)
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO item (name, value) VALUES ('mine', 1)"))
    assert [item["name"] for item in make_app(database_url=database_url).test_client().get("/item").json["items"]] == [
        "mine"
    ]


def test_a_database_of_a_newer_version_is_refused(make_app, database_url):
    app = make_app(database_url=database_url)
    with engine_of(database_url) as engine, engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    disconnect(app)
    with pytest.raises(DatabaseError, match="9999") as caught:
        make_app(database_url=database_url)
    assert "\n" not in str(caught.value)


def test_a_step_that_fails_leaves_nothing_on_a_database_that_can_undo_it(make_app, empty_database, monkeypatch):
    url = empty_database("sqlite")
    original = command.upgrade

    def failing(config, revision):
        original(config, revision)
        raise RuntimeError("killed")

    monkeypatch.setattr(command, "upgrade", failing)
    with pytest.raises(RuntimeError, match="killed"):
        make_app(database_url=url)
    monkeypatch.undo()
    with engine_of(url) as engine:
        assert inspect(engine).get_table_names() == []
    assert len(make_app(database_url=url).test_client().get("/item").json["items"]) == 3


def test_an_up_to_date_database_is_not_locked(make_app, database_url):
    make_app(database_url=database_url)
    with engine_of(database_url) as engine, engine.connect() as connection:
        connection.execute(text("UPDATE item SET value = 1 WHERE id = 1"))
        assert make_app(database_url=database_url).test_client().get("/item/2").status_code == 200
        connection.rollback()


def test_flask_db(tmp_path):
    def flask_db(*arguments: str) -> str:
        command = [sys.executable, "-m", "flask", "--app", "overcoat.demo.wsgi", "db", *arguments]
        environ = {**os.environ, "DATABASE_URL": "sqlite:///demo.sqlite3", "LOG_FILE": "requests.log"}
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert flask_db("current").splitlines() == ["0001 (head)"]
    assert "CREATE TABLE item" in flask_db("upgrade", "--sql")
    flask_db("check")
    flask_db("downgrade", "base")
    assert flask_db("current").splitlines() == ["0001 (head)"], "the app itself goes up as it starts"
