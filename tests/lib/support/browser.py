"""A real browser for tests: the Chromium of this machine, without a window, driven by Playwright.

A test that takes ``page`` gets a ``Page`` of Playwright in a profile of its own, and with ``seen`` what happened in it.
The tests of a module share one browser. Where it has died, the next test gets a new one, and the test in which it died
is tried once more; no other failure is tried again.

>>> from support.browser import served_here
>>> def test_that_it_greets(page, seen):
...     with served_here(app) as url:
...         assert page.goto(url).status == 200
...         assert page.title() == "hello"
...         assert seen.troubles == []
"""

import contextlib
import functools
import re
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest

try:
    from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright
except ImportError:  # no wheel for this platform
    expect = sync_playwright = None

PATIENCE_S = 90

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_OPTIONS = ["--disable-gpu", "--no-proxy-server"]
_SCREEN: Any = {"width": 1280, "height": 900}

#: How Playwright tells that a browser or the process of a page has died: in its errors, and in what ``expect`` says.
_DIED = re.compile(
    r"(?m)^(\w+\.\w+: |Error: |\s+- )?((Target|Page) crashed|(Target page|Playwright connection).* closed)"
)

_WATCH = """
addEventListener("securitypolicyviolation", event => overcoatViolation({
    directive: event.effectiveDirective, blocked: event.blockedURI, disposition: event.disposition,
    sample: event.sample, policy: event.originalPolicy, document: event.documentURI}));
"""


def found() -> str | None:
    """The path of the browser, or None."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def _missing() -> str:
    if sync_playwright is None:
        return "Playwright is not installed: it is made for glibc, macOS and Windows"
    return "" if found() else "Chromium is not installed (apt-get install chromium)"


#: For tests that need it: ``@needs_browser`` or ``pytestmark = needs_browser``.
needs_browser = pytest.mark.skipif(bool(_missing()), reason=_missing())


class Seen:
    """What happened in the pages of a test.

    Attributes:
        console: What they and the browser wrote to the console: ``(level, text)``.
        violations: What a Content-Security-Policy refused or reported: ``directive``, ``blocked``, ``disposition``
            (``enforce`` or ``report``), ``sample``, ``policy``, ``document``.
        failures: What they threw and did not catch.
    """

    def __init__(self, context: "BrowserContext") -> None:
        self.context = context
        self.console: list[tuple[str, str]] = []
        self.violations: list[dict[str, str]] = []
        self.failures: list[str] = []
        context.on("console", lambda message: self.console.append((message.type, message.text)))
        context.on("weberror", lambda thrown: self.failures.append(str(thrown.error)))
        context.expose_binding("overcoatViolation", lambda _, violation: self.violations.append(violation))
        context.add_init_script(_WATCH)

    @property
    def troubles(self) -> list[Any]:
        """All three in one list, which is empty for a page of ours."""
        return [*self.console, *self.violations, *self.failures]


@pytest.fixture(scope="module")
def new_context() -> "Iterator[Callable[[], BrowserContext]]":
    """Makes profiles in a browser that the tests of a module share, and that is started anew where it has died."""
    if _missing():
        pytest.skip(_missing())
    expect.set_options(timeout=PATIENCE_S * 1000)
    browser: Browser | None = None

    def new() -> "BrowserContext":
        nonlocal browser
        if browser is not None:
            with contextlib.suppress(Error):  # who does not ask learns nothing of its death
                return browser.new_context(viewport=_SCREEN)
        running.close()
        playwright = running.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=found(), args=_OPTIONS, timeout=PATIENCE_S * 1000)
        return browser.new_context(viewport=_SCREEN)

    # Its end is the browser's, and that of an event loop beside which this thread can run no other.
    with contextlib.ExitStack() as running:
        yield new


@pytest.fixture
def seen(new_context: "Callable[[], BrowserContext]") -> Iterator[Seen]:
    """What happens in the page of a test, and in those that it opens."""
    context = new_context()
    context.set_default_timeout(PATIENCE_S * 1000)
    yield Seen(context)
    with contextlib.suppress(Error):  # the browser has died
        context.close()


@pytest.fixture
def page(seen: Seen) -> "Page":
    """A page in a profile of its own, 1280 pixels wide."""
    return seen.context.new_page()


def _has_died(error: BaseException | None) -> bool:
    """Whether it is Playwright that says so: a test may fail with the same words."""
    if error is None or not _DIED.search(str(error)):
        return False
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_globals["__name__"].startswith("playwright.")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Have a test tried once more where its browser died."""
    if "new_context" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.flaky(reruns=1, condition=_has_died))


def until(page: "Page", condition: str | Callable[[], Any], what: str = "the page") -> Any:
    """Wait for the first true value of a JavaScript expression, or of a function, as long as the page lives.

    Playwright's ``wait_for_function`` needs ``'unsafe-eval'`` in a Content-Security-Policy.
    """
    ask = functools.partial(page.evaluate, condition) if isinstance(condition, str) else condition
    deadline_s = time.monotonic() + PATIENCE_S
    while not (value := ask()):
        assert time.monotonic() < deadline_s, f"waited {PATIENCE_S} s for {what}"
        page.evaluate("new Promise(done => setTimeout(done, 20))")
    return value


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None: ...


class _Server(ThreadingMixIn, WSGIServer):
    """A browser opens connections that it may need: each has its thread, and none is waited for."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a browser leaves when it has what it wants
            super().handle_error(request, client_address)


@contextlib.contextmanager
def served_here(app: Callable[..., Any]) -> Iterator[str]:
    """Serve an app from a thread of this process on a free port of 127.0.0.1; its URL without a slash at the end."""
    with _Server(("127.0.0.1", 0), _Quiet) as server:
        server.set_app(app)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(PATIENCE_S)
