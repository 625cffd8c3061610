import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, send_file
from flask_compress import Compress
from support.hooks import recording, serve

from overcoat.hooks import FlaskCompress, register

TEXT = "hello " * 200


class Body:
    """A stream that counts how often it is closed."""

    def __init__(self) -> None:
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield from (TEXT.encode(), TEXT.encode())

    def close(self) -> None:
        self.closed += 1


def make_app(*bundles: Any, **config: Any) -> Flask:
    app = Flask("shop")
    app.config.update(config)
    register(app, bundles)
    body = Body()
    app.config["body"] = body
    app.add_url_rule("/", "index", lambda: TEXT)
    app.add_url_rule("/short", "short", lambda: "hello " * 20)
    app.add_url_rule("/empty", "empty", lambda: ("", 204))
    app.add_url_rule("/pinned", "pinned", lambda: (TEXT, {"Cache-Control": "public, no-transform"}))
    app.add_url_rule("/stream", "stream", lambda: Response(body, mimetype="text/plain"))
    app.add_url_rule("/events", "events", lambda: Response(iter([b"data: 1\n\n"]), mimetype="text/event-stream"))
    app.add_url_rule(
        "/part", "part", lambda: send_file(io.BytesIO(TEXT.encode()), mimetype="text/plain", conditional=True, etag="1")
    )
    app.add_url_rule("/file", "file", lambda: send_file(Path(__file__), mimetype="text/plain", conditional=True))
    return app


def encoding(app: Flask, path: str = "/", accept: str = "gzip", **headers: str) -> str | None:
    response = app.test_client().get(path, headers={"Accept-Encoding": accept, **headers}, buffered=True)
    return response.headers.get("Content-Encoding")


def test_text_is_compressed() -> None:
    response = make_app(FlaskCompress()).test_client().get("/", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(response.data).decode() == TEXT
    assert response.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("gzip", "gzip"),
        ("br", "br"),
        ("gzip;q=0.5, br;q=0.9", "br"),
        ("", None),
        ("identity", None),
        ("gzip;q=0", None),
        ("gzip; q=0", None),
        ("gzip;q=0.0, identity", None),
        ("*;q=0", None),
        ("br;q=0, *", None),
        ("identity;q=0, gzip", "gzip"),
    ],
)
def test_encoding_is_one_that_the_client_takes(accept: str, expected: str | None) -> None:
    app = make_app(FlaskCompress())
    assert encoding(app, accept=accept) == expected
    response = app.test_client().get("/", headers={"Accept-Encoding": accept})
    assert response.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", ["/pinned", "/empty", "/events"])
def test_what_must_stay_stays(path: str) -> None:
    assert encoding(make_app(FlaskCompress()), path) is None


@pytest.mark.parametrize(("path", "whole"), [("/part", TEXT.encode()), ("/file", Path(__file__).read_bytes())])
def test_partial_content_stays(path: str, whole: bytes) -> None:
    app = make_app(FlaskCompress())
    response = app.test_client().get(path, headers={"Accept-Encoding": "br", "Range": "bytes=0-999"}, buffered=True)
    assert response.status_code == 206
    assert "Content-Encoding" not in response.headers
    assert response.data == whole[:1000]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"Accept-Encoding": "gzip;q=0"}),
        ("/pinned", {"Accept-Encoding": "gzip"}),
        ("/part", {"Accept-Encoding": "br", "Range": "bytes=0-999"}),
    ],
)
def test_flask_compress_encodes_it_all_the_same(path: str, headers: dict[str, str]) -> None:
    app = make_app()
    Compress(app)
    assert "Content-Encoding" in app.test_client().get(path, headers=headers, buffered=True).headers


@pytest.mark.parametrize("accept", ["br", "gzip;q=0"])
def test_close_of_a_stream_is_called(accept: str) -> None:
    app = make_app(FlaskCompress())
    assert (encoding(app, "/stream", accept) == "br") == (accept == "br")
    assert app.config["body"].closed == 1


def test_flask_compress_forgets_it() -> None:
    app = make_app()
    Compress(app)
    assert encoding(app, "/stream", "br") == "br"
    assert app.config["body"].closed == 0


def test_stream_that_is_left_is_closed_too() -> None:
    app = make_app(FlaskCompress())
    serve(app, "/stream", chunks=1, HTTP_ACCEPT_ENCODING="br")
    assert app.config["body"].closed == 1


def test_compressed_stream_tears_bundles_down_once() -> None:
    log: list[str] = []
    app = make_app(FlaskCompress(), recording("a", log))
    serve(app, "/stream", HTTP_ACCEPT_ENCODING="br")
    assert log == ["a<", "a>", "a.", "a!"]


@pytest.mark.parametrize(
    ("options", "config", "path", "expected"),
    [
        pytest.param({}, {}, "/short", None, id="too short by default"),
        pytest.param({"min_size": 50}, {}, "/short", "gzip", id="an option"),
        pytest.param({"min_size": 50}, {"COMPRESS_MIN_SIZE": 5000}, "/short", None, id="the configuration goes before"),
        pytest.param({"mimetypes": ["text/css"]}, {}, "/", None, id="mimetypes"),
        pytest.param({"algorithm": ["br"]}, {}, "/", None, id="algorithm"),
    ],
)
def test_options_are_the_extensions_settings(
    options: dict[str, Any], config: dict[str, Any], path: str, expected: str | None
) -> None:
    assert encoding(make_app(FlaskCompress(**options), **config), path) == expected


def test_head_tells_what_get_would() -> None:
    client = make_app(FlaskCompress()).test_client()
    head, get = (client.open("/", method=method, headers={"Accept-Encoding": "gzip"}) for method in ("HEAD", "GET"))
    assert head.data == b""
    assert head.headers["Content-Encoding"] == get.headers["Content-Encoding"]
