import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overcoat.hooks._origins import lets_everyone_in, safe_origin, safe_origins

HOSTILE = [
    "https://trusted.com.evil.io",
    "https://trustedXcom",
    "https://www.trusted.com.evil.io",
    "https://evil.io/https://trusted.com",
    "https://trusted.com:8080.evil.io",
    "http://trusted.com",
    "null",
    "",
]


@pytest.mark.parametrize(
    "pattern", [r"https://(www\.)?trusted\.com", r"^https://(www\.)?trusted\.com$", r"https://(?:www\.)?trusted[.]com"]
)
@pytest.mark.parametrize("compiled", [False, True], ids=["string", "compiled"])
def test_pattern_covers_the_whole_origin(pattern: str, compiled: bool) -> None:
    safe = safe_origin(re.compile(pattern) if compiled else pattern)
    assert safe.match("https://trusted.com")
    assert safe.match("https://www.trusted.com")
    assert [origin for origin in HOSTILE if safe.match(origin)] == []


def test_flask_cors_matches_the_start_only() -> None:
    from flask import Flask
    from flask_cors import CORS

    app = Flask("shop")
    CORS(app, origins=[r"https://(www\.)?trusted\.com"])
    response = app.test_client().get("/", headers={"Origin": HOSTILE[0]})
    assert response.headers["Access-Control-Allow-Origin"] == HOSTILE[0]


def test_alternatives_are_all_anchored() -> None:
    safe = safe_origin(r"^https://a\.example$|https://b\.example")
    assert safe.match("https://b.example")
    assert not safe.match("https://b.example.evil.io")


@pytest.mark.parametrize(
    "pattern", [r"(?i)https://a\.EXAMPLE", re.compile(r"https://a\.EXAMPLE", re.IGNORECASE), r"https://a\.EXAMPLE"]
)
def test_case_does_not_matter_where_it_did_not(pattern: Any) -> None:
    assert safe_origin(pattern).match("https://A.example")


def test_verbose_pattern_may_end_in_a_comment() -> None:
    safe = safe_origin(re.compile(r"https://a\.example # ours", re.VERBOSE))
    assert safe.match("https://a.example")
    assert not safe.match("https://a.example.evil.io")


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ("https://*.example.com", r"the asterisk repeats '/'"),
        ("http://localhost:*", r"the asterisk repeats ':'"),
        ("https://.*.example.com", r"the dot before 'example.com' stands for any character"),
        (r"https://www.example\.com", r"the dot before 'example"),
        (re.compile("https://a.example"), r"the dot before 'example'"),
        ("https://a.example/", "an origin has no slash at its end"),
        ("https://(a", "is no regular expression"),
        ("https://[[a]", "is no regular expression: Possible nested set"),
        ("", "is neither a string nor a pattern"),
        (7, "is neither a string nor a pattern"),
        (None, "is neither"),
        (re.compile(""), "is neither"),
    ],
    ids=str,
)
def test_what_means_something_else_is_refused(origin: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.compile(rf"FlaskCORS: origins=.*{message}")):
        safe_origins([origin])


@pytest.mark.parametrize("origin", ["https://a.example", "https://a.example:8443", "null", "*", ".*"])
def test_literals_stay_literal(origin: str) -> None:
    assert safe_origins(origin) == [origin]


@pytest.mark.parametrize(
    ("origins", "everyone"),
    [
        ("*", True),
        (["https://a.example", ".*"], True),
        (r"https?://.*", True),
        (re.compile(".+"), True),
        (r"https://[a-z.]+", True),
        ("https://a.example", False),
        (r"https://[a-z]+\.example", False),
        ([], False),
    ],
)
def test_everyone_is_recognised(origins: Any, everyone: bool) -> None:
    assert lets_everyone_in(safe_origins(origins)) is everyone


@given(st.text(st.sampled_from(r"ahtps:/.\*+?[](){}|^$-x0 "), max_size=30))
def test_any_text_is_refused_or_covers_the_whole_origin(text: str) -> None:
    try:
        safe = safe_origin(text)
    except ValueError:
        return
    if isinstance(safe, re.Pattern):
        for origin in ("https://a", "https://a.evil.io", "ah"):
            match = safe.match(origin)
            assert match is None or match.end() == len(origin)


def test_long_texts_cost_linear_time() -> None:
    assert safe_origin("https://" + "a" * 100_000) == "https://" + "a" * 100_000
    with pytest.raises(ValueError, match="stands for any character"):
        safe_origin("[" * 50_000 + "]" + "a." * 50_000)


@pytest.mark.parametrize("origin", ["http://[::1]:3000", "https://[2001:db8::1]", "HTTP://[::1]:3000"])
def test_ipv6_origin_is_itself_and_no_character_class(origin: str) -> None:
    safe = safe_origin(origin)
    assert safe.match(origin)
    assert not any(
        safe.match(other) for other in ["http://::1:3000", f"{origin}.evil.io", f"{origin}0", "http://1:3000"]
    )


@pytest.mark.parametrize("origin", ["shop.example", "localhost:3000", "//shop.example"])
def test_origin_without_a_scheme_would_match_nothing(origin: str) -> None:
    with pytest.raises(ValueError, match="write its scheme too"):
        safe_origin(origin)
