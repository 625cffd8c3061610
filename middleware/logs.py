"""configure_logging: the app's own lines and the request log in one form and one place.

>>> from overcoat.middleware import configure_logging
>>> configure_logging(format="logfmt", stdlib=False)
>>> import structlog
>>> structlog.get_logger().info("cart emptied", items=3)  # doctest: +ELLIPSIS
timestamp=... level=info event="cart emptied" items=3
>>> structlog.reset_defaults()

It sets up structlog and, with ``stdlib=True``, the root logger of :mod:`logging`, so that ``app.logger`` and every
library write the same form. Each line logged during a request carries that request's id. Call it once, at start-up; an
app with a structlog configuration of its own leaves it out, and the request log goes through that configuration.
"""

import logging
import os
from collections.abc import Callable, Mapping, MutableMapping
from time import time_ns
from typing import Any

import structlog

from overcoat.middleware._console import renderer
from overcoat.middleware._exchange import current_exchange
from overcoat.middleware._options import one_of
from overcoat.middleware._record import timestamp
from overcoat.middleware._sinks import FileSink, Sink, StreamSink

FORMATS = ("json", "console", "logfmt")
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}

_FIRST = ("timestamp", "level", "event")


class Outputs:
    """Where finished records go: each output has its form and its sink."""

    def __init__(self, pairs: list[tuple[Callable[[Mapping[str, Any]], bytes], Sink]], level: int) -> None:
        self._pairs = pairs
        self._level = level

    def __call__(self, record: Mapping[str, Any]) -> None:
        """Write one record."""
        if LEVELS.get(str(record.get("level", "info")), 20) >= self._level:
            for render, sink in self._pairs:
                sink.write(render(record))

    # structlog calls the method of the level with what the last processor returned.
    def msg(self, /, **event: Any) -> None:
        """Write one event of structlog."""
        self(event)

    debug = info = warning = error = critical = exception = fatal = log = warn = failure = err = msg


class _Configured:
    """What the last ``configure_logging`` set up; RequestLog writes to it without structlog's pipeline in between."""

    outputs: Outputs | None = None
    handler: logging.Handler | None = None
    processors: tuple[Any, ...] = ()


def configured_outputs() -> Outputs | None:
    """The outputs of ``configure_logging``, or None without it or where structlog is configured otherwise by now."""
    outputs = _Configured.outputs
    if outputs is None or not structlog.is_configured():
        return None
    now = structlog.get_config()
    # A processor of the app's own, and structlog's capture_logs, see the request line only if it goes through them.
    if now["logger_factory"] is not _factory or tuple(now["processors"]) != _Configured.processors:
        return None
    return outputs


def _factory(*_: Any) -> Outputs:
    assert _Configured.outputs is not None  # set before structlog knows this factory
    return _Configured.outputs


def add_request_ids(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: the id of the current request, if there is one."""
    exchange = current_exchange()
    if exchange is not None and exchange.request_id is not None:
        event.setdefault("request_id", exchange.request_id)
    return event


def _finish(_: Any, name: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """The event in the order of the record, with its timestamp; what a dict key can be is left to the renderer."""
    event.pop("_record", None), event.pop("_from_structlog", None)
    head = {"timestamp": timestamp(time_ns()), "level": event.pop("level", name), "event": event.pop("event", "")}
    event.pop("timestamp", None)
    return head | dict(event)


def _shared() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        add_request_ids,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]


_extra = structlog.stdlib.ExtraAdder()
_OWN = frozenset({"timestamp", "level", "event", "logger", "request_id", "exception", "stack"})


def _add_extra(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What a stdlib line was given as ``extra=``; a name that the line itself has gets an underscore behind it."""
    given = dict(_extra(logger, name, {"_record": event["_record"]}))
    # Left on the record by another handler's formatter: logging lets nobody else use these names.
    for key in ("_record", "message", "asctime"):
        given.pop(key, None)
    for key, value in given.items():
        event[f"{key}_" if key in _OWN else key] = value
    return event


class _Handler(logging.Handler):
    """A line of stdlib logging, brought into structlog's form by its ProcessorFormatter."""

    def __init__(self, outputs: Outputs) -> None:
        super().__init__()
        self._outputs = outputs
        self._formatter = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                *_shared(),
                _add_extra,
            ],
            processors=[_finish, self._write],
        )

    def _write(self, _: Any, __: str, event: MutableMapping[str, Any]) -> str:
        self._outputs(event)
        return ""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; as everywhere in logging, an error in it goes to ``handleError``."""
        try:
            self._formatter.format(record)
        except Exception:
            self.handleError(record)


def configure_logging(
    *,
    format: str = "json",  # noqa: A002 - the word that everyone looks for
    file: str | os.PathLike[str] | None = None,
    console: str | None = None,
    level: str = "info",
    stdlib: bool = True,
) -> None:
    """Set up the app's log lines.

    Args:
        format: ``"json"``, ``"console"`` (for a person) or ``"logfmt"``: the form of the lines.
        file: Where they go: a path, appended to by any number of processes; without one, standard output.
        console: With a file: a second form for standard output beside it, or None for none.
        level: The lowest level that is written: ``"debug"`` to ``"critical"``.
        stdlib: Whether to take over the root logger of stdlib ``logging`` too.

    Raises:
        ValueError: An unknown form or level, or a file that cannot be opened.
    """
    one_of(configure_logging, "format", format, FORMATS)
    one_of(configure_logging, "console", console, [*FORMATS, None])
    number = LEVELS[one_of(configure_logging, "level", level, LEVELS)]
    pairs: list[tuple[Callable[[Mapping[str, Any]], bytes], Sink]] = []
    if file is not None:
        pairs.append((renderer(format, is_terminal=False), open_file("configure_logging: file", file)))
        form: str | None = console
    else:
        form = console or format
    if form is not None:
        stdout = StreamSink("stdout")
        pairs.append((renderer(form, stdout.isatty()), stdout))
    _Configured.outputs = outputs = Outputs(pairs, number)
    _Configured.processors = (*_shared(), _finish)
    structlog.configure(
        processors=list(_Configured.processors),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_factory,
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    if _Configured.handler is not None:
        root.removeHandler(_Configured.handler)
        _Configured.handler = None
    if stdlib:
        _Configured.handler = _Handler(outputs)
        root.addHandler(_Configured.handler)
        root.setLevel(number)


def open_file(option: str, path: str | os.PathLike[str]) -> FileSink:
    """The sink for a path.

    Raises:
        ValueError: The path cannot be appended to; names the option, the path and the reason.
    """
    try:
        return FileSink(path)
    except (OSError, ValueError, TypeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{option}={str(path)!r} cannot be appended to: {reason}; give a writable path") from error
