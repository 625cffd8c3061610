"""What may be given to DatabaseSession: every kind of session, and what is refused because nobody could commit it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, Response, copy_current_request_context, g, stream_with_context
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy_lite import SQLAlchemy as SQLAlchemyLite
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.pool import NullPool
from support.hooks import serve
from werkzeug.local import LocalProxy

from overcoat.hooks import DatabaseSession, register
from overcoat.middleware import RequestLog

Rows = Callable[[], list[str]]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'test.db'}")
    with engine.begin() as connection:
        connection.execute(text("create table items (name varchar(80) primary key)"))
    yield engine
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    engine.dispose()


@pytest.fixture
def rows(engine: Engine) -> Rows:
    """What is committed, seen over a connection of its own."""

    def read() -> list[str]:
        with engine.connect() as connection:
            return list(connection.scalars(text("select name from items order by name")))

    return read


def add(session: Any, name: str) -> None:
    session.execute(text("insert into items values (:name)"), {"name": name})


def on_g(engine: Engine, **options: Any) -> Callable[[], Session]:
    """A function as Flask's documentation has it: one session for each context, made when it is asked for."""

    def get_session() -> Session:
        if "session" not in g:
            g.session = Session(engine, **options)
        return g.session  # type: ignore[no-any-return]

    return get_session


# Each takes an app and an engine, and returns what the bundle is given and what the views use.


def as_scoped(app: Flask, engine: Engine) -> tuple[Any, Any]:
    session = scoped_session(sessionmaker(engine))
    return session, session


def as_scoped_by_context(app: Flask, engine: Engine) -> tuple[Any, Any]:
    session = scoped_session(sessionmaker(engine), scopefunc=lambda: id(g._get_current_object()))  # type: ignore[attr-defined]
    return session, session


def as_scoped_function(app: Flask, engine: Engine) -> tuple[Any, Any]:
    session = scoped_session(lambda: Session(engine))  # type: ignore[arg-type]
    return session, session


def as_plain(app: Flask, engine: Engine) -> tuple[Any, Any]:
    session = Session(engine)
    return session, session


def as_function(app: Flask, engine: Engine) -> tuple[Any, Any]:
    function = on_g(engine)
    return function, LocalProxy(function)


def as_proxy(app: Flask, engine: Engine) -> tuple[Any, Any]:
    proxy = LocalProxy(on_g(engine))
    return proxy, proxy


def as_begun_by_hand(app: Flask, engine: Engine) -> tuple[Any, Any]:
    function = on_g(engine, autobegin=False)

    def begun() -> Session:
        session = function()
        if not session.in_transaction():
            session.begin()
        return session

    return function, LocalProxy(begun)


def as_flask_sqlalchemy(app: Flask, engine: Engine) -> tuple[Any, Any]:
    app.config["SQLALCHEMY_DATABASE_URI"] = engine.url
    db = SQLAlchemy(app)
    return db, db.session


def as_flask_sqlalchemy_lite(app: Flask, engine: Engine) -> tuple[Any, Any]:
    app.config["SQLALCHEMY_ENGINES"] = {"default": engine.url}
    db = SQLAlchemyLite(app)
    return db, LocalProxy(db.get_session)


KINDS = [
    as_scoped, as_scoped_by_context, as_scoped_function, as_plain, as_function, as_proxy, as_begun_by_hand,
    as_flask_sqlalchemy, as_flask_sqlalchemy_lite,
]  # fmt: skip
FUNCTIONS = [as_function, as_proxy, as_flask_sqlalchemy, as_flask_sqlalchemy_lite]


@pytest.fixture(params=KINDS, ids=lambda make: make.__name__.removeprefix("as_"))
def shop(request: pytest.FixtureRequest, engine: Engine) -> Iterator[tuple[Flask, Any]]:
    """An app with that kind of session, and the session as its views use it."""
    app = Flask("shop")
    given, session = request.param(app, engine)
    register(app, [DatabaseSession(given)])

    @app.get("/add/<name>")
    def add_one(name: str) -> str:
        add(session, name)
        return "added"

    @app.get("/status/<int:code>")
    def status(code: int) -> tuple[str, int]:
        add(session, f"status {code}")
        return "done", code

    @app.get("/boom")
    def boom() -> str:
        add(session, "boom")
        raise ZeroDivisionError("boom")

    @app.get("/idle")
    def idle() -> str:
        return "idle"

    @app.get("/own-commit")
    def own_commit() -> str:
        add(session, "own")
        session.commit()
        return "committed"

    @app.get("/stream")
    def stream() -> Response:
        add(session, "view")

        def body() -> Iterator[bytes]:
            add(session, "stream")
            yield b"one"
            yield b"two"

        return Response(stream_with_context(body()))

    yield app, session
    for extension in filter(None, [app.extensions.get("sqlalchemy")]):
        with app.app_context():
            engine_of = getattr(extension, "engine", None) or extension.engines["default"]
            assert engine_of.pool.checkedout() == 0
            engine_of.dispose()


