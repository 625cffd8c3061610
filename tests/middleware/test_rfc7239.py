import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overcoat.middleware._rfc7239 import elements_from_right, name_node, parse_node

TOKEN = st.text("!#$%&'*+-.^_`|~" + string.ascii_letters + string.digits, min_size=1)
# What a quoted-string can hold: HTAB, SP, visible characters and obs-text.
TEXT = st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]) | st.just("\t"))
ELEMENT = st.dictionaries(TOKEN.map(str.lower), TOKEN | TEXT, min_size=1, max_size=4)
SPACE = st.text(" \t", max_size=2)


def read(value):
    return list(elements_from_right(value))


READ = {
    # the examples of RFC 7239, sections 4, 6.3 and 7.1
    'for="_gazonk"': [{"for": "_gazonk"}],
    'For="[2001:db8:cafe::17]:4711"': [{"for": "[2001:db8:cafe::17]:4711"}],
    "for=192.0.2.60;proto=http;by=203.0.113.43": [{"for": "192.0.2.60", "proto": "http", "by": "203.0.113.43"}],
    "for=192.0.2.43, for=198.51.100.17": [{"for": "198.51.100.17"}, {"for": "192.0.2.43"}],
    'for=192.0.2.43, for="[2001:db8:cafe::17]"': [{"for": "[2001:db8:cafe::17]"}, {"for": "192.0.2.43"}],
    'for=192.0.2.43,for="[2001:db8:cafe::17]",for=unknown': [
        {"for": "unknown"},
        {"for": "[2001:db8:cafe::17]"},
        {"for": "192.0.2.43"},
    ],
    "for=_hidden, for=_SEVKISEK": [{"for": "_SEVKISEK"}, {"for": "_hidden"}],
    # names in any case, parameters of others, empty pairs and elements
    "FOR=a;pRoTo=HTTPS;secret=1": [{"for": "a", "proto": "HTTPS", "secret": "1"}],
    "for=a;": [{"for": "a"}],
    ";;for=a;;proto=b;": [{"for": "a", "proto": "b"}],
    ";": [{}],
    "": [],
    " ,\t, ": [],
    ",for=a,,for=b,": [{"for": "b"}, {"for": "a"}],
    "\tfor=a\t,  for=b ": [{"for": "b"}, {"for": "a"}],
    "for=a ; proto=b": [{"for": "a", "proto": "b"}],
    # quoted strings: separators, escapes and nothing
    'for="a,b;c=d"': [{"for": "a,b;c=d"}],
    r'for="a\"b\\c\d"': [{"for": 'a"b\\cd'}],
    'for=""': [{"for": ""}],
    'for="="': [{"for": "="}],
    r'for="\\", for="\"", for=","': [{"for": ","}, {"for": '"'}, {"for": "\\"}],
    # a client's open quotation mark swallows nothing
    'for="x, for=192.0.2.1': [{"for": "192.0.2.1"}, None],
    'for=6.6.6.6;x=", for="[2001:db8::1]:4711"': [{"for": "[2001:db8::1]:4711"}, None],
    '", for="[2001:db8::1]"': [{"for": "[2001:db8::1]"}, None],
    'for="\\, for=192.0.2.1': [{"for": "192.0.2.1"}, None],
    # malformed
    "for": [None],
    "for=": [None],
    "=a": [None],
    "for =a": [None],
    "for= a": [None],
    "for=a b": [None],
    "for=a proto=b": [None],
    'for="a"proto=b': [None],
    'for=a"b,c"': [None],
    "for=a;for=b": [None],
    "for=a;FOR=a": [None],
    "for=192.0.2.1:80": [None],
    "for=[2001:db8::1]": [None],
    'for="a"b': [None],
    'for="a': [None],
    'for=a"': [None],
    'for="a\\"': [None],
    'for="a\x00b"': [None],
    'for="a\r\nX: b"': [None],
    "for=\xa0a": [None],
    "\xa0for=a": [None],
    "for=a\x0b": [None],
    "for=a, !, for=b": [{"for": "b"}, None],
    'for="\u2028"': [None],
}


