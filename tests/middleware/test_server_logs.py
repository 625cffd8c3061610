import io
import logging

import pytest
from support.servers import serving, wait_for

from overcoat.middleware import quiet_server_logs
from overcoat.middleware.server_logs import access_logs

WHOLE = ["gunicorn.access", "granian.access", "uvicorn.access", "hypercorn.access"]


@pytest.fixture(autouse=True)
def _loggers(monkeypatch):
    """Leave the servers' loggers as they were."""
    monkeypatch.delenv("WERKZEUG_SERVER_FD", raising=False)
    loggers = [logging.getLogger(name) for name in (*WHOLE, "gunicorn.error", "werkzeug")]
    before = [(one.filters[:], one.handlers[:], one.level, one.propagate) for one in loggers]
    for one in loggers:
        one.filters.clear()
    yield
    for one, (filters, handlers, level, propagate) in zip(loggers, before, strict=True):
        one.filters[:], one.handlers[:], one.propagate = filters, handlers, propagate
        one.setLevel(level)


def stream_of(name):
    stream = io.StringIO()
    logger = logging.getLogger(name)
    logger.addHandler(logging.StreamHandler(stream))
    logger.setLevel("INFO")
    return stream


@pytest.mark.parametrize("name", WHOLE)
def test_item_29_access_lines_are_held_back(name):
    stream = stream_of(name)
    logging.getLogger(name).info("one")
    quiet_server_logs()
    quiet_server_logs()
    logging.getLogger(name).info("two")
    assert stream.getvalue() == "one\n"
    assert len(logging.getLogger(name).filters) == 1


WERKZEUG = {
    "a request": ("info", '127.0.0.1 - - [23/Nov/2026 10:00:00] "%s" %s %s', False),
    "a request by a scoped address": ("info", 'fe80::1%%eth0 - - [23/Nov/2026 10:00:00] "%s" %s %s', False),
    "the banner": ("info", " * Running on http://127.0.0.1:5000", True),
    "the debugger's pin": ("info", " * Debugger PIN: %s%s%s", True),
    "an error within a request": ("error", "127.0.0.1 - - [23/Nov/2026 10:00:00] code %s, message %s%s", True),
    "an error like a request": ("error", '127.0.0.1 - - [23/Nov/2026 10:00:00] "%s" %s %s', True),
}


@pytest.mark.parametrize(("level", "message", "stays"), WERKZEUG.values(), ids=WERKZEUG)
def test_of_werkzeug_only_the_requests_are(level, message, stays):
    stream = stream_of("werkzeug")
    quiet_server_logs()
    values = ("GET / HTTP/1.1", 200, "-")[: message.count("%s")]
    getattr(logging.getLogger("werkzeug"), level)(message, *values)
    assert bool(stream.getvalue()) is stays


def test_a_message_that_is_no_text_passes():
    stream = stream_of("werkzeug")
    quiet_server_logs()
    logging.getLogger("werkzeug").info(ValueError("x"))
    assert stream.getvalue() == "x\n"


def test_which_access_logs_are_written(monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    assert access_logs() == []
    stream_of("gunicorn.access")
    stream_of("werkzeug")
    assert access_logs() == ["gunicorn.access"]
    monkeypatch.setenv("WERKZEUG_SERVER_FD", "3")
    assert access_logs() == ["gunicorn.access", "werkzeug"]
    logging.getLogger("gunicorn.access").setLevel("WARNING")
    assert access_logs() == ["werkzeug"]
    quiet_server_logs()
    assert access_logs() == []


def others(log):
    """The lines that neither the request log nor the app wrote."""
    own = ("http_request", '"event":"/')
    return "\n".join(line for line in log.read_text().splitlines() if not any(mark in line for mark in own))


SERVERS = {
    "gunicorn": (
        ["-m", "gunicorn", "--bind=127.0.0.1:{port}", "--access-logfile=-", "support.served_lines:app"],
        "gunicorn.access",
        "Listening at",
    ),
    "granian": (
        ["-m", "granian", "--interface=wsgi", "--port={port}", "--no-ws", "--access-log", "support.served_lines:app"],
        "granian.access",
        "Listening at",
    ),
    "werkzeug": (
        ["-m", "flask", "--app=support.served_lines_flask:app", "run", "--port={port}"],
        "werkzeug",
        "Running on",
    ),
}


@pytest.mark.parametrize(("command", "name", "banner"), SERVERS.values(), ids=SERVERS)
@pytest.mark.parametrize("quiet", ["", "1"], ids=["as it is", "quiet"])
@pytest.mark.parametrize("stdlib", [True, False], ids=["stdlib taken over", "stdlib left alone"])
def test_item_29_on_a_real_server_a_request_is_logged_once(tmp_path, command, name, banner, quiet, stdlib):
    log = tmp_path / "app.log"
    options = {} if stdlib else {"STDLIB": "0"}
    with serving(command, LOG_FILE=str(log), QUIET=quiet, **options) as server:
        for n in range(3):
            server.get(f"/marked-{n}")
        written = server.get("/access-logs").body.decode()
        assert server.get("/broken").status == 500
        wait_for(lambda: log.read_text().count('"http_request"') >= 5, "the lines")
        # What the server says of itself and of errors stays, here or in the app's log.
        wait_for(lambda: "no cart" in server.output() + others(log), "the error")
        server.stop()
        told = server.output() + others(log)
    assert log.read_text().count('"path":"/marked-') == 3
    assert written == ("" if quiet else name)
    assert told.count("GET /marked-") == (0 if quiet else 3)
    assert banner in told
