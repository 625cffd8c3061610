"""Standalone WSGI wrapper classes, for any WSGI application.

>>> from overcoat.middleware import RequestID, RequestLog, Stack
>>> def app(environ, start_response):
...     start_response("200 OK", [("Content-Type", "text/plain")])
...     return [b"hello"]
>>> app = Stack(app, [RequestID(), RequestLog(to="stderr")])
"""

from overcoat.middleware._describe import describe
from overcoat.middleware._exchange import Exchange, current_exchange
from overcoat.middleware._layer import Layer
from overcoat.middleware._stack import Stack
from overcoat.middleware.fields import add_fields
from overcoat.middleware.logs import configure_logging
from overcoat.middleware.proxy_fix import ProxyFix
from overcoat.middleware.request_id import RequestID
from overcoat.middleware.request_log import RequestLog
from overcoat.middleware.security_headers import SecurityHeaders
from overcoat.middleware.server_timing import ServerTiming
from overcoat.middleware.timing import timer

__all__ = [
    "Exchange",
    "Layer",
    "ProxyFix",
    "RequestID",
    "RequestLog",
    "SecurityHeaders",
    "ServerTiming",
    "Stack",
    "add_fields",
    "configure_logging",
    "current_exchange",
    "describe",
    "timer",
]
