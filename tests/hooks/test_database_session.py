import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, abort, copy_current_request_context, stream_with_context
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from support.hooks import serve

from overcoat.hooks import DatabaseSession, HookBundle, _queries, register
from overcoat.middleware import Layer

Row = Callable[[], list[str]]

DATABASES = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql"),
    pytest.param("mariadb", id="mariadb"),
]
TABLE = f"hook_items_{os.getpid()}"  # other runs may use the same server
SERVERS = {
    "postgresql": os.environ.get("TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/test"),
    "mariadb": os.environ.get("TEST_MARIADB_URL", "mysql://root@127.0.0.1:3306/test"),
}
DRIVERS = {"postgresql": "postgresql+psycopg", "mariadb": "mysql+pymysql", "sqlite": "sqlite"}


def make_engine(kind: str, tmp_path: Path) -> Engine:
    url = make_url(SERVERS.get(kind, f"sqlite:///{tmp_path / 'test.db'}")).set(drivername=DRIVERS[kind])
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text(f"drop table if exists {TABLE}"))
            connection.execute(text(f"create table {TABLE} (name varchar(80) primary key)"))
    except OperationalError:
        engine.dispose()
        if kind == "sqlite":
            raise
        pytest.skip(f"no {kind} here")
    return engine


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(getattr(request, "param", "sqlite"), tmp_path)
    yield engine
    with engine.begin() as connection:
        connection.execute(text(f"drop table {TABLE}"))
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> scoped_session[Session]:
    return scoped_session(sessionmaker(engine))


@pytest.fixture
def rows(engine: Engine) -> Row:
    """What is committed, seen over a connection of its own."""

    def read() -> list[str]:
        with engine.connect() as connection:
            return list(connection.scalars(text(f"select name from {TABLE} order by name")))

    return read


def add(session: Any, name: str) -> None:
    session.execute(text(f"insert into {TABLE} values (:name)"), {"name": name})


def make_app(session: Any, *more: HookBundle, bundle: DatabaseSession | None = None) -> Flask:
    app = Flask("shop")
    register(app, [bundle or DatabaseSession(session), *more])

    @app.route("/add/<name>", methods=["GET", "POST"])
    def add_one(name: str) -> str:
        add(session, name)
        return "added"

    @app.get("/status/<int:code>")
    def status(code: int) -> tuple[str, int]:
        add(session, f"status {code}")
        return "done", code

    @app.get("/abort/<int:code>")
    def aborts(code: int) -> str:
        add(session, f"abort {code}")
        abort(code)

    @app.get("/boom")
    def boom() -> str:
        add(session, "boom")
        raise ZeroDivisionError("boom")

    @app.get("/idle")
    def idle() -> str:
        return "idle"

    return app


def checked_out(engine: Engine) -> int:
    return engine.pool.checkedout()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize("engine", DATABASES, indirect=True)
@pytest.mark.parametrize(
    ("path", "status", "committed"),
    [
        ("/add/one", 200, ["one"]),
        ("/status/201", 201, ["status 201"]),
        ("/status/302", 302, ["status 302"]),
        ("/status/400", 400, []),
        ("/status/503", 503, []),
        ("/abort/404", 404, []),
        ("/boom", 500, []),
        ("/idle", 200, []),
    ],
)
def test_success_is_committed_and_all_else_rolled_back(
    path: str, status: int, committed: list[str], session: scoped_session[Session], engine: Engine, rows: Row
) -> None:
    assert serve(make_app(session), path)[0].startswith(str(status))
    assert checked_out(engine) == 0
    assert not session.registry.has()
    assert rows() == committed


def test_head_commits_as_get_does(session: scoped_session[Session], rows: Row) -> None:
    serve(make_app(session), "/add/one", "HEAD")
    assert rows() == ["one"]


def test_error_that_propagates_is_rolled_back(session: scoped_session[Session], engine: Engine, rows: Row) -> None:
    app = make_app(session)
    app.testing = True
    with pytest.raises(ZeroDivisionError):
        serve(app, "/boom")
    assert checked_out(engine) == 0
    assert rows() == []


def test_the_response_leaves_after_the_commit(session: scoped_session[Session], rows: Row) -> None:
    seen: list[list[str]] = []
    app = make_app(session)

    def start_response(*_: Any) -> Any:
        seen.append(rows())

    from werkzeug.test import create_environ

    app.wsgi_app(create_environ("/add/one"), start_response).close()  # type: ignore[attr-defined]
    assert seen == [["one"]]


