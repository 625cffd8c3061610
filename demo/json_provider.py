"""JSON through orjson, for Flask's ``app.json``.

>>> from flask import Flask
>>> from overcoat.demo.json_provider import OrjsonProvider
>>> provider = OrjsonProvider(Flask("shop"))
>>> provider.dumps({"name": "café", "value": 1.5})
'{"name":"café","value":1.5}'
>>> provider.loads('{"name": "a", "name": "b"}')
Traceback (most recent call last):
  ...
ValueError: the name 'name' stands twice in one object
"""

import json
from typing import Any

import orjson
from flask import Response
from flask.json.provider import JSONProvider


class OrjsonProvider(JSONProvider):
    """Write JSON with orjson; read it strictly."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:  # noqa: ARG002 - Flask hands on options of the standard library
        """JSON text."""
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:  # noqa: ARG002
        """The value of JSON text.

        Raises:
            ValueError: It is no JSON (RFC 8259), as with NaN, a number beyond a double, a lone surrogate, or another
                encoding than UTF-8; it is nested too deeply; or an object has a name twice.
        """
        value = orjson.loads(s)
        # orjson takes the last of two equal names and does not tell; two readers of one body could see two values.
        try:
            json.loads(s, object_pairs_hook=_unique)
        except RecursionError:
            raise ValueError("the value is nested too deeply") from None
        return value

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """A JSON response."""
        body = orjson.dumps(self._prepare_response_obj(args, kwargs), option=orjson.OPT_APPEND_NEWLINE)
        return Response(body, mimetype="application/json")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise ValueError(f"the name {name[:80]!r} stands twice in one object")
        names.add(name)
    return dict(pairs)
