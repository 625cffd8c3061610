"""What a client sends costs linear time, proven without a clock: see ``support.steps`` for what is counted.

Twice as much may cost a little more than twice as many steps. CVE-2025-62727, CVE-2020-5236: a header cost its square.
"""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.apps import ok
from support.coats import COATS
from support.hostile import BY_KEY, LONG, OTHERS
from support.patterns import patterns
from support.steps import _Model, match_steps, opcodes
from support.wsgi import make_environ, serve

LIMIT = 2.3

HEADER_UNITS = [long.unit for long in LONG]
# Repeated: those of the fuzzer, and what the patterns' own parts are made of.
UNITS = sorted(
    {
        *HEADER_UNITS,
        *('="', "a:", "://a:", "://", "a=", "a.", ".a", "-", "_", "for", "a@", "@", "<", "\t", " a", "0", "0,", "k=v,"),
        *("@a,", "%e9", "A", "aA", "0a", "::", "::1,", "; "),
    }
)
TAILS = ("", "!", "\n", '"', "=", "\xff")
PATTERNS = {found.name: found for found in patterns("overcoat.middleware")}


def growth(pattern, method, unit, tail):
    """How many times as much twice as much costs; what a bound makes quadratic at first is looked at further on."""
    ratio = 0.0
    for size in (64, 256, 1024):
        once, twice = (match_steps(pattern, method, unit * (length // len(unit)) + tail) for length in (size, 2 * size))
        ratio = twice / max(once, size)
        if ratio <= LIMIT:
            break
    return ratio


@pytest.mark.parametrize("found", PATTERNS.values(), ids=PATTERNS)
def test_cve_2020_5236_no_pattern_takes_more_than_linear_steps(found):
    cases = [(method, unit, tail) for method in found.methods for unit in UNITS for tail in TAILS]
    assert {case: ratio for case in cases if (ratio := growth(found.pattern, *case)) > LIMIT} == {}


BAD = {
    "exponential, nested": (r"(a+)+b", "match", "a", 7),
    "exponential, alternatives": (r"(?:a|a)*b", "fullmatch", "a", 7),
    "exponential, optional rounds": (r"(?: *x?)*,", "match", " ", 7),
    "quadratic, from every place": (r"a+b", "search", "a", 64),
    "quadratic, possessive from every place": (r"a++b", "finditer", "a", 64),
    "quadratic, two runs": (r"[a-z]+[a-z0-9]*!", "match", "a", 64),
    "quadratic, CVE-2020-5236": (r"[ \t]+$", "search", " ", 64),
}


@pytest.mark.parametrize(("pattern", "method", "unit", "size"), BAD.values(), ids=BAD)
def test_the_model_finds_what_is_not_linear(pattern, method, unit, size):
    once, twice = (match_steps(re.compile(pattern), method, f"{unit * number}x") for number in (size, 2 * size))
    assert twice / once > 3


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(sorted(PATTERNS)), st.lists(st.sampled_from(UNITS), max_size=12).map("".join))
def test_the_model_matches_what_the_engine_matches(name, text):
    pattern = PATTERNS[name].pattern
    match = pattern.match(text)
    assert _Model(pattern, text).matches(0) == (None if match is None else match.end())
    whole = _Model(pattern, text).matches(0, whole=True)
    assert (whole is not None) is (pattern.fullmatch(text) is not None)


KEYS = [key for key in (*BY_KEY, *OTHERS) if key.startswith("HTTP_")] + ["QUERY_STRING", "PATH_INFO", "RAW_URI"]
# The fullest of each layer, and all layers together.
WORN = ("ProxyFix-allowed-hosts", "ProxyFix-forwarded", "RequestLog-shows", "stack", "guarded-stack")


@pytest.mark.parametrize("coat", [coat for coat in COATS if coat.name in WORN], ids=lambda coat: coat.name)
def test_cve_2025_62727_64_kib_in_every_header_take_linear_steps(coat):
    def cost(unit, size):
        value = (unit * size)[:size]
        # A new one each time: what was remembered of the first would be spared in the second.
        worn, environ = coat.wear(ok, []), make_environ(**dict.fromkeys(KEYS, value))
        return opcodes(lambda: serve(worn, environ))

    cost("a", 8)  # what is made once in a process is made
    grown = {unit: ratio for unit in HEADER_UNITS if (ratio := cost(unit, 65536) / cost(unit, 32768)) > LIMIT}
    assert grown == {}


def _quadratic(environ, start_response):
    for value in environ.values():
        for place in range(len(value) // 4096 if type(value) is str else 0):
            for _ in range(place):
                pass
    return ok(environ, start_response)


def test_the_count_finds_what_is_not_linear():
    once, twice = (
        opcodes(lambda size=size: serve(_quadratic, make_environ(HTTP_A="a" * size))) for size in (2**19, 2**20)
    )
    assert twice / once > 3
