"""RequestContext: says on every line logged during a request which endpoint serves it, and for whom.

>>> import structlog
>>> from flask import Flask
>>> from overcoat.hooks import RequestContext, register
>>> app = Flask("shop")
>>> register(app, [RequestContext()])
>>> @app.get("/item/<int:item_id>")
... def item(item_id):
...     return structlog.contextvars.get_contextvars()
>>> app.test_client().get("/item/7").json
{'endpoint': 'item', 'route': '/item/<int:item_id>'}

It binds ``endpoint``, ``route``, ``blueprint`` and ``user`` to structlog's context variables (where they are known: a
404 and a 405 are in no endpoint, and have neither that nor a route) and puts back what was there when the request is
torn down; structlog needs ``merge_contextvars`` among its processors, which ``configure_logging`` sees to.

The endpoint, the route and the user also go to the request's own line, and so do ``error_type``, ``error_message`` and
``error_at`` of the error behind a 5xx, whether Flask answered it or a handler of the app's, an ``abort(503)`` included:
it never leaves the app, so nothing outside of it could tell. What a handler made less than a 5xx of is no error.

The user is Flask-Login's, once something in the request has asked for it: to load it for the log would cost each
request a query. For another source give ``user=``.

Where it stands: outermost, so that the hooks of all other bundles log with it.
"""

from collections.abc import Callable
from contextvars import Token
from typing import Any, Unpack

from flask import Flask, Response, current_app, got_request_exception
from structlog.contextvars import bind_contextvars, unbind_contextvars

from overcoat.hooks._current import current_g, current_request
from overcoat.hooks._handled import HANDLED_KEY, keep_handled, tell_error
from overcoat.hooks._hook import Hook
from overcoat.hooks.bundle import BundleOptions, HookBundle
from overcoat.middleware._exchange import exchange_of

_NOTHING: dict[str, Any] = dict.fromkeys(("endpoint", "route", "blueprint", "user"))
_FOUND_KEY = "overcoat.request_context"


class RequestContext(HookBundle):
    """Binds what is known of the request to structlog, and tells the request's log line of errors.

    Args:
        name: The name of the bundle.
        user: Called at the start of each request and again at its end, for the user's id or None. Without it:
            Flask-Login's user, from when it has been loaded.
        **options: Those of every bundle.

    Raises:
        ValueError: An unusable option.
    """

    def __init__(
        self,
        *,
        name: str = "request-context",
        user: Callable[[], object] | None = None,
        **options: Unpack[BundleOptions],
    ) -> None:
        super().__init__(name, **options)
        if user is not None and not callable(user):
            raise ValueError(
                f"bundle {name!r}: user={user!r} is no function: give one that returns the user's id, or None"
            )
        self._user = user or _loaded_user
        self.before_request(self._bind)
        self.after_request(self._tell_late)
        self.teardown_request(self._restore)

    def setup(self, app: Flask) -> tuple[Hook, ...]:
        """Listen to the app's errors."""
        got_request_exception.connect(self._tell_error, app)
        keep_handled(app)
        return ()

    def _bind(self) -> None:
        request = current_request()
        rule, environ = request.url_rule, request.environ
        known: dict[str, str] = {}
        if rule is not None:
            known["endpoint"] = endpoint = rule.endpoint
            known["route"] = rule.rule
            blueprint = endpoint.rpartition(".")[0]
            if blueprint:
                known["blueprint"] = blueprint
            exchange = exchange_of(environ)
            if exchange is not None:
                exchange.endpoint = exchange.endpoint or endpoint
                exchange.route = exchange.route or rule.rule
        user = self._tell_user(environ)
        if user is not None:
            known["user"] = user
        # What a request around this one has bound, or what one before it has left, must not show through.
        tokens = bind_contextvars(**(_NOTHING | known))
        if len(known) < len(_NOTHING):
            unbind_contextvars(*(_NOTHING.keys() - known.keys()))
        # Kept by value: a token belongs to the context it was made in, and the end may come in another one.
        found = {key: token.old_value for key, token in tokens.items() if not _is_unbound(token.old_value)}
        environ.setdefault(_FOUND_KEY, found)

    def _tell_user(self, environ: dict[str, Any]) -> str | None:
        try:
            user = self._user()
            text = None if user is None else str(user)
        except Exception:
            current_app.logger.exception("bundle %r: user= raised: the request is logged without a user", self.name)
            return None
        exchange = exchange_of(environ)
        if text is not None and exchange is not None:
            exchange.fields.setdefault("user", text)
        return text

    def _tell_late(self, response: Response) -> Response:
        environ = current_request().environ
        # By now a login has happened, or something has asked for the user.
        self._tell_user(environ)
        handled = environ.pop(HANDLED_KEY, None)
        if handled is not None and response.status_code >= 500:
            tell_error(environ, handled)
        return response

    def _restore(self, error: BaseException | None) -> None:  # noqa: ARG002 - the signature of the phase
        environ = current_request().environ
        environ.pop(HANDLED_KEY, None)  # its traceback refers to the environ
        found = environ.pop(_FOUND_KEY, None)
        if found is not None:
            unbind_contextvars(*_NOTHING)
            if found:
                bind_contextvars(**found)

    def _tell_error(self, app: Flask, exception: BaseException, **_: Any) -> None:  # noqa: ARG002 - the signal's
        tell_error(current_request().environ, exception)


def _is_unbound(value: object) -> bool:
    return value is Token.MISSING or value is ...  # never bound; how structlog marks what was unbound


def _loaded_user() -> object:
    """The id of Flask-Login's user if it has been loaded, without loading it."""
    user = current_g().get("_login_user")
    get_id = getattr(user, "get_id", None)
    return get_id() if get_id is not None else None
