"""The PROXY protocol, versions 1 and 2: HAProxy tells the address of the connection, to nginx or to gunicorn."""

import socket
import struct

import pytest
from support.doors import CLIENT, HOST
from support.proxies import ELSEWHERE, IN_FRONT, RECOMMENDED
from support.spoofs import SPOOFS, steady, told

VERSIONS = {"v1": {"send-proxy-v2": "send-proxy"}, "v2": {}}
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
#: As the file says it: gunicorn reads the protocol, and no forwarding header of anybody.
READS_PROTOCOL = ("--proxy-protocol=auto", "--forwarded-allow-ips=")


def version_1(client, server="127.0.0.1"):
    return f"PROXY TCP4 {client} {server} 4711 80\r\n".encode()


def version_2(client, server="127.0.0.1"):
    addresses = socket.inet_aton(client) + socket.inet_aton(server) + struct.pack(">HH", 4711, 80)
    return SIGNATURE + b"\x21\x11" + struct.pack(">H", len(addresses)) + addresses


LOCAL = SIGNATURE + b"\x20\0\0\0"


def to_gunicorn(fleet, version):
    served = fleet.server("gunicorn gthread", *READS_PROTOCOL)
    return fleet.proxy(RECOMMENDED / "haproxy-tcp.cfg", served.address, VERSIONS[version]), served


def to_nginx(fleet, version):
    served = fleet.server()
    nginx = fleet.proxy(RECOMMENDED / "nginx-proxy-protocol.conf", served.address, IN_FRONT)
    behind = f"127.0.0.1:{nginx.http} 127.0.0.1:{nginx.https}"
    return fleet.proxy(RECOMMENDED / "haproxy-tcp.cfg", behind, VERSIONS[version]), served


@pytest.mark.parametrize("lines", [[], *SPOOFS.values()], ids=["honest", *SPOOFS])
@pytest.mark.parametrize("version", VERSIONS)
def test_gunicorn_tells_the_client(version, lines, fleet):
    door, served = to_gunicorn(fleet, version)
    answer = door.ask("/nobody/x", lines)
    assert steady(answer.seen) == steady(door.ask("/nobody/x").seen)
    assert answer.seen["REMOTE_ADDR"] == CLIENT
    assert answer.seen["wsgi.url_scheme"] == "http"
    assert told(served.line(answer.request_id)) == (CLIENT, CLIENT, "http", HOST)


@pytest.mark.parametrize("lines", [[], *SPOOFS.values()], ids=["honest", *SPOOFS])
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("version", VERSIONS)
def test_nginx_tells_the_client(version, tls, lines, fleet):
    door, served = to_nginx(fleet, version)
    answer = door.ask("/host/x", lines, tls=tls)
    assert steady(answer.seen) == steady(door.ask("/host/x", tls=tls).seen)
    scheme = "https" if tls else "http"
    assert answer.seen["REMOTE_ADDR"] == CLIENT
    assert told(served.line(answer.request_id)) == (CLIENT, "127.0.0.1", scheme, HOST)


@pytest.mark.parametrize("prelude", [version_1("6.6.6.6"), version_2("6.6.6.6")], ids=VERSIONS)
def test_gunicorn_refuses_the_protocol_from_others(prelude, fleet):
    door = fleet.server("gunicorn gthread", *READS_PROTOCOL).door
    assert door.ask("/nobody/x", prelude=prelude).status == 403
    assert door.ask("/nobody/x", prelude=prelude, source="127.0.0.1").seen["REMOTE_ADDR"] == "6.6.6.6"


@pytest.mark.parametrize("prelude", [version_1("6.6.6.6"), version_2("6.6.6.6")], ids=VERSIONS)
def test_nginx_believes_the_protocol_of_the_balancer_alone(prelude, fleet):
    door = fleet.proxy(RECOMMENDED / "nginx-proxy-protocol.conf", fleet.server().address, ELSEWHERE)
    assert door.ask("/trusted/x", prelude=prelude).seen["REMOTE_ADDR"] == CLIENT


@pytest.mark.parametrize("path", ["nobody", "trusted", "counted"])
def test_a_balancer_that_asks_on_its_own_behalf_has_no_address(path, fleet):
    """LOCAL, as of a health check: gunicorn's REMOTE_ADDR is None."""
    served = fleet.server("gunicorn gthread", *READS_PROTOCOL)
    lines = ["X-Forwarded-For: 6.6.6.6"] if path != "counted" else []
    answer = served.door.ask(f"/{path}/x", lines, prelude=LOCAL, source="127.0.0.1")
    assert answer.status == 200
    assert answer.seen["REMOTE_ADDR"] is None
    assert "HTTP_X_FORWARDED_FOR" not in answer.seen
    assert "client" not in served.line(answer.request_id)


def test_gunicorn_left_alone_takes_the_scheme_from_the_client(fleet):
    """Why the file says --forwarded-allow-ips: its default, 127.0.0.1, is the balancer that hands all bytes on."""
    served = fleet.server("gunicorn gthread", "--proxy-protocol=auto")
    door = fleet.proxy(RECOMMENDED / "haproxy-tcp.cfg", served.address)
    assert door.ask("/nobody/x", ["X-Forwarded-Proto: https"]).seen["wsgi.url_scheme"] == "https"
