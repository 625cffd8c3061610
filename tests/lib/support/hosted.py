"""An app behind TrustedHosts, HTTPSRedirect and SecureCookies, for real servers."""

from collections.abc import Callable
from typing import Any

from overcoat.middleware import HTTPSRedirect, SecureCookies, Stack, TrustedHosts


def served(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer with the host and the path that the app sees."""
    body = f"{environ['HTTP_HOST']} {environ['PATH_INFO']}".encode("latin-1")
    start_response("200 OK", [("Content-Length", str(len(body))), ("Set-Cookie", "a=b")])
    return [body]


app = Stack(
    served,
    [
        TrustedHosts(hosts=["example.com", "localhost"]),
        HTTPSRedirect(permanent=False),
        SecureCookies(),
    ],
)
