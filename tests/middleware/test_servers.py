"""The five layers around a Flask app on real servers: what clients get, and what the log tells of it."""

import contextlib
import http.client
import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest
from support.record import check
from support.servers import LIB, SERVERS, Server, serving, wait_for

KEEPS_ALIVE = {"waitress", "gunicorn gthread", "gunicorn gevent", "granian"}

#: Those that send a file themselves: the others read it as they read any body.
SENDS_FILES = set(SERVERS) - {"granian"}

#: Those that infer the length of a body from a list of one chunk.
INFERS_LENGTH = {"waitress", "wsgiref"}


class Log:
    """The log file of a server."""

    def __init__(self, *paths):
        self.paths = paths

    def records(self):
        """All records by id; a line that is none fails."""
        found = {}
        for path in self.paths:
            for line in path.read_bytes().splitlines(keepends=True):
                if not line.endswith(b"\n"):
                    continue  # it is being written
                record = json.loads(line)
                check(record, "rows")
                found.setdefault(record["request_id"], []).append(record)
        return found

    def record(self, request_id):
        """The one record of a request, as soon as it is there."""
        [record] = wait_for(lambda: self.records().get(request_id), f"the record of {request_id}")
        return record


class Served(NamedTuple):
    """A server with the app, by its name, and its log."""

    name: str
    server: Server
    log: Log


@pytest.fixture(scope="module", params=SERVERS)
def served(request, tmp_path_factory):
    """Each server with the app, and its log, in which every request has left one line at the end."""
    path = tmp_path_factory.mktemp("logs") / "request.log"
    with serving([*SERVERS[request.param], "support.served:app"], LOG_FILE=str(path)) as server:
        yield Served(request.param, server, Log(path))
    assert {len(records) for records in Log(path).records().values()} == {1}


numbers = itertools.count()

CASES = {
    "a view": ("GET", "/item/7", 200, {"route": "/item/<int:item_id>", "endpoint": "item", "outcome": "complete"}),
    "404": ("GET", "/nowhere", 404, {"level": "warning", "outcome": "complete"}),
    "405": ("DELETE", "/item/7", 405, {"level": "warning"}),
    "an error": ("GET", "/broken", 500, {"route": "/broken", "level": "error", "outcome": "complete"}),
    "a query": ("GET", "/item/7?page=2&token=s3cret", 200, {"query": "page=2&token=[redacted]"}),
    "a path of bytes": ("GET", "/caf%C3%A9/%FF%1B", 404, {"path": "/café/\\xff\x1b"}),
    "a stream": ("GET", "/stream", 200, {"response_bytes": 12, "rows": 2, "outcome": "complete"}),
}


@pytest.mark.parametrize(("method", "path", "status", "expected"), CASES.values(), ids=CASES)
def test_answers(served, method, path, status, expected):
    server, log = served.server, served.log
    request_id = f"answers-{next(numbers)}"
    response = server.get(path, method, X_Request_ID=request_id, User_Agent="tests", X_Forwarded_For="192.0.2.1")
    record = log.record(request_id)
    assert response.status == record["status"] == status
    assert expected.items() <= record.items()
    assert record["response_bytes"] == len(response.body)
    assert (record["client"], record["peer"], record["user_agent"]) == ("192.0.2.1", "127.0.0.1", "tests")
    assert response.headers.get_all("X-Request-ID") == [request_id]
    assert response.headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert response.headers["Server-Timing"].startswith("total;dur=")
    assert int(response.headers.get("Content-Length", len(response.body))) == len(response.body)


def test_a_stream_s_first_byte_and_end(served):
    server, log = served.server, served.log
    server.get("/stream", X_Request_ID="paced")
    record = log.record("paced")
    # The app sleeps 300 ms between its two chunks: whatever the machine does, that much lies between.
    assert record["duration_ms"] - record["first_byte_ms"] >= 299


def test_the_first_chunk_leaves_before_the_second_is_made(served):
    server, log = served.server, served.log
    with contextlib.closing(server.connect()) as connection:
        connection.request("GET", "/stream", headers={"X-Request-ID": "early"})
        response = connection.getresponse()
        assert response.read(6) == b"first,"
        if served.name != "waitress":  # which gathers 18 kB before it sends
            assert "early" not in log.records()
        assert response.read() == b"second"
    assert log.record("early")["outcome"] == "complete"


def test_head(served):
    server, log = served.server, served.log
    response = server.get("/item/7", "HEAD", X_Request_ID="head")
    record = log.record("head")
    assert (response.status, response.body) == (200, b"")
    assert (record["method"], record["status"], record["outcome"]) == ("HEAD", 200, "complete")


