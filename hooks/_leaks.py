"""Connections that a request takes from a pool and does not give back: who took them, and where.

For debug mode: to find out where costs a walk up the stack for each connection that is taken. The listeners stand on
the class of all pools, so an engine made later and a session made by hand are seen too.
"""

import logging
import sys
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool

from overcoat.middleware import Exchange, current_exchange
from overcoat.middleware._source import short_path
from overcoat.middleware._text import visible

_log = logging.getLogger("overcoat")

_KEY = "overcoat.connections"
# Frames of these tell who works for the app, not where the app is.
_MACHINERY = frozenset({"sqlalchemy", "flask_sqlalchemy", "overcoat", "flask", "werkzeug", "contextlib", "greenlet"})

Taken = dict[Any, str]


def watch() -> None:
    """Start to listen; once is enough."""
    if not event.contains(Pool, "checkout", _checkout):
        event.listen(Pool, "checkout", _checkout)
        event.listen(Pool, "checkin", _checkin)


def taken(exchange: Exchange) -> Taken:
    """The connections that a request has not given back yet, each with the place where it was taken."""
    return dict(exchange.state.get(_KEY, ()))


def tell(bundle: str, exchange: Exchange, before: Taken) -> None:
    """Warn of what the request has not given back, and of what its session had taken since the teardown.

    Args:
        bundle: The name of the bundle that looks.
        exchange: The request, at its true end.
        before: What was still taken before the session was closed for the last time, if a teardown had closed it once.
    """
    after = taken(exchange)
    where = bundle, exchange.method, visible(exchange.path)
    for connection, place in before.items():
        if connection not in after:
            _log.warning(
                "bundle %r: %s %s: the session was used after the teardown (%s) and held a connection until the end of "
                "the response: read what a stream needs before it, or close the session in it",
                *where, place,
            )  # fmt: skip
    for place in after.values():
        _log.warning(
            "bundle %r: %s %s: a connection was taken (%s) and never given back: close it, or the session or "
            "transaction that holds it",
            *where, place,
        )  # fmt: skip


def _checkout(_connection: Any, record: Any, _proxy: Any) -> None:
    exchange = current_exchange()
    if exchange is not None:
        kept: Taken = exchange.state.setdefault(_KEY, {})
        kept[record] = _place()
        record.info[_KEY] = kept


def _checkin(_connection: Any, record: Any) -> None:
    kept: Taken | None = record.info.pop(_KEY, None)
    if kept is not None:
        kept.pop(record, None)


def _place() -> str:
    """``file:line in function`` of the innermost frame that is the app's own."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _MACHINERY:
        frame = frame.f_back
    if frame is None:
        return "a place unknown"
    return f"{short_path(frame.f_code.co_filename)}:{frame.f_lineno} in {frame.f_code.co_name}"
