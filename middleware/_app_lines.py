"""The app's own lines, of structlog and of stdlib logging, on their way into the form of the request log."""

import logging
from collections.abc import MutableMapping
from time import time_ns
from typing import Any

import structlog

from overcoat.middleware._exchange import current_exchange
from overcoat.middleware._outputs import Outputs
from overcoat.middleware._record import timestamp

IDS = ("request_id", "trace_id", "span_id")
MARK = "overcoat_context"  # on a LogRecord: the names that RequestContextFilter put there

# What a line has of itself. The ids of a trace are not among them: without TraceContext they are the app's to give.
_OWN = frozenset({"timestamp", "level", "event", "logger", "request_id", "exception", "stack"})
# Left on the record by another handler's formatter: logging lets nobody else use these names.
_LEFT = ("_record", "message", "asctime")

_extra = structlog.stdlib.ExtraAdder()


def add_request_ids(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: puts the ids of the current request on the event, where it has none of its own.

    ``configure_logging`` uses it. An app with a structlog configuration of its own puts it among its processors, before
    the one that renders.

    Args:
        _: The logger; not used.
        __: The name of the method that was called; not used.
        event: The event of structlog. ``request_id``, ``trace_id`` and ``span_id`` are added, those that are known.

    >>> from overcoat.middleware import RequestID, add_request_ids
    >>> def app(environ, start_response):
    ...     start_response("200 OK", [])
    ...     return [repr(add_request_ids(None, "info", {"event": "x"})).encode()]
    >>> environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_X_REQUEST_ID": "r-1"}
    >>> list(RequestID(app)(environ, lambda status, headers: None))
    [b"{'event': 'x', 'request_id': 'r-1'}"]
    """
    exchange = current_exchange()
    if exchange is not None:
        for name in IDS:
            value = getattr(exchange, name)
            if value is not None:
                event.setdefault(name, value)
    return event


def shared_processors() -> list[Any]:
    """What each line passes, whichever library it comes from."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        add_request_ids,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]


def finish(_: Any, name: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """The event in the order of the record, with its timestamp; what a dict key can be is left to the renderer."""
    event.pop("_record", None), event.pop("_from_structlog", None)
    head = {"timestamp": timestamp(time_ns()), "level": event.pop("level", name), "event": event.pop("event", "")}
    event.pop("timestamp", None)
    return head | dict(event)


def _add_extra(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What a stdlib line was given as ``extra=``; a name that the line itself has gets an underscore behind it."""
    given = dict(_extra(logger, name, {"_record": event["_record"]}))
    for key in (*_LEFT, *given.pop(MARK, ())):
        given.pop(key, None)
    for key, value in given.items():
        event[f"{key}_" if key in _OWN or (key in IDS and key in event) else key] = value
    return event


class LineHandler(logging.Handler):
    """A line of stdlib logging, brought into structlog's form by its ProcessorFormatter."""

    def __init__(self, outputs: Outputs) -> None:
        super().__init__()
        self._outputs = outputs
        self._formatter = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared_processors(), _add_extra],
            processors=[finish, self._write],
        )

    def _write(self, _: Any, __: str, event: MutableMapping[str, Any]) -> str:
        self._outputs.put(dict(event))
        return ""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; as everywhere in logging, an error in it goes to ``handleError``."""
        try:
            self._formatter.format(record)
            # That the log itself takes no lines would be told to nobody.
            if record.name == "overcoat" and self._outputs.failing and logging.lastResort is not None:
                logging.lastResort.handle(record)
        except Exception:
            self.handleError(record)
