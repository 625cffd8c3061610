import re

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apps import Recorder, ok
from support.wsgi import call, make_environ
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Request

from overcoat.middleware import HTTPSRedirect, ProxyFix, RequestLog, SecurityHeaders, Stack, TrustedHosts

HOSTS = ["example.com", "*.example.com", "[2001:db8::1]"]


def redirected(app=None, **environ):
    app = app or HTTPSRedirect(ok, hosts=HOSTS)
    return call(app, **{"HTTP_HOST": "example.com"} | environ)


def location(app=None, **environ):
    (value,) = redirected(app, **environ).header("Location")
    return value


STATUS = {
    "GET": ("GET", True, "301 Moved Permanently"),
    "HEAD": ("HEAD", True, "301 Moved Permanently"),
    "POST": ("POST", True, "308 Permanent Redirect"),
    "PUT": ("PUT", True, "308 Permanent Redirect"),
    "DELETE": ("DELETE", True, "308 Permanent Redirect"),
    "OPTIONS": ("OPTIONS", True, "308 Permanent Redirect"),
    "an unknown method": ("BREW", True, "308 Permanent Redirect"),
    "GET for now": ("GET", False, "302 Found"),
    "HEAD for now": ("HEAD", False, "302 Found"),
    "POST for now": ("POST", False, "307 Temporary Redirect"),
}


@pytest.mark.parametrize(("method", "permanent", "status"), STATUS.values(), ids=STATUS)
def test_status_by_method(method, permanent, status):
    seen = redirected(HTTPSRedirect(ok, hosts=HOSTS, permanent=permanent), REQUEST_METHOD=method)
    assert seen.status == status
    assert seen.header("Location") == ["https://example.com/"]
    assert seen.body == (b"" if method == "HEAD" else b"This site is served over https.\n")
    assert [name for name, _ in seen.headers] == ["Content-Type", "Content-Length", "Location"]


SCHEMES = {
    "http": ("http", "https://example.com/"),
    "https": ("https", None),
    "ws": ("ws", "wss://example.com/"),
    "wss": ("wss", None),
    "nonsense": ("javascript", "https://example.com/"),
    "capitals": ("HTTPS", "https://example.com/"),
    "none": (None, "https://example.com/"),
}


@pytest.mark.parametrize(("scheme", "expected"), SCHEMES.values(), ids=SCHEMES)
def test_schemes(scheme, expected):
    seen = redirected(wsgi__url_scheme=scheme)
    assert seen.header("Location") == ([] if expected is None else [expected])
    assert (seen.status == "200 OK") is (expected is None)


TARGETS = {
    "root": ({}, "/"),
    "a path": ({"PATH_INFO": "/item/7"}, "/item/7"),
    "a query": ({"PATH_INFO": "/a", "QUERY_STRING": "b=1&c=%2F&d=e+f"}, "/a?b=1&c=%2F&d=e+f"),
    "an empty path": ({"PATH_INFO": ""}, "/"),
    "no path": ({"PATH_INFO": None, "SCRIPT_NAME": None, "QUERY_STRING": None}, "/"),
    "a mount point": ({"SCRIPT_NAME": "/shop", "PATH_INFO": "/item"}, "/shop/item"),
    "UTF-8": ({"PATH_INFO": "/caf\xc3\xa9"}, "/caf%C3%A9"),
    "no UTF-8": ({"PATH_INFO": "/caf\xe9\xff"}, "/caf%E9%FF"),
    "no bytes": ({"PATH_INFO": "/\u20ac\ud800"}, "/%E2%82%AC%3F"),
    "a space and a percent sign": ({"PATH_INFO": "/a b%20c"}, "/a%20b%2520c"),
    "markup": ({"PATH_INFO": "/<\"'>"}, "/%3C%22'%3E"),
    "a question mark in the path": ({"PATH_INFO": "/a?b#c"}, "/a%3Fb%23c"),
    "matrix parameters": ({"PATH_INFO": "/a;b=c,d:e@f!$&'()*+~._-"}, "/a;b=c,d:e@f!$&'()*+~._-"),
    "two slashes": ({"PATH_INFO": "//evil.example/%2f.."}, "//evil.example/%252f.."),
    "a backslash": ({"PATH_INFO": "/\\evil.example"}, "/%5Cevil.example"),
    "an at sign": ({"PATH_INFO": "@evil.example"}, "/@evil.example"),
    "a port": ({"PATH_INFO": ":80@evil.example"}, "/:80@evil.example"),
    "another host's end": ({"PATH_INFO": ".evil.example"}, "/.evil.example"),
    "a URL": ({"PATH_INFO": "http://evil.example/"}, "/http://evil.example/"),
    "an asterisk": ({"PATH_INFO": "*"}, "/*"),
    "CR and LF": ({"PATH_INFO": "/a\r\nSet-Cookie: b=c"}, "/a%0D%0ASet-Cookie:%20b=c"),
    "CR and LF in the query": ({"QUERY_STRING": "a\r\nX: y\0"}, "/?a%0D%0AX:%20y%00"),
    "a hash in the query": ({"QUERY_STRING": "a#b"}, "/?a%23b"),
    "brackets in the query": ({"QUERY_STRING": "a[]=1"}, "/?a%5B%5D=1"),
    "bytes in the query": ({"QUERY_STRING": "a=\xc3\xa9"}, "/?a=%C3%A9"),
}


