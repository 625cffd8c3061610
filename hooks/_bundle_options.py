"""The options that every bundle takes, and what a bundle remembers of how it was made."""

import inspect
import re
from abc import ABCMeta
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypedDict

from overcoat.hooks._scope import Rules

Names = str | Iterable[str]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class BundleOptions(TypedDict, total=False):
    """The options that every bundle takes."""

    inside: Names
    outside: Names
    requires: Names
    only: Rules | None
    skip: Rules | None
    always: bool
    strict: bool


class Remembering(ABCMeta):
    """The class of bundle classes: each bundle knows its arguments, and which hooks its constructor declared.

    With other options in ``app.config`` a bundle is made once more from these. A constructor cannot tell by itself, as
    those of subclasses go on after it.
    """

    if not TYPE_CHECKING:  # type checkers read the constructor

        def __call__(cls, *args: Any, **options: Any) -> Any:
            """Make a bundle."""
            bundle = super().__call__(*args, **options)
            bundle._arguments = args, options
            bundle._constructed = len(bundle.hooks)
            return bundle

        @property
        def __signature__(cls) -> inspect.Signature:
            """That of the constructor, which is what ``help()`` shows."""
            signature = inspect.signature(cls.__init__)
            return signature.replace(parameters=list(signature.parameters.values())[1:])


def checked_name(name: Any) -> str:
    """The name of a bundle.

    Raises:
        ValueError: It is no such name.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"HookBundle: name={name!r} must be 1 to 64 letters, digits, '.', '_' or '-'")
    return name


def checked_names(bundle: str, option: str, names: Names) -> frozenset[str]:
    """The names of other bundles.

    Raises:
        ValueError: One that is no such name, or the bundle's own.
    """
    listed = list(names) if isinstance(names, Iterable) and not isinstance(names, str) else [names]
    for name in listed:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"bundle {bundle!r}: {option}={name!r} is no name of a bundle, such as 'request-context'")
        if name == bundle:
            raise ValueError(f"bundle {bundle!r}: {option}={name!r} is its own name")
    return frozenset(listed)


def checked_flag(bundle: str, option: str, value: Any) -> bool:
    """A truth value: the text "false", as an environment variable gives it, is none.

    Raises:
        ValueError: Neither True nor False.
    """
    if not isinstance(value, bool):
        raise ValueError(f"bundle {bundle!r}: {option}={value!r} must be True or False")
    return value
