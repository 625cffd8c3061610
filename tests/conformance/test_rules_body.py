"""The protocol rules about bodies: lists, carriers, ``close``, files, and the iterable that is returned as it is."""

import io
from wsgiref.handlers import SimpleHandler

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


def logged(body, **environ):
    """The body as a server gets it through a log, and the list that the record will be in."""
    records = []
    return RequestLog(app_of(body), to=records.append)(make_environ(**environ), nothing), records


# Rule 4: an exact list or tuple stays a list; anything else is carried, without a length.


@pytest.mark.parametrize("body", [[b"ab", b"cd"], (b"ab",), [], ()], ids=repr)
def test_list_keeps_its_length_and_its_content(body):
    held, records = logged(body)
    assert isinstance(held, list)
    assert (len(held), list.copy(held), bool(held)) == (len(body), list(body), bool(body))
    assert list(held) == list(body)
    held.close()
    assert (records[0]["response_bytes"], records[0]["outcome"]) == (sum(map(len, body)), "complete")


def test_list_read_twice_is_sent_once():
    held, records = logged([b"ab", b"cd"])
    assert sum(len(chunk) for chunk in held) == 4
    assert b"".join(held) == b"abcd"
    held.close()
    assert (records[0]["response_bytes"], records[0]["outcome"]) == (4, "complete")


def test_list_measured_whole_and_then_left():
    held, records = logged([b"ab", b"cd"])
    assert sum(len(chunk) for chunk in held) == 4
    next(iter(held))
    held.close()
    assert (records[0]["response_bytes"], records[0]["outcome"]) == (2, "aborted")


def test_server_lets_go_of_a_list_without_a_close():
    """granian joins a list and never closes it: the end is when it is dropped, and comes once."""
    held, records = logged([b"ab", b"cd"])
    assert b"".join(held) == b"abcd"
    assert records == []
    del held
    assert [(record["response_bytes"], record["outcome"]) for record in records] == [(4, "complete")]
    held, records = logged([b"ab"])
    held.close()
    del held
    assert len(records) == 1


def test_the_apps_list_is_not_touched():
    own = [b"ab"]
    held, _ = logged(own)
    assert held is not own
    held.append(b"cd")
    held.close()
    assert own == [b"ab"]


def test_wsgiref_infers_the_content_length():
    """wsgiref asks ``len()`` of the result, as waitress does."""
    out = io.BytesIO()
    environ = make_environ()
    handler = SimpleHandler(environ["wsgi.input"], out, environ["wsgi.errors"], environ)
    handler.run(Stack(app_of([b"hello"]), [RequestID(), RequestLog(to=lambda record: None)]))
    assert b"Content-Length: 5\r\n" in out.getvalue()
    assert out.getvalue().endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize(
    "body",
    [iter([b"ab"]), (chunk for chunk in [b"ab"]), {b"ab": 1}, type("Chunks", (list,), {})([b"ab"])],
    ids=["iterator", "generator", "dict", "list-subclass"],
)
def test_anything_else_is_carried(body):
    carried, records = logged(body)
    assert not hasattr(carried, "__len__")
    assert list(carried) == [b"ab"]
    carried.close()
    assert (records[0]["response_bytes"], records[0]["outcome"]) == (2, "complete")


def test_empty_carrier_is_true():
    """A server that asks ``if result:`` must not lose the ``close``."""
    carried, _ = logged(iter(()))
    assert carried
    carried.close()


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
