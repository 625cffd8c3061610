"""What is counted, and how long it took by a clock that the tests set: no test depends on how fast the machine is."""

import asyncio
import contextvars
import inspect
import sys
import threading
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apps import ok
from support.wsgi import call

from overcoat.middleware import RequestLog, current_exchange, timer, timing
from overcoat.middleware._timings import MAX_NAMES, is_name, mend_name

TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Clock:
    """Stands for ``perf_counter_ns`` in the timer: time passes only when a test says so."""

    def __init__(self):
        self.now_ns = 1_000_000_000

    def __call__(self):
        return self.now_ns

    def passes(self, ms):
        self.now_ns += ms * 1_000_000


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(timing, "perf_counter_ns", clock)
    return clock


def line_of(app):
    records = []
    seen = call(RequestLog(app, to=records.append))
    assert not [event for event in seen.events if event[0] == "raised"]
    [record] = records
    return record


def timings_of(app):
    return {name: (kept["duration_ms"], kept["count"]) for name, kept in line_of(app).get("timings", {}).items()}


def during(work, *args):
    def app(environ, start_response):
        work(*args)
        return ok(environ, start_response)

    return app


def waits(clock, name, ms):
    with timer(name):
        clock.passes(ms)


def repeated(clock):
    for ms in (1, 2, 3):
        waits(clock, "db", ms)
        clock.passes(10)


def nested(clock):
    with timer("view"):
        clock.passes(1)
        waits(clock, "db", 2)
        clock.passes(4)


def nested_in_its_name(clock):
    with timer("db"):
        clock.passes(1)
        waits(clock, "db", 2)
        clock.passes(4)


def one_object_inside_of_itself(clock):
    db = timer("db")
    with db, db, db:
        clock.passes(1)


def a_recursive_function(clock):
    @timer("db")
    def descend(depth):
        clock.passes(1)
        return descend(depth - 1) if depth > 1 else None

    descend(3)


def raising(clock):
    with pytest.raises(KeyError), timer("db"):
        clock.passes(1)
        raise KeyError


def out_of_order(clock):
    first, second = timer("db"), timer("db")
    first.__enter__()
    clock.passes(1)
    second.__enter__()
    clock.passes(2)
    first.__exit__(None, None, None)
    clock.passes(4)
    second.__exit__(None, None, None)


def measured_elsewhere(clock):
    current_exchange().add_timing("db", 5_000_000)
    current_exchange().add_timing("db", 2_000_000, count=3)


def measured_elsewhere_inside_of_its_name(clock):
    with timer("db"):
        clock.passes(7)
        current_exchange().add_timing("db", 5_000_000)


def exit_without_enter(clock):
    timer("db").__exit__(None, None, None)
    clock.passes(1)
    waits(clock, "db", 2)


def never_left(clock):
    timer("db").__enter__()
    clock.passes(1)


