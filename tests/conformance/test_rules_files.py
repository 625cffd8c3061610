"""The protocol rule about files: what the server knows how to send is left as it is, and its end is still seen."""

import io
import tempfile

import pytest
from support.coats import COATS, Coat
from support.wsgi import FileFunction, FileWrapper, call, make_environ

from overcoat.middleware import Layer, RequestLog, SecurityHeaders, Stack, current_exchange

coats = pytest.mark.parametrize("coat", COATS, ids=[coat.name for coat in COATS])


class Slotted:
    """A file wrapper whose ``close`` cannot be set."""

    __slots__ = ("file",)

    def __init__(self, file, block_size=8192):
        self.file = file

    def __iter__(self):
        return iter(self.file)

    def close(self):
        self.file.close()


def nothing(status, headers, exc_info=None): ...


def serving(file):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return environ["wsgi.file_wrapper"](file)

    return app


@coats
def test_the_servers_own_wrapper_is_returned(coat: Coat):
    made = []

    class Wrapper(FileWrapper):
        def __init__(self, *args):
            super().__init__(*args)
            made.append(self)

    file = io.BytesIO(b"file")
    environ = make_environ(wsgi__file_wrapper=Wrapper)
    body = coat.wear(serving(file), [])(environ, nothing)
    assert body is made[0]
    assert environ["wsgi.file_wrapper"] is Wrapper
    assert body.file is file
    body.close()
    assert file.closed
    assert "overcoat.exchange" not in environ


@coats
def test_a_subclass_of_the_wrapper_too(coat: Coat):
    class Ranged(FileWrapper):
        pass

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Ranged(io.BytesIO(b"file"))

    body = coat.wear(app, [])(make_environ(wsgi__file_wrapper=FileWrapper), nothing)
    assert type(body) is Ranged


@coats
@pytest.mark.parametrize("make", [io.BytesIO, tempfile.TemporaryFile, io.StringIO], ids=["bytes", "real", "text"])
def test_the_file_itself_where_the_wrapper_is_a_function(make, coat: Coat):
    with make() as file:
        body = coat.wear(serving(file), [])(make_environ(wsgi__file_wrapper=FileFunction()), nothing)
        assert body is file
        body.close()
        assert file.closed


def test_the_end_is_the_files_close():
    records = []
    log = RequestLog(serving(io.BytesIO(b"file")), to=records.append)
    body = log(make_environ(wsgi__file_wrapper=FileWrapper), nothing)
    assert records == []
    body.close()
    body.close()
    (record,) = records
    assert (record["outcome"], record["status"], "response_bytes" in record) == ("handed_off", 200, False)


def test_exchange_is_current_while_the_file_closes():
    inside = []

    class Told(io.BytesIO):
        def close(self):
            inside.append(current_exchange())
            super().close()

    file = Told(b"file")
    body = RequestLog(serving(file), to=lambda record: None)(make_environ(wsgi__file_wrapper=FileWrapper), nothing)
    assert current_exchange() is None
    body.close()
    assert inside[0] is not None
    assert current_exchange() is None


def test_where_close_cannot_be_set_the_end_is_at_once():
    records = []
    file = io.BytesIO(b"file")
    environ = make_environ(wsgi__file_wrapper=Slotted)
    body = RequestLog(serving(file), to=records.append)(environ, nothing)
    assert type(body) is Slotted
    assert records[0]["outcome"] == "handed_off"
    assert "overcoat.exchange" not in environ
    body.close()
    assert file.closed
    assert len(records) == 1


def test_error_in_the_files_close_reaches_the_server():
    class Bad(io.BytesIO):
        failing = True

        def close(self):
            if self.failing:
                self.failing = False
                raise OSError("close")
            super().close()

    records = []
    seen = call(RequestLog(serving(Bad(b"file")), to=records.append), wsgi__file_wrapper=FileWrapper)
    assert (type(seen.error), seen.where, records[0]["outcome"]) == (OSError, "close", "failed")


def test_what_only_looks_like_a_file_is_counted_where_the_wrapper_is_a_class():
    class Reads:
        def read(self, size=-1):
            pytest.fail("nobody may read it")

        def __iter__(self):
            return iter([b"ab"])

    def app(environ, start_response):
        start_response("200 OK", [])
        return Reads()

    records = []
    seen = call(RequestLog(app, to=records.append), wsgi__file_wrapper=FileWrapper)
    assert (seen.body, records[0]["response_bytes"], records[0]["outcome"]) == (b"ab", 2, "complete")


def test_no_cycle_keeps_a_closed_file():
    """A file that waits for the garbage collector is a descriptor that leaks."""
    import gc
    import weakref

    gc.disable()
    try:
        body = Stack(serving(io.BytesIO(b"file")), [RequestLog(to=lambda record: None), SecurityHeaders()])(
            make_environ(wsgi__file_wrapper=FileWrapper), nothing
        )
        body.close()
        kept = weakref.ref(body)
        del body
        assert kept() is None
    finally:
        gc.enable()


def test_layers_see_the_end_of_a_file_from_the_inside_out():
    trace = []

    class Ends(Layer):
        def __init__(self, name):
            self.name = name
            super().__init__()

        def on_finish(self, exchange):
            trace.append((self.name, exchange.outcome, exchange.response_bytes))

    class Stranger:
        def __init__(self, app):
            self.app = app

        def __call__(self, environ, start_response):
            return self.app(environ, start_response)

    stack = Stack(serving(io.BytesIO(b"file")), [Ends("a"), Stranger, Ends("b"), Ends("c")])
    call(stack, wsgi__file_wrapper=FileWrapper)
    assert trace == [("c", "handed_off", None), ("b", "handed_off", None), ("a", "handed_off", None)]
