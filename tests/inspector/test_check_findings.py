"""What `overcoat check` finds in layers, settings, answers and logs, and what it gives to paste."""

import logging

import pytest
from support.apps import answering

from overcoat.inspector._answer_findings import answer_findings
from overcoat.inspector._app_findings import app_findings
from overcoat.inspector._examination import examine
from overcoat.inspector._observatory import Test as Graded
from overcoat.inspector._remedy import remedy
from overcoat.inspector._response import LONGEST_BODY, ask
from overcoat.inspector._stack_findings import stack_findings
from overcoat.inspector._visit import FOREIGN_ORIGIN, target_of, visit
from overcoat.middleware import (
    HTTPSRedirect,
    ProxyFix,
    RequestID,
    RequestLog,
    SecureCookies,
    SecurityHeaders,
    ServerTiming,
    Stack,
    TrustedHosts,
    quiet_server_logs,
)

HTML = ("Content-Type", "text/html; charset=utf-8")


def codes(findings):
    """The codes, sorted, each once."""
    return sorted({finding.code for finding in findings})


class TransLogger:
    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        return self.application(environ, start_response)


class WerkzeugProxyFix(TransLogger):
    __module__ = "werkzeug.middleware.proxy_fix"


def log():
    return RequestLog(to=lambda record: None)


STACKS = {
    "fine": ([ProxyFix(trusted=["127.0.0.1"]), RequestID(), log()], []),
    "any-peer": ([ProxyFix(), log()], ["proxy-trusts-any-peer"]),
    "two-logs": ([log(), log()], ["layer-twice"]),
    "id-alone": ([RequestID()], ["id-without-log"]),
    "two-proxy-fixes": ([ProxyFix(trusted=["::1"]), ProxyFix(trusted=["::1"])], ["layer-twice"]),
    "redirect-alone": ([HTTPSRedirect(hosts=["a.example"])], ["redirect-without-proxy-fix"]),
    "temporary": (
        [ProxyFix(trusted=["::1"]), HTTPSRedirect(hosts=["a.example"], permanent=False)],
        ["redirect-temporary"],
    ),
    "cookies-report": ([SecureCookies(mode="report")], ["cookies-report-only"]),
    "timings": ([ServerTiming(expose="all")], ["timings-for-all"]),
    "order": ([log(), ProxyFix(trusted=["::1"])], ["layer-order"]),
    "foreign-log": ([log(), TransLogger], ["two-access-logs"]),
    "foreign-log-alone": ([TransLogger], []),
    "werkzeug": ([WerkzeugProxyFix], ["proxy-trusts-any-peer"]),
}


@pytest.mark.parametrize(("layers", "expected"), STACKS.values(), ids=STACKS)
def test_layers(layers, expected):
    assert codes(stack_findings(Stack(answering(), layers, check_order=False))) == expected


def test_a_bare_app_has_no_layers_to_speak_of():
    assert list(stack_findings(answering())) == []


class App:
    def __init__(self, **config):
        self.config = {"SECRET_KEY": "k" * 32, "SESSION_COOKIE_SECURE": True, **config}


SETTINGS = {
    "fine": ({}, []),
    "debug": ({"DEBUG": True}, ["debug-mode"]),
    "testing": ({"TESTING": True}, ["testing-mode"]),
    "known": ({"SECRET_KEY": "Change-Me"}, ["weak-secret-key"]),
    "short": ({"SECRET_KEY": b"0123456789"}, ["weak-secret-key"]),
    "none": ({"SECRET_KEY": None, "SESSION_COOKIE_SECURE": False}, []),
    "insecure": ({"SESSION_COOKIE_SECURE": False}, ["session-cookie-secure"]),
}


@pytest.mark.parametrize(("config", "expected"), SETTINGS.values(), ids=SETTINGS)
def test_settings(config, expected):
    findings = list(app_findings(App(**config), logs=False, environ={}))
    assert codes(findings) == expected
    assert not any(str(config.get("SECRET_KEY") or "?") in repr(finding) for finding in findings)


