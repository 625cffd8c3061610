"""The composition of the demo: from the outside in, what a request passes.

>>> from overcoat.demo import create_app
>>> from overcoat.middleware import describe
>>> app = create_app(database_url="sqlite://")
>>> print(*[part.name.partition("(")[0] for part in describe(app).walk() if part.kind == "layer"])
ProxyFix RequestID TraceContext RequestLog ServerTiming SecurityHeaders SecureCookies TrustedHosts HTTPSRedirect
"""

from importlib.util import find_spec
from typing import Any

from flask import Flask
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import InternalServerError

from overcoat.demo.availability import PROBES, outage_of, probes
from overcoat.demo.config import read_settings
from overcoat.demo.database import connect
from overcoat.demo.home import PAGE_HEADERS, pages
from overcoat.demo.items import items
from overcoat.demo.json_provider import OrjsonProvider
from overcoat.demo.models import db
from overcoat.demo.problems import message_of
from overcoat.demo.tour import QUIET, tour
from overcoat.hooks import (
    DatabaseSession,
    FlaskCompress,
    FlaskCORS,
    FlaskTalisman,
    ProblemDetails,
    RequestContext,
    register,
)
from overcoat.inspector import LogPage
from overcoat.middleware import (
    HTTPSRedirect,
    Mount,
    ProxyFix,
    RequestID,
    RequestLog,
    SecureCookies,
    SecurityHeaders,
    ServerTiming,
    Stack,
    TraceContext,
    TrustedHosts,
    configure_logging,
)


def create_app(**options: Any) -> Flask:
    """Make the app: ``overcoat.demo.create_app`` documents it."""
    settings = read_settings(options)
    configure_logging(file=settings.log_file, console=settings.log_console)

    app = Flask(__name__, static_folder=None)
    app.json = OrjsonProvider(app)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["LOG_FILE"], app.config["CORS_ORIGINS"] = settings.log_file, settings.cors_origins
    app.config["SERVED_HOSTS"] = settings.trusted_hosts
    connect(app, settings.database_url)

    # Around Flask, for every response whoever makes it, from the outside in.
    app.wsgi_app = Stack(  # type: ignore[method-assign]
        app.wsgi_app,
        [
            ProxyFix(trusted=settings.trusted_proxies),
            RequestID(),
            TraceContext(),
            # Outside of the log, which would be full of its asking for news; it answers this machine alone.
            *([Mount("/_logs", LogPage(settings.log_file))] if settings.log_file and find_spec("duckdb") else []),
            RequestLog(quiet=[*PROBES, QUIET]),
            ServerTiming(expose="all"),
            SecurityHeaders(preset="api"),
            SecureCookies(),
            # Probes ask for the machine by whatever address they know.
            TrustedHosts(hosts=settings.trusted_hosts, skip=PROBES),
            *([HTTPSRedirect(skip=PROBES)] if settings.https_redirect else []),
        ],
    )
    # An API through and through: its errors are JSON to browsers too.
    problems = ProblemDetails(extend=message_of, html=False)
    # Inside Flask, where endpoint and session are known, from the outside in.
    register(
        app,
        [
            RequestContext(),
            problems,
            FlaskCompress(),
            FlaskCORS(
                resources=r"/items?(/.*)?\Z",
                origins=list(settings.cors_origins),
                expose_headers=["Link", "Location", "X-Request-ID"],
            ),
            # The pages have a policy of their own: SecurityHeaders leaves a header that stands as it is.
            FlaskTalisman(only="pages.", **PAGE_HEADERS),
            DatabaseSession(db.session),
        ],
    )
    for blueprint in (items, pages, tour, probes):
        app.register_blueprint(blueprint)

    @app.errorhandler(InternalServerError)
    def unhandled(error: InternalServerError) -> ResponseReturnValue:
        return problems.answer(outage_of(error))

    return app
