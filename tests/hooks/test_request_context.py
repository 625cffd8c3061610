import logging
from typing import Any

import pytest
import structlog
from flask import Blueprint, Flask, abort, g, redirect
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars
from support.hooks import make_app, serve

from overcoat.hooks import HookBundle, RequestContext, register
from overcoat.middleware import Layer, RequestLog

Bound = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def _nothing_bound() -> None:
    clear_contextvars()


@pytest.fixture
def bound() -> Bound:
    return []


def looking(bound: Bound, **options: Any) -> HookBundle:
    """A bundle inside, that keeps what is bound when each of its hooks runs."""
    bundle = HookBundle("looking", inside="request-context", **options)
    bundle.before_request(lambda: bound.append(get_contextvars()))
    bundle.after_request(lambda response: bound.append(get_contextvars()) or response)
    bundle.teardown_request(lambda error: bound.append(get_contextvars()))
    return bundle


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", {"endpoint": "index", "route": "/"}),
        ("/boom", {"endpoint": "boom", "route": "/boom"}),
        ("/admin/7", {"endpoint": "admin.user", "route": "/admin/<int:user_id>", "blueprint": "admin"}),
        ("/nowhere", {}),
    ],
)
def test_all_hooks_further_in_log_with_it(path: str, expected: dict[str, str], bound: Bound) -> None:
    app = make_app(RequestContext(), looking(bound))
    admin = Blueprint("admin", __name__, url_prefix="/admin")
    admin.add_url_rule("/<int:user_id>", "user", lambda user_id: "user")
    app.register_blueprint(admin)
    serve(app, path)
    assert bound == [expected] * 3
    assert get_contextvars() == {}


def test_other_names_are_left_alone(bound: Bound) -> None:
    bind_contextvars(job="nightly", endpoint="outside", user=7)
    serve(make_app(RequestContext(), looking(bound)), "/nowhere")
    assert bound == [{"job": "nightly"}] * 3
    assert get_contextvars() == {"job": "nightly", "endpoint": "outside", "user": 7}


def test_request_inside_a_request_gives_back_what_it_found(bound: Bound) -> None:
    app = make_app(RequestContext())

    @app.get("/outer")
    def outer() -> str:
        serve(app)
        bound.append(get_contextvars())
        return "outer"

    serve(app, "/outer")
    assert bound == [{"endpoint": "outer", "route": "/outer"}]


def test_what_a_starved_teardown_has_left_is_not_seen_by_the_next_request(bound: Bound) -> None:
    app = make_app(RequestContext(user=lambda: None if bound else 7), looking(bound))

    @app.teardown_request
    def starve(error: BaseException | None) -> None:
        raise OSError("starved")

    for path in ("/", "/nowhere"):
        with pytest.raises(OSError, match="starved"):
            serve(app, path)
    half = len(bound) // 2
    assert bound == [{"endpoint": "index", "route": "/", "user": "7"}] * half + [{}] * half


def test_stream_with_context_leaves_nothing_bound() -> None:
    serve(make_app(RequestContext()), "/context-stream")
    assert get_contextvars() == {}


# The request's own line


class Watch(Layer):
    """Keeps the exchanges that end."""

    def __init__(self, app: Any = None) -> None:
        self.seen: list[Any] = []
        super().__init__(app)

    def on_finish(self, exchange: Any) -> None:
        self.seen.append(exchange)


def exchange_of(app: Flask, path: str) -> Any:
    watch = Watch(app.wsgi_app)
    serve(watch, path)
    (exchange,) = watch.seen
    return exchange


def test_error_that_flask_answers_is_told() -> None:
    exchange = exchange_of(make_app(RequestContext()), "/boom")
    assert exchange.status_code == 500
    assert (exchange.error_type, exchange.error_message) == ("ZeroDivisionError", "boom")
    assert exchange.error_at.endswith(" in boom")
    assert "hooks.py:" in exchange.error_at
    assert exchange.error is None  # it never reached the server


def test_without_the_bundle_nothing_is_known() -> None:
    assert exchange_of(make_app(), "/boom").error_type is None


@pytest.mark.parametrize("path", ["/", "/refused", "/nowhere"])
def test_what_is_no_error_is_not_told(path: str) -> None:
    assert exchange_of(make_app(RequestContext()), path).error_type is None


def test_error_that_a_handler_answers_is_not_told() -> None:
    app = make_app(RequestContext())
    app.register_error_handler(ZeroDivisionError, lambda error: ("handled", 400))
    assert exchange_of(app, "/boom").error_type is None


@pytest.mark.parametrize(
    ("handled", "path", "expected"),
    [
        pytest.param(ZeroDivisionError, "/boom", ("ZeroDivisionError", "boom", "boom"), id="exception"),
        pytest.param(Exception, "/boom", ("ZeroDivisionError", "boom", "boom"), id="any exception"),
        pytest.param(500, "/boom", ("ZeroDivisionError", "boom", "boom"), id="the 500"),
        pytest.param(
            None,
            "/down",
            ("werkzeug.exceptions.ServiceUnavailable", "503 Service Unavailable: Later", "down"),
            id="503",
        ),
    ],
)
def test_error_behind_a_handlers_5xx_is_told(handled: Any, path: str, expected: tuple[str, str, str]) -> None:
    app = make_app(RequestContext())

    @app.get("/down")
    def down() -> str:
        abort(503, "Later")

    if handled is not None:
        app.register_error_handler(handled, lambda error: ("handled", 503))
    exchange = exchange_of(app, path)
    assert exchange.status_code == 503
    assert (exchange.error_type, exchange.error_message) == expected[:2]
    assert exchange.error_at.endswith(f" in {expected[2]}")


