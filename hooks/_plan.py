"""Which functions run for a selection of bundles, on the way in and on each way out: computed once."""

from collections.abc import Iterable
from typing import Any

from overcoat.hooks._entry import Call, Entry


class Exit:
    """The way out for one set of entered bundles, innermost first."""

    __slots__ = ("after", "every_teardown", "finish", "teardown")

    def __init__(self, entered: list[Entry], left: list[Entry]) -> None:
        self.after = _calls(entered, "after_request")
        self.teardown = _calls(left, "teardown_request")
        self.every_teardown = tuple(call for call in self.teardown if call.hook.every)
        self.finish = _calls(left, "on_finish")


class Plan:
    """What runs for one selection of bundles, computed once.

    Args:
        entries: The bundles that serve the request, outermost first.

    Attributes:
        before: The before functions, each with the number of bundles with such functions outside of its own.
        full: The way out when every before function was reached.
        none: The way out when none was.
        finishes: Whether any bundle wants to know the true end.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries: list[tuple[Entry, int | None]] = []
        before: list[tuple[int, Any]] = []
        count = 0
        for entry in entries:
            calls = entry.calls("before_request")
            before += [(count, call.call) for call in calls]
            self._entries.append((entry, count if calls else None))
            count += bool(calls)
        self.before = tuple(before)
        self._exits: dict[tuple[int, bool], Exit] = {}
        self.full = self.exit(count)
        self.none = self.exit(0)
        self.finishes = bool(_calls([entry for entry, _ in self._entries], "on_finish"))

    def exit(self, reached: int, *, raised: bool = False) -> Exit:
        """The way out when that many bundles with before functions were entered, and perhaps the next one raised."""
        found = self._exits.get((reached, raised))
        if found is None:
            entered, left = [], []
            for entry, number in self._entries:
                inside = number is None or number < reached or entry.bundle.always
                if inside:
                    entered.append(entry)
                if inside or (raised and number == reached):
                    left.append(entry)
            found = self._exits[reached, raised] = Exit(entered, left)
        return found


def _calls(entries: list[Entry], phase: str) -> tuple[Call, ...]:
    return tuple(call for entry in reversed(entries) for call in entry.calls(phase))