@pytest.mark.parametrize(
    ("path", "committed"),
    [
        ("/add/one", ["one"]),
        ("/status/302", ["status 302"]),
        ("/status/404", []),
        ("/status/503", []),
        ("/boom", []),
        ("/idle", []),
        ("/own-commit", ["own"]),
        ("/nowhere", []),
        ("/stream", ["view"]),
    ],
)
def test_every_kind_is_committed_rolled_back_and_removed(
    path: str, committed: list[str], shop: tuple[Flask, Any], rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    app, _ = shop
    serve(app, path)
    assert rows() == committed
    assert [record.getMessage() for record in caplog.records if "ZeroDivisionError" not in str(record.exc_info)] == []
    serve(app, "/add/next")
    assert rows() == sorted([*committed, "next"])


@pytest.mark.parametrize("chunks", [0, 1], ids=["unread", "left"])
def test_every_kind_is_given_back_where_the_client_leaves(chunks: int, shop: tuple[Flask, Any], rows: Rows) -> None:
    serve(shop[0], "/stream", chunks=chunks)
    assert rows() == ["view"]


def test_every_kind_outlives_the_late_end_of_an_earlier_request(shop: tuple[Flask, Any], rows: Rows) -> None:
    app, session = shop
    earlier: list[Any] = []

    @app.get("/outer")
    def outer() -> str:
        add(session, "outer")
        earlier[0].close()
        return "outer"

    earlier.append(app.test_client().get("/idle"))
    assert serve(app, "/outer") == ("200 OK", b"outer")
    assert rows() == ["outer"]


@pytest.mark.parametrize(("path", "committed"), [("/add/inner", ["inner", "outer"]), ("/boom", [])])
def test_request_inside_a_request_joins_its_transaction(
    path: str, committed: list[str], shop: tuple[Flask, Any], rows: Rows
) -> None:
    app, session = shop
    between: list[list[str]] = []

    @app.get("/outer")
    def outer() -> str:
        serve(app, path)  # Flask gives it the app context, and with it g, of the one around it
        between.append(rows())
        add(session, "outer")
        return "outer"

    serve(app, "/outer")
    assert between == [[]]
    assert rows() == committed


def test_request_inside_a_request_in_a_context_of_its_own_has_a_transaction_of_its_own(
    engine: Engine, rows: Rows
) -> None:
    app = Flask("shop")
    get_session = on_g(engine)
    register(app, [DatabaseSession(get_session)])
    between: list[list[str]] = []

    @app.get("/inner")
    def inner() -> str:
        add(get_session(), "inner")
        return "inner"

    @app.get("/outer")
    def outer() -> str:
        with app.app_context():
            serve(app, "/inner")
        between.append(rows())
        add(get_session(), "outer")
        return "outer"

    serve(app, "/outer")
    assert between == [["inner"]]
    assert rows() == ["inner", "outer"]


def test_stream_without_context_gives_back_what_a_function_has_returned(engine: Engine, rows: Rows) -> None:
    app = Flask("shop")
    get_session = on_g(engine)
    register(app, [DatabaseSession(get_session)])

    @app.get("/stream")
    def stream() -> Response:
        session = get_session()

        def body() -> Iterator[bytes]:
            add(session, "lost")
            yield b"one"

        return Response(body())

    serve(app, "/stream")
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert rows() == []


def test_context_copied_to_a_thread_cleans_what_its_function_returns(engine: Engine, rows: Rows) -> None:
    app = Flask("shop")
    get_session = on_g(engine)
    register(app, [DatabaseSession(get_session)])
    held: list[int] = []

    @app.get("/copied")
    def copied() -> str:
        before = get_session()

        @copy_current_request_context
        def work() -> None:
            assert get_session() is not before
            get_session().execute(text("select 1"))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        held.append(engine.pool.checkedout())  # type: ignore[attr-defined]
        add(before, "view")
        return "copied"

    assert serve(app, "/copied")[0] == "200 OK"
    assert held == [0]
    assert rows() == ["view"]


# Async views, as Flask runs them: each function in an event loop and a thread of its own


def test_flask_has_a_loop_and_a_thread_for_each_async_function() -> None:
    app = Flask("shop")
    loops: list[Any] = []
    threads: list[int] = []

    async def note(response: Any = None) -> Any:
        loops.append(asyncio.get_running_loop())
        threads.append(threading.get_ident())
        return response

    async def view() -> str:
        assert [loop.is_closed() for loop in loops] == [True]
        await note()
        return "hello"

    app.before_request(note)
    app.after_request(note)
    app.add_url_rule("/", "index", view)
    serve(app)
    assert len(set(loops)) == 3
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("shop", [*FUNCTIONS, as_scoped_by_context, as_plain], indirect=True)
def test_async_view_shares_the_session_of_its_request(shop: tuple[Flask, Any], rows: Rows) -> None:
    app, session = shop

    @app.get("/async/<int:code>")
    async def asynchronous(code: int) -> tuple[str, int]:
        await asyncio.sleep(0)
        add(session, f"async {code}")
        return "added", code

    assert [serve(app, f"/async/{code}")[0][:3] for code in (200, 400)] == ["200", "400"]
    assert rows() == ["async 200"]


def test_async_view_with_the_session_of_another_thread_is_an_error_not_a_lost_write(
    engine: Engine, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    session = scoped_session(sessionmaker(engine))
    app = Flask("shop")
    register(app, [DatabaseSession(session)])

    @app.get("/lost")
    async def lost() -> str:
        add(session, "lost")
        return "added"

    @app.get("/own")
    async def own() -> str:
        with session.session_factory() as mine, mine.begin():
            add(mine, "own")
        return "added"

    assert serve(app, "/lost")[0] == "500 INTERNAL SERVER ERROR"
    assert "an async function runs in a thread of its own, where this scoped_session is another" in caplog.text
    assert serve(app, "/own")[0] == "200 OK"
    assert rows() == ["own"]


def test_thread_and_loop_of_the_apps_own_are_its_own_business(engine: Engine, rows: Rows) -> None:
    session = scoped_session(sessionmaker(engine))
    app = Flask("shop")
    register(app, [DatabaseSession(session)])

    def work(name: str) -> None:
        add(session, name)
        session.commit()
        session.remove()

    @app.get("/thread")
    def thread() -> str:
        import contextvars

        thread = threading.Thread(target=contextvars.copy_context().run, args=[work, "thread"])
        thread.start()
        thread.join()
        return "done"

    @app.get("/loop")
    def loop() -> str:
        async def inside() -> None:
            add(session, "loop")

        asyncio.run(inside())  # in the thread of the request
        return "done"

    assert [serve(app, path)[0] for path in ("/thread", "/loop")] == ["200 OK", "200 OK"]
    assert rows() == ["loop", "thread"]


def test_async_session_of_a_view_is_its_own_and_is_counted(engine: Engine, rows: Rows, tmp_path: Path) -> None:
    asynchronous = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}", poolclass=NullPool)
    app = Flask("shop")
    register(app, [DatabaseSession(on_g(engine))])
    lines: list[dict[str, Any]] = []

    @app.get("/async")
    async def view() -> str:
        async with AsyncSession(asynchronous) as session, session.begin():
            await session.execute(text("insert into items values ('async')"))
        return "added"

    app.wsgi_app = RequestLog(app.wsgi_app, to=lines.append)  # type: ignore[method-assign]
    assert serve(app, "/async")[0] == "200 OK"
    assert rows() == ["async"]
    assert (lines[0]["db_queries"], lines[0]["timings"]["db"]["count"]) == (1, 1)


# What is refused


@contextmanager
def managed() -> Iterator[None]:
    yield


def yielding() -> Iterator[None]:
    yield


async def asynchronous() -> None: ...


def with_argument(name: str) -> str:
    return name


LATER = r"is asynchronous: Flask runs each async function in an event loop of its own.*commit in the view"
FACTORY = r"is no session: give scoped_session\(...\) of it, as each call makes another one"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(None, "session=None is no session: give a scoped_session, a Session, db or a function", id="none"),
        pytest.param(create_engine("sqlite://"), "is no session: give a scoped_session", id="engine"),
        pytest.param(SimpleNamespace(session=None), "is no session: give a scoped_session", id="another extension"),
        pytest.param(sessionmaker(), FACTORY, id="sessionmaker"),
        pytest.param(Session, FACTORY, id="class"),
        pytest.param(AsyncSession(), LATER, id="AsyncSession"),
        pytest.param(async_scoped_session(async_sessionmaker(), int), LATER, id="async_scoped_session"),
        pytest.param(async_sessionmaker(), LATER, id="async_sessionmaker"),
        pytest.param(asynchronous, LATER, id="coroutine function"),
        pytest.param(yielding, "is no session: give", id="generator"),
        pytest.param(managed, "is no session: give", id="context manager"),
        pytest.param(with_argument, r"must take no argument \(missing a required argument: 'name'\)", id="argument"),
    ],
)
def test_what_nobody_could_commit_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"bundle 'database': .*{message}"):
        DatabaseSession(given)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda: None, "returned None, which is no Session: it must return that of the request, and make it"),
        (lambda: scoped_session(sessionmaker()), "returned <sqlalchemy.*scoped_session.*>, which is no Session"),
        (
            partial(Session),
            "returns another session at each call, which only its caller could commit: keep it on flask.g",
        ),
    ],
    ids=["none", "scoped", "factory"],
)
def test_function_that_returns_no_session_of_the_request_is_told_by_each_request(function: Any, message: str) -> None:
    app = Flask("shop")
    app.testing = True
    register(app, [DatabaseSession(function)])
    for _ in range(2):
        with pytest.raises(RuntimeError, match=f"bundle 'database': session=.* {message}"):
            serve(app, "/")


def test_failing_function_is_a_500_with_its_own_error(caplog: pytest.LogCaptureFixture) -> None:
    app = Flask("shop")
    register(app, [DatabaseSession(lambda: g.session)])
    app.add_url_rule("/", "index", lambda: "hello")
    assert serve(app)[0] == "500 INTERNAL SERVER ERROR"
    assert "has no attribute 'session'" in caplog.text or "AttributeError: session" in caplog.text
