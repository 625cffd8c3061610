"""Hooks by hand that raise ahead of the bundles: what Flask does, and what the bundles make of it."""

from typing import Any

import pytest
from flask import Blueprint, Flask
from support.hooks import Log, make_app, recording, serve

from overcoat.hooks import HookBundle, register


def raising(log: Log, label: str = "fails") -> Any:
    def fail(_: Any) -> Any:
        log.append(label)
        raise RuntimeError("by hand")

    return fail


@pytest.fixture
def log() -> Log:
    return []


def test_flask_starves_what_comes_after_a_raising_teardown(log: Log) -> None:
    app = make_app()
    app.teardown_request(lambda error: log.append("starved"))
    app.teardown_request(raising(log))
    with pytest.raises(RuntimeError, match="by hand"):
        serve(app)
    assert log == ["fails"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", ["a<", "b<", "b>", "a>", "fails", "b.", "a.", "b!", "a!"]),
        ("/boom", ["a<", "b<", "b>", "a>", "fails", "b.", "a.", "b!", "a!"]),
    ],
)
def test_bundles_are_torn_down_all_the_same(path: str, expected: Log, log: Log) -> None:
    app = make_app(recording("a", log), recording("b", log))
    app.teardown_request(raising(log))
    with pytest.raises(RuntimeError, match="by hand"):
        serve(app, path)
    assert log == expected


def test_teardown_by_hand_of_a_blueprint_runs_ahead_too(log: Log) -> None:
    app, blueprint = Flask("shop"), Blueprint("b", __name__)
    blueprint.teardown_request(raising(log))
    blueprint.add_url_rule("/", "index", lambda: "hello")
    app.register_blueprint(blueprint)
    register(app, [recording("a", log)])
    with pytest.raises(RuntimeError, match="by hand"):
        serve(app)
    assert log == ["a<", "a>", "fails", "a.", "a!"]


def test_bundles_that_were_torn_down_already_are_not_again(log: Log) -> None:
    app = Flask("shop")
    app.teardown_request(raising(log))  # registered first, so it runs last
    bundle = recording("a", log)
    bundle.teardown_request(every=True)(lambda error: log.append("every"))
    register(app, [bundle])
    with pytest.raises(RuntimeError, match="by hand"):
        serve(app, "/nowhere")
    assert log == ["a<", "a>", "every", "a.", "fails", "every", "a!"]


def test_error_of_the_request_is_what_they_are_told(log: Log) -> None:
    told: list[Any] = []
    bundle = HookBundle("told")
    bundle.teardown_request(told.append)
    app = make_app(bundle)
    app.testing = True
    app.teardown_request(raising(log))
    with pytest.raises(RuntimeError, match="by hand"):
        serve(app, "/boom")
    assert [type(error) for error in told] == [ZeroDivisionError]


@pytest.mark.parametrize(
    ("failing_at", "expected"),
    [(1, ["fails", "every", "once"]), (2, ["every", "once", "fails", "every"])],
    ids=["the first teardown", "the second"],
)
def test_cleaners_run_at_each_teardown(failing_at: int, expected: Log, log: Log) -> None:
    bundle = HookBundle("cleaner")
    bundle.teardown_request(lambda error: log.append("once"))
    bundle.teardown_request(every=True)(lambda error: log.append("every"))
    app = Flask("shop")
    register(app, [bundle])
    count = iter(range(1, 9))

    @app.teardown_request
    def fail(error: BaseException | None) -> None:
        if next(count) == failing_at:
            log.append("fails")
            raise RuntimeError("by hand")

    context = app.test_request_context("/")
    with pytest.raises(RuntimeError, match="by hand"):
        for _ in range(2):
            context.push()
            context.pop()
    assert log == expected


def test_flask_starves_what_comes_after_a_raising_after_hook(log: Log) -> None:
    app = make_app()
    app.after_request(lambda response: log.append("starved") or response)
    app.after_request(raising(log))
    assert serve(app)[0] == "500 INTERNAL SERVER ERROR"
    assert log == ["fails", "fails"]


