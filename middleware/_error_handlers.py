"""Who answers the errors of a Flask app, in the order in which they are asked; found by its attributes, as its hooks.

Flask asks the handlers for a status before those for a class, those of a blueprint before the app's, and of several
classes of an error takes the most specific one. What an extension has put in place of Flask's own methods comes before
all of them.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

_METHODS = ("handle_user_exception", "handle_exception")


def error_handlers(app: Any) -> Iterator[tuple[Any, str]]:
    """Each function that answers errors, and what it answers."""
    replaced = [
        (function, method)
        for method in _METHODS
        for function in _around(vars(app).get(method))
        if getattr(function, "__self__", None) is not app and not _is_ours(function)
    ]
    while replaced:
        function = replaced[0][0]
        methods = [method for other, method in replaced if other == function]
        replaced = [row for row in replaced if row[0] != function]
        yield function, f"in place of Flask's {' and '.join(methods)}"
    registered = list(_registered(app.error_handler_spec))
    yield from (row[1:] for row in registered if row[0])
    yield from (row[1:] for row in registered if not row[0])


def _registered(by_scope: dict[str | None, dict[int | None, dict[type, Any]]]) -> Iterator[tuple[bool, Any, str]]:
    """Each handler: whether it is for a status, itself, and what it answers; blueprints first, inner ones first."""
    for scope in sorted(by_scope, key=lambda name: (name is None, -(name or "").count("."), name or "")):
        where = [f"blueprint {scope}"] if scope else []
        by_status = by_scope[scope]
        for status in sorted(by_status, key=lambda status: status or 0):
            # A class has more ancestors than each of them.
            for cls in sorted(by_status[status], key=lambda cls: -len(cls.__mro__)):
                name = f"{status} {cls.__name__}" if status else cls.__name__
                yield bool(status), by_status[status][cls], ", ".join([name, *where])


def _around(function: Any) -> Iterator[Any]:
    """The functions that were put around a method, outermost first, as far as they keep what they are around."""
    while function is not None:
        if isinstance(function, partial):
            yield function.func
            function = next(filter(callable, function.args), None)
        else:
            yield function
            function = getattr(function, "__wrapped__", None)


def _is_ours(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).startswith("overcoat.")
