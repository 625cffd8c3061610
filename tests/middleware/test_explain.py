import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.apps import ok
from support.wsgi import call, make_environ

from overcoat.middleware import Exchange, ProxyFix
from overcoat.middleware._explanation import KEYS
from overcoat.middleware._forwarded import header_of

PROXIES = ["127.0.0.1", "10.0.0.0/8", "unix:"]
HEADERS = {
    "HTTP_X_FORWARDED_FOR": [
        "192.0.2.1",
        "6.6.6.6, 192.0.2.1, 10.0.0.9",
        "192.0.2.1, x",
        "10.0.0.1, 10.0.0.2",
        ",",
        "",
    ],
    "HTTP_X_FORWARDED_PROTO": ["https", "https, http", "javascript", "http,https,wss", ""],
    "HTTP_X_FORWARDED_HOST": ["shop.example", "a.example:81, shop.example", "evil/\x1b[31m", "[::1]:82"],
    "HTTP_X_FORWARDED_PORT": ["8443", "80, 81", "+80"],
    "HTTP_X_FORWARDED_PREFIX": ["/app", "//evil", "/a, /b"],
    "HTTP_FORWARDED": [
        "for=192.0.2.1;proto=https;host=shop.example",
        'for=6.6.6.6, for="[2001:db8::1]:80";proto=wss;host="evil/", for=10.0.0.9',
        "for=unknown;proto=https",
        "for=_x, for=10.0.0.9;host=b.example",
        "proto=https",
        'for="',
        "for=1;for=2",
    ],
    "HTTP_X_FORWARDED_SSL": ["off", "on"],
    "HTTP_X_REAL_IP": ["192.0.2.7"],
    "HTTP_PROXY": ["http://evil.example"],
}
TEXT = st.text(st.characters(max_codepoint=255)) | st.text('for=prohst,;"\\ 12.:[]/')
ENVIRONS = st.fixed_dictionaries(
    {},
    optional={
        "REMOTE_ADDR": st.sampled_from(["127.0.0.1", "10.9.9.9", "198.51.100.9", "", "unix:", "garbage"]),
        "wsgi.url_scheme": st.sampled_from(["http", "https"]),
        "HTTP_HOST": st.sampled_from(["localhost", "localhost:5000", "[::1]:5000"]),
        "SERVER_NAME": st.just("localhost"),
        "SERVER_PORT": st.just("5000"),
        "SCRIPT_NAME": st.sampled_from(["", "/mount"]),
        **{key: st.sampled_from(values) | TEXT for key, values in HEADERS.items()},
    },
)
COUNT = st.none() | st.integers(0, 3)
COUNTS = st.fixed_dictionaries(dict.fromkeys(("x_for", "x_proto", "x_host", "x_port", "x_prefix"), COUNT))


@settings(max_examples=1000)
@given(
    ENVIRONS,
    COUNTS,
    st.sampled_from([None, PROXIES, ["0.0.0.0/0", "::/0"], []]),
    st.sampled_from(["x-forwarded", "forwarded"]),
    st.sampled_from([None, ["shop.example", "a.example:81"]]),
    st.sampled_from([None, None, None, "/"]),
)
@example(dict.fromkeys(HEADERS, ""), dict.fromkeys(("x_for", "x_host")), None, "x-forwarded", None, None)
def test_item_3_it_agrees_with_the_layer(environ, counts, trusted, header, hosts, skip):
    if header == "forwarded":
        counts = {**counts, "x_port": None, "x_prefix": None}
    if not counts["x_host"]:
        hosts = None
    fix = ProxyFix(**counts, trusted=trusted, header=header, allowed_hosts=hosts, skip=skip)
    environ = {"PATH_INFO": "/", **environ}
    before, after = dict(environ), dict(environ)
    told = fix.explain(environ)
    assert environ == before
    if skip is None:
        fix.on_request(Exchange(after))
    for field, key in KEYS.items():
        verdict = getattr(told, field)
        assert (verdict.before, verdict.value) == (before.get(key), after.get(key)), field
        assert verdict.source or verdict.before == verdict.value, field
        assert verdict.why
        if verdict.source is None:
            assert verdict.why.startswith("kept: "), verdict.why
    assert set(told.deleted) == {header_of(key) for key in before if key not in after}
    clients = [hop for hop in told.hops if hop.why.endswith(": the client")]
    assert len(clients) <= 1
    assert all(hop.address == after["REMOTE_ADDR"] for hop in clients)
    text = str(told)
    assert text.isprintable() or all(line.isprintable() for line in text.split("\n"))
    assert json.loads(json.dumps(told.as_dict()))["client"]["value"] == after.get("REMOTE_ADDR")


