"""check_middleware: its options, its report as text and as data, and what it needs."""

import json
import subprocess
import sys
from functools import partial

import pytest
from support.coats import Stranger
from support.witnesses.bodies import closes_twice
from support.witnesses.heads import adds_connection
from support.witnesses.requests import needs_an_address

from overcoat.middleware import RequestID
from overcoat.middleware.testing import ALLOWANCES, RULES, Report, Row, check_middleware


def test_report_of_what_keeps_all():
    report = check_middleware(RequestID)
    assert report
    assert report.failures == ()
    report.raise_for_failures()
    assert repr(report) == "<Report of RequestID: keeps all rules>"
    assert [row.rule for row in report.rows] == list(RULES.values())
    assert {row.status for row in report.rows} == {"pass"}


def test_report_of_what_does_not():
    report = check_middleware(closes_twice, rules={"close", "close-once", "streaming"})
    assert not report
    assert repr(report) == "<Report of closes_twice: breaks close-once; print it>"
    lines = str(report).splitlines()
    assert lines[0].startswith("closes_twice: 2 of 3 rules kept, in ")
    assert [line.split()[:2] for line in lines[1:]] == [
        ["pass", "streaming"],
        ["pass", "close"],
        ["FAIL", "close-once"],
        ["in", "list_subclass_with_close:"],
    ]
    assert lines[3].endswith("close() is called once, not twice. [PEP 3333, Specification Details: close()]")
    assert lines[4] == "      in list_subclass_with_close: closed 2 times"
    with pytest.raises(AssertionError) as raised:
        report.raise_for_failures()
    assert str(raised.value) == str(report)


def test_report_as_data():
    report = check_middleware(needs_an_address, rules=["environ", "hostile"], name="mine")
    told = json.loads(json.dumps(report.as_dict()))
    assert (told["middleware"], told["passed"]) == ("mine", False)
    environ, hostile = told["rules"]
    assert environ == {
        "rule": "environ",
        "text": RULES["environ"].text,
        "source": "PEP 3333, environ Variables",
        "status": "fail",
        "passed": environ["passed"],
        "failed": 1,
        "waived": "",
        "case": "no-remote-addr",
        "found": "KeyError: 'REMOTE_ADDR', raised in the call",
    }
    assert (hostile["status"], hostile["failed"], hostile["case"]) == ("pass", 0, "")


def test_one_rule_by_its_name():
    assert [row.rule.name for row in check_middleware(adds_connection, rules="close").rows] == ["close"]


def test_waived_rules_are_told():
    report = check_middleware(Stranger, rules=["body", "close"], allow="body")
    assert [(row.rule.name, row.status, row.waived) for row in report.rows] == [
        ("body", "skip", "body"),
        ("close", "pass", ""),
    ]
    assert "skip  body   body allowed  Every byte" in str(report)
    assert str(report).startswith("Stranger: 1 of 1 rules kept")


def test_row_without_a_case_says_so():
    assert "skip  close  no case" in str(Report("mine", (Row(RULES["close"]),)))


def test_text_of_a_report_is_one_line_a_row_whatever_raised():
    def shouts(app):
        raise_ = "\x1b[31m\nforged"

        def wrapped(environ, start_response):
            raise ValueError(raise_ * 1000)

        return wrapped

    report = check_middleware(shouts)
    assert len(str(report).splitlines()) == 1 + len(report.rows) + len(report.failures)
    assert str(report).isascii()
    assert all(char.isprintable() or char == "\n" for char in str(report))
    assert max(map(len, str(report).splitlines())) < 400


@pytest.mark.parametrize(
    "headers",
    [[None], [("X-Alone",)], [(b"X", b"1")], [("Content-Type", 7)], [()], [["Content-Type", "text/plain"]], ["X: y"]],
    ids=repr,
)
def test_headers_that_are_none_are_told_and_break_nothing(headers):
    def replaces(app):
        return lambda environ, start_response: app(environ, lambda status, _, *rest: start_response(status, headers))

    assert {row.rule.name for row in check_middleware(replaces).failures} >= {"start", "added-headers"}


class Sized:
    def __init__(self, app, size):
        self.app, self.size = app, size

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


REFUSED = {
    "no-callable": ({"factory": "RequestID"}, "factory='RequestID' is no callable: give"),
    "wants-more": ({"factory": Sized}, r"raised TypeError: .*'size'.*: give a callable that takes an app alone"),
    "returns-nothing": ({"factory": lambda app: None}, "returned None, which is no WSGI application"),
    "is-an-app": ({"factory": Stranger(None)}, "raised TypeError"),
    "rule": ({"rules": ["closes"]}, r"rules='closes' is unknown: did you mean 'close'\?"),
    "rule-like-none": ({"rules": ["zzz"]}, "rules='zzz' is unknown: choose of start, "),
    "allowance": ({"allow": ["header"]}, r"allow='header' is unknown: did you mean 'headers'\?"),
    "answers-always": (
        {"factory": lambda app: lambda environ, start: [], "allow": "answers"},
        "answered every request itself.*give what makes it pass one on",
    ),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_wrong_use_is_told(options, message):
    with pytest.raises(ValueError, match=f"check_middleware: .*{message}"):
        check_middleware(**{"factory": Stranger} | options)


@pytest.mark.parametrize(
    ("factory", "name"),
    [(Stranger, "Stranger"), (partial(Sized, size=1), "partial"), (lambda app: app, "<lambda>")],
    ids=["class", "partial", "lambda"],
)
def test_name(factory, name):
    assert check_middleware(factory, rules=["start"]).name.endswith(name)


def test_environ_is_what_every_request_says():
    asked = set()

    class Notes(Stranger):
        def __call__(self, environ, start_response):
            asked.add((environ.get("HTTP_ORIGIN"), "REMOTE_ADDR" in environ))
            return self.app(environ, start_response)

    check_middleware(Notes, environ={"HTTP_ORIGIN": "https://a.example", "REMOTE_ADDR": None}, rules=["start"])
    assert asked == {("https://a.example", False)}


def test_ctrl_c_ends_the_check():
    class Interrupted(Stranger):
        def __call__(self, environ, start_response):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_middleware(Interrupted)


def test_a_middleware_that_lets_one_request_at_a_time_pass_is_no_deadlock(monkeypatch):
    from threading import Lock

    monkeypatch.setattr("overcoat.middleware.testing._rules_request._PATIENCE_S", 0.1)

    def serialises(app):
        lock = Lock()

        def wrapped(environ, start_response):
            with lock:
                return app(environ, start_response)

        return wrapped

    (row,) = check_middleware(serialises, rules=["overlap"]).failures
    assert row.found == "it waited for the first for 0.1 s"


def test_every_rule_has_a_text_and_a_source():
    for rule in RULES.values():
        assert rule.text.endswith(".")
        assert rule.source.startswith(("PEP 3333, ", "RFC ", "practice: "))
        assert rule.waived_by <= set(ALLOWANCES)


def test_it_needs_nothing_but_the_package_and_the_package_does_not_need_it():
    script = """
import sys
import overcoat.middleware
assert "overcoat.middleware.testing" not in sys.modules
before = set(sys.modules)
import overcoat.middleware.testing
new = {name.partition(".")[0] for name in set(sys.modules) - before}
assert not new & {"pytest", "hypothesis", "flask", "duckdb", "support"}, new
assert new <= {"overcoat", *sys.stdlib_module_names}, new
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
