"""What logs, ids, timings and figures of requests have broken in the field, where no other file holds it already.

The number of an item is in the name of its tests; the addresses are the reports.
"""

import ast
import io
import json
import logging
import random
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter_ns

import flask
import pytest
from support.apps import answering, ok
from support.coats import COATS, layer_classes
from support.record import check
from support.servers import SERVERS, serving, wait_for
from support.wsgi import call, make_environ, serve

from overcoat.middleware import (
    HTTPSRedirect,
    Layer,
    RequestContextFilter,
    RequestID,
    RequestLog,
    ServerTiming,
    Stack,
    TraceContext,
    TrustedHosts,
    _record,
    configure_logging,
    current_exchange,
    outgoing_headers,
    quiet_server_logs,
    timer,
)
from overcoat.middleware.testing import capture_requests

ROOT = Path(__file__).parents[2]


# 29. One request logged twice: mozilla-it/ctms-api#169, m-kus/testex#8


@pytest.mark.parametrize(("propagate", "times"), [(True, 2), (False, 1)], ids=["handed on", "kept"])
def test_item_29_a_logger_with_a_handler_of_its_own_keeps_its_lines_if_told(propagate, times):
    stream = io.StringIO()
    handler, logger = logging.StreamHandler(stream), logging.getLogger("handled-twice")
    root, before = logging.getLogger(), logger.propagate
    for one in (root, logger):
        one.addHandler(handler)
    logger.propagate = propagate
    logger.setLevel("INFO")
    try:
        call(RequestLog(ok, to=logger))
    finally:
        logger.propagate = before
        for one in (root, logger):
            one.removeHandler(handler)
    assert stream.getvalue().count("http_request") == times


# 31. A query that is nobody's business: apache/airflow#67498


def test_item_31_no_query_at_all(capsys):
    call(RequestLog(ok, to="stdout", names={"query": None}), PATH_INFO="/cart", QUERY_STRING="q=illness")
    line = capsys.readouterr().out
    assert json.loads(line)["path"] == "/cart"
    assert "illness" not in line


# 35. An id that is missing where it is needed most: snok/asgi-correlation-id#19, #55, #64


class Early(Layer):
    """Answers in the app's place."""

    def on_request(self, exchange):
        return answering("503 Service Unavailable") if exchange.path == "/early" else None


def shop(seen):
    app = flask.Flask("shop")

    @app.before_request  # an extension's, which knows nothing of layers, and was first
    def before():
        seen.append(flask.request.headers.get("X-Request-ID"))
        if flask.request.path == "/private":
            flask.abort(401)

    @app.errorhandler(500)
    def failed(error):
        seen.append(flask.request.headers.get("X-Request-ID"))
        return "sorry", 500

    @app.errorhandler(404)
    def unknown(error):
        seen.append(flask.request.environ.get("overcoat.request_id"))
        return "nothing here", 404

    app.add_url_rule("/", "home", lambda: "home")
    app.add_url_rule("/broken", "broken", lambda: 1 / 0)
    app.add_url_rule("/moved", "moved", lambda: flask.redirect("/"))
    app.add_url_rule("/gone", "gone", lambda: flask.abort(410))
    app.add_url_rule("/stream", "stream", lambda: flask.Response(iter([b"a", b"b"])))
    app.add_url_rule("/own", "own", lambda: ("", 200, {"X-Request-ID": "the app's own"}))
    return app


ANSWERS = {
    "a view": ("GET", "/", 200, 1),
    "HEAD": ("HEAD", "/", 200, 1),
    "OPTIONS": ("OPTIONS", "/", 200, 1),
    "405": ("POST", "/", 405, 1),
    "404 of a handler": ("GET", "/nowhere", 404, 2),
    "500 of a handler": ("GET", "/broken", 500, 2),
    "410 by abort": ("GET", "/gone", 410, 1),
    "401 of a hook": ("GET", "/private", 401, 1),
    "a redirect": ("GET", "/moved", 302, 1),
    "a stream": ("GET", "/stream", 200, 1),
    "the app's own header": ("GET", "/own", 200, 1),
    "an early answer of a layer": ("GET", "/early", 503, 0),
}


