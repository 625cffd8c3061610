"""Databases, apps and servers for the demo's tests."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import MetaData, create_engine, text
from support.browser import new_context, page, pytest_itemcollected, seen  # noqa: F401 - of test_tour.py
from support.servers import PATIENCE_S

from overcoat.demo import create_app
from overcoat.demo.config import Settings
from overcoat.demo.database import disconnect, parse_url

SERVERS = {
    "postgresql": os.environ.get("TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/test"),
    "mariadb": os.environ.get("TEST_MARIADB_URL", "mysql://root@127.0.0.1:3306/test"),
}
KINDS = ["sqlite", *SERVERS]


@pytest.fixture(autouse=True)
def _no_settings_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    _forget_settings(monkeypatch)


def _forget_settings(patch: pytest.MonkeyPatch) -> None:
    for name in Settings.__dataclass_fields__:
        patch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def own_database() -> Iterator[Callable[..., str]]:
    """The URL of a database of our own on a server, made once and dropped at the end; skips where no server answers."""
    made: dict[tuple[str, str], tuple[Any, str, str]] = {}

    def make(kind: str, purpose: str = "") -> str:
        if (kind, purpose) not in made:
            url = parse_url(SERVERS[kind])
            admin = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
            name = f"overcoat_demo_{uuid.uuid4().hex[:12]}"
            try:
                with admin.connect() as connection:
                    connection.execute(text(f"CREATE DATABASE {name}"))
            except Exception as error:
                admin.dispose()
                pytest.skip(f"no {kind} answers at {url.render_as_string()}: {type(error).__name__}")
            made[kind, purpose] = admin, name, url.set(database=name).render_as_string(hide_password=False)
        return made[kind, purpose][2]

    yield make
    for admin, name, _ in made.values():
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name}"))
        admin.dispose()


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory, own_database: Callable[..., str]) -> Callable[..., str]:
    """The URL of an empty database of a kind; one that outlives a test says for what, and is shared with no other."""

    def empty(kind: str, purpose: str = "") -> str:
        if kind == "sqlite":
            # Sixteen writers at once, on a busy machine, are no deadlock.
            return f"sqlite:///{tmp_path_factory.mktemp('database') / 'demo.sqlite3'}?timeout={PATIENCE_S}"
        url = own_database(kind, purpose)
        engine = create_engine(parse_url(url))
        found = MetaData()
        found.reflect(engine)
        found.drop_all(engine)
        engine.dispose()
        return url

    return empty


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, empty_database: Callable[[str], str]) -> str:
    """An empty database of each kind."""
    return empty_database(request.param)


class Client(FlaskClient):
    """A test client that reads each response to its end and closes it, as a server does."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("buffered", True)
        return super().open(*args, **kwargs)


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Makes apps, by default on an SQLite file and with ``requests.log``, whose connections are closed at the end."""
    apps: list[Flask] = []

    def make(**settings: Any) -> Flask:
        settings.setdefault("database_url", f"sqlite:///{tmp_path / 'demo.sqlite3'}")
        settings.setdefault("log_file", str(tmp_path / "requests.log"))
        app = create_app(**settings)
        app.test_client_class = Client
        apps.append(app)
        return app

    yield make
    for app in apps:
        disconnect(app)


@pytest.fixture
def records(tmp_path: Path) -> Callable[[], list[dict[str, Any]]]:
    """Reads the request records in ``requests.log``."""
    return lambda: request_records(tmp_path / "requests.log")


def request_records(log_file: Path) -> list[dict[str, Any]]:
    *whole, _ = log_file.read_bytes().split(b"\n")  # the last one is being written, or nothing
    # An empty line closes off what was no line cut short: another process was only slow in the midst of it.
    lines = [json.loads(line) for line in filter(None, whole)]
    return [line for line in lines if line["event"] == "http_request"]


class Process:
    """A server of the demo, in a process of its own.

    Args:
        arguments: Of the interpreter.
        cwd: Its working directory.
        ready: A pattern of the line that tells the port, as its group.
        environ: Variables that are set beside ours.
    """

    def __init__(self, arguments: list[str], cwd: Path, ready: str, environ: Mapping[str, str]) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self.lines: list[str] = []
        self.port = 0
        self._ready = re.compile(ready)
        self._known = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._known.wait(PATIENCE_S)
        if not self.port:
            self.stop()
            raise AssertionError(f"the server did not start:\n{self.output}")

    def _read(self) -> None:
        assert self.popen.stdout is not None
        with self.popen.stdout as stdout:
            for line in stdout:
                self.lines.append(line)
                if not self.port and (match := self._ready.search(line)):
                    self.port = int(match[1])
                    self._known.set()
        self._known.set()

    @property
    def output(self) -> str:
        """What it has printed."""
        return "".join(self.lines)

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[HTTPResponse, Any]:
        """Send one request; the response, and its body as JSON where it is JSON."""
        sent = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        is_json = "json" in (response.headers["Content-Type"] or "") and data
        return response, json.loads(data) if is_json else data

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and wait for the end; the exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        try:
            code = self.popen.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()
            raise
        self._reader.join(PATIENCE_S)
        return code


Serve = Callable[..., Process]


@contextmanager
def demos(folder: Path) -> Iterator[Serve]:
    """Starts ``overcoat demo`` on a free port, in a folder."""
    processes: list[Process] = []

    def start(*options: str, environ: Mapping[str, str] | None = None) -> Process:
        arguments = ["-W", "error", "-m", "overcoat.demo", "--port", "0", *options]
        processes.append(Process(arguments, folder, r"Overcoat demo on http://\S+:(\d+)", environ or {}))
        return processes[-1]

    yield start
    for process in processes:
        process.stop()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts ``overcoat demo`` on a free port, in ``tmp_path``."""
    with demos(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One demo for the tests of a module that leave it as it was."""
    with pytest.MonkeyPatch.context() as patch, demos(tmp_path_factory.mktemp("demo")) as start:
        _forget_settings(patch)
        yield start()


@pytest.fixture
def gunicorn(tmp_path: Path) -> Iterator[Serve]:
    """Starts ``gunicorn overcoat.demo.wsgi:app`` on a free port, in ``tmp_path``."""
    processes: list[Process] = []

    def start(*options: str, environ: Mapping[str, str] | None = None) -> Process:
        arguments = ["-m", "gunicorn", "--bind", "127.0.0.1:0", "--timeout", "120", *options, "overcoat.demo.wsgi:app"]
        # gunicorn keeps a socket there, under one name for all that run.
        own = {"XDG_RUNTIME_DIR": str(tmp_path)} | dict(environ or {})
        processes.append(Process(arguments, tmp_path, r"Listening at: http://127\.0\.0\.1:(\d+)", own))
        return processes[-1]

    yield start
    for process in processes:
        process.stop()