@pytest.mark.parametrize("path", ["/", "/boom"])
def test_bundles_see_the_500_that_is_sent(path: str, log: Log) -> None:
    seen: list[int] = []
    bundle = recording("a", log)
    bundle.after_request(lambda response: seen.append(response.status_code) or response)

    @bundle.after_request
    def head(response: Any) -> Any:
        response.headers["X-Seen"] = "yes"
        return response

    app = make_app(bundle)
    app.after_request(raising(log))
    response = app.test_client().get(path, buffered=True)
    assert response.status_code == 500
    assert response.headers.getlist("X-Seen") == ["yes"]
    assert seen == [500]
    assert [entry for entry in log if entry != "fails"] == ["a<", "a>", "a.", "a!"]


def test_bundles_that_have_seen_the_response_do_not_again(log: Log) -> None:
    app = Flask("shop")
    app.after_request(raising(log))  # runs last
    register(app, [recording("a", log)])
    app.add_url_rule("/boom", "boom", lambda: 1 / 0)
    assert serve(app, "/boom")[0] == "500 INTERNAL SERVER ERROR"
    assert log == ["a<", "a>", "fails", "a.", "a!"]


def test_views_own_500_that_is_replaced_reaches_them_twice(log: Log) -> None:
    app = make_app(recording("a", log))
    app.after_request(raising(log))
    app.add_url_rule("/own", "own", lambda: ("own", 500))
    assert serve(app, "/own")[0] == "500 INTERNAL SERVER ERROR"
    assert log == ["a<", "fails", "a>", "fails", "a>", "a.", "a!"]


@pytest.mark.parametrize("path", ["/", "/boom"])
def test_where_flask_propagates_the_error_does(path: str, log: Log) -> None:
    app = make_app(recording("a", log))
    app.testing = True
    app.after_request(raising(log))
    with pytest.raises((RuntimeError, ZeroDivisionError)):
        serve(app, path)
    assert log[-2:] == ["a.", "a!"]


# strict


def failing(phase: str, log: Log, **options: Any) -> HookBundle:
    bundle = HookBundle("failing", **options)

    def fail(_: Any) -> None:
        log.append("fails")
        raise LookupError("no luck")

    getattr(bundle, phase)(fail)
    return bundle


@pytest.mark.parametrize(
    ("strict", "status", "expected"),
    [(False, "200 OK", ["b>", "fails", "a>"]), (True, "500 INTERNAL SERVER ERROR", ["b>", "fails", "b>", "a>"])],
)
def test_strict_after_hook_is_critical(strict: bool, status: str, expected: Log, log: Log) -> None:
    inner, outer = recording("b", log, before=False), recording("a", log, before=False)
    app = make_app(outer, failing("after_request", log, strict=strict), inner)
    assert serve(app)[0] == status
    assert [entry for entry in log if entry[-1] in ">s"] == expected


@pytest.mark.parametrize("by_config", [False, True], ids=["option", "config"])
def test_strict_teardown_raises_once_the_others_have_run(by_config: bool, log: Log) -> None:
    app = Flask("shop")
    app.config.update({"OVERCOAT_FAILING_STRICT": True} if by_config else {})
    bundle = failing("teardown_request", log, **({} if by_config else {"strict": True}))
    register(app, [recording("a", log), bundle, recording("b", log)])
    with pytest.raises(LookupError, match="no luck"):
        serve(app, "/nowhere")
    assert log == ["a<", "b<", "b>", "a>", "b.", "fails", "a.", "b!", "a!"]


def test_first_of_two_strict_failures_is_raised_and_both_are_logged(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    other = HookBundle("other", strict=True)

    @other.teardown_request
    def fail(error: BaseException | None) -> None:
        raise OSError("the second")

    with pytest.raises(LookupError, match="no luck"):
        serve(make_app(other, failing("teardown_request", log, strict=True)))
    told = [record.getMessage() for record in caplog.records]
    assert [message.partition(":")[0] for message in told] == ["bundle 'failing'", "bundle 'other'"]
