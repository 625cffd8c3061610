from typing import Any

import pytest
from flask import Blueprint, Flask, Response
from support.hooks import AsyncFlask, Log, make_app, recording, serve

from overcoat.hooks import HookBundle, RequestContext, register
from overcoat.hooks.testing import HookCall, record_hooks, simulate
from overcoat.middleware import describe


def shop(log: Log) -> Flask:
    app = make_app(recording("a", log), recording("b", log))
    app.before_request(lambda: None)

    @app.teardown_request
    def close(error: BaseException | None) -> None:
        log.append("close")

    return app


def lines(calls: list[HookCall]) -> list[str]:
    return [str(call) for call in calls]


def test_every_hook_is_told_in_the_order_in_which_it_ran() -> None:
    app = shop(log := [])
    with record_hooks(app) as calls:
        serve(app)
    assert lines(calls) == [
        "before_request a: enter",
        "before_request b: enter",
        "before_request <lambda>",
        "after_request b: leave",
        "after_request a: leave",
        "teardown_request close",
        "teardown_request b: <lambda>",
        "teardown_request a: <lambda>",
        "on_finish b: <lambda>",
        "on_finish a: <lambda>",
    ]
    assert log == ["a<", "b<", "b>", "a>", "close", "b.", "a.", "b!", "a!"]
    assert calls[0].source.startswith("support/hooks.py:")
    assert calls[2].source.startswith("tests/hooks/test_testing.py:")


def test_what_is_recorded_is_what_describe_shows() -> None:
    app = shop([])
    with record_hooks(app) as calls:
        serve(app)
    shown = [node.source for node in describe(app).walk() if node.kind in {"hook", "bundle"}]
    assert [call.source for call in calls] == shown


def test_app_is_as_before_afterwards() -> None:
    app = shop(log := [])
    before = str(describe(app))
    lists = [list(funcs[None]) for funcs in (app.before_request_funcs, app.after_request_funcs)]
    with pytest.raises(KeyError), record_hooks(app) as calls:
        raise KeyError
    assert [list(funcs[None]) for funcs in (app.before_request_funcs, app.after_request_funcs)] == lists
    assert str(describe(app)) == before
    serve(app)
    assert calls == []
    assert len(log) == 9


def test_recording_inside_a_recording() -> None:
    app = shop([])
    with record_hooks(app) as outer:
        with record_hooks(app) as inner:
            serve(app)
        serve(app)
    assert len(inner) == 10
    assert len(outer) == 20


def test_first_request_is_recorded_once() -> None:
    bundle = HookBundle("first")

    @bundle.before_first_request
    def prepare() -> None: ...

    app = make_app(bundle)
    with record_hooks(app) as calls:
        serve(app)
        serve(app)
    assert lines(calls) == ["before_first_request first: prepare"]
    with record_hooks(app) as calls:
        serve(app)
    assert calls == []


def returns(value: Any) -> Any:
    def hook(*_: object) -> Any:
        if isinstance(value, BaseException):
            raise value
        return value

    return hook


OTHER = Response("other")


@pytest.mark.parametrize(
    ("phase", "result", "expected"),
    [
        ("before_request", None, "done"),
        ("before_request", ("no", 403), "answered"),
        ("before_request", ValueError("no"), "raised"),
        ("after_request", OTHER, "replaced"),
        ("after_request", None, "returned None"),
        ("after_request", ValueError("no"), "raised"),
        ("teardown_request", None, "done"),
        ("teardown_request", ValueError("no"), "raised"),
        ("on_finish", ValueError("no"), "raised"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_outcome_of_each_call(phase: str, result: Any, expected: str) -> None:
    bundle = HookBundle("b")
    getattr(bundle, phase)(returns(result))
    (call,) = bundle.simulate().calls
    assert (call.phase, call.bundle, call.function, call.outcome) == (phase, "b", "hook", expected)
    assert call.error is (result if expected == "raised" else None)
    suffix = {"done": "", "raised": " raised ValueError: no"}.get(expected, f" {expected}")
    assert str(call) == f"{phase} b: hook{suffix}"


def test_hooks_by_hand_fail_as_they_do() -> None:
    app = Flask("shop")
    app.after_request(returns(ValueError("no")))
    with record_hooks(app) as calls:
        assert app.test_client().get("/").status_code == 500
    assert lines(calls) == ["after_request hook raised ValueError: no"] * 2  # on the 404, and on the 500


def test_async_hooks_and_blueprints_are_recorded() -> None:
    app, blueprint = AsyncFlask("shop"), Blueprint("b", __name__)

    @blueprint.before_request
    async def asynchronous() -> None: ...

    blueprint.add_url_rule("/", "index", lambda: "hello")
    recording("a", []).register(blueprint)
    app.register_blueprint(blueprint)
    with record_hooks(app) as calls:
        assert serve(app)[0] == "200 OK"
    assert lines(calls)[:2] == ["before_request a: enter", "before_request asynchronous"]


# simulate


def test_simulation_of_one_bundle() -> None:
    bundle = recording("a", log := [])
    simulation = bundle.simulate("/items/7", method="POST", view=lambda: ("made", 201), json={"name": "coat"})
    assert simulation.response.status_code == 201
    assert simulation.response.text == "made"
    assert str(simulation).splitlines() == lines(simulation.calls)
    assert log == ["a<", "a>", "a.", "a!"]


@pytest.mark.parametrize(
    ("method", "status"),
    [("GET", 200), ("HEAD", 200), ("POST", 200), ("PUT", 200), ("PATCH", 200), ("DELETE", 200), ("OPTIONS", 200)],
)
@pytest.mark.parametrize("path", ["/", "/a/b"])
def test_every_path_and_method_is_served(path: str, method: str, status: int) -> None:
    assert HookBundle("a").simulate(path, method=method).response.status_code == status


def test_view_that_raises_is_a_500() -> None:
    def view() -> str:
        raise ZeroDivisionError

    simulation = recording("a", log := []).simulate(view=view)
    assert simulation.response.status_code == 500
    assert log == ["a<", "a>", "a.", "a!"]


def test_bundle_may_declare_more_after_a_simulation() -> None:
    bundle = HookBundle("a")
    kept = bundle.simulate()
    bundle.before_request(lambda: "answer")
    assert bundle.simulate().response.text == "answer"
    assert kept.response.text == ""
    assert not bundle.is_registered(Flask("shop"))


def test_several_bundles_and_their_config() -> None:
    bundles = [RequestContext(), recording("a", log := [], requires="request-context")]
    simulation = simulate(bundles, config={"OVERCOAT_A_SKIP": "POST"}, method="POST")
    assert log == []
    assert {call.bundle for call in simulation.calls} == {"request-context"}


def test_bundle_that_cannot_be_registered_says_so() -> None:
    bundle = recording("a", [])
    with pytest.raises(ValueError, match="OVERCOAT_A_SKPI"):
        bundle.simulate(config={"OVERCOAT_A_SKPI": "POST"})
    with pytest.raises(ValueError, match="bundle 'a': another bundle of that name"):
        simulate([bundle, HookBundle("a")])
    app = Flask("shop")
    register(app, [bundle])
    assert serve(app, "/nowhere")[0] == "404 NOT FOUND"
