"""Every line logged during a request carries its ids, whichever library, thread or greenlet logs it; none leaks."""

import contextvars
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import flask
import pytest
import structlog
from support.servers import serving
from support.wsgi import call, make_environ

from overcoat.middleware import RequestID, RequestLog, Stack, TraceContext, configure_logging, current_exchange
from overcoat.middleware._app_lines import IDS

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def file(tmp_path):
    configure_logging(file=tmp_path / "app.log")
    return tmp_path / "app.log"


def lines_of(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def say(text):
    """One line by each library."""
    structlog.get_logger().info(text, by="structlog")
    logging.getLogger("shop").warning(text)


def wrap(app):
    return Stack(app, [TraceContext(), RequestID(), RequestLog()])


def ask(app, request_id, path="/", **environ):
    return call(
        app,
        PATH_INFO=path,
        HTTP_X_REQUEST_ID=request_id,
        HTTP_TRACEPARENT=f"00-{TRACE}-00f067aa0ba902b7-01",
        **environ,
    )


def shop():
    app = flask.Flask("shop", template_folder=None)
    app.jinja_env.globals["say"] = say

    @app.before_request
    def before():
        say("hook")

    @app.get("/view")
    def view():
        say("view")
        return "x"

    @app.get("/template")
    def template():
        return flask.render_template_string("{{ say('template') or '' }}")

    @app.get("/stream")
    def stream():
        def chunks():
            say("stream")
            yield b"a"
            say("stream")
            yield b"b"

        return chunks()

    @app.get("/template-stream")
    def template_stream():
        return app.jinja_env.from_string("a{{ say('template') or '' }}b").stream()

    @app.get("/thread")
    def thread():
        context = contextvars.copy_context()
        one = threading.Thread(target=context.run, args=(say, "thread"))
        one.start()
        one.join()
        return "x"

    @app.get("/pool")
    def pool():
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda context: context.run(say, "pool"), [contextvars.copy_context() for _ in range(3)]))
        return "x"

    @app.get("/close")
    def close():
        response = flask.Response("x")
        response.call_on_close(lambda: say("close"))
        return response

    @app.get("/broken")
    def broken():
        raise ValueError("no cart")

    app.wsgi_app = wrap(app.wsgi_app)
    return app


@pytest.mark.parametrize(
    ("path", "texts"),
    {
        "/view": ["view"],
        "/template": ["template"],
        "/stream": ["stream", "stream"],
        "/template-stream": ["template"],
        "/thread": ["thread"],
        "/pool": ["pool"] * 3,
        "/close": ["close"],
        "/broken": [],
        "/nowhere": [],
    }.items(),
)
def test_item_35_item_37_every_line_of_a_request_carries_its_ids(file, path, texts):
    app = shop()
    for request_id in ("r-1", "r-2"):
        say("outside")
        ask(app, request_id, path)
    say("outside")
    lines = lines_of(file)
    own = [line for line in lines if line["event"] == "outside"]
    assert not any(line.keys() & set(IDS) for line in own)
    spans = set()
    for request_id in ("r-1", "r-2"):
        mine = [line for line in lines if line.get("request_id") == request_id]
        events = [line["event"] for line in mine]
        assert events.count("hook") == 2
        assert [event for event in events if event in {*texts}] == [text for text in texts for _ in "ab"]
        assert events[-1] == "http_request"
        assert {line["trace_id"] for line in mine} == {TRACE}
        [span] = {line["span_id"] for line in mine}
        spans.add(span)
    assert len(spans) == 2
    assert len([line for line in lines if "request_id" in line]) == len(lines) - len(own)


