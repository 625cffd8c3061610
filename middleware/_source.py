"""Where a function stands: the file as Python found it, and the line."""

import contextlib
import functools
import inspect
import os
import sys
from typing import Any


def source_of(function: Any) -> str:
    """``"package/module.py:12"``, or "" for what has no Python source.

    Decorators that keep what they wrap, partials, methods and callable objects are seen through.
    """
    code = _code(innermost(function))
    return "" if code is None else f"{short_path(code.co_filename)}:{code.co_firstlineno}"


def innermost(function: Any) -> Any:
    """The function inside of partials and of decorators that keep what they wrap."""
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.unwrap(function)


def short_path(filename: str) -> str:
    """The file relative to the innermost of the working directory and the folders that modules are found in."""
    roots = [os.path.join(root or os.curdir, "") for root in sys.path]  # noqa: PTH118 - strings are compared, not files
    with contextlib.suppress(OSError):  # the working directory may be gone
        roots.append(os.path.join(os.getcwd(), ""))  # noqa: PTH109, PTH118
    matching = [root for root in roots if filename.startswith(root)]
    return (filename[len(max(matching, key=len)) :] if matching else filename).replace("\\", "/")


def _code(function: Any) -> Any:
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code if code is not None else getattr(type(function).__call__, "__code__", None)
