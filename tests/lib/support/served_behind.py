"""The app behind proxies: what its ProxyFix makes of a request, as JSON; its log is $LOG_FILE.

The first segment of the path says which ProxyFix: ``/trusted``, ``/host``, ``/forwarded``, ``/nobody``, ``/counted``;
``/bare`` has none. Trusted is what $TRUSTED_PROXIES names, parted by commas.
"""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from overcoat.middleware import ProxyFix, RequestID, RequestLog, Stack

SEEN = {"REMOTE_ADDR", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME", "PATH_INFO", "wsgi.url_scheme", "PROXY_PROTOCOL"}
trusted = os.environ.get("TRUSTED_PROXIES", "127.0.0.1").split(",")


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """All of the environ that a proxy or a client may have had a hand in."""
    environ["wsgi.input"].read()
    seen = {key: value for key, value in environ.items() if key in SEEN or key.startswith("HTTP_")}
    body = json.dumps(seen).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def stack(fix: ProxyFix) -> Stack:
    """The app in the layers that the log line comes from."""
    return Stack(echo, [fix, RequestID(), RequestLog(to=os.environ["LOG_FILE"])])


APPS: Mapping[str, Callable[..., Any]] = {
    "trusted": stack(ProxyFix(trusted=trusted)),
    "host": stack(ProxyFix(trusted=trusted, x_host=1, x_port=1, x_prefix=1)),
    "forwarded": stack(ProxyFix(trusted=trusted, header="forwarded", x_host=1)),
    "nobody": stack(ProxyFix(trusted=[])),
    "counted": stack(ProxyFix()),
    "bare": echo,
}


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """Dispatch by the path as the client wrote it: a server may have cut a prefix off."""
    path = f"{environ['SCRIPT_NAME']}{environ['PATH_INFO']}"
    return APPS[path.split("/")[1]](environ, start_response)
