import pytest

from overcoat.middleware._hsts import ONE_YEAR_S, is_public_name, strict_transport

# The second of each: what the URL Standard's host parser makes of it.
HOSTS = {
    "shop.example": True,
    "shop.example:8443": True,
    "shop.example.": True,
    "shop.example:": True,
    "xn--caf-dma.example": True,
    "a_b.example": True,
    "localhost.example": True,
    "notlocalhost": True,
    "1.2.3.4.example": True,
    "0x7f.example": True,
    "0xcafe-babe": True,
    "localhost": False,
    "LOCALHOST:5001": False,
    "localhost:": False,
    "localhost.": False,
    "localhost.:443": False,
    "app.localhost": False,
    "127.0.0.1": False,
    "127.0.0.1:5001": False,
    "192.0.2.1.": False,
    "2130706433": False,
    "127.1": False,
    "0177.0.0.1": False,
    "0x7f000001": False,
    "0X7F.1": False,
    "127.0.0.0x1": False,
    "0x": False,
    "a.0x1": False,
    "[::1]": False,
    "[2001:db8::1]:8443": False,
    "::1": False,
    "": False,
    ".": False,
    "a..example": False,
    "shop.example:https": False,
    "shop.example:443:443": False,
    "user@shop.example": False,
    "shop.example/path": False,
    "caf\xc3\xa9.example": False,
    "shop.example\n": False,
    "a" * 64: False,
}


@pytest.mark.parametrize(("host", "public"), HOSTS.items(), ids=map(repr, HOSTS))
def test_hsts_is_for_names_only(host, public):
    assert is_public_name(host) is public


VALUES = {
    "a year": ((ONE_YEAR_S, False, False), "max-age=31536000"),
    "0 lifts it": ((0, False, False), "max-age=0"),
    "subdomains": ((60, True, False), "max-age=60; includeSubDomains"),
    "preload": ((ONE_YEAR_S, True, True), "max-age=31536000; includeSubDomains; preload"),
    "off": ((None, False, False), None),
}


@pytest.mark.parametrize(("options", "value"), VALUES.values(), ids=VALUES)
def test_values(options, value):
    max_age_s, include_subdomains, preload = options
    assert strict_transport(max_age_s, include_subdomains=include_subdomains, preload=preload) == value


WRONG = {
    "age as text": (("1", False, False), "hsts_max_age_s='1' must be whole seconds"),
    "age as a flag": ((True, False, False), "hsts_max_age_s=True"),
    "age below 0": ((-1, False, False), "hsts_max_age_s=-1"),
    "subdomains as text": ((1, "yes", False), "hsts_include_subdomains='yes' must be True or False"),
    "preload as text": ((1, True, "yes"), "hsts_preload='yes' must be True or False"),
    "subdomains of nothing": ((None, True, False), "hsts_include_subdomains=True has no effect"),
    "preload of nothing": ((None, True, True), "hsts_include_subdomains=True has no effect"),
    "preload for a day": ((86400, True, True), "hsts_max_age_s=86400 .* is refused by the browsers' preload list"),
    "preload without subdomains": ((ONE_YEAR_S, False, True), "hsts_include_subdomains=False is refused"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options(options, message):
    max_age_s, include_subdomains, preload = options
    with pytest.raises(ValueError, match=message):
        strict_transport(max_age_s, include_subdomains=include_subdomains, preload=preload)
