import threading

import pytest
from support.apps import ok
from support.wsgi import call

from overcoat.middleware import RequestLog, timer


def timings_of(app):
    records = []
    call(RequestLog(app, to=records.append))
    return {name: timing["count"] for name, timing in records[0].get("timings", {}).items()}


def during(work):
    def app(environ, start_response):
        work()
        return ok(environ, start_response)

    return app


def blocks():
    with timer("db"):
        pass
    with timer("db"), timer("cache"):
        pass


def one_object_inside_of_itself():
    db = timer("db")
    with db, db, db:
        pass


@timer("db")
def decorated(depth=3):
    return decorated(depth - 1) if depth > 1 else None


def raising():
    with pytest.raises(KeyError), timer("db"):
        raise KeyError


@pytest.mark.parametrize(
    ("work", "counts"),
    [
        (blocks, {"db": 2, "cache": 1}),
        (one_object_inside_of_itself, {"db": 3}),
        (decorated, {"db": 3}),
        (raising, {"db": 1}),
        (lambda: None, {}),
    ],
    ids=["blocks", "one object inside of itself", "a recursive function", "a block that raises", "none"],
)
def test_what_is_counted(work, counts):
    assert timings_of(during(work)) == counts


def test_a_stream_is_timed_too():
    def app(environ, start_response):
        start_response("200 OK", [])
        for _ in range(3):
            with timer("row"):
                chunk = b"row"
            yield chunk

    assert timings_of(app) == {"row": 3}


def test_nested_time_is_within_the_outer():
    records = []

    def work():
        with timer("outer"), timer("inner"):
            sum(range(1000))

    call(RequestLog(during(work), to=records.append))
    timings = records[0]["timings"]
    assert 0 <= timings["inner"]["duration_ms"] <= timings["outer"]["duration_ms"] <= records[0]["duration_ms"]


def test_one_object_serves_many_threads():
    shared = timer("db")
    gate = threading.Barrier(8)
    counts = []

    def work():
        with shared:
            gate.wait(timeout=30)

    threads = [threading.Thread(target=lambda: counts.append(timings_of(during(work)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [{"db": 1}] * 8


def test_outside_a_request_nothing_is_kept():
    shared = timer("db")
    with shared:
        assert timings_of(during(lambda: None)) == {}
    assert timings_of(during(blocks)) == {"db": 2, "cache": 1}


def test_a_decorated_function_is_itself():
    assert decorated.__name__ == "decorated"
    assert decorated(1) is None


@pytest.mark.parametrize("name", ["", None, 1, b"db"], ids=repr)
def test_wrong_names(name):
    with pytest.raises(ValueError, match=r"timer: name=.* must be a non-empty string"):
        timer(name)
