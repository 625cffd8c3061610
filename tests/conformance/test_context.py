"""``current_exchange()``: set around the app's call, each ``next`` and ``close``, and nothing in between or after."""

import contextvars
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.coats import COATS, Stranger
from support.wsgi import call, make_environ

from overcoat.middleware import Layer, RequestID, RequestLog, SecurityHeaders, Stack, current_exchange

coats = pytest.mark.parametrize("coat", COATS, ids=[coat.name for coat in COATS])


def nothing(status, headers, exc_info=None): ...


class Watched:
    """A body that writes down the current exchange at each step."""

    def __init__(self, seen):
        self.seen = seen
        self.left = 2

    def __iter__(self):
        self.seen.append(("iter", current_exchange()))
        return self

    def __next__(self):
        self.seen.append(("next", current_exchange()))
        self.left -= 1
        if self.left < 0:
            raise StopIteration
        return b"ab"

    def close(self):
        self.seen.append(("close", current_exchange()))


@pytest.mark.parametrize("segments", [1, 2], ids=["one-segment", "two-segments"])
def test_exchange_is_current_in_every_step_and_nowhere_else(segments):
    seen, between = [], []

    def app(environ, start_response):
        seen.append(("call", current_exchange()))
        start_response("200 OK", [])
        return Watched(seen)

    class Finishes(Layer):
        def on_finish(self, exchange):
            seen.append(("on_finish", current_exchange()))

    stack = Stack(app, [RequestLog(to=lambda record: None), *([Stranger] if segments == 2 else []), Finishes()])
    body = stack(make_environ(), nothing)
    between.append(current_exchange())
    between.extend(current_exchange() for _ in body)
    between.append(current_exchange())
    body.close()
    between.append(current_exchange())
    assert [step for step, _ in seen] == ["call", "iter", "next", "next", "next", "close", "on_finish"]
    assert len({id(exchange) for _, exchange in seen}) == 1
    assert seen[0][1] is not None
    assert between == [None] * 5


@pytest.mark.parametrize("raises_in", ["call", "next", "close"])
def test_nothing_is_left_set_after_an_error(raises_in):
    class Raises(Watched):
        def __next__(self):
            if raises_in == "next":
                raise ValueError
            return super().__next__()

        def close(self):
            if raises_in == "close":
                raise ValueError

    def app(environ, start_response):
        start_response("200 OK", [])
        if raises_in == "call":
            raise ValueError
        return Raises([])

    call(RequestLog(app, to=lambda record: None))
    assert current_exchange() is None


def test_the_outer_exchange_comes_back_by_value():
    """An app that calls another wrapped app inside its own request, as a test client in a view does."""
    inside = []

    def inner(environ, start_response):
        inside.append(current_exchange())
        start_response("200 OK", [])
        return [b"inner"]

    def outer(environ, start_response):
        mine = current_exchange()
        seen = call(RequestLog(inner, to=lambda record: None), PATH_INFO="/inner")
        assert current_exchange() is mine
        assert inside[0] is not mine
        start_response("200 OK", [])
        return [seen.body]

    seen = call(RequestLog(outer, to=lambda record: None))
    assert (seen.error, seen.body) == (None, b"inner")


def test_each_step_in_a_context_and_thread_of_its_own():
    seen = []

    def app(environ, start_response):
        seen.append(("call", current_exchange()))
        start_response("200 OK", [])
        return Watched(seen)

    records = []
    body = contextvars.Context().run(RequestLog(app, to=records.append), make_environ(), nothing)
    iterator = iter(body)
    for step in (lambda: next(iterator), lambda: next(iterator), lambda: list(iterator), body.close):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(step).result()
    assert len({id(exchange) for _, exchange in seen}) == 1
    assert records[0]["outcome"] == "complete"
    assert current_exchange() is None


# The end of the exchange, and what asks to be told of it.


LAYERS = {
    "headers-only": lambda: [RequestID()],
    "log": lambda: [RequestLog(to=lambda record: None)],
    "headers-outside-of-a-log": lambda: [RequestID(), Stranger, RequestLog(to=lambda record: None)],
    "log-outside-of-headers": lambda: [RequestLog(to=lambda record: None), Stranger, SecurityHeaders()],
    "two-of-headers": lambda: [RequestID(), Stranger, SecurityHeaders()],
}

FOLLOWED = {name: layers for name, layers in LAYERS.items() if "log" in name}


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
@pytest.mark.parametrize(
    ("how", "outcome"), [("list", "complete"), ("stream", "complete"), ("raise", "failed"), ("raise-later", "failed")]
)
def test_callback_from_the_call_runs_once_at_the_end(how, outcome, layers):
    trace = []

    def stream():
        yield b"ab"
        trace.append("streamed")
        if how == "raise-later":
            raise ValueError("in the stream")

    def app(environ, start_response):
        current_exchange().call_on_finish(lambda exchange: trace.append(exchange.outcome))
        current_exchange().call_on_finish(lambda exchange: trace.append("last one first"))
        start_response("200 OK", [])
        if how == "raise":
            raise ValueError("in the call")
        return [b"ab"] if how == "list" else stream()

    call(Stack(app, layers()))
    assert [entry for entry in trace if entry != "streamed"] == ["last one first", outcome]
    assert trace[0] == "streamed" or "streamed" not in trace


@pytest.mark.parametrize("layers", FOLLOWED.values(), ids=FOLLOWED)
def test_callback_from_a_followed_stream_runs_at_the_end(layers):
    trace = []

    def app(environ, start_response):
        start_response("200 OK", [])
        current_exchange().call_on_finish(lambda exchange: trace.append(exchange.outcome))
        yield b"ab"
        trace.append("streamed")

    call(Stack(app, layers()))
    assert trace == ["streamed", "complete"]


def test_error_in_a_callback_breaks_nothing(caplog):
    records = []

    def fails(exchange):
        raise ValueError("in the callback")

    def app(environ, start_response):
        current_exchange().call_on_finish(fails)
        start_response("200 OK", [])
        return [b"ab"]

    assert call(RequestLog(app, to=records.append)).error is None
    assert len(records) == 1
    assert "fails" in caplog.text