@pytest.mark.parametrize("size", [0, 1, 200_000])
def test_a_request_body(served, size):
    server, log = served.server, served.log
    response = server.get("/size", "POST", b"x" * size, X_Request_ID=f"size-{size}")
    assert json.loads(response.body) == {"size": size}
    assert log.record(f"size-{size}").get("request_bytes", 0) == size


def test_a_file_goes_out_by_the_server(served):
    server, log = served.server, served.log
    response = server.get("/file", X_Request_ID="file")
    assert response.body == (LIB / "support" / "served.py").read_bytes()
    record = log.record("file")
    assert record["status"] == 200
    if served.name in SENDS_FILES:
        assert record["outcome"] == "handed_off"
        assert "response_bytes" not in record
    else:
        assert (record["outcome"], record["response_bytes"]) == ("complete", len(response.body))


RAW = {
    "/raw/list": (200, b"one,two"),
    "/raw/list-of-one": (200, b"one"),
    "/raw/tuple": (200, b"one,two"),
    "/raw/empty-list": (200, b""),
    "/raw/generator": (200, b"one,two"),
    "/raw/no-content": (204, b""),
    "/raw/not-modified": (304, b""),
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("path", "status", "body"), [(path, *answer) for path, answer in RAW.items()], ids=RAW)
def test_a_body_as_the_app_made_it(served, path, status, body, method):
    """Every byte once, whether the server reads a list twice (gevent) or never closes one (granian); then one line."""
    server, log = served.server, served.log
    request_id = f"raw-{path[5:]}-{method}"
    response = server.get(path, method, X_Request_ID=request_id)
    record = log.record(request_id)
    assert (response.status, record["status"], record["outcome"]) == (status, status, "complete")
    assert response.body == (body if method == "GET" else b"")
    if method == "GET":
        assert record.get("response_bytes", 0) == len(body)
    assert response.headers.get_all("X-Request-ID") == [request_id]
    if path == "/raw/list-of-one" and served.name in INFERS_LENGTH:
        assert response.headers["Content-Length"] == "3"


def test_item_32_an_error_in_mid_stream(served):
    server, log = served.server, served.log
    with contextlib.suppress(http.client.HTTPException, OSError):
        server.get("/breaks", X_Request_ID="breaks")
    record = log.record("breaks")
    assert (record["outcome"], record["error_type"], record["response_bytes"]) == ("failed", "OSError", 6)
    assert record["error_at"].endswith("in breaks")


@pytest.mark.parametrize(
    ("path", "after"), [("/long", 100_000), ("/long?wait_s=0.2", 0)], ids=["mid-stream", "before the first byte"]
)
def test_item_32_a_client_that_leaves(served, path, after):
    server, log = served.server, served.log
    request_id = f"left-{after}"
    server.leave(path, after, X_Request_ID=request_id)
    record = log.record(request_id)
    assert (record["outcome"], record["status"], record["route"]) == ("aborted", 200, "/long")
    assert record["response_bytes"] < 4096 * 65536


def test_keep_alive(served):
    server, log = served.server, served.log
    with contextlib.closing(server.connect()) as connection:
        sockets = set()
        for n in range(3):
            connection.request("GET", f"/item/{n}", headers={"X-Request-ID": f"kept-{n}"})
            assert json.loads(connection.getresponse().read()) == {"id": n}
            sockets.add(connection.sock)
    assert len(sockets) == 1
    assert (None in sockets) is (served.name not in KEEPS_ALIVE)
    assert [log.record(f"kept-{n}")["path"] for n in range(3)] == ["/item/0", "/item/1", "/item/2"]


def test_an_id_that_is_not_harmless(served):
    server, log = served.server, served.log
    response = server.get("/item/1", X_Request_ID="<script>")
    ours = response.headers["X-Request-ID"]
    assert log.record(ours)["client_request_id"] == "<script>"


def test_item_38_many_processes_one_file_and_logrotate(tmp_path):
    path, rotated = tmp_path / "request.log", tmp_path / "request.log.1"
    command = [*SERVERS["gunicorn sync"], "--workers=4", "support.served:app"]
    asked = []
    over = threading.Event()

    def client(number):
        while not over.is_set():
            request_id = f"client-{number}-{len(asked)}"
            server.get("/item/7?filler=" + "x" * (len(asked) % 7 * 500), X_Request_ID=request_id)
            asked.append(request_id)

    with serving(command, LOG_FILE=str(path)) as server, ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(client, number) for number in range(4)]
        try:
            wait_for(lambda: len(asked) > 100, "the first hundred requests")
            path.rename(rotated)
            wait_for(path.exists, "the new file")
            new = len(asked)
            wait_for(lambda: len(asked) > new + 200, "two hundred more")
        finally:
            over.set()
        for each in clients:
            each.result()
    records = Log(path, rotated).records()
    assert set(asked) == set(records)
    assert {len(found) for found in records.values()} == {1}
    assert path.stat().st_size
    assert rotated.stat().st_size
