"""Which hooks ran, in which order, and how each of them ended: for the tests of bundles and of apps.

>>> from overcoat.hooks import HookBundle
>>> from overcoat.hooks.testing import record_hooks
>>> audit = HookBundle("audit")
>>> @audit.before_request
... def start(): ...
>>> @audit.after_request
... def stamp(response):
...     raise LookupError("no stamp")

A bundle alone, in an app of its own with one view for every path:

>>> import logging; logging.disable()  # the failure would be logged, as in production
>>> simulation = audit.simulate("/items", method="POST", view=lambda: ("made", 201))
>>> simulation.response.status_code
201
>>> print(simulation)
before_request audit: start
after_request audit: stamp raised LookupError: no stamp

A whole app, hooks that were registered by hand and by extensions included:

>>> from flask import Flask
>>> app = Flask("shop")
>>> audit.register(app)
>>> @app.teardown_request
... def close(error): ...
>>> with record_hooks(app) as calls:
...     response = app.test_client().get("/nowhere", buffered=True)
>>> [str(call) for call in calls]
['before_request audit: start', 'after_request audit: stamp raised LookupError: no stamp', 'teardown_request close']
>>> logging.disable(logging.NOTSET)

Without ``buffered=True`` the response is not read to its end, and no finish hook has run when ``get`` returns.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from overcoat.hooks._recording import HookCall, watch_bundles, watch_by_hand
from overcoat.hooks._runner import Runner
from overcoat.hooks.bundle import EXTENSION_KEY, HookBundle, register

__all__ = ["HookCall", "Simulation", "record_hooks", "simulate"]

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]  # Flask adds HEAD and OPTIONS


@dataclass(frozen=True)
class Simulation:
    """A simulated request.

    Attributes:
        response: The response, read to its end and closed.
        calls: The hooks that ran, in order.
    """

    response: TestResponse
    calls: list[HookCall]

    def __str__(self) -> str:
        return "\n".join(map(str, self.calls))


@contextmanager
def record_hooks(app: Flask) -> Iterator[list[HookCall]]:
    """Record the calls of the app's hooks while the block runs.

    It knows the hooks that are registered when it begins, and leaves the app as it was. Functions of
    ``after_this_request`` and ``teardown_appcontext`` and receivers of signals are not among them.

    Args:
        app: The app, before or after its first request.

    Yields:
        The calls, one appended at the end of each.
    """
    calls: list[HookCall] = []
    undo = [watch_by_hand(app, calls)]
    runner: Runner | None = app.extensions.get(EXTENSION_KEY)
    if runner is not None:
        undo.append(watch_bundles(runner, calls))
    try:
        yield calls
    finally:
        for restore in undo:
            restore()


def simulate(
    bundles: Iterable[HookBundle],
    path: str = "/",
    *,
    view: Callable[[], Any] | None = None,
    config: Mapping[str, Any] | None = None,
    **request: Any,
) -> Simulation:
    """Serve one request through these bundles in an app of their own.

    Args:
        bundles: The bundles, outermost first, as for ``register``.
        path: What is requested; every path is served, by the endpoint ``view``.
        view: Returns what a Flask view may return, or raises; without it an empty page is served.
        config: What ``app.config`` says, options of the bundles included.
        **request: ``method``, ``headers``, ``json``, ``data`` and so on, as for Flask's test client.

    Returns:
        The response and what ran. An error that nobody handles is a 500, as in production.
    """
    listed = list(bundles)
    app = Flask("simulation", static_folder=None)
    app.config.update(config or {})

    def serve(**_: str) -> Any:
        return "" if view is None else view()

    for rule in ("/", "/<path:_>"):
        app.add_url_rule(rule, "view", serve, methods=_METHODS)
    try:
        register(app, listed)
        with record_hooks(app) as calls:
            response = app.test_client().open(path, buffered=True, **request)
    finally:
        for bundle in listed:  # it may declare more hooks, which this app would refuse now
            bundle._registries -= set(filter(None, [app.extensions.get(EXTENSION_KEY)]))
    return Simulation(response, calls)
