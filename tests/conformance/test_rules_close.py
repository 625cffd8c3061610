"""The protocol rules about the end: ``close`` once, then ``on_finish``; and bodies that are returned as they are."""

import io

import pytest
from support.client import Client
from support.server import Server
from support.wsgi import FileWrapper, call, make_environ

from overcoat.middleware import Layer, RequestID, RequestLog, SecurityHeaders, Stack


def nothing(status, headers, exc_info=None):
    """A start_response for those who look at the body alone."""


def app_of(body):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return body

    return app


# Rule 5: close is the iterable's own, exactly once, and then on_finish.


class Closes:
    def __init__(self, trace, *chunks, error=None):
        self.trace, self.chunks, self.error = trace, chunks, error

    def __iter__(self):
        for chunk in self.chunks:
            if isinstance(chunk, BaseException):
                raise chunk
            yield chunk

    def close(self):
        self.trace.append("close")
        if self.error is not None:
            raise self.error


class Ends(Layer):
    def __init__(self, app=None, *, trace, error=None, **options):
        self.trace, self.error = trace, error
        super().__init__(app, **options)

    def on_finish(self, exchange):
        self.trace.append(exchange.outcome)
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize(
    ("chunks", "client", "outcome"),
    [
        ([b"ab", b"cd"], Client("all"), "complete"),
        ([b"ab", b"cd"], Client("unread", leaves_after=0), "aborted"),
        ([b"ab", b"cd"], Client("left", leaves_after=1), "aborted"),
        ([b"ab", b"cd"], Client("broken", breaks_at=2), "aborted"),
        ([b"ab", b"cd"], Client("twice", closes=2), "complete"),
        ([b"ab", ValueError("mid-stream")], Client("all"), "failed"),
        ([b"ab", SystemExit(1)], Client("all"), "failed"),
        ([ValueError("at once")], Client("unread", leaves_after=0), "aborted"),
    ],
    ids=["read", "unread", "left", "broken", "closed-twice", "error", "exit", "error-unread"],
)
def test_close_comes_once_and_then_the_end(chunks, client, outcome):
    trace = []
    call(Ends(app_of(Closes(trace, *chunks)), trace=trace), client=client)
    assert trace == ["close", outcome]


def test_error_in_close_reaches_the_server_after_the_end():
    trace = []
    seen = call(Ends(app_of(Closes(trace, b"ab", error=ValueError("close"))), trace=trace))
    assert (trace, seen.where, str(seen.error)) == (["close", "failed"], "close", "close")


def test_error_at_the_end_is_logged_and_the_others_run(caplog):
    trace = []
    layers = [Ends(trace=trace), Ends(trace=trace, error=ValueError("at the end")), Ends(trace=trace)]
    seen = call(Stack(app_of([b"ab"]), layers))
    assert (seen.error, seen.body, trace) == (None, b"ab", ["complete"] * 3)
    (entry,) = [entry for entry in caplog.records if entry.name == "overcoat"]
    assert "Ends.on_finish" in entry.getMessage()
    assert str(entry.exc_info[1]) == "at the end"


def test_exit_at_the_end_goes_on_after_the_others():
    trace = []
    seen = call(Stack(app_of([b"ab"]), [Ends(trace=trace), Ends(trace=trace, error=SystemExit(3))]))
    assert (type(seen.error), seen.where, trace) == (SystemExit, "close", ["complete"] * 2)


def test_app_that_raises_in_its_call_ends_without_a_close():
    trace = []

    def app(environ, start_response):
        raise ValueError("in the call")

    seen = call(Ends(app, trace=trace))
    assert (trace, seen.where) == (["failed"], "call")


# Rule 7: where no layer needs the body's end, the app's own iterable is returned.


BODIES = [[b"ab"], (b"ab",), iter([b"ab"]), FileWrapper(io.BytesIO(b"ab"))]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
@pytest.mark.parametrize("layers", [[], [RequestID], [RequestID, SecurityHeaders]], ids=len)
def test_headers_only_return_the_very_iterable(layers, body):
    assert Stack(app_of(body), [layer() for layer in layers])(make_environ(), nothing) is body


def test_skipped_log_returns_the_very_iterable():
    body = iter([b"ab"])
    log = RequestLog(app_of(body), to=lambda record: None, skip="/healthz")
    assert log(make_environ(PATH_INFO="/healthz"), nothing) is body
    assert log(make_environ(PATH_INFO="/"), nothing) is not body


def test_early_answer_of_an_outer_layer_is_not_carried_for_an_inner_one():
    body = [b"early"]

    class Answers(Layer):
        def on_request(self, exchange):
            return app_of(body)

    stack = Stack(app_of([b"late"]), [Answers(), RequestLog(to=pytest.fail)])
    assert stack(make_environ(), nothing) is body


# Rule 9: the first chunk leaves before the second is made.


def test_each_chunk_leaves_before_the_next_is_made():
    events = []

    class Sends(Server):
        def send(self, data):
            events.append(("sent", data))
            super().send(data)

    def app(environ, start_response):
        start_response("200 OK", [])
        for number in range(3):
            events.append(("made", number))
            yield b"%d" % number

    layers = [RequestID(), RequestLog(to=lambda record: None), SecurityHeaders()]
    Sends().serve(Stack(app, layers), make_environ())
    in_turn = [event for number in range(3) for event in (("made", number), ("sent", b"%d" % number))]
    assert events == [*in_turn, ("sent", b"")]
