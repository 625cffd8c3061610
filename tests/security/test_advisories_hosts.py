"""Advisories on hosts, redirects and cookies: each is a case that ours must not repeat."""

import re

import pytest
from support.apps import Recorder, answering, ok
from support.servers import SERVERS, serving
from support.wsgi import call

from overcoat.middleware import HTTPSRedirect, ProxyFix, RequestLog, SecureCookies, Stack, TrustedHosts


@pytest.mark.parametrize(
    "host",
    [
        "example.com/healthz?",
        "example.com/healthz#",
        "example.com\\healthz",
        "healthz",
        "/healthz",
        "example.com:80/healthz",
    ],
)
def test_cve_2026_48710_a_host_never_exempts_a_path(host):
    """Starlette, BadHost: a path built from the Host header passed the check of another one."""
    for layer in (TrustedHosts, HTTPSRedirect):
        app = Recorder()
        wrapped = layer(app, hosts=["example.com"], skip=["/healthz", "/static/"])
        assert call(wrapped, HTTP_HOST=host, PATH_INFO="/admin").status == "400 Bad Request"
        assert not hasattr(app, "environ")


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "//evil.example/%2f..",
        "///evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/.//evil.example",
    ],
)
def test_cve_2020_28724_a_path_with_two_slashes_stays_at_its_host(path):
    """Werkzeug: a redirect to ``//evil.example`` leads there."""
    for script in ("", "/", "/shop"):
        seen = call(
            HTTPSRedirect(ok, hosts=["example.com"]), HTTP_HOST="example.com", PATH_INFO=path, SCRIPT_NAME=script
        )
        (location,) = seen.header("Location")
        assert re.match(r"https://example\.com/", location)
        assert "\\" not in location
        assert "\t" not in location


@pytest.mark.parametrize(
    "path", ["@google.com", ":x@google.com", ".google.com", "google.com", "%40google.com", "\uff20google.com"]
)
def test_pysec_2026_248_a_path_without_a_slash_never_moves_the_host(path):
    """Starlette: ``@google.com`` made the host the user name of another."""
    records = []
    app = Stack(ok, [RequestLog(to=records.append), HTTPSRedirect(hosts=["example.com"])])
    seen = call(app, HTTP_HOST="example.com", PATH_INFO=path)
    assert seen.header("Location")[0].startswith("https://example.com/")
    assert records[0]["host"] == "example.com"


def test_cve_2023_23934_a_cookie_without_a_name_is_not_taken_for_its_value():
    """Werkzeug: ``=__Host-a=b`` was read as the cookie ``__Host-a``."""
    headers = [("Set-Cookie", "=__Host-a=b; Path=/"), ("Set-Cookie", "__Host-a=b; Path=/")]
    seen = call(SecureCookies(answering(headers=headers), secure=True))
    assert seen.header("Set-Cookie") == ["=__Host-a=b; Path=/", "__Host-a=b; Path=/; Secure; HttpOnly; SameSite=Lax"]


@pytest.mark.parametrize("text", ["\r\nSet-Cookie: a=b", "\nX: y", "\r", "\0", "\x0b", "\x85", "\u2028"], ids=ascii)
def test_cve_2016_9964_and_cve_2020_7695_nothing_splits_a_redirect(text):
    """Bottle, uvicorn: CR and LF of a request went into a header."""
    for key in ("PATH_INFO", "SCRIPT_NAME", "QUERY_STRING", "HTTP_HOST", "REQUEST_METHOD", "wsgi.url_scheme"):
        environ = {"HTTP_HOST": "example.com"} | {key: f"/{text}"}
        seen = call(HTTPSRedirect(ok, hosts=["example.com"]), **environ)
        assert all(re.fullmatch(r"[\x20-\x7e]*", f"{name}{value}") for name, value in seen.headers)
        assert len(seen.headers) <= 3


