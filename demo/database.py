"""The database of the demo: SQLite, PostgreSQL or MariaDB, by URL.

>>> from overcoat.demo.database import parse_url
>>> parse_url("postgresql://overcoat@db.example/demo").drivername
'postgresql+psycopg'

SQLite runs with a write-ahead log, so that reading does not wait for writing, and waits up to five seconds for another
writer, or as many as the URL says (``sqlite:///FILE?timeout=60``). A relative file is one of the working directory.
"""

from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from overcoat.demo.models import db
from overcoat.demo.schema import UnknownSchemaError, enable_migrations, upgrade

BUSY_TIMEOUT_MS = 5000
CONNECT_TIMEOUT_S = 5

#: The drivers of our extras, for URLs that name none, and the name under which hosting services hand out PostgreSQL.
DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
EXTRAS = {"postgresql+psycopg": "postgres", "mysql+pymysql": "mariadb", "mariadb+pymysql": "mariadb"}


class DatabaseError(RuntimeError):
    """The database cannot be used; the message says which and why, without its password."""


def parse_url(text: str) -> URL:
    """The URL of a database, with the driver to use and an absolute path.

    Raises:
        ValueError: It cannot be read.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The text may hold a password.
        raise ValueError(
            "database_url cannot be read: write sqlite:///FILE, postgresql://USER@HOST/NAME or mysql://USER@HOST/NAME"
        ) from None
    url = url.set(drivername=DRIVERS.get(url.drivername, url.drivername))
    file = url.database
    if url.get_backend_name() == "sqlite" and file and file != ":memory:" and not file.startswith("file:"):
        url = url.set(database=str(Path(file).absolute()))
    return url


def connect(app: Flask, database_url: str) -> None:
    """Bind the models to a database, and bring its schema up to date; a new one gets a few items.

    Args:
        app: The app.
        database_url: The URL of the database.

    Raises:
        ValueError: The URL cannot be read, or names a kind of database that is not known.
        DatabaseError: The driver is missing, the database does not answer or refuses, or its schema is not ours.
    """
    url = parse_url(database_url)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(url)
    try:
        db.init_app(app)
        enable_migrations(app)
    except NoSuchModuleError:
        raise ValueError(f"database_url: {url.drivername!r} is no kind of database that SQLAlchemy knows") from None
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(url.drivername)
        fix = f"pip install 'overcoat[{extra}]'" if extra else f"install {error.name}"
        raise DatabaseError(f"the driver of {url.drivername} is missing: {fix}") from None
    with app.app_context():
        if url.get_backend_name() == "sqlite":
            event.listen(db.engine, "connect", _set_pragmas)
        try:
            upgrade(db.engine)
        except UnknownSchemaError as error:
            raise DatabaseError(f"cannot use the database {url.render_as_string()}: {error}") from error
        except DBAPIError as error:
            reason = (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0]
            raise DatabaseError(f"cannot use the database {url.render_as_string()}: {reason}") from error
        finally:
            # Workers that are forked from here (gunicorn --preload) must not share a connection.
            if not isinstance(db.engine.pool, StaticPool):
                db.engine.dispose()


def disconnect(app: Flask) -> None:
    """Close all connections; of SQLite, this folds the write-ahead log into the file."""
    with app.app_context():
        db.engine.dispose()


def _engine_options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {} if "timeout" in url.query else {"connect_args": {"timeout": BUSY_TIMEOUT_MS / 1000}}
    options: dict[str, Any] = {"pool_pre_ping": True}
    if "connect_timeout" not in url.query:
        options["connect_args"] = {"connect_timeout": CONNECT_TIMEOUT_S}
    if url.get_backend_name() in {"mysql", "mariadb"}:
        # Its default locks the gaps between rows too, where two PUTs of new ids would wait for each other.
        options["isolation_level"] = "READ COMMITTED"
    return options


def _set_pragmas(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()
