"""RequestContextFilter: the request's ids on the lines of an app that has a logging configuration of its own.

>>> import io, logging
>>> from overcoat.middleware import RequestContextFilter, RequestID
>>> stream = io.StringIO()
>>> handler = logging.StreamHandler(stream)
>>> handler.setFormatter(logging.Formatter("[%(request_id)s] %(levelname)s %(message)s"))
>>> handler.addFilter(RequestContextFilter())
>>> log = logging.getLogger("shop.example")
>>> log.addHandler(handler)
>>> def app(environ, start_response):
...     log.warning("sold out")
...     start_response("200 OK", [])
...     return [b"hello"]
>>> environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_X_REQUEST_ID": "r-1"}
>>> body = RequestID(app)(environ, lambda status, headers: None)
>>> log.warning("the shop closes")
>>> print(stream.getvalue(), end="")
[r-1] WARNING sold out
[-] WARNING the shop closes
>>> log.removeHandler(handler)

In a ``dictConfig`` it is ``"filters": {"request": {"()": "overcoat.middleware.RequestContextFilter"}}``, named in the
``filters`` of each handler. It lets every record pass.

With ``configure_logging`` there is nothing to filter: its lines have the ids. It belongs on handlers, for a logger's
filters do not see what its children log; where a ``QueueHandler`` takes records to another thread, on that one.
"""

import logging
from collections.abc import Callable, Iterable

from overcoat.middleware._app_lines import MARK
from overcoat.middleware._exchange import Exchange, current_exchange
from overcoat.middleware._options import did_you_mean
from overcoat.middleware._text import visible

_FIELDS: dict[str, Callable[[Exchange], str | None]] = {
    "request_id": lambda exchange: exchange.request_id,
    "trace_id": lambda exchange: exchange.trace_id,
    "span_id": lambda exchange: exchange.span_id,
    "method": lambda exchange: exchange.method,
    "path": lambda exchange: exchange.path,
    "route": lambda exchange: exchange.route,
    "endpoint": lambda exchange: exchange.endpoint,
    "client": lambda exchange: exchange.environ.get("REMOTE_ADDR"),
}


class RequestContextFilter(logging.Filter):
    """Put what is known of the current request on each log record.

    Args:
        fields: Which attributes to put there, of: ``request_id``, ``trace_id``, ``span_id``, ``method``, ``path``,
            ``route``, ``endpoint``, ``client`` (the address, as ProxyFix corrected it). All of them without it.
            ``route`` and ``endpoint`` are known from when the response starts, with Flask's ``RequestContext`` bundle
            from before the view.
        default: What stands for a value that is not known, and for all of them outside a request.

    A record that has such an attribute already, from ``extra=`` or from an earlier filter, keeps it. The values are
    safe to show: a control character of a client stands as its escape.

    Raises:
        ValueError: A field that there is not, or a default that is no text.
    """

    def __init__(self, *, fields: Iterable[str] | None = None, default: str = "-") -> None:
        super().__init__()
        if isinstance(fields, str):
            raise ValueError(f"RequestContextFilter: fields={fields!r} must be a list of names: write [{fields!r}]")
        if not isinstance(default, str):
            raise ValueError(f"RequestContextFilter: default={default!r} must be text, such as '-'")
        names = list(_FIELDS) if fields is None else list(fields)
        for name in names:
            if name not in _FIELDS:
                hint = did_you_mean(str(name), _FIELDS)
                raise ValueError(f"RequestContextFilter: fields has {name!r}, which no request has; {hint}")
        self._readers = [(name, _FIELDS[name]) for name in names]
        self._default = default

    def filter(self, record: logging.LogRecord) -> bool:
        """Put the values on a record, and let it pass."""
        exchange, known, added = current_exchange(), record.__dict__, []
        for name, read in self._readers:
            if name not in known:
                value = None if exchange is None else read(exchange)
                known[name] = visible(str(value)) if value else self._default
                added.append(name)
        if added:
            known[MARK] = (*known.get(MARK, ()), *added)
        return True
