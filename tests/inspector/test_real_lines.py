"""What `RequestLog` writes is what `overcoat logs` reads."""

import orjson
import pytest
from werkzeug.test import Client

from overcoat.middleware import RequestID, RequestLog, Stack, timer


def app(environ, start_response):
    """Fails on one path, streams on another."""
    if environ["PATH_INFO"] == "/fail":
        raise ValueError("no \x1b[31mluck")
    with timer("db"):
        start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"] if environ["PATH_INFO"] == "/item/7" else (chunk for chunk in (b"a", b"b"))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "app.log"
    wrapped = Stack(app, [RequestID(), RequestLog(to=str(path))])
    client = Client(wrapped)
    client.get("/item/7?token=secret&page=2", headers={"X-Request-ID": "first"})
    client.get("/stream").close()
    with pytest.raises(ValueError, match="luck"):
        client.get("/fail", headers={"X-Request-ID": "third"})
    return path


def test_they_are_in_the_table(overcoat, path):
    ran = overcoat("logs", path)
    assert (ran.status, ran.err) == (0, "")
    assert [row.partition("GET ")[2].partition(" ")[0].partition("?")[0] for row in ran.rows[1:]] == [
        "/item/7",
        "/stream",
        "/fail",
    ]
    assert ran.rows[3].endswith("GET /fail [failed: ValueError]")
    assert "secret" not in ran.out


def test_they_are_in_the_figures(overcoat, path):
    rows = overcoat("logs", path, "--stats").rows
    assert sorted(row.split()[:4] for row in rows[1:4]) == [
        ["/fail", "1", "-", "1"],
        ["/item/{n}", "1", "-", "-"],
        ["/stream", "1", "-", "-"],
    ]


def test_one_has_all_its_fields(overcoat, path):
    shown = overcoat("logs", path, "--id", "third").out
    written = next(orjson.loads(text) for text in path.read_bytes().splitlines() if b'"third"' in text)
    assert all(f"  {name} " in shown for name in written if name not in {"event", "timings"})
    assert "\n  db  " in overcoat("logs", path, "--id", "first").out
    assert "\x1b" not in shown
