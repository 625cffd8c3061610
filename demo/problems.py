"""The ``message`` that clients of the classic item API read in every error.

The errors themselves are problem details, made by ``overcoat.hooks.ProblemDetails``; this is what the demo adds.

>>> from werkzeug.exceptions import NotFound
>>> from overcoat.demo.problems import InvalidFields, message_of
>>> message_of(NotFound("Item not found"))
{'message': 'Item not found'}
>>> message_of(InvalidFields({"name": "Name cannot be blank!"}))
{'message': {'name': 'Name cannot be blank!'}}
"""

from collections.abc import Mapping
from typing import Any

from werkzeug.exceptions import BadRequest, HTTPException


class InvalidFields(BadRequest):
    """A 400 that says of each failing field what is wrong with it.

    Args:
        fields: A sentence for each failing field.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(fields.values()))
        self.message = dict(fields)


def message_of(error: HTTPException) -> dict[str, Any]:
    """The member that the demo adds to a problem."""
    return {"message": getattr(error, "message", error.description)}
