"""The app that the tests of real servers serve: a small Flask app inside of the five layers; its log is $LOG_FILE.

A request with a header ``X-Bare`` reaches the app without any layer. The app's own lines are in $LOG_FILE.app.
"""

import io
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask
from support.servers import PATIENCE_S, wait_for
from werkzeug.wsgi import FileWrapper

from overcoat.middleware import (
    Exchange,
    Layer,
    ProxyFix,
    RequestID,
    RequestLog,
    SecurityHeaders,
    ServerTiming,
    Stack,
    add_fields,
    configure_logging,
    current_exchange,
    timer,
)

configure_logging(file=f"{os.environ['LOG_FILE']}.app")
app = flask.Flask("served")
log = logging.getLogger("served")
barriers: dict[str, threading.Barrier] = {}


@app.get("/item/<int:item_id>")
def item(item_id: int) -> dict[str, int]:
    with timer("db"):
        return {"id": item_id}


@app.post("/size")
def size() -> dict[str, int]:
    return {"size": len(flask.request.get_data())}


@app.get("/broken")
def broken() -> str:
    raise ValueError("no cart")


@app.get("/file")
def file() -> flask.Response:
    return flask.send_file(Path(__file__).resolve())


@app.get("/stream")
def stream() -> Iterator[bytes]:
    """Two chunks, 300 ms apart."""
    yield b"first,"
    time.sleep(0.3)
    add_fields(rows=2)
    yield b"second"


def beside_log(name: str) -> Path:
    """A file by which the client and a view tell each other how far they are."""
    return Path(os.environ["LOG_FILE"]).with_name(name)


@app.get("/held")
def held() -> Iterator[bytes]:
    """Two chunks, the second when there is a file "go" beside the log."""
    yield b"first,"
    wait_for(beside_log("go").exists, "the client to say go")
    yield b"second"


@app.get("/breaks")
def breaks() -> Iterator[bytes]:
    yield b"first,"
    raise OSError("disk")


@app.get("/long")
def long() -> Iterator[bytes]:
    """256 MiB: more than any server takes ahead of its client."""
    return (b"x" * 65536 for _ in range(4096))


@app.get("/left")
def left() -> Iterator[bytes]:
    """The same, for a client that the view has seen come ("came") and that has gone ("gone") before there is a byte."""
    beside_log("came").touch()
    wait_for(beside_log("gone").exists, "the client to be gone")
    return long()


@app.get("/together/<int:number>/<name>")
def together(number: int, name: str) -> Iterator[bytes]:
    """Five chunks, each made when all ``number`` requests of that name have come so far."""
    barrier = barriers.setdefault(name, threading.Barrier(number))
    mine = flask.request.headers["X-Request-ID"]

    def chunks() -> Iterator[bytes]:
        for turn in range(5):
            with timer(mine):
                barrier.wait(PATIENCE_S)
            exchange = current_exchange()
            add_fields(mine=mine, turn=turn)
            log.info("turn %s of %s", turn, mine)
            yield f"{exchange and exchange.environ['overcoat.request_id']}\n".encode()

    return chunks()


def wrapped(environ: dict[str, Any], file: Any) -> Any:
    """A file in the server's wrapper, or in one that the server knows nothing of."""
    return environ.get("wsgi.file_wrapper", FileWrapper)(file)


def open_file() -> Any:
    """This file, for the server to close."""
    return Path(__file__).open("rb")


def large_file() -> Any:
    """256 MiB that take no room on the disk."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it
    file.truncate(4096 * 65536)
    return file


#: Bodies as WSGI apps make them, which Flask would wrap: status and body by path.
RAW: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "/raw/list": ("200 OK", lambda _: [b"one,", b"two"]),
    "/raw/list-of-one": ("200 OK", lambda _: [b"one"]),
    "/raw/tuple": ("200 OK", lambda _: (b"one,", b"two")),
    "/raw/empty-list": ("200 OK", lambda _: []),
    "/raw/generator": ("200 OK", lambda _: (chunk for chunk in (b"one,", b"", b"two"))),
    "/raw/file": ("200 OK", lambda environ: wrapped(environ, open_file())),
    "/raw/large-file": ("200 OK", lambda environ: wrapped(environ, large_file())),
    "/raw/file-in-memory": ("200 OK", lambda environ: wrapped(environ, io.BytesIO(b"one,two"))),
    "/raw/no-content": ("204 NO CONTENT", lambda _: []),
    "/raw/not-modified": ("304 NOT MODIFIED", lambda _: []),
}


def raw_or_flask(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """Answer what is in ``RAW``, and leave all else to Flask."""
    status, body = RAW.get(environ["PATH_INFO"], (None, None))
    if body is None:
        return by_flask(environ, start_response)
    start_response(status, [("Content-Type", "text/plain")] if status == "200 OK" else [])
    return body(environ)


def failing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """Raise where the path says: in the call, after the start, in the first step, after an empty chunk."""
    where = environ["PATH_INFO"].rpartition("/")[2]

    def chunks() -> Iterator[bytes]:
        if where == "empty":
            yield b""
        raise ValueError(where)

    if where != "call":
        start_response("200 OK", [("Content-Type", "text/plain"), ("X-Failed", "1")])
    if where in {"call", "started"}:
        raise ValueError(where)
    return chunks()


class ErrorPage(Layer):
    """Answers what has failed."""

    def on_error(self, exchange: Exchange, error: Exception) -> Any:
        """A page of its own."""

        def page(_: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            start_response("503 SORRY", [("Content-Type", "text/plain"), ("Content-Length", "5")])
            return [b"sorry"]

        return page


def served(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """The app in the five layers, or bare for the request that wants it so; what fails, with a page for it."""
    if environ["PATH_INFO"].startswith("/fails/"):
        return with_error_page(environ, start_response)
    return (raw_or_flask if "HTTP_X_BARE" in environ else worn)(environ, start_response)


by_flask = app.wsgi_app
worn = Stack(
    raw_or_flask,
    [
        ProxyFix(trusted=["127.0.0.1"]),
        RequestID(),
        RequestLog(to=os.environ["LOG_FILE"]),
        ServerTiming(),
        SecurityHeaders(),
    ],
)
with_error_page = Stack(failing, [RequestID(), RequestLog(to=os.environ["LOG_FILE"]), ErrorPage()])
app.wsgi_app = served  # type: ignore[method-assign]