@pytest.mark.parametrize(("environ", "expected"), TARGETS.values(), ids=TARGETS)
def test_path_and_query_stay(environ, expected):
    assert location(**environ) == f"https://example.com{expected}"


AUTHORITIES = {
    "a port": ("example.com:8080", "https://example.com/"),
    "capitals": ("EXAMPLE.com", "https://example.com/"),
    "the root's dot": ("example.com.", "https://example.com/"),
    "below": ("www.example.com", "https://www.example.com/"),
    "IPv6": ("[2001:0db8::1]:80", "https://[2001:db8::1]/"),
}


@pytest.mark.parametrize(("host", "expected"), AUTHORITIES.values(), ids=AUTHORITIES)
def test_hosts(host, expected):
    assert location(HTTP_HOST=host) == expected


def test_https_on_another_port():
    assert (
        location(HTTPSRedirect(ok, hosts=HOSTS, port=8443), HTTP_HOST="example.com:8080") == "https://example.com:8443/"
    )


@pytest.mark.parametrize(
    "host",
    [None, "", "evil.example", "example.com.evil.example", "example.com, evil.example", "example.com\r\nX: y"],
    ids=ascii,
)
def test_no_redirect_to_another_host(host):
    app = Recorder()
    seen = redirected(HTTPSRedirect(app, hosts=HOSTS), HTTP_HOST=host)
    assert (seen.status, seen.header("Location")) == ("400 Bad Request", [])
    assert not hasattr(app, "environ")


LOCAL = {
    "localhost": ("localhost:5000", 200),
    "below localhost": ("shop.localhost", 200),
    "loopback": ("127.0.0.1:5000", 200),
    "the whole of loopback": ("127.8.9.10", 200),
    "loopback, IPv6": ("[::1]:5000", 200),
    "a name like it": ("notlocalhost", 400),
    "a name below another": ("localhost.evil.example", 400),
}


@pytest.mark.parametrize(("host", "status"), LOCAL.values(), ids=LOCAL)
def test_development_goes_on_by_http_item_51(host, status):
    assert redirected(HTTP_HOST=host).status.startswith(str(status))
    assert location(HTTPSRedirect(ok, hosts=["*"], exempt_hosts=None), HTTP_HOST=host).startswith("https://")


def test_health_checks_go_on_by_http_item_51():
    app = HTTPSRedirect(ok, hosts=HOSTS, exempt_hosts=["10.0.0.0/8"], skip=["/healthz", "/.well-known/acme-challenge/"])
    assert redirected(app, HTTP_HOST="10.1.2.3:8000").status == "200 OK"
    assert redirected(app, HTTP_HOST="172.17.0.2:8000", PATH_INFO="/healthz").status == "200 OK"
    assert redirected(app, PATH_INFO="/.well-known/acme-challenge/token").status == "200 OK"
    assert redirected(app, PATH_INFO="/healthz2").status == "301 Moved Permanently"


def test_by_default_only_a_host_that_trusted_hosts_let_through(caplog):
    app = Stack(ok, [TrustedHosts(hosts=HOSTS), HTTPSRedirect()])
    assert location(app) == "https://example.com/"
    assert redirected(app, HTTP_HOST="evil.example").status == "400 Bad Request"
    assert not caplog.records


