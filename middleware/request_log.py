"""RequestLog: one line for each request, at its true end.

The line is written when the server has closed the response: a stream counts to its last byte, a client that left makes
an ``aborted``, an error a ``failed``. Flask's and Bottle's route templates are in it without any hook.

>>> from overcoat.middleware import RequestLog
>>> def app(environ, start_response):
...     start_response("200 OK", [])
...     return [b"hello"]
>>> lines = []
>>> app = RequestLog(app, to=lines.append)
>>> environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/hi", "QUERY_STRING": "token=s3cret"}
>>> response = app(environ, lambda status, headers: None)
>>> b"".join(response)
b'hello'
>>> response.close()
>>> [lines[0][name] for name in ("path", "query", "status", "response_bytes", "outcome")]
['/hi', 'token=[redacted]', 200, 5, 'complete']

Nothing of a header but the host and the user agent is logged, and of the query string no value whose key names a
secret. A request with a body logs how much of it the app read, never what. The fields are listed in ``docs/record.md``.

It stands inside ProxyFix and RequestID, which tell it client and id, and outside whatever may answer early.
"""

import logging
import os
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Unpack

import structlog

from overcoat.middleware._exchange import Exchange
from overcoat.middleware._json import json_line
from overcoat.middleware._layer import Layer
from overcoat.middleware._options import LayerOptions
from overcoat.middleware._record import build_record
from overcoat.middleware._sinks import StreamSink
from overcoat.middleware._wsgi import Application
from overcoat.middleware.logs import LEVELS, configured_outputs, open_file

_log = logging.getLogger("overcoat")

Write = Callable[[dict[str, Any]], object]


class RequestLog(Layer):
    """Write one structured line for each request.

    Args:
        app: The WSGI application to wrap.
        to: Where the line goes. None: what ``configure_logging`` set up, else structlog if the app has configured it,
            else JSON on standard output. ``"stdout"``, ``"stderr"`` or a path: JSON lines there; a path may be shared
            by any number of processes. A logger of stdlib ``logging`` or structlog. A callable: called with the record,
            a dict.
        route: A callable that gives the route template of an exchange, or None; asked when the response starts and
            neither the app (``add_fields(route=...)``) nor the framework has told. Flask and Bottle tell.
        **options: Those of every layer: ``skip`` (requests that are never logged), ``check_order``.

    Raises:
        ValueError: A ``to`` that is nothing of these or cannot be opened, or a ``route`` that cannot be called.
    """

    does = "writes one line for each request, at its true end"

    def __init__(
        self,
        app: Application | None = None,
        *,
        to: Any = None,
        route: Callable[[Exchange], str | None] | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        if route is not None and not callable(route):
            raise ValueError(f"RequestLog: route={route!r} must be a callable from the exchange to a template, or None")
        self._route = route
        self._write = _writer(to)
        super().__init__(app, **options)

    def on_headers(self, exchange: Exchange) -> None:
        """Ask the framework for the route while it still knows."""
        environ = exchange.environ
        # A Werkzeug request without a rule is not the app's: a client or another wrapper made it.
        rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
        if rule is not None:
            exchange.endpoint = rule.endpoint
            if exchange.route is None:
                exchange.route = rule.rule
            return
        if exchange.route is None and "bottle.route" in environ:
            exchange.route = getattr(environ["bottle.route"], "rule", None)
        if self._route is not None and exchange.route is None:
            try:
                exchange.route = self._route(exchange)
            except Exception:  # a log must not break the response
                _log.exception("RequestLog: route=%r raised", self._route)

    def on_finish(self, exchange: Exchange) -> None:
        """Write the line."""
        self._write(build_record(exchange))


def _writer(to: Any) -> Write:
    if to is None:
        return _write_default
    if isinstance(to, str) and to in {"stdout", "stderr"}:
        write = StreamSink(to).write
        return lambda record: write(json_line(record))
    if to == "-" or (isinstance(to, str) and get_close_matches(to.lower(), ["stdout", "stderr"], cutoff=0.8)):
        raise ValueError(f"RequestLog: to={to!r} is no stream: write 'stdout' or 'stderr', or './{to}' for that file")
    if isinstance(to, str | os.PathLike):
        write = open_file("RequestLog: to", to).write
        return lambda record: write(json_line(record))
    if isinstance(to, logging.Logger | logging.LoggerAdapter):
        return lambda record: to.log(LEVELS[record["level"]], "%s", json_line(record)[:-1].decode())
    if callable(getattr(to, "bind", None)):
        return lambda record: _write_structlog(to, record)
    if callable(to):
        return to  # type: ignore[no-any-return]
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
    rest = {str(name): value for name, value in record.items() if name not in {"event", "level"}}
    if "self" in rest:  # the one name that structlog's methods cannot be given
        rest["self_"] = rest.pop("self")
    getattr(logger, record["level"])(record["event"], **rest)
