"""Errors that an app answers itself: Flask sends no signal of those, and hands them to no hook."""

from traceback import walk_tb
from typing import Any

from flask import Flask
from werkzeug.exceptions import HTTPException

from overcoat.hooks._current import current_request
from overcoat.middleware._errors import error_at, error_message, error_type
from overcoat.middleware._exchange import exchange_of
from overcoat.middleware._source import short_path

#: Where the environ has the error that a handler has answered.
HANDLED_KEY = "overcoat.request_context.handled"

_ABORT_MODULES = frozenset({"flask.helpers", "werkzeug.exceptions"})


def keep_handled(app: Flask) -> None:
    """Keep in the environ what a handler of the app's has answered; take it out, as its traceback refers to that."""
    wrapped: Any = app
    handle = app.handle_user_exception

    def handle_user_exception(error: Exception) -> Any:
        answer = handle(error)  # raises what nothing handles
        current_request().environ[HANDLED_KEY] = error
        return answer

    handle_user_exception.__wrapped__ = handle  # type: ignore[attr-defined] # for describe
    wrapped.handle_user_exception = handle_user_exception


def tell_error(environ: dict[str, Any], error: BaseException) -> None:
    """Tell the request's log line of an error."""
    exchange = exchange_of(environ)
    if exchange is not None:
        exchange.error_type = error_type(error)
        exchange.error_message = error_message(error)
        exchange.error_at = _aborted_at(error) if isinstance(error, HTTPException) else error_at(error)


def _aborted_at(error: HTTPException) -> str | None:
    """Where ``abort`` was called, which is not where it raises."""
    place = None
    for frame, line in walk_tb(error.__traceback__):
        if frame.f_globals.get("__name__") not in _ABORT_MODULES:
            place = f"{short_path(frame.f_code.co_filename)}:{line} in {frame.f_code.co_name}"
    return place
