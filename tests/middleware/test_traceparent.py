import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overcoat.middleware._traceparent import MOST_MEMBERS, parse_traceparent, parse_tracestate

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

ids = st.integers(min_value=1, max_value=2**128 - 1).map(lambda number: f"{number:032x}")
span_ids = st.integers(min_value=1, max_value=2**64 - 1).map(lambda number: f"{number:016x}")
white = st.text(" \t", max_size=3)

keys = st.one_of(
    st.from_regex(r"[a-z0-9][a-z0-9_*/-]{0,255}", fullmatch=True),
    st.from_regex(r"[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}", fullmatch=True),
)
values = st.from_regex(r"[ -+\--<>-~]{0,255}[!-+\--<>-~]", fullmatch=True)
members = st.dictionaries(keys, values, min_size=1, max_size=MOST_MEMBERS).map(
    lambda pairs: [f"{key}={value}" for key, value in pairs.items()]
)

# Text that is nearly right: the letters of the two headers, in any order.
near = st.text("0123456789abcdefABCDEF-,=@ \t\n.xyz_*/\u0660\xa0", max_size=120)


@pytest.mark.parametrize(
    ("flags", "kept"),
    [("00", "00"), ("01", "01"), ("02", "02"), ("03", "03"), ("ff", "03"), ("fc", "00"), ("09", "01")],
)
def test_only_the_flags_of_level_2_are_handed_on(flags, kept):
    assert parse_traceparent(f"00-{TRACE}-{SPAN}-{flags}") == (TRACE, SPAN, kept)


REFUSED = {
    "empty": "",
    "upper case": f"00-{TRACE.upper()}-{SPAN}-01",
    "line feed behind": f"00-{TRACE}-{SPAN}-01\n",
    "line feed behind a later version": f"cc-{TRACE}-{SPAN}-01-x\n",
    "a carriage return in the tail": f"cc-{TRACE}-{SPAN}-01-x\rSet-Cookie: a=b",
    "other white space": f"\x0b00-{TRACE}-{SPAN}-01",
    "non-breaking space": f"\xa000-{TRACE}-{SPAN}-01",
    "digits that are not ASCII": f"00-{TRACE[:-1]}\u0663-{SPAN}-01",
    "two headers joined": f"00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01",
    "two headers of a later version": f"cc-{TRACE}-{SPAN}-01-x,cc-{TRACE}-{SPAN}-01",
    "version ff with a tail": f"ff-{TRACE}-{SPAN}-01-x",
    "no trace id": f"00--{SPAN}-01",
    "a later version cut short": f"cc-{TRACE}-{SPAN}-0",
    "a later version with all zero ids": f"cc-{'0' * 32}-{'0' * 16}-01",
}


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
def test_item_66_a_traceparent_that_is_refused(value):
    assert parse_traceparent(value) is None


@given(ids, span_ids, st.sampled_from(["00", "01", "02", "03"]), white, white)
def test_what_is_written_is_read_again(trace_id, span_id, flags, before, behind):
    value = f"{before}00-{trace_id}-{span_id}-{flags}{behind}"
    assert parse_traceparent(value) == (trace_id, span_id, flags)


@given(st.one_of(st.text(), near, st.builds("00-{}-{}-{}".format, ids, span_ids, near)))
@example("00-" + "0" * 32 + f"-{SPAN}-01")
def test_what_is_read_is_always_valid(value):
    parsed = parse_traceparent(value)
    if parsed is not None:
        written = "00-{}-{}-{}".format(*parsed)
        assert re.fullmatch(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[0-3]", written)
        assert parsed[0] in value
        assert parse_traceparent(written) == parsed


@given(members, st.lists(white, min_size=66, max_size=66))
def test_a_list_is_read_as_it_was_written(listed, spaces):
    value = ",".join(
        before + member + behind for before, member, behind in zip(spaces[::2], listed, spaces[1::2], strict=False)
    )
    assert parse_tracestate(value) == ",".join(listed)


@given(st.one_of(st.text(), near, st.lists(st.one_of(near, keys.map("{}=1".format)), max_size=40).map(",".join)))
def test_what_is_kept_of_any_list_is_valid(value):
    kept = parse_tracestate(value)
    if kept:
        assert set(kept) <= set(string.printable) - set("\r\n\t\x0b\x0c")
        pairs = [member.split("=") for member in kept.split(",")]
        assert all(len(pair) == 2 and pair[0] and pair[1].strip() for pair in pairs)
        assert len({key for key, _ in pairs}) == len(pairs) <= MOST_MEMBERS
        assert parse_tracestate(kept) == kept


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("", ""),
        (" \t,,\t", ""),
        ("a= b", "a= b"),
        ("9a=1", "9a=1"),
        (",a=1,,b=2,", "a=1,b=2"),
        (f"a={'v' * 256}", f"a={'v' * 256}"),
        (f"a={'v' * 257}", None),
        ("a=\x7f", None),
        ("a=é", None),
        ("a=b\tc", None),
        ("a=1\r\nSet-Cookie: b=1", None),
        ("a=1\n", None),
        ("a=", None),
        ("=1", None),
        ("a", None),
        ("a@1=1", None),
    ],
)
def test_tracestate(value, kept):
    assert parse_tracestate(value) == kept


HOSTILE = {
    "commas": ",",
    "white space": " ",
    "white space between commas": " \t,",
    "members": "a=1,",
    "different members": None,
    "long key": "a",
    "long tenant": "a@",
    "long value": "a=" + "b" * 255,
    "hexadecimal digits": "00-4bf92f35",
    "dashes": "-",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("parse", [parse_traceparent, parse_tracestate])
def test_64_kib_of_anything_is_read_in_linear_time(parse, unit):
    # Thousands of times: what is quadratic takes minutes, what is linear a second, on any machine.
    text = "".join(f"k{n}=1," for n in range(8000)) if unit is None else unit * (65536 // len(unit))
    for prefix in ("", f"cc-{TRACE}-{SPAN}-01-", "a=1,"):
        for _ in range(200):
            parse(prefix + text)