def test_without_hosts_and_trusted_hosts_nothing_is_redirected_and_the_log_says_so_once(caplog):
    app = HTTPSRedirect(ok)
    assert [redirected(app).status for _ in range(3)] == ["400 Bad Request"] * 3
    assert [record.getMessage()[:30] for record in caplog.records] == ["HTTPSRedirect: hosts=None redi"]
    assert redirected(app, wsgi__url_scheme="https").status == "200 OK"


def test_a_host_that_was_changed_after_trusted_hosts_does_not_count():
    def changing(app):
        def changed(environ, start_response):
            environ["HTTP_HOST"] = "evil.example"
            return app(environ, start_response)

        return changed

    app = TrustedHosts(changing(HTTPSRedirect(ok)), hosts=HOSTS)
    assert redirected(app).status == "400 Bad Request"


def test_a_path_that_trusted_hosts_skips_has_no_host_to_redirect_to(caplog):
    app = Stack(ok, [TrustedHosts(hosts=HOSTS, skip="/open"), HTTPSRedirect()])
    assert redirected(app, HTTP_HOST="evil.example", PATH_INFO="/open").status == "400 Bad Request"
    assert len(caplog.records) == 1


def test_too_long_for_a_header():
    assert redirected(PATH_INFO="/" + "a" * 65536).status == "414 URI Too Long"
    assert redirected(QUERY_STRING='"' * 1500).status == "414 URI Too Long"
    assert redirected(PATH_INFO="/" + "a" * 3900).status == "301 Moved Permanently"


CLAIMS = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Proto in capitals": ("X-Forwarded-Proto", "HTTPS"),
    "a list": ("X-Forwarded-Proto", "https, http"),
    "Forwarded": "for=192.0.2.1;proto=https",
    "X-Forwarded-Ssl": "on",
    "Front-End-Https": "on",
    "Cf-Visitor": '{"scheme":"https"}',
    "Sec-Fetch-Site": "none",
}
CLAIMS = {label: claim if isinstance(claim, tuple) else (label, claim) for label, claim in CLAIMS.items()}


@pytest.mark.parametrize(("header", "value"), CLAIMS.values(), ids=CLAIMS)
def test_a_claim_of_https_is_no_way_around_but_is_told_once(header, value, caplog):
    key = f"HTTP_{header.upper().replace('-', '_')}"
    app = HTTPSRedirect(ok, hosts=HOSTS)
    for _ in range(3):
        seen = redirected(app, **{key: value}, REMOTE_ADDR="10.0.0.7")
        # Temporary: a browser that kept it would go on in a circle when the proxy is known at last.
        assert (seen.status, seen.header("Cache-Control")) == ("302 Found", ["no-store"])
        assert seen.header("Location") == ["https://example.com/"]
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert f"has a header {header} " in record.getMessage()
    assert "write ProxyFix(trusted=['10.0.0.7']) outside" in record.getMessage()
    assert redirected(app, REQUEST_METHOD="POST", **{key: value}).status == "307 Temporary Redirect"


@pytest.mark.parametrize("value", ["http", "", "on"], ids=repr)
def test_a_claim_of_http_is_none(value, caplog):
    assert redirected(HTTP_X_FORWARDED_PROTO=value).status == "301 Moved Permanently"
    assert not caplog.records


def test_no_loop_behind_a_proxy_that_is_trusted():
    app = Stack(ok, [ProxyFix(trusted=["127.0.0.1"]), HTTPSRedirect(hosts=HOSTS)])
    assert redirected(app, HTTP_X_FORWARDED_PROTO="https").status == "200 OK"
    assert redirected(app, HTTP_X_FORWARDED_PROTO="http").status == "301 Moved Permanently"
    assert redirected(app, HTTP_X_FORWARDED_PROTO="https", REMOTE_ADDR="192.0.2.1").status == "301 Moved Permanently"


def test_a_loop_shows_though_proxy_fix_has_deleted_the_claim(caplog):
    """Browsers send Sec-Fetch-Site to https alone."""
    app = Stack(ok, [ProxyFix(trusted=["10.0.0.1"]), HTTPSRedirect(hosts=HOSTS)])
    browser = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_SEC_FETCH_SITE": "none", "REMOTE_ADDR": "10.0.0.7"}
    assert redirected(app, **browser).status == "302 Found"
    assert "ProxyFix(trusted=['10.0.0.7'])" in caplog.text


