"""Standalone WSGI wrapper classes, for any WSGI application.

>>> from overcoat.middleware import RequestID, RequestLog, Stack
>>> def app(environ, start_response):
...     start_response("200 OK", [("Content-Type", "text/plain")])
...     return [b"hello"]
>>> app = Stack(app, [RequestID(), RequestLog(to="stderr")])
"""

from overcoat.middleware._exchange import Exchange, current_exchange
from overcoat.middleware._layer import Layer
from overcoat.middleware._stack import Stack
from overcoat.middleware.fields import add_fields
from overcoat.middleware.timing import timer

__all__ = [
    "Exchange",
    "Layer",
    "Stack",
    "add_fields",
    "current_exchange",
    "timer",
]