@pytest.mark.parametrize("engine", DATABASES, indirect=True)
def test_failing_commit_is_a_500_and_the_others_run(
    session: scoped_session[Session], engine: Engine, rows: Row, caplog: pytest.LogCaptureFixture
) -> None:
    stamp = HookBundle("stamp")

    @stamp.after_request
    def mark(response: Response) -> Response:
        response.headers["X-Stamp"] = "yes"
        return response

    app = make_app(session, stamp)

    @event.listens_for(session, "before_commit")
    def fail(failing: Session) -> None:
        add(failing, "one")
        add(failing, "one")

    response = app.test_client().get("/add/two", buffered=True)
    assert (response.status_code, response.headers["X-Stamp"]) == (500, "yes")
    assert "IntegrityError" in caplog.text
    assert checked_out(engine) == 0
    assert rows() == []
    app.testing = True
    with pytest.raises(IntegrityError):
        serve(app, "/add/two")


@pytest.mark.parametrize("engine", DATABASES[1:2], indirect=True)
def test_constraint_that_fails_at_commit_only_is_not_a_lost_write(
    session: scoped_session[Session], engine: Engine, rows: Row
) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"alter table {TABLE} add unique (name) deferrable initially deferred"))
        connection.execute(text(f"alter table {TABLE} drop constraint {TABLE}_pkey"))
    app = make_app(session)
    assert serve(app, "/add/one")[0] == "200 OK"
    assert serve(app, "/add/one")[0] == "500 INTERNAL SERVER ERROR"
    assert rows() == ["one"]


@pytest.mark.parametrize(
    ("commit", "path", "committed"),
    [
        (True, "/add/one", ["one"]),
        (False, "/add/one", []),
        (lambda response: response.status_code < 500, "/status/404", ["status 404"]),
        (lambda response: response.status_code < 500, "/status/500", []),
    ],
    ids=["true", "false", "callable-yes", "callable-no"],
)
def test_commit_can_be_decided(
    commit: Any, path: str, committed: list[str], session: scoped_session[Session], rows: Row
) -> None:
    serve(make_app(session, bundle=DatabaseSession(session, commit=commit)), path)
    assert rows() == committed


def test_view_may_commit_itself(session: scoped_session[Session], rows: Row) -> None:
    app = make_app(session)

    @app.get("/half")
    def half() -> str:
        add(session, "kept")
        session.commit()
        add(session, "dropped")
        raise ZeroDivisionError

    serve(app, "/half")
    assert rows() == ["kept"]


def test_session_that_nobody_uses_is_not_made(session: scoped_session[Session]) -> None:
    made: list[int] = []
    session.session_factory = lambda: made.append(1)  # type: ignore[assignment]
    serve(make_app(session), "/idle")
    assert made == []


def test_session_is_removed_where_a_hook_ahead_of_it_answers(session: scoped_session[Session], engine: Engine) -> None:
    guard = HookBundle("guard", outside="database")

    @guard.before_request
    def refuse() -> tuple[str, int]:
        add(session, "attempt")
        return "no", 401

    assert serve(make_app(session, guard), "/idle")[0] == "401 UNAUTHORIZED"
    assert checked_out(engine) == 0
    assert not session.registry.has()


def test_session_is_removed_where_another_teardown_starves_the_bundles(
    session: scoped_session[Session], engine: Engine
) -> None:
    app = make_app(session)

    @app.teardown_request
    def starve(error: BaseException | None) -> None:
        raise OSError("starved")

    with pytest.raises(OSError, match="starved"):
        serve(app, "/boom")
    assert checked_out(engine) == 0


def test_failing_rollback_leaves_no_broken_session_behind(session: scoped_session[Session], rows: Row) -> None:
    app = make_app(session)
    closes: list[int] = []

    class Breaking(Session):
        def close(self) -> None:
            super().close()
            closes.append(1)
            if len(closes) == 1:
                raise OSError("connection lost")

    session.session_factory.class_ = Breaking
    assert serve(app, "/add/one")[0] == "200 OK"
    assert not session.registry.has()
    assert serve(app, "/add/two")[0] == "200 OK"
    assert rows() == ["one", "two"]


# Streams