LOGS = {
    "nothing": ("", None, 0),
    "arguments": ("--workers 4 --access-logfile=-", None, 1),
    "file": ("", "accesslog = '-'\n", 1),
    "file-off": ("", "accesslog = '-'\naccesslog = None\n", 0),
    "file-broken": ("", "accesslog = \n", 0),
    "both": ("--access-logfile -", "accesslog = '-'\n", 2),
}


@pytest.mark.parametrize(("arguments", "file", "count"), LOGS.values(), ids=LOGS)
def test_item_29_a_servers_access_log(arguments, file, count, tmp_path):
    if file is not None:
        (tmp_path / "gunicorn.conf.py").write_text(file, encoding="utf-8")
    environ = {"GUNICORN_CMD_ARGS": arguments}
    assert len(list(app_findings(App(), logs=True, environ=environ, folder=tmp_path))) == count
    assert list(app_findings(App(), logs=False, environ=environ, folder=tmp_path)) == []


def test_a_quiet_server_has_no_second_log(tmp_path):
    names = ("gunicorn.access", "granian.access", "uvicorn.access", "hypercorn.access", "werkzeug")
    loggers = [logging.getLogger(name) for name in names]
    kept = [list(logger.filters) for logger in loggers]
    try:
        quiet_server_logs()
        environ = {"GUNICORN_CMD_ARGS": "--access-logfile -"}
        assert list(app_findings(App(), logs=True, environ=environ, folder=tmp_path)) == []
    finally:
        for logger, filters in zip(loggers, kept, strict=True):
            logger.filters[:] = filters


def test_item_29_an_access_logger_that_writes_is_found(tmp_path):
    logger, handler = logging.getLogger("granian.access"), logging.NullHandler()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        (finding,) = app_findings(App(), logs=True, environ={}, folder=tmp_path)
        assert (finding.code, "granian.access" in finding.says) == ("two-access-logs", True)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


ANSWERS = {
    "fine": ([HTML], []),
    "no-type": ([], ["no-content-type"]),
    "no-charset": ([("Content-Type", "text/html")], ["no-charset"]),
    "server": ([HTML, ("Server", "shop")], ["disclosure"]),
    "obsolete": ([HTML, ("X-XSS-Protection", "1")], ["obsolete"]),
    "twice": ([HTML, ("X-Frame-Options", "DENY"), ("x-frame-options", "DENY")], ["sent-twice"]),
    "cookie-lacks": ([HTML, ("Set-Cookie", "a=1"), ("Cache-Control", "no-store")], ["cookie-lacks"]),
    "cookie-fault": (
        [HTML, ("Set-Cookie", "__Host-a=1; Secure; HttpOnly; SameSite=Lax; Path=/x"), ("Cache-Control", "private")],
        ["cookie-fault"],
    ),
    "cookie-prefix": (
        [HTML, ("Set-Cookie", "session=1; Secure; HttpOnly; SameSite=Lax; Path=/"), ("Cache-Control", "private")],
        ["cookie-prefix"],
    ),
    "cookie-cacheable": ([HTML, ("Set-Cookie", "a=1; Secure; HttpOnly; SameSite=Lax")], ["cookie-cacheable"]),
    "cookie-unreadable": ([HTML, ("Set-Cookie", "Secure"), ("Cache-Control", "private")], ["cookie-unreadable"]),
    "policy-gaps": ([HTML, ("Content-Security-Policy", "default-src 'none'")], ["csp-gap"]),
    "policy-typo": (
        [HTML, ("Content-Security-Policy", "default-src 'none'; frame-anchestors 'none'")],
        ["csp-gap", "csp-unknown-directive"],
    ),
    "cors-star": (
        [HTML, ("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Credentials", "true")],
        ["cors-star-with-credentials"],
    ),
    "cors-null": ([HTML, ("Access-Control-Allow-Origin", "null"), ("Vary", "Origin")], ["cors-null"]),
    "cors-reflected": (
        [HTML, ("Access-Control-Allow-Origin", FOREIGN_ORIGIN), ("Access-Control-Allow-Credentials", "true")],
        ["cors-any-origin-with-credentials", "cors-without-vary"],
    ),
    "hsts-over-http": ([HTML, ("Strict-Transport-Security", "max-age=9")], ["hsts-over-http"]),
    "split-by-a-line-end": ([HTML, ("X-Name", "a\r\nSet-Cookie: b=c")], ["unsendable-header"]),
    "a-name-with-a-line-end": ([HTML, ("X-Name\n", "a")], ["unsendable-header"]),
    "beyond-latin-1": ([HTML, ("X-Name", "\u20ac")], ["unsendable-header"]),
    "latin-1": ([HTML, ("X-Name", "\ta\xe9")], []),
}