@pytest.mark.parametrize("starved", [False, True])
def test_handled_error_is_let_go_of(starved: bool) -> None:
    app = make_app(RequestContext())
    if starved:
        app.after_request(lambda response: 1 / 0)  # type: ignore[arg-type,return-value]
    app.register_error_handler(ZeroDivisionError, lambda error: ("handled", 400))
    environ = exchange_of(app, "/boom").environ
    assert not [key for key in environ if key.startswith("overcoat.request_context")]


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("DELETE", "/"), ("HEAD", "/nowhere")])
def test_what_no_endpoint_serves_has_none(method: str, path: str) -> None:
    lines: Bound = []
    app = make_app(RequestContext(user=lambda: 7))
    app.wsgi_app = RequestLog(app.wsgi_app, to=lines.append)  # type: ignore[method-assign]
    serve(app, path, method)
    (line,) = lines
    assert line["user"] == "7"
    assert line.keys().isdisjoint({"route", "endpoint", "error_type"})


def test_error_whose_text_raises_has_a_text() -> None:
    class Hostile(Exception):
        def __str__(self) -> str:
            raise ValueError("no text")

    app = make_app(RequestContext())

    @app.get("/hostile")
    def hostile() -> str:
        raise Hostile

    logging.raiseExceptions = False
    assert "Hostile" in exchange_of(app, "/hostile").error_type


def test_two_apps_keep_their_errors_apart() -> None:
    bundle = RequestContext()
    first, second = make_app(bundle), make_app(bundle)
    assert exchange_of(first, "/boom").error_type == "ZeroDivisionError"
    assert exchange_of(second, "/").error_type is None


def test_line_of_the_request_has_route_endpoint_and_error() -> None:
    lines: Bound = []
    app = make_app(RequestContext(user=lambda: 7))
    app.wsgi_app = RequestLog(app.wsgi_app, to=lines.append)  # type: ignore[method-assign]
    serve(app, "/boom")
    (line,) = lines
    assert {name: line[name] for name in ("route", "endpoint", "status", "error_type", "user")} == {
        "route": "/boom",
        "endpoint": "boom",
        "status": 500,
        "error_type": "ZeroDivisionError",
        "user": "7",
    }


def test_apps_own_lines_carry_it() -> None:
    lines: Bound = []

    def keep(logger: Any, method: str, line: dict[str, Any]) -> Any:
        lines.append(line)
        raise structlog.DropEvent

    logger = structlog.wrap_logger(None, processors=[structlog.contextvars.merge_contextvars, keep])
    app = Flask("shop")
    register(app, [RequestContext()])
    app.add_url_rule("/", "index", lambda: logger.info("hello") or "hello")
    serve(app)
    assert lines == [{"event": "hello", "endpoint": "index", "route": "/"}]


# Users


@pytest.mark.parametrize(
    ("users", "bound_user", "line_user"),
    [
        pytest.param([7, 7], "7", "7", id="known from the start"),
        pytest.param([None, 8], None, "8", id="logged in by the view"),
        pytest.param([None, None], None, None, id="nobody"),
        pytest.param([7, None], "7", "7", id="logged out by the view"),
    ],
)
def test_users_of_another_source(users: list[Any], bound_user: Any, line_user: Any, bound: Bound) -> None:
    answers = iter(users)
    app = make_app(RequestContext(user=lambda: next(answers)), looking(bound))
    exchange = exchange_of(app, "/")
    assert bound[0].get("user") == bound_user
    assert exchange.fields.get("user") == line_user


def test_user_that_raises_costs_the_user_only(caplog: pytest.LogCaptureFixture, bound: Bound) -> None:
    app = make_app(RequestContext(user=lambda: g.nothing), looking(bound))
    assert serve(app)[0] == "200 OK"
    assert bound[0] == {"endpoint": "index", "route": "/"}
    assert "user= raised" in caplog.text


def test_user_must_be_a_function() -> None:
    with pytest.raises(ValueError, match="bundle 'request-context': user=7 is no function"):
        RequestContext(user=7)  # type: ignore[arg-type]


@pytest.fixture
def login_app(bound: Bound) -> Flask:
    flask_login = pytest.importorskip("flask_login")
    app = make_app(RequestContext(), looking(bound))
    app.secret_key = "tests"
    manager = flask_login.LoginManager(app)
    loads: list[str] = []
    app.config["loads"] = loads

    class User(flask_login.UserMixin):  # type: ignore[misc]
        id = "ada"

    @manager.user_loader
    def load(user_id: str) -> User:
        loads.append(user_id)
        return User()

    @app.get("/login")
    def login() -> Any:
        flask_login.login_user(User())
        return redirect("/")

    @app.get("/me")
    def me() -> str:
        return str(flask_login.current_user.get_id())

    return app


def test_flask_login_user_is_told_where_it_was_asked_for(login_app: Flask) -> None:
    watch = Watch(login_app.wsgi_app)
    login_app.wsgi_app = watch  # type: ignore[method-assign]
    client = login_app.test_client()
    for path in ("/me", "/login", "/me", "/"):
        client.get(path, buffered=True)
    assert [exchange.fields.get("user") for exchange in watch.seen] == [None, "ada", "ada", None]


def test_flask_login_user_is_never_loaded_for_the_log(login_app: Flask) -> None:
    client = login_app.test_client()
    client.get("/login", buffered=True)
    client.get("/", buffered=True)
    assert login_app.config["loads"] == []
    client.get("/me", buffered=True)
    assert login_app.config["loads"] == ["ada"]
