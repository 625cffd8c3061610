"""The problem details object of an error (RFC 9457), and who gets it.

>>> from flask import Flask
>>> from werkzeug.exceptions import NotFound
>>> from overcoat.hooks._problem import members
>>> with Flask("shop").test_request_context():
...     members(NotFound("No such coat"), "about:blank", {"shelf": 7})
{'type': 'about:blank', 'title': 'Not Found', 'status': 404, 'detail': 'No such coat', 'shelf': 7}
"""

from collections.abc import Mapping
from typing import Any

from flask import Request, Response, current_app
from werkzeug.exceptions import HTTPException, InternalServerError

from overcoat.hooks._current import current_request
from overcoat.middleware._errors import error_at, error_message, error_type
from overcoat.middleware._exchange import exchange_of

#: RFC 9457, section 6.1.
MEDIA_TYPE = "application/problem+json"

# What a client that takes JSON, but has not heard of problems, asks for.
_JSON = (MEDIA_TYPE, "application/json")
_HTML = ("text/html", "application/xhtml+xml")


def members(error: HTTPException, type_uri: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """The members of the problem, in the order in which they are written (RFC 9457, section 3.1)."""
    problem: dict[str, Any] = {"type": type_uri, "title": error.name, "status": error.code}
    description: Any = error.description
    if isinstance(description, (dict, list)):
        problem["errors"] = description  # abort(400, {"name": "..."}), as in RFC 9457, section 3
    elif description:
        problem["detail"] = str(description)  # it may be a translation that is made as late as this
    exchange = exchange_of(current_request().environ)
    if exchange is not None:
        if exchange.request_id is not None:
            problem["request_id"] = exchange.request_id
        trace_id = exchange.trace_id
        if trace_id is not None:
            problem["trace_id"] = trace_id
    cause = error.original_exception if isinstance(error, InternalServerError) else None
    if cause is not None and current_app.debug:
        problem["exception"] = {"type": error_type(cause), "message": error_message(cause), "at": error_at(cause)}
    problem.update(more)
    problem["status"] = error.code  # section 3.1.2: the same as the response's
    return problem


def problem_response(error: HTTPException, problem: Mapping[str, Any]) -> Response:
    """The problem as a response, with the error's status and headers."""
    try:
        text = current_app.json.dumps(problem)
    except (TypeError, ValueError):  # a description with what JSON does not know
        current_app.logger.exception("a %s has a description that is no JSON: it goes out without it", error.code)
        text = current_app.json.dumps({name: problem[name] for name in ("type", "title", "status")})
    response: Response = current_app.response_class(f"{text}\n", error.code, content_type=MEDIA_TYPE)
    response.headers.extend((name, value) for name, value in error.get_headers() if name.lower() != "content-type")
    return response


def prefers_html(request: Request) -> bool:
    """Whether the client likes HTML better than any JSON, by its Accept (RFC 9110, section 12.5.1)."""
    accept = request.accept_mimetypes
    if not accept:
        return False  # no preference: what a program sends
    return max(map(accept.quality, _HTML)) > max(map(accept.quality, _JSON))
