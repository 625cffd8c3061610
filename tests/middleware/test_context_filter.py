import io
import logging
import logging.config
import logging.handlers
import queue

import flask
import pytest
from support.apps import ok
from support.wsgi import call

from overcoat.hooks import RequestContext, register
from overcoat.middleware import RequestContextFilter, RequestID, RequestLog, Stack, TraceContext, configure_logging

FORMAT = "%(request_id)s %(trace_id)s %(span_id)s %(method)s %(path)s %(route)s %(endpoint)s %(client)s|%(message)s"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def configured(stream):
    """An app's own dictConfig, with the filter on its handler."""
    root = logging.getLogger()
    before = root.handlers[:]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"request": {"()": "overcoat.middleware.RequestContextFilter"}},
            "formatters": {"line": {"format": FORMAT}},
            "handlers": {
                "stream": {
                    "class": "logging.StreamHandler", "stream": stream, "formatter": "line", "filters": ["request"],
                },
            },
            "root": {"level": "INFO", "handlers": ["stream"]},
        }
    )  # fmt: skip
    yield stream
    root.handlers[:] = before


def handler(stream, text, **options):
    one = logging.StreamHandler(stream)
    one.setFormatter(logging.Formatter(text))
    one.addFilter(RequestContextFilter(**options))
    return one


def record(**attributes):
    return logging.makeLogRecord({"name": "shop", "levelno": 30, "msg": "x", "args": ()} | attributes)


def inside(function, **environ):
    """Call a function within a request."""
    app = Stack(lambda e, s: function() or ok(e, s), [TraceContext(), RequestID()])
    call(app, HTTP_X_REQUEST_ID="r-1", HTTP_TRACEPARENT=f"00-{TRACE}-00f067aa0ba902b7-01", **environ)


def test_item_36_a_dict_config_gets_the_ids_in_any_format(configured):
    log = logging.getLogger("shop")
    log.info("before")
    inside(lambda: log.info("within"), PATH_INFO="/item/7", REMOTE_ADDR="192.0.2.1")
    log.info("after")
    before, within, after = configured.getvalue().splitlines()
    assert before == "- - - - - - - -|before"
    assert after == "- - - - - - - -|after"
    request_id, trace_id, span_id, *rest = within.split("|")[0].split()
    assert (request_id, trace_id, len(span_id)) == ("r-1", TRACE, 16)
    assert rest == ["GET", "/item/7", "-", "-", "192.0.2.1"]


def test_the_request_line_goes_through_the_app_s_configuration(configured, caplog):
    access = logging.getLogger("shop.access")
    call(Stack(ok, [RequestID(), RequestLog(to=access)]), HTTP_X_REQUEST_ID="r-1")
    [line] = configured.getvalue().splitlines()
    assert line.startswith("r-1 - - GET / ")
    assert '"event":"http_request"' in line
    assert caplog.records[0].name == "shop.access"


def test_the_route_is_known_in_a_view_with_the_bundle(configured):
    app = flask.Flask("shop", template_folder=None)
    register(app, [RequestContext()])
    app.get("/item/<int:n>")(lambda n: app.logger.warning("x") or "x")
    app.wsgi_app = RequestID(app.wsgi_app)
    app.test_client().get("/item/7", buffered=True)
    assert " /item/<int:n> " in configured.getvalue()


def test_a_value_of_the_line_s_own_wins(stream):
    one = handler(stream, "%(request_id)s %(client)s")
    inside(lambda: one.handle(record(request_id="own")), REMOTE_ADDR="192.0.2.1")
    assert stream.getvalue() == "own 192.0.2.1\n"


def test_a_queue_takes_the_ids_to_its_thread(stream):
    there = queue.Queue()
    sender = logging.handlers.QueueHandler(there)
    sender.addFilter(RequestContextFilter())
    listener = logging.handlers.QueueListener(there, handler(stream, "%(request_id)s %(message)s"))
    listener.start()
    inside(lambda: sender.handle(record()))
    sender.handle(record())
    listener.stop()
    assert stream.getvalue() == "r-1 x\n- x\n"


def test_what_a_client_sends_is_safe_to_show(stream):
    one = handler(stream, "%(path)s|%(client)s")
    inside(lambda: one.handle(record()), PATH_INFO="/a\x1b[2J\nERROR forged", REMOTE_ADDR="\x9b\xff\n")
    assert stream.getvalue() == "/a\\x1b[2J\\x0aERROR forged|\\x9b\xff\\x0a\n"


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, {"request_id", "trace_id", "span_id", "method", "path", "route", "endpoint", "client"}),
        ({"fields": ["request_id"]}, {"request_id"}),
        ({"fields": ("client", "path")}, {"client", "path"}),
        ({"fields": []}, set()),
    ],
    ids=["all", "a list", "a tuple", "none"],
)
def test_which_fields(options, shown):
    one = record()
    before = set(vars(one))
    assert RequestContextFilter(**options).filter(one)
    assert set(vars(one)) - before - {"overcoat_context"} == shown


def test_what_stands_for_nothing(stream):
    handler(stream, "[%(request_id)s]", default="").handle(record())
    assert stream.getvalue() == "[]\n"


WRONG = {
    "a name": ({"fields": "request_id"}, r"fields='request_id' must be a list of names: write \['request_id'\]"),
    "a misspelt one": ({"fields": ["requestid"]}, "fields has 'requestid', .* did you mean 'request_id'"),
    "none": ({"fields": [None]}, "fields has None"),
    "a default that is none": ({"default": None}, "default=None must be text"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        RequestContextFilter(**options)


def test_beside_configure_logging_a_line_has_everything_once(tmp_path, stream):
    logging.getLogger().addHandler(handler(stream, "%(request_id)s"))
    configure_logging(file=tmp_path / "app.log")
    inside(lambda: logging.getLogger("shop").warning("x", extra={"item": 7}))
    line = (tmp_path / "app.log").read_text()
    assert line.count("r-1") == line.count(TRACE) == 1
    assert '"item":7' in line
    assert "overcoat" not in line
    assert "method" not in line
    assert stream.getvalue() == "r-1\n"
