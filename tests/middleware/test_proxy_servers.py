"""What servers make of forwarding headers before ProxyFix sees them: each line of the table in docs/proxies.md."""

import contextlib
import http.client
import json
import os
import socket
import sys

import pytest
from support.proxies import running
from support.servers import LIB, PATIENCE_S, SERVERS, serving

FORGED = {"x_forwarded_for": "6.6.6.6, 192.0.2.1", "x_forwarded_proto": "https", "x_forwarded_host": "shop.example"}
COMMANDS = {
    **{name: SERVERS[name] for name in ("gunicorn sync", "gunicorn gthread", "uwsgi", "granian", "cheroot", "gevent")},
    **{name: SERVERS[name] for name in ("werkzeug", "waitress", "wsgiref")},
}
# They take X-Forwarded-Proto before ProxyFix can say no: gunicorn from 127.0.0.1, uWSGI from anyone.
TAKE_THE_SCHEME = {"gunicorn sync", "gunicorn gthread", "uwsgi"}


@contextlib.contextmanager
def served(command):
    with serving([*command, "support.proxied:app"]) as server:

        def ask(path, **headers):
            response = server.get(path, **headers)
            assert response.status == 200
            return json.loads(response.body)

        yield server, ask


@pytest.mark.parametrize("name", COMMANDS)
def test_with_its_recommended_setting_each_server_leaves_the_work_to_proxy_fix(name):
    with served(COMMANDS[name]) as (_, ask):
        seen = ask("/trusted", **FORGED, forwarded="for=7.7.7.7")
        assert (seen["REMOTE_ADDR"], seen["peer"]) == ("192.0.2.1", "127.0.0.1")
        assert (seen["wsgi.url_scheme"], seen["HTTP_HOST"]) == ("https", "shop.example")
        assert "HTTP_FORWARDED" not in seen["forwarded"]
        seen = ask(
            "/forwarded", forwarded='for=6.6.6.6;x=", for="[2001:db8::1]:80";proto=https', x_forwarded_for="7.7.7.7"
        )
        assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("2001:db8::1", "https")
        assert seen["forwarded"] == ["HTTP_FORWARDED"]
        seen = ask("/nobody", **FORGED, x_real_ip="7.7.7.7", forwarded="for=7.7.7.7")
        assert (seen["REMOTE_ADDR"], seen["forwarded"]) == ("127.0.0.1", [])
        assert seen["wsgi.url_scheme"] == ("https" if name in TAKE_THE_SCHEME else "http")


def test_gunicorn_that_trusts_nobody_leaves_the_scheme_alone():
    with served([*SERVERS["gunicorn sync"], "--forwarded-allow-ips="]) as (_, ask):
        assert ask("/bare", **FORGED)["wsgi.url_scheme"] == "http"
        assert ask("/nobody", **FORGED)["wsgi.url_scheme"] == "http"
        assert ask("/trusted", **FORGED)["wsgi.url_scheme"] == "https"


@pytest.mark.parametrize("extra", [[], ["--forwarded-allow-ips="]], ids=["by default", "trusting nobody"])
def test_gunicorn_1857_and_contradictory_schemes(extra):
    with serving([*SERVERS["gunicorn sync"], *extra, "support.proxied:app"]) as server:
        status = server.get("/trusted", x_forwarded_proto="https", x_forwarded_ssl="off").status
        # gunicorn's own 400, before any app is asked; ProxyFix never answers one.
        assert status == (200 if extra else 400)


def test_item_6_gunicorn_2799_an_underscored_twin_is_dropped():
    request = b"GET /bare HTTP/1.0\r\nHost: a\r\nX_Forwarded_For: 6.6.6.6\r\n\r\n"
    with serving([*SERVERS["gunicorn sync"], "support.proxied:app"]) as server:
        assert b'"forwarded": []' in server.exchange(request)


def test_gunicorn_with_the_proxy_protocol_names_the_client_as_the_peer():
    request = b"GET /trusted HTTP/1.0\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n"
    with serving([*SERVERS["gunicorn sync"], "--proxy-protocol=auto", "support.proxied:app"]) as server:
        seen = json.loads(
            server.exchange(b"PROXY TCP4 192.0.2.1 127.0.0.1 40000 80\r\n" + request).partition(b"\r\n\r\n")[2]
        )
    assert (seen["REMOTE_ADDR"], seen["forwarded"]) == ("192.0.2.1", [])


def test_waitress_by_default_deletes_the_headers():
    with served(["-m", "waitress", "--listen=127.0.0.1:{port}"]) as (_, ask):
        seen = ask("/trusted", **FORGED, forwarded="for=7.7.7.7")
        assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"], seen["forwarded"]) == ("127.0.0.1", "http", [])


def test_waitress_that_trusts_a_proxy_itself_hands_on_the_client_as_the_peer():
    trusting = ["--trusted-proxy=127.0.0.1", "--trusted-proxy-headers=x-forwarded-for x-forwarded-proto"]
    with served(["-m", "waitress", "--listen=127.0.0.1:{port}", *trusting]) as (_, ask):
        seen = ask("/nobody", **FORGED)
        assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"], seen["forwarded"]) == ("192.0.2.1", "https", [])


# Unix sockets


class UnixConnection(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE_S)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(self.path)


def ask_unix(path, target):
    with contextlib.closing(UnixConnection(path)) as connection:
        connection.request("GET", target, headers={name.replace("_", "-"): value for name, value in FORGED.items()})
        return json.loads(connection.getresponse().read())


def assert_only_the_name_trusts(path, remote):
    assert ask_unix(path, "/bare")["REMOTE_ADDR"] == remote
    seen = ask_unix(path, "/unix")
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"], seen["peer"]) == ("192.0.2.1", "https", remote)
    seen = ask_unix(path, "/trusted")
    assert (seen["REMOTE_ADDR"], seen["forwarded"]) == (remote, [])


@pytest.mark.parametrize(
    ("command", "bind", "remote"),
    [(SERVERS["gunicorn sync"], "--bind=unix:{}", ""), (SERVERS["uwsgi"], "--http-socket={}", "0.0.0.0")],
    ids=["gunicorn", "uwsgi"],
)
def test_a_unix_socket_is_trusted_by_its_name(command, bind, remote, tmp_path):
    path = tmp_path / "app.sock"
    # uwsgi's own option for the module stands last.
    with serving([command[0], command[1], bind.format(path), *command[2:], "support.proxied:app"]):
        assert_only_the_name_trusts(path, remote)


def test_a_unix_socket_of_waitress_is_trusted_by_its_name(tmp_path):
    path = tmp_path / "app.sock"
    command = ["waitress", f"--unix-socket={path}", "--no-clear-untrusted-proxy-headers", "support.proxied:app"]
    found_at = os.pathsep.join(filter(None, [str(LIB), os.environ.get("PYTHONPATH", "")]))
    with running([sys.executable, "-m", *command], tmp_path, path, PYTHONPATH=found_at):
        assert_only_the_name_trusts(path, "localhost")