def test_hostile_values_are_escaped_in_the_log(caplog):
    redirected(HTTP_SEC_FETCH_SITE="\x1b[31m", REMOTE_ADDR="\x1b[31m\r\nevil" + "x" * 1000)
    assert "\x1b" not in caplog.records[0].getMessage()
    assert "\n" not in caplog.records[0].getMessage()
    assert len(caplog.records[0].getMessage()) < 600


def test_a_redirect_has_a_line_and_never_hsts():
    records = []
    app = Stack(ok, [RequestLog(to=records.append), SecurityHeaders(), HTTPSRedirect(hosts=HOSTS)])
    seen = redirected(app)
    assert [(record["status"], record.get("refused_by")) for record in records] == [(301, None)]
    assert seen.header("Strict-Transport-Security") == []
    redirected(app, HTTP_HOST="evil.example")
    assert (records[1]["status"], records[1]["refused_by"]) == (400, "HTTPSRedirect")


WRONG_ORDER = {
    "ProxyFix": ProxyFix(trusted=[]),
    "TrustedHosts": TrustedHosts(hosts=["a"]),
    "RequestLog": RequestLog(to="stderr"),
}


@pytest.mark.parametrize("layer", WRONG_ORDER.values(), ids=WRONG_ORDER)
def test_a_wrong_order_is_refused(layer):
    with pytest.raises(ValueError, match=f"^{type(layer).__name__} must stand outside HTTPSRedirect"):
        Stack(ok, [HTTPSRedirect(hosts=["a"]), layer])


REFUSED = {
    "hosts": ({"hosts": "example.com"}, "^HTTPSRedirect: hosts='example.com' must be a list"),
    "exempt_hosts": ({"exempt_hosts": ["a b"]}, "^HTTPSRedirect: exempt_hosts entry 'a b' is no host"),
    "permanent": ({"permanent": 301}, "permanent=301 must be True"),
    "port 0": ({"port": 0}, "port=0 must be a whole number from 1 to 65535"),
    "port as text": ({"port": "443"}, "port='443'"),
    "port as a boolean": ({"port": True}, "port=True"),
    "misspelt": ({"exempt": ["a"]}, "did you mean 'exempt_hosts'"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        HTTPSRedirect(ok, **options)


# reg-name and path-abempty [ "?" query ] (RFC 3986), whatever came in.
_URL = re.compile(r"https://example\.com(/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)+(\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")


@given(path=st.text(max_size=60), script=st.text(max_size=20), query=st.text(max_size=60))
def test_whatever_is_asked_for_the_redirect_stays_at_its_host(path, script, query):
    seen = redirected(PATH_INFO=path, SCRIPT_NAME=script, QUERY_STRING=query)
    assert seen.error is None
    (value,) = seen.header("Location")
    assert _URL.fullmatch(value)


@given(path=st.binary(max_size=60), query=st.text("abc=&%20/?", max_size=20))
def test_the_app_then_gets_the_path_that_was_asked_for(path, query):
    from urllib.parse import unquote_to_bytes, urlsplit

    target = urlsplit(location(PATH_INFO=f"/{path.decode('latin-1')}", QUERY_STRING=query))
    assert unquote_to_bytes(target.path) == b"/" + path
    assert target.query == query


@given(path=st.text("abcé/ü ~-._", max_size=20))
def test_a_plain_path_is_written_as_werkzeug_writes_it(path):
    environ = make_environ(HTTP_HOST="example.com", PATH_INFO="/a" + path.encode().decode("latin-1"))
    theirs = Request(environ | {"wsgi.url_scheme": "https"})
    assert location(PATH_INFO=environ["PATH_INFO"]) == iri_to_uri(theirs.url)


def test_flask_behind_it():
    app = flask.Flask("shop")
    app.add_url_rule("/item/<name>", view_func=lambda name: name, methods=["GET", "POST"])
    app.wsgi_app = HTTPSRedirect(app.wsgi_app, hosts=["example.com"])
    client = app.test_client()
    answer = client.post("/item/café?a=1", base_url="http://example.com", data="body", follow_redirects=True)
    assert (answer.status_code, answer.text) == (200, "café")
    assert answer.request.url == "https://example.com/item/café?a=1"
    assert [step.status_code for step in answer.history] == [308]
