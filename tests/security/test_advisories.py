"""Published vulnerabilities that no other test names, and the table of docs/security.md held to the tests' names."""

import ast
import io
import json
import random
import re
from pathlib import Path

import flask
import pytest
from support.apps import Recorder, answering, ok
from support.client import CLIENTS
from support.coats import COATS, REFUSING, REQUIRED, layer_classes
from support.wsgi import call, make_environ, serve

from overcoat.hooks import FlaskCORS, register
from overcoat.middleware import (
    Exchange,
    ProxyFix,
    RequestID,
    RequestLog,
    SecureCookies,
    SecurityHeaders,
    ServerTiming,
    Stack,
    TraceContext,
    TrustedHosts,
)
from overcoat.middleware._console import renderer

ROOT = Path(__file__).parents[2]
PASSING = [coat for coat in COATS if "answers" not in coat.allow]
coats = pytest.mark.parametrize("coat", PASSING, ids=[coat.name for coat in PASSING])
_ID = re.compile(r"(?:CVE|PYSEC)[-_]\d{4}[-_]\d+", re.IGNORECASE)


def _ids(text):
    return {found.upper().replace("_", "-") for found in _ID.findall(text)}


def _named(path):
    """What stands in the names of a file's tests, and in its constants but docstrings: ids of its tables."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    shown = set()
    docstrings = {id(node.body[0].value) for node in ast.walk(tree) if _has_docstring(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            shown |= _ids(node.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            shown |= _ids(node.value)
    return shown


def _has_docstring(node):
    return isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None


def test_each_advisory_in_the_docs_is_in_the_id_of_a_test():
    listed = _ids((ROOT / "docs" / "security.md").read_text(encoding="utf-8"))
    tests = {path: _named(path) for path in (ROOT / "tests").rglob("test_*.py")}
    assert len(listed) >= 50
    assert listed - set().union(*tests.values()) == set()
    here = set().union(*(named for path, named in tests.items() if path.parent.name == "security"))
    assert here - listed == set()


class _Input(io.BytesIO):
    """A body that tells how often, and how far, it was read."""

    def __init__(self, data):
        super().__init__(data)
        self.reads = []

    def read(self, size=-1):
        self.reads.append(size)
        return super().read(size)

    def readline(self, size=-1):
        self.reads.append(size)
        return super().readline(size)


FORMS = "multipart/form-data; boundary=x"


@coats
@pytest.mark.parametrize(
    "environ",
    [
        {"CONTENT_LENGTH": "3"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
        {"CONTENT_LENGTH": "3", "HTTP_TRANSFER_ENCODING": "chunked"},
        {"CONTENT_LENGTH": "10", "CONTENT_TYPE": FORMS},
    ],
    ids=[
        "CVE-2022-29361 length",
        "CVE-2024-1135 chunked",
        "CVE-2024-6827 both",
        "CVE-2023-46136 CVE-2024-49767 CVE-2023-30798 CVE-2024-47874 CVE-2025-54121 form",
    ],
)
def test_no_layer_reads_a_body(coat, environ):
    body = _Input(b"abcGET /smuggled HTTP/1.1\r\n")
    records = []
    seen = call(coat.wear(ok, records), REQUEST_METHOD="POST", wsgi__input=body, **environ)
    assert (seen.status, body.reads) == ("200 OK", [])
    assert [record.get("request_bytes") for record in records] == [None] * len(records)


@coats
def test_cve_2022_29361_an_app_s_reads_are_its_own(coat):
    body = _Input(b"abcdef")

    def app(environ, start_response):
        assert environ["wsgi.input"].read(3) == b"abc"
        return ok(environ, start_response)

    records = []
    call(
        coat.wear(app, records), REQUEST_METHOD="POST", wsgi__input=body, CONTENT_LENGTH="6", HTTP_TRANSFER_ENCODING="x"
    )
    assert body.reads == [3]
    assert all(record["request_bytes"] == 3 for record in records)


@pytest.mark.parametrize(
    "name",
    [
        "/NUL",
        "/CON.txt",
        "/..\\app.py",
        "/..%5capp.py",
        "/%2e%2e/app.py",
        "/style.css:stream",
        "/COM1.css",
        "/style.css ",
        "/style.css.",
        "/index.html",
        "/aux/style.css",
        "/\u00b9COM",
    ],
    ids=lambda name: f"CVE-2024-49766 CVE-2025-66221 CVE-2026-21860 CVE-2026-27199 {name!a}",
)
def test_a_page_s_files_are_a_closed_list(name, tmp_path):
    from overcoat.demo import create_app

    app = create_app(database_url="sqlite://", log_file=str(tmp_path / "log"))
    client = app.test_client()
    assert client.get("/style.css", buffered=True).status_code == 200
    assert client.get(name, buffered=True).status_code == 404


MARKUP = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
LOCAL = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:5001"}


def test_cve_2016_10516_our_pages_escape_what_they_show(tmp_path):
    from overcoat.inspector import LogPage

    def app(environ, start_response):
        raise ValueError(MARKUP)

    log = tmp_path / "app.log"
    logged = Stack(app, [RequestID(), RequestLog(to=log)])
    seen = call(logged, PATH_INFO=f"/{MARKUP}", QUERY_STRING=f"q={MARKUP}", HTTP_USER_AGENT=MARKUP, HTTP_HOST=MARKUP)
    assert type(seen.error) is ValueError
    page = LogPage(log)
    try:
        record = json.loads(log.read_text())
        assert MARKUP in record["error_message"]
        for path in ("/", f"/requests/{record['request_id']}", f"/{record['request_id']}", f"/{MARKUP}"):
            shown = call(page, **LOCAL, PATH_INFO=path, QUERY_STRING=f"path={MARKUP}")
            assert shown.error is None
            if not shown.header("Content-Type")[0].startswith("application/json"):
                assert b"<script>alert" not in shown.body
                assert b"<img src=x" not in shown.body
    finally:
        page.close()


@pytest.mark.parametrize(
    "stranger",
    [
        {"REMOTE_ADDR": "192.0.2.1"},
        {"HTTP_HOST": "attacker.example"},
        {"HTTP_HOST": "localhost.attacker.example"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_HOST": None},
    ],
    ids=str,
)
def test_cve_2024_34069_the_log_page_is_for_this_machine_and_its_names(stranger, tmp_path):
    from overcoat.inspector import LogPage

    log = tmp_path / "app.log"
    log.write_text("")
    page = LogPage(log)
    try:
        assert call(page, **LOCAL).status == "200 OK"
        assert call(page, **LOCAL | stranger).status.startswith("403")
    finally:
        page.close()


@pytest.mark.parametrize(
    "bad",
    [
        "{}".encode("utf-16"),
        '{"event": "http_request"}'.encode("utf-32"),
        b"{\xff\xfe",
        b'{"a":' * 100_000,
        b"[" * 100_000,
        b'{"status": ' + b"9" * 100_000 + b"}",
        b"\0" * 1000,
    ],
    ids=lambda bad: f"CVE-2018-1000656 CVE-2019-1010083 {bad[:12]!a} of {len(bad)}",
)
def test_a_line_that_is_no_record_is_passed_over(bad, tmp_path, capsysbinary):
    from overcoat.inspector.cli import main

    records = []
    call(RequestLog(ok, to=records.append), PATH_INFO="/kept")
    good = json.dumps(records[0]).encode()
    log = tmp_path / "app.log"
    log.write_bytes(b"\n".join([good, bad, good, b""]))
    assert main(["logs", str(log), "--json"]) == 0
    assert capsysbinary.readouterr().out.count(b'"/kept"') == 2


VARIES = [("Vary", "Cookie"), ("Set-Cookie", "session=1")]


@coats
@pytest.mark.parametrize("headers", [VARIES, [("vary", "Cookie, Accept"), *VARIES]], ids=["CVE-2026-27205", "twice"])
def test_vary_of_the_app_stays(coat, headers):
    seen = call(coat.wear(answering(headers=headers), []))
    assert seen.header("Vary") == [value for name, value in headers if name.lower() == "vary"]


def test_cve_2023_30861_cve_2026_27205_what_flask_says_of_its_session_is_added_to():
    app = flask.Flask(__name__)
    app.secret_key = "x"
    app.add_url_rule("/", view_func=lambda: str(flask.session.get("a")))
    register(app, [FlaskCORS(origins=["https://a.example", "https://b.example"])])
    app.wsgi_app = Stack(app.wsgi_app, [SecureCookies(), SecurityHeaders(preset="page"), ServerTiming()])
    response = app.test_client().get("/", headers={"Origin": "https://a.example"})
    assert {token.strip(" ") for value in response.headers.getlist("Vary") for token in value.split(",")} == {
        "Cookie",
        "Origin",
    }


def test_cve_2024_6221_no_private_network_by_default():
    app = flask.Flask(__name__)
    app.add_url_rule("/", view_func=lambda: "")
    register(app, [FlaskCORS(origins=["https://a.example"])])
    headers = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Private-Network": "true"}
    response = app.test_client().options("/", headers={"Origin": "https://a.example", **headers})
    assert response.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert response.headers.get("Access-Control-Allow-Private-Network", "false") == "false"


# The rule that is meant, beside a longer and wider one: order and length change nothing.
RULES = {
    "CVE-2024-6839 longest last": ["/api/public", "/api/publicly/known/"],
    "CVE-2024-6839 longest first": ["/api/publicly/known/", "/api/public"],
}


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@pytest.mark.parametrize(
    ("path", "skipped"),
    [
        ("/api/public", True),
        ("/api/publicly", False),
        ("/api/publicly/known/x", True),
        ("/api", False),
        ("/api/public/x", False),
    ],
)
def test_a_rule_s_length_gives_it_no_say(rules, path, skipped):
    records = []
    call(RequestLog(ok, to=records.append, skip=rules), PATH_INFO=path)
    assert (records == []) is skipped


LINES = {
    "CVE-2020-7694 erase": "/\x1b[2J",
    "werkzeug PR 2652 title": "/\x1b]0;x\x07",
    "CVE-2025-48432 line": "/a\r\nERROR forged",
    "gh-100001 C1": "/\x9b31m\x85",
    "DEL": "/\x7f",
    "gh-100001 separators": "/\xe2\x80\xa8\xe2\x80\xa9",
    "bidi": "/\xe2\x80\xae\xe2\x81\xa6",
}


@pytest.mark.parametrize("text", LINES.values(), ids=LINES)
@pytest.mark.parametrize("form", ["json", "logfmt", "console"])
def test_item_33_a_line_of_a_hostile_request_is_one_printable_line(form, text):
    records = []
    app = Stack(ok, [RequestID(), RequestLog(to=records.append, headers=["Referer"])])
    keys = (
        "PATH_INFO",
        "QUERY_STRING",
        "HTTP_HOST",
        "HTTP_USER_AGENT",
        "HTTP_REFERER",
        "REMOTE_ADDR",
        "HTTP_X_REQUEST_ID",
    )
    call(app, **dict.fromkeys(keys, text))
    line = renderer(form, colour=False)(records[0]).decode()
    assert line.endswith("\n")
    assert line[:-1].isprintable()


SPACES = ["\x0b", "\x0c", "\x1c", "\x85", "\xa0", "\r", "\n"]


@pytest.mark.parametrize(
    "space", SPACES, ids=lambda space: f"CVE-2019-16785 CVE-2019-16786 CVE-2019-16789 CVE-2019-16792 {space!a}"
)
def test_only_sp_and_htab_are_space(space):
    app = Recorder()
    claims = {
        "HTTP_X_FORWARDED_FOR": f"192.0.2.1{space}",
        "HTTP_X_FORWARDED_PROTO": f"{space}https",
        "HTTP_X_FORWARDED_HOST": f"a{space}",
    }
    parent = f"{space}00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    stack = Stack(app, [ProxyFix(trusted=["127.0.0.1"], x_host=1), RequestID(), TraceContext()])
    call(stack, HTTP_TRACEPARENT=parent, HTTP_X_REQUEST_ID=f"a{space}", **claims)
    before = make_environ()
    for key in ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST"):
        assert app.environ[key] == before[key]
    assert app.exchange.trace_id != parent[4:36]
    assert app.environ["HTTP_X_REQUEST_ID"] != f"a{space}"
    assert call(TrustedHosts(ok, hosts=["localhost"]), HTTP_HOST=f"localhost{space}").status == "400 Bad Request"


@pytest.mark.parametrize(
    "text",
    ["+80", "0x50", "8_0", "\u0668\u0660", "-80", "80 "],
    ids=lambda text: f"CVE-2024-49768 CVE-2022-24761 {text!a}",
)
def test_a_number_is_plain_digits(text):
    app = Recorder()
    call(
        ProxyFix(app, trusted=["127.0.0.1"], x_port=1),
        HTTP_X_FORWARDED_PORT=text.strip(" ") + "\xa0" * text.endswith(" "),
    )
    assert app.environ["SERVER_PORT"] == "80" == make_environ()["SERVER_PORT"]
    exchange = Exchange({})
    exchange.status = f"{text[:3]} OK"
    assert exchange.status_code is None


@coats
def test_cve_2024_49769_a_client_that_leaves_is_closed_and_logged_once(coat):
    for client in (one for one in CLIENTS if one.closes == 1):
        records, closed = [], []

        class Body:
            def __iter__(self):
                yield from (b"a", b"b", b"c")

            def close(self, closed=closed):
                closed.append(1)

        call(coat.wear(answering(body=Body()), records), client=client)
        assert (client.name, len(closed), len(records)) == (client.name, 1, int(coat.logs))


def _sizes(thing, depth=4):
    """The sizes of what a layer holds: dicts, sets, lists and caches of functions."""
    names = {
        *getattr(thing, "__dict__", ()),
        *(name for cls in type(thing).__mro__ for name in vars(cls).get("__slots__", ())),
    }
    for value in (getattr(thing, name, None) for name in names) if depth else ():
        if hasattr(value, "cache_info"):
            yield value.cache_info().currsize
        elif isinstance(value, dict | set | list):
            yield len(value)
        if type(value).__module__.startswith("overcoat."):
            yield from _sizes(value, depth - 1)


@pytest.mark.parametrize("cls", layer_classes(), ids=lambda cls: cls.__name__)
def test_item_61_cve_2023_43810_what_a_layer_remembers_of_requests_is_bounded(cls):
    options = {"ProxyFix": {"trusted": ["127.0.0.1"], "x_host": 1}, "RequestLog": {"to": lambda record: None}}
    required = {"hosts": ["*"]} if cls.__name__ in REFUSING else REQUIRED.get(cls.__name__, {})
    layer = cls(None, **options.get(cls.__name__, required))
    count, random_names = 6000, random.Random(5)

    def app(environ, start_response):
        name = environ["PATH_INFO"]
        start_response("200 OK", [("Set-Cookie", f"{name[1:]}=1; Path={name}"), (f"X-{name[1:]}", "1")])
        return [b""]

    worn = Stack(app, [layer])
    for number in range(count):
        name = f"n{number}-{random_names.random()}"
        address = f"10.{number >> 8 & 255}.{number & 255}.1"
        serve(
            worn,
            make_environ(
                REQUEST_METHOD=name,
                PATH_INFO=f"/{name}",
                HTTP_HOST=f"{name}.example",
                REMOTE_ADDR="127.0.0.1",
                HTTP_X_FORWARDED_FOR=address,
                HTTP_X_FORWARDED_HOST=f"{name}.example",
                HTTP_X_REQUEST_ID=name,
            ),
        )
    assert max(_sizes(layer), default=0) <= 4096
