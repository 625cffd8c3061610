"""Where a record goes: what ``to=`` may be, and what each kind of it makes of a record.

>>> records = []
>>> write_line, write = target(records.append, None)
>>> write({"event": "http_request"})
>>> records, write_line
([{'event': 'http_request'}], None)
"""

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from overcoat.middleware._finish import Write, WriteLine
from overcoat.middleware._json import json_line
from overcoat.middleware._names import Rename
from overcoat.middleware._options import nearest
from overcoat.middleware._outputs import LEVELS, configured_outputs
from overcoat.middleware._sinks import StreamSink
from overcoat.middleware.logs import open_file


def target(to: Any, rename: Rename | None) -> tuple[WriteLine | None, Write]:
    """What writes a line of JSON, where that is all there is to do with a record, and what writes a record.

    Raises:
        ValueError: It is nothing that can be written to, or cannot be opened.
    """
    write_line = _line_writer(to)
    if write_line is None:
        return None, _writer(to, rename)
    if rename is None:
        return write_line, lambda record: write_line(json_line(record))
    return None, lambda record: write_line(json_line(rename(record)))


def _line_writer(to: Any) -> WriteLine | None:
    if isinstance(to, str) and to in {"stdout", "stderr"}:
        return StreamSink(to).write
    if to == "-" or (isinstance(to, str) and "/" not in to and nearest(to.lower(), ["stdout", "stderr"], 0.8)):
        raise ValueError(f"RequestLog: to={to!r} is no stream: write 'stdout' or 'stderr', or './{to}' for that file")
    if isinstance(to, str | os.PathLike):
        return open_file("RequestLog: to", to).write
    return None


def _writer(to: Any, rename: Rename | None) -> Write:
    if to is None:
        return _write_default
    named: Callable[[dict[str, Any]], Mapping[str, Any]] = rename or (lambda record: record)
    if isinstance(to, logging.Logger | logging.LoggerAdapter):
        return lambda record: to.log(LEVELS[record["level"]], "%s", json_line(named(record))[:-1].decode())
    if callable(getattr(to, "bind", None)):
        if rename is None:
            return lambda record: _write_structlog(to, record)
        return lambda record: _call_structlog(to, record["level"], record["event"], rename(record))
    if callable(to):
        return to if rename is None else lambda record: to(rename(record))
    raise ValueError(f"RequestLog: to={to!r} must be None, 'stdout', 'stderr', a path, a logger or a callable")


_stdout = StreamSink("stdout")


def _write_default(record: dict[str, Any]) -> None:
    outputs = configured_outputs()
    if outputs is not None:
        outputs(record)
    elif structlog.is_configured():
        _write_structlog(structlog.get_logger("overcoat.request"), record)
    else:
        _stdout.write(json_line(record))


def _write_structlog(logger: Any, record: Mapping[str, Any]) -> None:
    _call_structlog(logger, record["level"], record["event"], record)


def _call_structlog(logger: Any, level: str, event: str, fields: Mapping[str, Any]) -> None:
    rest = {str(name): value for name, value in fields.items() if name not in {"event", "level"}}
    if "self" in rest:  # the one name that structlog's methods cannot be given
        rest["self_"] = rest.pop("self")
    getattr(logger, level)(event, **rest)
