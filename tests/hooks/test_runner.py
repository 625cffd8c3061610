import logging
import sys
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, Response, g, got_request_exception, request
from support.hooks import AsyncFlask, Log, make_app, recording, serve

from overcoat.hooks import HookBundle, register
from overcoat.middleware import add_fields, describe

ALL = ["/", "/boom", "/refused", "/stream", "/context-stream", "/broken-stream", "/file", "/copied", "/nowhere"]


@pytest.fixture
def log() -> Log:
    return []


@pytest.mark.parametrize("path", ALL)
def test_every_request_passes_the_onion_once(path: str, log: Log) -> None:
    app = make_app(recording("a", log), recording("b", log))
    try:
        serve(app, path)
    except ZeroDivisionError:
        assert path == "/broken-stream"
    assert log == ["a<", "b<", "b>", "a>", "b.", "a.", "b!", "a!"]


def test_propagated_error_skips_the_after_hooks_as_in_flask_and_still_ends(log: Log) -> None:
    app = make_app(recording("a", log))
    app.testing = True
    with pytest.raises(ZeroDivisionError):
        serve(app, "/boom")
    assert log == ["a<", "a.", "a!"]


def test_method_not_allowed_passes_too(log: Log) -> None:
    assert serve(make_app(recording("a", log)), "/boom", "POST")[0] == "405 METHOD NOT ALLOWED"
    assert log == ["a<", "a>", "a.", "a!"]


# Entered


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        pytest.param("answer", ["a<", "b<", "b>", "a>", "b.", "a.", "b!", "a!"], id="b answers: b is entered"),
        pytest.param(ValueError("b"), ["a<", "b<", "a>", "b.", "a.", "b!", "a!"], id="b raises: b is torn down only"),
    ],
)
def test_what_was_not_entered_is_not_left(before: Any, expected: Log, log: Log) -> None:
    app = make_app(recording("a", log), recording("b", log, before=before), recording("c", log))
    serve(app)
    assert log == expected


def test_flask_leaves_what_it_never_entered(log: Log) -> None:
    app = make_app()
    app.before_request(lambda: "answer")
    app.before_request(lambda: log.append("second<"))
    app.after_request(lambda response: log.append("second>") or response)
    serve(app)
    assert log == ["second>"]


def test_bundle_without_a_before_hook_is_always_entered(log: Log) -> None:
    serve(make_app(recording("a", log, before="answer"), recording("b", log, before=False)))
    assert log == ["a<", "b>", "a>", "b.", "a.", "b!", "a!"]


def test_always_leaves_what_was_not_reached(log: Log) -> None:
    serve(make_app(recording("a", log, before=ValueError("a")), recording("b", log, always=True)))
    assert log == ["a<", "b>", "b.", "a.", "b!", "a!"]


def test_hook_by_hand_that_answers_first_leaves_all_unentered(log: Log) -> None:
    app = Flask("shop")
    app.before_request(lambda: "answer")
    register(app, [recording("a", log), recording("b", log, before=False), recording("c", log, always=True)])
    assert serve(app)[1] == b"answer"
    assert log == ["c>", "b>", "c.", "b.", "c!", "b!"]


def test_each_of_several_before_hooks_counts() -> None:
    log: Log = []
    bundle = HookBundle("twice")
    bundle.before_request(lambda: log.append("first"))

    @bundle.before_request
    def second() -> None:
        raise ValueError("second")

    bundle.after_request(lambda response: log.append("after") or response)
    bundle.teardown_request(lambda error: log.append(f"teardown {error}"))
    serve(make_app(bundle))
    assert log == ["first", "teardown second"]


# Isolation


