"""The query of `--stats`, as SQL: one pass over the lines, in which what is no request is counted too.

Each field that a query names must be parsed in every line, and `SELECT *` names the whole record: so nothing here does.

>>> StatsQuery(by=("method",), span=(0.0, 60.0)).key_names
['key0']
"""

# ruff: noqa: S608 (this file writes SQL: names and values are quoted, and a user's own query is theirs)

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from overcoat.inspector._filters import identifier, quote
from overcoat.inspector._views import KIND, KINDS, LINES

BUCKETS: Final = 16
"""Spans of time for which the requests of a group are counted."""

QUANTILES: Final = (0.5, 0.9, 0.95, 0.99)
ERROR_KEYS: Final = ("error_type", "error_at")
"""What makes a group of errors, unless `--by` says otherwise."""

ORDERS: Final = {
    "requests": "hits", "errors": "errors", "p50": "percentiles[1]", "p90": "percentiles[2]", "p95": "percentiles[3]",
    "p99": "percentiles[4]", "max": "longest", "bytes": "sent", "error_share": "errors / hits",
}  # fmt: skip
"""What groups can be ordered by, as columns of the query."""

_FOLDS = (
    ("[0-9]+", r"/{n}\1"),
    ("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", r"/{id}\1"),
    ("[0-9a-f]{16,}", r"/{id}\1"),
)
_IS_ERROR = "(coalesce(status >= 500, false) OR coalesce(outcome = 'failed', false))"
_WEIGHT = "CASE WHEN sample_rate > 0 AND sample_rate <= 1 THEN 1 / sample_rate ELSE 1.0 END"
_MAX_BYTES = 9223372036854775807


def _segment(pattern: str) -> str:
    """A regular expression for a whole segment of a path, as a literal; its group is what follows."""
    return quote(rf"(?i)/{pattern}(/|$)")


def _route() -> str:
    # A path's slashes are doubled first, so that each segment has its own two and all of them match in one pass.
    folded = "replace(path, '/', '//')"
    for pattern, replacement in _FOLDS:
        folded = f"regexp_replace({folded}, {_segment(pattern)}, {quote(replacement)}, 'g')"
    # Most paths have nothing to fold, which one look tells in a tenth of the time.
    has_any = f"regexp_matches(path, {_segment('(?:' + '|'.join(pattern for pattern, _ in _FOLDS) + ')')})"
    return f"coalesce(route, CASE WHEN {has_any} THEN replace({folded}, '//', '/') ELSE path END)"


ROUTE: Final = _route()
"""What a request is counted under: its route or, where it has none, its path, folded."""


