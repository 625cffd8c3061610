"""Real servers as processes: started on a free port of 127.0.0.1, stopped at the end, their output kept.

>>> import sys
>>> from support.servers import serving
>>> with serving([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "{port}"]) as server:
...     server.get("/nowhere").status
404
"""

import contextlib
import http.client
import os
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

#: The usual servers, for ``serving([*SERVERS["waitress"], "module:app"])``.
SERVERS: Mapping[str, Sequence[str]] = {
    "waitress": ["-m", "waitress", "--listen=127.0.0.1:{port}", "--no-clear-untrusted-proxy-headers"],
    "gunicorn sync": ["-m", "gunicorn", "--bind=127.0.0.1:{port}", "--worker-class=sync", "--workers=2"],
    "gunicorn gthread": ["-m", "gunicorn", "--bind=127.0.0.1:{port}", "--worker-class=gthread", "--threads=4"],
    "gunicorn gevent": ["-m", "gunicorn", "--bind=127.0.0.1:{port}", "--worker-class=gevent"],
    "granian": ["-m", "granian", "--interface=wsgi", "--host=127.0.0.1", "--port={port}", "--no-ws"],
    "wsgiref": ["-m", "support.wsgiref_server", "{port}"],
}

PATIENCE_S = 60


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

    def leave(self, path: str, after: int, **headers: str) -> bytes:
        """Ask, read so many bytes of the answer, and vanish as a killed client does."""
        lines = [f"GET {path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        got = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as client:
            client.sendall("\r\n".join([*lines, "", ""]).encode())
            while len(got) < after:
                got += client.recv(after - len(got))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close with a reset
        return got

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask the process to end and wait for it; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_S)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], Any], what: str = "it") -> Any:
    """The first true value of ``condition()``; fails after a minute."""
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
        with output.open("wb") as stream:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"} | environment,
            )
        server = Server(process, port, output)
        try:
            wait_for(lambda: _answers(server), f"{arguments} to listen")
            yield server
        finally:
            if process.poll() is None:
                try:
                    server.stop()
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _answers(server: Server) -> bool:
    if server.process.poll() is not None:
        raise AssertionError(f"the server ended with {server.process.returncode}:\n{server.output()}")
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
        return True
    return False
