import functools

import pytest
from flask import Flask
from support.apps import ok
from support.coats import REQUIRED, layer_classes
from support.wsgi import call, make_environ

from overcoat.middleware import (
    Exchange,
    Layer,
    Mount,
    ProxyFix,
    RequestID,
    RequestLog,
    SecurityHeaders,
    ServerTiming,
    Stack,
)


class Mark(Layer):
    """A layer that leaves a mark."""

    def __init__(self, app=None, *, colour="red", **options):
        self.colour = colour
        super().__init__(app, **options)

    def on_headers(self, exchange):
        exchange.add_header("X-Mark", self.colour)


class Named:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name


WRONG_APPS = {
    "a Flask object": (Flask("shop"), r"Mark: app=<Flask 'shop'> has a wsgi_app.*app.wsgi_app = Mark\(app.wsgi_app"),
    "its class": (Flask, "Mark: app=.*Flask.* has a wsgi_app"),
    "a layer class": (RequestID, r"Mark: app=RequestID is a class: write RequestID\(app.wsgi_app\)"),
    "the stack class": (Stack, "Mark: app=Stack is a class"),
    "a part": (RequestID(), r"Mark: app=RequestID\(\) is a part and wraps no app: write Stack\(app, \[Mark\("),
    "a number": (0, "Mark: app=0 is no WSGI application: give a callable"),
    "text": ("shop:app", "Mark: app='shop:app' is no WSGI application"),
    "a list": ([ok], "is no WSGI application"),
}  # fmt: skip


@pytest.mark.parametrize(("app", "message"), WRONG_APPS.values(), ids=WRONG_APPS)
def test_wrong_app(app, message):
    with pytest.raises(ValueError, match=message):
        Mark(app)


class Application:
    def __call__(self, environ, start_response):
        return ok(environ, start_response)


RIGHT_APPS = [ok, Flask("shop").wsgi_app, functools.partial(ok), Mark(ok), Stack(ok, [Mark()]), Application()]


@pytest.mark.parametrize("app", RIGHT_APPS, ids=["function", "method", "partial", "layer", "stack", "instance"])
def test_right_app(app):
    assert call(Mark(app)).status in {"200 OK", "404 NOT FOUND"}


def test_part_called_as_an_app_says_what_to_write():
    with pytest.raises(TypeError, match=r"Mark\(colour='blue'\) is a part and wraps no app: write Mark\(app.wsgi_app"):
        Mark(colour="blue")(make_environ(), lambda status, headers: None)


def test_part_knows_that_it_wraps_nothing():
    assert (Mark().app, Mark(ok).app) == (None, ok)


def test_the_base_class_does_nothing():
    seen = call(Layer(ok))
    assert seen.headers == call(ok).headers


# What an error message asks the reader to paste must mean the same again.

REPRS = {
    "none": RequestID(),
    "keywords": SecurityHeaders(preset="page", frame_options=None),
    "skip": Mark(skip=["/healthz", "/static/"]),
    "around an app": RequestID(ok, header="X-Trace"),
    "around an app by keyword": RequestID(app=ok, header="X-Trace"),
    "positional": ProxyFix(None, 2, 1),
    "positional around an app": ProxyFix(ok, 2, x_host=1),
    "list": ProxyFix(trusted=["10.0.0.0/8", "unix:"]),
    "without the check": ServerTiming(expose="all", check_order=False),
}


@pytest.mark.parametrize("layer", REPRS.values(), ids=REPRS)
def test_repr_can_be_pasted(layer):
    pasted = eval(repr(layer), {cls.__name__: cls for cls in [*layer_classes(), Mark]})
    assert pasted.app is None
    settings = {name for name, value in vars(layer).items() if isinstance(value, str | int | list | tuple)}
    for name in settings - {"_arguments"}:
        assert getattr(pasted, name) == getattr(layer, name), name


# Phases


@pytest.mark.parametrize("phase", ["on_request", "on_error", "on_headers", "on_finish"])
def test_phase_that_is_defined(phase):
    def method(self, *args):
        return None

    assert not Layer().defines(phase)
    assert type("One", (Layer,), {phase: method})().defines(phase)
    assert type("Below", (type("One", (Layer,), {phase: method}),), {})().defines(phase)
    off = type("One", (Layer,), {phase: method})()
    setattr(off, phase, None)
    assert not off.defines(phase)


def test_phases_come_in_their_order():
    trace = []

    class Tells(Layer):
        def __init__(self, app=None, *, name="", **options):
            self.name = name
            super().__init__(app, **options)

        def on_request(self, exchange):
            trace.append(f"{self.name} request")

        def on_headers(self, exchange):
            trace.append(f"{self.name} headers")

        def on_finish(self, exchange):
            trace.append(f"{self.name} finish")

    def app(environ, start_response):
        trace.append("app")
        return ok(environ, start_response)

    call(Tells(Tells(app, name="inner"), name="outer"))
    assert trace == [
        "outer request", "inner request", "app", "inner headers", "outer headers", "inner finish", "outer finish",
    ]  # fmt: skip


