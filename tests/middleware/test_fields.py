import contextvars
import json
import sys
import threading
import tracemalloc

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from support.apps import ok
from support.record import check
from support.wsgi import call

from overcoat.middleware import RequestLog, add_fields
from overcoat.middleware import fields as fields_module
from overcoat.middleware._json import json_line
from overcoat.middleware.fields import MAX_FIELDS, MAX_NAME, MAX_VALUE_BYTES, STANDARD_FIELDS, bounded


def record_of(app):
    records = []
    call(RequestLog(app, to=records.append))
    [record] = records
    return record


def test_item_40_fields_end_in_the_one_line():
    def app(environ, start_response):
        add_fields(user_id=7, cart="empty")
        add_fields(cart={"items": 2})
        return ok(environ, start_response)

    record = record_of(app)
    check(record, "user_id", "cart")
    assert (record["user_id"], record["cart"]) == (7, {"items": 2})
    assert list(record)[-2:] == ["user_id", "cart"]


def test_fields_from_a_stream():
    def app(environ, start_response):
        start_response("200 OK", [])
        for rows in (1, 2):
            add_fields(rows=rows)
            yield b"row"

    assert record_of(app)["rows"] == 2


def test_outside_a_request_nothing_happens():
    add_fields(user_id=7)
    assert "user_id" not in record_of(ok)


def test_the_route_is_the_app_s_to_set():
    def app(environ, start_response):
        add_fields(route="/cart/<id>", items=1)
        return ok(environ, start_response)

    assert (record_of(app)["route"], record_of(app)["items"]) == ("/cart/<id>", 1)


@pytest.mark.parametrize("name", sorted({*STANDARD_FIELDS} - {"route"}))
def test_a_standard_name_is_refused(name):
    with pytest.raises(ValueError, match=f"add_fields: {name} is a standard field .* choose another name"):
        add_fields(**{name: 1})


def test_all_wrong_names_are_told_and_nothing_is_kept():
    def app(environ, start_response):
        with pytest.raises(ValueError, match="add_fields: path, status is a standard field"):
            add_fields(status=1, path="/x", own=1)
        return ok(environ, start_response)

    assert "own" not in record_of(app)


def test_item_37_nothing_leaks_to_the_next_request():
    records = []
    app = RequestLog(
        lambda e, s: (add_fields(first=True) if e["PATH_INFO"] == "/1" else None) or ok(e, s), to=records.append
    )
    call(app, PATH_INFO="/1")
    call(app, PATH_INFO="/2")
    assert [record.get("first") for record in records] == [True, None]


def test_structlog_is_not_configured_by_the_way():
    assert not structlog.is_configured()


# Size (item 40)


def adding(*calls):
    def app(environ, start_response):
        for fields in calls:
            add_fields(**fields)
        return ok(environ, start_response)

    return app


def own(record):
    return {name: value for name, value in record.items() if name not in STANDARD_FIELDS}


def numbered(*numbers):
    return {f"f{number}": number for number in numbers}


COUNTS = {
    "as many as there is room for": ([numbered(*range(64))], list(range(64)), 0),
    "one more": ([numbered(*range(65))], list(range(64)), 1),
    "one at a time": ([numbered(number) for number in range(70)], list(range(64)), 1),
    "a known one still changes": ([numbered(*range(64)), {"f0": -1, "g": 1}], [-1, *range(1, 64)], 1),
}


@pytest.mark.parametrize(("calls", "values", "told"), COUNTS.values(), ids=COUNTS)
def test_item_40_a_line_has_at_most_64_fields_of_the_app_s(caplog, monkeypatch, calls, values, told):
    monkeypatch.setattr(fields_module._Told, "too_many", False)
    assert list(own(record_of(adding(*calls))).values()) == values
    assert MAX_FIELDS == 64
    assert [entry.getMessage()[:53] for entry in caplog.records] == [
        "add_fields: a line holds at most 64 fields of the app"
    ] * told


def test_a_name_is_cut():
    assert own(record_of(adding({"x" * 10_000: 1, "y": 2}))) == {"x" * MAX_NAME: 1, "y": 2}


class Huge:
    def __str__(self):
        return "h" * 100_000


class Odd:
    def __str__(self):
        raise RuntimeError("no text")


VALUES = {
    "text that fits": ("x" * 4096, "x" * 4096),
    "text": ("x" * 4097, "x" * 4093 + "…"),
    "text of two bytes each that fits": ("é" * 2048, "é" * 2048),
    "text of two bytes each": ("é" * 2049, "é" * 2046 + "…"),
    "a surrogate": ("\ud800" * 1025, "\ud800" * 1025),
    "a list that fits": ([1] * 2000, [1] * 2000),
    "a list": ([1] * 5000, ("[" + "1," * 5000)[:4093] + "…"),
    "an object": ({"k": "v" * 5000}, '{"k":"' + "v" * 4087 + "…"),
    "a number": (7, 7),
    "a large number": (2**70, 2**70),
    "a number of thousands of digits": (10**4200, "1" + "0" * 4092 + "…"),
    "a float": (1.5, 1.5),
    "None": (None, None),
    "a boolean": (True, True),
}


