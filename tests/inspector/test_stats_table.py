"""The figures on the screen: they fit, what matters stays, and nothing a log says steers the terminal."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from overcoat.inspector._stats import Group, Stats
from overcoat.inspector._stats_table import print_stats, rate, sparkline
from overcoat.inspector._terminal import Terminal

TOTAL = Group(
    (), 12_345_678, 99, (1.0, 12.5, 1234.5, 99_000.0), 99_999.0, 10**12, tuple(range(16)), 1e9, "feed01", "no"
)


def shown(monkeypatch, columns, keys=("/items/range/<int:start_id>/<int:end_id>",), encoding="utf-8", **options):
    """The table in so many columns."""
    if columns:
        monkeypatch.setenv("COLUMNS", str(columns))
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
    groups = [Group(keys, *list(vars(TOTAL).values())[1:])]
    print_stats(Terminal(out), Stats(groups, TOTAL, 1, 0.0, 1e9), options.pop("by", ()), None, **options)
    out.seek(0)
    return out.read().splitlines()


@pytest.mark.parametrize("columns", [60, 70, 80, 100, 120, 160, None])
def test_it_fits_and_the_most_important_columns_stay(monkeypatch, columns):
    lines = shown(monkeypatch, columns)
    assert columns is None or max(map(cell_len, [*lines[:-2], lines[-1]])) <= columns
    assert {"ROUTE", "REQUESTS", "ERRORS", "P50", "P99"} <= set(lines[0].split())
    assert "12,345,678" in lines[1]


@pytest.mark.parametrize("sort", ["requests", "errors", "p50", "p90", "p95", "p99", "max", "bytes"])
@pytest.mark.parametrize("samples", [False, True], ids=["requests", "errors"])
@pytest.mark.parametrize("columns", [60, 80, None])
def test_what_it_is_sorted_by_is_shown(monkeypatch, columns, samples, sort):
    keys, by = (("E", "a.py"), ("error_type", "error_at")) if samples else (("/a",), ())
    assert sort.upper() in shown(monkeypatch, columns, keys, by=by, samples=samples, sort=sort)[0].split()


@pytest.mark.parametrize(
    ("columns", "note"),
    [
        (60, "no room for P90, RATE, MAX, BYTES, TREND"),
        (110, "TREND: requests over that time; no room for P90"),
        (None, "TREND: requests over that time"),
    ],
)
def test_what_was_left_out_is_told(monkeypatch, columns, note):
    assert shown(monkeypatch, columns)[-1].startswith(note)


def test_shares_stand_below_each_other(monkeypatch):
    groups = [Group((key,), 1000, errors, (1.0,) * 4, 1.0, 1) for key, errors in (("/a", 500), ("/b", 5), ("/c", 0))]
    out = io.StringIO()
    print_stats(Terminal(out), Stats(groups, TOTAL, 3, 0.0, 1e9), (), None)
    cells = [line[line.index("1,000") + 5 :][:22].rstrip() for line in out.getvalue().splitlines()[1:4]]
    assert [cell[-11:] for cell in cells] == ["500   (50%)", "  5  (0.5%)", "          -"]


def test_a_wide_one_and_a_pipe_have_all_columns(monkeypatch):
    expected = ["ROUTE", "REQUESTS", "RATE", "ERRORS", "P50", "P90", "P95", "P99", "MAX", "BYTES", "TREND"]
    assert shown(monkeypatch, 200)[0].split() == shown(monkeypatch, None)[0].split() == expected


def test_without_unicode_there_are_no_bars(monkeypatch):
    lines = shown(monkeypatch, None, encoding="ascii")
    assert "TREND" not in lines[0]
    assert "\\u" not in "".join(lines)


def test_what_a_log_says_is_escaped(monkeypatch):
    lines = shown(monkeypatch, None, keys=("\x1b[2J", "\u202e"), by=("error_type", "error_at"), samples=True)
    assert all(text.isprintable() for text in lines)


@given(st.lists(st.integers(0, 10**9), max_size=20))
def test_a_sparkline_has_a_bar_for_each_count(counts):
    bars = sparkline(counts)
    assert len(bars) == len(counts)
    assert [bar == " " for bar in bars] == [not count for count in counts]
    assert not any(counts) or bars[counts.index(max(counts))] == "█"


@pytest.mark.parametrize(
    ("count", "span_s", "text"),
    [
        (1000, 1, "1,000/s"),
        (90, 60, "1.5/s"),
        (10, 60, "10/min"),
        (3, 3600, "3/h"),
        (1, 864_000, "0.1/d"),
        (5, 0.5, "-"),
    ],
)
def test_a_rate_is_in_the_unit_in_which_it_reads_best(count, span_s, text):
    assert rate(count, span_s) == text
