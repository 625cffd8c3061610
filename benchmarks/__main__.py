"""``python -m benchmarks``: run them, print the tables, and with ``--write`` put them into the docs."""

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import hooks_cost, request_cost, servers, stream

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- begin: written by make bench -->", "<!-- end -->"

Goal = tuple[str, float, str, float]


def main() -> None:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="rounds, in each of which every variant has its turn")
    parser.add_argument("--requests", type=int, default=2000, help="requests a turn")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--write", action="store_true", help="write the tables into the README and docs/benchmarks.md")
    arguments = parser.parse_args()
    rows = request_cost.measure(rounds=arguments.rounds, requests=arguments.requests)
    goals = request_cost.goals(rows)
    hooks = hooks_cost.measure(rounds=arguments.rounds, requests=arguments.requests)
    goals += hooks_cost.goals(hooks)
    missing = servers.available()
    served = [] if missing else servers.measure(rounds=max(3, arguments.rounds // 5))
    goals += servers.goals(served)
    goals += [
        ("a GiB streamed: memory grows by, in MiB", stream.peak_growth_mib(), "at most", 8.0),
        ("the first byte leaves later by, in ms", stream.first_byte_delay_ms(), "at most", 0.2),
        ("importing overcoat.middleware after its dependencies, in ms", stream.import_ms(), "at most", 15.0),
    ]
    if arguments.json:
        print(json.dumps({"rows": rows, "hooks": hooks, "served": served, "goals": goals}, indent=2))
        return
    full = _full(rows, hooks, served, goals, arguments.rounds)
    print(full + (f"\n\nServers: left out, {missing}" if missing else ""))
    if arguments.write:
        _write(PAGE, full)
        _write(README, _short(rows))


def _table(head: list[str], rows: list[list[str]]) -> str:
    marks = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, marks, *rows])


def _full(
    rows: list[dict[str, Any]],
    hooks: list[dict[str, Any]],
    served: list[dict[str, Any]],
    goals: list[Goal],
    rounds: int,
) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("Flask", "Werkzeug", "structlog", "orjson"))
    parts = [
        f"CPython {platform.python_version()}, {packages}; medians of {rounds} interleaved rounds.",
        *(
            _table(
                [head, "us a request", "us added", "ratio"],
                [[r["variant"], f"{r['us']:.2f}", f"{r['added_us']:.2f}", f"{r['ratio']:.2f}"] for r in table],
            )
            for head, table in (("around it", rows), ("hooks in Flask", hooks))
        ),
    ]
    if served:
        lines = [
            [row["server"], *(f"{row[name]:.0f}" for name in servers.VARIANTS)]
            + [f"{row[f'{name}_ratio']:.2f}" for name in servers.VARIANTS[1:]]
            for row in served
        ]
        heads = ["bare Flask, requests/s", "with our five layers", "with the same by hand", "ratio", "by hand"]
        parts.append(_table(["server", *heads], lines))
    parts.append(
        _table(
            ["what", "measured", "goal", "met"],
            [
                [what, f"{measured:.3f}", f"{way} {limit:.3f}", _met(measured, way, limit)]
                for what, measured, way, limit in goals
            ],
        )
    )
    return "\n\n".join(parts)


def _met(measured: float, way: str, limit: float) -> str:
    short = measured / limit - 1 if way == "at most" else 1 - measured / limit
    return "yes" if short <= 0 else f"no, by {short:.0%}"


def _short(rows: list[dict[str, Any]]) -> str:
    names = ("the usual peer set", "our five layers", "the same by hand")
    chosen = [row for row in rows if row["variant"] in names]
    return _table(
        ["around Flask", "us added to a request", "ratio to bare Flask"],
        [[row["variant"], f"{row['added_us']:.1f}", f"{row['ratio']:.2f}"] for row in chosen],
    )


def _write(page: Path, text: str) -> None:
    before, found, rest = page.read_text().partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise SystemExit(f"{page.name} has no place for the table: {BEGIN} ... {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    main()
