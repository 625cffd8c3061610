"""A layer that does in each phase what it is told, and writes down what it saw."""

from dataclasses import dataclass
from typing import Any

from support.server import text_of

from overcoat.middleware import Layer

Trace = list[tuple[Any, ...]]

#: What may be done in each phase; None leaves the phase undefined.
ACTIONS: dict[str, tuple[str | None, ...]] = {
    "skip": (None, None, "no", "yes", "raise"),
    "on_request": (None, "pass", "edit", "answer", "answer-late", "answer-raises", "raise"),
    "on_error": (None, "pass", "answer", "answer-late", "answer-raises", "answer-raises-late", "raise"),
    "on_headers": (None, "pass", "add", "status", "replace", "raise", "raise-once"),
    "on_finish": (None, "record", "record", "raise"),
}


@dataclass(frozen=True)
class Script:
    """What a layer does in each phase: one of ``ACTIONS``."""

    skip: str | None = None
    on_request: str | None = None
    on_error: str | None = None
    on_headers: str | None = None
    on_finish: str | None = None


class Acting(Layer):
    """A layer that follows a script.

    Args:
        name: How the trace calls it.
        script: What it does.
        trace: Where it writes down each phase, with what it saw.
    """

    def __init__(self, name: str, script: Script, trace: Trace) -> None:
        self.name, self.script, self.trace = name, script, trace
        for phase in ("on_request", "on_error", "on_headers", "on_finish"):
            if getattr(script, phase) is None:
                setattr(self, phase, None)
        super().__init__(skip=None if script.skip is None else self._skip)

    def _skip(self, exchange: Any) -> bool:
        self._tell("skip")
        if self.script.skip == "raise":
            raise ValueError(f"{self.name} skip")
        return self.script.skip == "yes"

    def on_request(self, exchange: Any) -> Any:
        self._tell("on_request", exchange.environ.get("acting.edited"))
        action = self.script.on_request or ""
        if action == "edit":
            exchange.environ["acting.edited"] = self.name
        return self._act("on_request", action)

    def on_error(self, exchange: Any, error: Exception) -> Any:
        action = self.script.on_error or ""
        self._tell("on_error", type(error), text_of(error), action)
        return self._act("on_error", action)

    def on_headers(self, exchange: Any) -> None:
        self._tell("on_headers", exchange.status, tuple(map(repr, exchange.headers)))
        action = self.script.on_headers
        if action == "add":
            exchange.add_header("X-Acting", self.name)
        elif action == "status":
            exchange.status = f"299 {self.name}"
        elif action == "replace":
            exchange.headers = [("X-Replaced", self.name)]
        elif action == "raise" or (action == "raise-once" and self._times("on_headers") == 1):
            raise ValueError(f"{self.name} on_headers")

    def on_finish(self, exchange: Any) -> None:
        error = type(exchange.error), exchange.error and text_of(exchange.error)
        self._tell("on_finish", exchange.outcome, exchange.status, exchange.response_bytes, *error)
        if self.script.on_finish == "raise":
            raise ValueError(f"{self.name} on_finish")

    def _tell(self, phase: str, *seen: Any) -> None:
        self.trace.append((self.name, phase, *seen))

    def _times(self, phase: str) -> int:
        return sum(entry[:2] == (self.name, phase) for entry in self.trace)

    def _act(self, phase: str, action: str) -> Any:
        if action == "raise":
            raise KeyError(f"{self.name} {phase}")
        return _page(f"{self.name} {phase}", action) if action.startswith("answer") else None


def _page(text: str, action: str) -> Any:
    def late(environ: Any, start_response: Any) -> Any:
        if action == "answer-raises-late":
            raise LookupError(f"{text} page")
        start_response("503 PAGE", [("X-Page", text)])
        yield text.encode()

    def at_once(environ: Any, start_response: Any) -> Any:
        start_response("503 PAGE", [("X-Page", text)])
        if action == "answer-raises":
            raise LookupError(f"{text} page")
        return [text.encode()]

    return late if action.endswith("late") else at_once
