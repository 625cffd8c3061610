import functools
import json

import pytest
from flask import Blueprint, Flask
from support.apps import ok
from support.coats import Stranger
from support.wsgi import call
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from overcoat.middleware import Layer, ProxyFix, RequestID, RequestLog, SecurityHeaders, ServerTiming, Stack, describe


class Plain(Layer):
    """Has no ``does``."""


PLAIN, REQUEST_ID, STRANGER, APP = (
    ("layer", "Plain()"),
    ("layer", "RequestID()"),
    ("foreign", "Stranger"),
    ("app", "ok"),
)


def kinds(app):
    return [(node.kind, node.name) for node in describe(app).walk() if node.kind in {"layer", "foreign", "app"}]


def test_tree_of_a_stack():
    stack = Stack(ok, [ProxyFix(trusted=["::1"]), RequestID(), RequestLog(to="stderr"), ServerTiming()])
    assert str(describe(stack)).splitlines() == [
        "the way in",
        "  layer    ProxyFix(trusted=['::1'])  corrects client and scheme",
        "  layer    RequestID()                names the request",
        "  layer    RequestLog(to='stderr')    writes one line for each request, at its true end",
        "  layer    ServerTiming()             publishes timings",
        "app ok",
        "the way out",
        "  phase    ServerTiming  on_headers",
        "  phase    RequestLog    on_headers, on_finish",
        "  phase    RequestID     on_headers",
        "why this order",
        "  ProxyFix outside RequestID: what reads the client must come after the correction",
        "  ProxyFix outside RequestLog: the log line tells the client, scheme and host that ProxyFix corrects",
        "  RequestID outside RequestLog: every line carries the id, an early answer's too",
    ]


def test_bare_app():
    assert str(describe(ok)).splitlines() == ["app ok"]


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        (Plain(ok), [PLAIN, APP]),
        (Plain(RequestID(ok)), [PLAIN, REQUEST_ID, APP]),
        (Stranger(ok), [STRANGER, APP]),
        (Plain(Stranger(RequestID(ok))), [PLAIN, STRANGER, REQUEST_ID, APP]),
        (Stack(ok, [Plain(), Stranger, RequestID()]), [PLAIN, STRANGER, REQUEST_ID, APP]),
        (DispatcherMiddleware(Plain(ok), {}), [("foreign", "DispatcherMiddleware"), PLAIN, APP]),
        (Stack(ok, []), [APP]),
    ],
    ids=["layer", "two", "stranger", "between", "in-a-stack", "dispatcher", "empty"],
)  # fmt: skip
def test_layers_and_strangers_from_the_outside_in(app, expected):
    assert kinds(app) == expected


def test_part_that_wraps_nothing():
    assert str(describe(RequestID())).splitlines()[0] == "app RequestID"


def test_flask_app_and_its_wsgi_app_read_the_same():
    app = Flask("shop")
    app.wsgi_app = Stack(app.wsgi_app, [RequestID(), SecurityHeaders()])
    assert kinds(app) == [("layer", "RequestID()"), ("layer", "SecurityHeaders()"), ("app", "Flask 'shop'")]
    assert str(describe(app.wsgi_app)) == str(describe(app))


def test_strangers_around_flask():
    app = Flask("shop")
    app.wsgi_app = RequestID(Stranger(app.wsgi_app))
    assert kinds(app) == [("layer", "RequestID()"), ("foreign", "Stranger"), ("app", "Flask 'shop'")]


def flask_with_hooks(trace):
    app = Flask("shop")
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    phases = ["before_request", "after_request", "teardown_request"]
    for scope, name in ((app, "app"), (outer, "outer"), (inner, "inner")):
        for phase in phases:
            for number in (1, 2):

                def hook(response=None, label=f"{name}_{phase}_{number}"):
                    trace.append(label)
                    return response

                hook.__qualname__ = f"{name}_{phase}_{number}"
                getattr(scope, phase)(hook)
    inner.route("/")(lambda: "ok")
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    return app


