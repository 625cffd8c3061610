import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apps import Recorder, ok
from support.wsgi import call, make_environ
from werkzeug.middleware.proxy_fix import ProxyFix as WerkzeugProxyFix

from overcoat.middleware import ProxyFix, RequestID, RequestLog, Stack, describe
from overcoat.middleware._forwarded import FORWARDING_KEYS

KEYS = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME")


def fixed(*counts, environ, **options):
    """The environ that the app sees."""
    app = Recorder()
    call(ProxyFix(app, *counts, **options), **environ)
    return app.environ


def trusting(environ, *, trusted=("127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48", "unix:"), **counts):
    return fixed(environ={"REMOTE_ADDR": "127.0.0.1", **environ}, trusted=trusted, **counts)


# Without trusted=: Werkzeug's

GOOD = {
    "HTTP_X_FORWARDED_FOR": [None, "192.0.2.1", "192.0.2.1, 198.51.100.2", "2001:db8::1, 192.0.2.1,198.51.100.2"],
    "HTTP_X_FORWARDED_PROTO": [None, "https", "https, http"],
    "HTTP_X_FORWARDED_HOST": [None, "shop.example", "shop.example:8443, [2001:db8::1]:81", "[2001:db8::1]"],
    "HTTP_X_FORWARDED_PORT": [None, "8443", "80, 8443"],
    "HTTP_X_FORWARDED_PREFIX": [None, "/app", "/outer, /app/v1"],
}
COUNTS = [(), (0, 0, 0, 0, 0), (1, 1, 1, 1, 1), (2, 1, 2, 1, 2), (3, 2, 1, 2, 0)]


@pytest.mark.parametrize("counts", COUNTS, ids=str)
def test_good_values_are_werkzeug_s(counts):
    for values in itertools.product(*GOOD.values()):
        environ = make_environ(**dict(zip(GOOD, values, strict=True)))
        theirs, ours = dict(environ), dict(environ)
        WerkzeugProxyFix(ok, *counts)(theirs, lambda *_: None)
        ProxyFix(ok, *counts)(ours, lambda *_: None)
        ours.pop("overcoat.proxy_fix.orig")
        assert ours == theirs, values


BAD = {
    "R3 for: markup": ("HTTP_X_FORWARDED_FOR", "<script>\x1b[31m"),
    "for: unknown": ("HTTP_X_FORWARDED_FOR", "unknown"),
    "R4 proto: javascript": ("HTTP_X_FORWARDED_PROTO", "javascript"),
    "R4 host: a path": ("HTTP_X_FORWARDED_HOST", "evil.com/path?x="),
    "CVE-2026-48710 host: a query": ("HTTP_X_FORWARDED_HOST", "example.com/healthz?"),
    "PYSEC-2026-248 host: userinfo": ("HTTP_X_FORWARDED_HOST", "x@evil.com"),
    "host: CR LF": ("HTTP_X_FORWARDED_HOST", "a\r\nX: y"),
    "CVE-2022-24761 port: a sign": ("HTTP_X_FORWARDED_PORT", "+80"),
    "port: too large": ("HTTP_X_FORWARDED_PORT", "65536"),
    "R4 prefix: another host": ("HTTP_X_FORWARDED_PREFIX", "//evil.com"),
    "prefix: dot segments": ("HTTP_X_FORWARDED_PREFIX", "/a/../../admin"),
}