@pytest.mark.parametrize(("headers", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_answers(headers, expected):
    assert codes(answer_findings(visit(answering("200 OK", headers), "/", "example.com"))) == expected


def raising(environ, start_response):
    raise LookupError("nothing here")


def silent(environ, start_response):
    return [b"x"]


def looping(environ, start_response):
    start_response("301 Moved", [("Location", "https://example.com/")])
    return []


def leaving(environ, start_response):
    start_response("302 Found", [("Location", "https://login.example/")])
    return []


STATUSES = {
    "raises": (raising, {"app-raised"}),
    "never-starts": (silent, {"app-raised"}),
    "fails": (answering("500 Oops", [HTML]), {"server-error"}),
    "refuses": (answering("400 Bad Request", [HTML]), {"host-refused"}),
    "has-nothing": (answering("404 Not Found", [HTML]), {"no-page"}),
    "has-no-grade": (answering("418 I'm a teapot", [HTML]), {"not-graded"}),
    "loops": (looping, {"redirect-loop"}),
    "leaves": (leaving, {"leaves-the-host"}),
    "traceback": (
        answering("404 Not Found", [HTML], [b"<pre>Traceback (most recent call last):"]),
        {"traceback-shown"},
    ),
}


@pytest.mark.parametrize(("app", "expected"), STATUSES.values(), ids=STATUSES)
def test_pages_that_are_none(app, expected):
    assert expected <= {*codes(answer_findings(visit(app, "/", "example.com")))}


def test_error_pages_need_what_the_page_has():
    def app(environ, start_response):
        found = environ["PATH_INFO"] == "/" and environ["REQUEST_METHOD"] != "PROPFIND"
        start_response("200 OK" if found else "404 Not Found", [HTML, *[("X-Frame-Options", "DENY")] * found])
        return [b"x"]

    lacking = [one for one in answer_findings(visit(app, "/", "example.com")) if one.code == "error-page-lacks"]
    assert [finding.where.partition(" ")[0] for finding in lacking] == ["GET", "PROPFIND"]
    around = SecurityHeaders(app)
    assert "error-page-lacks" not in codes(answer_findings(visit(around, "/", "example.com")))


def test_head_answers_as_get_does():
    def app(environ, start_response):
        status = "500 Oops" if environ["REQUEST_METHOD"] == "HEAD" else "200 OK"
        start_response(status, [HTML])
        return []

    assert "head-differs" in codes(answer_findings(visit(app, "/", "example.com")))


def test_only_safe_methods_are_sent():
    methods = set()

    def app(environ, start_response):
        methods.add(environ["REQUEST_METHOD"])
        start_response("200 OK", [HTML])
        return []

    visit(app, "/", "example.com")
    assert methods == {"GET", "HEAD", "OPTIONS", "PROPFIND"}


def test_an_endless_body_is_read_for_a_while():
    def app(environ, start_response):
        start_response("200 OK", [HTML])
        while True:
            yield b"x" * 65536

    assert len(ask(app, "GET", "https://example.com/").body) == LONGEST_BODY


def test_a_stream_of_events_is_not_waited_for():
    class Events:
        closed = False

        def __iter__(self):
            raise AssertionError("nobody waits for an event")

        def close(self):
            self.closed = True

    body = Events()
    response = ask(answering("200 OK", [("Content-Type", "text/event-stream")], body), "GET", "https://example.com/")
    assert (response.status, response.error, body.closed) == (200, "", True)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b#c", "https://a.example/b"),
        ("//b.example", "https://b.example"),
        ("javascript:x", None),
        ("https://[x", None),
        ("https://a.example:x/", None),
    ],
)
def test_where_a_location_leads(location, target):
    assert target_of("https://a.example/", location) == target


