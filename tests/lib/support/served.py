"""The app that the tests of real servers serve: a small Flask app inside of the five layers; its log is $LOG_FILE."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask

from overcoat.middleware import (
    ProxyFix,
    RequestID,
    RequestLog,
    SecurityHeaders,
    ServerTiming,
    Stack,
    add_fields,
    timer,
)

app = flask.Flask("served")


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


@app.get("/breaks")
def breaks() -> Iterator[bytes]:
    yield b"first,"
    raise OSError("disk")


@app.get("/long")
def long() -> Iterator[bytes]:
    """256 MiB: more than any server takes ahead of its client."""
    time.sleep(float(flask.request.args.get("wait_s", "0")))
    return (b"x" * 65536 for _ in range(4096))


#: Bodies as WSGI apps make them, which Flask would wrap: status and body by path.
RAW: dict[str, tuple[str, Callable[[], Any]]] = {
    "/raw/list": ("200 OK", lambda: [b"one,", b"two"]),
    "/raw/list-of-one": ("200 OK", lambda: [b"one"]),
    "/raw/tuple": ("200 OK", lambda: (b"one,", b"two")),
    "/raw/empty-list": ("200 OK", list),
    "/raw/generator": ("200 OK", lambda: (chunk for chunk in (b"one,", b"", b"two"))),
    "/raw/no-content": ("204 NO CONTENT", list),
    "/raw/not-modified": ("304 NOT MODIFIED", list),
}


def raw_or_flask(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """Answer what is in ``RAW``, and leave all else to Flask."""
    status, body = RAW.get(environ["PATH_INFO"], (None, None))
    if body is None:
        return by_flask(environ, start_response)
    start_response(status, [] if body is list else [("Content-Type", "text/plain")])
    return body()


by_flask = app.wsgi_app
app.wsgi_app = Stack(  # type: ignore[method-assign]
    raw_or_flask,
    [
        ProxyFix(trusted=["127.0.0.1"]),
        RequestID(),
        RequestLog(to=os.environ["LOG_FILE"]),
        ServerTiming(),
        SecurityHeaders(),
    ],
)
