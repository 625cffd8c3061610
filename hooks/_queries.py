"""Counts the statements that SQLAlchemy sends for a request, their time, and keeps the slowest.

The listeners stand on the class of all engines, once per process: an engine made later, a second bind or a connection
used beside the session count too. Only a request that :func:`count_queries` was called for is touched.
"""

from threading import Lock
from time import perf_counter_ns
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext

from overcoat.hooks._statement import shown
from overcoat.middleware import Exchange, current_exchange

FIELD = "db_queries"
SLOWEST_FIELD = "db_slowest"
SLOWEST_MS_FIELD = "db_slowest_ms"

_STATE_KEY = "overcoat.queries"
_STARTED = "_overcoat_started"

# A request may use several threads, which share its exchange.
_lock = Lock()


def listen() -> None:
    """Start to listen; once is enough."""
    if not event.contains(Engine, "before_cursor_execute", _before):
        event.listen(Engine, "before_cursor_execute", _before)
        event.listen(Engine, "after_cursor_execute", _after)
        event.listen(Engine, "handle_error", _failed)


class _Counter:
    __slots__ = ("count", "dialect", "slowest", "slowest_ns", "timing")

    def __init__(self, timing: str) -> None:
        self.timing = timing
        self.count = 0
        self.slowest_ns = 0
        self.slowest = self.dialect = ""


def count_queries(exchange: Exchange, timing: str) -> None:
    """Count the statements of this request from here on, as the field ``db_queries`` and under a timing's name."""
    if _STATE_KEY not in exchange.state:
        exchange.state[_STATE_KEY] = _Counter(timing)
        exchange.fields[FIELD] = 0


def tell_slowest(exchange: Exchange, at_least_ms: float) -> None:
    """Tell the slowest statement of this request, as the fields ``db_slowest`` and ``db_slowest_ms``."""
    counter: _Counter | None = exchange.state.get(_STATE_KEY)
    if counter is None or not counter.count or counter.slowest_ns < at_least_ms * 1e6:
        return
    exchange.fields[SLOWEST_FIELD] = shown(counter.slowest, counter.dialect)
    exchange.fields[SLOWEST_MS_FIELD] = counter.slowest_ns // 1000 / 1000


def _before(*arguments: Any) -> None:
    # (connection, cursor, statement, parameters, context, executemany)
    exchange = current_exchange()
    if exchange is not None and _STATE_KEY in exchange.state and arguments[4] is not None:
        setattr(arguments[4], _STARTED, perf_counter_ns())


def _after(*arguments: Any) -> None:
    _ended(arguments[4])


def _failed(error: ExceptionContext) -> None:
    _ended(error.execution_context)


def _ended(context: Any) -> None:
    started_ns = getattr(context, _STARTED, None)
    exchange = current_exchange()
    if started_ns is None or exchange is None:
        return
    duration_ns = perf_counter_ns() - started_ns
    delattr(context, _STARTED)
    with _lock:
        counter: _Counter = exchange.state[_STATE_KEY]
        counter.count += 1
        exchange.fields[FIELD] = counter.count
        if duration_ns > counter.slowest_ns:
            counter.slowest_ns = duration_ns
            counter.slowest = context.statement or ""
            counter.dialect = context.dialect.name
        exchange.add_timing(counter.timing, duration_ns)
