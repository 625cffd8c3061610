"""The protocol rules about ``start_response`` and ``write()``: the first and the third of the design."""

import pytest
from support.wsgi import call, make_environ

from overcoat.middleware import Layer, RequestID, RequestLog, SecurityHeaders, ServerTiming, Stack

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


class Refuses:
    """A server's ``start_response`` that takes what it gets and keeps it as it was."""

    def __init__(self, write=None):
        self.calls = []
        self.write = write

    def __call__(self, *args, **kwargs):
        self.calls.append((args, kwargs))
        return self.write


# Rule 1: the header list is copied, on_headers run, exc_info forwarded, write returned.


@follows
def test_header_list_is_copied(follows):
    own = [TEXT]
    server = Refuses()

    def app(environ, start_response):
        start_response("200 OK", own)
        return []

    Marks(app, follows=follows)(make_environ(), server)
    (args, kwargs), *rest = server.calls
    assert (args, kwargs, rest) == (("200 OK", [TEXT, ("X-Mark", "1")]), {}, [])
    assert type(args[1]) is list
    assert own == [TEXT]


def test_headers_keep_their_order_and_their_doubles():
    headers = [("Set-Cookie", "a=1"), ("B", "2"), ("set-cookie", "c=3"), ("Set-Cookie", "a=1")]

    def app(environ, start_response):
        start_response("200 OK", headers)
        return []

    worn = Stack(app, [RequestID(), ServerTiming(), SecurityHeaders()])
    assert call(worn).headers[:4] == headers


NO_LISTS = [(TEXT,), None, {"a": "b"}, iter([TEXT]), type("Headers", (list,), {})([TEXT]), "text"]


@pytest.mark.parametrize("given", NO_LISTS, ids=lambda given: type(given).__name__)
@follows
def test_what_is_no_list_goes_to_the_server_untouched(given, follows):
    server = Refuses()

    def app(environ, start_response):
        start_response("200 OK", given)
        return []

    marks = Marks(app, follows=follows)
    marks(make_environ(), server)
    assert server.calls[0][0][1] is given
    assert marks.calls == 0


@follows
def test_the_servers_write_is_returned(follows):
    sent = []

    def app(environ, start_response):
        write = start_response("200 OK", [TEXT])
        assert callable(write)
        assert write(b"ab") is None
        return []

    Marks(app, follows=follows)(make_environ(), Refuses(sent.append))
    assert sent == [b"ab"]


def test_write_is_the_servers_own_where_nobody_counts():
    kept = []

    def app(environ, start_response):
        kept.append(start_response("200 OK", [TEXT]))
        return []

    server = Refuses(write=lambda data: None)
    Marks(app)(make_environ(), server)
    assert kept == [server.write]


@pytest.mark.parametrize(
    ("written", "body", "expected"),
    [
        ([b"ab"], [], 2),
        ([b"ab"], [b"cde"], 5),
        ([b"ab"], (b"cde",), 5),
        ([b"a", b"", b"b"], [b"", b"c"], 3),
        ([], [], 0),
    ],
    ids=["alone", "then-a-list", "then-a-tuple", "with-empty-ones", "none"],
)
def test_written_bytes_are_counted(written, body, expected):
    def app(environ, start_response):
        write = start_response("200 OK", [TEXT])
        for data in written:
            write(data)
        return body

    records = []
    call(RequestLog(app, to=records.append))
    assert (records[0]["response_bytes"], records[0]["outcome"]) == (expected, "complete")


# Rule 3: start_response may come late, or never.


@follows
def test_start_in_the_first_next(follows):
    def app(environ, start_response):
        yield b""
        start_response("201 CREATED", [TEXT])
        yield b"ab"

    seen = call(Marks(app, follows=follows))
    assert (seen.status, seen.headers, seen.body) == ("201 CREATED", [TEXT, ("X-Mark", "1")], b"ab")


def test_nothing_is_read_to_learn_the_headers():
    made = []

    def app(environ, start_response):
        made.append("first")
        start_response("200 OK", [TEXT])
        yield b"ab"

    server = Refuses()
    body = RequestLog(Marks(app), to=lambda record: None)(make_environ(), server)
    assert (made, server.calls) == ([], [])
    assert next(iter(body)) == b"ab"
    body.close()


def test_app_that_never_starts_is_handed_off():
    """Apps that take the connection (a websocket over ``environ["wsgi.websocket"]``) return an empty body."""
    records = []
    RequestLog(lambda environ, start_response: [], to=records.append)(make_environ(), Refuses()).close()
    assert (records[0]["outcome"], "status" in records[0]) == ("handed_off", False)
