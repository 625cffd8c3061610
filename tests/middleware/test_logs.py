import io
import json
import logging
import re
import threading
from contextvars import ContextVar

import flask
import pytest
import structlog
from markupsafe import Markup
from support.apps import answering, ok
from support.record import check
from support.wsgi import call, make_environ
from werkzeug.local import LocalProxy

from overcoat.middleware import RequestID, RequestLog, Stack, configure_logging, logs
from overcoat.middleware._app_lines import LineHandler
from overcoat.middleware._outputs import configured_outputs
from overcoat.middleware._targets import _write_default, _write_structlog
from overcoat.middleware._text import UNSAFE


@pytest.fixture
def file(tmp_path):
    return tmp_path / "app.log"


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def shop():
    app = flask.Flask("shop")
    app.logger.handlers.clear()
    log = structlog.get_logger()

    @app.get("/")
    def home():
        log.info("structlog in a view", items=3)
        app.logger.warning("stdlib in a view: %s", "x", extra={"user": 7})
        return "home"

    @app.get("/stream")
    def stream():
        def chunks():
            for n in range(2):
                log.info("in a stream", n=n)
                yield b"chunk"

        return chunks()

    app.wsgi_app = Stack(app.wsgi_app, [RequestID(), RequestLog()])
    return app


def test_item_37_every_line_of_a_request_carries_its_id(file):
    configure_logging(file=file)
    app = shop()
    structlog.get_logger().info("before")
    for request_id in ("r-1", "r-2"):
        call(app, HTTP_X_REQUEST_ID=request_id)
        call(app, PATH_INFO="/stream", HTTP_X_REQUEST_ID=f"{request_id}-stream")
        structlog.get_logger().info("between")
        logging.getLogger("other").warning("between too")
    lines = lines_of(file)
    assert [(line["event"], line.get("request_id")) for line in lines] == [
        ("before", None),
        ("structlog in a view", "r-1"),
        ("stdlib in a view: x", "r-1"),
        ("http_request", "r-1"),
        ("in a stream", "r-1-stream"),
        ("in a stream", "r-1-stream"),
        ("http_request", "r-1-stream"),
        ("between", None),
        ("between too", None),
        ("structlog in a view", "r-2"),
        ("stdlib in a view: x", "r-2"),
        ("http_request", "r-2"),
        ("in a stream", "r-2-stream"),
        ("in a stream", "r-2-stream"),
        ("http_request", "r-2-stream"),
        ("between", None),
        ("between too", None),
    ]
    for line in lines:
        assert list(line)[:3] == ["timestamp", "level", "event"]
        if line["event"] == "http_request":
            check(line)
    assert (lines[1]["items"], lines[1]["level"]) == (3, "info")
    assert (lines[2]["user"], lines[2]["level"], lines[2]["logger"]) == (7, "warning", "shop")


def test_interleaved_streams_keep_their_ids(file):
    configure_logging(file=file)
    app = shop()
    bodies = [
        app(make_environ(PATH_INFO="/stream", HTTP_X_REQUEST_ID=request_id), lambda *_: None)
        for request_id in ("r-1", "r-2")
    ]
    iterators = [iter(body) for body in bodies]
    for iterator in (*iterators, *iterators):
        next(iterator)
    for body in bodies:  # or its end would be logged into another test
        body.close()
    ids = [(line["event"] == "http_request", line["request_id"]) for line in lines_of(file)]
    assert ids == [(False, "r-1"), (False, "r-2"), (False, "r-1"), (False, "r-2"), (True, "r-1"), (True, "r-2")]


def test_another_thread_has_no_request(file):
    configure_logging(file=file)

    def app(environ, start_response):
        thread = threading.Thread(target=lambda: structlog.get_logger().info("elsewhere"))
        thread.start()
        thread.join()
        return ok(environ, start_response)

    call(Stack(app, [RequestID()]))
    assert "request_id" not in lines_of(file)[0]


def test_an_id_of_the_app_s_own_wins(file):
    configure_logging(file=file)
    call(Stack(lambda e, s: structlog.get_logger().info("x", request_id="own") or ok(e, s), [RequestID()]))
    assert lines_of(file)[0]["request_id"] == "own"


def test_bound_context_is_in_the_line(file):
    configure_logging(file=file)
    structlog.contextvars.bind_contextvars(job="nightly")
    structlog.get_logger().bind(step=1).info("x")
    logging.getLogger("shop").warning("y")
    assert [(line["job"], line.get("step")) for line in lines_of(file)] == [("nightly", 1), ("nightly", None)]


@pytest.mark.parametrize("form", logs.FORMATS)
@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "500 Oops"])
def test_the_direct_line_is_structlog_s_byte_for_byte(file, form, status):
    records = []
    app = Stack(answering(status), [RequestID(), RequestLog(to=records.append)])
    call(app, PATH_INFO="/caf\xc3\xa9 \x1b", QUERY_STRING="token=x&a=é", HTTP_X_REQUEST_ID="not harmless")
    configure_logging(format=form, file=file)
    _write_default(dict(records[0]))
    _write_structlog(structlog.get_logger(), dict(records[0]))
    direct, piped = file.read_bytes().splitlines()
    size = {"json": len('{"timestamp":"2026-01-02T03:04:05.678901Z"'), "console": 12, "logfmt": 37}[form]
    assert direct[size:] == piped[size:]
    assert len(direct) > 100 or form == "console"