@pytest.mark.parametrize("wrap", [iter, stream_with_context], ids=["plain", "with-context"])
@pytest.mark.parametrize("chunks", [None, 1, 0], ids=["read", "left", "unread"])
def test_what_a_stream_opens_is_cleaned(
    wrap: Any, chunks: int | None, session: scoped_session[Session], engine: Engine, rows: Row
) -> None:
    app = make_app(session)

    @app.get("/stream")
    def stream() -> Response:
        add(session, "view")

        def body() -> Iterator[bytes]:
            assert rows() == ["view"]  # committed before the first byte
            add(session, "stream")
            yield b"one"
            yield b"two"

        return Response(wrap(body()))

    serve(app, "/stream", chunks=chunks)
    assert checked_out(engine) == 0
    assert not session.registry.has()
    assert rows() == ["view"]


def test_stream_may_commit_itself(session: scoped_session[Session], rows: Row) -> None:
    app = make_app(session)

    @app.get("/stream")
    def stream() -> Response:
        def body() -> Iterator[bytes]:
            add(session, "stream")
            session.commit()
            yield b"one"

        return Response(body())

    serve(app, "/stream")
    assert rows() == ["stream"]


# Contexts


def test_request_inside_a_request_joins_its_transaction(session: scoped_session[Session], rows: Row) -> None:
    app = make_app(session)
    between: list[list[str]] = []

    @app.get("/outer")
    def outer() -> str:
        add(session, "outer")
        before = session()
        assert serve(app, "/add/inner")[0] == "200 OK"
        between.append(rows())
        assert session() is before
        return "outer"

    serve(app, "/outer")
    assert between == [[]]
    assert rows() == ["inner", "outer"]
    serve(app, "/add/later")
    assert rows() == ["inner", "later", "outer"]


def test_request_inside_a_failing_one_is_rolled_back_with_it(session: scoped_session[Session], rows: Row) -> None:
    app = make_app(session)

    @app.get("/outer")
    def outer() -> str:
        serve(app, "/add/inner")
        raise ZeroDivisionError

    serve(app, "/outer")
    assert rows() == []


def test_request_inside_that_fails_takes_the_one_around_it_along(session: scoped_session[Session], rows: Row) -> None:
    app = make_app(session)

    @app.get("/half")
    def half() -> str:
        add(session, "half")
        raise ZeroDivisionError

    @app.get("/outer")
    def outer() -> str:
        add(session, "outer")
        return serve(app, "/half")[0]

    assert serve(app, "/outer")[0].startswith("500")
    assert rows() == []


def test_late_end_of_an_earlier_request_leaves_the_session_of_the_current_one(
    session: scoped_session[Session], rows: Row
) -> None:
    app = make_app(session)
    earlier: list[Any] = []

    @app.get("/outer")
    def outer() -> str:
        add(session, "outer")
        earlier[0].close()
        return "outer"

    earlier.append(app.test_client().get("/stream"))
    assert serve(app, "/outer")[0] == "200 OK"
    assert "outer" in rows()


def test_context_copied_to_a_thread_cleans_its_own_session(session: scoped_session[Session], rows: Row) -> None:
    app = make_app(session)
    left: list[bool] = []

    @app.get("/copied")
    def copied() -> str:
        add(session, "view")
        before = session()

        @copy_current_request_context
        def work() -> None:
            session.execute(text("select 1"))

        def run() -> None:
            work()
            left.append(session.registry.has())

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        assert session() is before
        return "copied"

    assert serve(app, "/copied")[0] == "200 OK"
    assert left == [False]
    assert rows() == ["view"]


def test_context_for_tests_is_cleaned(session: scoped_session[Session], engine: Engine) -> None:
    app = make_app(session)
    with app.test_request_context("/idle"):
        session.execute(text("select 1"))
        assert checked_out(engine) == 1
    assert checked_out(engine) == 0


@pytest.mark.parametrize("engine", DATABASES[1:2], indirect=True)
def test_threads_have_sessions_of_their_own(session: scoped_session[Session], engine: Engine, rows: Row) -> None:
    app = make_app(session)
    with ThreadPoolExecutor(8) as pool:
        paths = [f"/add/{number:02}" if number % 2 else f"/status/{400 + number}" for number in range(64)]
        assert len(list(pool.map(lambda path: serve(app, path), paths))) == 64
    assert checked_out(engine) == 0
    assert rows() == [f"{number:02}" for number in range(1, 64, 2)]


# Kinds of sessions


