"""The protocol rules about requests: HEAD and bodiless statuses, and the input."""

import io
import json

import pytest
from support.coats import COATS, Coat, Stranger
from support.wsgi import call

from overcoat.middleware import Layer, RequestID, RequestLog, Stack

coats = pytest.mark.parametrize("coat", COATS, ids=[coat.name for coat in COATS])


# Rule 8: HEAD, 1xx, 204 and 304: no invented Content-Length.


@coats
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", ["100 CONTINUE", "200 OK", "204 NO CONTENT", "304 NOT MODIFIED"])
@pytest.mark.parametrize("length", [None, "0", "17"])
def test_content_length_is_the_apps(status, method, length, coat: Coat):
    given = [] if length is None else [("Content-Length", length)]

    def app(environ, start_response):
        start_response(status, given)
        return []

    assert call(coat.wear(app, []), REQUEST_METHOD=method).header("Content-Length") == [value for _, value in given]


# Rule 9: bytes of the input are counted where there is a body, by an object that hands everything through.

DATA = b"one\ntwo\nthree\n"


def _readinto(stream):
    buffer = bytearray(100)
    return bytes(buffer[: stream.readinto(buffer)])


READS = {
    "read": lambda stream: stream.read(),
    "read-minus-one": lambda stream: stream.read(-1),
    "read-none": lambda stream: stream.read(None),
    "read-in-parts": lambda stream: b"".join(iter(lambda: stream.read(3), b"")),
    "readline": lambda stream: stream.readline() + stream.readline(2) + stream.read(),
    "readlines": lambda stream: b"".join(stream.readlines()),
    "readlines-hint": lambda stream: b"".join(stream.readlines(1)) + stream.read(),
    "for": b"".join,
    "next": lambda stream: next(iter(stream)) + stream.read(),
    "next-of-the-stream": lambda stream: next(stream) + stream.read(),
    "readinto": _readinto,
    "read1": lambda stream: stream.read1(100),
    "text-wrapper": lambda stream: io.TextIOWrapper(stream, newline="").read().encode(),
}


def _reading(read):
    def app(environ, start_response):
        data = read(environ["wsgi.input"])
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [data]

    return app


@pytest.mark.parametrize("layers", [1, 3], ids=["one-log", "segments-that-all-follow"])
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_bytes_read_are_counted(read, layers):
    class Foreign(Stranger):
        """As wsgiref.validate does, it puts an object of its own around the input."""

        def __call__(self, environ, start_response):
            environ["wsgi.input"] = io.BufferedReader(_Raw(environ["wsgi.input"]))
            return self.app(environ, start_response)

    class Follows(Layer):
        def on_finish(self, exchange): ...

    records = []
    rest = [Foreign, Follows(), Stranger, Follows()] if layers == 3 else []
    stack = Stack(_reading(read), [RequestLog(to=records.append), *rest])
    seen = call(stack, REQUEST_METHOD="POST", CONTENT_LENGTH=str(len(DATA)), wsgi__input=io.BytesIO(DATA))
    assert (seen.error, seen.body) == (None, DATA)
    assert records[0]["request_bytes"] == len(DATA)


class _Raw(io.RawIOBase):
    def __init__(self, stream):
        self.stream = stream

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self.stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def test_only_what_the_app_reads_is_counted():
    records = []
    log = RequestLog(_reading(lambda stream: stream.read(5)), to=records.append)
    call(log, REQUEST_METHOD="POST", CONTENT_LENGTH=str(len(DATA)), wsgi__input=io.BytesIO(DATA))
    assert records[0]["request_bytes"] == 5


@pytest.mark.parametrize("length", [None, "", "0"], ids=repr)
def test_input_is_the_servers_own_where_there_is_no_body(length):
    own = io.BytesIO()
    inside = []

    def app(environ, start_response):
        inside.append(environ["wsgi.input"])
        start_response("200 OK", [])
        return []

    call(RequestLog(app, to=lambda record: None), CONTENT_LENGTH=length, wsgi__input=own)
    assert inside == [own]


def test_input_is_the_servers_own_where_nobody_sees_the_end():
    own = io.BytesIO(DATA)
    inside = []

    def app(environ, start_response):
        inside.append(environ["wsgi.input"])
        start_response("200 OK", [])
        return []

    call(RequestID(app), CONTENT_LENGTH="14", wsgi__input=own)
    assert inside == [own]


def test_input_hands_through_what_it_does_not_know():
    class Input(io.BytesIO):
        extra = "gunicorn has more"

    def app(environ, start_response):
        stream = environ["wsgi.input"]
        assert (stream.extra, stream.seekable(), stream.tell()) == ("gunicorn has more", True, 0)
        start_response("200 OK", [])
        return [json.dumps(json.load(stream)).encode()]

    seen = call(RequestLog(app, to=lambda record: None), CONTENT_LENGTH="8", wsgi__input=Input(b'{"a": 1}'))
    assert (seen.error, seen.body) == (None, b'{"a": 1}')


def test_error_of_the_input_reaches_the_app():
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise OSError("connection reset")

    def app(environ, start_response):
        with pytest.raises(OSError, match="connection reset"):
            environ["wsgi.input"].read()
        start_response("400 BAD REQUEST", [])
        return []

    assert call(RequestLog(app, to=lambda record: None), CONTENT_LENGTH="8", wsgi__input=Broken()).error is None
