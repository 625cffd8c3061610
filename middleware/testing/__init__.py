'''Check a WSGI middleware, yours or anyone's, against PEP 3333 and what apps, servers and clients do with it.

>>> from overcoat.middleware.testing import check_middleware
>>> class Hello:
...     """Adds a header, and gets two things wrong."""
...
...     def __init__(self, app):
...         self.app = app
...
...     def __call__(self, environ, start_response):
...         def start(status, headers, exc_info=None):
...             headers.append(("X-Hello", "you"))
...             return start_response(status, headers)
...
...         return self.app(environ, start)
>>> report = check_middleware(Hello)
>>> for row in report.failures:
...     print(row.rule.name, "-", row.rule.text)
app-headers - The app's own list of headers is left as it is: one that is used again does not grow.
exc-info - exc_info is handed to the server, which takes the error page, or raises once bytes are out.

In a test, ``check_middleware(Hello).raise_for_failures()`` or, shorter and with less to read, ``assert
check_middleware(Hello)``. From a shell: ``overcoat check --middleware module:factory``.

The middleware is put around a zoo of some 130 apps, each of which does one thing that PEP 3333 allows or that some app
in the world does anyway: starts late, writes, raises in ``close``, returns a file. Each is served by a strict server to
clients that read all or leave early, bare and wrapped, and what the server saw of both is compared; then come hostile
and odd requests. Response headers may be added; whatever else a middleware is there to do must be allowed by name
(``allow={"body"}`` for one that compresses). It takes less than a second, and needs nothing but this package.

It tells nothing about what a middleware is for, and nothing that passed is proven: it is as good as its zoo.

``capture_requests`` is for the tests of an app: it collects the records of the request log.
'''

from overcoat.middleware._capture import CapturedRequests, capture_requests
from overcoat.middleware.testing._check import ALLOWANCES, check_middleware
from overcoat.middleware.testing._report import Report, Row
from overcoat.middleware.testing._rule import Rule
from overcoat.middleware.testing._rules import RULES

__all__ = ["ALLOWANCES", "RULES", "CapturedRequests", "Report", "Row", "Rule", "capture_requests", "check_middleware"]
