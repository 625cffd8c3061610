import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apps import Recorder, ok
from support.wsgi import call

from overcoat.middleware import ProxyFix, RequestLog, Stack, TrustedHosts
from overcoat.middleware._authority import parse_authority

HOSTS = ["example.com", "*.example.com", "10.0.0.0/8", "[::1]:8080", "bücher.example"]

PASSES = ["example.com", "EXAMPLE.com:8443", "www.example.com", "10.1.2.3:8000", "[::1]:8080", "xn--bcher-kva.example."]
REFUSES = [
    "", "evil.example", "evilexample.com", "example.com.evil.example", "example.com:x", "[::1]", "11.0.0.1",
    "example.com, evil.example", "example.com,example.com", "example.com/../", "user@example.com",
    "example.com\r\nX: y",
]  # fmt: skip


@pytest.mark.parametrize("host", PASSES)
def test_a_host_of_ours_passes(host):
    app = Recorder()
    assert call(TrustedHosts(app, hosts=HOSTS), HTTP_HOST=host).status == "200 OK"
    assert app.environ["HTTP_HOST"] == host


@pytest.mark.parametrize("host", REFUSES, ids=ascii)
def test_another_host_is_refused(host):
    app = Recorder()
    seen = call(TrustedHosts(app, hosts=HOSTS), HTTP_HOST=host)
    assert (seen.status, seen.body) == ("400 Bad Request", b"This host is not served here.\n")
    assert seen.headers == [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "30")]
    assert not hasattr(app, "environ")


def test_a_refusal_of_head_has_no_body():
    seen = call(TrustedHosts(ok, hosts=HOSTS), HTTP_HOST="evil.example", REQUEST_METHOD="HEAD")
    assert (seen.status, seen.body, seen.header("Content-Length")) == ("400 Bad Request", b"", ["30"])


MISSING = {
    "HTTP/1.1": (False, "HTTP/1.1", 400),
    "HTTP/1.0": (False, "HTTP/1.0", 400),
    "HTTP/1.0, allowed": (True, "HTTP/1.0", 200),
    "HTTP/1.1, allowed": (True, "HTTP/1.1", 400),
    "HTTP/2, allowed": (True, "HTTP/2", 400),
    "no version, allowed": (True, None, 400),
}


@pytest.mark.parametrize(("allow_missing", "version", "status"), MISSING.values(), ids=MISSING)
def test_a_request_without_host(allow_missing, version, status):
    app = TrustedHosts(ok, hosts=HOSTS, allow_missing=allow_missing)
    seen = call(app, HTTP_HOST=None, SERVER_PROTOCOL=version)
    assert seen.status.startswith(str(status))


def test_an_empty_host_is_none_that_http_1_0_may_leave_out():
    app = TrustedHosts(ok, hosts=HOSTS, allow_missing=True)
    assert call(app, HTTP_HOST="", SERVER_PROTOCOL="HTTP/1.0").status == "400 Bad Request"


TARGETS = {
    "origin form": ("/a?b=http://evil.example/", 200),
    "two slashes": ("//evil.example/a", 200),
    "asterisk form": ("*", 200),
    "authority form": ("example.com:443", 200),
    "empty": ("", 200),
    "the same host": ("http://example.com/a", 200),
    "the same host and a port": ("http://EXAMPLE.com:80", 200),
    "the same host and a query": ("http://example.com?a=/", 200),
    "another host": ("http://evil.example/a", 400),
    "another host of ours": ("http://www.example.com/a", 400),
    "another host by https": ("https://evil.example/", 400),
    "another scheme": ("x+y://evil.example/", 400),
    "a user": ("http://example.com@evil.example/", 400),
    "a user at our host": ("http://user@example.com/", 400),
    "a backslash": ("http://evil.example\\@example.com/", 400),
    "no host": ("http:///a", 400),
    "64 KiB": ("http://" + "a" * 65536, 400),
}


@pytest.mark.parametrize("key", ["RAW_URI", "REQUEST_URI"])
@pytest.mark.parametrize(("target", "status"), TARGETS.values(), ids=TARGETS)
def test_a_target_in_absolute_form_names_the_same_host(target, status, key):
    seen = call(TrustedHosts(ok, hosts=HOSTS), HTTP_HOST="example.com", **{key: target})
    assert seen.status.startswith(str(status))


def test_exempt_paths_pass_with_any_host():
    app = TrustedHosts(ok, hosts=HOSTS, skip="/healthz")
    assert call(app, HTTP_HOST="172.17.0.5:8000", PATH_INFO="/healthz").status == "200 OK"
    assert call(app, HTTP_HOST=None, PATH_INFO="/healthz").status == "200 OK"
    assert call(app, HTTP_HOST="172.17.0.5:8000", PATH_INFO="/healthz/x").status == "400 Bad Request"


