"""What may be given to DatabaseSession: a ``scoped_session``, or anything that is a function returning the session.

A ``Session`` that one thread uses is the function that returns it, and so is a ``LocalProxy``, or an extension that has
one session for each of Flask's contexts.
"""

import sys
from collections.abc import Callable
from functools import partial
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction, signature
from typing import Any

from werkzeug.local import LocalProxy

from overcoat.hooks._session_kinds import Returned, Scoped
from overcoat.middleware._source import innermost


def sessions_of(bundle: str, given: Any) -> Scoped | Returned:
    """Where the sessions of requests are found.

    Raises:
        ValueError: What was given has none; names the bundle and the fix.
        ImportError: SQLAlchemy is not installed.
    """
    try:
        from sqlalchemy.orm import Session, scoped_session, sessionmaker  # noqa: PLC0415 - only here it must be there
    except ModuleNotFoundError as error:
        raise ImportError(f"bundle {bundle!r} needs SQLAlchemy: pip install SQLAlchemy") from error

    if isinstance(given, LocalProxy):
        return Returned(bundle, given._get_current_object, given._get_current_object)
    if isinstance(getattr(type(given), "session", None), property):
        return Returned(bundle, partial(getattr, given, "session"), given)  # Flask-SQLAlchemy-Lite
    session = getattr(given, "session", given)  # Flask-SQLAlchemy
    if isinstance(session, scoped_session):
        return Scoped(bundle, session)
    if isinstance(session, Session):
        return Returned(bundle, lambda: session, session)
    named = f"bundle {bundle!r}: session={given!r}"
    if _is_asynchronous(given):
        raise ValueError(
            f"{named} is asynchronous: Flask runs each async function in an event loop of its own, and a transaction "
            "cannot end in another loop than it has begun in: commit in the view"
        )
    if isinstance(given, (type, sessionmaker)):
        raise ValueError(f"{named} is no session: give scoped_session(...) of it, as each call makes another one")
    if not callable(given) or isgeneratorfunction(innermost(given)):
        raise ValueError(f"{named} is no session: give a scoped_session, a Session, db or a function that returns one")
    reason = _wants_arguments(given)
    if reason:
        raise ValueError(f"{named} must take no argument ({reason}): it returns the session of the request")
    return Returned(bundle, given, given)


def _wants_arguments(function: Callable[..., Any]) -> str:
    try:
        signature(function).bind()
    except TypeError as error:
        return str(error)
    except ValueError:
        return ""  # a builtin that does not tell
    return ""


def _is_asynchronous(given: Any) -> bool:
    function = innermost(given) if callable(given) else None
    if iscoroutinefunction(function) or isasyncgenfunction(function):
        return True
    module = sys.modules.get("sqlalchemy.ext.asyncio")  # loaded by whoever has made one
    names = ("AsyncSession", "async_scoped_session", "async_sessionmaker")
    return module is not None and isinstance(given, tuple(getattr(module, name) for name in names))