@pytest.mark.parametrize("theirs", [{}, {"HTTP_X_REQUEST_ID": "gateway-7"}, {"HTTP_X_REQUEST_ID": "no id"}], ids=str)
@pytest.mark.parametrize(("method", "path", "status", "times"), ANSWERS.values(), ids=ANSWERS)
def test_item_35_every_answer_hook_and_handler_has_the_id(method, path, status, times, theirs):
    seen, records = [], []
    stack = Stack(shop(seen).wsgi_app, [RequestID(), RequestLog(to=records.append), Early()])
    answer = call(stack, REQUEST_METHOD=method, PATH_INFO=path, **theirs)
    assert answer.status.startswith(str(status))
    [ours] = answer.header("X-Request-ID")
    assert seen == [ours] * times
    assert (records[0]["request_id"], records[0]["status"]) == (ours, status)
    assert (ours == "gateway-7") is (theirs.get("HTTP_X_REQUEST_ID") == "gateway-7")


@pytest.mark.parametrize(
    ("layer", "status"),
    [(TrustedHosts(hosts=["other.example"]), "400"), (HTTPSRedirect(hosts=["shop.example"]), "301")],
    ids=["a refusal", "a redirect to https"],
)
def test_item_35_an_answer_of_a_layer_has_the_id(layer, status):
    answer = call(Stack(ok, [RequestID(), layer]), HTTP_HOST="shop.example", HTTP_X_REQUEST_ID="r-1")
    assert (answer.status[:3], answer.header("X-Request-ID")) == (status, ["r-1"])


def test_item_35_of_an_error_that_leaves_the_app_the_line_has_it():
    """The server makes the response, so no layer can tell the client; docs/ids.md has the layer that answers first."""
    records = []
    call(Stack(lambda environ, start: 1 / 0, [RequestID(), RequestLog(to=records.append)]), HTTP_X_REQUEST_ID="r-1")
    assert (records[0]["request_id"], records[0]["outcome"]) == ("r-1", "failed")


# 36. Flask-Log-Request-ID imports a private name that Flask 2.3 has not: Workable/flask-log-request-id#58


def imported(file):
    """What a file imports, and takes of what it has imported, as dotted names."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


SOURCES = sorted(file for folder in ("middleware", "hooks") for file in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_item_36_nothing_private_of_flask_is_imported(file):
    names = [name for name in imported(file) if name.partition(".")[0] in {"flask", "werkzeug"}]
    assert [name for name in names if re.search(r"\._(?!_)", name)] == []
    if "middleware" in file.parts:
        assert [name for name in names if name.startswith("flask.")] == []


def test_item_36_the_search_finds_what_is_private(tmp_path):
    file = tmp_path / "x.py"
    file.write_text("import flask\nfrom flask import _app_ctx_stack\nflask._request_ctx_stack\nfrom flask import g\n")
    assert [name for name in imported(file) if re.search(r"\._(?!_)", name)] == [
        "flask._app_ctx_stack",
        "flask._request_ctx_stack",
    ]


# 39. Wrong durations: open-telemetry/opentelemetry-python-contrib#3401, #4723, DataDog/dd-trace-py#3826


def test_item_39_durations_are_those_of_a_clock_that_nobody_sets(monkeypatch):
    """The machine's clock goes back an hour in the middle of a stream; what is measured lies within what is seen."""
    seen_ns, records = {}, []

    def app(environ, start_response):
        with timer("db"):
            start_response("200 OK", [])
        seen_ns["headers"] = perf_counter_ns()
        monkeypatch.setattr(_record, "time_ns", lambda: 1_000_000_000)
        yield b""
        seen_ns["before the first byte"] = perf_counter_ns()
        yield b"first"
        seen_ns["before the second"] = perf_counter_ns()
        yield b"second"
        seen_ns["end"] = perf_counter_ns()

    begin_ns = perf_counter_ns()
    answer = call(Stack(app, [RequestLog(to=records.append), ServerTiming(expose="all")]))
    over_ns = perf_counter_ns()
    [record] = records
    check(record)
    assert record["timestamp"] == "1970-01-01T00:00:01.000000Z"
    first_ns, all_ns = record["first_byte_ms"] * 1e6, record["duration_ms"] * 1e6
    slack_ns = 1000  # the record is rounded to the microsecond
    assert seen_ns["before the first byte"] - seen_ns["headers"] - slack_ns <= first_ns
    assert first_ns <= seen_ns["before the second"] - begin_ns + slack_ns
    assert seen_ns["end"] - seen_ns["headers"] - slack_ns <= all_ns <= over_ns - begin_ns + slack_ns
    assert 0 <= record["timings"]["db"]["duration_ms"] <= record["first_byte_ms"]
    total_ms = float(re.search(r"total;dur=([0-9.]+)", answer.header("Server-Timing")[0])[1])
    assert 0 < total_ms <= record["first_byte_ms"] + 0.001


