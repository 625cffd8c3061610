"""configured_outputs: the short way is taken while structlog is as configure_logging left it, and only then."""

import contextlib
import json
from types import SimpleNamespace

import pytest
import structlog
from structlog.testing import capture_logs
from support.apps import answering, ok
from support.wsgi import call

from overcoat.middleware import RequestLog, _outputs, configure_logging
from overcoat.middleware._outputs import configured_outputs


@pytest.fixture(params=["where it is kept", "as get_config tells"])
def log(request, tmp_path, monkeypatch):
    """The file of configure_logging, for both ways to look at structlog."""
    if request.param == "as get_config tells":
        monkeypatch.setattr(_outputs, "_configuration", _outputs._Asked)
    configure_logging(file=tmp_path / "app.log", stdlib=False)
    expected = _outputs._Asked if request.param == "as get_config tells" else type(structlog._config._CONFIG)
    assert type(_outputs._configured.now) is expected
    return tmp_path / "app.log"


def add_service(_, __, event):
    return event | {"service": "shop"}


def processors():
    return structlog.get_config()["processors"]


CHANGES = {
    "processors": lambda: structlog.configure(processors=[add_service, *processors()]),
    "fewer processors": lambda: structlog.configure(processors=processors()[1:]),
    "the list, in place": lambda: processors().insert(0, add_service),
    "one of the list, in place": lambda: processors().__setitem__(1, add_service),
    "the order, in place": lambda: processors().reverse(),
    "a logger factory": lambda: structlog.configure(logger_factory=structlog.ReturnLoggerFactory()),
    "a level": lambda: structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30)),
    "a logger class": lambda: structlog.configure(wrapper_class=structlog.stdlib.BoundLogger),
    "all of it": structlog.reset_defaults,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_app_s_own_is_seen(log, change):
    assert configured_outputs() is not None
    change()
    assert configured_outputs() is None


SAME = {
    "nothing": lambda: None,
    "the same": lambda: structlog.configure(processors=processors()),
    "a copy": lambda: structlog.configure(processors=list(processors())),
    "a cache for the app's loggers": lambda: structlog.configure(cache_logger_on_first_use=True),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_what_changes_nothing_costs_nothing(log, change):
    change()
    assert configured_outputs() is not None


def test_after_capture_logs_the_short_way_is_open_again(log):
    for _ in range(2):
        with capture_logs() as captured:
            assert configured_outputs() is None
            call(RequestLog(ok))
        assert [event["event"] for event in captured] == ["http_request"]
        assert configured_outputs() is not None
    call(RequestLog(ok))
    assert len(log.read_bytes().splitlines()) == 1


def test_a_level_that_the_app_sets_in_structlog_counts_for_requests(log):
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    call(RequestLog(ok))
    call(RequestLog(answering("404 Not Found")))
    assert [json.loads(line)["status"] for line in log.read_bytes().splitlines()] == [404]


def test_a_context_that_was_bound_before_is_kept(log):
    bound = structlog.get_logger().bind(step=1)
    with contextlib.suppress(structlog.DropEvent):
        bound.info("x")
    assert json.loads(log.read_bytes())["step"] == 1


@pytest.mark.parametrize(
    "config", [SimpleNamespace(), SimpleNamespace(_CONFIG=SimpleNamespace()), SimpleNamespace(_CONFIG=None)], ids=repr
)
def test_a_structlog_that_keeps_its_configuration_elsewhere_is_asked(monkeypatch, config):
    monkeypatch.setattr(_outputs, "structlog", SimpleNamespace(_config=config, get_config=structlog.get_config))
    assert type(_outputs._configuration()) is _outputs._Asked


@pytest.mark.parametrize("level", ["notice", 7, None, ["x"]], ids=repr)
def test_a_level_that_nobody_knows_counts_as_info(log, level):
    structlog.configure(processors=[lambda _, __, event: {"level": level, "event": event["event"]}])
    structlog.get_logger().warning("x")
    assert json.loads(log.read_bytes()) == {"level": str(level), "event": "x"}