@pytest.mark.parametrize(("value", "elements"), READ.items(), ids=map(repr, READ))
def test_elements_from_right(value, elements):
    assert read(value) == elements


def quoted(text, escapes):
    """As a quoted-string, with a backslash where one must be and wherever else it is asked for."""
    return '"' + "".join(f"\\{char}" if char in '"\\' or escape else char for char, escape in escapes(text)) + '"'


@given(st.data(), st.lists(ELEMENT, max_size=5))
def test_what_was_written_is_read(data, elements):
    def written(value):
        if (
            value
            and not set(value) - set("!#$%&'*+-.^_`|~" + string.ascii_letters + string.digits)
            and data.draw(st.booleans())
        ):
            return value
        return quoted(value, lambda text: [(char, data.draw(st.booleans())) for char in text])

    def name(text):
        return "".join(data.draw(st.sampled_from([char, char.upper()])) for char in text)

    def gap(mark):
        return data.draw(SPACE) + mark * data.draw(st.integers(1, 2)) + data.draw(SPACE)

    parts = [gap(";").join(f"{name(key)}={written(value)}" for key, value in one.items()) for one in elements]
    value = data.draw(SPACE) + gap(",").join(parts) + data.draw(SPACE)
    assert read(value) == elements[::-1]


@given(st.text() | st.text('for=,;"\\ \ta1[]:'), ELEMENT)
@example('for="', {"for": 'x", for="y'})
@example("for=\\", {"for": "a"})
def test_what_a_client_wrote_changes_nothing_right_of_it(theirs, element):
    appended = ";".join(
        f"{key}={quoted(value, lambda text: [(char, False) for char in text])}" for key, value in element.items()
    )
    assert next(elements_from_right(f"{theirs}, {appended}")) == element


@given(st.text() | st.text('for=,;"\\ \ta1[]:') | st.text(st.characters(max_codepoint=255)))
def test_whatever_comes_nothing_is_raised(value):
    elements = read(value)
    assert None not in elements[:-1]
    assert all(key == key.lower() for element in elements if element for key in element)


@pytest.mark.parametrize(
    "unit",
    [
        "for=10.0.0.1,",
        '"',
        ",",
        'for="',
        "\\",
        '\\"',
        '="',
        ";",
        'for="a",',
        " ",
        "a",
        "\0",
        "=",
        "é",
        'a="\\"',
        "a=b;",
        '",',
    ],
    ids=repr,
)
def test_cve_2025_62727_64_kib_cost_linear_time(unit):
    # Each character is looked at a few times: a quadratic reader would need minutes, and fail by the test's limit.
    for _ in range(10):
        read(unit * (65536 // len(unit)))
        read("for=a," + unit * (65536 // len(unit)) + '"')


NODES = {
    "192.0.2.1": "192.0.2.1",
    "192.0.2.1:80": "192.0.2.1",
    "192.0.2.1:_gate": "192.0.2.1",
    "[2001:db8::1]": "2001:db8::1",
    "[2001:db8::1]:4711": "2001:db8::1",
    "[2001:db8::1]:_a.b-c_d": "2001:db8::1",
    # and what names no address
    "": None,
    "unknown": None,
    "_hidden": None,
    "2001:db8::1": None,
    "[192.0.2.1": None,
    "192.0.2.1:": None,
    "192.0.2.1:_": None,
    "192.0.2.1:123456": None,
    "192.0.2.1:+80": None,
    "[fe80::1%eth0]": None,
    "192.0.2.1\n": None,
    "١٩٢.0.2.1": None,
    "shop.example": None,
    "[]": None,
}


@pytest.mark.parametrize(("text", "address"), NODES.items(), ids=map(repr, NODES))
def test_parse_node(text, address):
    assert parse_node(text) == address


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("unknown", "an unknown address"),
        ("Unknown:80", "an unknown address"),
        ("_hidden", "an obfuscated name"),
        ("_hidden:_port", "an obfuscated name"),
        ("_", "no address"),
        ("unknowns", "no address"),
        ("", "no address"),
    ],
    ids=repr,
)
def test_name_node(text, name):
    assert name_node(text) == name