# 40. Figures that add up over a request, in its one line


def test_item_40_a_count_adds_up():
    records = []

    def app(environ, start_response):
        for _ in range(3):
            fields = current_exchange().fields
            fields["hits"] = fields.get("hits", 0) + 1
            current_exchange().add_timing("db", 2_000_000)
        return ok(environ, start_response)

    call(RequestLog(app, to=records.append))
    assert (records[0]["hits"], records[0]["timings"]["db"]) == (3, {"duration_ms": 6.0, "count": 3})


# 61. 366,675 series of made-up paths: alphagov/ckanext-datagovuk#1501; GHSA-5rv5-6h4r-h22v


def test_item_61_a_thousand_made_up_requests_are_one_route_and_ten_methods():
    records, names = [], random.Random(61)
    app = shop([])
    app.add_url_rule("/cart/<int:cart_id>", "cart", lambda cart_id: "cart")
    log = RequestLog(app.wsgi_app, to=records.append, names="otel")
    for _ in range(1000):
        made_up = f"{names.getrandbits(40):x}"
        call(log, REQUEST_METHOD=names.choice(["GET", "HEAD", made_up.upper(), "get"]), PATH_INFO=f"/{made_up}")
        call(log, PATH_INFO=f"/cart/{names.getrandbits(30)}")
    assert {record.get("http.route") for record in records} == {None, "/cart/<int:cart_id>"}
    assert {record["http.request.method"] for record in records} == {"GET", "HEAD", "_OTHER"}
    assert {record.get("http.route") for record in records if record["http.response.status_code"] == 404} == {None}


# 62. Counters that are wrong or empty with several workers: rycus86/prometheus_flask_exporter#38, #89, #165


