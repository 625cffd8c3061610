"""Servers that read forwarding headers themselves, before any layer sees the environ."""

import pytest
from support.doors import CLIENT
from support.proxies import RECOMMENDED

PROXY = "127.0.0.1"
PROTO = ["X-Forwarded-Proto: https"]


def scheme(served, path, lines=PROTO, **options):
    return served.door.ask(path, lines, **options).seen["wsgi.url_scheme"]


def test_gunicorn_takes_the_scheme_from_127_0_0_1_by_default(fleet):
    served = fleet.server()
    assert scheme(served, "/bare/x", source=CLIENT) == "http"
    assert scheme(served, "/bare/x", source=PROXY) == "https"


def test_gunicorn_is_told_to_take_it_from_nobody(fleet):
    served = fleet.server("gunicorn gthread", "--forwarded-allow-ips=")
    assert scheme(served, "/bare/x", source=PROXY) == "http"
    assert scheme(served, "/nobody/x", source=PROXY) == "http"
    assert scheme(served, "/trusted/x", source=PROXY) == "https"


def test_gunicorn_that_believes_everybody_leaves_the_client_to_proxy_fix(fleet):
    served = fleet.server("gunicorn gthread", "--forwarded-allow-ips=*")
    answer = served.door.ask("/trusted/x", ["X-Forwarded-For: 6.6.6.6"])
    assert answer.seen["REMOTE_ADDR"] == CLIENT
    assert "HTTP_X_FORWARDED_FOR" not in answer.seen


def test_gunicorn_refuses_headers_that_contradict_each_other(fleet):
    lines = ["X-Forwarded-Proto: http", "X-Forwarded-Ssl: on"]
    assert fleet.server().door.ask("/trusted/x", lines, source=PROXY).status == 400
    assert fleet.server().door.ask("/trusted/x", lines, source=CLIENT).status == 200
    # Of a proxy in its recommended configuration the client's half is gone.
    door = fleet.proxy(RECOMMENDED / "nginx.conf", fleet.server().address)
    assert door.ask("/trusted/x", ["X-Forwarded-Ssl: on"]).status == 200


def test_uwsgi_takes_the_scheme_from_anybody(fleet):
    assert scheme(fleet.server("uwsgi"), "/bare/x") == "https"


@pytest.mark.parametrize(("server", "reads"), [("uwsgi", "6.6.6.6"), ("gunicorn gthread", None), ("waitress", None)])
def test_who_reads_an_underscore_as_a_hyphen(server, reads, fleet):
    answer = fleet.server(server).door.ask("/bare/x", ["X_Forwarded_For: 6.6.6.6"])
    assert answer.seen.get("HTTP_X_FORWARDED_FOR") == reads


@pytest.mark.parametrize("server", ["uwsgi", "gunicorn gthread", "waitress"])
def test_an_underscore_of_an_untrusted_peer_counts_for_nothing(server, fleet):
    answer = fleet.server(server).door.ask("/trusted/x", ["X_Forwarded_For: 6.6.6.6", "X_Real_IP: 6.6.6.6"])
    assert answer.seen["REMOTE_ADDR"] == CLIENT
    assert not {key for key in answer.seen if "FORWARDED" in key or "REAL_IP" in key}


def test_waitress_deletes_what_proxy_fix_should_read_unless_told(fleet):
    behind = fleet.server("waitress", "--clear-untrusted-proxy-headers")
    door = fleet.proxy(RECOMMENDED / "nginx.conf", behind.address)
    assert door.ask("/trusted/x", tls=True).seen["REMOTE_ADDR"] == PROXY
    assert door.ask("/trusted/x", tls=True).seen["wsgi.url_scheme"] == "http"


def test_waitress_with_a_trusted_proxy_does_the_work_itself(fleet):
    options = ["--trusted-proxy=127.0.0.1", "--trusted-proxy-headers=x-forwarded-for x-forwarded-proto"]
    behind = fleet.server("waitress", *options, "--clear-untrusted-proxy-headers")
    door = fleet.proxy(RECOMMENDED / "nginx.conf", behind.address)
    answer = door.ask("/nobody/x", ["X-Forwarded-For: 6.6.6.6"], tls=True)
    assert (answer.seen["REMOTE_ADDR"], answer.seen["wsgi.url_scheme"]) == (CLIENT, "https")
    # With trusted= the peer is the client already, so its headers are deleted and nothing is counted twice.
    answer = door.ask("/trusted/x", tls=True)
    assert (answer.seen["REMOTE_ADDR"], answer.seen["wsgi.url_scheme"]) == (CLIENT, "https")
    assert behind.line(answer.request_id)["peer"] == CLIENT
