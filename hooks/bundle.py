"""HookBundle: a named set of hooks that a Flask app or blueprint registers as one unit.

>>> from flask import Flask
>>> from overcoat.hooks import HookBundle, register
>>> audit = HookBundle("audit", inside=["request-context"])
>>> @audit.before_request
... def start():
...     print("start")
>>> @audit.after_request(critical=True)
... def stamp(response):
...     response.headers["X-Audited"] = "yes"
...     return response
>>> @audit.teardown_request
... def finish(error):
...     print("finish", error)
>>> app = Flask("shop")
>>> register(app, [audit])
>>> @app.get("/")
... def index():
...     return "hello"
>>> app.test_client().get("/").headers["X-Audited"]
start
finish None
'yes'

The phases, in the order in which they happen; a function of each takes what stands in its parentheses and may be
``async``:

================================  ==================================================================================
``before_first_request()``        once in each process, before its first request
``before_request()``              outermost bundle first; what it returns answers the request
``after_request(response)``       innermost first; returns the response (None leaves it, with a warning)
``teardown_request(error)``       innermost first, once per request, before the first byte of a stream
``on_finish(exchange)``           innermost first, at the true end: after the last byte, a failure or the client's
                                  leaving. Flask's contexts are gone by then
================================  ==================================================================================
"""

import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Unpack, cast

from flask import Blueprint, Flask
from flask.blueprints import BlueprintSetupState

from overcoat.hooks._bundle_options import BundleOptions, Remembering, checked_flag, checked_name, checked_names
from overcoat.hooks._config import constructor_options
from overcoat.hooks._declaring import Declaring
from overcoat.hooks._hook import Hook
from overcoat.hooks._registry import refuse_late
from overcoat.hooks._runner import Runner
from overcoat.hooks._scope import Scope
from overcoat.middleware import Layer
from overcoat.middleware._options import did_you_mean

if TYPE_CHECKING:
    from overcoat.hooks.testing import Simulation

__all__ = ["EXTENSION_KEY", "BundleOptions", "HookBundle", "register"]

EXTENSION_KEY = "overcoat.hooks"


