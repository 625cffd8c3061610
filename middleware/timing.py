"""Named timings of what happens inside a request: ``timer("db")``.

They land in the request's log line and, through ``ServerTiming``, in the browser's developer tools. As a context
manager or a decorator, nested or repeated, one object in many threads: those of one name are summed and counted.

>>> from overcoat.middleware import timer
>>> with timer("db"):
...     rows = [1, 2, 3]
>>> @timer("render")
... def render():
...     return "page"
>>> render()
'page'

Outside a request nothing is kept.
"""

from contextlib import ContextDecorator
from time import perf_counter_ns
from types import TracebackType
from typing import Self

from overcoat.middleware._exchange import current_exchange


class timer(ContextDecorator):  # noqa: N801 - used as a function, like contextlib.suppress
    """Measure a block or a function as part of the current exchange.

    Args:
        name: What is measured; the key under ``timings`` in the log line.

    Raises:
        ValueError: The name is no non-empty string.
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not name:
            raise ValueError(f"timer: name={name!r} must be a non-empty string, such as timer('db')")
        self.name = name

    def __enter__(self) -> Self:
        # What has begun is the request's: one object may be entered again inside of itself, and in many threads.
        exchange = current_exchange()
        if exchange is not None:
            exchange.state.setdefault(self, []).append(perf_counter_ns())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        exchange = current_exchange()
        if exchange is not None and (begun := exchange.state.get(self)):
            exchange.add_timing(self.name, perf_counter_ns() - begun.pop())
