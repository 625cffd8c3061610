"""What the page shows of a view, asked of the index: the figures over time, by group, and the requests themselves.

All texts are escaped as in a terminal, so that no control or bidi character of a log turns the page around; that they
are no markup either is for the page, which sets them as text.
"""

# ruff: noqa: S608 (this file writes SQL: values are quoted, names are ours)

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from overcoat.inspector._text import escape
from overcoat.inspector.page._groups import FIGURES, NO_FIGURES, groups, named
from overcoat.inspector.page._index import Index
from overcoat.inspector.page._inserter import AT_MS, TABLE
from overcoat.inspector.page._view import RANGES, View

CLASSES: Final = ("2xx", "3xx", "4xx", "5xx", "other")
"""Of statuses, as they are stacked; 1xx and none at all are the last."""

_MAX_BUCKETS = 90
_STEPS_S = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
    86400, 2 * 86400, 7 * 86400, 14 * 86400, 28 * 86400, 91 * 86400, 364 * 86400,
)  # fmt: skip
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

Answer = dict[str, Any]


def requests(index: Index, view: View) -> list[Answer]:
    """The requests of a view, at most as many as it says."""
    order = "j.timestamp DESC NULLS LAST" if view.order == "latest" else "j.duration_ms DESC NULLS LAST"
    names = (
        "status", "duration_ms", "response_bytes", "method", "path", "query", "route", "client", "request_id",
        "outcome", "error_type",
    )  # fmt: skip
    columns = ", ".join(f"j.{name}" for name in names)
    found = index.rows(
        f"SELECT {AT_MS}, {columns} FROM {TABLE} AS j WHERE {view.condition()} ORDER BY {order} LIMIT {view.limit}"
    )
    return [
        {
            name: escape(value, limit=512) if isinstance(value, str) and name != "request_id" else value
            for name, value in zip(("at_ms", *names), row, strict=True)
            if value is not None
        }
        # The id itself is for the link; this is what stands there.
        | ({"id": escape(row[9][:8])} if row[9] else {})
        for row in found
    ]


def overview(index: Index, view: View, now: datetime) -> Answer:
    """The figures of a view, over time and by group."""
    since, until = _domain(index, view, now)
    step_s = _step_s((until - since).total_seconds(), _MAX_BUCKETS)
    classes = ", ".join(f"count(*) FILTER ({_class_sql(name)})" for name in CLASSES)
    bucket = f"epoch_us(j.timestamp) // {step_s * 10**6}"
    found = index.rows(
        f"SELECT grouping({bucket}), {bucket}, [{classes}], {FIGURES}"
        f" FROM {TABLE} AS j WHERE {view.condition()} GROUP BY GROUPING SETS (({bucket}), ())",
        slow=True,
    )
    total = next((figures for is_total, _, _, *figures in found if is_total), NO_FIGURES)
    by_bucket = {number: row for is_total, number, *row in found if not is_total and number is not None}
    first, last = (math.floor(when.timestamp() / step_s) for when in (since, until))
    buckets = range(first, last + 1)
    none = ([0] * len(CLASSES), *NO_FIGURES)
    rows = [by_bucket.get(number, none) for number in buckets]
    over_time = [named(row[1:]) for row in rows]
    shown, group_count = groups(index, view, first * step_s, last * step_s + step_s)
    return {
        "step_s": step_s,
        "since_ms": since.timestamp() * 1000,
        "until_ms": until.timestamp() * 1000,
        "time_s": [number * step_s for number in buckets],
        "classes": {name: [row[0][place] for row in rows] for place, name in enumerate(CLASSES)},
        "percentiles_ms": {name: [figures[name] for figures in over_time] for name in ("p50", "p95", "p99")},
        "total": named(total),
        "groups": shown,
        "group_count": group_count,
    }


def with_span(index: Index, view: View, now: datetime) -> View:
    """The view with a span of time, where it has none: an hour or a day where it has a request, else all.

    Who asks for an id asks for that request, whenever it was.
    """
    if view.span is not None or view.since is not None or view.until is not None:
        return view
    _, latest = _ends(index)
    for span in ("1h", "24h") if view.filters.request_id is None else ():
        length = RANGES[span]
        if latest is not None and length is not None and latest >= now - length:
            return replace(view, span=span, since=now - length)
    return replace(view, span="all", moves=False)


def _domain(index: Index, view: View, now: datetime) -> tuple[datetime, datetime]:
    """The time that the charts span: what is asked for, else what there is."""
    since, until = view.since, view.until
    if since is None or (until is None and view.span == "all"):
        first, last = _ends(index)
        since = since or max(first or now - timedelta(hours=1), _EARLIEST)
        until = until or min(last or now, now + timedelta(days=1))
    until = until or now
    return (since, until) if until > since else (since, since + timedelta(seconds=1))


def _ends(index: Index) -> tuple[datetime | None, datetime | None]:
    """The first and the last time of the index."""
    first_ms, last_ms = index.rows(f"SELECT min({AT_MS}), max({AT_MS}) FROM {TABLE} AS j")[0]
    if first_ms is None:
        return None, None
    return datetime.fromtimestamp(first_ms / 1000, UTC), datetime.fromtimestamp(last_ms / 1000, UTC)


def _step_s(length_s: float, at_most: int) -> int:
    return next((step for step in _STEPS_S if length_s / step <= at_most), math.ceil(length_s / at_most))


def _class_sql(name: str) -> str:
    if name == "other":
        return "j.status IS NULL OR j.status < 200 OR j.status > 599"
    return f"j.status BETWEEN {name[0]}00 AND {name[0]}99"
