"""``python -m benchmarks``: run them and print the table."""

import argparse
import json
import platform
from importlib.metadata import version

from benchmarks import request_cost


def main() -> None:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="rounds, in each of which every variant has its turn")
    parser.add_argument("--requests", type=int, default=2000, help="requests a turn")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    rows = request_cost.measure(rounds=arguments.rounds, requests=arguments.requests)
    goals = request_cost.goals(rows)
    if arguments.json:
        print(json.dumps({"rows": rows, "goals": goals}, indent=2))
        return
    packages = ", ".join(f"{name} {version(name)}" for name in ("Flask", "Werkzeug", "structlog", "orjson"))
    print(f"CPython {platform.python_version()}, {packages}; medians of {arguments.rounds} interleaved rounds\n")
    print("| around it | us a request | us added | ratio |\n| --- | ---: | ---: | ---: |")
    for row in rows:
        print(f"| {row['variant']} | {row['us']:.2f} | {row['added_us']:.2f} | {row['ratio']:.2f} |")
    print("\n| goal | measured | at most |\n| --- | ---: | ---: |")
    for what, measured, most in goals:
        print(f"| {what} | {measured:.3f} | {most:.3f} |")


if __name__ == "__main__":
    main()
