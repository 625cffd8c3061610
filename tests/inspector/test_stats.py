"""Figures are those that plain Python computes."""

from collections import defaultdict
from statistics import quantiles

import orjson
import pytest
from support.log_lines import line, log_file, records, request

from overcoat.inspector._database import Database
from overcoat.inspector._files import LogFiles
from overcoat.inspector._filters import Filters
from overcoat.inspector._stats import read_stats

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
            cuts[94],
            cuts[98],
            sum(record["response_bytes"] for record in members),
        )
    return found


def figures(group):
    """A group as `expected` has it, durations comparable."""
    return (
        group.requests,
        group.errors,
        *(pytest.approx(value) for value in group.percentiles_ms),
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


def test_lines_of_each_kind_are_counted_in_the_same_pass(tmp_path):
    lines = [line(), line(status=500), b"text", b'{"cut":', b'{"event":"cache.miss","duration_ms":1e9}']
    stats, files = read(tmp_path, lines, statuses=((200, 200),), where="path = '/item/7'")
    assert (files.broken, files.others, files.requests) == (2, 1, 2)
    assert (stats.total.requests, stats.total.percentiles_ms) == (1, (12.5, 12.5, 12.5))


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
