"""ServerTiming: what took how long, in the browser's developer tools.

Publishes the request's timings as ``Server-Timing`` (W3C Server Timing, section 3), as far as they are known when the
headers go: for a streamed response that is the time to the headers, and nothing is claimed about the rest. Timings
tell a stranger about the inside of a service, so by default only the total is sent; ``expose="all"`` adds those of
``timer``.

It stands inside RequestLog or outside, as you like; the timings land in the log line either way.

>>> from overcoat.middleware import ServerTiming, timer
>>> def app(environ, start_response):
...     with timer("db"):
...         pass
...     start_response("200 OK", [])
...     return [b""]
>>> app = ServerTiming(app, expose="all")
>>> _ = app({}, lambda status, headers: print(headers[0][0], headers[0][1].split(";")[0]))
Server-Timing db
"""

import re
from collections.abc import Callable
from time import perf_counter_ns
from typing import Unpack

from overcoat.middleware._exchange import Exchange
from overcoat.middleware._layer import Layer
from overcoat.middleware._options import LayerOptions, one_of
from overcoat.middleware._wsgi import Application

# metric-name = token; anything else in a name would end the metric or the header.
_NOT_TOKEN = re.compile(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]")


class ServerTiming(Layer):
    """Publish timings on the response.

    Args:
        app: The WSGI application to wrap.
        expose: ``"total"`` sends the time to the headers in milliseconds, ``"all"`` also each ``timer``; a callable is
            asked with the exchange and returns one of the two, or None to send nothing.
        **options: Those of every layer: ``skip``, ``check_order``.

    Raises:
        ValueError: Another value of ``expose``.
    """

    does = "publishes timings"

    def __init__(
        self,
        app: Application | None = None,
        *,
        expose: str | Callable[[Exchange], str | None] = "total",
        **options: Unpack[LayerOptions],
    ) -> None:
        self._ask = expose if callable(expose) else None
        self._all = not callable(expose) and one_of(self, "expose", expose, ["total", "all"]) == "all"
        super().__init__(app, **options)

    def on_headers(self, exchange: Exchange) -> None:
        """Add the header, beside one that the app may have set."""
        everything = self._all
        if self._ask is not None:
            answer = self._ask(exchange)
            if answer is None:
                return
            everything = answer == "all"
        total_ms = (perf_counter_ns() - exchange.started_ns) / 1e6
        value = f"total;dur={total_ms:.3f}"
        if everything and exchange._rare is not None:
            timings = exchange._rare.get("timings") or {}
            value = ", ".join(
                [
                    *(f"{_NOT_TOKEN.sub('_', name)};dur={ns / 1e6:.3f}" for name, (ns, _) in timings.copy().items()),
                    value,
                ]
            )
        exchange.headers.append(("Server-Timing", value))
