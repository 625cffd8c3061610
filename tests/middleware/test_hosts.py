"""The matcher of hosts, which TrustedHosts, HTTPSRedirect and ProxyFix share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overcoat.middleware._authority import LONGEST_HOST, parse_authority
from overcoat.middleware._hosts import compile_hosts

MATCHES = {
    "the name": ("example.com", "example.com"),
    "any port": ("example.com", "example.com:8443"),
    "any case of the host": ("example.com", "EXAMPLE.Com"),
    "any case of the pattern": ("Example.COM", "example.com"),
    "the root's dot in the host": ("example.com", "example.com."),
    "the root's dot before a port": ("example.com", "example.com.:8080"),
    "the root's dot in the pattern": ("example.com.", "example.com"),
    "its port": ("example.com:8080", "example.com:8080"),
    "its port with a zero in front": ("example.com:8080", "example.com:08080"),
    "one label below": ("*.example.com", "www.example.com"),
    "two labels below": ("*.example.com", "a.b.example.com"),
    "below, on any port": ("*.example.com", "www.example.com:8080"),
    "below, on its port": ("*.example.com:8080", "www.example.com:8080"),
    "a single label": ("localhost", "localhost:5000"),
    "a container's name": ("my_app", "my_app:8000"),
    "an IPv4 address": ("192.0.2.1", "192.0.2.1:80"),
    "an IPv6 address": ("[::1]", "[::1]:8080"),
    "an IPv6 address written otherwise": ("[2001:DB8::1]", "[2001:0db8:0:0:0:0:0:1]"),
    "an IPv6 address on its port": ("[::1]:8080", "[::1]:8080"),
    "an address in a network": ("10.0.0.0/8", "10.1.2.3:8080"),
    "an IPv6 address in a network": ("2001:db8::/32", "[2001:db8::7]"),
    "Unicode": ("bücher.example", "xn--bcher-kva.example"),
    "Unicode in capitals": ("BÜCHER.example", "xn--bcher-kva.example"),
    "Unicode below": ("*.日本語.jp", "www.xn--wgv71a119e.jp"),
    "Unicode's full stop": ("日本語。jp", "xn--wgv71a119e.jp"),
    "Unicode, decomposed": ("bu\u0308cher.example:8080", "xn--bcher-kva.example:8080"),
    "an A-label": ("xn--bcher-kva.example", "XN--BCHER-KVA.example"),
    "anything": ("*", "whatever.example:1"),
}

DIFFERS = {
    "another name": ("example.com", "example.org"),
    "a longer label": ("example.com", "evilexample.com"),
    "a name below": ("example.com", "www.example.com"),
    "a name above": ("www.example.com", "example.com"),
    "the name as a prefix": ("example.com", "example.com.evil.example"),
    "the dot as any character": ("www.example.com", "wwwXexample.com"),
    "the wildcard's own name": ("*.example.com", "example.com"),
    "the wildcard without its dot": ("*.example.com", "evilexample.com"),
    "the wildcard as a prefix": ("*.example.com", "www.example.com.evil.example"),
    "an empty label below": ("*.example.com", ".example.com"),
    "two dots below": ("*.example.com", "a..example.com"),
    "another port": ("example.com:8080", "example.com:8081"),
    "no port": ("example.com:8080", "example.com"),
    "another port below": ("*.example.com:8080", "www.example.com:80"),
    "an address beside a network": ("10.0.0.0/8", "11.0.0.1"),
    "a name beside a network": ("10.0.0.0/8", "10.0.0.1.evil.example"),
    "an address a browser rewrites": ("127.0.0.1", "127.1"),
    "an octal address": ("10.0.0.0/8", "012.0.0.1"),
    "an IPv4 address as IPv6": ("192.0.2.0/24", "[::ffff:192.0.2.1]"),
}

MALFORMED = [
    "", " ", ".", "..", ":", ":80", "a..b", ".a", "a..", "a b", " a", "a ", "a\t", "a,a", "a, b", "a/", "a/b", "a?b",
    "a#b", "a\\b", "user@a", "a:", "a:0", "a:65536", "a:080808", "a:+1", "a:1_0", "a:\uff11", "a:80:80", "a:x",
    "a\r\nb", "a\n", "a\x00", "a%2eb", "http://a", "[", "[]", "[::1", "::1", "[::1]x", "[::1]:", "[::1%25eth0]",
    "[fe80::1%eth0]", "[:::]", "[1.2.3.4]", "b\xfccher.example", "b\xc3\xbccher.example", "\u212a", "<script>", "*",
    "*.example.com", "a" * 64, "a." * 127 + "a",
]  # fmt: skip

REFUSED = {
    "text": ("example.com", r"must be a list: write \['example.com'\]"),
    "nothing to iterate": (7, "must be a list"),
    "an empty list": ([], "is empty and would match no host"),
    "a number": ([7], "entry 7 must be text"),
    "an empty text": ([""], "is no host"),
    "a URL": (["https://example.com/x"], "is a URL: write the host alone, 'example.com'"),
    "a path": (["example.com/x"], "is no host or network"),
    "host bits set": (["10.0.0.1/8"], "has host bits set"),
    "a dot in front": ([".example.com"], r"'example.com' for the name itself and '\*.example.com'"),
    "a star inside of a label": (["a*.example.com"], "stands alone or for whole labels in front"),
    "two stars": (["*.*.example.com"], "stands alone or for whole labels in front"),
    "a star behind": (["example.*"], "stands alone or for whole labels in front"),
    "a star alone with a dot": (["*."], "is no host"),
    "IPv6 without brackets": (["::1"], r"in brackets; write '\[::1\]'"),
    "half a bracket": (["[::1"], "is no host"),
    "names below an address": (["*.192.0.2.1"], "no names below an address"),
    "names below an IPv6 address": (["*.[::1]"], "no names below an address"),
    "a short address": (["127.1"], "is no IPv4 address"),
    "a hexadecimal address": (["0x7f.0.0.1"], "is no IPv4 address"),
    "https's port": (["example.com:443"], "leave the default port out; write 'example.com'"),
    "http's port": (["example.com:80"], "leave the default port out"),
    "no port": (["example.com:0"], "is no host"),
    "a space": (["example .com"], "is no host"),
    "a sharp s": (["straße.example"], "write its A-label"),
    "a final sigma": (["σας.example"], "write its A-label"),
    "a joiner": (["a\u200db.example"], "write its A-label"),
    "a ligature": (["ﬁsh.example"], "write its A-label"),
    "a label too long": (["é" * 63], "write its A-label"),
    "the second entry": (["example.com", "a b"], "entry 'a b' is no host"),
}


@pytest.mark.parametrize(("pattern", "host"), MATCHES.values(), ids=MATCHES)
def test_a_host_that_matches(pattern, host):
    allowed = compile_hosts("Layer", "hosts", [pattern])
    assert allowed(host) is True
    assert allowed(host) is True


@pytest.mark.parametrize(("pattern", "host"), DIFFERS.values(), ids=DIFFERS)
def test_a_host_that_does_not(pattern, host):
    allowed = compile_hosts("Layer", "hosts", [pattern])
    assert allowed(host) is False
    assert allowed(host) is False


@pytest.mark.parametrize("host", MALFORMED, ids=ascii)
def test_what_no_host_looks_like_matches_nothing(host):
    assert compile_hosts("Layer", "hosts", ["*", "a", "*.a"])(host) is False


@pytest.mark.parametrize(("patterns", "message"), REFUSED.values(), ids=REFUSED)
def test_patterns_that_are_refused(patterns, message):
    with pytest.raises(ValueError, match=r"^TrustedHosts: hosts.*" + message):
        compile_hosts("TrustedHosts", "hosts", patterns)


def test_several_patterns_are_alternatives():
    allowed = compile_hosts("Layer", "hosts", ["example.com", "*.example.org", "10.0.0.0/8", "[::1]"])
    hosts = ["example.com", "www.example.org", "10.0.0.1", "[::1]", "example.org"]
    assert [allowed(host) for host in hosts] == [True, True, True, True, False]


def test_a_flood_of_names_is_not_kept():
    allowed = compile_hosts("Layer", "hosts", ["*.example.com"])
    assert all(allowed(f"h{number}.example.com") for number in range(3000))
    assert not any(allowed(f"h{number}.example.org") for number in range(3000))
    assert len(allowed.__self__) <= 1024


def test_a_host_of_64_kib_is_refused_at_sight():
    allowed = compile_hosts("Layer", "hosts", ["*"])
    for host in ("a" * 65536, "a." * 32768, "[" + ":" * 65536, "a:" + "0" * 65536):
        assert allowed(host) is False


@given(host=st.text(max_size=LONGEST_HOST + 10))
def test_any_text_is_a_host_or_none(host):
    allowed = compile_hosts("Layer", "hosts", ["*"])
    authority = parse_authority(host)
    assert allowed(host) is (authority is not None)
    if authority is not None:
        name, port = authority
        again = name if port is None else f"{name}:{port}"
        assert parse_authority(again) == authority
        assert again.isascii()
        assert again.isprintable()
        assert not set(again) & set("/\\?#@, \"'<>")


@given(prefix=st.text(min_size=1, max_size=40))
def test_a_wildcard_takes_whole_labels_only(prefix):
    if compile_hosts("Layer", "hosts", ["*.example.com"])(prefix + "example.com"):
        assert prefix.endswith(".")
