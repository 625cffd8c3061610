"""The five decorators of a bundle."""

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from overcoat.hooks._hook import Hook, declared

if TYPE_CHECKING:
    from overcoat.hooks._registry import Registry

F = TypeVar("F", bound=Callable[..., Any])


class Declaring:
    """What a bundle declares; each decorator returns the function as it is, and works bare or with its options.

    Attributes:
        name: The name of the bundle, for messages.
        hooks: What is declared, in order.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.hooks: list[Hook] = []
        self._arguments: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
        self._constructed = 0
        self._registries: weakref.WeakSet[Registry] = weakref.WeakSet()

    @overload
    def before_first_request(self, function: F, /) -> F: ...
    @overload
    def before_first_request(self, function: None = None, /, *, fatal: bool = False) -> Callable[[F], F]: ...
    def before_first_request(self, function: Any = None, /, *, fatal: bool = False) -> Any:
        """Declare a function for the first request of each process, whichever request that is.

        Args:
            function: The function, where the decorator is used bare.
            fatal: Whether a failure is final; otherwise the next request tries again.
        """
        return self._declare("before_first_request", function, fatal=fatal)

    @overload
    def before_request(self, function: F, /) -> F: ...
    @overload
    def before_request(self, function: None = None, /) -> Callable[[F], F]: ...
    def before_request(self, function: Any = None, /) -> Any:
        """Declare a function that runs before the view; what it returns answers instead."""
        return self._declare("before_request", function)

    @overload
    def after_request(self, function: F, /) -> F: ...
    @overload
    def after_request(self, function: None = None, /, *, critical: bool = False) -> Callable[[F], F]: ...
    def after_request(self, function: Any = None, /, *, critical: bool = False) -> Any:
        """Declare a function on the response.

        Args:
            function: The function, where the decorator is used bare.
            critical: Whether the response must not go out when this fails: it becomes a 500. Otherwise a failure is
                logged and the response stands.
        """
        return self._declare("after_request", function, critical=critical)

    @overload
    def teardown_request(self, function: F, /) -> F: ...
    @overload
    def teardown_request(self, function: None = None, /, *, every: bool = False) -> Callable[[F], F]: ...
    def teardown_request(self, function: Any = None, /, *, every: bool = False) -> Any:
        """Declare a function for the end of Flask's context.

        Args:
            function: The function, where the decorator is used bare.
            every: Whether it also runs at the further teardowns that Flask has for a stream with context and for copied
                contexts, to clean up what was opened there.
        """
        return self._declare("teardown_request", function, every=every)

    @overload
    def on_finish(self, function: F, /) -> F: ...
    @overload
    def on_finish(self, function: None = None, /) -> Callable[[F], F]: ...
    def on_finish(self, function: Any = None, /) -> Any:
        """Declare a function for the true end, with the exchange: its outcome, status, bytes and duration."""
        return self._declare("on_finish", function)

    def _declare(self, phase: str, function: Any, **options: bool) -> Any:
        def declare(function: F) -> F:
            hook = declared(self.name, phase, function, **options)
            for registry in self._registries:
                registry.check_hook(self.name, hook)
            self.hooks.append(hook)
            for registry in self._registries:
                registry.refresh()
            return function

        return declare if function is None else declare(function)
