"""Which phase methods run for a request, in which order: computed once for each set of entered layers."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overcoat.middleware._layer import Layer


class Plan:
    """The way out for some layers: their phase methods, innermost first."""

    __slots__ = ("follows", "on_error", "on_finish", "on_headers")

    def __init__(self, layers: Sequence[tuple[int, "Layer"]]) -> None:
        self.on_headers = tuple(layer.on_headers for _, layer in reversed(layers) if layer.defines("on_headers"))
        self.on_error = tuple((index, layer.on_error) for index, layer in reversed(layers) if layer.defines("on_error"))
        self.on_finish = tuple(layer.on_finish for _, layer in reversed(layers) if layer.defines("on_finish"))
        # Only these two phases need to see the body; without them the app's own iterable goes to the server.
        self.follows = bool(self.on_error or self.on_finish)


class Plans:
    """The layers of one segment, outermost first, and their plans.

    Attributes:
        entries: ``(index, skips, on_request)`` of the layers that have a say on the way in.
        all: The plan when every layer is entered.
    """

    def __init__(self, layers: Iterable["Layer"]) -> None:
        self.layers = tuple(layers)
        self.entries = tuple(
            (index, layer.skips, layer.on_request if layer.defines("on_request") else None)
            for index, layer in enumerate(self.layers)
            if layer.skips is not None or layer.defines("on_request")
        )
        self._plans: dict[tuple[int, int], Plan] = {}
        self.all = self.plan(len(self.layers), 0)

    def plan(self, entered: int, skipped: int) -> Plan:
        """The plan for the first ``entered`` layers without those in the bit set ``skipped``."""
        skipped &= (1 << entered) - 1
        plan = self._plans.get((entered, skipped))
        if plan is None:
            chosen = [(index, layer) for index, layer in enumerate(self.layers[:entered]) if not skipped >> index & 1]
            plan = self._plans[entered, skipped] = Plan(chosen)
        return plan
