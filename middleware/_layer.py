"""Layer: the base of every middleware here, and of yours.

A layer is configured once and holds no state of a request. It is one small class with the phases that it needs:

>>> from overcoat.middleware import Layer
>>> class Greeting(Layer):
...     def __init__(self, app=None, *, text="hello", **options):
...         self.text = text
...         super().__init__(app, **options)
...
...     def on_headers(self, exchange):
...         exchange.set_header("X-Greeting", self.text)

It then works around any WSGI app, ``app.wsgi_app = Greeting(app.wsgi_app)``, or as a part of a ``Stack``. The phases,
in the order in which they happen:

==================  ================================================================================================
``on_request``      before the app, outermost layer first. May edit ``exchange.environ``. A WSGI application that it
                    returns answers instead of the app and of the layers further in
``on_error``        innermost first, when the app or something further in raised before the first byte. A WSGI
                    application that it returns answers instead
``on_body``         makes the layer a transform: given the chunks of the body, it may return a generator of other
                    chunks, which may edit status and headers until its first non-empty one; or None, and the body goes
                    to the server as it is. Not asked for HEAD, 1xx, 204 and 304. Content-Length is corrected for a list
                    and dropped for a stream
``on_headers``      innermost first, when the response starts. May edit ``exchange.status`` and ``exchange.headers``;
                    runs again for an error page that replaces a started response
``on_finish``       innermost first, exactly once, after the last byte, a failure or the client's leaving. An error
                    here is logged and breaks nothing
==================  ================================================================================================
"""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from overcoat.middleware._exchange import Exchange
from overcoat.middleware._options import check_phases, compile_skip, refuse_unknown
from overcoat.middleware._order import check_order
from overcoat.middleware._plan import Plans
from overcoat.middleware._wsgi import Application, Segment


class Layer(Segment):
    """The base class of all layers.

    Args:
        app: The WSGI application to wrap. Without one the layer is a part for a ``Stack``.
        skip: Requests that pass as if the layer were not there: an exact path (``"/healthz"``), a path and all below it
            (``"/static/"``), a callable on the exchange, or a list of these. Looks at the path as it was at entry.
        check_order: Whether to refuse a wrong place among the layers further in.

    Attributes:
        app: The application that was given, or None for a part of a stack.

    Raises:
        ValueError: An unknown or unusable option, something that is no WSGI application, or a wrong order.
    """

    #: Names of layers that this one must stand outside of, each with the reason.
    outside: ClassVar[Mapping[str, str]] = {}
    #: Names of layers that this one must stand inside of, each with the reason.
    inside: ClassVar[Mapping[str, str]] = {}
    #: What it does, in a line, for ``describe``.
    does: ClassVar[str] = ""

    _arguments: tuple[tuple[Any, ...], dict[str, Any]]
    _stacked: bool = False

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse at the class what would be silent, or cryptic, at a request."""
        super().__init_subclass__(**options)
        check_phases(cls, Layer)

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """Remember the arguments for ``repr``, which is what an error message asks the reader to paste."""
        layer = super().__new__(cls)
        layer._arguments = args[1:], options
        return layer

    def __init__(self, app: Application | None = None, **options: Any) -> None:
        self.app = app
        self.skips = compile_skip(self, options.pop("skip", None))
        wants_check = options.pop("check_order", True)
        refuse_unknown(type(self), options)
        if app is not None:
            self._plans = fuse(checked_app(type(self).__name__, app), [self])
            if wants_check:
                check_order(self)

    def __repr__(self) -> str:
        # By name, for the first positional argument is the app: what is shown can be pasted into a stack.
        args, options = self._arguments
        names = list(inspect.signature(type(self)).parameters)[1:]
        given = dict(zip(names, args, strict=False)) | options
        shown = [f"{name}={value!r}" for name, value in given.items() if name not in {"app", "check_order"}]
        return f"{type(self).__name__}({', '.join(shown)})"

    def defines(self, phase: str) -> bool:
        """Whether this layer has something to do in a phase; a phase set to None in the constructor is off."""
        method = getattr(self, phase)
        return method is not None and getattr(method, "__func__", method) is not getattr(Layer, phase)

    def on_request(self, exchange: Exchange) -> Application | None:
        """Before the app; a WSGI application that is returned answers instead."""

    def on_error(self, exchange: Exchange, error: Exception) -> Application | None:
        """After an error before the first byte; a WSGI application that is returned answers instead."""

    def on_body(self, exchange: Exchange, chunks: Iterator[bytes]) -> Iterator[bytes] | None:
        """Once the response has started; a generator that is returned makes the body."""

    def on_headers(self, exchange: Exchange) -> None:
        """When the response starts; may edit ``exchange.status`` and ``exchange.headers``."""

    def on_finish(self, exchange: Exchange) -> None:
        """At the true end, exactly once."""


def checked_app(owner: str, app: Any) -> Application:
    """The app, if it can be wrapped.

    Raises:
        ValueError: It is no callable, a layer class without its parentheses, or an object whose ``wsgi_app`` was meant.
    """
    if isinstance(app, type) and issubclass(app, Segment):
        raise ValueError(f"{owner}: app={app.__name__} is a class: write {app.__name__}(app.wsgi_app)")
    if hasattr(app, "wsgi_app"):
        raise ValueError(
            f"{owner}: app={app!r} has a wsgi_app of its own: write app.wsgi_app = {owner}(app.wsgi_app, ...); "
            "to wrap the object itself would recurse as soon as it is assigned back"
        )
    if isinstance(app, Segment) and app._plans is None:
        raise ValueError(f"{owner}: app={app!r} is a part and wraps no app: write Stack(app, [{owner}(...), {app!r}])")
    if not callable(app):
        raise ValueError(f"{owner}: app={app!r} is no WSGI application: give a callable (environ, start_response)")
    return app  # type: ignore[no-any-return]


def fuse(app: Application, layers: list[Layer]) -> Plans:
    """These layers around an app, fused; layers that stand directly around it already join them.

    A layer that transforms bodies is a segment of its own: the layers outside of it see what it made of the headers.
    """
    run: list[Layer] = []
    for layer in reversed(layers):
        if layer.defines("on_body"):
            if run:
                app, run = segment_of(_join(app, run)), []
            app = segment_of(Plans(app, [layer]))
        else:
            run.insert(0, layer)
    plans = app._plans if isinstance(app, Segment) and not run and layers else None
    return plans or _join(app, run)


def segment_of(plans: Plans) -> Segment:
    """The WSGI application that serves by these plans."""
    segment = Segment.__new__(Segment)
    segment._plans = plans
    return segment


def _join(app: Application, layers: list[Layer]) -> Plans:
    inner = app._plans if isinstance(app, Segment) else None
    if inner is None or inner.transforms:
        return Plans(app, layers)
    joined = Plans(inner.inner, [*layers, *inner.layers])
    joined.strangers = inner.strangers
    return joined
