"""What tells balancers and clients whether the demo can serve: /livez, /readyz, and 503 while there is no database.

>>> from overcoat.demo import create_app
>>> create_app(database_url="sqlite://").test_client().get("/readyz").json
{'status': 'ready'}

``/livez`` says that the process answers, and asks for nothing else: a restart does not mend a database. ``/readyz``
asks the database, so that a balancer leaves a worker alone that could only refuse.
"""

from typing import Any

from flask import Blueprint, Response, jsonify
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable

from overcoat.demo.models import db

#: The paths, which the log leaves out while all is well, and which are answered to any Host.
PROBES = ("/livez", "/readyz")

_RETRY_AFTER_S = 5

# Classes and codes of SQLSTATE (PostgreSQL, appendix A): connection exception, insufficient resources, operator
# intervention; query_canceled is a 57 too, but says nothing of the server.
_SQLSTATES = ("08", "53", "57P")
# MariaDB: too many connections, shutdown, and the client's: cannot connect, gone away, lost during the query.
_NUMBERS = frozenset({1040, 1053, 1203, 2002, 2003, 2006, 2013})
# SQLite: busy, locked, I/O error, full, cannot open (result codes without their extension).
_RESULTS = frozenset({5, 6, 10, 13, 14})

probes = Blueprint("probes", __name__)


@probes.get("/livez")
def livez() -> Response:
    """Whether the process answers."""
    return _fresh(jsonify(status="alive"))


@probes.get("/readyz")
def readyz() -> Response:
    """Whether the database answers too."""
    db.session.execute(select(1))
    return _fresh(jsonify(status="ready"))


def outage_of(error: HTTPException) -> HTTPException:
    """The 503 for an unhandled error that comes of the database's being away; any other error as it is.

    Args:
        error: What a handler of Flask's is given: for an unhandled error an ``InternalServerError`` with the original.
    """
    if isinstance(error, InternalServerError) and is_outage(error.original_exception):
        return ServiceUnavailable("The database cannot be reached; try again later", retry_after=_RETRY_AFTER_S)
    return error


def is_outage(error: BaseException | None) -> bool:
    """Whether an error says that the database is away, full or busy, rather than that a statement is wrong."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    original: Any = error.orig
    if error.connection_invalidated:
        return True
    if (result := getattr(original, "sqlite_errorcode", None)) is not None:
        return result & 0xFF in _RESULTS
    if hasattr(original, "sqlstate"):
        # Without one psycopg speaks for itself: it has not got as far as to be answered.
        state: str | None = original.sqlstate
        return type(original).__name__ == "OperationalError" if state is None else state.startswith(_SQLSTATES)
    return next(iter(getattr(original, "args", ())), None) in _NUMBERS


def _fresh(response: Response) -> Response:
    response.cache_control.no_store = True
    return response
