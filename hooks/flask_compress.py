"""FlaskCompress: Flask-Compress as a bundle.

>>> from flask import Flask
>>> from overcoat.hooks import FlaskCompress, register
>>> app = Flask("shop")
>>> register(app, [FlaskCompress(min_size=100, mimetypes=["text/css", "text/javascript"])])
>>> @app.get("/style.css")
... def style():
...     return "a { color: red }" * 100, {"Content-Type": "text/css"}
>>> app.test_client().get("/style.css", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"]
'gzip'

It takes the extension's settings as options, ``COMPRESS_MIN_SIZE`` as ``min_size``; what ``app.config`` has set goes
before. What differs from the extension alone:

* an encoding that the client has refused with ``q=0`` is not sent;
* ``Cache-Control: no-transform``, partial content (206) and responses without a body stay as they are;
* the ``close`` of a stream that is compressed is called.

By default the extension compresses HTML and JSON: where a page shows a secret beside what the client sent, its length
tells the secret (BREACH). Give ``mimetypes=`` without these there.

Where it stands: outside of bundles that read or change the body.
"""

from collections.abc import Callable
from functools import wraps
from types import SimpleNamespace
from typing import Any

from flask import Flask, Response, request

from overcoat.hooks._extension import ExtensionBundle, extension

_PREFIX = "COMPRESS_"


class FlaskCompress(ExtensionBundle):
    """Flask-Compress as a bundle.

    Args:
        name: The name of the bundle.
        **options: The extension's settings in lower case without their prefix, and the options of every bundle;
            ``always`` is True here.

    Raises:
        ValueError: An unknown option.
        ImportError: Flask-Compress is not installed.
    """

    def __init__(self, *, name: str = "compress", **options: Any) -> None:
        self._compress = extension("flask_compress").Compress
        # The names of its settings stand nowhere but in what it writes into an app's configuration.
        probe = SimpleNamespace(config={}, after_request=lambda function: function)
        self._compress().init_app(probe)
        known = {key.removeprefix(_PREFIX).lower() for key in probe.config} - {"register"}
        super().__init__(name, options, known)

    def initialise(self, app: Flask) -> None:
        """Let Compress register its function."""
        for option, value in self.options.items():
            app.config.setdefault(_PREFIX + option.upper(), value)
        self._compress().init_app(app)

    def adapt(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Stand in front of the extension where it would do harm."""
        if phase != "after_request":
            return function

        @wraps(function)
        def compress(response: Response) -> Response:
            if not _may_compress(response):
                response.vary.add("Accept-Encoding")
                return response
            source = response.response
            result: Response = function(response)
            close = getattr(source, "close", None)
            if close is not None and result.response is not source:
                result.call_on_close(close)
            return result

        return compress


def _may_compress(response: Response) -> bool:
    if response.status_code in {204, 206} or "Content-Range" in response.headers:
        return False
    if "no-transform" in response.cache_control:  # Werkzeug 3.0 has the attribute, which is never true
        return False
    # The extension can pick an encoding that was refused, so where one was, nothing is encoded.
    return all(quality > 0 for name, quality in request.accept_encodings if name != "identity")