@pytest.fixture
def db(engine: Engine) -> Iterator[tuple[Flask, SQLAlchemy]]:
    db = SQLAlchemy()
    app = make_app(db.session, bundle=DatabaseSession(db))
    app.config["SQLALCHEMY_DATABASE_URI"] = engine.url.render_as_string(hide_password=False)
    db.init_app(app)
    yield app, db
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(
    ("path", "committed"), [("/add/one", ["one"]), ("/boom", []), ("/status/404", []), ("/idle", [])]
)
def test_flask_sqlalchemy(path: str, committed: list[str], db: tuple[Flask, SQLAlchemy], rows: Row) -> None:
    app, extension = db
    serve(app, path)
    assert rows() == committed
    with app.app_context():
        assert checked_out(extension.engine) == 0


@pytest.mark.parametrize("wrap", [iter, stream_with_context], ids=["plain", "with-context"])
def test_flask_sqlalchemy_in_a_stream(wrap: Any, db: tuple[Flask, SQLAlchemy], rows: Row) -> None:
    app, extension = db

    @app.get("/stream")
    def stream() -> Response:
        add(extension.session, "view")

        def body() -> Iterator[bytes]:
            if wrap is stream_with_context:
                add(extension.session, "stream")
            yield b"one"

        return Response(wrap(body()))

    assert serve(app, "/stream") == ("200 OK", b"one")
    assert rows() == ["view"]
    with app.app_context():
        assert checked_out(extension.engine) == 0


def test_flask_sqlalchemy_alone_never_commits(engine: Engine, rows: Row) -> None:
    db = SQLAlchemy()
    app = Flask("shop")
    app.config["SQLALCHEMY_DATABASE_URI"] = engine.url.render_as_string(hide_password=False)
    db.init_app(app)
    app.add_url_rule("/", "index", lambda: add(db.session, "one") or "added")
    serve(app)
    assert rows() == []
    with app.app_context():
        db.engine.dispose()


def test_nested_app_context_has_a_session_of_its_own(db: tuple[Flask, SQLAlchemy], rows: Row) -> None:
    app, extension = db

    @app.get("/nested")
    def nested() -> str:
        with app.app_context():
            extension.session.execute(text("select 1"))
        add(extension.session, "view")
        return "nested"

    serve(app, "/nested")
    assert rows() == ["view"]


def test_plain_session(engine: Engine, rows: Row) -> None:
    session = Session(engine)
    app = make_app(session)
    serve(app, "/add/one")
    serve(app, "/boom")
    assert checked_out(engine) == 0
    assert rows() == ["one"]


def test_two_databases(session: scoped_session[Session], rows: Row, tmp_path: Path) -> None:
    other_engine = create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    other = scoped_session(sessionmaker(other_engine))
    app = make_app(session, DatabaseSession(other, name="other", timing="other_db"))

    @app.get("/both")
    def both() -> str:
        add(session, "one")
        other.execute(text("create table t (x int)"))
        other.execute(text("insert into t values (1)"))
        return "both"

    exchange = exchange_of(app, "/both")
    assert rows() == ["one"]
    with other_engine.connect() as connection:
        assert connection.scalar(text("select count(*) from t")) == 1
    other_engine.dispose()
    assert exchange.fields["db_queries"] == 3


# What the log line tells


class Watch(Layer):
    """Keeps the exchanges that end."""

    def __init__(self, app: Any = None) -> None:
        self.seen: list[Any] = []
        super().__init__(app)

    def on_finish(self, exchange: Any) -> None:
        self.seen.append(exchange)


def exchange_of(app: Any, path: str) -> Any:
    watch = Watch(app.wsgi_app if isinstance(app, Flask) else app)
    serve(watch, path)
    (exchange,) = watch.seen
    return exchange


@pytest.mark.parametrize(
    ("path", "queries"), [("/add/one", 1), ("/status/404", 1), ("/boom", 1), ("/idle", 0), ("/nowhere", 0)]
)
def test_statements_are_counted_and_timed(path: str, queries: int, session: scoped_session[Session]) -> None:
    exchange = exchange_of(make_app(session), path)
    assert exchange.fields["db_queries"] == queries
    assert ("db" in exchange.timings) == bool(queries)
    if queries:
        assert exchange.timings["db"][0] > 0
        assert exchange.timings["db"][1] == queries


