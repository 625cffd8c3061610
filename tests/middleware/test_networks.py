import pytest

from overcoat.middleware._networks import Networks

PROXIES = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32", "::ffff:192.0.2.0/120", "unix:"]


@pytest.mark.parametrize(
    ("peer", "entry"),
    [
        *[("127.0.0.1", "127.0.0.1/32"), ("10.1.2.3", "10.0.0.0/8"), ("::ffff:10.1.2.3", "10.0.0.0/8")],
        *[("2001:db8::7", "2001:db8::/32"), ("192.0.2.9", "192.0.2.0/24")],
        *[("", "unix:"), ("0.0.0.0", "unix:"), ("localhost", "unix:"), ("unix:/run/app.sock", "unix:")],
        *[("11.0.0.1", None), ("::1", None), ("garbage", None), (None, None)],
    ],
    ids=repr,
)
def test_which_entry_trusts_a_peer(peer, entry):
    networks = Networks("ProxyFix", PROXIES)
    assert networks.entry_for(peer) == entry
    assert networks.trusts(peer) is (entry is not None)


@pytest.mark.parametrize(
    ("trusted", "all_of_them"),
    [
        (["0.0.0.0/0"], True),
        (["10.0.0.0/8", "::/0"], True),
        (["::ffff:0:0/96"], True),
        (["0.0.0.0/1"], False),
        ([], False),
    ],
    ids=str,
)
def test_a_network_that_holds_every_address(trusted, all_of_them):
    assert Networks("ProxyFix", trusted).trusts_all is all_of_them
