"""The composition of the demo: from the outside in, what a request passes.

>>> from overcoat.demo import create_app
>>> from overcoat.middleware import describe
>>> app = create_app(database_url="sqlite://")
>>> [part.name.partition("(")[0] for part in describe(app).walk() if part.kind == "layer"]
['ProxyFix', 'RequestID', 'RequestLog', 'ServerTiming', 'SecurityHeaders']
"""

from typing import Any

from flask import Flask
from werkzeug.exceptions import HTTPException

from overcoat.demo.config import read_settings
from overcoat.demo.database import connect
from overcoat.demo.home import PAGE_HEADERS, pages
from overcoat.demo.items import items
from overcoat.demo.json_provider import OrjsonProvider
from overcoat.demo.models import db
from overcoat.demo.problems import problem_response
from overcoat.hooks import DatabaseSession, FlaskCompress, FlaskCORS, FlaskTalisman, RequestContext, register
from overcoat.middleware import (
    ProxyFix,
    RequestID,
    RequestLog,
    SecurityHeaders,
    ServerTiming,
    Stack,
    configure_logging,
)


def create_app(**options: Any) -> Flask:
    """Make the app: ``overcoat.demo.create_app`` documents it."""
    settings = read_settings(options)
    configure_logging(file=settings.log_file, console=settings.log_console)

    app = Flask(__name__, static_folder=None)
    app.json = OrjsonProvider(app)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    connect(app, settings.database_url)

    # Around Flask, for every response whoever makes it, from the outside in.
    app.wsgi_app = Stack(  # type: ignore[method-assign]
        app.wsgi_app,
        [
            ProxyFix(trusted=settings.trusted_proxies),
            RequestID(),
            RequestLog(),
            ServerTiming(expose="all"),
            SecurityHeaders(preset="api"),
        ],
    )
    # Inside Flask, where endpoint and session are known, from the outside in.
    register(
        app,
        [
            RequestContext(),
            FlaskCompress(),
            FlaskCORS(
                resources=r"/items?(/.*)?\Z",
                origins=list(settings.cors_origins),
                expose_headers=["Link", "X-Request-ID"],
            ),
            # The pages have a policy of their own: SecurityHeaders leaves a header that stands as it is.
            FlaskTalisman(only="pages.", **PAGE_HEADERS),
            DatabaseSession(db.session),
        ],
    )
    app.register_error_handler(HTTPException, problem_response)
    app.register_blueprint(items)
    app.register_blueprint(pages)
    return app
