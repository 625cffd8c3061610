"""ServerTiming: what took how long, in the browser's developer tools.

Publishes the request's timings as ``Server-Timing`` (W3C Server Timing, section 3), as far as they are known when the
headers go: ``total`` is the time from the request's entry until then, which is nearly all of a page and only the
beginning of a stream, and says so in its description. A ``timer`` that still runs or begins later is not in the header;
the log line has it.

Not for telling strangers about the inside of a service: exact times help those who guess at passwords and keys, too. By
default only the total is sent; ``expose="all"`` adds each ``timer``, a list of names chooses among them, and a callable
decides for each request. The browser shows timings to scripts of the same origin; ``allow_origin`` adds others.

It stands inside RequestLog or outside, as you like; the timings land in the log line either way.

>>> from overcoat.middleware import ServerTiming, timer
>>> def app(environ, start_response):
...     with timer("db", description="2 statements"):
...         pass
...     start_response("200 OK", [])
...     return [b""]
>>> app = ServerTiming(app, expose=["db"])
>>> _ = app({}, lambda status, headers: print(headers))  # doctest: +ELLIPSIS
[('Server-Timing', 'db;dur=0...;desc="2 statements"')]
"""

import logging
import re
from collections.abc import Callable, Collection, Container, Iterable
from functools import lru_cache
from time import perf_counter_ns
from typing import Any, Unpack

from overcoat.middleware._authority import host_text, parse_authority
from overcoat.middleware._exchange import Exchange
from overcoat.middleware._layer import Layer
from overcoat.middleware._options import LayerOptions, one_of
from overcoat.middleware._timings import TOTAL, is_name, mend_name
from overcoat.middleware._wsgi import Application

# Proxies hold all headers of a response in a buffer, which may be 4 KiB (nginx), and answer 502 beyond it.
_MAX_VALUE_LENGTH = 2048
_MAX_DESCRIPTION_LENGTH = 128
_UNTIL_HEADERS = ';desc="until headers"'

_DEFAULT_PORTS = {"http": "80", "https": "443"}

# What is not from add_timing or a timer, but put straight into exchange.timings, may be no token.
_token = lru_cache(maxsize=1024)(mend_name)

_log = logging.getLogger("overcoat")

Expose = str | Collection[str]


class _Everything:
    def __contains__(self, name: object) -> bool:
        return True


_ALL = _Everything()
_NOTHING: frozenset[str] = frozenset()