def test_item_62_figures_of_three_workers_are_whole(tmp_path):
    log, folder = tmp_path / "requests.log", tmp_path / "figures"
    folder.mkdir()
    command = [*SERVERS["gunicorn sync"][:-1], "--workers=3", "support.served_counted:app"]
    paths, workers = [], set()

    def ask(path):
        response = server.get(path)
        paths.append(path)
        if response.status == 200:
            workers.add(response.body)

    def figures():
        text = server.get("/metrics").body.decode()
        lines = re.findall(r'^shop_requests_total\{.*route="([^"]*)".*\} ([0-9.]+)$', text, re.MULTILINE)
        return {route: float(count) for route, count in lines}

    with (
        serving(command, LOG_FILE=str(log), PROMETHEUS_MULTIPROC_DIR=str(folder)) as server,
        ThreadPoolExecutor(6) as clients,
    ):
        while len(workers) < 2 or len(paths) < 60:
            assert len(paths) < 5000, "one worker takes all requests"
            list(clients.map(ask, [f"/cart/{number}" for number in range(20)] + [f"/made-up/{len(paths)}"]))
        # A worker counts when the client has its answer already.
        wanted = {"/cart/<int:cart_id>": len([path for path in paths if path.startswith("/cart/")])}
        wanted["<unmatched>"] = len(paths) - wanted["/cart/<int:cart_id>"]
        wait_for(lambda: figures() == wanted, f"{wanted}, not {figures()}")
        assert [figures() for _ in range(6)] == [wanted] * 6  # whoever answers
    done = subprocess.run(
        [sys.executable, "-m", "overcoat.inspector", "logs", str(log), "--stats", "--json"],
        check=True, capture_output=True, text=True, timeout=90,
    )  # fmt: skip
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert (
        sum(row["requests"] for row in rows if row["route"] == "/cart/<int:cart_id>") == wanted["/cart/<int:cart_id>"]
    )
    assert len(log.read_text().splitlines()) == len(paths)


# 63. What to leave out is said where a layer is made: open-telemetry/opentelemetry-python-contrib#2369, #1750, #490

#: Options and environ with which each layer does something; the others do with none.
AT_WORK = {
    "ProxyFix": ({"trusted": ["127.0.0.1"]}, {"HTTP_X_FORWARDED_FOR": "192.0.2.1"}),
    "SecureCookies": ({"mode": "enforce"}, {}),
    "HTTPSRedirect": ({"hosts": ["shop.example"]}, {}),
    "TrustedHosts": ({"hosts": ["other.example"]}, {}),
    "Mount": ({"prefix": "/healthz", "mounted": answering("404 Not Found")}, {}),
}


def effect_of(cls, environ, **options):
    """All that a layer can change: the answer, what the app sees, what is known of the request, the line."""
    records, seen = [], {}

    def app(environ, start_response):
        exchange = current_exchange()
        seen.update({name: value for name, value in environ.items() if isinstance(value, str)})
        seen.update(ids=(exchange.trace_id, exchange.request_id))
        start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "a=b")])
        return [b"ok"]

    given = {"to": records.append} if cls is RequestLog else options
    layer = cls(**given | options)
    answer = call(Stack(app, [layer, Ending()]), PATH_INFO="/healthz", HTTP_HOST="shop.example", **environ)
    return answer.status, sorted(answer.headers), answer.body, seen, len(records)


class Ending(Layer):
    """Follows each request to its end, so that there is an exchange whatever else is around."""

    def on_finish(self, exchange):
        pass


@pytest.mark.parametrize("cls", layer_classes(), ids=lambda cls: cls.__name__)
def test_item_63_every_layer_takes_skip(cls):
    options, environ = AT_WORK.get(cls.__name__, ({}, {}))
    nothing = effect_of(Ending, environ)
    assert effect_of(cls, environ, **options) != nothing
    assert effect_of(cls, environ, **options, skip="/elsewhere") != nothing
    for skip in ("/healthz", lambda exchange: exchange.path == "/healthz", ["/a", "/healthz/"]):
        assert effect_of(cls, environ, **options, skip=skip) == nothing


# 65. A sampler that cannot see headers: open-telemetry/opentelemetry-python-contrib#5032


@pytest.mark.parametrize(("header", "logged"), [({}, 0), ({"HTTP_X_DEBUG": "1"}, 1)], ids=["without", "with"])
def test_item_65_the_share_may_depend_on_a_header(header, logged):
    records = []
    log = RequestLog(ok, to=records.append, sample=lambda exchange: 1 if "HTTP_X_DEBUG" in exchange.environ else 0)
    call(log, **header)
    assert len(records) == logged


# 66. traceparent: DataDog/dd-trace-py#4791 (islower() refused digits), Garudex-Labs/caracal#301 (made of request ids)


