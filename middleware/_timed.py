"""What a decorating timer makes of a function: one of the same kind, each step of it inside a context manager."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from functools import partial, wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])
Context = AbstractContextManager[Any]


def timed(function: F, first: Context, later: Context) -> F:
    """The function, run inside of ``first``; of a generator the first step is, and the further ones inside ``later``.

    Raises:
        TypeError: It is a class, or no callable.
    """
    if isinstance(function, staticmethod | classmethod):
        return cast("F", type(function)(timed(function.__func__, first, later)))
    if isinstance(function, type) or not callable(function):
        raise TypeError(f"{first!r} decorates functions, not {function!r}: decorate its methods")
    if iscoroutinefunction(function):
        return cast("F", _coroutine(function, first))
    if isgeneratorfunction(function):
        return cast("F", _generator(function, first, later))
    if isasyncgenfunction(function):
        return cast("F", _async_generator(function, first, later))
    return cast("F", _function(function, first))


def _function(function: Callable[..., Any], context: Context) -> Callable[..., Any]:
    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with context:
            return function(*args, **kwargs)

    return run


def _coroutine(function: Callable[..., Any], context: Context) -> Callable[..., Any]:
    @wraps(function)
    async def run(*args: Any, **kwargs: Any) -> Any:
        with context:
            return await function(*args, **kwargs)

    return run


def _generator(function: Callable[..., Any], first: Context, later: Context) -> Callable[..., Any]:
    # What "yield from" does (PEP 380), step by step.
    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        generator = function(*args, **kwargs)
        context, resume = first, partial(next, generator)
        while True:
            try:
                with context:
                    value = resume()
            except StopIteration as stop:
                return stop.value
            context = later
            try:
                sent = yield value
            except GeneratorExit:
                with context:
                    generator.close()
                raise
            except BaseException as error:
                resume = partial(generator.throw, error)
            else:
                resume = partial(generator.send, sent)

    return run


def _async_generator(function: Callable[..., Any], first: Context, later: Context) -> Callable[..., Any]:
    @wraps(function)
    async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        generator = function(*args, **kwargs)
        context, resume = first, partial(anext, generator)
        while True:
            try:
                with context:
                    value = await resume()
            except StopAsyncIteration:
                return
            context = later
            try:
                sent = yield value
            except GeneratorExit:
                with context:
                    await generator.aclose()
                raise
            except BaseException as error:
                resume = partial(generator.athrow, error)
            else:
                resume = partial(generator.asend, sent)

    return run
