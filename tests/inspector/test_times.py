"""What `--since` and `--until` understand."""

import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overcoat.inspector._times import parse_span, parse_time

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90s", "2026-11-23T11:58:30"),
        ("15m", "2026-11-23T11:45:00"),
        ("2h", "2026-11-23T10:00:00"),
        ("3d", "2026-11-20T12:00:00"),
        ("1w", "2026-11-16T12:00:00"),
        ("2026-11-22", "2026-11-22T00:00:00"),
        ("2026-11-22 10:00", "2026-11-22T10:00:00"),
        ("2026-11-22T10:00:30.5Z", "2026-11-22T10:00:30.500000"),
        ("2026-11-22t10:00z", "2026-11-22T10:00:00"),
        ("2026-11-22T10:00:00+02:00", "2026-11-22T08:00:00"),
        ("10:00", "2026-11-23T10:00:00"),
        ("13:30", "2026-11-22T13:30:00"),
        (" 10:00:15 ", "2026-11-23T10:00:15"),
    ],
)
def test_a_text_means_a_moment(text, meant):
    assert parse_time(text, now=NOW).astimezone(UTC).isoformat() == meant + "+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "15",
        "m",
        "15 m",
        "-2h",
        "25:00",
        "10:60",
        "2026-13-01",
        "2026-W47",
        "20261123",
        "٢h",
        "9" * 9 + "w",
    ],
)
def test_anything_else_is_refused_with_the_forms(text):
    with pytest.raises(ValueError, match="is no time: write 2026-11-23T10:00:00Z"):
        parse_time(text, now=NOW)


@settings(deadline=None)
@given(st.text())
def test_no_text_raises_anything_else(text):
    with suppress(ValueError):
        assert parse_time(text, now=NOW).tzinfo


@pytest.mark.parametrize(
    ("since", "until", "start", "stop"),
    [
        ("2026-11-22", "2026-11-22", "2026-11-22T00:00", "2026-11-23T00:00"),
        ("22:00", "02:00", "2026-11-22T22:00", "2026-11-23T02:00"),
        ("09:00", "18:00", "2026-11-23T09:00", "2026-11-23T18:00"),
        ("2h", None, "2026-11-23T10:00", None),
        (None, "10:00", None, "2026-11-23T10:00"),
    ],
)
def test_a_span(since, until, start, stop):
    found = parse_span(since, until, now=NOW)
    assert [when and f"{when:%Y-%m-%dT%H:%M}" for when in found] == [start, stop]


def test_a_span_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match=r"--until 3d .* is not after --since 2h"):
        parse_span("2h", "3d", now=NOW)


def test_a_local_time_has_the_offset_of_its_own_day(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC).astimezone()
        assert parse_time("2026-07-01 10:00", now=now).isoformat() == "2026-07-01T10:00:00+02:00"
        assert parse_time("2026-11-01 10:00", now=now).isoformat() == "2026-11-01T10:00:00+01:00"
    finally:
        monkeypatch.undo()
        time.tzset()
