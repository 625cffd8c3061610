"""Which requests a command shows: one set of filters, as a Python test and as SQL.

The end of a file is filtered in Python, a whole file in DuckDB; both must choose the same requests, so both forms
stand side by side here and are tested against each other.

>>> chosen = Filters(statuses=parse_statuses("5xx,404"), slow_ms=100.0)
>>> chosen.matches({"status": 404, "duration_ms": 250.0})
True
>>> print(chosen.sql())
(j.status BETWEEN 500 AND 599 OR j.status BETWEEN 404 AND 404) AND j.duration_ms >= 100.0
"""

import re
from dataclasses import dataclass
from datetime import datetime
from fnmatch import translate
from functools import cached_property

from overcoat.inspector._record import Record, moment, number, text

_STATUS = re.compile(r"([1-5])xx|([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?", re.IGNORECASE)


class QueryError(ValueError):
    """The database cannot answer: mostly the SQL of `-w` or `--sql` is wrong, and the message says how."""

    exit_status = 2


class RoomError(QueryError):
    """There is no room for temporary files."""

    exit_status = 1


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a request must be like.

    Args:
        since: the earliest timestamp.
        until: timestamps before this.
        statuses: pairs of a first and a last status.
        path: a glob for the path, in which `*` spans slashes.
        route: a route template as written, or a glob.
        request_id: how the id of the request, or of its trace, begins.
        errors: only what failed: a status of 500 and up, or the outcome `failed`.
        slow_ms: the least duration, in milliseconds.
        where: a condition in SQL over the columns of `requests`; only the database can tell.
    """

    since: datetime | None = None
    until: datetime | None = None
    statuses: tuple[tuple[int, int], ...] = ()
    path: str | None = None
    route: str | None = None
    request_id: str | None = None
    errors: bool = False
    slow_ms: float | None = None
    where: str | None = None

    def __bool__(self) -> bool:
        return self != Filters()

    def matches(self, record: Record) -> bool:
        """Whether a record passes every filter but `where`."""
        if self.statuses or self.errors:
            status = number(record, "status")
            if self.statuses and (status is None or not any(low <= status <= high for low, high in self.statuses)):
                return False
            if self.errors and not ((status or 0) >= 500 or record.get("outcome") == "failed"):
                return False
        if self.slow_ms is not None:
            duration_ms = number(record, "duration_ms")
            if duration_ms is None or duration_ms < self.slow_ms:
                return False
        if self.request_id is not None and not any(
            (text(record, name) or "").startswith(self.request_id) for name in ("request_id", "trace_id")
        ):
            return False
        if self._path is not None and not self._path.match(text(record, "path") or ""):
            return False
        if self._route is not None:
            route = text(record, "route")
            if route is None or not (route == self.route or self._route.match(route)):
                return False
        if self.since is not None or self.until is not None:
            when = moment(record)
            if when is None or (self.since and when < self.since) or (self.until and when >= self.until):
                return False
        return True

    def sql(self) -> str:
        """The same test, `where` excepted, over a struct `j` of the record's fields; `true` where there is none."""
        tests = []
        if self.statuses:
            ranges = " OR ".join(f"j.status BETWEEN {low} AND {high}" for low, high in self.statuses)
            tests.append(f"({ranges})")
        if self.errors:
            tests.append("(coalesce(j.status >= 500, false) OR coalesce(j.outcome = 'failed', false))")
        if self.slow_ms is not None:
            tests.append(f"j.duration_ms >= {self.slow_ms!r}")
        if self.request_id is not None:
            prefix = quote(self.request_id)
            either = (f"coalesce(starts_with(j.{name}, {prefix}), false)" for name in ("request_id", "trace_id"))
            tests.append(f"({' OR '.join(either)})")
        if self.path is not None:
            tests.append(f"regexp_full_match(coalesce(j.path, ''), {_glob_sql(self.path)})")
        if self.route is not None:
            tests.append(f"(j.route = {quote(self.route)} OR regexp_full_match(j.route, {_glob_sql(self.route)}))")
        if self.since is not None:
            tests.append(f"{TIMESTAMP_SQL} >= {quote(self.since.isoformat())}::TIMESTAMPTZ")
        if self.until is not None:
            tests.append(f"{TIMESTAMP_SQL} < {quote(self.until.isoformat())}::TIMESTAMPTZ")
        return " AND ".join(tests) or "true"

    def fields(self) -> set[str]:
        """The fields that `sql` reads."""
        used = {
            "status": bool(self.statuses) or self.errors,
            "outcome": self.errors,
            "duration_ms": self.slow_ms is not None,
            "request_id": self.request_id is not None,
            "trace_id": self.request_id is not None,
            "path": self.path is not None,
            "route": self.route is not None,
            "timestamp": self.since is not None or self.until is not None,
        }
        return {name for name, needed in used.items() if needed}

    @cached_property
    def _path(self) -> re.Pattern[str] | None:
        return None if self.path is None else re.compile(translate(self.path))

    @cached_property
    def _route(self) -> re.Pattern[str] | None:
        return None if self.route is None else re.compile(translate(self.route))


TIMESTAMP_SQL = "try_cast(j.timestamp AS TIMESTAMPTZ)"
"""The timestamp of a line as the database's type; it stands in the struct as written."""


def parse_statuses(listed: str) -> tuple[tuple[int, int], ...]:
    """Pairs of a first and a last status from a list such as `5xx,404,400-499`.

    Raises:
        ValueError: a part is no status, class or range, or a range runs backwards.
    """
    ranges = []
    for part in listed.split(","):
        found = _STATUS.fullmatch(part.strip())
        if not found:
            raise ValueError(f"{part.strip()!r} is no status: write 404, 5xx or 400-499, separated by commas")
        group, low, high = found.groups()
        first, last = (int(group) * 100, int(group) * 100 + 99) if group else (int(low), int(high or low))
        if last < first:
            raise ValueError(f"{part.strip()!r} runs backwards: write {last}-{first}")
        ranges.append((first, last))
    return tuple(ranges)


def quote(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _glob_sql(pattern: str) -> str:
    r"""A glob of `fnmatch` as an SQL literal for `regexp_full_match`.

    DuckDB's own GLOB matches `?` against a byte and gives backslashes a meaning. RE2 lacks the atomic groups and the
    empty lookahead that `translate` may write, but needs neither: it never backtracks.
    """
    expression = translate(pattern)[:-2]  # without the anchor at the end, which RE2 spells differently
    return quote(expression.replace("(?>", "(?:").replace("(?!)", r"[^\x00-\x{10FFFF}]"))
