"""csp_nonce: the request's nonce, for inline scripts and styles that a Content-Security-Policy shall let run.

It is made when a page first asks, and only then put into the header, wherever the policy has the source ``'nonce'``.

>>> from overcoat.middleware import SecurityHeaders, csp_nonce
>>> def app(environ, start_response):
...     page = f'<script nonce="{csp_nonce()}">hello()</script>'
...     start_response("200 OK", [("Content-Type", "text/html")])
...     return [page.encode()]
>>> app = SecurityHeaders(app, content_security_policy={"script-src": ["'self'", "'nonce'"]})

In Flask's templates, after ``app.add_template_global(csp_nonce)``: ``<script nonce="{{ csp_nonce() }}">``. Where the
function cannot be imported, ``environ["overcoat.csp_nonce"]()`` is the same one.

Not for streams that have begun: the header has gone, and a nonce that it does not name would be refused by the browser,
so that asking is an error. Ask once before the response starts, and the stream may ask again. A WSGI app that is itself
a generator runs only when the server takes its first chunk: around it, a layer that follows bodies, such as
``RequestLog()``, keeps the request known until then.
"""

from secrets import token_urlsafe
from typing import Any

from overcoat.middleware._exchange import NO_HEADERS, Exchange, current_exchange

#: Where the environ has :func:`csp_nonce`, if a policy can use it.
CSP_NONCE_KEY = "overcoat.csp_nonce"

# What a request wants of its security headers beside what the layer has: "nonce", and "headers" of a view.
WISHES = "security_headers"

# Content Security Policy Level 3, section 7.1: at least 128 bits
_NONCE_BYTES = 16


def csp_nonce() -> str:
    """The nonce of the request that is being served here: 22 letters of base64url, the same at every call.

    Raises:
        RuntimeError: There is no request that a layer serves, or its response has started without a nonce.
    """
    exchange = current_exchange()
    if exchange is None:
        raise RuntimeError(
            "csp_nonce(): no request is being served by a layer here: wrap the app, as in "
            'app.wsgi_app = SecurityHeaders(app.wsgi_app, preset="page"), and call it once before the response starts '
            "(in the view, not first in a stream)"
        )
    nonce: str | None = exchange._rare.get(WISHES, {}).get("nonce") if exchange._rare is not None else None
    if nonce is None:
        # An error page that replaces a response has headers of its own, which are still to come.
        if exchange.headers is not NO_HEADERS and exchange.error is None:
            raise RuntimeError(
                "csp_nonce(): the headers have gone out without a nonce: call it once before the response starts "
                "(in the view, not first in the stream); then the stream may call it, too"
            )
        nonce = wishes_of(exchange)["nonce"] = token_urlsafe(_NONCE_BYTES)
        # Where no layer follows the body, its stream would find no request: who waits for the end makes it followed.
        exchange.call_on_finish(_until_then)
    return nonce


def _until_then(exchange: Exchange) -> None: ...


def wishes_of(exchange: Exchange) -> dict[str, Any]:
    """What this request wants of its security headers, made on demand."""
    return exchange._made(WISHES, dict)  # type: ignore[no-any-return]
