"""Mount: hand a path and all below it to another WSGI application.

>>> from overcoat.middleware import Mount, Stack
>>> def tool(environ, start_response):
...     start_response("200 OK", [])
...     return [f"{environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode()]
>>> def app(environ, start_response):
...     start_response("200 OK", [])
...     return [b"app"]
>>> app = Stack(app, [Mount("/_tool", tool)])
>>> start = lambda status, headers: None
>>> [app({"PATH_INFO": path}, start) for path in ("/_tool", "/_tool/a", "/_toolbox")]
[[b'/_tool '], [b'/_tool /a'], [b'app']]

What is mounted is a WSGI application of its own: its paths begin below the prefix, which moves from PATH_INFO to
SCRIPT_NAME (PEP 3333), so that the URLs that it makes are right. The app, and every layer further in, see nothing of
such a request. So the place in the stack says what is shared: outside RequestLog, what is mounted has no line in the
log (a page that polls would fill it); inside TrustedHosts and SecurityHeaders, it is guarded by them.

A path is taken as the server hands it on, decoded and otherwise as sent: ``/_tool/../item`` goes to what is mounted,
``/item/../_tool`` and ``//_tool`` to the app. Who may see what is mounted is for that application to say.

It stands inside ProxyFix, which tells the client and the host that what is mounted goes by. For many applications side
by side, with one that answers the rest, Werkzeug's ``DispatcherMiddleware`` does the same from a table.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack, overload

from overcoat.middleware._exchange import Exchange
from overcoat.middleware._layer import Layer
from overcoat.middleware._options import LayerOptions
from overcoat.middleware._order import name_of_app
from overcoat.middleware._wsgi import Application, Segment


class Mount(Layer):
    """Answer a path and all below it by another application: ``Mount("/_logs", page)``, a part of a ``Stack``.

    Around an app it is ``Mount(app, "/_logs", page)``.

    Args:
        app: The WSGI application to wrap.
        prefix: The path, from the root of the app: a slash and at least one segment, decoded.
        mounted: The WSGI application that answers there.
        **options: Those of every layer: ``skip``, ``check_order``.

    Raises:
        ValueError: A prefix that no path could have or that would take every path, or nothing to mount there.
    """

    does = "hands a path to another application"
    inside: ClassVar[Mapping[str, str]] = {
        "ProxyFix": "what is mounted goes by the client and host that ProxyFix found"
    }

    @overload
    def __init__(self, prefix: str, mounted: Application, /, **options: Unpack[LayerOptions]) -> None: ...
    @overload
    def __init__(
        self,
        app: Application | None = None,
        prefix: str | None = None,
        mounted: Application | None = None,
        **options: Unpack[LayerOptions],
    ) -> None: ...
    def __init__(self, app: Any = None, prefix: Any = None, mounted: Any = None, **options: Any) -> None:
        if isinstance(app, str):
            if mounted is not None:
                raise ValueError(f"Mount: app={app!r} is no application: write Mount(app, {app!r}, mounted)")
            app, prefix, mounted = None, app, prefix
        self.prefix = _checked_prefix(prefix)
        self.mounted = _checked_mounted(mounted)
        # As paths stand in an environ: bytes of UTF-8, shown as Latin-1.
        self._at = self.prefix.encode().decode("latin-1")
        self._below = f"{self._at}/"
        self.does = f"hands {self.prefix} to {name_of_app(self.mounted)}"  # type: ignore[misc]  # for this one
        super().__init__(app, **options)

    def __repr__(self) -> str:
        given = "".join(f", {name}={value!r}" for name, value in self._arguments[1].items() if name == "skip")
        return f"Mount({self.prefix!r}, {name_of_app(self.mounted)}{given})"

    def on_request(self, exchange: Exchange) -> Application | None:
        """Hand a request for the prefix on."""
        environ = exchange.environ
        path: str = environ.get("PATH_INFO", "")
        if not path.startswith(self._below) and path != self._at:
            return None
        environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + self._at
        environ["PATH_INFO"] = path[len(self._at) :]
        return self.mounted


def _checked_prefix(prefix: Any) -> str:
    if not isinstance(prefix, str) or not prefix:
        raise ValueError(f"Mount: prefix={prefix!r} must be a path, such as '/_logs'")
    fixed = "/" + prefix.strip("/")
    if fixed == "/":
        raise ValueError(f"Mount: prefix={prefix!r} would take every path: serve that application itself")
    if fixed != prefix:
        raise ValueError(f"Mount: prefix={prefix!r} must begin with a slash and not end with one: write {fixed!r}")
    if any(segment in {"", ".", ".."} for segment in prefix[1:].split("/")) or any(sign in prefix for sign in "?#%*"):
        raise ValueError(f"Mount: prefix={prefix!r} is no plain path: write decoded segments, such as '/tools/logs'")
    try:
        prefix.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"Mount: prefix={prefix!r} cannot be part of a URL: a lone surrogate is no character"
        ) from None
    return prefix


def _checked_mounted(mounted: Any) -> Application:
    if isinstance(mounted, type) or not callable(mounted):
        raise ValueError(
            f"Mount: mounted={mounted!r} is no WSGI application: give a callable (environ, start_response)"
        )
    if isinstance(mounted, Segment) and mounted._plans is None:
        raise ValueError(f"Mount: mounted={mounted!r} is a part and wraps no app: give it one")
    return mounted  # type: ignore[no-any-return]
