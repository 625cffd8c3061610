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
* a preflight is answered where this bundle stands, before hooks further in can ask it for a login that browsers do not
  send with it; a view that handles OPTIONS itself still does;
* ``intercept_exceptions`` is off: the headers are on error responses without the app's handlers being replaced.

Where it stands: outside of bundles that may refuse a request.
"""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, current_app, request

from overcoat.hooks._extension import ExtensionBundle, extension
from overcoat.hooks._origins import lets_everyone_in, safe_origins

_PREFIX = "CORS_"


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
        self._cors(app, **_safe({"origins": "*", **configured, **self.options}))

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


def _check(options: Mapping[str, Any]) -> None:
    if options.get("supports_credentials") and lets_everyone_in(options.get("origins", ())):
        raise ValueError(
            f"FlaskCORS: origins={options['origins']!r} with supports_credentials=True lets every site read what "
            "the user may read: name the origins"
        )
