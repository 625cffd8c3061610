"""The five layers around a Flask app on real servers: what clients get, and what the log tells of it."""

import contextlib
import http.client
import itertools
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from support.coats import ADDS
from support.record import check
from support.servers import LIB, SERVERS, Server, serving, wait_for
from support.wire import Answer, differences


class Facts(NamedTuple):
    """What a server does of itself; docs/middleware.md tells it to its readers.

    Args:
        keeps_alive: Whether it answers several requests on one connection.
        takes_files: Whether it has a ``wsgi.file_wrapper``: without one it reads a file as it reads any body.
        infers_length: Whether it tells the length of a body that is a list of one chunk.
        at_once: How many requests one of its processes answers at a time, as it is started here (at most 40).
    """

    keeps_alive: bool
    takes_files: bool
    infers_length: bool
    at_once: int


FACTS = {
    "waitress": Facts(keeps_alive=True, takes_files=True, infers_length=True, at_once=4),
    "gunicorn sync": Facts(keeps_alive=False, takes_files=True, infers_length=False, at_once=1),
    "gunicorn gthread": Facts(keeps_alive=True, takes_files=True, infers_length=False, at_once=4),
    "gunicorn gevent": Facts(keeps_alive=True, takes_files=True, infers_length=False, at_once=40),
    "gevent": Facts(keeps_alive=True, takes_files=False, infers_length=True, at_once=40),
    "granian": Facts(keeps_alive=True, takes_files=False, infers_length=True, at_once=4),
    "uwsgi": Facts(keeps_alive=False, takes_files=True, infers_length=False, at_once=4),
    "cheroot": Facts(keeps_alive=True, takes_files=False, infers_length=False, at_once=8),
    "werkzeug": Facts(keeps_alive=False, takes_files=False, infers_length=False, at_once=40),
    "wsgiref": Facts(keeps_alive=False, takes_files=True, infers_length=True, at_once=1),
}

ADDED = {"server-timing", "x-request-id", *ADDS["SecurityHeaders"]}

FILE = (LIB / "support" / "served.py").read_bytes()


class Log:
    """The log file of a server."""

    def __init__(self, *paths):
        self.paths = paths

    def records(self):
        """All records by id; a line that is none fails, but for an empty one."""
        found = {}
        for path in self.paths:
            *whole, _ = path.read_bytes().split(b"\n")  # the last one is being written, or nothing
            # An empty one closes off what was no line cut short: another process was only slow in the midst of it.
            for line in filter(None, whole):
                record = json.loads(line)
                check(record, "rows", "mine", "turn")
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
    app_log: Path

    @property
    def facts(self) -> Facts:
        """What this server does of itself."""
        return FACTS[self.name]

    def answer(self, path, method="GET", **headers):
        """What comes back on a connection of its own, byte by byte."""
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return Answer.of(self.server.exchange("\r\n".join([*lines, "", ""]).encode()))

    def both(self, path, method="GET", **headers):
        """The answer of the bare app, and that of the app in its layers."""
        return self.answer(path, method, **headers, X_Bare="1"), self.answer(path, method, **headers)


@pytest.fixture(scope="module", params=SERVERS)
def served(request, tmp_path_factory):
    """Each server with the app, and its log, in which every request has left one line at the end."""
    path = tmp_path_factory.mktemp("logs") / "request.log"
    with serving([*SERVERS[request.param], "support.served:app"], LOG_FILE=str(path)) as server:
        yield Served(request.param, server, Log(path), path.with_name("request.log.app"))
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

#: Werkzeug's server has decoded the path as UTF-8 and put U+FFFD for what is none; the others hand on its bytes.
DECODED = {"path": "/café/\ufffd\x1b"}


@pytest.mark.parametrize(("method", "path", "status", "expected"), CASES.values(), ids=CASES)
def test_answers(served, method, path, status, expected):
    server, log = served.server, served.log
    request_id = f"answers-{next(numbers)}"
    response = server.get(path, method, X_Request_ID=request_id, User_Agent="tests", X_Forwarded_For="192.0.2.1")
    record = log.record(request_id)
    assert response.status == record["status"] == status
    if (served.name, path) == ("werkzeug", "/caf%C3%A9/%FF%1B"):
        expected = DECODED
    assert expected.items() <= record.items()
    assert record["response_bytes"] == len(response.body)
    assert (record["client"], record["peer"], record["user_agent"]) == ("192.0.2.1", "127.0.0.1", "tests")
    assert response.headers.get_all("X-Request-ID") == [request_id]
    assert response.headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert response.headers["Server-Timing"].startswith("total;dur=")
    assert int(response.headers.get("Content-Length", len(response.body))) == len(response.body)


