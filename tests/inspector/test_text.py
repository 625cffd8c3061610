"""Nothing from a log steers a terminal; figures read well and stay short."""

import json
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.log_lines import HOSTILE

from overcoat.inspector._text import clock, duration, escape, escape_json, plural, size


@settings(deadline=None)
@given(st.text())
def test_what_is_escaped_is_printable(value):
    assert escape(value).isprintable()


@settings(deadline=None)
@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"])))
def test_what_is_printable_stays(value):
    assert escape(value, limit=None) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("\x1b[2J", "\\x1b[2J", id="C0"),
        pytest.param("\x7f", "\\x7f", id="DEL"),
        pytest.param("\x9b31m", "\\x9b31m", id="C1"),
        pytest.param("\u2028\u2029", "\\u2028\\u2029", id="separators"),
        pytest.param("\u202e\u2066\u061c", "\\u202e\\u2066\\u061c", id="bidi"),
        pytest.param("\U000e0041", "\\U000e0041", id="tags"),
        pytest.param("\ud800", "\\ud800", id="surrogate"),
        pytest.param("Grüße 日本 ½", "Grüße 日本 ½", id="letters"),
    ],
)
def test_an_escape_says_what_was_there(value, shown):
    assert escape(value) == shown


def test_a_long_value_is_cut():
    assert escape("x" * 5000, limit=10) == "xxxxxxxxx…"


@settings(deadline=None)
@given(st.recursive(st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=5))
def test_escaped_json_is_printable_and_means_the_same(value):
    shown = escape_json(orjson.dumps({"value": value}))
    assert shown.isprintable()
    assert json.loads(shown) == {"value": value}


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_printable_in_json(value):
    assert escape_json(orjson.dumps({value: value})).isprintable()


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (None, "-"),
        (0, "0.0 ms"),
        (999.4, "999.4 ms"),
        (999.99, "1.00 s"),
        (1234.5, "1.23 s"),
        (90_000, "1.5 min"),
        (7_200_000, "2.0 h"),
        (1e300, "1e+300"),
        (-5, "-5.0 ms"),
    ],
)
def test_a_duration_is_in_a_good_unit(milliseconds, shown):
    assert duration(milliseconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(None, "-"), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_990, "1.0 MB"), (10**30, "1e+30")],
)
def test_a_size_is_in_a_good_unit(count, shown):
    assert size(count) == shown


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_figures_stay_short(value):
    assert len(duration(value)) <= 9
    assert len(size(value)) <= 9


@pytest.mark.parametrize("when", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_a_time_at_the_edge_of_the_calendar_is_none(when):
    shift = timedelta(hours=-5 if when.year == 1 else 5)
    assert clock(when, timezone(shift)) is None


def test_counts_have_their_nouns():
    assert (plural(1, "line"), plural(0, "line"), plural(1234, "line")) == ("1 line", "0 lines", "1,234 lines")
