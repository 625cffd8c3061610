"""RFC 7239's Forwarded from nginx: the other family is gone, and the same client comes out."""

import pytest
from support.doors import CLIENT, CLIENT_V6, HOST
from support.proxies import RECOMMENDED
from support.spoofs import SPOOFS, steady, told


@pytest.fixture
def served(fleet):
    return fleet.server()


@pytest.fixture
def door(fleet, served):
    return fleet.proxy(RECOMMENDED / "nginx-forwarded.conf", served.address)


@pytest.mark.parametrize("lines", [[], *SPOOFS.values()], ids=["honest", *SPOOFS])
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_claim_changes_nothing(tls, lines, door, served):
    answer = door.ask("/forwarded/x", lines, tls=tls)
    scheme = "https" if tls else "http"
    assert steady(answer.seen) == steady(door.ask("/forwarded/x", tls=tls).seen)
    assert told(served.line(answer.request_id)) == (CLIENT, "127.0.0.1", scheme, HOST)


def test_an_address_of_ipv6_is_quoted(door):
    answer = door.ask("/forwarded/x", source=CLIENT_V6)
    assert answer.seen["REMOTE_ADDR"] == CLIENT_V6
    assert door.ask("/bare/x", source=CLIENT_V6).seen["HTTP_FORWARDED"] == 'for="[::1]";proto=http;host="example.com"'


def test_the_family_that_is_not_read_says_nothing(door):
    """X-Forwarded-For is what ProxyFix reads by default: nginx has deleted it, and Forwarded is deleted in turn."""
    answer = door.ask("/trusted/x", ["X-Forwarded-For: 6.6.6.6"])
    assert answer.seen["REMOTE_ADDR"] == "127.0.0.1"
    assert "HTTP_FORWARDED" not in answer.seen