def test_answer_of_an_outer_layer_leaves_the_inner_ones_alone():
    class Answers(Layer):
        def on_request(self, exchange):
            return ok

    class Fails(Layer):
        on_request = on_headers = on_finish = on_error = lambda self, *args: pytest.fail("it was not entered")

    seen = call(Stack(lambda environ, start: pytest.fail("nor the app"), [Mark(), Answers(), Fails()]))
    assert (seen.status, seen.header("X-Mark")) == ("200 OK", ["red"])


def test_error_page_passes_the_headers_from_its_layer_outward():
    class Pages(Layer):
        def on_error(self, exchange, error):
            assert str(error) == "broken"
            return lambda environ, start: (start("500 SORRY", [("Content-Type", "text/plain")]) and []) or [b"sorry"]

    def broken(environ, start_response):
        start_response("200 OK", [("X-Half", "1")])
        raise ValueError("broken")

    seen = call(Stack(broken, [Mark(colour="outer"), Pages(), Mark(colour="inner")]))
    assert (seen.status, seen.body, seen.exc_info) == ("500 SORRY", b"sorry", ValueError)
    assert seen.headers == [("Content-Type", "text/plain"), ("X-Mark", "outer")]


@pytest.mark.parametrize("exit_", [SystemExit(1), KeyboardInterrupt("Ctrl-C"), GeneratorExit()], ids=repr)
def test_exits_are_never_offered(exit_):
    class Pages(Layer):
        def on_error(self, exchange, error):
            pytest.fail("an exit is no error")

    def leaves(environ, start_response):
        raise exit_

    assert call(Pages(leaves)).error is exit_


# Joining


def test_layer_around_a_layer_joins_it():
    inner = Mark(ok, colour="inner")
    outer = Mark(inner, colour="outer")
    assert [layer.colour for layer in outer._plans.layers] == ["outer", "inner"]
    assert outer._plans.inner is ok
    assert call(outer).header("X-Mark") == ["inner", "outer"]
    assert call(inner).header("X-Mark") == ["inner"]


def test_layer_around_a_stack_and_a_stack_around_a_layer_join():
    stack = Stack(Mark(ok, colour="1"), [Mark(colour="3"), Mark(colour="2")])
    assert call(Mark(stack, colour="4")).header("X-Mark") == ["1", "2", "3", "4"]
    assert len(Mark(stack)._plans.layers) == 4


def test_layer_that_was_joined_can_be_worn_by_another():
    inner = Mark(ok, colour="inner")
    assert call(Mark(inner, colour="a")).header("X-Mark") == ["inner", "a"]
    assert call(Mark(inner, colour="b")).header("X-Mark") == ["inner", "b"]


# State


@pytest.mark.parametrize("cls", layer_classes(), ids=lambda cls: cls.__name__)
def test_no_request_leaves_anything_on_the_layer(cls):
    options = {"to": lambda record: None} if cls is RequestLog else REQUIRED.get(cls.__name__, {})
    layer = cls(ok, **options)
    before = dict(vars(layer))
    for number in range(3):
        call(layer, PATH_INFO=f"/{number}", HTTP_X_REQUEST_ID="a", HTTP_X_FORWARDED_FOR="192.0.2.1")
    after = vars(layer)
    assert after.keys() == before.keys()
    assert all(after[name] is value for name, value in before.items())


@pytest.mark.parametrize("cls", [Layer, *layer_classes()], ids=lambda cls: cls.__name__)
def test_options_are_keywords(cls):
    assert cls.__doc__
    assert cls.does or cls is Layer
    if cls not in {ProxyFix, Mount}:
        with pytest.raises(TypeError, match="positional"):
            cls(None, "positional")


def test_exchange_is_what_layers_see():
    class Sees(Layer):
        def on_request(self, exchange):
            assert isinstance(exchange, Exchange)
            exchange.state["seen"] = True

        def on_finish(self, exchange):
            assert exchange.state == {"seen": True}

    assert call(Sees(ok)).status == "200 OK"


def misspelt():
    class Odd(Layer):
        def on_reqest(self, exchange): ...


def takes_nothing():
    class Odd(Layer):
        def on_request(self): ...


def takes_no_error():
    class Odd(Layer):
        def on_error(self, exchange): ...


def names_in_a_list():
    class Odd(Layer):
        inside = ["RequestLog"]


@pytest.mark.parametrize(
    ("define", "message"),
    [
        (misspelt, "Odd.on_reqest: there is no such phase; did you mean 'on_request'"),
        (takes_nothing, r"Odd.on_request\(self\) must take \(self, exchange\)"),
        (takes_no_error, r"must take \(self, exchange, error\)"),
        (names_in_a_list, "Odd.inside=.* must be a mapping from a layer's name to the reason"),
    ],
    ids=["misspelt", "takes nothing", "takes no error", "names in a list"],
)
def test_what_is_wrong_in_a_layer_class_is_said_at_the_class(define, message):
    with pytest.raises(TypeError, match=message):
        define()
