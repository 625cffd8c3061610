"""Small WSGI applications that many tests wrap."""

from collections.abc import Callable, Iterable
from typing import Any

from overcoat.middleware import current_exchange


def ok(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer ``ok``."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def answering(
    status: str = "200 OK", headers: Iterable[tuple[str, str]] = (), body: Iterable[bytes] = (b"ok",)
) -> Callable[..., Iterable[bytes]]:
    """An app that gives this answer."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response(status, list(headers))
        return body

    return app


class Recorder:
    """An app that answers ``ok`` and keeps the environ and the exchange that it saw."""

    environ: dict[str, Any]
    exchange: Any

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self.environ = dict(environ)
        self.exchange = current_exchange()
        return ok(environ, start_response)
