"""Which requests a bundle serves: its ``only=`` and ``skip=``.

A rule is a string or a callable:

============  ======================================================================================================
``"index"``   the endpoint of that name; of a blueprint: ``"admin.index"``
``"admin."``  with a dot at its end: all endpoints of that blueprint and of those nested in it
``"POST"``    a method; ``"GET"`` means HEAD too, as it does in Flask's routes
a callable    asked with the request; one that raises is logged, and the bundle serves the request
============  ======================================================================================================
"""

from collections.abc import Callable, Iterable, Iterator
from http import HTTPMethod
from typing import Any

from flask import Flask, Request

from overcoat.middleware._options import did_you_mean

Rule = str | Callable[[Request], object]
Rules = Rule | Iterable[Rule]

METHODS = frozenset(str(method) for method in HTTPMethod)


class Scope:
    """The compiled ``only=`` and ``skip=`` of one bundle.

    Args:
        bundle: The name of the bundle, for messages.
        only: Rules of which one must match; None for every request.
        skip: Rules of which none may match.

    Raises:
        ValueError: A rule that is neither a non-empty string nor a callable, or an empty list.
    """

    def __init__(self, bundle: str, only: Rules | None, skip: Rules | None) -> None:
        self.only = _Rules(bundle, "only", only) if only is not None else None
        self.skip = _Rules(bundle, "skip", skip) if skip is not None else None
        parts = [part for part in (self.only, self.skip) if part is not None]
        self.by_method = any(part.methods for part in parts)
        self.asks = any(part.callables for part in parts)

    def contains(self, endpoint: str | None, method: str, request: Request | None = None) -> bool:
        """Whether a request of this endpoint and method is served."""
        if self.only is not None and not self.only.match(endpoint, method, request):
            return False
        return self.skip is None or not self.skip.match(endpoint, method, request)

    def unknown(self, app: Flask) -> Iterator[str]:
        """A warning for each rule that names nothing in this app."""
        for part in (self.only, self.skip):
            if part is None:
                continue
            for name in part.endpoints - app.view_functions.keys():
                yield f"{part.option}={name!r} is no endpoint of this app; {did_you_mean(name, app.view_functions)}"
            for name in part.blueprints - app.blueprints.keys():
                hint = did_you_mean(name, app.blueprints)
                yield f"{part.option}={name + '.'!r} is no blueprint of this app; {hint}"

    def __str__(self) -> str:
        return ", ".join(str(part) for part in (self.only, self.skip) if part is not None)


class _Rules:
    """One option, its rules told apart."""

    def __init__(self, bundle: str, option: str, rules: Rules) -> None:
        self.option = option
        several = isinstance(rules, Iterable) and not isinstance(rules, str)
        self.listed: list[Any] = list(rules) if several else [rules]  # type: ignore[arg-type]
        if not self.listed and option == "only":
            raise ValueError(f"bundle {bundle!r}: {option}=[] would never serve: leave it out, or name what it means")
        endpoints: set[str] = set()
        blueprints: set[str] = set()
        methods: set[str] = set()
        self.callables: list[Callable[[Request], object]] = []
        for rule in self.listed:
            if callable(rule):
                self.callables.append(rule)
            elif not isinstance(rule, str) or not rule.strip("."):
                raise ValueError(
                    f"bundle {bundle!r}: {option}={rule!r} is no rule: write an endpoint 'index', "
                    "a blueprint 'admin.', a method 'POST', or a callable on the request"
                )
            elif rule in METHODS:
                methods |= {"GET", "HEAD"} if rule == "GET" else {rule}
            elif rule.endswith("."):
                blueprints.add(rule[:-1])
            else:
                endpoints.add(rule)
        self.endpoints, self.blueprints, self.methods = endpoints, blueprints, methods

    def match(self, endpoint: str | None, method: str, request: Request | None) -> bool:
        if endpoint in self.endpoints or method in self.methods:
            return True
        if endpoint is not None and self.blueprints and not self.blueprints.isdisjoint(blueprints_of(endpoint)):
            return True
        return request is not None and any(ask(request) for ask in self.callables)

    def __str__(self) -> str:
        shown = (rule if isinstance(rule, str) else getattr(rule, "__qualname__", repr(rule)) for rule in self.listed)
        return f"{self.option} {', '.join(shown)}"


def blueprints_of(endpoint: str | None) -> list[str]:
    """The full names of the blueprints around an endpoint, innermost first, as ``request.blueprints`` has them."""
    names: list[str] = []
    name: Any = endpoint or ""
    while "." in name:
        name = name.rpartition(".")[0]
        names.append(name)
    return names
