"""Errors as problem details (RFC 9457), with the ``message`` that clients of the classic item API read.

>>> from werkzeug.exceptions import NotFound
>>> from overcoat.demo.problems import problem_details
>>> problem_details(NotFound("Item not found"))
{'type': 'about:blank', 'title': 'Not Found', 'status': 404, 'detail': 'Item not found', 'message': 'Item not found'}
"""

from collections.abc import Mapping
from typing import Any

import orjson
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.wrappers import Response


class InvalidFields(BadRequest):
    """A 400 that says of each failing field what is wrong with it.

    Args:
        fields: A sentence for each failing field.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(fields.values()))
        self.message = dict(fields)


def problem_details(error: HTTPException) -> dict[str, Any]:
    """The members of the problem details object of an error."""
    return {
        "type": "about:blank",
        "title": error.name,
        "status": error.code,
        "detail": error.description,
        "message": getattr(error, "message", error.description),
    }


def problem_response(error: HTTPException) -> Response | HTTPException:
    """Flask's error handler: the response of an error, with the headers that belong to it (Allow, Retry-After).

    Args:
        error: The error; a redirect and a response given to ``abort`` pass unchanged.
    """
    if error.response is not None or error.code is None or error.code < 400:
        return error
    response = Response(orjson.dumps(problem_details(error), option=orjson.OPT_APPEND_NEWLINE), error.code)
    response.headers.extend((name, value) for name, value in error.get_headers() if name != "Content-Type")
    response.content_type = "application/problem+json"
    return response
