"""Proxies and servers that stand for the whole session, each started by the first test that asks for it."""

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.doors import Certificate, Door
from support.proxies import COMMANDS, binary, kind_of, proxying
from support.servers import SERVERS, Server, serving, wait_for

APP = "support.served_behind:app"


class Served:
    """The app under a server, and its log."""

    def __init__(self, server: Server, log: Path) -> None:
        self.server = server
        self.door = Door(server.port)
        self.address = f"127.0.0.1:{server.port}"
        self._log = log
        self._read = 0
        self._lines: dict[str, dict[str, Any]] = {}

    def line(self, request_id: str) -> dict[str, Any]:
        """The log line of a request; it is written a moment after the answer."""
        for _ in range(20):
            if found := self._look(request_id):
                return found
            time.sleep(0.001)
        return wait_for(lambda: self._look(request_id), "the log line")

    def _look(self, request_id: str) -> dict[str, Any] | None:
        with self._log.open("rb") as file:
            file.seek(self._read)
            whole, end, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + len(end)
        self._lines |= {line["request_id"]: line for line in map(json.loads, whole.splitlines())}
        return self._lines.get(request_id)


class Fleet:
    """What runs, by what it was asked for."""

    def __init__(self, stack: contextlib.ExitStack, folder: Callable[[], Path]) -> None:
        self._stack = stack
        self._folder = folder
        self._running: dict[Any, Any] = {}

    def certificate(self) -> Certificate:
        """That of all doors with TLS."""
        if binary("openssl") is None:
            pytest.skip("openssl is not installed")
        return self._once("certificate", lambda: Certificate.make(self._folder()))

    def server(self, name: str = "gunicorn gthread", *options: str, **environment: str) -> Served:
        """The app under one of ``SERVERS``, with these options and variables."""

        def start() -> Served:
            log = self._folder() / "requests.log"
            log.touch()
            command = SERVERS[name]
            command = [*command[:-1], *options, command[-1], APP] if name == "uwsgi" else [*command, *options, APP]
            return Served(self._stack.enter_context(serving(command, LOG_FILE=str(log), **environment)), log)

        return self._once(("server", name, options, tuple(environment.items())), start)

    def proxy(self, file: Path, app: str, replacements: Mapping[str, str] | None = None) -> Door:
        """A proxy from a configuration file, in front of ``app``."""
        name = COMMANDS[kind_of(file)][0]
        if binary(name) is None:
            pytest.skip(f"{name} is not installed")

        def start() -> Door:
            running = proxying(file, app, self._folder(), self.certificate(), replacements)
            return self._stack.enter_context(running)

        return self._once((file, app, tuple((replacements or {}).items())), start)

    def _once(self, key: Any, start: Callable[[], Any]) -> Any:
        if key not in self._running:
            self._running[key] = start()
        return self._running[key]


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory):
    """Whatever has been started stands until the end of the session."""
    with contextlib.ExitStack() as stack:
        yield Fleet(stack, lambda: tmp_path_factory.mktemp("proxy"))