class ServerTiming(Layer):
    """Publish timings on the response.

    Args:
        app: The WSGI application to wrap.
        expose: ``"total"`` sends the time until the headers, in milliseconds; ``"all"`` also each ``timer`` that has
            ended by then; a collection of names those timers, and the total if ``total`` is among them. A callable is
            asked with the exchange and returns one of these, or None to send nothing; if it fails, or returns something
            else, nothing is sent, and the first time it is logged.
        allow_origin: Origins whose scripts may read the timings of this response, those of the browser's own making
            (redirects, sizes) included: sent as ``Timing-Allow-Origin`` (W3C Resource Timing, section 4.5) beside the
            timings, where the app sends none. ``"*"`` is any origin.
        **options: Those of every layer: ``skip``, ``check_order``.

    Raises:
        ValueError: Another value of ``expose``, or an origin that no browser would send.
    """

    does = "publishes timings"

    def __init__(
        self,
        app: Application | None = None,
        *,
        expose: Expose | Callable[[Exchange], Expose | None] = "total",
        allow_origin: str | Iterable[str] | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        self._ask = expose if callable(expose) else None
        self._names: Container[str] = _NOTHING if callable(expose) else _names_of(expose)
        self._allow_origin = None if allow_origin is None else _origins(allow_origin)
        self._only_total = self._names == {TOTAL} and self._allow_origin is None
        self._told = False
        super().__init__(app, **options)

    def on_headers(self, exchange: Exchange) -> None:
        """Add the header, beside one that the app may have set."""
        total = f"total;dur={(perf_counter_ns() - exchange.started_ns) / 1e6:.3f}{_UNTIL_HEADERS}"
        if not self._only_total:
            names = self._names if self._ask is None else self._asked(exchange)
            metrics = _metrics(exchange, names, room=_MAX_VALUE_LENGTH - len(total))
            if TOTAL in names:
                metrics.append(total)
            if not metrics:
                return
            total = ", ".join(metrics)
            if self._allow_origin is not None and not exchange.has_header("timing-allow-origin"):
                exchange.headers.append(("Timing-Allow-Origin", self._allow_origin))
        exchange.headers.append(("Server-Timing", total))

    def _asked(self, exchange: Exchange) -> Container[str]:
        try:
            answer = self._ask(exchange)  # type: ignore[misc]
            return _names_of(answer) if answer else _NOTHING
        except Exception:
            if not self._told:
                self._told = True
                _log.exception("%r: nothing is published; further failures of expose are not logged", self)
            return _NOTHING


def _names_of(expose: Any) -> Container[str]:
    if isinstance(expose, str):
        return _ALL if one_of(ServerTiming, "expose", expose, ["total", "all"]) == "all" else frozenset({TOTAL})
    names = list(expose) if isinstance(expose, Iterable) else []
    if not names or not all(name == TOTAL or is_name(name) for name in names):
        raise ValueError(
            f"ServerTiming: expose={expose!r} must be 'total', 'all', names of timers such as ['total', 'db'], "
            "or a callable on the exchange that returns one of these or None"
        )
    return frozenset(names)


def _origins(allow_origin: str | Iterable[str]) -> str:
    if allow_origin == "*":
        return "*"
    origins = [allow_origin] if isinstance(allow_origin, str) else list(allow_origin)
    for origin in origins:
        if not isinstance(origin, str) or not _is_origin(origin):
            raise ValueError(
                f"ServerTiming: allow_origin={origin!r} is no origin as browsers write it: 'https://host' in lower "
                "case, without a path, with a port only if it is not the default; or '*' alone"
            )
    if not origins:
        raise ValueError("ServerTiming: allow_origin=[] names no origin: leave it out, or write 'https://host'")
    return ", ".join(origins)


def _is_origin(text: str) -> bool:
    """Whether it is an origin as browsers serialise it (RFC 6454, section 6.2), which is what they compare with."""
    scheme, _, authority = text.partition("://")
    parsed = parse_authority(authority)
    if scheme not in _DEFAULT_PORTS or parsed is None or parsed[1] == _DEFAULT_PORTS[scheme]:
        return False
    return text == f"{scheme}://{host_text(*parsed)}"


def _metrics(exchange: Exchange, names: Container[str], room: int) -> list[str]:
    """The metrics of these names that fit, in the order in which they first ended."""
    if exchange._rare is None or "timings" not in exchange._rare:
        return []
    timings = exchange.timings
    metrics = []
    for name, (duration_ns, _) in timings.copy().items():
        if name in names:
            metric = f"{_token(name)};dur={duration_ns / 1e6:.3f}"
            if name in timings.descriptions:
                metric += _described(timings.descriptions[name][:_MAX_DESCRIPTION_LENGTH])
            room -= len(metric) + len(", ")
            if room < 0:
                break
            metrics.append(metric)
    return metrics


@lru_cache(maxsize=256)
def _described(description: str) -> str:
    r"""A description as a parameter: a quoted-string (RFC 9110, section 5.6.4) in ASCII.

    Not every server sends more than ASCII, and browsers read the rest as Latin-1; so it stands as in a Python string.

    >>> print(_described('say "hi"'), _described("größe"), _described("a\nb"))
    ;desc="say \"hi\"" ;desc="gr\\xf6\\xdfe" ;desc="a\\nb"
    """
    text = re.sub(r"[^ -~]", _escape, description)
    return ';desc="{}"'.format(re.sub(r'(["\\])', r"\\\1", text))


def _escape(character: re.Match[str]) -> str:
    return character[0].encode("unicode_escape").decode("ascii")
