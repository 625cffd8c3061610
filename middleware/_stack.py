"""Stack: several layers around one app, at about the cost of one.

>>> from overcoat.middleware import RequestID, SecurityHeaders, ServerTiming, Stack
>>> def app(environ, start_response):
...     start_response("200 OK", [("Content-Type", "text/plain")])
...     return [b"hello"]
>>> wrapped = Stack(app, [RequestID(), ServerTiming(), SecurityHeaders()])

The list reads from the outside in: the first layer sees the request first and the response last. A stack of N layers
behaves exactly as N nested wrappers. Any other middleware, a callable that takes an app and returns one, may stand
among the layers: ``functools.partial(WhiteNoise, root="static")``.
"""

from collections.abc import Callable, Iterable
from typing import Any

from overcoat.middleware._layer import Layer, checked_app, fuse, segment_of
from overcoat.middleware._order import check_order as _check_order
from overcoat.middleware._wsgi import Application, Segment

Part = Layer | Callable[[Any], Application]


class Stack(Segment):
    """Layers around an application, outermost first.

    Args:
        app: The WSGI application to wrap: ``app.wsgi_app`` for Flask.
        layers: Layers without an app of their own, and other middlewares as callables from app to app.
        check_order: Whether to refuse an order that breaks what a layer says of its place.

    Raises:
        ValueError: Something that cannot be stacked, or a wrong order; the message holds the corrected list.
    """

    def __init__(self, app: Application, layers: Iterable[Part], *, check_order: bool = True) -> None:
        self.app = inner = checked_app("Stack", app)
        if isinstance(layers, str | Layer) or not isinstance(layers, Iterable):
            fix = f"[{layers!r}]" if isinstance(layers, Layer) else "[RequestID(), ...]"
            raise ValueError(f"Stack: layers={layers!r} must be a list: write Stack(app, {fix})")
        parts = list(layers)
        for index, part in enumerate(parts):
            _check_part(part)
            if isinstance(part, Layer) and part in parts[:index]:
                raise ValueError(f"Stack: {part!r} stands twice in the list: make one for each place")
        strangers: dict[int, tuple[Any, Any]] = {}
        run: list[Layer] = []
        for part in reversed(parts):
            if isinstance(part, Layer):
                run.insert(0, part)
                continue
            if run:
                plans = fuse(inner, run)
                strangers |= plans.strangers
                inner, run = segment_of(plans), []
            outer = checked_app(f"Stack (what {part!r} returned)", part(inner))
            strangers[id(outer)] = part, inner
            inner = outer
        self._plans = fuse(inner, run)
        self._plans.strangers = self._plans.strangers | strangers
        if check_order:
            _check_order(self)
        for part in parts:
            if isinstance(part, Layer):
                part._stacked = True

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of the outermost segment, outermost first."""
        return self._plans.layers if self._plans is not None else ()

    def __repr__(self) -> str:
        return f"Stack({self.app!r}, [{', '.join(map(repr, self.layers))}])"


def _check_part(part: Any) -> None:
    if isinstance(part, type) and issubclass(part, Layer):
        raise ValueError(f"Stack: {part.__name__} is a class: write {part.__name__}() with its parentheses")
    if not callable(part):
        raise ValueError(f"Stack: {part!r} is neither a layer nor a callable from app to app")
    if isinstance(part, Segment) and part._plans is not None:
        raise ValueError(f"Stack: {part!r} wraps an app already: give it here without one")
    if isinstance(part, Layer) and part._stacked:
        raise ValueError(f"Stack: {part!r} is part of another stack: make one for each, {type(part).__name__}(...)")
