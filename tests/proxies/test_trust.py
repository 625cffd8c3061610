"""A chain of proxies with an address each: how far the walk goes is what ``trusted`` names."""

import pytest
from support.doors import CLIENT
from support.proxies import RECOMMENDED

EDGE = "127.0.0.2"
INNER = {"nginx-behind-proxy.conf", "haproxy-behind-proxy.cfg", "apache2-behind-proxy.conf", "Caddyfile-behind-proxy"}
#: nginx connects to the next one from an address of its own.
FROM_EDGE = {"proxy_http_version 1.1;": f"proxy_bind {EDGE};\n        proxy_http_version 1.1;"}


@pytest.mark.parametrize("inner", sorted(INNER))
@pytest.mark.parametrize(
    ("trusted", "client", "scheme"),
    [
        (f"127.0.0.1,{EDGE}", CLIENT, "https"),
        ("127.0.0.0/29", CLIENT, "https"),
        ("127.0.0.1", EDGE, "https"),
        (EDGE, "127.0.0.1", "http"),
        ("10.0.0.0/8,unix:", "127.0.0.1", "http"),
    ],
    ids=["both", "network", "inner-alone", "edge-alone", "neither"],
)
def test_the_walk_ends_at_the_first_that_is_not_named(inner, trusted, client, scheme, fleet):
    # A gunicorn that leaves the scheme to ProxyFix.
    served = fleet.server("gunicorn gthread", "--forwarded-allow-ips=", TRUSTED_PROXIES=trusted)
    behind = fleet.proxy(RECOMMENDED / inner, served.address, {"10.0.0.1": EDGE})
    door = fleet.proxy(RECOMMENDED / "nginx.conf", f"127.0.0.1:{behind.http}", FROM_EDGE)
    answer = door.ask("/trusted/x", ["X-Forwarded-For: 6.6.6.6"], tls=True)
    assert answer.seen["REMOTE_ADDR"] == client
    assert answer.seen["wsgi.url_scheme"] == scheme
    assert ("HTTP_X_FORWARDED_FOR" in answer.seen) == (scheme == "https")  # deleted, unless the peer is named


@pytest.mark.parametrize("inner", sorted(INNER))
def test_who_is_not_the_proxy_in_front_cannot_speak_for_it(inner, fleet):
    behind = fleet.proxy(RECOMMENDED / inner, fleet.server().address, {"10.0.0.1": EDGE})
    claims = ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https"]
    spoken = behind.ask("/trusted/x", claims, source=EDGE).seen
    assert (spoken["HTTP_X_FORWARDED_FOR"].replace(" ", ""), spoken["wsgi.url_scheme"]) == (f"6.6.6.6,{EDGE}", "https")
    other = behind.ask("/trusted/x", claims).seen
    assert (other["REMOTE_ADDR"], other["HTTP_X_FORWARDED_FOR"], other["wsgi.url_scheme"]) == (CLIENT, CLIENT, "http")
