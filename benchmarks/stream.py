"""A stream through the five layers: memory, and when the first byte leaves."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any

from benchmarks import variants
from benchmarks.interleave import ENVIRON

GIB = 1 << 30
CHUNK = b"x" * 65536


def stream(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    """A generator app: a GiB in chunks of 64 KiB."""
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    for _ in range(GIB // len(CHUNK)):
        yield CHUNK


def peak_growth_mib() -> float:
    """How much memory grew while a GiB went through, in a process of its own."""
    code = "from benchmarks.stream import _grow; print(_grow())"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def _grow() -> float:
    with tempfile.TemporaryDirectory() as folder:
        app = variants.ours(stream, Path(folder))
        body = app(ENVIRON.copy(), lambda *_: None)
        chunks = iter(body)
        next(chunks)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        sent = len(CHUNK) + sum(map(len, chunks))
        body.close()
        if sent != GIB:
            raise RuntimeError(f"{sent} bytes of {GIB} came through")
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def first_byte_delay_ms(rounds: int = 2000) -> float:
    """How much later the first chunk is in the server's hands, as the median of interleaved requests."""
    with tempfile.TemporaryDirectory() as folder:
        app = variants.ours(stream, Path(folder))
        differences = []
        for _ in range(rounds):
            times = []
            for candidate in (stream, app):
                started_ns = perf_counter_ns()
                body = candidate(ENVIRON.copy(), lambda *_: None)
                next(iter(body))
                times.append(perf_counter_ns() - started_ns)
                body.close()
            differences.append(times[1] - times[0])
        return median(differences) / 1e6


_IMPORT = """
import orjson, structlog, werkzeug.http
from time import perf_counter_ns

started_ns = perf_counter_ns()
import overcoat.middleware
print((perf_counter_ns() - started_ns) / 1e6)
"""


def import_ms(rounds: int = 15) -> float:
    """How long importing all of ``overcoat.middleware`` takes where its dependencies are loaded, in milliseconds.

    It is the fastest of all rounds: the work is the same each time, and whatever else the machine does only adds to it.
    """
    # The first one writes the bytecode, which an installed package has.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", _IMPORT]
    runs = [subprocess.run(command, env=environ, capture_output=True, text=True, check=True) for _ in range(rounds + 1)]
    return min(float(run.stdout) for run in runs[1:])
