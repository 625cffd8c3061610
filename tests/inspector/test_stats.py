"""Figures are those that plain Python computes."""

import math
import re
from collections import defaultdict
from statistics import quantiles

import duckdb
import orjson
import pytest
from support.log_lines import line, log_file, records, request

from overcoat.inspector._database import Database
from overcoat.inspector._files import LogFiles
from overcoat.inspector._filters import Filters
from overcoat.inspector._record import FIELDS
from overcoat.inspector._stats import read_stats
from overcoat.inspector._stats_query import ERROR_KEYS, QUANTILES, StatsQuery
from overcoat.inspector._syntax import ALL, names_in

LOGGED = list(records(3000))


def read(tmp_path, logged, *, by=(), limit=None, **filters):
    """The figures, and the account of lines."""
    lines = [record if isinstance(record, bytes) else orjson.dumps(record) for record in logged]
    files = LogFiles([log_file(tmp_path / "app.log", lines)])
    with Database(files, Filters(**filters), utc=True) as database:
        return read_stats(database, files, by, limit), files


def expected(logged, *names):
    """Requests, errors, median, 95th percentile and bytes by the values of some fields."""
    groups = defaultdict(list)
    for record in logged:
        groups[tuple(str(record[name]) if name in record else None for name in names)].append(record)
    found = {}
    for keys, members in groups.items():
        durations = [record["duration_ms"] for record in members]
        cuts = quantiles(durations, n=100, method="inclusive") if len(durations) > 1 else durations * 99
        errors = sum(record["status"] >= 500 or record["outcome"] == "failed" for record in members)
        found[keys] = (
            len(members),
            errors,
            cuts[49],
            cuts[89],
            cuts[94],
            cuts[98],
            max(durations),
            sum(record["response_bytes"] for record in members),
        )
    return found


def figures(group):
    """A group as `expected` has it, durations comparable."""
    return (
        group.requests,
        group.errors,
        *(pytest.approx(value) for value in group.percentiles_ms),
        group.max_ms,
        group.response_bytes,
    )


@pytest.mark.parametrize("by", [("method",), ("status", "method"), ("tenant",), ("outcome", "tenant")], ids=",".join)
def test_groups_by_any_fields(tmp_path, by):
    stats, _ = read(tmp_path, LOGGED, by=by)
    assert {group.keys: figures(group) for group in stats.groups} == expected(LOGGED, *by)
    counts = [group.requests for group in stats.groups]
    assert counts == sorted(counts, reverse=True)


def test_the_total_is_of_all(tmp_path):
    stats, files = read(tmp_path, LOGGED, limit=2)
    assert figures(stats.total) == expected(LOGGED)[()]
    assert (len(stats.groups), stats.group_count, files.requests) == (2, 6, 3000)


def test_routes_and_folded_paths(tmp_path):
    stats, _ = read(tmp_path, LOGGED)
    assert {group.keys[0] for group in stats.groups} == {
        "/item",
        "/item/<int:item_id>",
        "/items/range/<int:start_id>/<int:end_id>",
        "/reports/{id}/pages/{n}",
        "/blobs/{id}",
        "/wp-login.php",
    }


@pytest.mark.parametrize(
    ("path", "folded"),
    [
        ("/item/42", "/item/{n}"),
        ("/item/42/", "/item/{n}/"),
        ("/1/2/3", "/{n}/{n}/{n}"),
        ("/v1/item", "/v1/item"),
        ("/item/42x", "/item/42x"),
        ("/a/DEADBEEFdeadbeef", "/a/{id}"),
        ("/a/deadbeef", "/a/deadbeef"),
        ("/a/8C2F64DC-7b5d-4f0b-9f5b-8f3d5d2e1a90/b", "/a/{id}/b"),
        ("/a//7//b", "/a//{n}//b"),
        ("/été/7", "/été/{n}"),
        ("/été", "/été"),
        ("/42", "/{n}"),
        ("/", "/"),
        ("", ""),
        ("*", "*"),
    ],
)
def test_a_path_is_folded(tmp_path, path, folded):
    stats, _ = read(tmp_path, [request(route=None, path=path)])
    assert [group.keys for group in stats.groups] == [(folded,)]


def test_a_request_without_route_and_path_has_a_group(tmp_path):
    stats, _ = read(tmp_path, [request(route=None, path=None)])
    assert [group.keys for group in stats.groups] == [(None,)]


ALWAYS = {"timestamp", "status", "outcome", "duration_ms", "response_bytes", "sample_rate"}


@pytest.mark.parametrize(
    ("by", "samples", "needed"),
    [
        ((), False, ALWAYS | {"route", "path"}),
        (("method", "tenant"), False, ALWAYS | {"method"}),
        (ERROR_KEYS, True, ALWAYS | {"error_type", "error_at", "request_id", "error_message"}),
    ],
    ids=["routes", "fields", "errors"],
)
@pytest.mark.parametrize("form", [StatsQuery.plain, StatsQuery.weighted])
def test_a_query_reads_the_fields_it_needs(form, by, samples, needed):
    """Each more would be parsed in every line, and all of them take half as long again."""
    names = names_in(form(StatsQuery(by=by, span=(0.0, 60.0), samples=samples)), duckdb.connect())
    assert names & {*FIELDS, ALL} == needed


