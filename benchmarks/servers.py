"""Requests per second under real servers, over bare Flask: all serve at once, and the load takes turns."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any

SERVERS = {
    "granian": [
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--workers",
        "1",
        "--blocking-threads",
        "1",
        "--no-log",
        "benchmarks.served:app",
        "--port",
    ],
    "waitress": ["-m", "waitress", "--threads=4", "--host=127.0.0.1", "benchmarks.served:app", "--port"],
}
CONNECTIONS = 16

#: As ``benchmarks.served`` knows them: bare Flask, with our five layers, with the same job by hand.
VARIANTS = ("bare", "ours", "hand")


def available() -> str | None:
    """Why this cannot run here, or None."""
    return None if shutil.which("wrk") else "wrk is not installed (Debian: apt-get install wrk)"


def measure(*, rounds: int, seconds: int = 2) -> list[dict[str, Any]]:
    """A row for each server: requests per second of each variant, and the median of its ratios to bare Flask."""
    rows = []
    for name, arguments in SERVERS.items():
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            urls = {variant: stack.enter_context(_serve(arguments, variant, folder)) for variant in VARIANTS}
            for url in urls.values():
                _load(url, 1)
            rates: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
            for number in range(rounds):
                for variant in VARIANTS if number % 2 else VARIANTS[::-1]:
                    rates[variant].append(_load(urls[variant], seconds))
        row: dict[str, Any] = {"server": name} | {variant: median(rates[variant]) for variant in VARIANTS}
        for variant in VARIANTS[1:]:
            row[f"{variant}_ratio"] = median(a / b for a, b in zip(rates[variant], rates["bare"], strict=True))
        rows.append(row)
    return rows


#: The least share of bare Flask's requests per second that is left with our five layers.
SHARES = {"granian": 0.88, "waitress": 0.82}


def goals(rows: list[dict[str, Any]]) -> list[tuple[str, float, str, float]]:
    """``(what, measured, "at least", limit)`` for each server that was measured."""
    return [
        (
            f"requests per second under {row['server']}, over bare Flask",
            row["ours_ratio"],
            "at least",
            SHARES[row["server"]],
        )
        for row in rows
    ]


@contextmanager
def _serve(arguments: list[str], variant: str, folder: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, *arguments, str(port)]
    if command[-1] == str(port) and arguments[-1] == "--port" and "waitress" in arguments:
        command = [sys.executable, *arguments[:-2], f"--port={port}", arguments[-2]]
    environ = os.environ | {"BENCH_VARIANT": variant, "BENCH_FOLDER": folder}
    server = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            time.sleep(0.1)
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield f"http://127.0.0.1:{port}/item/1"
    finally:
        server.terminate()
        server.wait(10)


def _load(url: str, seconds: int) -> float:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-H", "Origin: https://shop.example.com", url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(f"the load was not served cleanly:\n{output}")
    found = re.search(r"Requests/sec:\s+([0-9.]+)", output)
    if found is None:
        raise RuntimeError(f"wrk printed no rate:\n{output}")
    return float(found[1])
