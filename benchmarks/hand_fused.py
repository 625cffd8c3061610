"""The yardstick: the job of our five layers by hand in one wrapper, without phases, options or odd shapes of bodies.

The same record, the trust check, the context variable, the byte count and the outcome; what a determined engineer would
write for one app and never again.
"""

import os
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from random import Random
from time import perf_counter_ns, time_ns
from typing import Any

import orjson

from overcoat.middleware import SecurityHeaders

_current: ContextVar[Any] = ContextVar("hand_fused", default=None)
_HEADERS: list[tuple[str, str]] = []
# What the layer sends over http, for both to send the same.
SecurityHeaders(lambda _, start: start("200 OK", []), preset="page")({}, lambda _, headers: _HEADERS.extend(headers))
_NAMES = frozenset(name.lower() for name, _ in _HEADERS)
_TRUSTED = frozenset({"127.0.0.1", "::1"})
_UNTRUSTED_KEYS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")
_bits = Random().getrandbits
_second: tuple[int, str] = (0, "")


@lru_cache(maxsize=4096)
def _address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None


class HandFused:
    """One wrapper for everything."""

    def __init__(self, app: Callable[..., Any], path: Path) -> None:
        self.app = app
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        run = _Run()
        run.started_ns = perf_counter_ns()
        run.fd = self.fd
        run.environ = environ
        run.start_response = start_response
        run.peer = peer = environ.get("REMOTE_ADDR")
        run.method = environ["REQUEST_METHOD"]
        run.path = environ["PATH_INFO"]
        run.query = environ["QUERY_STRING"]
        environ.pop("HTTP_PROXY", None)
        if peer in _TRUSTED:
            forwarded = environ.get("HTTP_X_FORWARDED_FOR")
            if forwarded:
                for text in reversed(forwarded.split(",")):
                    address = _address(text.strip(" \t"))
                    if address is None:
                        break
                    environ["REMOTE_ADDR"] = address
                    if address not in _TRUSTED:
                        break
            scheme = environ.get("HTTP_X_FORWARDED_PROTO")
            if scheme in {"http", "https"}:
                environ["wsgi.url_scheme"] = scheme
        else:
            for key in _UNTRUSTED_KEYS:
                if key in environ:
                    del environ[key]
        run.request_id = environ["overcoat.request_id"] = f"{_bits(128):032x}"
        previous = _current.get()
        _current.set(run)
        try:
            run.body = self.app(environ, run)
        except BaseException as error:
            run.error = error
            run.finish()
            raise
        finally:
            _current.set(previous)
        return run


class _Run:
    status: str = ""
    route: str | None = None
    endpoint: str | None = None
    first_byte_ns: int = 0
    sent_bytes: int = 0
    outcome: str = "aborted"
    error: BaseException | None = None
    closed: bool = False
    started_ns: int
    fd: int
    environ: dict[str, Any]
    start_response: Callable[..., Any]
    peer: str | None
    method: str
    path: str
    query: str
    request_id: str
    body: Any

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        self.status = status
        rule = getattr(self.environ.get("werkzeug.request"), "url_rule", None)
        if rule is not None:
            self.route, self.endpoint = rule.rule, rule.endpoint
        headers = headers.copy()
        present = {name.lower() for name, _ in headers}
        if present.isdisjoint(_NAMES):
            headers += _HEADERS
        else:
            headers += [pair for pair in _HEADERS if pair[0].lower() not in present]
        if self.environ["wsgi.url_scheme"] == "https" and "strict-transport-security" not in present:
            headers.append(("Strict-Transport-Security", "max-age=31536000"))
        headers.append(
            ("Server-Timing", f'total;dur={(perf_counter_ns() - self.started_ns) / 1e6:.3f};desc="until headers"')
        )
        headers.append(("X-Request-ID", self.request_id))
        if exc_info is None:
            return self.start_response(status, headers)
        return self.start_response(status, headers, exc_info)

    def __iter__(self) -> Iterator[bytes]:
        iterator = iter(self.body)
        while True:
            previous = _current.get()
            _current.set(self)
            try:
                chunk = next(iterator)
            except StopIteration:
                self.outcome = "complete"
                return
            except BaseException as error:
                self.error = error
                raise
            finally:
                _current.set(previous)
            if chunk and not self.first_byte_ns:
                self.first_byte_ns = perf_counter_ns()
            self.sent_bytes += len(chunk)
            yield chunk

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        previous = _current.get()
        _current.set(self)
        try:
            close = getattr(self.body, "close", None)
            if close is not None:
                close()
        finally:
            self.finish()
            _current.set(previous)

    def finish(self) -> None:
        global _second
        finished_ns = perf_counter_ns()
        second, rest = divmod(time_ns(), 1_000_000_000)
        known, text = _second
        if known != second:
            text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            _second = (second, text)
        get = self.environ.get
        status = int(self.status[:3]) if self.status else 0
        failed = self.error is not None
        record: dict[str, Any] = {
            "timestamp": f"{text}.{rest // 1000:06d}Z",
            "level": "error" if failed or status >= 500 else "warning" if status >= 400 else "info",
            "event": "http_request",
            "method": self.method,
            "path": self.path,
        }
        if self.route is not None:
            record["route"] = self.route
            record["endpoint"] = self.endpoint
        if self.query:
            record["query"] = self.query
        record["status"] = status
        record["duration_ms"] = (finished_ns - self.started_ns) // 1000 / 1000
        if self.first_byte_ns:
            record["first_byte_ms"] = (self.first_byte_ns - self.started_ns) // 1000 / 1000
        record["response_bytes"] = self.sent_bytes
        record["client"] = get("REMOTE_ADDR")
        record["peer"] = self.peer
        record["scheme"] = get("wsgi.url_scheme")
        record["host"] = get("HTTP_HOST")
        record["http_version"] = get("SERVER_PROTOCOL", "")[5:]
        record["user_agent"] = get("HTTP_USER_AGENT", "")
        record["request_id"] = self.request_id
        record["outcome"] = "failed" if failed else self.outcome
        if failed:
            record["error_type"] = type(self.error).__name__
        os.write(self.fd, orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