#: Targets and user agents that every server lets through.
SENT = {
    "R20 quotes and backslashes": (b"/%22%5c%22?a=%22%5c", b'x" \\" \\'),
    "R20 a tab": (b"/%09?%09", b"a\tb"),
    "R20 an escape": (b"/%1b[2J?%1b", b"a"),
    "a forged line": (b"/%0d%0a{%22event%22:%22http_request%22}?%0d%0a", b'"},{"'),
    "C1 and DEL": (b"/%9b31m%7f%c2%9b", b"\x9b31m"),
    "separators and bidi controls": (b"/%e2%80%a8%e2%80%ae?%e2%80%a8", b"\xe2\x80\xae"),
    "no UTF-8": (b"/%ff%fe%ed%a0%80?%ff", b"\xff\xfe"),
    "NUL": (b"/a%00b?%00", b"a"),
}


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_item_28_item_33_whatever_a_client_sends_its_line_is_json_and_printable(served, sent):
    target, user_agent = sent
    request_id = f"sent-{next(numbers)}".encode()
    head = [b"GET " + target + b" HTTP/1.1", b"Host: localhost", b"Connection: close", b"X-Request-ID: " + request_id]
    served.server.exchange(b"\r\n".join([*head, b"User-Agent: " + user_agent, b"", b""]))
    record = served.log.record(request_id.decode())
    assert (record["status"], "query" in record) == (404, b"?" in target)
    [line] = [line for line in served.log.paths[0].read_bytes().splitlines() if request_id in line]
    assert line.decode().isprintable()


def test_item_39_a_stream_s_first_byte_and_end(served):
    server, log = served.server, served.log
    server.get("/stream", X_Request_ID="paced")
    record = log.record("paced")
    # The app sleeps 300 ms between its two chunks: whatever the machine does, that much lies between.
    assert record["duration_ms"] - record["first_byte_ms"] >= 299


def test_the_first_chunk_leaves_before_the_second_is_made(served):
    """The app makes the second when the client says that it has the first."""
    with contextlib.closing(served.server.connect()) as connection:
        connection.request("GET", "/held", headers={"X-Request-ID": "held"})
        response = connection.getresponse()
        assert response.read(6) == b"first,"
        served.app_log.with_name("go").touch()
        assert response.read() == b"second"
    assert served.log.record("held")["outcome"] == "complete"


@pytest.mark.parametrize("size", [0, 1, 200_000])
def test_a_request_body(served, size):
    server, log = served.server, served.log
    response = server.get("/size", "POST", b"x" * size, X_Request_ID=f"size-{size}")
    assert json.loads(response.body) == {"size": size}
    assert log.record(f"size-{size}").get("request_bytes", 0) == size


#: What clients ask of files and streams: method, path, headers, status, body; None is whatever the bare app sends.
ASKED = {
    "file": ("GET", "/file", {}, 200, FILE),
    "file-head": ("HEAD", "/file", {}, 200, b""),
    "file-etag": ("GET", "/file", {"If_None_Match": "{etag}"}, 304, b""),
    "file-another-etag": ("GET", "/file", {"If_None_Match": '"another"'}, 200, FILE),
    "file-head-etag": ("HEAD", "/file", {"If_None_Match": "{etag}"}, 304, b""),
    "file-date": ("GET", "/file", {"If_Modified_Since": "{last-modified}"}, 304, b""),
    "file-range": ("GET", "/file", {"Range": "bytes=10-19"}, 206, FILE[10:20]),
    "file-end": ("GET", "/file", {"Range": "bytes=-9"}, 206, FILE[-9:]),
    "file-range-of-this": ("GET", "/file", {"Range": "bytes=3-", "If_Range": "{etag}"}, 206, FILE[3:]),
    "file-range-of-another": ("GET", "/file", {"Range": "bytes=3-", "If_Range": '"another"'}, 200, FILE),
    "file-head-range": ("HEAD", "/file", {"Range": "bytes=10-19"}, 206, b""),
    "file-beyond": ("GET", "/file", {"Range": "bytes=9999999-"}, 416, None),
    "stream-head": ("HEAD", "/stream", {}, 200, b""),
    "view-head": ("HEAD", "/item/7", {}, 200, b""),
    "raw-file": ("GET", "/raw/file", {}, 200, FILE),
    "raw-file-head": ("HEAD", "/raw/file", {}, 200, None),
    "raw-file-in-memory": ("GET", "/raw/file-in-memory", {}, 200, b"one,two"),
}

#: What reaches the server as a file: a part of one does not, nor does Flask's answer to a HEAD.
WHOLE_FILES = {"file", "file-another-etag", "file-range-of-another", "raw-file", "raw-file-head", "raw-file-in-memory"}


