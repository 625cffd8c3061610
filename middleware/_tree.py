"""The tree that describe returns, and how it is found: layers, app, hooks, the way out, and why they stand so."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from overcoat.middleware._error_handlers import error_handlers
from overcoat.middleware._layer import Layer
from overcoat.middleware._order import inward, name_of_app, rules
from overcoat.middleware._source import source_of
from overcoat.middleware._wsgi import Segment

_PHASES = ("on_headers", "on_error", "on_finish")


@dataclass(frozen=True)
class Node:
    """One place that a request passes, or a part of its way.

    Attributes:
        kind: ``part`` (which has children), ``layer``, ``foreign`` (a wrapper that is not ours), ``app``, ``hook``,
            ``bundle``, ``phase`` (of a layer, on the way out) or ``why``.
        name: What stands there.
        detail: What it does, or of a hook which requests it serves.
        children: What is inside, in the order in which a request meets it.
        source: Where a hook stands, as ``"package/file.py:12"``; relative to where Python found it.
        bundle: The name of a hook's bundle; empty for one that is registered by hand or by an extension.
    """

    kind: str
    name: str
    detail: str = ""
    children: tuple["Node", ...] = ()
    source: str = ""
    bundle: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The tree as dicts, lists and text; what is empty is left out."""
        told = {key: value for key, value in vars(self).items() if value and key != "children"}
        return told | ({"children": [child.as_dict() for child in self.children]} if self.children else {})

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def _lines(root: Node) -> Iterator[str]:
    for part in root.children:
        yield part.name if part.kind == "part" else f"{part.kind} {part.name}"
        width = max((len(child.name) for child in part.children), default=0)
        for child in part.children:
            label = "" if child.kind == "why" else f"{child.kind:<9}"
            told = ", ".join(filter(None, (child.source, child.detail)))
            yield f"  {label}{child.name:<{width}}  {told}".rstrip()


def tree_of(app: Any) -> Node:
    """The tree of an app; see ``describe``."""
    way_in: list[Node] = []
    layers: list[Layer] = []
    innermost = app
    for wrapper, fused in inward(getattr(app, "wsgi_app", app)):
        innermost = wrapper
        layers += fused
        way_in += [Node("layer", repr(layer), layer.does) for layer in fused]
        if not isinstance(wrapper, Segment):
            way_in.append(Node("foreign", name_of_app(wrapper)))
    if way_in and way_in[-1].kind == "foreign":
        way_in.pop()  # the innermost is the app itself
    owner = getattr(innermost, "__self__", innermost)
    parts = [
        Node("part", "the way in", children=tuple(way_in)),
        Node("app", name_of_app(owner)),
        *_hooks(owner),
        Node("part", "the way out", children=tuple(_way_out(layers))),
        Node("part", "why this order", children=tuple(_why(layers))),
    ]
    return Node("part", "", children=tuple(part for part in parts if part.children or part.kind == "app"))


def _way_out(layers: list[Layer]) -> Iterator[Node]:
    for layer in reversed(layers):
        phases = [phase for phase in _PHASES if layer.defines(phase)]
        if phases:
            yield Node("phase", type(layer).__name__, ", ".join(phases))


def _why(layers: list[Layer]) -> Iterator[Node]:
    for outer, inner, reason in rules(layers):
        yield Node("why", f"{outer} outside {inner}: {reason}")


def _hooks(app: Any) -> Iterator[Node]:
    """The hooks of a Flask app, in the order in which they run; found by their attributes, so Flask is not imported."""
    if not isinstance(getattr(app, "before_request_funcs", None), dict):
        return
    bundles = getattr(app, "extensions", {}).get("overcoat.hooks")
    parts = (
        ("before the first request", _bundled(bundles, "before_first_request")),
        ("when the URL is matched", _registered(app.url_value_preprocessors)),
        ("before each request", _registered(app.before_request_funcs)),
        ("when an error is answered, by the first that fits", _handlers(app)),
        ("after each request", _registered(app.after_request_funcs, innermost_first=True)),
        ("when the request is torn down", _registered(app.teardown_request_funcs, innermost_first=True)),
        ("when the app context is torn down", _registered({None: app.teardown_appcontext_funcs}, innermost_first=True)),
        ("at the true end", _bundled(bundles, "on_finish")),
    )
    for title, rows in parts:
        yield Node("part", title, children=tuple(rows))


def _bundled(bundles: Any, phase: str) -> Iterator[Node]:
    """The functions of a phase that Flask does not have."""
    for row in [] if bundles is None else bundles.describe()[phase]:
        yield _bundle(row)


def _registered(by_scope: dict[str | None, list[Any]], *, innermost_first: bool = False) -> list[Node]:
    """The functions in Flask's lists: app-wide ones under None, a blueprint's inside of them."""
    blocks = []
    for scope in sorted(by_scope, key=lambda name: (name is not None, name or "")):
        functions = by_scope[scope]
        blocks.append(
            [node for f in (reversed(functions) if innermost_first else functions) for node in _hook(f, scope)]
        )
    return [node for block in (reversed(blocks) if innermost_first else blocks) for node in block]


def _handlers(app: Any) -> list[Node]:
    """The functions that answer errors, in the order in which they are asked."""
    return [node for function, what in error_handlers(app) for node in _function(function, what)]


def _hook(function: Any, scope: str | None) -> list[Node]:
    return _function(function, f"blueprint {scope}" if scope else "")


def _function(function: Any, detail: str) -> list[Node]:
    bundles = getattr(function, "overcoat_bundles", None)
    if bundles is not None:
        return [_bundle(row) for row in bundles()]
    return [Node("hook", name_of_app(function).replace(".<locals>", ""), detail, source=source_of(function))]


def _bundle(row: Any) -> Node:
    # The last two parts of a dotted name: a class and its method, a module and its function.
    name = ".".join(row.function.replace(".<locals>", "").split(".")[-2:])
    return Node("bundle", f"{row.bundle}: {name}", row.scope, source=row.location, bundle=row.bundle)
