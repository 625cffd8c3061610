"""``python -m benchmarks.logs``: how fast `overcoat logs` answers, beside the tools that people use today.

A log of five million requests is made in a temporary directory and read by each in turn; a tool that is not installed
is left out. What is said of a tool is the best of its runs: other work on the machine only ever makes a run slower.
"""

import argparse
import os
import platform
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from benchmarks.__main__ import BEGIN, END, ROOT, _met, _table, _write
from benchmarks.log_tools import Tool, others
from benchmarks.process_cost import timed

PAGE = ROOT / "docs" / "benchmarks-logs.md"
LINES = 5_000_000
RUNS = 3

BARE = """
import duckdb, sys
connection = duckdb.connect(config={{"memory_limit": "1GB"}})
connection.execute("SET TimeZone = 'UTC'")
rows = connection.execute('''
    SELECT coalesce(route, path) AS key, count(*),
        count(*) FILTER (coalesce(status >= 500, false) OR coalesce(outcome = 'failed', false)),
        quantile_cont(duration_ms, [0.5, 0.9, 0.95, 0.99]), max(duration_ms), sum(response_bytes),
        histogram(floor((epoch_us(seen) - {start_us}) / {width_us})::INTEGER), min(seen), max(seen), count(sample_rate)
    FROM (
        SELECT *, try_cast(timestamp AS TIMESTAMPTZ) AS seen
        FROM read_json('{path}', format = 'newline_delimited', columns = {{
            timestamp: 'VARCHAR', event: 'VARCHAR', route: 'VARCHAR', path: 'VARCHAR', status: 'INTEGER',
            outcome: 'VARCHAR', duration_ms: 'DOUBLE', response_bytes: 'BIGINT', sample_rate: 'DOUBLE'}})
        WHERE event = 'http_request'
    )
    GROUP BY GROUPING SETS ((key), ()) ORDER BY 2 DESC LIMIT 101
''').fetchall()
print(len(rows))
"""
_ROUTES = (
    ("GET", "/item", "/item"),
    ("GET", "/item/<int:item_id>", "/item/{}"),
    ("PUT", "/item/<int:item_id>", "/item/{}"),
    ("GET", "/items/range/<int:start_id>/<int:end_id>", "/items/range/{}/99"),
    ("GET", "/account/<name>/orders", "/account/u{}/orders"),
    ("POST", "/item", "/item"),
    ("GET", None, "/wp-login.php"),
)
_STATUSES = (200,) * 90 + (404,) * 7 + (500,) * 2 + (503,)
_START = datetime(2026, 11, 20, tzinfo=UTC)
_SECONDS_BETWEEN = 1 / 20


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.logs", description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES, help=f"of the log (default {LINES:,}, about 1.5 GB)")
    parser.add_argument("--runs", type=int, default=RUNS, help="of each tool, the best of which counts")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/benchmarks-logs.md")
    arguments = parser.parse_args()
    needed = arguments.lines * 700  # the log, the same in the combined format, what lnav and sort keep
    with tempfile.TemporaryDirectory(prefix="overcoat-bench-") as name:
        if shutil.disk_usage(name).free < needed:
            raise SystemExit(f"{needed / 1e9:.0f} GB of disk are needed in {name}: TMPDIR can name another place")
        text = measure(Path(name), arguments.lines, arguments.runs)
    print(text)
    if arguments.write:
        _write(PAGE, text)


def measure(folder: Path, lines: int, runs: int) -> str:
    """The tables, as Markdown."""
    log, short = folder / "app.log", folder / "short.log"
    make_log(short, 1)
    wanted = make_log(log, lines)
    overcoat = [sys.executable, "-m", "overcoat.inspector"]
    logs = [*overcoat, "logs", str(log), "--utc"]
    width_us = lines * _SECONDS_BETWEEN / 16 * 1e6
    bare = BARE.format(path=log, start_us=int(_START.timestamp() * 1e6), width_us=width_us)
    commands: dict[str, Sequence[str]] = {
        "overcoat logs --stats": [*logs, "--stats"],
        "bare DuckDB, the same answer": [sys.executable, "-c", bare],
        "overcoat logs --id, in the middle": [*logs, "--id", wanted],
        "overcoat logs, the last 100": logs,
        "overcoat --help": [*overcoat, "--help"],
        "overcoat logs --stats, one line": [*overcoat, "logs", str(short), "--stats"],
        "bare DuckDB, no line": [sys.executable, "-c", "import duckdb; duckdb.connect().execute('SELECT 1')"],
    }
    best: dict[str, tuple[float, float]] = {}
    for _ in range(runs):  # in turn, so that a busy minute of the machine hits all alike
        for name, command in commands.items():
            seconds, peak_mb = timed(command)
            before = best.get(name, (seconds, peak_mb))
            best[name] = min(before[0], seconds), max(before[1], peak_mb)
    least: dict[str, float] = {}
    for tool in others(folder, log, overcoat):  # once each: they take long, and goals of 15 and 100 times need no more
        best[tool.name] = timed(tool.command, **tool.environment)
        if tool.goal is not None:
            least[tool.name] = tool.goal
    return _page(best, least, lines, log.stat().st_size, runs)


