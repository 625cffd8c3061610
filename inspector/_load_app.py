r"""What a command line names: a WSGI app, a function that makes one, or a middleware.

>>> from overcoat.inspector._load_app import load_app, parse_target
>>> parse_target("shop:create_app('test', debug=True)")
('shop', 'create_app', (('test',), {'debug': True}))
>>> app = load_app("wsgiref.simple_server:demo_app")
>>> app.__name__
'demo_app'

A module alone is asked for ``app``, ``application``, ``create_app`` and ``make_app``, in this order. It is imported
from the current directory too.
"""

import ast
import contextlib
import difflib
import importlib
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

Arguments = tuple[tuple[Any, ...], dict[str, Any]]

_NAMES = ("app", "application", "create_app", "make_app")
_WSGI = ("environ", "start_response")


class UnusableError(Exception):
    """What was typed names nothing that can be checked; says what to type."""


def load_app(target: str) -> Any:
    """The app that ``module:app``, ``module:create_app()`` or ``module:create_app`` names.

    Args:
        target: The arguments of a call must be literals.

    Raises:
        UnusableError: There is no such app, or making it failed.
    """
    module_name, name, arguments = parse_target(target)
    module = import_module(module_name)
    found = look_up(module, name or _first_of(module))
    label = f"{module_name}:{name or _first_of(module)}"
    if arguments is None and _is_factory(found):
        arguments = ((), {})
    if arguments is not None:
        found = _made(label, found, *arguments)
    if not callable(found) and not callable(getattr(found, "wsgi_app", None)):
        raise UnusableError(
            f"{label} is a {type(found).__name__}, no WSGI app: name a callable (environ, start_response)"
        )
    if inspect.iscoroutinefunction(found) or inspect.iscoroutinefunction(type(found).__call__):
        raise UnusableError(f"{label} is an ASGI app: only WSGI apps are checked")
    return found


def parse_target(target: str) -> tuple[str, str, Arguments | None]:
    """Module, dotted name (or "") and the arguments of a call (or None).

    Raises:
        UnusableError: The target has another form.
    """
    module_name, _, rest = target.partition(":")
    if module_name.endswith(".py") or "/" in module_name or "\\" in module_name:
        near = Path(module_name).stem or "app"
        raise UnusableError(f"{target!r} names a file: write the module's name, such as {near}:app, in its folder")
    if not all(part.isidentifier() for part in module_name.split(".")):
        raise UnusableError(f"{target!r} is not module:app: write shop:app or shop:create_app(), for example")
    if not rest:
        return module_name, "", None
    try:
        expression: ast.expr = ast.parse(rest, mode="eval").body
        arguments = None
        if isinstance(expression, ast.Call):
            arguments = (
                tuple(ast.literal_eval(value) for value in expression.args),
                {str(pair.arg): ast.literal_eval(pair.value) for pair in expression.keywords if pair.arg},
            )
            expression = expression.func
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnusableError(
            f"{rest!r} is no name and no call with literal arguments: write app, or create_app('test', debug=False)"
        ) from error
    name = ast.unparse(expression)
    if not all(part.isidentifier() for part in name.split(".")):
        raise UnusableError(f"{rest!r} is no name: write app, or create_app()")
    return module_name, name, arguments


def load_factory(target: str) -> Callable[..., Any]:
    """What makes a middleware: ``wrappers:Timing``, the name may have dots.

    Raises:
        UnusableError: There is no such callable.
    """
    module_name, colon, name = target.partition(":")
    if not colon or not name or not all(part.isidentifier() for part in (*module_name.split("."), *name.split("."))):
        raise UnusableError(f"{target!r} is not module:factory: write overcoat.middleware:RequestID, for example")
    found = look_up(import_module(module_name), name)
    if not callable(found):
        raise UnusableError(f"{target!r} is a {type(found).__name__}, no callable from app to app")
    return found  # type: ignore[no-any-return]


def import_module(name: str) -> Any:
    """The module, imported from the current directory too.

    Raises:
        UnusableError: It is not there, or raised, or left the process.
    """
    here = str(Path.cwd())
    if sys.path[:1] != [here]:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise UnusableError(f"cannot import {name!r}: {_told(error)}") from error


def look_up(module: Any, name: str) -> Any:
    """What a dotted name means in a module.

    Raises:
        UnusableError: Nothing.
    """
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            near = difflib.get_close_matches(part, dir(found), 1)
            hint = f": did you mean {near[0]!r}?" if near else ""
            raise UnusableError(f"{module.__name__!r} has no {name!r}{hint}")
        found = getattr(found, part)
    return found


def _first_of(module: Any) -> str:
    for name in _NAMES:
        if callable(getattr(module, name, None)):
            return name
    raise UnusableError(
        f"{module.__name__!r} has none of {', '.join(_NAMES)}: write {module.__name__}:NAME with the name of the app"
    )


def _is_factory(found: Any) -> bool:
    """Whether a function makes an app rather than being one: it can be called without an argument."""
    if not inspect.isroutine(found):
        return False
    with contextlib.suppress(TypeError, ValueError):
        signature = inspect.signature(found)
        with contextlib.suppress(TypeError):
            signature.bind()
            # `def app(*args)` binds to nothing, and to a request too.
            return all(p.kind is not p.VAR_POSITIONAL for p in signature.parameters.values())
    return False


def _made(label: str, factory: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    if not callable(factory) or hasattr(factory, "wsgi_app"):
        raise UnusableError(f"{label} is a {type(factory).__name__} and makes no app: leave out the parentheses")
    try:
        return factory(*args, **options)
    except (Exception, SystemExit) as error:
        raise UnusableError(f"{label}() raised {_told(error)}") from error


def _told(error: BaseException) -> str:
    """The error and the user's line that it came from."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path.cwd() in Path(frame.filename).parents
    ]
    return f"{text} ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else text
