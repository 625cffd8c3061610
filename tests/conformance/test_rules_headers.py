"""The protocol rule about headers: nothing that we add splits a response, lists stay lists, Vary is merged."""

import pytest
from support.wsgi import call, make_environ, serve

from overcoat.middleware import Exchange, Layer, RequestLog, current_exchange

setters = pytest.mark.parametrize("method", ["add_header", "set_header"])


def started(headers=()) -> Exchange:
    """An exchange whose response has started."""
    exchange = Exchange({})
    exchange.headers = list(headers)
    return exchange


@setters
@pytest.mark.parametrize("value", ["a\r\nB: c", "a\n", "\r", "a\0b"], ids=repr)
def test_value_that_would_split_is_refused(method, value):
    exchange = started([("X-A", "kept")])
    with pytest.raises(ValueError, match="would split the response") as raised:
        getattr(exchange, method)("X-B", value)
    assert repr(value) in str(raised.value)
    assert exchange.headers == [("X-A", "kept")]


@setters
@pytest.mark.parametrize("value", ["", "plain", "caf\xe9", "tab\tinside", "\x7f"], ids=repr)
def test_value_that_is_harmless_is_taken(method, value):
    exchange = started()
    getattr(exchange, method)("X-A", value)
    assert exchange.headers == [("X-A", value)]


@pytest.mark.parametrize(
    "edit",
    [lambda e: e.add_header("A", "b"), lambda e: e.set_header("A", "b"), lambda e: e.vary("A")],
    ids=["add_header", "set_header", "vary"],
)
def test_headers_before_the_response_are_an_error_that_says_where(edit):
    """Silently lost would be worse: a layer that does it in on_request learns the phase that it wants."""

    class Early(Layer):
        def on_request(self, exchange):
            assert list(exchange.headers) == []
            edit(exchange)

    seen = call(Early(pytest.fail))
    assert type(seen.error) is RuntimeError
    assert "on_headers" in str(seen.error)
    assert list(Exchange({}).headers) == []


@pytest.mark.parametrize(
    ("headers", "names", "expected"),
    [
        ([], ["Origin"], [("Vary", "Origin")]),
        ([("vary", "Cookie")], ["Origin"], [("Vary", "Cookie, Origin")]),
        ([("Vary", "origin")], ["Origin"], [("Vary", "origin")]),
        ([("Vary", "*")], ["Origin"], [("Vary", "*")]),
        ([("Vary", "Cookie"), ("Vary", "Accept")], ["Origin"], [("Vary", "Cookie, Accept, Origin")]),
        ([("Vary", " Cookie ,, \tAccept")], ["accept", "Origin"], [("Vary", "Cookie, Accept, Origin")]),
        ([("Vary", "")], ["Origin"], [("Vary", "Origin")]),
        ([("Set-Cookie", "a"), ("B", "b")], ["A"], [("Set-Cookie", "a"), ("B", "b"), ("Vary", "A")]),
    ],
    ids=["none", "one", "known", "star", "two-lines", "odd-spaces", "empty", "beside-others"],
)
def test_vary_is_merged(headers, names, expected):
    exchange = started(headers)
    exchange.vary(*names)
    assert exchange.headers == expected


def test_every_set_cookie_survives_what_layers_do():
    class Sets(Layer):
        def on_headers(self, exchange):
            exchange.set_header("X-One", "new")
            exchange.add_header("Set-Cookie", "c=3")
            exchange.vary("Cookie")

    def app(environ, start_response):
        start_response("200 OK", [("Set-Cookie", "a=1"), ("x-one", "old"), ("Set-Cookie", "b=2"), ("X-ONE", "older")])
        return []

    seen = call(Sets(app))
    assert seen.header("Set-Cookie") == ["a=1", "b=2", "c=3"]
    assert seen.header("X-One") == ["new"]


def test_exchange_knows_the_request_as_it_came():
    inside = []

    def app(environ, start_response):
        environ.update(REQUEST_METHOD="CHANGED", PATH_INFO="/changed", QUERY_STRING="changed", REMOTE_ADDR="changed")
        exchange = current_exchange()
        inside.append((exchange.method, exchange.path, exchange.query, exchange.peer))
        start_response("200 OK", [])
        return []

    serve(RequestLog(app, to=lambda record: None), make_environ(PATH_INFO="/caf\xc3\xa9", QUERY_STRING="a=1"))
    assert inside == [("GET", "/café", "a=1", "127.0.0.1")]