def results_of(app, **options):
    """The results that a remedy is made for."""
    report = examine(app, **options)
    return [Graded(test["name"], test["result"]) for page in report["pages"] for test in page["tests"]]


def test_what_is_pasted_mends_what_was_found():
    def app(environ, start_response):
        start_response("200 OK", [HTML, ("Set-Cookie", "session=1"), ("Referrer-Policy", "unsafe-url")])
        return [b"x"]

    report = examine(app)
    assert report["grade"] == "F"
    layers = eval(f"[{report['remedy']}]", globals())  # what is given to paste is code
    mended = examine(Stack(app, layers))
    assert (mended["grade"], mended["score"], mended["remedy"]) == ("A+", 130, "")


def test_what_stands_is_kept_in_what_is_pasted():
    layers = [RequestID(), SecurityHeaders(referrer_policy="origin", cross_origin_opener_policy=None)]
    shown = remedy(layers, results_of(Stack(answering("200 OK", [HTML]), layers)), host="shop.example", is_html=True)
    assert shown.splitlines() == [
        "RequestID(),",
        "SecurityHeaders(cross_origin_opener_policy=None, preset='page'),",
        "HTTPSRedirect(hosts=['shop.example']),",
    ]


def test_what_cannot_be_pasted_is_left_out():
    layers = [RequestID(generator=lambda: "x")]
    shown = remedy(layers, [Graded("cookies", "cookies-without-secure-flag")], host="shop.example", is_html=True)
    assert shown == "SecureCookies(),"


@pytest.mark.parametrize(
    ("layers", "host"),
    [
        ([TrustedHosts(hosts=["10.0.0.0/8", "192.0.2.1", "*.shop.example"])], "www.shop.example"),
        ([HTTPSRedirect(hosts=["shop.example:8443"])], "shop.example:8443"),
        ([TrustedHosts(hosts=["*"])], "example.com"),
        ([], "example.com"),
    ],
)
def test_which_host_is_asked(layers, host):
    assert examine(Stack(answering("200 OK", [HTML]), layers))["host"] == host


@pytest.mark.parametrize(
    ("host", "told"), [("localhost", True), ("127.0.0.1:8000", True), ("[::1]", True), ("www.example.com", False)]
)
def test_a_host_that_gets_no_transport_security_is_told(host, told):
    report = examine(SecurityHeaders(answering("200 OK", [HTML]), preset="api"), host=host)
    assert ("no-public-host" in [finding["code"] for finding in report["findings"]]) is told


def test_the_worst_page_gives_the_grade():
    def app(environ, start_response):
        headers = [("Content-Type", "application/json")]
        if environ["PATH_INFO"] == "/bad":
            headers += [("Content-Security-Policy", "script-src 'unsafe-inline'")]
        start_response("200 OK", headers)
        return [b"{}"]

    report = examine(SecurityHeaders(app, preset="api"), paths=["/", "/bad"], https_only=True)
    assert [page["score"] for page in report["pages"]] == [130, 80]
    assert (report["grade"], report["score"]) == ("B+", 80)
    assert [finding["code"] for finding in report["findings"] if finding["severity"] == "error"] == [
        "csp-implemented-with-unsafe-inline"
    ]


def test_nothing_of_the_check_is_left_behind():
    handlers = list(logging.getLogger().handlers)
    examine(answering("200 OK", [HTML]))
    assert logging.getLogger().handlers == handlers
