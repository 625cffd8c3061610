"""Every regular expression in the packages, and the methods by which each is asked."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import BuiltinMethodType, ModuleType
from typing import NamedTuple

METHODS = ("match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split")


class Found(NamedTuple):
    """One regular expression.

    Attributes:
        name: Module and name, or module and line where it has none.
        pattern: The compiled one.
        methods: ``match``, ``fullmatch``, ``search``, or ``finditer`` for all that look for every match.
    """

    name: str
    pattern: re.Pattern[str]
    methods: frozenset[str]


def modules(*packages: str) -> list[ModuleType]:
    """The modules of these packages, below them too."""
    found = []
    for name in packages:
        package = importlib.import_module(name)
        found.append(package)
        found += [importlib.import_module(one.name) for one in pkgutil.walk_packages(package.__path__, f"{name}.")]
    return found


def patterns(*packages: str) -> Iterator[Found]:
    """Those that a module holds under a name, and those that stand in a call of ``re``."""
    all_modules = modules(*packages)
    sources = {module.__name__: inspect.getsource(module) for module in all_modules}
    text = "\n".join(sources.values())
    seen: set[int] = set()
    for module in all_modules:
        short = module.__name__.removeprefix("overcoat.")
        for name, value in vars(module).items():
            bound = value.__self__ if isinstance(value, BuiltinMethodType) else None
            pattern = value if isinstance(value, re.Pattern) else bound
            if not isinstance(pattern, re.Pattern) or not isinstance(pattern.pattern, str) or id(pattern) in seen:
                continue
            seen.add(id(pattern))
            methods = (
                {value.__name__}
                if pattern is bound
                else _asked(name, sources[module.__name__] if name[0] == "_" else text)
            )
            yield Found(f"{short}.{name}", pattern, frozenset(map(_kind, methods)))
        for node in ast.walk(ast.parse(sources[module.__name__])):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and (node.func.value.id, node.func.attr) in {("re", method) for method in METHODS}
                and isinstance(node.args[0], ast.Constant)
                and isinstance(node.args[0].value, str)
            ):
                yield Found(
                    f"{short}:{node.lineno}", re.compile(node.args[0].value), frozenset({_kind(node.func.attr)})
                )


def _asked(name: str, text: str) -> set[str]:
    """The methods that are used by that name; of one that is handed on as a value, the costliest."""
    methods = set(re.findall(rf"\b{name}\.({'|'.join(METHODS)})\b", text))
    return methods or {"search"}


def _kind(method: str) -> str:
    return method if method in {"match", "fullmatch", "search"} else "finditer"
