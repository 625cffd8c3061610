import functools
import gc
import weakref
from typing import Any

import pytest
from flask import Blueprint, Flask
from support.hooks import Log, make_app, recording, serve

from overcoat.hooks import HookBundle, RequestContext, register

# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": ""}, "name='' must be 1 to 64 letters"),
        ({"name": "two words"}, "name='two words'"),
        ({"name": None}, "name=None"),
        ({"insde": "a"}, "bundle 'b': unknown option insde='a'; did you mean 'inside'?"),
        ({"inside": ""}, "inside='' is no name of a bundle"),
        ({"inside": 7}, "inside=7 is no name of a bundle"),
        ({"outside": [7]}, "outside=7 is no name of a bundle"),
        ({"inside": ["b"]}, "inside='b' is its own name"),
        ({"inside": "a", "outside": ["a"]}, "'a' stands in inside= and in outside="),
        ({"only": []}, r"only=\[\] would never serve"),
        ({"only": "."}, "only='.' is no rule"),
        ({"skip": 7}, "skip=7 is no rule"),
        ({"skip": [7]}, "skip=7 is no rule"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_unusable_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HookBundle(**{"name": "b", **options})


# Declaring


def no_argument() -> None: ...
def one_argument(x: object) -> None: ...
def two_arguments(x: object, y: object) -> None: ...
def with_default(x: object, y: object = None) -> None: ...
def keyword_only(*, x: object) -> None: ...
def anything(*args: object, **kwargs: object) -> None: ...


class Callable0:
    def __call__(self) -> None: ...


NONE = ["before_first_request", "before_request"]
ONE = ["after_request", "teardown_request", "on_finish"]


@pytest.mark.parametrize(
    ("phases", "function", "fits"),
    [
        pytest.param(NONE, no_argument, True, id="none-none"),
        pytest.param(NONE, one_argument, False, id="none-one"),
        pytest.param(NONE, anything, True, id="none-anything"),
        pytest.param(NONE, keyword_only, False, id="none-keyword"),
        pytest.param(NONE, Callable0(), True, id="none-object"),
        pytest.param(NONE, functools.partial(one_argument, 1), True, id="none-partial"),
        pytest.param(NONE, functools.partial(two_arguments, 1), False, id="none-partial-short"),
        pytest.param(ONE, one_argument, True, id="one-one"),
        pytest.param(ONE, no_argument, False, id="one-none"),
        pytest.param(ONE, two_arguments, False, id="one-two"),
        pytest.param(ONE, with_default, True, id="one-default"),
        pytest.param(ONE, functools.partial(two_arguments, 1), True, id="one-partial"),
        pytest.param(ONE, [].append, True, id="one-builtin"),
    ],
)
def test_signatures_are_checked_at_declaration(phases: list[str], function: Any, fits: bool) -> None:
    for phase in phases:
        bundle = HookBundle("b")
        if fits:
            assert getattr(bundle, phase)(function) is function
            assert [hook.phase for hook in bundle.hooks] == [phase]
        else:
            with pytest.raises(TypeError, match=f"bundle 'b': {phase} hook .* must take"):
                getattr(bundle, phase)(function)
            assert bundle.hooks == []


def generator() -> Any:
    yield


async def async_generator() -> Any:
    yield


@pytest.mark.parametrize("function", [generator, async_generator])
def test_generators_are_refused(function: Any) -> None:
    with pytest.raises(TypeError, match="is a generator, whose body would never run"):
        HookBundle("b").before_request(function)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match="before_request=7 is no function: write def before_request"):
        HookBundle("b").before_request(7)  # type: ignore[call-overload]


def test_call_form_takes_options() -> None:
    bundle = HookBundle("b")

    @bundle.before_first_request(fatal=True)
    def first() -> None: ...

    @bundle.after_request(critical=True)
    def after(response: Any) -> None: ...

    @bundle.teardown_request(every=True)
    def teardown(error: Any) -> None: ...

    @bundle.before_request()
    def before() -> None: ...

    assert [(h.fatal, h.critical, h.every) for h in bundle.hooks] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
        (False, False, False),
    ]


# Registering


def test_three_ways_are_one_call() -> None:
    for way in ("register", "init_app", "function"):
        app, bundle = Flask("shop"), recording("a", log := [])
        register(app, [bundle]) if way == "function" else getattr(bundle, way)(app)
        serve(app)
        assert log == ["a<", "a>", "a.", "a!"], way