def failing(phase: str, log: Log, error: BaseException | None = None, **options: Any) -> HookBundle:
    bundle = HookBundle("failing")

    def fail(*_: object) -> None:
        log.append("fails")
        raise error or RuntimeError("no luck")

    getattr(bundle, phase)(**options)(fail) if options else getattr(bundle, phase)(fail)
    return bundle


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("after_request", ["b>", "fails", "a>", "b.", "a.", "b!", "a!"]),
        ("teardown_request", ["b>", "a>", "b.", "fails", "a.", "b!", "a!"]),
        ("on_finish", ["b>", "a>", "b.", "a.", "b!", "fails", "a!"]),
    ],
)
def test_failing_hook_is_logged_and_starves_nobody(
    phase: str, expected: Log, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(recording("a", log, before=False), failing(phase, log), recording("b", log, before=False))
    assert serve(app) == ("200 OK", b"hello")
    assert log == expected
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.name == app.logger.name
    assert record.exc_info is not None
    assert record.getMessage() == (
        f"bundle 'failing': {phase} hook {__name__}.failing.<locals>.fail "
        f"(tests/hooks/test_runner.py:{fail_line()}) raised; endpoint index, request -"
    )


def fail_line() -> int:
    (hook,) = failing("on_finish", []).hooks
    return int(hook.function.__code__.co_firstlineno)


def test_the_log_names_the_request(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    from overcoat.middleware import RequestID

    app = make_app(failing("after_request", log))
    app.wsgi_app = RequestID(app.wsgi_app)
    serve(app, HTTP_X_REQUEST_ID="r-1")
    assert caplog.records[0].getMessage().endswith("endpoint index, request r-1")


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        pytest.param("after_request", ["fails", "fails"], id="a raising after hook drops the others"),
        pytest.param("teardown_request", ["fails"], id="a raising teardown drops the others"),
    ],
)
def test_flask_starves_the_rest(phase: str, expected: Log, log: Log) -> None:
    app = make_app()

    def other(argument: Any) -> Any:
        log.append("other")
        return argument

    def fail(argument: Any) -> Any:
        log.append("fails")
        raise RuntimeError("no luck")

    getattr(app, phase)(other)
    getattr(app, phase)(fail)  # the last one registered runs first
    try:
        serve(app)
    except RuntimeError:
        assert phase == "teardown_request"
    assert log == expected


@pytest.mark.parametrize("phase", ["teardown_request", "on_finish"])
def test_exit_leaves_after_the_others_have_run(phase: str, log: Log) -> None:
    app = make_app(recording("a", log, before=False), failing(phase, log, SystemExit(3)))
    with pytest.raises(SystemExit):
        serve(app)
    assert log.index("fails") < log.index("a." if phase == "teardown_request" else "a!")


def test_teardown_of_another_extension_that_raises_first_does_not_keep_the_end_away(log: Log) -> None:
    app = make_app(recording("a", log))

    @app.teardown_request
    def starve(error: BaseException | None) -> None:
        raise RuntimeError("runs before the bundles, being registered after them")

    with pytest.raises(RuntimeError):
        serve(app)
    assert log == ["a<", "a>", "a.", "a!"]


# Critical


