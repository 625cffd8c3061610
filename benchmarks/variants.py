"""The same service with different outer layers: bare, the usual peer set, the same job by hand, ours."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import uuid4

import orjson
import structlog
from flask import Flask, g, request

from benchmarks.hand_fused import HandFused
from overcoat.middleware import ProxyFix, RequestID, RequestLog, SecurityHeaders, ServerTiming, Stack, configure_logging

Application = Callable[..., Any]


def trivial(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """A WSGI application that does nearly nothing."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


def bare() -> Flask:
    """Flask with one small JSON route."""
    app = Flask("bench")

    @app.get("/item/<int:item_id>")
    def item(item_id: int) -> dict[str, Any]:
        return {"id": item_id, "name": "a small thing with a name", "value": 3.25, "tags": ["one", "two", "three"]}

    return app


def peers(folder: Path) -> Flask:
    """The packages that people glue together today, each in its documented form."""
    from flask_compress import Compress
    from flask_cors import CORS
    from flask_talisman import Talisman
    from werkzeug.middleware.proxy_fix import ProxyFix as WerkzeugProxyFix

    app = bare()
    log = structlog.wrap_logger(
        structlog.BytesLogger((folder / "peers.log").open("ab", buffering=0)),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        context_class=dict,
        cache_logger_on_first_use=True,
    )

    @app.before_request
    def start() -> None:
        g.started = perf_counter()
        g.request_id = request.headers.get("X-Request-ID") or str(uuid4())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def finish(response: Any) -> Any:
        duration_ms = (perf_counter() - g.started) * 1000
        response.headers["X-Request-ID"] = g.request_id
        response.headers["Server-Timing"] = f"total;dur={duration_ms:.1f}"
        log.info(
            "http_request",
            method=request.method,
            path=request.path,
            route=request.url_rule.rule if request.url_rule else None,
            status=response.status_code,
            duration_ms=round(duration_ms, 3),
            response_bytes=response.content_length,
            client=request.remote_addr,
            scheme=request.scheme,
            host=request.host,
            user_agent=request.user_agent.string,
        )
        return response

    Talisman(app, force_https=False)
    CORS(app, origins=["https://shop.example.com"])
    Compress(app)
    app.wsgi_app = WerkzeugProxyFix(app.wsgi_app)  # type: ignore[method-assign]
    return app


def hand_fused(app: Application, folder: Path) -> Application:
    """The whole job of our five layers written by hand as one wrapper."""
    return HandFused(app, folder / "hand-fused.log")


def ours(app: Application, folder: Path, *, trusted: tuple[str, ...] = ("127.0.0.1", "::1")) -> Application:
    """Our five layers, their line written as JSON to a file through ``configure_logging``."""
    configure_logging(file=folder / "ours.log", stdlib=False)
    return Stack(
        app,
        [
            ProxyFix(trusted=trusted),
            RequestID(),
            RequestLog(),
            ServerTiming(),
            SecurityHeaders(preset="page"),
        ],
    )
