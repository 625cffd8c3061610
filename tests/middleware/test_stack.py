import functools

import pytest
from flask import Flask
from support.apps import ok
from support.coats import Stranger
from support.wsgi import call

from overcoat.middleware import Layer, ProxyFix, RequestID, RequestLog, SecurityHeaders, ServerTiming, Stack


class Mark(Layer):
    """A layer that leaves a mark."""

    def __init__(self, app=None, *, name="a", **options):
        self.name = name
        super().__init__(app, **options)

    def on_headers(self, exchange):
        exchange.add_header("X-Mark", self.name)


class Adds(Stranger):
    """Somebody else's middleware that leaves a mark."""

    def __init__(self, app, name="stranger"):
        super().__init__(app)
        self.name = name

    def __call__(self, environ, start_response):
        def started(status, headers, *rest):
            return start_response(status, [*headers, ("X-Mark", self.name)], *rest)

        return self.app(environ, started)


_used = Mark()
Stack(ok, [_used])
_twice = Mark()


def foreign_that_returns(value):
    def foreign(app):
        return value

    return foreign


WRONG = {
    "a class": ([RequestID], r"Stack: RequestID is a class: write RequestID\(\) with its parentheses"),
    "a layer that wraps": ([RequestID(ok)], r"Stack: RequestID\(.*\) wraps an app already: give it here without one"),
    "a stack": ([Stack(ok, [RequestID()])], "Stack: Stack.* wraps an app already"),
    "the same twice": ([_twice, _twice], r"Stack: Mark\(\) stands twice in the list: make one for each place"),
    "of another stack": ([_used], r"Stack: Mark\(\) is part of another stack: make one for each, Mark\(...\)"),
    "text": (["RequestID"], "Stack: 'RequestID' is neither a layer nor a callable from app to app"),
    "None": ([RequestID(), None], "Stack: None is neither a layer nor a callable"),
    "a layer, not a list": (RequestID(), r"Stack: layers=RequestID\(\).*\[RequestID\(\)\]"),
    "a callable, not a list": (Stranger, r"Stack: layers=.*Stranger.*list"),
    "no list at all": (None, "Stack: layers=None.*list"),
    "text for a list": ("RequestID", "Stack: "),
    "a foreign one that returns nothing": ([foreign_that_returns(None)], "what .*foreign.* returned.*app=None is no"),
    "a foreign one that returns a framework": ([foreign_that_returns(Flask("shop"))], "returned.*has a wsgi_app"),
}  # fmt: skip


@pytest.mark.parametrize(("layers", "message"), WRONG.values(), ids=WRONG)
def test_wrong_list(layers, message):
    with pytest.raises(ValueError, match=message):
        Stack(ok, layers)


WRONG_APPS = {
    "a Flask object": (Flask("shop"), r"Stack: app=<Flask 'shop'> has a wsgi_app.*app.wsgi_app = Stack\(app.wsgi_app"),
    "a layer class": (RequestID, "Stack: app=RequestID is a class"),
    "a part": (RequestID(), r"Stack: app=RequestID\(\) is a part and wraps no app"),
    "None": (None, "Stack: app=None is no WSGI application"),
    "the list first": ([RequestID()], r"Stack: app=\[RequestID\(\)\] is no WSGI application"),
}


@pytest.mark.parametrize(("app", "message"), WRONG_APPS.values(), ids=WRONG_APPS)
def test_wrong_app(app, message):
    with pytest.raises(ValueError, match=message):
        Stack(app, [RequestID()])


@pytest.mark.parametrize("option", ["order", "name", "skip"])
def test_unknown_option(option):
    with pytest.raises((TypeError, ValueError), match=option):
        Stack(ok, [], **{option: 1})


def test_what_failed_can_be_used_again():
    """A stack that was refused has not taken its parts."""
    part = RequestLog(to=lambda record: None)
    with pytest.raises(ValueError, match="RequestID must stand outside RequestLog"):
        Stack(ok, [part, RequestID()])
    assert call(Stack(ok, [RequestID(), part])).status == "200 OK"


def test_the_list_reads_from_the_outside_in():
    assert call(Stack(ok, [Mark(name="1"), Mark(name="2"), Mark(name="3")])).header("X-Mark") == ["3", "2", "1"]


STRANGE = {
    "first": ([Adds, Mark(name="1"), Mark(name="2")], ["2", "1", "stranger"]),
    "last": ([Mark(name="1"), Mark(name="2"), Adds], ["stranger", "2", "1"]),
    "between": ([Mark(name="1"), Adds, Mark(name="2")], ["2", "stranger", "1"]),
    "alone": ([Adds], ["stranger"]),
    "two": ([Adds, functools.partial(Adds, name="other")], ["other", "stranger"]),
    "a partial": ([Mark(name="1"), functools.partial(Adds, name="other")], ["other", "1"]),
}


@pytest.mark.parametrize(("layers", "marks"), STRANGE.values(), ids=STRANGE)
def test_other_middleware_in_its_place(layers, marks):
    assert call(Stack(ok, layers)).header("X-Mark") == marks


@pytest.mark.parametrize("kind", [list, tuple, iter], ids=lambda kind: kind.__name__)
def test_any_iterable_of_layers(kind):
    assert call(Stack(ok, kind([Mark(), Mark()]))).header("X-Mark") == ["a", "a"]


def test_empty_stack_is_the_app():
    body = [b"ok"]

    def app(environ, start_response):
        start_response("200 OK", [])
        return body

    assert call(Stack(app, [])).result is body


def test_stack_around_a_stack_joins_it():
    inner = Stack(ok, [Mark(name="2"), Mark(name="1")])
    outer = Stack(inner, [Mark(name="4"), Mark(name="3")])
    assert [layer.name for layer in outer.layers] == ["4", "3", "2", "1"]
    assert call(outer).header("X-Mark") == ["1", "2", "3", "4"]
    assert call(inner).header("X-Mark") == ["1", "2"]


def test_layers_are_those_of_the_outermost_segment():
    stack = Stack(ok, [Mark(name="1"), Adds, Mark(name="2")])
    assert [layer.name for layer in stack.layers] == ["1"]
    assert stack.app is ok


def test_repr_shows_app_and_layers():
    assert repr(Stack(ok, [RequestID(), ServerTiming(expose="all")])).endswith(
        "[RequestID(), ServerTiming(expose='all')])"
    )


def test_the_example_of_the_readme_on_flask():
    app = Flask("shop")
    app.route("/item/<int:item_id>")(lambda item_id: f"item {item_id}")
    records = []
    app.wsgi_app = Stack(
        app.wsgi_app,
        [
            ProxyFix(trusted=["127.0.0.1", "::1", "unix:"]),
            RequestID(),
            RequestLog(to=records.append),
            ServerTiming(),
            SecurityHeaders(),
        ],
    )
    response = app.test_client().get("/item/7", headers={"X-Forwarded-For": "192.0.2.7"}, buffered=True)
    assert (response.status_code, response.text) == (200, "item 7")
    (record,) = records
    assert (record["route"], record["client"]) == ("/item/<int:item_id>", "192.0.2.7")
    assert response.headers["X-Request-ID"] == record["request_id"]
    assert "total;dur=" in response.headers["Server-Timing"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