@pytest.mark.parametrize(("key", "value"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("options", [{}, {"trusted": ["127.0.0.1"]}], ids=["by count", "by trust"])
def test_bad_values_are_not_taken(key, value, options):
    before = make_environ()
    theirs = make_environ(**{key: value})
    WerkzeugProxyFix(ok, 1, 1, 1, 1, 1)(theirs, lambda *_: None)
    assert [theirs.get(name) for name in KEYS] != [before.get(name) for name in KEYS]
    ours = fixed(1, 1, 1, 1, 1, environ={key: value}, **options)
    assert [ours.get(name) for name in KEYS] == [before.get(name) for name in KEYS]


def test_r3_a_port_is_cut_off():
    assert fixed(environ={"HTTP_X_FORWARDED_FOR": "192.0.2.1:5678"})["REMOTE_ADDR"] == "192.0.2.1"


def test_fewer_values_than_the_count_change_nothing():
    assert fixed(2, environ={"HTTP_X_FORWARDED_FOR": "192.0.2.1"})["REMOTE_ADDR"] == "127.0.0.1"


def test_describe_says_whom_it_trusts():
    assert "trusts any peer" in str(describe(ProxyFix(ok)))
    assert "trusts any peer" not in str(describe(ProxyFix(ok, trusted=[])))


# With trusted=: the peer first, then the walk

WALKS = {
    "one proxy": ("192.0.2.1", "192.0.2.1"),
    "R1 the client's own words left of it": ("6.6.6.6, 192.0.2.1", "192.0.2.1"),
    "R2 more words than proxies": ("6.6.6.6, 7.7.7.7, 192.0.2.1", "192.0.2.1"),
    "proxies between": ("6.6.6.6, 192.0.2.1, 10.0.0.9, 10.1.2.3", "192.0.2.1"),
    "with ports and brackets": ("[2001:db8:2::1]:4711, 10.0.0.9:80", "2001:db8:2::1"),
    "IPv4-mapped proxy": ("192.0.2.1, ::ffff:10.0.0.9", "192.0.2.1"),
    "IPv6 proxy": ("192.0.2.1, 2001:db8:1::5", "192.0.2.1"),
    "all of it trusted: the leftmost": ("10.0.0.1, 10.0.0.2", "10.0.0.1"),
    "empty elements": ("192.0.2.1, , 10.0.0.9,", "192.0.2.1"),
    "spaces and tabs": ("\t192.0.2.1 ,\t10.0.0.9 ", "192.0.2.1"),
    "garbage left of the client": ("<script>, 192.0.2.1", "192.0.2.1"),
    "garbage in the walk keeps the peer": ("192.0.2.1, unknown, 10.0.0.9", "127.0.0.1"),
    "garbage at the end keeps the peer": ("192.0.2.1, x", "127.0.0.1"),
    "a long element keeps the peer": ("1" * 81, "127.0.0.1"),
    "empty": ("", "127.0.0.1"),
    "only commas": (",,", "127.0.0.1"),
    "gunicorn 3091 another kind of space": ("\xa0192.0.2.1", "127.0.0.1"),
}


@pytest.mark.parametrize(("value", "client"), WALKS.values(), ids=WALKS)
def test_item_1_the_walk(value, client):
    assert trusting({"HTTP_X_FORWARDED_FOR": value})["REMOTE_ADDR"] == client


def test_a_count_is_an_upper_bound():
    value = "192.0.2.1, 10.0.0.8, 10.0.0.9"
    assert trusting({"HTTP_X_FORWARDED_FOR": value}, x_for=2)["REMOTE_ADDR"] == "10.0.0.8"
    assert trusting({"HTTP_X_FORWARDED_FOR": value}, x_for=0)["REMOTE_ADDR"] == "127.0.0.1"


PEERS = {
    "127.0.0.1": True,
    "10.9.8.7": True,
    "::ffff:10.9.8.7": True,
    "2001:db8:1::9": True,
    "": True,  # gunicorn on a Unix socket
    "localhost": True,  # waitress on one
    "unix:/run/app.sock": True,
    "unix:": True,
    "11.0.0.1": False,
    "::1": False,
    "2001:db8:2::1": False,
    "localhost.evil.example": False,
    "10.0.0.1, 1.2.3.4": False,
    "not an address": False,
    "1" * 65536: False,
    None: False,  # gunicorn behind PROXY protocol v2 LOCAL
}


@pytest.mark.parametrize(("peer", "trusted"), PEERS.items(), ids=[repr(peer)[:30] for peer in PEERS])
def test_the_peer_is_looked_at_first(peer, trusted):
    app = Recorder()
    fix = ProxyFix(app, trusted=["127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48", "unix:"])
    call(fix, REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR="192.0.2.1", HTTP_X_FORWARDED_PROTO="https")
    assert app.environ.get("REMOTE_ADDR") == ("192.0.2.1" if trusted else peer)
    assert app.environ["wsgi.url_scheme"] == ("https" if trusted else "http")
    assert ("HTTP_X_FORWARDED_FOR" in app.environ) is trusted


@pytest.mark.parametrize("peer", ["", "localhost", "unix:/run/app.sock"], ids=repr)
def test_a_unix_socket_is_trusted_only_by_name(peer):
    environ = trusting({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": "192.0.2.1"}, trusted=["0.0.0.0/0", "::/0"])
    assert environ["REMOTE_ADDR"] == peer


@pytest.mark.parametrize("trusted", [["::ffff:10.0.0.0/104"], ["::ffff:10.0.0.7"], ["10.0.0.7"], {"10.0.0.0/8"}])
@pytest.mark.parametrize("peer", ["10.0.0.7", "::ffff:10.0.0.7"])
def test_mapped_addresses_are_ipv4(trusted, peer):
    environ = trusting({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": "192.0.2.1"}, trusted=trusted)
    assert environ["REMOTE_ADDR"] == "192.0.2.1"


FORGED = [
    *sorted(FORWARDING_KEYS),
    *(f"HTTP_X_FORWARDED_{name}" for name in ("FOR", "PROTO", "HOST", "PORT", "PREFIX")),
]


@pytest.mark.parametrize("key", [*FORGED, "HTTP_X_FORWARDED_USER", "HTTP_X_FORWARDED_CLIENT_CERT"])
def test_cve_2022_2255_item_7_a_stranger_s_headers_are_deleted(key):
    environ = trusting({"REMOTE_ADDR": "198.51.100.9", key: "192.0.2.1", "HTTP_USER_AGENT": "curl"})
    assert key not in environ
    assert environ["HTTP_USER_AGENT"] == "curl"


def test_an_empty_list_trusts_nobody():
    environ = trusting({"HTTP_X_FORWARDED_FOR": "192.0.2.1"}, trusted=[])
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert "HTTP_X_FORWARDED_FOR" not in environ


@pytest.mark.parametrize("options", [{}, {"trusted": ["127.0.0.1"]}, {"trusted": []}], ids=str)
def test_cve_2016_1000110_httpoxy(options):
    assert "HTTP_PROXY" not in fixed(environ={"HTTP_PROXY": "http://evil.example"}, **options)


HOPS = {
    "an element for each hop: that of the client's": ("192.0.2.1, 10.0.0.9", "https, http", "https"),
    "the client's own words left of it": ("6.6.6.6, 192.0.2.1, 10.0.0.9", "ftp, https, http", "https"),
    "one element for two hops: the nearest proxy's": ("192.0.2.1, 10.0.0.9", "https", "https"),
    "another number: the rightmost": ("192.0.2.1", "http, https", "https"),
    "no X-Forwarded-For": (None, "http, https", "https"),
    "bad address: the rightmost": ("192.0.2.1, x", "http, https", "https"),
}


@pytest.mark.parametrize(("forwarded_for", "proto", "scheme"), HOPS.values(), ids=HOPS)
def test_other_fields_follow_the_walk(forwarded_for, proto, scheme):
    environ = trusting({"HTTP_X_FORWARDED_FOR": forwarded_for, "HTTP_X_FORWARDED_PROTO": proto})
    assert environ["wsgi.url_scheme"] == scheme


def test_item_8_host_port_and_prefix_only_if_asked_for():
    claims = {
        "HTTP_X_FORWARDED_FOR": "192.0.2.1",
        "HTTP_X_FORWARDED_HOST": "Shop.Example",
        "HTTP_X_FORWARDED_PORT": "8443",
        "HTTP_X_FORWARDED_PREFIX": "/app/",
    }
    environ = trusting(claims)
    assert (environ["HTTP_HOST"], environ["SERVER_PORT"], environ["SCRIPT_NAME"]) == ("localhost", "80", "")
    environ = trusting(claims, x_host=1, x_port=1, x_prefix=1)
    assert (environ["HTTP_HOST"], environ["SERVER_PORT"], environ["SCRIPT_NAME"]) == (
        "shop.example:8443",
        "8443",
        "/app",
    )
    assert environ["SERVER_NAME"] == "shop.example"


def test_item_2_what_was_rewritten_is_kept():
    environ = trusting({"HTTP_X_FORWARDED_FOR": "192.0.2.1", "HTTP_X_FORWARDED_PROTO": "https"})
    assert environ["overcoat.proxy_fix.orig"] == environ["werkzeug.proxy_fix.orig"]
    assert environ["overcoat.proxy_fix.orig"] == {key: make_environ().get(key) for key in KEYS}


def test_item_10_the_log_tells_client_and_peer():
    records = []
    app = Stack(ok, [ProxyFix(trusted=["127.0.0.1"]), RequestID(), RequestLog(to=records.append)])
    call(app, HTTP_X_FORWARDED_FOR="192.0.2.1", HTTP_X_FORWARDED_PROTO="https")
    assert (records[0]["client"], records[0]["peer"], records[0]["scheme"]) == ("192.0.2.1", "127.0.0.1", "https")


VALUES = st.text(st.characters(max_codepoint=255)) | st.sampled_from(["10.0.0.1", "192.0.2.1", ",", "https"])


@given(st.sampled_from(["127.0.0.1", "198.51.100.9", "", "::1"]), st.lists(VALUES, min_size=5, max_size=5))
def test_whatever_comes_the_environ_is_sound(peer, values):
    environ = dict(zip(GOOD, values, strict=True))
    seen = trusting({"REMOTE_ADDR": peer, **environ}, x_host=1, x_port=1, x_prefix=1)
    assert seen["wsgi.url_scheme"] in {"http", "https", "ws", "wss"}
    assert all(seen[key].isprintable() and " " not in seen[key] for key in KEYS)
    assert peer in {"127.0.0.1", ""} or seen["REMOTE_ADDR"] == peer


@pytest.mark.parametrize("unit", ["10.0.0.1,", "1.1.1.1,", ",", "[", "é", "x" * 79 + ","], ids=lambda unit: unit[:9])
@pytest.mark.parametrize("options", [{}, {"trusted": ["127.0.0.1", "10.0.0.0/8"]}], ids=["by count", "by trust"])
def test_cve_2025_62727_64_kib_cost_linear_time(unit, options):
    fixed(1, 1, 1, 1, 1, environ=dict.fromkeys(GOOD, unit * (65536 // len(unit))), **options)


WRONG = {
    "a string": ({"trusted": "10.0.0.0/8"}, r"trusted='10.0.0.0/8' must be a list: trusted=\['10.0.0.0/8'\]"),
    "host bits": ({"trusted": ["10.0.0.1/8"]}, "trusted entry '10.0.0.1/8' .*host bits"),
    "no address": ({"trusted": ["proxy"]}, "trusted entry 'proxy' is no address"),
    "star": ({"trusted": ["*"]}, "trusted entry '\\*'"),
    "a number": ({"trusted": [10]}, "trusted entry 10"),
    "None in it": ({"trusted": [None]}, "trusted entry None"),
    "unix without colon": ({"trusted": ["unix"]}, "'unix' is no address, network or 'unix:'"),
    "a flag": ({"trusted": True}, "trusted=True must be a list"),
    "count below 0": ({"x_for": -1}, "x_for=-1 must be a whole number"),
    "count as text": ({"x_proto": "1"}, "x_proto='1'"),
    "count as a flag": ({"x_host": True}, "x_host=True"),
    "item 3 unknown option": ({"trust": []}, r"unknown option trust=\[\]; did you mean 'trusted'"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        ProxyFix(ok, **options)


@pytest.mark.parametrize("spoofed", ["", "6.6.6.6, ", "6.6.6.6, 7.7.7.7, "])
def test_the_client_cannot_shift_which_scheme_counts(spoofed):
    seen = {}

    def app(environ, start_response):
        seen.update(environ)
        start_response("200 OK", [])
        return []

    proxied = ProxyFix(app, trusted=["10.0.0.0/8"])
    call(
        proxied,
        REMOTE_ADDR="10.0.0.1",
        HTTP_X_FORWARDED_FOR=f"{spoofed}192.0.2.7, 10.0.0.2",
        HTTP_X_FORWARDED_PROTO="https, http",
    )
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("192.0.2.7", "https")
