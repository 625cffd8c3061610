"""An app that logs by both libraries, and gives way to others between two lines; its log is $LOG_FILE.

With $QUIET set it calls ``quiet_server_logs``; with $STDLIB stdlib's logging is left alone.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import structlog

from overcoat.middleware import RequestID, RequestLog, Stack, TraceContext, configure_logging, quiet_server_logs
from overcoat.middleware.server_logs import access_logs

configure_logging(file=os.environ["LOG_FILE"], stdlib="STDLIB" not in os.environ)
if os.environ.get("QUIET"):
    quiet_server_logs()


def _say(text: str) -> None:
    structlog.get_logger().info(text)
    logging.getLogger("shop").warning(text)


def _lines(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    if environ["PATH_INFO"] == "/access-logs":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([",".join(access_logs()).encode()])
    if environ["PATH_INFO"] == "/broken":
        raise ValueError("no cart")
    path = environ["PATH_INFO"]
    _say(path)
    time.sleep(0.005)
    _say(path)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return _chunks(path)


def _chunks(path: str) -> Iterator[bytes]:
    _say(path)
    time.sleep(0.005)
    yield b"1"
    _say(path)
    # A thread of its own has no request.
    other = threading.Thread(target=structlog.get_logger().info, args=("outside",))
    other.start()
    other.join()
    yield b"2"


app = Stack(_lines, [TraceContext(), RequestID(), RequestLog()])
