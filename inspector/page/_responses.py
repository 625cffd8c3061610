"""What the page answers with: texts, pages, figures, and the headers that all of them have."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import orjson
from werkzeug.wrappers import Response

HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
            " base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
            " require-trusted-types-for 'script'; trusted-types 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
)
"""Of every answer that does not say otherwise."""


def text_response(status: int, sentence: str) -> Response:
    """A sentence for whoever asked."""
    return Response(f"{sentence}\n", status, content_type="text/plain; charset=utf-8")


def html_response(markup: str, status: int = 200) -> Response:
    """A page."""
    return Response(markup.encode("utf-8", "replace"), status, content_type="text/html; charset=utf-8")


def json_response(value: object, status: int = 200) -> Response:
    """Figures; bytes are taken as they are."""
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    return Response(body, status, content_type="application/json")
