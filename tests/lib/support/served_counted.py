"""An app whose requests are counted for Prometheus as docs/logging.md shows it, and logged to $LOG_FILE.

Each answer tells by which process it was given.
"""

import os
from typing import Any

import flask
from prometheus_client import REGISTRY, CollectorRegistry, Counter, make_wsgi_app, multiprocess

from overcoat.middleware import Exchange, Layer, Mount, RequestID, RequestLog, Stack

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
REQUESTS = Counter("shop_requests", "Requests by how they ended.", ["method", "route", "status", "outcome"])


class Counted(Layer):
    """Counts requests for Prometheus."""

    inside = {"RequestLog": "it finds the route"}

    def on_finish(self, exchange: Exchange) -> None:
        """Count one request."""
        method = exchange.method if exchange.method in METHODS else "OTHER"
        REQUESTS.labels(method, exchange.route or "<unmatched>", exchange.status_code or 500, exchange.outcome).inc()


def registry() -> Any:
    """The figures of this process, or of all that share a folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    shared = CollectorRegistry()
    multiprocess.MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared


app = flask.Flask("counted")


@app.get("/cart/<int:cart_id>")
def cart(cart_id: int) -> str:
    """Who answers."""
    return str(os.getpid())


app.wsgi_app = Stack(  # type: ignore[method-assign]
    app.wsgi_app,
    [Mount("/metrics", make_wsgi_app(registry())), RequestID(), RequestLog(to=os.environ["LOG_FILE"]), Counted()],
)