def test_registering_twice_changes_nothing() -> None:
    bundle = recording("a", log := [])
    app = make_app(bundle, bundle)
    bundle.register(app)
    assert bundle.is_registered(app)
    serve(app)
    assert log == ["a<", "a>", "a.", "a!"]


def test_one_bundle_serves_several_apps() -> None:
    bundle = recording("a", log := [])
    first, second = make_app(bundle), make_app()
    assert (bundle.is_registered(first), bundle.is_registered(second)) == (True, False)
    bundle.register(second)
    serve(first)
    serve(second)
    assert log == ["a<", "a>", "a.", "a!"] * 2


def test_bundle_does_not_keep_apps_alive() -> None:
    bundle = recording("a", [])
    app = weakref.ref(make_app(bundle))
    gc.collect()
    assert app() is None


def test_taken_name_is_an_error() -> None:
    app = make_app(HookBundle("a"))
    with pytest.raises(ValueError, match="bundle 'a': another bundle of that name is registered"):
        register(app, [HookBundle("a")])


def test_app_that_has_served_takes_no_more() -> None:
    app = make_app(first := recording("a", log := []))
    serve(app)
    with pytest.raises(RuntimeError, match="bundle 'b' comes too late: the app has served its first request"):
        register(app, [HookBundle("b")])
    with pytest.raises(RuntimeError, match="bundle 'a' comes too late"):
        first.before_request(no_argument)
    assert len(first.hooks) == 4
    first.register(app)  # it is there: nothing to do
    log.clear()
    serve(app)
    assert log == ["a<", "a>", "a.", "a!"]


def test_app_that_has_served_without_bundles_takes_none() -> None:
    app = make_app()
    serve(app)
    with pytest.raises(RuntimeError, match="bundle 'a' comes too late"):
        register(app, [HookBundle("a")])
    assert "overcoat.hooks" not in app.extensions


def test_context_for_tests_does_not_close_the_app() -> None:
    app = make_app(recording("a", log := []))
    with app.test_request_context("/"):
        app.preprocess_request()
    register(app, [recording("b", log)])
    log.clear()
    serve(app)
    assert log[:2] == ["a<", "b<"]


def test_hooks_may_be_declared_after_registering() -> None:
    bundle = HookBundle("a")
    app = make_app(bundle)
    log: Log = []
    bundle.before_request(lambda: log.append("before"))
    bundle.on_finish(lambda exchange: log.append(exchange.outcome))
    serve(app)
    assert log == ["before", "complete"]


@pytest.mark.parametrize(
    ("bundles", "message"),
    [
        ([RequestContext], "RequestContext is a class: write RequestContext"),
        (["a"], "'a' is no hook bundle"),
        ([no_argument], "is no hook bundle"),
    ],
)
def test_what_is_no_bundle_is_refused(bundles: list[Any], message: str) -> None:
    app = Flask("shop")
    with pytest.raises(TypeError, match=message):
        register(app, [HookBundle("fine"), *bundles])
    assert "overcoat.hooks" not in app.extensions


def test_what_is_no_app_is_refused() -> None:
    with pytest.raises(TypeError, match=r"bundle 'a': .* is neither a Flask app nor a blueprint"):
        HookBundle("a").register(make_app().wsgi_app)  # type: ignore[arg-type]


# The layer for the true end


def layers(app: Flask) -> list[str]:
    from overcoat.middleware._order import inward

    return [type(layer).__name__ for _, fused in inward(app.wsgi_app) for layer in fused]


def test_app_is_wrapped_once_and_only_where_the_end_matters() -> None:
    app = make_app(HookBundle("a"))
    assert layers(app) == []
    register(app, [recording("b", [])])
    register(app, [recording("c", [])])
    assert layers(app) == ["RequestEnd"]


def test_layer_that_is_there_is_enough() -> None:
    from overcoat.middleware import RequestID

    app = Flask("shop")
    app.wsgi_app = RequestID(app.wsgi_app)  # type: ignore[method-assign]
    register(app, [recording("a", log := [])])
    assert layers(app) == ["RequestID"]
    serve(app)
    assert log == ["a<", "a>", "a.", "a!"]