@pytest.mark.parametrize("asked", ASKED)
def test_files_conditions_and_heads(served, asked):
    """The same bytes in the same frame as of the bare app, the layers' headers aside; and what the log tells."""
    method, path, headers, status, body = ASKED[asked]
    validators = dict(served.answer("/file", "HEAD", X_Bare="1").headers)
    headers = {name: value.format_map(validators) for name, value in headers.items()}
    bare, worn = served.both(path, method, X_Request_ID=f"asked-{asked}", **headers)
    assert differences(bare, worn, ADDED) == []
    assert (worn.code, worn.header("x-request-id")) == (status, f"asked-{asked}")
    assert body in {None, worn.body}

    record = served.log.record(f"asked-{asked}")
    assert (record["status"], record["method"]) == (status, method)
    if asked in WHOLE_FILES and served.facts.takes_files:
        assert record["outcome"] == "handed_off"
        assert "response_bytes" not in record
    else:
        assert record["outcome"] == "complete"
        assert method == "HEAD" or record["response_bytes"] == len(worn.body)


@pytest.mark.parametrize("worker", ["sync", "gthread"])
@pytest.mark.parametrize("path", ["/file", "/raw/file"], ids=["by Flask", "without a length"])
@pytest.mark.parametrize("how", [{"X_Bare": "1"}, {}], ids=["bare", "worn"])
def test_gunicorn_sends_a_file_by_sendfile(sendfile_gunicorns, worker, path, how):
    server, counts = sendfile_gunicorns[worker]
    before = len(counts.read_text(encoding="ascii").split())
    assert server.get(path, **how).body == FILE
    # It writes down what it has sent when the client has it already.
    sent = wait_for(lambda: counts.read_text(encoding="ascii").split()[before:], "a call of os.sendfile")
    assert sent == [str(len(FILE))]
    assert server.get("/item/7", **how).status == 200
    assert len(counts.read_text(encoding="ascii").split()) == before + 1


@pytest.fixture(scope="module")
def sendfile_gunicorns(tmp_path_factory):
    """By worker class, a gunicorn that writes down each ``os.sendfile``, and the file in which it does."""
    with contextlib.ExitStack() as stack:
        gunicorns = {}
        for worker in ("sync", "gthread"):
            folder = tmp_path_factory.mktemp(worker)
            counts = folder / "counts"
            counts.touch()
            command = [
                *SERVERS[f"gunicorn {worker}"],
                "--config=python:support.gunicorn_sendfile",
                "support.served:app",
            ]
            server = serving(command, LOG_FILE=str(folder / "request.log"), SENDFILE_FILE=str(counts))
            gunicorns[worker] = stack.enter_context(server), counts
        yield gunicorns


def test_uwsgi_sends_a_file_by_sendfile(tmp_path):
    """It tells so itself, in the line that it writes for each request."""
    with serving([*SERVERS["uwsgi"], "support.served:app"], LOG_FILE=str(tmp_path / "request.log")) as server:
        for path, ways in {"/file": 1, "/raw/file": 1, "/stream": 0, "/item/7": 0}.items():
            for how in ({"X_Bare": "1"}, {}):
                before = server.output().count(f"GET {path} =>")
                server.get(path, **how)
                lines = wait_for(
                    lambda path=path, before=before: re.findall(rf"GET {path} => .*\n", server.output())[before:], path
                )
                assert [line.count("via sendfile()") for line in lines] == [ways]


def test_waitress_sends_a_file_by_its_buffer(tmp_path):
    """Its sign on the wire: of a buffer of a file waitress knows the length though the app told none."""
    with serving([*SERVERS["waitress"], "support.served:app"], LOG_FILE=str(tmp_path / "request.log")) as server:
        for how in ({"X_Bare": "1"}, {}):
            response = server.get("/raw/file", **how)
            assert response.body == FILE
            assert response.headers["Content-Length"] == str(len(FILE))
            assert server.get("/raw/generator", **how).headers["Content-Length"] is None


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
    request_id = f"raw-{path[5:]}-{method}"
    bare, worn = served.both(path, method, X_Request_ID=request_id)
    assert differences(bare, worn, ADDED) == [] or (served.name, path) == ("granian", "/raw/tuple")
    assert (worn.code, worn.header("x-request-id")) == (status, request_id)
    record = served.log.record(request_id)
    assert (record["status"], record["outcome"]) == (status, "complete")
    if method == "GET":
        assert (worn.body, record.get("response_bytes", 0)) == (body, len(body))
    if (method, path) == ("GET", "/raw/list-of-one"):
        assert worn.header("content-length") == ("3" if served.facts.infers_length else None)


