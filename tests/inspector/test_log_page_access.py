"""Who may see the log page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wsgi import call

from overcoat.inspector import LogPage
from overcoat.inspector.page._access import Access
from overcoat.middleware import Mount, ProxyFix, Stack, TrustedHosts
from overcoat.middleware._forwarded import FORWARDING_KEYS

LOCAL = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:5001"}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "app.log"
    path.write_text("")
    page = LogPage(path)
    yield page
    page.close()


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.0.9", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5001", "app.localhost", "127.0.0.1:8000", "[::1]:80", "10.0.0.7"]
)
def test_a_client_on_this_machine_may(page, client, host):
    assert call(page, **LOCAL | {"REMOTE_ADDR": client, "HTTP_HOST": host}, PATH_INFO="/").status == "200 OK"


REFUSED = {
    "another machine": {"REMOTE_ADDR": "192.0.2.1"},
    "a private network": {"REMOTE_ADDR": "10.0.0.1"},
    "no client": {"REMOTE_ADDR": None},
    "a Unix socket": {"REMOTE_ADDR": ""},
    "a name": {"REMOTE_ADDR": "localhost"},
    "a zone": {"REMOTE_ADDR": "127.0.0.1%lo\n"},
    "rebinding": {"HTTP_HOST": "evil.example"},
    "rebinding to a name like ours": {"HTTP_HOST": "localhost.evil.example"},
    "a name that begins like an address": {"HTTP_HOST": "127.0.0.1.nip.example"},
    "no host": {"HTTP_HOST": None},
    "two hosts": {"HTTP_HOST": "localhost, evil.example"},
    **{key: {key: "192.0.2.1"} for key in sorted(FORWARDING_KEYS)},
    "X-Forwarded-For": {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
    "X-Forwarded-Proto": {"HTTP_X_FORWARDED_PROTO": "https"},
    "an empty X-Forwarded-For": {"HTTP_X_FORWARDED_FOR": ""},
    "Via": {"HTTP_VIA": "1.1 proxy"},
}


@pytest.mark.parametrize("environ", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("path", ["/", "/api/requests", "/request", "/static/page.js"])
def test_whoever_is_not_surely_here_may_not(page, environ, path):
    seen = call(page, **LOCAL | environ, PATH_INFO=path)
    assert seen.status == "403 FORBIDDEN"
    assert seen.header("Content-Type") == ["text/plain; charset=utf-8"]


TOLD = {
    "another machine": ({"REMOTE_ADDR": "192.0.2.1"}, [], "LogPage(allow=[...]) names others"),
    "another host": ({"HTTP_HOST": "evil.example"}, [], "LogPage(hosts=[...]) names more"),
    "no ProxyFix": ({"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, [], "no ProxyFix outside of this page tells whose it is"),
    "a silent proxy": ({"HTTP_VIA": "1.1 x"}, [ProxyFix(trusted=["127.0.0.1"])], "must send X-Forwarded-For"),
}


@pytest.mark.parametrize(("environ", "layers", "told"), TOLD.values(), ids=TOLD)
def test_who_is_refused_is_told_what_to_do(page, environ, layers, told):
    seen = call(Stack(page, layers) if layers else page, **LOCAL | environ, PATH_INFO="/")
    assert told in seen.body.decode()


#: The peer, what it forwards, and whether the page opens behind each ProxyFix.
TRUSTING, COUNTING = {"trusted": ["127.0.0.1", "unix:"]}, {}
BEHIND = {
    "a local client of a local proxy": (TRUSTING, "127.0.0.1", "127.0.0.1", True),
    "a far client of a local proxy": (TRUSTING, "127.0.0.1", "192.0.2.1", False),
    "a far client that claims to be local": (TRUSTING, "127.0.0.1", "127.0.0.1, 192.0.2.1", False),
    "a far peer that claims to be local": (TRUSTING, "192.0.2.1", "127.0.0.1", False),
    "a local peer without a proxy": (TRUSTING, "127.0.0.1", None, True),
    "a proxy on a Unix socket": (TRUSTING, "", "127.0.0.1", True),
    "a far client of a proxy on a Unix socket": (TRUSTING, "", "192.0.2.1", False),
    "counted, a local client": (COUNTING, "127.0.0.1", "127.0.0.1", True),
    "counted, a far client": (COUNTING, "127.0.0.1", "192.0.2.1", False),
    "counted, a far peer that claims to be local": (COUNTING, "192.0.2.1", "127.0.0.1", False),
}


@pytest.mark.parametrize(("options", "peer", "forwarded", "opens"), BEHIND.values(), ids=BEHIND)
def test_behind_proxy_fix_the_client_that_it_found_counts(page, options, peer, forwarded, opens):
    app = Stack(page, [ProxyFix(**options)])
    seen = call(app, **LOCAL | {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}, PATH_INFO="/")
    assert seen.status == ("200 OK" if opens else "403 FORBIDDEN")


def test_a_proxy_that_tells_no_client_opens_nothing_behind_proxy_fix_either(page):
    app = Stack(page, [ProxyFix(**TRUSTING)])
    assert call(app, **LOCAL, HTTP_X_REAL_IP="192.0.2.1", PATH_INFO="/").status == "403 FORBIDDEN"


def test_another_proxy_fix_than_ours_is_not_taken_for_it(page):
    environ = {"werkzeug.proxy_fix.orig": {"REMOTE_ADDR": "127.0.0.1"}, "HTTP_X_FORWARDED_FOR": "127.0.0.1"}
    assert call(page, **LOCAL | environ, PATH_INFO="/").status == "403 FORBIDDEN"


ALLOWED = {
    "an address": (["192.0.2.1"], "192.0.2.1", True),
    "a network": (["10.0.0.0/8"], "10.1.2.3", True),
    "outside of it": (["10.0.0.0/8"], "11.0.0.1", False),
    "this machine, not named": (["10.0.0.0/8"], "127.0.0.1", False),
    "mapped": (["10.0.0.0/8"], "::ffff:10.0.0.1", True),
    "everybody": (["0.0.0.0/0", "::/0"], "2001:db8::1", True),
    "asked": (lambda environ: environ["REMOTE_ADDR"] == "192.0.2.9", "192.0.2.9", True),
    "asked in vain": (lambda environ: False, "127.0.0.1", False),
}


@pytest.mark.parametrize(("allow", "client", "opens"), ALLOWED.values(), ids=ALLOWED)
def test_allow_names_others(allow, client, opens):
    assert (Access(allow, None).refusal(LOCAL | {"REMOTE_ADDR": client}) is None) is opens


def test_allowed_clients_must_not_come_through_an_unknown_proxy_either():
    access = Access(["192.0.2.0/24"], None)
    assert access.refusal(LOCAL | {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "198.51.100.1"})


def test_a_callable_is_asked_after_the_host():
    assert Access(lambda environ: True, None).refusal(LOCAL | {"HTTP_HOST": "evil.example"})


def test_hosts_and_trusted_hosts_let_more_hosts_in(tmp_path):
    page = LogPage(tmp_path / "app.log", hosts=["logs.example"])
    assert call(page, **LOCAL | {"HTTP_HOST": "logs.example"}, PATH_INFO="/").status == "200 OK"
    app = Stack(LogPage(tmp_path / "app.log"), [TrustedHosts(hosts=["shop.example"])])
    assert call(app, **LOCAL | {"HTTP_HOST": "shop.example"}, PATH_INFO="/").status == "200 OK"


def test_another_site_s_script_gets_no_figures(page):
    for site, status in {"cross-site": 403, "same-site": 403, "same-origin": 200, "none": 200}.items():
        seen = call(page, **LOCAL, PATH_INFO="/api/requests", HTTP_SEC_FETCH_SITE=site)
        assert seen.status.startswith(str(status))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_it_is_only_read(page, method):
    seen = call(page, **LOCAL, PATH_INFO="/", REQUEST_METHOD=method)
    assert (seen.status, seen.header("Allow")) == ("405 METHOD NOT ALLOWED", ["GET, HEAD"])


@given(st.dictionaries(st.sampled_from(["REMOTE_ADDR", "HTTP_HOST", "HTTP_X_FORWARDED_FOR"]), st.text()))
def test_nothing_hostile_raises_or_opens(environ):
    refusal = Access(None, None).refusal({"REMOTE_ADDR": "192.0.2.1", "HTTP_HOST": "localhost"} | environ)
    assert refusal or environ["REMOTE_ADDR"].startswith(("127.", "::"))


WRONG = {
    "text": ({"allow": "10.0.0.0/8"}, r"^LogPage: allow='10.0.0.0/8' must be a list"),
    "no network": ({"allow": ["10.0.0.1/8"]}, r"^LogPage: allow entry '10.0.0.1/8' is no address or network"),
    "a name": ({"allow": ["localhost"]}, r"^LogPage: allow entry 'localhost'"),
    "nobody": ({"allow": []}, r"^LogPage: allow=\[\] lets nobody in"),
    "a number": ({"allow": 7}, r"^LogPage: allow=7 must be a list"),
    "hosts as text": ({"hosts": "logs.example"}, r"^LogPage: hosts='logs.example' must be a list"),
    "a host that is none": ({"hosts": ["http://logs.example"]}, r"^LogPage: hosts entry"),
    "no requests": ({"max_requests": 0}, r"^LogPage: max_requests=0 must be a number"),
    "no mapping": ({"mapping": "stauts=.x"}, r"^LogPage: mapping='stauts=.x': 'stauts' is no field .* 'status'\?"),
    "a mapping that is no text": ({"mapping": {"status": "x"}}, r"^LogPage: mapping=\{'status': 'x'\} must be a text"),
    "no path": ({"path": 7}, r"^LogPage: path=7 must be the path of a log"),
    "a pipe": ({"path": "-"}, r"^LogPage: path='-' must be"),
    "no paths": ({"path": []}, r"^LogPage: path=\[\] names no log"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        LogPage(**{"path": "app.log"} | options)


def test_mounted_inside_a_log_s_stack_it_is_guarded_all_the_same(page):
    app = Stack(lambda environ, start_response: [], [ProxyFix(**TRUSTING), Mount("/_logs", page)])
    assert call(app, **LOCAL, PATH_INFO="/_logs/").status == "200 OK"
    assert call(app, **LOCAL | {"HTTP_X_FORWARDED_FOR": "192.0.2.1"}, PATH_INFO="/_logs/").status == "403 FORBIDDEN"
