"""The log under load: four processes, one file, rotations and SIGKILL; every response that was closed has its line.

How many requests: $SOAK_REQUESTS, 200,000 without it, which takes half a minute; how it came out is printed (``-s``).
Kills and rotations come by the number of requests, not by the clock: so a machine of any speed sees as many of them.
"""

import contextlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.record import check
from support.servers import LIB, PATIENCE_S, serving, wait_for
from support.soak_worker import ACK

WORKERS, THREADS = 4, 2
KILLS, ROTATIONS = 10, 4
REQUESTS = int(os.environ.get("SOAK_REQUESTS", "200000"))

pytestmark = pytest.mark.skipif(os.name != "posix", reason="no SIGKILL, and no rename of an open file")


class Logged:
    """What stands in the file and those that it was renamed to."""

    def __init__(self, folder, *own):
        self.files = sorted(folder.glob("x.log*"))
        self.ids = Counter()
        self.cut = []
        self.empty = 0
        for file in self.files:
            *lines, last = file.read_bytes().split(b"\n")
            for line in lines:
                if not line:  # closes off what was only slow
                    self.empty += 1
                    continue
                try:
                    record = json.loads(line)
                    check(record, *own)
                    self.ids[record["request_id"]] += 1
                except ValueError:
                    self.cut.append(line)
            # Whoever was killed within the last write of a file has nobody behind him to close it off.
            if last:
                self.cut.append(last)


# Half a minute on a machine of its own, several on one that is busy.
@pytest.mark.timeout(600)
def test_item_38_every_response_that_was_closed_has_one_whole_line(tmp_path):
    log, acks, chance = tmp_path / "x.log", tmp_path / "acks", random.Random(38)
    acks.mkdir()
    path = os.pathsep.join(filter(None, [str(LIB), os.environ.get("PYTHONPATH")]))
    workers, kills, rotations = [], 0, 0

    def start():
        name = f"w{kills + len(workers)}"
        command = [sys.executable, "-m", "support.soak_worker", log, acks, name, str(THREADS)]
        workers.append(subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}))

    def done():
        return sum(file.stat().st_size for file in acks.iterdir()) // ACK

    for _ in range(WORKERS):
        start()
    started_s = time.monotonic()
    try:
        wait_for(done, "the first request")
        while done() < REQUESTS or kills < KILLS or rotations < ROTATIONS:
            next_one = done() + chance.randrange(500, 5000)
            wait_for(lambda next_one=next_one: done() >= next_one, f"request {next_one}")
            if log.exists() and (kills + rotations) % 3 == 2:
                rotations += 1
                log.rename(tmp_path / f"x.log.{rotations}")
            else:
                victim = workers.pop(chance.randrange(len(workers)))
                victim.kill()
                assert victim.wait() == -signal.SIGKILL
                kills += 1
                start()
    finally:
        for worker in workers:
            worker.terminate()
    # SIGTERM ends those that were not yet serving.
    assert {worker.wait(PATIENCE_S) for worker in workers} <= {0, -signal.SIGTERM}

    logged = Logged(tmp_path)
    acked = {file.name: file.stat().st_size // ACK for file in acks.iterdir()}
    missing = [
        f"{name}-{n}" for name, number in acked.items() for n in range(number) if f"{name}-{n}" not in logged.ids
    ]
    beyond = Counter(logged.ids.keys() - {f"{name}-{n}" for name, number in acked.items() for n in range(number)})
    print(
        f"{sum(acked.values())} closed, {logged.ids.total()} lines in {len(logged.files)} files, {kills} kills, "
        f"{rotations} rotations, {len(logged.cut)} cut short, {logged.empty} empty, {len(beyond)} not acknowledged, "
        f"{time.monotonic() - started_s:.0f} s"
    )
    assert sum(acked.values()) >= REQUESTS
    assert missing == []
    assert [one for one, times in logged.ids.items() if times > 1] == []
    # What was under way when its process was killed: one for each thread, with its line or without.
    assert {f"{name}-{acked.get(name, 0)}" for name in {one.rpartition("-")[0] for one in beyond}} == set(beyond)
    assert len(beyond) + len(logged.cut) <= kills * THREADS
    for line in logged.cut:
        assert line.startswith(b'{"timestamp":"') or b'{"timestamp":"'.startswith(line), line[:200]
        assert line.count(b'"timestamp"') <= 1
    assert len(logged.files) >= rotations


@pytest.mark.timeout(600)
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc to find the workers in")
def test_item_38_under_gunicorn_while_workers_are_killed_and_the_log_is_rotated(tmp_path):
    log, requests, threads = tmp_path / "x.log", 2000, 4
    command = ["-m", "gunicorn", "--bind=127.0.0.1:{port}", "--workers=2", "--worker-class=gthread", "--threads=4"]
    answered, asked = set(), iter(range(requests))
    kills, rotations, chance = 0, 0, random.Random(38)

    def ask(server):
        for n in asked:
            try:
                if server.get("/item/7", X_Request_ID=f"r-{n}").body:
                    answered.add(f"r-{n}")
            except (OSError, http.client.HTTPException):  # its worker was killed
                pass

    with serving([*command, "support.served:app"], LOG_FILE=str(log)) as server:
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        with ThreadPoolExecutor(threads) as clients:
            running = [clients.submit(ask, server) for _ in range(threads)]
            ended = lambda: all(one.done() for one in running)
            while not ended():
                # A worker that is killed before it serves would answer nothing, however often that is done.
                next_one = len(answered) + chance.randrange(20, 80)
                wait_for(lambda next_one=next_one: ended() or len(answered) >= next_one, f"answer {next_one}")
                if kills % 2 and log.exists():
                    rotations += 1
                    log.rename(tmp_path / f"x.log.{rotations}")
                with contextlib.suppress(ProcessLookupError, IndexError):  # it is being replaced
                    os.kill(int(chance.choice(children.read_text().split())), signal.SIGKILL)
                    kills += 1
            for one in running:
                one.result()
        server.stop()
    logged = Logged(tmp_path, "rows")
    missing = answered - logged.ids.keys()
    print(f"{len(answered)} of {requests} answered, {kills} kills, {len(logged.files)} files, {len(missing)} lost")
    assert kills > 0
    assert len(answered) > requests / 2
    # The client has its answer a moment before the worker closes it.
    assert len(missing) + len(logged.cut) <= kills * threads
    assert [one for one, times in logged.ids.items() if times > 1] == []
