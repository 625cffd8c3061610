"""FlaskTalisman: Flask-Talisman's security headers as a bundle.

>>> from flask import Flask
>>> from overcoat.hooks import FlaskTalisman, register
>>> app = Flask("shop")
>>> register(app, [FlaskTalisman(content_security_policy="default-src 'none'")])
>>> app.test_client().get("/nothing").headers["Content-Security-Policy"]
"default-src 'none'"

It takes the options of ``Talisman.init_app``; a view's own are given as ever: ``@Talisman()(frame_options="DENY")``.
What differs from the extension alone:

* ``force_https`` is off unless it is asked for: the extension redirects health probes, turns a POST into a GET,
  believes any client's X-Forwarded-Proto and takes the target's host from the request;
* a header that the view has set stays: the extension turns a view's ``X-Frame-Options: DENY`` into SAMEORIGIN;
* its headers are on every response that leaves the app, also where a hook before it answered or failed.

As with the extension alone, ``session_cookie_secure`` is on: over plain http, give ``session_cookie_secure=False`` or
no session survives. Without need for its per-view options, ``overcoat.middleware.SecurityHeaders`` covers more.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response

from overcoat.hooks._extension import ExtensionBundle, extension

_HEADERS = (
    "Content-Security-Policy",
    "Content-Security-Policy-Report-Only",
    "Document-Policy",
    "Feature-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Download-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
)


class FlaskTalisman(ExtensionBundle):
    """Flask-Talisman as a bundle.

    Args:
        name: The name of the bundle.
        **options: Those of ``Talisman.init_app`` and those of every bundle; ``always`` is True here.

    Raises:
        ValueError: An unknown option.
        ImportError: Flask-Talisman is not installed.
    """

    def __init__(self, *, name: str = "talisman", **options: Any) -> None:
        self._talisman = extension("flask_talisman").Talisman
        known = set(inspect.signature(self._talisman.init_app).parameters) - {"self", "app"}
        super().__init__(name, {"force_https": False, **options}, known)

    def initialise(self, app: Flask) -> None:
        """Let Talisman register its functions; one of its objects serves one app."""
        self._talisman(app, **self.options)

    def adapt(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Keep what the view has set."""
        if phase != "after_request":
            return function

        @wraps(function)
        def set_headers(response: Response) -> Response:
            own = {name: response.headers.getlist(name) for name in _HEADERS if name in response.headers}
            result: Response = function(response)
            for name, values in own.items():
                result.headers.setlist(name, values)
            return result

        return set_headers