def test_hooks_are_listed_in_the_order_in_which_they_run():
    trace = []
    app = flask_with_hooks(trace)
    assert app.test_client().get("/").text == "ok"
    listed = [node.name.split(" ")[0] for node in describe(app).walk() if node.kind == "hook"]
    assert listed == trace
    assert len(trace) == 18


def test_hooks_tell_where_they_are_defined_and_for_whom():
    text = str(describe(flask_with_hooks([])))
    assert "before each request" in text
    assert ", blueprint outer.inner\n" in text
    node = next(node for node in describe(flask_with_hooks([])).walk() if node.kind == "hook")
    assert node.source == f"tests/middleware/test_describe.py:{flask_with_hooks.__code__.co_firstlineno + 8}"


def test_hooks_stand_after_the_layers_and_before_the_way_out():
    app = flask_with_hooks([])
    app.wsgi_app = RequestID(app.wsgi_app)
    titles = [line for line in str(describe(app)).splitlines() if not line.startswith(" ")]
    assert titles == [
        "the way in", "app Flask 'shop'", "before each request", "after each request",
        "when the request is torn down", "the way out",
    ]  # fmt: skip


def test_describing_changes_nothing():
    app = Flask("shop")
    app.wsgi_app = Stack(app.wsgi_app, [RequestID()])
    first = str(describe(app))
    assert call(app.wsgi_app).status == "404 NOT FOUND"
    assert str(describe(app)) == first


def test_what_has_no_name_is_shown_by_its_class():
    class Application:
        def __call__(self, environ, start_response):
            return ok(environ, start_response)

    assert kinds(Plain(Application())) == [("layer", "Plain()"), ("app", "Application")]


def test_node_can_be_walked():
    root = describe(Stack(ok, [RequestID(), ServerTiming()]))
    assert [node.kind for node in root.walk()] == [
        "part", "part", "layer", "layer", "app", "part", "phase", "phase",
    ]  # fmt: skip
    assert [node.detail for node in root.walk() if node.kind == "layer"] == [RequestID.does, ServerTiming.does]


@pytest.mark.parametrize("value", [None, 7, "app", []], ids=repr)
def test_what_is_no_app_has_no_layers(value):
    assert [node for node in describe(value).walk() if node.kind == "layer"] == []


def test_tree_is_data_too():
    app = flask_with_hooks([])
    app.wsgi_app = RequestID(app.wsgi_app)

    @app.teardown_appcontext
    def close(error): ...

    @app.url_value_preprocessor
    def read(endpoint, values): ...

    tree = json.loads(json.dumps(describe(app).as_dict()))
    parts = {part["name"]: part.get("children", []) for part in tree["children"]}
    assert parts["the way in"] == [{"kind": "layer", "name": "RequestID()", "detail": "names the request"}]
    assert parts["Flask 'shop'"] == []
    (row,) = parts["when the app context is torn down"]
    assert (row["kind"], row["name"]) == ("hook", "test_tree_is_data_too.close")
    assert row["source"] == f"tests/middleware/test_describe.py:{close.__code__.co_firstlineno}"
    assert list(parts).index("when the URL is matched") < list(parts).index("before each request")
    assert [row.get("detail") for row in parts["before each request"]] == [
        None, None, "blueprint outer", "blueprint outer", "blueprint outer.inner", "blueprint outer.inner",
    ]  # fmt: skip


def test_source_is_that_of_the_function_inside():
    app = Flask("shop")

    def hook(number): ...

    @functools.wraps(hook)
    def around(): ...

    class Hook:
        def __call__(self): ...

        def method(self): ...

    for function in (functools.partial(hook, 1), around, Hook(), Hook().method, id):
        app.before_request(function)
    here = "tests/middleware/test_describe.py"
    lines = [f.__code__.co_firstlineno for f in (hook, hook, Hook.__call__, Hook.method)]
    sources = [node.source for node in describe(app).walk() if node.kind == "hook"]
    assert sources == [*(f"{here}:{line}" for line in lines), ""]
