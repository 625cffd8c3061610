"""Real servers as processes: started on a free port of 127.0.0.1, stopped at the end, their output kept.

Their own time limits are far above any pause of a busy machine, so that none of them ends a connection on its own.

>>> import sys
>>> from support.servers import serving
>>> with serving([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "{port}"]) as server:
...     server.get("/nowhere").status
404
"""

import contextlib
import http.client
import itertools
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

LIB = Path(__file__).parents[1]

PATIENCE_S = 90

_GUNICORN = ["-m", "gunicorn", "--bind=127.0.0.1:{port}", "--timeout=120", "--keep-alive=120"]

#: The usual servers, for ``serving([*SERVERS["waitress"], "module:app"])``.
SERVERS: Mapping[str, Sequence[str]] = {
    "waitress": ["-m", "waitress", "--listen=127.0.0.1:{port}", "--no-clear-untrusted-proxy-headers"],
    "gunicorn sync": [*_GUNICORN, "--worker-class=sync", "--workers=2"],
    "gunicorn gthread": [*_GUNICORN, "--worker-class=gthread", "--threads=4"],
    "gunicorn gevent": [*_GUNICORN, "--worker-class=gevent"],
    "gevent": ["-m", "support.gevent_server", "{port}"],
    "granian": [
        "-m",
        "granian",
        "--interface=wsgi",
        "--host=127.0.0.1",
        "--port={port}",
        "--no-ws",
        "--blocking-threads=4",
    ],
    "uwsgi": ["-m", "support.uwsgi_server", "--http-socket=127.0.0.1:{port}", "--module"],
    "cheroot": ["-m", "cheroot", "--bind=127.0.0.1:{port}", "--timeout=120"],
    "werkzeug": ["-m", "support.werkzeug_server", "{port}"],
    "wsgiref": ["-m", "support.wsgiref_server", "{port}"],
}

#: Below the ports that the kernel gives to clients and to whoever binds port 0, above those that services are known by.
_PORTS = range(12000, 32768)


class Response(NamedTuple):
    """What a client got."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass
class Server:
    """A server process that answers on ``port``."""

    process: subprocess.Popen[bytes]
    port: int
    output_path: Path

    @property
    def url(self) -> str:
        """Where it serves, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def output(self) -> str:
        """What it has written to its standard streams so far."""
        return self.output_path.read_text(encoding="utf-8", errors="backslashreplace")

    def connect(self) -> http.client.HTTPConnection:
        """A connection that can be used again and again."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def get(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Response:
        """One request on a connection of its own; ``x_request_id="a"`` is the header ``x-request-id``."""
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return Response(response.status, response.headers, response.read())

    def exchange(self, request: bytes) -> bytes:
        """All that comes back for these bytes until the server closes; a reset ends it too."""
        got = bytearray()
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as client:
            client.sendall(request)
            with contextlib.suppress(ConnectionResetError):
                while data := client.recv(65536):
                    got += data
        return bytes(got)

    def leave(self, path: str, after: int, wait: Callable[[], object] = lambda: None, **headers: str) -> bytes:
        """Ask, read so many bytes of the answer, ``wait()``, and vanish as a killed client does.

        A reset takes with it what the server has not read of the request yet: who reads nothing of the answer has to
        wait until the app has seen the request.
        """
        lines = [f"GET {path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        got = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as client:
            client.sendall("\r\n".join([*lines, "", ""]).encode())
            while len(got) < after:
                got += client.recv(after - len(got))
            wait()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close with a reset
        return got

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask the process to end and wait for it; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_S)


def _own_ports() -> Iterator[int]:
    """The ports of this process, round and round: each worker of xdist has its own, each run begins elsewhere."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    own = _PORTS[number :: int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))]
    begin = secrets.randbelow(len(own))
    return itertools.cycle([*own[begin:], *own[:begin]])


_ports = _own_ports()


def free_port() -> int:
    """A port that nobody listens on, and that nobody takes until the caller does.

    The kernel gives it to nobody, no other worker of xdist asks for it, and this one asks for another the next time.
    """
    for port in _ports:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("there are ports without end")


def wait_for(condition: Callable[[], Any], what: str = "it") -> Any:
    """The first true value of ``condition()``; fails where there is none in ``PATIENCE_S``."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        if time.monotonic() > deadline_s:
            raise AssertionError(f"waited {PATIENCE_S} s for {what}")
        time.sleep(0.02)
    return value


@contextlib.contextmanager
def serving(command: Sequence[str], **environment: str) -> Iterator[Server]:
    """Run a server for the length of a block.

    Args:
        command: The command, ``{port}`` standing for the port; one that begins with ``-m`` is run by this Python.
        environment: Variables beside those of this process; ``PYTHONPATH`` finds ``support`` as the tests do.
    """
    port = free_port()
    arguments = [part.replace("{port}", str(port)) for part in command]
    if arguments[0] == "-m":
        arguments.insert(0, sys.executable)
    path = os.pathsep.join(filter(None, [str(LIB), os.environ.get("PYTHONPATH", "")]))
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        # gunicorn keeps a socket in XDG_RUNTIME_DIR, under one name for all that run.
        own = {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "XDG_RUNTIME_DIR": folder}
        with output.open("wb") as stream:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=os.environ | own | environment,
                start_new_session=True,
            )
        server = Server(process, port, output)
        with ending(process):
            wait_for(lambda: _answers(server), f"{arguments} to listen")
            yield server


@contextlib.contextmanager
def ending(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a process that has a session of its own after a block, and whatever of its workers has outlived it."""
    try:
        yield
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(server: Server) -> bool:
    if server.process.poll() is not None:
        raise AssertionError(f"the server ended with {server.process.returncode}:\n{server.output()}")
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
        return True
    return False