def test_any_well_formed_host_by_a_star():
    app = TrustedHosts(ok, hosts=["*"])
    assert call(app, HTTP_HOST="whatever.example").status == "200 OK"
    assert call(app, HTTP_HOST="a, b").status == "400 Bad Request"


def test_the_host_that_a_trusted_proxy_tells_is_the_one_looked_at():
    app = Stack(ok, [ProxyFix(trusted=["127.0.0.1"], x_host=1), TrustedHosts(hosts=["example.com"])])
    assert call(app, HTTP_HOST="app:8000", HTTP_X_FORWARDED_HOST="example.com").status == "200 OK"
    assert call(app, HTTP_HOST="example.com", HTTP_X_FORWARDED_HOST="evil.example").status == "400 Bad Request"
    stranger = {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_HOST": "example.com"}
    assert call(app, HTTP_HOST="evil.example", **stranger).status == "400 Bad Request"


def test_a_refusal_has_a_line_that_says_who_refused():
    records = []
    app = Stack(ok, [RequestLog(to=records.append), TrustedHosts(hosts=["example.com"])])
    call(app, HTTP_HOST="evil.example")
    call(app, HTTP_HOST="example.com")
    assert [(record["status"], record.get("refused_by")) for record in records] == [(400, "TrustedHosts"), (200, None)]
    assert records[0]["host"] == "evil.example"


WRONG_ORDER = {
    "ProxyFix inside": [TrustedHosts(hosts=["a"]), ProxyFix(trusted=[])],
    "RequestLog inside": [TrustedHosts(hosts=["a"]), RequestLog(to="stderr")],
}


@pytest.mark.parametrize("layers", WRONG_ORDER.values(), ids=WRONG_ORDER)
def test_a_wrong_order_is_refused(layers):
    with pytest.raises(ValueError, match="must stand outside TrustedHosts"):
        Stack(ok, layers)


REFUSED = {
    "no hosts": ({}, r"^TrustedHosts: hosts=None names no host: write yours, such as hosts="),
    "hosts as the app": ({"app": ["a.example"]}, r"is no application: write TrustedHosts\(hosts=\['a.example'\]\)"),
    "a text": ({"hosts": "example.com"}, r"must be a list: write \['example.com'\]"),
    "an empty list": ({"hosts": []}, "is empty"),
    "a URL": ({"hosts": ["https://example.com"]}, "write the host alone"),
    "allow_missing": ({"hosts": ["a"], "allow_missing": "yes"}, "allow_missing='yes' must be True or False"),
    "misspelt": ({"hosts": ["a"], "allow_mising": True}, "did you mean 'allow_missing'"),
    "hosts, by another name": ({"allowed_hosts": ["a"]}, r"option allowed_hosts=\['a'\]; did you mean 'hosts'"),
    "hosts, misspelt": ({"host": ["a"]}, r"^TrustedHosts: unknown option host=\['a'\]; did you mean 'hosts'"),
    "no hosts, and what every layer takes": ({"skip": "/livez"}, "hosts=None names no host"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        TrustedHosts(**({"app": ok} | options))


@given(host=st.text(max_size=300), target=st.none() | st.text(max_size=300))
def test_no_host_and_no_target_raises(host, target):
    app = Recorder()
    seen = call(TrustedHosts(app, hosts=["*.example.com", "*"]), HTTP_HOST=host, REQUEST_URI=target)
    assert seen.error is None
    assert seen.status in {"200 OK", "400 Bad Request"}
    if seen.status == "200 OK":
        assert parse_authority(host) is not None


def test_beside_flask_s_own_trusted_hosts():
    """Flask looks at its TRUSTED_HOSTS when it matches the URL: what passes here may still be refused there."""
    app = flask.Flask("shop")
    app.config["TRUSTED_HOSTS"] = ["example.com"]
    app.add_url_rule("/", view_func=lambda: flask.request.host)
    app.wsgi_app = TrustedHosts(app.wsgi_app, hosts=["example.com", "www.example.com"])
    client = app.test_client()
    answers = {
        host: client.get("/", headers={"Host": host}) for host in ("example.com", "www.example.com", "b.example")
    }
    assert {host: answer.status_code for host, answer in answers.items()} == {
        "example.com": 200, "www.example.com": 400, "b.example": 400
    }  # fmt: skip
    assert answers["example.com"].text == "example.com"
    assert answers["b.example"].text == "This host is not served here.\n"
    assert answers["www.example.com"].text != answers["b.example"].text
