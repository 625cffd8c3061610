import datetime as dt
import decimal
import enum
import json
import math
import re
import uuid

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overcoat.middleware._json import json_line
from overcoat.middleware._text import UNSAFE


class Broken:
    def __str__(self):
        raise RuntimeError


class Nameless(type):
    __name__ = property(lambda cls: 1 / 0)


class Unnamed(Broken, metaclass=Nameless):
    pass


class Colour(enum.Enum):
    RED = "red"


CYCLE = {}
CYCLE["self"] = CYCLE
MAZE = {}
MAZE.update((str(number), MAZE) for number in range(200))
NONE = "<dict that is no JSON>"


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


VALUES = {
    "text": ("é", "é"),
    "a quote and a backslash": ('"\\', '"\\'),
    "R20 controls": ("\t\x1b\x00\x7f\x9b\u2028\u202e", "\t\x1b\x00\x7f\x9b\u2028\u202e"),
    "R20 forging": ('","level":"info"}\n{"x":"', '","level":"info"}\n{"x":"'),
    "a lone surrogate": ("a\udcff", "a\\udcff"),
    "lone surrogates inside": ({"k\ud800": ["\udcff😀"]}, {"k\\ud800": ["\\udcff😀"]}),
    "2**70": (2**70, 2**70),
    "a number of 5000 digits": (10**5000, "<int that is no JSON>"),
    "not a number": (math.nan, None),
    "a cycle": (CYCLE, {"self": "<dict that is no JSON>"}),
    "a cycle of many ways": (MAZE, dict.fromkeys(MAZE, "<dict that is no JSON>")),
    "one bad member of many": ({"a": {"b": {"c": CYCLE, "d": 1}}}, {"a": {"b": {"c": {"self": NONE}, "d": 1}}}),
    "a bad member far down": ({"a": {"b": {"c": {"d": {"e": [CYCLE]}}}}}, {"a": {"b": {"c": {"d": NONE}}}}),
    "deep nesting": (nested(100_000), "<list that is no JSON>"),
    "an object": (object, "<class 'object'>"),
    "an object whose str() raises": (Broken(), "<Broken whose str() raises>"),
    "an object whose class has no name either": (Unnamed(), "<Unnamed whose str() raises>"),
    "bytes": (b"\xff", "b'\\xff'"),
    "a decimal": (decimal.Decimal("1.50"), "1.50"),
    "a set": ({1}, "{1}"),
    "an enum": (Colour.RED, "red"),
    "a UUID": (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "a time": (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "2026-01-02T00:00:00+00:00"),
    "a key that is no text": ({1: 2}, {"1": 2}),
    "a key that JSON cannot have": ({(1, 2): 3}, {"(1, 2)": 3}),
}


@pytest.mark.parametrize(("value", "read"), VALUES.values(), ids=VALUES)
def test_item_28_whatever_is_in_it_it_is_one_line_of_json(value, read):
    line = json_line({"before": 1, "value": value, "after": "é"})
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    expected = {"before": 1, "value": read, "after": "é"}
    assert json.loads(line) == expected
    if not isinstance(value, int):
        assert orjson.loads(line) == expected
    assert not re.search(UNSAFE, line.decode()[:-1])


def test_a_key_of_any_type_is_text():
    assert json.loads(json_line({("a", 1): 2, "\udcff": 3, 4: 2**70})) == {"('a', 1)": 2, "\\udcff": 3, "4": 2**70}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON))
def test_item_28_what_is_json_is_read_back(record):
    line = json_line(record)
    assert json.loads(line) == record
    assert not re.search(UNSAFE, line.decode()[:-1])


@given(st.dictionaries(st.text(st.characters()) | st.integers(), st.text(st.characters()) | st.binary()))
def test_anything_makes_one_line(record):
    line = json_line(record)
    assert isinstance(orjson.loads(line), dict)
    assert line.count(b"\n") == 1


@pytest.mark.parametrize("unit", ["\x1b", "\x9b", "\udcff", '"', "é", "\u2028"], ids=ascii)
def test_64_kib_cost_linear_time(unit):
    json_line({"path": unit * 65536})
