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
  believes any client's X-Forwarded-Proto and takes the target's host from the request. Where it is asked for, other
  methods than GET and HEAD are told to keep theirs (307 and 308); ``overcoat.middleware.HTTPSRedirect`` does the rest;
* a header that the view has set stays: the extension turns a view's ``X-Frame-Options: DENY`` into SAMEORIGIN;
* the app's own ``SESSION_COOKIE_SAMESITE`` stays, unless ``session_cookie_samesite`` is given: the extension turns an
  app's ``Strict`` into Lax;
* ``SESSION_COOKIE_SECURE`` is set before the first request of the app, whichever that is: the extension sets it with
  the first that it sees, so with ``only=`` an earlier cookie goes out without it;
* its headers are on every response that leaves the app, also where a hook before it answered or failed.

As with the extension alone, ``session_cookie_secure`` is on, except with ``app.debug``. Over plain http a browser sends
such a cookie back to localhost only, so a login seems not to last: the first session that is changed over plain http is
logged, with what to do. Without need for its per-view options, ``overcoat.middleware.SecurityHeaders`` covers more, and
``SecureCookies`` all cookies.

What stays: its redirect and its HSTS believe the X-Forwarded-Proto of anyone, unless a ``ProxyFix(trusted=...)`` around
the app has deleted it; the options of a view are filled up by the first app that serves it, so two apps that share the
view share those.
"""

import inspect
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response, request

from overcoat.hooks._extension import ExtensionBundle, extension
from overcoat.hooks._hook import Hook, declared
from overcoat.middleware import Exchange

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

# Browsers take these for secure enough (Secure Contexts, section 3.1).
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
_PORT = re.compile(r":[0-9]*\Z")


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

    def setup(self, app: Flask) -> list[Hook]:
        """Take over what Talisman registers, and see to the session cookie."""
        hooks = super().setup(app)
        if self.options.get("session_cookie_secure", True):
            secure = SecureSession(app, self.name)
            hooks += [
                declared(self.name, "before_first_request", secure.decide),
                declared(self.name, "on_finish", secure.warn),
            ]
        return hooks

    def initialise(self, app: Flask) -> None:
        """Let Talisman register its functions; one of its objects serves one app."""
        samesite = app.config["SESSION_COOKIE_SAMESITE"]
        self._talisman(app, **{**self.options, "session_cookie_secure": False})
        if samesite is not None and "session_cookie_samesite" not in self.options:
            app.config["SESSION_COOKIE_SAMESITE"] = samesite

    def adapt(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Keep what the view has set, and the method of what is redirected."""
        return _keeping_headers(function) if phase == "after_request" else _keeping_method(function)


class SecureSession:
    """Makes the session cookie Secure, and tells once where that loses it.

    Args:
        app: The app.
        bundle: The name of the bundle, for the message.
    """

    def __init__(self, app: Flask, bundle: str) -> None:
        self._app = app
        self._bundle = bundle
        self._watching = False

    def decide(self) -> None:
        """Make it Secure, except with ``app.debug``, which is often set last."""
        if not self._app.debug:
            self._app.config["SESSION_COOKIE_SECURE"] = self._watching = True

    def warn(self, exchange: Exchange) -> None:
        """Tell of the first session cookie that a browser will not send back."""
        environ = exchange.environ
        if not self._watching or environ.get("wsgi.url_scheme") != "http":
            return
        name = f"{self._app.config['SESSION_COOKIE_NAME']}="
        cookies = [value for key, value in exchange.headers if key.lower() == "set-cookie" and value.startswith(name)]
        if any("; Secure" in cookie for cookie in cookies):
            self._watching = False
            if _PORT.sub("", environ.get("HTTP_HOST", "")) not in _LOCAL:
                self._app.logger.warning(
                    "bundle %r: a session was changed over plain http, and its cookie is Secure: browsers do not send "
                    "it back. Behind a proxy that speaks https, ProxyFix tells the app so; else give "
                    "session_cookie_secure=False",
                    self._bundle,
                )


def _keeping_method(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def before() -> Any:
        answer = function()
        if answer is not None and request.method not in {"GET", "HEAD"}:
            answer.status_code = {301: 308, 302: 307}.get(answer.status_code, answer.status_code)
        return answer

    return before


def _keeping_headers(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def set_headers(response: Response) -> Response:
        own = {name: response.headers.getlist(name) for name in _HEADERS if name in response.headers}
        result: Response = function(response)
        for name, values in own.items():
            result.headers.setlist(name, values)
        return result

    return set_headers
