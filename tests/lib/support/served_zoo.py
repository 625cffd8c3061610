"""The zoo on a real server: ``/bare/NAME`` and, in the five layers, ``/worn/NAME``.

The log of the layers is $LOG_FILE; each close of an app's iterable is a line ``bare NAME`` or ``worn NAME`` in
$CLOSES_FILE.
"""

import os
from pathlib import Path
from typing import Any

from support.zoo import SPECIMENS, Probe

from overcoat.middleware import ProxyFix, RequestID, RequestLog, SecurityHeaders, ServerTiming, Stack


class Told(Probe):
    """A probe that tells each close to other processes."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__()

    @property
    def closed(self) -> int:
        return self.count

    @closed.setter
    def closed(self, count: int) -> None:
        self.count = count
        if count:
            with Path(os.environ["CLOSES_FILE"]).open("a", encoding="ascii") as file:
                file.write(f"{self.path}\n")


def zoo(environ: dict[str, Any], start_response: Any) -> Any:
    """Answer as a new specimen of the name does."""
    path = environ["PATH_INFO"]
    return SPECIMENS[path[6:]].build(Told(path[1:].replace("/", " ")))(environ, start_response)


worn = Stack(
    zoo,
    [
        ProxyFix(trusted=["127.0.0.1"]),
        RequestID(),
        RequestLog(to=os.environ["LOG_FILE"]),
        ServerTiming(),
        SecurityHeaders(),
    ],
)


def app(environ: dict[str, Any], start_response: Any) -> Any:
    """The zoo, bare or worn by its path."""
    return (worn if environ["PATH_INFO"].startswith("/worn") else zoo)(environ, start_response)
