"""A Set-Cookie header as browsers read it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cookies import parse_set_cookie
from werkzeug.http import dump_cookie

from overcoat.middleware._cookies import faults

COOKIES = {
    "a pair": ("a=b", ("a", {})),
    "no value": ("a=", ("a", {})),
    "an equals sign in the value": ("a=b=c", ("a", {})),
    "attributes": (
        "a=b; Path=/; HttpOnly; Max-Age=7",
        ("a", {"path": "/", "httponly": "", "max-age": "7"}),
    ),
    "attributes in any case": ("a=b; SECURE; samesite=LAX", ("a", {"secure": "", "samesite": "LAX"})),
    "no spaces": ("a=b;Secure;Path=/", ("a", {"secure": "", "path": "/"})),
    "many spaces": (" a = b ;\tSecure ; Path = / ", ("a", {"secure": "", "path": "/"})),
    "a name in its own case": ("XSRF-TOKEN=b", ("XSRF-TOKEN", {})),
    "an attribute twice": ("a=b; Path=/x; Path=/", ("a", {"path": "/"})),
    "a semicolon at the end": ("a=b;", ("a", {})),
    "empty attributes": ("a=b;; ;Secure", ("a", {"": "", "secure": ""})),
    "quotes protect no semicolon": ('a="b; Secure"', ("a", {'secure"': ""})),
    "an attribute's value with an equals sign": ("a=b; Path=/?c=d", ("a", {"path": "/?c=d"})),
    "a date": ("a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT", ("a", {"expires": "Thu, 01 Jan 1970 00:00:00 GMT"})),
    "Partitioned": ("a=b; Secure; Partitioned", ("a", {"secure": "", "partitioned": ""})),
    "Secure in the value": ("a=Secure", ("a", {})),
    "bytes": ("a=\xff", ("a", {})),
    "a tab": ("a=b\tc", ("a", {})),
    "a no-break space is part of the name": ("a\xa0=b", ("a\xa0", {})),
    "a no-break space is part of an attribute": ("a=b; \xa0Secure", ("a", {"\xa0secure": ""})),
    "no name": ("=b", None),
    "a blank name": (" \t=b", None),
    "no equals sign": ("a", None),
    "no equals sign, with attributes": ("a; Secure; Path=/", None),
    "nothing": ("", None),
    "a prefix as a value without name": ("=__Host-a=b", None),
    "CR and LF": ("a=b\r\nX: y", None),
    "NUL": ("a=b\0", None),
    "DEL": ("a=b; Path=/\x7f", None),
}

FAULTS = {
    "none": ("a=b", []),
    "a good host cookie": ("__Host-a=b; Path=/; Secure", []),
    "an empty domain is none": ("__Host-a=b; Path=/; Secure; Domain=", []),
    "a domain": ("__Host-a=b; Path=/; Secure; Domain=c", ["must not have a Domain"]),
    "a path": ("__Host-a=b; Path=/c; Secure", ["Path must be /"]),
    "no path": ("__host-a=b; Secure", ["Path must be /"]),
    "all that can be wrong": ("__HOST-a=b; Domain=c", ["must not have a Domain", "Path must be /", "must be Secure"]),
    "a secure cookie that is none": ("__Secure-a=b", ["begins with __Secure-, so it must be Secure"]),
    "a domain that is allowed": ("__Secure-a=b; Secure; Domain=c", []),
    "none without Secure": ("a=b; SameSite=None", ["SameSite=None is for Secure cookies only"]),
    "none with Secure": ("a=b; SameSite=none; Secure", []),
    "no such SameSite": ("a=b; SameSite=strong", ["is none of Strict, Lax and None"]),
    "an empty SameSite": ("a=b; SameSite", ["is none of Strict, Lax and None"]),
    "partitioned": ("a=b; Partitioned", ["Partitioned is for Secure cookies only"]),
    "a name in between": ("x__Host-a=b; Domain=c", []),
}


@pytest.mark.parametrize(("value", "expected"), COOKIES.values(), ids=COOKIES)
def test_parse(value, expected):
    assert parse_set_cookie(value) == expected


@pytest.mark.parametrize(("value", "expected"), FAULTS.values(), ids=FAULTS)
def test_what_browsers_drop(value, expected):
    found = faults(*parse_set_cookie(value))
    assert len(found) == len(expected)
    assert all(part in fault for part, fault in zip(expected, found, strict=True))


@given(value=st.text())
def test_any_text_is_a_cookie_or_none(value):
    cookie = parse_set_cookie(value)
    if cookie is not None:
        name, attributes = cookie
        assert name
        assert not set(name) & set("=;\r\n\0")
        faults(name, attributes)


@given(
    name=st.text("abcXYZ_-0189.", min_size=1),
    # Werkzeug lets some control characters through, and browsers drop such a cookie.
    value=st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30),
    path=st.none() | st.just("/") | st.just("/a/b"),
    domain=st.none() | st.just("example.com"),
    secure=st.booleans(),
    httponly=st.booleans(),
    samesite=st.sampled_from([None, "Strict", "Lax", "None"]),
    max_age=st.none() | st.integers(0, 10**6),
    partitioned=st.booleans(),
)
def test_what_werkzeug_writes_is_read(name, value, path, domain, secure, httponly, samesite, max_age, partitioned):
    written = dump_cookie(
        name, value, max_age, path=path, domain=domain, secure=secure, httponly=httponly, samesite=samesite,
        partitioned=partitioned, max_size=0,
    )  # fmt: skip
    found, attributes = parse_set_cookie(written)
    expected = {
        "domain": domain, "max-age": None if max_age is None else str(max_age), "path": path, "samesite": samesite,
        "secure": "" if secure or partitioned else None, "httponly": "" if httponly else None,
        "partitioned": "" if partitioned else None,
    }  # fmt: skip
    attributes.pop("expires", None)
    assert (found, attributes) == (name, {key: text for key, text in expected.items() if text is not None})
