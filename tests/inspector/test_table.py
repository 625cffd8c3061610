"""The table of requests: what it says, and that it fits."""

import io
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from support.log_lines import START, hostile_records, request, timestamp

from overcoat.inspector._table import RequestTable
from overcoat.inspector._terminal import Terminal


def table(*, width=None, zone=UTC, slow_ms=None):
    """A table on a terminal of that width, or in a pipe."""
    terminal = Terminal(io.StringIO())
    terminal.width, terminal.is_tty = width, width is not None
    return RequestTable(terminal, zone, slow_ms)


def row(record, **options):
    """The line of one request."""
    return table(**options).lines(record)[-1]


def test_a_pipe_has_everything_on_one_line():
    record = request(query="page=2", path="/" + "x" * 300)
    assert row(record) == (
        "2026-11-20T00:00:00.000Z  200       12.5 ms       42 B  8c2f64dc  192.0.2.1        GET /"
        + "x" * 300
        + "?page=2"
    )


def test_a_terminal_has_the_time_and_a_line_where_the_day_changes():
    shown = table(width=120)
    first, second = request(), request(timestamp=timestamp(START + timedelta(days=1)))
    today = request(timestamp=timestamp(datetime.now(UTC)))
    assert shown.lines(first)[1:-1] == ["── Friday, 2026-11-20 ──"]
    assert len(shown.lines(first)) == 1
    assert shown.lines(second)[:-1] == ["── Saturday, 2026-11-21 ──"]
    assert len(table(width=120).lines(today)) == 2


def test_times_are_in_the_zone():
    assert row(request(), zone=timezone(timedelta(hours=2))).startswith("2026-11-20T02:00:00.000+02:00  ")


@pytest.mark.parametrize(
    ("fields", "slow_ms", "marks"),
    [
        pytest.param({}, None, "", id="complete"),
        pytest.param({"outcome": "handed_off"}, None, "", id="handed off"),
        pytest.param({"outcome": "aborted"}, None, " [aborted]", id="aborted"),
        pytest.param({"outcome": "failed", "error_type": "ValueError"}, None, " [failed: ValueError]", id="failed"),
        pytest.param({"outcome": "failed"}, None, " [failed]", id="failed for an unknown reason"),
        pytest.param({"duration_ms": 1000}, None, " [slow]", id="slow"),
        pytest.param({"duration_ms": 20}, 20.0, " [slow]", id="slow by the option"),
        pytest.param({"duration_ms": 1000}, 2000.0, "", id="not slow by the option"),
        pytest.param({"outcome": "aborted", "duration_ms": 5000}, None, " [aborted] [slow]", id="both"),
    ],
)
def test_what_went_wrong_is_a_word(fields, slow_ms, marks):
    assert row(request(**fields), slow_ms=slow_ms).partition("GET /item/7")[2] == marks


@pytest.mark.parametrize("width", [40, 60, 72, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(width):
    shown = table(width=width)
    records = [request(path="/" + "é日" * 200, outcome="aborted"), request(route=None, client="2001:db8::" + "f" * 30)]
    lines = [line for record in records for line in shown.lines(record)]
    assert max(map(cell_len, lines)) <= width
    assert "[aborted]" in lines[2] or width < 50


def test_less_fits_on_a_narrow_terminal():
    heads = {width: table(width=width).lines(request())[0].split() for width in (60, 80, 120)}
    assert heads[60] == ["TIME", "(UTC)", "STATUS", "DURATION", "REQUEST"]
    assert heads[80] == ["TIME", "(UTC)", "STATUS", "DURATION", "BYTES", "ID", "REQUEST"]
    assert heads[120] == ["TIME", "(UTC)", "STATUS", "DURATION", "BYTES", "ID", "CLIENT", "REQUEST"]


@pytest.mark.parametrize("width", [None, 60, 120])
def test_hostile_records_are_printable_lines(width):
    shown = table(width=width)
    for record in hostile_records():
        for line in shown.lines(record):
            assert line.isprintable()


values = st.none() | st.text() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.lists(st.text(), max_size=2)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(request(error_type="x", query="x"))), values))
def test_any_record_is_a_printable_line(record):
    for width in (None, 80):
        assert all(line.isprintable() for line in table(width=width).lines(record))
