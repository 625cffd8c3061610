"""The order of layers: what each class says of its place, checked when a stack is built."""

import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from overcoat.middleware._plan import Plans

if TYPE_CHECKING:
    from overcoat.middleware._layer import Layer


def inward(app: Any) -> Iterator[tuple[Any, Sequence["Layer"]]]:
    """Walk from the outside in: each wrapper with its fused layers (none for a foreign one), the app last.

    Foreign wrappers are seen through where they keep what they wrap as ``app``, ``wsgi_app`` or ``application``.
    """
    seen: set[int] = set()
    strangers: dict[int, tuple[Any, Any]] = {}
    while app is not None and id(app) not in seen:
        seen.add(id(app))
        plans = getattr(app, "_plans", None)
        if isinstance(plans, Plans):
            strangers |= plans.strangers
            yield app, plans.layers
            app = plans.inner
            continue
        listed, inner = strangers.get(id(app), (app, None))
        yield listed, ()
        app = inner if inner is not None else _wrapped(app)


def _wrapped(app: Any) -> Any:
    owner = getattr(app, "__self__", None)
    if owner is not None and getattr(app, "__name__", "") == "wsgi_app":
        return None  # the framework's own wsgi_app: the end
    for name in ("app", "wsgi_app", "application"):
        inner = getattr(app, name, None)
        if callable(inner) and inner is not app:
            return inner
    return None


def _names(layer: "Layer") -> list[str]:
    return [base.__name__ for base in type(layer).__mro__]


def _reason(outer: "Layer", inner: "Layer") -> str | None:
    """Why ``outer`` must stand outside ``inner``, or None."""
    for name in _names(inner):
        if name in outer.outside:
            return outer.outside[name]
    for name in _names(outer):
        if name in inner.inside:
            return inner.inside[name]
    return None


def corrected(layers: Sequence["Layer"]) -> list["Layer"]:
    """The same layers in an order that keeps every rule, changed as little as possible."""
    rest = list(layers)
    result: list[Layer] = []
    while rest:
        free = next((one for one in rest if not any(_reason(o, one) for o in rest if o is not one)), rest[0])
        rest.remove(free)
        result.append(free)
    return result


def check_order(app: Any) -> None:
    """Check all layers from ``app`` inward.

    Raises:
        ValueError: Two layers stand the wrong way round; names both, the reason and the corrected list.
    """
    # Each layer with the other middlewares that follow it, which stay where they are relative to it.
    first: list[str] = []
    layers: list[Layer] = []
    followers: dict[int, list[str]] = {}
    for wrapper, fused in list(inward(app))[:-1]:
        layers += fused
        if not isinstance(getattr(wrapper, "_plans", None), Plans):
            (followers.setdefault(id(layers[-1]), []) if layers else first).append(name_of_app(wrapper))
    for index, outer in enumerate(layers):
        for inner in layers[index + 1 :]:
            reason = _reason(inner, outer)
            if reason is not None:
                items = [*first]
                for layer in corrected(layers):
                    items += [repr(layer), *followers.get(id(layer), [])]
                lines = "".join(f"    {item},\n" for item in items)
                raise ValueError(
                    f"{type(inner).__name__} must stand outside {type(outer).__name__}: {reason}. "
                    f"From the outside in, write\n\nStack(app, [\n{lines}])\n\n(or give check_order=False)"
                )


def name_of_app(app: Any) -> str:
    """What to call a WSGI application, a wrapper or a function."""
    if isinstance(app, functools.partial):
        return repr(app)
    name = getattr(app, "__qualname__", None)
    if name is None:
        label = getattr(app, "name", "")
        name = f"{type(app).__name__} {label!r}" if isinstance(label, str) and label else type(app).__name__
    return str(name)


def rules(layers: Sequence["Layer"]) -> Iterator[tuple[str, str, str]]:
    """``(outer, inner, reason)`` for each pair of layers that has a rule."""
    for index, outer in enumerate(layers):
        for inner in layers[index + 1 :]:
            reason = _reason(outer, inner)
            if reason is not None:
                yield type(outer).__name__, type(inner).__name__, reason
