"""The URIs of problem types: ``types=`` of ProblemDetails, compiled.

>>> from werkzeug.exceptions import Gone, NotFound
>>> from overcoat.hooks._problem_types import compile_types
>>> type_of = compile_types("problem-details", {404: "/problems/unknown", LookupError: "/problems/lookup"})
>>> type_of(NotFound()), type_of(Gone())
('/problems/unknown', 'about:blank')
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.exceptions import HTTPException, InternalServerError

#: What says no more than its status does (RFC 9457, section 4.2.1).
NO_TYPE = "about:blank"

# The characters of a URI reference (RFC 3986, section 2).
_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")


def compile_types(bundle: str, types: Any) -> Callable[[HTTPException], str]:
    """A function from an error to the URI of its type.

    Raises:
        ValueError: Something else than a text with ``{status}``, or than a mapping to URIs.
    """
    if types is None:
        return lambda _error: NO_TYPE
    if isinstance(types, str):
        _check_uri(bundle, types.replace("{status}", "404"), types)
        if "{status}" not in types:
            raise ValueError(
                f"bundle {bundle!r}: types={types!r} gives all problems one type: write '{{status}}' where its number "
                "goes, or a mapping from statuses and exceptions to URIs"
            )
        return lambda error: types.replace("{status}", str(error.code))
    if not isinstance(types, Mapping):
        raise ValueError(
            f"bundle {bundle!r}: types={types!r} must be a mapping such as {{404: 'https://shop.example/unknown'}}"
        )
    for key, uri in types.items():
        _check_key(bundle, key)
        _check_uri(bundle, uri, uri)
    by_status: dict[int, str] = {key: uri for key, uri in types.items() if isinstance(key, int)}
    by_class: dict[type, str] = {key: uri for key, uri in types.items() if not isinstance(key, int)}

    def type_of(error: HTTPException) -> str:
        cause = error.original_exception if isinstance(error, InternalServerError) else None
        for cls in (*(type(cause).__mro__ if cause is not None else ()), *type(error).__mro__):
            if cls in by_class:
                return by_class[cls]
        return by_status.get(error.code or 0, NO_TYPE)

    return type_of


def _check_key(bundle: str, key: Any) -> None:
    if isinstance(key, type) and issubclass(key, Exception):
        return
    if not isinstance(key, int) or isinstance(key, bool) or not 400 <= key <= 599:
        raise ValueError(f"bundle {bundle!r}: types has {key!r}, which is no status from 400 to 599 and no exception")


def _check_uri(bundle: str, uri: Any, shown: Any) -> None:
    if not isinstance(uri, str) or not _URI.fullmatch(uri):
        raise ValueError(
            f"bundle {bundle!r}: types has {shown!r}, which is no URI (RFC 3986): "
            "write one such as 'https://shop.example/problems/out-of-stock'"
        )