@pytest.mark.parametrize(("value", "logged"), VALUES.values(), ids=VALUES)
def test_item_40_a_value_has_at_most_4096_bytes(value, logged):
    assert own(record_of(adding({"own": value}))) == {"own": logged}
    assert MAX_VALUE_BYTES == 4096


class Counted:
    """Counts how often it is written."""

    def __init__(self):
        self.times = 0

    def __str__(self):
        self.times += 1
        return "lol"


def laughs(one):
    """What a few lines of YAML make with aliases: each list holds the one before it nine times."""
    value = [one]
    for _ in range(6):
        value = [value] * 9
    return value


def maze(one):
    value = {"": one}
    value.update((str(number), value) for number in range(9999))
    return value


def nested(one):
    value = one
    for _ in range(1_000_000):
        value = [value]
    return value


LARGE = {
    "a million items": (lambda one: [one] * 1_000_000, '["lol","lol","lol', 4096),
    "a million members": (lambda one: dict.fromkeys(range(1_000_000), one), '{"0":"lol","1":"lol","2"', 4096),
    "a billion laughs": (laughs, '[[[[[[["lol"],["lol"],', 4096),
    "a cycle of many ways": (maze, "<dict that is no JSON>", 22),
    "a tuple of tuples": (lambda one: ((one, one),) * 200_000, '[["lol","lol"],["lol","lol"],', 4096),
}


@pytest.mark.parametrize(("make", "begins", "size"), LARGE.values(), ids=LARGE)
def test_item_40_of_a_huge_value_only_the_beginning_is_written(make, begins, size):
    one = Counted()
    value = make(one)
    kept = own(record_of(adding({"own": value})))["own"]
    assert kept.startswith(begins)
    assert len(kept.encode()) == size
    assert one.times <= 4096


SHARED = {
    "one text in many places": lambda text: [text] * 1000,
    "one name in many places": lambda text: [{text: 1}] * 1000,
    "bytes": lambda text: [text.encode()] * 1000,
}


@pytest.mark.parametrize("make", SHARED.values(), ids=SHARED)
def test_item_40_a_text_that_is_shared_is_not_written_for_each_place(make):
    value = make("x" * 100_000)
    tracemalloc.start()
    try:
        kept = bounded(value)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert len(kept.encode()) == 4096


def test_a_million_levels_are_no_json():
    assert own(json.loads(json_line(record_of(adding({"own": nested(1)}))))) == {"own": "<list that is no JSON>"}


class OwnCount(dict):
    def __len__(self):
        raise RuntimeError("not now")


class OwnWalk(list):
    def __iter__(self):
        raise RuntimeError("not now")


@pytest.mark.parametrize(
    "value", [OwnCount(a=1), OwnWalk([1, Odd()]), [OwnWalk([1])]], ids=["a dict", "a list", "a list of lists"]
)
def test_a_container_with_ways_of_its_own_costs_no_line(value):
    kept = own(json.loads(json_line(record_of(adding({"first": 1, "own": value, "last": 2})))))
    assert (kept["first"], kept["last"], "own" in kept) == (1, 2, True)


@pytest.mark.parametrize(
    "value", [Huge(), Odd(), [[[]] * 9] * 999, {1: {2: "x" * 9999}}, b"x" * 9999, 10**6000], ids=type
)
def test_a_value_of_any_kind_makes_a_line_that_is_not_long(value):
    line = json_line(record_of(adding({"own": value})))
    assert line.count(b"\n") == 1
    assert len(line) < 6000


def test_a_value_that_holds_itself():
    loop = []
    loop.append(loop)
    assert json_line(record_of(adding({"own": loop}))).count(b"\n") == 1


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=2000))
def test_whatever_the_value_is_it_is_bounded(value):
    kept = bounded(value)
    assert len(json_line({"": kept})) <= 6 * MAX_VALUE_BYTES
    assert kept is value or kept.endswith("…")


def test_a_field_that_is_put_into_the_exchange_is_bounded_too():
    def app(environ, start_response):
        environ["overcoat.exchange"]().fields["own"] = "x" * 9999
        return ok(environ, start_response)

    assert len(own(record_of(app))["own"]) == 4094


def test_the_threads_of_a_request_add_and_nothing_is_lost():
    interval_s = sys.getswitchinterval()

    def app(environ, start_response):
        together = threading.Barrier(8)

        def add(number):
            together.wait()
            for step in range(7):
                add_fields(**{f"t{number}_{step}": step})

        threads = [threading.Thread(target=contextvars.copy_context().run, args=(add, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return ok(environ, start_response)

    sys.setswitchinterval(1e-6)
    try:
        for _ in range(50):
            assert len(own(record_of(app))) == 56
    finally:
        sys.setswitchinterval(interval_s)
