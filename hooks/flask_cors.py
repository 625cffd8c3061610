"""FlaskCORS: Flask-CORS as a bundle.

>>> from flask import Flask
>>> from overcoat.hooks import FlaskCORS, register
>>> app = Flask("shop")
>>> register(app, [FlaskCORS(origins=["https://shop.example"], supports_credentials=True)])
>>> response = app.test_client().get("/nothing", headers={"Origin": "https://shop.example"})
>>> response.status_code, response.headers["Access-Control-Allow-Origin"]
(404, 'https://shop.example')

It takes the options of ``CORS``; what it is given goes before ``app.config``. What differs from the extension alone:

* origins with ``supports_credentials`` that let everyone in are refused: any site could read what the user may read;
* an origin pattern covers the whole origin, and one that means something else than it seems to is refused;
* where ``*`` is meant, ``*`` is sent: the extension reflects each origin, and a cache then keeps a copy for each;
* where the answer depends on the origin, ``Vary: Origin`` is on all of them: the extension leaves it off where the
  origin is refused or the only one, so that a cache may serve that answer to the others (Fetch, CORS and HTTP caches);
* a preflight is answered where this bundle stands, before hooks further in can ask it for a login that browsers do not
  send with it; a view that handles OPTIONS itself still does;
* ``intercept_exceptions`` is off: the headers are on error responses without the app's handlers being replaced;
* an origin with control characters, which no browser sends, gets no answer rather than an error in the log.

What stays: ``resources`` are patterns matched from the start of the path, so ``r"/api/.*"`` is what it seems and
``r"/api.*"`` also matches ``/apiary``; of several the longest wins, not the first; and with ``app.debug`` an unhandled
error goes to the debugger, whose page has no CORS headers, which a browser reports as a CORS error.

Where it stands: outside of bundles that may refuse a request.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import unquote

from flask import Flask, Response, current_app, request

from overcoat.hooks._extension import ExtensionBundle, extension
from overcoat.hooks._origins import EVERYONE, lets_everyone_in, safe_origins

_PREFIX = "CORS_"
_VARYING = "overcoat.cors"
# What the extension writes into response headers.
_ECHOED = ("Origin", "Access-Control-Request-Headers")


class FlaskCORS(ExtensionBundle):
    """Flask-CORS as a bundle.

    Args:
        name: The name of the bundle.
        **options: Those of ``flask_cors.CORS`` and those of every bundle; ``always`` is True here.

    Raises:
        ValueError: An unknown option, or origins that let in whom they should not. What comes from ``app.config`` is
            checked when the bundle is registered.
        ImportError: Flask-CORS is not installed.
    """

    def __init__(self, *, name: str = "cors", **options: Any) -> None:
        module = extension("flask_cors")
        self._cors = module.CORS
        self._core = module.core
        known = {key.removeprefix(_PREFIX).lower() for key in module.core.CONFIG_OPTIONS}
        super().__init__(name, {"intercept_exceptions": False, **options}, known)
        _safe(self.options)
        self.before_request(self._answer_preflight)

    def initialise(self, app: Flask) -> None:
        """Let CORS register its function, with origins made safe."""
        configured = {
            key.removeprefix(_PREFIX).lower(): value
            for key, value in app.config.items()
            if key.startswith(_PREFIX) and value is not None
        }
        options = _safe({"origins": "*", **configured, **self.options})
        if not options.get("supports_credentials"):
            options.setdefault("send_wildcard", True)  # the extension refuses the two together, whatever the origins
        self._cors(app, **options)
        if options.get("vary_header", True):
            app.extensions[f"{_VARYING}.{self.name}"] = self._varying(options)

    def adapt(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Stand back from nonsense, and complete Vary."""
        if phase != "after_request":
            return function
        key = f"{_VARYING}.{self.name}"

        @wraps(function)
        def set_headers(response: Response) -> Response:
            if any(not request.headers.get(name, "").isprintable() for name in _ECHOED):
                return response
            result: Response = function(response)
            allowed = result.headers.get("Access-Control-Allow-Origin")
            if allowed != "*" and "origin" not in result.headers.get("Vary", "").lower():
                varies = current_app.extensions.get(key)
                if varies is not None and varies(unquote(request.path)):
                    result.vary.add("Origin")
            return result

        return set_headers

    def _varying(self, options: Mapping[str, Any]) -> Callable[[str], bool]:
        """Whether what a path answers depends on the origin, by the extension's own reading of its resources."""
        core = self._core
        resources = [
            (pattern, not _everyone({**options, **own}))
            for pattern, own in core.parse_resources(options.get("resources", r"/*"))
        ]

        def varies(path: str) -> bool:
            for pattern, varying in resources:
                if core.try_match_pattern(path, pattern, caseSensitive=True):
                    return varying
            return False

        return varies

    def _answer_preflight(self) -> Response | None:
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return None
        if not getattr(request.url_rule, "provide_automatic_options", False):
            return None
        return current_app.make_default_options_response()


def _safe(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with origins made safe, also those of single resources."""
    result = _with_safe_origins(options)
    resources = options.get("resources")
    if not isinstance(resources, Mapping):
        _check(result)
        return result
    # What is given beside the resources is the default of each.
    result["resources"] = {path: _with_safe_origins(own) for path, own in resources.items()}
    for own in result["resources"].values():
        _check({**result, **own})
    return result


def _with_safe_origins(options: Mapping[str, Any]) -> dict[str, Any]:
    return {**options, "origins": safe_origins(options["origins"])} if "origins" in options else dict(options)


def _everyone(options: Mapping[str, Any]) -> bool:
    """Whether the answer is ``*``, whoever asks."""
    everyone = any(origin in EVERYONE for origin in options["origins"] if isinstance(origin, str))
    return everyone and bool(options.get("send_wildcard")) and bool(options.get("always_send", True))


def _check(options: Mapping[str, Any]) -> None:
    if options.get("supports_credentials") and lets_everyone_in(options.get("origins", ())):
        raise ValueError(
            f"FlaskCORS: origins={options['origins']!r} with supports_credentials=True lets every site read what "
            "the user may read: name the origins"
        )
