"""The app that the tests of real servers serve: a small Flask app inside of the five layers; its log is $LOG_FILE."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

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


app.wsgi_app = Stack(  # type: ignore[method-assign]
    app.wsgi_app,
    [
        ProxyFix(trusted=["127.0.0.1"]),
        RequestID(),
        RequestLog(to=os.environ["LOG_FILE"]),
        ServerTiming(),
        SecurityHeaders(),
    ],
)
