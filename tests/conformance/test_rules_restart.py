"""The protocol rule about a second ``start_response``: with ``exc_info``, without it, and after the first byte."""

import sys

import pytest
from support.wsgi import call, make_environ

from overcoat.middleware import Layer, RequestLog, Stack

TEXT = ("Content-Type", "text/plain")


class Marks(Layer):
    """Adds one header, counts its calls; follows the body if asked to."""

    def __init__(self, app=None, *, follows=False, **options):
        self.calls = 0
        if not follows:
            self.on_finish = None
        super().__init__(app, **options)

    def on_headers(self, exchange):
        self.calls += 1
        exchange.add_header("X-Mark", str(self.calls))

    def on_finish(self, exchange): ...


follows = pytest.mark.parametrize("follows", [False, True], ids=["headers-only", "follows-the-body"])


@follows
def test_second_start_with_exc_info_adds_nothing_twice(follows):
    def app(environ, start_response):
        start_response("200 OK", [TEXT])
        try:
            raise ValueError("late")
        except ValueError:
            start_response("500 OOPS", [TEXT], sys.exc_info())
        return [b"error page"]

    seen = call(Marks(app, follows=follows))
    assert (seen.status, seen.headers, seen.exc_info) == ("500 OOPS", [TEXT, ("X-Mark", "2")], ValueError)
    assert seen.body == b"error page"


def test_log_tells_the_status_of_the_last_start():
    def app(environ, start_response):
        start_response("200 OK", [TEXT])
        try:
            raise ValueError("late")
        except ValueError:
            start_response("500 OOPS", [TEXT], sys.exc_info())
        return [b"error page"]

    records = []
    call(RequestLog(app, to=records.append))
    assert (records[0]["status"], records[0]["outcome"], records[0]["level"]) == (500, "complete", "error")


@follows
def test_second_start_that_the_server_refuses_leaves_the_first_standing(follows):
    def app(environ, start_response):
        start_response("200 OK", [TEXT])
        with pytest.raises(AssertionError, match="twice"):
            start_response("201 CREATED", [("X-Other", "1")])
        return [b"ab"]

    ended = []

    class Ends(Layer):
        def on_finish(self, exchange):
            ended.append((exchange.status, exchange.headers[0], exchange.outcome))

    seen = call(Stack(app, [Ends(), Marks(follows=follows)]))
    assert (seen.status, seen.body) == ("200 OK", b"ab")
    assert ended == [("200 OK", TEXT, "complete")]


@follows
def test_exc_info_after_the_first_byte_is_raised_again_by_the_server(follows):
    error = ValueError("too late")

    def app(environ, start_response):
        start_response("200 OK", [TEXT])
        yield b"ab"
        try:
            raise error
        except ValueError:
            start_response("500 OOPS", [TEXT], sys.exc_info())

    seen = call(Marks(app, follows=follows))
    assert (seen.status, seen.body) == ("200 OK", b"ab")
    assert seen.error is error


@pytest.mark.parametrize("given", [None, (), (None, None, None)], ids=["None", "empty", "nothing-handled"])
@follows
def test_exc_info_that_is_none(given, follows):
    """``sys.exc_info()`` outside a handler is a tuple of three Nones; some apps always pass it."""

    def app(environ, start_response):
        start_response("200 OK", [TEXT], given)
        return [b"ab"]

    seen = call(Marks(app, follows=follows))
    assert (seen.status, seen.body, seen.error) == ("200 OK", b"ab", None)


@follows
def test_second_start_with_headers_that_are_no_list(follows):
    """It goes to the server untouched, ``exc_info`` with it."""
    calls = []

    def server(*args):
        calls.append(args)
        return lambda data: None

    def app(environ, start_response):
        start_response("200 OK", [TEXT])
        try:
            raise ValueError("late")
        except ValueError:
            start_response("500 OOPS", (TEXT,), sys.exc_info())
        return []

    marks = Marks(app, follows=follows)
    marks(make_environ(), server)
    assert marks.calls == 1
    assert (calls[1][:2], calls[1][2][0]) == (("500 OOPS", (TEXT,)), ValueError)