def test_all_that_the_request_sends_is_counted(session: scoped_session[Session], engine: Engine) -> None:
    app = make_app(session)

    @app.get("/many")
    def many() -> Response:
        for number in range(3):
            session.execute(text("select :n"), {"n": number})
        session.execute(text(f"insert into {TABLE} values (:name)"), [{"name": "a"}, {"name": "b"}])  # one statement
        with engine.connect() as connection:  # beside the session
            connection.exec_driver_sql("select 1")
        late = create_engine("sqlite://")  # made while the request runs
        with late.connect() as connection:
            connection.execute(text("select 1"))
        late.dispose()
        with pytest.raises(OperationalError):
            session.execute(text("select from nowhere"))

        def body() -> Iterator[bytes]:
            session.execute(text("select 1"))
            yield b"one"

        return Response(body())

    exchange = exchange_of(app, "/many")
    assert exchange.fields["db_queries"] == 8
    assert exchange.timings["db"][1] == 8


def test_counting_can_be_left_out(session: scoped_session[Session]) -> None:
    app = make_app(session, bundle=DatabaseSession(session, count_queries=False))
    exchange = exchange_of(app, "/add/one")
    assert exchange.fields == {}
    assert exchange.timings == {}


def test_app_without_the_bundle_is_not_counted(session: scoped_session[Session]) -> None:
    DatabaseSession(session)
    app = Flask("plain")
    app.add_url_rule("/", "index", lambda: str(session.scalar(text("select 1"))))
    assert exchange_of(app, "/").fields == {}
    session.remove()


def test_statements_outside_a_request_are_fine(session: scoped_session[Session]) -> None:
    DatabaseSession(session)
    assert session.scalar(text("select 42")) == 42
    session.remove()


@pytest.mark.parametrize("engine", DATABASES[1:2], indirect=True)
def test_threads_count_for_their_own_request(session: scoped_session[Session]) -> None:
    app = make_app(session)

    @app.get("/times/<int:count>")
    def times(count: int) -> str:
        for _ in range(count):
            session.execute(text("select 1"))
        return "done"

    watch = Watch(app.wsgi_app)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda count: serve(watch, f"/times/{count}"), range(1, 41)))
    assert sorted(exchange.fields["db_queries"] for exchange in watch.seen) == list(range(1, 41))
    assert all(exchange.timings["db"][1] == exchange.fields["db_queries"] for exchange in watch.seen)


def test_field_of_the_apps_own_does_not_break_a_query(session: scoped_session[Session]) -> None:
    from overcoat.middleware import add_fields

    app = make_app(session)

    @app.get("/odd")
    def odd() -> str:
        add_fields(db_queries="many")
        return str(session.scalar(text("select 42")))

    assert serve(app, "/odd") == ("200 OK", b"42")


