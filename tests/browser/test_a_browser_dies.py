"""A browser that dies fails no test and hides no failure, and without one all is skipped: each in a run of its own."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support.browser import found, needs_browser

pytestmark = needs_browser

ROOT = Path(__file__).parents[2]

DEATHS = """
import os
import signal
from threading import Timer

import pytest
from support.browser import expect, until

tried = []


def pids(page, kind):
    told = page.context.browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return [one["id"] for one in told if one["type"] == kind]


def kill(page, kind="browser"):
    for pid in pids(page, kind):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def once(request):
    tried.append(request.node.name)
    return tried.count(request.node.name) == 1


def test_dies_before(page, once):
    if once:
        kill(page)
    expect(page.locator("html")).to_have_count(1)


WAITING = {
    "expect": lambda page: expect(page.locator("p")).to_have_count(1),
    "until": lambda page: until(page, lambda: False),
}


@pytest.mark.parametrize("wait", WAITING)
def test_dies_meanwhile(page, once, wait):
    if once:
        (pid,) = pids(page, "browser")
        Timer(0.2, os.kill, (pid, signal.SIGKILL)).start()
        WAITING[wait](page)


ASKING = {
    "evaluate": lambda page: page.evaluate("1"),
    "expect": lambda page: expect(page.locator("html")).to_have_count(1),
}


@pytest.mark.parametrize("ask", ASKING)
def test_its_page_dies(page, once, ask):
    if once:
        kill(page, "renderer")
    ASKING[ask](page)


@pytest.fixture
def deadly(page, once):
    if once:
        kill(page)
    page.evaluate("1")


def test_dies_in_a_fixture(deadly):
    pass


def test_dies_each_time(page):
    kill(page)
    page.evaluate("1")


def test_dies_at_the_end(page):
    kill(page)


def test_comes_after_a_death(page, seen):
    assert page.evaluate("1") == 1
    assert seen.troubles == []


def test_asserts(page):
    assert page.evaluate("1") == 2


def test_asserts_and_dies(page):
    kill(page)
    pytest.fail("Page.evaluate: Target crashed")


def test_expects(page):
    page.set_content("<p>Target page, context or browser has been closed")
    expect(page.locator("p")).to_have_text("Target crashed", timeout=100)


def test_throws(page):
    page.evaluate("Promise.reject(new Error('Target crashed'))")


def test_has_no_time(page):
    page.locator("p").click(timeout=100)


@pytest.mark.timeout(1, func_only=True)
def test_hangs(page):
    page.evaluate("new Promise(() => {})")


def test_comes_after_one_that_hangs(page):
    assert page.evaluate("1") == 1
"""

STARTS = """
def test_dies_at_its_start(page):
    assert page.evaluate("1") == 1
"""

#: A browser that dies when it is started for the first time.
FRAIL = """#!/bin/sh
[ -e {folder}/started ] || {{ touch {folder}/started; exit 1; }}
exec {path} "$@"
"""

AFTERWARDS = """
import asyncio


def test_a_loop_of_its_own():
    asyncio.run(asyncio.sleep(0))
"""

TRIED_AGAIN = {
    "test_dies_before": "RERUN PASSED",
    **{f"test_dies_meanwhile[{wait}]": "RERUN PASSED" for wait in ("expect", "until")},
    **{f"test_its_page_dies[{ask}]": "RERUN PASSED" for ask in ("evaluate", "expect")},
    "test_dies_in_a_fixture": "RERUN PASSED",
    "test_dies_at_its_start": "RERUN PASSED",
    "test_dies_each_time": "RERUN FAILED",
}
OUTCOMES = {
    **TRIED_AGAIN,
    **dict.fromkeys(["test_asserts", "test_asserts_and_dies", "test_expects", "test_throws"], "FAILED"),
    **dict.fromkeys(["test_has_no_time", "test_hangs"], "FAILED"),
    **dict.fromkeys(["test_dies_at_the_end", "test_comes_after_a_death", "test_comes_after_one_that_hangs"], "PASSED"),
    "test_a_loop_of_its_own": "PASSED",
}


def run(*arguments, **environ):
    """What pytest prints, in a process of its own, under the project's settings."""
    kept = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST_")}
    path = [environ.pop("first", ""), str(ROOT / "tests" / "lib"), kept.pop("PYTHONPATH", "")]
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-p", "no:cacheprovider", *arguments]
    # A browser that is killed leaves its files, whose names must be short: there are sockets among them.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        kept |= environ | {"PYTHONPATH": os.pathsep.join(filter(None, path)), "TMPDIR": scratch, "COLUMNS": "200"}
        return subprocess.run(command, env=kept, cwd=ROOT, capture_output=True, text=True).stdout


def named(*words):
    return {name for name in OUTCOMES if any(word in name for word in words)}


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["-k", "not start"], set(OUTCOMES) - named("start")),
        (["-k", "start"], named("start")),
        (["-n2", "--dist=loadgroup", "-k", "until or loop"], named("until", "loop")),
    ],
    ids=["alone", "start", "xdist"],
)
def test_only_a_death_is_tried_again_and_it_is_told(tmp_path, options, names):
    (tmp_path / "test_deaths.py").write_text(f"{DEATHS}\n\npytestmark = pytest.mark.xdist_group('deaths')\n")
    (tmp_path / "test_later.py").write_text(AFTERWARDS)
    (tmp_path / "test_starts.py").write_text(STARTS)
    frail = tmp_path / "chromium"
    frail.write_text(FRAIL.format(folder=tmp_path, path=found()))
    frail.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}" if "start" in options else os.environ["PATH"]
    told = run("-psupport.browser", "-v", "--tb=native", f"--rootdir={tmp_path}", *options, tmp_path, PATH=path)
    print(told)
    outcomes = {}
    progress, _, summary = told.partition("rerun test summary info")
    # "test_deaths.py::test_asserts FAILED", and under xdist "[gw0] [ 10%] FAILED test_deaths.py::test_asserts@deaths".
    for before, name, after in re.findall(
        r"^(?:\[gw\d\] \[ *\d+%\] ([A-Z]+) )?\S+\.py::([^@\s]+)\S* (?:([A-Z]+) )?", progress, re.MULTILINE
    ):
        if before or after:
            outcomes.setdefault(name, []).append(before or after)
    assert {name: " ".join(words) for name, words in outcomes.items()} == {name: OUTCOMES[name] for name in names}
    assert set(re.findall(r"^RERUN \S+::([^@\s]+)", summary, re.MULTILINE)) == names & set(TRIED_AGAIN)


@pytest.mark.parametrize("missing", ["Chromium", "Playwright"])
def test_without_one_the_tests_are_skipped_and_say_what_is_missing(tmp_path, missing):
    if missing == "Chromium":
        told = run("-q", "tests/browser", "tests/demo/test_tour.py", PATH=str(tmp_path))
    else:
        (tmp_path / "playwright.py").write_text("raise ImportError")
        told = run("-q", "tests/browser", "tests/demo/test_tour.py", first=str(tmp_path))
    assert re.search(r"^\d+ skipped in ", told, re.MULTILINE), told
    reasons = re.findall(r"^SKIPPED .*: (\w+ is not installed)", told, re.MULTILINE)
    assert set(reasons) == {f"{missing} is not installed"}
