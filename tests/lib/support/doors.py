"""The ways into a proxy or a server, and a client that sends what it likes, from an address of its own.

>>> Door(http=8080).https
0
"""

import contextlib
import json
import re
import socket
import ssl
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from support.servers import PATIENCE_S

HOST = "example.com"

#: The client's own addresses. No proxy connects to the app from the first; the second is the only one of its family.
CLIENT = "127.0.0.9"
CLIENT_V6 = "::1"


class Certificate(NamedTuple):
    """A self-signed certificate for ``HOST``: paths of the certificate, its key, and both in one file."""

    certificate: Path
    key: Path
    pem: Path

    @classmethod
    def make(cls, folder: Path) -> "Certificate":
        """By openssl, valid for a day."""
        made = cls(folder / "example.com.pem", folder / "example.com.key", folder / "both.pem")
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-days", "1", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
        command += ["-keyout", str(made.key), "-out", str(made.certificate)]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)
        made.pem.write_bytes(made.certificate.read_bytes() + made.key.read_bytes())
        return made


class Answer(NamedTuple):
    """What a client got; ``seen`` is the JSON of the app, or None where somebody else answered."""

    status: int
    seen: dict[str, Any] | None
    request_id: str


@dataclass(frozen=True)
class Door:
    """Where a proxy, or a server, listens for clients; ``https`` is 0 where it has no TLS."""

    http: int
    https: int = 0
    certificate: Certificate | None = None

    def ask(
        self,
        path: str,
        lines: Sequence[str] = (),
        *,
        tls: bool = False,
        source: str = CLIENT,
        prelude: bytes = b"",
        method: str = "GET",
        body: bytes = b"",
    ) -> Answer:
        """One request on a connection of its own, with these header lines byte for byte.

        Args:
            path: What is asked for.
            lines: Header lines without their ends, beside Host, X-Request-ID and Connection.
            tls: Whether to speak TLS; the certificate is verified.
            source: The address to connect from; it chooses the family.
            prelude: What is sent before all else, such as a header of the PROXY protocol.
            method: The method.
            body: What follows the headers.
        """
        request_id = uuid.uuid4().hex
        head = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", f"X-Request-ID: {request_id}", *lines]
        if not any(line.lower().startswith("connection:") for line in lines):
            head.append("Connection: close")
        server = "::1" if ":" in source else "127.0.0.1"
        with contextlib.ExitStack() as stack:
            port = self.https if tls else self.http
            wire = stack.enter_context(socket.create_connection((server, port), PATIENCE_S, (source, 0)))
            wire.sendall(prelude)
            if tls:
                assert self.certificate is not None
                context = ssl.create_default_context(cafile=str(self.certificate.certificate))
                wire = stack.enter_context(context.wrap_socket(wire, server_hostname=HOST))
            # A proxy may refuse, and close, before it has read all.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                wire.sendall("\r\n".join([*head, "", ""]).encode("latin-1") + body)
            status, content = _read(wire)
        with contextlib.suppress(ValueError):
            return Answer(status, json.loads(content), request_id)
        return Answer(status, None, request_id)


def _read(wire: socket.socket) -> tuple[int, bytes]:
    """Status and body of a response with a Content-Length, or of one that ends with the connection."""
    got = b""
    with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):
        while data := wire.recv(65536):
            got += data
            head, end, content = got.partition(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: *([0-9]+)", head, re.IGNORECASE)
            if end and length and len(content) >= int(length[1]):
                break
    head, _, content = got.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]) if head.startswith(b"HTTP/1.") else 0, content
