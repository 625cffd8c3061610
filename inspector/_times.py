"""What `--since` and `--until` understand.

RFC 3339 (`2026-11-23T10:00:00Z`), a local date and time (`2026-11-23 10:00`), a date, a time of day, or how long ago
(`90s`, `15m`, `2h`, `3d`, `1w`). Without a zone a time is in the zone that is shown: the local one, or UTC.

- A time of day is the last one that has passed: `--since 23:00` at one in the morning is yesterday evening.
- A date as the end of a span means through the end of that day.

>>> now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
>>> parse_time("2h", now=now).isoformat()
'2026-11-23T10:00:00+00:00'
>>> parse_time("13:30", now=now).isoformat()
'2026-11-22T13:30:00+00:00'
"""

import re
from datetime import UTC, datetime, time, timedelta

_AGO = re.compile(r"([0-9]{1,9})(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?")
_DATE_TIME = re.compile(_DATE.pattern + r"[Tt ]" + _TIME.pattern + r"([Zz]|[+-][0-9]{2}:[0-9]{2})?")

__all__ = ["UTC", "is_relative", "parse_span", "parse_time"]


def parse_time(text: str, *, now: datetime, end: bool = False) -> datetime:
    """The moment a text means.

    Args:
        text: as typed.
        now: the present, in the zone that times without one are in.
        end: whether the text ends a span.

    Raises:
        ValueError: the text is none of the forms; the message says which there are.
    """
    text = text.strip()
    try:
        if ago := _AGO.fullmatch(text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if _DATE.fullmatch(text):
            midnight = datetime.fromisoformat(text) + timedelta(days=1 if end else 0)
            return _in_zone(midnight, now)
        if _TIME.fullmatch(text):
            today = _in_zone(datetime.combine(now.date(), time.fromisoformat(text)), now)
            return today if today <= now else _in_zone(today.replace(tzinfo=None) - timedelta(days=1), now)
        if _DATE_TIME.fullmatch(text):
            return _in_zone(datetime.fromisoformat(text.upper()), now)
    except (ValueError, OverflowError):
        pass
    raise ValueError(
        f"{text!r} is no time: write 2026-11-23T10:00:00Z, '2026-11-23 10:00', 2026-11-23, 10:00, "
        "or how long ago: 90s, 15m, 2h, 3d"
    )


def parse_span(since: str | None, until: str | None, *, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Both ends of a span.

    Where both are times of day the end is the first such time after the start: `22:00` to `02:00` spans midnight.

    Raises:
        ValueError: an end is no time, or the span ends before it begins.
    """
    start = None if since is None else parse_time(since, now=now)
    stop = None if until is None else parse_time(until, now=now, end=True)
    if start and stop and since and until and _TIME.fullmatch(since.strip()) and _TIME.fullmatch(until.strip()):
        at = time.fromisoformat(until.strip())
        stop = _in_zone(datetime.combine(start.date(), at), now)
        if stop <= start:
            stop = _in_zone(datetime.combine(start.date() + timedelta(days=1), at), now)
    if start and stop and stop <= start:
        raise ValueError(
            f"--until {until} ({stop:%Y-%m-%d %H:%M}) is not after --since {since} ({start:%Y-%m-%d %H:%M})"
        )
    return start, stop


def is_relative(text: str) -> bool:
    """Whether a text says how long ago, and so means another moment later on."""
    return _AGO.fullmatch(text.strip()) is not None


def _in_zone(when: datetime, now: datetime) -> datetime:
    if when.tzinfo is not None:
        return when
    # astimezone() of a naive time takes the local zone with the rules of that day, not today's offset.
    return when.replace(tzinfo=UTC) if now.tzinfo is UTC else when.astimezone()
