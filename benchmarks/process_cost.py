"""What a command costs, as the kernel counts it."""

import os
import subprocess
import time
from collections.abc import Sequence


def timed(command: Sequence[str], **environment: str) -> tuple[float, float]:
    """Seconds and peak memory in MB of a command whose output nobody reads; in a pipeline, of its largest process."""
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environment},
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{' '.join(command)[:200]}: exit status {process.returncode}")
    return seconds, usage.ru_maxrss / 1000
