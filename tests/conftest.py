"""What every test sees: no skip that CI would hide, and no configuration that leaks from one test into the next."""

import logging
import os
import signal
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent

#: Folders whose tests share a database or a store: one process runs them, one after the other.
SHARING = {"compat", "demo", "hooks", "production"}

#: Folders whose tests share nothing, so that any process takes the next.
SPREAD = {"conformance", "security"}

#: The examples of a property are the same in each run, so that a failure is the commit's; none fails for being slow.
if "FUZZ_EXAMPLES" not in os.environ:  # `make fuzz` tries others
    settings.register_profile(
        "steady", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("steady")

# Who starts the tests in the background of a script has them ignore Ctrl-C, and so all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Say which tests one process runs, where several do (pytest-xdist): a file by default, for its servers' sake."""
    for item in items:
        folder, *rest = item.path.relative_to(TESTS).parts
        if folder not in SPREAD or item.path.name == "test_on_the_wire.py":
            item.add_marker(pytest.mark.xdist_group(folder if folder in SHARING else "/".join([folder, *rest])))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With CI set, a skipped test is a failed one: a machine that lacks something must say so."""
    outcome = yield
    report = outcome.get_result()
    # What a test logged may hold a lone surrogate, over which the process that reports it to another one dies.
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CI lets nothing be skipped: {report.longrepr}"


@pytest.fixture(autouse=True)
def _own_logging():
    """Give each test structlog and the root logger as they are in a new process."""
    root = logging.getLogger()
    # An app that a fixture of a whole module made has called configure_logging before this.
    root.handlers[:] = [handler for handler in root.handlers if not type(handler).__module__.startswith("overcoat.")]
    root.setLevel(logging.WARNING)
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):  # an example has called quiet_server_logs
            logger.filters[:] = [one for one in logger.filters if not type(one).__module__.startswith("overcoat.")]
            # An example has called dictConfig, which may cut a name, and all below it, off from the root for good.
            logger.propagate, logger.disabled = True, False
    handlers, level = root.handlers[:], root.level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)
