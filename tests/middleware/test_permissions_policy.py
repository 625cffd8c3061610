import pytest
from hypothesis import given
from hypothesis import strategies as st

from overcoat.middleware._permissions_policy import FEATURES, permissions_policy

GOOD = {
    "nobody": ({"camera": []}, "camera=()"),
    "all": ({"camera": "*"}, "camera=*"),
    "all in a list": ({"camera": ["*"]}, "camera=*"),
    "self": ({"camera": "self"}, "camera=(self)"),
    "origins": (
        {"geolocation": ["self", "https://a.example:8443", "https://*.b.example"], "usb": ()},
        'geolocation=(self "https://a.example:8443" "https://*.b.example"), usb=()',
    ),
    "an address": ({"midi": ["http://[::1]:80"]}, 'midi=("http://[::1]:80")'),
    "a client hint": ({"ch-ua-model": "self"}, "ch-ua-model=(self)"),
    "text": ("camera=(self)", "camera=(self)"),
    "text of a new feature": ("teleport=(), camera=*", "teleport=(), camera=*"),
    "text with an endpoint": ("camera=();report-to=cam", "camera=();report-to=cam"),
    "text with origins": ('camera=( self "https://a.example" )', 'camera=( self "https://a.example" )'),
}


@pytest.mark.parametrize(("policy", "value"), GOOD.values(), ids=GOOD)
def test_good_policies(policy, value):
    assert permissions_policy(policy) == value


BAD = {
    "nothing": ({}, "permissions_policy={} must be a mapping"),
    "a list": (["camera"], "must be a mapping"),
    "misspelt": ({"camra": []}, "unknown feature 'camra'; did you mean 'camera'"),
    "capitals": ({"Camera": []}, "unknown feature 'Camera'; did you mean 'camera'"),
    "far off": ({"teleport": []}, "one that is new can be given as text"),
    "a feature of a wrong type": ({1: []}, "unknown feature 1"),
    "a flag": ({"camera": False}, r"camera=False must be a list of origins: \[\] for nobody"),
    "star beside another": ({"camera": ["*", "self"]}, r"'\*' stands alone"),
    "none": ({"camera": "none"}, r"camera='none' is of another header: write \[\]"),
    "quoted none": ({"camera": ["'none'"]}, "is of another header"),
    "quoted self": ({"camera": ["'self'"]}, "has no quotes in this header: write 'self'"),
    "twice": ({"camera": ["self", "self"]}, "holds 'self' twice"),
    "no scheme": ({"camera": ["a.example"]}, "is no origin"),
    "a path": ({"camera": ["https://a.example/"]}, "is no origin"),
    "a quote": ({"camera": ['https://a.example"']}, "is no origin"),
    "a number": ({"camera": [1]}, "is no origin"),
    "empty text": ("", "printable ASCII"),
    "CVE-2018-1000164 line feed": ("camera=()\r\nX: y", "printable ASCII"),
    "text of Feature-Policy": ("camera 'none'; usb 'self'", "is no member of a structured field"),
    "text without a value": ("camera", "is no member"),
    "text with quotes": ("camera=('self')", "is no member"),
    "text with a bare origin": ("camera=(https://a.example)", "is no member"),
    "text with a capital": ("Camera=()", "is no member"),
    "a trailing comma": ("camera=(),", "'' is no member"),
    "text twice": ("camera=(), camera=*", "'camera' stands twice"),
}


@pytest.mark.parametrize(("policy", "message"), BAD.values(), ids=BAD)
def test_slips_are_refused(policy, message):
    with pytest.raises(ValueError, match=message):
        permissions_policy(policy)


_origins = st.lists(st.sampled_from(["self", "https://a.example", "https://*.b.example:1"]) | st.text(), max_size=3)


@given(st.dictionaries(st.sampled_from(sorted(FEATURES)), _origins | st.just("*"), min_size=1))
def test_what_a_mapping_makes_is_good_text_too(policy):
    try:
        text = permissions_policy(policy)
    except ValueError:
        return
    assert permissions_policy(text) == text


@pytest.mark.parametrize(
    "hostile",
    ["camera=(" + "self " * 13000, 'camera=("' + "a" * 65536, "a=*;" * 16384, "camera=" + "(" * 65536],
    ids=["words", "string", "parameters", "brackets"],
)
def test_cve_2020_5236_text_is_read_in_linear_time(hostile):
    with pytest.raises(ValueError, match="is no member"):
        permissions_policy(hostile)
