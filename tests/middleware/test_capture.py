import contextlib
import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import flask
import pytest
import structlog
from support.apps import answering, ok
from support.record import check
from support.wsgi import call, make_environ

from overcoat.middleware import RequestLog, Stack, _capture, add_fields, configure_logging, timer
from overcoat.middleware.testing import CapturedRequests, capture_requests

TO = {
    "a file": lambda tmp_path: str(tmp_path / "x.log"),
    "stdout": lambda _: "stdout",
    "a stdlib logger": lambda _: logging.getLogger("shop"),
    "structlog": lambda _: structlog.get_logger(),
    "a callable": lambda _: lambda record: record.clear(),
    "nothing said": lambda _: None,
}


@pytest.mark.parametrize("to", TO.values(), ids=TO)
def test_wherever_the_line_goes_the_record_is_seen(tmp_path, to, capsys):
    app = RequestLog(answering("404 Not Found"), to=to(tmp_path))
    with capture_requests() as requests:
        call(app, PATH_INFO="/cart")
    [record] = requests
    check(record)
    assert (record["path"], record["status"]) == ("/cart", 404)


def test_the_line_is_written_as_ever(tmp_path):
    configure_logging(file=tmp_path / "app.log")
    with capture_requests():
        call(RequestLog(ok))
    assert (tmp_path / "app.log").read_text().count("http_request") == 1


def test_a_writer_that_raises_hides_nothing(caplog):
    def broken(record):
        raise OSError("disk")

    with capture_requests() as requests:
        call(RequestLog(ok, to=broken))
    assert len(requests) == 1
    assert "disk" in caplog.text


def test_only_what_ends_within_the_block():
    app = RequestLog(lambda e, s: (s("200 OK", []), iter([b"a"]))[1], to=lambda record: None)
    before = app(make_environ(PATH_INFO="/before"), lambda *_: None)
    with capture_requests() as requests:
        before.close()
        after = app(make_environ(PATH_INFO="/after"), lambda *_: None)
    after.close()
    call(app)
    assert [one["path"] for one in requests] == ["/before"]
    assert requests[0]["outcome"] == "aborted"


def test_nested_blocks():
    app = RequestLog(ok, to=lambda record: None)
    with capture_requests() as outer:
        call(app, PATH_INFO="/1")
        with capture_requests() as inner:
            call(app, PATH_INFO="/2")
        call(app, PATH_INFO="/3")
    assert [one["path"] for one in outer] == ["/1", "/2", "/3"]
    assert [one["path"] for one in inner] == ["/2"]
    assert inner[0] is not outer[1]


def test_blocks_that_overlap():
    app = RequestLog(ok, to=lambda record: None)
    first, second = capture_requests(), capture_requests()
    one = first.__enter__()
    two = second.__enter__()
    first.__exit__(None, None, None)
    call(app)
    second.__exit__(None, None, None)
    assert (len(one), len(two)) == (0, 1)
    assert _capture.observers == ()


def test_after_an_error_in_the_block_nothing_is_left():
    with contextlib.suppress(KeyError), capture_requests():
        raise KeyError
    assert _capture.observers == ()


def test_every_log_of_a_stack_is_seen():
    app = Stack(ok, [RequestLog(to=lambda record: None), RequestLog(to=lambda record: None)])
    with capture_requests() as requests:
        call(app)
    assert len(requests) == 2


def test_what_is_skipped_is_not_logged():
    with capture_requests() as requests:
        call(RequestLog(ok, to=lambda record: None, skip="/healthz"), PATH_INFO="/healthz")
    assert requests == []


def test_the_record_is_the_one_that_was_logged():
    """Whatever the writer and the app do to it afterwards."""
    cart, logged = {"items": [1]}, []

    def app(environ, start_response):
        with timer("db"):
            add_fields(cart=cart, lock=threading.Lock())
        return ok(environ, start_response)

    def write(record):
        logged.append(dict(record))
        record.clear()

    with capture_requests() as requests:
        call(RequestLog(app, to=write))
    assert requests[0].keys() == logged[0].keys()
    assert requests[0]["timings"]["db"]["count"] == 1


def test_a_field_that_changes_later_stays_as_it_was():
    cart = {"items": [1]}
    app = RequestLog(lambda e, s: add_fields(cart=cart) or ok(e, s), to=lambda record: None)
    with capture_requests() as requests:
        call(app)
    cart["items"].append(2)
    assert requests[0]["cart"] == {"items": [1]}


def test_flask_s_test_client():
    app = flask.Flask("shop")
    app.get("/item/<int:n>")(lambda n: f"item {n}")
    app.wsgi_app = RequestLog(app.wsgi_app, to=lambda record: None)
    with capture_requests() as requests:
        app.test_client().get("/item/7", buffered=True)
        with app.test_client().get("/nowhere"):
            pass
    assert [(one.get("route"), one["status"]) for one in requests] == [("/item/<int:n>", 200), (None, 404)]


def test_many_threads():
    app = RequestLog(ok, to=lambda record: None)
    with capture_requests() as requests, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: call(app, PATH_INFO=f"/{n}"), range(400)))
    assert sorted(int(one["path"][1:]) for one in requests) == list(range(400))


def test_waiting_for_another_thread():
    app = RequestLog(ok, to=lambda record: None)
    go = threading.Event()
    with capture_requests() as requests:
        thread = threading.Thread(target=lambda: (go.wait(30), call(app), call(app)))
        thread.start()
        go.set()
        assert requests.wait(2, timeout_s=30) is requests
        assert len(requests) == 2
        thread.join()
        assert requests.wait() is requests


def test_waiting_in_vain():
    with capture_requests() as requests, pytest.raises(TimeoutError, match=r"1 requests were waited for, 0 ended"):
        requests.wait(timeout_s=0.01)
    assert isinstance(requests, CapturedRequests)


def test_importing_it_loads_no_pytest():
    code = "import sys; import overcoat.middleware.testing; assert 'pytest' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