def test_item_37_a_pool_of_threads_keeps_requests_apart(file):
    barrier = threading.Barrier(4)

    def app(environ, start_response):
        say(environ["PATH_INFO"])
        barrier.wait(30)  # all four are within their requests now
        say(environ["PATH_INFO"])
        start_response("200 OK", [])
        return iter([b"a", b"b"])

    app = wrap(app)

    def one(n):
        say("outside")
        ask(app, f"r-{n}", f"/{n}")
        say("outside")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(one, range(40)))
    lines = lines_of(file)
    for line in lines:
        if line["event"] == "outside":
            assert not line.keys() & set(IDS)
        else:
            path = line["path"] if line["event"] == "http_request" else line["event"]
            assert line["request_id"] == f"r-{path[1:]}"
    assert len(lines) == 40 * (4 + 4 + 1)


def test_item_64_a_stream_closed_from_another_thread_leaves_nothing_behind(file):
    def app(environ, start_response):
        start_response("200 OK", [])

        def chunks():
            try:
                yield b"a"
                yield b"b"
            finally:
                say("closing")

        return chunks()

    app = wrap(app)
    body = app(make_environ(HTTP_X_REQUEST_ID="r-1"), lambda *_: None)
    iterator = iter(body)
    next(iterator)
    assert current_exchange() is None
    with ThreadPoolExecutor(1) as threads:
        threads.submit(body.close).result()
        threads.submit(say, "after").result()
    iterator.close()
    assert [(line["event"], line.get("request_id")) for line in lines_of(file)] == [
        ("closing", "r-1"), ("closing", "r-1"), ("http_request", "r-1"), ("after", None), ("after", None),
    ]  # fmt: skip


def test_a_thread_that_outlives_its_request_keeps_the_ids(file):
    go = threading.Event()
    threads = []

    def app(environ, start_response):
        thread = threading.Thread(target=contextvars.copy_context().run, args=(lambda: go.wait(30) and say("late"),))
        thread.start()
        threads.append(thread)
        start_response("200 OK", [])
        return [b"x"]

    ask(wrap(app), "r-1")
    go.set()
    threads[0].join()
    lines = lines_of(file)
    assert [(line["event"], line["request_id"]) for line in lines] == [
        ("http_request", "r-1"), ("late", "r-1"), ("late", "r-1"),
    ]  # fmt: skip
    assert len({line["span_id"] for line in lines}) == 1


def test_without_a_tracing_layer_a_trace_is_the_app_s_to_tell(file):
    def app(environ, start_response):
        logging.getLogger("shop").warning("x", extra={"trace_id": "mine"})
        start_response("200 OK", [])
        return [b"x"]

    call(RequestID(app))
    ask(TraceContext(app), "r-1")
    first, second = lines_of(file)
    assert first["trace_id"] == "mine"
    assert (second["trace_id"], second["trace_id_"]) == (TRACE, "mine")


@pytest.mark.parametrize(
    "server",
    [
        ["-m", "gunicorn", "--bind=127.0.0.1:{port}", "--worker-class=gevent", "--workers=1"],
        ["-m", "gunicorn", "--bind=127.0.0.1:{port}", "--worker-class=gthread", "--threads=8", "--workers=1"],
        ["-m", "waitress", "--listen=127.0.0.1:{port}", "--threads=8"],
    ],
    ids=["gunicorn gevent", "gunicorn gthread", "waitress"],
)
def test_item_64_requests_at_the_same_time_on_a_real_server(tmp_path, server):
    path = tmp_path / "app.log"
    with serving([*server, "support.served_lines:app"], LOG_FILE=str(path)) as one, ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda n: one.get(f"/{n}", X_Request_ID=f"r-{n}").body, range(40)))
    lines = [line for line in lines_of(path) if "-" in line.get("request_id", "") or line["event"] == "outside"]
    assert answers == [b"12"] * 40
    for n in range(40):
        mine = [line for line in lines if line.get("request_id") == f"r-{n}"]
        # In the view and in the stream, before and after giving way to the others.
        assert [line["event"] for line in mine] == [f"/{n}"] * 8 + ["http_request"]
        assert len({line["span_id"] for line in mine}) == 1
    assert not [line for line in lines if line["event"] == "outside" and line.keys() & set(IDS)]
    # Some did overlap, or nothing was tested.
    order = [line["request_id"] for line in lines if "request_id" in line]
    assert order != sorted(order, key=order.index)