def told(environ, **options):
    """Why each field came to what it did, without those that nobody asked for."""
    explanation = ProxyFix(**options).explain(make_environ(**environ))
    return explanation, {field: getattr(explanation, field).why for field in KEYS if getattr(explanation, field).why}


FORWARDED = {"header": "forwarded"}
REASONS = {
    "the first untrusted": ("client", "X-Forwarded-For, hop 2: the first address that is not trusted",
        {"HTTP_X_FORWARDED_FOR": "6.6.6.6, 192.0.2.1, 10.0.0.9"}, {}),
    "all trusted": ("client", "X-Forwarded-For, hop 2: trusted too, but the last",
        {"HTTP_X_FORWARDED_FOR": "10.0.0.1, 10.0.0.9"}, {}),
    "the bound": ("client", "X-Forwarded-For, hop 1: trusted too, but x_for=1",
        {"HTTP_X_FORWARDED_FOR": "192.0.2.1, 10.0.0.9"}, {"x_for": 1}),
    "no address": ("client", "kept: hop 2 is no address", {"HTTP_X_FORWARDED_FOR": "192.0.2.1, x, 10.0.0.9"}, {}),
    "unknown": ("client", "kept: hop 1 is an unknown address", {"HTTP_FORWARDED": "for=unknown"}, FORWARDED),
    "obfuscated": ("client", "kept: hop 1 is an obfuscated name", {"HTTP_FORWARDED": "for=_x"}, FORWARDED),
    "without for": ("client", "kept: hop 1 is an element without for",
        {"HTTP_FORWARDED": "by=_x"}, FORWARDED),
    "malformed": ("client", "kept: hop 2 is malformed", {"HTTP_FORWARDED": "x, for=10.0.0.9"}, FORWARDED),
    "no header": ("client", "kept: no X-Forwarded-For", {}, {}),
    "only commas": ("client", "kept: X-Forwarded-For is empty", {"HTTP_X_FORWARDED_FOR": ",,"}, {}),
    "not asked for": ("client", "kept: x_for=0", {"HTTP_X_FORWARDED_FOR": "192.0.2.1"}, {"x_for": 0}),
    "a stranger": ("client", "kept: the peer is not trusted",
        {"REMOTE_ADDR": "8.8.8.8", "HTTP_X_FORWARDED_FOR": "1.2.3.4"}, {}),
    "skipped": ("scheme", "kept: skip= leaves this request alone", {"PATH_INFO": "/x"}, {"skip": "/x"}),
    "by count": ("client", "X-Forwarded-For, hop 2: x_for=2", {"HTTP_X_FORWARDED_FOR": "6.6.6.6, 192.0.2.1"},
        {"trusted": None, "x_for": 2}),
    "item 3 too few": ("client", "kept: X-Forwarded-For has fewer than x_for=2 values",
        {"HTTP_X_FORWARDED_FOR": "192.0.2.1"}, {"trusted": None, "x_for": 2}),
    "scheme": ("scheme", "X-Forwarded-Proto, hop 1", {"HTTP_X_FORWARDED_PROTO": "https"}, {}),
    "R4 no scheme": ("scheme", "kept: X-Forwarded-Proto, hop 1 is no scheme: javascript",
        {"HTTP_X_FORWARDED_PROTO": "javascript"}, {}),
    "scheme of Forwarded": ("scheme", "proto of Forwarded, hop 2",
        {"HTTP_FORWARDED": "for=192.0.2.1;proto=https, for=10.0.0.9;proto=http"}, FORWARDED),
    "none at that hop": ("scheme", "kept: no proto of Forwarded at hop 2",
        {"HTTP_FORWARDED": "for=192.0.2.1, for=10.0.0.9;proto=http"}, FORWARDED),
    "host": ("host", "X-Forwarded-Host, hop 1", {"HTTP_X_FORWARDED_HOST": "a.example"}, {"x_host": 1}),
    "R4 no host": ("host", r"kept: X-Forwarded-Host, hop 1 is no host: \x1b[31m",
        {"HTTP_X_FORWARDED_HOST": "\x1b[31m"}, {"x_host": 1}),
    "not among the allowed": ("host", "kept: the host is not among allowed_hosts",
        {"HTTP_X_FORWARDED_HOST": "a.example"}, {"x_host": 1, "allowed_hosts": ["b.example"]}),
    "the port of a host": ("port", "the port in X-Forwarded-Host",
        {"HTTP_X_FORWARDED_HOST": "a.example:81"}, {"x_host": 1}),
    "the host of a port": ("host", "its port is that of X-Forwarded-Port",
        {"HTTP_X_FORWARDED_PORT": "81"}, {"x_port": 1}),
    "prefix": ("prefix", "X-Forwarded-Prefix, hop 1", {"HTTP_X_FORWARDED_PREFIX": "/app"}, {"x_prefix": 1}),
}  # fmt: skip


