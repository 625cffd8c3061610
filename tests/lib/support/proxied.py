"""An app that tells as JSON what it sees of the client, with and without ProxyFix.

The first segment of the path says which ProxyFix stands around it: ``/bare``, ``/counted``, ``/trusted``, ``/unix``,
``/nobody`` or ``/forwarded``.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from overcoat.middleware import ProxyFix

KEYS = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME")


def tell(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """The keys that ProxyFix corrects, and the forwarding headers that are left."""
    seen = {key: environ.get(key) for key in KEYS}
    seen["peer"] = environ.get("overcoat.proxy_fix.orig", {}).get("REMOTE_ADDR")
    seen["forwarded"] = sorted(key for key in environ if key.startswith(("HTTP_X_", "HTTP_FORWARDED")))
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(seen).encode()]


_APPS = {
    "bare": tell,
    "counted": ProxyFix(tell),
    "trusted": ProxyFix(tell, trusted=["127.0.0.1"], x_host=1),
    "unix": ProxyFix(tell, trusted=["unix:"]),
    "nobody": ProxyFix(tell, trusted=[]),
    "forwarded": ProxyFix(tell, trusted=["127.0.0.1", "unix:"], header="forwarded"),
}


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """By the first segment of the path."""
    return _APPS[environ["PATH_INFO"].split("/")[1]](environ, start_response)