def test_the_direct_line_is_taken(file, monkeypatch):
    configure_logging(file=file)
    monkeypatch.setattr("overcoat.middleware._targets._write_structlog", None)
    call(RequestLog(ok))
    check(lines_of(file)[0])


FORMS = {"json": '{"timestamp":"', "console": ":", "logfmt": "timestamp="}


@pytest.mark.parametrize("form", FORMS)
def test_forms_on_standard_output(capsys, form):
    configure_logging(format=form)
    structlog.get_logger().info("hello", who="a b")
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert FORMS[form] in line[:15]
    assert "hello" in line


def test_a_file_and_a_second_form_beside_it(file, capsys):
    configure_logging(file=file, console="console")
    call(RequestLog(ok), PATH_INFO="/x")
    check(lines_of(file)[0])
    assert " 200 GET     /x " in capsys.readouterr().out


def test_a_file_alone_leaves_standard_output_alone(file, capsys):
    configure_logging(file=file)
    call(RequestLog(ok))
    assert capsys.readouterr().out == ""
    assert len(lines_of(file)) == 1


@pytest.mark.parametrize(
    ("level", "events"),
    [
        ("debug", ["d", "i", "w", "e", "D", "I", "W", "E", "http_request"]),
        ("info", ["i", "w", "e", "I", "W", "E", "http_request"]),
        ("warning", ["w", "e", "W", "E"]),
        ("critical", []),
    ],
)
def test_levels(file, level, events):
    configure_logging(file=file, level=level)
    log, other = structlog.get_logger(), logging.getLogger("shop")
    for name in ("debug", "info", "warning", "error"):
        getattr(log, name)(name[0])
    for name in ("debug", "info", "warning", "error"):
        getattr(other, name)(name[0].upper())
    call(RequestLog(ok))
    assert [line["event"] for line in lines_of(file)] == events


def test_an_error_s_traceback_is_one_field(file):
    configure_logging(file=file)
    for log in (structlog.get_logger(), logging.getLogger("shop")):
        try:
            raise KeyError("cart\x1b")
        except KeyError:
            log.exception("oops")
    first, second = lines_of(file)
    for line in (first, second):
        assert (line["event"], line["level"]) == ("oops", "error")
        assert line["exception"].startswith("Traceback (most recent call last):")
        assert line["exception"].endswith("KeyError: 'cart\\x1b'")


class Stubborn(str):
    """Text that refuses what is commonly asked of text."""

    __slots__ = ()

    def __str__(self):
        raise ValueError

    __repr__ = encode = isprintable = isascii = replace = __str__


HOSTILE = {
    "gh-100001 line feed and escape": "a\nERROR forged \x1b[31m",
    "a surrogate": "\udcff",
    "an object": object(),
    "a large number": 2**80,
    "a cycle": (cycle := {}, cycle.update(self=cycle))[0],
    "a proxy of text": LocalProxy(lambda: "acme\x1b"),
    "a proxy of nothing": LocalProxy(ContextVar("unbound")),
    "text that has its own ways": Stubborn("acme\x1b"),
    "markup": Markup("<b>\x1b</b>"),
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("form", logs.FORMATS)
def test_item_33_cve_2025_48432_whatever_is_logged_it_is_one_safe_line(file, form, value):
    configure_logging(format=form, file=file)
    structlog.get_logger().info("e", value=value)
    structlog.get_logger().info(value)
    logging.getLogger("shop").warning("e", extra={"value": value})
    logging.getLogger("shop").warning("%s", value if type(value) is str else "x")
    lines = file.read_text().split("\n")
    assert len(lines) == 5
    assert not any(re.search(UNSAFE, line) for line in lines)
    if form == "json":
        assert all(json.loads(line)["level"] for line in lines[:-1])


def test_called_twice_the_second_counts(tmp_path):
    first, second = tmp_path / "1.log", tmp_path / "2.log"
    configure_logging(file=first, level="debug")
    log = structlog.get_logger()
    configure_logging(file=second)
    log.info("a")
    log.debug("b")
    logging.getLogger("shop").warning("c")
    call(RequestLog(ok))
    assert lines_of(first) == []
    assert [line["event"] for line in lines_of(second)] == ["a", "c", "http_request"]
    configure_logging(file=first, stdlib=False)
    logging.getLogger("shop").warning("d")
    assert len(lines_of(second)) == 3
    assert lines_of(first) == []


def test_stdlib_is_left_alone_if_not_asked_for(file):
    before = logging.getLogger().handlers[:], logging.getLogger().level
    configure_logging(file=file, stdlib=False)
    assert (logging.getLogger().handlers, logging.getLogger().level) == before


def test_capture_logs_sees_all_lines(file):
    configure_logging(file=file)
    app = shop()
    with structlog.testing.capture_logs() as captured:
        call(app, PATH_INFO="/stream", HTTP_X_REQUEST_ID="r-1")
    assert [event["event"] for event in captured] == ["in a stream", "in a stream", "http_request"]
    assert captured[-1]["route"] == "/stream"
    call(RequestLog(ok))
    assert [line["event"] for line in lines_of(file)] == ["http_request"]


def test_caplog_sees_stdlib_s_lines(file, caplog):
    configure_logging(file=file)
    call(shop())
    assert "stdlib in a view: x" in caplog.messages
    assert len(lines_of(file)) == 3


def test_a_configuration_of_the_app_s_own_is_honoured(file, capsys):
    configure_logging(file=file)
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer(key_order=["event"])],
        logger_factory=structlog.PrintLoggerFactory(),
    )
    call(RequestLog(ok))
    assert capsys.readouterr().out.startswith("event='http_request'")
    assert lines_of(file) == []


