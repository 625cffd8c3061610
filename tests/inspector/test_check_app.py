"""`overcoat check module:app` as a process, in a folder with modules of every kind."""

import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from overcoat.inspector.cli import main

SHOP = r"""
import json, logging, os, sys, threading, time
from overcoat.middleware import ProxyFix, RequestID, RequestLog, SecurityHeaders, Stack, TrustedHosts

print("imported")
print("imported", file=sys.stderr)


def hello(environ, start_response):
    print("asked")
    logging.warning("asked")
    start_response("200 OK", [("Content-Type", "application/json"), ("X-Powered-By", "a\x1b[2Jb")])
    return [b"{}"]


def bare(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [b"<p>hello"]


def good(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b"{}"]


app = Stack(good, [RequestID(), RequestLog(), SecurityHeaders(preset="api")])
coloured = Stack(hello, [SecurityHeaders(preset="api")])


def create_app(kind="api", fail=False):
    if fail:
        raise RuntimeError("no DATABASE_URL")
    return Stack(good, [SecurityHeaders(preset=kind)])


def needs(kind):
    return create_app(kind)


def raising(environ, start_response):
    raise LookupError("nothing\nhere")


def hanging():
    time.sleep(600)


def leaving():
    print("DATABASE_URL is missing")
    sys.exit(3)


def crashing():
    os._exit(9)


def threaded():
    threading.Thread(target=time.sleep, args=(600,)).start()
    return app


async def later(scope, receive, send): ...


hosts = Stack(good, [TrustedHosts(hosts=["*.shop.example"]), SecurityHeaders(preset="api")])
number = 7
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("shop")
    (path / "shop.py").write_text(SHOP, encoding="utf-8")
    (path / "broken.py").write_text("1 / 0\n", encoding="utf-8")
    (path / "only.py").write_text("def make_app():\n    from shop import app\n    return app\n", encoding="utf-8")
    (path / "empty.py").write_text("", encoding="utf-8")
    (path / "serving.py").write_text("import time\nwhile True:\n    time.sleep(600)\n", encoding="utf-8")
    return path


def check(folder, *arguments, **environment):
    command = [sys.executable, "-m", "overcoat.inspector", "check", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={**os.environ, **environment}, timeout=60
    )


def test_a_good_app(folder):
    done = check(folder, "shop:app", "--https-only")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[:2] == ["the way in", "  layer    RequestID()                    names the request"]
    assert "GET https://example.com/  200  A+  130 points" in lines
    assert lines[-1] == "A+  130 points; no findings"


def test_a_bare_app(folder):
    done = check(folder, "shop:bare")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-1].startswith("F  10 points; 4 errors, 1 warning")
    assert "SecurityHeaders(preset='page'),\n" in done.stdout
    assert "HTTPSRedirect(hosts=['example.com'])," in done.stdout


FOUND = ["shop:app", "shop:create_app", "shop:create_app()", "shop:create_app(kind='api')", "shop:needs('api')", "only"]


@pytest.mark.parametrize("target", FOUND)
def test_what_names_an_app(folder, target):
    done = check(folder, target, "--https-only", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["score"] == 130


WRONG = {
    "no-module": (["nowhere:app"], "cannot import 'nowhere': ModuleNotFoundError"),
    "a-file": (["shop.py:app"], "'shop.py:app' names a file: write the module's name, such as shop:app, in its folder"),
    "a-path": (["./shop"], "names a file"),
    "no-identifier": (["shop app:app"], "is not module:app: write shop:app"),
    "no-name": (["shop:ap"], "'shop' has no 'ap': did you mean 'app'?"),
    "nothing-known": (["empty"], "'empty' has none of app, application, create_app, make_app: write empty:NAME"),
    "broken": (["broken:app"], "cannot import 'broken': ZeroDivisionError: division by zero (broken.py:1)"),
    "no-app": (["shop:number"], "shop:number is a int, no WSGI app"),
    "no-factory": (["shop:number()"], "shop:number is a int and makes no app: leave out the parentheses"),
    "no-literal": (["shop:create_app(kind)"], "no call with literal arguments"),
    "no-expression": (["shop:1+1"], "is no name"),
    "factory-raises": (
        ["shop:create_app(fail=True)"],
        "shop:create_app() raised RuntimeError: no DATABASE_URL (shop.py:",
    ),
    "leaves": (["shop:leaving"], "raised SystemExit: 3"),
    "leaves-saying-why": (["shop:leaving"], "it printed: imported | imported | DATABASE_URL is missing"),
    "crashes": (["shop:crashing"], "'shop:crashing' ended the process with status 9"),
    "hangs": (["shop:hanging", "--timeout", "3"], "did not finish within 3 s (at shop.py:"),
    "hangs-at-import": (
        ["serving:app", "--timeout", "3"],
        "did not finish within 3 s (at serving.py:3 in <module>): a module that starts",
    ),
    "asgi": (["shop:later"], "shop:later is an ASGI app"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_wrong_use_is_one_line(folder, arguments, message):
    done = check(folder, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("overcoat check: ")
    assert message in line


USAGE = {
    "path": (["--path", "item"], "'item' is no path: write /item"),
    "host": (["--host", "https://shop.example"], "is no host: write www.example.com"),
    "host-port": (["--host", "shop.example:x"], "is no host"),
    "grade": (["--fail-under", "E"], "'E' is no grade: write one of A+, A, A-"),
    "timeout": (["--timeout", "-1"], "'-1' is no number of seconds"),
    "timeout-word": (["--timeout", "soon"], "'soon' is no number of seconds"),
}


@pytest.mark.parametrize(("arguments", "message"), USAGE.values(), ids=USAGE)
def test_wrong_options(arguments, message, capsys):
    with pytest.raises(SystemExit) as left:
        main(["check", "shop:app", *arguments])
    assert left.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["shop:app", "--https-only", "--fail-under", "A+", "--min-score", "130"], 0, ""),
        (["shop:app", "--https-only", "--min-score", "131"], 1, "the score is 130, and --min-score wants 131"),
        (["shop:create_app('page')", "--https-only", "--fail-under", "a+"], 0, ""),
        (["shop:bare", "--fail-under", "B"], 1, "the grade is F, and --fail-under wants B"),
        (["shop:raising", "--fail-under", "F"], 1, "no page was graded, and --fail-under F wants one"),
    ],
    ids=["enough", "points", "lower-case", "grade", "none"],
)
def test_what_is_good_enough(folder, arguments, status, said):
    done = check(folder, *arguments)
    assert done.returncode == status
    assert done.stderr == (f"overcoat check: {said}\n" if said else "")


def test_an_app_that_raises(folder):
    done = check(folder, "shop:raising", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["passed"], told["grade"]) == (1, False, None)
    assert [finding["code"] for finding in told["findings"] if finding["severity"] == "error"] == ["app-raised"]


def test_threads_of_the_app_hold_nothing_up(folder):
    assert check(folder, "shop:threaded", "--https-only").returncode == 0


def test_json_is_all_that_stands_on_the_output(folder):
    done = check(folder, "shop:coloured", "--https-only", "--json", "--path", "/a", "--path", "/b", "--path", "/a")
    told = json.loads(done.stdout)
    assert done.stderr == ""
    assert [page["path"] for page in told["pages"]] == ["/a", "/b"]
    assert {*told} == {
        "target", "host", "score", "grade", "description", "tree", "pages", "findings", "remedy", "passed",
    }  # fmt: skip
    assert {len(page["tests"]) for page in told["pages"]} == {10}
    assert {len(page["owasp"]) for page in told["pages"]} == {12}
    assert told["tree"]["children"][0]["children"][0]["name"] == "SecurityHeaders(preset='api')"


def test_the_host_is_one_that_a_layer_names(folder):
    told = json.loads(check(folder, "shop:hosts", "--https-only", "--json").stdout)
    assert (told["host"], told["grade"]) == ("www.shop.example", "A+")
    told = json.loads(check(folder, "shop:hosts", "--host", "evil.example", "--json").stdout)
    assert (told["grade"], told["findings"][0]["code"]) == (None, "host-refused")
    assert told["findings"][0]["says"].endswith("the host evil.example: TrustedHosts(hosts=['*.shop.example'])")


def test_control_characters_stay_off_the_terminal(folder):
    done = check(folder, "shop:coloured", "--https-only", FORCE_COLOR="")
    assert "\x1b" not in done.stdout
    assert "a\\x1b[2Jb" in done.stdout


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False), ({}, False)],
    ids=["forced", "no-color", "pipe"],
)
def test_colours(folder, environment, coloured):
    assert ("\x1b[" in check(folder, "shop:app", "--https-only", **environment).stdout) is coloured


def test_on_a_terminal_lines_are_broken_and_coloured(folder):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "overcoat.inspector", "check", "shop:bare"]
    environ = {**os.environ, "COLUMNS": "80"}
    child = subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environ)
    os.close(theirs)
    written = b""
    try:
        while block := os.read(ours, 65536):
            written += block
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(ours)
    assert child.wait(timeout=60) == 1
    lines = written.decode().splitlines()
    plain = [line.replace("\x1b[0m", "").replace("\x1b[2m", "") for line in lines]
    assert any("\x1b[1;31m" in line for line in lines)
    assert max(len(line) for line in plain if "\x1b" not in line) <= 80


def test_the_command_loads_no_library_for_its_help():
    code = (
        "import sys; from overcoat.inspector.cli import main\n"
        "try: main(['check', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'flask', 'structlog', 'rich', 'overcoat.middleware'} & {*sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "[]\n"


def test_ctrl_c_ends_the_app_too(folder):
    marker = folder / "asleep"
    code = f"import pathlib, time\npathlib.Path({str(marker)!r}).touch()\ntime.sleep(600)\n"
    (folder / "sleeping.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-m", "overcoat.inspector", "check", "sleeping:app"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not marker.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)  # to the command alone: it ends the app's process itself
    assert (process.communicate(timeout=30), process.returncode) == ((b"", b""), 130)