def make_log(path: Path, lines: int) -> str:
    """Write a log of so many requests; the id of the one in the middle."""
    chance = random.Random(1)
    elapsed_s, wanted = 0.0, ""
    with path.open("w", buffering=2**22) as log:
        for index in range(lines):
            elapsed_s += chance.expovariate(1 / _SECONDS_BETWEEN)
            method, route, template = _ROUTES[int(chance.random() ** 2 * len(_ROUTES))]
            status = chance.choice(_STATUSES) if route else 404
            duration_ms = round(chance.lognormvariate(2, 1), 3)
            when = (_START + timedelta(seconds=elapsed_s)).isoformat(timespec="microseconds").replace("+00:00", "Z")
            level = "error" if status >= 500 else "warning" if status >= 400 else "info"
            request_id = f"{chance.getrandbits(128):032x}"
            wanted = request_id if index == lines // 2 else wanted
            routed = f'"route":"{route}",' if route else ""
            failed = ',"error_type":"ValueError","error_at":"shop/cart.py:41 in add"' if status == 500 else ""
            log.write(
                f'{{"timestamp":"{when}","level":"{level}","event":"http_request","method":"{method}",'
                f'"path":"{template.format(chance.randrange(1, 99999))}",{routed}"status":{status},'
                f'"duration_ms":{duration_ms},"first_byte_ms":{duration_ms},'
                f'"response_bytes":{chance.randrange(20, 9000)},"client":"198.51.100.{chance.randrange(256)}",'
                f'"request_id":"{request_id}","outcome":"{"failed" if failed else "complete"}"{failed}}}\n'
            )
    return wanted


def _page(best: dict[str, tuple[float, float]], least: dict[str, float], lines: int, size_bytes: int, runs: int) -> str:
    ours, ours_mb = best["overcoat logs --stats"]
    bare = best["bare DuckDB, the same answer"][0]
    rows = [[name, f"{s:.2f}", f"{mb:.0f}", f"{s / ours:.2f}"] for name, (s, mb) in best.items()]
    started = ours - best["overcoat logs --stats, one line"][0], bare - best["bare DuckDB, no line"][0]
    goals = [
        ("--stats over bare DuckDB, both without its start", started[0] / started[1], "at most", 1.3),
        ("--stats, memory in MB", ours_mb, "at most", 400.0),
        ("--id anywhere, in s", best["overcoat logs --id, in the middle"][0], "at most", 1.0),
        ("the last 100, in s", best["overcoat logs, the last 100"][0], "at most", 0.3),
        ("--help, in s", best["overcoat --help"][0], "at most", 0.12),
    ]
    goals += [
        (f"{name.partition(',')[0]}, times as long as --stats", best[name][0] / ours, "at least", times)
        for name, times in least.items()
    ]
    text = (
        f"{lines:,} lines, {size_bytes / 1e6:,.0f} MB, in the page cache; {os.cpu_count()} processors, "
        f"CPython {platform.python_version()}, DuckDB {version('duckdb')}; "
        f"the best of {runs} runs, one of the other tools."
    )
    met = [[what, f"{value:.2f}", f"{way} {limit:g}", _met(value, way, limit)] for what, value, way, limit in goals]
    return "\n\n".join(
        [
            text,
            _table(["what", "seconds", "peak MB", "times --stats"], rows),
            _table(["what", "measured", "goal", "met"], met),
        ]
    )


if __name__ == "__main__":
    main()

__all__ = ["BEGIN", "END", "PAGE", "Tool", "main", "make_log", "measure", "others", "timed"]
