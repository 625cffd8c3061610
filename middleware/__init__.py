"""Standalone WSGI wrapper classes, for any WSGI application.

>>> from overcoat.middleware import RequestID, RequestLog, Stack
>>> def app(environ, start_response):
...     start_response("200 OK", [("Content-Type", "text/plain")])
...     return [b"hello"]
>>> app = Stack(app, [RequestID(), RequestLog(to="stderr")])
"""

from overcoat.middleware._app_lines import add_request_ids
from overcoat.middleware._describe import describe
from overcoat.middleware._exchange import Exchange, current_exchange
from overcoat.middleware._layer import Layer
from overcoat.middleware._stack import Stack
from overcoat.middleware.context_filter import RequestContextFilter
from overcoat.middleware.fields import add_fields
from overcoat.middleware.header_overrides import override_security_headers
from overcoat.middleware.https_redirect import HTTPSRedirect
from overcoat.middleware.logs import configure_logging
from overcoat.middleware.mount import Mount
from overcoat.middleware.nonce import csp_nonce
from overcoat.middleware.proxy_fix import ProxyFix
from overcoat.middleware.request_id import RequestID
from overcoat.middleware.request_log import RequestLog
from overcoat.middleware.secure_cookies import SecureCookies
from overcoat.middleware.security_headers import SecurityHeaders
from overcoat.middleware.sensitive import Sensitive
from overcoat.middleware.server_logs import quiet_server_logs
from overcoat.middleware.server_timing import ServerTiming
from overcoat.middleware.timing import timer
from overcoat.middleware.trace_context import TraceContext, outgoing_headers
from overcoat.middleware.trusted_hosts import TrustedHosts

__all__ = [
    "Exchange",
    "HTTPSRedirect",
    "Layer",
    "Mount",
    "ProxyFix",
    "RequestContextFilter",
    "RequestID",
    "RequestLog",
    "SecureCookies",
    "SecurityHeaders",
    "Sensitive",
    "ServerTiming",
    "Stack",
    "TraceContext",
    "TrustedHosts",
    "add_fields",
    "add_request_ids",
    "configure_logging",
    "csp_nonce",
    "current_exchange",
    "describe",
    "outgoing_headers",
    "override_security_headers",
    "quiet_server_logs",
    "timer",
]
