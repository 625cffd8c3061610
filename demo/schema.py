"""The schema of the database, brought up to the newest step of ``migrations/`` by whichever worker comes first.

The others wait for it: PostgreSQL and MariaDB lend a lock that has a name, SQLite the lock of its file. A worker that
is killed on the way releases either, and the next one goes on from the step that was last completed.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import Flask, current_app
from flask_migrate import Migrate
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError

from overcoat.demo.models import db

FOLDER = Path(__file__).parent / "migrations"

_VERSIONS = "alembic_version"
_LOCK_NAME = "overcoat.demo.schema"
# PostgreSQL's have a number: the first eight bytes of that name.
_LOCK_NUMBER = int.from_bytes(_LOCK_NAME.encode()[:8])
_LOCK_TIMEOUT_S = 60


class UnknownSchemaError(RuntimeError):
    """The database has been migrated by a newer version of the demo, or is another app's."""


def enable_migrations(app: Flask) -> None:
    """Let ``flask db`` know where the migrations are."""
    Migrate(app, db, directory=str(FOLDER))
    # At each start it would tell which dialect it speaks.
    logging.getLogger("alembic.runtime").setLevel(logging.WARNING)


def upgrade(engine: Engine) -> None:
    """Bring the database up to the newest step; costs one query where it is there.

    Args:
        engine: That of the app whose context this is.

    Raises:
        UnknownSchemaError: The database is at a step that is not among ours.
        DBAPIError: The database refuses.
    """
    config: Config = current_app.extensions["migrate"].migrate.get_config()
    newest = ScriptDirectory.from_config(config).get_heads()
    if _current(engine) == newest:
        return
    if engine.dialect.name == "sqlite":
        _use_write_ahead_log(engine)
    with _locked(engine) as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise UnknownSchemaError(f"its schema is none of this version: {error}") from error


def _current(engine: Engine) -> list[str]:
    if not inspect(engine).has_table(_VERSIONS):
        return []
    with engine.connect() as connection:
        return list(connection.scalars(text(f"SELECT version_num FROM {_VERSIONS}")))  # noqa: S608 - a constant


def _use_write_ahead_log(engine: Engine) -> None:
    """Switch the file over, which lasts; it needs the file for itself, and where another worker has it, waits."""
    for tries_left in range(50, -1, -1):
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            return
        except OperationalError as error:
            if not tries_left or "locked" not in str(error.orig):
                raise
            time.sleep(0.1)


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """A connection that has the schema for itself, in a transaction that is committed at the end."""
    kind = engine.dialect.name
    with engine.connect() as connection:
        if kind == "sqlite":
            # The driver would begin at the first INSERT only, behind the CREATE TABLE.
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")
        elif kind == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})
            yield connection
            connection.commit()
        elif kind in {"mysql", "mariadb"}:
            # It belongs to the connection, so that the commit behind each CREATE TABLE does not release it.
            name = {"name": f"{_LOCK_NAME}.{engine.url.database}"[:64], "timeout": _LOCK_TIMEOUT_S}
            connection.scalar(text("SELECT GET_LOCK(:name, :timeout)"), name)
            try:
                yield connection
                connection.commit()
            finally:
                connection.scalar(text("SELECT RELEASE_LOCK(:name)"), name)
        else:
            yield connection
            connection.commit()
