"""What the bundles around Flask extensions share.

An extension registers loose functions with ``init_app``. The bundle lets it do so, and takes those functions out of
Flask's lists into itself, where they are ordered and isolated like any other bundle's.
"""

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any, cast

from flask import Flask

from overcoat.hooks._hook import Hook, declared
from overcoat.hooks.bundle import BundleOptions, HookBundle
from overcoat.middleware._options import did_you_mean


class ExtensionBundle(HookBundle):
    """A bundle around an extension.

    Args:
        name: The name of the bundle.
        options: The extension's options and those of every bundle.
        known: The names of the extension's options.

    Attributes:
        options: The extension's options.

    Raises:
        ValueError: An option that neither the bundle nor the extension has.
    """

    def __init__(self, name: str, options: Mapping[str, Any], known: Collection[str]) -> None:
        ours = {option: value for option, value in options.items() if option in BundleOptions.__annotations__}
        ours.setdefault("always", True)
        self._known = frozenset(known)
        super().__init__(name, **cast("BundleOptions", ours))
        self.options = {option: value for option, value in options.items() if option not in ours}
        names = sorted({*known, *BundleOptions.__annotations__, "name"})
        for option, value in self.options.items():
            if option not in known:
                raise ValueError(
                    f"{type(self).__name__}: unknown option {option}={value!r}; {did_you_mean(option, names)}"
                )

    def option_names(self) -> set[str]:
        """The extension's options too."""
        return super().option_names() | self._known

    def initialise(self, app: Flask) -> None:
        """Let the extension register its functions on the app."""
        raise NotImplementedError

    def adapt(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:  # noqa: ARG002 - for subclasses
        """The function to run in place of one that the extension registered."""
        return function

    def setup(self, app: Flask) -> list[Hook]:
        """Take over what the extension registers."""
        lists: dict[str, dict[Any, list[Any]]] = {
            "before_request": cast("dict[Any, list[Any]]", app.before_request_funcs),
            "after_request": cast("dict[Any, list[Any]]", app.after_request_funcs),
            "teardown_request": cast("dict[Any, list[Any]]", app.teardown_request_funcs),
        }
        ends = {phase: len(by_scope.get(None, ())) for phase, by_scope in lists.items()}
        self.initialise(app)
        hooks = []
        for phase, by_scope in lists.items():
            functions = by_scope.get(None, [])
            hooks += [declared(self.name, phase, self.adapt(phase, function)) for function in functions[ends[phase] :]]
            del functions[ends[phase] :]
        return hooks


def extension(module: str) -> Any:
    """The module of an extension.

    Raises:
        ImportError: It is not installed; says what to install.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise ImportError(f"{module} is not installed: pip install 'overcoat[flask]'") from error
