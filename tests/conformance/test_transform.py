"""Transform layers around the zoo: the headers are held until the first chunk, the body is made chunk by chunk."""

import pytest
from support.client import CLIENTS, READS_ALL, Client
from support.server import Seen
from support.wsgi import FileWrapper, call, make_environ, serve
from support.zoo import SPECIMENS, Specimen

from overcoat.middleware import Layer, RequestID, RequestLog, Stack, current_exchange


class Leaves(Layer):
    """Leaves every body as it is."""

    def on_body(self, exchange, chunks):
        return None


class Same(Layer):
    """Makes each chunk anew, the same."""

    def on_body(self, exchange, chunks):
        yield from chunks


class Upper(Layer):
    """Edits chunks and headers."""

    def on_body(self, exchange, chunks):
        exchange.set_header("X-Case", "upper")
        for chunk in chunks:
            yield chunk.upper() if isinstance(chunk, bytes) else chunk


KINDS = {
    "leaves": lambda app, log: Leaves(app),
    "same": lambda app, log: Same(app),
    "same-in-a-log": lambda app, log: RequestLog(Same(app), to=log.append),
    "log-in-same": lambda app, log: Same(RequestLog(app, to=log.append)),
    "twice": lambda app, log: Same(Same(app)),
    "both-in-a-stack": lambda app, log: Stack(app, [RequestID(), RequestLog(to=log.append), Same(), Layer(), Leaves()]),
}

kinds = pytest.mark.parametrize("wear", KINDS.values(), ids=KINDS)
specimens = pytest.mark.parametrize("specimen", SPECIMENS.values(), ids=SPECIMENS)


def _to_the_client(seen: Seen) -> tuple[object, ...]:
    """What a client gets: nothing of a response that was started, but failed or was left before its first byte."""
    sent = [event for event in seen.events if event[0] in {"chunk", "write", "sendfile"} and event[1]]
    raised = [event[1:] for event in seen.events if event[0] == "raised"]
    if not seen.sent and not (seen.error is None and ("end",) in seen.events):
        return None, [], sent, raised
    headers = [pair for pair in seen.headers if not _may_change(pair)]
    return seen.status, headers, sent, raised


def _may_change(pair: object) -> bool:
    return isinstance(pair, tuple) and len(pair) == 2 and pair[0] in ("Content-Length", "X-Request-ID")


def _compare(specimen: Specimen, wear, client: Client, **environ: object) -> list[str]:
    app, bare_probe = specimen.make()
    bare = serve(app, make_environ(**specimen.environ(), **environ), client)
    app, probe = specimen.make()
    log: list[dict] = []
    given = make_environ(**specimen.environ(), **environ)
    seen = serve(wear(app, log), given, client)
    found = []
    theirs, ours = _to_the_client(bare), _to_the_client(seen)
    if theirs != ours:
        found.append(f"{theirs} became {ours}")
    if probe.closed != bare_probe.closed:
        found.append(f"closed {bare_probe.closed} times became {probe.closed}")
    if probe.made > bare_probe.made:
        found.append(f"made {bare_probe.made} chunks became {probe.made}")
    if current_exchange() is not None or "overcoat.exchange" in given:
        found.append("an exchange was left")
    if len(log) > 1:
        found.append("logged twice")
    return [f"{client.name}: {line}" for line in found]


@kinds
@specimens
def test_client_sees_the_bare_app(specimen: Specimen, wear):
    assert [line for client in CLIENTS if client.closes == 1 for line in _compare(specimen, wear, client)] == []


@kinds
def test_client_sees_the_bare_app_where_it_has_a_file_wrapper(wear):
    found = {name: _compare(one, wear, READS_ALL, wsgi__file_wrapper=FileWrapper) for name, one in SPECIMENS.items()}
    # What is transformed is read, and no longer the server's to send.
    found.pop("file_by_wrapper_or_iter")
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_file_that_is_left_is_the_servers():
    app, _ = SPECIMENS["file_by_wrapper_or_iter"].make()
    seen = call(Leaves(app), wsgi__file_wrapper=FileWrapper)
    assert ("sendfile", b"file") in seen.events
    app, probe = SPECIMENS["file_by_wrapper_or_iter"].make()
    seen = call(Upper(app), wsgi__file_wrapper=FileWrapper)
    assert (seen.body, seen.header("X-Case"), probe.closed) == (b"FILE", ["upper"], 1)


def _app(body, *headers, status="200 OK"):
    def app(environ, start_response):
        start_response(status, [("Content-Type", "text/plain"), *headers])
        return body() if callable(body) else body

    return app


