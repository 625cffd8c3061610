import ipaddress
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overcoat.middleware._forwarded import (
    FORWARDING_KEYS,
    delete_forwarding,
    parse_address,
    parse_prefix,
    parse_scheme,
    split_list,
)

BYTES_AS_LATIN_1 = st.text(st.characters(max_codepoint=255))
PARSERS = [parse_address, parse_prefix, parse_scheme]
IPV4 = st.ip_addresses(v=4)
IPV6 = st.ip_addresses(v=6)

ADDRESSES = {
    "192.0.2.1": "192.0.2.1",
    "192.0.2.1:4711": "192.0.2.1",
    "2001:db8::1": "2001:db8::1",
    "2001:DB8:0:0:0:0:0:1": "2001:db8::1",
    "[2001:db8::1]": "2001:db8::1",
    "[2001:db8::1]:4711": "2001:db8::1",
    "::ffff:192.0.2.1": "192.0.2.1",
    "[::ffff:c000:201]:80": "192.0.2.1",
    "fe80::1%eth0": "fe80::1",
    "[fe80::1%25eth0]:80": "fe80::1",
    "::": "::",
    # and what is no address (R3, item 5)
    "": None,
    "unknown": None,
    "_hidden": None,
    "localhost": None,
    "unix:": None,
    "1": None,
    "3232235777": None,
    "0x7f.0.0.1": None,
    "127.1": None,
    "127.0.0.01": None,
    "256.0.0.1": None,
    "192.0.2.1:": None,
    "192.0.2.1:0": None,
    "192.0.2.1:65536": None,
    "192.0.2.1:+80": None,
    "192.0.2.1:8_0": None,
    "192.0.2.1:٨٠": None,
    "192.0.2.1 ": None,
    "\xa0192.0.2.1": None,
    "192.0.2.1\n": None,
    "192.0.2.1\r\nX-Evil: 1": None,
    "١٩٢.0.2.1": None,
    "192.0.2.1/24": None,
    "[192.0.2.1]": None,
    "[2001:db8::1": None,
    "2001:db8::1]": None,
    "[2001:db8::1]x": None,
    "[2001:db8::1]:": None,
    "[]": None,
    "[": None,
    "%": None,
    "%eth0": None,
    "fe80::1%": None,
    "192.0.2.1%eth0": None,
    "<script>alert(1)</script>": None,
    "\x1b[31m": None,
    "1.2.3.4, 5.6.7.8": None,
}


@pytest.mark.parametrize(("text", "address"), ADDRESSES.items(), ids=map(repr, ADDRESSES))
def test_parse_address(text, address):
    assert parse_address(text) == address


@given(IPV4 | IPV6, st.integers(1, 65535) | st.none())
def test_every_address_is_taken_with_and_without_a_port(address, port):
    text = f"[{address}]" if address.version == 6 else str(address)
    expected = getattr(address, "ipv4_mapped", None) or address
    assert parse_address(str(address)) == str(expected)
    assert parse_address(text if port is None else f"{text}:{port}") == str(expected)


@given(st.text() | BYTES_AS_LATIN_1)
@example("[" * 70)
@example("1:2:3")
def test_what_comes_out_is_an_address(text):
    address = parse_address(text)
    assert address is None or str(ipaddress.ip_address(address)) == address


PREFIXES = {
    "/app": "/app",
    "/app/": "/app",
    "/app/v1": "/app/v1",
    "/a.b/~c/%20d": "/a.b/~c/%20d",
    # R4, item 8, CVE-2020-28724
    "": None,
    "/": None,
    "app": None,
    "//evil.com": None,
    "/app//x": None,
    "/app/../admin": None,
    "/./app": None,
    "/..": None,
    "/\\evil.com": None,
    "/app?x": None,
    "/app#x": None,
    "/app x": None,
    "https://evil.com": None,
    "/app\r\nX: y": None,
    "/app\n": None,
    "/\x1b[31m": None,
    "/é": None,
    '/"><script>': None,
    "/" + "a" * 1024: None,
}


@pytest.mark.parametrize(("text", "prefix"), PREFIXES.items(), ids=[repr(text[:40]) for text in PREFIXES])
def test_parse_prefix(text, prefix):
    assert parse_prefix(text) == prefix


@given(st.text() | BYTES_AS_LATIN_1 | st.text("/a.\\"))
def test_a_prefix_is_an_absolute_path_of_named_segments(text):
    prefix = parse_prefix(text)
    assert prefix is None or (re.fullmatch(r"(/[^/\\\s]+)+", prefix) and not {".", ".."} & set(prefix.split("/")))


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        *[("http", "http"), ("https", "https"), ("HTTPS", "https"), ("ws", "ws"), ("wss", "wss")],
        # R4
        *[("javascript", None), ("", None), ("https\n", None), ("https ", None), ("ftp", None), ("http\u017f", None)],
    ],
    ids=repr,
)
def test_parse_scheme(text, scheme):
    assert parse_scheme(text) == scheme


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        (" a \t,\t b ", ["a", "b"]),
        (",,a,,", ["a"]),
        ("", []),
        (" , ", []),
        # gunicorn 3091: only SP and HTAB are space
        ("\xa0a,\x85b,\x0bc,\x1cd", ["\xa0a", "\x85b", "\x0bc", "\x1cd"]),
    ],
    ids=repr,
)
def test_split_list(value, elements):
    assert split_list(value) == elements


@given(st.lists(st.text(st.characters(exclude_characters=", \t"), min_size=1)))
def test_split_list_gives_back_what_was_joined(elements):
    assert split_list(", ".join(elements)) == elements


@pytest.mark.parametrize("parse", [*PARSERS, split_list], ids=lambda parse: parse.__name__)
@pytest.mark.parametrize("unit", ["1", ".", ":", "[", "]", "/", "/a", "a.", "%", ",", " ,", "\0", "9:", "[::1]:", "é"])
def test_cve_2025_62727_64_kib_cost_linear_time(parse, unit):
    parse(unit * (65536 // len(unit)))


@given(
    st.dictionaries(st.sampled_from([*FORWARDING_KEYS, "HTTP_X_FORWARDED_USER", "HTTP_HOST", "PATH_INFO"]), st.text())
)
def test_only_forwarding_headers_are_deleted(environ):
    kept = {key: value for key, value in environ.items() if key in {"HTTP_HOST", "PATH_INFO"}}
    delete_forwarding(environ)
    assert environ == kept
