"""What Flask's hooks have broken in the field: each as it happens in Flask, and what a bundle makes of it.

The number of an item is in the name of its tests; the addresses are the reports.
"""

import threading
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, request, stream_with_context
from sqlalchemy import create_engine
from sqlalchemy.orm import scoped_session, sessionmaker
from support.hooks import Log, make_app, recording, serve

from overcoat.hooks import (
    DatabaseSession,
    FlaskCompress,
    FlaskCORS,
    FlaskTalisman,
    HookBundle,
    ProblemDetails,
    RequestContext,
    register,
)
from overcoat.middleware import RequestID, SecurityHeaders, Stack, current_exchange, describe

FLASK = tuple(map(int, version("flask").split(".")[:2]))


@pytest.fixture
def log() -> Log:
    return []


def failing(name: str, phase: str, log: Log, **options: Any) -> HookBundle:
    bundle = HookBundle(name, **options)

    def fail(*_: object) -> Any:
        log.append(f"{name} fails")
        raise LookupError(name)

    getattr(bundle, phase)(fail)
    return bundle


# 18. A raising teardown stops the rest: pallets/flask#1094, #1767, and until 3.2 (#5928) #6044 too


@pytest.mark.skipif(FLASK >= (3, 2), reason="Flask runs the rest from 3.2 on")
def test_item_18_flask_stops_at_a_raising_teardown(log: Log) -> None:
    app = make_app()
    for label in ("first registered", "second"):

        @app.teardown_request
        def fail(error: BaseException | None, label: str = label) -> None:
            log.append(label)
            raise LookupError(label)

    with pytest.raises(LookupError, match="second"):
        serve(app)
    assert log == ["second"]


@pytest.mark.parametrize("strict", [False, True])
def test_item_18_every_teardown_of_a_bundle_runs(strict: bool, log: Log, caplog: pytest.LogCaptureFixture) -> None:
    bundles = [failing(name, "teardown_request", log, strict=strict) for name in "abc"]
    app = make_app(*bundles)
    if strict:
        with pytest.raises(LookupError, match="c"):
            serve(app)
    else:
        assert serve(app)[0] == "200 OK"
    assert log == ["c fails", "b fails", "a fails"]
    assert [record.exc_info[1].args for record in caplog.records if record.exc_info] == [("c",), ("b",), ("a",)]  # type: ignore[union-attr]
    assert len(app.teardown_request_funcs[None]) == 1


# 19. after_request without its before_request: pallets/flask#2821 (by design), flask-talisman#22,
#     prometheus_flask_exporter#14, aws-xray-sdk-python#75


def test_item_19_flask_leaves_what_was_not_entered(log: Log) -> None:
    app = make_app()
    app.before_request(lambda: "early")

    @app.before_request
    def start() -> None:
        request.started = 1  # type: ignore[attr-defined]

    @app.after_request
    def stop(response: Response) -> Response:
        log.append(str(hasattr(request, "started")))
        return response

    serve(app)
    assert log == ["False"]


@pytest.mark.parametrize("early", [lambda: "early", lambda: 1 / 0], ids=["answers", "raises"])
def test_item_19_bundle_that_was_not_entered_is_not_left(early: Callable[[], Any], log: Log) -> None:
    first = HookBundle("first")
    first.before_request(early)
    serve(make_app(first, recording("second", log)))
    assert log == []


def database() -> DatabaseSession:
    return DatabaseSession(scoped_session(sessionmaker(create_engine("sqlite://"))))


OURS: list[Callable[..., HookBundle]] = [
    RequestContext, database, ProblemDetails, FlaskCompress, FlaskTalisman,
    lambda: FlaskCORS(origins=["https://a.example"]),
]  # fmt: skip


