"""describe: what runs around an app, in which order, and why that order is sound.

>>> from overcoat.middleware import RequestID, RequestLog, Stack, describe
>>> def app(environ, start_response): ...
>>> print(describe(Stack(app, [RequestID(), RequestLog(to="stderr")])))
request
  layer    RequestID()              names the request
  layer    RequestLog(to='stderr')  writes one line for each request, at its true end
app        app
why this order
  RequestID outside RequestLog: every line carries the id, an early answer's too
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from overcoat.middleware._layer import Layer
from overcoat.middleware._order import inward, rules
from overcoat.middleware._wsgi import Segment


@dataclass(frozen=True)
class Node:
    """One place that a request passes.

    Attributes:
        kind: ``request``, ``layer``, ``foreign`` (a wrapper that is not ours), ``app``, ``hook``, ``bundle``,
            ``response`` or ``why``.
        name: What stands there.
        detail: What it does, or where it is defined.
        children: What is inside, in the order in which a request meets it.
    """

    kind: str
    name: str
    detail: str = ""
    children: tuple["Node", ...] = field(default=())

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def _lines(root: Node) -> Iterator[str]:
    for part in root.children:
        yield f"{part.kind:<11}{part.name}".rstrip() if part.kind not in {"request", "response", "why"} else part.name
        width = max((len(child.name) for child in part.children), default=0)
        for child in part.children:
            label = "" if part.kind == "why" else f"{child.kind:<9}"
            yield f"  {label}{child.name:<{width}}  {child.detail}".rstrip()


def describe(app: Any) -> Node:
    """Everything that a request to ``app`` passes, from the outside in and out again.

    Args:
        app: A WSGI application, or a framework's app object with a ``wsgi_app``.
    """
    layers: list[Node] = []
    ours: list[Layer] = []
    innermost = app
    for wrapper, fused in inward(getattr(app, "wsgi_app", app)):
        innermost = wrapper
        ours += fused
        layers += [Node("layer", repr(layer), layer.does) for layer in fused]
        if not isinstance(wrapper, Segment):
            layers.append(Node("foreign", _name(wrapper)))
    owner = getattr(innermost, "__self__", innermost)
    if layers and layers[-1].kind == "foreign":
        layers.pop()  # the innermost is the app itself
    parts = [Node("request", "request", children=tuple(layers)), Node("app", _name(owner))]
    parts += _hooks(owner)
    why = tuple(Node("why", f"{outer} outside {inner}: {reason}") for outer, inner, reason in rules(ours))
    if why:
        parts.append(Node("why", "why this order", children=why))
    return Node("root", "", children=tuple(parts))


def _hooks(app: Any) -> list[Node]:
    """The hooks of a Flask app, in the order in which they run; found by their attributes, so Flask is not imported."""
    phases = (
        ("before_request_funcs", "before each request", False),
        ("after_request_funcs", "after each request", True),
        ("teardown_request_funcs", "when the request is torn down", True),
    )
    parts = []
    for attribute, title, is_reversed in phases:
        by_scope = getattr(app, attribute, None)
        if not isinstance(by_scope, dict):
            return []
        rows: list[Node] = []
        # App-wide ones stand under None; a blueprint's run inside of them.
        for scope in sorted(by_scope, key=lambda name: (name is not None, name or "")):
            functions = list(by_scope[scope])
            block: list[Node] = []
            for function in reversed(functions) if is_reversed else functions:
                block += _hook(function, scope)
            rows = block + rows if is_reversed else rows + block
        if rows:
            parts.append(Node("response" if is_reversed else "request", title, children=tuple(rows)))
    return parts


def _hook(function: Any, scope: str | None) -> list[Node]:
    suffix = f" (blueprint {scope})" if scope else ""
    bundles = getattr(function, "overcoat_bundles", None)
    if bundles is not None:
        rows = bundles() if callable(bundles) else bundles
        return [Node("bundle", f"{bundle}: {name}{suffix}", where) for bundle, name, where in rows]
    return [Node("hook", f"{_name(function)}{suffix}", _source(function))]


def _name(thing: Any) -> str:
    name = getattr(thing, "__qualname__", None)
    if name is None:
        label = getattr(thing, "name", "")
        name = f"{type(thing).__name__} {label!r}" if isinstance(label, str) and label else type(thing).__name__
    return str(name)


def _source(function: Any) -> str:
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return "" if code is None else f"{code.co_filename.replace(chr(92), '/').rsplit('/', 1)[-1]}:{code.co_firstlineno}"
