"""Requests, errors, latency percentiles and bytes by route, or by any fields: one pass of DuckDB over the logs.

A request without a route (another framework, a path that no route took) is counted under its path, folded: `/item/42`
under `/item/{n}`, ids of 16 hexadecimal digits and up and UUIDs under `{id}`.

An error is a status of 500 and up, or the outcome `failed`, which `--errors` shows too. Where a log was sampled, a line
with a `sample_rate` stands for `1 / sample_rate` requests in every figure; that takes a second pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from overcoat.inspector._files import LogFiles
from overcoat.inspector._stats_query import BUCKETS, QUANTILES, StatsQuery

if TYPE_CHECKING:
    from overcoat.inspector._database import Database


@dataclass(frozen=True)
class Group:
    """The figures of one group, or of all requests.

    Args:
        keys: what the group has in common; empty for the total.
        requests: how many.
        errors: how many of them failed.
        percentiles_ms: the durations that 50, 90, 95 and 99 in 100 did not exceed.
        max_ms: the longest duration.
        response_bytes: sent, by all of them.
        trend: how many requests came in each part of the time that the log spans.
        last: the latest timestamp, as seconds since 1970.
        sample_id: the id of the latest request.
        sample_message: its error message.
    """

    keys: tuple[str | None, ...]
    requests: int
    errors: int
    percentiles_ms: tuple[float | None, ...]
    max_ms: float | None
    response_bytes: int
    trend: tuple[int, ...] = ()
    last: float | None = None
    sample_id: str | None = None
    sample_message: str | None = None


@dataclass(frozen=True)
class Stats:
    """What `--stats` shows.

    Args:
        groups: in the order that was asked for.
        total: of all requests, those of the groups left out included.
        group_count: how many groups there are.
        first: the earliest timestamp, as seconds since 1970; None without one.
        last: the latest.
        sampled_lines: how many lines stand for more than one request.
    """

    groups: list[Group]
    total: Group
    group_count: int
    first: float | None
    last: float | None
    sampled_lines: int = 0

    @property
    def span_s(self) -> float:
        """From the first request to the last, in seconds."""
        return 0.0 if self.first is None or self.last is None else self.last - self.first


def read_stats(
    database: "Database",
    files: LogFiles,
    by: Sequence[str],
    limit: int | None,
    *,
    samples: bool = False,
    sort: str = "requests",
) -> Stats:
    """The figures of the requests in a database; lines that are no request are counted in `files`.

    Args:
        database: over the files.
        files: where lines are counted.
        by: the fields that make a group; none for the route.
        limit: how many groups to return; None for all.
        samples: whether each group has the id and the message of its latest request.
        sort: a key of `ORDERS`, of which the groups with most come first.

    Raises:
        QueryError: the database could not tell.
    """
    query = StatsQuery(by=by, span=database.span(), limit=limit, samples=samples, sort=sort)
    stats, counts, sampled = _stats_of(list(database.rows(query.plain())), len(query.key_names), limit)
    if sampled:
        stats, counts, _ = _stats_of(list(database.rows(query.weighted())), len(query.key_names), limit)
        stats = replace(stats, sampled_lines=sampled)
    for kind, lines in counts.items():
        files.count(kind, lines)
    return stats


def _stats_of(rows: list[tuple[Any, ...]], key_count: int, limit: int | None) -> tuple[Stats, dict[str, int], int]:
    """The figures of a query's rows, the lines of each kind, and how many requests' lines were sampled."""
    stats = Stats([], Group((), 0, 0, (None,) * len(QUANTILES), None, 0), 0, None, None)
    counts: dict[str, int] = {}
    sampled = 0
    for kind, is_total, *values in rows:
        lines, hits, errors, percentiles, longest, sent, trend, was_sampled, first, last, *sample, count = values[
            key_count:
        ]
        group = Group(
            keys=() if is_total else tuple(values[:key_count]),
            requests=hits,
            errors=errors,
            percentiles_ms=tuple(percentiles or (None,) * len(QUANTILES)),
            max_ms=longest,
            response_bytes=sent,
            trend=_counts(trend),
            last=last,
            sample_id=sample[0],
            sample_message=sample[1],
        )
        if not is_total:
            stats.groups.append(group)
            continue
        counts[kind] = lines
        if kind == "request":
            sampled = was_sampled
            stats = replace(stats, total=group, group_count=count, first=first, last=last)
    return (
        replace(stats, groups=stats.groups[:limit], group_count=max(0, stats.group_count - len(counts))),
        counts,
        sampled,
    )


def _counts(trend: Any) -> tuple[int, ...]:
    """Requests by bucket, from a histogram, in which empty buckets are left out, or from a list."""
    found = dict(enumerate(trend)) if isinstance(trend, list) else trend or {}
    return tuple(found.get(index) or 0 for index in range(BUCKETS))
