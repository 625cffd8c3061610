"""What a URL of the page asks for: which requests, over which time, grouped and ordered how.

>>> view = View.of({"range": "1h", "status": "5xx", "by": "client"}, now=datetime(2026, 11, 23, tzinfo=UTC))
>>> view.group, view.since.isoformat()
('client', '2026-11-22T23:00:00+00:00')
>>> print(view.condition())
(j.status BETWEEN 500 AND 599) AND j.timestamp >= '2026-11-22T23:00:00+00:00'::TIMESTAMPTZ
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from overcoat.inspector._filters import Filters, parse_statuses, quote
from overcoat.inspector._times import parse_time

RANGES: Final = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "all": None,
}
"""Spans that end now; without one the page takes an hour or a day that has a request in it, else all."""

GROUPS: Final = {
    "route": "route", "client": "client", "status": "status", "method": "method", "host": "host",
    "user_agent": "user agent", "error_type": "error", "outcome": "outcome",
}  # fmt: skip
"""The fields by which the figures are grouped, with their names on the page."""

SORTS: Final = ("requests", "errors", "error_share", "4xx", "p50", "p95", "p99", "bytes", "total")
ORDERS: Final = ("latest", "slowest")
MAX_ROWS: Final = 1000

_EQUAL = ("client", "method", "host", "user_agent", "error_type", "error_at", "outcome")
_MAX_TEXT = 2048
_T = TypeVar("_T")


class WrongValueError(ValueError):
    """A parameter that is none of its kind.

    Args:
        name: of the parameter.
        told: what it would be.
    """

    def __init__(self, name: str, told: str) -> None:
        super().__init__(told)
        self.name = name


@dataclass(frozen=True, kw_only=True)
class View:
    """What is asked for.

    Args:
        filters: which requests; their times are apart, in `since` and `until`.
        equal: fields with the values that they must have; an empty one stands for none.
        span: a key of `RANGES`, or None where nothing is said.
        since: the earliest time; None for the first request.
        until: the time before which; None for now.
        group: a key of `GROUPS`.
        sort: one of `SORTS`.
        order: one of `ORDERS`.
        limit: how many requests are listed.
        moves: whether the time that is asked for goes on with the clock.
    """

    filters: Filters
    equal: tuple[tuple[str, str], ...]
    span: str | None
    since: datetime | None
    until: datetime | None
    group: str
    sort: str
    order: str
    limit: int
    moves: bool = True

    @classmethod
    def of(cls, given: Mapping[str, str], *, now: datetime) -> "View":
        """The view of a query string's parameters; unknown ones mean nothing.

        Raises:
            WrongValueError: a value is none of its kind; the message says what would be.
        """
        for name, value in given.items():
            if len(value) > _MAX_TEXT:
                raise WrongValueError(name, f"{name}: longer than {_MAX_TEXT} characters")
        span = _one_of(given, "range", RANGES) if given.get("range") else None
        since = _parsed(given, "since", partial(parse_time, now=now))
        until = _parsed(given, "until", partial(parse_time, now=now, end=True))
        if since is None and span is not None and (length := RANGES[span]) is not None:
            since = (until or now) - length
        if since and until and until <= since:
            raise WrongValueError("until", "until: not after since")
        filters = Filters(
            statuses=_parsed(given, "status", parse_statuses) or (),
            path=given.get("path") or None,
            route=given.get("route") or None,
            request_id=given.get("id") or None,
            errors=given.get("errors") == "1",
            slow_ms=_number(given, "slow"),
        )
        return cls(
            filters=filters,
            equal=tuple((name, given[name]) for name in _EQUAL if name in given),
            span=span,
            since=since,
            until=until,
            group=_one_of(given, "by", GROUPS),
            sort=_one_of(given, "sort", SORTS),
            order=_one_of(given, "order", ORDERS),
            limit=_count(given),
            moves=not (span == "all" and since is None and until is None),
        )

    def condition(self) -> str:
        """What a request must be like, as SQL over the table `j`."""
        tests = [self.filters.sql()]
        tests += [f"j.{name} = {quote(value)}" if value else f"j.{name} IS NULL" for name, value in self.equal]
        if self.since is not None:
            tests.append(f"j.timestamp >= {quote(self.since.isoformat())}::TIMESTAMPTZ")
        if self.until is not None:
            tests.append(f"j.timestamp < {quote(self.until.isoformat())}::TIMESTAMPTZ")
        return " AND ".join(tests)


def _parsed(given: Mapping[str, str], name: str, parse: Callable[[str], _T]) -> _T | None:
    if not given.get(name):
        return None
    try:
        return parse(given[name])
    except ValueError as error:
        raise WrongValueError(name, str(error)) from None


def _one_of(given: Mapping[str, str], name: str, choices: Mapping[str, object] | tuple[str, ...]) -> str:
    value = given.get(name) or next(iter(choices))
    if value not in choices:
        raise WrongValueError(name, f"{name}: none of {', '.join(choices)}")
    return value


def _number(given: Mapping[str, str], name: str) -> float | None:
    text = given.get(name)
    if not text:
        return None
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise WrongValueError(name, f"{name}: write milliseconds, such as 250")
    return value


def _count(given: Mapping[str, str]) -> int:
    text = given.get("n") or "100"
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MAX_ROWS):
        raise WrongValueError("n", f"n: write a number from 1 to {MAX_ROWS}")
    return int(text)


__all__ = ["GROUPS", "MAX_ROWS", "ORDERS", "RANGES", "SORTS", "UTC", "View", "WrongValueError"]