@pytest.mark.parametrize(
    ("trace_id", "span_id"),
    [
        ("1" * 32, "2" * 16),
        ("0" * 31 + "1", "0" * 15 + "1"),
        ("f" * 32, "f" * 16),
        ("00000000000000001" + "a" * 15, "b" * 16),
    ],
    ids=["digits only", "nearly zero", "letters only", "an id of 64 bits"],
)
def test_item_66_any_valid_id_goes_on(trace_id, span_id):
    records, sent = [], []

    def app(environ, start_response):
        sent.append(outgoing_headers()["traceparent"])
        return ok(environ, start_response)

    stack = Stack(app, [TraceContext(), RequestLog(to=records.append)])
    call(stack, HTTP_TRACEPARENT=f"00-{trace_id}-{span_id}-01")
    assert records[0]["trace_id"] == trace_id == sent[0].split("-")[1]
    assert span_id not in {records[0]["span_id"], sent[0].split("-")[2]}


def test_item_66_no_id_is_made_of_another():
    records = []
    stack = Stack(ok, [RequestID(), TraceContext(), RequestLog(to=records.append)])
    theirs = "4bf92f3577b34da6a3ce929d0e0e4736"
    call(stack, HTTP_X_REQUEST_ID=theirs)
    call(stack, HTTP_TRACEPARENT=f"00-{theirs}-00f067aa0ba902b7-01")
    assert records[0]["request_id"] == theirs != records[0]["trace_id"]
    assert records[1]["trace_id"] == theirs != records[1]["request_id"]
    for record in records:
        assert record["span_id"] not in record["trace_id"] + record["request_id"]


# 67. Threads that a fork loses: open-telemetry/opentelemetry-python#1497


@pytest.fixture
def no_threads(monkeypatch):
    def start(*_):
        raise AssertionError("a thread was started")

    monkeypatch.setattr(threading.Thread, "start", start)
    monkeypatch.setattr("_thread.start_new_thread", start)


@pytest.mark.usefixtures("no_threads")
@pytest.mark.parametrize("coat", COATS, ids=lambda coat: coat.name)
def test_item_67_no_layer_starts_a_thread(coat):
    before = threading.active_count()
    worn = coat.wear(ok, [])
    serve(worn, make_environ(HTTP_HOST="localhost"))
    assert threading.active_count() == before


@pytest.mark.usefixtures("no_threads")
def test_item_67_no_log_starts_a_thread(tmp_path):
    configure_logging(file=tmp_path / "app.log", console="console")
    quiet_server_logs()
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(RequestContextFilter())
    with capture_requests() as requests:
        call(RequestLog(ok))
        call(RequestLog(ok, to=tmp_path / "requests.log"))
    assert len(requests) == 2


def test_item_67_the_guard_notices_a_thread(no_threads):
    with pytest.raises(AssertionError, match="a thread was started"):
        threading.Thread(target=print).start()


def test_item_67_workers_that_are_forked_after_the_app_is_made_log_as_one(tmp_path):
    log = tmp_path / "requests.log"
    command = [*SERVERS["gunicorn sync"][:-1], "--workers=3", "--preload", "support.served_counted:app"]
    workers, ids = set(), []

    def ask(number):
        response = server.get(f"/cart/{number}")
        workers.add(response.body)
        ids.append(response.headers["X-Request-ID"])

    with serving(command, LOG_FILE=str(log)) as server, ThreadPoolExecutor(6) as clients:
        while len(workers) < 2 or len(ids) < 60:
            assert len(ids) < 5000, "one worker takes all requests"
            list(clients.map(ask, range(20)))
        wait_for(lambda: log.read_text().count("\n") >= len(ids), "the lines")
    logged = [json.loads(line)["request_id"] for line in log.read_text().splitlines()]
    assert len(set(ids)) == len(ids)
    assert sorted(logged) == sorted(ids)