@pytest.mark.parametrize(("field", "why", "environ", "options"), REASONS.values(), ids=REASONS)
def test_item_3_every_verdict_has_its_reason(field, why, environ, options):
    explanation, _ = told(environ, **{"trusted": PROXIES, **options})
    assert getattr(explanation, field).why == why


HOPS = {
    "by trust": ({"trusted": PROXIES}, ["trusted by 127.0.0.1/32", "trusted by 10.0.0.0/8", "not trusted: the client",
        "not reached: nobody vouches for it"]),
    "by count": ({"x_for": 2}, [
        "any peer is believed: trusted= is not given", "x_for=2: counted", "x_for=2: the client",
        "not reached: nobody vouches for it"]),
    "nobody": ({"trusted": []}, [
        "not trusted: forwarding headers are deleted", *["not reached: nobody vouches for it"] * 3]),
}  # fmt: skip


@pytest.mark.parametrize(("options", "whys"), HOPS.values(), ids=HOPS)
def test_item_3_each_hop_tells_whether_it_was_trusted(options, whys):
    explanation, _ = told({"HTTP_X_FORWARDED_FOR": "6.6.6.6, 192.0.2.1, 10.0.0.9"}, **options)
    assert [hop.why for hop in explanation.hops] == whys
    assert [hop.number for hop in explanation.hops] == [0, 1, 2, 3]
    assert [hop.text for hop in explanation.hops] == ["127.0.0.1", "10.0.0.9", "192.0.2.1", "6.6.6.6"]


def test_what_would_be_logged_is_noted_and_not_used_up(caplog):
    fix = ProxyFix(ok, trusted=PROXIES)
    environ = make_environ(HTTP_X_FORWARDED_FOR="192.0.2.1", HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_SSL="off")
    assert ["X-Forwarded-Ssl says off" in note for note in fix.explain(environ).notes] == [True]
    assert not caplog.records
    call(fix, **environ)
    assert len(caplog.records) == 1
    assert len(fix.explain(environ).notes) == 1


def test_numbers_in_an_environ_are_printed_too():
    told = ProxyFix(x_port=1).explain({"REMOTE_ADDR": "10.0.0.1", "SERVER_PORT": 80})
    assert told.port.value == 80
    assert "port    80" in str(told)


def test_a_long_chain_is_cut_where_it_is_printed():
    explanation, _ = told({"HTTP_X_FORWARDED_FOR": "6.6.6.6," * 8000 + "x" * 9000}, trusted=PROXIES)
    lines = str(explanation).splitlines()
    assert len(explanation.hops) == 8002
    assert len(lines) < 40
    assert max(map(len, lines)) < 200
    assert "7982 more" in str(explanation)
