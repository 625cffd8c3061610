"""JSON in and out."""

import contextlib

import pytest
from flask import Flask, jsonify
from hypothesis import given
from hypothesis import strategies as st

from overcoat.demo.json_provider import OrjsonProvider

app = Flask("shop")
app.json = OrjsonProvider(app)

NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read(value):
    assert app.json.loads(app.json.dumps(value)) == value


@given(st.text() | st.binary())
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(ValueError):
        app.json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"a": 1, "a": 1}', id="a name twice"),
        pytest.param('[{"b": {"a": 1, "\\u0061": 2}}]', id="a name twice, once escaped"),
        pytest.param("NaN", id="NaN"),
        pytest.param("-Infinity", id="infinity"),
        pytest.param("1e999", id="overflow"),
        pytest.param('"\\ud800"', id="lone surrogate"),
        pytest.param(b'"\xff"', id="not UTF-8"),
        pytest.param('"a"'.encode("utf-16"), id="UTF-16"),
        pytest.param("[" * 100_000, id="100000 levels, open"),
        pytest.param("[" * 2000 + "]" * 2000, id="2000 levels"),
        pytest.param("1" * 5000, id="5000 digits"),
        pytest.param("", id="nothing"),
    ],
)
def test_refused(text):
    with pytest.raises(ValueError):
        app.json.loads(text)


def test_1000_levels_are_read_or_refused():
    # Python 3.11 has one limit for its own calls and those of C, which comes sooner the deeper the caller stands.
    with contextlib.suppress(ValueError):
        assert app.json.loads("[" * 1000 + "]" * 1000)


def test_response():
    with app.test_request_context():
        response = jsonify(name="café", value=1.5)
    assert (response.mimetype, response.get_data()) == ("application/json", '{"name":"café","value":1.5}\n'.encode())