def test_layers_outside_see_what_the_transform_made_of_the_headers():
    seen_outside = []

    class Looks(Layer):
        def on_headers(self, exchange):
            seen_outside.append((exchange.status, dict(exchange.headers)))

    class Edits(Layer):
        def on_body(self, exchange, chunks):
            for number, chunk in enumerate(chunks):
                if number == 1:
                    exchange.status = "203 EDITED"
                    exchange.set_header("X-Edited", "yes")
                    yield chunk
                elif number:
                    yield chunk

    seen = call(Stack(_app(lambda: iter([b"skipped", b"ab", b"cd"])), [Looks(), Edits()]))
    assert (seen.status, seen.body) == ("203 EDITED", b"abcd")
    assert seen_outside == [("203 EDITED", {"Content-Type": "text/plain", "X-Edited": "yes"})]


@pytest.mark.parametrize(
    ("body", "given", "expected"),
    [([b"ab", b"cd"], "4", ["8"]), ([b"ab"], None, []), (lambda: iter([b"ab"]), "2", []), ([], "0", ["0"])],
    ids=["list-corrected", "list-not-invented", "stream-dropped", "empty-list"],
)
def test_content_length(body, given, expected):
    class Doubles(Layer):
        def on_body(self, exchange, chunks):
            for chunk in chunks:
                yield chunk * 2

    app = _app(body, *([("Content-Length", given)] if given else []))
    assert call(Doubles(app)).header("Content-Length") == expected


def test_list_stays_a_list():
    seen = call(Upper(_app([b"ab", b"cd"])))
    assert (seen.length, seen.body) == (2, b"ABCD")


BODILESS = [("HEAD", "200 OK"), ("GET", "204 NO CONTENT"), ("GET", "304 NOT MODIFIED"), ("GET", "101 UPGRADE")]


@pytest.mark.parametrize(("method", "status"), BODILESS)
def test_not_asked_where_there_is_no_body(method, status):
    class Fails(Layer):
        def on_body(self, exchange, chunks):
            pytest.fail("there is nothing to transform")

    seen = call(Fails(_app([], ("Content-Length", "7"), status=status)), REQUEST_METHOD=method)
    assert (seen.error, seen.status, seen.header("Content-Length")) == (None, status, ["7"])


def test_first_chunk_leaves_before_the_second_is_made():
    events = []

    def chunks():
        for number in range(3):
            events.append(f"made {number}")
            yield b"%d" % number

    log = []

    def start(status, headers, exc_info=None):
        events.append("start")

    body = RequestLog(Same(_app(chunks)), to=log.append)(make_environ(), start)
    events.extend(f"sent {chunk.decode()}" for chunk in body)
    body.close()
    assert events == ["made 0", "start", "sent 0", "made 1", "sent 1", "made 2", "sent 2"]
    assert (log[0]["outcome"], log[0]["response_bytes"]) == ("complete", 3)


@pytest.mark.parametrize("fails_at", [0, 1], ids=["before-the-first-chunk", "after-it"])
@pytest.mark.parametrize("listed", [True, False], ids=["list", "stream"])
def test_error_in_the_transform(fails_at, listed):
    closed = []

    class Fails(Layer):
        def on_body(self, exchange, chunks):
            try:
                for number, chunk in enumerate(chunks):
                    if number == fails_at:
                        raise ValueError("transform")
                    yield chunk
            finally:
                closed.append("transform")

    class Pages(Layer):
        def on_error(self, exchange, error):
            return _app([b"sorry"], status="503 SORRY")

    log = []
    seen = call(
        Stack(
            _app([b"ab", b"cd"] if listed else lambda: iter([b"ab", b"cd"])),
            [RequestLog(to=log.append), Pages(), Fails()],
        )
    )
    assert closed == ["transform"]
    if listed or fails_at == 0:
        assert (seen.error, seen.status, seen.body) == (None, "503 SORRY", b"sorry")
        assert log[0]["outcome"] == "complete"
    else:
        assert (type(seen.error), seen.status, seen.body) == (ValueError, "200 OK", b"ab")
        assert log[0]["outcome"] == "failed"


@pytest.mark.parametrize("client", [READS_ALL, Client("leaves", leaves_after=0)], ids=lambda client: client.name)
def test_status_that_was_held_and_never_went_out_is_not_logged(client):
    class Fails(Layer):
        def on_body(self, exchange, chunks):
            exchange.status = "203 EDITED"
            raise ValueError("transform")
            yield

    log = []
    seen = call(Stack(_app(lambda: iter([b"ab"])), [RequestLog(to=log.append), Fails()]), client=client)
    assert (seen.status, seen.sent) == (None, b"")
    assert log[0]["outcome"] == ("failed" if client is READS_ALL else "aborted")
    assert log[0].get("status", 500) == 500
