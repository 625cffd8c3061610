import flask
import pytest
import structlog
from support.apps import answering, ok
from support.record import check
from support.wsgi import call

from overcoat.middleware import RequestLog, add_fields


def record_of(app=ok, path="/", **options):
    records = []
    call(RequestLog(app, to=records.append, **options), PATH_INFO=path)
    [record] = records
    check(record)
    return record


# hide_path (item 31)


def reset_app():
    app = flask.Flask("shop")
    app.add_url_rule("/reset/<secret>", "reset", lambda secret: "")
    app.add_url_rule("/item/<int:item_id>", "item", lambda item_id: "")
    return app.wsgi_app


HIDDEN = {
    "the route stands in its place": (reset_app(), "/reset/s3cret", "/reset/", "/reset/<secret>"),
    "no route": (ok, "/reset/s3cret", "/reset/", "[redacted]"),
    "a 404 below it": (reset_app(), "/reset/s3cret/more", "/reset/", "[redacted]"),
    "slashes that Flask takes for one": (reset_app(), "//reset///s3cret", "/reset/", "[redacted]"),
    "no slash in front": (ok, "reset/s3cret", "/reset/", "[redacted]"),
    "dots that no app has resolved": (ok, "/reset/x/../s3cret", "/reset/", "[redacted]"),
    "another segment": (ok, "/reset_page", "/reset/", "/reset_page"),
    "another path": (reset_app(), "/item/7", "/reset/", "/item/7"),
    "an exact path": (ok, "/s3cret", "/s3cret", "[redacted]"),
    "a callable": (reset_app(), "/reset/s3cret", lambda exchange: exchange.endpoint == "reset", "/reset/<secret>"),
    "a callable that raises": (reset_app(), "/reset/s3cret", lambda exchange: 1 / 0, "/reset/<secret>"),
}


@pytest.mark.parametrize(("app", "path", "hide_path", "shown"), HIDDEN.values(), ids=HIDDEN)
def test_item_31_a_secret_in_a_path(app, path, hide_path, shown):
    record = record_of(app, path, hide_path=hide_path)
    assert record["path"] == shown
    assert list(record)[4] == "path"


@pytest.mark.parametrize("names", ["otel", "ecs", "gcp"])
def test_a_hidden_path_is_hidden_under_every_name(capsys, names):
    call(RequestLog(reset_app(), to="stdout", names=names, hide_path="/reset/"), PATH_INFO="/reset/s3cret")
    assert "s3cret" not in capsys.readouterr().out


# level


LEVELS = {
    "None is the default": (lambda exchange: None, "warning", 0),
    "debug": (lambda exchange: "debug", "debug", 0),
    "critical": (lambda exchange: "critical", "critical", 0),
    "by status": (lambda exchange: "info" if exchange.status_code == 404 else None, "info", 0),
    "unknown": (lambda exchange: "fatal", "warning", 1),
    "a number": (lambda exchange: 20, "warning", 1),
    "unhashable": (lambda exchange: [], "warning", 1),
    "raises": (lambda exchange: 1 / 0, "warning", 1),
}


@pytest.mark.parametrize(("level", "expected", "told"), LEVELS.values(), ids=LEVELS)
def test_level(caplog, level, expected, told):
    assert record_of(answering("404 Not Found"), level=level)["level"] == expected
    assert len(caplog.records) == told


def test_the_level_is_that_of_the_logger_s_call():
    with structlog.testing.capture_logs() as captured:
        call(RequestLog(ok, to=structlog.get_logger(), level=lambda exchange: "critical"))
    assert captured[0]["log_level"] == "critical"


def test_a_level_sees_what_the_app_added():
    def app(environ, start_response):
        add_fields(important=True)
        return ok(environ, start_response)

    records = []
    call(RequestLog(app, to=records.append, level=lambda exchange: "error" if exchange.fields else None))
    assert records[0]["level"] == "error"


WRONG = {
    "a level as text": ({"level": "info"}, "level='info' must be a callable from the exchange to one of debug, info"),
    "a path without its slash": ({"hide_path": "reset/"}, "hide_path='reset/' is no path: write '/exact'"),
    "a path with a star": ({"hide_path": "/reset/*"}, r"hide_path='/reset/\*' is no pattern"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=f"^RequestLog: {message}"):
        RequestLog(ok, **options)
