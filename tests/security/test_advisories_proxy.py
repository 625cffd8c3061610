"""Published vulnerabilities of proxy middlewares, and of servers and clients of their kind: each stays out of ProxyFix.

The table says what was sent; nothing of it may reach the keys that an app builds its trust, its URLs and its log on.
"""

import os
import re

import pytest
from support.apps import Recorder
from support.wsgi import call, make_environ

from overcoat.middleware import ProxyFix, RequestID, RequestLog, Stack, _authority, _forwarded, _rfc7239

KEYS = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME")
EVERYTHING = {"x_host": 1, "x_port": 1, "x_prefix": 1}
BY_FORWARDED = {"header": "forwarded", "x_host": 1}


def seen(environ, **options):
    """What the app sees."""
    app = Recorder()
    assert call(ProxyFix(app, **options), **environ).status == "200 OK"
    return app.environ


KEPT = {
    # A claim by a trusted proxy that must change nothing
    "CVE-2020-28724 a prefix of two slashes": {"HTTP_X_FORWARDED_PREFIX": "//evil.com/%2f.."},
    "CVE-2020-28724 a prefix with a backslash": {"HTTP_X_FORWARDED_PREFIX": "/\\evil.com"},
    "CVE-2026-48710 BadHost, a query": {"HTTP_X_FORWARDED_HOST": "example.com/healthz?"},
    "CVE-2026-48710 BadHost, a fragment": {"HTTP_X_FORWARDED_HOST": "example.com#"},
    "PYSEC-2026-248 userinfo": {"HTTP_X_FORWARDED_HOST": "example.com@google.com"},
    "PYSEC-2026-248 a path": {"HTTP_X_FORWARDED_PREFIX": "@google.com"},
    "CVE-2020-7694 an escape sequence as address": {"HTTP_X_FORWARDED_FOR": "\x1b[2J192.0.2.1"},
    "CVE-2020-7694 an escape sequence as host": {"HTTP_X_FORWARDED_HOST": "a\x1b[31m.example"},
    "CVE-2025-48432 a line as address": {"HTTP_X_FORWARDED_FOR": "192.0.2.1\nERROR forged"},
    "CVE-2020-7695 a header in a host": {"HTTP_X_FORWARDED_HOST": "a.example\r\nSet-Cookie: a=b"},
    "CVE-2020-7695 a header in a prefix": {"HTTP_X_FORWARDED_PREFIX": "/a\r\nLocation: //evil.com"},
    "CVE-2022-24761 a port with a sign": {"HTTP_X_FORWARDED_PORT": "+8443"},
    "CVE-2022-24761 a port in hexadecimal": {"HTTP_X_FORWARDED_PORT": "0x20fb"},
    "CVE-2024-49768 a port with an underscore": {"HTTP_X_FORWARDED_PORT": "8_443"},
    "CVE-2024-49768 a port in other digits": {"HTTP_X_FORWARDED_PORT": "٨٤٤٣"},
    "CVE-2022-24761 a port in an address": {"HTTP_X_FORWARDED_FOR": "192.0.2.1:+80"},
    "gunicorn-3091 a no-break space": {"HTTP_X_FORWARDED_FOR": "\xa0192.0.2.1", "HTTP_X_FORWARDED_PROTO": "https\x85"},
    "gunicorn-3364 a vertical tab": {"HTTP_X_FORWARDED_PROTO": "\x0bhttps", "HTTP_X_FORWARDED_FOR": "192.0.2.1\x1c"},
    "R4 no scheme": {"HTTP_X_FORWARDED_PROTO": "javascript"},
}


@pytest.mark.parametrize("claim", KEPT.values(), ids=KEPT)
@pytest.mark.parametrize("options", [{"trusted": ["127.0.0.1"]}, {}], ids=["by trust", "by count"])
def test_what_a_proxy_hands_on_is_checked(claim, options):
    before = make_environ()
    environ = seen(claim, **options, **EVERYTHING)
    assert [environ[key] for key in KEYS] == [before.get(key) for key in KEYS]


FORWARDED = {
    "CVE-2020-28724 CVE-2026-48710 host": 'for=192.0.2.1;host="evil.com/healthz?"',
    "PYSEC-2026-248 host": 'for=192.0.2.1;host="a@evil.com"',
    "CVE-2020-7695 host": 'for=192.0.2.1;host="a\\\r\\\nX: y"',
    "R4 proto": "for=192.0.2.1;proto=javascript",
    "CVE-2020-7694 for": 'for="\x1b[2J"',
    "CVE-2022-24761 port": 'for="192.0.2.1:+80"',
    "gunicorn-3091 space": "\xa0for=192.0.2.7",
}


@pytest.mark.parametrize("value", FORWARDED.values(), ids=FORWARDED)
def test_what_forwarded_hands_on_is_checked(value):
    before = make_environ()
    environ = seen({"HTTP_FORWARDED": value}, trusted=["127.0.0.1"], **BY_FORWARDED)
    assert environ["REMOTE_ADDR"] in {"127.0.0.1", "192.0.2.1"}
    assert [environ[key] for key in KEYS[1:]] == [before.get(key) for key in KEYS[1:]]


