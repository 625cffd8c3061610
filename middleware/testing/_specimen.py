"""What a zoo app is: a function that makes it, and what is expected of it bare."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from overcoat.middleware.testing._environ import Environ

App = Callable[..., Any]
Start = Callable[..., Any]

TEXT = [("Content-Type", "text/plain")]


class Probe:
    """What an app tells of itself: how often its iterable was closed, and another than it; how many chunks it made."""

    def __init__(self) -> None:
        self.closed = 0
        self.closed_another = 0
        self.made = 0


class Body:
    """An iterator of chunks that counts its closes; an exception among the chunks is raised in its turn."""

    def __init__(self, probe: Probe, *chunks: Any, at_close: BaseException | None = None) -> None:
        self.probe = probe
        self.rest = iter(chunks)
        self.at_close = at_close

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        chunk = next(self.rest)
        self.probe.made += 1
        if isinstance(chunk, BaseException):
            raise chunk
        return chunk

    def close(self) -> None:
        """Count it."""
        self.probe.closed += 1
        if self.at_close is not None:
            raise self.at_close


@dataclass(frozen=True)
class Specimen:
    """One app of the zoo, and what a client that reads all sees of it bare.

    Args:
        name: Its name.
        build: Makes the app anew, around a probe.
        status: The last status that the server accepted.
        body: What went to the client.
        raises: What reached the server, and where: None, or (type, ``"call"``, ``"body"`` or ``"close"``).
        closes: How often the iterable's own ``close`` runs; None where the app cannot tell.
        outcome: What a log should say of it.
        valid: Whether it keeps every rule of PEP 3333, as far as ``wsgiref.validate`` knows them.
        method: The method that it is asked with.
        group: Which part of the zoo it is in: ``"bodies"``, ``"errors"``, ``"odd"``, ...
    """

    name: str
    build: Callable[[Probe], App]
    status: str | None = "200 OK"
    body: bytes = b""
    raises: tuple[type[BaseException], str] | None = None
    closes: int | None = None
    outcome: str = "complete"
    valid: bool = True
    method: str = "GET"
    group: str = ""

    def make(self) -> tuple[App, Probe]:
        """The app and its probe."""
        probe = Probe()
        return self.build(probe), probe

    def environ(self) -> dict[str, str]:
        """What the environ of a request to it must say."""
        return {"REQUEST_METHOD": self.method}


SPECIMENS: dict[str, Specimen] = {}


def specimen(
    body: bytes = b"",
    *,
    status: str | None = "200 OK",
    raises: tuple[type[BaseException], str] | None = None,
    closes: int | None = None,
    outcome: str = "complete",
    valid: bool = True,
    method: str = "GET",
) -> Callable[[Callable[[Probe], App]], Callable[[Probe], App]]:
    """Put the app that a function makes into the zoo, under the function's name."""

    def register(build: Callable[[Probe], App]) -> Callable[[Probe], App]:
        name, group = build.__name__.strip("_"), build.__module__.rpartition("_zoo_")[2]
        assert name not in SPECIMENS, name
        SPECIMENS[name] = Specimen(name, build, status, body, raises, closes, outcome, valid, method, group)
        return build

    return register


def app_of(body: Callable[[], Any], status: Any = "200 OK", headers: Any = TEXT) -> App:
    """An app that starts in its call and returns what ``body()`` makes."""

    def app(_: Environ, start_response: Start) -> Any:
        start_response(status, headers.copy() if isinstance(headers, list) else headers)
        return body()

    return app