@pytest.mark.parametrize(
    ("work", "kept"),
    [
        (repeated, {"db": (6, 3)}),
        (nested, {"db": (2, 1), "view": (7, 1)}),
        (nested_in_its_name, {"db": (7, 2)}),
        (one_object_inside_of_itself, {"db": (1, 3)}),
        (a_recursive_function, {"db": (3, 3)}),
        (raising, {"db": (1, 1)}),
        (out_of_order, {"db": (7, 2)}),
        (measured_elsewhere, {"db": (7, 4)}),
        (measured_elsewhere_inside_of_its_name, {"db": (7, 2)}),
        (exit_without_enter, {"db": (2, 1)}),
        (never_left, {}),
        (lambda clock: None, {}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_kept(clock, work, kept):
    assert timings_of(during(work, clock)) == kept


def plain(clock):
    @timer("work")
    def work(ms, *, more=0):
        clock.passes(ms + more)
        return ms

    assert work(2, more=1) == 2


def a_failing_function(clock):
    @timer("work")
    def work():
        clock.passes(3)
        raise KeyError

    with pytest.raises(KeyError):
        work()


def a_coroutine(clock):
    @timer("work")
    async def work(ms):
        clock.passes(ms)
        await asyncio.sleep(0)
        clock.passes(1)
        return ms

    assert asyncio.run(work(2)) == 2


def a_generator(clock):
    @timer("work")
    def work():
        clock.passes(1)
        sent = yield "first"
        clock.passes(1)
        with pytest.raises(LookupError):
            yield sent
        clock.passes(1)
        return "result"

    def consumer():
        result = yield from work()
        assert result == "result"

    steps = consumer()
    assert next(steps) == "first"
    clock.passes(100)
    assert steps.send("sent") == "sent"
    clock.passes(100)
    with pytest.raises(StopIteration):
        steps.throw(LookupError())


def a_generator_that_is_closed(clock):
    @timer("work")
    def work():
        try:
            clock.passes(1)
            yield
        finally:
            clock.passes(2)

    steps = work()
    next(steps)
    clock.passes(100)
    steps.close()


def a_generator_that_nobody_starts(clock):
    @timer("work")
    def work():
        clock.passes(1)
        yield

    work().close()
    waits(clock, "work", 3)


def an_async_generator(clock):
    @timer("work")
    async def work():
        clock.passes(1)
        sent = yield "first"
        clock.passes(1)
        with pytest.raises(LookupError):
            yield sent
        try:
            yield "third"
        finally:
            await asyncio.sleep(0)
            clock.passes(1)

    async def consume():
        steps = work()
        assert await anext(steps) == "first"
        clock.passes(100)
        assert await steps.asend("sent") == "sent"
        clock.passes(100)
        assert await steps.athrow(LookupError()) == "third"
        clock.passes(100)
        await steps.aclose()

    asyncio.run(consume())


def an_async_generator_to_its_end(clock):
    @timer("work")
    async def work():
        for number in range(3):
            clock.passes(1)
            yield number

    async def consume():
        assert [number async for number in work()] == [0, 1, 2]

    asyncio.run(consume())


def an_async_block(clock):
    async def work():
        async with timer("work"):
            clock.passes(1)
            await asyncio.sleep(0)
            clock.passes(2)

    asyncio.run(work())


def methods(clock):
    class Work:
        @timer("work")
        def bound(self):
            assert isinstance(self, Work)
            clock.passes(1)

        @timer("work")
        @staticmethod
        def static():
            clock.passes(1)

        @timer("work")
        @classmethod
        def of_class(cls):
            assert cls is Work
            clock.passes(1)

    Work().bound()
    Work().static()
    Work().of_class()


def a_partial(clock):
    timer("work")(partial(clock.passes, 3))()


@pytest.mark.parametrize(
    ("work", "kept"),
    [
        (plain, (3, 1)),
        (a_failing_function, (3, 1)),
        (a_coroutine, (3, 1)),
        (a_generator, (3, 1)),
        (a_generator_that_is_closed, (3, 1)),
        (a_generator_that_nobody_starts, (3, 1)),
        (an_async_generator, (3, 1)),
        (an_async_generator_to_its_end, (3, 1)),
        (an_async_block, (3, 1)),
        (methods, (3, 3)),
        (a_partial, (3, 1)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_may_be_decorated(clock, work, kept):
    assert timings_of(during(work, clock)) == {"work": kept}


def function():
    """Its text."""


async def coroutine_function():
    """Its text."""


def generator_function():
    """Its text."""
    yield


async def async_generator_function():
    """Its text."""
    yield


KINDS = [
    inspect.iscoroutinefunction,
    inspect.isgeneratorfunction,
    inspect.isasyncgenfunction,
]


@pytest.mark.parametrize(
    "one", [function, coroutine_function, generator_function, async_generator_function], ids=lambda one: one.__name__
)
def test_a_decorated_function_is_of_its_kind(one):
    decorated = timer("work")(one)
    assert (decorated.__name__, decorated.__doc__, decorated.__wrapped__) == (one.__name__, "Its text.", one)
    assert [is_kind(decorated) for is_kind in KINDS] == [is_kind(one) for is_kind in KINDS]


@pytest.mark.parametrize("what", [Clock, None, "db"], ids=repr)
def test_what_may_not_be_decorated(what):
    with pytest.raises(TypeError, match=r"timer\('db'\) decorates functions, not .*: decorate its methods"):
        timer("db")(what)


def test_a_stream_is_timed_after_its_headers_too(clock):
    def app(environ, start_response):
        start_response("200 OK", [])
        for _ in range(3):
            waits(clock, "row", 2)
            clock.passes(10)
            yield b"row"

    assert timings_of(app) == {"row": (6, 3)}


def test_a_decorated_generator_may_be_the_body(clock):
    @timer("rows")
    def rows():
        for _ in range(3):
            clock.passes(2)
            yield b"row"

    def app(environ, start_response):
        start_response("200 OK", [])
        return rows()

    assert timings_of(app) == {"rows": (6, 1)}


def test_threads_side_by_side_count_their_time_once(clock):
    gate = threading.Barrier(9)

    def one():
        with timer("fetch"):
            gate.wait(timeout=30)
            gate.wait(timeout=30)

    def work():
        threads = [threading.Thread(target=contextvars.copy_context().run, args=(one,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        gate.wait(timeout=30)
        clock.passes(5)
        gate.wait(timeout=30)
        for thread in threads:
            thread.join()

    assert timings_of(during(work)) == {"fetch": (5, 8)}


def test_no_addition_of_a_thread_is_lost():
    gate = threading.Barrier(4)

    def one():
        exchange = current_exchange()
        gate.wait(timeout=30)
        for _ in range(10_000):
            with timer("db"):
                exchange.add_timing("rows", 1000)

    def work():
        threads = [threading.Thread(target=contextvars.copy_context().run, args=(one,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        kept = timings_of(during(work))
    finally:
        sys.setswitchinterval(interval)
    assert (kept["rows"], kept["db"][1]) == ((40.0, 40_000), 40_000)


def test_one_object_serves_many_requests_at_once():
    shared = timer("db")
    gate = threading.Barrier(8)
    counts = []

    def work():
        with shared:
            gate.wait(timeout=30)

    threads = [threading.Thread(target=lambda: counts.append(timings_of(during(work))["db"][1])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [1] * 8


def test_outside_a_request_nothing_is_kept(clock):
    shared = timer("db")
    with shared:
        assert timings_of(during(lambda: None)) == {}
    assert timings_of(during(waits, clock, "db", 1)) == {"db": (1, 1)}


def test_what_begins_outside_of_the_request_is_not_the_request_s(clock):
    shared = timer("db")
    shared.__enter__()
    assert timings_of(during(shared.__exit__, None, None, None)) == {}


def many_timers():
    for number in range(1000):
        with timer(f"n{number}"):
            pass


def many_measured_elsewhere():
    for number in range(1000):
        current_exchange().add_timing(f"n{number}", 1)


def many_at_once(number=0):
    with timer(f"n{number}"):
        if number < 199:
            many_at_once(number + 1)


@pytest.mark.parametrize(
    ("work", "blocks"),
    [(many_timers, 1000), (many_measured_elsewhere, 1000), (many_at_once, 200)],
    ids=["timers", "measured elsewhere", "nested"],
)
def test_a_request_keeps_a_bounded_number_of_names(work, blocks):
    def and_look():
        work()
        assert len(current_exchange().timings.blocks) <= MAX_NAMES + 1

    kept = timings_of(during(and_look))
    assert len(kept) in {MAX_NAMES, MAX_NAMES + 1}
    assert kept["other"][1] >= blocks - MAX_NAMES
    assert sum(count for _, count in kept.values()) == blocks


@pytest.mark.parametrize(
    ("name", "kept_as"),
    [
        ("db query", "db_query"),
        ("a\r\nSet-Cookie: x=1", "a__Set-Cookie__x_1"),
        ("日", "_"),
        ("", "_"),
        ("total", "total_"),
        ("x" * 100_000, "x" * 64),
        (7, "7"),
    ],
    ids=["space", "CVE-2020-7695", "not ASCII", "empty", "total", "long", "a number"],
)
def test_a_name_that_is_none_never_fails_what_was_measured(name, kept_as):
    def work():
        current_exchange().add_timing(name, 1000)
        current_exchange().add_timing(name, 1000)

    assert timings_of(during(work)) == {kept_as: (0.002, 2)}


@given(st.text())
def test_every_mended_name_is_made_of_a_token(name):
    mended = mend_name(name)
    assert mended
    assert not set(mended) - set(TOKEN)
    assert mended == name or not is_name(name)


@pytest.mark.parametrize("name", [TOKEN[:64], TOKEN[-64:], "db", "DB", "0", "other", "totals"])
def test_names(name):
    assert timer(name).name == name


@pytest.mark.parametrize("name", ["", "x" * 65, "db query", "a;b", "é", "db\n", None, 1, b"db"], ids=repr)
def test_wrong_names(name):
    with pytest.raises(ValueError, match=r"timer: name=.* must be 1 to 64 letters, digits or any of .*, such as 'db'"):
        timer(name)


@pytest.mark.parametrize("name", ["total", "Total"])
def test_the_total_is_not_for_timers(name):
    with pytest.raises(ValueError, match=r"timer: name='.otal' is what ServerTiming calls .*: choose another"):
        timer(name)


@pytest.mark.parametrize("description", [1, b"statements", True], ids=repr)
def test_wrong_descriptions(description):
    with pytest.raises(ValueError, match=r"timer: description=.* must be text"):
        timer("db", description)


def test_repr():
    assert [repr(timer("db")), repr(timer("db", description="rows"))] == ["timer('db')", "timer('db', 'rows')"]
