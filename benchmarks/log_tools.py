"""The tools that people use today for what `overcoat logs --stats` answers, each as somebody writes it who knows it."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

JQ_FIELDS = 'select(.event == "http_request") | [.route, .status, .duration_ms, .response_bytes] | @tsv'

# Of each line the four values that count are kept: whole lines (`jq -s`) take six times the memory, twice the time.
JQ_FIGURES = """
def percentile($share): ((length - 1) * $share) as $at | ($at | floor) as $low
    | .[$low] + ($at - $low) * ((.[$low + 1] // .[$low]) - .[$low]);
def figures($route): (map(.[1]) | sort) as $ms | {
    route: $route, requests: length, errors: (map(select(.[3])) | length),
    percentiles_ms: [0.5, 0.9, 0.95, 0.99 | . as $share | $ms | percentile($share)],
    max_ms: $ms[-1], response_bytes: (map(.[2]) | add)};
[inputs | select(.event == "http_request")
    | [(.route // .path), .duration_ms, .response_bytes, (.status >= 500 or .outcome == "failed")]]
| (group_by(.[0]) | map(figures(.[0][0])) | sort_by(-.requests) | .[]), figures("all")
"""

# Sorted by route and duration, so that awk holds the durations of one route at a time.
JQ_SORT_AWK = r"""
jq -r 'select(.event == "http_request")
    | [(.route // .path), .duration_ms, .response_bytes, (.status >= 500 or .outcome == "failed")] | @tsv' "$1" |
sort -t "$(printf '\t')" -k1,1 -k2,2g -S 512M |
awk -F '\t' -v OFS='\t' '
    function percentile(share,   at, low) {
        at = 1 + (n - 1) * share; low = int(at)
        return ms[low] + (at - low) * (ms[low < n ? low + 1 : low] - ms[low])
    }
    function flush() {
        if (n) print route, n, errors, percentile(.5), percentile(.9), percentile(.95), percentile(.99), ms[n], bytes
        n = errors = bytes = 0
    }
    $1 != route { flush(); route = $1 }
    { ms[++n] = $2; bytes += $3; errors += $4 == "true" }
    END { flush() }'
"""

LNAV_FORMAT = """{"$schema": "https://lnav.org/schemas/format-v1.schema.json", "overcoat_log": {
"title": "Overcoat", "json": true, "file-type": "json", "timestamp-field": "timestamp", "level-field": "level",
"body-field": "request_id", "hide-extra": true, "line-format": [{"field": "timestamp"}, " ", {"field": "path"}],
"value": {"route": {"kind": "string"}, "path": {"kind": "string"}, "status": {"kind": "integer"},
"outcome": {"kind": "string"}, "duration_ms": {"kind": "float"}, "response_bytes": {"kind": "integer"}}}}"""
LNAV_SHORT = ";SELECT route, count(*), sum(status >= 500), avg(duration_ms) FROM overcoat_log GROUP BY route"
LNAV_FIGURES = """;WITH ranked AS (
    SELECT coalesce(route, path) AS key, status, outcome, duration_ms AS ms, response_bytes,
        row_number() OVER same AS place, count(*) OVER (PARTITION BY coalesce(route, path)) AS requests
    FROM overcoat_log WINDOW same AS (PARTITION BY coalesce(route, path) ORDER BY duration_ms)
)
SELECT key, requests, sum(status >= 500 OR outcome = 'failed') AS errors,
    min(ms) FILTER (WHERE place >= 0.5 * requests) AS p50, min(ms) FILTER (WHERE place >= 0.9 * requests) AS p90,
    min(ms) FILTER (WHERE place >= 0.95 * requests) AS p95, min(ms) FILTER (WHERE place >= 0.99 * requests) AS p99,
    max(ms) AS longest, sum(response_bytes) AS sent
FROM ranked GROUP BY key ORDER BY requests DESC, key"""


@dataclass(frozen=True)
class Tool:
    """A tool at work.

    Args:
        name: of its row.
        command: that reads the log.
        goal: how many times as long as `--stats` it should take at least; None where it answers less.
        environment: of the command.
    """

    name: str
    command: Sequence[str]
    goal: float | None = None
    environment: dict[str, str] = field(default_factory=dict)


def others(folder: Path, log: Path, overcoat: Sequence[str]) -> Iterator[Tool]:
    """The tools that are installed, each ready to run when its turn comes."""
    if shutil.which("jq"):
        yield Tool("jq, the four fields only", ["jq", "-r", JQ_FIELDS, str(log)])
        environment = {"LC_ALL": "C", "TMPDIR": str(folder)}
        name = "jq with sort and awk, the same by route (no total, no trend)"
        yield Tool(name, ["sh", "-c", JQ_SORT_AWK, "sh", str(log)], environment=environment)
        yield Tool("jq alone, the same (no trend)", ["jq", "-n", "-c", JQ_FIGURES, str(log)], 100.0)
    if shutil.which("goaccess"):
        access = folder / "access.log"
        with access.open("wb") as out:
            subprocess.run([*overcoat, "logs", str(log), "--export", "combined", "--utc"], stdout=out, check=True)
        report = str(folder / "report.json")
        command = ["goaccess", str(access), "--log-format=COMBINED", "--no-progress", "-o", report]
        yield Tool("GoAccess, the same in the combined format (no percentiles)", command, 15.0)
        access.unlink()
    if shutil.which("lnav"):
        home = folder / "home"
        formats = home / ".config" / "lnav" / "formats" / "installed"
        formats.mkdir(parents=True)
        (formats / "overcoat.json").write_text(LNAV_FORMAT)
        environment = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
        short, same = (["lnav", "-n", "-c", query, str(log)] for query in (LNAV_SHORT, LNAV_FIGURES))
        yield Tool("lnav, counts and averages by route", short, environment=environment)
        yield Tool("lnav with percentiles, the same by route (no total, no trend)", same, 15.0, environment)
