"""The calls of hooks, as they are recorded for tests: each function is wrapped where the runner or Flask finds it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Flask

from overcoat.hooks._entry import Call
from overcoat.hooks._hook import qualified
from overcoat.hooks._runner import Runner
from overcoat.middleware._source import innermost, source_of


@dataclass(frozen=True)
class HookCall:
    """One call of a hook.

    Attributes:
        phase: ``before_first_request``, ``before_request``, ``after_request``, ``teardown_request`` or ``on_finish``.
        bundle: The name of the bundle; "" for a function that is registered by hand or by an extension.
        function: The name of the function in its module, such as ``"start"`` or ``"Deprecated.mark"``.
        source: Where it stands, as ``"package/file.py:12"``.
        outcome: ``done``; ``answered``, of a before hook that returned a response; ``replaced`` and ``returned None``,
            of an after hook; ``raised``.
        error: What it raised.
    """

    phase: str
    bundle: str
    function: str
    source: str = ""
    outcome: str = "done"
    error: BaseException | None = None

    def __str__(self) -> str:
        text = f"{self.phase} {self.bundle + ': ' if self.bundle else ''}{self.function}"
        if self.error is not None:
            return f"{text} raised {type(self.error).__name__}: {self.error}"
        return text if self.outcome == "done" else f"{text} {self.outcome}"


def watch_bundles(runner: Runner, calls: list[HookCall]) -> Callable[[], None]:
    """Record what the bundles' hooks do; returns what ends it."""
    watched: list[tuple[Call, Callable[..., Any]]] = []
    for call in runner.calls():
        label = partial(HookCall, call.hook.phase, call.bundle, _label(call.hook.function), call.hook.location)
        watched.append((call, call.call))
        call.call = _watching(call.call, label, calls)
    runner.refresh()

    def restore() -> None:
        for call, function in watched:
            call.call = function
        runner.refresh()

    return restore


def watch_by_hand(app: Flask, calls: list[HookCall]) -> Callable[[], None]:
    """Record what the functions in Flask's own lists do; returns what ends it."""
    lists: dict[str, dict[Any, list[Any]]] = {
        "before_request": app.before_request_funcs,
        "after_request": app.after_request_funcs,
        "teardown_request": app.teardown_request_funcs,
    }
    found = [(phase, functions) for phase, by_scope in lists.items() for functions in by_scope.values()]
    watched: dict[Any, Any] = {}
    for phase, functions in found:
        for index, function in enumerate(functions):
            if not hasattr(function, "overcoat_bundles"):
                label = partial(HookCall, phase, "", _label(function), source_of(function))
                functions[index] = _watching(app.ensure_sync(function), label, calls)
                watched[functions[index]] = function

    def restore() -> None:
        for _, functions in found:
            functions[:] = [watched.get(function, function) for function in functions]

    return restore


def _watching(
    function: Callable[..., Any], label: Callable[..., HookCall], calls: list[HookCall]
) -> Callable[..., Any]:
    phase = label().phase

    def call(*given: Any) -> Any:
        try:
            result = function(*given)
        except BaseException as error:
            calls.append(label(outcome="raised", error=error))
            raise
        calls.append(label(outcome=_outcome(phase, given, result)))
        return result

    return call


def _outcome(phase: str, given: tuple[Any, ...], result: Any) -> str:
    if phase == "before_request" and result is not None:
        return "answered"
    if phase == "after_request" and result is not given[0]:
        return "returned None" if result is None else "replaced"
    return "done"


def _label(function: Any) -> str:
    return qualified(innermost(function)).rpartition("<locals>.")[2]
