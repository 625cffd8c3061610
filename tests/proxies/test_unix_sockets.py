"""nginx in front of a Unix socket: there is no peer's address, and ``trusted=["unix:"]`` means whoever may open it.

uWSGI says 0.0.0.0 for it, which no connection comes from: "unix:" means that too.
"""

import contextlib
import os
import sys

import pytest
from support.doors import CLIENT, HOST
from support.proxies import RECOMMENDED, proxying, running
from support.servers import LIB
from support.spoofs import SPOOFS, steady

COMMANDS = {
    "gunicorn": ["gunicorn", "--worker-class=gthread", "--bind=unix:{socket}"],
    "waitress": ["waitress", "--unix-socket={socket}", "--no-clear-untrusted-proxy-headers"],
    "uwsgi": ["support.uwsgi_server", "--http-socket={socket}", "--chmod-socket=600", "--module"],
}
#: What REMOTE_ADDR says of a socket.
PEERS = {"gunicorn": "", "waitress": "localhost", "uwsgi": "0.0.0.0"}
#: The line of the files that is a comment there.
UNCOMMENT = "server 127.0.0.1:8000;\n        # server unix:/run/app.sock;"


@pytest.fixture(scope="module")
def behind(fleet, tmp_path_factory):
    """Opens nginx in front of a server on a socket, both for the module."""
    with contextlib.ExitStack() as stack:
        known = {}

        def door(name, trusted):
            if (name, trusted) not in known:
                folder = tmp_path_factory.mktemp("unix")
                socket, log = folder / "app.sock", folder / "requests.log"
                command = [sys.executable, "-m", *(part.format(socket=socket) for part in COMMANDS[name])]
                path = os.pathsep.join(filter(None, [str(LIB), os.environ.get("PYTHONPATH", "")]))
                environ = {"LOG_FILE": str(log), "TRUSTED_PROXIES": trusted, "PYTHONPATH": path}
                stack.enter_context(running([*command, "support.served_behind:app"], folder, socket, **environ))
                front = tmp_path_factory.mktemp("nginx")
                nginx = proxying(
                    RECOMMENDED / "nginx.conf", "", front, fleet.certificate(), {UNCOMMENT: f"server unix:{socket};"}
                )
                known[name, trusted] = stack.enter_context(nginx)
            return known[name, trusted]

        yield door


@pytest.mark.parametrize("lines", [[], *SPOOFS.values()], ids=["honest", *SPOOFS])
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("server", COMMANDS)
def test_the_client_comes_out(server, tls, lines, behind):
    door = behind(server, "unix:")
    answer = door.ask("/host/x", lines, tls=tls)
    assert answer.seen["REMOTE_ADDR"] == CLIENT
    assert answer.seen["wsgi.url_scheme"] == ("https" if tls else "http")
    assert answer.seen["HTTP_HOST"] == HOST
    assert steady(answer.seen) == steady(door.ask("/host/x", tls=tls).seen)


@pytest.mark.parametrize("server", COMMANDS)
def test_a_socket_is_no_address_that_a_network_could_name(server, behind):
    answer = behind(server, "127.0.0.0/8,::1,10.0.0.0/8").ask("/trusted/x")
    assert answer.seen["REMOTE_ADDR"] == PEERS[server]
    assert not {key for key in answer.seen if "FORWARDED" in key}
