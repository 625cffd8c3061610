"""The layer that tells bundles of a request's true end, where no other layer does."""

from typing import Any

from flask import Flask

from overcoat.middleware import Layer
from overcoat.middleware._order import inward


class RequestEnd(Layer):
    """Makes the exchange, whose callbacks the bundles are; a layer wrapped around it later joins it."""

    does = "tells hook bundles of the true end of each request"


def see_the_end(app: Flask) -> None:
    """Wrap the app once, unless a layer is there that makes the exchange."""
    if not any(layers for _, layers in inward(app.wsgi_app)):
        wsgi_app: Any = RequestEnd(app.wsgi_app)
        app.wsgi_app = wsgi_app  # type: ignore[method-assign]
