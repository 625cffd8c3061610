"""`overcoat check --middleware` as a process: what it prints, where, and its exit status."""

import json
import subprocess
import sys

import pytest

from overcoat.inspector.cli import main

WRAPPERS = """
import logging, sys

print("imported")


class Good:
    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        print("asked", environ.get("PATH_INFO"))
        print("asked", file=sys.stderr)
        logging.warning("asked")
        return self.app(environ, start_response)


def joining(app):
    return lambda environ, start_response: [b"".join(app(environ, start_response))]


class Factories:
    good = Good


number = 7
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "wrappers.py").write_text(WRAPPERS, encoding="utf-8")
    (tmp_path / "broken.py").write_text("1 / 0\n", encoding="utf-8")
    (tmp_path / "leaves.py").write_text("raise SystemExit(7)\n", encoding="utf-8")
    return tmp_path


def check(folder, *arguments):
    command = [sys.executable, "-m", "overcoat.inspector", "check", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_all_rules_kept(folder):
    done = check(folder, "--middleware", "wrappers:Good")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Good: 26 of 26 rules kept")
    assert {line.split()[0] for line in lines[1:]} == {"pass"}


def test_rules_broken(folder):
    done = check(folder, "--middleware", "wrappers:joining", "--rules", "streaming,close-own")
    assert (done.returncode, done.stderr) == (1, "")
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["FAIL", "in", "pass"]


def test_json_is_all_that_stands_on_the_output(folder):
    done = check(folder, "--middleware", "wrappers:Factories.good", "--json", "--allow", "body, headers")
    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (told["middleware"], told["passed"], len(told["rules"])) == ("Factories.good", True, 26)
    assert {rule["waived"] for rule in told["rules"]} == {"", "body", "headers"}


WRONG = {
    "no-colon": (["--middleware", "wrappers"], "'wrappers' is not module:factory: write"),
    "a-path": (["--middleware", "./wrappers.py:Good"], "'./wrappers.py:Good' is not module:factory: write"),
    "no-module": (["--middleware", "nowhere:Good"], "cannot import 'nowhere': ModuleNotFoundError: No module named"),
    "broken-module": (["--middleware", "broken:Good"], "cannot import 'broken': ZeroDivisionError: division by zero"),
    "leaving-module": (["--middleware", "leaves:Good"], "cannot import 'leaves': SystemExit: 7"),
    "no-name": (["--middleware", "wrappers:God"], "'wrappers' has no 'God': did you mean 'Good'?"),
    "no-callable": (["--middleware", "wrappers:number"], "'wrappers:number' is a int, no callable from app to app"),
    "no-factory": (["--middleware", "overcoat.middleware:Stack"], "raised TypeError: Stack.__init__() missing 1"),
    "rule": (
        ["--middleware", "wrappers:Good", "--rules", "closes"],
        "rules='closes' is unknown: did you mean 'close'?",
    ),
    "allowance": (["--middleware", "wrappers:Good", "--allow", "all"], "allow='all' is unknown: "),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_wrong_use_is_one_line(folder, arguments, message):
    done = check(folder, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("overcoat check: ")
    assert message in line


@pytest.mark.parametrize("arguments", [[], ["shop:app", "--middleware", "wrappers:Good"]], ids=["neither", "both"])
def test_an_app_or_a_middleware(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        main(["check", *arguments])
    assert left.value.code == 2
    assert "--middleware" in capsys.readouterr().err


def test_help_promises_what_is_there(capsys):
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    told = capsys.readouterr().out
    for promised in ("MODULE:APP", "--path", "--https-only", "--fail-under", "--min-score", "--json", "MODULE:FACTORY"):
        assert promised in told
