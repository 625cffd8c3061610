"""What the tests beside other extensions share: an app in our coat, and a proxy in front of it that speaks https."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from overcoat.hooks import FlaskCompress, FlaskTalisman, HookBundle, ProblemDetails, RequestContext, register
from overcoat.middleware import ProxyFix, RequestID, RequestLog, SecureCookies, SecurityHeaders, ServerTiming, Stack

Lines = list[dict[str, Any]]

#: What a browser behind a proxy with TLS sends, as the app gets it.
HTTPS = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example"}
#: Our headers, on each response whoever makes it.
OURS = ("X-Request-ID", "Server-Timing", "X-Content-Type-Options", "Referrer-Policy", "Content-Security-Policy")


def coat(app: Flask, extend: Callable[[], Any], order: str, *bundles: HookBundle, talisman: bool = True) -> Lines:
    """Put layers and bundles around an app, before or after its extensions.

    Args:
        app: The app.
        extend: What puts the extension on the app.
        order: ``"bundles first"`` or ``"extension first"``.
        *bundles: More bundles, inside of the usual ones.
        talisman: Whether the page policy of Flask-Talisman is among them.

    Returns:
        The log, which grows with each request.
    """
    lines: Lines = []
    if order == "extension first":
        extend()
    usual = [RequestContext(), ProblemDetails(), FlaskCompress()]
    register(app, [*usual, *([FlaskTalisman()] if talisman else []), *bundles])
    app.wsgi_app = Stack(  # type: ignore[method-assign]
        app.wsgi_app,
        [
            ProxyFix(trusted=["127.0.0.1"], x_host=1),
            RequestID(),
            RequestLog(to=lines.append),
            ServerTiming(),
            SecureCookies(),
            SecurityHeaders(),
        ],
    )
    if order == "bundles first":
        extend()
    return lines


def ask(client: FlaskClient, path: str, method: str = "GET", **options: Any) -> TestResponse:
    """One request as it comes through the proxy, read to its end."""
    headers = {**HTTPS, **options.pop("headers", {})}
    options.setdefault("base_url", "https://shop.example")  # where the client keeps its cookies
    options["environ_overrides"] = {"wsgi.url_scheme": "http", "HTTP_HOST": "10.0.0.5:8000", "REMOTE_ADDR": "127.0.0.1"}
    return client.open(path, method=method, headers=headers, buffered=True, **options)


def assert_coated(response: TestResponse, line: dict[str, Any], **expected: Any) -> None:
    """Our side of a request: the headers, once each, and the line."""
    for name in OURS:
        assert len(response.headers.getlist(name)) == 1, name
    known = {
        "request_id": response.headers["X-Request-ID"],
        "status": response.status_code,
        "client": "203.0.113.7",
        "scheme": "https",
        "host": "shop.example",
        "outcome": "complete",
        **expected,
    }
    assert {name: line.get(name) for name in known} == known
