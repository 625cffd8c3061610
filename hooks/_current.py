"""The current request and ``g`` themselves: a look through Flask's proxies costs about a microsecond."""

from collections.abc import Callable
from typing import Any, cast

from flask import Request, g, request

current_request = cast("Callable[[], Request]", request._get_current_object)  # type: ignore[attr-defined]
current_g = cast("Callable[[], Any]", g._get_current_object)
