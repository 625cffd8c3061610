"""What the routes do to the table, so that requests at the same time do not get in each other's way.

A transaction that loses to another one, by a deadlock or over an id, is tried again; a request that loses each time is
answered with 409. Nothing else is changed in a request, so that a try can be rolled back whole, and ``DatabaseSession``
commits it at the end.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from sqlalchemy import CursorResult, Delete, Update, delete, insert, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from werkzeug.exceptions import Conflict

from overcoat.demo.models import Item, db

_TRIES = 5

# Deadlocks and serialisation failures: PostgreSQL's and MariaDB's codes.
_LOST = frozenset({"40P01", "40001", 1213})

P = ParamSpec("P")
R = TypeVar("R")


def retried(work: Callable[P, R]) -> Callable[P, R]:
    """Try a function again where its transaction has lost to another one.

    Raises:
        Conflict: A 409, where it loses each time.
    """

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(_TRIES):
            try:
                return work(*args, **kwargs)
            except DBAPIError as error:
                db.session.rollback()
                if not _lost(error):
                    raise
        raise Conflict("Other requests are changing the same item; try again")

    return run


@retried
def create(fields: Mapping[str, Any]) -> Item:
    """Create an item under the next free id."""
    try:
        return _added(fields)
    except IntegrityError:
        db.session.rollback()
        _pass_taken_ids()
        return _added(fields)


@retried
def replace(item_id: int, fields: Mapping[str, Any]) -> bool:
    """Replace the fields of an item; whether there is one."""
    # The ORM's own update would fail where another request deletes the row between reading and writing.
    return _matches(update(Item).where(Item.id == item_id).values(**fields))


@retried
def put(item_id: int, fields: Mapping[str, Any]) -> None:
    """Replace the fields of an item, or create it under that id."""
    if not _matches(update(Item).where(Item.id == item_id).values(**fields)):
        db.session.execute(insert(Item).values(id=item_id, **fields))


@retried
def remove(item_id: int) -> bool:
    """Delete an item; whether there was one."""
    return _matches(delete(Item).where(Item.id == item_id))


def _added(fields: Mapping[str, Any]) -> Item:
    item = Item(**fields)
    db.session.add(item)
    db.session.flush()
    return item


def _matches(statement: Update | Delete) -> bool:
    result = db.session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount > 0


def _pass_taken_ids() -> None:
    """Move PostgreSQL's sequence past the ids that clients have chosen; the other databases do that by themselves.

    The lock holds back other inserts until this transaction ends, so that none takes an id in between.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("LOCK TABLE item IN SHARE ROW EXCLUSIVE MODE"))
        db.session.execute(
            text(
                "SELECT setval(pg_get_serial_sequence('item', 'id'),"
                " GREATEST((SELECT max(id) FROM item), nextval(pg_get_serial_sequence('item', 'id'))))"
            )
        )


def _lost(error: DBAPIError) -> bool:
    if isinstance(error, IntegrityError):
        return True
    code = getattr(error.orig, "sqlstate", None) or next(iter(getattr(error.orig, "args", ())), None)
    return code in _LOST
