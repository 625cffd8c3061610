"""No reference cycle is left: what a request held is freed with it, not when the garbage collector comes."""

import contextlib
import gc
import weakref

import pytest
from support.client import Client
from support.coats import COATS, Coat
from support.wsgi import make_environ, serve
from support.zoo import SPECIMENS

from overcoat.middleware import RequestID, RequestLog, SecurityHeaders, Stack

coats = pytest.mark.parametrize("coat", COATS, ids=[coat.name for coat in COATS])

ENDS = [Client("all"), Client("leaves", leaves_after=1), Client("broken", breaks_at=1)]


def nothing(status, headers, exc_info=None): ...


def _freed(specimen, coat: Coat, client: Client) -> bool:
    """Whether what the environ holds is freed as soon as the server lets go of the response."""

    class Held:
        pass

    app, _ = specimen.make()
    environ = make_environ(**specimen.environ(), test__held=Held())
    kept = weakref.ref(environ["test.held"])
    seen = serve(coat.wear(app, []), environ, client)
    # The server of the tests and its account refer to each other.
    seen.result = seen.error = None
    seen.events.clear()
    del environ, seen
    return kept() is None


@pytest.fixture
def _no_collector():
    gc.disable()
    yield
    gc.enable()


@coats
@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize(
    "client", [Client("all"), Client("leaves", leaves_after=1), Client("broken", breaks_at=1)], ids=lambda c: c.name
)
def test_no_cycle_keeps_the_environ(client: Client, coat: Coat):
    """Only where the bare app leaves none itself, as an error does whose traceback leads to it."""
    bare = Coat("bare", lambda app, records: app, frozenset())
    freed = [specimen for specimen in SPECIMENS.values() if _freed(specimen, bare, client)]
    assert len(freed) > 100
    assert [specimen.name for specimen in freed if not _freed(specimen, coat, client)] == []


@coats
@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("raises_in", ["call", "next", "close"])
def test_failed_request_is_freed(raises_in: str, coat: Coat):
    """With the server that drops the error, as one that logs it does; bare, nothing stays either."""

    class Held:
        pass

    class Fails:
        """Keeps no error of its own, which would be a cycle of the app's."""

        def __iter__(self):
            yield b"ab"
            if raises_in == "next":
                raise ValueError

        def close(self):
            if raises_in == "close":
                raise ValueError

    def app(environ, start_response):
        start_response("200 OK", [])
        if raises_in == "call":
            raise ValueError
        return Fails()

    def freed(app) -> bool:
        environ = make_environ(test__held=Held())
        kept = weakref.ref(environ["test.held"])
        body = None
        with contextlib.suppress(ValueError):
            try:
                body = app(environ, nothing)
                for _ in body:
                    pass
            finally:
                if body is not None:
                    body.close()
        del environ, body
        return kept() is None

    assert freed(app)
    assert freed(coat.wear(app, []))


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("name", ["list", "generator", "iterator_with_close", "head_without_a_body", "late_start"])
def test_garbage_collector_finds_nothing(name):
    records = []
    app, _ = SPECIMENS[name].make()
    worn = Stack(app, [RequestID(), RequestLog(to=records.append), SecurityHeaders(preset="page")])

    def serve_some():
        for _ in range(50):
            body = worn(make_environ(), nothing)
            for _chunk in body:
                pass
            body.close()

    def found():
        serve_some()
        return gc.collect()

    # What is ours is left each time; what a thread of the test runner leaves is not.
    assert min(found() for _ in range(5)) == 0