def test_item_32_an_error_in_mid_stream(served):
    server, log = served.server, served.log
    with contextlib.suppress(http.client.HTTPException, OSError):
        server.get("/breaks", X_Request_ID="breaks")
    record = log.record("breaks")
    assert (record["outcome"], record["error_type"], record["response_bytes"]) == ("failed", "OSError", 6)
    assert record["error_at"].endswith("in breaks")


@pytest.mark.parametrize("path", ["/long", "/left"], ids=["mid-stream", "before the first byte"])
def test_item_32_a_client_that_leaves(served, path):
    server, log = served.server, served.log
    request_id = f"left-{path[1:]}"
    if path == "/long":
        server.leave(path, 100_000, X_Request_ID=request_id)
    else:
        came = served.app_log.with_name("came")
        server.leave(path, 0, lambda: wait_for(came.exists, "the request"), X_Request_ID=request_id)
        served.app_log.with_name("gone").touch()
    record = log.record(request_id)
    assert (record["outcome"], record["status"], record["route"]) == ("aborted", 200, path)
    assert record["response_bytes"] < 4096 * 65536


def test_a_client_that_leaves_a_file(served):
    server, log = served.server, served.log
    server.leave("/raw/large-file", 100_000, X_Request_ID="left-file")
    record = log.record("left-file")
    assert (record["outcome"], record["status"]) == ("handed_off" if served.facts.takes_files else "aborted", 200)
    assert record.get("response_bytes", 0) < 4096 * 65536


GUNICORNS = {"gunicorn sync", "gunicorn gthread", "gunicorn gevent"}

#: Where no page can replace a response any more: its head has left with an empty chunk, or (granian) with the app.
GONE = {"step": {"granian"}, "empty": {*GUNICORNS, "granian", "uwsgi", "werkzeug", "wsgiref"}}

#: Those that add the headers of a second start to what the first one had, whoever starts.
ADDS_UP = {*GUNICORNS, "cheroot"}


@pytest.mark.parametrize("where", ["call", "started", "step", "empty"])
def test_item_35_a_page_in_place_of_an_error(served, where):
    """A layer's page reaches the client instead of what the app had started."""
    answer = served.answer(f"/fails/{where}", X_Request_ID=f"fails-{where}")
    if served.name in GONE.get(where, ()):
        assert (answer.code, answer.header("x-failed")) == (200, "1")
        return
    assert (answer.code, answer.body) == (503, b"sorry")
    assert answer.header("x-failed") == ("1" if served.name in ADDS_UP and where != "call" else None)
    record = served.log.record(f"fails-{where}")
    assert (record["status"], record["outcome"]) == (503, "complete")


def test_keep_alive(served):
    server, log = served.server, served.log
    with contextlib.closing(server.connect()) as connection:
        sockets = set()
        for n in range(3):
            connection.request("GET", f"/item/{n}", headers={"X-Request-ID": f"kept-{n}"})
            sockets.add(connection.sock)
            assert json.loads(connection.getresponse().read()) == {"id": n}
            if not served.facts.keeps_alive:
                # uWSGI says nothing of it, and closes.
                assert connection.sock is None or connection.sock.recv(1) == b""
                connection.close()
    assert len(sockets) == (1 if served.facts.keeps_alive else 3)
    assert [log.record(f"kept-{n}")["path"] for n in range(3)] == ["/item/0", "/item/1", "/item/2"]


def test_streams_at_the_same_time_keep_what_is_theirs(served):
    """In each of its steps a stream waits for all others: what is kept in one place for all of them gets mixed up."""
    number = served.facts.at_once
    names = [f"together-{n}" for n in range(number)]
    with ThreadPoolExecutor(number) as pool:
        answers = list(pool.map(lambda name: served.server.get(f"/together/{number}/all", X_Request_ID=name), names))
    lines = [json.loads(line) for line in served.app_log.read_bytes().splitlines()]
    for name, answer in zip(names, answers, strict=True):
        assert answer.body.decode().split() == [name] * 5
        record = served.log.record(name)
        assert (record["mine"], record["turn"], list(record["timings"])) == (name, 4, [name])
        assert (record["response_bytes"], record["outcome"]) == (len(answer.body), "complete")
        told = [line["event"] for line in lines if line.get("request_id") == name]
        assert told == [f"turn {turn} of {name}" for turn in range(5)]


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


def test_the_page_tells_the_facts():
    page = (LIB.parents[1] / "docs" / "middleware.md").read_text(encoding="utf-8").partition("\n## Servers\n")[2]
    told = {}
    for line in re.findall(r"^\| .* \|$", page.partition("\n## ")[0], re.MULTILINE)[2:]:
        name, file, length, keeps_alive = line.strip("| ").split(" | ")
        told[name] = (file == "takes it", length == "tells it", keeps_alive == "yes")
    assert told == {name: (one.takes_files, one.infers_length, one.keeps_alive) for name, one in FACTS.items()}
