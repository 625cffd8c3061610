"""A bundle on an app: where it serves, and its functions bound to that app."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from flask import Flask

from overcoat.hooks._hook import Hook

if TYPE_CHECKING:
    from overcoat.hooks.bundle import HookBundle


class BundleRow(NamedTuple):
    """One function in execution order, as ``describe`` shows it."""

    bundle: str
    function: str
    location: str
    scope: str


class Call:
    """A hook bound to one app: what the runner's loops touch, and what its messages need.

    Raises:
        RuntimeError: The hook is async, and the app cannot run that.
    """

    __slots__ = ("bundle", "call", "critical", "hook", "strict", "told_none")

    def __init__(self, app: Flask, bundle: str, hook: Hook, *, strict: bool = False) -> None:
        self.bundle = bundle
        self.hook = hook
        try:
            self.call = app.ensure_sync(hook.function)
        except RuntimeError as error:
            where = f"bundle {bundle!r}: {hook.phase} hook {hook.name}"
            raise RuntimeError(f"{where} is async, which needs asgiref: pip install 'flask[async]'") from error
        self.critical = hook.critical or strict
        self.strict = strict
        self.told_none = False


class Entry:
    """A bundle registered on an app.

    Args:
        app: The app.
        source: The bundle that was registered.
        bundle: The bundle with this app's options: that one itself, or one made from it.
        blueprint: The full name of the blueprint it was registered on; None for the app itself.

    Attributes:
        blueprints: The names of all blueprints it serves; None where it serves the whole app.
    """

    def __init__(self, app: Flask, source: "HookBundle", bundle: "HookBundle", blueprint: str | None) -> None:
        self.app = app
        self.source = source
        self.bundle = bundle
        self.blueprints: frozenset[str] | None = None if blueprint is None else frozenset([blueprint])
        self.own: tuple[Hook, ...] = ()
        self._calls: dict[Hook, Call] = {}

    def extend(self, blueprint: str | None) -> None:
        """Serve another blueprint too, or the whole app."""
        if self.blueprints is not None:
            self.blueprints = None if blueprint is None else self.blueprints | {blueprint}

    @property
    def where(self) -> str:
        """Where it serves, for messages."""
        if self.blueprints is None:
            return "the app"
        plural = "s" if len(self.blueprints) > 1 else ""
        return f"blueprint{plural} {', '.join(sorted(self.blueprints))}"

    @property
    def hooks(self) -> tuple[Hook, ...]:
        """What the bundle declares, and what was declared on the one that was registered after it had been made."""
        later = () if self.bundle is self.source else self.source.hooks[self.source._constructed :]
        return (*self.bundle.hooks, *later, *self.own)

    def calls(self, phase: str) -> list[Call]:
        """The functions of a phase in execution order: declared order on the way in, the reverse on the way out."""
        hooks = [hook for hook in self.hooks if hook.phase == phase]
        if phase not in {"before_first_request", "before_request"}:
            hooks.reverse()
        for hook in hooks:
            if hook not in self._calls:
                self._calls[hook] = Call(self.app, self.bundle.name, hook, strict=self.bundle.strict)
        return [self._calls[hook] for hook in hooks]

    def rows(self, phase: str) -> Iterable[BundleRow]:
        """What runs in a phase, for ``describe``."""
        where = [] if self.blueprints is None else [f"{self.where} (not a 404 or 405)"]
        scope = ", ".join([*where, *filter(None, [str(self.bundle.scope)])])
        return [BundleRow(self.bundle.name, call.hook.name, call.hook.location, scope) for call in self.calls(phase)]
