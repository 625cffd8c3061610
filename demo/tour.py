"""The requests of the tour that the API has no use for, and what the page asks about them afterwards.

>>> from overcoat.demo import create_app
>>> client = create_app(database_url="sqlite://", log_file="requests.log").test_client()
>>> client.get("/tour/cookie").headers["Set-Cookie"]
'theme=dark; Path=/; HttpOnly; SameSite=Lax'
>>> client.post("/tour/send/TrustedHosts/0").json["status"]
400

A page cannot forge Host or Origin, nor see Set-Cookie: such a request the server sends to itself, through the same
layers. The log line of a request is shown to the address that made it and to no other.
"""

import contextvars
import time
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from sqlalchemy import text
from werkzeug.datastructures import Headers
from werkzeug.exceptions import Conflict, NotFound
from werkzeug.test import EnvironBuilder, run_wsgi_app

from overcoat.demo import store
from overcoat.demo.config import PUBLIC_HOST
from overcoat.demo.log_lines import find_record
from overcoat.demo.models import db
from overcoat.demo.stops import ALLOWED_ORIGIN, STOPS, Try

#: What the page asks for all the time.
QUIET = "/tour/log/"

_CHUNKS = 6
_CHUNK_INTERVAL_S = 0.16

_SLOW_QUERIES = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(0.06)",
    "mysql": "SELECT sleep(0.06)",
    "mariadb": "SELECT sleep(0.06)",
}

tour = Blueprint("tour", __name__, url_prefix="/tour")


@tour.get("/stream")
def stream() -> Response:
    """A line of JSON now and then, for a second."""

    def chunks() -> Iterator[bytes]:
        for number in range(1, _CHUNKS + 1):
            yield b'{"chunk": %d, "of": %d}\n' % (number, _CHUNKS)
            if number < _CHUNKS:
                time.sleep(_CHUNK_INTERVAL_S)

    # The header keeps nginx from collecting the chunks.
    return Response(chunks(), mimetype="application/x-ndjson", headers={"X-Accel-Buffering": "no"})


@tour.get("/error")
def error() -> Response:
    """An error that nobody catches."""
    raise RuntimeError("the kettle is empty")


@tour.get("/large")
def large() -> Response:
    """Some forty kilobytes of JSON."""
    return jsonify(items=[{"id": number, "name": f"teapot {number}", "value": number / 2} for number in range(1000)])


@tour.get("/query")
def query() -> Response:
    """A slow statement."""
    db.session.execute(text(_SLOW_QUERIES[db.engine.dialect.name]))
    return jsonify(message="That took a while")


@tour.get("/cookie")
def cookie() -> Response:
    """A cookie, set without a thought."""
    response = jsonify(message="A cookie is set")
    response.headers["Set-Cookie"] = "theme=dark; Path=/"
    return response


@tour.post("/rollback")
def rollback() -> Response:
    """Write an item, then fail."""
    item = store.create({"name": "never to be seen", "value": 0})
    raise Conflict(f"Item {item.id} was written before this error; GET /item/{item.id} does not find it")


@tour.post("/send/<key>/<int:number>")
def send(key: str, number: int) -> Response:
    """Send a request of the tour to the app itself, through all layers; what was sent, and the answer."""
    tries = STOPS[key].tries if key in STOPS else ()
    if number >= len(tries) or tries[number].sender != "server":
        raise NotFound("The server sends no such request")
    # In a context of its own: it is a request of its own, not a part of this one.
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    return jsonify(contextvars.Context().run(_sent, app, _environ(tries[number])))


@tour.get("/log/<request_id>")
def log_line(request_id: str) -> Response:
    """The log line of a request of this client's, as soon as there is one."""
    log_file: str | None = current_app.config["LOG_FILE"]
    record = find_record(log_file, request_id) if log_file else None
    if record is not None and record.get("client") != request.remote_addr:
        record = None
    response = jsonify(record=record, logged=log_file is not None)
    response.cache_control.no_store = True
    return response


def _environ(what: Try) -> dict[str, Any]:
    headers = dict(what.headers)
    scheme = headers.pop("X-Tour-Scheme", request.scheme)
    if headers.get("Origin") == ALLOWED_ORIGIN:
        headers["Origin"] = next(iter(current_app.config["CORS_ORIGINS"]), "http://localhost:3000")
    if headers.get("Host") == PUBLIC_HOST and PUBLIC_HOST not in current_app.config["SERVED_HOSTS"]:
        del headers["Host"]  # the settings name public hosts, and the page is at one of them
    own = {"Host": request.environ.get("HTTP_HOST", "localhost"), "User-Agent": "Overcoat tour"}
    builder = EnvironBuilder(
        what.path,
        f"{scheme}://localhost",
        method=what.method,
        headers=Headers(own | headers),
        environ_base={"REMOTE_ADDR": request.environ.get("REMOTE_ADDR", "127.0.0.1")},
    )
    return builder.get_environ()


def _sent(app: Any, environ: dict[str, Any]) -> dict[str, Any]:
    sent = {name[5:].replace("_", "-").title(): value for name, value in environ.items() if name.startswith("HTTP_")}
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    body, status, headers = run_wsgi_app(app.wsgi_app, environ, buffered=True)
    return {
        "request": {"method": method, "path": path, "headers": sent},
        "status": int(status.split(" ", 1)[0]),
        "headers": [[name, value] for name, value in headers],
        "body": b"".join(body).decode(errors="replace"),
    }