def test_critical_failure_is_a_500_on_which_the_others_run(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    told: list[BaseException] = []
    app = make_app(recording("a", log), failing("after_request", log, critical=True), recording("b", log))

    def tell(sender: Flask, exception: BaseException) -> None:
        told.append(exception)

    with got_request_exception.connected_to(tell, app):
        status, body = serve(app)
    assert status == "500 INTERNAL SERVER ERROR"
    assert b"hello" not in body
    assert log == ["a<", "b<", "b>", "fails", "b>", "a>", "b.", "a.", "b!", "a!"]
    assert [str(error) for error in told] == ["no luck"]
    assert "Exception on / [GET]" in caplog.text


def test_critical_failure_reaches_the_apps_500_handler(log: Log) -> None:
    app = make_app(failing("after_request", log, critical=True))
    app.register_error_handler(500, lambda error: (f"sorry: {error.original_exception}", 500))
    assert serve(app) == ("500 INTERNAL SERVER ERROR", b"sorry: no luck")


def test_critical_failure_propagates_where_flask_propagates(log: Log) -> None:
    app = make_app(failing("after_request", log, critical=True))
    app.testing = True
    with pytest.raises(RuntimeError, match="no luck"):
        serve(app)


def test_critical_failure_on_a_500_starves_nobody(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(recording("a", log, before=False), failing("after_request", log, critical=True))
    assert serve(app, "/boom")[0] == "500 INTERNAL SERVER ERROR"
    assert log == ["fails", "a>", "a.", "a!"]
    assert "after_request hook" in caplog.text


def test_two_critical_failures_are_one_500(log: Log) -> None:
    second = failing("after_request", log, critical=True)
    second.name = "second"
    app = make_app(recording("a", log, before=False), second, failing("after_request", log, critical=True))
    assert serve(app)[0] == "500 INTERNAL SERVER ERROR"
    assert log == ["fails", "fails", "a>", "a.", "a!"]


# What an after hook returns


def test_none_leaves_the_response_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    bundle = HookBundle("forgetful")

    @bundle.after_request
    def forget(response: Response) -> None:
        response.headers["X-Seen"] = "yes"

    app = make_app(bundle)
    for _ in range(3):
        assert app.test_client().get("/").headers["X-Seen"] == "yes"
    (record,) = caplog.records
    assert f"{__name__}.test_none_leaves_the_response_and_is_told_once.<locals>.forget" in record.getMessage()


def test_flask_fails_on_none() -> None:
    app = make_app()
    app.after_request(lambda response: None)
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        serve(app)


def test_what_is_no_response_is_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    bundle = HookBundle("wrong")
    bundle.after_request(lambda response: "text")
    assert serve(make_app(bundle)) == ("200 OK", b"hello")
    assert "returned str: return a response" in str(caplog.records[0].exc_info)


def test_another_response_replaces_the_first() -> None:
    bundle = HookBundle("replacing")
    bundle.after_request(lambda response: Response("other", 202))
    assert serve(make_app(bundle)) == ("202 ACCEPTED", b"other")


# One hook per phase


def test_all_bundles_stand_where_the_first_was_registered(log: Log) -> None:
    app = make_app()
    app.before_request(lambda: log.append("hand 1"))
    recording("a", log).register(app)
    app.before_request(lambda: log.append("hand 2"))
    recording("b", log).register(app)
    assert [len(funcs[None]) for funcs in (app.before_request_funcs, app.after_request_funcs)] == [3, 1]
    assert len(app.teardown_request_funcs[None]) == 1
    serve(app)
    assert log[:4] == ["hand 1", "a<", "b<", "hand 2"]


# Contexts


# From 3.1.2 on, Flask tears a stream with context down before its first byte, and again after its last.
FLASK_TEARDOWNS = 2 if tuple(map(int, version("flask").split(".")[:3])) >= (3, 1, 2) else 1


def test_stream_with_context_is_torn_down_once_whatever_flask_does(log: Log) -> None:
    app = make_app(recording("a", log))
    app.teardown_request(lambda error: log.append("flask."))
    serve(app, "/context-stream")
    assert [entry for entry in log if entry != "flask."] == ["a<", "a>", "a.", "a!"]
    assert log.count("flask.") == FLASK_TEARDOWNS


COPIED = ["every", "every", "once"]  # the copy ends first


@pytest.mark.parametrize("path", ["/context-stream", "/copied"])
def test_every_teardown_can_be_asked_for(path: str, log: Log) -> None:
    bundle = HookBundle("cleaner")
    bundle.teardown_request(lambda error: log.append("once"))
    bundle.teardown_request(every=True)(lambda error: log.append("every"))
    serve(make_app(bundle), path)
    assert log == (["every", "once", "every"][: FLASK_TEARDOWNS + 1] if path == "/context-stream" else COPIED)


def test_copied_context_does_not_end_the_request(log: Log) -> None:
    app = make_app(recording("a", log))
    app.after_request(lambda response: log.append("hand>") or response)
    serve(app, "/copied")
    assert log.index("a.") > log.index("hand>")
    assert log.count("a.") == 1


def test_request_inside_a_request_has_a_state_of_its_own(log: Log) -> None:
    app = make_app(recording("a", log))

    @app.get("/outer")
    def outer() -> str:
        log.append("(")
        _, body = serve(app)
        log.append(")")
        return body.decode()

    serve(app, "/outer")
    assert log == ["a<", "(", "a<", "a>", "a.", "a!", ")", "a>", "a.", "a!"]


def test_context_for_tests_tears_down_what_needs_no_entering(log: Log) -> None:
    app = make_app(recording("a", log), recording("b", log, before=False))
    with app.test_request_context("/"):
        assert request.endpoint == "index"
    assert log == ["b."]
    log.clear()
    with app.test_request_context("/"):
        app.preprocess_request()
        app.process_response(Response())
    assert log == ["a<", "b>", "a>", "b.", "a."]


def test_client_that_keeps_the_context_tears_down_once(log: Log) -> None:
    app = make_app(recording("a", log))
    with app.test_client() as client:
        client.get("/")
        assert request.path == "/"
    assert log.count("a.") == 1


# The true end


@pytest.mark.parametrize(
    ("path", "method", "chunks", "outcome"),
    [
        ("/", "GET", None, "complete"),
        ("/", "HEAD", None, "complete"),
        ("/refused", "GET", None, "complete"),
        ("/boom", "GET", None, "complete"),
        ("/stream", "GET", None, "complete"),
        ("/stream", "GET", 1, "aborted"),
        ("/context-stream", "GET", 1, "aborted"),
        ("/broken-stream", "GET", None, "failed"),
        ("/file", "GET", None, "complete"),
    ],
)
def test_finish_hooks_know_how_it_went(path: str, method: str, chunks: int | None, outcome: str) -> None:
    seen: list[Any] = []
    bundle = HookBundle("watch")
    bundle.on_finish(lambda exchange: seen.append((exchange.outcome, exchange.response_bytes)))
    app = make_app(bundle)
    try:
        _, body = serve(app, path, method, chunks=chunks)
    except ZeroDivisionError:
        body = b"one"
    ((seen_outcome, seen_bytes),) = seen
    assert seen_outcome == outcome
    assert seen_bytes >= len(body)


def test_layer_that_does_not_follow_bodies_tells_the_end_too(log: Log) -> None:
    from overcoat.middleware import RequestID

    app = Flask("shop")
    app.wsgi_app = RequestID(app.wsgi_app)  # type: ignore[method-assign]
    register(app, [recording("a", log)])
    app.add_url_rule("/boom", "boom", lambda: 1 / 0)
    app.testing = True
    with pytest.raises(ZeroDivisionError):
        serve(app, "/boom")
    assert log == ["a<", "a.", "a!"]


def test_file_that_the_server_takes_is_handed_off() -> None:
    from wsgiref.util import FileWrapper

    seen: list[Any] = []
    bundle = HookBundle("watch")
    bundle.on_finish(lambda exchange: seen.append(exchange.outcome))
    status, body = serve(make_app(bundle), "/file", **{"wsgi.file_wrapper": FileWrapper})
    assert status == "200 OK"
    assert body.startswith(b'"""')
    assert seen == ["handed_off"]


def test_app_error_that_flask_does_not_answer_is_the_end_too() -> None:
    seen: list[Any] = []
    bundle = HookBundle("watch")
    bundle.on_finish(lambda exchange: seen.append((exchange.outcome, type(exchange.error))))
    app = make_app(bundle)
    app.testing = True
    with pytest.raises(ZeroDivisionError):
        serve(app, "/boom")
    assert seen == [("failed", ZeroDivisionError)]


# Async


# In asgiref's thread, and by what an app has in its place
ASYNC = pytest.mark.parametrize("flask", [Flask, AsyncFlask], ids=["asgiref", "asyncio.run"])


@ASYNC
def test_async_hooks_run_in_every_phase(flask: type[Flask]) -> None:
    log: Log = []
    bundle = HookBundle("async")

    @bundle.before_first_request
    async def first() -> None:
        log.append("first")

    @bundle.before_request
    async def before() -> None:
        log.append("before")

    @bundle.after_request
    async def after(response: Response) -> Response:
        log.append("after")
        return response

    @bundle.teardown_request
    async def teardown(error: BaseException | None) -> None:
        log.append("teardown")

    @bundle.on_finish
    async def finish(exchange: Any) -> None:
        log.append("finish")

    app = make_app(bundle, flask=flask)
    serve(app)
    assert log == ["first", "before", "after", "teardown", "finish"]


@ASYNC
def test_async_hooks_are_in_the_request_and_starve_nobody(flask: type[Flask], caplog: pytest.LogCaptureFixture) -> None:
    log: Log = []
    bundle = HookBundle("async")

    @bundle.before_request
    async def before() -> None:
        add_fields(before=request.path)
        g.seen = [request.endpoint]

    @bundle.after_request
    async def after(response: Response) -> Response:
        raise LookupError("after")

    @bundle.teardown_request
    async def teardown(error: BaseException | None) -> None:
        log.append(f"{g.seen} {error!r}")
        raise LookupError("teardown")

    @bundle.on_finish
    async def finish(exchange: Any) -> None:
        log.append(str(exchange.fields))

    app = make_app(recording("outer", log), bundle, flask=flask)

    @app.get("/async")
    async def view() -> str:
        g.seen.append("view")
        add_fields(view=1)
        raise ZeroDivisionError("in the view")

    assert serve(app, "/async")[0] == "500 INTERNAL SERVER ERROR"
    assert log == [
        "outer<", "outer>", "['view', 'view'] ZeroDivisionError('in the view')", "outer.",
        "{'before': '/async', 'view': 1}", "outer!",
    ]  # fmt: skip
    told = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert told == ["in the view", "after", "teardown"]


@ASYNC
def test_async_first_hook_that_calls_its_own_app_is_an_error_not_a_deadlock(
    flask: type[Flask], caplog: pytest.LogCaptureFixture
) -> None:
    bundle = HookBundle("async")
    app = make_app(bundle, flask=flask)
    statuses: list[str] = []

    @bundle.before_first_request
    async def warm_up() -> None:
        statuses.append(serve(app)[0])

    assert serve(app)[0] == "200 OK"
    assert statuses == ["500 INTERNAL SERVER ERROR"]
    assert "made a request to its own app, which waits for that hook" in caplog.text


async def asynchronous() -> None: ...


@pytest.mark.parametrize("when", ["registered", "declared"])
def test_async_hook_that_cannot_run_is_refused_at_once(when: str, monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    monkeypatch.setitem(sys.modules, "asgiref.sync", None)
    app = make_app(recording("a", log))
    bundle = HookBundle("async")
    if when == "declared":
        bundle.register(app)
        declare = bundle.before_request
    else:
        bundle.before_request(asynchronous)
        declare = lambda _: bundle.register(app)
    with pytest.raises(
        RuntimeError, match=r"bundle 'async': before_request hook .*asynchronous is async.*flask\[async\]"
    ):
        declare(asynchronous)
    serve(app)
    assert log == ["a<", "a>", "a.", "a!"]


# What describe reads


def test_rows_name_what_runs_in_execution_order() -> None:
    log: Log = []
    app = make_app(recording("a", log), recording("b", log, skip="POST"))
    described = app.extensions["overcoat.hooks"].describe()
    assert {phase: [row.bundle for row in rows] for phase, rows in described.items()} == {
        "before_first_request": [],
        "before_request": ["a", "b"],
        "after_request": ["b", "a"],
        "teardown_request": ["b", "a"],
        "on_finish": ["b", "a"],
    }
    row = described["before_request"][1]
    assert row.function == "support.hooks.recording.<locals>.enter"
    assert row.location.startswith("support/hooks.py:")
    assert row.scope == "skip POST"


def test_flask_hooks_show_their_bundles() -> None:
    app = make_app(recording("a", [], skip="POST"))
    (hook,) = app.before_request_funcs[None]
    (row,) = hook.overcoat_bundles()
    assert (row.bundle, row.function, row.scope) == ("a", "support.hooks.recording.<locals>.enter", "skip POST")
    shown = str(describe(app))
    assert "a: recording.enter" in shown
    assert "RequestEnd()" in shown


def test_missing_requirement_is_told_by_the_first_request_and_by_describe(log: Log) -> None:
    app = make_app(recording("a", log, requires="databse"), recording("database", log))
    with pytest.raises(RuntimeError, match=r"bundle 'a' requires 'databse'.*did you mean 'database'"):
        describe(app)
    app.testing = True
    for _ in range(2):
        with pytest.raises(RuntimeError, match="requires 'databse'"):
            serve(app)
    assert log == []


def test_missing_requirement_is_a_500_in_production(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(recording("a", log, requires="database"))
    assert serve(app)[0] == "500 INTERNAL SERVER ERROR"
    assert log == []
    assert "requires 'database'" in str(caplog.records[0].exc_info)


def test_plans_do_not_grow_with_what_clients_send() -> None:
    app = make_app(recording("a", [], only="POST"))
    runner = app.extensions["overcoat.hooks"]
    for number in range(100):
        serve(app, f"/nowhere/{number}", f"METHOD{number}")
    assert len(runner._plans) == 1


def test_request_object_of_the_apps_own_class_works() -> None:
    class Request(Flask.request_class):  # type: ignore[misc,name-defined]
        tag = SimpleNamespace()

    app = make_app(recording("a", log := []))
    app.request_class = Request
    serve(app)
    assert log == ["a<", "a>", "a.", "a!"]