@pytest.mark.parametrize("make", OURS, ids=lambda make: make().name)
@pytest.mark.parametrize("path", ["/", "/boom", "/nowhere", "/stream"])
def test_item_19_each_hook_of_ours_works_where_no_before_hook_ran(
    make: Callable[..., HookBundle], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    bundle = make()
    bundle.always = True
    app = Flask("shop")
    app.before_request(lambda: ("early", 401))  # ahead of the bundles
    register(app, [bundle])
    assert serve(app, path)[0] == "401 UNAUTHORIZED"
    assert caplog.records == []


# 20. Counted twice, or never: prometheus_flask_exporter#9, #113, pallets/flask#3607, #3393


@pytest.mark.parametrize(
    ("path", "status", "outcome"),
    [
        ("/", 200, "complete"),
        ("/boom", 500, "complete"),
        ("/refused", 403, "complete"),
        ("/nowhere", 404, "complete"),
        ("/stream", 200, "complete"),
        ("/context-stream", 200, "complete"),
        ("/file", 200, "complete"),
        ("/broken-stream", 200, "failed"),
    ],
)
def test_item_20_each_request_is_counted_once(path: str, status: int, outcome: str) -> None:
    counted: list[Any] = []
    bundle = HookBundle("count")
    bundle.on_finish(lambda exchange: counted.append((exchange.status_code, exchange.outcome)))
    try:
        serve(make_app(bundle), path)
    except ZeroDivisionError:
        assert outcome == "failed"
    assert counted == [(status, outcome)]


# 21. Streams: pallets/flask#6123 (an abandoned generator), #5774, quart#361


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_item_21_abandoned_stream_leaves_nothing_for_the_next_request(log: Log) -> None:
    from werkzeug.test import create_environ, run_wsgi_app

    ids: list[str | None] = []
    bundle = recording("a", log)

    def note(_: object = None) -> None:
        exchange = current_exchange()
        ids.append(exchange.request_id if exchange else None)

    bundle.before_request(note)
    bundle.teardown_request(note)
    app = make_app(bundle)
    app.wsgi_app = RequestID(app.wsgi_app)  # type: ignore[method-assign]

    @app.get("/endless")
    def endless() -> Response:
        def body() -> Iterator[bytes]:
            while True:
                yield request.path.encode()

        return Response(stream_with_context(body()))

    def abandon() -> None:
        body, _, _ = run_wsgi_app(app, create_environ("/endless", headers={"X-Request-ID": "abandoned"}))
        next(iter(body))  # and never closed

    abandon()
    assert current_exchange() is None
    log.clear()
    ids.clear()
    for number in range(3):
        serve(app, HTTP_X_REQUEST_ID=f"next-{number}")
    assert [entry for entry in log if entry != "a!"] == ["a<", "a>", "a."] * 3
    assert ids == ["next-0", "next-0", "next-1", "next-1", "next-2", "next-2"]


# 22. before_first_request: pallets/flask#4876, #5123, #5268


def test_item_22_flask_has_none_and_what_replaces_it_runs_every_time(log: Log) -> None:
    assert not hasattr(Flask, "before_first_request")
    app = make_app()
    app.before_request(lambda: log.append("prepared"))
    serve(app)
    serve(app)
    assert log == ["prepared"] * 2


def test_item_22_it_runs_once_under_threads_and_again_after_a_failure(log: Log) -> None:
    bundle = HookBundle("first")
    barrier = threading.Barrier(16)

    @bundle.before_first_request
    def prepare() -> None:
        log.append("prepared")
        if len(log) == 1:
            raise OSError("not yet")

    app = make_app(bundle)
    statuses: list[str] = []

    def call() -> None:
        barrier.wait(30)
        statuses.append(serve(app)[0])

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert log == ["prepared"] * 2
    assert sorted(statuses) == ["200 OK"] * 15 + ["500 INTERNAL SERVER ERROR"]


# 23. Registering late, or twice: pallets/flask#4868, #2616, opentracing-contrib/python-flask#57


def test_item_23_flask_registers_twice_and_names_nobody_when_it_is_late(log: Log) -> None:
    app = make_app()

    def hook() -> None:
        log.append("hook")

    app.before_request(hook)
    app.before_request(hook)
    serve(app)
    assert log == ["hook", "hook"]
    with pytest.raises(AssertionError) as caught:
        app.before_request(hook)
    assert "hook" not in str(caught.value)


def test_item_23_bundle_registers_once_and_says_who_is_late(log: Log) -> None:
    bundle = recording("audit", log)
    app = make_app(bundle, bundle)
    bundle.init_app(app)
    assert bundle.is_registered(app)
    serve(app)
    assert log == ["audit<", "audit>", "audit.", "audit!"]
    with pytest.raises(RuntimeError, match="bundle 'late' comes too late"):
        HookBundle("late").register(app)
    bundle.register(app)


# 24. Order across app, blueprint and nested ones: pallets/flask#4229, #4948, flask-sse#30


def test_item_24_order_is_stated_and_shown(log: Log) -> None:
    app = make_app()
    app.before_request(lambda: log.append("by hand"))
    outer, inner = Blueprint("outer", __name__, url_prefix="/o"), Blueprint("inner", __name__, url_prefix="/i")
    inner.add_url_rule("/", "index", lambda: "hello")
    recording("outer", log).register(outer)
    recording("inner", log).register(inner)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    register(app, [recording("second", log, inside="first"), recording("first", log)])
    serve(app, "/o/i/")
    assert log[:5] == ["by hand", "first<", "second<", "outer<", "inner<"]
    text = str(describe(app))
    section = text.partition("before each request\n")[2].partition("after each request")[0].splitlines()
    assert [line.split()[1].rstrip(":") for line in section] == [
        "test_item_24_order_is_stated_and_shown.<lambda>", "first", "second", "outer", "inner",
    ]  # fmt: skip
    assert section[3].endswith("blueprint outer (not a 404 or 405)")


def test_item_24_hook_of_a_blueprint_that_comes_too_late_is_an_error_not_ignored() -> None:
    app, blueprint = Flask("shop"), Blueprint("b", __name__)
    app.register_blueprint(blueprint)
    with pytest.raises(RuntimeError, match="bundle 'a' comes too late for blueprint 'b'"):
        HookBundle("a").register(blueprint)


# 25. A hook that forgets to return the response: pallets/flask#5380 (declined)


def test_item_25_flask_says_none_is_not_callable() -> None:
    app = make_app()
    app.after_request(lambda response: None)  # type: ignore[arg-type,return-value]
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        serve(app)


def test_item_25_none_is_unchanged_and_the_hook_is_named(caplog: pytest.LogCaptureFixture) -> None:
    bundle = HookBundle("forgetful")

    @bundle.after_request
    def forget(response: Response) -> None: ...

    assert serve(make_app(bundle)) == ("200 OK", b"hello")
    (record,) = caplog.records
    assert f"{forget.__module__}.{forget.__qualname__} (tests/hooks/test_items.py:" in record.getMessage()


# 26. One bad after_request drops all the other headers


def headers_of(app: Flask) -> set[str]:
    return {name for name in app.test_client().get("/").headers.keys() if name.startswith("X-")}  # noqa: SIM118


@pytest.mark.parametrize("way", ["by hand", "bundles", "bundles and a hook by hand", "layers"])
def test_item_26_failing_hook_drops_headers_of_flask_hooks_only(way: str, log: Log) -> None:
    app = make_app()

    def add(response: Response) -> Response:
        response.headers["X-One"] = "1"
        return response

    def fail(response: Response) -> Response:
        raise LookupError

    if way == "by hand":
        app.after_request(add)
        app.after_request(fail)
    elif way == "layers":
        app.after_request(fail)
        app.wsgi_app = Stack(app.wsgi_app, [RequestID(), SecurityHeaders()])  # type: ignore[method-assign]
    else:
        bundle = HookBundle("one")
        bundle.after_request(add)
        register(app, [bundle])
        if way == "bundles":
            register(app, [failing("two", "after_request", log)])
        else:
            app.after_request(fail)
    expected = {"by hand": set(), "layers": {"X-Request-ID", "X-Content-Type-Options", "X-Frame-Options"}}
    found = headers_of(app)
    assert found >= expected.get(way, {"X-One"})
    assert way != "by hand" or not found


# 27. teardown's error is None when it was handled, and streaming errors reach nobody: pallets/flask#3502, #6100


def test_item_27_outcome_tells_the_five_ways_apart() -> None:
    told: list[Any] = []
    torn: list[Any] = []
    bundle = HookBundle("watch")
    bundle.teardown_request(torn.append)
    bundle.on_finish(lambda ex: told.append((ex.outcome, ex.status_code, (ex.error_type or type(ex.error).__name__))))
    app = make_app(RequestContext(), bundle)
    for path, chunks in (("/", None), ("/refused", None), ("/boom", None), ("/stream", 1)):
        serve(app, path, chunks=chunks)
    with pytest.raises(ZeroDivisionError):
        serve(app, "/broken-stream")
    assert told == [
        ("complete", 200, "NoneType"),
        ("complete", 403, "NoneType"),  # handled
        ("complete", 500, "ZeroDivisionError"),  # not handled, answered by Flask
        ("aborted", 200, "NoneType"),  # the client left
        ("failed", 200, "ZeroDivisionError"),  # the stream raised
    ]
    # Flask's own hook is told of what nobody handled only, and of no stream.
    assert [type(error).__name__ for error in torn] == ["NoneType", "NoneType", "ZeroDivisionError", *["NoneType"] * 2]
