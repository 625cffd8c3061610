"""Who answers an error: the one handler that all ProblemDetails bundles of an app share in Flask."""

import weakref
from typing import Any, cast

from flask import Flask, Request, Response
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException

from overcoat.hooks._current import current_request
from overcoat.hooks._entry import BundleRow, Entry
from overcoat.hooks._hook import Hook, qualified
from overcoat.hooks._prefixes import Prefixes
from overcoat.hooks.bundle import EXTENSION_KEY, HookBundle
from overcoat.middleware._source import source_of
from overcoat.middleware._text import visible


class ErrorBundle(HookBundle):
    """A bundle that answers errors: of the whole app, or of blueprints and what is below their URL prefixes."""

    def setup(self, app: Flask) -> tuple[Hook, ...]:
        """Become the app's handler of errors, unless the app has one."""
        handlers: dict[Any, Any] = app.error_handler_spec[None][None]
        found = handlers.get(HTTPException)
        if found is None:
            app.register_error_handler(HTTPException, Owner(app))
        elif not isinstance(found, Owner):
            name = visible(f"{getattr(found, '__module__', '')}.{getattr(found, '__qualname__', found)}")
            app.logger.warning(
                "bundle %r: %s is registered for HTTPException by hand: it answers, and the bundle does not",
                self.name, name,
            )  # fmt: skip
        return ()

    def answer(self, error: HTTPException) -> HTTPException | Response:
        """The response for an error, or the error itself where it has one."""
        raise NotImplementedError

    def rank(self, app: Flask, entry: Entry, request: Request) -> int:
        """How far inside it stands for a request that is in no view: 0 on the app, -1 where it has no say."""
        if entry.blueprints is None:
            return 0
        prefixes = _prefixes.get(app, {}).get(self.name)
        return -1 if prefixes is None else prefixes.longest(app, request)

    def _register_on_blueprint(self, state: BlueprintSetupState, *args: Any, **options: Any) -> None:
        super()._register_on_blueprint(state, *args, **options)
        app = cast("Flask", state.app)
        _prefixes.setdefault(app, {}).setdefault(self.name, Prefixes()).add(state)


# By app and name of the bundle.
_prefixes: weakref.WeakKeyDictionary[Flask, dict[str, Prefixes]] = weakref.WeakKeyDictionary()


class Owner:
    """The handler of an app's HTTP errors.

    Args:
        app: The app.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app

    def __call__(self, error: HTTPException) -> HTTPException | Response:
        """Flask's error handler: let the innermost bundle that serves the request answer."""
        request = current_request()
        ranked = [(self._rank(entry, request), entry) for entry in self._entries()]
        ranked.sort(key=lambda pair: pair[0])
        for rank, entry in reversed(ranked):
            if rank >= 0 and self._in_scope(entry, request):
                return cast("ErrorBundle", entry.bundle).answer(error)
        return error

    def overcoat_bundles(self) -> list[BundleRow]:
        """The bundles that share it, innermost first, as ``describe`` shows them."""
        return [_row(entry) for entry in reversed(self._entries())]

    def _entries(self) -> list[Entry]:
        entries: list[Entry] = self.app.extensions[EXTENSION_KEY].entries
        return [entry for entry in entries if isinstance(entry.bundle, ErrorBundle)]

    def _rank(self, entry: Entry, request: Request) -> int:
        if request.url_rule is None:
            return cast("ErrorBundle", entry.bundle).rank(self.app, entry, request)
        around = request.blueprints  # innermost first
        if entry.blueprints is None:
            return 0
        return max((len(around) - around.index(name) for name in entry.blueprints if name in around), default=-1)

    def _in_scope(self, entry: Entry, request: Request) -> bool:
        rule = request.url_rule
        try:
            return entry.bundle.scope.contains(None if rule is None else rule.endpoint, request.method, request)
        except Exception:
            self.app.logger.exception("only= or skip= of bundle %r raised: it serves the request", entry.bundle.name)
            return True


def _row(entry: Entry) -> BundleRow:
    bundle = cast("ErrorBundle", entry.bundle)
    function = type(bundle).answer
    where = [] if entry.blueprints is None else [f"{entry.where} and what is below its URL prefix"]
    scope = ", ".join(
        ["HTTPException and the 500 for what no handler takes", *where, *filter(None, [str(bundle.scope)])]
    )
    return BundleRow(bundle.name, f"{function.__module__}.{qualified(function)}", source_of(function), scope)