def test_lines_of_each_kind_are_counted_in_the_same_pass(tmp_path):
    lines = [line(), line(status=500), b"text", b'{"cut":', b'{"event":"cache.miss","duration_ms":1e9}']
    stats, files = read(tmp_path, lines, statuses=((200, 200),), where="path = '/item/7'")
    assert (files.broken, files.others, files.requests) == (2, 1, 2)
    assert (stats.total.requests, stats.total.percentiles_ms) == (1, (12.5,) * 4)


def test_the_span_is_of_the_chosen_requests(tmp_path):
    stats, _ = read(
        tmp_path,
        [
            request(timestamp="2026-11-20T00:00:10Z"),
            request(timestamp="x"),
            request(status=500, timestamp="2026-01-01T00:00:00Z"),
        ],
        statuses=((200, 200),),
    )
    assert stats.first == stats.last == 1795132810.0


@pytest.mark.parametrize("logged", [[], [b"text"], [{"event": "cache.miss"}]], ids=["empty", "broken", "others"])
def test_no_request_is_no_group(tmp_path, logged):
    stats, _ = read(tmp_path, logged)
    assert (stats.groups, stats.total.requests, stats.group_count) == ([], 0, 0)


def test_the_trend_counts_requests_over_time(tmp_path):
    logged = [request(timestamp=f"2026-11-20T00:00:{second:02d}Z") for second in (0, 1, 2, 3, 40, 48)]
    stats, _ = read(tmp_path, logged)
    trend = stats.total.trend
    assert (len(trend), sum(trend), trend[0], trend[1], trend[-1]) == (16, 6, 3, 1, 1)
    assert stats.groups[0].trend == trend


def test_a_sampled_line_stands_for_several_requests(tmp_path):
    logged = [request(duration_ms=10, sample_rate=0.1) for _ in range(9)]
    logged += [request(duration_ms=100, status=500), request(duration_ms=50, route="/b", sample_rate=0.5)]
    stats, files = read(tmp_path, [*logged, request(route="/c", sample_rate=0), b"text"])
    found = {group.keys[0]: (group.requests, group.errors, group.response_bytes) for group in stats.groups}
    assert found == {"/item/<int:item_id>": (91, 1, 91 * 42), "/b": (2, 0, 84), "/c": (1, 0, 42)}
    assert (stats.total.requests, stats.total.errors, stats.sampled_lines) == (94, 1, 11)
    assert stats.groups[0].percentiles_ms == (10, 10, 10, 100)
    assert (files.requests, files.broken) == (12, 1)
    assert sum(stats.total.trend) == 94


def test_weighted_figures_are_those_of_the_lines_repeated(tmp_path):
    """Whole weights: the same as if each line stood there so often, but for interpolation."""
    logged = [record | {"sample_rate": 1 / (1 + index % 4)} for index, record in enumerate(LOGGED[:400])]
    repeated = [record for index, record in enumerate(LOGGED[:400]) for _ in range(1 + index % 4)]
    weighted, _ = read(tmp_path, logged)
    plain, _ = read(tmp_path, repeated)
    assert [
        (group.keys, group.requests, group.errors, group.max_ms, group.response_bytes) for group in weighted.groups
    ] == [(group.keys, group.requests, group.errors, group.max_ms, group.response_bytes) for group in plain.groups]
    for ours, theirs in zip([*weighted.groups, weighted.total], [*plain.groups, plain.total], strict=True):
        durations = sorted(r["duration_ms"] for r in repeated if not ours.keys or group_of(r) == ours.keys[0])
        nearest = tuple(durations[math.ceil(share * len(durations)) - 1] for share in QUANTILES)
        assert ours.percentiles_ms == nearest
        assert theirs.requests == len(durations)


def group_of(record):
    """The group of a record among `LOGGED`."""
    path = re.sub(r"(?<=/)[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)[0-9a-f]{40}", "{id}", record["path"])
    return record.get("route") or re.sub(r"(?<=/)[0-9]+", "{n}", path)


def test_errors_are_grouped_by_what_and_where(tmp_path):
    at = "2026-11-20T00:00:0{}Z".format
    logged = [
        request(status=500, error_type="ValueError", error_at="a.py:1 in f", timestamp=at(1), request_id="one"),
        request(
            status=500,
            error_type="ValueError",
            error_at="a.py:1 in f",
            timestamp=at(3),
            request_id="two",
            error_message="no",
        ),
        request(status=500, error_type="ValueError", error_at="b.py:2 in g", timestamp=at(2)),
        request(status=503),
        request(),
    ]
    files = LogFiles([log_file(tmp_path / "app.log", map(orjson.dumps, logged))])
    with Database(files, Filters(errors=True), utc=True) as database:
        stats = read_stats(database, files, ERROR_KEYS, None, samples=True)
    found = {group.keys: (group.requests, group.sample_id, group.sample_message) for group in stats.groups}
    assert found == {
        ("ValueError", "a.py:1 in f"): (2, "two", "no"),
        ("ValueError", "b.py:2 in g"): (1, request()["request_id"], None),
        ("status 503", None): (1, request()["request_id"], None),
    }
    assert stats.groups[0].last == stats.last == 1795132803.0
