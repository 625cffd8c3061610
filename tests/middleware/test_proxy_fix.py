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
def test_items_1_and_5_the_walk(value, client):
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
    "0.0.0.0": True,  # uWSGI on one
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


@pytest.mark.parametrize("peer", ["", "localhost", "0.0.0.0", "unix:/run/app.sock"], ids=repr)
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
    "fewer elements than hops: the rightmost": ("192.0.2.1, 10.0.0.8, 10.0.0.9", "http, https", "https"),
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
    "None in it": ({"trusted": [None]}, r"trusted entry None is no .*\(it must be text\)"),
    "a zone": ({"trusted": ["fe80::1%eth0"]}, "a zone is not looked at: .*write 'fe80::1/128'"),
    "a network with a zone": ({"trusted": ["fe80::%eth0/10"]}, "write 'fe80::/10'"),
    "nobody's address": ({"trusted": ["0.0.0.0"]}, "no connection comes from it.*write the proxy's own address"),
    "nobody's address of IPv6": ({"trusted": ["::"]}, "no connection comes from it"),
    "unix without colon": ({"trusted": ["unix"]}, "'unix' is no address, network or 'unix:' .*write 'unix:'"),
    "a socket's path": ({"trusted": ["unix:/run/app.sock"]}, "write 'unix:', which stands for every Unix socket"),
    "a flag": ({"trusted": True}, "trusted=True must be a list"),
    "count below 0": ({"x_for": -1}, "x_for=-1 must be a whole number"),
    "count as text": ({"x_proto": "1"}, "x_proto='1'"),
    "count as a flag": ({"x_host": True}, "x_host=True"),
    "header": ({"header": "x-forwarded-for"}, "header='x-forwarded-for' is none of .*did you mean 'x-forwarded'"),
    "no port in Forwarded": ({"header": "forwarded", "x_port": 1}, "x_port=1 has no effect with header='forwarded'"),
    "no prefix in Forwarded": ({"header": "forwarded", "x_prefix": 2}, "x_prefix=2 has no effect"),
    "hosts without x_host": (
        {"allowed_hosts": ["a.example"]},
        "allowed_hosts has no effect with x_host=0: write x_host",
    ),
    "no host": ({"x_host": 1, "allowed_hosts": ["https://a.example"]}, "allowed_hosts entry .* is a URL"),
    "no list": ({"x_host": 1, "allowed_hosts": "a.example"}, "allowed_hosts='a.example' must be a list"),
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


# header="forwarded": RFC 7239


def forwarding(value, *, peer="127.0.0.1", trusted=("127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48"), **options):
    environ = {"REMOTE_ADDR": peer, "HTTP_FORWARDED": value}
    return fixed(environ=environ, trusted=trusted, header="forwarded", **options)


FORWARDED = {
    "one proxy": ("for=192.0.2.1;proto=https", "192.0.2.1", "https"),
    "R5 the client's own words left of it": ("for=6.6.6.6;proto=http, for=192.0.2.1;proto=https", "192.0.2.1", "https"),
    "proxies between": ("for=192.0.2.1;proto=https, for=10.0.0.9;proto=http", "192.0.2.1", "https"),
    "an element for each hop": ("for=6.6.6.6;proto=ws, for=192.0.2.1, for=10.0.0.9;proto=https", "192.0.2.1", "http"),
    "IPv6 with a port": ('For="[2001:DB8:2::1]:4711";Proto=HTTPS', "2001:db8:2::1", "https"),
    "IPv6 proxy": ('for=192.0.2.1, for="[2001:db8:1::5]"', "192.0.2.1", "http"),
    "obfuscated port": ('for="192.0.2.1:_p"', "192.0.2.1", "http"),
    "IPv4-mapped": ('for="[::ffff:192.0.2.1]"', "192.0.2.1", "http"),
    "all of it trusted: the leftmost": ("for=10.0.0.1;proto=https, for=10.0.0.2", "10.0.0.1", "https"),
    "empty elements": (", for=192.0.2.1,, for=10.0.0.9;proto=https,", "192.0.2.1", "http"),
    "unknown keeps the peer": ("for=unknown;proto=https", "127.0.0.1", "https"),
    "obfuscated keeps the peer": ("for=192.0.2.1, for=_hidden, for=10.0.0.9;proto=https", "127.0.0.1", "https"),
    "no for keeps the peer": ("proto=https", "127.0.0.1", "https"),
    "no address keeps the peer": ("for=shop;proto=https", "127.0.0.1", "https"),
    "malformed at the end": ("for=192.0.2.1;proto=https, for=10.0.0.9;proto", "127.0.0.1", "http"),
    "malformed in the walk": ("for=192.0.2.1;proto=http;for=6.6.6.6, for=10.0.0.9;proto=https", "127.0.0.1", "https"),
    "malformed left of the client": ('for="6.6.6.6, for=192.0.2.1;proto=https', "192.0.2.1", "https"),
    "a port without quotation marks": ("for=192.0.2.1:80;proto=https", "127.0.0.1", "http"),
    "R4 no scheme": ("for=192.0.2.1;proto=javascript", "192.0.2.1", "http"),
    "empty": ("", "127.0.0.1", "http"),
}


