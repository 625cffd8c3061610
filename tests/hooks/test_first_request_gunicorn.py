"""First requests under gunicorn: workers forked from a process that has loaded the app, and may have served already."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.servers import SERVERS, Server, serving

GUNICORN = [*SERVERS["gunicorn gthread"], "--workers=2", "--threads=8"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn needs fork")


def ask(server: Server) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(server.get("/").body)
    return answer


@pytest.mark.parametrize(
    ("options", "environ"),
    [
        pytest.param([], {}, id="each worker loads the app"),
        pytest.param(["--preload"], {}, id="preloaded"),
        pytest.param(["--preload"], {"FIRST_SERVED": "1"}, id="preloaded, and the parent has served"),
    ],
)
def test_each_worker_runs_it_once(options: list[str], environ: dict[str, str]) -> None:
    with (
        serving([*GUNICORN, *options, "support.served_first:app"], **environ) as server,
        ThreadPoolExecutor(16) as pool,
    ):
        answers = list(pool.map(lambda _: ask(server), range(64)))
    assert {answer["pid"] for answer in answers}  # which of the two workers take part is the kernel's choice
    for answer in answers:
        inherited = [str(answer["parent"])] if environ else []
        assert answer["runs"] == [*inherited, str(answer["pid"])]


def test_failure_is_tried_again_in_each_worker() -> None:
    with (
        serving([*GUNICORN, "--preload", "support.served_first:app"], FIRST_FAILS="1") as server,
        ThreadPoolExecutor(16) as pool,
    ):
        answers = list(pool.map(lambda _: server.get("/"), range(64)))
    statuses = [answer.status for answer in answers]
    assert 1 <= statuses.count(500) <= 2  # one for each worker that took part
    assert statuses.count(200) == 64 - statuses.count(500)
    for answer in (json.loads(answer.body) for answer in answers if answer.status == 200):
        assert answer["runs"] == [f"{answer['pid']} failed", str(answer["pid"])]
