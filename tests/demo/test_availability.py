"""Probes, and a database that goes away and comes back."""

import sqlite3

import pymysql
import pytest
from psycopg import errors
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from overcoat.demo.availability import is_outage
from overcoat.demo.database import parse_url
from overcoat.demo.models import db

KETTLE = {"name": "kettle", "value": 30}


def raised(original, kind=OperationalError):
    return kind("SELECT 1", {}, original)


def sqlite_error(code: int):
    error = sqlite3.OperationalError("x")
    error.sqlite_errorcode = code
    return raised(error)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(PoolTimeout(), True, id="no connection left in the pool"),
        pytest.param(sqlite_error(sqlite3.SQLITE_BUSY), True, id="sqlite, busy"),
        pytest.param(sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), True, id="sqlite, busy, extended"),
        pytest.param(sqlite_error(sqlite3.SQLITE_FULL), True, id="sqlite, disk full"),
        pytest.param(sqlite_error(sqlite3.SQLITE_CANTOPEN), True, id="sqlite, cannot open"),
        pytest.param(sqlite_error(sqlite3.SQLITE_ERROR), False, id="sqlite, no such table"),
        pytest.param(raised(errors.AdminShutdown()), True, id="postgresql, shutdown"),
        pytest.param(raised(errors.TooManyConnections()), True, id="postgresql, too many connections"),
        pytest.param(raised(errors.OperationalError("connection refused")), True, id="postgresql, refused"),
        pytest.param(raised(errors.QueryCanceled()), False, id="postgresql, cancelled"),
        pytest.param(raised(errors.UndefinedTable(), ProgrammingError), False, id="postgresql, no such table"),
        pytest.param(raised(pymysql.err.OperationalError(2003, "refused")), True, id="mariadb, refused"),
        pytest.param(raised(pymysql.err.OperationalError(2013, "lost")), True, id="mariadb, lost"),
        pytest.param(
            raised(pymysql.err.ProgrammingError(1146, "no table"), ProgrammingError), False, id="mariadb, table"
        ),
        pytest.param(raised(Exception(), IntegrityError), False, id="without a word"),
        pytest.param(ValueError("gone away"), False, id="no error of the database's"),
        pytest.param(None, False, id="none"),
    ],
)
def test_is_outage(error, expected):
    assert is_outage(error) is expected


class TestProbes:
    def test_alive_and_ready(self, make_app, database_url, records):
        client = make_app(database_url=database_url).test_client()
        for path, status in [("/livez", "alive"), ("/readyz", "ready")]:
            response = client.get(path, headers={"Host": "10.1.2.3:8000"})
            assert (response.status_code, response.json) == (200, {"status": status})
            assert response.headers["Cache-Control"] == "no-store"
        assert records() == []

    def test_livez_does_not_ask_the_database(self, make_app):
        app = make_app()
        statements = []
        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
        app.test_client().get("/livez")
        assert statements == []
        app.test_client().get("/readyz")
        assert len(statements) == 1


def away(app):
    """Let every new connection to the app's database fail as the driver of each does; the function that undoes it."""
    with app.app_context():
        engine = db.engine
    engine.dispose()
    original = {
        "sqlite": lambda: sqlite3.OperationalError("unable to open database file"),
        "postgresql": lambda: errors.OperationalError("connection failed"),
        "mysql": lambda: pymysql.err.OperationalError(2003, "Can't connect"),
    }[engine.dialect.name]()
    original.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
    if engine.dialect.name != "sqlite":
        del original.sqlite_errorcode

    def refuse(*_):
        raise original

    event.listen(engine, "do_connect", refuse)
    return lambda: event.remove(engine, "do_connect", refuse)


def test_a_database_that_goes_away_and_comes_back(make_app, database_url, records):
    app = make_app(database_url=database_url)
    client = app.test_client()
    assert client.get("/item/1").status_code == 200
    back = away(app)
    for method, path in [
        ("GET", "/item"),
        ("POST", "/item"),
        ("GET", "/item/1"),
        ("PUT", "/item/1"),
        ("DELETE", "/item/1"),
        ("GET", "/items/range/1/2"),
        ("GET", "/readyz"),
    ]:
        response = client.open(path, method=method, json=None if method == "GET" else KETTLE)
        assert (response.status_code, response.content_type) == (503, "application/problem+json"), path
        assert response.json["message"] == "The database cannot be reached; try again later"
        assert int(response.headers["Retry-After"]) > 0
        assert response.headers["X-Request-ID"] == records()[-1]["request_id"]
        assert (records()[-1]["status"], records()[-1]["level"]) == (503, "error")
        assert records()[-1]["error_type"] == "sqlalchemy.exc.OperationalError"
    assert client.get("/livez").status_code == 200
    assert client.post("/item", json={}).status_code == 400
    back()
    assert client.get("/readyz").status_code == 200
    assert client.get("/item/1").json["name"] == "teapot"


def kill_connections(kind, url):
    """End all connections to a database from the server's side."""
    engine = create_engine(parse_url(url))
    with engine.connect() as connection:
        if kind == "postgresql":
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        else:
            own = connection.scalar(text("SELECT CONNECTION_ID()"))
            name = connection.scalar(text("SELECT DATABASE()"))
            found = connection.execute(
                text("SELECT id FROM information_schema.processlist WHERE db = :name AND id <> :own"),
                {"name": name, "own": own},
            )
            for (number,) in found.all():
                connection.execute(text(f"KILL {number}"))
    engine.dispose()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_connections_that_the_server_has_ended_are_made_anew(make_app, empty_database, kind):
    url = empty_database(kind)
    client = make_app(database_url=url).test_client()
    assert client.get("/item/1").status_code == 200
    kill_connections(kind, url)
    assert client.get("/item/1").status_code == 200


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_connection_that_is_lost_before_the_commit(make_app, empty_database, kind, records):
    url = empty_database(kind)
    app = make_app(database_url=url)

    with app.app_context():
        engine = db.engine

    def lose(connection):
        if not lost:
            lost.append(connection)
            kill_connections(kind, url)

    lost = []
    event.listen(engine, "commit", lose)
    response = app.test_client().post("/item", json=KETTLE)
    assert (response.status_code, response.content_type) == (503, "application/problem+json")
    assert response.headers["Retry-After"]
    assert [item["name"] for item in app.test_client().get("/item").json["items"]] == ["teapot", "lantern", "compass"]


def test_a_writer_that_waits_too_long(make_app, tmp_path, monkeypatch):
    monkeypatch.setattr("overcoat.demo.database.BUSY_TIMEOUT_MS", 50)
    client = make_app().test_client()
    other = sqlite3.connect(tmp_path / "demo.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert client.get("/item/1").status_code == 200
        assert client.post("/item", json=KETTLE).status_code == 503
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert client.post("/item", json=KETTLE).status_code == 201
