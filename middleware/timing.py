"""Named timings of what happens inside a request: ``timer("db")``.

They land in the request's log line under ``timings`` and, through ``ServerTiming``, in the browser's developer tools.
One name for one kind of work: a context manager or a decorator, wherever the work is done.

>>> from overcoat.middleware import timer
>>> with timer("db"):
...     rows = [1, 2, 3]
>>> @timer("render", description="templates")
... def render():
...     return "page"
>>> render()
'page'

Those of one name are summed and counted, those that raised too. The time of a name is the time during which at least
one block of it ran: a block inside of another of its name, or beside one in another thread, counts, but its time is not
added a second time. Not for what happens a thousand times in a request: a block costs half a microsecond. Outside a
request nothing is kept, and next to nothing spent.
"""

from collections.abc import Callable
from functools import lru_cache
from time import perf_counter_ns
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from overcoat.middleware._exchange import current
from overcoat.middleware._timings import MAX_NAME_LENGTH, TOTAL, is_name

F = TypeVar("F", bound=Callable[..., Any])

# Bound once: to look it up at each use would make a method object each time.
_get_current = current.get


class Timer:
    """Measures the blocks of one name; holds nothing of a request, so that one object serves many at once."""

    __slots__ = ("_counted", "description", "name")

    def __init__(self, name: str, description: str | None, counted: int = 1) -> None:
        self.name = name
        self.description = description
        self._counted = counted

    def __repr__(self) -> str:
        return f"timer({self.name!r})" if self.description is None else f"timer({self.name!r}, {self.description!r})"

    def __enter__(self) -> Self:
        exchange = _get_current()
        if exchange is not None:
            try:
                block = exchange._rare["timings"].blocks[self.name]  # type: ignore[index]
            except (KeyError, TypeError):
                block = exchange.timings.block(self.name)
            if not block.running:
                block.since_ns = perf_counter_ns()
            block.running += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        exchange = _get_current()
        if exchange is None:
            return
        now_ns = perf_counter_ns()
        try:
            block = exchange._rare["timings"].blocks[self.name]  # type: ignore[index]
        except (KeyError, TypeError):
            block = exchange.timings.block(self.name)
        if block.running:  # else it was entered outside of this request
            timing = block.timing
            if timing is None:
                timing = block.timing = exchange.timings.timing(block.name)
            # From here on nothing is called, so that no other thread comes in between.
            block.running -= 1
            timing[0] += now_ns - block.since_ns
            timing[1] += self._counted
            block.since_ns = now_ns
            if self.description is not None:
                exchange.timings.describe(self.name, self.description)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: F) -> F:
        """Decorate a function.

        A coroutine function is timed until its coroutine ends. A generator function is timed while the generator makes
        its values, not while its caller uses them, and counts once.

        Args:
            function: A function, coroutine function, generator or asynchronous generator function, a static or a class
                method.

        Raises:
            TypeError: It is a class, or no callable.
        """
        from overcoat.middleware._timed import timed  # noqa: PLC0415 - many time blocks alone

        return timed(function, self, Timer(self.name, self.description, counted=0))


def _cached(function: F) -> F:
    # A timer holds no state, so one object does for all of its name: to look it up costs a third of making it.
    return cast("F", lru_cache(maxsize=1024)(function))


@_cached
def timer(name: str, description: str | None = None) -> Timer:
    """Measure a block or a function as part of the current exchange.

    Args:
        name: What is measured: the key under ``timings`` in the log line, and the metric's name for ``ServerTiming``.
            A token (RFC 9110, section 5.6.2: letters, digits and ``!#$%&'*+-.^_`|~``) of at most 64 characters, other
            than ``total``. A request keeps 64 names; the time of any further one is added up under ``other``.
        description: What it is, for people; published by ``ServerTiming``, not logged. Of two for one name in a
            request the last one stands.

    Returns:
        A context manager (``with``, ``async with``) and decorator, for any number of uses, threads and requests.

    Raises:
        ValueError: The name is none, or the description no text.

    >>> timer("db query")
    Traceback (most recent call last):
        ...
    ValueError: timer: name='db query' must be 1 to 64 letters, digits or any of !#$%&'*+-.^_`|~, such as 'db'
    """
    if isinstance(name, str) and name.lower() == TOTAL:
        raise ValueError(f"timer: name={name!r} is what ServerTiming calls the time until the headers: choose another")
    if not is_name(name):
        raise ValueError(
            f"timer: name={name!r} must be 1 to {MAX_NAME_LENGTH} letters, digits or any of !#$%&'*+-.^_`|~, "
            "such as 'db'"
        )
    if description is not None and not isinstance(description, str):
        raise ValueError(f"timer: description={description!r} must be text, such as 'statements'")
    return Timer(name, description)
