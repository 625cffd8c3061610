"""Requests, errors, latency percentiles and bytes by route, or by any fields: one pass of DuckDB over the logs.

A request without a route (another framework, a path that no route took) is counted under its path, folded: `/item/42`
under `/item/{n}`, ids of 16 hexadecimal digits and up and UUIDs under `{id}`.

An error is a status of 500 and up, or the outcome `failed`, which `--errors` shows too.
"""

# ruff: noqa: S608 (this file writes SQL: names and values are quoted, and a user's own query is theirs)

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from overcoat.inspector._files import LogFiles
from overcoat.inspector._filters import identifier, quote
from overcoat.inspector._views import KIND, LINES

if TYPE_CHECKING:
    from overcoat.inspector._database import Database

# A path's slashes are doubled first, so that each segment has its own two and all of them match in one pass.
_FOLDS = (
    (r"/[0-9]+(/|$)", r"/{n}\1"),
    (r"(?i)/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(/|$)", r"/{id}\1"),
    (r"(?i)/[0-9a-f]{16,}(/|$)", r"/{id}\1"),
)

_VALUES = "status, outcome, duration_ms, response_bytes"
# Not `requests`: the name of a table among the columns means its whole row, and every field would be parsed.
_FIGURES = """count(*) AS hits,
            count(*) FILTER (coalesce(status >= 500, false) OR coalesce(outcome = 'failed', false)) AS errors,
            quantile_cont(duration_ms, [0.5, 0.95, 0.99]) AS percentiles,
            least(coalesce(sum(response_bytes), 0), 9223372036854775807)::BIGINT AS response_bytes"""
_KINDS = 4  # of lines: each has a row of its own


@dataclass(frozen=True)
class Group:
    """The figures of one group, or of all requests.

    Args:
        keys: what the group has in common; empty for the total.
        requests: how many.
        errors: how many of them failed.
        percentiles_ms: the durations that 50, 95 and 99 in 100 did not exceed.
        response_bytes: sent, by all of them.
    """

    keys: tuple[str | None, ...]
    requests: int
    errors: int
    percentiles_ms: tuple[float | None, ...]
    response_bytes: int


@dataclass(frozen=True)
class Stats:
    """What `--stats` shows.

    Args:
        groups: by most requests.
        total: of all requests, those of the groups left out included.
        group_count: how many groups there are.
        first: the earliest timestamp, as seconds since 1970; None without one.
        last: the latest.
    """

    groups: list[Group]
    total: Group
    group_count: int
    first: float | None
    last: float | None


def stats_query(by: Sequence[str]) -> str:
    """The SELECT of the groups alone, one a row, by most requests; for `--json` and `--export`."""
    names = [identifier(name) for name in by] or ["route"]
    inner = ", ".join(f"{sql} AS {name}" for name, sql in zip(names, _keys(by), strict=True))
    keys = ", ".join(names)
    return f"""
        SELECT {keys}, hits AS requests, errors, errors / hits AS error_share,
            percentiles[1] AS p50_ms, percentiles[2] AS p95_ms, percentiles[3] AS p99_ms, response_bytes
        FROM (SELECT {keys}, {_FIGURES} FROM (SELECT {inner}, {_VALUES} FROM requests) GROUP BY {keys})
        ORDER BY hits DESC, {keys}"""


def read_stats(database: "Database", files: LogFiles, by: Sequence[str], limit: int | None) -> Stats:
    """The figures of the requests in a database; lines that are no request are counted in `files`.

    Args:
        database: over the files.
        files: where lines are counted.
        by: the fields that make a group; none for the route.
        limit: how many groups to return; None for all.

    Raises:
        QueryError: the database could not tell.
    """
    names = [f"key{index}" for index in range(len(by) or 1)]
    keys = ", ".join(names)
    # What is no request is counted in the same pass, in one group of each kind.
    chosen = f"{KIND} = 'request'"
    picked = ", ".join(
        f"CASE WHEN {chosen} THEN ({sql})::VARCHAR END AS {name}" for name, sql in zip(names, _keys(by), strict=True)
    )
    query = f"""
        WITH figures AS (
            SELECT kind, grouping({names[0]}) = 1 AS is_total, {keys}, {_FIGURES}, epoch(min(seen)) AS first,
                epoch(max(seen)) AS last
            FROM (
                SELECT {KIND} AS kind, {picked}, {_VALUES}, CASE WHEN {chosen} THEN timestamp END AS seen FROM {LINES}
            )
            GROUP BY GROUPING SETS ((kind, {keys}), (kind))
        )
        SELECT kind, is_total, {keys}, hits, errors, percentiles, response_bytes, first, last, count(*) OVER ()
        FROM figures WHERE is_total OR kind = 'request'
        ORDER BY is_total DESC, hits DESC, {keys} {"" if limit is None else f"LIMIT {limit + _KINDS}"}"""
    stats = Stats([], Group((), 0, 0, (None, None, None), 0), 0, None, None)
    totals = 0
    for kind, is_total, *values in database.rows(query):
        requests, errors, percentiles, sent, first, last, rows = values[len(names) :]
        group = Group(tuple(values[: len(names)]), requests, errors, tuple(percentiles or (None, None, None)), sent)
        if not is_total:
            stats.groups.append(group)
            continue
        totals += 1
        files.count(kind, requests)
        if kind == "request":
            stats = Stats(stats.groups, replace(group, keys=()), rows, first, last)
    return replace(stats, groups=stats.groups[:limit], group_count=max(0, stats.group_count - totals))


def _keys(by: Sequence[str]) -> list[str]:
    if by:
        return [identifier(name) for name in by]
    folded = "replace(path, '/', '//')"
    for pattern, replacement in _FOLDS:
        folded = f"regexp_replace({folded}, {quote(pattern)}, {quote(replacement)}, 'g')"
    return [f"coalesce(route, replace({folded}, '//', '/'))"]
