"""Hosts and ports in one spelling, as clients and proxies write them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overcoat.middleware._authority import ends_in_number, parse_authority, parse_host, parse_port

PARSERS = [parse_authority, parse_host, parse_port, ends_in_number]
TEXT = st.text() | st.text(st.characters(max_codepoint=255)) | st.text("a.:[]-_1@/\\%")

HOSTS = {
    "example.com": "example.com",
    "Example.COM": "example.com",
    "example.com.": "example.com",
    "example.com.:8080": "example.com:8080",
    "example.com:08080": "example.com:8080",
    "[2001:db8:0:0::1]": "[2001:db8::1]",
    "example.com:8080": "example.com:8080",
    "my_service": "my_service",
    "a-b.example": "a-b.example",
    "192.0.2.1:80": "192.0.2.1:80",
    "[2001:DB8::1]": "[2001:db8::1]",
    "[::1]:8080": "[::1]:8080",
    # R4, item 8
    "": None,
    "evil.com/path?x=": None,
    "evil.com/healthz?": None,
    "user@evil.com": None,
    "evil.com#": None,
    "evil.com\\@good.com": None,
    "evil.com:80:80": None,
    "evil.com:": None,
    "evil.com:0": None,
    "evil.com:65536": None,
    "evil.com:123456": None,
    "evil.com:+80": None,
    "a..b": None,
    ".com": None,
    "-a.com": None,
    "a b": None,
    "a,b": None,
    "a\r\nSet-Cookie: x": None,
    "a\n": None,
    "a\0": None,
    "grün.de": None,
    "a%00b": None,
    "[::1": None,
    "[localhost]": None,
    "[1.2.3.4]": None,
    "[fe80::1%eth0]": None,
    "[::1]x:80": None,
    "[::1]:": None,
    "::1": None,
    "a" * 64: None,
    "[:::::]": None,
    "[::1]8080": None,
    "<script>": None,
    "a" * 262: None,
}


@pytest.mark.parametrize(("text", "host"), HOSTS.items(), ids=[repr(text[:40]) for text in HOSTS])
def test_parse_host(text, host):
    assert parse_host(text) == host


@given(TEXT)
def test_a_host_has_only_harmless_characters(text):
    host = parse_host(text)
    assert host is None or set(host) <= set(string.ascii_lowercase + string.digits + "._-:[]")


labels = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=63)
names = st.lists(labels, min_size=1, max_size=4).map(".".join).filter(lambda name: len(name) < 250)


@given(name=names, port=st.none() | st.integers(1, 65535), dot=st.sampled_from(["", "."]), upper=st.booleans())
def test_every_host_has_one_spelling(name, port, dot, upper):
    written = (name.upper() if upper else name) + dot + ("" if port is None else f":{port}")
    assert parse_authority(written) == (name, None if port is None else str(port))


@given(address=st.ip_addresses(v=6))
def test_every_ipv6_address_has_one_spelling(address):
    assert parse_authority(f"[{address}]") == parse_authority(f"[{address.exploded.upper()}]") == (f"[{address}]", None)


@pytest.mark.parametrize(
    ("text", "port"),
    [
        *[("80", "80"), ("00080", "80"), ("65535", "65535"), ("65536", None), ("0", None), ("", None), ("9" * 9, None)],
        # CVE-2022-24761: int() takes most of these
        *[("+80", None), ("8_0", None), ("٨٠", None), (" 80", None), ("80\n", None), ("0x50", None), ("²", None)],
    ],
    ids=repr,
)
def test_parse_port(text, port):
    assert parse_port(text) == port


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *[("192.0.2.1", True), ("127.1", True), ("0x7f.1", True), ("a.0x7f", True), ("a.0x", True), ("7", True)],
        *[("a1", False), ("1.a", False), ("x0", False), ("a.0xg", False), ("0x7f.a", False), ("[::1]", False)],
    ],
    ids=repr,
)
def test_what_a_browser_takes_for_an_address_in_numbers(name, is_one):
    assert ends_in_number(name) is is_one


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__name__)
@pytest.mark.parametrize("unit", ["1", ".", ":", "[", "]", "a.", "%", "0x", "\0", "9:", "[::1]:", "a-", "é"])
def test_cve_2025_62727_64_kib_cost_linear_time(parse, unit):
    parse(unit * (65536 // len(unit)))