def test_the_slowest_statement_is_told_without_its_values(
    session: scoped_session[Session], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(session)
    passed_ns = [0]
    monkeypatch.setattr(_queries, "perf_counter_ns", lambda: passed_ns[0])

    def pass_ms(duration_ms: int) -> None:
        passed_ns[0] += duration_ms * 1_000_000

    @event.listens_for(engine, "connect")
    def add_function(connection: Any, _: Any) -> None:
        connection.create_function("pass_ms", 1, pass_ms)

    engine.dispose()

    @app.get("/slow")
    def slow() -> str:
        session.execute(text("select pass_ms(30)"))
        session.execute(text("select\n pass_ms(50),   'the secret', :more"), {"more": "another secret"})
        session.execute(text("select 2, pass_ms(20)"))
        return "slow"

    exchange = exchange_of(app, "/slow")
    assert exchange.fields["db_slowest"] == "select pass_ms(?), ?, ?"
    assert exchange.fields["db_slowest_ms"] == 50
    assert exchange.timings["db"] == [100_000_000, 3]


@pytest.mark.parametrize("engine", DATABASES, indirect=True)
@pytest.mark.parametrize(
    ("options", "told"),
    [({}, True), ({"slowest_ms": 60_000}, False), ({"slowest_ms": None}, False), ({"count_queries": False}, False)],
    ids=["always", "above a limit", "never", "not counted"],
)
def test_slowest_statement_by_option(options: dict[str, Any], told: bool, session: scoped_session[Session]) -> None:
    exchange = exchange_of(make_app(session, bundle=DatabaseSession(session, **options)), "/add/one")
    assert exchange.fields.keys() >= {"db_slowest", "db_slowest_ms"} if told else "db_slowest" not in exchange.fields
    if told:
        assert re.fullmatch(
            rf"insert into {TABLE} values \((\?|%\(name\)s(::VARCHAR)?)\)", exchange.fields["db_slowest"]
        )


def test_request_without_statements_has_no_slowest(session: scoped_session[Session]) -> None:
    assert exchange_of(make_app(session), "/idle").fields == {"db_queries": 0}


# Leaks


def leaky(session: Any, engine: Engine, kept: list[Any], **options: Any) -> Flask:
    app = make_app(session, bundle=DatabaseSession(session, **options))

    @app.get("/kept-connection")
    def kept_connection() -> str:
        kept.append(engine.connect())
        return "kept"

    @app.get("/kept-session")
    def kept_session() -> str:
        own = Session(engine)
        own.execute(text("select 1"))
        kept.append(own)
        return "kept"

    @app.get("/closed")
    def closed() -> str:
        with engine.connect() as connection, Session(engine) as own:
            connection.execute(text("select 1"))
            own.execute(text("select 1"))
        return "closed"

    @app.get("/stream")
    def stream() -> Response:
        def body() -> Iterator[bytes]:
            session.execute(text("select 1"))
            yield b"one"

        return Response(body())

    @app.get("/closing-stream")
    def closing_stream() -> Response:
        def body() -> Iterator[bytes]:
            session.execute(text("select 1"))
            session.close()
            yield b"one"

        return Response(body())

    @app.get("/inner")
    def inner() -> str:
        serve(app, "/add/inner")
        return "inner"

    return app


@pytest.mark.parametrize("engine", DATABASES, indirect=True)
@pytest.mark.parametrize(
    ("path", "warning"),
    [
        pytest.param("/add/one", None, id="the session"),
        pytest.param("/boom", None, id="an error"),
        pytest.param("/closed", None, id="closed by hand"),
        pytest.param("/inner", None, id="a request inside, whose transaction the outer one ends"),
        pytest.param("/closing-stream", None, id="a stream that closes the session"),
        pytest.param("/kept-connection", "in kept_connection) and never given back", id="connection"),
        pytest.param("/kept-session", "in kept_session) and never given back", id="a session of one's own"),
        pytest.param("/stream", "in body) and held a connection until the end", id="stream"),
    ],
)
def test_leaks_are_found_in_debug(
    path: str,
    warning: str | None,
    session: scoped_session[Session],
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept: list[Any] = []
    app = leaky(session, engine, kept)
    app.debug = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    for _ in range(2):
        caplog.clear()
        serve(app, path)
        session.execute(text(f"delete from {TABLE}"))
        session.commit()
        session.remove()
        told = [record.getMessage() for record in caplog.records if record.name == "overcoat"]
        assert len(told) == (warning is not None), told
        if warning is not None:
            assert warning in told[0]
            assert f"GET {path}: " in told[0]
            assert "test_database_session.py:" in told[0]
    for one in kept:
        one.close()
    assert checked_out(engine) == 0


@pytest.mark.parametrize(
    ("debug", "find_leaks", "told"),
    [(False, None, False), (False, True, True), (True, False, False), (True, None, True)],
)
def test_leaks_are_looked_for_where_it_is_said(
    debug: bool,
    find_leaks: bool | None,
    told: bool,
    session: scoped_session[Session],
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept: list[Any] = []
    app = leaky(session, engine, kept, find_leaks=find_leaks)
    app.debug = debug
    serve(app, "/kept-connection")
    assert ("never given back" in caplog.text) is told
    kept[0].close()


# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"session": None}, "bundle 'database': session=None is no session: give a scoped_session"),
        ({"session": sessionmaker()}, r"session=sessionmaker\(.*\) is no session: give scoped_session\(...\) of it"),
        ({"commit": "yes"}, "commit='yes' must be True, False or a callable"),
        ({"timing": ""}, "timing='' must be a name"),
        ({"timing": "db queries"}, "timing='db queries' must be a name"),
        ({"slowest_ms": "10"}, "slowest_ms='10' must be a number of milliseconds, or None"),
        ({"slowest_ms": True}, "slowest_ms=True must be a number"),
        ({"find_leaks": "yes"}, "find_leaks='yes' must be True, False or None"),
        ({"requries": "x"}, "unknown option requries='x'; did you mean 'requires'?"),
    ],
    ids=["none", "sessionmaker", "commit", "timing", "timing-no-token", "slowest", "slowest-bool", "leaks", "unknown"],
)
def test_unusable_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DatabaseSession(**{"session": scoped_session(sessionmaker()), **options})