@pytest.mark.parametrize(
    "host", ["evil.example", "example.com@evil.example", "evil.example:443", "example.com.evil.example"]
)
def test_r18_no_redirect_to_the_client_s_own_host(host):
    """Flask-Talisman: the Location was built from whatever Host came, and the redirect of a POST lost its body."""
    app = HTTPSRedirect(ok, hosts=["example.com"])
    assert call(app, HTTP_HOST=host).header("Location") == []
    assert call(app, HTTP_HOST="example.com", REQUEST_METHOD="POST").status == "308 Permanent Redirect"


def test_r18_anybody_s_x_forwarded_proto_is_no_way_around_https():
    """Flask-Talisman, Flask-SSLify: ``X-Forwarded-Proto: https`` from anyone skipped the redirect."""
    behind = Stack(ok, [ProxyFix(trusted=["10.0.0.1"]), HTTPSRedirect(hosts=["example.com"])])
    for app in (HTTPSRedirect(ok, hosts=["example.com"]), behind):
        for claim in (
            {"HTTP_X_FORWARDED_PROTO": "https"},
            {"HTTP_X_FORWARDED_SSL": "on"},
            {"HTTP_FORWARDED": "proto=https"},
        ):
            seen = call(app, HTTP_HOST="example.com", REMOTE_ADDR="192.0.2.1", **claim)
            assert seen.header("Location") == ["https://example.com/"]


@pytest.mark.parametrize(
    "host", ["evilexample.com", "xexample.com", "-example.com", "exampleXcom", "example.com\n", "example.com."]
)
def test_cve_2026_37737_names_match_whole_and_the_dot_is_no_wildcard(host):
    """The class of unanchored patterns (sanic-cors, flask-cors), which let ``trusted.com.evil.io`` in."""
    for hosts in (["example.com"], ["*.example.com"]):
        seen = call(TrustedHosts(ok, hosts=hosts), HTTP_HOST=host)
        assert (seen.status == "200 OK") is (host == "example.com." and hosts == ["example.com"])


@pytest.mark.parametrize("text", [":+80", ":8_0", ":\u0668\u0660", ": 80", ":80 ", ":0x50", ":-1", ":65536"], ids=ascii)
def test_cve_2022_24761_a_port_is_plain_digits(text):
    """Waitress: ``int`` takes ``+10`` and more."""
    assert call(TrustedHosts(ok, hosts=["*"]), HTTP_HOST=f"example.com{text}").status == "400 Bad Request"


TWO_HOSTS = b"GET /a HTTP/1.1\r\nHost: example.com\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
ABSOLUTE = b"GET http://evil.example/a HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"
UNKNOWN = b"GET /a HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
NO_HOST = b"GET /a HTTP/1.0\r\n\r\n"
GOOD = b"GET //evil.example/a HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"
LOCAL = b"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("name", ["gunicorn sync", "waitress", "cheroot", "uwsgi", "werkzeug", "wsgiref", "granian"])
def test_no_request_that_a_real_server_lets_through_names_another_host(name):
    with serving([*SERVERS[name], "support.hosted:app"]) as server:
        answers = {
            request: server.exchange(request) for request in (TWO_HOSTS, ABSOLUTE, UNKNOWN, NO_HOST, GOOD, LOCAL)
        }
    # A server may read the first of two Host headers, and hide a target in absolute form: then our host counts.
    for request, answer in answers.items():
        locations = re.findall(rb"(?i)\r\nlocation: ([^\r]*)", answer)
        assert all(location.startswith(b"https://example.com/") for location in locations), request
    for request in (TWO_HOSTS, ABSOLUTE, GOOD):
        assert answers[request].split()[1] in {b"302", b"400"}
    assert answers[UNKNOWN].split()[1] == answers[NO_HOST].split()[1] == b"400"
    assert re.search(rb"(?i)\r\nset-cookie: a=b; HttpOnly; SameSite=Lax\r\n", answers[LOCAL])
    assert answers[LOCAL].endswith(b"localhost /a")
