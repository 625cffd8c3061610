"""Which phase methods run for a request, in which order: computed once for each way through a segment."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from overcoat.middleware._exchange import Exchange
    from overcoat.middleware._layer import Layer


class Plan:
    """The way out for some layers: their phase methods, innermost first.

    Attributes:
        on_headers, on_finish: The methods of those phases.
        on_body: That of a transform layer, which stands alone in its segment; None for others.
        on_error: ``(index, method)``, for the layers from that one outward remain when it answers.
        follows: Whether a layer needs to see the body; without one the app's own iterable goes to the server.
        skipped: The bit set of the layers that this request passes by.
        exc_info: What an error page is started with, once.
    """

    __slots__ = ("exc_info", "follows", "on_body", "on_error", "on_finish", "on_headers", "skipped")

    on_headers: tuple[Callable[["Exchange"], None], ...]
    on_error: tuple[tuple[int, Callable[["Exchange", Exception], Any]], ...]
    on_finish: tuple[Callable[["Exchange"], None], ...]

    def __init__(self, layers: Sequence[tuple[int, "Layer"]], skipped: int) -> None:
        self.on_headers = tuple(layer.on_headers for _, layer in reversed(layers) if layer.defines("on_headers"))
        self.on_error = tuple((index, layer.on_error) for index, layer in reversed(layers) if layer.defines("on_error"))
        self.on_finish = tuple(layer.on_finish for _, layer in reversed(layers) if layer.defines("on_finish"))
        self.on_body = next((layer.on_body for _, layer in layers if layer.defines("on_body")), None)
        self.follows = bool(self.on_error or self.on_finish)
        self.skipped = skipped
        self.exc_info: Any = None


# What an entry answers for a layer that this request passes by.
SKIPPED: Any = object()


def _entry(layer: "Layer") -> Callable[["Exchange"], Any]:
    """The way into a layer; without ``skip=`` its own method, so that only those who skip pay for it."""
    skips, on_request = layer.skips, layer.on_request
    if skips is None:
        return on_request
    return lambda exchange: SKIPPED if skips(exchange) else on_request(exchange)


class Plans:
    """The layers of one segment, outermost first, what is inside of them, and the plan for each way through.

    Attributes:
        inner: The application that the layers are fused around.
        layers: The layers, outermost first.
        entries: ``(index, on_request)`` of the layers that have a say on the way in; the second answers ``SKIPPED``
            where the layer is passed by.
        all: The plan when every layer is entered.
        transforms: Whether this is the one layer of a transform segment.
        strangers: What a stack knows of the other middlewares in it, by the ``id`` of each: what was listed, and the
            app that it was given. For walkers only.
    """

    def __init__(self, inner: Any, layers: Iterable["Layer"]) -> None:
        self.inner = inner
        self.layers = tuple(layers)
        self.entries = tuple(
            (index, _entry(layer))
            for index, layer in enumerate(self.layers)
            if layer.skips is not None or layer.defines("on_request")
        )
        self.transforms = any(layer.defines("on_body") for layer in self.layers)
        self.strangers: dict[int, tuple[Any, Any]] = {}
        self._made: dict[tuple[int, int], Plan] = {}
        self.all = self.plan(len(self.layers), 0)

    def plan(self, entered: int, skipped: int) -> Plan:
        """The plan for the first ``entered`` layers without those in the bit set ``skipped``."""
        skipped &= (1 << entered) - 1
        plan = self._made.get((entered, skipped))
        if plan is None:
            chosen = [(index, layer) for index, layer in enumerate(self.layers[:entered]) if not skipped >> index & 1]
            plan = self._made[entered, skipped] = Plan(chosen, skipped)
        return plan

    def answered(self, by: int, plan: Plan, error: BaseException) -> Plan:
        """A plan of this request alone, after layer ``by`` answered an error: its headers outward, errors further out.

        Every layer that was entered still sees the end.
        """
        answered = Plan((), plan.skipped)
        answered.on_headers = self.plan(by + 1, plan.skipped).on_headers
        answered.on_error = self.plan(by, plan.skipped).on_error
        answered.on_finish = plan.on_finish
        answered.follows = True
        answered.exc_info = (type(error), error, error.__traceback__)
        return answered