class HookBundle(Declaring, metaclass=Remembering):
    """A named, ordered set of hooks.

    What ``app.config`` says under ``OVERCOAT_<BUNDLE>_<OPTION>`` goes before the options given here, for that app.

    Args:
        name: The name that other bundles and messages use; letters, digits, ``.``, ``_`` and ``-``.
        inside: Names of bundles that must stand outside of this one, where they are registered.
        outside: Names of bundles that must stand inside of this one, where they are registered.
        requires: Names of bundles without which the app must not serve; says nothing of the order.
        only: The requests it serves: endpoints, blueprints (``"admin."``), methods, or callables on the request.
        skip: The requests it does not serve, by the same rules.
        always: Whether its after, teardown and finish hooks run even where its before hook was not reached.
        strict: Whether no failure of its hooks is passed over: each after hook is critical, and what a teardown hook
            raises is raised again once all others have run. (After a finish hook there is nobody left to tell.)

    Raises:
        ValueError: An option that is unknown or unusable.
    """

    def __init__(self, name: str, **options: Unpack[BundleOptions]) -> None:
        super().__init__(checked_name(name))
        for option, value in options.items():
            if option not in BundleOptions.__annotations__:
                hint = did_you_mean(option, BundleOptions.__annotations__)
                raise ValueError(f"bundle {name!r}: unknown option {option}={value!r}; {hint}")
        self.inside = checked_names(name, "inside", options.get("inside", ()))
        self.outside = checked_names(name, "outside", options.get("outside", ()))
        self.requires = checked_names(name, "requires", options.get("requires", ()))
        both = sorted(self.inside & self.outside)
        if both:
            raise ValueError(f"bundle {name!r}: {both[0]!r} stands in inside= and in outside=: it can be one only")
        self.scope = Scope(name, options.get("only"), options.get("skip"))
        self.always = checked_flag(name, "always", options.get("always", False))
        self.strict = checked_flag(name, "strict", options.get("strict", False))
        # Each with the names of the bundles that were registered together.
        self._blueprints: weakref.WeakKeyDictionary[Blueprint, tuple[str, ...]] = weakref.WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def setup(self, app: Flask) -> Iterable[Hook]:  # noqa: ARG002 - for subclasses
        """Prepare an app, once, as the bundle is registered on it; returns hooks for that app alone."""
        return ()

    def option_names(self) -> set[str]:
        """The options that ``app.config`` may set; a bundle that takes ``**options`` of its own adds those."""
        return constructor_options(type(self))

    def register(self, target: Flask | Blueprint) -> None:
        """Register on an app, or on a blueprint, whose endpoints and nested blueprints it then serves.

        Doing it twice changes nothing.

        Raises:
            RuntimeError: The app has served its first request, or the blueprint is on an app already.
            ValueError: Another bundle of this name is registered there, no order satisfies all bundles, or the app's
                configuration has an option for this one that it does not know or cannot use.
            TypeError: Neither app nor blueprint.
        """
        self._register(target, [self.name])

    def init_app(self, app: Flask | Blueprint) -> None:
        """The same as ``register``, under the name that Flask's extensions use."""
        self.register(app)

    def is_registered(self, target: Flask | Blueprint) -> bool:
        """Whether this bundle is registered on that app, on the whole or on one of its blueprints, or blueprint."""
        if isinstance(target, Blueprint):
            return target in self._blueprints
        runner: Runner | None = target.extensions.get(EXTENSION_KEY)
        return runner is not None and runner.find(self) is not None

    def simulate(
        self,
        path: str = "/",
        *,
        view: Callable[[], Any] | None = None,
        config: Mapping[str, Any] | None = None,
        **request: Any,
    ) -> "Simulation":
        """Serve one request through this bundle alone, and tell what ran: see ``overcoat.hooks.testing.simulate``."""
        from overcoat.hooks.testing import simulate  # noqa: PLC0415 - it is for tests

        return simulate([self], path, view=view, config=config, **request)

    def _register(self, target: Flask | Blueprint, names: Iterable[str]) -> None:
        if isinstance(target, Flask):
            self._add_to(target, None, names)
        elif not isinstance(target, Blueprint):
            raise TypeError(f"bundle {self.name!r}: {target!r} is neither a Flask app nor a blueprint")
        elif target not in self._blueprints:
            try:
                target.record(self._register_on_blueprint)
            except AssertionError:
                raise RuntimeError(
                    f"bundle {self.name!r} comes too late for blueprint {target.name!r}, which is on an app already: "
                    "register the bundle before app.register_blueprint()"
                ) from None
            self._blueprints[target] = tuple(names)

    def _register_on_blueprint(self, state: BlueprintSetupState) -> None:
        name = f"{state.name_prefix}.{state.name}".lstrip(".")
        self._add_to(cast("Flask", state.app), name, self._blueprints[cast("Blueprint", state.blueprint)])

    def _add_to(self, app: Flask, blueprint: str | None, names: Iterable[str]) -> None:
        runner = app.extensions.get(EXTENSION_KEY)
        if runner is None:
            try:
                runner = Runner(app)
            except AssertionError:
                refuse_late(self.name)
            app.extensions[EXTENSION_KEY] = runner
        runner.add(self, blueprint, names)
        self._registries.add(runner)


def register(target: Flask | Blueprint, bundles: Iterable[HookBundle]) -> None:
    """Register several bundles on an app or blueprint; the list reads from the outside in.

    Args:
        target: A Flask app or blueprint.
        bundles: The bundles, outermost first; ``inside=`` and ``outside=`` may move them.

    Raises:
        TypeError: Something in the list is no bundle.
        RuntimeError, ValueError: As ``HookBundle.register``.
    """
    given: Any = (target, bundles)  # what a caller really gave
    if not isinstance(given[0], (Flask, Blueprint)) or not isinstance(given[1], Iterable):
        raise TypeError(f"register: {given!r} should be an app and a list: write register(app, [bundle, ...])")
    listed: list[Any] = list(bundles)
    for bundle in listed:
        if isinstance(bundle, type):
            raise TypeError(f"register: {bundle.__name__} is a class: write {bundle.__name__}(...)")
        if not isinstance(bundle, HookBundle):
            fix = "a layer goes into a Stack around app.wsgi_app" if isinstance(bundle, Layer) else "make a HookBundle"
            raise TypeError(f"register: {bundle!r} is no hook bundle: {fix}")
    names = [bundle.name for bundle in listed]
    for bundle in listed:
        bundle._register(target, names)
