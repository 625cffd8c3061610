import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overcoat.middleware._text import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /item?a=1", "GET /item?a=1"),
        ("café 日本 😀", "café 日本 😀"),
        ("CVE-2020-7694 \x1b[2J", r"CVE-2020-7694 \x1b[2J"),
        ("CVE-2025-48432 /a\r\nERROR x", r"CVE-2025-48432 /a\x0d\x0aERROR x"),
        ("CVE-2024-1681 a\nb", r"CVE-2024-1681 a\x0ab"),
        ("werkzeug 2652 \x7f\x9b", r"werkzeug 2652 \x7f\x9b"),
        ("\u2028\u2029\u202e\u2066\ufeff", r"\u2028\u2029\u202e\u2066\ufeff"),
        ("\udcff", r"\udcff"),
        ("", ""),
    ],
    ids=ascii,
)
def test_visible(text, shown):
    assert visible(text) == shown


@given(st.text(st.characters()))
def test_no_control_character_is_left(text):
    shown = visible(text)
    kinds = {unicodedata.category(character) for character in shown}
    assert not kinds & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(shown) & set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    assert len(shown.splitlines()) <= 1
    shown.encode()


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_plain_text_stays_as_it_is(text):
    assert visible(text) == text
