"""`overcoat demo --traffic N`: what is sent, what is logged of it, and the bar."""

import io
import re
import socket
from collections import Counter
from random import Random

import pytest
from support.servers import wait_for

from overcoat.demo.traffic import Progress, Traffic, next_kind, visit_of

from .conftest import request_records
from .test_command import fails


def test_it_is_all_sent_and_logged(serve, tmp_path):
    server = serve("--traffic", "400")
    wait_for(lambda: "requests in" in server.output, "the traffic to end")
    assert server.request("GET", "/item/1")[0].status in {200, 404}, "it goes on serving"
    server.stop()
    records = request_records(tmp_path / "overcoat-demo.log")
    assert len(records) == 401
    kinds = Counter(record["status"] // 100 for record in records)
    assert set(kinds) == {2, 4, 5}
    assert kinds[2] > 250
    assert len({record["client"] for record in records}) > 1
    assert len({record.get("route") for record in records}) > 5
    assert "203.0.113.7" not in {record["client"] for record in records}
    told = re.search(r"traffic +400 requests in [0-9.]+ s: (.+)", server.output)[1]
    assert sum(map(int, re.findall(r"(\d+) (?:[2-5]xx|left)", told))) == 400
    assert not [line for line in server.lines if " ms " in line], "no line for each request beside the bar"


def test_it_ends_with_the_server(serve):
    server = serve("--traffic", "1000000")
    wait_for(lambda: server.request("GET", "/livez")[0].status == 200, "the server")
    assert server.stop() == 0
    assert "Traceback" not in server.output


def test_every_kind_is_in_the_mix():
    random = Random(1)
    visits = [visit_of(next_kind(random), random, [1, 2, 3]) for _ in range(3000)]
    assert {visit.method for visit in visits} == {"GET", "POST", "PUT", "DELETE"}
    assert {"/", "/tour/error", "/tour/query", "/tour/stream", "/robots.txt"} <= {visit.path for visit in visits}
    assert any(visit.leaves for visit in visits)
    reading = sum(visit.method == "GET" for visit in visits)
    assert 0.6 < reading / len(visits) < 0.9


def test_nobody_answers():
    told = []
    with socket.socket() as taken:  # and nobody listens
        taken.bind(("127.0.0.1", 0))
        traffic = Traffic("127.0.0.1", taken.getsockname()[1], 20, tell=told.append)
        traffic.run()
    assert traffic.statuses == {None: 20}
    assert told == list(range(1, 21))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_bar():
    terminal = Terminal()
    progress = Progress(10, terminal)
    progress(10)
    assert re.fullmatch(r"\r  traffic   █{30} 10/10  \d+/s \x1b\[K", terminal.getvalue())
    told = progress.finish(Counter({200: 7, 404: 2, None: 1}))
    assert re.fullmatch(r"  traffic   10 requests in \d+\.\d s: 7 2xx, 2 4xx, 1 left early or got no answer", told)


def test_no_bar_without_a_terminal():
    stream = io.StringIO()
    progress = Progress(10, stream)
    progress(10)
    progress.finish(Counter({200: 10}))
    assert stream.getvalue() == ""


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5", "\u0661"])
def test_no_number(tmp_path, number):
    code, error = fails(tmp_path, f"--traffic={number}")
    assert code == 2
    assert "is no number of requests" in error
