"""What a client may send: the fields of an item, and which page of the list it wants.

>>> from overcoat.demo.schemas import ItemSchema, checked
>>> checked(ItemSchema(), {"name": "teapot", "value": "12.5", "colour": "green"})
{'name': 'teapot', 'value': 12.5}
>>> checked(ItemSchema(), {"value": True})
Traceback (most recent call last):
  ...
overcoat.demo.problems.InvalidFields: 400 Bad Request: Name cannot be blank! Value must be a finite number.
"""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

from overcoat.demo.models import LARGEST_ID
from overcoat.demo.problems import InvalidFields

NAME_MAX_LENGTH = 80
PAGE_MAX_ITEMS = 1000

_NAME = f"Name must be a string of 1 to {NAME_MAX_LENGTH} characters."
_NAME_BLANK = "Name cannot be blank!"
_VALUE = "Value must be a finite number."
_VALUE_BLANK = "Value cannot be blank!"
_LIMIT = f"Limit must be a whole number from 1 to {PAGE_MAX_ITEMS}."
_AFTER = "After must be the id of an item, or 0."

# Python reads digits of all scripts, and underscores between them; what a text stands for is the same to every client.
_NUMBER_TEXT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WHOLE_TEXT = re.compile("[0-9]+")


def _can_be_stored(name: str) -> None:
    # PostgreSQL's text has no NUL. (A lone surrogate is refused before, as JSON.)
    if "\0" in name:
        raise ValidationError("Name has a character that cannot be stored.")


class Number(fields.Float):
    """A number, or a text that is one."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> float:
        if isinstance(value, str) and not _NUMBER_TEXT.fullmatch(value.strip()):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


class WholeNumber(fields.Integer):
    """A whole number in a query string."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if not _WHOLE_TEXT.fullmatch(value):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


class ItemSchema(Schema):
    """An item, as it is created or replaced; other fields than these are ignored."""

    class Meta:
        """Options of marshmallow."""

        unknown = EXCLUDE

    name = fields.String(
        required=True,
        validate=[validate.Length(max=NAME_MAX_LENGTH, error=_NAME), _can_be_stored],
        error_messages={"required": _NAME_BLANK, "null": _NAME_BLANK, "invalid": _NAME, "invalid_utf8": _NAME},
    )
    value = Number(
        required=True,
        error_messages={
            "required": _VALUE_BLANK, "null": _VALUE_BLANK, "invalid": _VALUE, "special": _VALUE, "too_large": _VALUE,
        },
    )  # fmt: skip

    @pre_load
    def blank_is_missing(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """Take a field of white space for one that is not there."""
        return {name: None if isinstance(value, str) and not value.strip() else value for name, value in data.items()}


class PageSchema(Schema):
    """The query string of the list: at most ``limit`` items, those whose ids come after ``after``."""

    class Meta:
        """Options of marshmallow."""

        unknown = EXCLUDE

    limit = WholeNumber(
        load_default=None,
        validate=validate.Range(1, PAGE_MAX_ITEMS, error=_LIMIT),
        error_messages={"invalid": _LIMIT, "too_large": _LIMIT},
    )
    after = WholeNumber(
        load_default=0,
        validate=validate.Range(0, LARGEST_ID, error=_AFTER),
        error_messages={"invalid": _AFTER, "too_large": _AFTER},
    )


def checked(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a schema, validated.

    Args:
        schema: The schema.
        data: What the client sent.

    Raises:
        InvalidFields: A 400 that names every failing field.
    """
    try:
        loaded: dict[str, Any] = schema.load(data)
    except ValidationError as error:
        messages_of: dict[str, list[str]] = error.messages_dict
        raise InvalidFields({name: messages[0] for name, messages in messages_of.items()}) from None
    return loaded
