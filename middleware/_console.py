"""Lines for a person: aligned, coloured by status where a terminal is looking, and safe to show."""

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from overcoat.middleware._json import json_line, text_of, text_or_json
from overcoat.middleware._text import visible

FORMATS = ("json", "console", "logfmt")
SLOW_MS = 1000.0

_RED, _GREEN, _YELLOW, _CYAN = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"
_RESET, _DIM, _BOLD = "\x1b[0m", "\x1b[2m", "\x1b[1m"
_TINTS = {"debug": _CYAN, "info": _GREEN, "warning": _YELLOW, "error": _RED, "critical": _RED}

_MAX_PATH = 200  # characters; a scanner's path of 64 KiB is not for eyes
# What has a place of its own in a line, and what a person does not read off a terminal.
_HEAD = frozenset({"timestamp", "level", "event", "exception", "stack", "request_id", "trace_id", "span_id"})
_REQUEST = _HEAD | {
    "method", "path", "query", "status", "duration_ms", "response_bytes", "client", "outcome", "error_type",
    "error_message", "error_at", "timings", "route", "endpoint", "first_byte_ms", "request_bytes", "peer", "scheme",
    "host", "http_version", "user_agent", "sample_rate", "client_request_id",
}  # fmt: skip

Renderer = Callable[[Mapping[str, Any]], bytes]


def wants_colour(is_terminal: bool) -> bool:
    """Whether to colour.

    NO_COLOR (no-color.org) forbids it, FORCE_COLOR (force-color.org) asks for it; else a terminal has it unless dumb.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (is_terminal and os.environ.get("TERM") != "dumb")


def console_line(record: Mapping[str, Any], *, colour: bool = False) -> bytes:
    """One record as a line for a person, in local time.

    A request is its status, method, path, duration, size, client and the beginning of its id; then, where there are
    any, how it ended, the error, the timings and the app's own fields. Another event stands with its text where the
    path stands.
    """
    level = text_of(record.get("level", "info"))
    paint = _painted if colour else _plain
    event = text_of(record.get("event", ""))
    if event == "http_request" and isinstance(record.get("duration_ms"), float):
        parts = _request(record, paint, _TINTS.get(level, ""))
    else:
        parts = [paint(f"{visible(level):<11}", _TINTS.get(level, "")), visible(event), *_extra(record, _HEAD, paint)]
        if "request_id" in record:
            parts.append(paint(_id(record), _DIM))
    line = f"{paint(_clock(record), _DIM)} {' '.join(parts)}".rstrip() + "\n"
    for name in ("exception", "stack"):
        below = record.get(name)
        if below is not None:
            line += "".join(f"    {visible(row)}\n" for row in text_of(below).splitlines())
    return line.encode("utf-8", "backslashreplace")


def _plain(text: str, _: str) -> str:
    return text


def _painted(text: str, tint: str) -> str:
    return f"{tint}{text}{_RESET}" if tint and text else text


def _request(record: Mapping[str, Any], paint: Callable[[str, str], str], tint: str) -> list[str]:
    path = text_of(record.get("path", ""))
    if query := record.get("query"):
        path += f"?{text_of(query)}"
    if len(path) > _MAX_PATH:
        path = path[:_MAX_PATH] + "..."
    size, duration_ms = record.get("response_bytes"), record["duration_ms"]
    parts = [
        paint(f"{visible(text_of(record.get('status', '---'))):>3}", tint),
        f"{visible(text_of(record.get('method', ''))[:10]):<7}",
        paint(f"{visible(path):<32}", _BOLD),
        paint(f"{_duration(duration_ms):>8}", _YELLOW if duration_ms >= SLOW_MS else ""),
        f"{_size(size) if isinstance(size, int) else '':>8}",
        paint(f"{visible(text_of(record.get('client', '-'))):<15} {_id(record):<8}", _DIM),
    ]
    outcome = text_of(record.get("outcome") or "complete")
    if outcome not in {"complete", "handed_off"}:
        parts.append(paint(visible(outcome), _RED if outcome == "failed" else _YELLOW))
    if duration_ms >= SLOW_MS:
        parts.append(paint("slow", _YELLOW))
    if error := record.get("error_type"):
        at = f" ({visible(text_of(record['error_at']))})" if "error_at" in record else ""
        parts.append(paint(f"{visible(text_of(error))}: {visible(text_of(record.get('error_message', '')))}{at}", _RED))
    if isinstance(timings := record.get("timings"), Mapping):
        parts += [paint(_timing(name, timing), _DIM) for name, timing in timings.items()]
    return [*parts, *_extra(record, _REQUEST, paint)]


def _extra(record: Mapping[str, Any], shown: frozenset[str], paint: Callable[[str, str], str]) -> list[str]:
    """What a record has beside what is ``shown``."""
    pairs = [f"{text_of(name)}={_short(value)}" for name, value in record.items() if name not in shown]
    return [paint(visible(" ".join(pairs)), _DIM)] if pairs else []


def _clock(record: Mapping[str, Any]) -> str:
    try:
        return datetime.fromisoformat(record["timestamp"]).astimezone().strftime("%H:%M:%S.%f")[:12]
    except (KeyError, TypeError, ValueError, OverflowError, OSError):  # a processor of the app's has changed it
        return visible(text_of(record.get("timestamp", "")))[:12].rjust(12)


def _id(record: Mapping[str, Any]) -> str:
    """As much of the request's id as tells neighbours apart."""
    return visible(text_of(record.get("request_id", ""))[:8])


def _duration(duration_ms: float) -> str:
    return f"{duration_ms:.1f} ms" if duration_ms < SLOW_MS else f"{duration_ms / 1000:.2f} s"


def _size(size: int) -> str:
    for unit, scale in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} B"


def _timing(name: object, timing: Any) -> str:
    try:
        duration_ms, count = float(timing["duration_ms"]), timing["count"]
    except (TypeError, KeyError, ValueError, OverflowError):  # a processor of the app's has changed it
        return visible(f"{text_of(name)}={_short(timing)}")
    return visible(f"{text_of(name)} {_duration(duration_ms)}" + ("" if count == 1 else f"/{count}"))


def _short(value: object) -> str:
    text = text_or_json(value)
    return repr(text) if " " in text or not text else text


def renderer(form: str, *, colour: bool) -> Renderer:
    """The function that makes a line of a record: for ``json``, ``console`` or ``logfmt``."""
    if form == "console":
        return lambda record: console_line(record, colour=colour)
    if form == "logfmt":
        from overcoat.middleware._logfmt import logfmt_line  # noqa: PLC0415 - the rarest form

        return logfmt_line
    return json_line
