"""The registry: which bundles an app has, in which order they stand, and which of them serve a request."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from flask import Flask, Request

from overcoat.hooks._config import check_unchanged, configured, options_for, strange_keys
from overcoat.hooks._end import see_the_end
from overcoat.hooks._entry import BundleRow, Call, Entry
from overcoat.hooks._first_request import FirstRequest, Task
from overcoat.hooks._hook import PHASES, Hook
from overcoat.hooks._order import check_requires, onion
from overcoat.hooks._plan import Plan
from overcoat.hooks._scope import METHODS, blueprints_of

if TYPE_CHECKING:
    from overcoat.hooks.bundle import HookBundle


class Registry:
    """The bundles of one app.

    Args:
        app: The app.

    Attributes:
        entries: The registered bundles, outermost first.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.entries: list[Entry] = []
        self._options: dict[str, dict[str, Any]] = {}
        self.first = FirstRequest()
        self._plans: dict[Any, Plan] = {}
        self._shared: dict[tuple[Entry, ...], Plan] = {}
        self._checked = False
        self._by_endpoint = True
        self._asking: tuple[Entry, ...] = ()

    def find(self, bundle: "HookBundle") -> Entry | None:
        """The entry of a bundle."""
        return next((entry for entry in self.entries if bundle in (entry.source, entry.bundle)), None)

    def add(self, bundle: "HookBundle", blueprint: str | None, names: Iterable[str]) -> None:
        """Register a bundle.

        Args:
            bundle: The bundle.
            blueprint: The full name of a blueprint, or None.
            names: The names of the bundles that are registered together with it.

        Raises:
            ValueError: Its name is taken, the order has become impossible, or an option in ``app.config`` is wrong.
            RuntimeError: The app has served its first request, or cannot run an async hook.
        """
        entry = self.find(bundle)
        if entry is not None and (entry.blueprints is None or blueprint in entry.blueprints):
            return
        self.check_open(bundle.name)
        if entry is not None:
            entry.extend(blueprint)
            self.entries = onion(self.entries)
        else:
            if any(other.bundle.name == bundle.name for other in self.entries):
                raise ValueError(
                    f"bundle {bundle.name!r}: another bundle of that name is registered on this app: "
                    "give one of them another name"
                )
            given = options_for(self.app, bundle.name, [*names, *(other.bundle.name for other in self.entries)])
            entry = Entry(self.app, bundle, configured(bundle, given), blueprint)
            ordered = onion([*self.entries, entry])
            entry.own = tuple(entry.bundle.setup(self.app))
            for phase in PHASES:
                entry.calls(phase)
            self.entries = ordered
            self._options[bundle.name] = given
        self.refresh()

    def check_hook(self, bundle: str, hook: Hook) -> None:
        """Raise RuntimeError where a hook that is declared now could not run."""
        self.check_open(bundle)
        Call(self.app, bundle, hook)

    def check_open(self, bundle: str) -> None:
        """Raise RuntimeError where the app takes no more hooks, which only Flask knows."""
        try:
            self.app.before_request(_probe)
        except AssertionError:
            refuse_late(bundle)
        self.app.before_request_funcs[None].remove(_probe)

    def refresh(self) -> None:
        """Take up what the bundles declare by now."""
        self._plans.clear()
        self._shared.clear()
        self._checked = False
        scopes = [entry.bundle.scope for entry in self.entries]
        self._by_endpoint = not any(scope.by_method or scope.asks for scope in scopes)
        self._asking = tuple(entry for entry in self.entries if entry.bundle.scope.asks)
        phase = "before_first_request"
        self.first.assign(Task(call.bundle, call.hook, call.call) for e in self.entries for call in e.calls(phase))
        if any(entry.calls("on_finish") for entry in self.entries):
            see_the_end(self.app)

    def check(self) -> None:
        """Check what only an app that is ready to serve can tell.

        Raises:
            RuntimeError: A required bundle is missing, or an option has come to ``app.config`` too late.
        """
        check_requires(self.entries)
        check_unchanged(self.app, self._options)

    def calls(self) -> list[Call]:
        """All functions of all bundles."""
        return [call for entry in self.entries for phase in PHASES for call in entry.calls(phase)]

    def rows(self, phase: str) -> list[BundleRow]:
        """The functions of a phase in execution order.

        Raises:
            RuntimeError: As ``check``.
        """
        self.check()
        entries: Iterable[Entry] = self.entries if phase.startswith("before") else reversed(self.entries)
        return [row for entry in entries for row in entry.rows(phase)]

    def describe(self) -> dict[str, list[BundleRow]]:
        """The functions of every phase in execution order, by the name of the phase."""
        return {phase: self.rows(phase) for phase in PHASES}

    def plan(self, request: Request) -> Plan:
        """The plan for a request."""
        rule = request.url_rule
        endpoint = None if rule is None else rule.endpoint
        if self._by_endpoint:
            found = self._plans.get(endpoint)
            return found if found is not None else self._compile(endpoint, endpoint, "", {})
        # Of methods, those that a rule can name: a client can send any, and the cache must not grow with it.
        method = request.method if request.method in METHODS else ""
        asked = {entry: self._ask(entry, endpoint, method, request) for entry in self._asking}
        key = (endpoint, method, *asked.values())
        found = self._plans.get(key)
        return found if found is not None else self._compile(key, endpoint, method, asked)

    def _ask(self, entry: Entry, endpoint: str | None, method: str, request: Request) -> bool:
        try:
            return entry.bundle.scope.contains(endpoint, method, request)
        except Exception:
            self.app.logger.exception("only= or skip= of bundle %r raised: it serves the request", entry.bundle.name)
            return True

    def _compile(self, key: Any, endpoint: str | None, method: str, asked: dict[Entry, bool]) -> Plan:
        if not self._checked:
            self.check()
            for warning in strange_keys(self.app, [entry.bundle.name for entry in self.entries]):
                self.app.logger.warning("%s", warning)
            for entry in self.entries:
                for warning in entry.bundle.scope.unknown(self.app):
                    self.app.logger.warning("bundle %r: %s", entry.bundle.name, warning)
            self._checked = True
        blueprints = blueprints_of(endpoint)
        chosen = []
        for entry in self.entries:
            here = entry.blueprints is None or not entry.blueprints.isdisjoint(blueprints)
            scope = entry.bundle.scope
            if here and (asked[entry] if entry in asked else scope.contains(endpoint, method)):
                chosen.append(entry)
        plan = self._plans[key] = self._shared.setdefault(tuple(chosen), Plan(chosen))
        return plan


def refuse_late(bundle: str) -> NoReturn:
    """Raise for a bundle that comes after the first request."""
    raise RuntimeError(
        f"bundle {bundle!r} comes too late: the app has served its first request. Register bundles, and declare "
        "their hooks, where the app is made"
    ) from None


def _probe() -> None:
    """Never called: registered and taken back, to ask Flask whether it still takes hooks."""