# From a peer that is not trusted: the ten of the advisory, and what else names a client, a host or a path.
STRANGER_S = [
    *(
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "Forwarded",
    ),
    *("X-Client-IP", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "Fastly-Client-IP", "X-Cluster-Client-IP"),
    *("X-Forwarded-Server", "X-Forwarded-Ssl", "X-Forwarded-By", "X-Azure-ClientIP", "Fly-Client-IP", "Client-IP"),
    *("X-Script-Name", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Script-Name", "X-Appengine-User-IP"),
    *("CloudFront-Viewer-Address", "CloudFront-Forwarded-Proto", "X-Vercel-Forwarded-For", "X-Original-Forwarded-For"),
    *("Front-End-Https", "X-Scheme", "X-Url-Scheme", "X-Envoy-External-Address", "WL-Proxy-Client-IP", "X-ARR-SSL"),
]


@pytest.mark.parametrize("name", STRANGER_S)
@pytest.mark.parametrize("options", [{}, BY_FORWARDED], ids=["x-forwarded", "forwarded"])
def test_cve_2022_2255_gunicorn_2650_a_stranger_s_header_does_not_reach_the_app(name, options):
    key = f"HTTP_{name.upper().replace('-', '_')}"
    environ = seen({"REMOTE_ADDR": "198.51.100.9", key: "192.0.2.1"}, trusted=["10.0.0.0/8"], **options)
    assert key not in environ
    assert environ["REMOTE_ADDR"] == "198.51.100.9"


@pytest.mark.parametrize("trusted", [None, [], ["127.0.0.1"], ["10.0.0.1"]], ids=str)
@pytest.mark.parametrize("header", ["x-forwarded", "forwarded"])
def test_cve_2016_1000110_httpoxy(trusted, header):
    before = dict(os.environ)
    environ = seen({"HTTP_PROXY": "http://evil.example"}, trusted=trusted, header=header)
    assert "HTTP_PROXY" not in environ
    assert dict(os.environ) == before


def test_item_6_gunicorn_2799_an_underscored_twin_does_not_name_a_host_that_was_not_allowed():
    # To WSGI the header and its twin are one, joined with a comma: what came last would be taken for the proxy's own.
    merged = {"HTTP_X_FORWARDED_FOR": "192.0.2.1", "HTTP_X_FORWARDED_HOST": "shop.example,evil.example"}
    environ = seen(merged, trusted=["127.0.0.1"], x_host=1, allowed_hosts=["shop.example"])
    assert environ["HTTP_HOST"] == make_environ()["HTTP_HOST"]


def test_cve_2020_7694_cve_2025_48432_the_log_has_one_clean_line():
    records = []
    app = Stack(Recorder(), [ProxyFix(trusted=["127.0.0.1"], **EVERYTHING), RequestID(), RequestLog(to=records.append)])
    call(app, **dict.fromkeys(("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST"), "\x1b[2J\r\nERROR \u202e"))
    assert [(record["client"], record["peer"], record["host"]) for record in records] == [
        ("127.0.0.1", "127.0.0.1", make_environ()["HTTP_HOST"])
    ]


UNITS = [
    "1",
    ".",
    ":",
    "[",
    "]",
    "/",
    "/a",
    "a.",
    "%",
    ",",
    " ,",
    "\0",
    "9:",
    "[::1]:",
    "é",
    '"',
    "\\",
    '\\"',
    "for=",
    ";",
    "=",
]


@pytest.mark.parametrize("unit", [*UNITS, 'for="', "for=a,", "10.0.0.1,", "a=b;", '="', " "], ids=repr)
def test_cve_2025_62727_cve_2020_5236_100_kb_cost_linear_time(unit):
    # A quadratic reader would run into the limit of the test.
    value = unit * (100_000 // len(unit))
    claims = {
        **dict.fromkeys((f"HTTP_X_FORWARDED_{name}" for name in ("FOR", "PROTO", "HOST", "PORT", "PREFIX")), value)
    }
    for options in ({}, {"trusted": ["127.0.0.1", "10.0.0.0/8"]}):
        seen(claims, **options, **EVERYTHING)
        seen({"HTTP_FORWARDED": value}, **options, **BY_FORWARDED)
        str(ProxyFix(**options, **EVERYTHING).explain(make_environ(**claims)))
        str(ProxyFix(**options, **BY_FORWARDED).explain(make_environ(HTTP_FORWARDED=value)))


PATTERNS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": pattern
    for module in (_authority, _forwarded, _rfc7239)
    for name, pattern in vars(module).items()
    if isinstance(pattern, re.Pattern)
}


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
@pytest.mark.parametrize("tail", ["", "\n", '"', "!"], ids=repr)
def test_cve_2020_5236_no_pattern_explodes(pattern, tail):
    for unit in UNITS:
        text = unit * (100_000 // len(unit)) + tail
        pattern.fullmatch(text)
        pattern.match(text)