@dataclass(frozen=True, kw_only=True)
class StatsQuery:
    """What is asked of the lines.

    Both forms have the same columns: kind, whether the row is a total, the keys, lines, requests, errors, percentiles,
    longest, bytes, trend, sampled lines, first and last timestamp, the latest request's id and message, all rows.

    Args:
        by: the fields that make a group; none for the route.
        span: about from when to when the lines are, in seconds since 1970.
        limit: how many groups to return; None for all.
        samples: whether each group has the id and the message of its latest request.
        sort: a key of `ORDERS`, of which the groups with most come first.
    """

    by: Sequence[str]
    span: tuple[float, float]
    limit: int | None = None
    samples: bool = False
    sort: str = "requests"

    @property
    def key_names(self) -> list[str]:
        """The columns of a group's keys."""
        return [f"key{index}" for index in range(len(self.by) or 1)]

    def plain(self) -> str:
        """The figures where each line stands for one request."""
        keys = ", ".join(self.key_names)
        return f"""
            WITH figures AS (
                SELECT kind, grouping({self.key_names[0]}) = 1 AS is_total, {keys}, count(*) AS lines, count(*) AS hits,
                    count(*) FILTER (failed) AS errors, quantile_cont(duration_ms, {list(QUANTILES)}) AS percentiles,
                    max(duration_ms) AS longest, least(coalesce(sum(response_bytes), 0), {_MAX_BYTES})::BIGINT AS sent,
                    histogram(bucket) AS trend, count(sample_rate) AS sampled, {self._ends()}
                FROM ({self._picked()})
                GROUP BY GROUPING SETS ((kind, {keys}), (kind))
            )
            SELECT kind, is_total, {keys}, lines, hits, errors, percentiles, longest, sent, trend, sampled, first, last,
                sample_id, sample_message, count(*) OVER ()
            FROM figures WHERE is_total OR kind = 'request'
            ORDER BY is_total DESC, {ORDERS[self.sort]} DESC NULLS LAST, hits DESC, {keys} {self._limit()}"""

    def weighted(self) -> str:
        """The same where lines have weights. A percentile is then the shortest duration that enough weight reaches."""
        keys = ", ".join(self.key_names)
        same = " AND ".join(f"f.{name} IS NOT DISTINCT FROM r.{name}" for name in self.key_names)
        percentiles = ", ".join(f"min(duration_ms) FILTER (reached >= {share} * whole)" for share in QUANTILES)
        trend = ", ".join(f"round(sum(weight) FILTER (bucket = {index}))::BIGINT" for index in range(BUCKETS))
        return f"""
            WITH weighed AS MATERIALIZED (
                SELECT kind, {keys}, failed, duration_ms, response_bytes, sample_rate, seen, bucket, {_WEIGHT} AS weight
                    {", request_id, error_message" if self.samples else ""}
                FROM ({self._picked()})
            ),
            figures AS (
                SELECT kind, grouping({self.key_names[0]}) = 1 AS is_total, {keys}, count(*) AS lines,
                    round(sum(weight))::BIGINT AS hits,
                    round(coalesce(sum(weight) FILTER (failed), 0))::BIGINT AS errors, max(duration_ms) AS longest,
                    least(coalesce(sum(response_bytes * weight), 0), {_MAX_BYTES} / 2)::BIGINT AS sent,
                    [{trend}] AS trend, count(sample_rate) AS sampled, {self._ends()}
                FROM weighed GROUP BY GROUPING SETS ((kind, {keys}), (kind))
            ),
            durations AS (
                SELECT grouping({self.key_names[0]}) = 1 AS is_total, {keys}, duration_ms, sum(weight) AS weight
                FROM weighed WHERE kind = 'request' AND duration_ms IS NOT NULL
                GROUP BY GROUPING SETS (({keys}, duration_ms), (duration_ms))
            ),
            ranks AS (
                SELECT is_total, {keys}, [{percentiles}] AS percentiles
                FROM (
                    SELECT is_total, {keys}, duration_ms,
                        sum(weight) OVER (same ORDER BY duration_ms ROWS UNBOUNDED PRECEDING) AS reached,
                        sum(weight) OVER same AS whole
                    FROM durations WINDOW same AS (PARTITION BY is_total, {keys})
                )
                GROUP BY is_total, {keys}
            )
            SELECT f.kind, f.is_total, {", ".join(f"f.{name}" for name in self.key_names)}, f.lines, f.hits, f.errors,
                r.percentiles, f.longest, f.sent, f.trend, f.sampled, f.first, f.last, f.sample_id, f.sample_message,
                count(*) OVER ()
            FROM figures f LEFT JOIN ranks r ON f.kind = 'request' AND f.is_total = r.is_total AND {same}
            WHERE f.is_total OR f.kind = 'request'
            ORDER BY f.is_total DESC, {ORDERS[self.sort]} DESC NULLS LAST, f.hits DESC,
                {", ".join(f"f.{name}" for name in self.key_names)}
            {self._limit()}"""

    def _picked(self) -> str:
        """A SELECT of what the figures need of each line; keys and times are null where the line is no request."""
        start, stop = self.span
        width_us = max((stop - start) / BUCKETS * 1e6, 1.0)
        since_us = f"epoch_us(timestamp) - {start * 1e6:.0f}"
        bucket = f"least(greatest(floor(({since_us}) / {width_us}), 0), {BUCKETS - 1})::INTEGER"
        of_requests = {
            **{name: f"({key})::VARCHAR" for name, key in zip(self.key_names, self._keys(), strict=True)},
            "seen": "timestamp",
            "bucket": bucket,
        }
        chosen = ", ".join(f"CASE WHEN {KIND} = 'request' THEN {sql} END AS {n}" for n, sql in of_requests.items())
        sample = ", request_id, error_message" if self.samples else ""
        return f"""SELECT {KIND} AS kind, {chosen}, {_IS_ERROR} AS failed, duration_ms, response_bytes, sample_rate
            {sample} FROM {LINES}"""

    def _keys(self) -> list[str]:
        if tuple(self.by) == ERROR_KEYS:
            return ["coalesce(error_type, 'status ' || status::VARCHAR)", "error_at"]
        return [identifier(name) for name in self.by] or [ROUTE]

    def _ends(self) -> str:
        sample = "arg_max({0}, seen)" if self.samples else "NULL"
        return f"""epoch(min(seen)) AS first, epoch(max(seen)) AS last,
            {sample.format("request_id")} AS sample_id, {sample.format("error_message")} AS sample_message"""

    def _limit(self) -> str:
        return "" if self.limit is None else f"LIMIT {self.limit + len(KINDS)}"