@pytest.mark.parametrize(("value", "client", "scheme"), FORWARDED.values(), ids=FORWARDED)
def test_item_4_forwarded_is_walked(value, client, scheme):
    environ = forwarding(value)
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == (client, scheme)
    assert forwarding(value, peer="198.51.100.9")["REMOTE_ADDR"] == "198.51.100.9"


def test_forwarded_tells_the_host_if_asked_for():
    value = 'for=6.6.6.6;host=evil.example, for=192.0.2.1;host="Shop.Example:8443", for=10.0.0.9;host=inner'
    assert forwarding(value)["HTTP_HOST"] == "localhost"
    environ = forwarding(value, x_host=1)
    assert environ["HTTP_HOST"] == "inner"  # a count is an upper bound
    environ = forwarding(value, x_host=2)
    assert [environ[key] for key in KEYS[2:]] == ["shop.example:8443", "shop.example", "8443", ""]
    assert forwarding('for=192.0.2.1;host="evil.com/path"', x_host=1)["HTTP_HOST"] == "localhost"


@pytest.mark.parametrize(
    ("counts", "client", "scheme", "host"),
    [
        ((), "192.0.2.1", "https", "localhost"),
        ((2, 2, 2), "192.0.2.2", "ws", "b.example"),
        ((3, 1, 3), "192.0.2.3", "https", "c.example"),
        ((0, 2, 0), "127.0.0.1", "ws", "localhost"),
        ((4, 4, 4), "127.0.0.1", "http", "localhost"),
    ],
    ids=str,
)
def test_forwarded_by_count(counts, client, scheme, host):
    value = (
        "for=192.0.2.3;proto=http;host=c.example, for=192.0.2.2;proto=ws;host=b.example, "
        "for=192.0.2.1;proto=https;host=a.example"
    )
    environ = fixed(*counts, environ={"HTTP_FORWARDED": value}, header="forwarded")
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"], environ["HTTP_HOST"]) == (client, scheme, host)


def test_a_count_bounds_the_walk_of_forwarded():
    value = "for=192.0.2.1;proto=wss, for=10.0.0.8;proto=ws, for=10.0.0.9;proto=https"
    assert forwarding(value, x_for=2)["REMOTE_ADDR"] == "10.0.0.8"
    environ = forwarding(value, x_for=0)
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == ("127.0.0.1", "https")
    environ = forwarding(value, x_proto=0)
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == ("192.0.2.1", "http")


FAMILY = [f"HTTP_X_FORWARDED_{name}" for name in ("FOR", "PROTO", "HOST", "PORT", "PREFIX", "SSL", "SERVER")]
BOTH = {"HTTP_FORWARDED": "for=192.0.2.1;proto=https", **dict.fromkeys(FAMILY, "198.51.100.7")}


@pytest.mark.parametrize("trusted", [None, ["127.0.0.1"]], ids=["by count", "by trust"])
def test_item_4_the_two_families_are_never_merged(trusted, caplog):
    environ = fixed(environ=BOTH, trusted=trusted)
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == ("198.51.100.7", "http")
    assert "HTTP_FORWARDED" not in environ
    assert set(FAMILY) <= set(environ)
    environ = fixed(environ={**BOTH, "HTTP_X_FORWARDED_USER": "mia"}, trusted=trusted, header="forwarded", x_host=1)
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == ("192.0.2.1", "https")
    assert environ["HTTP_HOST"] == "localhost"
    assert not set(FAMILY) & set(environ)
    assert environ["HTTP_X_FORWARDED_USER"] == "mia"  # what no Forwarded tells
    assert fixed(environ=dict.fromkeys(FAMILY, "198.51.100.7"), trusted=trusted, header="forwarded")["REMOTE_ADDR"] == (
        "127.0.0.1"
    )