def test_a_processor_of_the_app_s_own_is_honoured(file):
    configure_logging(file=file)

    def add_service(_, __, event):
        return event | {"service": "shop"}

    structlog.configure(processors=[add_service, *structlog.get_config()["processors"]])
    call(RequestLog(ok))
    check(lines_of(file)[0], "service")
    assert lines_of(file)[0]["service"] == "shop"


def test_a_processor_put_into_the_list_is_honoured(file):
    configure_logging(file=file)
    structlog.get_config()["processors"].insert(0, lambda _, __, event: event | {"service": "shop"})
    call(RequestLog(ok))
    assert lines_of(file)[0]["service"] == "shop"


def test_a_line_that_cannot_be_made_is_reported_as_logging_does(file, capsys, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", True)
    configure_logging(file=file)
    [handler] = [one for one in logging.getLogger().handlers if isinstance(one, LineHandler)]
    handler.handle(logging.makeLogRecord({"msg": "%d", "args": ("x",)}))
    assert "--- Logging error ---" in capsys.readouterr().err
    assert lines_of(file) == []


def test_a_log_that_fails_does_not_log_its_failure_into_itself(caplog):
    configure_logging(file="/dev/full")
    call(RequestLog(ok))
    call(RequestLog(ok))
    assert caplog.text.count("takes no lines") == 1


WRONG = {
    "form": ({"format": "jsom"}, "configure_logging: format='jsom' is none of .* did you mean 'json'"),
    "no form": ({"format": None}, "format=None"),
    "console": ({"console": "consol"}, "console='consol' .* did you mean 'console'"),
    "console as a flag": ({"console": True}, "console=True"),
    "level": ({"level": "INFO"}, "level='INFO' is none of 'debug', 'info'"),
    "level as a number": ({"level": 20}, "level=20"),
    "a folder": ({"file": "/"}, "configure_logging: file='/' cannot be appended to: Is a directory"),
    "nowhere": ({"file": "/nowhere/x"}, "file='/nowhere/x' cannot be appended to: No such file"),
    "a number": ({"file": 3}, "file='3' cannot be appended to"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options_change_nothing(options, message):
    with pytest.raises(ValueError, match=message):
        configure_logging(**options)
    assert not structlog.is_configured()
    assert configured_outputs() is None


def test_what_another_formatter_left_on_a_record_is_not_logged(tmp_path):
    other = logging.StreamHandler(io.StringIO())
    other.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.getLogger().addHandler(other)
    configure_logging(file=tmp_path / "app.log")
    logging.getLogger("shop").warning("sold out", extra={"item": 7})
    [line] = [json.loads(line) for line in (tmp_path / "app.log").read_text().splitlines()]
    assert {name: line[name] for name in line if name != "timestamp"} == {
        "level": "warning",
        "event": "sold out",
        "logger": "shop",
        "item": 7,
    }


def test_extra_never_replaces_what_a_line_is(tmp_path, capsys):
    configure_logging(file=tmp_path / "app.log", console="console")
    forged = {"event": "http_request", "duration_ms": 1, "status": "\x1b[2J", "level": ["x"], "outcome": "\x1b]0;x"}
    logging.getLogger("shop").warning("user signed up", extra=forged)
    [line] = [json.loads(line) for line in (tmp_path / "app.log").read_text().splitlines()]
    assert (line["event"], line["level"], line["event_"]) == ("user signed up", "warning", "http_request")
    assert "\x1b" not in capsys.readouterr().out


def test_item_29_a_flask_app_that_logged_before_logs_once_still(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # those of pytest, with which Flask adds none
    app = flask.Flask("early")
    app.logger.warning("before")
    assert flask.logging.default_handler in app.logger.handlers
    configure_logging(file=tmp_path / "app.log")
    app.logger.warning("after")
    assert [line["event"] for line in lines_of(tmp_path / "app.log")] == ["after"]
    assert "after" not in capsys.readouterr().err


def test_a_flask_app_keeps_its_handler_where_stdlib_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    app = flask.Flask("left-alone")
    app.logger.warning("before")
    configure_logging(file=tmp_path / "app.log", stdlib=False)
    assert flask.logging.default_handler in app.logger.handlers
