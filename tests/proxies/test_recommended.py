"""The files in docs/proxies, started as they are: client, scheme and host come out right, whatever a client claims."""

from typing import NamedTuple

import pytest
from support.doors import CLIENT, CLIENT_V6, HOST
from support.proxies import ELSEWHERE, IN_FRONT, RECOMMENDED
from support.spoofs import REFUSABLE, REFUSALS, SPOOFS, steady, told

EDGES = ["nginx.conf", "haproxy.cfg", "apache2.conf", "Caddyfile"]
INNER = ["nginx-behind-proxy.conf", "haproxy-behind-proxy.cfg", "apache2-behind-proxy.conf", "Caddyfile-behind-proxy"]


class Route(NamedTuple):
    """A way to the app: configuration files from the client inwards, and the server."""

    files: tuple[str, ...]
    server: str = "gunicorn gthread"
    tls: bool = False
    in_front: tuple[tuple[str, str], ...] = tuple(IN_FRONT.items())

    def __str__(self):
        elsewhere = "" if self.in_front == tuple(IN_FRONT.items()) else "-bypassed"
        return f"{'-to-'.join(self.files)}-{self.server.split()[0]}-{'https' if self.tls else 'http'}{elsewhere}"

    @property
    def scheme(self):
        return "https" if self.tls else "http"

    def open(self, fleet):
        """The outermost door, and the app."""
        served = fleet.server(self.server)
        address = served.address
        for name in reversed(self.files):
            door = fleet.proxy(RECOMMENDED / name, address, dict(self.in_front) if "behind-proxy" in name else {})
            address = f"127.0.0.1:{door.http}"
        return door, served


ALONE = [
    Route((edge,), server, tls)
    for edge in EDGES
    for server in ("gunicorn gthread", "waitress")
    for tls in (False, True)
]
ALONE += [Route((edge,), "uwsgi", True) for edge in EDGES]
CHAINS = [Route((edge, inner), tls=True) for edge in EDGES for inner in INNER]
CHAINS += [Route((edge, inner), "waitress") for edge, inner in zip(EDGES, INNER[1:] + INNER[:1], strict=True)]
BYPASSED = [Route((inner,), in_front=tuple(ELSEWHERE.items())) for inner in INNER]
ROUTES = [*ALONE, *CHAINS, *BYPASSED]


@pytest.fixture(scope="session")
def honest(fleet):
    """What the app sees of a request without any claim, by route."""
    known = {}

    def seen(route):
        if route not in known:
            known[route] = steady(route.open(fleet)[0].ask("/host/x", tls=route.tls).seen)
        return known[route]

    return seen


@pytest.mark.parametrize("path", ["trusted", "host"])
@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_the_client_comes_out(route, path, fleet):
    door, served = route.open(fleet)
    answer = door.ask(f"/{path}/x", tls=route.tls)
    assert answer.status == 200
    assert answer.seen["REMOTE_ADDR"] == CLIENT
    assert answer.seen["wsgi.url_scheme"] == route.scheme
    assert answer.seen["HTTP_HOST"] == HOST
    assert (answer.seen["SCRIPT_NAME"], answer.seen["PATH_INFO"]) == ("", f"/{path}/x")
    assert told(served.line(answer.request_id)) == (CLIENT, "127.0.0.1", route.scheme, HOST)


@pytest.mark.parametrize("route", [route for route in ROUTES if "gunicorn" in route.server], ids=str)
def test_a_client_of_ipv6_comes_out(route, fleet):
    door, served = route.open(fleet)
    answer = door.ask("/trusted/x", tls=route.tls, source=CLIENT_V6)
    assert answer.seen["REMOTE_ADDR"] == CLIENT_V6
    assert told(served.line(answer.request_id)) == (CLIENT_V6, "127.0.0.1", route.scheme, HOST)


@pytest.mark.parametrize("lines", SPOOFS.values(), ids=SPOOFS)
@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_claim_changes_nothing(route, lines, fleet, honest):
    door, served = route.open(fleet)
    answer = door.ask("/host/x", lines, tls=route.tls)
    assert answer.status == 200
    assert steady(answer.seen) == honest(route)
    assert told(served.line(answer.request_id)) == (CLIENT, "127.0.0.1", route.scheme, HOST)


@pytest.mark.parametrize("lines", REFUSABLE.values(), ids=REFUSABLE)
@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_malformed_claim_is_refused_or_changes_nothing(route, lines, fleet, honest):
    answer = route.open(fleet)[0].ask("/host/x", lines, tls=route.tls)
    assert answer.status in REFUSALS or (answer.status == 200 and steady(answer.seen) == honest(route))


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_claim_in_a_trailer_changes_nothing(route, fleet, honest):
    body = b"2\r\nab\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: ws\r\n\r\n"
    lines = ["Transfer-Encoding: chunked", "Trailer: X-Forwarded-For, X-Forwarded-Proto"]
    answer = route.open(fleet)[0].ask("/host/x", lines, tls=route.tls, method="POST", body=body)
    assert answer.status == 200
    assert steady(answer.seen) == honest(route)


def test_every_file_is_started():
    tested = {name for route in ROUTES for name in route.files}
    elsewhere = {"haproxy-tcp.cfg", "nginx-proxy-protocol.conf", "nginx-forwarded.conf"}
    assert {path.name for path in RECOMMENDED.iterdir()} == tested | elsewhere
