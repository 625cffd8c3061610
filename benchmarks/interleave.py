"""Variants that take turns in one process, so that what slows one slows the others too."""

import gc
from collections.abc import Callable, Mapping
from random import Random
from statistics import median
from time import perf_counter_ns
from typing import Any

ENVIRON = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/item/1",
    "QUERY_STRING": "",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "5001",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1",
    "REMOTE_PORT": "40000",
    "HTTP_HOST": "api.example.com",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "HTTP_ACCEPT": "application/json",
    "HTTP_ACCEPT_ENCODING": "gzip, br",
    "HTTP_ORIGIN": "https://shop.example.com",
    "HTTP_X_FORWARDED_FOR": "192.0.2.7",
    "HTTP_X_FORWARDED_PROTO": "https",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


def request(app: Callable[..., Any]) -> None:
    """One request, served as a server would: call, iterate, close."""
    body = app(ENVIRON.copy(), _start_response)
    for _ in body:
        pass
    close = getattr(body, "close", None)
    if close is not None:
        close()


def _start_response(_status: str, _headers: list[tuple[str, str]], _exc_info: Any = None) -> Callable[[bytes], None]:
    return _write


def _write(_data: bytes) -> None:
    pass


def microseconds(apps: Mapping[str, Callable[..., Any]], *, rounds: int, requests: int) -> dict[str, list[float]]:
    """Microseconds a request for each variant, one figure a round; each round takes them in a new order."""
    order = list(apps)
    shuffle = Random(1).shuffle  # the same order in every run
    figures: dict[str, list[float]] = {name: [] for name in order}
    for app in apps.values():
        for _ in range(requests // 4):
            request(app)
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            app = apps[name]
            gc.collect()
            started_ns = perf_counter_ns()
            for _ in range(requests):
                request(app)
            figures[name].append((perf_counter_ns() - started_ns) / requests / 1000)
    return figures


def added(figures: dict[str, list[float]], name: str, base: str) -> float:
    """What a variant adds to another: the median over the rounds of the difference within the round."""
    return median(a - b for a, b in zip(figures[name], figures[base], strict=True))
