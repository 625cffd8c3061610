r"""describe: what runs around an app, in which order, and why that order is sound.

>>> from overcoat.middleware import RequestID, RequestLog, Stack, describe
>>> def app(environ, start_response): ...
>>> print(describe(Stack(app, [RequestID(), RequestLog(to="stderr")])))
the way in
  layer    RequestID()              names the request
  layer    RequestLog(to='stderr')  writes one line for each request, at its true end
app app
the way out
  phase    RequestLog  on_headers, on_finish
  phase    RequestID   on_headers
why this order
  RequestID outside RequestLog: every line carries the id, an early answer's too

For a Flask app its hooks stand between the two ways, in the order in which they run, those of bundles with the bundle's
name. The tree can be walked: ``[node.name for node in describe(app).walk() if node.kind == "layer"]``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from overcoat.middleware._layer import Layer
from overcoat.middleware._order import inward, name_of_app, rules
from overcoat.middleware._wsgi import Segment

_PHASES = ("on_headers", "on_error", "on_finish")


@dataclass(frozen=True)
class Node:
    """One place that a request passes, or a part of its way.

    Attributes:
        kind: ``part`` (which has children), ``layer``, ``foreign`` (a wrapper that is not ours), ``app``, ``hook``,
            ``bundle``, ``phase`` (of a layer, on the way out) or ``why``.
        name: What stands there.
        detail: What it does, or where it is defined.
        children: What is inside, in the order in which a request meets it.
    """

    kind: str
    name: str
    detail: str = ""
    children: tuple["Node", ...] = ()

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
            yield f"  {label}{child.name:<{width}}  {child.detail}".rstrip()


def describe(app: Any) -> Node:
    """Everything that a request to ``app`` passes, from the outside in and out again.

    Args:
        app: A WSGI application, or a framework's app object with a ``wsgi_app``.

    Raises:
        RuntimeError: A hook bundle requires one that is not registered.
    """
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
        ("before each request", _registered(app.before_request_funcs)),
        ("after each request", _registered(app.after_request_funcs, innermost_first=True)),
        ("when the request is torn down", _registered(app.teardown_request_funcs, innermost_first=True)),
        ("at the true end", _bundled(bundles, "on_finish")),
    )
    for title, rows in parts:
        yield Node("part", title, children=tuple(rows))


def _bundled(bundles: Any, phase: str) -> Iterator[Node]:
    """The functions of a phase that Flask does not have."""
    for row in [] if bundles is None else bundles.describe()[phase]:
        yield Node("bundle", f"{row.bundle}: {_short(row.function)}", ", ".join(filter(None, row[2:])))


def _registered(by_scope: dict[str | None, list[Any]], *, innermost_first: bool = False) -> list[Node]:
    """The functions in Flask's lists: app-wide ones under None, a blueprint's inside of them."""
    blocks = []
    for scope in sorted(by_scope, key=lambda name: (name is not None, name or "")):
        functions = by_scope[scope]
        blocks.append(
            [node for f in (reversed(functions) if innermost_first else functions) for node in _hook(f, scope)]
        )
    return [node for block in (reversed(blocks) if innermost_first else blocks) for node in block]


def _hook(function: Any, scope: str | None) -> list[Node]:
    suffix = f" (blueprint {scope})" if scope else ""
    bundles = getattr(function, "overcoat_bundles", None)
    if bundles is not None:
        return [Node("bundle", f"{bundle}: {_short(name)}{suffix}", where) for bundle, name, where in bundles()]
    return [Node("hook", f"{name_of_app(function)}{suffix}", _source(function))]


def _short(name: str) -> str:
    """The last two parts of a dotted name: a class and its method, a module and its function."""
    return ".".join(name.replace(".<locals>", "").split(".")[-2:])


def _source(function: Any) -> str:
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return "" if code is None else f"{code.co_filename.replace(chr(92), '/').rsplit('/', 1)[-1]}:{code.co_firstlineno}"
