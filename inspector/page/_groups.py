"""The figures of a view by route, client or another field, with how many requests came when."""

# ruff: noqa: S608 (this file writes SQL: values are quoted, names are ours)

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from overcoat.inspector._filters import quote
from overcoat.inspector._text import escape
from overcoat.inspector.page._index import Index
from overcoat.inspector.page._inserter import TABLE
from overcoat.inspector.page._view import View

MAX_GROUPS: Final = 20
SPARK_POINTS: Final = 30

FIGURES: Final = (
    "count(*) AS requests,"
    " count(*) FILTER (coalesce(j.status >= 500, false) OR j.outcome = 'failed') AS errors,"
    " count(*) FILTER (j.status BETWEEN 400 AND 499) AS refused,"
    " quantile_cont(j.duration_ms, [0.5, 0.95, 0.99]) AS quantiles,"
    " coalesce(sum(j.response_bytes), 0)::DOUBLE AS bytes, sum(j.duration_ms) AS total_ms"
)
"""The columns of SQL that `named` takes."""

NO_FIGURES: Final = (0, 0, 0, None, 0.0, None)

_ORDERS = {
    "requests": "requests", "errors": "errors", "error_share": "errors / requests", "4xx": "refused",
    "p50": "quantiles[1]", "p95": "quantiles[2]", "p99": "quantiles[3]", "bytes": "bytes", "total": "total_ms",
}  # fmt: skip


_KEYS: Final = {"error_type": ("error_type", "error_at")}
"""What makes a group where it is more than the field itself: two errors of a type are two faults."""


def named(figures: Sequence[Any]) -> dict[str, Any]:
    """The `FIGURES` of a row, with their names on the page."""
    requests, errors, refused, quantiles, sent, total_ms = figures
    p50, p95, p99 = quantiles or (None, None, None)
    return {
        "requests": requests, "errors": errors, "4xx": refused, "p50": p50, "p95": p95, "p99": p99, "bytes": sent,
        "total_ms": total_ms,
    }  # fmt: skip


def groups(index: Index, view: View, first_s: int, end_s: int) -> tuple[list[dict[str, Any]], int]:
    """The first groups in the order of a view, and how many there are.

    Args:
        index: of the requests.
        view: what is asked for.
        first_s: when the charts begin, in seconds since 1970.
        end_s: when they end.
    """
    where, fields = view.condition(), _KEYS.get(view.group, (view.group,))
    names = [f"key{place}" for place in range(len(fields))]
    keys = ", ".join(f"j.{field}::VARCHAR AS {name}" for field, name in zip(fields, names, strict=True))
    last = ", ".join(f"{name} NULLS LAST" for name in names)
    found = index.rows(
        f"SELECT *, count(*) OVER ()"
        f" FROM (SELECT {keys}, {FIGURES} FROM {TABLE} AS j WHERE {where} GROUP BY {', '.join(names)})"
        f" ORDER BY {_ORDERS[view.sort]} DESC NULLS LAST, requests DESC, {last} LIMIT {MAX_GROUPS}",
        slow=True,
    )
    if not found:
        return [], 0
    spark_s = max(1, math.ceil((end_s - first_s) / SPARK_POINTS))
    sparks: dict[tuple[str | None, ...], list[int]] = {row[: len(fields)]: [0] * SPARK_POINTS for row in found}
    chosen = _chosen(fields, sparks)
    for *values, number, count in index.rows(
        f"SELECT {keys}, (epoch_us(j.timestamp) - {first_s * 10**6}) // {spark_s * 10**6} AS part, count(*)"
        f" FROM {TABLE} AS j WHERE {where} AND {chosen} GROUP BY {', '.join(names)}, part",
        slow=True,
    ):
        if (which := tuple(values)) in sparks and number is not None and 0 <= number < SPARK_POINTS:
            sparks[which][number] = count
    samples = _samples(index, f"{where} AND {chosen}") if view.group == "error_type" else {}
    shown = []
    for row in found:
        key, figures = row[: len(fields)], row[len(fields) : -1]
        label = None if key[0] is None else escape(key[0], limit=512)
        shown.append({"key": key[0], "label": label, "spark": sparks[key]} | samples.get(key, {}) | named(figures))
    return shown, found[0][-1]


def _chosen(fields: Sequence[str], found: Iterable[Sequence[str | None]]) -> str:
    """Whether a request is in one of some groups, as SQL."""
    if len(fields) == 1:
        listed = ", ".join(quote(value) for (value,) in found if value is not None)
        return f"(j.{fields[0]}::VARCHAR IN ({listed or 'NULL'}) OR j.{fields[0]} IS NULL)"
    groups = (
        " AND ".join(
            f"j.{field} IS NULL" if value is None else f"j.{field}::VARCHAR = {quote(value)}"
            for field, value in zip(fields, values, strict=True)
        )
        for values in found
    )
    return f"({' OR '.join(f'({one})' for one in groups)})"


def _samples(index: Index, where: str) -> dict[tuple[str | None, ...], dict[str, Any]]:
    """Of each kind of error its place in the code, and the id and the message of its latest request."""
    found = index.rows(
        "SELECT j.error_type, j.error_at, arg_max(j.request_id, j.timestamp), arg_max(j.error_message, j.timestamp)"
        f" FROM {TABLE} AS j WHERE {where} AND j.error_type IS NOT NULL GROUP BY j.error_type, j.error_at",
        slow=True,
    )
    return {
        (kind, at): {
            "at": at,
            "place": None if at is None else escape(at, limit=256),
            "sample_id": sample_id,
            "message": None if message is None else escape(message, limit=256),
        }
        for kind, at, sample_id, message in found
    }