def test_layers_around_it_later_join() -> None:
    from overcoat.middleware import RequestID, ServerTiming, Stack

    app = make_app(recording("a", log := []))
    app.wsgi_app = Stack(app.wsgi_app, [RequestID(), ServerTiming()])
    assert layers(app) == ["RequestID", "ServerTiming", "RequestEnd"]
    serve(app)
    assert log == ["a<", "a>", "a.", "a!"]


# Blueprints


def nested_app(*, on_parent: HookBundle | None = None, on_child: HookBundle | None = None) -> Flask:
    app = make_app()
    parent, child = (
        Blueprint("parent", __name__, url_prefix="/parent"),
        Blueprint("child", __name__, url_prefix="/child"),
    )
    for blueprint in (parent, child):
        blueprint.add_url_rule("/", "index", lambda: "hello")
    if on_parent is not None:
        on_parent.register(parent)
    if on_child is not None:
        on_child.register(child)
    parent.register_blueprint(child)
    app.register_blueprint(parent)
    app.register_blueprint(child, name="alone", url_prefix="/alone")
    return app


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", []),
        ("/parent/", ["p<", "p>", "p.", "p!"]),
        ("/parent/child/", ["p<", "c<", "c>", "p>", "c.", "p.", "c!", "p!"]),
        ("/alone/", ["c<", "c>", "c.", "c!"]),
        pytest.param("/parent/nowhere", [], id="a 404 has no blueprint"),
    ],
)
def test_blueprint_bundle_serves_its_endpoints_and_nested_ones(path: str, expected: Log) -> None:
    log: Log = []
    app = nested_app(on_parent=recording("p", log), on_child=recording("c", log))
    serve(app, path)
    assert log == expected


def test_flask_keeps_a_blueprints_hooks_from_404s_too() -> None:
    log: Log = []
    app, blueprint = Flask("shop"), Blueprint("b", __name__, url_prefix="/b")
    blueprint.before_request(lambda: log.append("flask"))
    app.register_blueprint(blueprint)
    assert serve(app, "/b/nowhere")[0] == "404 NOT FOUND"
    assert log == []


def test_bundles_of_the_app_stand_outside_those_of_blueprints() -> None:
    log: Log = []
    app = nested_app(on_parent=recording("p", log))
    recording("a", log).register(app)
    serve(app, "/parent/")
    assert log[:2] == ["a<", "p<"]


def test_bundle_on_app_and_blueprint_runs_once() -> None:
    bundle = recording("a", log := [])
    app = nested_app(on_parent=bundle, on_child=bundle)
    bundle.register(app)
    serve(app, "/parent/child/")
    serve(app, "/")
    assert log == ["a<", "a>", "a.", "a!"] * 2


def test_bundle_is_too_late_for_a_blueprint_that_is_on_an_app() -> None:
    app, blueprint = Flask("shop"), Blueprint("b", __name__)
    app.register_blueprint(blueprint)
    bundle = HookBundle("late")
    with pytest.raises(RuntimeError, match="bundle 'late' comes too late for blueprint 'b'"):
        bundle.register(blueprint)
    assert not bundle.is_registered(blueprint)


def test_flask_ignores_nothing_silently_but_names_no_hook() -> None:
    app, blueprint = Flask("shop"), Blueprint("b", __name__)
    app.register_blueprint(blueprint)
    with pytest.raises(AssertionError, match="can no longer be called on the blueprint 'b'"):
        blueprint.before_request(no_argument)


def test_bundle_knows_its_blueprint_and_app() -> None:
    bundle, blueprint, app = HookBundle("a"), Blueprint("b", __name__), Flask("shop")
    assert not bundle.is_registered(blueprint)
    register(blueprint, [bundle, bundle])
    assert bundle.is_registered(blueprint)
    assert not bundle.is_registered(app)
    app.register_blueprint(blueprint)
    assert bundle.is_registered(app)


def test_hooks_declared_after_the_blueprint_is_registered_work() -> None:
    bundle = HookBundle("p")
    app = nested_app(on_parent=bundle)
    log: Log = []
    bundle.before_request(lambda: log.append("before"))
    serve(app, "/parent/")
    assert log == ["before"]


def test_taken_name_on_a_blueprint_is_told_when_it_meets_the_app() -> None:
    app, blueprint = make_app(HookBundle("a")), Blueprint("b", __name__)
    HookBundle("a").register(blueprint)
    with pytest.raises(ValueError, match="bundle 'a': another bundle of that name"):
        app.register_blueprint(blueprint)
