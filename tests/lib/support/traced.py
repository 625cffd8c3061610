"""A service inside of TraceContext that calls another: ``/?to=PORT&path=/x&times=2`` makes two calls of that port."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs
from urllib.request import Request, urlopen

from overcoat.middleware import TraceContext, outgoing_headers


def service(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Make the calls, then answer."""
    query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    if "to" in query:
        url = f"http://127.0.0.1:{int(query['to'])}{query['path']}"
        for _ in range(int(query["times"])):
            with urlopen(Request(url, headers=outgoing_headers()), timeout=30):
                pass
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


app = TraceContext(service)