@given(st.text(st.characters(max_codepoint=255)) | st.text('for=proti,;"\\ 12.:[]hsx'))
def test_whatever_forwarded_says_the_environ_is_sound(value):
    seen = forwarding(value, x_host=1)
    assert seen["wsgi.url_scheme"] in {"http", "https", "ws", "wss"}
    assert all(seen[key].isprintable() and " " not in seen[key] for key in KEYS)


# Werkzeug's for every good value, not only those of the table

HOST = st.from_regex(r"[a-z][a-z0-9-]{0,10}(\.[a-z]{1,5}){0,2}(:[1-9][0-9]{0,3})?", fullmatch=True)
LISTS = st.fixed_dictionaries({}, optional={
    "HTTP_X_FORWARDED_FOR": st.lists(st.ip_addresses(v=4).map(str) | st.just("2001:db8::1"), min_size=1),
    "HTTP_X_FORWARDED_PROTO": st.lists(st.sampled_from(["http", "https", "ws", "wss"]), min_size=1),
    "HTTP_X_FORWARDED_HOST": st.lists(HOST, min_size=1),
    "HTTP_X_FORWARDED_PORT": st.lists(st.integers(1, 65535).map(str), min_size=1),
    "HTTP_X_FORWARDED_PREFIX": st.lists(st.from_regex(r"(/[a-z0-9._~-]*[a-z0-9_~-]){1,3}", fullmatch=True), min_size=1),
})  # fmt: skip


@given(st.tuples(*[st.integers(0, 4)] * 5), LISTS, st.sampled_from([", ", ",", " ,\t"]))
def test_any_good_values_are_werkzeug_s(counts, lists, comma):
    environ = make_environ(**{key: comma.join(values) for key, values in lists.items()})
    theirs, ours = dict(environ), dict(environ)
    WerkzeugProxyFix(ok, *counts)(theirs, lambda *_: None)
    ProxyFix(ok, *counts)(ours, lambda *_: None)
    ours.pop("overcoat.proxy_fix.orig")
    assert ours == theirs


# allowed_hosts

ALLOWED = {
    "the name": ("shop.example", None, "shop.example"),
    "in any case": ("SHOP.example", None, "shop.example"),
    "with a port": ("shop.example", "8443", "shop.example:8443"),
    "below": ("a.b.shop.example", None, "a.b.shop.example"),
    "with the one port": ("api.example", "8443", "api.example:8443"),
    "with another port": ("api.example", "8444", "localhost"),
    "another name": ("evil.example", "8443", "localhost"),
    "a longer name": ("evilshop.example", None, "localhost"),
    "a name further out": ("shop.example.evil.com", None, "localhost"),
    "CVE-2026-48710 no host": ("shop.example/healthz?", None, "localhost"),
}


@pytest.mark.parametrize(("host", "port", "result"), ALLOWED.values(), ids=ALLOWED)
def test_item_8_allowed_hosts(host, port, result):
    patterns = ["shop.example", "*.shop.example", "api.example:8443"]
    claims = {"HTTP_X_FORWARDED_HOST": host, "HTTP_X_FORWARDED_PORT": port}
    environ = trusting(claims, x_host=1, x_port=1, allowed_hosts=patterns)
    assert environ["HTTP_HOST"] == result
    if result == "localhost":
        assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("localhost", "80")


def test_allowed_hosts_hold_for_forwarded():
    options = {"x_host": 1, "allowed_hosts": ["shop.example"]}
    assert forwarding("for=192.0.2.1;host=evil.example", **options)["HTTP_HOST"] == "localhost"
    assert forwarding("for=192.0.2.1;host=shop.example", **options)["HTTP_HOST"] == "shop.example"


# Contradictions

SAYS = {
    "two families": ({"HTTP_FORWARDED": "for=192.0.2.9"}, {}, "Forwarded", "header='forwarded'"),
    "X-Forwarded-Ssl": ({"HTTP_X_FORWARDED_SSL": "Off"}, {}, "X-Forwarded-Ssl says off", "x_proto=0"),
    "gunicorn 1857": ({"HTTP_X_FORWARDED_PROTOCOL": "http"}, {}, "X-Forwarded-Protocol says http", "x_proto=0"),
    "Front-End-Https": ({"HTTP_FRONT_END_HTTPS": "off"}, {}, "Front-End-Https", "x_proto"),
    "more schemes than hops": ({"HTTP_X_FORWARDED_PROTO": "ws, https"}, {}, "X-Forwarded-Proto has more", "x_proto=0"),
    "more hosts than hops": ({"HTTP_X_FORWARDED_HOST": "a,b"}, {"x_host": 1}, "X-Forwarded-Host has", "x_host=0"),
}  # fmt: skip
CLAIMS = {"HTTP_X_FORWARDED_FOR": "192.0.2.1", "HTTP_X_FORWARDED_PROTO": "https"}


