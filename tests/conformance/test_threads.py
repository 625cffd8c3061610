"""Many threads through one wrapped app: nothing of a request is shared, nothing is left behind."""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from support.coats import COATS, Coat
from support.compare import differences
from support.wsgi import call, make_environ, serve
from support.zoo import SPECIMENS

from overcoat.middleware import RequestID, RequestLog, ServerTiming, Stack, add_fields, current_exchange, timer

THREADS = 8


@pytest.fixture(autouse=True)
def _switch_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def _at_once(function):
    """Run ``function(number)`` in all threads, started together."""
    barrier = Barrier(THREADS)

    def run(number):
        barrier.wait()
        return function(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


@pytest.mark.parametrize("coat", COATS, ids=[coat.name for coat in COATS])
def test_every_specimen_in_every_thread(coat: Coat):
    """One wrapper around an app that picks the specimen by path; each thread walks the zoo from another place."""
    names = list(SPECIMENS)

    def any_of_them(environ, start_response):
        return environ["test.app"](environ, start_response)

    records: list[dict] = []
    worn = coat.wear(any_of_them, records)

    def walk(number):
        found = []
        start = number * len(names) // THREADS
        for name in names[start:] + names[:start]:
            specimen = SPECIMENS[name]
            app, probe = specimen.make()
            seen = serve(worn, make_environ(**specimen.environ(), test__app=app, PATH_INFO=f"/{name}/{number}"))
            app, bare_probe = specimen.make()
            bare = serve(app, make_environ(**specimen.environ()))
            found += [f"{name}: {one}" for one in differences(bare, seen, coat.adds)]
            if probe.closed != bare_probe.closed:
                found.append(f"{name}: closed {probe.closed} times")
            if current_exchange() is not None:
                found.append(f"{name}: left an exchange")
        return found

    assert [line for found in _at_once(walk) for line in found] == []
    if coat.logs:
        assert len(records) == THREADS * len(names)
        for record in records:
            specimen = SPECIMENS[record["path"].split("/")[1]]
            assert (record["outcome"], record["method"]) == (specimen.outcome, specimen.method)


def test_what_a_request_keeps_is_its_own():
    records: list[dict] = []

    def app(environ, start_response):
        number = int(environ["PATH_INFO"][1:])
        add_fields(number=number)
        current_exchange().state["number"] = number
        with timer(f"t{number}"):
            start_response("200 OK", [("X-Number", str(number))])
        yield environ["overcoat.request_id"].encode()
        assert current_exchange().state["number"] == number
        yield b"!" * number

    worn = Stack(app, [RequestID(), RequestLog(to=records.append), ServerTiming(expose="all")])

    def ask(thread):
        for turn in range(50):
            number = thread * 50 + turn
            seen = call(worn, PATH_INFO=f"/{number}", HTTP_X_REQUEST_ID=f"id-{number}")
            assert seen.error is None
            assert seen.body == f"id-{number}".encode() + b"!" * number
            assert (seen.header("X-Request-ID"), seen.header("X-Number")) == ([f"id-{number}"], [str(number)])

    _at_once(ask)
    assert sorted(record["number"] for record in records) == list(range(50 * THREADS))
    for record in records:
        number = record["number"]
        assert record["request_id"] == f"id-{number}"
        assert record["path"] == f"/{number}"
        assert list(record["timings"]) == [f"t{number}"]
        assert record["response_bytes"] == len(f"id-{number}") + number


def test_streams_interleaved_in_one_thread():
    """As greenlets and event loops do: the next chunk of another stream comes between."""

    def app(environ, start_response):
        start_response("200 OK", [])
        for _ in range(3):
            yield current_exchange().query.encode()

    records: list[dict] = []
    worn = RequestLog(app, to=records.append)
    bodies = [worn(make_environ(QUERY_STRING=f"n={n}"), lambda status, headers, exc_info=None: None) for n in range(4)]
    rows = list(zip(*bodies, strict=True))
    assert rows == [(b"n=0", b"n=1", b"n=2", b"n=3")] * 3
    assert current_exchange() is None
    for body in reversed(bodies):
        body.close()
    assert [record["query"] for record in records] == ["n=3", "n=2", "n=1", "n=0"]
    assert {record["outcome"] for record in records} == {"complete"}
