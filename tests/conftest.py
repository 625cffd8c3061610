"""What every test sees: no skip that CI would hide, and no configuration that leaks from one test into the next."""

import logging
import os

import pytest
import structlog


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With CI set, a skipped test is a failed one: a machine that lacks something must say so."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CI lets nothing be skipped: {report.longrepr}"


@pytest.fixture(autouse=True)
def _own_logging():
    """Give each test structlog and the root logger as they are in a new process."""
    root = logging.getLogger()
    # An app that a fixture of a whole module made has called configure_logging before this.
    root.handlers[:] = [handler for handler in root.handlers if not type(handler).__module__.startswith("overcoat.")]
    handlers, level = root.handlers[:], root.level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)