@pytest.mark.parametrize(("headers", "options", "said", "fix"), SAYS.values(), ids=SAYS)
@pytest.mark.parametrize("trusted", [None, ["127.0.0.1"]], ids=["by count", "by trust"])
def test_item_9_contradictory_headers_are_logged_once(headers, options, said, fix, trusted, caplog):
    proxied = ProxyFix(ok, trusted=trusted, **options)
    for number in range(3):
        answer = call(proxied, **{**CLAIMS, "HTTP_X_FORWARDED_FOR": f"192.0.2.{number}", **headers})
        assert answer.status == "200 OK"
    assert [(record.levelname, record.name) for record in caplog.records] == [("WARNING", "overcoat")]
    assert said in caplog.text
    assert fix in caplog.text


AGREES = {
    "one family": {},
    "X-Forwarded-Ssl": {"HTTP_X_FORWARDED_SSL": "on"},
    "a word that says nothing": {"HTTP_X_FORWARDED_SSL": "maybe", "HTTP_X_SCHEME": "\x1b[31m"},
    "a scheme for each hop": {"HTTP_X_FORWARDED_FOR": "192.0.2.1, 127.0.0.1", "HTTP_X_FORWARDED_PROTO": "https, http"},
    "hosts that nobody reads": {"HTTP_X_FORWARDED_HOST": "a, b"},
    "a stranger's": {"REMOTE_ADDR": "198.51.100.9", "HTTP_FORWARDED": "for=a", "HTTP_X_FORWARDED_SSL": "off"},
}


@pytest.mark.parametrize("headers", AGREES.values(), ids=AGREES)
def test_what_does_not_contradict_is_not_logged(headers, caplog):
    trusting({**CLAIMS, **headers})
    assert not caplog.records


def test_many_kinds_are_a_handful_of_lines(caplog):
    proxied = ProxyFix(ok, trusted=["127.0.0.1"])
    for number in range(500):
        headers = {
            **CLAIMS,
            "HTTP_X_FORWARDED_FOR": f"192.0.2.{number % 256}",
            "HTTP_X_FORWARDED_SSL": f"off{number}"[:3],
        }
        call(proxied, HTTP_FORWARDED=f"for=_{number}", **headers)
    assert len(caplog.records) == 2


# What is remembered of chains


def test_a_remembered_chain_is_that_of_its_value():
    proxied = ProxyFix(Recorder(), trusted=["127.0.0.1", "10.0.0.0/8"])
    for _ in range(2):
        for value, client in WALKS.values():
            environ = make_environ(HTTP_X_FORWARDED_FOR=value)
            proxied(environ, lambda *_: None)
            assert environ["REMOTE_ADDR"] == (client if "2001:db8:1" not in value else "2001:db8:1::5")


def test_what_is_remembered_is_bounded():
    proxied = ProxyFix(ok, trusted=["127.0.0.1"])
    for number in range(10_000):
        proxied(make_environ(HTTP_X_FORWARDED_FOR=f"192.0.{number >> 8}.{number & 255}"), lambda *_: None)
    proxied(make_environ(HTTP_X_FORWARDED_FOR="x" * 65536), lambda *_: None)
    assert len(proxied._chains) <= 4096
    addresses = ProxyFix(ok, trusted=["127.0.0.1"])
    addresses(make_environ(HTTP_X_FORWARDED_FOR="x" * 65536), lambda *_: None)
    assert addresses._networks.look_up.cache_info().currsize == 1  # the peer
    assert max(map(len, proxied._chains)) < 300


DOES = {
    "corrects client and scheme; trusts any peer": {},
    "corrects client and scheme": {"trusted": ["10.0.0.0/8"]},
    "corrects client, scheme, host and prefix": {"trusted": ["10.0.0.0/8"], "x_host": 1, "x_prefix": 1},
    "corrects client and scheme by Forwarded": {"trusted": ["unix:"], "header": "forwarded"},
    "corrects scheme": {"trusted": ["unix:"], "x_for": 0},
    "corrects nothing; trusts any peer": {"x_for": 0, "x_proto": 0},
    "corrects client and scheme; trusts any peer ": {"trusted": ["::1", "0.0.0.0/0"]},
    "deletes forwarding headers; trusts nobody": {"trusted": []},
}


@pytest.mark.parametrize(("does", "options"), DOES.items(), ids=DOES)
def test_describe_says_what_it_does(does, options):
    assert str(describe(ProxyFix(ok, **options))).splitlines()[1].endswith(f"  {does.strip()}")
