"""Hook bundles for Flask: before, after and teardown functions as named units that are ordered and isolated.

>>> from flask import Flask
>>> from overcoat.hooks import HookBundle, RequestContext, register
>>> audit = HookBundle("audit", inside=["request-context"])
>>> @audit.before_request
... def start(): ...
>>> @audit.teardown_request
... def finish(error): ...
>>> app = Flask("shop")
>>> register(app, [RequestContext(), audit])
>>> audit.is_registered(app)
True

The bundles around Flask-CORS, Flask-Talisman and Flask-Compress, and the one for SQLAlchemy, load those when they are
constructed; importing this package loads none of them.
"""

try:
    import flask as _flask  # noqa: F401
except ImportError as error:  # pragma: no cover
    raise ImportError("overcoat.hooks is for Flask, which is missing: pip install 'overcoat[flask]'") from error

from overcoat.hooks.bundle import HookBundle, register
from overcoat.hooks.database_session import DatabaseSession
from overcoat.hooks.flask_compress import FlaskCompress
from overcoat.hooks.flask_cors import FlaskCORS
from overcoat.hooks.flask_talisman import FlaskTalisman
from overcoat.hooks.problem_details import ProblemDetails
from overcoat.hooks.request_context import RequestContext

__all__ = [
    "DatabaseSession",
    "FlaskCORS",
    "FlaskCompress",
    "FlaskTalisman",
    "HookBundle",
    "ProblemDetails",
    "RequestContext",
    "register",
]
