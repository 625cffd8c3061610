"""One function of a bundle, checked when it is declared.

A wrong hook otherwise shows itself in production, as the 500 of every request: a missing argument, or a ``yield`` that
makes the function a generator.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from overcoat.middleware._source import innermost, source_of

#: What each phase hands to its functions, in the order in which the phases happen.
PHASES: dict[str, str | None] = {
    "before_first_request": None,
    "before_request": None,
    "after_request": "response",
    "teardown_request": "error",
    "on_finish": "exchange",
}


@dataclass(frozen=True, slots=True, eq=False)
class Hook:
    """A declared function.

    Attributes:
        phase: One of ``PHASES``.
        function: The function as it was declared, sync or async.
        critical: An after hook whose failure makes the response a 500.
        fatal: A first-request hook whose failure is never retried.
        every: A teardown hook that runs at each of Flask's teardowns of a request, not just the first.
    """

    phase: str
    function: Callable[..., Any]
    critical: bool = False
    fatal: bool = False
    every: bool = False

    @property
    def name(self) -> str:
        """The qualified name: module and function."""
        function = innermost(self.function)
        return f"{getattr(function, '__module__', type(function).__module__)}.{qualified(function)}"

    @property
    def location(self) -> str:
        """Where the function stands, as ``"package/file.py:12"``; empty for one without Python source."""
        return source_of(self.function)


def declared(bundle: str, phase: str, function: Any, **options: bool) -> Hook:
    """A hook of this function.

    Raises:
        TypeError: It cannot be called as its phase calls it; names the bundle, the function and the right signature.
    """
    argument = PHASES[phase]
    wanted = f"def {phase}({argument or ''}): ..."
    if not callable(function):
        raise TypeError(f"bundle {bundle!r}: {phase}={function!r} is no function: write {wanted}")
    hook = Hook(phase, function, **options)
    inner = innermost(function)
    if inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner):
        raise TypeError(f"bundle {bundle!r}: {phase} hook {hook.name} is a generator, whose body would never run")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return hook  # a builtin that does not tell
    try:
        signature.bind(*([None] if argument else []))
    except TypeError as error:
        takes = f"one argument, the {argument}" if argument else "no argument"
        raise TypeError(
            f"bundle {bundle!r}: {phase} hook {hook.name}{signature} must take {takes} ({error}): write {wanted}"
        ) from None
    return hook


def qualified(function: Any) -> str:
    """The name of a function within its module, or that of its class."""
    return str(getattr(function, "__qualname__", type(function).__qualname__))
